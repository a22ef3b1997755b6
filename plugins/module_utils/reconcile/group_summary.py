# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is true of an autoscale group after a run, as lines for a reader. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..spec.group_nodes import IN_SERVICE, zone_of
from .backend_report import backend_report
from .drift_words import REPLACE, drift_lines
from .group_steps import report

_CHECK_MODE = " (check mode has changed nothing)"
_NEXT = (
    "run cloudadc.aws.autoscale every minute (cron, AWX or its rulebook): without ticks nothing scales. scale_out and "
    "scale_in do it by hand; autoscale_group with -e autoscale_group_state=absent removes the group."
)


def group_summary(
    state: Mapping[str, Any],
    reports: Sequence[Sequence[str]] | None = None,
    drift: Sequence[Mapping[str, Any]] | None = None,
) -> list[str]:
    """Return the group, its nodes by zone, and where clients reach its applications.

    Args:
        state: what vpx_group_info returned.
        reports: the lines that each zone reported when it was done; a zone without any has failed. None: all zones are
            shown as ``state`` has them.
        drift: what vpx_group_info found before the run; None: what ``state`` has.
    """
    definition = state["definition"]
    title = (
        f"Group {definition['name']}: {definition['topology']} nodes in {len(definition['zones'])} zones, "
        f"distributed by {definition['distributor']}{_CHECK_MODE if state['check_mode'] else ''}"
    )
    header = f"{'zone':<14} {'instance':<20} {'NSIP':<15} {'client address':<15} lifecycle"
    lines = [title, header]
    for zone in definition["zones"]:
        lines += _zone(zone["name"], state, reports)
    lines += _clients(state)
    if not state["check_mode"]:
        lines += drift_lines(_remaining(state, drift), check_mode=False)
    if state["check_mode"]:
        costs = _predicted(state) or ["would launch no instance and allocate no address"]
        return lines + costs + drift_lines(state.get("drift") or (), check_mode=True)
    return [*lines, f"Billed by AWS: {_billed(state)}", f"Next: {_NEXT}"]


def _remaining(state: Mapping[str, Any], drift: Sequence[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    """Return what was found before the run: what is still there keeps its remedy, whatever could have repaired it."""
    now = [*(state.get("drift") or ())]
    left = [(found["object"], found["setting"]) for found in now]
    repaired = [found for found in drift or () if (found["object"], found["setting"]) not in left]
    return [*repaired, *({**found, "repair": REPLACE} for found in now)]


def _predicted(state: Mapping[str, Any]) -> list[str]:
    """Return what a run would create that costs money, and what it is for."""
    definition = state["definition"]
    least: int = definition["policy"].get("min_nodes") or 0
    missing = {zone["name"]: least - len(_nodes_of(zone["name"], state)) for zone in definition["zones"]}
    missing = {zone: count for zone, count in missing.items() if count > 0}
    total = sum(missing.values())
    lines = []
    if total:
        where = ", ".join(f"{count} in {zone}" for zone, count in missing.items())
        machines = f"{total} x {definition['instance_type']} ({where})"
        lines.append(f"would launch {machines}, billed by the hour with their volumes")
    lines += DISTRIBUTORS[definition["distributor"]].predicted_costs(state, total)
    if total:
        names = ", ".join(f"{each['name']} ({each['protocol']})" for each in definition["applications"])
        lines.append(f"would then bootstrap and configure the nodes{f' for {names}' if names else ''}")
    return lines


def _billed(state: Mapping[str, Any]) -> str:
    """Return what costs money for as long as it exists. Prices are AWS's and depend on the region and the image."""
    definition = state["definition"]
    nodes = len(state["instances"])
    spread = DISTRIBUTORS[definition["distributor"]].billed(definition, nodes)
    machines = f"{nodes} x {definition['instance_type']} with one volume each"
    return f"{machines}, {spread}, traffic, and the image's own price, if it has one."


def _nodes_of(zone: str, state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in state["instances"] if zone_of(one) == zone]


def _zone(name: str, state: Mapping[str, Any], reports: Sequence[Sequence[str]] | None) -> list[str]:
    mine = _nodes_of(name, state)
    if reports is None:
        return report(name, mine)
    reported = [line for lines in reports for line in lines if line.split() and line.split()[0] == name]
    return reported or [f"{name:<14} failed"]


def _clients(state: Mapping[str, Any]) -> list[str]:
    definition, lines = state["definition"], []
    for each in definition["applications"]:
        where = DISTRIBUTORS[definition["distributor"]].addresses(each, state)
        lines += [f"{each['name']}: {each['protocol']} at {one}" for one in where]
    return lines


def application_summary(state: Mapping[str, Any], served: Mapping[str, Any] | None = None) -> list[str]:
    """Return one line for each application: on how many nodes it is, and where clients reach it.

    Args:
        state: what vpx_group_info returned.
        served: result of vpx_application, for the state of the back ends on each node.
    """
    definition = state["definition"]
    nodes = [one for one in state["instances"] if one["lifecycle"] == IN_SERVICE]
    zones = {one["availability_zone"] for one in nodes}
    lines = ["Check mode has changed nothing."] if state["check_mode"] else []
    for each in definition["applications"]:
        where = each["domain"] or (state["balancer"] or {}).get("dns_name") or ""
        lines.append(
            f"{definition['name']} serves {each['name']} ({each['protocol']}, port {each['port']}) on {len(nodes)} "
            f"nodes in {len(zones)} zones, at {where}"
        )
    return lines + backend_report(served)
