"""RunInstances and the life of an instance, over HTTP."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws import VPX_IMAGE_ID

from .conftest import REGION, Account, Network, eventually, interfaces, launch


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def one_state(account: Account, instance_id: str) -> str:
    answer = account.ec2.describe_instances(InstanceIds=[instance_id])
    return str(answer["Reservations"][0]["Instances"][0]["State"]["Name"])


def test_interfaces_of_every_instance(account: Account, network: Network) -> None:
    specs = interfaces(network)
    specs[1]["SecondaryPrivateIpAddressCount"] = 2
    made = launch(account, network, count=3, NetworkInterfaces=specs)
    addresses = []
    for instance in made:
        indices = [i["Attachment"]["DeviceIndex"] for i in instance["NetworkInterfaces"]]
        subnets = [i["SubnetId"] for i in instance["NetworkInterfaces"]]
        assert sorted(indices) == [0, 1, 2]
        assert dict(zip(indices, subnets, strict=True)) == dict(enumerate(network.subnets["a"].values()))
        for interface in instance["NetworkInterfaces"]:
            index = interface["Attachment"]["DeviceIndex"]
            own = [item["PrivateIpAddress"] for item in interface["PrivateIpAddresses"]]
            assert len(own) == (3 if index == 1 else 1)
            assert all(address.startswith(f"127.50.{11 + index}.") for address in own)
            assert interface["PrivateIpAddresses"][0]["Primary"] is True
            assert [g["GroupId"] for g in interface["Groups"]] == [network.group_id]
            assert interface["Attachment"]["DeleteOnTermination"] is True
            addresses += own
        assert instance["PrivateIpAddress"].startswith("127.50.11.")
        assert instance["Placement"]["AvailabilityZone"] == f"{REGION}a"
    assert len(set(addresses)) == 3 * 5
    reservations = account.ec2.describe_instances()["Reservations"]
    assert [len(r["Instances"]) for r in reservations] == [3]
    facts = account.side.instances()
    assert {len(f.interfaces) for f in facts} == {3}
    assert account.side.instance_at(facts[0].interfaces[2].addresses[0]) == facts[0]
    assert facts[0].interfaces[0].netmask == "255.255.255.0"


def test_tags_on_instances_interfaces_and_volumes(account: Account, network: Network) -> None:
    tags = [{"Key": "cloudadc:group", "Value": "web"}]
    kinds = ("instance", "network-interface", "volume")
    launch(account, network, count=2, TagSpecifications=[{"ResourceType": kind, "Tags": tags} for kind in kinds])
    mine = [{"Name": "tag:cloudadc:group", "Values": ["web"]}]
    ec2 = account.ec2
    assert sum(len(r["Instances"]) for r in ec2.describe_instances(Filters=mine)["Reservations"]) == 2
    found = ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"]
    assert len(found) == 6
    assert all(interface["TagSet"] == tags for interface in found)
    assert len(ec2.describe_volumes(Filters=mine)["Volumes"]) == 2


def test_what_was_asked_can_be_read_back(account: Account, network: Network) -> None:
    iam = account.client("iam")
    iam.create_role(RoleName="vpx", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="vpx")
    iam.add_role_to_instance_profile(InstanceProfileName="vpx", RoleName="vpx")
    account.ec2.create_key_pair(KeyName="ops")
    instance = launch(
        account,
        network,
        count=2,
        UserData="<NS-PRE-BOOT-CONFIG/>",
        IamInstanceProfile={"Name": "vpx"},
        KeyName="ops",
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"},
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"Encrypted": True, "VolumeType": "gp3"}}],
    )[1]
    ec2, key = account.ec2, instance["InstanceId"]
    observed = ec2.describe_instances(InstanceIds=[key])["Reservations"][0]["Instances"][0]
    assert observed["IamInstanceProfile"]["Arn"].endswith(":instance-profile/vpx")
    assert observed["KeyName"] == "ops"
    metadata = observed["MetadataOptions"]
    assert (metadata["HttpTokens"], metadata["HttpPutResponseHopLimit"]) == ("required", 2)
    assert observed["AmiLaunchIndex"] == 1
    volumes = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [key]}])["Volumes"]
    assert [(v["Encrypted"], v["Attachments"][0]["DeleteOnTermination"]) for v in volumes] == [(True, True)]
    encoded = ec2.describe_instance_attribute(InstanceId=key, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(encoded).decode() == "<NS-PRE-BOOT-CONFIG/>"
    assert {facts.user_data for facts in account.side.instances()} == {"<NS-PRE-BOOT-CONFIG/>"}


def test_a_client_token_launches_once(account: Account, network: Network) -> None:
    first = launch(account, network, ClientToken="event-1")
    again = launch(account, network, ClientToken="event-1")
    assert [i["InstanceId"] for i in again] == [i["InstanceId"] for i in first]
    assert len(account.side.instances()) == 1
    with pytest.raises(ClientError) as error:
        launch(account, network, count=2, ClientToken="event-1")
    assert code_of(error) == "IdempotentParameterMismatch"
    launch(account, network, ClientToken="event-2")
    assert len(account.side.instances()) == 2
    with pytest.raises(ClientError) as error:
        launch(account, network, ClientToken="x" * 65)
    assert code_of(error) == "InvalidParameterValue"


def test_a_client_token_outlives_its_instances(account: Account, network: Network) -> None:
    key = launch(account, network, ClientToken="event-1")[0]["InstanceId"]
    account.ec2.terminate_instances(InstanceIds=[key])
    eventually(lambda: not account.side.instances())
    again = launch(account, network, ClientToken="event-1")
    assert [(i["InstanceId"], i["State"]["Name"]) for i in again] == [(key, "terminated")]
    assert list(account.side.instances()) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"InstanceType": "m4.large"}, "AttachmentLimitExceeded"),
        ({"InstanceType": "q9.huge"}, "InvalidParameterValue"),
        ({"KeyName": "unknown"}, "InvalidKeyPair.NotFound"),
        ({"IamInstanceProfile": {"Name": "unknown"}}, "InvalidParameterValue"),
        ({"first": {"SubnetId": "subnet-0123456789abcdef0"}}, "InvalidSubnetID.NotFound"),
        ({"first": {"Groups": ["sg-0123456789abcdef0"]}}, "InvalidGroup.NotFound"),
        ({"first": {"PrivateIpAddress": "127.50.99.7"}}, "InvalidParameterValue"),
        ({"first": {"PrivateIpAddress": "127.50.11.3"}}, "InvalidParameterValue"),
        ({"first": {"SecondaryPrivateIpAddressCount": 15}}, "PrivateIpAddressLimitExceeded"),
        ({"first": {"zone": "b"}}, "InvalidParameterCombination"),
        ({"DryRun": True}, "DryRunOperation"),
    ],
)
def test_refused_before_anything_is_made(account: Account, network: Network, change: dict[str, Any], code: str) -> None:
    specs = interfaces(network)
    first = change.pop("first", {}) if "first" in (change := dict(change)) else {}
    if "zone" in first:
        first = {"SubnetId": network.subnets["b"]["management"]}
    specs[0] |= first
    request = {"ImageId": VPX_IMAGE_ID, "InstanceType": "m5.xlarge", "NetworkInterfaces": specs} | change
    with pytest.raises(ClientError) as error:
        account.ec2.run_instances(MinCount=1, MaxCount=1, **request)
    assert code_of(error) == code
    assert account.ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert account.ec2.describe_instances()["Reservations"] == []


def test_an_address_is_given_once(account: Account, network: Network) -> None:
    specs = interfaces(network)[:1]
    specs[0]["PrivateIpAddress"] = "127.50.11.77"
    assert launch(account, network, NetworkInterfaces=specs)[0]["PrivateIpAddress"] == "127.50.11.77"
    with pytest.raises(ClientError) as error:
        launch(account, network, NetworkInterfaces=specs)
    assert code_of(error) == "InvalidIPAddress.InUse"


def test_the_life_of_an_instance(account: Account, network: Network) -> None:
    ec2, side = account.ec2, account.side
    tags = [{"Key": "cloudadc:group", "Value": "web"}]
    kinds = ("instance", "network-interface", "volume")
    tagged = [{"ResourceType": kind, "Tags": tags} for kind in kinds]
    asked = side.ground.clock.now()
    instance = launch(account, network, TagSpecifications=tagged)[0]
    key = instance["InstanceId"]
    assert instance["State"]["Name"] == "pending"
    eventually(lambda: one_state(account, key) == "running")
    facts = side.instances()[0]
    assert asked < facts.started_at <= side.ground.clock.now()
    status = ec2.describe_instance_status(InstanceIds=[key])["InstanceStatuses"][0]["InstanceStatus"]
    assert status["Status"] == "initializing"
    ec2.get_waiter("instance_status_ok").wait(InstanceIds=[key], WaiterConfig={"Delay": 0, "MaxAttempts": 500})

    ec2.reboot_instances(InstanceIds=[key])
    assert (one_state(account, key), side.instances()[0].reboots) == ("running", 1)

    stopping = ec2.stop_instances(InstanceIds=[key])["StoppingInstances"][0]
    assert (stopping["PreviousState"]["Name"], stopping["CurrentState"]["Name"]) == ("running", "stopping")
    with pytest.raises(ClientError) as error:
        ec2.start_instances(InstanceIds=[key])
    assert code_of(error) == "IncorrectInstanceState"
    eventually(lambda: one_state(account, key) == "stopped")
    ec2.start_instances(InstanceIds=[key])
    eventually(lambda: one_state(account, key) == "running")
    assert side.instances()[0].started_at > facts.started_at
    assert side.instances()[0].interfaces == facts.interfaces

    ending = ec2.terminate_instances(InstanceIds=[key])["TerminatingInstances"][0]
    assert (ending["PreviousState"]["Name"], ending["CurrentState"]["Name"]) == ("running", "shutting-down")
    eventually(lambda: one_state(account, key) == "terminated")
    observed = ec2.describe_instances(InstanceIds=[key])["Reservations"][0]["Instances"][0]
    assert observed.get("NetworkInterfaces") == []
    assert not observed.get("PrivateIpAddress")
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert ec2.describe_volumes()["Volumes"] == []
    left = ec2.describe_tags(Filters=[{"Name": "key", "Values": ["cloudadc:group"]}])["Tags"]
    assert {tag["ResourceType"] for tag in left} == {"instance"}
    assert ec2.terminate_instances(InstanceIds=[key])["TerminatingInstances"][0]["CurrentState"]["Name"] == "terminated"
    side.ground.clock.sleep(600)
    assert one_state(account, key) == "terminated"
    assert side.instances() == []


def test_instance_types(account: Account) -> None:
    desired = {
        "m5.large": (3, 10),
        "m5.xlarge": (4, 15),
        "m5.4xlarge": (8, 30),
        "c5.xlarge": (4, 15),
        "m4.large": (2, 10),
        "t3.medium": (3, 6),
        "t2.medium": (3, 6),
    }
    answer = account.ec2.describe_instance_types(InstanceTypes=list(desired))["InstanceTypes"]
    got = {
        t["InstanceType"]: (
            t["NetworkInfo"]["MaximumNetworkInterfaces"],
            t["NetworkInfo"]["Ipv4AddressesPerInterface"],
        )
        for t in answer
    }
    assert got == desired
    with pytest.raises(ClientError) as error:
        account.ec2.describe_instance_types(InstanceTypes=["q9.huge"])
    assert code_of(error) == "InvalidInstanceType"


def test_images_are_described(account: Account) -> None:
    found = account.ec2.describe_images(
        Owners=["aws-marketplace"],
        Filters=[{"Name": "name", "Values": ["Citrix ADC *63425ded-82f0-4b54-8cdd-6ec8b94bd4f8*"]}],
    )["Images"]
    assert [image["ImageId"] for image in found] == [VPX_IMAGE_ID]


def test_a_new_profile_is_not_known_at_once_when_told_so(account: Account, network: Network) -> None:
    account.side.settings.profile_lag = 60.0
    iam = account.client("iam")
    iam.create_role(RoleName="vpx", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="vpx")
    iam.add_role_to_instance_profile(InstanceProfileName="vpx", RoleName="vpx")
    with pytest.raises(ClientError, match="Invalid IAM Instance Profile name"):
        launch(account, network, IamInstanceProfile={"Name": "vpx"})


def test_a_zone_that_has_no_capacity_left(account: Account, network: Network) -> None:
    [zone] = {
        one["AvailabilityZone"]
        for one in account.ec2.describe_subnets()["Subnets"]
        if one["SubnetId"] in network.subnets["a"].values()
    }
    account.side.settings.exhausted = {zone}
    with pytest.raises(
        ClientError, match=f"sufficient .* capacity in the Availability Zone you requested .{zone}."
    ) as error:
        launch(account, network)
    assert code_of(error) == "InsufficientInstanceCapacity"
    account.side.settings.exhausted = set()
    assert len(launch(account, network)) == 1


def test_a_new_instance_is_not_found_at_once_when_told_so(account: Account, network: Network) -> None:
    account.side.settings.lag = 60.0
    key = launch(account, network)[0]["InstanceId"]
    with pytest.raises(ClientError) as error:
        account.ec2.describe_instances(InstanceIds=[key])
    assert code_of(error) == "InvalidInstanceID.NotFound"
    assert account.ec2.describe_instances()["Reservations"] == []
    account.side.ground.clock.sleep(60.0)
    assert one_state(account, key) in ("pending", "running")


def test_filters_by_what_an_instance_has(account: Account, network: Network) -> None:
    first, second = launch(account, network, ClientToken="event-1")[0], launch(account, network, "b")[0]
    client = first["NetworkInterfaces"][1]
    for name, value in (
        ("client-token", "event-1"),
        ("network-interface.network-interface-id", client["NetworkInterfaceId"]),
        ("network-interface.subnet-id", client["SubnetId"]),
        ("network-interface.addresses.private-ip-address", client["PrivateIpAddress"]),
        ("availability-zone", f"{REGION}a"),
        ("subnet-id", network.subnets["a"]["management"]),
    ):
        found = account.ec2.describe_instances(Filters=[{"Name": name, "Values": [value]}])["Reservations"]
        assert [i["InstanceId"] for r in found for i in r["Instances"]] == [first["InstanceId"]], name
    both = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    found = account.ec2.describe_instances(Filters=both)["Reservations"]
    assert {i["InstanceId"] for r in found for i in r["Instances"]} == {first["InstanceId"], second["InstanceId"]}
