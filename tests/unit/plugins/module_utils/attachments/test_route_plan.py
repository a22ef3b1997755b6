"""Decisions about routes, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.route_plan import (
    Observed,
    RouteChange,
    RouteRequest,
    plan,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Interface
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.routes import parse_route_tables
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal

VIP, ROLE = "10.99.0.9/32", "arn:aws:iam::111122223333:role/routes"
TAGGED = [{"Key": "vips", "Value": "web"}]
TABLES = parse_route_tables(
    [
        {
            "RouteTableId": "rtb-1",
            "VpcId": "vpc-1",
            "Tags": TAGGED,
            "Routes": [
                {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
                {
                    "DestinationCidrBlock": VIP,
                    "InstanceId": "i-a",
                    "NetworkInterfaceId": "eni-a",
                    "State": "active",
                },
            ],
        },
        {"RouteTableId": "rtb-2", "VpcId": "vpc-1", "Tags": TAGGED, "Routes": []},
        {
            "RouteTableId": "rtb-3",
            "VpcId": "vpc-1",
            "Routes": [
                {"DestinationCidrBlock": VIP, "GatewayId": "igw-1", "State": "active"},
                {"DestinationPrefixListId": "pl-0a", "NetworkInterfaceId": "eni-old", "State": "blackhole"},
                {"DestinationIpv6CidrBlock": "2001:db8::9/128", "NetworkInterfaceId": "eni-a", "State": "active"},
            ],
        },
        {"RouteTableId": "rtb-4", "VpcId": "vpc-2", "Routes": []},
    ]
)


def interface(name: str, check: bool = False) -> Interface:
    return Interface(name, ("10.0.1.4",), f"i-{name[-1]}", 1, vpc_id="vpc-1", source_dest_check=check)


INTERFACES = [interface("eni-a"), interface("eni-b"), interface("eni-c", check=True)]


def request(destination: str = VIP, *ids: str, to: str = "eni-b", **more: Any) -> RouteRequest:
    given = {"destination": destination, "network_interface_id": to, "route_table_ids": list(ids), **more}
    return RouteRequest.from_option(given)


def planned(*requests: RouteRequest, owners: list[str] | None = None, **more: Any) -> list[RouteChange]:
    existing = more.pop("existing", frozenset())
    return plan(requests, Observed({None: TABLES, ROLE: TABLES}, INTERFACES, existing), owners, **more)


def test_a_route_is_replaced_or_created_in_each_table_that_has_the_tags() -> None:
    changes = planned(request(route_table_tags={"vips": "web"}), owners=["eni-a"])
    assert [(one.route_table_id, one.before, one.after) for one in changes] == [
        ("rtb-1", "eni-a", "eni-b"),
        ("rtb-2", None, "eni-b"),
    ]


def test_each_kind_of_destination_is_found() -> None:
    changes = planned(request("pl-0a", "rtb-3"), request("2001:db8:0::9/128", "rtb-3", role_arn=ROLE), owners=["eni-a"])
    assert [(one.before, one.role_arn) for one in changes] == [("eni-old", None), ("eni-a", ROLE)]


@pytest.mark.parametrize(
    ("requests", "more", "message"),
    [
        ([request(VIP, "rtb-1", to="eni-c")], {}, "eni-c: its source/destination check is on"),
        ([request(VIP, "rtb-1")], {"owners": ["eni-x"]}, "leads to eni-a; it may be taken from eni-x only"),
        ([request(VIP, "rtb-3")], {}, "leads to igw-1, which is no interface"),
        ([request("pl-0a", "rtb-3")], {"owners": [], "existing": frozenset({"eni-old"})}, "leads to eni-old"),
        ([request(VIP, "rtb-4")], {}, "the route table belongs to vpc-2, the interface to vpc-1"),
        ([request(VIP, "rtb-1", "rtb-9")], {}, "in rtb-9: no such route table"),
        ([request(route_table_tags={"vips": "none"})], {}, "no route table is tagged vips=none"),
        ([request(VIP, "rtb-1"), request(VIP, "rtb-1", to="eni-a")], {}, "asked to go to eni-b and to eni-a"),
        ([request(VIP, "rtb-3"), request(VIP, "rtb-4")], {}, "rtb-3.*rtb-4"),
    ],
)
def test_what_is_refused_names_every_object(requests: list[RouteRequest], more: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        planned(*requests, **more)


def test_a_route_to_an_interface_that_is_gone_may_be_taken() -> None:
    assert planned(request("pl-0a", "rtb-3"), owners=[])[0].changed


def test_a_route_to_a_gateway_is_taken_on_demand() -> None:
    [change] = planned(request(VIP, "rtb-3"), owners=[], displace=True)
    assert change.result("eni-b", True)["before"] == {"network_interface_id": None, "target": "igw-1"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"destination": "10.99.0.9/24"}, "host bits"),
        ({"destination": "gateway"}, "prefix list"),
        ({"route_table_ids": []}, "route_table_ids or route_table_tags"),
        ({"route_table_tags": {"a": "b"}}, "and not both"),
        ({"network_interface_id": ""}, "neither an interface nor an instance"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        RouteRequest.from_option(
            {"destination": VIP, "network_interface_id": "eni-b", "route_table_ids": ["rtb-1"], **options}
        )
