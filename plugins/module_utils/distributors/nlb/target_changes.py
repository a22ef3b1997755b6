# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carrying out a plan for targets and looking until it came true. Effects are handed in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ...core.errors import Failure
from ...core.waiting import Clock, Pace, Sleep, observations
from .targets import Goal, Health, Healths, Plan, Target, batches, health_of

Write = Callable[[Sequence[Target]], None]
Read = Callable[[], Healths]

# AWS checks health every 5 s at the fastest, and refills reading calls at 10 a second for the whole account.
PACE = Pace(first=0.5, growth=1.5, longest=10.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``healths``: as last seen; ``late``: the targets that did not reach the desired state in time, as last seen."""

    healths: Healths
    late: tuple[Health, ...] = ()


class Incomplete(Failure):
    """Some of the writes were made when one failed; ``changed`` says whether any was."""

    def __init__(self, error: Failure, changed: bool) -> None:
        super().__init__(str(error))
        self.error, self.changed = error, changed


def write(plan: Plan, register: Write, deregister: Write) -> None:
    """Register before deregistering: if AWS refuses, no target is removed. Raises Incomplete."""
    done = 0
    try:
        for effect, targets in ((register, plan.register), (deregister, plan.deregister)):
            for batch in batches(targets):
                effect(batch)
                done += 1
    except Failure as error:
        raise Incomplete(error, changed=done > 0) from error


def watch(
    plan: Plan,
    observed: Healths,
    read: Read,
    goal: Goal,
    timeout: float | None,
    *,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> Outcome:
    """Poll until every watched target is in the desired state, ``timeout`` seconds at most; None: do not wait.

    ``observed``: what was read before the writes. It is good enough if nothing was written.
    """
    if not plan.changed and (timeout is None or not _late(plan.watched, observed, goal)):
        return Outcome(observed)
    if timeout is None:
        return Outcome(read())
    late: tuple[Health, ...] = ()

    def state() -> str:
        return _progress(plan, late)

    for _left in observations(timeout, PACE, clock=clock, sleep=sleep, state=state):
        observed = read()
        late = _late(plan.watched, observed, goal)
        if not late:
            break
    return Outcome(observed, late)


def _progress(plan: Plan, late: Sequence[Health]) -> str:
    names = ", ".join(f"{health.target} {health.state}" for health in late)
    return f"{len(plan.watched) - len(late)} of {len(plan.watched)} targets are there; {names}"


def _late(watched: Iterable[Target], healths: Healths, goal: Goal) -> tuple[Health, ...]:
    found = (health_of(target, healths) for target in watched)
    return tuple(health for health in found if not goal.reached(health))


def complaint(outcome: Outcome, group: str, goal: Goal, timeout: float) -> str | None:
    """Return the failure message: each late target, its last state and AWS's reason."""
    if not outcome.late:
        return None
    states = "; ".join(map(str, outcome.late))
    return f"target group {group}: after {timeout:g} s not every target is {goal.value}: {states}"
