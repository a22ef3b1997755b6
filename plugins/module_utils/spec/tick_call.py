# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which zones a tick of role autoscale is about: from variables of roles to options of module autoscale_tick.

The role works with the definition of a group, or without one on a single zone whose nodes the variables name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..topologies.registry import REGISTRY as TOPOLOGIES
from .group import read_group
from .group_nodes import domains
from .reading import not_set, split_texts

#: Seconds for which an event that is only reported belongs to its owner.
_CLAIM = 300.0
#: Besides two boots (a restart for the licence): health checks of the distributor, configuration, removal.
_MARGIN = 600


def read_call(variables: Mapping[str, Any], group_variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return what role autoscale does with these variables.

    Args:
        variables: the variables of role autoscale by name.
        group_variables: those of role autoscale_group; without ``autoscale_group_name`` there is no definition.

    Returns:
        ``problems``: one message each. ``zones``: entries for option ``zones`` of the module, empty where one zone is
        named. ``followed``: the option of this name.
        ``nitro_port``: of the nodes, 0 for the protocol's own. ``lease_seconds``: for which an event belongs to its
        owner. ``definition``: of the group, or empty. ``withdraw_after``: the option of this name. ``domains``: of the
        group's applications.
    """
    plain = {name.removeprefix("autoscale_"): value for name, value in variables.items()}
    defined = bool(group_variables.get("autoscale_group_name"))
    # The password may be autoscale_password, or come from the environment; a sample needs none.
    of_group = {"autoscale_group_password": "given", **group_variables}
    definition, wrong = read_group(of_group, building=False) if defined else ({}, [])
    there = {zone["name"]: zone for zone in definition.get("zones", ())}
    chosen = split_texts(plain.get("zones") or list(there))
    problems = [*(wrong if _true(plain.get("act")) else []), *_problems(plain, chosen, list(there), defined=defined)]
    return {
        "problems": problems,
        "zones": [] if plain.get("zone") else [_entry(definition, there[name]) for name in chosen if name in there],
        "followed": _followed(definition),
        "definition": definition,
        "nitro_port": _port(definition),
        "withdraw_after": DISTRIBUTORS[definition["distributor"]].withdraw_after(definition) if definition else 0,
        "domains": domains(definition) if definition else [],
        "lease_seconds": _lease(plain, group_variables, definition),
    }


def _problems(plain: Mapping[str, Any], chosen: Sequence[str], there: Sequence[str], *, defined: bool) -> list[str]:
    group, zone = str(plain.get("group") or ""), str(plain.get("zone") or "")
    if not group:
        return [not_set("autoscale_group_name", "shop.yml")]
    if not zone and not chosen:
        return [f"{group}: autoscale_zone is missing, and autoscale_group_zones names no zone."]
    problems = []
    unknown = [name for name in ([zone] if zone else chosen) if name not in there]
    if unknown and (defined or not zone):
        named = "autoscale_zone" if zone else "autoscale_zones"
        problems.append(
            f"{group}: {named} names {', '.join(unknown)}, which autoscale_group_zones does not "
            f"({', '.join(there) or 'it is empty'})."
        )
    if not defined and plain.get("node_count") in (None, "") and not plain.get("nodes"):
        problems.append(f"{group}, {zone}: autoscale_nodes is empty and autoscale_node_count is not given.")
    return problems


def _port(definition: Mapping[str, Any]) -> int:
    """Return the port of NITRO where it is not the protocol's own, otherwise 0."""
    usual = {"http": 80, "https": 443}
    port: int = definition.get("nitro_port", 0)
    return 0 if not definition or port == usual[definition["nitro_protocol"]] else port


def _entry(definition: Mapping[str, Any], zone: Mapping[str, Any]) -> dict[str, Any]:
    clip = TOPOLOGIES[definition["topology"]].endpoint(zone)
    return {"zone": zone["name"], **({"clip": clip} if clip else {})}


def _followed(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "application": each["name"],
            "autoscaling_group": each["backend_autoscaling_group"],
            "port": each["backend_port"],
        }
        for each in definition.get("applications", ())
        if each["backend_autoscaling_group"]
    ]


def _lease(plain: Mapping[str, Any], group_variables: Mapping[str, Any], definition: Mapping[str, Any]) -> float:
    """Return the seconds in which the owner of an event may give no sign of life while it carries the event out.

    Two boots, since a licence restarts a node, and in a cluster one join after another.
    """
    given = plain.get("lease_seconds")
    if given not in (None, "", 0):
        return float(str(given))
    if not _true(plain.get("act")) or not definition:
        return _CLAIM
    policy, request = definition["policy"], plain.get("request") or {}
    numbers = (policy.get("step"), policy.get("min_nodes"), request.get("count"))
    count = max(_whole(number) for number in numbers)
    joins = TOPOLOGIES[definition["topology"]].admission_seconds(definition, count)
    return float(2 * definition["boot_timeout"] + _MARGIN + joins)


def _whole(value: object) -> int:
    text = str(value)
    return int(text) if text.isdecimal() else 1


def _true(value: object) -> bool:
    return str(value).strip().lower() in ("true", "yes", "on", "1", "y", "t")
