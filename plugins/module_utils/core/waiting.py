# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one waiter: look, decide, sleep, with a deadline. Clock and sleep are arguments."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .progress import PROGRESS

Clock = Callable[[], float]
Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """Pauses between polls in seconds: the first one, the factor (``growth``), and the longest one."""

    first: float
    growth: float
    longest: float


def observations(
    timeout: float,
    pace: Pace,
    *,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
    state: Callable[[], str] | None = None,
) -> Iterator[float]:
    """Yield the seconds left, once for every look that is due; at least one look, and a last one at the deadline.

    ``state`` returns what was last observed; it is printed as progress.
    """
    deadline = clock() + timeout
    pause = pace.first
    with PROGRESS.wait() as note:
        while True:
            left = deadline - clock()
            yield max(0.0, left)
            left = deadline - clock()
            if left <= 0:
                return
            if state:
                note(state, timeout - left, timeout)
            sleep(min(pause, left))
            pause = min(pause * pace.growth, pace.longest)
