# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Questions side by side, each with a time limit; one that hangs or gets nonsense for an answer hides no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from .errors import Failure

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


def ask_all(questions: Mapping[K, Callable[[], T]], timeout: float) -> dict[K, T | Failure]:
    """Each answer, or the Failure it ended with; in the order of the questions, after ``timeout`` seconds at most.

    The threads are left alone when time is up. They only read, and as daemons they hold up nobody's exit.
    """
    answers: dict[K, T | Failure] = {}

    def ask(name: K, question: Callable[[], T]) -> None:
        answers[name] = attempt(question)

    threads = {
        name: threading.Thread(target=ask, args=(name, question), daemon=True) for name, question in questions.items()
    }
    deadline = time.monotonic() + timeout
    for thread in threads.values():
        thread.start()
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
    late = Failure(f"no answer within {timeout:g} s")
    return {name: answers.get(name, late) for name in questions}


def attempt(question: Callable[[], T]) -> T | Failure:
    """The answer, or the Failure. What AWS, or who answers in its place, says may have any shape."""
    try:
        return question()
    except Failure as failure:
        return failure
    except Exception as error:  # noqa: BLE001 – the boundary where an answer without sense becomes a sentence
        said = " ".join(str(error).split())[:200]
        return Failure(f"the answer made no sense ({type(error).__name__}: {said})")
