"""Elastic IPs over HTTP: what AssociateAddress documents, seen through every call that describes it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Account, Network, eventually, interfaces, launch


def allocate(account: Account, **more: Any) -> str:
    return str(account.ec2.allocate_address(Domain="vpc", **more)["AllocationId"])


def two_nodes(account: Account, network: Network) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the client interfaces of two nodes, each with one secondary address."""
    specs = interfaces(network)
    specs[1]["SecondaryPrivateIpAddressCount"] = 1
    first, second = launch(account, network, count=2, NetworkInterfaces=specs)
    return first["NetworkInterfaces"][1], second["NetworkInterfaces"][1]


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def views(account: Account, allocation_id: str) -> set[tuple[str, str]]:
    """(interface, private address) of this Elastic IP by each of the three Describe calls and by the region.

    DescribeInstances names no allocation in an association (InstanceNetworkInterfaceAssociation has none).
    """
    ec2 = account.ec2
    address = ec2.describe_addresses(AllocationIds=[allocation_id])["Addresses"][0]
    observed = set()
    if "AssociationId" in address:
        observed.add((address["NetworkInterfaceId"], address["PrivateIpAddress"]))
    groups = [i["NetworkInterfaces"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    groups.append(ec2.describe_network_interfaces()["NetworkInterfaces"])
    for interface in (interface for group in groups for interface in group):
        for item in interface["PrivateIpAddresses"]:
            association = item.get("Association", {})
            if association.get("PublicIp") == address["PublicIp"]:
                assert association.get("AllocationId", allocation_id) == allocation_id
                assert association.get("AssociationId", address["AssociationId"]) == address["AssociationId"]
                observed.add((interface["NetworkInterfaceId"], item["PrivateIpAddress"]))
    if not account.side.settings.lag:
        assert account.side.elastic_ips()[address["PublicIp"]] == address.get("PrivateIpAddress")
    return observed


def secondary(interface: dict[str, Any]) -> str:
    return str(next(i["PrivateIpAddress"] for i in interface["PrivateIpAddresses"] if not i["Primary"]))


def test_goes_to_the_private_address_named_and_leaves_nothing_behind(account: Account, network: Network) -> None:
    first, second = two_nodes(account, network)
    allocation = allocate(account)
    associations = []
    for interface, private in ((first, secondary(first)), (second, second["PrivateIpAddress"]), (first, None)):
        request = {"PrivateIpAddress": private} if private else {}
        answer = account.ec2.associate_address(
            AllocationId=allocation, NetworkInterfaceId=interface["NetworkInterfaceId"], **request
        )
        associations.append(answer["AssociationId"])
        assert views(account, allocation) == {
            (interface["NetworkInterfaceId"], private or interface["PrivateIpAddress"])
        }
    assert len(set(associations)) == 3, "an association gets a new id with every move"


def test_the_same_target_again_changes_nothing(account: Account, network: Network) -> None:
    first, _ignored = two_nodes(account, network)
    allocation = allocate(account)
    target = {"AllocationId": allocation, "NetworkInterfaceId": first["NetworkInterfaceId"]}
    once = account.ec2.associate_address(**target)["AssociationId"]
    assert account.ec2.associate_address(**target, AllowReassociation=False)["AssociationId"] == once


def test_reassociation_can_be_refused(account: Account, network: Network) -> None:
    first, second = two_nodes(account, network)
    allocation = allocate(account)
    account.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=first["NetworkInterfaceId"])
    with pytest.raises(ClientError) as error:
        account.ec2.associate_address(
            AllocationId=allocation, NetworkInterfaceId=second["NetworkInterfaceId"], AllowReassociation=False
        )
    assert code_of(error) == "Resource.AlreadyAssociated"
    assert views(account, allocation) == {(first["NetworkInterfaceId"], first["PrivateIpAddress"])}


def test_a_private_address_holds_one_elastic_ip(account: Account, network: Network) -> None:
    first, _ignored = two_nodes(account, network)
    old, new = allocate(account), allocate(account)
    for allocation in (old, new):
        account.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=first["NetworkInterfaceId"])
    assert views(account, old) == set()
    assert views(account, new) == {(first["NetworkInterfaceId"], first["PrivateIpAddress"])}


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"AllocationId": "eipalloc-0123456789abcdef0"}, "InvalidAllocationID.NotFound"),
        ({"PublicIp": "127.51.200.1"}, "InvalidAddress.NotFound"),
        ({"NetworkInterfaceId": "eni-0123456789abcdef0"}, "InvalidNetworkInterfaceID.NotFound"),
        ({"PrivateIpAddress": "127.50.12.200"}, "InvalidParameterValue"),
        ({"DryRun": True}, "DryRunOperation"),
    ],
)
def test_invalid_calls_are_refused(account: Account, network: Network, request_: dict[str, Any], code: str) -> None:
    first, _ignored = two_nodes(account, network)
    allocation = allocate(account)
    whole = {"NetworkInterfaceId": first["NetworkInterfaceId"]} | request_
    if "PublicIp" not in whole:
        whole.setdefault("AllocationId", allocation)
    with pytest.raises(ClientError) as error:
        account.ec2.associate_address(**whole)
    assert code_of(error) == code
    assert views(account, allocation) == set()


def test_an_instance_is_enough_only_with_one_interface(account: Account, network: Network) -> None:
    many = launch(account, network)[0]["InstanceId"]
    one = launch(account, network, NetworkInterfaces=interfaces(network)[:1])[0]
    allocation = allocate(account)
    eventually(lambda: {i.state for i in account.side.instances()} == {"running"})
    with pytest.raises(ClientError) as error:
        account.ec2.associate_address(AllocationId=allocation, InstanceId=many)
    assert code_of(error) == "InvalidInstanceID"
    assert "multiple interfaces" in str(error.value)
    account.ec2.associate_address(AllocationId=allocation, InstanceId=one["InstanceId"])
    assert {private for _ignored, private in views(account, allocation)} == {one["PrivateIpAddress"]}
    described = account.ec2.describe_addresses(Filters=[{"Name": "instance-id", "Values": [one["InstanceId"]]}])
    assert [a["AllocationId"] for a in described["Addresses"]] == [allocation]


def test_disassociate_twice_and_by_an_old_association(account: Account, network: Network) -> None:
    first, second = two_nodes(account, network)
    allocation = allocate(account)
    ids = [
        account.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=i["NetworkInterfaceId"])[
            "AssociationId"
        ]
        for i in (first, second)
    ]
    account.ec2.disassociate_address(AssociationId=ids[0])
    assert len(views(account, allocation)) == 1, "an association that a move replaced takes nothing away"
    for _turn in range(2):
        account.ec2.disassociate_address(AssociationId=ids[1])
        assert views(account, allocation) == set()
    account.side.settings.strict_associations = True
    with pytest.raises(ClientError) as error:
        account.ec2.disassociate_address(AssociationId=ids[1])
    assert code_of(error) == "InvalidAssociationID.NotFound"
    account.side.settings.strict_associations = False
    with pytest.raises(ClientError) as error:
        account.ec2.disassociate_address(AssociationId="eipassoc-0123456789abcdef0")
    assert code_of(error) == "InvalidAssociationID.NotFound"


def test_release_only_when_free(account: Account, network: Network) -> None:
    first, _ignored = two_nodes(account, network)
    allocation = allocate(account)
    held = account.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=first["NetworkInterfaceId"])
    with pytest.raises(ClientError) as error:
        account.ec2.release_address(AllocationId=allocation)
    assert code_of(error) == "InvalidIPAddress.InUse"
    account.ec2.disassociate_address(AssociationId=held["AssociationId"])
    account.ec2.release_address(AllocationId=allocation)
    with pytest.raises(ClientError) as error:
        account.ec2.release_address(AllocationId=allocation)
    assert code_of(error) == "InvalidAllocationID.NotFound"
    assert account.side.elastic_ips() == {}


def test_allocation_quota_tags_and_range(account: Account) -> None:
    account.side.settings.eip_quota = 2
    tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "cloudadc:group", "Value": "web"}]}]
    tagged, _ignored = allocate(account, TagSpecifications=tags), allocate(account)
    with pytest.raises(ClientError) as error:
        allocate(account)
    assert code_of(error) == "AddressLimitExceeded"
    found = account.ec2.describe_addresses(Filters=[{"Name": "tag:cloudadc:group", "Values": ["web"]}])["Addresses"]
    assert [a["AllocationId"] for a in found] == [tagged]
    assert found[0]["Tags"] == [{"Key": "cloudadc:group", "Value": "web"}]
    assert found[0]["PublicIp"].startswith("127.51.")
    assert "AssociationId" not in found[0]
    assert "InstanceId" not in found[0]


def test_two_writers_at_once_leave_one_owner(account: Account, network: Network) -> None:
    first, second = two_nodes(account, network)
    allocation = allocate(account)
    answers: list[str] = []

    def write(interface: dict[str, Any]) -> None:
        for _turn in range(5):
            answer = account.ec2.associate_address(
                AllocationId=allocation, NetworkInterfaceId=interface["NetworkInterfaceId"], AllowReassociation=True
            )
            answers.append(answer["AssociationId"])

    threads = [threading.Thread(target=write, args=(interface,)) for interface in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 10
    assert len(views(account, allocation)) == 1


def test_an_elastic_ip_leaves_with_its_interface_only(account: Account, network: Network) -> None:
    specs = interfaces(network)
    specs[1]["DeleteOnTermination"] = False
    instance = launch(account, network, NetworkInterfaces=specs)[0]
    eventually(lambda: account.side.instances()[0].state == "running")
    gone, stays = allocate(account), allocate(account)
    ids = [i["NetworkInterfaceId"] for i in instance["NetworkInterfaces"]]
    account.ec2.associate_address(AllocationId=gone, NetworkInterfaceId=ids[0])
    account.ec2.associate_address(AllocationId=stays, NetworkInterfaceId=ids[1])
    account.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    eventually(lambda: not account.side.instances())
    assert views(account, gone) == set()
    assert {interface for interface, _ignored in views(account, stays)} == {ids[1]}
    left = account.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert [(i["NetworkInterfaceId"], i["Status"]) for i in left] == [(ids[1], "available")]


def test_unassigning_an_address_frees_its_elastic_ip(account: Account, network: Network) -> None:
    first, _ignored = two_nodes(account, network)
    allocation = allocate(account)
    address = secondary(first)
    eni = first["NetworkInterfaceId"]
    account.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=eni, PrivateIpAddress=address)
    account.ec2.unassign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=[address])
    assert views(account, allocation) == set()


def test_readers_lag_when_told_to(account: Account, network: Network) -> None:
    first, second = two_nodes(account, network)
    allocation = allocate(account)
    account.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=first["NetworkInterfaceId"])
    account.side.settings.lag = 60.0
    account.side.ground.clock.sleep(60.0)
    account.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=second["NetworkInterfaceId"])
    described = account.ec2.describe_addresses(AllocationIds=[allocation])["Addresses"][0]
    assert described["NetworkInterfaceId"] == first["NetworkInterfaceId"]
    public_ip = described["PublicIp"]
    assert account.side.elastic_ips()[public_ip] == second["PrivateIpAddress"], "traffic moves at once"
    account.side.ground.clock.sleep(60.0)
    assert views(account, allocation) == {(second["NetworkInterfaceId"], second["PrivateIpAddress"])}
