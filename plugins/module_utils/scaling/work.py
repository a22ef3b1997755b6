# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a tick leaves to be done in a zone, and the lines that tell it. Pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .group_state import Phase
from .silence import Withdrawal, due


class Work(enum.Enum):
    """One kind of work in a zone. ``act``: carry the decision out; ``missing``: clean up after nodes that are gone;
    ``failed_events``: clean up after events that failed; ``backends``: follow Auto Scaling groups of back ends;
    ``withdraw``, ``restore``: DNS records of nodes that are silent, and of those that answer again."""

    ACT = "act"
    MISSING = "missing"
    FAILED_EVENTS = "failed_events"
    BACKENDS = "backends"
    WITHDRAW = "withdraw"
    RESTORE = "restore"


_PORT = re.compile(r":\d+$")

#: While nodes join or leave, the run that carries the event out configures them, back ends included.
_CONFIGURED_BY_THE_EVENT = ("scaling_out", "deprovisioning")


def work_of(zone: Mapping[str, Any]) -> tuple[Work, ...]:
    """Return what is to be done in a zone after this result of a tick, in the order in which it is done.

    Args:
        zone: A result of module ``autoscale_tick`` for one zone.
    """
    if not zone["leased"]:
        return ()
    if zone["decision"]["action"] != "none":
        return (Work.ACT,)
    found = []
    if zone["missing"] and zone["event"] is None:
        found.append(Work.MISSING)
    if zone["remains"]:
        found.append(Work.FAILED_EVENTS)
    if may_follow(zone) and (zone.get("backends_differ") or zone.get("backends_error")):
        found.append(Work.BACKENDS)
    return (*found, *_of_records(zone))


def _of_records(zone: Mapping[str, Any]) -> list[Work]:
    records = due(
        Withdrawal(tuple(zone.get("silent") or ()), tuple(zone.get("recovered") or ())),
        busy=zone["event"] is not None,
        watching=zone["phase"] == Phase.WATCHING.value,
        evaluated=zone["decision"]["evaluated"],
        asked=bool(zone["nodes"]),
    )
    withdraw = [Work.WITHDRAW] if records.silent else []
    return [*withdraw, *([Work.RESTORE] if records.recovered else [])]


def may_follow(zone: Mapping[str, Any]) -> bool:
    """Return whether this tick may change back ends: nothing is decided, and no event configures the nodes."""
    idle = zone["leased"] and zone["decision"]["action"] == "none"
    return idle and zone["phase"] not in _CONFIGURED_BY_THE_EVENT


def completed_by_event(zone: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what the decided event settles when it is done: a scale-out replaces nodes that are gone, and brings what
    failed scale-outs left into service.

    ``missing``: instance ids; ``failed_events``: their ids.
    """
    if zone["decision"]["action"] != "scale_out":
        return {"missing": [], "failed_events": []}
    return {
        "missing": [node["instance_id"] for node in zone["missing"]],
        "failed_events": [left["event_id"] for left in zone["unfinished"] if left["stage"] == "scale_out"],
    }


def lost_addresses(zone: Mapping[str, Any]) -> list[str]:
    """Return the management addresses of nodes that are gone, without the port."""
    hosts = (node["nsip"] for node in zone["missing"])
    return list(dict.fromkeys(_PORT.sub("", host) for host in hosts))


@dataclass(frozen=True, slots=True)
class Telling:
    """How a tick is run, for its summary. ``acts``: the caller carries out what is decided; ``reports``: id of the
    event whose report was part of the call, empty for none."""

    group: str
    acts: bool = False
    check_mode: bool = False
    reports: str = ""


def summary(zone: Mapping[str, Any], telling: Telling) -> list[str]:
    """Return the lines that tell an operator what a tick of one zone decided and what follows from it."""
    decision, name = zone["decision"], f"{telling.group}, {zone['zone']}"
    until = f" until {zone['phase_until']}" if zone["phase_until"] else ""
    count = f" {decision['count']}" if decision["count"] else ""
    lines = [f"{name}: {decision['action']}{count}; {decision['reason']}; phase {zone['phase']}{until}."]
    lines.extend(_next_step(zone, telling))
    if telling.reports and not zone.get("reported", True):
        lines.append(f"Event {telling.reports} is NOT reported: report it again.")
    lines.extend(_silent_nodes(zone["nodes"]))
    lines.extend(_record_changes(zone))
    if telling.check_mode:
        lines.append("Check mode: nothing was recorded.")
    return lines


def _silent_nodes(nodes: Iterable[Mapping[str, Any]]) -> list[str]:
    return [f"{node['nsip']}: {node['error']}" for node in nodes if node["error"]]


def _record_changes(zone: Mapping[str, Any]) -> list[str]:
    """Return which nodes DNS leads no clients to, and which it does again."""
    withdrawn, back = ", ".join(zone.get("silent") or ()), ", ".join(zone.get("recovered") or ())
    lines = [f"DNS records are withdrawn while they do not answer and others do: {withdrawn}."] if withdrawn else []
    return [*lines, *([f"DNS records are written again: {back}."] if back else [])]


def _next_step(zone: Mapping[str, Any], telling: Telling) -> Sequence[str]:
    """Return who carries the decision out, and when."""
    decision = zone["decision"]
    event = f"Event {decision['event_id']}"
    if decision["action"] == "none":
        return ()
    if not telling.acts:
        resumed = " is to be resumed" if decision["resumed"] else ""
        return (f"{event}{resumed}: carry it out, then report it with autoscale_event.",)
    if telling.check_mode:
        return (f"{event} would be carried out.",)
    if decision["action"] == "scale_in":
        return (
            f"{event}: its nodes leave the distributor now and drain until {zone['phase_until']}. The next tick after "
            "that (playbook cloudadc.aws.autoscale) removes them; so does cloudadc.aws.scale_in with "
            f"scale_in_event_id={decision['event_id']}",
        )
    return (f"{event} is carried out now.",)
