"""Targets take time: initial → healthy or unhealthy → draining → gone, by health checks on the lab's clock.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html (states and reasons):

- ``initial``: Elb.RegistrationInProgress, then Elb.InitialHealthChecking until the checks have a result;
- ``healthy`` after HealthyThresholdCount checks in a row, ``unhealthy`` (Target.FailedHealthChecks) after
  UnhealthyThresholdCount; one check every HealthCheckIntervalSeconds;
- ``draining`` (Target.DeregistrationInProgress) for deregistration_delay.timeout_seconds, then not listed any more;
- ``unused``: Target.NotInUse (no listener forwards here, or the zone is not the load balancer's), Target.InvalidState
  (instance stopped or terminated), Target.NotRegistered (asked for by name, but not there).

A target is an id and a port: "if the target was registered with a port override, the same port is needed to deregister
it", and "if the specified target does not exist, the action returns successfully". moto's targets are healthy at once,
gone at once, and one an id.

A check needs the security groups of the target to let the load balancer's own private addresses in, and the probe that
the lab gives (`AwsSide.set_health_probe`) to answer.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.elbv2.exceptions import ELBClientError, TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup, elbv2_backends

from tests.lab.aws.ground import ground
from tests.lab.aws.mends.interfaces import addresses_of
from tests.lab.aws.mends.patch import replaces

RFC1918 = tuple(ipaddress.IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))


@dataclass(slots=True)
class Target:
    """One registration. Times are lab seconds; ``passes``/``failures`` count checks in a row."""

    identity: str
    port: int
    zone: str | None
    registered_at: float
    next_check: float
    health: str = "initial"
    passes: int = 0
    failures: int = 0
    deregistered_at: float | None = None
    being_checked: bool = False


@dataclass(frozen=True, slots=True)
class DueCheck:
    """A health check that is due: whether this address and port answer."""

    group: Any
    target: Target
    address: str
    port: int


_init = FakeTargetGroup.__init__


@replaces(FakeTargetGroup, "__init__")
def init_target_group(group: Any, *args: Any, **kwargs: Any) -> None:
    group.lab_targets = {}
    _init(group, *args, **kwargs)


def all_groups() -> Iterator[Any]:
    for backend in list(elbv2_backends[DEFAULT_ACCOUNT_ID].values()):
        yield from list(backend.target_groups.values())


def key_of(group: Any, target: dict[str, Any]) -> tuple[str, int]:
    return str(target["Id"]), int(target.get("Port") or group.port)


@replaces(FakeTargetGroup, "register")
def register(group: Any, targets: list[dict[str, Any]]) -> None:
    for target in targets:
        _check_target(group, target)
    now = ground().now()
    for target in targets:
        key = key_of(group, target)
        known = group.lab_targets.get(key)
        if known is None or known.deregistered_at is not None:
            first_check = now + ground().settings.registration
            group.lab_targets[key] = Target(*key, target.get("AvailabilityZone"), now, first_check)


def _check_target(group: Any, target: dict[str, Any]) -> None:
    """InvalidTarget: "the specified target does not exist, is not in the same VPC as the target group, or has an
    unsupported instance type": https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
    """
    ec2 = ec2_backends[group.account_id][group.region_name]
    identity = str(target["Id"])
    if group.target_type == "instance":
        instance = ec2.get_instance_by_id(identity)
        if instance is None or instance.state != "running":
            raise ELBClientError("InvalidTarget", f"The following targets are not in a running state: '{identity}'")
        return
    if group.target_type != "ip":
        return
    try:
        address = ipaddress.IPv4Address(identity)
    except ValueError:
        raise ELBClientError("ValidationError", f"The IP address '{identity}' is not a valid IPv4 address") from None
    inside = address in ipaddress.IPv4Network(ec2.get_vpc(group.vpc_id).cidr_block)
    if inside:
        return
    if not any(address in network for network in RFC1918):
        raise ELBClientError("InvalidTarget", f"The IP address '{identity}' is not within the VPC or a private network")
    if target.get("AvailabilityZone") != "all":
        raise ELBClientError(
            "ValidationError",
            f"You must specify an Availability Zone of 'all' for the target '{identity}', which is outside the VPC",
        )


@replaces(FakeTargetGroup, "deregister")
def deregister(group: Any, targets: list[dict[str, Any]]) -> None:
    for target in targets:
        key = key_of(group, target)
        known = group.lab_targets.get(key)
        if known is None:
            continue
        if in_use(group):
            known.deregistered_at = known.deregistered_at or ground().now()
        else:
            del group.lab_targets[key]


@replaces(FakeTargetGroup, "deregister_terminated_instances")
def deregister_terminated_instances(group: Any, instance_ids: list[str]) -> None:
    if group.target_type == "instance":
        for target in group.lab_targets.values():
            if target.identity in instance_ids:
                target.deregistered_at = target.deregistered_at or ground().now()


def delay_of(group: Any) -> float:
    return float(group.attributes.get("deregistration_delay.timeout_seconds", 300))


def settle_targets() -> None:
    """Targets whose drain is over are gone."""
    now = ground().now()
    for group in all_groups():
        for key, target in list(group.lab_targets.items()):
            if target.deregistered_at is not None and target.deregistered_at + delay_of(group) <= now:
                del group.lab_targets[key]


def balancers_of(group: Any) -> list[Any]:
    """The load balancers with a listener that forwards to this group."""
    balancers = elbv2_backends[group.account_id][group.region_name].load_balancers.values()
    return [
        balancer
        for balancer in balancers
        if any(group.arn in forwarded_to(listener) for listener in balancer.listeners.values())
    ]


def forwarded_to(listener: Any) -> set[str]:
    """The target groups of a listener's default actions."""
    arns: set[str] = set()
    for action in listener.default_actions:
        data = action.data
        if data.get("TargetGroupArn"):
            arns.add(data["TargetGroupArn"])
        forward = data.get("ForwardConfig") or {}
        arns |= {item["TargetGroupArn"] for item in forward.get("TargetGroups", [])}
    return arns


def in_use(group: Any) -> bool:
    return bool(balancers_of(group))


def interface_at(group: Any, address: str) -> Any:
    for interface in ec2_backends[group.account_id][group.region_name].enis.values():
        if address in addresses_of(interface):
            return interface
    return None


def address_of(group: Any, target: Target) -> str | None:
    """Where a target is: its address, or the primary private address of the instance."""
    if group.target_type != "instance":
        return target.identity
    instance = ec2_backends[group.account_id][group.region_name].get_instance_by_id(target.identity)
    return instance.private_ip if instance else None


def zone_of(group: Any, target: Target) -> str | None:
    """The zone a target is in; None: all of them, or unknown."""
    if target.zone and target.zone != "all":
        return target.zone
    address = address_of(group, target)
    interface = interface_at(group, address) if address else None
    return str(interface.subnet.availability_zone) if interface else None


def state_of(group: Any, target: Target) -> tuple[str, str | None, str | None]:
    """(state, reason, description) of a registered target."""
    if target.deregistered_at is not None:
        return "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"
    balancers = balancers_of(group)
    if not balancers:
        return "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
    zone = zone_of(group, target)
    if zone and not any(subnet.availability_zone == zone for b in balancers for subnet in b.subnets):
        return (
            "unused",
            "Target.NotInUse",
            "Target is in an Availability Zone that is not enabled for the load balancer",
        )
    if group.target_type == "instance":
        instance = ec2_backends[group.account_id][group.region_name].get_instance_by_id(target.identity)
        if instance is None or instance.state in ("stopped", "stopping", "terminated", "shutting-down"):
            state = instance.state if instance else "terminated"
            return "unused", "Target.InvalidState", f"Target is in the {state} state"
    if target.health == "initial":
        if ground().now() < target.registered_at + ground().settings.registration:
            return "initial", "Elb.RegistrationInProgress", "Target registration is in progress"
        return "initial", "Elb.InitialHealthChecking", "Initial health checks in progress"
    if target.health == "unhealthy":
        return "unhealthy", "Target.FailedHealthChecks", "Health checks failed"
    return "healthy", None, None


@replaces(ELBv2Backend, "describe_target_health")
def describe_target_health(backend: Any, target_group_arn: str, targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    group = backend.target_groups.get(target_group_arn)
    if group is None:
        raise TargetGroupNotFoundError()
    keys = [key_of(group, target) for target in targets] or list(group.lab_targets)
    return [_described(group, key) for key in keys]


def _described(group: Any, key: tuple[str, int]) -> dict[str, Any]:
    target = group.lab_targets.get(key)
    missing = ("unused", "Target.NotRegistered", "Target is not registered to the target group")
    state, reason, words = state_of(group, target) if target else missing
    health = {"State": state} | ({"Reason": reason, "Description": words} if reason else {})
    described: dict[str, Any] = {"Target": {"Id": key[0], "Port": key[1]}, "TargetHealth": health}
    if target and zone_of(group, target):
        described["Target"]["AvailabilityZone"] = zone_of(group, target)
    if group.health_check_port:
        described["HealthCheckPort"] = str(check_port(group, key[1]))
    return described


def check_port(group: Any, port: int) -> int:
    return port if str(group.health_check_port) == "traffic-port" else int(group.health_check_port)


def due_checks() -> list[DueCheck]:
    """The health checks that are due now; each is scheduled on. Every one of them must be noted in the end."""
    now, due = ground().now(), []
    for group in all_groups():
        interval = float(group.health_check_interval_seconds)
        for target in group.lab_targets.values():
            checked = state_of(group, target)[0] in ("initial", "healthy", "unhealthy")
            due_now = checked and not target.being_checked and target.next_check <= now
            address = address_of(group, target) if due_now else None
            if address:
                target.being_checked = True
                target.next_check = max(target.next_check + interval, now)
                due.append(DueCheck(group, target, address, check_port(group, target.port)))
    return due


def note_check(check: DueCheck, answered: bool) -> None:
    """What a health check found; the state changes when enough in a row agree."""
    target, group = check.target, check.group
    target.being_checked = False
    target.passes, target.failures = (target.passes + 1, 0) if answered else (0, target.failures + 1)
    if target.passes >= int(group.healthy_threshold_count):
        target.health = "healthy"
    elif target.failures >= int(group.unhealthy_threshold_count):
        target.health = "unhealthy"
