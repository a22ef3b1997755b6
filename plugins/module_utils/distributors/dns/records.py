# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Record sets of Route 53: one canonical form of what is desired and what exists. Pure.

One name has many texts: Route 53 answers in small letters, with the dot at the end, and writes every character but
letters, digits, hyphen, underscore and dot as an octal escape, the asterisk of a wildcard as ``\\052`` (developer
guide, DNS domain name format). Values have no order, and addresses have long and short forms.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.parsing import readable

MULTIVALUE = "multivalue"
WEIGHTED = "weighted"
SIMPLE = "simple"
POLICIES = (MULTIVALUE, WEIGHTED)

_OCTAL = re.compile(r"\\([0-7]{3})")
# The characters that mean something in a name's text: an escaped one stays escaped.
_STRUCTURE = frozenset(".\\")
_HOST_TYPES = frozenset({"CNAME", "NS", "PTR"})
_FOREIGN = {
    "Region": "latency",
    "GeoLocation": "geolocation",
    "GeoProximityLocation": "geoproximity",
    "Failover": "failover",
    "CidrRoutingConfig": "IP-based",
}


@dataclass(frozen=True, slots=True)
class Canonical:
    """What two record sets must agree on to be the same. ``alias``: (zone, name, evaluate health); ttl in seconds."""

    name: str
    type: str
    identifier: str | None
    policy: str
    ttl: int | None
    values: tuple[str, ...]
    weight: int | None
    health_check_id: str | None
    alias: tuple[str, str, bool] | None


def canonical_name(name: str) -> str:
    """Small letters, one dot at the end, nothing escaped that can stand for itself: ``\\052.Shop`` is ``*.shop.``."""

    def plain(match: re.Match[str]) -> str:
        character = chr(int(match[1], 8))
        printable = character.isascii() and character.isprintable() and character not in _STRUCTURE
        return character if printable else match[0]

    return _OCTAL.sub(plain, name.strip()).lower().rstrip(".") + "."


def canonical_value(kind: str, value: str) -> str:
    """Return a value of this record type: addresses in their shortest text, host names like names, others unchanged."""
    text = value.strip()
    if kind in _HOST_TYPES:
        return canonical_name(text)
    if kind in ("A", "AAAA"):
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            return text.lower()
    return text


def policy_of(record_set: Mapping[str, Any]) -> str:
    """Return the routing policy; "simple" for a record set without identifier."""
    if record_set.get("Weight") is not None:
        return WEIGHTED
    if record_set.get("MultiValueAnswer"):
        return MULTIVALUE
    return next((name for field, name in _FOREIGN.items() if record_set.get(field)), SIMPLE)


@readable("a record set of Route 53")
def canonical(record_set: Mapping[str, Any]) -> Canonical:
    """Return the canonical form of a ResourceRecordSet as AWS returns or takes it; equal forms need no change."""
    kind = str(record_set["Type"]).upper()
    weight, ttl = record_set.get("Weight"), record_set.get("TTL")
    values = (canonical_value(kind, item["Value"]) for item in record_set.get("ResourceRecords") or ())
    return Canonical(
        name=canonical_name(record_set["Name"]),
        type=kind,
        identifier=record_set.get("SetIdentifier") or None,
        policy=policy_of(record_set),
        ttl=None if ttl is None else int(ttl),
        values=tuple(sorted(set(values))),
        weight=None if weight is None else int(weight),
        health_check_id=record_set.get("HealthCheckId") or None,
        alias=_alias(record_set.get("AliasTarget")),
    )


def _alias(target: Mapping[str, Any] | None) -> tuple[str, str, bool] | None:
    if not target:
        return None
    return target["HostedZoneId"], canonical_name(target["DNSName"]), bool(target.get("EvaluateTargetHealth"))


@readable("a record set of Route 53")
def belongs(record_set: Mapping[str, Any], name: str, kind: str) -> bool:
    """Whether it is of this name and type, however they are written."""
    return (canonical_name(record_set["Name"]), str(record_set["Type"]).upper()) == (canonical_name(name), kind)


def within(name: str, zone: str) -> bool:
    """Whether a zone can hold this name."""
    inner, outer = canonical_name(name), canonical_name(zone)
    return inner == outer or inner.endswith("." + outer)


def result(record_set: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of the module's result."""
    form = canonical(record_set)
    return {
        "identifier": form.identifier,
        "value": form.values[0] if form.values else None,
        "values": list(form.values),
        "policy": form.policy,
        "weight": form.weight,
        "ttl": form.ttl,
        "health_check_id": form.health_check_id,
    }


def difference(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Both sides by identifier."""
    return {
        side: {entry.pop("identifier") or "(none)": entry for entry in map(result, record_sets)}
        for side, record_sets in (("before", before), ("after", after))
    }
