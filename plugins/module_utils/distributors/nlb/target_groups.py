# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One or many target groups in one task: read side by side, refused before the first write, waited for side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...aws import elbv2
from ...aws.client import Client
from ...aws.errors import AwsError
from ...core.errors import Failure, Refusal
from ...core.parallel import attempt_all, gather
from . import targets as t
from .target_changes import Incomplete, Outcome, complaint, watch, write


@dataclass(frozen=True, slots=True)
class Request:
    """What the task asks of one target group, by its ARN or its name."""

    arn: str | None
    name: str | None
    targets: tuple[t.Target, ...]
    present: bool
    purge: bool
    goal: t.Goal

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Request:
        """Raise Refusal for invalid requests, independent of the state in AWS."""
        present = params["state"] == "present"
        return cls(
            arn=params["target_group_arn"],
            name=params["target_group_name"],
            targets=tuple(t.requests(params["targets"] or ())),
            present=present,
            purge=params["purge"],
            goal=t.goal_of(present, params["wait_for"]),
        )


def requests_of(params: Mapping[str, Any]) -> list[Request]:
    """Return one request, or one for each of ``target_groups``; an entry overrides the module's options."""
    entries = params["target_groups"]
    if entries is None:
        return [Request.from_params(params)]
    common = {**params, "target_group_arn": None, "target_group_name": None}
    requests = [
        Request.from_params({**common, **{key: value for key, value in entry.items() if value is not None}})
        for entry in entries
    ]
    named = [request.arn or request.name for request in requests]
    twice = sorted({str(name) for name in named if named.count(name) > 1})
    if twice:
        raise Refusal(f"target_groups names {', '.join(twice)} more than once; nothing was written")
    return requests


@dataclass(frozen=True, slots=True)
class Work:
    """One target group as it was read, and what has to be written."""

    request: Request
    arn: str
    before: t.Healths
    plan: t.Plan


def prepare(client: Client, request: Request) -> Work:
    """Read one target group and plan. Raises Refusal for one that does not exist or cannot take its targets."""
    arn, group, healths = _read(client, request)
    chosen = t.plan(request.targets, healths, present=request.present, purge=request.purge)
    if chosen.register:
        described = group or t.parse_group(elbv2.describe_target_group(client, arn)[0])
        t.refuse_unfit(described, chosen.register)
    return Work(request, arn, healths, chosen)


def _read(client: Client, request: Request) -> tuple[str, t.Group | None, t.Healths]:
    """Read the group's ARN, the group itself if it was given by name, and its targets."""
    if not (request.arn or request.name):
        raise Refusal("neither target_group_arn nor target_group_name says which target group is meant")
    try:
        group = None
        if not request.arn:
            group = t.parse_group(elbv2.describe_target_group_by_name(client, str(request.name))[0])
        arn = group.arn if group else str(request.arn)
        return arn, group, t.parse_healths(elbv2.describe_target_health(client, arn))
    except AwsError as error:
        if error.code != elbv2.NOT_FOUND:
            raise
        raise Refusal(
            f"there is no target group {request.arn or request.name} in this account and region ({error.code}); "
            "nothing was written"
        ) from error


def carry_out(client: Client, work: Work, timeout: float | None) -> Outcome:
    """Write and wait for one target group. Raises Incomplete."""
    arn = work.arn
    write(
        work.plan,
        register=lambda batch: elbv2.register_targets(client, arn, [target.wire() for target in batch]),
        deregister=lambda batch: elbv2.deregister_targets(client, arn, [target.wire() for target in batch]),
    )
    return watch(
        work.plan,
        work.before,
        lambda: t.parse_healths(elbv2.describe_target_health(client, arn)),
        work.request.goal,
        timeout,
    )


def converge(
    client: Client, requests: Sequence[Request], timeout: float | None, *, check: bool
) -> list[dict[str, Any]]:
    """Converge each target group and return its result with ``error``. ``timeout`` seconds; None: do not wait.

    Raises Failure before the first write. A target group that fails later does not stop the others.
    """
    prepared = gather([partial(prepare, client, request) for request in requests])
    if check:
        return [result_of(work, Outcome(t.predict(work.plan, work.before))) for work in prepared]
    outcomes = attempt_all([partial(carry_out, client, work, timeout) for work in prepared])
    return [result_of(work, outcome, timeout) for work, outcome in zip(prepared, outcomes, strict=True)]


def result_of(work: Work, outcome: Outcome | Failure, timeout: float | None = None) -> dict[str, Any]:
    """Return the result of one target group."""
    if isinstance(outcome, Failure):
        changed = isinstance(outcome, Incomplete) and outcome.changed
        cause = outcome.error if isinstance(outcome, Incomplete) else outcome
        code = cause.code if isinstance(cause, AwsError) else None
        return {
            "changed": changed or (work.plan.changed and not isinstance(outcome, Incomplete)),
            "target_group_arn": work.arn,
            "error": str(outcome),
            "error_code": code,
        }
    late = complaint(outcome, t.name_of(work.arn), work.request.goal, timeout or 0)
    listed = [t.health_of(target, outcome.healths).result() for target in work.plan.listed]
    return {
        "changed": work.plan.changed,
        "target_group_arn": work.arn,
        "targets": listed,
        "others": [health.result() for health in t.others(work.request.targets, outcome.healths)],
        "diff": t.difference(work.plan, work.before),
        "error": late,
    }


def joined(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the result of a task with ``target_groups``; with ``msg`` that names all that failed."""
    groups, diffs = [], []
    for result in results:
        group = {key: value for key, value in result.items() if key not in ("diff", "error_code")}
        if "diff" in result:
            name = t.name_of(result["target_group_arn"])
            diffs.append({"before_header": name, "after_header": name, **result["diff"]})
        groups.append({"targets": [], "others": [], **group})
    answer = {"changed": any(group["changed"] for group in groups), "target_groups": groups, "diff": diffs}
    errors = [str(group["error"]) for group in groups if group["error"]]
    if not errors:
        return answer
    head = f"{len(errors)} of {len(groups)} target groups failed: " if len(groups) > 1 else ""
    return {**answer, "msg": head + "; ".join(errors)}
