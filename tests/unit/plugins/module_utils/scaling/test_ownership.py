"""Who owns an event, which policy drives a zone, and what a clock that was ahead leaves behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.cleanup import remaining
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.clock import clock_warnings, corrected
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import Outcome, Report, evaluate, report
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Event, Record
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.ownership import held, renewed
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import InstantError, OvertakenError, ReportError
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.policy import Policy

from .scenario import HIGH, LOW, minute, policy


def ticked(
    record: Record, first: int, last: int, figure: float = HIGH, *, owner: str = "one", rules: Policy | None = None
) -> Record:
    for at in range(first, last + 1):
        record, _decision = evaluate(rules or policy(), record, {"memory": figure}, 3, minute(at), owner=owner)
    return Record.from_json(json.loads(json.dumps(record.to_json())))


def event_of(record: Record) -> Event:
    assert record.event is not None
    return record.event


def reported(record: Record, at: float, outcome: str = "done", **more: Any) -> Record:
    message = Report(event_of(record).id, Outcome(outcome), **more)
    return report(policy(), record, message, minute(at), owner="one")[0]


@pytest.fixture
def overtaken() -> Record:
    """Return a scale-out that ``one`` began and ``two`` took over."""
    record = ticked(Record("shop", "a"), 1, 3)
    return ticked(record, 9, 9, owner="two")


# -- takeover numbers -------------------------------------------------------------------------------------------------


def test_the_decision_names_the_takeover_number() -> None:
    record = ticked(Record("shop", "a"), 1, 2)
    record, decision = evaluate(policy(), record, {"memory": HIGH}, 3, minute(3), owner="one")
    assert decision.to_json()["decision"]["takeover"] == 0
    _record, decision = evaluate(policy(), record, {"memory": HIGH}, 3, minute(9), owner="two")
    assert (decision.takeover, decision.resumed) == (1, True)
    _record, decision = evaluate(policy(), Record("shop", "a"), {"memory": HIGH}, 3, minute(9), owner="two")
    assert decision.takeover is None


@pytest.mark.parametrize("outcome", ["done", "failed", "running"])
@pytest.mark.parametrize("takeover", [None, 0, 2])
def test_an_overtaken_report_is_refused_and_changes_nothing(
    overtaken: Record, outcome: str, takeover: int | None
) -> None:
    with pytest.raises(OvertakenError, match=r"is at 1: two took it over; the report was refused and changed nothing"):
        reported(overtaken, 10, outcome, takeover=takeover, resources=("i-1",), nodes=())
    assert reported(overtaken, 10, outcome, takeover=1) != overtaken


def test_a_report_without_a_number_is_accepted_while_the_event_was_never_taken_over() -> None:
    record = ticked(Record("shop", "a"), 1, 3)
    assert reported(record, 3).event is None
    assert reported(record, 3, takeover=0).event is None


def test_an_owner_that_asks_again_takes_nothing_over() -> None:
    record = ticked(ticked(Record("shop", "a"), 1, 3), 9, 9)
    assert (event_of(record).takeovers, event_of(record).contested) == (0, False)


def test_a_late_report_of_the_run_that_began_a_scale_in_does_not_end_its_deprovision() -> None:
    record = ticked(Record("shop", "a"), 1, 3, LOW)
    begun = event_of(record)
    record = ticked(reported(record, 3, takeover=0), 4, 14, LOW, owner="two")
    assert (event_of(record).stage.value, event_of(record).owner) == ("deprovision", "two")
    message = Report(begun.id, Outcome.DONE, takeover=0)
    with pytest.raises(OvertakenError):
        report(policy(), record, message, minute(14), owner="one")
    unnamed = Report(begun.id, Outcome.DONE)
    assert report(policy(), record, unnamed, minute(14), owner="two")[0].event is None, "the change was no contest"


def test_cleanup_of_a_failed_event_names_the_number_of_its_owner(overtaken: Record) -> None:
    record = reported(overtaken, 10, "failed", takeover=1, resources=("i-1",))
    event = overtaken.event
    assert event is not None
    for takeover in (None, 0):
        with pytest.raises(OvertakenError):
            report(policy(), record, Report(event.id, Outcome.DONE, takeover=takeover), minute(11))
    for at in (13, 14, 15):
        record, decision = evaluate(policy(), record, {"memory": 60.0}, 3, minute(at))
    (left,) = remaining(policy(), Record.from_json(record.to_json()), decision)
    assert left.to_json()["takeover"] == 1
    record, _decision = report(policy(), record, Report(left.event_id, Outcome.DONE, takeover=1), minute(16))
    assert record.unfinished == ()


@pytest.mark.parametrize("given", ["one", -1, True, "1.5"])
def test_a_takeover_number_that_is_none_is_refused(given: Any) -> None:
    with pytest.raises(ReportError, match=r"event\.takeover must be the takeover of a decision"):
        Report.from_dict({"id": "adc-x", "outcome": "done", "takeover": given})
    assert Report.from_dict({"id": "adc-x", "outcome": "done", "takeover": "3"}).takeover == 3


# -- claims -----------------------------------------------------------------------------------------------------------


def test_a_claim_lasts_no_longer_than_five_minutes() -> None:
    record, _decision = evaluate(policy(watch_time=1), Record("shop", "a"), {"memory": HIGH}, 3, minute(1), owner="one")
    claims = [record]
    claims.append(evaluate(policy(watch_time=1), record, None, 3, minute(1, 1), owner="one", claim_seconds=2400)[0])
    message = Report(event_of(record).id, Outcome.RUNNING)
    claims.append(report(policy(), record, message, minute(1, 2), owner="one", claim_seconds=2400)[0])
    assert [event_of(each).claimed_until for each in claims] == [minute(6), minute(6, 1), minute(6, 2)]


def test_a_renewed_claim_keeps_other_runs_away() -> None:
    record = ticked(Record("shop", "a"), 1, 3)
    event = event_of(record)
    record = renewed(record, event.id, 0, "one", minute(7))
    assert ticked(record, 12, 12, owner="two").event == record.event
    assert event_of(ticked(record, 13, 13, owner="two")).owner == "two"


def test_a_renewal_of_an_overtaken_run_is_refused(overtaken: Record) -> None:
    event = overtaken.event
    assert event is not None
    for takeover, owner in ((0, "one"), (0, ""), (1, "one")):
        with pytest.raises(OvertakenError, match=r"was taken over by two \(takeover number 1"):
            renewed(overtaken, event.id, takeover, owner, minute(10))
    assert held(overtaken, event.id, 1, "two") == event
    assert held(overtaken, event.id, 1) == event


def test_a_renewal_of_a_closed_event_is_refused() -> None:
    record = ticked(Record("shop", "a"), 1, 3)
    event = event_of(record)
    with pytest.raises(OvertakenError, match=r"is closed \(none is open\)"):
        renewed(reported(record, 3), event.id, 0, "one", minute(4))
    with pytest.raises(OvertakenError, match=rf"the open one is {event.id}"):
        renewed(record, "adc-other", 0, "one", minute(4))


def test_a_renewal_on_simulated_time_stays_in_it() -> None:
    record = ticked(Record("shop", "a"), 1, 3)
    record = renewed(record, event_of(record).id, 0, "one", minute(9_999_999))
    assert event_of(record).claimed_until == minute(8)


# -- which policy drives a zone ---------------------------------------------------------------------------------------

OTHERS = [
    {"interval": 30},
    {"metrics": {"memory": {"min": 40, "max": 80}}},
    {"metrics": {"cpu": {"min": 40, "max": 85}}},
    {"watch_time": 5},
    {"cooldown": 5},
]


@pytest.mark.parametrize("change", OTHERS)
def test_another_policy_does_not_stop_scale_out(change: dict[str, Any]) -> None:
    """Two controllers, each with its own policy, tick in turn: the one that was first decides."""
    record, ours, others = Record("shop", "a"), [], []
    for at in range(1, 4):
        record, message = evaluate(policy(), record, {"memory": HIGH}, 3, minute(at), owner="one")
        ours.append(message)
        before = record
        record, message = evaluate(
            policy(**change), record, {"memory": HIGH, "cpu": HIGH}, 3, minute(at, 30), owner="two"
        )
        others.append(message)
        assert record == before, "the window of the other policy stays as it is"
    assert [message.action.value for message in ours] == ["none", "none", "scale_out"]
    for message in others:
        assert (message.action.value, message.evaluated) == ("none", False)
        assert message.warnings == (message.reason,)
        assert f"policy {policy().fingerprint} drives this zone" in message.reason
        assert f"this tick has policy {policy(**change).fingerprint}" in message.reason


@pytest.mark.parametrize("change", [{"min_nodes": 3}, {"max_nodes": 9}, {"step": 2}, {"min_nodes": 4, "max_nodes": 4}])
def test_schedules_and_holds_are_no_other_policy(change: dict[str, Any]) -> None:
    record = ticked(Record("shop", "a"), 1, 2)
    _record, decision = evaluate(policy(**change), record, {"memory": HIGH}, 4, minute(3))
    assert decision.evaluated
    assert policy(**change).fingerprint == policy().fingerprint


def test_a_new_policy_takes_over_when_the_old_was_not_seen_for_two_intervals() -> None:
    record, rules = ticked(Record("shop", "a"), 1, 2), policy(watch_time=1)
    for at in (3, 4):
        record, decision = evaluate(rules, record, {"memory": HIGH}, 3, minute(at))
        assert not decision.evaluated
    record, decision = evaluate(rules, record, {"memory": HIGH}, 3, minute(5))
    assert decision.action.value == "scale_out"
    assert f"policy {rules.fingerprint} replaces policy {policy().fingerprint}" in decision.warnings[0]


def test_a_tick_with_another_policy_leaves_an_open_event_alone() -> None:
    record = ticked(Record("shop", "a"), 1, 3)
    after, decision = evaluate(policy(watch_time=5), record, {"memory": HIGH}, 3, minute(4), owner="one")
    assert (after, decision.action.value, decision.event_id) == (record, "none", event_of(record).id)


def test_a_policy_is_seen_in_phases_too() -> None:
    record = reported(ticked(Record("shop", "a"), 1, 3), 3)
    record = ticked(record, 4, 10)
    _record, decision = evaluate(policy(watch_time=5), record, {"memory": HIGH}, 3, minute(12))
    assert not decision.evaluated
    assert record.phase.name.value == "cooldown"


# -- the policy under which an event ran ------------------------------------------------------------------------------


def test_the_cooldown_is_that_of_the_policy_under_which_the_event_was_decided() -> None:
    record = ticked(Record("shop", "a"), 1, 3)
    message = Report(event_of(record).id, Outcome.DONE)
    record, _decision = report(policy(cooldown=99, watch_time=5), record, message, minute(4))
    assert record.phase.until == minute(13)
    terms = record.history[0].terms
    assert terms is not None
    assert (terms.cooldown, terms.policy) == (10, policy().fingerprint)


def test_the_reason_of_a_deprovision_names_the_drain_under_which_it_ran() -> None:
    record = ticked(Record("shop", "a"), 1, 3, LOW)
    _record, decision = evaluate(policy(drain_timeout=1), record, {"memory": LOW}, 3, minute(20))
    assert decision.reason == "1 node out of service since 10:03:00, drained for 10 min: remove"


# -- a clock that was ahead -------------------------------------------------------------------------------------------

DAY = 24 * 60
TEN_YEARS = 3652 * DAY


@pytest.mark.parametrize("ahead", [DAY, TEN_YEARS])
@pytest.mark.parametrize("phase", ["watching", "scaling_out", "cooldown", "draining"])
def test_a_clock_that_was_once_ahead_locks_no_group(ahead: int, phase: str) -> None:
    figure = LOW if phase == "draining" else HIGH
    record = ticked(Record("shop", "a"), ahead, ahead + (1 if phase == "watching" else 2), figure)
    if phase == "cooldown":
        record = reported(record, ahead + 3)
    assert record.phase.name.value == phase
    with pytest.raises(InstantError, match="a tick without now corrects it once this machine's clock agrees"):
        evaluate(policy(), record, None, 3, minute(5))
    fixed = corrected(record, minute(5))
    assert "was ahead of the store's time" in clock_warnings(record, fixed)[0]
    assert Record.from_json(fixed.to_json()) == fixed
    decisions = []
    for at in range(5, 30):
        fixed, decision = evaluate(policy(), fixed, {"memory": figure}, 3, minute(at), owner="two")
        decisions.append(decision.action.value)
    assert {"watching": "scale_out", "scaling_out": "scale_out", "cooldown": "scale_out", "draining": "deprovision"}[
        phase
    ] in decisions


def test_a_time_that_is_not_ahead_is_not_corrected() -> None:
    record = ticked(Record("shop", "a"), 1, 3)
    for now in (None, minute(2), minute(3), minute(99)):
        assert corrected(record, now) is record
    assert corrected(Record("shop", "a"), minute(1)).updated is None
    assert clock_warnings(record, record) == ()
