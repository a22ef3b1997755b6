# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Route tables: EC2's calls, one function each, and what they describe, parsed once at the edge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict
from ansible_collections.amazon.aws.plugins.module_utils.transformation import ansible_dict_to_boto3_filter_list

from ..core.parsing import readable
from .client import Client
from .errors import aws_call

#: Where a route may lead, in the order in which a description is read: an instance's route names its interface, too.
_TARGETS = (
    *("NetworkInterfaceId", "GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId"),
    *("EgressOnlyInternetGatewayId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn", "OdbNetworkArn"),
    *("InstanceId", "IpAddress"),
)
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a table. ``target``: the id of what it leads to; ``blackhole``: that is not available."""

    destination: str
    target: str
    blackhole: bool = False


@dataclass(frozen=True, slots=True)
class RouteTable:
    """``routes``: by destination, an IPv4 or IPv6 range or the id of a prefix list."""

    route_table_id: str
    vpc_id: str
    routes: Mapping[str, Route] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@aws_call("describe route tables", lost=2)
def describe_route_tables(client: Client, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """DescribeRouteTables, all pages. Tables that do not exist are missing from the list."""
    given = ansible_dict_to_boto3_filter_list(dict(filters))
    pages = client.get_paginator("describe_route_tables").paginate(Filters=given)
    found: list[dict[str, Any]] = pages.build_full_result()["RouteTables"]
    return found


@readable("EC2's description of route tables")
def parse_route_tables(described: Iterable[Mapping[str, Any]]) -> list[RouteTable]:
    """Parse the RouteTables of a DescribeRouteTables reply."""
    return [
        RouteTable(
            route_table_id=item["RouteTableId"],
            vpc_id=item.get("VpcId", ""),
            routes={route.destination: route for route in map(_route, item.get("Routes", []))},
            tags=boto3_tag_list_to_ansible_dict(item.get("Tags", [])),
        )
        for item in described
    ]


def _route(item: Mapping[str, Any]) -> Route:
    destination = next((item[name] for name in _DESTINATIONS if item.get(name)), "")
    target = next((item[name] for name in _TARGETS if item.get(name)), "")
    return Route(destination, target, item.get("State") == "blackhole")


def destination_argument(destination: str) -> dict[str, str]:
    """Return the argument of CreateRoute, ReplaceRoute and DeleteRoute that names a destination."""
    if destination.startswith("pl-"):
        return {"DestinationPrefixListId": destination}
    return {"DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock": destination}


@aws_call("send {destination} of {route_table_id} to {network_interface_id}", retries=0)
def replace_route(client: Client, route_table_id: str, destination: str, network_interface_id: str) -> None:
    """ReplaceRoute in one atomic step; the route must be there. Made once: the caller judges again before a retry."""
    client.replace_route(
        RouteTableId=route_table_id, NetworkInterfaceId=network_interface_id, **destination_argument(destination)
    )


@aws_call("remove {destination} from {route_table_id}", retries=0)
def delete_route(client: Client, route_table_id: str, destination: str) -> None:
    """DeleteRoute, whatever the route leads to. Made once, as replace_route."""
    client.delete_route(RouteTableId=route_table_id, **destination_argument(destination))


@aws_call("create a route for {destination} in {route_table_id} to {network_interface_id}", retries=0)
def create_route(client: Client, route_table_id: str, destination: str, network_interface_id: str) -> None:
    """CreateRoute; a route for this destination must not be there. Made once, as replace_route."""
    client.create_route(
        RouteTableId=route_table_id, NetworkInterfaceId=network_interface_id, **destination_argument(destination)
    )
