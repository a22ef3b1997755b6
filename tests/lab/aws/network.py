"""The region's network as the packets see it: moto's interfaces, groups, subnets and route tables in one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, ip_network
from typing import Any

from tests.lab.aws.ground import regions
from tests.lab.aws.mends.interfaces import addresses_of
from tests.lab.packets.vpc import Hop, Interface, Network, Rule, Target, Vpc

GONE = "blackhole"


def snapshot() -> Vpc:
    """Return the present state; the caller holds the lock of `Ground`."""
    interfaces, ingress, egress = [], {}, {}
    subnets, tables = {}, {}
    networks: list[Network] = []
    for backend in regions():
        public = _public_addresses(backend)
        interfaces += [_interface(one, public.get(one.id, {})) for one in backend.enis.values()]
        for groups in backend.groups.values():
            for group in groups.values():
                ingress[group.id] = tuple(_rules(group.ingress_rules))
                egress[group.id] = tuple(_rules(group.egress_rules))
        ranges = {
            vpc.id: [ip_network(one["ipv6CidrBlock"]) for one in vpc.ipv6_cidr_block_association_set]
            for vpc in backend.vpcs.values()
        }
        of_subnet, main = _tables(backend)
        for zone in backend.subnets.values():
            for subnet in zone.values():
                subnets[subnet.id] = subnet.cidr
                found = of_subnet.get(subnet.id) or main.get(subnet.vpc_id, ())
                # Every table has a local route for each range of the VPC; moto makes those of IPv4 only.
                tables[subnet.id] = (*found, *(Hop(one, Target.LOCAL) for one in ranges.get(subnet.vpc_id, [])))
        networks += [IPv4Network(vpc.cidr_block) for vpc in backend.vpcs.values()]
        networks += [one for found in ranges.values() for one in found]
    return Vpc(interfaces, ingress=ingress, egress=egress, subnets=subnets, tables=tables, networks=networks)


def _public_addresses(backend: Any) -> dict[str, dict[str, str]]:
    """Interface id → private → public address: Elastic IPs, and addresses that came with a launch."""
    found: dict[str, dict[str, str]] = {}
    for interface in backend.enis.values():
        if auto := interface.__dict__.get("lab_auto_public_ip"):
            found.setdefault(interface.id, {})[str(interface.private_ip_address)] = str(auto)
    for elastic in backend.addresses:
        if elastic.eni is not None and elastic.lab_private_ip:
            found.setdefault(elastic.eni.id, {})[elastic.lab_private_ip] = str(elastic.public_ip)
    return found


def _interface(interface: Any, public: dict[str, str]) -> Interface:
    return Interface(
        interface_id=interface.id,
        subnet_id=interface.subnet.id,
        network=interface.subnet.cidr,
        addresses=(*addresses_of(interface), *map(str, interface.ipv6_addresses)),
        groups=frozenset(group.id for group in interface._group_set),
        source_dest_check=str(interface.source_dest_check).lower() != "false",
        instance_id=interface.instance.id if interface.instance else "",
        public=public,
    )


def _rules(rules: Iterable[Any]) -> Iterator[Rule]:
    for rule in rules:
        network = (rule.ip_range.get("CidrIp") or rule.ip_range.get("CidrIpv6")) if rule.ip_range else None
        every = str(rule.ip_protocol) == "-1"
        yield Rule(
            protocol=str(rule.ip_protocol),
            low=0 if every else int(rule.from_port if rule.from_port is not None else 0),
            high=65535 if every else int(rule.to_port if rule.to_port is not None else 65535),
            network=ip_network(network, strict=False) if network else None,
            group=rule.source_group.get("GroupId") if rule.source_group else None,
        )


def _tables(backend: Any) -> tuple[dict[str, tuple[Hop, ...]], dict[str, tuple[Hop, ...]]]:
    """Routes by subnet, and those of the main table by VPC."""
    of_subnet: dict[str, tuple[Hop, ...]] = {}
    main: dict[str, tuple[Hop, ...]] = {}
    for table in backend.route_tables.values():
        hops = tuple(hop for route in table.routes for hop in _hops(route))
        if table.main_association_id is not None:
            main[table.vpc_id] = hops
        for target in table._associations.values():
            of_subnet[target] = hops
    return of_subnet, main


def _hops(route: Any) -> Iterator[Hop]:
    """The ranges of a route: its own, or those of its prefix list."""
    ranges = [one for one in (route.destination_cidr_block, route.destination_ipv6_cidr_block) if one]
    if route.destination_prefix_list is not None:
        entries = route.destination_prefix_list.entries.get(route.destination_prefix_list.version) or []
        ranges = [entry["Cidr"] for entry in entries]
    for each in ranges:
        yield _hop(route, ip_network(each, strict=False))


def _hop(route: Any, network: Network) -> Hop:
    interface = route.network_interface_id
    if route.instance_id and route.instance:
        interface = next((one.id for one in route.instance.nics.values()), GONE)
    if route.local:
        return Hop(network, Target.LOCAL)
    if interface:
        return Hop(network, Target.INTERFACE, interface)
    if route.nat_gateway_id:
        return Hop(network, Target.NAT)
    if str(route.gateway_id or "").startswith("igw-"):
        return Hop(network, Target.INTERNET)
    return Hop(network, Target.PEER)
