"""What RunInstances is asked for, and what is refused before it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.quotas import quota_of, refuse_quota
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.launch import (
    LaunchSpec,
    Prerequisites,
    check_image,
    client_token,
    group_trouble,
    in_device_order,
    refuse_impossible,
    refuse_incomplete,
    request,
    token_of_generation,
)

from .fleet import ROLES, desired, desired_interface

LAUNCH_SPEC = LaunchSpec("ami-1", "m5.xlarge")


def subnet(role: str, **more: Any) -> dict[str, Any]:
    return {"SubnetId": f"subnet-{role}", "AvailabilityZone": "eu-west-1a", "VpcId": "vpc-1", **more}


GROUND = Prerequisites(
    types=[{"NetworkInfo": {"MaximumNetworkInterfaces": 4, "Ipv4AddressesPerInterface": 15}}],
    images=[
        {
            "State": "available",
            "RootDeviceName": "/dev/sda1",
            "BlockDeviceMappings": [
                {"DeviceName": "/dev/sda1", "Ebs": {}},
                {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 1}},
                {"DeviceName": "/dev/sdc", "VirtualName": "ephemeral0"},
            ],
        }
    ],
    subnets=[subnet(role) for role in ROLES],
)


def small(interfaces: int, addresses: int) -> dict[str, Any]:
    return {
        "types": [{"NetworkInfo": {"MaximumNetworkInterfaces": interfaces, "Ipv4AddressesPerInterface": addresses}}]
    }


def moved(role: str, **more: Any) -> dict[str, Any]:
    return {"subnets": [subnet(r, **(more if r == role else {})) for r in ROLES]}


@pytest.mark.parametrize(
    ("requested", "prerequisites", "message"),
    [
        pytest.param({}, {"images": []}, "image ami-1 does not exist", id="image"),
        pytest.param({}, {"images": [{"State": "pending"}]}, "image ami-1 is pending, not available", id="image state"),
        pytest.param({}, {"types": []}, "no instance type m5.xlarge", id="type"),
        pytest.param({}, small(2, 10), "at most 2 network interfaces, 3 are needed", id="interfaces"),
        pytest.param(
            {"of_role": {"client": {"secondary_private_ip_count": 10}}},
            small(3, 10),
            "at most 10 IPv4 addresses per interface, client needs 11",
            id="addresses",
        ),
        pytest.param({}, {"subnets": [subnet("client")]}, "no subnet subnet-management, subnet-server", id="subnets"),
        pytest.param(
            {}, moved("server", AvailabilityZone="eu-west-1b"), "different zones: .*server in eu-west-1b", id="zones"
        ),
        pytest.param({}, moved("server", VpcId="vpc-2"), "different VPCs: .*server in vpc-2", id="VPCs"),
        pytest.param({"zone": "eu-west-1b"}, {}, "zone is eu-west-1b, but the subnets lie in eu-west-1a", id="zone"),
        pytest.param(
            {
                "interfaces": (
                    desired_interface("management"),
                    dataclasses.replace(desired_interface("client"), subnet_id="subnet-management"),
                )
            },
            {},
            "management and the client interface are both in subnet-management",
            id="shared subnet",
        ),
    ],
)
def test_what_cannot_work_is_refused(requested: dict[str, Any], prerequisites: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        refuse_impossible(desired(**requested), LAUNCH_SPEC, dataclasses.replace(GROUND, **prerequisites))


@pytest.mark.parametrize(
    "requested",
    [
        {},
        {"zone": "eu-west-1a"},
        {"zone": "blue"},
        {"of_role": {"client": {"secondary_private_ip_count": 14}}},
        {
            "interfaces": (
                desired_interface("management"),
                desired_interface("client"),
                dataclasses.replace(desired_interface("server"), subnet_id="subnet-client"),
            )
        },
    ],
)
def test_what_can_work_is_not(requested: dict[str, Any]) -> None:
    refuse_impossible(desired(**requested), LAUNCH_SPEC, GROUND)


@pytest.mark.parametrize(
    ("requested", "launch_spec", "missing", "message"),
    [
        pytest.param({}, LaunchSpec(None, "t"), 1, "lacks 1 of 1 instances, and image_id is not given", id="image"),
        pytest.param(
            {"interfaces": (), "count": 3}, LaunchSpec(None, "t"), 2, "image_id and interfaces is not", id="both"
        ),
        pytest.param(
            {"count": 2, "of_role": {"client": {"private_ip_address": "10.0.1.9"}}},
            LAUNCH_SPEC,
            2,
            "10.0.1.9 can be given to one instance, but 2",
            id="a fixed address for two",
        ),
    ],
)
def test_what_is_not_said_is_asked_for(
    requested: dict[str, Any], launch_spec: LaunchSpec, missing: int, message: str
) -> None:
    with pytest.raises(Refusal, match=message):
        refuse_incomplete(desired(**requested), launch_spec, missing)


def test_devices_are_in_the_order_a_vpx_expects() -> None:
    assert [
        w.role
        for w in in_device_order(
            [desired_interface("server"), desired_interface("management"), desired_interface("client")]
        )
    ] == list(ROLES)
    assert in_device_order([]) == ()
    with pytest.raises(Refusal, match="each role has one interface"):
        in_device_order([desired_interface("management"), desired_interface("client"), desired_interface("client")])
    with pytest.raises(Refusal, match="needs one with role management"):
        in_device_order([desired_interface("server")])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([{"GroupId": "sg-1", "VpcId": "vpc-1"}], None),
        ([], "no security group sg-1"),
        ([{"GroupId": "sg-1", "VpcId": "vpc-2"}], "sg-1 is in vpc-2, but the subnets are in vpc-1"),
    ],
)
def test_security_groups(groups: list[dict[str, Any]], message: str | None) -> None:
    requested = desired(of_role={"client": {"security_groups": ("sg-1",)}})
    trouble = group_trouble(requested, dataclasses.replace(GROUND, groups=groups))
    assert (trouble is None) if message is None else (trouble is not None and message in trouble)


def test_quota_limits_a_launch() -> None:
    refuse_quota(3, 2, 5)
    refuse_quota(100, 2, None)
    with pytest.raises(Refusal, match="3 more Elastic IPs are needed, but 3 of the 5"):
        refuse_quota(3, 3, 5)
    reply = [{"AttributeName": "vpc-max-elastic-ips", "AttributeValues": [{"AttributeValue": "12"}]}]
    assert quota_of([{"AttributeName": "max-instances", "AttributeValues": [{"AttributeValue": "20"}]}, *reply]) == 12
    assert quota_of([]) is None


def tags_of(parameters: dict[str, Any], kind: str) -> dict[str, str]:
    [found] = [s["Tags"] for s in parameters["TagSpecifications"] if s["ResourceType"] == kind]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_the_request() -> None:
    requested = desired(
        node_id=1,
        tags={"team": "edge"},
        of_role={
            "management": {"security_groups": ("sg-1",), "private_ip_address": "10.0.0.9"},
            "client": {"secondary_private_ip_count": 2},
        },
    )
    launch_spec = dataclasses.replace(LAUNCH_SPEC, iam_instance_profile="vpx", key_name="key", user_data="data")
    parameters = request(requested, launch_spec, GROUND, 2)
    assert {k: v for k, v in parameters.items() if k != "TagSpecifications"} == {
        "ImageId": "ami-1",
        "InstanceType": "m5.xlarge",
        "MinCount": 2,
        "MaxCount": 2,
        "NetworkInterfaces": [
            {
                "DeviceIndex": 0,
                "SubnetId": "subnet-management",
                "DeleteOnTermination": True,
                "Description": "VPX management",
                "Groups": ["sg-1"],
                "PrivateIpAddress": "10.0.0.9",
            },
            {
                "DeviceIndex": 1,
                "SubnetId": "subnet-client",
                "DeleteOnTermination": True,
                "Description": "VPX client",
                "SecondaryPrivateIpAddressCount": 2,
            },
            {"DeviceIndex": 2, "SubnetId": "subnet-server", "DeleteOnTermination": True, "Description": "VPX server"},
        ],
        "MetadataOptions": {"HttpEndpoint": "enabled", "HttpTokens": "required"},
        "IamInstanceProfile": {"Name": "vpx"},
        "KeyName": "key",
        "UserData": "data",
        "BlockDeviceMappings": [
            {"DeviceName": name, "Ebs": {"Encrypted": True, "DeleteOnTermination": True}}
            for name in ("/dev/sda1", "/dev/sdb")
        ],
    }
    common = {
        "Name": "shop-1",
        "team": "edge",
        "cloudadc:group": "shop",
        "cloudadc:zone": "eu-west-1a",
        "cloudadc:node_id": "1",
        "cloudadc:created_by": "vpx_instance",
    }
    assert tags_of(parameters, "instance") == {**common, "cloudadc:lifecycle": "provisioning"}
    assert tags_of(parameters, "network-interface") == tags_of(parameters, "volume") == common


def test_the_request_with_less() -> None:
    launch_spec = LaunchSpec(
        "ami-1", "m5.large", "arn:aws:iam::1:instance-profile/vpx", encrypt_volumes=False, http_tokens="optional"
    )
    parameters = request(desired(zone="blue"), launch_spec, GROUND, 1)
    assert parameters["IamInstanceProfile"] == {"Arn": "arn:aws:iam::1:instance-profile/vpx"}
    assert parameters["MetadataOptions"]["HttpTokens"] == "optional"
    assert not {"BlockDeviceMappings", "KeyName", "UserData"} & set(parameters)
    assert tags_of(parameters, "volume")["cloudadc:zone"] == "blue"


@pytest.mark.parametrize("limit", [None, 2])
def test_a_hop_limit_is_sent_only_if_it_is_given(limit: int | None) -> None:
    spec = dataclasses.replace(LAUNCH_SPEC, metadata_hop_limit=limit)
    sent = request(desired(), spec, GROUND, 1)["MetadataOptions"]
    assert sent.get("HttpPutResponseHopLimit", None) == limit


@pytest.mark.parametrize(
    ("name", "mode", "refused"),
    [
        ("Citrix ADC 14.1-43.50-x", "las", True),
        ("Citrix ADC 14.1-43.50-x", "pooled", False),
        ("Citrix ADC 14.1-72.61-x", "las", False),
        ("an image of our own", "las", False),
    ],
)
def test_an_image_too_old_for_its_licence_is_refused_before_the_launch(name: str, mode: str, refused: bool) -> None:
    spec, images = dataclasses.replace(LAUNCH_SPEC, license_mode=mode), [{"State": "available", "Name": name}]
    if not refused:
        check_image(spec, images)
        return
    with pytest.raises(Refusal, match="does not know the License Activation Service"):
        check_image(spec, images)


def test_a_token_is_the_same_for_the_same_launch_only() -> None:
    identity = {"cloudadc:group": "shop"}
    token = client_token(identity, {"i-1", "i-2"}, {"ImageId": "ami-1"})
    assert token == client_token(identity, ["i-2", "i-1"], {"ImageId": "ami-1"})
    others = [
        client_token({"cloudadc:group": "other"}, {"i-1", "i-2"}, {"ImageId": "ami-1"}),
        client_token(identity, {"i-1"}, {"ImageId": "ami-1"}),
        client_token(identity, {"i-1", "i-2"}, {"ImageId": "ami-2"}),
    ]
    assert len({token, *others}) == 4
    tokens = [token_of_generation(token * 2, generation) for generation in range(12)]
    assert len(set(tokens)) == 12
    assert all(len(t) <= 64 for t in tokens)
