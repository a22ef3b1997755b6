# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of each step of role ha_pair, from the results of the steps before it. Pure.

Results are those of the modules, as Ansible registers them; that of a step that was skipped has none of the keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.fingerprints import PIN
from ..spec.pair import APPLICATION_KEYS as PAIR_KEYS
from ..spec.pair import front_name
from .group_steps import certificate_nodes
from .pair_orphans import undeclared
from .pins import pins_of_results

Result = Mapping[str, Any]


def pair_steps(
    info: Result,
    shared: Result | None = None,
    launched: Result | None = None,
    before: Result | None = None,
    after: Result | None = None,
    bootstrapped: Result | None = None,
) -> dict[str, Any]:
    """Return what the next steps take.

    Args:
        info: result of vpx_pair_info.
        shared: result of vpx_shared_resources.
        launched: result of vpx_instance.
        before: result of vpx_ha_info before the nodes are made a pair.
        after: result of vpx_ha_info once they are one.
        bootstrapped: result of vpx_bootstrap, for the certificates that it has pinned.
    """
    plan = info["plan"]
    groups = (shared or {}).get("security_groups") or plan["shared"]["observed"]["security_groups"]
    instances = _instances(info, launched)
    complete = len(instances) == 2 and all(_nsip(instance) for instance in instances)
    steps: dict[str, Any] = {
        "sets": with_groups(plan["instances"]["sets"], groups),
        "groups_complete": all(groups.get(role) for role in ("management", "client", "server")),
        "instances": instances,
        "complete": complete,
        "in_service": complete and all(instance.get("lifecycle") == "in_service" for instance in instances),
        "elastic_ips": _elastic_ips(info, shared),
        "fingerprints": pins_of_results(instances, bootstrapped) if plan.get("management_tls") == PIN else {},
    }
    return {**steps, **(_appliance_steps(plan, instances, before, after) if complete else {})}


def with_groups(sets: Sequence[Result], groups: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """Return the sets with the security group of each interface's role."""
    return [
        {
            **each,
            "interfaces": [
                {**interface, "security_groups": [groups[interface["role"]]]}
                if groups.get(interface["role"])
                else dict(interface)
                for interface in each["interfaces"]
            ],
        }
        for each in sets
    ]


def _instances(info: Result, launched: Result | None) -> list[Any]:
    found = (launched or {}).get("instances")
    if found is None:
        found = info["instances"]
    return sorted(found, key=lambda instance: instance.get("node_id") or 0)


def _elastic_ips(info: Result, shared: Result | None) -> list[str]:
    given: list[str] = info["plan"]["elastic_ips"]
    address = (shared or {}).get("elastic_ip") or info["plan"]["shared"]["observed"]["elastic_ip"]
    return given or ([address["allocation_id"]] if address else [])


def _nsip(instance: Result) -> str:
    return str(instance["interfaces"].get("management", {}).get("private_ip_address") or "")


def _appliance_steps(
    plan: Result, instances: Sequence[Result], before: Result | None, after: Result | None
) -> dict[str, Any]:
    nsips = [_nsip(instance) for instance in instances]
    first = _first(nsips, before)
    second = next(nsip for nsip in nsips if nsip != first)
    primary = _primary(after)
    known: dict[str, str | None] = {"primary": None, "secondary": None}
    if primary in nsips:
        known = {"primary": primary, "secondary": next(nsip for nsip in nsips if nsip != primary)}
    port = plan["nitro_port"]
    order = [known["primary"], known["secondary"]] if primary in nsips else nsips
    clients = [instance["interfaces"]["client"] for instance in instances]
    fronts = _fronts(plan["ipset"], [_vips(plan, client) for client in clients])
    marks = [
        {"zone": instance["availability_zone"], "node_id": number, "instance_ids": [instance["instance_id"]]}
        for number, instance in enumerate(instances)
    ]
    return {
        **known,
        "bootstrap": [
            {
                "nsip": _at(nsip, port),
                "instance_id": instance["instance_id"],
                "first_login": instance.get("lifecycle") != "in_service",
                "hostname": f"{plan['name']}-{number}",
            }
            for number, (nsip, instance) in enumerate(zip(nsips, instances, strict=True))
        ],
        "passwords": [
            {"nsip": _at(nsip, port)}
            for nsip, instance in zip(nsips, instances, strict=True)
            if instance.get("lifecycle") == "in_service"
        ],
        "ha": [{"nsip": _at(first, port), "peer": second}, {"nsip": _at(second, port), "peer": first}],
        "network": [
            _network(plan, place, _at(nsip, port), instance)
            for place, nsip, instance in zip(plan["network"], nsips, instances, strict=True)
        ],
        "order": [{"nsip": _at(str(nsip), port)} for nsip in order],
        "fronts": fronts,
        "ipsets": [
            {"nsip": _at(str(nsip), port), "name": front["ipset"], "addresses": front["addresses"]}
            for nsip in order
            for front in fronts
        ],
        "client_interfaces": [client["network_interface_id"] for client in clients],
        "moves": list((after or {}).get("moves") or []),
        "moves_due": _moves_due(after),
        "marks": marks,
    }


def _fronts(ipset: str, addresses: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Return one IPSet for each Elastic IP: the k-th client address of one node stands for the k-th of the other.

    An appliance that fails over looks for the public address at the two addresses that virtual server and IPSet have in
    common (vendor's documentation of pairs across zones). Of an IPSet with more addresses it is not documented which
    one it takes. ``virtual_ip`` is empty for a single one, whose virtual server keeps the address that it has.
    """
    pairs = list(zip(*addresses, strict=False))
    return [
        {
            "ipset": front_name(ipset, number),
            "virtual_ip": pair[0] if len(pairs) > 1 else "",
            "addresses": [{"ip_address": address} for address in pair],
        }
        for number, pair in enumerate(pairs)
    ]


def _at(nsip: str, port: int) -> str:
    return f"[{nsip}]:{port}" if ":" in nsip else f"{nsip}:{port}"


def _first(nsips: Sequence[str], before: Result | None) -> str:
    """Return the node that is introduced first.

    A node that serves, or knows a peer (perhaps one that is gone), has a configuration to hand on; a fresh one must
    join it and not the other way round.
    """
    nodes: Sequence[Result] = (before or {}).get("nodes") or []
    primary = _primary(before)
    candidates: list[str] = [
        *([primary] if primary else []),
        *(node["nsip"] for node in nodes if node.get("served_addresses")),
        *(node["nsip"] for node in nodes if node.get("peer")),
        *nsips,
    ]
    return next(nsip for nsip in candidates if nsip in nsips)


def _primary(ha: Result | None) -> str | None:
    index = (ha or {}).get("primary")
    return None if index is None else str((ha or {})["nodes"][index]["nsip"])


def _vips(plan: Result, client: Result) -> list[str]:
    """Return the addresses of a client interface that serve clients: one for each Elastic IP."""
    addresses: list[str] = client["private_ip_addresses"]
    return addresses[: max(1, len(plan["elastic_ips"]))] if plan["return_path"] == "pbr" else addresses


def _network(plan: Result, place: Result, nsip: str, instance: Result) -> dict[str, Any]:
    """Return the SNIP, the server interface's own address: nodes with independent configuration do not share it.

    Policy-based routes need one in the client subnet, too: the last address of the client interface.
    """
    interfaces = instance["interfaces"]
    snips = [{"ip_address": interfaces["server"]["private_ip_address"], "netmask": place["server_netmask"]}]
    by_policy = plan["return_path"] == "pbr"
    if by_policy:
        serving = _vips(plan, interfaces["client"])
        spare = [one for one in interfaces["client"]["private_ip_addresses"] if one not in serving]
        snips += [{"ip_address": one, "netmask": place["client_netmask"]} for one in spare[:1]]
    return {
        "nsip": nsip,
        "snips": snips,
        "routes": list(place["routes"]),
        "protected_networks": list(place["protected_networks"]),
        **({"return_gateways": list(place["return_gateways"])} if by_policy else {}),
    }


def _moves_due(after: Result | None) -> bool:
    associations = {
        address["elastic_ip"]: (address["network_interface_id"], address["private_ip_address"])
        for address in (after or {}).get("elastic_ips") or []
    }
    return any(
        associations.get(move["elastic_ip"]) != (move["network_interface_id"], move["private_ip_address"])
        for move in (after or {}).get("moves") or []
    )


def pair_applications(
    variables: Mapping[str, Any],
    nsip: str,
    fronts: Sequence[Mapping[str, Any]],
    nodes: Sequence[Mapping[str, Any]] = (),
    ipsets: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return the option ``nodes`` of vpx_application: every application on one appliance, with its secrets.

    Applications that are not declared any more are removed first, so that another one may have their port.

    Args:
        variables: of role ha_pair, as lookup ``cloudadc.aws.role_variables`` collects them, already validated.
        nsip: the primary, with its port.
        fronts: the IPSets as ``pair_steps`` returns them; each application has a virtual server for each of them.
        nodes: both nodes, as entries with ``nsip``, on which a certificate is read once it is installed, and
            whose monitors have a state of their own.
        ipsets: result of vpx_ipset, which names the virtual servers that have the addresses of the pair.
    """
    single = variables.get("ha_pair_application")
    entries = [*(variables.get("ha_pair_applications") or []), *([single] if single else [])]
    others = [str(node["nsip"]) for node in nodes if node["nsip"] != nsip]
    declared = [
        {"nsip": nsip, **_front(front), **_copy(entry, number, others)}
        for entry in entries
        for number, front in enumerate(fronts)
    ]
    return undeclared(nsip, {one["name"] for one in declared}, ipsets or {}) + declared


def _front(front: Mapping[str, Any]) -> dict[str, Any]:
    address = {"virtual_ip": front["virtual_ip"]} if front["virtual_ip"] else {}
    return {"ipset": front["ipset"], **address}


def _copy(entry: Mapping[str, Any], number: int, others: Sequence[str]) -> dict[str, Any]:
    """Return the application for one Elastic IP. All use the first one's certkey: a certificate exists once."""
    given = {key: value for key, value in entry.items() if key in PAIR_KEYS and value not in (None, "")}
    given["enabled"] = True
    certificate = entry.get("certificate") or {}
    if number == 0:
        observers = {"observers": list(others)} if others else {}
        return {**given, **observers, **certificate_nodes(entry, others)}
    if certificate.get("content"):
        given["certificate"] = {"certkey": certificate.get("name") or f"{entry['name']}-cert"}
    return {**given, "name": front_name(str(entry["name"]), number)}
