"""What policies say to a need, and the words in which AWS passes it on.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html: a Deny
decides, else an Allow, else the implicit deny.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.lab.aws.iam.needs import ANY, Need
from tests.lab.aws.iam.policy import Statement, read_policy

Decision = Literal["allowed", "explicitDeny", "implicitDeny"]
Refused = Literal["explicitDeny", "implicitDeny", "boundary"]
"""Why a need is not allowed; ``boundary``: policies of the identity allow it, its permissions boundary does not."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``sids``: of the statements that decided it."""

    decision: Decision
    sids: tuple[str, ...] = ()


def decide(need: Need, statements: Iterable[Statement]) -> Verdict:
    """What these statements say together."""
    about = [one for one in statements if one.speaks_of(need.action, need.resource, need.context)]
    for effect, decision in (("Deny", "explicitDeny"), ("Allow", "allowed")):
        deciding = tuple(one.sid for one in about if one.effect == effect)
        if deciding:
            return Verdict("allowed" if decision == "allowed" else "explicitDeny", deciding)
    return Verdict("implicitDeny")


def statements_of(documents: Iterable[str]) -> list[Statement]:
    """All statements of all documents. PolicyError if one cannot be read."""
    return [statement for document in documents for statement in read_policy(document)]


def first_refused(
    desired: Sequence[Need], documents: Iterable[str], boundary: str | None = None
) -> tuple[Need, Refused] | None:
    """The first need that is not allowed, and why; None if all are. PolicyError as above.

    ``boundary``: the document of the permissions boundary. Only what it allows as well is allowed
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html).
    """
    statements, limits = statements_of(documents), None if boundary is None else statements_of([boundary])
    for need in desired:
        decision = decide(need, statements).decision
        if decision != "allowed":
            return need, decision
        limited = "allowed" if limits is None else decide(need, limits).decision
        if limited != "allowed":
            return need, "explicitDeny" if limited == "explicitDeny" else "boundary"
    return None


def sentence(who: str, need: Need, decision: Refused, *, where: str) -> str:
    """As AWS words it
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html#access-denied-error-examples).

    ``where``: what is named if the request names no resource; nothing if that is empty.
    """
    reason = {
        "implicitDeny": f"because no identity-based policy allows the {need.action} action",
        "boundary": f"because no permissions boundary allows the {need.action} action",
        "explicitDeny": "with an explicit deny in an identity-based policy",
    }[decision]
    resource = where if need.resource == ANY else need.resource
    on = f" on resource: {resource}" if resource else ""
    return f"User: {who} is not authorized to perform: {need.action}{on} {reason}"
