# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether what is planned fits into what the account may have in the region. Pure.

Codes of Service Quotas: AWS general reference, endpoints and quotas of EC2, VPC and Elastic Load Balancing (the link of
each quota ends with its code).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from ..aws import tags as t
from ..aws.instances import LIVE
from ..aws.quotas import quota_of, refuse_quota
from ..core.errors import Failure, Refusal
from .rows import Row, failed, ok, unknown

CHECK, GIVEN = "quota", "Elastic IP"
Described = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Quota:
    """``what`` is counted, and where Service Quotas keeps its limit."""

    what: str
    service: str
    code: str


ELASTIC_IPS = Quota("Elastic IPs", "ec2", "L-0263D0A3")
INTERFACES = Quota("network interfaces", "vpc", "L-DF5E4CA3")
LOAD_BALANCERS = Quota("Network Load Balancers", "elasticloadbalancing", "L-69A177A2")
VCPUS = Quota("On-Demand vCPUs", "ec2", "L-1216C47A")

# The families whose vCPUs count together: A, C, D, H, I, M, R, T, Z (EC2 user guide, "EC2 instance type quotas").
_STANDARD = re.compile(r"(a|c|d|h|i|im|is|m|r|t|z)\d")
_RUNNING = frozenset({"pending", "running"})


@dataclass(frozen=True, slots=True)
class Usage:
    """``used``: by the account in this region; ``own``: of these, the group's; ``planned``: the group's in the end."""

    used: int
    own: int
    planned: int

    @property
    def more(self) -> int:
        return max(0, self.planned - self.own)


def judge(quota: Quota, usage: Usage, limit: int | None) -> Row:
    if limit is None:
        return unknown(CHECK, quota.what, f"Service Quotas names no limit {quota.code}")
    try:
        refuse_quota(usage.used, usage.more, limit, quota.what)
    except Refusal as refusal:
        return failed(CHECK, quota.what, f"{refusal} (quota {quota.code})")
    return ok(CHECK, quota.what, f"{usage.used} of {limit} in use, {usage.more} to come")


def limit_of(answer: int | Failure | None, attributes: Described | Failure) -> int | Failure | None:
    """Return the limit of Elastic IPs: as Service Quotas has it, else as DescribeAccountAttributes has it."""
    if isinstance(answer, int):
        return answer
    message = None if isinstance(attributes, Failure) else quota_of(attributes)
    return answer if message is None else message


def is_standard(instance_type: str) -> bool:
    return _STANDARD.match(instance_type) is not None


def owned(described: Described, group: str, key: str = "Tags") -> int:
    """How many of these carry the group's tag."""
    return sum(1 for item in described if boto3_tag_list_to_ansible_dict(item.get(key) or []).get(t.GROUP) == group)


def of_elastic_ips(addresses: Described, group: str, planned: int) -> Usage:
    return Usage(len(addresses), owned(addresses, group), planned)


def of_interfaces(interfaces: Described, group: str, planned: int) -> Usage:
    return Usage(len(interfaces), owned(interfaces, group, "TagSet"), planned)


def of_load_balancers(balancers: Described, group: str, planned: int) -> Usage:
    """Return the row about load balancers; a group's balancer has its name."""
    ours = [item for item in balancers if item.get("Type") == "network"]
    return Usage(len(ours), sum(1 for item in ours if item.get("LoadBalancerName") == group), planned)


def of_vcpus(instances: Described, vcpus: Mapping[str, int], group: str, planned: int) -> Usage:
    """``vcpus``: instance type → its vCPUs. Spot instances have a quota of their own; stopped ones have none."""
    counting = [
        item
        for item in instances
        if item["State"]["Name"] in _RUNNING
        and item.get("InstanceLifecycle") is None
        and is_standard(item["InstanceType"])
    ]
    return Usage(_sum(counting, vcpus), _sum(_of_group(counting, group), vcpus), planned)


def given(names: Sequence[str], addresses: Described) -> list[Row]:
    """Elastic IPs that are to be used and not to be made: a row each."""
    known = {str(item.get(key)): item for item in addresses for key in ("PublicIp", "AllocationId")}
    return [
        ok(GIVEN, name, f"is allocated ({known[name].get('AllocationId')})")
        if name in known
        else failed(GIVEN, name, "is not allocated to this account in this region")
        for name in names
    ]


def nodes(instances: Described, group: str) -> list[Mapping[str, Any]]:
    """Return the group's live instances."""
    return [item for item in _of_group(instances, group) if item["State"]["Name"] in LIVE]


def _of_group(instances: Described, group: str) -> list[Mapping[str, Any]]:
    return [item for item in instances if owned([item], group)]


def _sum(instances: Iterable[Mapping[str, Any]], vcpus: Mapping[str, int]) -> int:
    return sum(_vcpus(item, vcpus) for item in instances)


def _vcpus(instance: Mapping[str, Any], vcpus: Mapping[str, int]) -> int:
    options = instance.get("CpuOptions") or {}
    if options.get("CoreCount") and options.get("ThreadsPerCore"):
        return int(options["CoreCount"]) * int(options["ThreadsPerCore"])
    return vcpus.get(instance["InstanceType"], 0)
