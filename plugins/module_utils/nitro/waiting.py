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
    state: Callable[[], str] | None = None,
) -> T:
    """Return the first true answer of ``predicate``, asked every ``interval`` seconds for ``timeout`` seconds at most.

    It is asked at least once, and once more at the deadline. Raises NitroTimeout whose message is
    ``describe_last_state()`` with the seconds waited. ``state()``, if it is given, is shown meanwhile instead. Whatever
    ``predicate`` raises goes through.
    """
    for _left in observations(
        timeout, Pace(interval, 1.0, interval), clock=clock, sleep=sleep, state=state or describe_last_state
    ):
        if answer := predicate():
            return answer
    raise NitroTimeout(f"{describe_last_state()} (waited {timeout:g} s)")
