# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Waiting for an appliance: the waiter of the collection (``core.waiting``) with an appliance's error at its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ..core.nitro_errors import NitroTimeout
from ..core.waiting import Clock, Pace, Sleep, observations

T = TypeVar("T")


def wait_until(
    predicate: Callable[[], T | None],
    timeout: float,
    describe_last_state: Callable[[], str],
    *,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
    interval: float = 1.0,
) -> T:
    """Return the first true answer of ``predicate``, asked every ``interval`` seconds for ``timeout`` seconds at most.

    It is asked at least once, and once more at the deadline. Raises NitroTimeout whose message is
    ``describe_last_state()`` with the seconds waited; whatever ``predicate`` raises goes through.
    """
    for _left in observations(timeout, Pace(interval, 1.0, interval), clock=clock, sleep=sleep):
        if answer := predicate():
            return answer
    raise NitroTimeout(f"{describe_last_state()} (waited {timeout:g} s)")
