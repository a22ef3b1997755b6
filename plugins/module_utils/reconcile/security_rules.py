# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Inbound rules of security groups: desired against observed, and back to EC2's IpPermissions. Pure.

EC2 identifies a rule by protocol, ports and source; the description is an attribute of it (EC2 API reference,
AuthorizeSecurityGroupIngress).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import Refusal

#: Names for the protocol numbers that EC2 answers by name (https://www.iana.org/assignments/protocol-numbers).
_NAMES = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
_WITH_PORTS = ("tcp", "udp")
_WITH_TYPES = ("icmp", "icmpv6")


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One inbound rule.

    ``ports``: first and last port (of ICMP: type and code); None for protocols without. ``source``: a CIDR, a prefix
    list, the name of one of our security groups, or the id of another one.
    """

    protocol: str
    ports: tuple[int, int] | None
    source: str

    def __str__(self) -> str:
        if self.ports is None:
            span = ""
        else:
            first, last = self.ports
            span = f" {first}" if first == last else f" {first}-{last}"
        name = "all protocols" if self.protocol == "-1" else self.protocol
        return f"{name}{span} from {self.source}"


#: Rules with their descriptions ("" for none).
Rules = Mapping[Rule, str]


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """What makes the observed rules the desired ones. ``describe``: rules of which only the description differs."""

    allow: Rules = field(default_factory=dict)
    revoke: Rules = field(default_factory=dict)
    describe: Rules = field(default_factory=dict)


def compare(desired: Rules, observed: Rules) -> RuleChanges:
    """Return the changes after which exactly the desired rules are there."""
    return RuleChanges(
        allow={rule: text for rule, text in desired.items() if rule not in observed},
        revoke={rule: text for rule, text in observed.items() if rule not in desired},
        describe={rule: text for rule, text in desired.items() if observed.get(rule, text) != text},
    )


def from_options(group: str, options: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> dict[Rule, str]:
    """Return the rules that the option ``rules`` of one security group declares.

    Args:
        group: The name of the security group, for messages.
        options: Entries with protocol, from_port, to_port, cidrs, group, description.
        names: The names of our security groups by role.

    Raises:
        Refusal: An entry that cannot be a rule.
    """
    rules: dict[Rule, str] = {}
    for option in options:
        protocol, ports = _protocol(option), _ports(group, option)
        sources = [_cidr(group, each) for each in option["cidrs"] or ()]
        if option["group"]:
            if option["group"] not in names:
                raise Refusal(f"security group {group}: a rule names group {option['group']}, which is not declared")
            sources.append(names[option["group"]])
        for source in sources:
            rules.setdefault(Rule(protocol, ports, source), option["description"] or "")
    return rules


def _protocol(option: Mapping[str, Any]) -> str:
    message = str(option["protocol"]).lower()
    return _NAMES.get(message, message)


def _ports(group: str, option: Mapping[str, Any]) -> tuple[int, int] | None:
    protocol, first, last = _protocol(option), option["from_port"], option["to_port"]
    if protocol in _WITH_TYPES:
        return (-1 if first is None else first, -1 if last is None else last)
    if protocol not in _WITH_PORTS:
        return None
    if first is None:
        raise Refusal(f"security group {group}: a rule for {protocol} has no from_port")
    last = first if last is None else last
    if not 0 <= first <= last <= 65535:
        raise Refusal(f"security group {group}: {first}-{last} is not a range of {protocol} ports")
    return (first, last)


def _cidr(group: str, message: str) -> str:
    """Return a network as EC2 stores it, without host bits."""
    if message.startswith("pl-"):
        return message
    try:
        return str(ipaddress.ip_network(message, strict=False))
    except ValueError:
        raise Refusal(f"security group {group}: {message!r} in cidrs is not a network such as 10.0.0.0/16") from None


def from_permissions(permissions: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> dict[Rule, str]:
    """Return the rules of a group's IpPermissions. ``names``: the names of our security groups by id."""
    rules: dict[Rule, str] = {}
    for item in permissions:
        message = str(item["IpProtocol"]).lower()
        protocol = _NAMES.get(message, message)
        ports = None
        if protocol in (*_WITH_PORTS, *_WITH_TYPES):
            ports = (item.get("FromPort", -1), item.get("ToPort", -1))
        for kind, key in (
            ("IpRanges", "CidrIp"),
            ("Ipv6Ranges", "CidrIpv6"),
            ("PrefixListIds", "PrefixListId"),
            ("UserIdGroupPairs", "GroupId"),
        ):
            for entry in item.get(kind, []):
                source = names.get(entry[key], entry[key])
                rules[Rule(protocol, ports, source)] = entry.get("Description", "")
    return rules


def to_permissions(rules: Rules, ids: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the IpPermissions of these rules. ``ids``: the ids of our security groups by name."""
    permissions: dict[tuple[str, tuple[int, int] | None], dict[str, Any]] = {}
    for rule, description in sorted(rules.items(), key=lambda pair: str(pair[0])):
        permission = permissions.setdefault((rule.protocol, rule.ports), {"IpProtocol": rule.protocol})
        if rule.ports is not None:
            permission["FromPort"], permission["ToPort"] = rule.ports
        kind, key, source = _source(rule.source, ids)
        entry = {key: source, **({"Description": description} if description else {})}
        permission.setdefault(kind, []).append(entry)
    return list(permissions.values())


def _source(source: str, ids: Mapping[str, str]) -> tuple[str, str, str]:
    """Return the list, the key and the value by which EC2 takes a source."""
    if source in ids or source.startswith("sg-"):
        return "UserIdGroupPairs", "GroupId", ids.get(source, source)
    if source.startswith("pl-"):
        return "PrefixListIds", "PrefixListId", source
    if ":" in source:
        return "Ipv6Ranges", "CidrIpv6", source
    return "IpRanges", "CidrIp", source
