# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A zone's panel from its record: what is open, the history, and the samples that the record or others kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..scaling.group_state import Action, Closed, Event, Phase, Record
from ..spec.policy import Policy
from ..spec.times import to_iso
from .model import (
    Mark,
    Page,
    Panel,
    Point,
    Span,
    Trails,
    clipped,
    draining,
    series_of,
)

#: Instants, and how many nodes were in service then.
Counts = tuple[tuple[float, int], ...]

#: How every reason names the nodes before and after scaling; a closed event has them nowhere else.
_NODES = re.compile(r"\b(\d+) → (\d+) nodes\b")


def panel_of(
    record: Record,
    policy: Policy | None = None,
    trails: Trails | None = None,
    *,
    hours: float = 24.0,
    node_count: int | None = None,
    counted: Counts = (),
) -> Panel:
    """Return the panel of one zone.

    ``policy`` gives the limits, and the lengths of past phases where the record (of release 0.1.0) does not hold them.
    ``trails``: samples kept elsewhere; the record's own window is added. ``hours``: how far to look back from the
    latest instant (all events are listed nevertheless). ``node_count``: how many nodes there are now; without it the
    events tell, where there are any. ``counted``: (instant, number of nodes) of samples.
    """
    marks = _marks(record)
    known = _joined(_window(record), trails or {})
    instants = [*(mark.at for mark in marks), *(at for points in known.values() for at, _figure in points)]
    latest = max([*instants, record.updated or 0.0])
    end = max(latest, record.phase.until or 0.0)
    start = max(min([*instants, record.phase.since or latest, latest - 600.0]), latest - hours * 3600)
    return Panel(
        name=record.zone,
        facts=_facts(record),
        start=start,
        end=end,
        series=series_of(policy, known, start, end),
        nodes=_nodes(marks, start, latest, node_count, counted),
        spans=clipped(_spans(record, policy, latest), start, end),
        marks=marks,
    )


def _window(record: Record) -> dict[str, list[Point]]:
    found: dict[str, list[Point]] = {}
    for sample in record.window:
        for name, figure in sample.values:
            found.setdefault(name, []).append((sample.at, figure))
    return found


def _joined(window: Mapping[str, list[Point]], trails: Trails) -> dict[str, list[Point]]:
    """Both, without what is in both."""
    names = dict.fromkeys([*trails, *window])
    return {name: sorted(dict([*trails.get(name, ()), *window.get(name, ())]).items()) for name in names}


# -- events -----------------------------------------------------------------------------------------------------------


def _marks(record: Record) -> tuple[Mark, ...]:
    marks = [_closed(number, closed) for number, closed in enumerate(record.history, start=1)]
    if record.event:
        marks.append(_open(len(marks) + 1, record.event))
    return tuple(marks)


def _closed(number: int, closed: Closed) -> Mark:
    return Mark(
        number=number,
        at=closed.decided_at,
        action=closed.action.value,
        count=closed.count,
        outcome=closed.outcome,
        reason=closed.reason,
        message=closed.message,
        ended=closed.closed_at,
        nodes=_nodes_named(closed.reason),
    )


def _nodes_named(reason: str) -> tuple[int, int] | None:
    found = _NODES.search(reason)
    return (int(found[1]), int(found[2])) if found else None


def _open(number: int, event: Event) -> Mark:
    after = event.nodes_before + (-event.count if event.is_scale_in else event.count)
    action = Action.SCALE_IN if event.is_scale_in else Action.SCALE_OUT
    return Mark(
        number, event.decided_at, action.value, event.count, "open", event.reason, nodes=(event.nodes_before, after)
    )


def _nodes(
    marks: tuple[Mark, ...], start: float, latest: float, now: int | None, counted: Counts
) -> tuple[tuple[float, int], ...]:
    """Return the steps of the node count. It changes when an event is reported done; a failed event changes nothing."""
    steps: list[tuple[float, int]] = []
    for mark in marks:
        if mark.nodes is None:
            continue
        steps.append((mark.at, mark.nodes[0]))
        if mark.ended is not None and mark.outcome == "done":
            steps.append((mark.ended, mark.nodes[1]))
    if now is not None:
        steps.append((latest, now))
    steps = sorted([*steps, *_changes(counted)])
    if not steps:
        return ()
    before = [count for at, count in steps if at <= start]
    shown = [(at, count) for at, count in steps if at > start]
    first = before[-1] if before else shown[0][1]
    return ((start, first), *shown)


def _changes(counted: Counts) -> Counts:
    """Return the samples at which the number of nodes is not that of the sample before."""
    return tuple(now for before, now in pairwise([(0.0, -1), *counted]) if now[1] != before[1])


# -- phases -----------------------------------------------------------------------------------------------------------


def _spans(record: Record, policy: Policy | None, latest: float) -> list[Span]:
    spans: list[Span] = []
    failures = 0
    for closed in record.history:
        failures = failures + 1 if closed.outcome == "failed" else 0
        spans += _past(closed, policy, failures, latest)
    phase, event = record.phase, record.event
    if event and event.stage is Action.SCALE_OUT:
        spans.append(Span(Phase.SCALING_OUT, event.decided_at, latest))
    elif event:
        spans += _scaling_in(event, latest)
    elif phase.name is Phase.COOLDOWN and phase.until is not None:
        # As it is in the record, instead of as the last event would have it.
        begun = max([phase.since or 0.0, *(closed.closed_at for closed in record.history[-1:])])
        spans = [span for span in spans if span.start < begun]
        spans.append(Span(Phase.COOLDOWN, begun, phase.until))
    return spans


def _past(closed: Closed, policy: Policy | None, failures: int, latest: float) -> list[Span]:
    ended, scaled_out = closed.closed_at, closed.action is Action.SCALE_OUT
    terms = closed.terms or policy  # of the policy under which it ran; release 0.1.0 did not keep them
    spans = [Span(Phase.SCALING_OUT, closed.decided_at, ended)]
    if not scaled_out:
        spans = draining(terms, closed.decided_at, ended)
    if terms is None:
        return spans
    if failures:
        spans.append(Span(Phase.COOLDOWN, ended, min(ended + terms.backoff(failures), latest)))
    elif scaled_out:
        spans.append(Span(Phase.COOLDOWN, ended, min(closed.decided_at + terms.cooldown * 60, latest)))
    return spans


def _scaling_in(event: Event, latest: float) -> list[Span]:
    drained = event.drain_until or latest
    spans = [Span(Phase.DRAINING, event.decided_at, drained)]
    over = drained
    if event.ttl_until is not None:
        spans.append(Span(Phase.TTL, drained, event.ttl_until))
        over = event.ttl_until
    if event.stage is Action.DEPROVISION:
        spans.append(Span(Phase.DEPROVISIONING, over, latest))
    return spans


# -- words ------------------------------------------------------------------------------------------------------------


def _facts(record: Record) -> tuple[tuple[str, str], ...]:
    phase = record.phase
    until = f" until {to_iso(phase.until)}" if phase.until is not None else ""
    facts = [
        ("phase", phase.name.value + until),
        ("as of", to_iso(record.updated) if record.updated else "no tick yet"),
    ]
    facts.append(("samples in the window", str(len(record.window))))
    if record.failures:
        facts.append(("failed events in a row", f"{record.failures}; the last one: {record.last_failure}"))
    for left in record.unfinished:
        begun = f", begun: {', '.join(left.resources)}" if left.resources else ""
        facts.append(("unfinished", f"{left.stage.value} {left.event_id}: {left.message}{begun}"))
    return tuple(facts)


# -- the page ---------------------------------------------------------------------------------------------------------


def page_of_group(
    group: str,
    records: Sequence[Record],
    policy: Policy | None,
    trails: Mapping[str, Trails],
    *,
    hours: float,
    counts: Mapping[str, int],
    counted: Mapping[str, Counts] | None = None,
) -> Page:
    """Return the page of a group with a panel for each zone; ``trails``, ``counts`` and ``counted`` by zone."""
    panels = tuple(
        panel_of(
            record,
            policy,
            trails.get(record.zone),
            hours=hours,
            node_count=counts.get(record.zone),
            counted=(counted or {}).get(record.zone, ()),
        )
        for record in records
    )
    latest = max((record.updated or 0.0 for record in records), default=0.0)
    zones = f"{len(panels)} zone{'' if len(panels) == 1 else 's'}"
    lead = f"{zones}; as of {to_iso(latest)}, times are in UTC" if latest else f"{zones}; no tick yet"
    return Page(f"Autoscale group {group}", lead, panels)
