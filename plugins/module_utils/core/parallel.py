# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls that do not depend on each other, side by side: a round trip for all instead of one for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from .errors import Failure

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")

# A client's connection pool is made as large as this, so that no call waits for another one's connection.
WORKERS = 16


def attempt_all(calls: Sequence[Callable[[], T]]) -> list[T | Failure]:
    """Make all calls at once; each result, or the Failure it ended with, in the order of the calls."""
    if not calls:
        return []

    def attempt(call: Callable[[], T]) -> T | Failure:
        try:
            return call()
        except Failure as error:
            return error

    with ThreadPoolExecutor(max_workers=min(WORKERS, len(calls))) as pool:
        return list(pool.map(attempt, calls))


def gather(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make all calls at once; their results in order. Raises the first Failure, after all have ended."""
    results: list[T] = []
    for outcome in attempt_all(calls):
        if isinstance(outcome, Failure):
            raise outcome
        results.append(outcome)
    return results


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Two reads of different kinds side by side. Raises the first Failure."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        other: Future[B] = pool.submit(second)
        return first(), other.result()
