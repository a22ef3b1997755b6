# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Waiting with an end, and with something to say when the end comes. Clock and sleep are handed in."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ..core.nitro_errors import NitroTimeout

T = TypeVar("T")


def wait_until(
    predicate: Callable[[], T | None],
    timeout: float,
    describe_last_state: Callable[[], str],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    interval: float = 1.0,
) -> T:
    """The first true answer of ``predicate``, asked every ``interval`` seconds for at most ``timeout`` seconds.

    It is asked at least once, and once more at the deadline. Raises NitroTimeout whose sentence is
    ``describe_last_state()`` with the seconds waited; whatever ``predicate`` raises goes through.
    """
    deadline = clock() + timeout
    while True:
        late = clock() >= deadline
        answer = predicate()
        if answer:
            return answer
        if late:
            raise NitroTimeout(f"{describe_last_state()} (waited {timeout:g} s)")
        sleep(max(0.0, min(interval, deadline - clock())))
