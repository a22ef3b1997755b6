# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether who asks may do all that the playbook does: by IAM's policy simulator, else by EC2's dry runs. Pure.

API references: IAM, SimulatePrincipalPolicy and EvaluationResult; EC2, "Error codes" (DryRunOperation,
UnauthorizedOperation).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..aws.errors import AwsError
from ..core.errors import Failure
from .identity import Caller, Kind
from .rows import Row, Status, failed, ok, unknown, warning

CHECK = "rights"
WOULD = "DryRunOperation"
DENIED = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"})


@dataclass(frozen=True, slots=True)
class Need:
    """Actions that are needed on the same resources, which are ARNs or ``*``, under the same circumstances.

    ``context``: condition key and the value that it has when the playbook asks, such as ``iam:PassedToService``.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    context: tuple[tuple[str, str], ...] = ()


def read_needs(options: Iterable[Mapping[str, Any]]) -> tuple[Need, ...]:
    """Parse the option ``rights``: each action once for the same resources and context."""
    together: dict[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], dict[str, None]] = {}
    for option in options:
        context = {str(key): str(value) for key, value in (option["context"] or {}).items()}
        where = tuple(option["resources"] or ["*"]), tuple(sorted(context.items()))
        together.setdefault(where, {}).update(dict.fromkeys(option["actions"]))
    return tuple(Need(tuple(actions), *where) for where, actions in together.items())


def concrete(need: Need, caller: Caller, region: str, group: str) -> Need:
    """Return the resources as the simulator takes them: a policy's pattern becomes an ARN that it is about.

    The simulator compares text, so a policy for ``role/*-vpx`` would allow nothing on ``*``.
    """
    resources = tuple(_arn(pattern, caller, region, group) for pattern in need.resources)
    return dataclasses.replace(need, resources=resources)


def _arn(pattern: str, caller: Caller, region: str, group: str) -> str:
    parts = pattern.split(":", 5)
    if len(parts) != 6:
        return pattern
    _arn_word, partition, service, where, account, resource = parts
    return ":".join(
        [
            "arn",
            caller.partition if partition == "*" else partition,
            service,
            region if where == "*" else where,
            caller.account if account == "*" else account,
            resource.replace("*", group) if resource != "*" else resource,
        ]
    )


def everything(needs: Iterable[Need]) -> list[Row]:
    """Return the rows of the root user, whom no policy of its account restricts."""
    return [ok(CHECK, action, "allowed: this is the account's root user") for action in actions_of(needs)]


def actions_of(needs: Iterable[Need]) -> list[str]:
    return list(dict.fromkeys(action for need in needs for action in need.actions))


def judge(need: Need, results: Sequence[Mapping[str, Any]]) -> list[Row]:
    """One row an action, the worst of what the simulator says of its resources."""
    rows = []
    for action in need.actions:
        message = [item for item in results if str(item.get("EvalActionName", "")).lower() == action.lower()]
        rows.append(_of_action(action, message))
    return rows


def strictest(rows: Iterable[Row]) -> list[Row]:
    """Return one row an action: it may be needed on several resources, and each statement of a policy is simulated."""
    order = (Status.OK, Status.SKIPPED, Status.WARNING, Status.FAILED)
    worst: dict[str, Row] = {}
    for row in rows:
        present = worst.get(row.subject)
        if present is None or order.index(row.status) > order.index(present.status):
            worst[row.subject] = row
    return list(worst.values())


def _of_action(action: str, message: Sequence[Mapping[str, Any]]) -> Row:
    decisions = [(part, decision) for item in message for part, decision in _decisions(item)]
    if not decisions:
        return unknown(CHECK, action, "the policy simulator says nothing of it")
    refusals = [(part, decision) for part, decision in decisions if decision != "allowed"]
    if not refusals:
        return ok(CHECK, action, "allowed")
    part, decision = refusals[-1]
    conditions = sorted({str(key) for item in message for key in item.get("MissingContextValues") or ()})
    if decision != "explicitDeny" and conditions:
        return warning(CHECK, action, f"allowed only if {', '.join(conditions)} fits, which the simulator cannot know")
    somewhere = [each for each, verdict in decisions if verdict == "allowed" and each.get("EvalResourceName")]
    if somewhere:
        return warning(CHECK, action, f"{_why(part, decision)}; allowed on {somewhere[0]['EvalResourceName']}")
    return failed(CHECK, action, _why(part, decision))


def _decisions(item: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], str]]:
    parts = [item, *(item.get("ResourceSpecificResults") or ())]
    return [(part, str(part.get("EvalDecision") or part.get("EvalResourceDecision"))) for part in parts]


def _why(part: Mapping[str, Any], decision: str) -> str:
    where = part.get("EvalResourceName")
    on = f" on {where}" if where and where != "*" else ""
    if (part.get("OrganizationsDecisionDetail") or {}).get("AllowedByOrganizations") is False:
        return f"not allowed{on}: a policy of the organization forbids it"
    if (part.get("PermissionsBoundaryDecisionDetail") or {}).get("AllowedByPermissionsBoundary") is False:
        return f"not allowed{on}: the permissions boundary does not include it"
    if decision == "explicitDeny":
        return f"not allowed{on}: a policy denies it"
    return f"not allowed{on}: no policy allows it ({decision})"


def of_dry_run(action: str, outcome: object) -> Row:
    """``outcome``: the answer to a dry run of it, or the Failure; reading actions that answer are allowed, too.

    A call may take the rights to several actions: a refusal for the sake of another says nothing of this one.
    """
    if not isinstance(outcome, Failure):
        return ok(CHECK, action, "allowed (dry run)")
    code = outcome.code if isinstance(outcome, AwsError) else None
    if code == WOULD:
        return ok(CHECK, action, "allowed (dry run)")
    if code in DENIED and isinstance(outcome, AwsError) and outcome.missing == action:
        return failed(CHECK, action, f"not allowed (dry run): {outcome}")
    return unknown(CHECK, action, outcome)


def not_simulated(caller: Caller, failure: Failure | None) -> str:
    """Return the reason shown when neither simulation nor dry run is possible."""
    if failure is not None and isinstance(failure, AwsError) and failure.code in DENIED:
        return "no right to iam:SimulatePrincipalPolicy, and there is no dry run that would tell"
    if failure is not None:
        return f"the policy simulator did not help, and there is no dry run that would tell: {failure}"
    if caller.kind is Kind.OTHER:
        return f"the rights of {caller.arn} cannot be simulated, and there is no dry run that would tell"
    return "there is no dry run that would tell"
