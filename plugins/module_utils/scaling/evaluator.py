# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One tick and one report, as pure functions from record to record."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..spec.errors import InstantError, ReportError
from ..spec.policy import Policy
from ..spec.times import as_instant, later, span, to_clock, to_iso
from .decision import Decision, noted
from .engine import LEASE_SECONDS, Engine, slot_at
from .group_state import (
    HISTORY,
    UNFINISHED,
    Action,
    Closed,
    Event,
    Node,
    Record,
    Unfinished,
)
from .nodes import parse_nodes
from .reasons import nodes
from .samples import figures, node_count

#: Seconds between a record's latest instant and the clock from which on the group has a time of its own.
OWN_TIME = 86400.0


_REPORT_KEYS = ("id", "outcome", "message", "resources", "nodes")


class Outcome(enum.Enum):
    """How a scaling event goes. ``running``: its executor is alive, and has begun with ``resources``."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """What an executor says of an event. ``resources``: what it began (instances, addresses), added to those known.

    ``nodes``: which nodes the zone has in service now; None says nothing of them.
    """

    id: str
    outcome: Outcome
    message: str = ""
    resources: tuple[str, ...] = ()
    nodes: tuple[Node, ...] | None = None

    @classmethod
    def from_dict(cls, raw: Mapping[str, object]) -> Report:
        """The report in a dictionary with these keys; :class:`~.errors.ReportError` otherwise."""
        unknown = sorted(str(key) for key in raw.keys() - set(_REPORT_KEYS))
        if unknown:
            raise ReportError(f"event.{', '.join(unknown)}: no such key; known are {', '.join(_REPORT_KEYS)}")
        outcome, given = raw.get("outcome"), raw.get("resources") or ()
        if not isinstance(raw.get("id"), str) or not raw["id"]:
            raise ReportError(f"event.id must be the event_id of a decision, not {raw.get('id')!r}")
        if outcome not in {each.value for each in Outcome}:
            raise ReportError(f"event.outcome must be one of running, done, failed, not {outcome!r}")
        if not isinstance(given, list | tuple):
            raise ReportError(f"event.resources must be a list, not {given!r}")
        nodes_now = None if raw.get("nodes") is None else parse_nodes(raw["nodes"])
        message = str(raw.get("message") or "")
        return cls(str(raw["id"]), Outcome(outcome), message, tuple(str(each) for each in given), nodes_now)


def evaluate(
    policy: Policy,
    record: Record,
    sample: object,
    count: object,
    now: object,
    *,
    owner: str = "",
    lease_seconds: float = LEASE_SECONDS,
) -> tuple[Record, Decision]:
    """One tick: what to do with a zone of ``count`` nodes whose aggregate figures are ``sample`` (or None), at ``now``.

    ``owner`` is who will carry out an action; for ``lease_seconds`` nobody else is asked to. Raises
    :class:`~.errors.AutoscaleError` for what cannot be worked with; then nothing has changed.
    """
    instant = as_instant(now)
    refuse_past(policy, record, instant)
    engine = Engine(policy, record)
    action = engine.tick(instant, figures(policy, sample), node_count(count), owner, lease_seconds)
    return engine.freeze(), engine.decide(action)


def refuse_past(policy: Policy, record: Record, instant: float) -> None:
    """Raise :class:`~.errors.InstantError` for an instant more than one interval before the record's latest."""
    if record.updated is not None and instant < record.updated - policy.interval:
        raise InstantError(
            f"now {to_iso(instant)} is {span(record.updated - instant)} before {to_iso(record.updated)}, the latest "
            f"instant in the record of {record.group} {record.zone}; more than one interval ({span(policy.interval)}) "
            "back in time is refused: set the clock right, or remove the record if its time is the wrong one"
        )


def weighs(policy: Policy, record: Record, now: object) -> bool:
    """Return whether a tick at this instant would weigh figures; if not, no figure has to be read for it.

    It decides nothing: :func:`evaluate` is called once for each tick. Raises what :func:`evaluate` would raise.
    """
    instant = as_instant(now)
    refuse_past(policy, record, instant)
    return Engine(policy, record).needs_figures(instant)


def announced(record: Record, decision: Decision) -> Record:
    """The record when whoever has just been told to act is at it already, and will report."""
    event = record.event
    if event is None or decision.action not in (Action.SCALE_OUT, Action.SCALE_IN):
        return record
    return replace(record, event=replace(event, announced=True))


def reported_at(record: Record, current: float) -> float:
    """The instant of a report for which nobody named one: the current time, unless the group lives in another.

    One that is driven with instants of its own (a rehearsal, a test) has its latest instant far from the clock's.
    """
    latest = record.updated
    return current if latest is None or 0 <= current - latest <= OWN_TIME else latest


def report(
    policy: Policy,
    record: Record,
    said: Report,
    now: object,
    *,
    owner: str = "",
    lease_seconds: float = LEASE_SECONDS,
) -> tuple[Record, Decision]:
    """Take down how an event goes; saying the same twice changes nothing. The decision is ``none``, with the phase."""
    instant = max(as_instant(now), record.updated or 0.0)
    event = record.event
    if said.nodes is not None:
        record = replace(record, nodes=said.nodes)
    if event is None or event.id != said.id:
        return _about_closed(record, said)
    if said.resources:
        event = replace(event, resources=tuple(dict.fromkeys((*event.resources, *said.resources))))
    if said.outcome is Outcome.RUNNING:
        claim = later(instant, lease_seconds)
        record = replace(record, event=replace(event, owner=owner, claimed_until=claim, announced=True))
        return record, noted(record, said.id, f"{event.stage.value} {event.id} is being carried out")
    if said.outcome is Outcome.FAILED:
        return _failed(policy, record, event, said, instant)
    if event.stage is Action.SCALE_IN:
        record = replace(record, event=replace(event, released=True))
        end = to_clock(event.drain_until or instant)
        return record, noted(
            record, said.id, f"{nodes(event.count)} left the distributor; draining until {end}, the event goes on"
        )
    return _done(policy, record, event, said, instant)


def _done(policy: Policy, record: Record, event: Event, said: Report, now: float) -> tuple[Record, Decision]:
    engine = Engine(policy, record)
    engine.finish()
    if engine.until is not None and not engine.lasts(engine.until, engine.at, engine.slot):
        engine.watch()  # it took longer than its cooldown, as the latest tick has seen
    after = _closed(replace(engine.freeze(), last_failure=""), event, said, now)
    return after, noted(after, event.id, f"{event.stage.value} {event.id} is done")


def _failed(policy: Policy, record: Record, event: Event, said: Report, now: float) -> tuple[Record, Decision]:
    engine = Engine(policy, record)
    engine.failures += 1
    rest = policy.backoff(engine.failures)
    engine.rest(now, slot_at(now, engine.interval, engine.offset), later(now, rest))
    why = said.message or "no message"
    left = Unfinished(event.id, event.stage, event.count, now, why, event.resources)
    after = _closed(replace(engine.freeze(), last_failure=why), event, said, now)
    after = replace(after, unfinished=(*after.unfinished, left)[-UNFINISHED:])
    text = (
        f"{event.stage.value} {event.id} failed ({why}), failure {engine.failures} in a row: back-off of {span(rest)}, "
        f"until {to_clock(now + rest)}"
    )
    return after, noted(after, event.id, text)


def _closed(record: Record, event: Event, said: Report, now: float) -> Record:
    action = Action.SCALE_IN if event.shrinks else Action.SCALE_OUT
    entry = Closed(
        event.id,
        action,
        event.count,
        event.decided_at,
        now,
        said.outcome.value,
        event.reason,
        said.message,
        event.request,
    )
    # Which nodes there are now is for EC2 to say, unless the report did. Of those before a growth none may be gone.
    earlier = () if event.shrinks or said.nodes is not None else record.nodes or record.earlier
    return replace(record, history=(*record.history, entry)[-HISTORY:], nodes=said.nodes, earlier=earlier)


def _about_closed(record: Record, said: Report) -> tuple[Record, Decision]:
    """A report that comes twice, or says that the remains of a failed event are dealt with."""
    left = next((each for each in record.unfinished if each.event_id == said.id), None)
    if left and said.outcome is Outcome.DONE:
        record = replace(record, unfinished=tuple(each for each in record.unfinished if each is not left))
        return record, noted(record, said.id, f"what {said.id} had left unfinished is dealt with")
    known = next((each for each in reversed(record.history) if each.event_id == said.id), None)
    if known and known.outcome in (said.outcome.value, "done"):
        return record, noted(record, said.id, f"{said.id} was reported {known.outcome} before")
    if known and said.outcome is Outcome.DONE:
        return record, noted(record, said.id, f"{said.id} was reported failed before, nothing of it is unfinished")
    open_one = f"the open one is {record.event.id}" if record.event else "none is open"
    raise ReportError(
        f"event {said.id} is not one of {record.group} {record.zone} that could be {said.outcome.value}: {open_one}"
    )
