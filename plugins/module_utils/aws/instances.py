# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""VPX instances as EC2 describes them, and as our modules return them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from ..core.parsing import readable
from . import tags as t
from .addresses import Address, Association, Interface, private_addresses

LIVE = frozenset({"pending", "running", "stopping", "stopped"})
GOING = "shutting-down"
GONE = "terminated"


@dataclass(frozen=True, slots=True)
class Attached:
    """An interface of an instance. ``addresses``: private IPv4, the primary first."""

    network_interface_id: str
    device_index: int
    addresses: tuple[str, ...]
    subnet_id: str = ""
    security_groups: frozenset[str] = frozenset()
    source_dest_check: bool = True
    mac_address: str | None = None

    @property
    def association(self) -> Association:
        """Where an Elastic IP of this interface sits: on its primary address."""
        return Association(self.network_interface_id, self.addresses[0])


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance.

    ``launch_time``: ISO 8601. ``reason``: why it is in its state, if AWS says so. ``profile``: name of its instance
    profile. ``http_tokens``: of its metadata options. Empty: EC2 named none.
    """

    instance_id: str
    state: str
    availability_zone: str = ""
    launch_time: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    interfaces: tuple[Attached, ...] = ()
    reason: str = ""
    image_id: str = ""
    instance_type: str = ""
    profile: str = ""
    http_tokens: str = ""

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def lifecycle(self) -> str | None:
        return self.tags.get(t.LIFECYCLE)

    @property
    def node_id(self) -> int | None:
        message = self.tags.get(t.NODE_ID, "")
        return int(message) if message.isdigit() else None


@readable("EC2's description of instances")
def parse_instances(described: Iterable[Mapping[str, Any]]) -> list[Instance]:
    """Parse the Instances of the Reservations of a DescribeInstances or RunInstances reply."""
    return [_instance(item) for item in described]


def _instance(item: Mapping[str, Any]) -> Instance:
    launched = item.get("LaunchTime")
    return Instance(
        instance_id=item["InstanceId"],
        state=item["State"]["Name"],
        availability_zone=item.get("Placement", {}).get("AvailabilityZone", ""),
        launch_time=launched.isoformat() if launched else "",
        tags=boto3_tag_list_to_ansible_dict(item.get("Tags", [])),
        interfaces=tuple(sorted(map(_attached, item.get("NetworkInterfaces", [])), key=lambda i: i.device_index)),
        reason=item.get("StateReason", {}).get("Message", ""),
        image_id=item.get("ImageId", ""),
        instance_type=item.get("InstanceType", ""),
        profile=profile_name((item.get("IamInstanceProfile") or {}).get("Arn", "")),
        http_tokens=(item.get("MetadataOptions") or {}).get("HttpTokens", ""),
    )


def profile_name(profile: str) -> str:
    """Return the name of an instance profile that is given by name or ARN, whose last part the name is."""
    return profile.rpartition("/")[2]


def _attached(item: Mapping[str, Any]) -> Attached:
    return Attached(
        network_interface_id=item["NetworkInterfaceId"],
        device_index=item["Attachment"]["DeviceIndex"],
        addresses=private_addresses(item),
        subnet_id=item.get("SubnetId", ""),
        security_groups=frozenset(group["GroupId"] for group in item.get("Groups", [])),
        source_dest_check=item.get("SourceDestCheck", True),
        mac_address=item.get("MacAddress"),
    )


def role_of(attached: Attached, order: Sequence[str], interfaces: Mapping[str, Interface]) -> str:
    """Return the role of an interface: by the caller's order of devices, else by its tag, else by the usual order."""
    if attached.device_index < len(order):
        return order[attached.device_index]
    interface = interfaces.get(attached.network_interface_id)
    tagged = interface.tags.get(t.ROLE) if interface else None
    usual = t.ROLES[attached.device_index] if attached.device_index < len(t.ROLES) else f"eth{attached.device_index}"
    return tagged or usual


def in_order(instances: Iterable[Instance]) -> list[Instance]:
    """By node id (those without one last), then by age."""
    return sorted(instances, key=lambda i: (i.node_id is None, i.node_id or 0, i.launch_time, i.instance_id))


def instance_result(
    instance: Instance, order: Sequence[str], interfaces: Mapping[str, Interface], addresses: Sequence[Address]
) -> dict[str, Any]:
    """One entry of the result ``instances``."""
    return {
        "instance_id": instance.instance_id,
        "state": instance.state,
        "availability_zone": instance.availability_zone,
        "lifecycle": instance.lifecycle,
        "node_id": instance.node_id,
        "tags": dict(instance.tags),
        "launch_time": instance.launch_time,
        "image_id": instance.image_id,
        "instance_type": instance.instance_type,
        "interfaces": {
            role_of(item, order, interfaces): _interface_result(item, addresses) for item in instance.interfaces
        },
    }


def _interface_result(attached: Attached, addresses: Sequence[Address]) -> dict[str, Any]:
    mine = [
        a for a in addresses if a.association and a.association.network_interface_id == attached.network_interface_id
    ]
    shown = next((a for a in mine if a.association == attached.association), mine[0] if mine else None)
    return {
        "network_interface_id": attached.network_interface_id,
        "device_index": attached.device_index,
        "mac_address": attached.mac_address,
        "private_ip_address": attached.addresses[0],
        "private_ip_addresses": list(attached.addresses),
        "public_ip": shown.public_ip if shown else None,
        "allocation_id": shown.allocation_id if shown else None,
        "subnet_id": attached.subnet_id,
        "security_groups": sorted(attached.security_groups),
        "source_dest_check": attached.source_dest_check,
    }
