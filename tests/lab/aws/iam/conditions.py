"""Conditions of a policy: which operators the lab knows, and whether a request's context meets one.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html;
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Context = Mapping[str, str | Sequence[str]]
"""Condition key → its value, or its values where the request has several (tag keys, record names)."""

_FOR_ALL, _FOR_ANY, _IF_EXISTS, _NULL = "ForAllValues:", "ForAnyValue:", "IfExists", "Null"


def like(pattern: str, text: str) -> bool:
    """Whether ``text`` fits: * is any characters, ? one character, and nothing else is special, unlike in a shell."""
    return _pattern(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=2048)
def _pattern(text: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(character, re.escape(character)) for character in text), re.DOTALL)


def arn_like(pattern: str, arn: str) -> bool:
    """Whether an ARN fits, part by part: * does not reach beyond a colon."""
    desired, found = pattern.split(":", 5), arn.split(":", 5)
    return len(desired) == len(found) == 6 and all(map(like, desired, found))


_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda desired, found: desired == found,
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": lambda desired, found: desired.lower() == found.lower(),
}
_NEGATED = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike", "ArnNotLike": "ArnLike"}


@dataclass(frozen=True, slots=True)
class Operator:
    """``name``: one of ``_MATCHES``, or Null. ``quantifier``: of several values, which must match; "" for one value."""

    name: str
    negated: bool = False
    quantifier: str = ""
    if_exists: bool = False


def read_operator(text: str) -> Operator | None:
    """Return the operator as a policy writes it ("ForAllValues:StringLikeIfExists"); None: the lab does not know it."""
    quantifier = next((each for each in (_FOR_ALL, _FOR_ANY) if text.startswith(each)), "")
    name = text.removeprefix(quantifier)
    if name == _NULL:
        return None if quantifier else Operator(_NULL)
    if_exists = name.endswith(_IF_EXISTS)
    name = name.removesuffix(_IF_EXISTS)
    positive = _NEGATED.get(name, name)
    return Operator(positive, name in _NEGATED, quantifier, if_exists) if positive in _MATCHES else None


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a Condition block. Of several values in the policy one must match, or none of them, if negated."""

    operator: Operator
    key: str
    values: tuple[str, ...]

    def holds(self, context: Context) -> bool:
        # Keys are not case-sensitive
        # (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html).
        value = {key.lower(): value for key, value in context.items()}.get(self.key.lower())
        found = (value,) if isinstance(value, str) else tuple(value or ())
        if self.operator.name == _NULL:
            return all((not found) == (desired.lower() == "true") for desired in self.values)
        if not found:
            # "If the key is not present, a negated operator returns true", and so does ForAllValues.
            absent_holds = self.operator.if_exists or self.operator.negated or self.operator.quantifier == _FOR_ALL
            return absent_holds and self.operator.quantifier != _FOR_ANY
        each = [self._matches(one) is not self.operator.negated for one in found]
        if self.operator.quantifier:
            return all(each) if self.operator.quantifier == _FOR_ALL else any(each)
        return len(each) == 1 and each[0]  # several values without a quantifier: AWS promises nothing

    def _matches(self, found: str) -> bool:
        match = _MATCHES[self.operator.name]
        return any(match(desired, found) for desired in self.values)
