# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A policy's panel from what a replay returned for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..scaling.group_state import Phase
from ..scaling.json_fields import Fields
from ..scaling.reasons import figure
from ..spec.errors import RecordError
from ..spec.policy import Policy
from ..spec.times import to_iso
from .model import (
    Mark,
    Page,
    Panel,
    Span,
    Trails,
    clipped,
    draining,
    series_of,
)

_COUNTED = {
    "scale_outs": "scale-outs",
    "scale_ins": "scale-ins",
    "flapping": "flapping (a scale-in soon after a scale-out)",
    "node_minutes": "node-minutes",
    "minutes_above_max": "minutes above a maximum",
    "most_nodes": "most nodes",
    "nodes_at_end": "nodes at the end",
    "events_left_out": "earlier events left out here",
}
_ALWAYS = 5


def panels_of(replayed: object, policies: Mapping[str, Policy], trails: Trails) -> tuple[Panel, ...]:
    """One panel for each policy of a replay, in its order.

    ``replayed``: what autoscale_replay returned; :class:`~..autoscale.errors.RecordError` names what is not as it
    returns it. ``policies`` give limits and lengths of phases, ``trails`` the samples; both may be empty.
    """
    whole = Fields(replayed, "replay")
    samples = Fields(whole.take("samples"), "replay.samples")
    first, last = samples.instant("first"), samples.instant("last")
    results = whole.take("results")
    if not isinstance(results, list):
        raise RecordError(f"replay.results must be a list, not {type(results).__name__}")
    return tuple(
        _panel(Fields(result, f"replay.results[{at}]"), first, last, policies, trails)
        for at, result in enumerate(results)
    )


def _panel(fields: Fields, first: float, last: float, policies: Mapping[str, Policy], trails: Trails) -> Panel:
    name = fields.text("name")
    policy = policies.get(name)
    given = fields.take("events")
    if not isinstance(given, list):
        raise RecordError(f"{fields.where}.events must be a list, not {type(given).__name__}")
    marks, steps = _events([_event(Fields(each, f"{fields.where}.events[{at}]")) for at, each in enumerate(given)])
    longest = 0.0 if policy is None else policy.interval
    end = last + longest
    before = marks[0].nodes[0] if marks and marks[0].nodes else fields.whole("nodes_at_end")
    return Panel(
        name=name,
        facts=_facts(fields),
        start=first,
        end=end,
        series=series_of(policy, trails, first, end),
        # Where earlier events were left out, nothing is known of the nodes before the first that is listed.
        nodes=((marks[0].at if marks and fields.whole("events_left_out") else first, before), *steps),
        spans=clipped(_spans(marks, policy, end), first, end),
        marks=marks,
    )


def _facts(fields: Fields) -> tuple[tuple[str, str], ...]:
    facts = [(text, fields.number(key)) for key, text in _COUNTED.items()]
    shown = [(text, figure(value)) for at, (text, value) in enumerate(facts) if value or at < _ALWAYS]
    return (*shown, ("phase at the end", fields.text("phase_at_end")))


def _event(fields: Fields) -> dict[str, Any]:
    return {
        "at": fields.instant("at"),
        "id": fields.text("event_id"),
        "action": fields.text("action"),
        "count": fields.whole("count"),
        "nodes": (fields.whole("nodes_before"), fields.whole("nodes_after")),
        "flapping": fields.flag("flapping"),
        "reason": fields.text("reason"),
    }


def _events(events: list[dict[str, Any]]) -> tuple[tuple[Mark, ...], list[tuple[float, int]]]:
    """Return a mark for each decision; a deprovision ends its scale_in and has a mark only if that one is missing."""
    ends = {event["id"]: event for event in events if event["action"] == "deprovision"}
    began = {event["id"] for event in events if event["action"] == "scale_in"}
    decisions = [event for event in events if event["action"] != "deprovision" or event["id"] not in began]
    marks = []
    for number, event in enumerate(decisions, start=1):
        end = event if event["action"] == "scale_out" else ends.get(event["id"])
        marks.append(
            Mark(
                number=number,
                at=event["at"],
                action=event["action"],
                count=event["count"],
                outcome="done" if end else "open",
                reason=event["reason"],
                message="flapping: within two cooldowns of a scale-out" if event["flapping"] else "",
                ended=end["at"] if end else None,
                nodes=(event["nodes"][0], end["nodes"][1] if end else event["nodes"][1]),
            )
        )
    return tuple(marks), [(event["at"], event["nodes"][1]) for event in events]


def _spans(marks: tuple[Mark, ...], policy: Policy | None, end: float) -> list[Span]:
    spans: list[Span] = []
    for mark in marks:
        if not mark.scales_out:
            spans += draining(policy, mark.at, end if mark.ended is None else mark.ended)
        elif policy:
            spans.append(Span(Phase.COOLDOWN, mark.at, mark.at + policy.cooldown * 60))
    return spans


def page_of_replay(replayed: object, policies: Mapping[str, Policy], trails: Trails) -> Page:
    """Return the page of a replay; see :func:`panels_of`."""
    panels = panels_of(replayed, policies, trails)
    samples = Fields(Fields(replayed, "replay").take("samples"), "replay.samples")
    first, last = to_iso(samples.instant("first")), to_iso(samples.instant("last"))
    lead = f"{samples.whole('count')} recorded samples from {first} to {last}, times are in UTC"
    return Page("Autoscale replay", lead, panels)
