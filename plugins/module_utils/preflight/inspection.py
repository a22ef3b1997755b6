# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asks AWS and the network what the checks want to know, side by side, and has the answers judged.

Rounds, because what is asked depends on what is known: who asks; what the region has; what EC2 and IAM would say; and
dry runs for what IAM did not tell.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..aws.errors import AwsError
from ..core.errors import Failure
from ..core.parallel import ask_all, attempt
from . import api, clock, rights
from .checks import Check, Clients, Context, Question
from .identity import Caller, read_caller
from .plan import Plan
from .questions import FACTS
from .registry import CHECKS
from .rows import Row, failed, ok, skipped
from .verdicts import Answers

CREDENTIALS = "credentials"


@dataclass(frozen=True, slots=True)
class Inspection:
    """``timeout``: seconds that each round may take. ``vpc_id``: for the dry run of a security group, without zones."""

    plan: Plan
    needs: tuple[rights.Need, ...]
    clients: Clients
    region: str
    timeout: float
    vpc_id: str | None = None
    checks: tuple[Check, ...] = CHECKS
    now: Callable[[], float] = time.time

    def rows(self) -> list[Row]:
        """Ask, in three rounds, and return the rows of all checks that apply."""
        checks = [check for check in self.checks if check.applies(self.plan)]
        caller, first = self._who()
        if caller is None:
            subjects = [each for check in checks for each in check.subjects(self.plan, self.needs)]
            return [*first, *(skipped(*each, "not without an answer from AWS") for each in subjects)]
        context = Context(self.plan, self.needs, self.clients, self.region, self.timeout, caller, self.vpc_id)
        facts = dict.fromkeys(name for check in checks for name in check.facts(context))
        found = Answers(self._ask({name: functools.partial(FACTS[name], context) for name in facts}))
        found = self._round(found, [check.attempts(context, found) for check in checks])
        found = self._round(found, [check.follow_up(context, found) for check in checks])
        return [*first, *(row for check in checks for row in check.rows(context, found))]

    def _round(self, known: Answers, questions: Sequence[Mapping[str, Question]]) -> Answers:
        """Return the known answers and those to further questions, which are asked side by side."""
        asked = {name: question for each in questions for name, question in each.items()}
        return Answers({**known.by_name, **(self._ask(asked) if asked else {})})

    def _ask(self, questions: Mapping[str, Question]) -> dict[str, Any]:
        return ask_all(questions, self.timeout)

    # Who asks

    def _who(self) -> tuple[Caller | None, list[Row]]:
        """Who asks, and what the date of the answer says of the clock. Without an answer nothing else is asked."""

        def ask() -> tuple[dict[str, Any] | Failure, float]:
            return attempt(lambda: api.get_caller_identity(self.clients.sts)), self.now()

        message = self._ask({"caller": ask})["caller"]
        answer, received = (message, self.now()) if isinstance(message, Failure) else message
        date = _date(answer)
        reported = [clock.judge(clock.skew(date, received))] if date or not isinstance(answer, Failure) else []
        caller = answer if isinstance(answer, Failure) else attempt(lambda: read_caller(answer))
        if isinstance(caller, Failure):
            return None, [failed(CREDENTIALS, "AWS", str(caller)), *reported]
        return caller, [ok(CREDENTIALS, f"account {caller.account}", f"{caller.arn} in {self.region}"), *reported]


def _date(answer: object) -> str | None:
    """Return the Date of an answer of AWS, also of a refusal."""
    if isinstance(answer, AwsError):
        answer = getattr(answer.exception, "response", None)
    if not isinstance(answer, Mapping):
        return None
    headers = (answer.get("ResponseMetadata") or {}).get("HTTPHeaders") or {}
    return str(headers["date"]) if "date" in headers else None
