"""The implementation against the naive model on random traces, and properties that hold on every trace."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.decision import Decision
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import Outcome, Report, evaluate, report
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Record
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.policy import Policy

from .naive import Naive
from .scenario import minute, policy

Sample: TypeAlias = "dict[str, float | None] | None"


@dataclass(frozen=True)
class Tick:
    """What happens in one minute: nothing (absent), or a sample; a second tick; how the open event is then reported."""

    sample: Sample
    absent: bool = False
    again: bool = False
    outcome: str | None = None


def figures(rng: random.Random, mood: str, names: list[str]) -> Sample:
    spans = {"high": (86, 100), "low": (0, 39), "between": (41, 84), "edge": (40, 85)}
    if rng.random() < 0.02:
        return None
    sample: Sample = {}
    for name in names:
        low, high = spans[mood]
        value = rng.choice((low, high)) if mood == "edge" else rng.uniform(low, high)
        sample[name] = None if rng.random() < 0.02 else value
    return sample


def with_silent_nodes(rng: random.Random, sample: Sample, nodes: int) -> Sample:
    """Return the same sample, of some of the nodes now and then."""
    if sample is None or rng.random() > 0.1:
        return sample
    return {**sample, "nodes_total": nodes, "nodes_reporting": rng.randint(0, nodes)}


def trace(rng: random.Random, length: int, names: list[str]) -> list[Tick]:
    """Moods that last some minutes, with holes, second ticks, and reports that are late or bad."""
    ticks: list[Tick] = []
    while len(ticks) < length:
        mood = rng.choice(("high", "high", "low", "low", "low", "between", "edge"))
        for _turn in range(rng.randint(1, 12)):
            outcome = rng.choice((None, "done", "done", "done", "failed")) if rng.random() < 0.7 else None
            ticks.append(
                Tick(figures(rng, mood, names), rng.random() < 0.03, rng.random() < 0.05, outcome),
            )
    return ticks[:length]


class Runner:
    """Walks a trace through the implementation, as the roles do: decide, carry out, report."""

    def __init__(self, rules: Policy, nodes: int, restart: bool = True) -> None:
        self.rules, self.nodes, self.restart = rules, nodes, restart
        self.record = Record("shop", "a")
        self.decision: Decision | None = None

    def kept(self) -> Record:
        return Record.from_json(json.loads(json.dumps(self.record.to_json()))) if self.restart else self.record

    def tick(self, number: int, sample: Sample, jitter: float = 0.0) -> Decision:
        self.record, decision = evaluate(self.rules, self.kept(), sample, self.nodes, minute(number, jitter))
        self.decision = decision
        return decision

    def report(self, number: int, outcome: str, jitter: float = 0.0) -> None:
        event = self.record.event
        if event is None:
            return
        self.record, _ignored = report(
            self.rules, self.kept(), Report(event.id, Outcome(outcome)), minute(number, jitter)
        )
        if outcome == "done" and event.stage.value == "scale_out":
            self.nodes += event.count
        if outcome == "done" and event.stage.value == "deprovision":
            self.nodes -= event.count


def rules_of(rng: random.Random) -> tuple[Policy, Naive, list[str]]:
    names = rng.sample(["cpu", "memory"], rng.randint(1, 2))
    dns = rng.random() < 0.5
    watch, cooldown, drain, ttl = rng.randint(1, 4), rng.randint(1, 12), rng.randint(1, 12), rng.randint(1, 3)
    low, high, step = rng.randint(1, 3), rng.randint(4, 8), rng.randint(1, 3)
    metrics = {name: {"min": 40, "max": 85} for name in names}
    times = {"watch_time": watch, "cooldown": cooldown, "drain_timeout": drain, "ttl": ttl * 60 if dns else None}
    rules = policy("dns" if dns else "nlb", metrics=metrics, min_nodes=low, max_nodes=high, step=step, **times)
    naive = Naive({name: (40.0, 85.0) for name in names}, watch, cooldown, drain, ttl, low, high, step, dns)
    return rules, naive, names


@pytest.mark.parametrize("seed", range(24))
def test_the_naive_model_says_the_same(seed: int) -> None:
    """24 traces of 500 minutes, each with a policy of its own: 12,000 minutes and more ticks than that."""
    rng = random.Random(seed)
    rules, naive, names = rules_of(rng)
    runner = Runner(rules, nodes=rng.randint(1, 6))
    acted = 0
    for number, tick in enumerate(trace(rng, 500, names), start=1):
        if tick.absent:
            continue
        for again in range(1 + tick.again):
            nodes = runner.nodes
            sample = with_silent_nodes(rng, tick.sample, nodes)
            message = runner.tick(number, sample, jitter=again * 20.0)
            action, count = naive.tick(number, sample, nodes)
            fresh = {"count": count} if count else {}
            answer = {"count": message.count} if count else {}
            assert (number, message.action.value, answer) == (number, action, fresh), message.reason
            acted += message.action.value != "none"
        if tick.outcome and naive.event:
            runner.report(number, tick.outcome, jitter=25.0)
            (naive.done if tick.outcome == "done" else naive.failed)(number)
    assert acted >= 5


# -- properties -------------------------------------------------------------------------------------------------------

VALUE = st.one_of(st.none(), st.sampled_from([10.0, 39.9, 40.0, 60.0, 85.0, 85.1, 99.0]))
TICKS = st.lists(
    st.builds(
        Tick,
        sample=st.one_of(st.none(), st.fixed_dictionaries({"cpu": VALUE, "memory": VALUE})),
        absent=st.sampled_from([False] * 9 + [True]),
        again=st.booleans(),
        outcome=st.sampled_from([None, "done", "done", "failed"]),
    ),
    min_size=1,
    max_size=60,
)
#: Runs of the same sample, so that breaches happen.
TRACES = st.lists(st.tuples(TICKS, st.integers(1, 6)), min_size=1, max_size=4).map(
    lambda runs: [tick for ticks, times in runs for tick in ticks for _turn in range(times)][:150]
)
RULES = st.builds(
    lambda distributor, watch, cooldown, drain, low, more, step: policy(
        distributor,
        metrics={"cpu": {"min": 40, "max": 85}, "memory": {"min": 40, "max": 85}},
        watch_time=watch,
        cooldown=cooldown,
        drain_timeout=drain,
        min_nodes=low,
        max_nodes=low + more,
        step=step,
    ),
    st.sampled_from(["nlb", "dns"]),
    st.integers(1, 3),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 3),
    st.integers(0, 4),
    st.integers(1, 4),
)
SETTINGS = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def answers(rules: Policy, ticks: list[Tick], jitter: list[float], *, restart: bool) -> list[Any]:
    runner, message = Runner(rules, rules.min_nodes, restart), []
    for number, tick in enumerate(ticks, start=1):
        moved = jitter[number % len(jitter)]
        if tick.absent:
            continue
        decision = runner.tick(number, tick.sample, moved)
        message.append((number, decision.action, decision.count, decision.phase, decision.evaluated, runner.nodes))
        if tick.outcome:
            runner.report(number, tick.outcome, moved)
    return message


@given(rules=RULES, ticks=TRACES)
@SETTINGS
def test_never_above_max_nor_below_min(rules: Policy, ticks: list[Tick]) -> None:
    runner = Runner(rules, rules.min_nodes, restart=False)
    for number, tick in enumerate(ticks, start=1):
        decision = runner.tick(number, tick.sample)
        if decision.action.value == "scale_out":
            assert runner.nodes + decision.count <= rules.max_nodes
        if decision.action.value in ("scale_in", "deprovision"):
            assert runner.nodes - decision.count >= rules.min_nodes
        assert (decision.count > 0) == (decision.action.value != "none")
        if tick.outcome:
            runner.report(number, tick.outcome)
        assert rules.min_nodes <= runner.nodes <= rules.max_nodes


@given(rules=RULES, ticks=TRACES)
@SETTINGS
def test_never_two_events_in_one_phase_and_nothing_evaluated_in_one(rules: Policy, ticks: list[Tick]) -> None:
    runner = Runner(rules, rules.min_nodes, restart=False)
    event, ids = None, []
    for number, tick in enumerate(ticks, start=1):
        before = runner.record
        decision = runner.tick(number, tick.sample)
        if event:  # open: the same one, whatever the tick
            assert decision.event_id == event
            assert not decision.evaluated
        elif decision.event_id:
            ids.append(decision.event_id)
        if before.phase.until is not None and before.phase.until >= minute(number):
            assert not decision.evaluated
        if tick.outcome:
            runner.report(number, tick.outcome)
        event = runner.record.event.id if runner.record.event else None
    assert len(set(ids)) == len(ids)


@given(rules=RULES, ticks=TRACES, jitter=st.lists(st.floats(-25, 25), min_size=1, max_size=97))
@SETTINGS
@example(
    rules=policy(metrics={"cpu": {"min": 40, "max": 85}, "memory": {"min": 40, "max": 85}}, watch_time=2),
    ticks=[Tick({"cpu": 99.0}), Tick(None, absent=True), Tick({"cpu": 99.0}), Tick({"cpu": 99.0})],
    jitter=[25.0, 25.0, 0.0, -25.0],
)
def test_jitter_changes_nothing(rules: Policy, ticks: list[Tick], jitter: list[float]) -> None:
    assert answers(rules, ticks, jitter, restart=False) == answers(rules, ticks, [0.0], restart=False)


@given(rules=RULES, ticks=TRACES, jitter=st.lists(st.floats(-25, 25), min_size=1, max_size=97))
@SETTINGS
def test_restarts_change_nothing(rules: Policy, ticks: list[Tick], jitter: list[float]) -> None:
    assert answers(rules, ticks, jitter, restart=True) == answers(rules, ticks, jitter, restart=False)
