"""What becomes of moves when another writer, or a refusal, comes between two calls. EC2 is in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.private_ip_plan import (
    AddressChange,
    Family,
    Holder,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.registry import PRIVATE_IP, ROUTE
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.route_plan import RouteChange

VIP, V6 = "10.99.0.9/32", "2001:db8::9"


@dataclass
class Ec2:
    """One route and one IPv6 address. ``before_call``: what another writer does before the n-th write (from 0).

    ``in_use``: how many assignments are refused because EC2 has not caught up with the unassignment.
    """

    route: str | None = None
    holder: str | None = None
    full: frozenset[str] = frozenset()
    in_use: int = 0
    before_call: Callable[[Ec2, int], None] = lambda _ec2, _number: None
    writes: list[str] = field(default_factory=list)

    def _begin(self, action: str) -> None:
        self.before_call(self, len(self.writes))
        self.writes.append(action)

    @staticmethod
    def _refuse(code: str, action: str) -> ClientError:
        return ClientError({"Error": {"Code": code, "Message": "no"}}, action)

    def replace_route(self, **given: str) -> None:
        self._begin("ReplaceRoute")
        if self.route is None:
            raise self._refuse("InvalidParameterValue", "ReplaceRoute")
        self.route = given["NetworkInterfaceId"]

    def create_route(self, **given: str) -> None:
        self._begin("CreateRoute")
        if self.route is not None:
            raise self._refuse("RouteAlreadyExists", "CreateRoute")
        self.route = given["NetworkInterfaceId"]

    def unassign_ipv6_addresses(self, **given: Any) -> None:
        self._begin("UnassignIpv6Addresses")
        if self.holder != given["NetworkInterfaceId"]:
            raise self._refuse("InvalidParameterValue", "UnassignIpv6Addresses")
        self.holder = None

    def assign_ipv6_addresses(self, **given: Any) -> None:
        self._begin("AssignIpv6Addresses")
        if given["NetworkInterfaceId"] in self.full:
            raise self._refuse("PrivateIpAddressLimitExceeded", "AssignIpv6Addresses")
        if self.in_use:
            self.in_use -= 1
            raise self._refuse("InvalidIPAddress.InUse", "AssignIpv6Addresses")
        self.holder = given["NetworkInterfaceId"]

    def get_paginator(self, name: str) -> Ec2:
        return self

    def paginate(self, **_given: Any) -> Ec2:
        return self

    def build_full_result(self) -> dict[str, Any]:
        route = {"DestinationCidrBlock": VIP, "NetworkInterfaceId": self.route, "State": "active"}
        addresses = [{"Ipv6Address": V6}]
        return {
            "RouteTables": [{"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": [route] if self.route else []}],
            "NetworkInterfaces": [
                {
                    "NetworkInterfaceId": name,
                    "VpcId": "vpc-1",
                    "PrivateIpAddress": "10.0.1.4",
                    "Ipv6Addresses": addresses if name == self.holder else [],
                }
                for name in ("eni-a", "eni-b", "eni-c")
            ],
        }


def move_route(ec2: Ec2, before: str | None) -> str | None:
    change = RouteChange("rtb-1", VIP, before, "eni-b")
    return ROUTE.verify(ROUTE.move(ec2, [change], 3.0, permit=lambda _change: None, sleep=lambda _seconds: None))


def move_address(ec2: Ec2, permit: Callable[[AddressChange], str | None] = lambda _change: None) -> str | None:
    before = Holder(ec2.holder) if ec2.holder else None
    change = AddressChange(V6, Family.IPV6, before, Holder("eni-b"), "vpc-1")
    return PRIVATE_IP.verify(PRIVATE_IP.move(ec2, [change], 3.0, permit=permit, sleep=lambda _seconds: None))


def deleted(ec2: Ec2, number: int) -> None:
    ec2.route = None if number == 0 else ec2.route


def created(target: str) -> Callable[[Ec2, int], None]:
    def create(ec2: Ec2, number: int) -> None:
        ec2.route = target if number == 0 else ec2.route

    return create


def test_a_route_that_was_deleted_meanwhile_is_created() -> None:
    ec2 = Ec2(route="eni-a", before_call=deleted)
    assert move_route(ec2, "eni-a") is None
    assert (ec2.route, ec2.writes) == ("eni-b", ["ReplaceRoute", "CreateRoute"])


def test_a_route_that_was_created_meanwhile_is_not_taken() -> None:
    ec2 = Ec2(before_call=created("eni-c"))
    message = move_route(ec2, None)
    assert message is not None
    assert "RouteAlreadyExists" in message
    assert "leading to eni-c" in message
    assert (ec2.route, ec2.writes) == ("eni-c", ["CreateRoute"])


def test_a_route_that_was_created_as_desired_is_fine() -> None:
    ec2 = Ec2(before_call=created("eni-b"))
    assert (move_route(ec2, None), ec2.writes) == (None, ["CreateRoute"])


def test_a_refused_replacement_is_not_repeated_while_the_route_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(ec2: Ec2, **_given: str) -> None:
        ec2._begin("ReplaceRoute")
        raise ec2._refuse("InvalidParameterValue", "ReplaceRoute")

    monkeypatch.setattr(Ec2, "replace_route", refuse)
    ec2 = Ec2(route="eni-a")
    assert move_route(ec2, "eni-a") is not None
    assert ec2.writes == ["ReplaceRoute"]


def test_an_address_is_unassigned_and_assigned() -> None:
    ec2 = Ec2(holder="eni-a")
    assert (move_address(ec2), ec2.holder) == (None, "eni-b")
    assert ec2.writes == ["UnassignIpv6Addresses", "AssignIpv6Addresses"]


def test_an_address_goes_back_if_its_assignment_is_refused() -> None:
    ec2 = Ec2(holder="eni-a", full=frozenset({"eni-b"}))
    message = move_address(ec2)
    assert message is not None
    assert "PrivateIpAddressLimitExceeded" in message
    assert ec2.holder == "eni-a"
    assert ec2.writes == ["UnassignIpv6Addresses", "AssignIpv6Addresses", "AssignIpv6Addresses"]


def test_an_address_without_interface_is_assigned_only() -> None:
    ec2 = Ec2()
    assert (move_address(ec2), ec2.holder, ec2.writes) == (None, "eni-b", ["AssignIpv6Addresses"])


def test_an_address_goes_back_if_the_primary_changed_while_it_was_unassigned() -> None:
    ec2 = Ec2(holder="eni-a")
    message = move_address(ec2, permit=lambda _change: "node 0 says Primary now")
    assert message is not None
    assert "was taken off and put back, because node 0 says Primary now (it is at eni-a)" in message
    assert (ec2.holder, ec2.writes) == ("eni-a", ["UnassignIpv6Addresses", "AssignIpv6Addresses"])


def test_an_address_is_assigned_again_while_ec2_counts_it_as_in_use() -> None:
    ec2 = Ec2(holder="eni-a", in_use=2)
    assert (move_address(ec2), ec2.holder) == (None, "eni-b")
    assert ec2.writes == ["UnassignIpv6Addresses", *["AssignIpv6Addresses"] * 3]


def test_an_address_that_was_unassigned_meanwhile_is_assigned() -> None:
    def unassigned(ec2: Ec2, number: int) -> None:
        ec2.holder = None if number == 0 else ec2.holder

    ec2 = Ec2(holder="eni-a", before_call=unassigned)
    assert (move_address(ec2), ec2.holder) == (None, "eni-b")
    assert ec2.writes == ["UnassignIpv6Addresses", "AssignIpv6Addresses"]
