# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Targets of a target group: what is registered, what has to be written, what a look shows. Pure.

The states are those of Elastic Load Balancing (API reference, TargetHealth): initial, healthy, unhealthy,
unhealthy.draining, draining, unused, unavailable. Only ``draining`` says that a target has been deregistered;
``unhealthy.draining`` is a registered target that fails its health checks.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ...core.errors import Refusal
from ...core.parsing import readable

T = TypeVar("T")
Key = tuple[str, int]

HEALTHY = "healthy"
DRAINING = "draining"
UNUSED = "unused"
INITIAL = "initial"
NOT_REGISTERED = "Target.NotRegistered"

# The registration in one call that AWS takes for certain; the vendor's own controller for Kubernetes sends as many
# (aws-load-balancer-controller, targetgroupbinding, registerTargetsChunkSize).
BATCH = 200
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")


@dataclass(frozen=True, slots=True)
class Target:
    """An id (instance, address) and a port. The zone is how it was or will be registered, not who it is."""

    id: str
    port: int
    availability_zone: str | None = None

    @property
    def key(self) -> Key:
        return self.id, self.port

    def wire(self) -> dict[str, Any]:
        """Return the TargetDescription, always with the port: another port is another target."""
        zone = {"AvailabilityZone": self.availability_zone} if self.availability_zone else {}
        return {"Id": self.id, "Port": self.port, **zone}

    def __str__(self) -> str:
        return f"[{self.id}]:{self.port}" if ":" in self.id else f"{self.id}:{self.port}"


@dataclass(frozen=True, slots=True)
class Health:
    """What DescribeTargetHealth says of a target."""

    target: Target
    state: str
    reason: str | None = None
    description: str | None = None

    @property
    def registered(self) -> bool:
        return self.reason != NOT_REGISTERED and self.state != DRAINING

    def result(self) -> dict[str, Any]:
        return {"id": self.target.id, "port": self.target.port, "state": self.state, "reason": self.reason}

    def __str__(self) -> str:
        why = ": ".join(part for part in (self.reason, self.description) if part)
        return f"{self.target} is {self.state}" + (f" ({why})" if why else "")


Healths = Mapping[Key, Health]


@dataclass(frozen=True, slots=True)
class Group:
    """A target group. ``type``: instance, ip, alb or lambda; ``family``: ipv4 or ipv6, of its addresses."""

    arn: str
    name: str
    type: str
    family: str


class Goal(enum.Enum):
    """What is waited for."""

    HEALTHY = "healthy"
    IDLE = "registered and unused"
    GONE = "deregistered, its drain over"

    def reached(self, health: Health) -> bool:
        match self:
            case Goal.HEALTHY:
                return health.state == HEALTHY
            case Goal.IDLE:
                return health.state == UNUSED and health.registered
            case Goal.GONE:
                return health.reason == NOT_REGISTERED


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be written, and which targets the result is about.

    ``watched``: those that are waited for; ``listed``: those in the result, the named ones first.
    """

    register: tuple[Target, ...]
    deregister: tuple[Target, ...]
    watched: tuple[Target, ...]
    listed: tuple[Target, ...]

    @property
    def changed(self) -> bool:
        return bool(self.register or self.deregister)


def name_of(arn: str) -> str:
    """Return the name in ``arn:aws:elasticloadbalancing:…:targetgroup/<name>/<id>``, else the whole text."""
    parts = arn.split("/")
    return parts[1] if len(parts) == 3 and parts[0].endswith(":targetgroup") else arn


@readable("the description of a target group")
def parse_group(described: Mapping[str, Any]) -> Group:
    return Group(
        arn=described["TargetGroupArn"],
        name=described["TargetGroupName"],
        type=described.get("TargetType") or "instance",
        family=described.get("IpAddressType") or "ipv4",
    )


@readable("the health of targets")
def parse_healths(described: Iterable[Mapping[str, Any]]) -> dict[Key, Health]:
    """By identity. A target that is not in the list is not registered; see ``health_of``."""
    healths = {}
    for item in described:
        target, health = item["Target"], item.get("TargetHealth") or {}
        known = Target(canonical_id(target["Id"]), int(target.get("Port") or 0), target.get("AvailabilityZone"))
        healths[known.key] = Health(
            known, health.get("State", "unavailable"), health.get("Reason"), health.get("Description")
        )
    return healths


def canonical_id(text: str) -> str:
    """Return an address in its shortest form; anything else without surrounding blanks."""
    stripped = text.strip()
    try:
        return str(ipaddress.ip_address(stripped))
    except ValueError:
        return stripped


def requests(options: Iterable[Mapping[str, Any]]) -> tuple[Target, ...]:
    """Parse the option ``targets``, each target once. Raises Refusal for invalid ports and contradictions."""
    known: dict[Key, Target] = {}
    for option in options:
        target = Target(canonical_id(option["id"]), option["port"], option.get("availability_zone") or None)
        if not target.id:
            raise Refusal("a target needs an id: an instance or an address; nothing was written")
        if not 1 <= target.port <= 65535:
            raise Refusal(f"target {target} has a port outside 1..65535; nothing was written")
        other = known.setdefault(target.key, target)
        if other != target:
            raise Refusal(
                f"target {target} is named twice, in zone {other.availability_zone} and in zone "
                f"{target.availability_zone}; nothing was written"
            )
    return tuple(known.values())


def goal_of(present: bool, wait_for: str | None) -> Goal:
    """Return the state to wait for. Raises Refusal for ``wait_for=healthy`` with ``state=absent``."""
    if present:
        return Goal.IDLE if wait_for == UNUSED else Goal.HEALTHY
    if wait_for == HEALTHY:
        raise Refusal("a target that is deregistered never becomes healthy: wait_for can be unused only")
    return Goal.GONE


def health_of(target: Target, healths: Healths) -> Health:
    """Return the health of a target by identity; one that is not registered is unused."""
    missing = Health(target, UNUSED, NOT_REGISTERED, "Target is not registered to the target group")
    return healths.get(target.key, missing)


def plan(desired: Sequence[Target], healths: Healths, *, present: bool, purge: bool) -> Plan:
    """Plan the registrations and deregistrations from desired and observed targets.

    A draining target that is desired is registered again, which ends the drain. A draining one that shall leave has
    left. ``purge``: those that are registered and not named leave as well, whatever the state of the named.
    """
    named = {target.key for target in desired}
    missing = [target for target in desired if not health_of(target, healths).registered]
    others = [health.target for key, health in healths.items() if key not in named and health.registered and purge]
    if present:
        register, leaving = missing, others
    else:
        register, leaving = [], [healths[t.key].target for t in desired if t not in missing] + others
    listed = (*desired, *others)
    return Plan(tuple(register), tuple(leaving), tuple(desired) if present else listed, listed)


def others(named: Iterable[Target], healths: Healths) -> list[Health]:
    """Return the registered targets that were not named, by id and port."""
    known = {target.key for target in named}
    return [healths[key] for key in sorted(healths) if key not in known and healths[key].registered]


def batches(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Slices of what AWS takes in one call."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def predict(chosen: Plan, healths: Healths) -> dict[Key, Health]:
    """Return the predicted targets right after the plan (check mode)."""
    predicted = dict(healths)
    predicted |= {target.key: Health(target, INITIAL, "Elb.RegistrationInProgress") for target in chosen.register}
    predicted |= {
        target.key: Health(target, DRAINING, "Target.DeregistrationInProgress") for target in chosen.deregister
    }
    return predicted


def difference(chosen: Plan, healths: Healths) -> dict[str, Any]:
    """Which targets are registered, before and after."""
    before = {health.target.key: str(health.target) for health in healths.values() if health.registered}
    after = {key: name for key, name in before.items() if key not in {t.key for t in chosen.deregister}}
    after |= {target.key: str(target) for target in chosen.register}
    return {"before": {"targets": sorted(before.values())}, "after": {"targets": sorted(after.values())}}


def refuse_unfit(group: Group, targets: Iterable[Target]) -> None:
    """Raise Refusal naming every target that a group of this type cannot take.

    Addresses outside the VPC are AWS's to judge, because the group does not tell the VPC's networks: RFC 1918 and
    100.64.0.0/10 go with the zone "all", public ones do not go at all (API reference, TargetDescription).
    """
    if group.type not in ("instance", "ip"):
        raise Refusal(
            f"target group {group.name} is of type {group.type}: appliances are registered with groups of type ip or "
            "instance; nothing was written"
        )
    unfit = [f"{target} {reason}" for target in targets if (reason := _unfit(group, target))]
    if unfit:
        raise Refusal(
            f"target group {group.name} of type {group.type} ({group.family}) cannot take {'; '.join(unfit)}; nothing "
            "was written"
        )


def _unfit(group: Group, target: Target) -> str | None:
    if group.type == "instance":
        return None if _INSTANCE.fullmatch(target.id) else "which is no instance id"
    try:
        address = ipaddress.ip_address(target.id)
    except ValueError:
        return "which is no address"
    if f"ipv{address.version}" != group.family:
        return f"which is an IPv{address.version} address"
    if address.is_unspecified or address.is_multicast or address.is_link_local:
        return "which is not the address of one host"
    return None
