# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One or many names of a hosted zone in one task: read side by side, changed in one batch, waited for once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from ...aws import route53
from ...aws.client import Client
from ...core.errors import Refusal
from ...core.parallel import gather
from . import alias_plan, record_plan
from .alias_plan import AliasRequest
from .health_checks import CheckSpec
from .record_changes import converge, group, wait
from .record_plan import Batch, DesiredRecord, Node, Plan
from .records import difference, result

Request: TypeAlias = "DesiredRecord | AliasRequest"


def requests_of(params: Mapping[str, Any]) -> list[Request]:
    """Return one request, or one for each of ``record_sets``; an entry overrides the module's options.

    Raises Refusal for what cannot be right whatever AWS holds.
    """
    entries = params["record_sets"]
    if entries is None:
        return [_request(params)]
    common = {**params, "record": None, "nodes": [], "alias": None}
    given = [{key: value for key, value in entry.items() if value is not None} for entry in entries]
    requests = [_request({**common, **entry}) for entry in given]
    names = [str(request) for request in requests]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Refusal(f"record_sets names {', '.join(twice)} more than once; nothing was written")
    return requests


def _request(params: Mapping[str, Any]) -> Request:
    present = params["state"] == "present"
    common = {"record": params["record"], "type": params["type"], "present": present, "purge": params["purge"]}
    if params["alias"] is not None:
        if params["nodes"]:
            raise Refusal(
                f"{params['type']} {params['record']}: nodes and alias exclude each other; nothing was written"
            )
        request = AliasRequest(**common, **params["alias"])
        alias_plan.check(request)
        return request
    nodes = tuple(Node(**node) for node in params["nodes"])
    checked = CheckSpec.from_option(params.get("health_check"))
    desired = DesiredRecord(**common, ttl=params["ttl"], policy=params["policy"], nodes=nodes, health_check=checked)
    record_plan.check(desired)
    return desired


def find_zone(client: Client, params: Mapping[str, Any], requests: Sequence[Request]) -> str:
    """Return the id of the hosted zone, with a query only if it is given by name. Raises Refusal."""
    if params["hosted_zone_id"]:
        return str(params["hosted_zone_id"]).rpartition("/")[2]
    if not params["zone"]:
        raise Refusal("neither zone nor hosted_zone_id says which hosted zone is meant")
    for request in requests:
        record_plan.refuse_foreign_name(request, params["zone"])
    found = route53.list_hosted_zones_by_name(client, params["zone"])
    return record_plan.choose_zone(found, params["zone"], params["private_zone"])


@dataclass(frozen=True, slots=True)
class Zone:
    """A hosted zone. ``named``: it was given by name, so the records are known to belong to it."""

    client: Client
    id: str
    named: bool

    def decide(self, requests: Sequence[Request]) -> Batch:
        """Read the record sets of every name, side by side, and plan one batch. Raises Refusal."""
        plans = gather([partial(self._decide, request) for request in requests])
        batch = Batch(tuple(plans))
        record_plan.refuse_too_much(", ".join(map(str, requests)), batch.changes)
        return batch

    def _decide(self, request: Request) -> Plan:
        existing = group(
            lambda start: route53.list_record_sets(self.client, self.id, start), request.name, request.type
        )
        chosen = _plan(request, existing)
        # A name with record sets is in the zone; a new one is checked.
        if chosen.changes and not existing and not self.named:
            record_plan.refuse_foreign_name(request, route53.get_hosted_zone(self.client, self.id)["Name"])
        return chosen

    def converge(self, requests: Sequence[Request]) -> tuple[Batch, Mapping[str, Any] | None]:
        """Write the batch; the outcome, and AWS's answer to the change (None: nothing had to be written)."""
        return converge(
            lambda: self.decide(requests),
            lambda batch: route53.change_record_sets(self.client, self.id, batch.changes),
            route53.INVALID_BATCH,
        )

    def known_everywhere(self, change_id: str, timeout: float) -> str:
        """Wait for the name servers; the last status of the change, INSYNC unless time ran out."""
        return wait(lambda: route53.get_change(self.client, change_id), timeout)


def _plan(request: Request, existing: Sequence[Mapping[str, Any]]) -> Plan:
    if isinstance(request, AliasRequest):
        return alias_plan.plan(request, existing)
    return record_plan.plan(request, existing)


def result_of(request: Request, plan: Plan) -> dict[str, Any]:
    """Return the result of one name."""
    if isinstance(request, AliasRequest):
        before, after = alias_plan.alias_of(plan.before), alias_plan.alias_of(plan.after)
        diff = {"before": {"alias": before}, "after": {"alias": after}}
        if any(item.get("SetIdentifier") for item in plan.before):
            diff = {side: {**diff[side], **nodes} for side, nodes in difference(plan.before, plan.after).items()}
        return {
            "changed": bool(plan.changes),
            "records": [],
            "others": [],
            "alias": after,
            "ttl": plan.ttl,
            "diff": diff,
        }
    records = [result(record_set) for record_set in plan.after]
    named = {node.identifier for node in request.nodes}
    return {
        "changed": bool(plan.changes),
        "records": records,
        "others": [record for record in records if record["identifier"] not in named],
        "alias": None,
        "ttl": plan.ttl,
        "diff": difference(plan.before, plan.after),
    }


def joined(requests: Sequence[Request], batch: Batch) -> dict[str, Any]:
    """Return the result of a task with ``record_sets``. ``ttl``: the longest, how long removed addresses are cached."""
    entries, diffs = [], []
    for request, plan in zip(requests, batch.plans, strict=True):
        entry = result_of(request, plan)
        diff = entry.pop("diff")
        diffs.append({"before_header": str(request), "after_header": str(request), **diff})
        entries.append({"record": request.name, "type": request.type, **entry})
    ttl = max((entry["ttl"] for entry in entries), default=0)
    return {"changed": bool(batch.changes), "record_sets": entries, "ttl": ttl, "diff": diffs}
