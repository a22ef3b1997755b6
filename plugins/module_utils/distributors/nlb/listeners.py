# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How applications get traffic from a Network Load Balancer: a listener and a target group each. Pure.

A target group is an application's if it carries the tags ``cloudadc:group`` and ``cloudadc:application``; the
application's listener is the one that forwards to it. Names tell nothing but what is taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...aws import tags as t
from ...aws.tags import missing
from ...core.errors import Refusal
from ...spec.identity import AUTOSCALE_GROUP, Owner, belongs
from ...spec.protocols import LISTENER_TRANSPORTS
from .names import target_group_name_problem

APPLICATION = "cloudadc:application"
PROTOCOLS = tuple(LISTENER_TRANSPORTS)
CHECK_PROTOCOLS = ("TCP", "HTTP", "HTTPS")
LONGEST_DELAY = 3600

DELAY = "deregistration_delay.timeout_seconds"
CUT = "deregistration_delay.connection_termination.enabled"
PRESERVE = "preserve_client_ip.enabled"


def owner_of(group: str) -> Owner:
    """Return the owner of target groups: only an autoscale group has a load balancer."""
    return Owner(group, AUTOSCALE_GROUP)


@dataclass(frozen=True, slots=True)
class DesiredListener:
    """One application. Times in seconds; None: as it is, or AWS's default. ``check``: parameters of the health check
    in AWS's words, ``attributes``: those of the target group."""

    application: str
    name: str
    port: int
    protocol: str
    target_port: int
    target_protocol: str
    certificate_arn: str | None = None
    ssl_policy: str | None = None
    check: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Balancer:
    arn: str
    name: str
    vpc_id: str
    dns_name: str
    hosted_zone_id: str

    def result(self) -> dict[str, str]:
        return {"arn": self.arn, "name": self.name, "dns_name": self.dns_name, "hosted_zone_id": self.hosted_zone_id}


@dataclass(frozen=True, slots=True)
class Group:
    """A target group as AWS describes it (``described``), with its tags and, if it was asked for, its attributes."""

    arn: str
    name: str
    described: Mapping[str, Any]
    tags: Mapping[str, str]
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def application(self) -> str | None:
        return self.tags.get(APPLICATION)


@dataclass(frozen=True, slots=True)
class Listener:
    arn: str
    port: int
    protocol: str
    forwards_to: frozenset[str]
    certificate_arn: str | None
    ssl_policy: str | None


@dataclass(frozen=True, slots=True)
class ObservedListeners:
    """``balancer``: None if there is none of that name. ``groups``: those named like the group's, by name."""

    balancer: Balancer | None
    listeners: tuple[Listener, ...]
    groups: Mapping[str, Group]

    def listener_of(self, group: Group) -> Listener | None:
        return next((item for item in self.listeners if group.arn in item.forwards_to), None)

    def of_group(self, group: str) -> list[Group]:
        """Return the target groups that were made for applications of this group, by name."""
        owner = owner_of(group)
        mine = [item for item in self.groups.values() if belongs(owner, item.tags) and item.application]
        return sorted(mine, key=lambda item: item.name)


@dataclass(frozen=True, slots=True)
class Change:
    """One write. ``what``: create_group, set_check, set_attributes, tag, create_listener, set_listener,
    delete_listener, delete_group. ``arn``: of what is changed; None where it is made by this plan."""

    what: str
    application: str
    message: str
    arn: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


def target_group_name(group: str, application: str) -> str:
    """Return ``<group>-<application>``. Raises Refusal if it is not a valid name of a target group."""
    problem = target_group_name_problem(group, application)
    if problem:
        raise Refusal(f"{problem}: choose another name; nothing was written")
    return f"{group}-{application}"


def request_of(group: str, option: Mapping[str, Any]) -> DesiredListener:
    """Parse one element of the option ``listeners``. Raises Refusal for invalid values."""
    application, protocol = option["application"], option["protocol"]
    port, target_port = option["port"], option.get("target_port") or option["port"]
    for number in (port, target_port):
        if not 1 <= number <= 65535:
            raise Refusal(f"application {application}: {number} is no port; nothing was written")
    if (protocol == "TLS") != bool(option.get("certificate_arn")):
        raise Refusal(
            f"application {application}: certificate_arn goes with protocol TLS and only with it; nothing was written"
        )
    return DesiredListener(
        application=application,
        name=target_group_name(group, application),
        port=port,
        protocol=protocol,
        target_port=target_port,
        target_protocol=option.get("target_protocol") or ("TCP" if protocol == "TLS" else protocol),
        certificate_arn=option.get("certificate_arn"),
        ssl_policy=option.get("ssl_policy"),
        check=_check(option.get("health_check") or {}),
        attributes=_attributes(application, option),
    )


def _check(option: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters HealthCheck… of CreateTargetGroup and ModifyTargetGroup, without missing options."""
    protocol = option.get("protocol") or "TCP"
    port = option.get("port")
    given = {
        "HealthCheckProtocol": protocol,
        "HealthCheckPort": str(port) if port else "traffic-port",
        "HealthCheckPath": (option.get("path") or "/") if protocol != "TCP" else None,
        "HealthCheckIntervalSeconds": option.get("interval"),
        "HealthCheckTimeoutSeconds": option.get("timeout"),
        "HealthyThresholdCount": option.get("healthy_threshold"),
        "UnhealthyThresholdCount": option.get("unhealthy_threshold"),
        "Matcher": {"HttpCode": option["matcher"]} if protocol != "TCP" and option.get("matcher") else None,
    }
    return {key: value for key, value in given.items() if value is not None}


def _attributes(application: str, option: Mapping[str, Any]) -> dict[str, str]:
    delay = option.get("deregistration_delay")
    if delay is not None and not 0 <= delay <= LONGEST_DELAY:
        raise Refusal(
            f"application {application}: a deregistration delay of {delay} s is outside 0..{LONGEST_DELAY}; nothing "
            "was written"
        )
    flags = {CUT: option.get("connection_termination"), PRESERVE: option.get("preserve_client_ip")}
    message = {} if delay is None else {DELAY: str(delay)}
    return message | {key: str(value).lower() for key, value in flags.items() if value is not None}


def check_requests(requests: Sequence[DesiredListener]) -> None:
    """Raise Refusal for two applications of one name, and for two at one port."""
    for attribute in ("application", "port"):
        taken: dict[Any, DesiredListener] = {}
        for request in requests:
            other = taken.setdefault(getattr(request, attribute), request)
            if other is not request:
                raise Refusal(
                    f"port {request.port} is used by the applications {other.application} and "
                    f"{request.application}, and a "
                    "load balancer has one listener a port; nothing was written"
                    if attribute == "port"
                    else f"application {request.application} is named twice; nothing was written"
                )


def parse_balancer(described: Sequence[Mapping[str, Any]]) -> Balancer | None:
    for item in described:
        return Balancer(
            arn=item["LoadBalancerArn"],
            name=item["LoadBalancerName"],
            vpc_id=item.get("VpcId", ""),
            dns_name=item.get("DNSName", ""),
            hosted_zone_id=item.get("CanonicalHostedZoneId", ""),
        )
    return None


def parse_listeners(described: Iterable[Mapping[str, Any]]) -> tuple[Listener, ...]:
    return tuple(_listener(item) for item in described)


def _listener(item: Mapping[str, Any]) -> Listener:
    certificates = [entry["CertificateArn"] for entry in item.get("Certificates") or [] if "CertificateArn" in entry]
    targets = set()
    for action in item.get("DefaultActions") or []:
        targets |= {action["TargetGroupArn"]} if action.get("TargetGroupArn") else set()
        targets |= {entry["TargetGroupArn"] for entry in (action.get("ForwardConfig") or {}).get("TargetGroups") or []}
    return Listener(
        arn=item["ListenerArn"],
        port=int(item["Port"]),
        protocol=item["Protocol"],
        forwards_to=frozenset(targets),
        certificate_arn=certificates[0] if certificates else None,
        ssl_policy=item.get("SslPolicy"),
    )


def parse_group(described: Mapping[str, Any], tags: Mapping[str, str], attributes: Mapping[str, str]) -> Group:
    return Group(
        described["TargetGroupArn"],
        described["TargetGroupName"],
        described,
        dict(tags),
        attributes,
    )


#: One that is still to be made.
COMING = Balancer("", "", "", "", "")


def refuse(
    requests: Sequence[DesiredListener], group: str, balancer: str, observed: ObservedListeners, *, needed: bool = True
) -> Balancer:
    """Return the load balancer after validating ownership; raise Refusal on a conflict.

    If ``needed`` is false, a missing load balancer is assumed to be created later.
    """
    if observed.balancer is None and needed:
        raise Refusal(f"there is no load balancer {balancer} in this account and region; nothing was written")
    for request in requests:
        known = observed.groups.get(request.name)
        if known:
            _refuse_group(request, known, group, observed.balancer or COMING)
        _refuse_port(request, known, observed)
    return observed.balancer or COMING


def refuse_unnamed(named: Collection[str], group: str, observed: ObservedListeners) -> None:
    """Raise Refusal for applications of the group that the task does not name."""
    unnamed = sorted({str(item.application) for item in observed.of_group(group)} - set(named))
    if unnamed:
        raise Refusal(
            f"{group} serves {', '.join(unnamed)} as well, of which nothing is declared: a new node would get clients "
            "for it and not serve it; declare it, or remove it with ansible-playbook cloudadc.aws.application, "
            f"-e application_state=absent and -e application_name={unnamed[0]} (an application that has another name "
            "now is removed under the old one); nothing was written"
        )


def _refuse_group(request: DesiredListener, known: Group, group: str, balancer: Balancer) -> None:
    if not belongs(owner_of(group), known.tags) or known.application != request.application:
        raise Refusal(
            f"target group {request.name} was not made for application {request.application} of {group} (its "
            f"tags {t.GROUP}, "
            f"{t.KIND} and {APPLICATION} say so): choose another name, or remove it; nothing was written"
        )
    differs = {
        "in VPC": (known.described.get("VpcId"), balancer.vpc_id),
        "of protocol": (known.described.get("Protocol"), request.target_protocol),
        "of type": (known.described.get("TargetType"), "ip"),
    }
    for what, (present, requested) in differs.items():
        if requested and present != requested:
            raise Refusal(
                f"target group {request.name} is {what} {present}, and must be {what} {requested}, which cannot "
                f"be changed: "
                f"remove application {request.application} first; nothing was written"
            )


def _refuse_port(request: DesiredListener, known: Group | None, observed: ObservedListeners) -> None:
    for listener in observed.listeners:
        if listener.port == request.port and not (known and known.arn in listener.forwards_to):
            names = {item.arn: item.application or item.name for item in observed.groups.values()}
            holder = ", ".join(sorted(names.get(arn, arn) for arn in listener.forwards_to)) or "another use"
            raise Refusal(
                f"application {request.application}: port {request.port} of the load balancer is taken by "
                f"{holder}; nothing "
                "was written"
            )


def plan_present(
    requests: Iterable[DesiredListener], balancer: Balancer, observed: ObservedListeners, tags: Mapping[str, str]
) -> list[Change]:
    """Plan the target group and the listener of every application. Call ``refuse`` before."""
    changes: list[Change] = []
    for request in requests:
        known = observed.groups.get(request.name)
        changes += _group_changes(request, known, balancer, {**tags, APPLICATION: request.application})
        changes += _listener_changes(request, known, observed)
    return changes


def _group_changes(
    request: DesiredListener, known: Group | None, balancer: Balancer, tags: Mapping[str, str]
) -> list[Change]:
    if known is None:
        fixed = {"Protocol": request.target_protocol, "Port": request.target_port, "VpcId": balancer.vpc_id}
        parameters = {**fixed, "TargetType": "ip", **request.check}
        changes = [Change("create_group", request.application, f"create target group {request.name}", None, parameters)]
        return changes + _settings(request, None, request.check, {})
    untagged = missing(known.tags, tags)
    message = f"tag target group {request.name}"
    changes = [Change("tag", request.application, message, known.arn, untagged)] if untagged else []
    return changes + _settings(request, known.arn, known.described, known.attributes)


def _settings(
    request: DesiredListener, arn: str | None, described: Mapping[str, Any], attributes: Mapping[str, str]
) -> list[Change]:
    """Health check and attributes, where they differ."""
    changes = []
    checks = {key: value for key, value in request.check.items() if described.get(key) != value}
    if checks:
        changes.append(
            Change(
                "set_check", request.application, f"set the health check of {request.name}", arn, dict(request.check)
            )
        )
    different = {key: value for key, value in request.attributes.items() if attributes.get(key) != value}
    if different:
        changes.append(
            Change(
                "set_attributes", request.application, f"set {', '.join(different)} of {request.name}", arn, different
            )
        )
    return changes


def _listener_changes(request: DesiredListener, known: Group | None, observed: ObservedListeners) -> list[Change]:
    requested: dict[str, Any] = {"Protocol": request.protocol}
    if request.certificate_arn:
        requested["Certificates"] = [{"CertificateArn": request.certificate_arn}]
    if request.ssl_policy:
        requested["SslPolicy"] = request.ssl_policy
    listener = observed.listener_of(known) if known else None
    if listener is None:
        message = f"create the {request.protocol} listener at port {request.port}"
        return [Change("create_listener", request.application, message, None, {"Port": request.port, **requested})]
    present: dict[str, Any] = {
        "Port": listener.port,
        "Protocol": listener.protocol,
        "Certificates": [{"CertificateArn": listener.certificate_arn}],
        "SslPolicy": listener.ssl_policy,
    }
    requested["Port"] = request.port
    if all(present[key] == value for key, value in requested.items()):
        return []
    message = f"change the listener of {request.application} to {request.protocol} at port {request.port}"
    return [Change("set_listener", request.application, message, listener.arn, requested)]


def plan_absent(applications: Iterable[str], group: str, observed: ObservedListeners, *, purge: bool) -> list[Change]:
    """Plan the removal of listener and target group of the named applications; with ``purge`` of all."""
    named = set(applications)
    changes = []
    for item in observed.of_group(group):
        application = str(item.application)
        if not purge and application not in named:
            continue
        listener = observed.listener_of(item)
        if listener:
            message = f"delete the listener at port {listener.port}"
            changes.append(Change("delete_listener", application, message, listener.arn))
        changes.append(Change("delete_group", application, f"delete target group {item.name}", item.arn))
    return changes


def describe(group: str, observed: ObservedListeners) -> list[dict[str, Any]]:
    """Return the observed state, an entry for each application of the group."""
    return [_entry(item, observed.listener_of(item)) for item in observed.of_group(group)]


def _entry(group: Group, listener: Listener | None) -> dict[str, Any]:
    return {
        "application": group.application,
        "target_group_arn": group.arn,
        "target_group_name": group.name,
        "target_port": group.described.get("Port"),
        "target_protocol": group.described.get("Protocol"),
        "listener_arn": listener.arn if listener else None,
        "port": listener.port if listener else None,
        "protocol": listener.protocol if listener else None,
    }


def predict(
    before: Sequence[Mapping[str, Any]], changes: Sequence[Change], requests: Iterable[DesiredListener]
) -> list[dict[str, Any]]:
    """Return the predicted entries (check mode); null where AWS would decide."""
    gone = {change.application for change in changes if change.what == "delete_group"}
    after = {item["application"]: dict(item) for item in before if item["application"] not in gone}
    for request in requests:
        known = after.setdefault(request.application, {"application": request.application, "target_group_arn": None})
        known.setdefault("listener_arn", None)
        known |= {
            "target_group_name": request.name,
            "target_port": known.get("target_port") or request.target_port,
            "target_protocol": request.target_protocol,
            "port": request.port,
            "protocol": request.protocol,
        }
    return [after[name] for name in sorted(after)]
