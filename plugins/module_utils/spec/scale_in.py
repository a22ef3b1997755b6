# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a scale-in works on: from the variables of roles scale_in and autoscale_group to the options of its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..topologies.registry import REGISTRY as TOPOLOGIES
from .group import read_group

VARIABLES = frozenset(
    f"scale_in_{name}" for name in ("zone", "count", "event_id", "step", "wait_timeout", "definition")
)
#: The port at which NITRO answers unless it is configured otherwise.
_USUAL_PORT = {"http": 80, "https": 443}


def read_scale_in(variables: Mapping[str, Any], group_variables: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """Return what the steps of a scale-in of this zone need, and one message for each problem.

    Args:
        variables: the variables of role scale_in by name.
        group_variables: those of role autoscale_group; ``scale_in_definition`` goes before them.
        zone: name of the zone.
    """
    definition = variables.get("scale_in_definition") or read_group(group_variables)[0]
    zones = {each["name"]: each for each in definition["zones"]}
    place = zones.get(zone, {})
    port = definition["nitro_port"]
    return {
        "definition": definition,
        "problems": _problems(variables, definition["name"], zone, list(zones)),
        "zone": place,
        "clip": TOPOLOGIES[definition["topology"]].endpoint(place),
        "nitro_port": 0 if port == _USUAL_PORT[definition["nitro_protocol"]] else port,
        **DISTRIBUTORS[definition["distributor"]].scale_in_options(definition),
        "min_nodes": definition["policy"].get("min_nodes", 1),
        "drain_minutes": _whole(definition["policy"].get("drain_timeout", 0)),
    }


def _problems(variables: Mapping[str, Any], group: str, zone: str, zones: Sequence[str]) -> list[str]:
    problems = []
    unknown = sorted(set(variables) - VARIABLES)
    if unknown:
        problems.append(f"The role scale_in has no variable {', '.join(unknown)}. Its README.md names those it has.")
    if not group:
        problems.append("autoscale_group_name, the group, is missing.")
    if zone not in zones:
        problems.append(f"{group} has no zone {zone}; it has {', '.join(zones) or 'none'}.")
    return problems


def _whole(value: object) -> int:
    """Return whole minutes; a drain may be given as a fraction, and a cluster takes whole ones."""
    try:
        return int(float(str(value)))
    except ValueError:
        return 0


def summary(selected: Mapping[str, Any], group: str, zone: str, step: str, *, check_mode: bool) -> list[str]:
    """Return the lines that tell an operator which nodes are removed.

    Args:
        selected: a result of module autoscale_candidates.
        group: name of the group.
        zone: name of the zone.
        step: begin, finish or cleanup.
        check_mode: whether nothing was changed.
    """
    nodes = ", ".join(selected["instance_ids"]) or "no node"
    outcome = "takes no new clients; finish when the drain is over" if step == "begin" else "is removed"
    lines = ["Check mode has changed nothing."] if check_mode else []
    lines += [selected["sentence"]] if selected["sentence"] else []
    return [*lines, f"{group}, {zone}: {nodes} {outcome}"]
