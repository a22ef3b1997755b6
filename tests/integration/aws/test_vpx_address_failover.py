"""vpx_address_failover over HTTP: all kinds in one task, what it calls, and what it refuses."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.attachments import changes

from .conftest import Cloud


@dataclass(frozen=True, slots=True)
class Site:
    """Two nodes' interfaces by role, in the subnets of one zone; ``routed``: the first half of routed addresses."""

    cloud: Cloud
    here: dict[str, str]
    there: dict[str, str]
    tables: tuple[str, str]
    routed: str

    def table(self, table_id: str) -> dict[str, str | None]:
        """Destination → interface."""
        described = self.cloud.ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"][0]["Routes"]
        names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
        return {str(next(one[n] for n in names if n in one)): one.get("NetworkInterfaceId") for one in described}

    def addresses(self, interface_id: str) -> list[str]:
        [found] = self.cloud.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface_id])["NetworkInterfaces"]
        return [
            *(one["PrivateIpAddress"] for one in found["PrivateIpAddresses"]),
            *(one["Ipv6Address"] for one in found.get("Ipv6Addresses", [])),
            *(one["Ipv4Prefix"] for one in found.get("Ipv4Prefixes", [])),
        ]


def _interface(cloud: Cloud, role: str) -> str:
    made = cloud.ec2.create_network_interface(SubnetId=cloud.subnets(0)[role])["NetworkInterface"]
    interface = str(made["NetworkInterfaceId"])
    cloud.ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": False})
    return interface


def _table(cloud: Cloud, **tags: str) -> str:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    specification = [{"ResourceType": "route-table", "Tags": listed}] if listed else []
    made = cloud.ec2.create_route_table(VpcId=cloud.seed["vpc_id"], TagSpecifications=specification)
    return str(made["RouteTable"]["RouteTableId"])


@pytest.fixture
def site(cloud: Cloud) -> Site:
    here, there = ({role: _interface(cloud, role) for role in ("client", "server")} for _turn in range(2))
    tables = _table(cloud, vips="web"), _table(cloud, vips="web")
    return Site(cloud, here, there, tables, cloud.seed["routed_cidr"].rpartition(".")[0])


def test_all_kinds_move_in_one_task(site: Site) -> None:
    cloud, here, there = site.cloud, site.here, site.there
    public, allocation = cloud.allocate()
    second, following = cloud.allocate()
    prefix = site.addresses(here["client"])[0].rpartition(".")[0]
    vip, snip, route = f"{prefix}.50", f"{cloud.seed['vpc_cidr'].rpartition('.')[0][:-2]}.21.50", f"{site.routed}.9/32"
    cloud.ec2.assign_private_ip_addresses(NetworkInterfaceId=here["client"], PrivateIpAddresses=[vip])
    cloud.ec2.assign_private_ip_addresses(NetworkInterfaceId=here["server"], PrivateIpAddresses=[snip])
    cloud.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=here["client"])
    cloud.ec2.associate_address(AllocationId=following, NetworkInterfaceId=here["client"], PrivateIpAddress=vip)
    cloud.ec2.create_route(RouteTableId=site.tables[0], DestinationCidrBlock=route, NetworkInterfaceId=here["client"])
    moves = [
        {"kind": "elastic_ip", "elastic_ip": public, "network_interface_id": there["client"]},
        {"kind": "private_ip", "private_ip_address": vip, "network_interface_id": there["client"]},
        {"kind": "private_ip", "private_ip_address": snip, "network_interface_id": there["server"]},
        {"kind": "route", "destination": route, "route_table_tags": {"vips": "web"},
         "network_interface_id": there["client"]},
    ]  # fmt: skip
    # Interfaces without an instance make their route a blackhole: one reading more tells whether they exist.
    looks = Counter(DescribeAddresses=1, DescribeNetworkInterfaces=5, DescribeRouteTables=1)

    predicted = cloud.run("vpx_address_failover", moves=moves, expected_owners=list(here.values()), check=True)
    assert (predicted["changed"], cloud.calls) == (True, looks)
    moved = cloud.run("vpx_address_failover", moves=moves, expected_owners=list(here.values()))
    assert not moved["failed"], moved
    assert moved["moves"] == predicted["moves"]
    assert cloud.writes == Counter(AssociateAddress=1, AssignPrivateIpAddresses=2, ReplaceRoute=1, CreateRoute=1)
    assert cloud.calls - cloud.writes == looks + Counter(
        DescribeAddresses=1, DescribeNetworkInterfaces=1, DescribeRouteTables=1
    )
    assert [(one["kind"], one["after"]["network_interface_id"]) for one in moved["moves"]] == [
        ("elastic_ip", there["client"]),
        ("private_ip", there["client"]),
        ("private_ip", there["server"]),
        ("route", there["client"]),
        ("route", there["client"]),
    ]
    assert moved["moves"][1]["public_ip"] == second
    assert cloud.association(allocation)[0] == there["client"]
    assert cloud.association(following) == (there["client"], vip)
    assert [site.table(one)[route] for one in site.tables] == [there["client"]] * 2
    assert (vip in site.addresses(there["client"]), snip in site.addresses(there["server"])) == (True, True)

    again = cloud.run("vpx_address_failover", moves=moves, expected_owners=[])
    assert (again["changed"], cloud.writes) == (False, Counter())


def test_what_ec2_does_not_reassign_is_unassigned_first(site: Site) -> None:
    cloud, here, there = site.cloud, site.here["client"], site.there["client"]
    subnet = cloud.subnets(0)["client"]
    cloud.ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock="2001:db8:0:1::/64")
    prefix = site.addresses(here)[0].rpartition(".")[0] + ".64/28"
    cloud.ec2.assign_private_ip_addresses(NetworkInterfaceId=here, Ipv4Prefixes=[prefix])
    cloud.ec2.assign_ipv6_addresses(NetworkInterfaceId=here, Ipv6Addresses=["2001:db8:0:1::10", "2001:db8:0:1::11"])
    moves = [
        {"kind": "private_ip", "private_ip_address": address, "network_interface_id": there}
        for address in (prefix, "2001:db8:0:1::10", "2001:db8:0:1::11")
    ]
    moved = cloud.run("vpx_address_failover", moves=moves)
    assert not moved["failed"], moved
    assert cloud.writes == Counter(
        UnassignPrivateIpAddresses=1, AssignPrivateIpAddresses=1, UnassignIpv6Addresses=1, AssignIpv6Addresses=1
    )
    assert site.addresses(there)[1:] == ["2001:db8:0:1::10", "2001:db8:0:1::11", prefix]
    assert len(site.addresses(here)) == 1


def test_nothing_of_any_kind_is_moved_if_one_is_refused(site: Site) -> None:
    cloud, here, there = site.cloud, site.here["client"], site.there["client"]
    public, allocation = cloud.allocate()
    cloud.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=here)
    cloud.ec2.modify_network_interface_attribute(NetworkInterfaceId=there, SourceDestCheck={"Value": True})
    moves = [
        {"kind": "elastic_ip", "elastic_ip": public, "network_interface_id": there},
        {"kind": "private_ip", "private_ip_address": site.addresses(here)[0], "network_interface_id": there},
        {"kind": "route", "destination": f"{site.routed}.9/32", "route_table_ids": [site.tables[0]],
         "network_interface_id": there},
    ]  # fmt: skip
    result = cloud.run("vpx_address_failover", moves=moves)
    assert result["failed"]
    assert f"{there}: its source/destination check is on" in result["msg"]
    assert f"primary address of {here}" in result["msg"]
    assert cloud.writes == Counter()
    foreign = cloud.run("vpx_address_failover", moves=[{**moves[0], "destination": "10.99.0.9/32"}])
    assert "an entry of kind elastic_ip takes no destination" in foreign["msg"]


def test_routes_of_a_shared_vpc_are_changed_as_a_role(site: Site) -> None:
    cloud, there = site.cloud, site.there["client"]
    role = cloud.lab.boto("iam").create_role(RoleName="change-routes", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    move = {"kind": "route", "destination": f"{site.routed}.9/32", "route_table_ids": list(site.tables)}
    result = cloud.run("vpx_address_failover", moves=[{**move, "role_arn": role, "network_interface_id": there}])
    assert not result["failed"], result
    assert cloud.calls == Counter(
        AssumeRole=1, DescribeRouteTables=2, DescribeNetworkInterfaces=1, CreateRoute=len(site.tables)
    )


@pytest.mark.parametrize("fault", ["lose", "throttle"])
def test_calls_that_fail_are_judged_again(site: Site, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LANDING_SECONDS", 1.5)
    cloud, there = site.cloud, site.there["client"]
    destinations = [f"{site.routed}.{number}/32" for number in range(1, 5)]
    for one in destinations:
        cloud.ec2.create_route(
            RouteTableId=site.tables[0], DestinationCidrBlock=one, NetworkInterfaceId=site.here["client"]
        )
    moves: list[dict[str, Any]] = [
        {"kind": "route", "destination": one, "route_table_ids": list(site.tables), "network_interface_id": there}
        for one in destinations
    ]
    cloud.lab.faults(aws={fault: 0.3}, seed=7)
    result = cloud.run("vpx_address_failover", moves=moves, verify=fault == "throttle")
    cloud.lab.faults()
    assert not result["failed"], result
    assert all(site.table(table)[one] == there for table in site.tables for one in destinations)
