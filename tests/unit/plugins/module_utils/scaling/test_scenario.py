"""The documented example, T1 to T33, at the level of the function."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import Outcome, Report, evaluate, report
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Record

from .scenario import ANYTHING, BETWEEN, minute, policy, rows

BOTH = pytest.mark.parametrize("distributor", ["nlb", "dns"])


def restarted(record: Record) -> Record:
    """Return the record as the next run finds it."""
    return Record.from_json(json.loads(json.dumps(record.to_json())))


def walk(
    distributor: str, jitter: Sequence[float], anything: str = "high", report_after: float = 5.0
) -> list[tuple[str, str, bool]]:
    """Every answer from T1 to T33, with tick k moved by jitter[k] seconds and events reported done in their minute."""
    rules, record, nodes, answers = policy(distributor), Record("shop", "a"), 3, []
    for row, moved in zip(rows(distributor), jitter, strict=True):
        figure = ANYTHING[anything](row.minute) if row.memory is None else row.memory
        now = minute(row.minute, moved)
        record, decision = evaluate(rules, restarted(record), {"memory": figure}, nodes, now)
        answers.append((decision.action.value, decision.phase.value, decision.evaluated))
        if decision.action.value != "none":
            assert decision.event_id is not None
            record, _ignored = report(
                rules, restarted(record), Report(decision.event_id, Outcome.DONE), now + report_after
            )
            nodes += {"scale_out": 1, "scale_in": 0, "deprovision": -1}[decision.action.value]
    return answers


def expected(distributor: str) -> list[tuple[str, str, bool]]:
    return [row.answer() for row in rows(distributor)]


@BOTH
@pytest.mark.parametrize("anything", ANYTHING)
def test_minute_by_minute(distributor: str, anything: str) -> None:
    assert walk(distributor, [0.0] * 33, anything) == expected(distributor)


@BOTH
@pytest.mark.parametrize("pattern", [[25.0], [-25.0], [25.0, -25.0], [-25.0, 25.0], [0.0, 29.0, -29.0, 12.5]])
def test_ticks_early_and_late(distributor: str, pattern: list[float]) -> None:
    jitter = (pattern * 33)[:33]
    assert walk(distributor, jitter) == expected(distributor)


@BOTH
@given(jitter=st.lists(st.floats(-29, 29), min_size=33, max_size=33), after=st.floats(0, 34))
@settings(deadline=None, max_examples=150)
def test_every_tick_moved_on_its_own(distributor: str, jitter: list[float], after: float) -> None:
    assert walk(distributor, jitter, report_after=after) == expected(distributor)


@BOTH
@pytest.mark.parametrize("seconds", [7.0, 20.0, 28.0, 30.0, 31.0, 44.0])
def test_a_schedule_that_is_not_due_on_the_full_minute(distributor: str, seconds: float) -> None:
    """A job that starts at :30 of every minute and is some seconds early or late sees the same sequence."""
    jitter = [seconds + (index * 7 % 9) - 4 for index in range(33)]
    assert walk(distributor, jitter) == expected(distributor)


def test_the_reasons_carry_the_figures() -> None:
    rules, record = policy(), Record("shop", "a")
    reasons = []
    for number in (4, 5, 6):
        record, decision = evaluate(rules, record, {"memory": 91.2}, 2, minute(number))
        reasons.append(decision.reason)
    assert reasons == [
        "memory 91.2 % > 85 % for 1 of 3 samples",
        "memory 91.2 % > 85 % for 2 of 3 samples",
        "memory 91.2 % > 85 % for 3 of 3 samples; 2 → 3 nodes, max 6",
    ]


def test_ends_of_phases_are_told() -> None:
    rules, record, ends = policy("dns"), Record("shop", "a"), {}
    nodes = 3
    for row in rows("dns"):
        figure = BETWEEN if row.memory is None else row.memory
        record, decision = evaluate(rules, record, {"memory": figure}, nodes, minute(row.minute))
        if decision.action.value != "none" and decision.event_id:
            record, _ignored = report(rules, record, Report(decision.event_id, Outcome.DONE), minute(row.minute))
        ends[row.minute] = decision.phase_until
    assert ends[6] is None
    assert ends[7] == ends[16] == minute(16)
    assert ends[20] == ends[30] == minute(30)
    assert ends[31] == minute(31)
    assert ends[32] is None
    assert ends[33] is None
