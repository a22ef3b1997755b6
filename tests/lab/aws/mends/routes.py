"""Routes of a VPC's route tables, and what EC2 refuses about them.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html, and the same of ReplaceRoute, DeleteRoute:
- one destination (IPv4 range, IPv6 range or prefix list) and one target; "We modify the specified CIDR block to its
  canonical form"; a destination that has a route is refused (RouteAlreadyExists);
- ReplaceRoute and DeleteRoute: "must match the CIDR of an existing route in the table"; ReplaceRoute answers
  InvalidParameterValue otherwise ("Use CreateRoute instead"), DeleteRoute InvalidRoute.NotFound;
- a route table holds a number of routes, of which a prefix list takes the most entries that it may have
  (RouteLimitExceeded:
  https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html);
- a target belongs to the VPC of the table; a route within the VPC's own range is as large as a subnet
  (https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html);
- "The blackhole state indicates that the route's target isn't available".
Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html. moto checks duplicates of some
targets only, forgets the interface of a route that it replaces by prefix list, and knows no blackhole.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.route_tables import Route, RouteBackend
from moto.ec2.responses.route_tables import RouteTables

from tests.lab.aws.ground import ground
from tests.lab.aws.mends.errors import refuse
from tests.lab.aws.mends.patch import replaces

Row = dict[str, Any]
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_TARGETS = {
    "GatewayId": "gateway_id",
    "InstanceId": "instance_id",
    "NatGatewayId": "nat_gateway_id",
    "EgressOnlyInternetGatewayId": "egress_only_igw_id",
    "TransitGatewayId": "transit_gateway_id",
    "NetworkInterfaceId": "interface_id",
    "VpcPeeringConnectionId": "vpc_peering_connection_id",
}
_DESCRIBED = {
    "DestinationCidrBlock": "destination_cidr_block",
    "DestinationIpv6CidrBlock": "destination_ipv6_cidr_block",
    "DestinationPrefixListId": "destination_prefix_list_id",
    "GatewayId": "gateway_id",
    "InstanceId": "instance_id",
    "NatGatewayId": "nat_gateway_id",
    "EgressOnlyInternetGatewayId": "egress_only_internet_gateway_id",
    "TransitGatewayId": "transit_gateway_id",
    "NetworkInterfaceId": "network_interface_id",
    "VpcPeeringConnectionId": "vpc_peering_connection_id",
}


def is_blackhole(backend: Any, route: Any) -> bool:
    """Whether the interface that a route leads to is gone, or attached to nothing."""
    interface_id = route.network_interface_id
    if not interface_id:
        return False
    interface = backend.enis.get(interface_id)
    return interface is None or interface.instance is None


def described(table: Any, route: Any) -> Row:
    """One item of Routes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html."""
    row = {name: getattr(route, attribute) for name, attribute in _DESCRIBED.items() if getattr(route, attribute)}
    state = "blackhole" if is_blackhole(table.ec2_backend, route) else "active"
    return {**row, "Origin": route.origin, "State": state}


def _observed(table: Any) -> list[Row]:
    """The routes that a reader sees, who may lag behind."""
    present = [described(table, route) for route in table.routes]
    found: list[Row] = ground().observed(f"routes:{table.id}", present)
    return found


@replaces(RouteTables, "describe_route_tables")
def describe_route_tables(response: Any) -> Any:
    response.error_on_dryrun()
    tables = response.ec2_backend.describe_route_tables(
        response._get_param("RouteTableIds", []), response._filters_from_querystring()
    )
    return ActionResult({"RouteTables": [_described_table(table) for table in tables]})


def _described_table(table: Any) -> Row:
    return {
        "RouteTableId": table.id,
        "VpcId": table.vpc_id,
        "OwnerId": table.owner_id,
        "Associations": table.associations,
        "Routes": _observed(table),
        "PropagatingVgws": [],
        "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in table.get_tags()],
    }


@replaces(RouteTables, "create_route")
def create_route(response: Any) -> Any:
    table, destination = _named_table(response), _destination(response)
    if _find(table, destination) is not None:
        raise refuse("RouteAlreadyExists", f"The route identified by {destination} already exists.")
    _check_range(table, destination)
    if sum(map(_counted, table.routes)) >= ground().settings.route_quota:
        raise refuse("RouteLimitExceeded", f"You've reached the limit of routes of route table {table.id}.")
    target = _target(response, table)
    response.error_on_dryrun()
    _remember(table)
    route = _made(response.ec2_backend, table, destination, target)
    table._routes[route.id] = route
    return ActionResult({"Return": True})


@replaces(RouteTables, "replace_route")
def replace_route(response: Any) -> Any:
    table, destination = _named_table(response), _destination(response)
    present = _find(table, destination)
    if present is None:
        raise refuse(
            "InvalidParameterValue",
            f"There is no route defined for '{destination}' in the route table. Use CreateRoute instead.",
        )
    target = _target(response, table)
    response.error_on_dryrun()
    _remember(table)
    table._routes[present.id] = _made(response.ec2_backend, table, destination, target)
    return EmptyResult()


@replaces(RouteTables, "delete_route")
def delete_route(response: Any) -> Any:
    table, destination = _named_table(response), _destination(response)
    present = _find(table, destination)
    if present is None:
        raise refuse(
            "InvalidRoute.NotFound", f"no route with destination-cidr-block {destination} in route table {table.id}"
        )
    if present.local:
        raise refuse("InvalidParameterValue", f"cannot remove local route {destination} in route table {table.id}")
    response.error_on_dryrun()
    _remember(table)
    del table._routes[present.id]
    return EmptyResult()


def _counted(route: Any) -> int:
    """How many routes of the quota a route is: of a prefix list, the most entries that it may have."""
    if route.destination_prefix_list is not None:
        return int(route.destination_prefix_list.max_entries)
    return 0 if route.local else 1


def _remember(table: Any) -> None:
    ground().remember(f"routes:{table.id}", [described(table, route) for route in table.routes])


def _named_table(response: Any) -> Any:
    return response.ec2_backend.get_route_table(response._get_param("RouteTableId"))


def _destination(response: Any) -> str:
    given = [(name, str(value)) for name in _DESTINATIONS if (value := response._get_param(name))]
    if len(given) != 1:
        raise refuse("MissingParameter", "The request must contain exactly one destination")
    name, value = given[0]
    if name == "DestinationPrefixListId":
        if value not in response.ec2_backend.managed_prefix_lists:
            raise refuse("InvalidPrefixListID.NotFound", f"The prefix list ID '{value}' does not exist")
        return value
    family = ipaddress.IPv6Network if name == "DestinationIpv6CidrBlock" else ipaddress.IPv4Network
    try:
        return str(family(value, strict=False))
    except ValueError:
        message = f"Value ({value}) for parameter {name} is not a valid CIDR block"
        raise refuse("InvalidParameterValue", message) from None


def _find(table: Any, destination: str) -> Any:
    for route in table.routes:
        named = (route.destination_cidr_block, route.destination_ipv6_cidr_block, route.destination_prefix_list_id)
        if destination in named:
            return route
    return None


def _check_range(table: Any, destination: str) -> None:
    """A route that is more specific than the VPC's own (local) one has the range of a whole subnet as its destination.

    https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html, "Example routing options".
    """
    backend = table.ec2_backend
    local = ipaddress.IPv4Network(backend.get_vpc(table.vpc_id).cidr_block)
    if destination.startswith("pl-") or ":" in destination:
        return
    desired = ipaddress.IPv4Network(destination)
    subnets = [one.cidr for zone in backend.subnets.values() for one in zone.values() if one.vpc_id == table.vpc_id]
    if desired.subnet_of(local) and desired not in subnets:
        raise refuse(
            "InvalidParameterValue",
            f"The destination CIDR block {destination} is equal to or more specific than one of this VPC's CIDR blocks."
            " This route can target only an interface or an instance, and must be the CIDR of a subnet.",
        )


def _target(response: Any, table: Any) -> dict[str, str]:
    given = {argument: str(value) for name, argument in _TARGETS.items() if (value := response._get_param(name))}
    if len(given) != 1:
        raise refuse("InvalidParameterCombination", "The request must contain exactly one target")
    if "interface_id" in given:
        interface = response.ec2_backend.get_network_interface(given["interface_id"])
        if interface.subnet.vpc_id != table.vpc_id:
            raise refuse(
                "InvalidParameterValue",
                f"route table {table.id} and interface {interface.id} belong to different networks",
            )
    return given


def _made(backend: Any, table: Any, destination: str, target: dict[str, str]) -> Any:
    """moto looks up the target and makes a route, which it stores in the table."""
    kind = "destination_prefix_list_id" if destination.startswith("pl-") else "destination_cidr_block"
    if ":" in destination:
        kind = "destination_ipv6_cidr_block"
    if "interface_id" not in target:
        before = dict(table._routes)
        table._routes = {key: route for key, route in before.items() if route is not _find(table, destination)}
        try:
            return RouteBackend.create_route(
                backend, table.id, **{"destination_cidr_block": None, kind: destination}, **target
            )
        except Exception:
            table._routes = before
            raise
    lists = backend.managed_prefix_lists.get(destination) if kind == "destination_prefix_list_id" else None
    return Route(
        table,
        destination if kind == "destination_cidr_block" else None,
        destination if kind == "destination_ipv6_cidr_block" else None,
        lists,
        interface=backend.get_network_interface(target["interface_id"]),
    )
