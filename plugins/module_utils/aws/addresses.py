# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What EC2 says about Elastic IPs and interfaces, parsed once at the edge. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from ..core.parsing import readable


@dataclass(frozen=True, slots=True)
class Association:
    """Where an Elastic IP sits: an interface *and* one of its private addresses. The pair is its identity."""

    network_interface_id: str
    private_ip_address: str

    def __str__(self) -> str:
        return f"{self.network_interface_id} ({self.private_ip_address})"

    def result(self) -> dict[str, str | None]:
        return {"network_interface_id": self.network_interface_id, "private_ip_address": self.private_ip_address}


def association_result(association: Association | None) -> dict[str, str | None]:
    """Return an association as modules return it; without an association the keys are the same, with null."""
    return association.result() if association else {"network_interface_id": None, "private_ip_address": None}


@dataclass(frozen=True, slots=True)
class Address:
    """One Elastic IP of the region; ``association`` is None while it is associated with nothing.

    ``instance_id``: the instance that has its interface; None: the interface is attached to none.
    """

    public_ip: str
    allocation_id: str
    association: Association | None = None
    association_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    instance_id: str | None = None

    def __str__(self) -> str:
        return f"{self.public_ip} ({self.allocation_id})"


@dataclass(frozen=True, slots=True)
class Interface:
    """One elastic network interface. ``addresses``: its private IPv4 addresses, the primary first;
    ``ipv6_addresses``: in canonical form; ``primary_ipv6``: the one that EC2 keeps on it while it is attached.

    ``instance_id`` and ``device_index`` are None while it is attached to nothing (or to a machine of AWS's own).
    ``prefixes``: its IPv4 prefixes, as ranges; ``public``: private address → Elastic IP (or other public address).
    """

    network_interface_id: str
    addresses: tuple[str, ...]
    instance_id: str | None
    device_index: int | None
    subnet_id: str = ""
    status: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    vpc_id: str = ""
    source_dest_check: bool = True
    ipv6_addresses: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    public: Mapping[str, str] = field(default_factory=dict)
    primary_ipv6: str = ""

    def has(self, address: str) -> bool:
        """Whether this address or prefix, in canonical form, is assigned to it."""
        return address in (*self.addresses, *self.ipv6_addresses, *self.prefixes)

    def is_primary(self, address: str) -> bool:
        """Whether EC2 moves this address of it to no other interface."""
        return address in (self.addresses[0], self.primary_ipv6)


@readable("EC2's description of Elastic IPs")
def parse_addresses(described: Iterable[Mapping[str, Any]]) -> list[Address]:
    """Parse the Addresses of a DescribeAddresses reply, without those of EC2-Classic, which have no allocation."""
    return [_address(item) for item in described if item.get("AllocationId")]


def _address(item: Mapping[str, Any]) -> Address:
    interface, private = item.get("NetworkInterfaceId"), item.get("PrivateIpAddress")
    return Address(
        public_ip=item["PublicIp"],
        allocation_id=item["AllocationId"],
        association=Association(interface, private) if interface and private else None,
        association_id=item.get("AssociationId"),
        tags=boto3_tag_list_to_ansible_dict(item.get("Tags", [])),
        instance_id=item.get("InstanceId") or None,
    )


def private_addresses(interface: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the private IPv4 addresses of an interface in AWS's order, the primary one first."""
    listed = sorted(interface.get("PrivateIpAddresses", []), key=lambda item: not item.get("Primary", False))
    return tuple(item["PrivateIpAddress"] for item in listed) or (interface["PrivateIpAddress"],)


@readable("EC2's description of network interfaces")
def parse_interfaces(described: Iterable[Mapping[str, Any]]) -> list[Interface]:
    """Parse the NetworkInterfaces of a DescribeNetworkInterfaces reply."""
    return [_interface(item) for item in described]


def _interface(item: Mapping[str, Any]) -> Interface:
    attachment = item.get("Attachment") or {}
    if attachment.get("Status") in ("detaching", "detached"):
        attachment = {}
    ipv6 = item.get("Ipv6Addresses", [])
    return Interface(
        network_interface_id=item["NetworkInterfaceId"],
        addresses=private_addresses(item),
        instance_id=attachment.get("InstanceId"),
        device_index=attachment.get("DeviceIndex"),
        subnet_id=item.get("SubnetId", ""),
        status=item.get("Status", ""),
        description=item.get("Description", ""),
        tags=boto3_tag_list_to_ansible_dict(item.get("TagSet", [])),
        vpc_id=item.get("VpcId", ""),
        source_dest_check=item.get("SourceDestCheck", True),
        ipv6_addresses=tuple(_canonical(one["Ipv6Address"]) for one in ipv6),
        prefixes=tuple(one["Ipv4Prefix"] for one in item.get("Ipv4Prefixes", [])),
        public=_public_addresses(item),
        primary_ipv6=next((_canonical(one["Ipv6Address"]) for one in ipv6 if one.get("IsPrimaryIpv6")), ""),
    )


def _canonical(address: str) -> str:
    return str(ipaddress.ip_address(address))


def _public_addresses(interface: Mapping[str, Any]) -> dict[str, str]:
    listed = interface.get("PrivateIpAddresses", [])
    found = {one["PrivateIpAddress"]: (one.get("Association") or {}).get("PublicIp") for one in listed}
    return {private: public for private, public in found.items() if public}
