"""One rule a test: windows, limits, open events, failures, time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.decision import Decision
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import Outcome, Report, evaluate, report
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import HISTORY, UNFINISHED, Record
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.view import overview, was_changed
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import InstantError, ReportError, SampleError
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.policy import Policy

from .scenario import BETWEEN, HIGH, LOW, minute, policy

FIRST = Record("shop", "a")
TWO = {"cpu": {"min": 20, "max": 80}, "memory": {"min": 40, "max": 85}}


class Group:
    """A record that is ticked; remembers what the latest call said."""

    def __init__(self, rules: Policy | None = None, nodes: int = 3) -> None:
        self.rules, self.record, self.nodes = rules or policy(), FIRST, nodes
        self.sent: Decision

    def tick(self, at: float, figure: Any = HIGH, owner: str = "one", jitter: float = 0, **more: Any) -> str:
        sample = figure if isinstance(figure, dict) or figure is None else {"memory": figure}
        self.record, self.sent = evaluate(
            self.rules, self.record, sample, self.nodes, minute(at, jitter), owner=owner, **more
        )
        return self.sent.action.value

    def ticks(self, first: int, last: int, figure: Any = HIGH, **more: Any) -> list[str]:
        return [self.tick(at, figure, **more) for at in range(first, last + 1)]

    def report(self, outcome: str, at: float, message: str = "", resources: tuple[str, ...] = (), **more: Any) -> str:
        event = more.pop("event_id", None) or self.sent.event_id
        assert event is not None
        sent = Report(event, Outcome(outcome), message, resources, takeover=more.pop("takeover", None))
        self.record, self.sent = report(self.rules, self.record, sent, minute(at), owner="one", **more)
        return self.sent.reason

    @property
    def phase(self) -> str:
        return self.record.phase.name.value


# -- the window -------------------------------------------------------------------------------------------------------


def test_exactly_at_a_limit_is_no_breach() -> None:
    group = Group()
    assert group.ticks(1, 6, 85) == ["none"] * 6
    assert group.ticks(7, 12, 40) == ["none"] * 6
    assert "memory 40 % is within 40 % to 85 %" in group.sent.reason


@pytest.mark.parametrize("hole", [None, {}, {"memory": None}, {"memory": "nan"}, {"memory": 4294967295}, {"cpu": 99}])
def test_a_missing_sample_begins_the_window_again(hole: Any) -> None:
    group = Group()
    group.ticks(1, 2)
    assert group.tick(3, hole) == "none"
    assert "memory" in group.sent.reason
    assert "the watch window begins again" in group.sent.reason
    assert group.sent.window == ()
    assert group.ticks(4, 6) == ["none", "none", "scale_out"]


def test_a_missing_tick_begins_the_window_again() -> None:
    group = Group()
    group.ticks(1, 2)
    assert group.ticks(4, 6) == ["none", "none", "scale_out"]


@pytest.mark.parametrize(("seconds", "action"), [(60, "scale_out"), (90, "scale_out"), (91, "none"), (120, "none")])
def test_a_gap_of_more_than_one_and_a_half_intervals(seconds: float, action: str) -> None:
    group = Group()
    group.ticks(1, 2)
    assert group.tick(2, jitter=seconds) == action
    assert len(group.sent.window) == (3 if action == "scale_out" else 1)


def test_the_gap_is_told() -> None:
    group = Group()
    group.ticks(1, 2)
    group.tick(5)
    assert group.sent.reason == "memory 91.2 % > 85 % for 1 of 3 samples; the window began again after a gap"


@pytest.mark.parametrize("seconds", [0, 10, 25, 30])
def test_two_samples_within_half_an_interval_are_one(seconds: float) -> None:
    group = Group()
    assert [group.tick(1), group.tick(1, jitter=seconds), group.tick(2)] == ["none"] * 3
    assert len(group.sent.window) == 2
    assert group.tick(2, 1.0, jitter=seconds) == "none"
    assert group.sent.evaluated is False
    assert group.sent.reason == "this interval's sample, of 10:02:00, is already counted"
    assert group.tick(3) == "scale_out"


def test_any_maximum_asks_for_growth() -> None:
    group = Group(policy(metrics=TWO))
    assert group.ticks(1, 3, {"cpu": 10, "memory": 90}) == ["none", "none", "scale_out"]
    assert group.sent.reason == "memory 90 % > 85 % for 3 of 3 samples; 3 → 4 nodes, max 6"


def test_one_metric_must_breach_in_every_sample() -> None:
    """CPU in one minute and memory in the next is no breach of either."""
    group = Group(policy(metrics=TWO))
    for at in range(1, 10):
        assert group.tick(at, {"cpu": 90, "memory": 50} if at % 2 else {"cpu": 50, "memory": 90}) == "none"


def test_all_minima_allow_shrinking() -> None:
    group = Group(policy(metrics=TWO))
    assert group.ticks(1, 5, {"cpu": 10, "memory": 50}) == ["none"] * 5
    assert "cpu 10 % is below 20 % (not all metrics are)" in group.sent.reason
    assert group.ticks(6, 8, {"cpu": 10, "memory": 30}) == ["none", "none", "scale_in"]
    assert group.sent.reason == "cpu 10 % < 20 % and memory 30 % < 40 % for 3 of 3 samples; 3 → 2 nodes, min 2"


def test_a_metric_without_a_figure_is_neither_high_nor_low() -> None:
    group = Group(policy(metrics=TWO))
    assert group.ticks(1, 5, {"cpu": 10, "memory": None}) == ["none"] * 5
    assert "memory is missing" in group.sent.reason
    assert group.ticks(6, 8, {"cpu": 90, "memory": None}) == ["none", "none", "scale_out"]


def test_a_percentage_that_cannot_be_is_missing() -> None:
    assert Group().ticks(1, 5, 100.1) == ["none"] * 5
    throughput = Group(policy(metrics={"throughput": {"min": 1, "max": 800}}))
    assert throughput.ticks(1, 3, {"throughput": 12000})[-1] == "scale_out"
    assert throughput.sent.reason.startswith("throughput 12000 Mbit/s > 800 Mbit/s for 3 of 3 samples")


@pytest.mark.parametrize("figure", [True, "much", [90]])
def test_a_figure_that_is_no_number_is_refused(figure: Any) -> None:
    with pytest.raises(SampleError, match=r"sample\.memory must be a number or null"):
        Group().tick(1, {"memory": figure})
    with pytest.raises(SampleError, match="sample must be a dictionary"):
        evaluate(policy(), FIRST, 90, 2, minute(1))


@pytest.mark.parametrize("count", [-1, 1.5, True, "two", None, float("nan"), float("inf")])
def test_a_node_count_that_is_no_count_is_refused(count: Any) -> None:
    with pytest.raises(SampleError, match="node_count must be a whole number of at least 0"):
        evaluate(policy(), FIRST, {"memory": 90}, count, minute(1))


def test_text_is_taken_for_numbers() -> None:
    group = Group()
    group.nodes = "3"  # type: ignore[assignment]
    assert group.ticks(1, 3, {"memory": "91.2", "nodes_total": 3}) == ["none", "none", "scale_out"]


def test_a_changed_policy_takes_over_after_two_intervals_and_begins_a_new_window() -> None:
    group = Group()
    group.ticks(1, 2)
    before = group.record
    group.rules = policy(watch_time=2)
    assert group.ticks(3, 4) == ["none"] * 2
    assert (group.record, group.sent.evaluated) == (before, False)
    assert group.ticks(5, 6) == ["none", "scale_out"]


def test_another_interval_begins_a_new_window_and_keeps_the_phase() -> None:
    group = Group()
    group.ticks(1, 3)
    group.report("done", 3)
    group.rules = policy(interval=30)
    assert [group.tick(at / 2) for at in range(8, 27)] == ["none"] * 19
    assert group.phase == "cooldown"
    assert [group.tick(13.5 + at / 2) for at in range(6)] == ["none"] * 5 + ["scale_out"]


# -- limits -----------------------------------------------------------------------------------------------------------


def test_at_max_nodes_no_growth_and_the_reason_says_so() -> None:
    group = Group(nodes=6)
    assert group.ticks(1, 8) == ["none"] * 8
    assert group.sent.reason == "memory 91.2 % > 85 % for 3 of 3 samples; 6 nodes already, max_nodes is 6: no scale-out"
    assert group.sent.evaluated
    group.nodes = 5
    assert group.tick(9) == "scale_out"


def test_at_min_nodes_no_shrinking_and_the_reason_says_so() -> None:
    group = Group(nodes=2)
    assert group.ticks(1, 8, LOW) == ["none"] * 8
    assert group.sent.reason == "memory 31.5 % < 40 % for 3 of 3 samples; 2 nodes left, min_nodes is 2: no scale-in"


@pytest.mark.parametrize(("nodes", "figure", "count"), [(3, HIGH, 3), (4, HIGH, 2), (6, LOW, 3), (3, LOW, 1)])
def test_a_step_is_clamped_to_the_limits(nodes: int, figure: float, count: int) -> None:
    group = Group(policy(step=3), nodes)
    group.ticks(1, 3, figure)
    assert group.sent.count == count


def test_fewer_nodes_than_min_nodes_are_made_up_for_whatever_the_metrics_say() -> None:
    group = Group(policy(min_nodes=4), nodes=1)
    assert group.tick(1, None) == "scale_out"
    assert (group.sent.count, group.sent.reason) == (3, "1 node, fewer than min_nodes 4; 1 → 4 nodes")
    group.report("done", 1)
    assert group.ticks(2, 11, LOW) == ["none"] * 10  # not in a phase
    assert group.tick(12, LOW) == "scale_out"


def test_more_nodes_than_max_nodes_shrink_by_their_metrics_only() -> None:
    group = Group(nodes=9)
    assert group.ticks(1, 5, HIGH) == ["none"] * 5
    assert group.ticks(6, 10, BETWEEN) == ["none"] * 5
    assert group.ticks(11, 13, LOW)[-1] == "scale_in"


# -- events -----------------------------------------------------------------------------------------------------------


def test_nothing_is_evaluated_until_growth_is_reported_and_cooldown_counts_from_the_decision() -> None:
    group = Group()
    group.ticks(1, 3)
    event = group.sent.event_id
    for at in range(4, 9):
        assert group.tick(at, owner="two") == "none"
        assert (group.sent.evaluated, group.sent.event_id, group.phase) == (False, event, "scaling_out")
    group.report("done", 8, event_id=event)
    assert (group.phase, group.sent.phase_until) == ("cooldown", minute(13))
    assert group.ticks(9, 13) == ["none"] * 5
    assert group.tick(14, BETWEEN) == "none"
    assert group.sent.evaluated


def test_growth_reported_after_its_cooldown_is_watched_at_once() -> None:
    group = Group()
    group.ticks(1, 3)
    for at in range(4, 21):
        group.report("running", at)
        group.tick(at, owner="two")
    group.report("done", 20.2)
    assert group.phase == "watching"
    assert group.ticks(21, 23) == ["none", "none", "scale_out"]


def test_its_executor_gets_the_same_action_again_and_others_none() -> None:
    group = Group()
    group.ticks(1, 3, claim_seconds=300)
    event = group.sent.event_id
    assert group.tick(4, owner="two", claim_seconds=300) == "none"
    assert "one has claimed it until 10:08:00" in group.sent.reason
    assert group.tick(4, owner="one", claim_seconds=300, jitter=5) == "scale_out"
    assert (group.sent.event_id, group.sent.resumed, group.sent.count) == (event, True, 1)


def test_an_executor_that_vanished_is_followed_by_another_under_the_same_id() -> None:
    group = Group()
    group.ticks(1, 3, claim_seconds=300)
    event = group.sent.event_id
    assert [group.tick(at, owner="two", claim_seconds=300) for at in range(4, 9)] == ["none"] * 5
    assert group.tick(9, owner="two", claim_seconds=300) == "scale_out"
    assert (group.sent.event_id, group.sent.resumed) == (event, True)
    assert group.record.event is not None
    assert (group.record.event.owner, group.record.event.takeovers) == ("two", 1)
    assert group.tick(10, owner="one", claim_seconds=300) == "none"


def test_a_sign_of_life_keeps_the_event_and_names_what_it_began() -> None:
    group = Group()
    group.ticks(1, 3, claim_seconds=120)
    event = group.sent.event_id
    group.report("running", 5, resources=("i-1",), claim_seconds=120)
    group.report("running", 5, resources=("i-1", "eni-2"), claim_seconds=120, event_id=event)
    assert group.tick(7, owner="two") == "none"
    assert group.record.event is not None
    assert group.record.event.resources == ("i-1", "eni-2")
    assert group.tick(8, owner="two") == "scale_out"


def test_done_while_draining_tells_that_the_nodes_left_the_distributor() -> None:
    group = Group()
    group.ticks(1, 3, LOW)
    assert group.report("done", 3) == "1 node left the distributor; draining until 10:13:00, the event stays open"
    assert group.phase == "draining"
    assert group.record.event is not None
    assert group.record.event.released


def test_one_who_announced_itself_and_vanished_before_the_nodes_left_is_followed() -> None:
    group = Group()
    group.ticks(1, 3, LOW)
    event = group.sent.event_id
    group.report("running", 3, claim_seconds=120)
    assert group.ticks(4, 5, LOW, owner="two") == ["none"] * 2
    assert group.tick(6, LOW, owner="two") == "scale_in"
    assert group.sent.event_id == event
    group.report("done", 6, takeover=1)
    assert group.ticks(7, 13, LOW, owner="two") == ["none"] * 7
    assert group.tick(14, LOW, owner="two") == "deprovision"


def test_a_drain_that_never_began_begins_anew_when_its_time_is_over() -> None:
    """Nodes are not removed while they may receive clients, however late the event is resumed."""
    group = Group()
    group.ticks(1, 3, LOW)
    event = group.sent.event_id
    group.report("running", 3, claim_seconds=120)
    assert group.tick(20, LOW, owner="two") == "scale_in"
    assert (group.sent.event_id, group.phase) == (event, "draining")
    assert (
        group.report("done", 20, takeover=1)
        == "1 node left the distributor; draining until 10:30:00, the event stays open"
    )
    assert group.ticks(21, 30, LOW, owner="two") == ["none"] * 10
    assert group.tick(31, LOW, owner="two") == "deprovision"


def test_shrinking_is_one_event_up_to_its_deprovision() -> None:
    group = Group()
    group.ticks(1, 3, LOW)
    event = group.sent.event_id
    group.ticks(4, 13, LOW)
    assert group.tick(14, LOW) == "deprovision"
    assert (group.sent.event_id, group.sent.count) == (event, 1)
    assert group.sent.reason == "1 node out of service since 10:03:00, drained for 10 min: remove"
    assert group.tick(15, LOW, owner="two") == "none"
    group.report("done", 15)
    assert group.phase == "watching"
    assert group.ticks(16, 18, LOW) == ["none", "none", "scale_in"]
    assert group.sent.event_id != event


def test_a_late_tick_deprovisions_late_and_not_never() -> None:
    group = Group(policy("dns"))
    group.ticks(1, 3, LOW)
    assert group.tick(40, LOW) == "deprovision"


def test_saying_it_twice_does_no_harm() -> None:
    group = Group()
    group.ticks(1, 3)
    event = str(group.sent.event_id)
    group.report("done", 3)
    before = group.record
    assert group.report("done", 4, event_id=event) == f"{event} was reported done before"
    assert group.report("failed", 4, event_id=event) == f"{event} was reported done before"
    assert group.record == before


def test_a_report_about_an_unknown_event_is_refused() -> None:
    group = Group()
    with pytest.raises(ReportError, match="event adc-x is not one of shop a that could be done: none is open"):
        group.report("done", 1, event_id="adc-x")
    group.ticks(1, 3)
    with pytest.raises(ReportError, match=f"the open one is {group.sent.event_id}"):
        group.report("failed", 3, event_id="adc-x")


def test_event_ids_are_fit_for_client_tokens_and_the_same_when_computed_again() -> None:
    ids = set()
    for name in ("shop", "x" * 300, "grüße"):
        for _turn in range(2):
            group = Group()
            group.record = Record(name, "eu-central-1a")
            group.ticks(1, 3)
            ids.add(str(group.sent.event_id))
    assert len(ids) == 3
    assert all(len(each) <= 48 and each.isascii() for each in ids)


# -- failures ---------------------------------------------------------------------------------------------------------


def test_a_failed_event_backs_off_longer_each_time_and_never_for_good() -> None:
    group, at, rests = Group(), 0, []
    for _turn in range(8):
        while group.tick(at := at + 1) != "scale_out":
            assert at < 2000
        group.report("failed", at, "no capacity")
        until = group.sent.phase_until
        assert until is not None
        rests.append((until - minute(at)) / 60)
        assert group.phase == "cooldown"
    assert rests == [2, 4, 8, 16, 32, 60, 60, 60]
    assert overview(group.record)["backoff"]["failures"] == 8
    group.tick(at + 1)
    assert "after 8 failed events in a row (no capacity)" in group.sent.reason
    while group.tick(at := at + 1) != "scale_out":
        pass
    group.report("done", at)
    assert overview(group.record)["backoff"] == {"failures": 0, "until": None, "message": ""}


def test_what_a_failed_event_began_stays_named_until_it_is_dealt_with() -> None:
    group = Group()
    group.ticks(1, 3)
    event = str(group.sent.event_id)
    group.report("running", 3, resources=("i-1",))
    group.report("failed", 4, "join timed out", ("eipalloc-1",), event_id=event)
    (left,) = overview(group.record)["unfinished"]
    assert left["event_id"] == event
    assert (left["resources"], left["message"]) == (["i-1", "eipalloc-1"], "join timed out")
    assert group.report("failed", 4, event_id=event) == f"{event} was reported failed before"
    assert group.report("done", 5, event_id=event) == f"what {event} left unfinished is cleaned up"
    assert overview(group.record)["unfinished"] == []
    assert group.report("done", 6, event_id=event).endswith("nothing of it is unfinished")


def test_a_failed_deprovision_lets_the_group_go_on() -> None:
    group = Group()
    group.ticks(1, 14, LOW)
    assert group.phase == "deprovisioning"
    group.report("failed", 14, "terminate denied", ("i-3",))
    assert group.phase == "cooldown"
    assert overview(group.record)["unfinished"][0]["stage"] == "deprovision"
    assert group.ticks(15, 16, HIGH) == ["none"] * 2
    assert group.ticks(17, 19, HIGH) == ["none", "none", "scale_out"]


def test_history_and_remains_are_bounded() -> None:
    group, at = Group(policy(watch_time=1, cooldown=1)), 0
    for number in range(HISTORY + 20):
        while group.tick(at := at + 1) != "scale_out":
            pass
        group.report("failed" if number < UNFINISHED + 5 else "done", at)
    assert len(group.record.history) == HISTORY
    assert len(group.record.unfinished) == UNFINISHED


# -- time -------------------------------------------------------------------------------------------------------------


def test_more_than_one_interval_into_the_past_is_refused() -> None:
    group = Group()
    group.tick(5)
    before = group.record
    with pytest.raises(InstantError, match="now 2026-03-01T10:03:59Z is 61 s before 2026-03-01T10:05:00Z"):
        group.tick(4, jitter=-1)
    assert group.record == before
    assert group.tick(4) == "none"  # a clock that is a little behind counts nothing twice
    assert group.sent.evaluated is False


@pytest.mark.parametrize("now", ["2026-03-01T10:01:00Z", "2026-03-01T11:01:00+01:00", "2026-03-01T10:01:00"])
def test_instants_may_be_written_in_any_zone(now: str) -> None:
    record, _ignored = evaluate(policy(), FIRST, {"memory": 1}, 2, now)
    assert record.updated == minute(1)


def test_instants_may_be_datetimes() -> None:
    record, _ignored = evaluate(policy(), FIRST, None, 2, datetime(2026, 3, 1, 10, 1, tzinfo=UTC))
    assert record.updated == minute(1)


@pytest.mark.parametrize("now", ["soon", "", None, True, float("nan"), "2026-13-01T00:00:00Z"])
def test_an_instant_that_is_none_is_refused(now: Any) -> None:
    with pytest.raises(InstantError, match="now must be an instant in ISO 8601"):
        evaluate(policy(), FIRST, {"memory": 1}, 2, now)


@pytest.mark.parametrize("now", [-1, 1e18, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_an_instant_too_far_away_is_refused(now: Any) -> None:
    with pytest.raises(InstantError, match="now must lie between 1970-01-01T00:00:00Z and 9000-01-01T00:00:00Z"):
        evaluate(policy(), FIRST, {"memory": 1}, 2, now)


@pytest.mark.parametrize("every", [51, 55, 61, 65, 69])
def test_a_schedule_that_drifts_loses_no_sample(every: float) -> None:
    """A loop that sleeps a minute after each tick, or hurries: every tick counts, none is taken for a gap."""
    group = Group()
    for number in range(400):
        group.tick(0, BETWEEN, jitter=number * every)
        assert group.sent.evaluated
        assert "gap" not in group.sent.reason


@pytest.mark.parametrize("every", [51, 55, 61, 65])
def test_a_drain_is_never_shorter_on_the_clock_than_it_is_long(every: float) -> None:
    group, number = Group(), 0
    while group.tick(0, LOW, jitter=number * every) != "scale_in":
        number += 1
    begun = group.record.updated
    assert begun is not None
    while group.tick(0, LOW, jitter=number * every) != "deprovision":
        number += 1
    assert (group.record.updated or 0) - begun > 600


def test_keeping_samples_is_no_change_of_the_group() -> None:
    group = Group()
    group.tick(1)
    before = group.record
    group.tick(2)
    assert not was_changed(before, group.record)
    group.tick(3)
    assert was_changed(before, group.record)
