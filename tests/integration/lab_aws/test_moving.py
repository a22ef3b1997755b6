"""Private addresses that move, over HTTP: what AssignPrivateIpAddresses documents, and what follows an address."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Account, Network, eventually, launch
from .test_addresses import allocate, code_of, secondary, two_nodes


def addresses(account: Account, interface_id: str) -> list[str]:
    found = account.ec2.describe_network_interfaces(
        Filters=[{"Name": "network-interface-id", "Values": [interface_id]}]
    )["NetworkInterfaces"][0]
    return [item["PrivateIpAddress"] for item in found["PrivateIpAddresses"]]


def assign(account: Account, interface: dict[str, Any], *named: str, **more: Any) -> Any:
    given = {"PrivateIpAddresses": list(named)} if named else {}
    return account.ec2.assign_private_ip_addresses(NetworkInterfaceId=interface["NetworkInterfaceId"], **given, **more)


def test_an_address_moves_with_its_elastic_ip(account: Account, network: Network) -> None:
    first, second = two_nodes(account, network)
    address, allocation = secondary(first), allocate(account)
    account.ec2.associate_address(
        AllocationId=allocation, NetworkInterfaceId=first["NetworkInterfaceId"], PrivateIpAddress=address
    )
    with pytest.raises(ClientError) as in_use:
        assign(account, second, address)
    assert code_of(in_use) == "InvalidIPAddress.InUse"
    assigned = assign(account, second, address, AllowReassignment=True)["AssignedPrivateIpAddresses"]
    assert [item["PrivateIpAddress"] for item in assigned] == [address]
    assert address in addresses(account, second["NetworkInterfaceId"])
    assert address not in addresses(account, first["NetworkInterfaceId"])
    elastic = account.ec2.describe_addresses(AllocationIds=[allocation])["Addresses"][0]
    assert (elastic["NetworkInterfaceId"], elastic["PrivateIpAddress"]) == (second["NetworkInterfaceId"], address)
    at = account.side.network().at(address)
    assert at is not None
    assert at.interface_id == second["NetworkInterfaceId"]


def test_what_does_not_move(account: Account, network: Network) -> None:
    first, second = two_nodes(account, network)
    [other] = launch(account, network, zone="b")
    primary = first["PrivateIpAddress"]
    for target, address, code in (
        (second, primary, "InvalidParameterValue"),
        (other["NetworkInterfaces"][1], secondary(first), "InvalidParameterValue"),
    ):
        with pytest.raises(ClientError) as refused:
            assign(account, target, address, AllowReassignment=True)
        assert code_of(refused) == code
    with pytest.raises(ClientError) as beyond:
        assign(account, second, SecondaryPrivateIpAddressCount=14)  # m5.xlarge: 15 an interface
    assert code_of(beyond) == "PrivateIpAddressLimitExceeded"
    assert primary in addresses(account, first["NetworkInterfaceId"])


def test_readers_may_lag_behind_a_move(account: Account, network: Network) -> None:
    first, second = two_nodes(account, network)
    address = secondary(first)
    account.side.settings.lag = 600.0
    assign(account, second, address, AllowReassignment=True)
    assert address in addresses(account, first["NetworkInterfaceId"])
    eventually(lambda: address in addresses(account, second["NetworkInterfaceId"]))
    assert address not in addresses(account, first["NetworkInterfaceId"])


def test_a_prefix_is_assigned_once(account: Account, network: Network) -> None:
    first, second = two_nodes(account, network)
    prefix = "127.50.12.64/28"
    assigned = assign(account, first, Ipv4Prefixes=[prefix])["AssignedIpv4Prefixes"]
    assert assigned == [{"Ipv4Prefix": prefix}]
    with pytest.raises(ClientError) as in_use:
        assign(account, second, Ipv4Prefixes=[prefix])
    assert code_of(in_use) == "InvalidIPAddress.InUse"
    at = account.side.network().at("127.50.12.70")
    assert at is not None
    assert at.interface_id == first["NetworkInterfaceId"]
    account.ec2.unassign_private_ip_addresses(NetworkInterfaceId=first["NetworkInterfaceId"], Ipv4Prefixes=[prefix])
    assign(account, second, Ipv4Prefixes=[prefix])
    found = account.ec2.describe_network_interfaces(NetworkInterfaceIds=[second["NetworkInterfaceId"]])
    assert found["NetworkInterfaces"][0]["Ipv4Prefixes"] == [{"Ipv4Prefix": prefix}]


def test_an_ipv6_address_is_unassigned_before_it_is_assigned(account: Account, network: Network) -> None:
    subnet = network.subnets["a"]["client"]
    account.ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock="2001:db8:0:1::/64")
    first, second = (node["NetworkInterfaces"][1] for node in launch(account, network, count=2))
    address, at = "2001:db8:0:1::10", {"NetworkInterfaceId": second["NetworkInterfaceId"]}
    account.ec2.assign_ipv6_addresses(NetworkInterfaceId=first["NetworkInterfaceId"], Ipv6Addresses=[address])
    with pytest.raises(ClientError) as in_use:
        account.ec2.assign_ipv6_addresses(**at, Ipv6Addresses=[address])
    assert code_of(in_use) == "InvalidIPAddress.InUse"
    with pytest.raises(ClientError) as elsewhere:
        account.ec2.unassign_ipv6_addresses(**at, Ipv6Addresses=[address])
    assert code_of(elsewhere) == "InvalidParameterValue"
    account.ec2.unassign_ipv6_addresses(NetworkInterfaceId=first["NetworkInterfaceId"], Ipv6Addresses=[address])
    account.ec2.assign_ipv6_addresses(**at, Ipv6Addresses=[address])
    holder = account.ec2.describe_network_interfaces(
        Filters=[{"Name": "ipv6-addresses.ipv6-address", "Values": [address]}]
    )["NetworkInterfaces"]
    assert [one["NetworkInterfaceId"] for one in holder] == [second["NetworkInterfaceId"]]
