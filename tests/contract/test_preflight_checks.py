"""The contract of preflight checks, over every entry of the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight import rights
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.checks import Check, Clients, Context
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.identity import Caller, Kind
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.inspection import Inspection
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.plan import Plan
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.questions import FACTS
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.registry import CHECKS, REGISTRY
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.rows import Row, ok
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.verdicts import Answers
from tests.unit.plugins.module_utils.preflight.plans import plan

ROOT = Path(__file__).parents[2]
NEEDS = (rights.Need(("ec2:RunInstances", "ec2:CreateTags")),)
CALLER = Caller("arn:aws:iam::123456789012:user/u", "123456789012", Kind.USER, "u")
NO_CLIENTS = Clients(None, None, None, None, None)
BACK_END = {"application": "web", "address": "10.0.9.9", "autoscaling_group": None, "port": 80, "transport": "tcp"}
UNREAD = Failure("AWS answered UnauthorizedOperation")
#: What AWS, or what answers in its place, may return to any question.
NONSENSE: list[Any] = [UNREAD, None, [], [{}], [{"Unexpected": 1}], {"Error": "x"}, "<html>", 7]


def context(given: Plan | None = None) -> Context:
    licence = {"license_mode": "las", "license_demand": "1000 Mbps Premium of las.example.com"}
    asked = given or plan(elastic_ips=1, load_balancers=1, back_ends=[BACK_END], **licence)
    return Context(asked, NEEDS, NO_CLIENTS, "eu-west-1", 1.0, CALLER)


def answered(check: Check, answer: Any) -> tuple[Answers, set[str]]:
    """Return every question of the check with the same answer, and the names of those of later rounds.

    The questions themselves are not called: there is no AWS.
    """
    about = context()
    known = Answers(dict.fromkeys([*FACTS], answer))
    attempts = check.attempts(about, known)
    known = Answers({**known.by_name, **dict.fromkeys(attempts, answer)})
    try:
        later = check.follow_up(about, known)
    except AttributeError:  # a dry run is made of the service model of a client
        later = {}
    names = {*attempts, *later}
    return Answers({**known.by_name, **dict.fromkeys(later, answer)}), names


def check_facts_are_known(check: Check) -> None:
    """A check asks only for facts that exist, each once."""
    facts = list(check.facts(context()))
    assert set(facts) <= set(FACTS)
    assert len(set(facts)) == len(facts)


def check_any_answer_makes_rows(check: Check) -> None:
    """Whatever is answered, the check raises nothing and has rows; without an answer nothing is ok."""
    for answer in NONSENSE:
        found, _names = answered(check, answer)
        rows = check.rows(context(), found)
        assert rows, answer
        assert all(isinstance(row, Row) and row.message for row in rows)
        if answer is UNREAD:
            assert "ok" not in {row.status.value for row in rows}


def check_subjects_stand_for_rows(check: Check) -> None:
    """Where AWS cannot be asked, the table has a row of every kind that it would have."""
    found, _names = answered(check, UNREAD)
    subjects = check.subjects(context().plan, NEEDS)
    assert subjects
    assert {row.check for row in check.rows(context(), found)} <= {label for label, _subject in subjects}


def check_later_questions_are_its_own(check: Check) -> None:
    """Names of later rounds collide neither with facts nor with those of another check."""
    for answer in NONSENSE:
        _found, names = answered(check, answer)
        others = [answered(other, answer)[1] for other in CHECKS if other.name != check.name]
        assert not names & {*FACTS, *(name for each in others for name in each)}


def check_nothing_is_built(check: Check) -> None:
    """Without zones a check of what is to be built does not apply."""
    empty = replace(plan(), zones=())
    assert check.applies(empty) is not check.building
    assert check.applies(plan())


def check_documentation(check: Check) -> None:
    """The guide names every kind of row."""
    guide = (ROOT / "docs/preflight.md").read_text(encoding="utf-8")
    labels = {label for label, _subject in check.subjects(context().plan, NEEDS)}
    assert [label for label in sorted(labels) if f"\n| {label} |" not in guide] == []


SUITE: list[Callable[[Check], None]] = [
    *(check_facts_are_known, check_any_answer_makes_rows, check_subjects_stand_for_rows),
    *(check_later_questions_are_its_own, check_nothing_is_built, check_documentation),
]


@pytest.mark.parametrize("each", SUITE, ids=lambda each: each.__name__)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_check_keeps_the_contract(check: Check, each: Callable[[Check], None]) -> None:
    each(check)


def test_the_registry_keeps_the_order_of_the_table() -> None:
    assert tuple(REGISTRY.values()) == CHECKS
    assert next(iter(REGISTRY)) == "rights"


def test_a_check_of_the_registry_is_asked_and_shown() -> None:
    """A new check needs nothing but its line in the registry: it is asked, and its rows come in its place."""
    new = Check(
        "new", lambda _context, found: [ok("new", "it", found.of("asked"))], lambda _plan, _needs: [("new", "it")]
    )
    new = replace(new, attempts=lambda _context, _known: {"asked": lambda: "an answer"}, building=False)

    class Sts:
        def get_caller_identity(self) -> dict[str, Any]:
            return {"Arn": CALLER.arn, "Account": CALLER.account}

    clients = replace(NO_CLIENTS, sts=Sts())
    rows = Inspection(plan(), (), clients, "eu-west-1", 5.0, checks=(new,)).rows()
    assert [(row.check, row.message) for row in rows if row.check == "new"] == [("new", "an answer")]


# -- wrong entries, each of which the suite refuses -------------------------------------------------------------------


def _wrong(name: str, **changes: Any) -> Check:
    return replace(REGISTRY[name], **changes)


def _raises(_context: Context, found: Answers) -> list[Row]:
    return [ok("quota", "x", found.of("addresses"))]


@pytest.mark.parametrize(
    ("wrong", "each"),
    [
        (_wrong("quota", facts=lambda _context: ("unknown",)), check_facts_are_known),
        (_wrong("quota", rows=lambda _context, _found: []), check_any_answer_makes_rows),
        (_wrong("quota", rows=lambda _context, _found: [ok("quota", "x", "well")]), check_any_answer_makes_rows),
        (_wrong("quota", rows=_raises), check_any_answer_makes_rows),
        (_wrong("quota", subjects=lambda _plan, _needs: [("other", "x")]), check_subjects_stand_for_rows),
        (
            _wrong("quota", attempts=lambda _context, _known: {"instances": lambda: 1}),
            check_later_questions_are_its_own,
        ),
        (_wrong("quota", subjects=lambda _plan, _needs: [("undocumented", "x")]), check_documentation),
    ],
)
def test_a_wrong_check_is_refused(wrong: Check, each: Callable[[Check], None]) -> None:
    with pytest.raises((AssertionError, Failure)):
        each(wrong)
