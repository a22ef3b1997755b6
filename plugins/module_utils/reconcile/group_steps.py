# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each step of a scale-out works on: from the state of a group and its nodes to the options of the modules. Pure.

``state`` is a result of module vpx_group_info, ``instances`` are entries as vpx_instance returns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..spec.protocols import TCP, transports
from .backend_report import backend_report

Node = Mapping[str, Any]
Entry = dict[str, Any]
LEAVING = ("draining", "terminating")
IN_SERVICE = "in_service"


def zone_steps(
    state: Mapping[str, Any],
    instances: Sequence[Node],
    zone: str,
    *,
    applications: Sequence[Mapping[str, Any]] = (),
    only_new: bool = False,
    served: Mapping[str, Any] | None = None,
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
        served: result of vpx_application, for the report.
    """
    there = [one for one in instances if one["state"] != "planned" and one["tags"].get("cloudadc:zone") == zone]
    nodes = in_order([one for one in there if one["lifecycle"] not in LEAVING])
    new = [one for one in nodes if one["lifecycle"] != IN_SERVICE]
    touched = new if only_new and new else nodes
    definition = state["definition"]
    place = next(one for one in state["zones"] if one["name"] == zone)
    clustered = definition["topology"] == "cluster"
    lines = report(zone, [one for one in instances if one["tags"].get("cloudadc:zone") == zone], new)
    steps: dict[str, Any] = {
        "nodes": [one["instance_id"] for one in nodes],
        "bootstrap": [_bootstrap(one, definition, zone) for one in (new if clustered else touched)],
        "network": _network(definition, place, nodes if clustered else touched),
        "console": [nsip(one) for one in nodes],
        "mark": [one["instance_id"] for one in new],
        "report": lines + backend_report(served, f"{zone:<14} "),
        **application_steps(state, ready(touched, state["check_mode"]), there, [place], applications),
    }
    return steps | (_cluster(definition, place, nodes, new, there) if clustered else _no_cluster())


def _no_cluster() -> dict[str, Any]:
    return {"clip": [], "form": False, "cluster": [], "members": [], "settings": []}


def in_order(nodes: Sequence[Node]) -> list[Node]:
    """Return nodes by node id; those without one come last, in the given order."""
    return sorted(nodes, key=lambda one: (one["node_id"] is None, one["node_id"] or 0))


def ready(nodes: Sequence[Node], check_mode: bool) -> list[Node]:
    """Return the nodes that can be configured: they have addresses, and in check mode they are in service."""
    return [
        one
        for one in nodes
        if address(one, "client") and nsip(one) and not (check_mode and one["lifecycle"] != IN_SERVICE)
    ]


def address(node: Node, role: str) -> str:
    """Return the private address of the interface with this role, empty if it has none."""
    return str(node["interfaces"].get(role, {}).get("private_ip_address") or "")


def nsip(node: Node) -> str:
    """Return the management address of a node."""
    return address(node, "management")


def _at(definition: Mapping[str, Any], host: str) -> str:
    return f"{host}:{definition['nitro_port']}"


def _bootstrap(node: Node, definition: Mapping[str, Any], zone: str) -> Entry:
    """In a cluster the host name is not set: it is one for all nodes."""
    entry = {"nsip": _at(definition, nsip(node)), "instance_id": node["instance_id"]}
    if definition["topology"] != "cluster":
        entry["hostname"] = f"{definition['name']}-{zone}-{node['node_id']}"
    return entry


def _cluster(
    definition: Mapping[str, Any],
    place: Mapping[str, Any],
    nodes: Sequence[Node],
    new: Sequence[Node],
    there: Sequence[Node],
) -> dict[str, Any]:
    """A node in service answers for the cluster; where there is none, the node with the lowest id forms it."""
    ordered = [*(one for one in nodes if one["lifecycle"] == IN_SERVICE), *new]
    if not ordered:
        return _no_cluster()
    first = ordered[0]["interfaces"]["management"]["network_interface_id"]
    serving = any(one["lifecycle"] in (IN_SERVICE, "draining") for one in there)
    return {
        "clip": [] if place["clip_interface"] else [first],
        "form": not serving,
        "cluster": [_member(definition, one) for one in ordered],
        "members": [nsip(one) for one in there],
        "settings": [{"nsip": _at(definition, place["clip"])}],
    }


def _member(definition: Mapping[str, Any], node: Node) -> Entry:
    """The backplane of a node is its client interface, which its MAC address names."""
    mac = node["interfaces"].get("client", {}).get("mac_address")
    entry = {"nsip": _at(definition, nsip(node)), "node_id": node["node_id"]}
    return {**entry, "backplane_mac": mac} if mac else entry


def _network(definition: Mapping[str, Any], place: Mapping[str, Any], nodes: Sequence[Node]) -> list[Entry]:
    """The SNIP of a node is its server interface's address; in a cluster the node owns it (a spotted address).

    Policy-based routes need one in the client subnet, too: the second address of the client interface.
    """
    reachable = [one for one in nodes if nsip(one) and address(one, "server")]
    common = {key: place[key] for key in ("routes", "return_gateways", "protected_networks")}
    if definition["topology"] != "cluster":
        return [
            {"nsip": _at(definition, nsip(one)), "snips": _snips(definition, place, one), **common} for one in reachable
        ]
    owned = [{**snip, "owner_node": one["node_id"]} for one in reachable for snip in _snips(definition, place, one)]
    return [{"nsip": _at(definition, place["clip"]), "snips": owned, **common}] if owned else []


def _snips(definition: Mapping[str, Any], place: Mapping[str, Any], node: Node) -> list[Entry]:
    snips = [{"ip_address": address(node, "server"), "netmask": place["server_netmask"]}]
    if definition["return_path"] == "pbr":
        spare = node["interfaces"]["client"].get("private_ip_addresses", [])[1:2]
        snips += [{"ip_address": one, "netmask": place["client_netmask"]} for one in spare]
    return snips


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
    clustered = definition["topology"] == "cluster"
    places = _clusters(definition, served, there, zones) if clustered else _nodes(definition, served)
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
            }
            for place, each in listed
        ],
        "targets": targets(state, clients),
        "records": records(state, clients),
        "unreachable": unreachable(definition, clients),
    }


def _nodes(definition: Mapping[str, Any], served: Sequence[Node]) -> list[Entry]:
    return [
        {
            "nsip": _at(definition, nsip(one)),
            "virtual_ip": address(one, "client"),
            "addresses": [{"ip_address": address(one, "client")}],
        }
        for one in served
    ]


def _clusters(
    definition: Mapping[str, Any], served: Sequence[Node], there: Sequence[Node], zones: Sequence[Mapping[str, Any]]
) -> list[Entry]:
    """One entry a zone, configured at its CLIP. The IPSet keeps a node's address until the node is terminating."""
    places = []
    for zone in zones:
        if not any(one["tags"].get("cloudadc:zone") == zone["name"] for one in served):
            continue
        members = {
            one["instance_id"]: one
            for one in (*served, *(one for one in there if one["lifecycle"] != "terminating"))
            if one["tags"].get("cloudadc:zone") == zone["name"] and address(one, "client")
        }
        addresses = [{"ip_address": address(one, "client")} for one in in_order(list(members.values()))]
        places.append(
            {
                "nsip": _at(definition, zone["clip"]),
                "virtual_ip": addresses[0]["ip_address"],
                "addresses": addresses,
            }
        )
    return places


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
    if state["definition"]["topology"] == "cluster":
        options["process_local"] = state["definition"]["process_local"]
    followed = application["backend_autoscaling_group"]
    if not followed:
        options["backends"] = application["backends"]
    elif application["name"] in state["backends"]:
        options["backends"] = state["backends"][application["name"]]
    return options


def targets(state: Mapping[str, Any], clients: Sequence[Node]) -> list[Entry]:
    """Return the targets to register, for each target group that lacks one of them or does not find it healthy.

    In check mode a new target group has no ARN yet, and nothing can be registered with it.
    """
    if state["definition"]["distributor"] != "nlb":
        return []
    ports = {each["name"]: each["port"] for each in state["definition"]["applications"]}
    found = []
    for group in state["target_groups"]:
        if group["application"] not in ports or not group["target_group_arn"] or not clients:
            continue
        port = ports[group["application"]]
        desired = [{"id": address(one, "client"), "port": port} for one in clients]
        known = {(one["id"], one["port"]): one["state"] for one in group["targets"]}
        if any(known.get((each["id"], each["port"])) != "healthy" for each in desired):
            found.append({"target_group_arn": group["target_group_arn"], "targets": desired})
    return found


def records(state: Mapping[str, Any], clients: Sequence[Node]) -> list[Entry]:
    """Return the record sets to write: one a node, or one alias for the load balancer, where they differ."""
    definition = state["definition"]
    if definition["distributor"] == "nlb":
        return _aliases(state) if clients else []
    nodes = [
        {"identifier": one["instance_id"], "value": one["interfaces"]["client"]["public_ip"]}
        for one in clients
        if one["interfaces"]["client"].get("public_ip")
    ]
    ttl = int(float(definition["policy"].get("ttl") or 60))
    checks = health_checks(definition)
    return [
        {
            "record": domain,
            "nodes": nodes,
            "ttl": ttl,
            "policy": definition["dns"]["policy"],
            **({"health_check": checks[domain]} if domain in checks else {}),
        }
        for domain in domains(definition)
        if nodes and not _answers(state["records"].get(domain, []), nodes, ttl, checked=domain in checks)
    ]


def health_checks(definition: Mapping[str, Any]) -> dict[str, Entry]:
    """Return how the nodes of each domain are checked from the Internet: at the port of its first TCP application."""
    found: dict[str, Entry] = {}
    for each in definition["applications"] if definition["dns"]["health_check"] else ():
        if each["domain"] and transports(each["protocol"])[0] == TCP:
            found.setdefault(each["domain"], {"port": each["port"]})
    return found


def domains(definition: Mapping[str, Any]) -> list[str]:
    """Return the domains of the applications, each once."""
    return list(dict.fromkeys(each["domain"] for each in definition["applications"] if each["domain"]))


def _answers(
    known: Sequence[Mapping[str, Any]], nodes: Sequence[Mapping[str, Any]], ttl: int, *, checked: bool
) -> bool:
    present = {
        (one["identifier"], one["value"], one["ttl"]) for one in known if one.get("health_check_id") or not checked
    }
    return all((one["identifier"], one["value"], ttl) in present for one in nodes)


def _aliases(state: Mapping[str, Any]) -> list[Entry]:
    balancer = state["balancer"]
    if not balancer:
        return []
    name = f"{balancer['dns_name'].lower().rstrip('.')}."
    alias = {"dns_name": name, "hosted_zone_id": balancer["canonical_hosted_zone_id"], "evaluate_target_health": True}
    return [
        {"record": domain, "alias": alias}
        for domain in domains(state["definition"])
        if state["aliases"].get(domain) != alias
    ]


def unreachable(definition: Mapping[str, Any], clients: Sequence[Node]) -> list[str]:
    """Return the nodes without a public address, to which DNS could lead no client."""
    if definition["distributor"] != "dns":
        return []
    return [one["instance_id"] for one in clients if not one["interfaces"]["client"].get("public_ip")]


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
) -> dict[str, Any]:
    """Return the work for the applications of the definition on all nodes in service of the zones in ``state``.

    Args:
        state: what vpx_group_info returned.
        applications: the variable with the applications, for their secrets.
        draining: configure nodes that drain as well; they never get new clients.
        listeners: what nlb_adc_listener returned, with target groups that are newer than ``state``.
    """
    known_groups = {one["application"] for one in state["target_groups"]}
    newer = [{**one, "targets": []} for one in listeners if one["application"] not in known_groups]
    state = {**state, "target_groups": [*state["target_groups"], *newer]}
    desired = (IN_SERVICE, "draining") if draining else (IN_SERVICE,)
    there = state["instances"]
    served = in_order(
        ready([one for one in there if one["lifecycle"] in desired], state["check_mode"] and not draining)
    )
    steps = application_steps(state, served, there, state["zones"], applications)
    followed = {each["name"] for each in state["definition"]["applications"] if each["backend_autoscaling_group"]}
    known = [each for each in steps["applications"] if each["name"] in followed and "backends" in each]
    removed = list(dict.fromkeys(each["nsip"] for each in steps["ipsets"]))
    names = [each["name"] for each in state["definition"]["applications"]]
    return {
        **steps,
        "followed": known,
        "removed": [{"nsip": nsip, "name": name} for name in names for nsip in removed],
    }
