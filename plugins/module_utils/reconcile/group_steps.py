# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each step of a scale-out works on: from the state of a group and its nodes to the options of the modules. Pure.

``state`` is a result of module vpx_group_info, ``instances`` are entries as vpx_instance returns them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..core.fingerprints import PIN
from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..spec.group_nodes import IN_SERVICE, LEAVING, Node, address, in_order, nsip, with_nitro_port, zone_of
from ..topologies.registry import REGISTRY as TOPOLOGIES
from .appliance_drift import appliance_repairs
from .backend_report import backend_report
from .pins import clips_of, pins_of_results

Entry = dict[str, Any]


def zone_steps(
    state: Mapping[str, Any],
    instances: Sequence[Node],
    zone: str,
    *,
    applications: Sequence[Mapping[str, Any]] = (),
    only_new: bool = False,
    configured: Mapping[str, Any] | None = None,
    bootstrapped: Mapping[str, Any] | None = None,
    done: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the work of each step in one zone; an empty list is a step that has nothing to do.

    In check mode nodes that are not in service yet have not been configured, so they are not looked at.

    Args:
        state: what vpx_group_info returned, with its definition.
        instances: all live instances of the zone.
        zone: name of the zone.
        applications: the variable with the applications, for the secrets that the definition does not hold.
        only_new: leave nodes in service as they are when there are new ones, so that a node that does not answer
            keeps no other from joining.
        configured: result of vpx_application, for the report.
        bootstrapped: result of vpx_bootstrap, for the certificates that it has pinned.
        done: results of the steps by what they configure, for what they repaired on nodes in service.
    """
    there = [one for one in instances if one["state"] != "planned" and zone_of(one) == zone]
    nodes = in_order([one for one in there if one["lifecycle"] not in LEAVING])
    new = [one for one in nodes if one["lifecycle"] != IN_SERVICE]
    touched = new if only_new and new else nodes
    definition = state["definition"]
    place = next(one for one in state["zones"] if one["name"] == zone)
    topology = TOPOLOGIES[definition["topology"]]
    served = ready(touched, state["check_mode"])
    steps = application_steps(state, served, there, [place], applications)
    return {
        "nodes": [one["instance_id"] for one in nodes],
        "bootstrap": topology.bootstrap(definition, zone, new, touched),
        "fingerprints": pins(definition, [*state["instances"], *there], state["zones"], bootstrapped),
        "passwords": passwords(definition, place, [] if only_new and new else there),
        "network": topology.network(definition, place, nodes, touched),
        "console": [nsip(one) for one in nodes],
        "mark": [one["instance_id"] for one in new],
        "report": report(zone, [one for one in instances if zone_of(one) == zone], new)
        + backend_report(configured, f"{zone:<14} ")
        + _repairs(zone, [nsip(one) for one in nodes if one not in new], done or {}, check_mode=state["check_mode"]),
        **steps,
        "applications": [{**each, "enabled": True} for each in steps["applications"]],
        **topology.admit(definition, place, nodes, new, there),
    }


def pins(
    definition: Mapping[str, Any],
    instances: Sequence[Node],
    zones: Sequence[Mapping[str, Any]],
    bootstrapped: Mapping[str, Any] | None,
) -> dict[str, list[str]]:
    """Return option ``fingerprints`` of the NITRO modules; empty unless certificates are pinned."""
    known = {one["instance_id"]: one for one in instances}
    pinning = definition.get("management_tls") == PIN
    return pins_of_results(list(known.values()), bootstrapped, clips_of(zones)) if pinning else {}


def passwords(definition: Mapping[str, Any], place: Mapping[str, Any], there: Sequence[Node]) -> Entry:
    """Return options of vpx_password for the nodes of a zone that have served: they have a password of the group."""
    topology = TOPOLOGIES[definition["topology"]]
    entries = [
        {"nsip": with_nitro_port(definition, nsip(one))}
        for one in in_order(there)
        if one["lifecycle"] in (IN_SERVICE, "draining") and nsip(one)
    ]
    clip = topology.endpoint(place)
    return {"topology": topology.name, "clip": with_nitro_port(definition, clip) if clip else "", "nodes": entries}


def _repairs(zone: str, nsips: Sequence[str], done: Mapping[str, Any], *, check_mode: bool) -> list[str]:
    return [f"{zone:<14} {line}" for line in appliance_repairs(done, nsips, check_mode=check_mode)]


def ready(nodes: Sequence[Node], check_mode: bool) -> list[Node]:
    """Return the nodes that can be configured: they have addresses, and in check mode they are in service."""
    return [
        one
        for one in nodes
        if address(one, "client") and nsip(one) and not (check_mode and one["lifecycle"] != IN_SERVICE)
    ]


def application_steps(
    state: Mapping[str, Any],
    served: Sequence[Node],
    there: Sequence[Node],
    zones: Sequence[Mapping[str, Any]],
    applications: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the work for all applications: IPSets, virtual servers, targets and record sets.

    Args:
        state: what vpx_group_info returned.
        served: the nodes that get the applications.
        there: all live instances; a cluster's IPSets also hold the addresses of nodes that drain.
        zones: the entries of ``state.zones`` that the nodes belong to.
        applications: the variable with the applications, with their secrets.
    """
    definition = state["definition"]
    places = TOPOLOGIES[definition["topology"]].endpoints(definition, served, there, zones)
    secrets = {str(each.get("name")): each for each in applications}
    listed = [(place, each) for each in definition["applications"] for place in places]
    clients = [one for one in served if one["lifecycle"] not in LEAVING]
    return {
        "ipsets": [
            {"nsip": place["nsip"], "name": each["name"], "addresses": place["addresses"]} for place, each in listed
        ],
        "applications": [
            {
                "nsip": place["nsip"],
                "virtual_ip": place["virtual_ip"],
                **virtual_server(each, state, secrets.get(each["name"], {})),
                **certificate_nodes(secrets.get(each["name"], {}), place["nodes"]),
                **({"observers": list(place["nodes"])} if place["nodes"] else {}),
            }
            for place, each in listed
        ],
        **DISTRIBUTORS[definition["distributor"]].register(state, clients),
    }


def _networks(state: Mapping[str, Any], there: Sequence[Node], served: Sequence[Node]) -> list[Entry]:
    """Return option ``nodes`` of vpx_network for the nodes of all zones that get applications."""
    definition = state["definition"]
    topology = TOPOLOGIES[definition["topology"]]
    staying = in_order([one for one in there if one["state"] != "planned" and one["lifecycle"] not in LEAVING])
    return [
        entry
        for place in state["zones"]
        if (touched := [one for one in served if zone_of(one) == place["name"]])
        for entry in topology.network(
            definition, place, [one for one in staying if zone_of(one) == place["name"]], touched
        )
    ]


_OPTIONAL = ("backend_protocol", "lb_method", "persistence")
_SECRET = ("monitor", "certificate")


def virtual_server(application: Mapping[str, Any], state: Mapping[str, Any], secret: Mapping[str, Any]) -> Entry:
    """Return the options of vpx_application for one application. Back ends that are not known stay as they are."""
    options: Entry = {
        "name": application["name"],
        "protocol": application["protocol"],
        "port": application["port"],
        "ipset": application["name"],
        **{key: application[key] for key in _OPTIONAL if application.get(key)},
        **{key: secret[key] for key in _SECRET if secret.get(key)},
    }
    options |= TOPOLOGIES[state["definition"]["topology"]].application_options(state["definition"])
    followed = application["backend_autoscaling_group"]
    if not followed:
        options["backends"] = application["backends"]
    elif application["name"] in state["backends"]:
        options["backends"] = state["backends"][application["name"]]
    return options


def certificate_nodes(application: Mapping[str, Any], nodes: Sequence[str]) -> Entry:
    """Return the option of vpx_application that has a certificate read on ``nodes``, for one that is installed."""
    certificate = application.get("certificate") or {}
    return {"certificate_nodes": list(nodes)} if nodes and certificate.get("content") else {}


def report(zone: str, instances: Sequence[Node], marked: Sequence[Node] = ()) -> list[str]:
    """Return one line for each instance of a zone; those in ``marked`` have come into service."""
    come = {one["instance_id"] for one in marked}
    lines = [
        f"{zone:<14} {one['instance_id']:<20} {nsip(one):<15} {_client(one):<15} "
        f"{IN_SERVICE if one['instance_id'] in come else one['lifecycle'] or one['state']}"
        for one in in_order(instances)
    ]
    return lines or [f"{zone:<14} no node"]


def _client(node: Node) -> str:
    return str(node["interfaces"].get("client", {}).get("public_ip") or address(node, "client"))


def deployment_steps(
    state: Mapping[str, Any],
    applications: Sequence[Mapping[str, Any]] = (),
    *,
    draining: bool = False,
    listeners: Sequence[Mapping[str, Any]] = (),
    only: Collection[str] = (),
) -> dict[str, Any]:
    """Return the work for the applications of the definition on all nodes in service of the zones in ``state``.

    ``network`` has the routes to the back ends of these applications only, so vpx_network must keep other routes.

    Args:
        state: what vpx_group_info returned.
        applications: the variable with the applications, for their secrets.
        draining: configure nodes that drain as well; they never get new clients.
        listeners: what nlb_adc_listener returned, with target groups that are newer than ``state``.
        only: instance ids of the nodes to configure and register; empty for all.
    """
    known_groups = {one["application"] for one in state["target_groups"]}
    newer = [{**one, "targets": []} for one in listeners if one["application"] not in known_groups]
    state = {**state, "target_groups": [*state["target_groups"], *newer]}
    desired = (IN_SERVICE, "draining") if draining else (IN_SERVICE,)
    there = [one for one in state["instances"] if not only or one["instance_id"] in only]
    served = in_order(
        ready([one for one in there if one["lifecycle"] in desired], state["check_mode"] and not draining)
    )
    steps = application_steps(state, served, there, state["zones"], applications)
    if not draining:  # a tick leaves a virtual server alone that an operator has disabled
        steps["applications"] = [{**each, "enabled": True} for each in steps["applications"]]
    followed = {each["name"] for each in state["definition"]["applications"] if each["backend_autoscaling_group"]}
    known = [each for each in steps["applications"] if each["name"] in followed and "backends" in each]
    removed = list(dict.fromkeys(each["nsip"] for each in steps["ipsets"]))
    names = [each["name"] for each in state["definition"]["applications"]]
    return {
        **steps,
        "network": _networks(state, there, served),
        "followed": known,
        "removed": [{"nsip": nsip, "name": name} for name in names for nsip in removed],
    }
