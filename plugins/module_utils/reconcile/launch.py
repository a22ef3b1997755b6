# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Before and in RunInstances: what can be known to fail is refused with a message; the request itself. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_specifications

from ..aws import tags as t
from ..core.errors import Refusal
from ..spec.builds import license_problem
from .instance_plan import DesiredInterface, DesiredSet

Described = Sequence[Mapping[str, Any]]
_AVAILABILITY_ZONE = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+[a-z]")


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """What a new instance is made of. ``http_tokens``: IMDSv2 required, or optional for VPX before 13.1-48.

    ``metadata_hop_limit``: None leaves it to the image and the account. ``license_mode``: of the licence that the
    appliance is to get, empty for none.
    """

    image_id: str | None
    instance_type: str
    iam_instance_profile: str | None = None
    key_name: str | None = None
    user_data: str | None = None
    encrypt_volumes: bool = True
    http_tokens: str = "required"
    metadata_hop_limit: int | None = None
    license_mode: str = ""


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """What AWS says about everything a launch refers to (empty lists: it does not exist)."""

    types: Described = ()
    images: Described = ()
    subnets: Described = ()
    groups: Described = field(default_factory=tuple)


def in_device_order(interfaces: Iterable[DesiredInterface]) -> tuple[DesiredInterface, ...]:
    """Return the interfaces as management, client, server: a VPX takes its roles from the order of its devices."""
    ordered = tuple(sorted(interfaces, key=lambda desired_interface: t.ROLES.index(desired_interface.role)))
    roles = [desired_interface.role for desired_interface in ordered]
    if len(set(roles)) != len(roles):
        raise Refusal(f"each role has one interface, but interfaces names {', '.join(roles)}")
    if roles and roles[0] != "management":
        raise Refusal("interfaces needs one with role management: it is the first device, which carries the NSIP")
    return ordered


def refuse_incomplete(desired: DesiredSet, launch_spec: LaunchSpec, missing: int) -> None:
    """Raise Refusal if what to launch is not given."""
    lacks = [
        name for name, value in (("image_id", launch_spec.image_id), ("interfaces", desired.interfaces)) if not value
    ]
    if lacks:
        raise Refusal(
            f"{desired.name} lacks {missing} of {desired.count} instances, and {' and '.join(lacks)} is not given"
        )
    fixed = [
        desired_interface.private_ip_address
        for desired_interface in desired.interfaces
        if desired_interface.private_ip_address
    ]
    if fixed and missing > 1:
        raise Refusal(f"private_ip_address {fixed[0]} can be given to one instance, but {missing} are to be launched")


def refuse_impossible(desired: DesiredSet, launch_spec: LaunchSpec, prerequisites: Prerequisites) -> None:
    """Raise Refusal if RunInstances cannot succeed, or would succeed with something that is no VPX in good order."""
    check_image(launch_spec, prerequisites.images)
    check_type(desired, launch_spec, prerequisites.types)
    check_subnets(desired, prerequisites.subnets)


def check_image(launch_spec: LaunchSpec, images: Described) -> None:
    """Raise Refusal if the image is not there, or not ready."""
    image = next(iter(images), None)
    if image is None:
        raise Refusal(
            f"image {launch_spec.image_id} does not exist in this region or is not shared with this account; a "
            f"marketplace "
            "image must have been subscribed to"
        )
    if image.get("State", "available") != "available":
        raise Refusal(f"image {launch_spec.image_id} is {image['State']}, not available")
    if problem := license_problem(launch_spec.license_mode, image.get("Name")):
        raise Refusal(f"image {launch_spec.image_id}: {problem}")


def check_type(desired: DesiredSet, launch_spec: LaunchSpec, types: Described) -> None:
    """Raise Refusal if the instance type is not there, or has too few interfaces or addresses."""
    found = next(iter(types), None)
    if found is None:
        raise Refusal(f"there is no instance type {launch_spec.instance_type} in this region")
    network = found["NetworkInfo"]
    most, needed = network["MaximumNetworkInterfaces"], len(desired.interfaces)
    if most < needed:
        raise Refusal(
            f"instance type {launch_spec.instance_type} has at most {most} network interfaces, {needed} are needed"
        )
    room = network["Ipv4AddressesPerInterface"]
    for desired_interface in desired.interfaces:
        if desired_interface.secondary_private_ip_count >= room:
            raise Refusal(
                f"instance type {launch_spec.instance_type} has at most {room} IPv4 addresses per interface, "
                f"{desired_interface.role} needs {desired_interface.secondary_private_ip_count + 1}"
            )


def check_subnets(desired: DesiredSet, subnets: Described) -> None:
    """Raise Refusal if the subnets of one instance are not all there, or cannot be those of one VPX."""
    found = {subnet["SubnetId"]: subnet for subnet in subnets}
    unknown = sorted({desired_interface.subnet_id for desired_interface in desired.interfaces} - set(found))
    if unknown:
        raise Refusal(f"there is no subnet {', '.join(unknown)} in this region")
    _refuse_shared_management(desired.interfaces)
    for key, what in (("AvailabilityZone", "zones"), ("VpcId", "VPCs")):
        places = {
            desired_interface.role: found[desired_interface.subnet_id][key] for desired_interface in desired.interfaces
        }
        if len(set(places.values())) > 1:
            message = ", ".join(f"{role} in {place}" for role, place in places.items())
            raise Refusal(f"the subnets of one instance lie in different {what}: {message}")
    zone = next(iter(found.values()))["AvailabilityZone"]
    if desired.zone is not None and _AVAILABILITY_ZONE.fullmatch(desired.zone) and desired.zone != zone:
        raise Refusal(f"zone is {desired.zone}, but the subnets lie in {zone}")


def _refuse_shared_management(interfaces: Sequence[DesiredInterface]) -> None:
    """VPX on AWS, limitations and usage guidelines: management and data interfaces must be in different subnets."""
    management = next(
        desired_interface.subnet_id for desired_interface in interfaces if desired_interface.role == "management"
    )
    for desired_interface in interfaces:
        if desired_interface.role != "management" and desired_interface.subnet_id == management:
            raise Refusal(
                f"the management and the {desired_interface.role} interface are both in {management}; a VPX "
                f"needs its management "
                "interface in a subnet of its own"
            )


def group_trouble(desired: DesiredSet, prerequisites: Prerequisites) -> str | None:
    """Return a message about security groups that do not exist or belong to another VPC, or None."""
    vpc = {subnet["VpcId"] for subnet in prerequisites.subnets}
    found = {group["GroupId"]: group["VpcId"] for group in prerequisites.groups}
    asked = sorted(
        {name for desired_interface in desired.interfaces for name in desired_interface.security_groups or ()}
    )
    unknown = [name for name in asked if name not in found]
    if unknown:
        return f"there is no security group {', '.join(unknown)} in this region"
    elsewhere = [f"{name} is in {found[name]}" for name in asked if found[name] not in vpc]
    if elsewhere:
        return f"security group {'; '.join(elsewhere)}, but the subnets are in {', '.join(sorted(vpc))}"
    return None


def request(desired: DesiredSet, launch_spec: LaunchSpec, prerequisites: Prerequisites, missing: int) -> dict[str, Any]:
    """Return the parameters of the one RunInstances for all missing instances, without its ClientToken.

    EC2 launches all of them or none (MinCount = MaxCount). All interfaces get the same tags, because RunInstances takes
    one specification per resource type; their role follows by CreateTags.
    """
    zone = {t.ZONE: prerequisites.subnets[0]["AvailabilityZone"]} if desired.zone is None else {}
    common = {**desired.common_tags(), **zone}
    instance_tags = {t.LIFECYCLE: t.PROVISIONING, **desired.tags, **common}
    specifications = [
        *boto3_tag_specifications(instance_tags, types=["instance"]),
        *boto3_tag_specifications(common, types=["volume", "network-interface"]),
    ]
    profile = launch_spec.iam_instance_profile
    optional = {
        "IamInstanceProfile": {"Arn" if profile.startswith("arn:") else "Name": profile} if profile else None,
        "KeyName": launch_spec.key_name,
        "UserData": launch_spec.user_data,
        "BlockDeviceMappings": _encrypted(prerequisites.images[0]) if launch_spec.encrypt_volumes else None,
    }
    return {
        "ImageId": launch_spec.image_id,
        "InstanceType": launch_spec.instance_type,
        "MinCount": missing,
        "MaxCount": missing,
        "NetworkInterfaces": [
            _device(index, desired_interface) for index, desired_interface in enumerate(desired.interfaces)
        ],
        "MetadataOptions": _metadata(launch_spec),
        "TagSpecifications": specifications,
        **{key: value for key, value in optional.items() if value},
    }


def _metadata(launch_spec: LaunchSpec) -> dict[str, Any]:
    options: dict[str, Any] = {"HttpEndpoint": "enabled", "HttpTokens": launch_spec.http_tokens}
    if launch_spec.metadata_hop_limit is not None:
        options["HttpPutResponseHopLimit"] = launch_spec.metadata_hop_limit
    return options


def _device(index: int, desired_interface: DesiredInterface) -> dict[str, Any]:
    device: dict[str, Any] = {
        "DeviceIndex": index,
        "SubnetId": desired_interface.subnet_id,
        "DeleteOnTermination": True,
        "Description": f"VPX {desired_interface.role}",
    }
    if desired_interface.security_groups is not None:
        device["Groups"] = list(desired_interface.security_groups)
    if desired_interface.private_ip_address:
        device["PrivateIpAddress"] = desired_interface.private_ip_address
    if desired_interface.secondary_private_ip_count:
        device["SecondaryPrivateIpAddressCount"] = desired_interface.secondary_private_ip_count
    return device


def _encrypted(image: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every EBS volume of the image, encrypted with the account's default key; at least its root device."""
    names = [item["DeviceName"] for item in image.get("BlockDeviceMappings", []) if item.get("Ebs") is not None]
    root = image.get("RootDeviceName")
    devices = dict.fromkeys([*([root] if root else []), *names])
    return [{"DeviceName": name, "Ebs": {"Encrypted": True, "DeleteOnTermination": True}} for name in devices]


def client_token(identity: Mapping[str, str], known: Collection[str], parameters: Mapping[str, Any]) -> str:
    """Return a token that is equal for the same launch from the same starting point, and different otherwise.

    ``known``: the set's instances in every state. A run that was killed before it heard EC2's answer, and is repeated
    while its instances are not yet visible, thereby asks for the same launch, and EC2 returns the instances it has
    made (EC2 API reference, "Ensuring idempotency"). As soon as they are visible they are counted, not launched.
    """
    origin = json.dumps([dict(identity), sorted(known), parameters], sort_keys=True, default=str)
    return hashlib.sha256(origin.encode()).hexdigest()


def token_of_generation(token: str, generation: int) -> str:
    """Return the token of this generation (64 characters at most): a token whose instances are gone is not reused."""
    return token[:64] if generation == 0 else f"{token[:60]}-{generation}"
