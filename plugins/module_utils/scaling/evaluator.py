# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One tick and one report, as pure functions from record to record."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..spec.errors import OvertakenError, ReportError
from ..spec.policy import Policy
from ..spec.times import as_instant, later, span, to_clock
from .clock import refuse_past
from .decision import Decision, noted, refused
from .engine import CLAIM_SECONDS, Engine, slot_at
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
from .ownership import contest, marked
from .reasons import nodes
from .samples import figures, node_count

_REPORT_KEYS = ("id", "outcome", "message", "resources", "nodes", "takeover")


class Outcome(enum.Enum):
    """The state of a scaling event. ``running``: its owner is alive, and has begun with ``resources``."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """A report of an owner about its event.

    Args:
        resources: Ids of what it began (instances, addresses), added to those known.
        nodes: The nodes that the zone has in service now; None: not known.
        takeover: The takeover number of the decision that the owner carries out; None: not named.
    """

    id: str
    outcome: Outcome
    message: str = ""
    resources: tuple[str, ...] = ()
    nodes: tuple[Node, ...] | None = None
    takeover: int | None = None

    @classmethod
    def from_dict(cls, raw: Mapping[str, object]) -> Report:
        """Return the report in a dictionary with these keys; raises :class:`ReportError` otherwise."""
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
        resources = tuple(str(each) for each in given)
        return cls(str(raw["id"]), Outcome(outcome), message, resources, nodes_now, _takeover(raw.get("takeover")))


def _takeover(given: object) -> int | None:
    """Return the takeover number; templates make text of numbers."""
    text = "" if given is None else str(given)
    if text and (isinstance(given, bool) or not text.isdecimal()):
        raise ReportError(f"event.takeover must be the takeover of a decision, a whole number, not {given!r}")
    return int(text) if text else None


def evaluate(
    policy: Policy,
    record: Record,
    sample: object,
    count: object,
    now: object,
    *,
    owner: str = "",
    claim_seconds: float = CLAIM_SECONDS,
) -> tuple[Record, Decision]:
    """Make one tick: decide what a zone has to do.

    Args:
        policy: The policy of this tick.
        record: The state of the zone.
        sample: The figures of the zone, or None.
        count: Nodes in service.
        now: The instant to decide for.
        owner: The run that is to carry out an action.
        claim_seconds: For how long no other run may resume; 300 at most.

    Returns:
        The state after the tick, and the decision. A tick whose policy does not drive the zone changes nothing.

    Raises:
        AutoscaleError: The input cannot be used; nothing has changed.
    """
    instant, nodes_now = as_instant(now), node_count(count)
    refuse_past(policy, record, instant)
    weighed = figures(policy, sample, nodes_now)
    if (reason := contest(policy, record, instant)) is not None:
        return record, refused(record, reason, (reason,))
    record, warnings = marked(policy, record, instant, owner)
    engine = Engine(policy, record)
    values, complete = (None, True) if weighed is None else (weighed.values, weighed.complete)
    action = engine.tick(instant, values, nodes_now, owner, claim_seconds, complete)
    return engine.freeze(), replace(engine.decide(action), warnings=warnings)


def weighs(policy: Policy, record: Record, now: object) -> bool:
    """Return whether a tick at this instant would weigh figures; if not, no figure has to be read for it.

    It decides nothing: :func:`evaluate` is called once for each tick. Raises what :func:`evaluate` would raise.
    """
    instant = as_instant(now)
    refuse_past(policy, record, instant)
    return contest(policy, record, instant) is None and Engine(policy, record).needs_figures(instant)


def announced(record: Record, decision: Decision) -> Record:
    """Return the record when the run that is to act begins at once, and will report."""
    event = record.event
    if event is None or decision.action not in (Action.SCALE_OUT, Action.SCALE_IN):
        return record
    return replace(record, event=replace(event, announced=True))


def report(
    policy: Policy,
    record: Record,
    incoming: Report,
    now: object,
    *,
    owner: str = "",
    claim_seconds: float = CLAIM_SECONDS,
) -> tuple[Record, Decision]:
    """Record the state of an event; the same report twice changes nothing. The decision is ``none``, with the phase.

    Raises:
        OvertakenError: Another run has taken the event over since.
        ReportError: The record does not hold this event.
    """
    instant = max(as_instant(now), record.updated or 0.0)
    event = record.event
    if event is None or event.id != incoming.id:
        return _about_closed(record, incoming)
    refuse_overtaken(event, incoming.takeover)
    if incoming.nodes is not None:
        record = replace(record, nodes=incoming.nodes)
    if incoming.resources:
        event = replace(event, resources=tuple(dict.fromkeys((*event.resources, *incoming.resources))))
    if incoming.outcome is Outcome.RUNNING:
        claim = later(instant, min(claim_seconds, CLAIM_SECONDS))
        record = replace(record, event=replace(event, owner=owner, claimed_until=claim, announced=True))
        return record, noted(record, incoming.id, f"{event.stage.value} {event.id} is being carried out")
    if incoming.outcome is Outcome.FAILED:
        return _failed(policy, record, event, incoming, instant)
    if event.stage is Action.SCALE_IN:
        record = replace(record, event=replace(event, released=True))
        end = to_clock(event.drain_until or instant)
        return record, noted(
            record,
            incoming.id,
            f"{nodes(event.count)} left the distributor; draining until {end}, the event stays open",
        )
    return _done(policy, record, event, incoming, instant)


def refuse_overtaken(event: Event | Unfinished, takeover: int | None) -> None:
    """Raise :class:`OvertakenError` unless this takeover number is the event's own.

    Without a number only an event that was never taken over is accepted.
    """
    if takeover == event.takeovers or (takeover is None and not event.contested):
        return
    name, owner = (event.id, event.owner) if isinstance(event, Event) else (event.event_id, "")
    named = "no takeover number" if takeover is None else f"takeover number {takeover}"
    raise OvertakenError(
        f"the report names {named}, and event {name} is at {event.takeovers}: "
        f"{owner or 'another run'} took it over; the report was refused and changed nothing. "
        "End this run: the event belongs to the other one"
    )


def _done(policy: Policy, record: Record, event: Event, incoming: Report, now: float) -> tuple[Record, Decision]:
    engine = Engine(policy, record)
    engine.finish()
    if engine.until is not None and not engine.lasts(engine.until, engine.at, engine.slot):
        engine.watch()  # it took longer than its cooldown
    after = _closed(replace(engine.freeze(), last_failure=""), event, incoming, now)
    return after, noted(after, event.id, f"{event.stage.value} {event.id} is done")


def _failed(policy: Policy, record: Record, event: Event, incoming: Report, now: float) -> tuple[Record, Decision]:
    engine = Engine(policy, record)
    engine.failures += 1
    rest = policy.backoff(engine.failures)
    engine.rest(now, slot_at(now, engine.interval, engine.offset), later(now, rest))
    why = incoming.message or "no message"
    left = Unfinished(
        event.id, event.stage, event.count, now, why, event.resources, event.takeovers, event.contested, event.terms
    )
    after = _closed(replace(engine.freeze(), last_failure=why), event, incoming, now)
    after = replace(after, unfinished=(*after.unfinished, left)[-UNFINISHED:])
    text = (
        f"{event.stage.value} {event.id} failed ({why}), failure {engine.failures} in a row: back-off of {span(rest)}, "
        f"until {to_clock(now + rest)}"
    )
    return after, noted(after, event.id, text)


def _closed(record: Record, event: Event, incoming: Report, now: float) -> Record:
    action = Action.SCALE_IN if event.is_scale_in else Action.SCALE_OUT
    entry = Closed(
        event.id,
        action,
        event.count,
        event.decided_at,
        now,
        incoming.outcome.value,
        event.reason,
        incoming.message,
        event.request,
        event.terms,
    )
    # EC2 says which nodes there are now, unless the report did. Those before a scale-out are kept, to find lost ones.
    earlier = () if event.is_scale_in or incoming.nodes is not None else record.nodes or record.earlier
    return replace(record, history=(*record.history, entry)[-HISTORY:], nodes=incoming.nodes, earlier=earlier)


def _about_closed(record: Record, incoming: Report) -> tuple[Record, Decision]:
    """Record a repeated report, or one that what a failed event left behind is cleaned up."""
    left = next((each for each in record.unfinished if each.event_id == incoming.id), None)
    if left and incoming.outcome is Outcome.DONE:
        refuse_overtaken(left, incoming.takeover)
        record = replace(record, nodes=record.nodes if incoming.nodes is None else incoming.nodes)
        record = replace(record, unfinished=tuple(each for each in record.unfinished if each is not left))
        return record, noted(record, incoming.id, f"what {incoming.id} left unfinished is cleaned up")
    known = next((each for each in reversed(record.history) if each.event_id == incoming.id), None)
    if known and known.outcome in (incoming.outcome.value, "done"):
        return record, noted(record, incoming.id, f"{incoming.id} was reported {known.outcome} before")
    if known and incoming.outcome is Outcome.DONE:
        return record, noted(
            record, incoming.id, f"{incoming.id} was reported failed before, nothing of it is unfinished"
        )
    open_one = f"the open one is {record.event.id}" if record.event else "none is open"
    raise ReportError(
        f"event {incoming.id} is not one of {record.group} {record.zone} that could be "
        f"{incoming.outcome.value}: {open_one}"
    )
