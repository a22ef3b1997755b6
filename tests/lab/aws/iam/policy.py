"""A policy document, read: statements that can be asked, or a sentence why the lab cannot keep it.

The grammar is that of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html for policies of
identities. What is not understood is refused, because a condition that is passed over would let through too much.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tests.lab.aws.iam.conditions import Condition, Context, like, read_operator

Effect = Literal["Allow", "Deny"]
_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
_SID = re.compile(r"[A-Za-z0-9]*")
_ACTION = re.compile(r"\*|[a-z0-9-]+:[A-Za-z0-9*?]+", re.IGNORECASE)


class PolicyError(ValueError):
    """A sentence: what of the document is wrong, or not known here."""


@dataclass(frozen=True, slots=True)
class Statement:
    """``inverted``: ``actions`` are those of NotAction, which it is not about."""

    sid: str
    effect: Effect
    actions: tuple[str, ...]
    inverted: bool
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]

    def speaks_of(self, action: str, resource: str, context: Context) -> bool:
        named = any(like(pattern.lower(), action.lower()) for pattern in self.actions)
        return (
            named is not self.inverted
            and any(_meets(pattern, resource) for pattern in self.resources)
            and all(condition.holds(context) for condition in self.conditions)
        )


@functools.lru_cache(maxsize=256)
def read_policy(text: str) -> tuple[Statement, ...]:
    """The statements of a document. PolicyError if there is something in it that is wrong or not known here."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise PolicyError(f"the document is no JSON: {error}") from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise PolicyError("the document has no Statement")
    if document.get("Version") != "2012-10-17":
        raise PolicyError(f"Version must be 2012-10-17, not {document.get('Version')!r}")
    statements = document["Statement"]
    read = tuple(_statement(one) for one in (statements if isinstance(statements, list) else [statements]))
    named = [statement.sid for statement in read if statement.sid]
    if len(set(named)) < len(named):
        raise PolicyError("several statements have the same Sid")
    return read


def _statement(given: Any) -> Statement:
    if not isinstance(given, dict):
        raise PolicyError(f"a statement is an object, not {given!r}")
    unknown = sorted(set(given) - _ELEMENTS | {"NotResource"} & set(given))
    if unknown:
        raise PolicyError(f"the lab does not know {', '.join(unknown)} in a statement")
    effect, sid = given.get("Effect"), given.get("Sid", "")
    if effect not in ("Allow", "Deny"):
        raise PolicyError(f"Effect must be Allow or Deny, not {effect!r}")
    if not isinstance(sid, str) or not _SID.fullmatch(sid):
        raise PolicyError(f"a Sid has letters and digits only, not {sid!r}")
    if ("Action" in given) == ("NotAction" in given):
        raise PolicyError("a statement has either Action or NotAction")
    actions = _texts(given.get("Action", given.get("NotAction")), "Action")
    wrong = [action for action in actions if not _ACTION.fullmatch(action)]
    if wrong:
        raise PolicyError(f"{', '.join(wrong)} is no action: those are written service:Action")
    conditions = tuple(_conditions(given.get("Condition", {})))
    return Statement(sid, effect, actions, "NotAction" in given, _texts(given.get("Resource"), "Resource"), conditions)


def _conditions(given: Any) -> Sequence[Condition]:
    if not isinstance(given, dict) or not all(isinstance(keys, dict) for keys in given.values()):
        raise PolicyError("a Condition is an object of operators, each an object of keys")
    operators = {name: read_operator(name) for name in given}
    unknown = sorted(name for name, operator in operators.items() if operator is None)
    if unknown:
        raise PolicyError(f"the lab does not know the condition {', '.join(unknown)}")
    return [
        Condition(operator, key, _texts(values, key))
        for name, operator in operators.items()
        if operator
        for key, values in given[name].items()
    ]


def _texts(given: Any, name: str) -> tuple[str, ...]:
    texts = given if isinstance(given, list) else [given]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise PolicyError(f"{name} must be a string or a list of strings")
    if any("${" in text for text in texts):
        raise PolicyError(f"the lab does not know policy variables, as in {name}")
    return tuple(texts)


def _meets(pattern: str, resource: str) -> bool:
    """Whether an ARN fits, part by part; a part that the request leaves open ("*") fits every pattern.

    A request that names no resource is met by the pattern for all resources only, as AWS documents of actions that
    support no resource-level permissions.
    """
    if pattern == "*":
        return True
    desired, found = pattern.split(":", 5), resource.split(":", 5)
    if len(desired) < 6 or len(found) < 6:
        return False
    return all(part == "*" or like(one, part) for one, part in zip(desired, found, strict=True))
