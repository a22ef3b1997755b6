"""SimulatePrincipalPolicy, answered by what also decides requests.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html; one EvaluationResult an action
with the strictest decision of all resources, and a ResourceSpecificResult a resource
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.lab.aws.iam.conditions import Context
from tests.lab.aws.iam.decide import Decision, Verdict, decide
from tests.lab.aws.iam.needs import ANY, Need
from tests.lab.aws.iam.policy import Statement

MOST = 100
"""Results on a page unless MaxItems says otherwise; the API says that there may be fewer than were asked for."""
_STRICTNESS: tuple[Decision, ...] = ("explicitDeny", "implicitDeny", "allowed")


@dataclass(frozen=True, slots=True)
class Question:
    """``resources``: ARNs, one "*" if none was given. ``first``: how many results earlier pages have had."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    context: Context
    first: int
    most: int


def read_question(fields: Mapping[str, str]) -> Question:
    keys = listed(fields, "ContextEntries.member.{}.ContextKeyName")
    values = [
        listed(fields, f"ContextEntries.member.{at}.ContextKeyValues.member.{{}}") for at in range(1, len(keys) + 1)
    ]
    marker = fields.get("Marker", "")
    return Question(
        actions=listed(fields, "ActionNames.member.{}"),
        resources=listed(fields, "ResourceArns.member.{}") or (ANY,),
        context=dict(zip(keys, values, strict=True)),
        first=int(marker) if marker.isdigit() else 0,
        most=min(int(fields.get("MaxItems") or MOST), 1000),
    )


def listed(fields: Mapping[str, str], pattern: str) -> tuple[str, ...]:
    """The members of a list of the query protocol, which counts from 1."""
    found: list[str] = []
    while (name := pattern.format(len(found) + 1)) in fields:
        found.append(fields[name])
    return tuple(found)


def results(question: Question, statements: Sequence[Statement]) -> str:
    """The SimulatePrincipalPolicyResult of one page, as XML."""
    page = question.actions[question.first : question.first + question.most]
    members = "".join(_result(action, question, statements) for action in page)
    end = question.first + len(page)
    more = end < len(question.actions)
    marker = f"<Marker>{end}</Marker>" if more else ""
    truncated = "true" if more else "false"
    return f"<EvaluationResults>{members}</EvaluationResults><IsTruncated>{truncated}</IsTruncated>{marker}"


def _result(action: str, question: Question, statements: Sequence[Statement]) -> str:
    each = {resource: decide(Need(action, resource, question.context), statements) for resource in question.resources}
    strictest = min((verdict.decision for verdict in each.values()), key=_STRICTNESS.index)
    deciding = next(verdict for verdict in each.values() if verdict.decision == strictest)
    resources = "".join(
        f"<member><EvalResourceName>{escape(resource)}</EvalResourceName>"
        f"<EvalResourceDecision>{verdict.decision}</EvalResourceDecision>{_matched(verdict)}"
        "<MissingContextValues/></member>"
        for resource, verdict in each.items()
    )
    named = question.resources[0] if len(question.resources) == 1 else ANY
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName>"
        f"<EvalResourceName>{escape(named)}</EvalResourceName>"
        f"<EvalDecision>{strictest}</EvalDecision>{_matched(deciding)}<MissingContextValues/>"
        f"<ResourceSpecificResults>{resources}</ResourceSpecificResults></member>"
    )


def _matched(verdict: Verdict) -> str:
    members = "".join(
        f"<member><SourcePolicyId>{escape(sid) or 'policy'}</SourcePolicyId>"
        "<SourcePolicyType>IAM Policy</SourcePolicyType></member>"
        for sid in verdict.sids
    )
    return f"<MatchedStatements>{members}</MatchedStatements>"
