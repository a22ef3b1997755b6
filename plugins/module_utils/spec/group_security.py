# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The security groups of an autoscale group: which ports are open to which networks. Pure.

EC2 identifies a rule by protocol, ports and source and keeps one description of it, so every port is one rule, however
many applications use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..distributors.base import Distributor, Port
from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..topologies.registry import REGISTRY as TOPOLOGIES
from .security_rules import Rule, rule

#: Roles of security groups: those of interfaces, and those of distributors.
SECURITY_ROLES = (
    *("management", "client", "server"),
    *(each.security_role for each in DISTRIBUTORS.values() if each.security_role),
)


def ports_of(definition: Mapping[str, Any]) -> list[Port]:
    """Return the ports of the applications of a group."""
    distributor = _distributor(definition)
    return [distributor.port(application) for application in definition["applications"]]


def _distributor(definition: Mapping[str, Any]) -> Distributor:
    return DISTRIBUTORS[definition["distributor"]]


def security_groups(definition: Mapping[str, Any], client_networks: Sequence[str]) -> list[dict[str, Any]]:
    """Return the security groups by role, as option ``security_groups`` of vpx_shared_resources takes them.

    Args:
        definition: the group.
        client_networks: the networks of the client subnets, in which a load balancer has its addresses.
    """
    name, between = definition["name"], TOPOLOGIES[definition["topology"]].security_rules(definition)
    groups: list[dict[str, Any]] = [
        {
            "role": "management",
            "description": f"Management of the VPX group {name}",
            "rules": _management(definition) + between.get("management", []),
        },
        {
            "role": "client",
            "description": f"Clients of the VPX group {name}",
            "rules": client_rules(definition, client_networks) + between.get("client", []),
        },
        {
            "role": "server",
            "description": f"Back-end side of the VPX group {name}",
            "rules": between.get("server", []),
        },
    ]
    role = _distributor(definition).security_role
    if role:
        rules = balancer_rules(definition)
        groups.append({"role": role, "description": f"Load balancer of the VPX group {name}", "rules": rules})
    return groups


def _management(definition: Mapping[str, Any]) -> list[Rule]:
    networks = definition["management_cidrs"]
    ports = dict.fromkeys((22, definition["nitro_port"]))
    return [rule("tcp", port, port, "SSH and NITRO", cidrs=list(networks)) for port in ports] if networks else []


def client_rules(definition: Mapping[str, Any], client_networks: Sequence[str]) -> list[Rule]:
    """Return the rules of the client interfaces: from clients that are visible, and from the load balancer."""
    proxied, clients = _distributor(definition).proxied, definition["client_cidrs"]
    rules: dict[tuple[str, int], Rule] = {}
    ports = ports_of(definition)
    for port in ports:
        for transport in port.transports:
            sources = [
                *(clients if port.visible else []),
                *(client_networks if proxied and transport == "tcp" else []),
            ]
            rules[transport, port.number] = _open(transport, port.number, port.name, sources)
    for port in ports:
        if port.checked and ("tcp", port.checked) not in rules:
            rules["tcp", port.checked] = _open("tcp", port.checked, f"Health checks of {port.name}", client_networks)
    return [each for each in rules.values() if each["cidrs"]]


def _open(transport: str, port: int, description: str, networks: Sequence[str]) -> Rule:
    return rule(transport, port, port, description, cidrs=list(dict.fromkeys(networks)))


def balancer_rules(definition: Mapping[str, Any]) -> list[Rule]:
    """Return the rules of the load balancer: from clients, one for each port and transport."""
    clients = definition["client_cidrs"]
    rules: dict[tuple[str, int], Rule] = {}
    for port in ports_of(definition) if clients else []:
        for transport in port.transports:
            rules.setdefault((transport, port.number), _open(transport, port.number, port.name, clients))
    return list(rules.values())
