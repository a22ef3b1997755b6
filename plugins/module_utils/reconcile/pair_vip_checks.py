# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWS says against the VIPs of a pair: addresses in use, outside of their subnet, or inside of the VPC. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..aws.addresses import Interface
from ..spec.vips import ELASTIC_IP, PRIVATE_IP, ROUTE, Vip, vips_of
from .pair import Definition, Subnets, ipv6_ranges


def holder_filters(definition: Definition, vpc_id: str) -> list[dict[str, Any]]:
    """Return the filters that find the interfaces which have one of the private addresses that move with the primary.

    Other VPCs may have the same IPv4 addresses.
    """
    moving = [vip for vip in vips_of(definition) if vip.kind == PRIVATE_IP]
    found = {
        "addresses.private-ip-address": [vip.address for vip in moving if not vip.is_ipv6],
        "ipv6-addresses.ipv6-address": [vip.address for vip in moving if vip.is_ipv6],
    }
    return [{name: addresses, "vpc-id": vpc_id} for name, addresses in found.items() if addresses]


def has_routes(definition: Definition) -> bool:
    """Whether a VIP of the pair follows the primary by routes."""
    return any(vip["kind"] == ROUTE for vip in definition["vips"])


def route_tables(definition: Definition) -> list[str]:
    """Return the route tables of this account that the pair changes, each once."""
    tables = [table for vip in vips_of(definition) if not vip.role_arn for table in vip.tables]
    return list(dict.fromkeys(tables))


def vip_problems(
    definition: Definition,
    subnets: Subnets,
    holders: Iterable[Interface],
    own: Collection[str],
    vpcs: Sequence[Mapping[str, Any]] = (),
    tables: Sequence[Mapping[str, Any]] = (),
) -> list[str]:
    """Return one message for each VIP that AWS would refuse, or that would take an address away from others.

    Args:
        definition: The pair.
        subnets: Its subnets.
        holders: The interfaces that have one of its private addresses.
        own: Ids of the network interfaces of the pair.
        vpcs: The VPC as EC2 describes it; empty if it was not read.
        tables: The route tables as EC2 describes them.
    """
    problems: list[str] = []
    for vip in vips_of(definition):
        who = f"VIP {vip.owner}: " if vip.serves else "ha_pair_snip: "
        if vip.kind == PRIVATE_IP:
            problems += [f"{who}{problem}" for problem in _subnet_problems(definition, subnets, vip)]
            problems += [f"{who}{problem}" for problem in _holder_problems(vip, holders, own)]
        elif vip.kind == ROUTE:
            problems += [f"{who}{problem}" for problem in _range_problems(vip, vpcs)]
            problems += [f"{who}{problem}" for problem in _table_problems(definition, subnets, vip, tables)]
    return problems


def family_problems(definition: Definition, present: Iterable[Vip]) -> list[str]:
    """Return one message for each VIP whose virtual servers would change from one IP version to the other.

    An appliance refuses that: error 2352, "Changing IP from IPv6 to IPv4 not permitted", and 2356 the other way round.

    Args:
        definition: The pair.
        present: The VIPs by the tags of its live instances.
    """
    desired = {vip.name: vip for vip in vips_of(definition) if vip.kind != ELASTIC_IP}
    return [
        f"VIP {vip.name}: its virtual servers have the address {vip.address}, which an appliance does not change to "
        f"{new.address}, an address of the other IP version. Give the VIP another name, or keep {vip.address}."
        for vip in present
        if vip.kind != ELASTIC_IP
        if (new := desired.get(vip.name)) and new.is_ipv6 != vip.is_ipv6
    ]


def _subnet_problems(definition: Definition, subnets: Subnets, vip: Vip) -> list[str]:
    """Refuse what AWS reserves: the first four addresses and the last one (VPC user guide, subnet CIDR blocks)."""
    name = definition["nodes"][0][f"{vip.role}_subnet_id"]
    if name not in subnets:
        return []
    ranges = subnets[name].ipv6_cidrs if vip.is_ipv6 else (subnets[name].cidr,)
    if not ranges:
        return [
            f"{vip.address} is an IPv6 address, and {name}, the {vip.role} subnet of the nodes, has no IPv6 range. "
            "Associate one with the VPC and with the subnet."
        ]
    address, networks = ipaddress.ip_address(vip.address), [ipaddress.ip_network(one) for one in ranges]
    network = next((one for one in networks if address in one), None)
    if network is None:
        return [f"{address} is not in {', '.join(ranges)}, the {vip.role} subnet {name} of the nodes."]
    place = int(address) - int(network.network_address)
    if place < 4 or address == network.broadcast_address:
        return [f"{address} is reserved by AWS: in {network} these are the first four addresses and the last one."]
    return []


def _holder_problems(vip: Vip, holders: Iterable[Interface], own: Collection[str]) -> list[str]:
    problems = []
    for one in holders:
        if not one.has(vip.address):
            continue
        if one.is_primary(vip.address):
            problems.append(
                f"{vip.address} is the primary address of {one.network_interface_id}, which cannot move. Choose a free "
                "address."
            )
        elif one.network_interface_id not in own:
            of = f" of {one.instance_id}" if one.instance_id else ""
            problems.append(
                f"{vip.address} is in use at {one.network_interface_id}{of}, which is no interface of this pair. "
                "Choose a free address, or remove it there."
            )
    return problems


def _range_problems(vip: Vip, vpcs: Iterable[Mapping[str, Any]]) -> list[str]:
    ranges = [
        str(each["CidrBlock"])
        for vpc in vpcs
        for each in vpc.get("CidrBlockAssociationSet") or [{"CidrBlock": vpc["CidrBlock"]}]
        if (each.get("CidrBlockState") or {}).get("State", "associated") == "associated"
    ]
    ranges += [each for vpc in vpcs for each in ipv6_ranges(vpc)]
    inside = [one for one in ranges if ipaddress.ip_address(vip.address) in ipaddress.ip_network(one)]
    if not inside:
        return []
    return [
        f"{vip.address} is in {', '.join(inside)}, a range of the VPC: AWS routes it locally, whatever a route table "
        "has. Choose an address outside of the VPC's ranges."
    ]


def _table_problems(
    definition: Definition, subnets: Subnets, vip: Vip, tables: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Route tables of another account are read when the route is written, with the rights of the role."""
    if vip.role_arn:
        return []
    known = {str(table["RouteTableId"]): table for table in tables}
    vpcs = {
        subnets[node["client_subnet_id"]].vpc_id for node in definition["nodes"] if node["client_subnet_id"] in subnets
    }
    problems = []
    for name in vip.tables:
        if name not in known:
            problems.append(f"there is no route table {name} in this account and region.")
        elif vpcs and known[name].get("VpcId") not in vpcs:
            problems.append(
                f"route table {name} is of {known[name].get('VpcId')}, but a route to an interface must be in a table "
                f"of the interface's own VPC, {', '.join(sorted(vpcs))}."
            )
    return problems
