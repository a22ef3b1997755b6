"""The state of a group in AWS, on its appliances and in the console, with stable names instead of ids and addresses.

Two snapshots are equal when account, appliances and console do not differ in anything but times.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from tests.crash.inventory import Inventory, Thing, names_of, read_inventory, tags_of
from tests.lab.client import LabClient

# Differs between two runs that did the same.
_VOLATILE = frozenset({"CreateDate", "RoleId", "RoleLastUsed"})
# Of the group state: the outcome, not its times, ids and number of ticks.
_REMEMBERED = ("failures", "last_failure")
_OF_AN_EVENT = ("stage", "count", "nodes_before", "released")
STABLE_SECONDS = 5.0
#: The name of an object has its time and the instance that was backed up, which may be gone.
_FILE_OF_A_BACKUP = re.compile(r"[^/]+-(primary|secondary|standalone)-[^/]+\.tgz$")


def snapshot(lab: LabClient, group: str, *, wait: bool = True) -> dict[str, Any]:
    """Return the snapshot, JSON-ready, after drains and health checks are complete unless ``wait`` is false."""
    inventory, state = _completed(lab) if wait else (read_inventory(lab), lab.state())
    picture = {
        "instances": [_instance(instance) for instance in inventory.instances],
        "interfaces": [_interface(interface) for interface in inventory.interfaces],
        "volumes": [{"tags": tags_of(volume), "state": volume["State"]} for volume in inventory.volumes],
        "addresses": [_address(address) for address in inventory.addresses],
        "groups": [_group(group) for group in inventory.groups],
        "rights": _rights(lab.boto("iam"), group),
        "balancers": [_balancer(balancer) for balancer in inventory.balancers],
        "listeners": [_listener(listener) for listener in inventory.listeners],
        "target groups": [
            _target_group(one, inventory.targets[one["TargetGroupArn"]]) for one in inventory.target_groups
        ],
        "records": [{"zone": zone, **record} for zone, records in inventory.records.items() for record in records],
        "scaled": [_scaled(one) for one in inventory.scaled],
        "routes": [_routes(table) for table in inventory.routes],
        "backups": sorted(_FILE_OF_A_BACKUP.sub(r"a backup of a \1", key) for key in inventory.backups),
        "remembered": [_remembered(item) for items in inventory.items.values() for item in items],
    }
    ids = [instance["InstanceId"] for instance in inventory.instances]  # an Auto Scaling group's are no appliances
    picture["appliances"] = {one: _appliance(state["nitro"][one]) for one in ids if one in state["nitro"]}
    picture["console"] = _console(state.get("adm") or {})
    names = names_of(inventory)
    return _renamed(_without_clips(picture, state["nitro"], names), names)


def difference(one: Any, other: Any, path: str = "") -> list[str]:
    """Return the differences of two snapshots as lines ``path: this != that``."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [line for key in keys for line in difference(one.get(key), other.get(key), f"{path}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for n, (mine, theirs) in pairs for line in difference(mine, theirs, f"{path}/{n}")]
    return [] if one == other else [f"{path}: {json.dumps(one)} != {json.dumps(other)}"]


def _completed(lab: LabClient) -> tuple[Inventory, dict[str, Any]]:
    """Return the inventory and the lab's state when they are stable, or after STABLE_SECONDS."""
    deadline = time.monotonic() + STABLE_SECONDS
    while True:
        inventory, state = read_inventory(lab), lab.state()
        if not _under_way(inventory, state) or time.monotonic() > deadline:
            return inventory, state
        time.sleep(0.1)


def _under_way(inventory: Inventory, state: dict[str, Any]) -> bool:
    """Whether a target is initial or draining, or a passive cluster node still serves for its delay."""
    health = {target["TargetHealth"]["State"] for targets in inventory.targets.values() for target in targets}
    clusters = [one["cluster"] for one in state["nitro"].values() if one["cluster"]]
    leaving = [one for one in clusters if (one["admin_state"], one["master_state"]) == ("PASSIVE", "ACTIVE")]
    return bool(health & {"initial", "draining"} or leaving)


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
                "tags": tags_of(profile),
            }
            for profile in profiles
        },
    }


def _instance(instance: Thing) -> dict[str, Any]:
    return {
        "id": instance["InstanceId"],
        "state": instance["State"]["Name"],
        "zone": instance["Placement"]["AvailabilityZone"],
        "type": instance["InstanceType"],
        "image": instance["ImageId"],
        "profile": instance.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2],
        "metadata": instance.get("MetadataOptions", {}).get("HttpTokens"),
        "tags": _without_event(tags_of(instance)),
        "interfaces": {
            str(interface["Attachment"]["DeviceIndex"]): interface["NetworkInterfaceId"]
            for interface in sorted(instance["NetworkInterfaces"], key=lambda i: int(i["Attachment"]["DeviceIndex"]))
        },
    }


#: Tags whose value differs each time, or depends on how long EC2 remembers an instance; their presence counts.
_NAMES_OF = {"cloudadc:event": "<an event>", "cloudadc:replaces": "<an instance>"}


def _without_event(tags: dict[str, str]) -> dict[str, str]:
    """Replace the ids of events and of predecessors."""
    return {name: _NAMES_OF.get(name, value) for name, value in tags.items()}


def _interface(interface: Thing) -> dict[str, Any]:
    return {
        "id": interface["NetworkInterfaceId"],
        "addresses": [address["PrivateIpAddress"] for address in interface["PrivateIpAddresses"]],
        "groups": sorted(group["GroupId"] for group in interface["Groups"]),
        "public": interface.get("Association", {}).get("PublicIp"),
        "tags": _without_event(tags_of(interface)),
    }


def _address(address: Thing) -> dict[str, Any]:
    return {
        "public": address["PublicIp"],
        "interface": address.get("NetworkInterfaceId"),
        "private": address.get("PrivateIpAddress"),
        "tags": _without_event(tags_of(address)),
    }


def _group(group: Thing) -> dict[str, Any]:
    return {
        "id": group["GroupId"],
        "name": group["GroupName"],
        "rules": group["IpPermissions"],
        "out": group["IpPermissionsEgress"],
        "tags": tags_of(group),
    }


def _balancer(balancer: Thing) -> dict[str, Any]:
    plain = ("LoadBalancerName", "Scheme", "Type", "AvailabilityZones", "SecurityGroups", "Attributes")
    return {**{name: balancer.get(name) for name in plain}, "tags": tags_of(balancer)}


def _listener(listener: Thing) -> dict[str, Any]:
    plain = ("LoadBalancerArn", "Protocol", "Port", "DefaultActions", "Certificates", "SslPolicy")
    return {**{name: listener.get(name) for name in plain}, "tags": tags_of(listener)}


def _target_group(group: Thing, targets: list[Thing]) -> dict[str, Any]:
    plain = {name: value for name, value in group.items() if name not in ("TargetGroupArn", "Tags")}
    return {
        **plain,
        "tags": tags_of(group),
        "targets": [
            {"id": one["Target"]["Id"], "port": one["Target"]["Port"], "state": one["TargetHealth"]["State"]}
            for one in targets
        ],
    }


def _routes(table: Thing) -> dict[str, Any]:
    return {"id": table["RouteTableId"], "routes": table["Routes"], "tags": tags_of(table)}


def _scaled(group: Thing) -> dict[str, Any]:
    members = [(one["InstanceId"], one["LifecycleState"]) for one in group["Instances"]]
    sizes = {name: group[name] for name in ("MinSize", "MaxSize", "DesiredCapacity")}
    return {"name": group["AutoScalingGroupName"], "members": members, **sizes, "tags": tags_of(group)}


def _remembered(item: Thing) -> dict[str, Any]:
    """Return the comparable part of an item of the group's store."""
    document = json.loads(item["document"]["S"]) if "document" in item else {}
    reported: dict[str, Any] = {name: item[name]["S"] for name in ("group", "zone") if name in item}
    reported |= {name: document.get(name) for name in _REMEMBERED}
    reported["phase"] = (document.get("phase") or {}).get("name")
    event = document.get("event")
    reported["event"] = event and {name: event.get(name) for name in _OF_AN_EVENT}
    reported["unfinished"] = [(one["stage"], one["count"]) for one in document.get("unfinished", [])]
    reported["history"] = [(one["action"], one["count"], one["outcome"]) for one in document.get("history", [])]
    return reported


def _appliance(appliance: dict[str, Any]) -> dict[str, Any]:
    cluster = appliance["cluster"]
    reported = ("clip", "node_id", "admin_state", "master_state", "health", "effective_state")
    return {
        "saved": appliance["saved"],
        "unsaved": appliance["unsaved"],
        "role": appliance["ha"]["role"],
        "cluster": cluster and {name: cluster[name] for name in reported},
    }


def _console(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the devices by their addresses; ids and times are the console's own."""
    sites = {site["id"]: site["name"] for site in state.get("datacenters", [])}
    reported = ("ip_address", "hostname", "profile_name", "instance_state")
    return [
        {**{name: device.get(name) for name in reported}, "site": sites.get(device.get("datacenter_id"))}
        for device in state.get("devices", [])
    ]


def _without_clips(picture: dict[str, Any], nitro: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Compare a CLIP by whether its coordinator holds it: which node coordinates makes no difference."""
    clusters = [(one["nsip"], one["cluster"]) for one in nitro.values() if one["cluster"]]
    leaders = {cluster["clip"]: nsip for nsip, cluster in clusters if cluster["coordinator"]}
    found = {}
    for clip in {cluster["clip"] for _nsip, cluster in clusters}:
        names[clip] = f"<CLIP {clip}>"
        for interface in picture["interfaces"]:
            if clip in interface["addresses"]:
                found[clip] = leaders.get(clip) in interface["addresses"]
                interface["addresses"].remove(clip)
    return {**picture, "CLIPs": {clip: "at its coordinator" if right else "misplaced" for clip, right in found.items()}}


def _renamed(picture: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Replace every id and address by its stable name; sort the lists."""
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<![\w.]){re.escape(name)}(?![\w.])" for name in longest_first))
    text = json.dumps(picture, sort_keys=True, default=str)
    inside = {name: json.dumps(meaning)[1:-1] for name, meaning in names.items()}
    named: dict[str, Any] = json.loads(pattern.sub(lambda match: inside[match[0]], text) if names else text)
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
