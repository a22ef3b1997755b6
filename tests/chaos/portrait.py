"""The state of a pair in AWS and on both appliances, with ids and addresses replaced by what they stand for.

Two portraits are equal when nobody who looks at the account or at an appliance could tell the two apart.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.lab.client import LabClient
from tests.left_over import left_over

# What differs between two runs that did the same.
_VOLATILE = frozenset({"CreateDate", "RoleId", "RoleLastUsed"})


def portrait(lab: LabClient, group: str) -> dict[str, Any]:
    """Instances, interfaces, addresses, groups, roles, and each appliance's saved configuration, JSON-ready."""
    aws = _aws(lab, group)
    names = _names(aws["instances"], aws["addresses"], aws["groups"])
    picture = {
        "instances": [_instance(instance) for instance in aws["instances"]],
        "interfaces": [_interface(interface) for interface in aws["interfaces"]],
        "addresses": [_address(address) for address in aws["addresses"]],
        "groups": [_group(group) for group in aws["groups"]],
        "rights": aws["rights"],
        "counts": {kind: len(ids) for kind, ids in left_over(lab, group).items()},
        "appliances": _appliances(lab, [instance["InstanceId"] for instance in aws["instances"]]),
    }
    return _renamed(picture, names)


def difference(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two portraits differ, as lines ``path: this != that``."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [line for key in keys for line in difference(one.get(key), other.get(key), f"{path}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for n, (mine, theirs) in pairs for line in difference(mine, theirs, f"{path}/{n}")]
    return [] if one == other else [f"{path}: {json.dumps(one)} != {json.dumps(other)}"]


def _aws(lab: LabClient, group: str) -> dict[str, Any]:
    ec2, iam = lab.boto("ec2"), lab.boto("iam")
    tagged = [{"Name": "tag:cloudadc:group", "Values": [group]}]
    live = [*tagged, {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    reservations = ec2.describe_instances(Filters=live)["Reservations"]
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    groups = ec2.describe_security_groups()["SecurityGroups"]
    return {
        "instances": sorted(instances, key=lambda i: (_tags(i).get("cloudadc:node_id", ""), i["InstanceId"])),
        "interfaces": ec2.describe_network_interfaces(Filters=tagged)["NetworkInterfaces"],
        "addresses": sorted(ec2.describe_addresses()["Addresses"], key=lambda a: str(a["PublicIp"])),
        "groups": sorted((g for g in groups if g["GroupName"].startswith(group)), key=lambda g: str(g["GroupName"])),
        "rights": _rights(iam, group),
    }


def _rights(iam: Any, group: str) -> dict[str, Any]:
    roles = [role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith(group)]
    listed = [profile["InstanceProfileName"] for profile in iam.list_instance_profiles()["InstanceProfiles"]]
    profiles = [iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"] for name in listed]
    return {
        "roles": {
            name: {
                "role": _stable(iam.get_role(RoleName=name)["Role"]),
                "policies": {
                    policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
                },
            }
            for name in roles
        },
        "profiles": {
            profile["InstanceProfileName"]: {
                "roles": [role["RoleName"] for role in profile["Roles"]],
                "tags": _tags(profile),
            }
            for profile in profiles
            if profile["InstanceProfileName"].startswith(group)
        },
    }


def _instance(instance: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": instance["InstanceId"],
        "zone": instance["Placement"]["AvailabilityZone"],
        "type": instance["InstanceType"],
        "image": instance["ImageId"],
        "profile": instance.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2],
        "metadata": instance.get("MetadataOptions", {}).get("HttpTokens"),
        "tags": _tags(instance),
        "interfaces": {
            str(interface["Attachment"]["DeviceIndex"]): interface["NetworkInterfaceId"]
            for interface in sorted(instance["NetworkInterfaces"], key=lambda i: int(i["Attachment"]["DeviceIndex"]))
        },
    }


def _interface(interface: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": interface["NetworkInterfaceId"],
        "addresses": [address["PrivateIpAddress"] for address in interface["PrivateIpAddresses"]],
        "groups": sorted(group["GroupId"] for group in interface["Groups"]),
        "public": interface.get("Association", {}).get("PublicIp"),
        "tags": _tags(interface),
    }


def _address(address: dict[str, Any]) -> dict[str, Any]:
    return {
        "public": address["PublicIp"],
        "interface": address.get("NetworkInterfaceId"),
        "private": address.get("PrivateIpAddress"),
        "tags": _tags(address),
    }


def _group(group: dict[str, Any]) -> dict[str, Any]:
    rules = [json.dumps(rule, sort_keys=True) for rule in group["IpPermissions"]]
    return {
        "id": group["GroupId"],
        "name": group["GroupName"],
        "rules": sorted(rules),
        "out": group["IpPermissionsEgress"],
        "tags": _tags(group),
    }


def _appliances(lab: LabClient, instance_ids: list[str]) -> dict[str, Any]:
    known = lab.state()["nitro"]
    found = {}
    for instance_id in instance_ids:
        appliance = known[instance_id]
        found[instance_id] = {"saved": appliance["saved"], "role": appliance["ha"]["role"]}
    return found


def _names(
    instances: list[dict[str, Any]], addresses: list[dict[str, Any]], groups: list[dict[str, Any]]
) -> dict[str, str]:
    """Ids and addresses → what they stand for."""
    names: dict[str, str] = {}
    for instance in instances:
        node = f"node {_tags(instance).get('cloudadc:node_id')}"
        names[instance["InstanceId"]] = f"<{node}>"
        for interface in instance["NetworkInterfaces"]:
            role = f"<{node}, interface {interface['Attachment']['DeviceIndex']}"
            names[interface["NetworkInterfaceId"]] = f"{role}>"
            for place, address in enumerate(interface["PrivateIpAddresses"]):
                names[address["PrivateIpAddress"]] = f"{role}, address {place}>"
    for place, address in enumerate(addresses):
        names[address["PublicIp"]] = f"<elastic IP {place}>"
        names[address["AllocationId"]] = f"<allocation {place}>"
    for group in groups:
        names[group["GroupId"]] = f"<group {group['GroupName']}>"
    return names


def _renamed(picture: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Every id and address in it replaced; lists of dictionaries in a fixed order."""
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<![\w.]){re.escape(name)}(?![\w.])" for name in longest_first))
    text = json.dumps(picture, sort_keys=True, default=str)
    named: dict[str, Any] = json.loads(pattern.sub(lambda match: names[match[0]], text) if names else text)
    ordered: dict[str, Any] = _ordered(named)
    return ordered


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [_ordered(item) for item in value]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    return value


def _stable(value: dict[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key not in _VOLATILE and key != "ResponseMetadata"}


def _tags(thing: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags") or thing.get("TagSet") or []}
