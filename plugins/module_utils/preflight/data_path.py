# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether packets would find their way: from each zone to each back end, and from the nodes back to clients. Pure.

Facts: EC2 drops a packet that leaves by an interface with a source address that is not one of that interface's (VPC
user guide, "NAT instances"), and a NetScaler routes by its table; so a back end is reached through the server interface
or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from .plan import BackEnd, Plan, Zone
from .routes import table_of
from .rows import Row, failed, ok, unknown, warning

RETURN = "return path"
BACK_END = "back end"
ADMITTED = "back end rules"
Described = Sequence[Mapping[str, Any]]
_NUMBERS = {"tcp": "6", "udp": "17"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The VPC as EC2 describes it: all its subnets and route tables, all interfaces and the groups of back ends.

    ``server_groups``: ids of the security groups that the server interfaces have or would have, if they exist.
    """

    subnets: Described
    tables: Described
    interfaces: Described
    groups: Described
    server_groups: frozenset[str] = frozenset()

    def network(self, subnet_id: str) -> IPv4Network | None:
        return next((_network(item) for item in self.subnets if item["SubnetId"] == subnet_id), None)

    def subnet_at(self, address: IPv4Address) -> Mapping[str, Any] | None:
        return next((item for item in self.subnets if address in _network(item)), None)

    def interface_at(self, address: str) -> Mapping[str, Any] | None:
        for item in self.interfaces:
            if any(one.get("PrivateIpAddress") == address for one in item.get("PrivateIpAddresses") or ()):
                return item
        return None


def return_path(plan: Plan) -> list[Row]:
    """Return the row about replies to clients: none without zones, as then nothing is configured."""
    if not plan.zones or plan.return_path is None:
        return []
    match plan.return_path:
        case "none":
            row = warning(
                RETURN,
                "clients",
                "return_path is none: replies leave by the default route through the management interface, where EC2 "
                "drops them, unless the image or a configuration of your own sends them back by the client interface",
            )
        case "mbf" if plan.clustered:
            row = warning(
                RETURN,
                "clients",
                "return_path is mbf: in a cluster MAC-based forwarding needs linksets, which are yours to configure; "
                "pbr needs none",
            )
        case "pbr":
            row = ok(RETURN, "clients", "policy-based routes send replies by the gateway of the client subnet")
        case _:
            row = ok(RETURN, "clients", "MAC-based forwarding sends replies back by the interface they came in on")
    return [row]


def back_ends(plan: Plan, around: Surroundings) -> list[Row]:
    """Return a row for each back end and zone, and one for each back end about its security groups."""
    rows: list[Row] = []
    for back_end in plan.back_ends:
        address = _parsed(back_end.address)
        if address is None:
            rows.append(unknown(BACK_END, back_end.subject, "only IPv4 addresses are looked at"))
            continue
        rows += [_way(plan, zone, back_end, address, around) for zone in plan.zones]
        rows += _admitted(plan, back_end, around)
    return rows


def _way(plan: Plan, zone: Zone, back_end: BackEnd, address: IPv4Address, around: Surroundings) -> Row:
    """How the nodes of a zone would reach a back end, in the order in which the appliance decides."""
    subject = f"{back_end.subject} from {zone.name}"
    server_id = zone.subnet_of("server")
    server = around.network(server_id)
    if server is None:
        return unknown(BACK_END, subject, f"subnet {server_id} was not shown")
    if address in server:
        return ok(BACK_END, subject, f"in {server_id} ({server}), the subnet of the server interface")
    subnet = around.subnet_at(address)
    if subnet is not None:
        return _in_subnet(plan, subject, server, subnet)
    named = next((each for each in plan.backend_cidrs if address in IPv4Network(each, strict=False)), None)
    if named is None:
        return failed(
            BACK_END,
            subject,
            "in no subnet of the VPC, so no route would lead there; name its network in backend_cidrs",
        )
    return _beyond(subject, server_id, server, address, named, around)


def _in_subnet(plan: Plan, subject: str, server: IPv4Network, subnet: Mapping[str, Any]) -> Row:
    where = f"{subnet['SubnetId']} ({subnet['CidrBlock']})"
    if subnet["SubnetId"] in {zone.subnet_of("management") for zone in plan.zones}:
        return failed(
            BACK_END,
            subject,
            f"in {where}, a management subnet: a route there would take the way of heartbeats and NITRO; move the back "
            "end to another subnet",
        )
    return ok(BACK_END, subject, f"in {where}; each node gets a route there by {server.network_address + 1}")


def _beyond(
    subject: str, server_id: str, server: IPv4Network, address: IPv4Address, named: str, around: Surroundings
) -> Row:
    """Check a back end outside of the VPC: the route table of the server subnet must lead there."""
    vpc_id = next(str(item["VpcId"]) for item in around.subnets if item["SubnetId"] == server_id)
    table = table_of(server_id, vpc_id, around.tables)
    if table is None:
        return unknown(BACK_END, subject, f"no route table of {server_id} was shown")
    route = _route_to(address, table)
    name = table.get("RouteTableId")
    if route is None:
        return failed(BACK_END, subject, f"{name} of {server_id} has no route to it (peering, transit gateway)")
    target = _target(route)
    if route.get("State") == "blackhole":
        return failed(BACK_END, subject, f"{name} of {server_id} sends it to {target}, which is gone (blackhole)")
    if target.startswith("igw-"):
        return failed(
            BACK_END,
            subject,
            f"{name} of {server_id} sends it to {target}, and server interfaces have no public address",
        )
    return ok(BACK_END, subject, f"in {named}; each node gets a route by {server.network_address + 1}, then {target}")


def _route_to(address: IPv4Address, table: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the most specific route of a table (VPC user guide, "Route priority")."""
    fitting = [
        (IPv4Network(route["DestinationCidrBlock"]), route)
        for route in table.get("Routes") or ()
        if route.get("DestinationCidrBlock") and address in IPv4Network(route["DestinationCidrBlock"])
    ]
    return max(fitting, key=lambda one: one[0].prefixlen, default=(None, None))[1]


def _target(route: Mapping[str, Any]) -> str:
    named = ("GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId")
    return next((str(route[key]) for key in named if route.get(key)), "an unknown target")


# ------------------------------------------------------------------ security groups of back ends


def _admitted(plan: Plan, back_end: BackEnd, around: Surroundings) -> list[Row]:
    """Whether the security groups of a back end let in the server addresses of every zone; none for a foreign host."""
    interface = around.interface_at(back_end.address)
    if interface is None:
        return []
    ids = [str(one["GroupId"]) for one in interface.get("Groups") or ()]
    shown = [item for item in around.groups if item["GroupId"] in ids]
    if len(shown) < len(set(ids)):
        return [unknown(ADMITTED, back_end.subject, f"{', '.join(ids)} were not all shown")]
    rules = [rule for item in shown for rule in item.get("IpPermissions") or () if _covers(rule, back_end)]
    if around.server_groups & {str(pair["GroupId"]) for rule in rules for pair in rule.get("UserIdGroupPairs") or ()}:
        return [ok(ADMITTED, back_end.subject, f"{', '.join(ids)} admit the security group of the server interfaces")]
    if any(rule.get("PrefixListIds") for rule in rules):
        return [unknown(ADMITTED, back_end.subject, f"{', '.join(ids)} admit a prefix list, which is not looked into")]
    refused = [str(one) for one in _server_networks(plan, around) if not _within(one, _ranges(rules))]
    if not refused:
        return [ok(ADMITTED, back_end.subject, f"{', '.join(ids)} admit the server subnets")]
    return [
        warning(
            ADMITTED,
            back_end.subject,
            f"{', '.join(ids)} do not admit {back_end.transport} {back_end.port} from {', '.join(refused)}, the server "
            "subnets: monitors would find it DOWN. Add a rule for these or for the security group of the server "
            "interfaces",
        )
    ]


def _covers(rule: Mapping[str, Any], back_end: BackEnd) -> bool:
    protocol = str(rule.get("IpProtocol"))
    if protocol == "-1":
        return True
    if protocol not in (back_end.transport, _NUMBERS[back_end.transport]):
        return False
    low, high = int(rule.get("FromPort", 0)), int(rule.get("ToPort", 65535))
    return low == -1 or low <= back_end.port <= high


def _server_networks(plan: Plan, around: Surroundings) -> Iterator[IPv4Network]:
    for subnet_id in dict.fromkeys(zone.subnet_of("server") for zone in plan.zones):
        if (network := around.network(subnet_id)) is not None:
            yield network


def _ranges(rules: Iterable[Mapping[str, Any]]) -> list[IPv4Network]:
    return [IPv4Network(one["CidrIp"], strict=False) for rule in rules for one in rule.get("IpRanges") or ()]


def _within(network: IPv4Network, ranges: Iterable[IPv4Network]) -> bool:
    return any(network.subnet_of(one) for one in ranges)


def _network(item: Mapping[str, Any]) -> IPv4Network:
    return IPv4Network(item["CidrBlock"])


def _parsed(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text)
    except ValueError:
        return None
