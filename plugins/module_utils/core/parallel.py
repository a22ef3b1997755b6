# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls that do not depend on each other, side by side: a round trip for all instead of one for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from .errors import Failure

A = TypeVar("A")
B = TypeVar("B")
K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

# A client's connection pool is made as large as this, so that no call waits for another one's connection.
WORKERS = 16


def attempt_all(calls: Sequence[Callable[[], T]], *, workers: int = WORKERS) -> list[T | Failure]:
    """Make all calls at once; each result, or the Failure it ended with, in the order of the calls."""
    if len(calls) < 2:
        return [_failing(call) for call in calls]
    with ThreadPoolExecutor(max_workers=min(workers, len(calls))) as pool:
        return list(pool.map(_failing, calls))


def _failing(call: Callable[[], T]) -> T | Failure:
    try:
        return call()
    except Failure as error:
        return error


def gather(calls: Sequence[Callable[[], T]], *, workers: int = WORKERS) -> list[T]:
    """Make all calls at once; their results in order. Raises the first Failure, after all have ended."""
    results: list[T] = []
    for outcome in attempt_all(calls, workers=workers):
        if isinstance(outcome, Failure):
            raise outcome
        results.append(outcome)
    return results


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Run two reads in parallel. Raises the first Failure."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        other: Future[B] = pool.submit(second)
        return first(), other.result()


def one_thread() -> Executor:
    """One thread beside an event loop, for calls that block and run in order. Use it in ``with``, or shut it down."""
    return ThreadPoolExecutor(max_workers=1)


@contextmanager
def workers_left_alone(number: int) -> Iterator[Executor]:
    """Threads for calls that may never end, such as to a host that is silent: they are not waited for at the end."""
    workers = ThreadPoolExecutor(max_workers=number)
    try:
        yield workers
    finally:
        workers.shutdown(wait=False, cancel_futures=True)


def ask_all(questions: Mapping[K, Callable[[], T]], timeout: float) -> dict[K, T | Failure]:
    """Return each answer or its Failure, in the order of the questions, after ``timeout`` seconds at most.

    Late threads are left alone: they only read, and as daemons they do not block the interpreter's exit.
    """
    answers: dict[K, T | Failure] = {}

    def ask(name: K, question: Callable[[], T]) -> None:
        answers[name] = attempt(question)

    threads = [threading.Thread(target=ask, args=(name, question), daemon=True) for name, question in questions.items()]
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = Failure(f"no answer within {timeout:g} s")
    return {name: answers.get(name, late) for name in questions}


def attempt(question: Callable[[], T]) -> T | Failure:
    """Return the answer or its Failure, also for a reply of an unexpected shape."""
    try:
        return question()
    except Failure as failure:
        return failure
    except Exception as error:  # noqa: BLE001 – the boundary where an invalid answer becomes a message
        message = " ".join(str(error).split())[:200]
        return Failure(f"the answer made no sense ({type(error).__name__}: {message})")
