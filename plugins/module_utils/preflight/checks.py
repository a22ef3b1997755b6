# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The contract of preflight checks: what a check asks, in which round, and the rows that it makes of the answers.

A check is a :class:`Check` and one line in ``registry.py``. Its rows come in the order of the registry. An answer that
is missing makes a row of its own and hides no other, so ``rows`` never raises for what AWS or the network answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..aws.client import Client
from . import rights
from .identity import Caller
from .plan import Plan
from .rows import Row
from .verdicts import Answers

Question = Callable[[], Any]
Questions = Mapping[str, Question]


@dataclass(frozen=True, slots=True)
class Clients:
    """One client a service."""

    sts: Client
    ec2: Client
    iam: Client
    quotas: Client
    balancers: Client


@dataclass(frozen=True, slots=True)
class Context:
    """What checks know before they ask.

    ``timeout``: seconds that a round may take. ``vpc_id``: for the dry run of a security group, without zones.
    """

    plan: Plan
    needs: tuple[rights.Need, ...]
    clients: Clients
    region: str
    timeout: float
    caller: Caller
    vpc_id: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of check.

    Args:
        name: The name in the registry.
        rows: The rows, from what is known and all answers.
        subjects: The rows that stand for it where AWS cannot be asked, as pairs of check and subject.
        facts: Names in ``questions.FACTS`` of what it asks in the first round; checks that name the same fact share it.
        attempts: Questions of the second round, from the answers to the first, by names that no other check uses.
        follow_up: Questions of the third round, from the answers to both.
        building: Whether it is about what is to be built, and left out where nothing is.
    """

    name: str
    rows: Callable[[Context, Answers], list[Row]]
    subjects: Callable[[Plan, tuple[rights.Need, ...]], list[tuple[str, str]]]
    facts: Callable[[Context], Iterable[str]] = lambda _context: ()
    attempts: Callable[[Context, Answers], Questions] = lambda _context, _known: {}
    follow_up: Callable[[Context, Answers], Questions] = lambda _context, _known: {}
    building: bool = True

    def applies(self, plan: Plan) -> bool:
        """Whether there is anything to check."""
        return bool(plan.zones) or not self.building
