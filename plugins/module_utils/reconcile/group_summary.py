# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is true of an autoscale group after a run, as lines for a reader. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..spec.group_nodes import IN_SERVICE, zone_of
from .backend_report import backend_report
from .group_steps import report

_CHECK_MODE = " (check mode has changed nothing)"


def group_summary(state: Mapping[str, Any], reports: Sequence[Sequence[str]] | None = None) -> list[str]:
    """Return the group, its nodes by zone, and where clients reach its applications.

    Args:
        state: what vpx_group_info returned.
        reports: the lines that each zone reported when it was done; a zone without any has failed. None: all zones are
            shown as ``state`` has them.
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
    return lines + _clients(state)


def _zone(name: str, state: Mapping[str, Any], reports: Sequence[Sequence[str]] | None) -> list[str]:
    mine = [one for one in state["instances"] if zone_of(one) == name]
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
