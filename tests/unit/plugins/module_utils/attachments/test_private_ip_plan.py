"""Decisions about secondary private addresses, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.base import Verification
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.private_ip_plan import (
    AddressRequest,
    Family,
    Holder,
    plan,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Interface
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal

V6 = "2001:db8::5"


def interface(name: str, *addresses: str, subnet: str = "subnet-c", vpc: str = "vpc-1", **more: Any) -> Interface:
    return Interface(name, addresses, f"i-{name[-1]}", 1, subnet_id=subnet, vpc_id=vpc, **more)


A = interface(
    "eni-a",
    *("10.0.1.4", "10.0.1.50", "10.0.1.51"),
    ipv6_addresses=(V6,),
    prefixes=("10.0.1.64/28",),
    public={"10.0.1.51": "203.0.113.1"},
)
B = interface("eni-b", "10.0.1.5")
OTHER_SUBNET = interface("eni-c", "10.0.2.5", subnet="subnet-d")
OTHER_VPC = interface("eni-d", "10.0.1.50", vpc="vpc-2")
EVERY = [OTHER_VPC, A, B, OTHER_SUBNET]


def request(address: str, to: str = "eni-b") -> AddressRequest:
    return AddressRequest.from_option({"private_ip_address": address, "network_interface_id": to})


@pytest.mark.parametrize(
    ("address", "family", "before", "after"),
    [
        ("10.0.1.50", Family.IPV4, Holder("eni-a"), Holder("eni-b")),
        ("10.0.1.51", Family.IPV4, Holder("eni-a", "203.0.113.1"), Holder("eni-b", "203.0.113.1")),
        ("10.0.1.64/28", Family.PREFIX, Holder("eni-a"), Holder("eni-b")),
        ("2001:DB8:0::5", Family.IPV6, Holder("eni-a"), Holder("eni-b")),
        ("10.0.1.99", Family.IPV4, None, Holder("eni-b")),
    ],
)
def test_each_family_is_planned(address: str, family: Family, before: Holder | None, after: Holder) -> None:
    [change] = plan([request(address)], EVERY, ["eni-a"])
    assert (change.family, change.before, change.after, change.changed) == (family, before, after, True)


@pytest.mark.parametrize(
    ("requests", "owners", "message"),
    [
        ([request("10.0.1.4")], None, "primary address of eni-a"),
        ([request("10.0.1.50", "eni-c")], None, "of eni-a lies in subnet-c, eni-c in subnet-d"),
        ([request("10.0.1.50")], [], "held by eni-a; it may be taken from no interface only"),
        ([request("10.0.1.50"), request("10.0.1.50", "eni-a")], None, "was asked to go to eni-b and to eni-a"),
        ([request("10.0.1.50", "eni-0")], None, "cannot go to eni-0: it does not exist"),
        ([request("10.0.1.4"), request("10.0.1.50", "eni-c")], None, "10.0.1.4.*10.0.1.50"),
    ],
)
def test_what_is_refused_names_every_object(
    requests: list[AddressRequest], owners: list[str] | None, message: str
) -> None:
    with pytest.raises(Refusal, match=message):
        plan(requests, EVERY, owners)


@pytest.mark.parametrize("address", ["10.0.1.0/24", "10.0.1.65/28", "2001:db8::/80", "name", ""])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Refusal, match="cannot be moved"):
        request(address)


@pytest.mark.parametrize(
    ("observed", "verification"),
    [
        ([interface("eni-b", "10.0.1.5", "10.0.1.51", public={"10.0.1.51": "203.0.113.1"})], Verification.ARRIVED),
        ([interface("eni-b", "10.0.1.5", "10.0.1.51")], Verification.PENDING),
        ([A, B], Verification.PENDING),
        ([B], Verification.PENDING),
        ([interface("eni-c", "10.0.1.6", "10.0.1.51")], Verification.TAKEN),
        ([interface("eni-c", "10.0.1.6", "10.0.1.51", vpc="vpc-2")], Verification.PENDING),
    ],
    ids=["there", "without its Elastic IP", "as it was", "nowhere", "elsewhere", "in another VPC"],
)
def test_an_address_has_arrived_with_its_elastic_ip(observed: list[Interface], verification: Verification) -> None:
    [change] = plan([request("10.0.1.51")], EVERY, None)
    assert change.judge(observed) is verification
