"""Security groups: rules are told apart by what they let in, requests are carried out whole, a group in use stays.

- A rule is its protocol, ports and source. The same with another description is a duplicate
  (InvalidPermission.Duplicate), and a rule is revoked without naming its description
  (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html). moto compares
  descriptions of group sources too, and keeps the first half of a request whose second half it refuses.
- "Amazon Web Services canonicalizes IPv4 and IPv6 CIDRs": 100.68.0.18/18 becomes 100.68.0.0/18
  (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html).
- "If you attempt to delete a security group that is associated with an instance or network interface, is referenced by
  another security group in the same VPC, or has a VPC association, the operation fails with DependencyViolation"
  (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html).
- "Specifying -1 or a protocol number other than tcp, udp, icmp, or icmpv6 allows traffic on all ports, regardless of
  any ports you specify" (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html); moto asks.
- UpdateSecurityGroupRuleDescriptions* answer ``return`` true; moto answers nothing, which amazon.aws stumbles over.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.ec2.responses.security_groups import SecurityGroups

from tests.lab.aws.mends.errors import refuse
from tests.lab.aws.mends.patch import replaces, replaces_property

Key = tuple[Any, ...]

# ICMP, TCP, UDP, ICMPv6
_WITH_PORTS = {"1", "6", "17", "58"}

_init = SecurityGroupRule.__init__


@replaces(SecurityGroupRule, "__init__")
def init_rule(rule: Any, ec2_backend: Any, ip_protocol: str, *args: Any, **kwargs: Any) -> None:
    portless = str(ip_protocol).isdigit() and str(ip_protocol) not in _WITH_PORTS
    _init(rule, ec2_backend, "-1" if portless else ip_protocol, *args, **kwargs)
    if portless:
        rule.ip_protocol = str(ip_protocol)
    rule.ip_range = dict(rule.ip_range)
    network = rule.ip_range.get("CidrIp")
    if network:
        rule.ip_range["CidrIp"] = str(ipaddress.IPv4Network(network, strict=False))


def key_of(rule: Any) -> Key:
    """What tells a rule from another in its group and direction."""
    return (
        rule.ip_protocol,
        rule.from_port,
        rule.to_port,
        rule.ip_range.get("CidrIp"),
        rule.ip_range.get("CidrIpv6"),
        rule.source_group.get("GroupId"),
        rule.prefix_list_id,
    )


@replaces(SecurityGroupRule, "__eq__")
def equal(rule: Any, other: object) -> bool:
    return isinstance(other, SecurityGroupRule) and key_of(rule) == key_of(other)


@replaces(SecurityGroupRule, "__hash__")
def hashed(rule: Any) -> int:
    return hash(rule.id)


@replaces_property(SecurityGroupRule, "description")
def description(rule: Any) -> str | None:
    reported: str | None = rule.ip_range.get("Description") or rule.source_group.get("Description")
    return reported


def _authorize(response: Any, egress: bool) -> Any:
    backend = response.ec2_backend
    requested = list(response._process_rules_from_querystring())
    _refuse_duplicates(backend, requested, egress)
    response.error_on_dryrun()
    authorize: Callable[..., Any] = getattr(backend, f"authorize_security_group_{'egress' if egress else 'ingress'}")
    added = [rule for arguments in requested for rule in authorize(**arguments)[0]]
    return ActionResult({"Return": True, "SecurityGroupRules": added})


def _refuse_duplicates(backend: Any, requested: list[dict[str, Any]], egress: bool) -> None:
    for arguments in requested:
        group = backend.get_security_group_by_name_or_id(arguments["group_name_or_id"], None)
        if group is None:
            raise refuse(
                "InvalidGroup.NotFound", f"The security group '{arguments['group_name_or_id']}' does not exist"
            )
        known = {key_of(rule) for rule in (group.egress_rules if egress else group.ingress_rules)}
        for rule in _rules(backend, group, arguments, egress):
            if key_of(rule) in known:
                peer = rule.ip_range.get("CidrIp") or rule.ip_range.get("CidrIpv6") or rule.source_group.get("GroupId")
                raise refuse(
                    "InvalidPermission.Duplicate",
                    f'the specified rule "peer: {peer}, {rule.ip_protocol.upper()}, from port: {rule.from_port}, '
                    f'to port: {rule.to_port}, ALLOW" already exists',
                )


def _rules(backend: Any, group: Any, arguments: dict[str, Any], egress: bool) -> list[Any]:
    sources = [dict(source) for source in arguments["source_groups"]]
    return list(
        backend._iterate_security_rules(
            arguments["ip_protocol"],
            group.id,
            arguments["from_port"],
            arguments["to_port"],
            arguments["ip_ranges"],
            backend._add_source_group(sources, None),
            arguments["prefix_list_ids"],
            is_egress=egress,
        )
    )


@replaces(SecurityGroups, "authorize_security_group_ingress")
def authorize_security_group_ingress(response: Any) -> Any:
    return _authorize(response, egress=False)


@replaces(SecurityGroups, "authorize_security_group_egress")
def authorize_security_group_egress(response: Any) -> Any:
    return _authorize(response, egress=True)


def _describe_rules(response: Any, direction: str) -> Any:
    update: Callable[..., Any] = getattr(response.ec2_backend, f"update_security_group_rule_descriptions_{direction}")
    for arguments in response._process_rules_from_querystring():
        del arguments["sgrule_tags"]
        update(**arguments)
    return ActionResult({"Return": True})


@replaces(SecurityGroups, "update_security_group_rule_descriptions_ingress")
def update_security_group_rule_descriptions_ingress(response: Any) -> Any:
    return _describe_rules(response, "ingress")


@replaces(SecurityGroups, "update_security_group_rule_descriptions_egress")
def update_security_group_rule_descriptions_egress(response: Any) -> Any:
    return _describe_rules(response, "egress")


_delete = SecurityGroupBackend._delete_security_group


@replaces(SecurityGroupBackend, "_delete_security_group")
def delete_security_group(backend: Any, vpc_id: str | None, group_id: str) -> None:
    group = backend.get_security_group_from_id(group_id)
    if group is not None and group.is_default:
        raise refuse("CannotDelete", f'the specified group: "{group_id}" name: "default" cannot be deleted by a user')
    worn = any(group_id in {g.id for g in eni._group_set} for eni in backend.enis.values())
    referenced = any(
        rule.source_group.get("GroupId") == group_id
        for groups in backend.groups.values()
        for other in groups.values()
        if other.id != group_id
        for rule in (*other.ingress_rules, *other.egress_rules)
    )
    if worn or referenced:
        raise refuse("DependencyViolation", f"resource {group_id} has a dependent object")
    _delete(backend, vpc_id, group_id)
    backend.tags.pop(group_id, None)
