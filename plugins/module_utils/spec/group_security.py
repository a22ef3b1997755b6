# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The security groups of an autoscale group: which ports are open to which networks. Pure.

EC2 identifies a rule by protocol, ports and source and keeps one description of it, so every port is one rule, however
many applications use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .protocols import LISTENER_TRANSPORTS, listener_protocol

Rule = dict[str, Any]
ALL_PORTS = -1
GRE = "47"


@dataclass(frozen=True, slots=True)
class Port:
    """Where clients reach an application.

    ``visible``: nodes see the addresses of clients, as always with datagrams behind a load balancer. ``checked``: TCP
    port of the load balancer's health check.
    """

    name: str
    number: int
    transports: tuple[str, ...]
    visible: bool
    checked: int


def ports_of(definition: Mapping[str, Any]) -> list[Port]:
    """Return the ports of the applications of a group."""
    return [_port(application, definition["distributor"] == "nlb") for application in definition["applications"]]


def _port(application: Mapping[str, Any], balanced: bool) -> Port:
    chosen = application["nlb_protocol"] if balanced else ""
    carried = listener_protocol(application["protocol"], chosen)
    return Port(
        name=application["name"],
        number=application["port"],
        transports=LISTENER_TRANSPORTS.get(carried, ("tcp",)),
        visible=not balanced or carried in ("UDP", "TCP_UDP") or bool(application["preserve_client_ip"]),
        checked=int(application["health_check"].get("port") or application["port"]),
    )


def security_groups(definition: Mapping[str, Any], client_networks: Sequence[str]) -> list[dict[str, Any]]:
    """Return the security groups by role, as option ``security_groups`` of vpx_shared_resources takes them.

    Args:
        definition: the group.
        client_networks: the networks of the client subnets, in which a load balancer has its addresses.
    """
    name, clustered = definition["name"], definition["topology"] == "cluster"
    groups: list[dict[str, Any]] = [
        {
            "role": "management",
            "description": f"Management of the VPX group {name}",
            "rules": _management(definition) + (_cluster(definition) if clustered else []),
        },
        {
            "role": "client",
            "description": f"Clients of the VPX group {name}",
            "rules": client_rules(definition, client_networks) + (_backplane(definition) if clustered else []),
        },
        {"role": "server", "description": f"Back-end side of the VPX group {name}", "rules": []},
    ]
    if definition["distributor"] == "nlb":
        rules = balancer_rules(definition)
        groups.append({"role": "nlb", "description": f"Load balancer of the VPX group {name}", "rules": rules})
    return groups


def _rule(protocol: str, first: int, last: int, description: str, **source: Any) -> Rule:
    return {"protocol": protocol, "from_port": first, "to_port": last, "description": description, **source}


def _management(definition: Mapping[str, Any]) -> list[Rule]:
    networks = definition["management_cidrs"]
    ports = dict.fromkeys((22, definition["nitro_port"]))
    return [_rule("tcp", port, port, "SSH and NITRO", cidrs=list(networks)) for port in ports] if networks else []


def _cluster(definition: Mapping[str, Any]) -> list[Rule]:
    """Between the nodes of a cluster: heartbeats, synchronisation and propagation, NITRO of a node that joins."""
    message = "Cluster synchronisation and propagation"
    single = dict.fromkeys((22, definition["nitro_port"]))
    return [
        _rule("udp", 7000, 7000, "Cluster heartbeats", group="management"),
        *(_rule("tcp", port, port, message, group="management") for port in single),
        _rule("tcp", 3008, 3011, message, group="management"),
    ]


def _backplane(definition: Mapping[str, Any]) -> list[Rule]:
    """The backplane is the client interface: heartbeats, and flows that are steered from node to node in GRE.

    Where each node processes what reaches it, no flow is steered and protocol 47 stays closed.
    """
    heartbeats = _rule("udp", 7000, 7000, "Cluster heartbeats", group="client")
    steering = _rule(GRE, ALL_PORTS, ALL_PORTS, "Cluster steering, GRE", group="client")
    return [heartbeats] if definition["process_local"] else [heartbeats, steering]


def client_rules(definition: Mapping[str, Any], client_networks: Sequence[str]) -> list[Rule]:
    """Return the rules of the client interfaces: from clients that are visible, and from the load balancer."""
    balanced, clients = definition["distributor"] == "nlb", definition["client_cidrs"]
    rules: dict[tuple[str, int], Rule] = {}
    ports = ports_of(definition)
    for port in ports:
        for transport in port.transports:
            sources = [
                *(clients if port.visible else []),
                *(client_networks if balanced and transport == "tcp" else []),
            ]
            rules[transport, port.number] = _open(transport, port.number, port.name, sources)
    for port in ports:
        if balanced and ("tcp", port.checked) not in rules:
            rules["tcp", port.checked] = _open("tcp", port.checked, f"Health checks of {port.name}", client_networks)
    return [rule for rule in rules.values() if rule["cidrs"]]


def _open(transport: str, port: int, description: str, networks: Sequence[str]) -> Rule:
    return _rule(transport, port, port, description, cidrs=list(dict.fromkeys(networks)))


def balancer_rules(definition: Mapping[str, Any]) -> list[Rule]:
    """Return the rules of the load balancer: from clients, one for each port and transport."""
    clients = definition["client_cidrs"]
    rules: dict[tuple[str, int], Rule] = {}
    for port in ports_of(definition) if clients else []:
        for transport in port.transports:
            rules.setdefault((transport, port.number), _open(transport, port.number, port.name, clients))
    return list(rules.values())
