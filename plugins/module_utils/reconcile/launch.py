# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Before and in RunInstances: what can be known to fail is refused with a sentence; the request itself. Pure."""

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
from .instance_plan import InterfaceWish, Want

Described = Sequence[Mapping[str, Any]]
_AVAILABILITY_ZONE = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+[a-z]")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a new instance is made of. ``http_tokens``: IMDSv2 required, or optional for VPX before 13.1-48."""

    image_id: str | None
    instance_type: str
    iam_instance_profile: str | None = None
    key_name: str | None = None
    user_data: str | None = None
    encrypt_volumes: bool = True
    http_tokens: str = "required"


@dataclass(frozen=True, slots=True)
class Ground:
    """What AWS says about everything a launch refers to (empty lists: it does not exist)."""

    types: Described = ()
    images: Described = ()
    subnets: Described = ()
    groups: Described = field(default_factory=tuple)


def in_device_order(interfaces: Iterable[InterfaceWish]) -> tuple[InterfaceWish, ...]:
    """Management first, then client, then server: a VPX takes its roles from the order of its devices."""
    ordered = tuple(sorted(interfaces, key=lambda wish: t.ROLES.index(wish.role)))
    roles = [wish.role for wish in ordered]
    if len(set(roles)) != len(roles):
        raise Refusal(f"each role has one interface, but interfaces names {', '.join(roles)}")
    if roles and roles[0] != "management":
        raise Refusal("interfaces needs one with role management: it is the first device, which carries the NSIP")
    return ordered


def refuse_incomplete(want: Want, recipe: Recipe, missing: int) -> None:
    """Raise Refusal if what to launch is not said."""
    lacks = [name for name, value in (("image_id", recipe.image_id), ("interfaces", want.interfaces)) if not value]
    if lacks:
        raise Refusal(f"{want.name} lacks {missing} of {want.count} instances, and {' and '.join(lacks)} is not given")
    fixed = [wish.private_ip_address for wish in want.interfaces if wish.private_ip_address]
    if fixed and missing > 1:
        raise Refusal(f"private_ip_address {fixed[0]} can be given to one instance, but {missing} are to be launched")


def refuse_impossible(want: Want, recipe: Recipe, ground: Ground) -> None:
    """Raise Refusal if RunInstances cannot succeed, or would succeed with something that is no VPX in good order."""
    check_image(recipe, ground.images)
    check_type(want, recipe, ground.types)
    check_subnets(want, ground.subnets)


def check_image(recipe: Recipe, images: Described) -> None:
    """Raise Refusal if the image is not there, or not ready."""
    image = next(iter(images), None)
    if image is None:
        raise Refusal(
            f"image {recipe.image_id} does not exist in this region or is not shared with this account; a marketplace "
            "image must have been subscribed to"
        )
    if image.get("State", "available") != "available":
        raise Refusal(f"image {recipe.image_id} is {image['State']}, not available")


def check_type(want: Want, recipe: Recipe, types: Described) -> None:
    """Raise Refusal if the instance type is not there, or has too few interfaces or addresses."""
    found = next(iter(types), None)
    if found is None:
        raise Refusal(f"there is no instance type {recipe.instance_type} in this region")
    network = found["NetworkInfo"]
    most, needed = network["MaximumNetworkInterfaces"], len(want.interfaces)
    if most < needed:
        raise Refusal(
            f"instance type {recipe.instance_type} has at most {most} network interfaces, {needed} are needed"
        )
    room = network["Ipv4AddressesPerInterface"]
    for wish in want.interfaces:
        if wish.secondary_private_ip_count >= room:
            raise Refusal(
                f"instance type {recipe.instance_type} has at most {room} IPv4 addresses per interface, "
                f"{wish.role} needs {wish.secondary_private_ip_count + 1}"
            )


def check_subnets(want: Want, subnets: Described) -> None:
    """Raise Refusal if the subnets of one instance are not all there, or cannot be those of one VPX."""
    found = {subnet["SubnetId"]: subnet for subnet in subnets}
    unknown = sorted({wish.subnet_id for wish in want.interfaces} - set(found))
    if unknown:
        raise Refusal(f"there is no subnet {', '.join(unknown)} in this region")
    _refuse_shared_management(want.interfaces)
    for key, what in (("AvailabilityZone", "zones"), ("VpcId", "VPCs")):
        places = {wish.role: found[wish.subnet_id][key] for wish in want.interfaces}
        if len(set(places.values())) > 1:
            said = ", ".join(f"{role} in {place}" for role, place in places.items())
            raise Refusal(f"the subnets of one instance lie in different {what}: {said}")
    zone = next(iter(found.values()))["AvailabilityZone"]
    if want.zone is not None and _AVAILABILITY_ZONE.fullmatch(want.zone) and want.zone != zone:
        raise Refusal(f"zone is {want.zone}, but the subnets lie in {zone}")


def _refuse_shared_management(interfaces: Sequence[InterfaceWish]) -> None:
    """VPX on AWS, limitations and usage guidelines: management and data interfaces must be in different subnets."""
    management = next(wish.subnet_id for wish in interfaces if wish.role == "management")
    for wish in interfaces:
        if wish.role != "management" and wish.subnet_id == management:
            raise Refusal(
                f"the management and the {wish.role} interface are both in {management}; a VPX needs its management "
                "interface in a subnet of its own"
            )


def group_trouble(want: Want, ground: Ground) -> str | None:
    """A sentence about security groups that do not exist or belong to another VPC, or None."""
    vpc = {subnet["VpcId"] for subnet in ground.subnets}
    found = {group["GroupId"]: group["VpcId"] for group in ground.groups}
    asked = sorted({name for wish in want.interfaces for name in wish.security_groups or ()})
    unknown = [name for name in asked if name not in found]
    if unknown:
        return f"there is no security group {', '.join(unknown)} in this region"
    elsewhere = [f"{name} is in {found[name]}" for name in asked if found[name] not in vpc]
    if elsewhere:
        return f"security group {'; '.join(elsewhere)}, but the subnets are in {', '.join(sorted(vpc))}"
    return None


def request(want: Want, recipe: Recipe, ground: Ground, missing: int) -> dict[str, Any]:
    """The parameters of the one RunInstances for all missing instances, without its ClientToken.

    EC2 launches all of them or none (MinCount = MaxCount). All interfaces get the same tags, because RunInstances takes
    one specification per resource type; their role follows by CreateTags.
    """
    zone = {t.ZONE: ground.subnets[0]["AvailabilityZone"]} if want.zone is None else {}
    common = {**want.common_tags(), **zone}
    instance_tags = {t.LIFECYCLE: t.PROVISIONING, **want.tags, **common}
    specifications = [
        *boto3_tag_specifications(instance_tags, types=["instance"]),
        *boto3_tag_specifications(common, types=["volume", "network-interface"]),
    ]
    profile = recipe.iam_instance_profile
    optional = {
        "IamInstanceProfile": {"Arn" if profile.startswith("arn:") else "Name": profile} if profile else None,
        "KeyName": recipe.key_name,
        "UserData": recipe.user_data,
        "BlockDeviceMappings": _encrypted(ground.images[0]) if recipe.encrypt_volumes else None,
    }
    return {
        "ImageId": recipe.image_id,
        "InstanceType": recipe.instance_type,
        "MinCount": missing,
        "MaxCount": missing,
        "NetworkInterfaces": [_device(index, wish) for index, wish in enumerate(want.interfaces)],
        "MetadataOptions": {"HttpEndpoint": "enabled", "HttpTokens": recipe.http_tokens},
        "TagSpecifications": specifications,
        **{key: value for key, value in optional.items() if value},
    }


def _device(index: int, wish: InterfaceWish) -> dict[str, Any]:
    device: dict[str, Any] = {
        "DeviceIndex": index,
        "SubnetId": wish.subnet_id,
        "DeleteOnTermination": True,
        "Description": f"VPX {wish.role}",
    }
    if wish.security_groups is not None:
        device["Groups"] = list(wish.security_groups)
    if wish.private_ip_address:
        device["PrivateIpAddress"] = wish.private_ip_address
    if wish.secondary_private_ip_count:
        device["SecondaryPrivateIpAddressCount"] = wish.secondary_private_ip_count
    return device


def _encrypted(image: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every EBS volume of the image, encrypted with the account's default key; at least its root device."""
    names = [item["DeviceName"] for item in image.get("BlockDeviceMappings", []) if item.get("Ebs") is not None]
    root = image.get("RootDeviceName")
    devices = dict.fromkeys([*([root] if root else []), *names])
    return [{"DeviceName": name, "Ebs": {"Encrypted": True, "DeleteOnTermination": True}} for name in devices]


def client_token(identity: Mapping[str, str], known: Collection[str], parameters: Mapping[str, Any]) -> str:
    """A token that is the same for the same launch from the same starting point, and different for any other.

    ``known``: the set's instances in every state. A run that was killed before it heard EC2's answer, and is repeated
    while its instances are not yet visible, thereby asks for the same launch, and EC2 returns the instances it has
    made (EC2 API reference, "Ensuring idempotency"). As soon as they are visible they are counted, not launched.
    """
    origin = json.dumps([dict(identity), sorted(known), parameters], sort_keys=True, default=str)
    return hashlib.sha256(origin.encode()).hexdigest()


def token_of_generation(token: str, generation: int) -> str:
    """A token whose launch is spent (its instances are gone) is followed by the next one; 64 characters at most."""
    return token[:64] if generation == 0 else f"{token[:60]}-{generation}"
