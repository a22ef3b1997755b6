"""Route tables over HTTP: what CreateRoute, ReplaceRoute and DeleteRoute document, and EC2's request token buckets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws import side
from tests.lab.aws.request_tokens import RequestTokens

from .conftest import Account, Network, eventually, launch
from .test_addresses import code_of

VIP = "127.51.240.9/32"


def table(account: Account, network: Network) -> str:
    made = account.ec2.create_route_table(VpcId=network.vpc_id)["RouteTable"]["RouteTableId"]
    account.ec2.associate_route_table(RouteTableId=made, SubnetId=network.subnets["a"]["client"])
    return str(made)


def route(account: Account, table_id: str, destination: str = VIP) -> dict[str, Any]:
    found = account.ec2.describe_route_tables(Filters=[{"Name": "route-table-id", "Values": [table_id]}])["RouteTables"]
    named = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    routes = [one for one in found[0]["Routes"] if destination in [one.get(name) for name in named]]
    return dict(routes[0]) if routes else {}


def nodes(account: Account, network: Network) -> tuple[str, str]:
    first, second = launch(account, network, count=2)
    return first["NetworkInterfaces"][1]["NetworkInterfaceId"], second["NetworkInterfaces"][1]["NetworkInterfaceId"]


def refused(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**given)
    return code_of(error)


def test_a_route_is_created_once_and_replaced_while_it_is_there(account: Account, network: Network) -> None:
    ec2, table_id, (first, second) = account.ec2, table(account, network), nodes(account, network)
    here = {"RouteTableId": table_id, "DestinationCidrBlock": VIP}
    assert refused(ec2.replace_route, **here, NetworkInterfaceId=first) == "InvalidParameterValue"
    ec2.create_route(**here, NetworkInterfaceId=first)
    assert refused(ec2.create_route, **here, NetworkInterfaceId=second) == "RouteAlreadyExists"
    assert route(account, table_id) == {
        "DestinationCidrBlock": VIP,
        "NetworkInterfaceId": first,
        "Origin": "CreateRoute",
        "State": "active",
    }
    ec2.replace_route(**here, NetworkInterfaceId=second)
    assert route(account, table_id)["NetworkInterfaceId"] == second
    assert refused(ec2.replace_route, **here, NetworkInterfaceId="eni-0") == "InvalidNetworkInterfaceID.NotFound"
    ec2.delete_route(**here)
    assert refused(ec2.delete_route, **here) == "InvalidRoute.NotFound"


def test_an_address_outside_of_the_vpc_belongs_to_the_node_that_its_route_leads_to(
    account: Account, network: Network
) -> None:
    ec2, table_id = account.ec2, table(account, network)
    node, other = launch(account, network, count=2)
    vip, interface = VIP.partition("/")[0], node["NetworkInterfaces"][1]["NetworkInterfaceId"]
    assert account.side.instance_at(vip) is None
    ec2.create_route(RouteTableId=table_id, DestinationCidrBlock=VIP, NetworkInterfaceId=interface)
    assert account.side.instance_at(vip) is None, "the destination check drops packets"
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": False})
    found = account.side.instance_at(vip)
    assert found is not None
    assert found.instance_id == node["InstanceId"]
    second = table(account, network)
    ec2.create_route(
        RouteTableId=second,
        DestinationCidrBlock=VIP,
        NetworkInterfaceId=other["NetworkInterfaces"][1]["NetworkInterfaceId"],
    )
    ec2.associate_route_table(RouteTableId=second, SubnetId=network.subnets["b"]["client"])
    assert account.side.instance_at(vip) is None, "the tables disagree"


def test_other_destinations(account: Account, network: Network) -> None:
    ec2, table_id, (first, second) = account.ec2, table(account, network), nodes(account, network)
    entries = [{"Cidr": VIP}, {"Cidr": "127.51.240.10/32"}]
    made = ec2.create_managed_prefix_list(PrefixListName="vips", AddressFamily="IPv4", MaxEntries=10, Entries=entries)[
        "PrefixList"
    ]["PrefixListId"]
    for name, value in (("DestinationPrefixListId", made), ("DestinationIpv6CidrBlock", "2001:db8::9/128")):
        ec2.create_route(RouteTableId=table_id, **{name: value}, NetworkInterfaceId=first)
        ec2.replace_route(RouteTableId=table_id, **{name: value}, NetworkInterfaceId=second)
        assert route(account, table_id, value)["NetworkInterfaceId"] == second
    hop = account.side.network().hop(network.subnets["a"]["client"], "127.51.240.10")
    assert hop is not None
    assert hop.interface_id == second


def test_what_a_table_does_not_take(account: Account, network: Network) -> None:
    ec2, table_id, (first, _second) = account.ec2, table(account, network), nodes(account, network)
    at = {"RouteTableId": table_id, "NetworkInterfaceId": first}
    assert refused(ec2.create_route, **at, DestinationCidrBlock="127.50.12.9/32") == "InvalidParameterValue"
    assert refused(ec2.create_route, **{**at, "RouteTableId": "rtb-0"}, DestinationCidrBlock=VIP) == (
        "InvalidRouteTableID.NotFound"
    )
    other = ec2.create_vpc(CidrBlock="127.50.0.0/16")["Vpc"]["VpcId"]
    stranger = ec2.create_route_table(VpcId=other)["RouteTable"]["RouteTableId"]
    assert refused(ec2.create_route, **{**at, "RouteTableId": stranger}, DestinationCidrBlock=VIP) == (
        "InvalidParameterValue"
    )
    account.side.settings.route_quota = 1
    ec2.create_route(**at, DestinationCidrBlock=VIP)
    assert refused(ec2.create_route, **at, DestinationCidrBlock="127.51.240.10/32") == "RouteLimitExceeded"


def test_a_route_to_an_interface_that_is_gone_is_a_blackhole(account: Account, network: Network) -> None:
    ec2, table_id = account.ec2, table(account, network)
    spare = ec2.create_network_interface(SubnetId=network.subnets["a"]["client"])["NetworkInterface"]
    ec2.create_route(RouteTableId=table_id, DestinationCidrBlock=VIP, NetworkInterfaceId=spare["NetworkInterfaceId"])
    assert route(account, table_id)["State"] == "blackhole"
    ec2.delete_network_interface(NetworkInterfaceId=spare["NetworkInterfaceId"])
    assert route(account, table_id)["State"] == "blackhole"


def test_readers_may_lag_behind_a_route(account: Account, network: Network) -> None:
    ec2, table_id, (first, second) = account.ec2, table(account, network), nodes(account, network)
    here = {"RouteTableId": table_id, "DestinationCidrBlock": VIP}
    ec2.create_route(**here, NetworkInterfaceId=first)
    account.side.settings.lag = 600.0
    ec2.replace_route(**here, NetworkInterfaceId=second)
    assert route(account, table_id).get("NetworkInterfaceId") != second
    eventually(lambda: route(account, table_id).get("NetworkInterfaceId") == second)


def test_calls_beyond_the_bucket_are_throttled(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side, "time", SimpleNamespace(monotonic=lambda: 0.0))
    account.side.settings.throttled = True
    for _turn in range(5):
        refused(account.ec2.run_instances, ImageId="ami-0", MinCount=1, MaxCount=1)
    assert refused(account.ec2.run_instances, ImageId="ami-0", MinCount=1, MaxCount=1) == "RequestLimitExceeded"
    account.ec2.describe_vpcs()


def test_a_bucket_refills_each_second() -> None:
    tokens = RequestTokens()
    assert sum(tokens.take("ReplaceRoute", {}, 0.0) for _turn in range(60)) == 50
    assert sum(tokens.take("CreateRoute", {}, 0.0) for _turn in range(60)) == 50  # "on a per-API basis"
    assert sum(tokens.take("ReplaceRoute", {}, 2.0) for _turn in range(60)) == 10
    assert sum(tokens.take("AssignPrivateIpAddresses", {}, 0.0) for _turn in range(200)) == 100
    assert sum(tokens.take("DescribeNetworkInterfaces", {}, 0.0) for _turn in range(200)) == 50
    assert sum(tokens.take("DescribeNetworkInterfaces", {"Filter.1.Name": "x"}, 0.0) for _turn in range(200)) == 100
