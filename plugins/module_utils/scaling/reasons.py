# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The reasons that users read: one message with the figures that led to a decision."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from ..spec.policy import Limit, Policy
from ..spec.times import span, to_clock
from .group_state import Action, Event, Phase, Record, Terms


class Tick(Protocol):
    """The state of an engine after a tick, as far as reasons use it (see :mod:`.engine`)."""

    policy: Policy
    origin: Record
    reason: str
    nodes: int
    at: float
    slot: int
    gap_at: int
    needed: int
    failures: int
    phase: Phase
    until: float | None
    window: deque[tuple[float, Sequence[float | None], bool, int]]
    scale_out_streaks: list[int]
    scale_in_streak: int

    @property
    def outcome(self) -> enum.Enum: ...

    @property
    def open_event(self) -> Event: ...


def figure(value: float, unit: str = "") -> str:
    return f"{round(value, 1):g}{unit}" if abs(value) < 1e6 else f"{value:.0f}{unit}"


def nodes(count: int) -> str:
    return f"{count} node" if count == 1 else f"{count} nodes"


def breach(engine: Tick, action: Action, count: int) -> str:
    """memory 91.2 % > 85 % for 3 of 3 samples; 2 → 3 nodes, max 6."""
    policy, before = engine.policy, engine.nodes
    if action is Action.SCALE_OUT:
        return f"{_streaks(engine)}; {before} → {before + count} nodes, max {policy.max_nodes}"
    return f"{_streaks(engine)}; {before} → {before - count} nodes, min {policy.min_nodes}"


def repair(engine: Tick, count: int) -> str:
    least = engine.policy.min_nodes
    return f"{nodes(engine.nodes)}, fewer than min_nodes {least}; {engine.nodes} → {engine.nodes + count} nodes"


def deprovision(event: Event, policy: Policy) -> str:
    terms = event.terms or Terms.of(policy)
    waited = f"drained for {span(terms.drain_timeout * 60)}"
    if event.ttl_until is not None:
        waited += f" and waited the TTL of {span(terms.ttl)}"
    return f"{nodes(event.count)} out of service since {to_clock(event.decided_at)}, {waited}: remove"


def explain(engine: Tick) -> str:
    """Explain the last tick."""
    explainer = _EXPLAINERS.get(engine.outcome.name)
    return explainer(engine) if explainer else engine.reason


def _watched(engine: Tick) -> str:
    text = _streaks(engine) or _between(engine)
    if not engine.window[-1][2]:
        text += "; not all nodes in service report: no figure counts as low"
    return f"{text}; the window began again after a gap" if engine.gap_at == engine.slot else text


def _no_sample(engine: Tick) -> str:
    names = ", ".join(limit.name for limit in engine.policy.metrics)
    return f"no figure for {names}: the watch window begins again"


def _repeated(engine: Tick) -> str:
    return f"this interval's sample, of {to_clock(engine.at)}, is already counted"


def _at_max(engine: Tick) -> str:
    return f"{_streaks(engine)}; {nodes(engine.nodes)} already, max_nodes is {engine.policy.max_nodes}: no scale-out"


def _at_min(engine: Tick) -> str:
    return f"{_streaks(engine)}; {nodes(engine.nodes)} left, min_nodes is {engine.policy.min_nodes}: no scale-in"


def _open(engine: Tick) -> str:
    event = engine.open_event
    return (
        f"{event.stage.value} {event.id} of {to_clock(event.decided_at)} is not reported done; "
        f"{event.owner or 'its owner'} has claimed it until {to_clock(event.claimed_until)}; nothing is evaluated "
        "until it is reported"
    )


def _resumed(engine: Tick) -> str:
    event = engine.open_event
    return f"{event.stage.value} {event.id} is not reported done: resume it ({event.reason})"


def _in_phase(engine: Tick) -> str:
    until = "" if engine.until is None else f" until {to_clock(engine.until)}"
    if engine.phase is Phase.COOLDOWN and engine.failures:
        return (
            f"back-off{until} after {engine.failures} failed event{'s' if engine.failures > 1 else ''} in a row "
            f"({engine.origin.last_failure}); nothing is evaluated"
        )
    return f"{engine.phase.value}{until}; nothing is evaluated"


_EXPLAINERS = {
    "WATCHED": _watched,
    "NO_SAMPLE": _no_sample,
    "REPEATED": _repeated,
    "IN_PHASE": _in_phase,
    "OPEN": _open,
    "RESUMED": _resumed,
    "AT_MAX": _at_max,
    "AT_MIN": _at_min,
}


def _streaks(engine: Tick) -> str:
    """Return the metrics above their maximum, or all below their minimum, with the length of the streak."""
    if not engine.window:
        return ""
    values, limits = engine.window[-1][1], engine.policy.metrics
    if engine.scale_in_streak:
        low = [f"{_value(limit, values[at])} < {figure(limit.minimum, limit.unit)}" for at, limit in enumerate(limits)]
        return f"{' and '.join(low)} for {_of(engine, engine.scale_in_streak)}"
    high = [
        f"{_value(limit, values[at])} > {figure(limit.maximum, limit.unit)} for {_of(engine, streak)}"
        for at, limit in enumerate(limits)
        if (streak := engine.scale_out_streaks[at])
    ]
    return ", ".join(high)


def _of(engine: Tick, streak: int) -> str:
    return f"{min(streak, engine.needed)} of {engine.needed} samples"


def _between(engine: Tick) -> str:
    values = engine.window[-1][1]
    return ", ".join(_against(limit, values[at]) for at, limit in enumerate(engine.policy.metrics))


def _against(limit: Limit, value: float | None) -> str:
    if value is None:
        return f"{limit.name} is missing"
    low, high = figure(limit.minimum, limit.unit), figure(limit.maximum, limit.unit)
    if value < limit.minimum:
        return f"{_value(limit, value)} is below {low} (not all metrics are)"
    return f"{_value(limit, value)} is within {low} to {high}"


def _value(limit: Limit, value: float | None) -> str:
    return f"{limit.name} {'missing' if value is None else figure(value, limit.unit)}"
