"""A policy document, read: statements that can be asked, or a sentence why the lab cannot keep it.

The grammar is that of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html for policies of
identities. What is not understood is refused, because a condition that is passed over would let through too much.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Effect = Literal["Allow", "Deny"]
OPERATORS = ("StringEquals", "StringLike")
_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
_SID = re.compile(r"[A-Za-z0-9]*")
_ACTION = re.compile(r"\*|[a-z0-9-]+:[A-Za-z0-9*?]+", re.IGNORECASE)


class PolicyError(ValueError):
    """A sentence: what of the document is wrong, or not known here."""


@dataclass(frozen=True, slots=True)
class Test:
    """One line of a condition: ``key`` must be there and have one of the values (with * and ? for StringLike)."""

    operator: str
    key: str
    values: tuple[str, ...]

    def holds(self, context: Mapping[str, str]) -> bool:
        # Keys are not case-sensitive
        # (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html).
        found = {key.lower(): value for key, value in context.items()}.get(self.key.lower())
        if found is None:
            return False
        if self.operator == "StringEquals":
            return found in self.values
        return any(_like(value, found) for value in self.values)


@dataclass(frozen=True, slots=True)
class Statement:
    """``inverted``: ``actions`` are those of NotAction, which it is not about."""

    sid: str
    effect: Effect
    actions: tuple[str, ...]
    inverted: bool
    resources: tuple[str, ...]
    tests: tuple[Test, ...]

    def speaks_of(self, action: str, resource: str, context: Mapping[str, str]) -> bool:
        named = any(_like(pattern.lower(), action.lower()) for pattern in self.actions)
        return (
            named is not self.inverted
            and any(_meets(pattern, resource) for pattern in self.resources)
            and all(test.holds(context) for test in self.tests)
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
    tests = tuple(_tests(given.get("Condition", {})))
    return Statement(sid, effect, actions, "NotAction" in given, _texts(given.get("Resource"), "Resource"), tests)


def _tests(given: Any) -> Sequence[Test]:
    if not isinstance(given, dict) or not all(isinstance(keys, dict) for keys in given.values()):
        raise PolicyError("a Condition is an object of operators, each an object of keys")
    unknown = sorted(set(given) - set(OPERATORS))
    if unknown:
        raise PolicyError(f"the lab does not know the condition {', '.join(unknown)}; it knows {', '.join(OPERATORS)}")
    asked = [(operator, *one) for operator, keys in given.items() for one in keys.items()]
    return [Test(operator, key, _texts(values, key)) for operator, key, values in asked]


def _texts(given: Any, name: str) -> tuple[str, ...]:
    texts = given if isinstance(given, list) else [given]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise PolicyError(f"{name} must be a string or a list of strings")
    return tuple(texts)


def _meets(pattern: str, resource: str) -> bool:
    """Whether an ARN fits, part by part; a part that the request leaves open ("*") fits every pattern."""
    if "*" in (pattern, resource):
        return True
    desired, found = pattern.split(":", 5), resource.split(":", 5)
    if len(desired) < 6 or len(found) < 6:
        return False
    return all(part == "*" or _like(one, part) for one, part in zip(desired, found, strict=True))


def _like(pattern: str, text: str) -> bool:
    return _pattern(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """* any characters, ? one character; nothing else is special, unlike in a shell."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(character, re.escape(character)) for character in text), re.DOTALL)
