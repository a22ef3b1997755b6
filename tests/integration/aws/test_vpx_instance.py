"""vpx_instance over HTTP: what a set costs, what it consists of, and what is left when it is gone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.lab.client import wait_for

from .conftest import Cloud

READS = Counter(DescribeInstances=1, DescribeNetworkInterfaces=1, DescribeAddresses=1)


def make(cloud: Cloud, **params: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {"group": "shop", "image_id": cloud.seed["image_id"], "interfaces": cloud.interfaces()}
    return cloud.run("vpx_instance", **{**defaults, **params})


def live(cloud: Cloud) -> list[dict[str, Any]]:
    states = ["pending", "running", "stopping", "stopped"]
    found = cloud.ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": states}])["Reservations"]
    return [instance for group in found for instance in group["Instances"]]


def tags(item: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags", item.get("TagSet", []))}


def test_a_node_with_three_interfaces_in_one_launch(cloud: Cloud) -> None:
    made = make(cloud, node_id=0, tags={"team": "edge"}, iam_instance_profile=None)
    assert not made["failed"], made
    [instance] = made["instances"]
    assert made["launched"] == [instance["instance_id"]]
    assert instance["state"] == "running"
    assert instance["lifecycle"] == "joining"
    assert instance["node_id"] == 0
    assert [(role, i["device_index"], i["subnet_id"]) for role, i in instance["interfaces"].items()] == [
        (role, index, cloud.subnets()[role]) for index, role in enumerate(("management", "client", "server"))
    ]
    assert cloud.writes == Counter(RunInstances=1, CreateTags=4)
    [found] = live(cloud)
    assert found["MetadataOptions"]["HttpTokens"] == "required"
    volume = found["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    [described] = cloud.ec2.describe_volumes(VolumeIds=[volume])["Volumes"]
    assert described["Encrypted"]
    common = {
        "cloudadc:group": "shop",
        "cloudadc:zone": instance["availability_zone"],
        "cloudadc:node_id": "0",
        "team": "edge",
    }
    assert common.items() <= tags(described).items()
    assert {**common, "cloudadc:lifecycle": "joining"}.items() <= tags(found).items()
    for role, interface in instance["interfaces"].items():
        listed = cloud.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface["network_interface_id"]])
        assert {**common, "cloudadc:role": role}.items() <= tags(listed["NetworkInterfaces"][0]).items()

    again = make(cloud, node_id=0, tags={"team": "edge"})
    assert not again["changed"]
    assert again["instances"] == made["instances"]
    assert cloud.calls == READS


def test_check_mode_on_an_empty_account(cloud: Cloud) -> None:
    predicted = make(cloud, count=2, check=True)
    assert predicted["changed"]
    assert len(predicted["launched"]) == len(predicted["instances"]) == 2
    assert predicted["instances"][0]["interfaces"]["client"]["network_interface_id"] is None
    assert cloud.writes == Counter()
    assert live(cloud) == []


def test_any_count_is_one_launch_in_one_zone(cloud: Cloud) -> None:
    made = make(cloud, zone="eu-central-1a", count=3)
    assert not made["failed"], made
    assert len(made["instances"]) == 3
    assert cloud.writes == Counter(RunInstances=1, CreateTags=4)
    fewer = make(cloud, zone="eu-central-1a", count=1)
    assert len(fewer["terminated"]) == 2
    assert cloud.writes == Counter(TerminateInstances=1)
    assert [i["InstanceId"] for i in live(cloud)] == [fewer["instances"][0]["instance_id"]]


def test_sets_of_other_groups_zones_and_nodes_are_left_alone(cloud: Cloud) -> None:
    first = make(cloud, node_id=0)["launched"]
    second = make(cloud, node_id=1, interfaces=cloud.interfaces(1))["launched"]
    third = make(cloud, group="other")["launched"]
    assert sorted(i["InstanceId"] for i in live(cloud)) == sorted(first + second + third)
    gone = cloud.run("vpx_instance", group="shop", node_id=1, state="absent")
    assert gone["terminated"] == second
    assert gone["instances"] == []
    assert sorted(i["InstanceId"] for i in live(cloud)) == sorted(first + third)


def test_elastic_ips_are_made_kept_and_released(cloud: Cloud) -> None:
    spare, _ignored = cloud.allocate()
    interfaces = cloud.interfaces(management={"elastic_ip": True}, client={"elastic_ip": True})
    made = make(cloud, interfaces=interfaces)
    assert not made["failed"], made
    [instance] = made["instances"]
    shown = {role: i["public_ip"] for role, i in instance["interfaces"].items()}
    assert shown["server"] is None
    addresses = {a["PublicIp"]: a for a in cloud.ec2.describe_addresses()["Addresses"]}
    for role in ("management", "client"):
        interface, address = instance["interfaces"][role], addresses[shown[role]]
        assert address["NetworkInterfaceId"] == interface["network_interface_id"]
        assert address["PrivateIpAddress"] == interface["private_ip_address"]
        assert tags(address)["cloudadc:role"] == role
    assert cloud.writes["AllocateAddress"] == cloud.writes["AssociateAddress"] == 2

    assert not make(cloud, interfaces=interfaces)["changed"]
    assert cloud.calls == READS

    predicted = cloud.run("vpx_instance", group="shop", state="absent", check=True)
    assert sum(action.startswith("release") for action in predicted["actions"]) == 2
    gone = cloud.run("vpx_instance", group="shop", state="absent")
    assert not gone["failed"], gone
    assert cloud.writes == Counter(TerminateInstances=1, ReleaseAddress=2)
    assert [a["PublicIp"] for a in cloud.ec2.describe_addresses()["Addresses"]] == [spare]
    assert cloud.ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    again = cloud.run("vpx_instance", group="shop", state="absent")
    assert not again["changed"]
    assert cloud.writes == Counter()


def test_built_removed_and_built_again_within_the_life_of_a_client_token(cloud: Cloud) -> None:
    first = make(cloud)["launched"]
    cloud.run("vpx_instance", group="shop", state="absent")
    second = make(cloud)
    assert not second["failed"], second
    assert len(second["launched"]) == 1
    assert second["launched"] != first
    cloud.run("vpx_instance", group="shop", state="absent")
    third, fourth = make(cloud, client_token="event-1"), None
    cloud.run("vpx_instance", group="shop", state="absent")
    fourth = make(cloud, client_token="event-1")
    assert not fourth["failed"], fourth
    assert len(third["launched"]) == len(fourth["launched"]) == 1
    assert third["launched"] != fourth["launched"]


def test_what_a_killed_run_left_is_finished(cloud: Cloud) -> None:
    """Killed after RunInstances and after one AllocateAddress: roles untagged, an address idle."""
    interfaces = cloud.interfaces(management={"elastic_ip": True}, server={"source_dest_check": False})
    made = make(cloud, interfaces=interfaces)
    [instance] = made["instances"]
    management = instance["interfaces"]["management"]
    [address] = cloud.ec2.describe_addresses(AllocationIds=[management["allocation_id"]])["Addresses"]
    cloud.ec2.disassociate_address(AssociationId=address["AssociationId"])
    enis = [i["network_interface_id"] for i in instance["interfaces"].values()]
    cloud.ec2.delete_tags(Resources=enis, Tags=[{"Key": "cloudadc:role"}])
    server = instance["interfaces"]["server"]["network_interface_id"]
    cloud.ec2.modify_network_interface_attribute(NetworkInterfaceId=server, SourceDestCheck={"Value": True})

    repaired = make(cloud, interfaces=interfaces)
    assert not repaired["failed"], repaired
    assert cloud.writes == Counter(CreateTags=3, AssociateAddress=1, ModifyNetworkInterfaceAttribute=1)
    assert repaired["instances"] == made["instances"]
    assert not make(cloud, interfaces=interfaces)["changed"]


def test_stopped_and_started(cloud: Cloud) -> None:
    ids = sorted(make(cloud, count=2)["launched"])
    stopped = cloud.run("vpx_instance", group="shop", state="stopped")
    assert [i["state"] for i in stopped["instances"]] == ["stopped", "stopped"]
    assert cloud.writes == Counter(StopInstances=1)
    assert not cloud.run("vpx_instance", group="shop", state="stopped")["changed"]
    one = cloud.run("vpx_instance", group="shop", state="started", instance_ids=ids[:1])
    assert [(i["instance_id"], i["state"]) for i in one["instances"]] == [(ids[0], "running")]
    both = cloud.run("vpx_instance", group="shop", state="started")
    assert [i["state"] for i in both["instances"]] == ["running", "running"]
    assert not cloud.run("vpx_instance", group="shop", state="started")["changed"]


def test_one_instance_of_a_set_is_terminated_by_id(cloud: Cloud) -> None:
    ids = make(cloud, count=3)["launched"]
    gone = cloud.run("vpx_instance", group="shop", state="absent", instance_ids=ids[:1])
    assert gone["terminated"] == ids[:1]
    assert sorted(i["InstanceId"] for i in live(cloud)) == sorted(ids[1:])
    foreign = cloud.run("vpx_instance", group="other", state="absent", instance_ids=ids[1:2])
    assert foreign["failed"]
    assert f"{ids[1]} does not belong to group other" in foreign["msg"]
    assert len(live(cloud)) == 2


def test_what_a_run_left_is_released_when_ec2_has_forgotten_the_instance(cloud: Cloud) -> None:
    """Killed between TerminateInstances and ReleaseAddress; an hour later EC2 does not return the instance any more."""
    interfaces = cloud.interfaces(management={"elastic_ip": True})
    made = make(cloud, count=2, interfaces=interfaces)
    first, second = (one["interfaces"]["management"]["public_ip"] for one in made["instances"])
    cloud.ec2.terminate_instances(InstanceIds=[made["instances"][0]["instance_id"]])
    wait_for(lambda: any("InstanceId" not in a for a in cloud.ec2.describe_addresses()["Addresses"]), "one is idle")
    gone = cloud.run("vpx_instance", group="shop", state="absent", instance_ids=[])
    assert not gone["failed"], gone
    assert (gone["terminated"], gone.get("warnings", [])) == ([], [])
    assert cloud.writes == Counter(ReleaseAddress=1)
    assert [a["PublicIp"] for a in cloud.ec2.describe_addresses()["Addresses"]] == [second], first


def _shared(cloud: Cloud) -> list[dict[str, Any]]:
    interfaces = cloud.interfaces()
    return [*interfaces[:1], {"role": "client", "subnet_id": interfaces[0]["subnet_id"]}]


def _two_zones(cloud: Cloud) -> list[dict[str, Any]]:
    return [*cloud.interfaces(0)[:2], *cloud.interfaces(1)[2:]]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (lambda _c: {"image_id": "ami-00000000000000bad"}, "image ami-00000000000000bad does not exist"),
        (lambda _c: {"instance_type": "m4.large"}, "m4.large has at most 2 network interfaces, 3 are needed"),
        (lambda _c: {"instance_type": "m5.nonsense"}, "no instance type m5.nonsense"),
        (lambda c: {"interfaces": _shared(c)}, "the management and the client interface are both in subnet-"),
        (lambda c: {"interfaces": _two_zones(c)}, "different zones: management in eu-central-1a"),
        (lambda c: {"interfaces": c.interfaces(client={"subnet_id": "subnet-0bad"})}, "no subnet subnet-0bad"),
        (lambda c: {"interfaces": c.interfaces(client={"security_groups": ["sg-0bad"]})}, "no security group sg-0bad"),
        (lambda c: {"interfaces": c.interfaces(client={"secondary_private_ip_count": 15})}, "client needs 16"),
        (lambda _c: {"zone": "eu-central-1c"}, "zone is eu-central-1c, but the subnets lie in eu-central-1a"),
        (lambda _c: {"node_id": 1, "count": 2}, "node_id 1 names one node"),
        (lambda _c: {"image_id": None}, "lacks 1 of 1 instances, and image_id is not given"),
        (lambda c: {"interfaces": c.interfaces()[1:]}, "interfaces needs one with role management"),
    ],
)
def test_what_cannot_work_is_refused_before_the_first_write(cloud: Cloud, params: Any, message: str) -> None:
    result = make(cloud, **params(cloud))
    assert result["failed"]
    assert message in result["msg"]
    assert cloud.writes == Counter()
    assert "Traceback" not in str(result)


def test_an_insufficient_quota_of_elastic_ips_is_refused_before_the_first_write(cloud: Cloud) -> None:
    [attribute] = cloud.ec2.describe_account_attributes(AttributeNames=["vpc-max-elastic-ips"])["AccountAttributes"]
    quota = int(attribute["AttributeValues"][0]["AttributeValue"])
    cloud.allocate()
    result = make(cloud, count=quota, interfaces=cloud.interfaces(management={"elastic_ip": True}))
    assert result["failed"]
    assert f"{quota} more Elastic IPs are needed, but 1 of the {quota} that this account may have" in result["msg"]
    assert cloud.writes == Counter()
