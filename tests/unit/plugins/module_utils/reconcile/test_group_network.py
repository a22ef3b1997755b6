"""Routes of the nodes of a zone, and subnets that cannot be those of a group."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_network import (
    route_problems,
    subnet_problems,
    zone_network,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group

A = {"name": "a", "management_subnet_id": "m-a", "client_subnet_id": "c-a", "server_subnet_id": "s-a"}
B = {"name": "b", "management_subnet_id": "m-b", "client_subnet_id": "c-b", "server_subnet_id": "s-b"}
SUBNETS = [
    {"SubnetId": name, "CidrBlock": cidr, "VpcId": "vpc-1", "AvailabilityZone": name[-1]}
    for name, cidr in (
        ("m-a", "10.0.1.0/24"),
        ("c-a", "10.0.2.0/24"),
        ("s-a", "10.0.3.0/24"),
        ("m-b", "10.0.11.0/24"),
        ("c-b", "10.0.12.0/24"),
        ("s-b", "10.0.13.0/24"),
        ("app-a", "10.0.20.0/25"),
    )
]


def definition(*addresses: str, **changes: Any) -> dict[str, Any]:
    backends = [{"address": address, "port": 80} for address in addresses]
    web = {"name": "web", "protocol": "HTTP", "port": 80, "backends": backends}
    given = {"name": "shop", "zones": [A, B], "applications": [web], **changes}
    return read_group({f"autoscale_group_{key}": value for key, value in given.items()})[0]


def routes(group: dict[str, Any], *subnet_ids: str) -> list[tuple[str, str]]:
    found = zone_network(group["zones"][0], group, SUBNETS, subnet_ids)["routes"]
    return [(one["network"], one["gateway"]) for one in found]


@pytest.mark.parametrize(
    ("addresses", "networks"),
    [
        pytest.param(["10.0.3.9"], [], id="own server subnet is connected"),
        pytest.param(["10.0.1.9"], [], id="own management subnet is never routed"),
        pytest.param(["10.0.13.9", "10.0.13.10"], ["10.0.13.0/24"], id="server subnet of the other zone, once"),
        pytest.param(["10.0.20.9", "10.0.13.9"], ["10.0.13.0/24", "10.0.20.0/25"], id="application subnet"),
        pytest.param(["192.0.2.9"], [], id="outside of the VPC"),
        pytest.param(["backend.example.com"], [], id="a name"),
    ],
)
def test_routes_go_to_the_subnets_of_back_ends(addresses: list[str], networks: list[str]) -> None:
    assert routes(definition(*addresses)) == [(one, "10.0.3.1") for one in networks]


def test_subnets_of_a_followed_group_and_declared_networks_get_routes() -> None:
    group = definition(backend_cidrs=["172.16.0.0/12"])
    assert routes(group, "app-a") == [("10.0.20.0/25", "10.0.3.1"), ("172.16.0.0/12", "10.0.3.1")]


def test_management_subnets_of_all_zones_are_protected() -> None:
    group = definition()
    assert zone_network(group["zones"][0], group, SUBNETS)["protected_networks"] == ["10.0.1.0/24", "10.0.11.0/24"]


def test_policy_based_routes_start_from_the_data_subnets() -> None:
    group = definition(return_path="pbr")
    found = zone_network(group["zones"][0], group, SUBNETS)
    assert found["return_gateways"] == [
        {"network": "10.0.2.0/24", "gateway": "10.0.2.1"},
        {"network": "10.0.3.0/24", "gateway": "10.0.3.1"},
    ]
    assert found["client_netmask"] == "255.255.255.0"


def test_network_that_contains_a_management_subnet_is_refused() -> None:
    [first, second] = route_problems(definition(backend_cidrs=["10.0.0.0/16"]), SUBNETS)
    assert "10.0.0.0/16 contains the management subnet 10.0.1.0/24" in first
    assert "10.0.11.0/24" in second
    assert route_problems(definition(backend_cidrs=["172.16.0.0/12"]), SUBNETS) == []


@pytest.mark.parametrize(
    ("zones", "message"),
    [
        ([A, B], None),
        ([{**A, "client_subnet_id": "c-x"}], "There is no subnet c-x in this account and region."),
        ([{**A, "client_subnet_id": "c-b"}], "Subnet c-b of zone a is in b."),
        ([{**A, "clip": "10.9.9.9"}], "The clip 10.9.9.9 of zone a is not in its management subnet m-a (10.0.1.0/24)."),
        ([{**A, "clip": "10.0.1.250"}], None),
    ],
)
def test_subnets_of_back_ends_are_found(zones: list[dict[str, str]], message: str | None) -> None:
    found = subnet_problems(definition(zones=zones, topology="cluster"), SUBNETS)
    assert found == ([message] if message else [])


def test_subnets_of_two_vpcs_are_refused() -> None:
    other = [{**one, "VpcId": "vpc-2"} if one["SubnetId"] == "s-b" else one for one in SUBNETS]
    assert "The subnets must be in one VPC; they are in vpc-1, vpc-2." in subnet_problems(definition(), other)
