# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What route53_adc_record decides: from the desired nodes and the record sets of a name to one change batch. Pure.

A node is one record set, with an identifier of its own. Nothing here reads a record set of another node to write it
back: those that are not named stay as they are, or (purge) go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...core.errors import Refusal
from .records import (
    MULTIVALUE,
    POLICIES,
    SIMPLE,
    WEIGHTED,
    canonical,
    canonical_name,
    canonical_value,
    policy_of,
    within,
)

RecordSet = Mapping[str, Any]

# Route 53 developer guide, Quotas; API reference, ChangeResourceRecordSets and ResourceRecordSet.
MOST_ELEMENTS = 1000
MOST_CHARACTERS = 32000
MOST_WEIGHTED = 100
LONGEST_IDENTIFIER = 128
LONGEST_TTL = 2147483647
HEAVIEST = 255


@dataclass(frozen=True, slots=True)
class Node:
    """One entry of the option ``nodes``. A weight or health check that is not named (None) stays what it is."""

    identifier: str
    value: str | None
    weight: int | None = None
    health_check_id: str | None = None


@dataclass(frozen=True, slots=True)
class DesiredRecord:
    """The group of record sets a task is about, and its nodes. ``ttl`` in seconds.

    ``health_check``: how its nodes are checked, as :mod:`.health_checks` takes it; None: their checks are left alone.
    """

    record: str
    type: str
    ttl: int
    policy: str
    nodes: tuple[Node, ...]
    present: bool
    purge: bool
    health_check: Any = None

    @property
    def name(self) -> str:
        return canonical_name(self.record)

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


@dataclass(frozen=True, slots=True)
class Plan:
    """One change batch, and the node record sets of the name before and after it.

    ``ttl`` in seconds: of the desired record sets; of those removed (state absent) the longest, because resolvers may
    hand out a removed address for that long.
    """

    changes: tuple[dict[str, Any], ...]
    before: tuple[RecordSet, ...]
    after: tuple[RecordSet, ...]
    ttl: int


@dataclass(frozen=True, slots=True)
class Batch:
    """The plans of all names of a task; their changes are sent as one transaction."""

    plans: tuple[Plan, ...]

    @property
    def changes(self) -> tuple[dict[str, Any], ...]:
        return tuple(change for plan in self.plans for change in plan.changes)

    def as_seen_in(self, later: Batch) -> Batch:
        """Plan the changes again with newly read record sets."""
        pairs = zip(self.plans, later.plans, strict=True)
        return Batch(tuple(Plan(plan.changes, plan.before, found.after, plan.ttl) for plan, found in pairs))


class Named(Protocol):
    """A request for the record sets of one name and type."""

    @property
    def record(self) -> str: ...


def check(request: DesiredRecord) -> None:
    """Refuse invalid requests, independent of the state in AWS. Raises Refusal."""
    if not 0 <= request.ttl <= LONGEST_TTL:
        raise Refusal(f"{request}: a TTL of {request.ttl} s is outside 0..{LONGEST_TTL}; nothing was written")
    if request.present and request.type == "CNAME" and request.policy == MULTIVALUE:
        raise Refusal(f"{request}: Route 53 gives no multivalue answers for CNAME; nothing was written")
    observed: set[str] = set()
    for node in request.nodes:
        complaint = _complaint(request, node)
        if complaint is None and node.identifier in observed:
            complaint = "is named twice"
        if complaint:
            raise Refusal(f"{request}: node '{node.identifier}' {complaint}; nothing was written")
        observed.add(node.identifier)


def _complaint(request: DesiredRecord, node: Node) -> str | None:
    if not 1 <= len(node.identifier) <= LONGEST_IDENTIFIER:
        return f"has an identifier that is not of 1 to {LONGEST_IDENTIFIER} characters"
    if not request.present:
        return None
    if not node.value:
        return "has no value"
    if request.type in ("A", "AAAA") and not _is_address(node.value, 4 if request.type == "A" else 6):
        return f"has the value '{node.value}', which is no IPv{4 if request.type == 'A' else 6} address"
    if node.weight is not None and request.policy != WEIGHTED:
        return f"has a weight, which means nothing with policy {request.policy}"
    if node.weight is not None and not 0 <= node.weight <= HEAVIEST:
        return f"has the weight {node.weight}, which is outside 0..{HEAVIEST}"
    return None


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text.strip()).version == version
    except ValueError:
        return False


def refuse_foreign_name(request: Named, zone: str) -> None:
    """Raise Refusal if the zone of this name cannot hold the record."""
    if not within(request.record, zone):
        raise Refusal(f"{request} does not belong into the hosted zone {canonical_name(zone)}; nothing was written")


def choose_zone(zones: Iterable[Mapping[str, Any]], name: str, private: bool | None) -> str:
    """Return the id of the only hosted zone of this name and kind (None: any). Raises Refusal for none and for
    several."""
    named = [zone for zone in zones if canonical_name(zone["Name"]) == canonical_name(name)]
    fit = [zone for zone in named if private is None or _is_private(zone) is private]
    if len(fit) == 1:
        return str(fit[0]["Id"]).rpartition("/")[2]
    listed = ", ".join(
        f"{str(zone['Id']).rpartition('/')[2]} ({'private' if _is_private(zone) else 'public'})" for zone in named
    )
    kind = "" if private is None else "private " if private else "public "
    if not fit:
        rest = f" (there is {listed})" if listed else ""
        raise Refusal(
            f"there is no {kind}hosted zone {canonical_name(name)} in this account{rest}; nothing was written"
        )
    raise Refusal(
        f"{len(fit)} {kind}hosted zones are named {canonical_name(name)}: {listed}; hosted_zone_id or private_zone "
        "says which is meant; nothing was written"
    )


def _is_private(zone: Mapping[str, Any]) -> bool:
    return bool((zone.get("Config") or {}).get("PrivateZone"))


def plan(request: DesiredRecord, existing: Sequence[RecordSet]) -> Plan:
    """Plan one batch of changes. ``existing``: the record sets of the name and type. Raises Refusal.

    All record sets of a name and type must have one TTL and one policy. Those of nodes that are not named are not
    touched, so a request that conflicts with them is refused, unless ``purge`` removes them in the same batch.
    """
    before = {str(item["SetIdentifier"]): item for item in existing if item.get("SetIdentifier")}
    named = [node.identifier for node in request.nodes]
    others = [item for identifier, item in before.items() if identifier not in named]
    purged = [item for item in others if request.purge and policy_of(item) in POLICIES]
    if not request.present:
        leaving = [before[identifier] for identifier in named if identifier in before] + purged
        changes = [_delete(item) for item in leaving]
        return _finish(request, changes, before, {}, leaving)
    kept = [item for item in existing if not item.get("SetIdentifier")]
    kept += [item for item in others if item not in purged]
    _refuse_mixture(request, kept)
    requested = {node.identifier: _record_set(request, node, before.get(node.identifier)) for node in request.nodes}
    if request.policy == WEIGHTED and len(requested) + len(kept) > MOST_WEIGHTED:
        raise Refusal(
            f"{request} would have {len(requested) + len(kept)} weighted record sets, and Route 53 keeps "
            f"{MOST_WEIGHTED} at most; nothing was written"
        )
    changes = [_delete(item) for item in purged]
    for identifier, record_set in requested.items():
        changes += _steps(before.get(identifier), record_set)
    return _finish(request, changes, before, requested, purged)


def _record_set(request: DesiredRecord, node: Node, known: RecordSet | None) -> dict[str, Any]:
    """Return the record set of a node for the request. Missing values are not changed; a new weight is 1."""
    known = known or {}
    record_set: dict[str, Any] = {
        "Name": request.name,
        "Type": request.type,
        "SetIdentifier": node.identifier,
        "TTL": request.ttl,
        "ResourceRecords": [{"Value": canonical_value(request.type, node.value or "")}],
    }
    if request.policy == WEIGHTED:
        weight = known.get("Weight") if node.weight is None else node.weight
        record_set["Weight"] = 1 if weight is None else int(weight)
    else:
        record_set["MultiValueAnswer"] = True
    check_id = known.get("HealthCheckId") if node.health_check_id is None else node.health_check_id
    if check_id:
        record_set["HealthCheckId"] = check_id
    return record_set


def _steps(known: RecordSet | None, requested: dict[str, Any]) -> list[dict[str, Any]]:
    """Nothing, one step, or (the policy of a record set cannot be changed) two."""
    if known is None:
        return [{"Action": "CREATE", "ResourceRecordSet": requested}]
    if canonical(known) == canonical(requested):
        return []
    if policy_of(known) == policy_of(requested):
        return [{"Action": "UPSERT", "ResourceRecordSet": requested}]
    return [_delete(known), {"Action": "CREATE", "ResourceRecordSet": requested}]


def _delete(known: RecordSet) -> dict[str, Any]:
    """Return the deletion of a record set, with all values that AWS returned, because AWS compares all of them."""
    return {"Action": "DELETE", "ResourceRecordSet": dict(known)}


def _refuse_mixture(request: DesiredRecord, kept: Sequence[RecordSet]) -> None:
    """Refuse, before the first write, policies and TTLs that differ from those of other nodes."""
    if not request.nodes:
        return
    for item in kept:
        policy, who = policy_of(item), item.get("SetIdentifier")
        values = ", ".join(canonical(item).values) or "an alias"
        if policy == SIMPLE or not who:
            raise Refusal(
                f"{request} exists as a simple record ({values}), which Route 53 does not mix with one record "
                f"set a node; "
                "remove it or choose another name; nothing was written"
            )
        if policy != request.policy:
            raise Refusal(
                f"{request} has a {policy} record set '{who}' ({values}), which Route 53 does not mix with "
                f"{request.policy} "
                "ones; name its node too, or remove it; nothing was written"
            )
        if item.get("TTL") is not None and int(item["TTL"]) != request.ttl:
            raise Refusal(
                f"{request} has a TTL of {item['TTL']} s for '{who}', which this task does not name, and all "
                f"record sets "
                f"of a name have one TTL; to change it to {request.ttl} s name every node; nothing was written"
            )


def _finish(
    request: DesiredRecord,
    changes: Sequence[dict[str, Any]],
    before: Mapping[str, RecordSet],
    requested: Mapping[str, RecordSet],
    leaving: Sequence[RecordSet],
) -> Plan:
    refuse_too_much(str(request), changes)
    gone = {str(item["SetIdentifier"]) for item in leaving}
    after = {**{identifier: item for identifier, item in before.items() if identifier not in gone}, **requested}
    reported = [] if request.present else [int(item["TTL"]) for item in leaving if item.get("TTL") is not None]
    return Plan(tuple(changes), _sorted(before), _sorted(after), max(reported, default=request.ttl))


def _sorted(record_sets: Mapping[str, RecordSet]) -> tuple[RecordSet, ...]:
    return tuple(record_sets[identifier] for identifier in sorted(record_sets))


def refuse_too_much(names: str, changes: Iterable[dict[str, Any]]) -> None:
    """Refuse a batch beyond the limit of AWS; splitting it would not be one transaction."""
    elements = characters = 0
    for change in changes:
        times = 2 if change["Action"] == "UPSERT" else 1
        records = change["ResourceRecordSet"].get("ResourceRecords") or []
        elements += times * len(records)
        characters += times * sum(len(item["Value"]) for item in records)
    if elements > MOST_ELEMENTS or characters > MOST_CHARACTERS:
        raise Refusal(
            f"{names}: this change has {elements} values of {characters} characters (a changed one counts twice), and "
            f"Route 53 takes {MOST_ELEMENTS} of {MOST_CHARACTERS} in one transaction; name fewer nodes a task; nothing "
            "was written"
        )
