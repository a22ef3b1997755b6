# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Manual scaling: an event in the same record, within the same limits, one at a time.

A manual request skips a cooldown and a back-off: both keep thresholds from acting on figures that are still moving.
It does not skip an open event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..spec.errors import RequestError
from ..spec.policy import Policy
from ..spec.times import as_instant, to_clock
from .clock import refuse_past
from .decision import Decision, noted
from .engine import CLAIM_SECONDS, Engine
from .group_state import Action, Event, Phase, Record
from .reasons import nodes
from .samples import node_count

_ACTIONS = {each.value: each for each in (Action.SCALE_OUT, Action.SCALE_IN)}


@dataclass(frozen=True, slots=True)
class Request:
    """A manual request. ``id``: its name, or the id of its event; the same name is the same event.

    Without a name, a request for the same as the owner's open event is that event.
    """

    action: Action
    count: int
    id: str = ""

    @classmethod
    def from_dict(cls, raw: Mapping[str, object]) -> Request:
        """Return the request in a dictionary with action, count, id; raises :class:`RequestError` otherwise."""
        if unknown := sorted(str(key) for key in raw.keys() - {"action", "count", "id"}):
            raise RequestError(f"request.{', '.join(unknown)}: no such key; known are action, count, id")
        action = _ACTIONS.get(str(raw.get("action")))
        if action is None:
            raise RequestError(f"request.action must be scale_out or scale_in, not {raw.get('action')!r}")
        return cls(action, _count(raw.get("count", 1)), str(raw.get("id") or ""))


def _count(given: object) -> int:
    text = str(given).strip()
    if isinstance(given, bool) or not text.isdecimal() or int(text) < 1:
        raise RequestError(f"request.count must be a whole number of at least 1, not {given!r}")
    return int(text)


def known(record: Record, request: Request, owner: str) -> bool:
    """Return whether this request led to an open or closed event: then the zone need not be looked up."""
    return _is_open(record, request, owner) or _closed(record, request) is not None


def ask(
    policy: Policy,
    record: Record,
    request: Request,
    count: object,
    now: object,
    *,
    owner: str = "",
    claim_seconds: float = CLAIM_SECONDS,
) -> tuple[Record, Decision]:
    """Open the requested event in a zone of ``count`` nodes in service, or resume it, or say how it ended.

    Raises :class:`AutoscaleError`, and then nothing has changed: another event is open, or a limit would be exceeded.
    """
    instant, present = as_instant(now), node_count(count)
    if (closing := _closed(record, request)) is not None:
        return record, noted(record, closing[0], closing[1])
    refuse_past(policy, record, instant)
    engine = Engine(policy, record)
    if record.event is None:
        _refuse_limits(policy, record, request, present)
        reason = _reason(policy, request, present)
        action = engine.by_hand(
            request.action, request.count, reason, instant, present, owner, claim_seconds, request.id
        )
    elif _is_open(record, request, owner):
        action = engine.tick(instant, None, policy.min_nodes, owner, claim_seconds)
    else:
        raise RequestError(_busy(record, record.event, request))
    return engine.freeze(), engine.decide(action)


def _is_open(record: Record, request: Request, owner: str) -> bool:
    event = record.event
    if event is None or event.is_scale_in != (request.action is Action.SCALE_IN):
        return False
    if request.id:
        return request.id in (event.request, event.id)
    return bool(event.request) and (event.owner, event.count) == (owner, request.count)


def _closed(record: Record, request: Request) -> tuple[str, str] | None:
    """Return the closed event that a request of this name led to, and how it ended."""
    for closed in reversed(record.history if request.id else ()):
        if request.id in (closed.request, closed.event_id):
            why = f" ({closed.message})" if closed.message else ""
            return closed.event_id, f"{request.id} was asked for before: {closed.event_id}, {closed.outcome}{why}"
    return None


def _busy(record: Record, event: Event, request: Request) -> str:
    until = "" if record.phase.until is None else f" until {to_clock(record.phase.until)}"
    how = f"{record.phase.name.value}{until}" if record.phase.name is not Phase.WATCHING else "open"
    return (
        f"no {request.action.value} by hand now: {event.stage.value} {event.id} of {to_clock(event.decided_at)} "
        f"({nodes(event.count)}, {event.owner or 'no owner named'}) is {how}; one event at a time, "
        "ask again when it is over"
    )


def _refuse_limits(policy: Policy, record: Record, request: Request, present: int) -> None:
    if request.action is Action.SCALE_OUT:
        after, limit, beyond = present + request.count, f"max_nodes is {policy.max_nodes}", policy.max_nodes
        wrong, room = after > beyond, max(0, beyond - present)
    else:
        after, limit, beyond = present - request.count, f"min_nodes is {policy.min_nodes}", policy.min_nodes
        wrong, room = after < beyond, max(0, present - beyond)
    if wrong:
        raise RequestError(
            f"no {request.action.value} of {nodes(request.count)} by hand: {record.zone} has {nodes(present)} in "
            f"service and {limit}, so at most {room} can be asked for"
        )


def _reason(policy: Policy, request: Request, present: int) -> str:
    if request.action is Action.SCALE_OUT:
        return f"asked for by hand; {present} → {present + request.count} nodes, max {policy.max_nodes}"
    return f"asked for by hand; {present} → {present - request.count} nodes, min {policy.min_nodes}"
