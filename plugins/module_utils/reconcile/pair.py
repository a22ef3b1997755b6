# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A pair: what of its definition cannot be, by what AWS says, and the options of the steps that build it. Pure.

``definition`` is everywhere the one of spec.pair.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..aws.addresses import Address
from ..aws.instances import Instance
from ..spec.identity import PAIR, Owner, Ownership, ownership
from ..spec.pair import ROLES, SUBNET_KEYS
from ..spec.protocols import transports
from ..spec.vips import ROUTE, following
from .group_network import route_problems, zone_network
from .missing_subnets import MISSING

Definition = Mapping[str, Any]
POLICY_NAME = "cloudadc-ha"


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet as EC2 describes it. ``ipv6_cidrs``: its IPv6 ranges, of which it need have none."""

    subnet_id: str
    vpc_id: str
    zone: str
    cidr: str
    ipv6_cidrs: tuple[str, ...] = ()

    def result(self) -> dict[str, str]:
        return {
            "subnet_id": self.subnet_id,
            "vpc_id": self.vpc_id,
            "availability_zone": self.zone,
            "cidr_block": self.cidr,
        }


Subnets = Mapping[str, Subnet]


def parse_subnets(described: Iterable[Mapping[str, Any]]) -> dict[str, Subnet]:
    """Return the subnets of a DescribeSubnets reply by their ids."""
    subnets = [
        Subnet(s["SubnetId"], s["VpcId"], s["AvailabilityZone"], s["CidrBlock"], ipv6_ranges(s)) for s in described
    ]
    return {subnet.subnet_id: subnet for subnet in subnets}


def ipv6_ranges(described: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the IPv6 ranges of a subnet or VPC as EC2 describes it, without those that are coming or going."""
    return tuple(
        str(one["Ipv6CidrBlock"])
        for one in described.get("Ipv6CidrBlockAssociationSet") or ()
        if ((one.get("Ipv6CidrBlockState") or {}).get("State") or "associated") == "associated"
    )


def subnet_ids(definition: Definition) -> list[str]:
    """Return the subnets of both nodes, each once."""
    return list(dict.fromkeys(node[key] for node in definition["nodes"] for key in SUBNET_KEYS))


# Problems


def subnet_problems(definition: Definition, subnets: Subnets) -> list[str]:
    """Return one message for each subnet that is missing or in a wrong place."""
    asked = subnet_ids(definition)
    problems = [f"{MISSING}{name} in this account and region." for name in asked if name not in subnets]
    vpcs = sorted({subnets[name].vpc_id for name in asked if name in subnets})
    if len(vpcs) > 1:
        problems.append(f"The subnets must be in one VPC; they are in {', '.join(vpcs)}.")
    for index, node in enumerate(definition["nodes"]):
        zones = sorted({subnets[node[key]].zone for key in SUBNET_KEYS if node[key] in subnets})
        if len(zones) > 1:
            problems.append(
                f"The subnets of node {index} must be in one availability zone; they are in {', '.join(zones)}."
            )
    return problems


def address_problems(definition: Definition, addresses: Sequence[Address], own: Collection[str]) -> list[str]:
    """Return one message for each given Elastic IP that does not exist or serves an interface of others.

    Args:
        addresses: all Elastic IPs of the region.
        own: ids of the network interfaces of the pair.
    """
    known = {name: address for address in addresses for name in (address.public_ip, address.allocation_id)}
    given: Sequence[str] = [*definition["elastic_ips"], *following(definition["vips"]).values()]
    unknown = [name for name in given if name not in known]
    problems = []
    if unknown:
        problems.append(f"no Elastic IP {', '.join(unknown)} is allocated to this account in this region.")
    found = [known[name] for name in given if name in known]
    twice = sorted({str(address) for address in found if found.count(address) > 1})
    if twice:
        problems.append(f"ha_pair_elastic_ips names {', '.join(twice)} twice.")
    elsewhere = [
        f"{address} serves {address.association}"
        for address in found
        if address.association and address.association.network_interface_id not in own
    ]
    if elsewhere and not definition["take_elastic_ips"]:
        problems.append(
            f"Elastic IP {', '.join(elsewhere)}, which is no interface of this pair. Set ha_pair_take_elastic_ips=true "
            "to take it from there."
        )
    return problems


def unassociated(definition: Definition, addresses: Iterable[Address], own: Collection[str]) -> list[dict[str, str]]:
    """Return the Elastic IPs that are to follow a private address and are not on it, as eip_failover takes them.

    One that is on it at either node follows by itself.

    Args:
        definition: The pair.
        addresses: All Elastic IPs of the region.
        own: Ids of the network interfaces of the pair.
    """
    known = {name: address for address in addresses for name in (address.public_ip, address.allocation_id)}
    found = []
    for private, name in following(definition["vips"]).items():
        at = known[name].association if name in known else None
        if not (at and at.private_ip_address == private and at.network_interface_id in own):
            found.append({"elastic_ip": name, "private_ip_address": private})
    return found


def placement_problems(definition: Definition, subnets: Subnets, instances: Iterable[Instance]) -> list[str]:
    """Return one message for each node that is in another subnet than defined: a launch would make a third node."""
    problems = []
    nodes = definition["nodes"]
    for instance in instances:
        node_id, management = instance.node_id, next((i for i in instance.interfaces if i.device_index == 0), None)
        if not instance.live or node_id is None or management is None or not 0 <= node_id < len(nodes):
            continue
        desired = nodes[node_id]["management_subnet_id"]
        if management.subnet_id != desired:
            zone = f" ({subnets[desired].zone})" if desired in subnets else ""
            problems.append(
                f"Node {node_id} is {instance.instance_id} in {management.subnet_id} ({instance.availability_zone}), "
                f"but ha_pair_nodes wants it in {desired}{zone}. An instance does not move: add "
                f"ha_pair_replace_node={instance.instance_id}, and a new one is launched there in its place."
            )
    return problems


def namesake_problems(name: str, instances: Iterable[Instance]) -> list[str]:
    """Return one message for the live instances of the name that belong to another kind."""
    owner = Owner(name, PAIR)
    others = [i for i in instances if i.live and ownership(owner, i.tags) is Ownership.OTHER_KIND]
    if not others:
        return []
    ids = ", ".join(sorted(instance.instance_id for instance in others))
    kinds = ", ".join(sorted({Owner(name, instance.tags.get("cloudadc:kind")).kind or "?" for instance in others}))
    return [
        f"The name {name} belongs to a {kinds} with the instances {ids}. Choose another ha_pair_name, or remove that."
    ]


def network_problems(definition: Definition, vpc_subnets: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one message for each declared network whose route would take the way of management traffic away."""
    return route_problems({**definition, "zones": definition["nodes"]}, vpc_subnets, "ha_pair_backend_cidrs")


# Options of the steps


def network(definition: Definition, vpc_subnets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what vpx_network needs for each node: the routes to back ends go by the node's own server gateway."""
    return [
        zone_network(node, {**definition, "zones": definition["nodes"]}, vpc_subnets) for node in definition["nodes"]
    ]


def shared_options(
    definition: Definition, vpc_id: str, policy: Mapping[str, Any] | None, own_addresses: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the options of vpx_shared_resources.

    Args:
        definition: The pair.
        vpc_id: The VPC of its subnets.
        policy: What the appliances may do, as shipped.
        own_addresses: Allocation ids of the user's Elastic IPs.
    """
    name = definition["name"]
    return {
        "state": "present",
        "kind": PAIR,
        "name": name,
        "vpc_id": vpc_id,
        "role": {
            "policy": policy,
            "policy_name": POLICY_NAME,
            "managed": definition["manage_role"],
            "elastic_ips": list(own_addresses),
            "permissions_boundary": definition["permissions_boundary"] or None,
        },
        "security_groups": [
            {
                "role": "management",
                "description": f"Management of the VPX pair {name}",
                "rules": [*_management_rules(definition), *_ha_rules(definition)],
            },
            {
                "role": "client",
                "description": f"Clients of the VPX pair {name}",
                "rules": _client_rules(definition),
            },
            # It opens connections to the back ends and accepts none.
            {"role": "server", "description": f"Back-end side of the VPX pair {name}", "rules": []},
        ],
        "key_name": definition["key_name"] or None,
        "elastic_ip": definition["allocate_elastic_ip"],
        "tags": dict(definition["tags"]),
    }


def _rule(protocol: str, ports: tuple[int, int], description: str, **source: Any) -> dict[str, Any]:
    first, last = ports
    ends = {"from_port": first, "to_port": last}
    return {"protocol": protocol, **ends, "cidrs": [], "group": None, "description": description, **source}


def _management_rules(definition: Definition) -> list[dict[str, Any]]:
    cidrs = definition["management_cidrs"]
    ports = dict.fromkeys((22, definition["nitro_port"]))
    return [_rule("tcp", (port, port), "SSH and NITRO", cidrs=cidrs) for port in ports if cidrs]


def _ha_rules(definition: Definition) -> list[dict[str, Any]]:
    """Source: High availability ports, Citrix communication ports; wide: the vendor's CloudFormation template."""
    if definition["wide_ha_ports"]:
        return [
            _rule("tcp", (0, 65500), "Everything between the nodes", group="management"),
            _rule("udp", (3000, 3010), "HA heartbeats", group="management"),
        ]
    return [
        _rule("udp", (3003, 3003), "HA heartbeats", group="management"),
        _rule("tcp", (3008, 3011), "HA synchronisation and propagation", group="management"),
        _rule("tcp", (22, 22), "HA file synchronisation", group="management"),
    ]


def _client_rules(definition: Definition) -> list[dict[str, Any]]:
    """Return one rule for each port, for clients of both IP versions. Applications at two VIPs may have the same."""
    cidrs = definition["client_cidrs"]
    ports: dict[tuple[str, int], str] = {}
    for application in definition["applications"]:
        for transport in transports(application["protocol"]):
            ports.setdefault((transport, application["port"]), application["name"])
    return [_rule(transport, (port, port), name, cidrs=cidrs) for (transport, port), name in ports.items() if cidrs]


def instance_sets(
    definition: Definition, subnets: Subnets, groups: Mapping[str, str | None] | None = None
) -> list[dict[str, Any]]:
    """Return the option ``sets`` of vpx_instance: one set a node.

    Args:
        groups: ids of the security groups by role; a group that does not exist yet is left out.
    """
    return [
        {
            "zone": subnets[node["management_subnet_id"]].zone,
            "node_id": node_id,
            "count": 1,
            "interfaces": interfaces_of(definition, node, groups),
        }
        for node_id, node in enumerate(definition["nodes"])
    ]


def interfaces_of(
    definition: Definition, node: Mapping[str, str], groups: Mapping[str, str | None] | None = None
) -> list[dict[str, Any]]:
    """Return the option ``interfaces`` of one node."""
    interfaces: list[dict[str, Any]] = []
    for role in ROLES:
        group = (groups or {}).get(role)
        interface: dict[str, Any] = {"role": role, "subnet_id": node[f"{role}_subnet_id"]}
        interfaces.append({**interface, "security_groups": [group]} if group else interface)
    interfaces[0]["elastic_ip"] = definition["management_public"]
    # Each Elastic IP needs a private address of its own, and policy-based routes need a SNIP in the client subnet.
    spare = 1 if definition["return_path"] == "pbr" else 0
    elastic = len(definition["elastic_ips"]) + definition["allocate_elastic_ip"]
    interfaces[1]["secondary_private_ip_count"] = max(elastic - 1, 0) + spare
    if any(vip["kind"] == ROUTE for vip in definition["vips"]):
        # A route brings packets to an address that is none of the interface, which the check drops.
        interfaces[1]["source_dest_check"] = False
    return interfaces
