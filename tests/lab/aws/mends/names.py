"""Route 53: a change batch is carried out whole or not at all, and takes time to reach the name servers.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html:
- "Route 53 validates the changes in the request and then either makes all or none of the changes";
- "To delete a resource record set, you must specify all the same values that you specified when you created it": name,
  type, identifier, TTL, weight, records, health check; anything else is InvalidChangeBatch;
- "GetChange returns a status of PENDING. When propagation is complete, GetChange returns a status of INSYNC".
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html: a policy other than simple needs a
SetIdentifier, unique for name and type; all sets of one name and type have one policy; weighted ones have one TTL and
one record each and are 100 at most; multivalue ones are no aliases.

moto applies the first half of a batch whose second half it refuses, deletes what does not match, deletes every set of
the zone that has the identifier, and is always INSYNC.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.route53.exceptions import Route53ClientError
from moto.route53.models import RecordSet, Route53Backend, reverse_domain_name, route53_backends
from moto.route53.responses import Route53

from tests.lab.aws.ground import ground
from tests.lab.aws.mends.patch import replaces

MOST_WEIGHTED = 100
MOST_ANSWERS = 8


def invalid(message: str) -> Exception:
    error: Exception = Route53ClientError("InvalidChangeBatch", f"[{message}]")
    return error


@dataclass(frozen=True, slots=True)
class Change:
    """What GetChange tells of a batch."""

    identity: str
    submitted_at: Any
    insync_at: float

    def described(self) -> dict[str, Any]:
        status = "INSYNC" if ground().now() >= self.insync_at else "PENDING"
        return {"Id": f"/change/{self.identity}", "Status": status, "SubmittedAt": self.submitted_at}


def named(record_set: dict[str, Any]) -> dict[str, Any]:
    """A record set as moto keeps it: names as Route 53 tells them, records as plain values."""
    kept = dict(record_set)
    kept["Name"] = given_name(str(kept["Name"]))
    kept["ResourceRecords"] = [item["Value"] for item in kept.get("ResourceRecords") or []]
    return kept


def given_name(name: str) -> str:
    """With its dot, in small letters, and what is no letter, digit, hyphen, underscore or dot as an octal escape.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html: a wildcard's asterisk is \\052.
    """
    escaped = re.sub(r"(\\[0-7]{3})|([^a-z0-9_.-])", lambda m: m[1] or f"\\{ord(m[2]):03o}", name.lower())
    return escaped.rstrip(".") + "."


def key_of(record_set: dict[str, Any]) -> tuple[str, str, str | None]:
    return record_set["Name"], record_set["Type"], record_set.get("SetIdentifier")


def policy_of(record_set: dict[str, Any]) -> str:
    kinds = {
        "Weight": "weighted",
        "Region": "latency",
        "GeoLocation": "geolocation",
        "Failover": "failover",
        "MultiValueAnswer": "multivalue answer",
    }
    return next((name for field, name in kinds.items() if _reported(record_set.get(field))), "simple")


def _reported(value: Any) -> bool:
    """Whether a field says something; a weight of 0 does."""
    return value is not None and value is not False and value not in ("", [])


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two record sets of one key have all the same values."""
    return _values(one) == _values(other)


def _values(record_set: dict[str, Any]) -> dict[str, Any]:
    values = {field: value for field, value in record_set.items() if _reported(value)}
    values["ResourceRecords"] = sorted(record_set.get("ResourceRecords") or [])
    for number in ("TTL", "Weight"):
        if record_set.get(number) is not None:
            values[number] = int(record_set[number])
    return values


def words(record_set: dict[str, Any]) -> str:
    identifier = record_set.get("SetIdentifier")
    known = f", set-identifier='{identifier}'" if identifier else ""
    return f"resource record set [name='{record_set['Name']}', type='{record_set['Type']}'{known}]"


@replaces(Route53Backend, "change_resource_record_sets")
def change_resource_record_sets(backend: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:
    zone = backend.get_hosted_zone(zoneid)
    records = {key_of(_kept(item)): _kept(item) for item in zone.rrsets}
    observed: set[tuple[str, tuple[str, str, str | None]]] = set()
    for change in change_list:
        record_set = named(change["ResourceRecordSet"])
        once = (change["Action"], key_of(record_set))
        if once in observed:
            raise invalid(f"The request contains an invalid set of changes for a {words(record_set)}")
        observed.add(once)
        _check_form(backend, zone, record_set, change["Action"])
        _apply(records, record_set, change["Action"])
    _check_groups(records)
    ground().remember(f"zone:{zone.resource_id}", list(zone.rrsets))
    zone.rrsets = [_made(item) for item in records.values()]


_FIELDS = {
    "Name": "name",
    "Type": "type",
    "TTL": "ttl",
    "ResourceRecords": "records",
    "SetIdentifier": "set_identifier",
    "Weight": "weight",
    "Region": "region",
    "HealthCheckId": "health_check_id",
    "AliasTarget": "alias_target",
    "Failover": "failover",
    "GeoLocation": "geo_location",
    "MultiValueAnswer": "multi_value_answer",
}


def _kept(record: Any) -> dict[str, Any]:
    kept = {field: getattr(record, attribute) for field, attribute in _FIELDS.items()}
    return {field: value for field, value in kept.items() if value is not None}


def _made(record_set: dict[str, Any]) -> Any:
    return RecordSet(record_set)


def _check_form(backend: Any, zone: Any, record_set: dict[str, Any], action: str) -> None:
    name, zone_name = record_set["Name"], zone.name.rstrip(".").lower() + "."
    if name != zone_name and not name.endswith("." + zone_name):
        raise invalid(f"RRSet with DNS name {name} is not permitted in zone {zone_name}")
    policy, alias = policy_of(record_set), record_set.get("AliasTarget")
    where = f"Change with [Action={action}, Name={name}, Type={record_set['Type']}, SetIdentifier="
    if policy != "simple" and not record_set.get("SetIdentifier"):
        raise Route53ClientError("InvalidInput", f"Invalid request: Missing field 'SetIdentifier' in {where}null]")
    if not alias and (record_set.get("TTL") is None or not record_set["ResourceRecords"]):
        raise Route53ClientError(
            "InvalidInput",
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId], but found none in {where}{record_set.get('SetIdentifier', 'null')}]",
        )
    if policy == "multivalue answer" and alias:
        raise invalid(f"A multivalue answer record cannot be an alias: {words(record_set)}")
    if policy == "weighted" and len(record_set["ResourceRecords"]) > 1:
        raise invalid(f"A weighted record set may only have one resource record: {words(record_set)}")
    check = record_set.get("HealthCheckId")
    if action != "DELETE" and check and check not in backend.health_checks:
        raise Route53ClientError("NoSuchHealthCheck", f"A health check with id {check} does not exist.")


def _apply(records: dict[tuple[str, str, str | None], dict[str, Any]], record_set: dict[str, Any], action: str) -> None:
    key = key_of(record_set)
    known = records.get(key)
    if action == "CREATE" and known is not None:
        raise invalid(f"Tried to create {words(record_set)} but it already exists")
    if action == "DELETE":
        if known is None:
            raise invalid(f"Tried to delete {words(record_set)} but it was not found")
        if not same(known, record_set):
            raise invalid(
                f"Tried to delete {words(record_set)} but the values provided do not match the current values"
            )
        del records[key]
        return
    records[key] = record_set


def _check_groups(records: dict[tuple[str, str, str | None], dict[str, Any]]) -> None:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for (name, kind, _ignored), record_set in records.items():
        groups.setdefault((name, kind), []).append(record_set)
    for (name, kind), group in groups.items():
        if len({policy_of(item) for item in group}) > 1:
            raise invalid(
                f"RRSet with DNS name {name}, type {kind} cannot be created as other RRSets exist with the same "
                "name and type and another routing policy"
            )
        if policy_of(group[0]) == "weighted":
            if len({int(item["TTL"]) for item in group if "TTL" in item}) > 1:
                raise invalid(f"All weighted record sets of {name}, type {kind} must have the same TTL")
            if len(group) > MOST_WEIGHTED:
                raise invalid(f"More than {MOST_WEIGHTED} weighted record sets of {name}, type {kind}")
    names = {name for name, kind in groups if kind == "CNAME"}
    for name, kind in groups:
        if name in names and kind != "CNAME":
            raise invalid(
                f"RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with "
                "the same DNS name"
            )


_change = Route53.change_resource_record_sets


@replaces(Route53, "change_resource_record_sets")
def change_response(response: Any) -> Any:
    _change(response)
    identity = "C" + "".join(random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=20))
    insync_at = ground().now() + ground().settings.change_insync
    change = Change(identity, ground().timestamp(), insync_at)
    ground().changes[identity] = change
    return ActionResult({"ChangeInfo": change.described()})


_get_change = Route53.get_change


@replaces(Route53, "get_change")
def get_change(response: Any) -> Any:
    identity = str(response._get_param("Id")).rpartition("/")[2]
    known = ground().changes.get(identity)
    return ActionResult({"ChangeInfo": known.described()}) if known else _get_change(response)


@replaces(Route53, "list_resource_record_sets")
def list_resource_record_sets(response: Any) -> Any:
    """Sorted by reversed name, type and identifier, also across pages, whose start names all three.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html
    """
    zone = response.backend.get_hosted_zone(response._get_param("HostedZoneId"))
    name, kind = response._get_param("StartRecordName"), response._get_param("StartRecordType")
    if kind and not name:
        raise Route53ClientError("InvalidInput", "The input is not valid")
    start = _order(given_name(name), kind, response._get_param("StartRecordIdentifier")) if name else None
    most = min(response._get_int_param("MaxItems", 300), 300)
    ordered = sorted(zone.rrsets, key=lambda item: _order(item.name, item.type, item.set_identifier))
    rest = [item for item in ordered if start is None or _order(item.name, item.type, item.set_identifier) >= start]
    following = rest[most] if len(rest) > most else None
    result: dict[str, Any] = {"ResourceRecordSets": rest[:most], "IsTruncated": bool(following), "MaxItems": most}
    if following is not None:
        result |= {"NextRecordName": following.name, "NextRecordType": following.type}
        if following.set_identifier:
            result["NextRecordIdentifier"] = following.set_identifier
    return ActionResult(result)


def _order(name: str, kind: str | None, identifier: str | None) -> tuple[str, str, str]:
    return str(reverse_domain_name(name)), kind or "", identifier or ""


def checked() -> dict[str, tuple[str, int]]:
    """The address and port of each health check by id."""
    return {
        str(check.id): (str(check.ip_address), int(check.port))
        for backend in list(route53_backends[DEFAULT_ACCOUNT_ID].values())
        for check in backend.health_checks.values()
        if check.ip_address
    }


def answer(
    name: str, kind: str = "A", healthy: Callable[[str], bool] = lambda _id: True
) -> tuple[tuple[str, ...], int]:
    """(values, TTL in seconds) that a resolver gets for a name now; nothing: ((), 0).

    Name servers know of a change once it is INSYNC. Weighted sets are drawn by weight, multivalue ones answer with up
    to eight. A record whose health check (``healthy``: by id) fails is left out while another is healthy; a record
    without a check, or with one that is gone, counts as healthy (developer guide, "How Amazon Route 53 chooses
    records when health checking is configured").
    """
    desired = given_name(name)
    found: list[Any] = []
    for backend in list(route53_backends[DEFAULT_ACCOUNT_ID].values()):
        for zone in backend.zones.values():
            delay = ground().settings.change_insync
            present = ground().observed(f"zone:{zone.resource_id}", zone.rrsets, delay)
            found += [item for item in present if item.name == desired and item.type == kind]
    if not found:
        return (), 0
    found = [item for item in found if not item.health_check_id or healthy(item.health_check_id)] or found
    if found[0].weight is not None:
        weights = [int(item.weight) for item in found]
        found = random.choices(found, weights if any(weights) else None)
    elif len(found) > MOST_ANSWERS:
        found = random.sample(found, MOST_ANSWERS)
    return tuple(value for item in found for value in item.records), int(found[0].ttl or 0)
