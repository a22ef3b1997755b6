# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of each step of role ha_pair, from the results of the steps before it. Pure.

Results are those of the modules, as Ansible registers them; that of a step that was skipped has none of the keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.fingerprints import PIN
from .pair_fronts import client_addresses, pair_fronts, serving_addresses
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
    own = [address["allocation_id"]] if address and info["plan"].get("allocate_elastic_ip", not given) else []
    return [*given, *own]


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
    clients = [client_addresses(plan, instance["interfaces"]["client"]) for instance in instances]
    fronts = pair_fronts(plan, clients)
    inc = plan.get("inc", True)
    # Nodes that share their network configuration get it from the primary.
    configured = order if inc else order[:1]
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
            if nsip in configured
        ],
        "order": [{"nsip": _at(str(nsip), port)} for nsip in order],
        "fronts": fronts,
        "ipsets": [
            {"nsip": _at(str(nsip), port), "name": front["ipset"], "addresses": front["addresses"]}
            for nsip in configured
            for front in fronts
        ],
        "data_interfaces": [
            instance["interfaces"][role]["network_interface_id"]
            for role in ("client", "server")
            for instance in instances
        ],
        "moves": list((after or {}).get("address_moves") or []),
        "moves_due": _moves_due(after),
        "associations": [
            {**each, "network_interface_id": instance["interfaces"]["client"]["network_interface_id"]}
            for nsip, instance in zip(nsips, instances, strict=True)
            for each in plan.get("unassociated") or ()
            if nsip == primary
        ],
        "marks": marks,
    }


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


def _network(plan: Result, place: Result, nsip: str, instance: Result) -> dict[str, Any]:
    """Return the SNIP, the server interface's own address: nodes with independent configuration do not share it.

    Policy-based routes need one in the client subnet, too: the last address of the client interface.
    """
    interfaces = instance["interfaces"]
    own = plan.get("snip") or interfaces["server"]["private_ip_address"]
    snips = [{"ip_address": own, "netmask": place["server_netmask"]}]
    by_policy = plan["return_path"] == "pbr"
    if by_policy:
        serving = serving_addresses(plan, interfaces["client"])
        spare = [one for one in client_addresses(plan, interfaces["client"]) if one not in serving]
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
    return any(vip["changed"] for vip in (after or {}).get("vips") or []) or any(
        associations.get(move["elastic_ip"]) != (move["network_interface_id"], move["private_ip_address"])
        for move in (after or {}).get("moves") or []
    )
