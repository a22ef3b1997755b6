"""What policies would have done."""

from __future__ import annotations

import io
import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import Outcome, Report, evaluate, report
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Record
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.recordings.base import Batch, Recording
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.recordings.reading import read_recording
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.replay import Options, replay
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import SampleError
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.times import to_iso

from .scenario import BETWEEN, HIGH, LOW, iso, minute, policy, rows


def recorded(figures: list[float | None], first: int = 1) -> Recording:
    rows = [(minute(at), (figure,)) for at, figure in enumerate(figures, start=first)]
    return Recording(("memory",), iter([Batch.of_rows(rows)]))


def scenario(distributor: str) -> Recording:
    return recorded([BETWEEN if row.memory is None else row.memory for row in rows(distributor)])


def one(result: dict[str, Any]) -> dict[str, Any]:
    (only,) = result["results"]
    return dict(only)


@pytest.mark.parametrize(("distributor", "removed"), [("nlb", 31), ("dns", 32)])
def test_the_documented_example(distributor: str, removed: int) -> None:
    whole = replay({"p": policy(distributor)}, scenario(distributor), Options(nodes=2))
    found = one(whole)
    assert [(each["at"], each["action"], each["nodes_before"], each["nodes_after"]) for each in found["events"]] == [
        (iso(6), "scale_out", 2, 3),
        (iso(20), "scale_in", 3, 3),
        (iso(removed), "deprovision", 3, 2),
    ]
    assert found["events"][0]["reason"] == "memory 91.2 % > 85 % for 3 of 3 samples; 2 → 3 nodes, max 6"
    assert found["events"][1]["event_id"] == found["events"][2]["event_id"]
    assert found["node_minutes"] == 2 * 5 + 3 * (removed - 6) + 2 * (34 - removed)
    assert found["minutes_above_max"] == 5
    assert (found["scale_outs"], found["scale_ins"], found["deprovisions"]) == (1, 1, 1)
    assert (found["nodes_at_end"], found["most_nodes"], found["fewest_nodes"]) == (2, 3, 2)
    assert found["flapping"] == 1  # T20 is within two cooldowns of T6
    assert whole["samples"] == {"count": 33, "first": iso(1), "last": iso(33), "metrics": ["memory"]}


@pytest.mark.parametrize(("calm", "flapping"), [(14, 1), (15, 0)])
def test_flapping_is_a_shrinking_within_two_cooldowns_of_a_growth(calm: int, flapping: int) -> None:
    """Growth at T3; cooldown to T13; the shrinking comes at T3 + 20 min, or a minute later."""
    figures: list[float | None] = [HIGH] * 3 + [BETWEEN] * (calm + 3) + [LOW] * 3
    found = one(replay({"p": policy()}, recorded(figures)))
    assert (found["scale_ins"], found["flapping"]) == (1, flapping)
    assert found["events"][-1]["flapping"] is bool(flapping)


def test_nodes_take_their_time() -> None:
    figures: list[float | None] = [HIGH] * 40
    quick = one(replay({"p": policy()}, recorded(figures)))
    slow = one(replay({"p": policy()}, recorded(figures), Options(provision=300)))
    assert [each["at"] for each in quick["events"]] == [each["at"] for each in slow["events"]]
    assert quick["node_minutes"] - slow["node_minutes"] == 5 * quick["scale_outs"]
    never = one(replay({"p": policy()}, recorded(figures), Options(provision=60 * 60)))
    assert (never["scale_outs"], never["phase_at_end"], never["nodes_at_end"]) == (1, "scaling_out", 2)


def test_policies_side_by_side_do_not_meet() -> None:
    policies = {"calm": policy(watch_time=5), "eager": policy(watch_time=1), "same": policy(watch_time=5)}
    both = replay(policies, scenario("nlb"), Options(nodes=3))["results"]
    assert [each["name"] for each in both] == ["calm", "eager", "same"]
    assert both[0]["scale_outs"] < both[1]["scale_outs"]
    for each in both:
        assert one(replay({each["name"]: policies[each["name"]]}, scenario("nlb"), Options(nodes=3))) == each
    assert {**both[0], "name": "", "events": []} == {**both[2], "name": "", "events": []}


def test_a_policy_may_watch_some_of_the_metrics() -> None:
    text = "timestamp,cpu,memory,throughput\n" + "".join(f"{iso(at)},10,{HIGH},9\n" for at in range(1, 5))
    policies = {
        "memory": policy(),
        "two": policy(metrics={"cpu": {"min": 5, "max": 80}, "throughput": {"min": 1, "max": 10}}),
    }
    found = replay(policies, read_recording(io.StringIO(text)))["results"]
    assert [each["scale_outs"] for each in found] == [1, 0]
    assert [each["minutes_above_max"] for each in found] == [4, 0]


def test_a_metric_that_the_recording_has_not_gets_a_sentence() -> None:
    rules = policy(metrics={"cpu": {"min": 1, "max": 2}, "memory": {"min": 1, "max": 2}})
    with pytest.raises(SampleError, match="policy p watches cpu, of which the recording has nothing; it has memory"):
        replay({"p": rules}, recorded([1]))


def test_newest_first_gets_a_sentence() -> None:
    with pytest.raises(SampleError, match=f"sample 2, of {iso(1)}, comes after one of {iso(2)}: samples must be"):
        replay({"p": policy()}, Recording(("memory",), iter([Batch.of_rows([(minute(at), (1.0,))]) for at in (2, 1)])))


def test_nothing_recorded_gets_a_sentence() -> None:
    with pytest.raises(SampleError, match="the recording has no samples"):
        replay({"p": policy()}, Recording(("memory",), iter([])))


def test_the_latest_events_are_listed_and_all_are_counted() -> None:
    figures: list[float | None] = ([HIGH] * 20 + [LOW] * 30) * 20
    whole = one(replay({"p": policy()}, recorded(figures)))
    some = one(replay({"p": policy()}, recorded(figures), Options(keep=3)))
    assert some["events"] == whole["events"][-3:]
    assert some["events_left_out"] == len(whole["events"]) - 3
    assert some["scale_outs"] == whole["scale_outs"] > 10


def test_it_is_the_evaluator() -> None:
    """A replay does what tick after tick of the evaluator does, report after report."""
    rng = random.Random(7)
    figures: list[float | None] = []
    while len(figures) < 3000:
        mood = rng.choice([(86, 100), (0, 39), (41, 84)])
        figures += [rng.uniform(*mood) if rng.random() > 0.02 else None for _turn in range(rng.randint(2, 15))]
    rules, record, nodes, events = policy("dns"), Record("replay", "p"), 2, []
    for at, figure in enumerate(figures, start=1):
        record, decision = evaluate(rules, record, {"memory": figure}, nodes, minute(at))
        if decision.action.value != "none":
            events.append((to_iso(minute(at)), decision.action.value, decision.count, decision.event_id))
            message = Report(str(decision.event_id), Outcome.DONE)
            record, _ignored = report(rules, record, message, minute(at))
            nodes += {"scale_out": 1, "scale_in": 0, "deprovision": -1}[decision.action.value] * decision.count
    found = one(replay({"p": rules}, recorded(figures), Options(keep=9999)))
    assert [(each["at"], each["action"], each["count"], each["event_id"]) for each in found["events"]] == events
    assert len(events) > 100


def test_memory_does_not_grow_with_the_samples() -> None:
    def endless(batches: int) -> Iterator[Batch]:
        for number in range(batches):
            yield Batch.of_rows([(minute(number * 1000 + at), (60.0,)) for at in range(1000)])

    peaks = []
    for batches in (10, 100):
        tracemalloc.start()
        replay({"p": policy()}, Recording(("memory",), endless(batches)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
