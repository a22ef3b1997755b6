# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A name that leads to a load balancer: one alias record set of a name and type, without an identifier. Pure.

An alias has no TTL of its own; resolvers take that of the load balancer's own name (developer guide, Choosing between
alias and non-alias records), which is 60 seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import Refusal
from .record_plan import Plan, RecordSet
from .records import POLICIES, canonical, canonical_name, policy_of

ALIAS_TTL = 60


@dataclass(frozen=True, slots=True)
class AliasRequest:
    """The name and type, and where they lead. ``hosted_zone_id``: that of the load balancer, not of the name."""

    record: str
    type: str
    dns_name: str
    hosted_zone_id: str
    evaluate_target_health: bool
    present: bool
    purge: bool

    @property
    def name(self) -> str:
        return canonical_name(self.record)

    def __str__(self) -> str:
        return f"{self.type} {self.name}"

    def record_set(self) -> dict[str, Any]:
        """Return the ResourceRecordSet of the request."""
        return {
            "Name": self.name,
            "Type": self.type,
            "AliasTarget": {
                "HostedZoneId": self.hosted_zone_id,
                "DNSName": canonical_name(self.dns_name),
                "EvaluateTargetHealth": self.evaluate_target_health,
            },
        }


def check(request: AliasRequest) -> None:
    """Refuse invalid requests, independent of the state in AWS. Raises Refusal."""
    if request.type not in ("A", "AAAA"):
        raise Refusal(f"{request}: an alias to a load balancer is of type A or AAAA; nothing was written")
    if not request.dns_name.strip() or not request.hosted_zone_id.strip():
        raise Refusal(
            f"{request}: an alias needs dns_name and hosted_zone_id of the load balancer; nothing was written"
        )


def plan(request: AliasRequest, existing: Sequence[RecordSet]) -> Plan:
    """Plan the changes that point the name to the load balancer, or (absent) remove it. Raises Refusal.

    ``existing``: the record sets of the name and type. Present overwrites a simple record of the name. Absent removes
    the alias to this load balancer only, with ``purge`` any alias. Record sets of nodes are removed with ``purge``.
    """
    simple = [item for item in existing if not item.get("SetIdentifier")]
    nodes = [item for item in existing if item.get("SetIdentifier")]
    purged = [item for item in nodes if request.purge and policy_of(item) in POLICIES]
    changes = [_change("DELETE", item) for item in purged]
    if not request.present:
        gone = [item for item in simple if item.get("AliasTarget") and (request.purge or _leads_here(request, item))]
        return _plan([*changes, *(_change("DELETE", item) for item in gone)], existing, (*purged, *gone), None)
    if len(purged) < len(nodes):
        raise Refusal(
            f"{request} has record sets of nodes ({', '.join(str(item['SetIdentifier']) for item in nodes)}), which "
            "Route 53 does not mix with an alias; remove them, or give purge; nothing was written"
        )
    desired = request.record_set()
    if not any(canonical(item) == canonical(desired) for item in simple):
        changes.append(_change("UPSERT", desired))
    return _plan(changes, existing, existing, desired)


def _leads_here(request: AliasRequest, item: RecordSet) -> bool:
    target = item.get("AliasTarget") or {}
    return canonical_name(str(target.get("DNSName", ""))) == canonical_name(request.dns_name)


def _change(action: str, item: Mapping[str, Any]) -> dict[str, Any]:
    return {"Action": action, "ResourceRecordSet": dict(item)}


def _plan(
    changes: Sequence[dict[str, Any]],
    existing: Sequence[RecordSet],
    gone: Sequence[RecordSet],
    desired: RecordSet | None,
) -> Plan:
    left = [item for item in existing if not any(item is other for other in gone)]
    after = (desired,) if desired else tuple(left)
    return Plan(tuple(changes), tuple(existing), after, ALIAS_TTL)


def alias_of(record_sets: Sequence[RecordSet]) -> dict[str, Any] | None:
    """Return the target of the name, for the result; None if it is no alias."""
    for item in record_sets:
        if (alias := canonical(item).alias) is not None:
            return dict(zip(("hosted_zone_id", "dns_name", "evaluate_target_health"), alias, strict=True))
    return None
