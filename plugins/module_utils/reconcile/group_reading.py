# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read what AWS has of an autoscale group: reads that do not depend on each other go side by side."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..aws import autoscaling, quotas
from ..aws import ec2 as api
from ..aws import route53 as dns_api
from ..aws import tags as t
from ..aws.addresses import Address, Interface, parse_addresses, parse_interfaces
from ..aws.client import Client
from ..aws.errors import AwsError
from ..aws.instances import Instance, parse_instances
from ..core.errors import Refusal
from ..core.parallel import gather
from ..distributors.dns.record_changes import group as record_group
from ..distributors.dns.record_plan import choose_zone
from ..distributors.dns.records import canonical_name
from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..scaling.followed import Followed, ScalingGroup, desired_backends
from ..spec.group_nodes import domains
from ..spec.group_security import SECURITY_ROLES

Described = list[dict[str, Any]]
Read = Callable[[], Any]
#: A hosted zone has 10,000 record sets at most unless AWS raises its quota.
ZONE_PAGES = 40


@dataclass(frozen=True, slots=True)
class Nodes:
    """What EC2 has: live instances and their interfaces by the group's tag, and what a launch refers to.

    ``addresses``: the Elastic IPs of the region. ``clips``: interfaces that hold an address of a cluster. ``images``,
    ``types``, ``key_pairs`` and ``quota`` are read before a launch for the whole group only, None where they were not.
    """

    instances: tuple[Instance, ...] = ()
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    addresses: tuple[Address, ...] = ()
    security_groups: Sequence[Mapping[str, Any]] = ()
    subnets: Sequence[Mapping[str, Any]] = ()
    clips: tuple[Interface, ...] = ()
    images: Sequence[Mapping[str, Any]] | None = None
    types: Sequence[Mapping[str, Any]] | None = None
    key_pairs: Sequence[Mapping[str, Any]] | None = None
    quota: int | None = None

    @property
    def live(self) -> tuple[Instance, ...]:
        return tuple(one for one in self.instances if one.live)


def read_nodes(client: Client, definition: Mapping[str, Any], *, launches: bool) -> Nodes:
    """Read instances, interfaces, addresses, security groups and subnets; before a launch also image and type.

    Calls: one of each kind, side by side.
    """
    mine = t.as_filters({t.GROUP: definition["name"]})
    zones = definition["zones"]
    names = [f"{definition['name']}-{role}" for role in SECURITY_ROLES]
    reads: dict[str, Read] = {
        "instances": lambda: parse_instances(api.describe_instances(client, mine)),
        "interfaces": lambda: parse_interfaces(api.describe_network_interfaces(client, mine)),
        "addresses": lambda: parse_addresses(api.describe_addresses(client)),
        "security_groups": lambda: api.find_security_groups(client, {"group-name": names}),
    }
    clips = [zone["clip"] for zone in zones if zone["clip"]]
    subnets = sorted({zone["management_subnet_id"] for zone in zones if zone["management_subnet_id"]})
    if clips and subnets:
        held = {"subnet-id": subnets, "addresses.private-ip-address": clips}
        reads["clips"] = lambda: parse_interfaces(api.describe_network_interfaces(client, held))
    requested = sorted({zone[f"{role}_subnet_id"] for zone in zones for role in t.ROLES} - {""})
    if requested:
        reads["subnets"] = lambda: _vpc_subnets(client, requested)
    if launches:
        reads |= _launch_reads(client, definition)
    found = dict(zip(reads, gather(list(reads.values())), strict=True))
    return Nodes(
        instances=tuple(found["instances"]),
        interfaces={one.network_interface_id: one for one in found["interfaces"]},
        addresses=tuple(found["addresses"]),
        clips=tuple(found.get("clips", ())),
        **{key: value for key, value in found.items() if key not in ("instances", "interfaces", "addresses", "clips")},
    )


def _vpc_subnets(client: Client, requested: Sequence[str]) -> Described:
    """Return the named subnets and every other subnet of their VPC, in which back ends may be."""
    named = api.describe_subnets(client, requested)
    vpcs = sorted({one["VpcId"] for one in named})
    others = api.describe_vpc_subnets(client, vpcs[0]) if len(vpcs) == 1 else []
    known = {one["SubnetId"] for one in named}
    return [*named, *(one for one in others if one["SubnetId"] not in known)]


def _launch_reads(client: Client, definition: Mapping[str, Any]) -> dict[str, Read]:
    reads: dict[str, Read] = {}
    if definition["image_id"]:
        reads["images"] = functools.partial(api.describe_image, client, definition["image_id"])
        reads["types"] = functools.partial(api.describe_instance_type, client, definition["instance_type"])
    if definition["key_name"]:
        reads["key_pairs"] = functools.partial(api.describe_key_pair, client, definition["key_name"])
    if DISTRIBUTORS[definition["distributor"]].public_nodes:
        reads["quota"] = lambda: _quota(client)
    return reads


def _quota(client: Client) -> int | None:
    """Return the quota of Elastic IPs; None if it may not be read, in which case AWS decides."""
    try:
        return quotas.quota_of(api.describe_elastic_ip_quota(client))
    except AwsError:
        return None


@dataclass(frozen=True, slots=True)
class Backends:
    """Back ends that are instances of Auto Scaling groups: by application, and the subnets they are in.

    ``unknown``: groups that want instances and have none in service; the back ends that follow them stay as they are.
    """

    by_application: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    subnet_ids: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def followed_of(definition: Mapping[str, Any]) -> list[Followed]:
    """Return the applications whose back ends are an Auto Scaling group."""
    return [
        Followed(one["name"], one["backend_autoscaling_group"], one["backend_port"])
        for one in definition["applications"]
        if one["backend_autoscaling_group"]
    ]


def read_backends(scaling: Client, ec2: Client, definition: Mapping[str, Any]) -> Backends:
    """Read the Auto Scaling groups that applications follow. Raises Refusal if one does not exist.

    Calls: DescribeAutoScalingGroups, and DescribeInstances if there are any in service.
    """
    followed = followed_of(definition)
    names = sorted({one.scaling_group for one in followed})
    described = autoscaling.describe_auto_scaling_groups(scaling, names)
    groups = [ScalingGroup.from_reply(one) for one in described]
    ids = sorted({member for group in groups for member in group.in_service})
    running = {"instance-id": ids, "instance-state-name": "running"}
    instances = api.describe_instances(ec2, running) if ids else []
    addresses = {one["InstanceId"]: one["PrivateIpAddress"] for one in instances if one.get("PrivateIpAddress")}
    desired = desired_backends(followed, groups, addresses)
    subnets = [part for one in described for part in str(one.get("VPCZoneIdentifier") or "").split(",")]
    return Backends(
        by_application={
            name: [{"address": address, "port": port} for address, port in sorted(found)]
            for name, found in desired.items()
        },
        subnet_ids=tuple(dict.fromkeys(part.strip() for part in subnets if part.strip())),
        unknown=tuple(sorted({one.scaling_group for one in followed if one.application not in desired})),
    )


@dataclass(frozen=True, slots=True)
class Names:
    """The hosted zone of a group, and the record sets of its domains.

    ``checked_ports``: by id of a health check of the account; None: the checks were not read.
    """

    zone_id: str = ""
    zone_name: str = ""
    records: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    checked_ports: Mapping[str, int] | None = None


def read_names(client: Client, definition: Mapping[str, Any]) -> Names:
    """Read the hosted zone and the record sets of type A of every domain. Raises Refusal if there is no such zone.

    Health checks are read where record sets have some that the group manages: their port may be a former one.
    """
    dns = definition["dns"]
    zone_id = str(dns["hosted_zone_id"]).rpartition("/")[2]
    name = dns["zone"]
    if not zone_id:
        zone_id = choose_zone(dns_api.list_hosted_zones_by_name(client, name), name, None)
    elif not name:
        name = str(dns_api.get_hosted_zone(client, zone_id)["Name"])
    requested = domains(definition)

    def record_sets(domain: str) -> list[Mapping[str, Any]]:
        return list(record_group(lambda start: dns_api.list_record_sets(client, zone_id, start), domain, "A"))

    found = gather([functools.partial(record_sets, domain) for domain in requested])
    checked = dns["health_check"] and any(one.get("HealthCheckId") for listed in found for one in listed)
    ports = _checked_ports(dns_api.list_health_checks(client)) if checked else None
    return Names(zone_id, name, dict(zip(requested, found, strict=True)), ports)


def _checked_ports(checks: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {str(one["Id"]): int((one.get("HealthCheckConfig") or {}).get("Port") or 0) for one in checks}


def read_other_domains(
    client: Client, zone_id: str, declared: Collection[str], identifiers: Collection[str]
) -> list[str]:
    """Return the names in a hosted zone that have record sets with one of these identifiers and are not declared.

    Calls: one ListResourceRecordSets for 300 record sets of the zone, at most ``ZONE_PAGES``.
    """
    names = {canonical_name(one) for one in declared}
    found: dict[str, None] = {}
    start: Mapping[str, str] | None = {}
    for _page in range(ZONE_PAGES):
        if start is None:
            break
        listed, start = dns_api.list_record_sets(client, zone_id, start)
        for one in listed:
            if one.get("SetIdentifier") in identifiers and canonical_name(one["Name"]) not in names:
                found[str(one["Name"]).rstrip(".")] = None
    return list(found)


def refused(read: Callable[[], Any]) -> str | None:
    """Return the message of a Refusal as an entry of a list of problems, None if there is none."""
    try:
        read()
    except Refusal as error:
        return as_message(str(error))
    return None


def as_message(message: str) -> str:
    """Return a refusal as an entry of a list: without the remark that nothing was written, which holds for all."""
    for remark in ("; nothing was written", " Nothing was changed.", " Nothing was written."):
        message = message.removesuffix(remark)
    return f"{message[:1].upper()}{message[1:].rstrip('.')}."
