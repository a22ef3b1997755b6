"""A tick from record to record; the world it asks is a parameter, written down as it is asked."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.tick import (
    Effects,
    Ticked,
    TickSpec,
    tick,
    with_port,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.cleanup import remaining
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import Report
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Action, Node, Record
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.manual import Request
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.nodes import parse_nodes
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import (
    AutoscaleError,
    InstantError,
    RequestError,
    SampleError,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.figures import Figures, Reading
from tests.unit.plugins.module_utils.scaling.scenario import BETWEEN, HIGH, LOW, minute, policy, rows

ONE, TWO, THREE = Node("10.0.0.1", "i-1", 0), Node("10.0.0.2", "i-2", 1), Node("10.0.0.3", "i-3", 2)


@dataclass
class World:
    """``nodes``: what EC2 knows; ``memory``: the figure of each; ``silent``: those that do not answer."""

    nodes: Sequence[Node] = (ONE, TWO)
    memory: float = BETWEEN
    silent: set[str] = field(default_factory=set)
    refuses: bool = False
    exists: bool = True
    asked: list[str] = field(default_factory=list)

    def collect(self, nsips: Sequence[str]) -> list[Reading]:
        self.asked.extend(nsips)
        return [
            Reading(nsip, False, Figures(), f"{nsip}: no answer")
            if nsip in self.silent
            else Reading(nsip, True, Figures(memory=self.memory))
            for nsip in nsips
        ]

    def find(self) -> Sequence[Node]:
        self.asked.append("ec2")
        if self.refuses:
            raise Failure("RequestLimitExceeded")
        return self.nodes

    def taken(self) -> list[str]:
        """Return what was asked since the last call."""
        asked, self.asked = self.asked, []
        return asked


@dataclass
class Scenario:
    """A zone that is ticked again and again; each record goes through its JSON, as a store has it."""

    world: World = field(default_factory=World)
    record: Record = field(default_factory=lambda: Record("shop", "a"))
    distributor: str = "nlb"

    def tick(self, at: float, **order: Any) -> Ticked:
        given = {"policy": policy(self.distributor), "now": minute(at), "owner": "job", "announce": True, **order}
        self.record, ticked = tick(
            TickSpec(**given),
            Effects(self.world.collect, self.world.find, exists=lambda: self.world.exists),
            self.record,
        )
        self.record = Record.from_json(json.loads(json.dumps(self.record.to_json())))
        return ticked

    def report(self, at: float, outcome: str = "done", **more: Any) -> Ticked:
        event = self.record.event
        assert event is not None
        text = {"id": event.id, "outcome": outcome, "takeover": event.takeovers, **more}
        return self.tick(at, report=Report.from_dict(text))


def test_the_first_tick_looks_for_the_nodes_and_the_second_knows_them() -> None:
    scenario = Scenario()
    first = scenario.tick(1)
    assert (scenario.world.taken(), first.count, first.searched) == (["ec2", ONE.nsip, TWO.nsip], 2, True)
    second = scenario.tick(2)
    assert (scenario.world.taken(), second.searched) == ([ONE.nsip, TWO.nsip], False)
    assert second.sample is not None
    assert second.sample["memory"] == BETWEEN


@pytest.mark.parametrize("distributor", ["nlb", "dns"])
def test_minute_by_minute_and_nothing_is_asked_in_a_phase(distributor: str) -> None:
    scenario = Scenario(World(nodes=(ONE, TWO, THREE)), distributor=distributor)
    for row in rows(distributor):
        scenario.world.memory = HIGH if row.memory is None else row.memory
        ticked = scenario.tick(row.minute)
        decision = ticked.decision
        assert (decision.action.value, decision.phase.value, decision.evaluated) == row.answer(), row
        assert bool(scenario.world.taken()) == row.evaluated, row
        if decision.action is not Action.NONE:
            scenario.report(row.minute)
    assert [closed.action.value for closed in scenario.record.history] == ["scale_out", "scale_in"]


def test_a_second_tick_of_an_interval_asks_nothing() -> None:
    scenario = Scenario()
    scenario.tick(1)
    scenario.world.taken()
    assert not scenario.tick(1.2).decision.evaluated
    assert scenario.world.taken() == []


def test_a_report_that_names_the_nodes_saves_the_look_and_one_that_does_not_causes_it() -> None:
    for nodes, observations in (([{"nsip": "10.0.0.9", "instance_id": "i-9", "node_id": "4"}], []), (None, ["ec2"])):
        scenario = Scenario(World(memory=HIGH))
        for at in (1, 2, 3):
            scenario.tick(at)
        scenario.report(3, nodes=nodes)
        scenario.world.taken()
        scenario.tick(14)
        assert scenario.world.taken()[: len(observations)] == observations
        assert scenario.record.nodes == ((Node("10.0.0.9", "i-9", 4),) if nodes else (ONE, TWO))


def test_a_silent_node_that_is_there_still_counts() -> None:
    scenario = Scenario()
    scenario.tick(1)
    scenario.world.silent = {TWO.nsip}
    scenario.world.taken()
    ticked = scenario.tick(2)
    assert scenario.world.taken() == [ONE.nsip, TWO.nsip, "ec2"]
    assert (ticked.count, scenario.record.missing) == (2, ())
    assert [reading.error for reading in ticked.readings] == [None, "10.0.0.2: no answer"]
    assert ticked.decision.evaluated


def test_a_lost_node_is_missing_until_its_cleanup_is_reported() -> None:
    scenario = Scenario()
    scenario.tick(1)
    scenario.world.nodes, scenario.world.silent = (ONE, THREE), {TWO.nsip}
    ticked = scenario.tick(2)
    assert [reading.nsip for reading in ticked.readings] == [ONE.nsip, THREE.nsip]
    assert (scenario.record.nodes, scenario.record.missing) == ((ONE, THREE), (TWO,))
    scenario.tick(3)
    assert scenario.record.missing == (TWO,)
    scenario.world.taken()
    assert not scenario.tick(3, orphans=("i-2",)).decision.evaluated
    assert (scenario.record.missing, scenario.world.taken()) == ((), [])


def test_one_that_comes_back_is_not_missing() -> None:
    scenario = Scenario()
    scenario.tick(1)
    scenario.world.nodes, scenario.world.silent = (ONE,), {TWO.nsip}
    assert scenario.tick(2).decision.action is Action.SCALE_OUT, "fewer than min_nodes"
    assert scenario.record.missing == (TWO,)
    scenario.world.nodes, scenario.world.silent = (ONE, TWO), set()
    scenario.report(2, "failed")
    scenario.tick(5)
    assert (scenario.record.nodes, scenario.record.missing) == ((ONE, TWO), ())


def test_ec2_without_an_answer_fails_a_tick_only_if_the_nodes_are_unknown() -> None:
    scenario = Scenario(World(refuses=True))
    with pytest.raises(Failure):
        scenario.tick(1)
    scenario.world.refuses = False
    scenario.tick(1)
    scenario.world.refuses, scenario.world.silent = True, {TWO.nsip}
    ticked = scenario.tick(2)
    assert (ticked.decision.evaluated, ticked.count) == (True, 2)
    assert "RequestLimitExceeded" in ticked.warnings[0]


def test_addresses_given_are_asked_instead() -> None:
    scenario = Scenario()
    ticked = scenario.tick(1, nodes=("192.0.2.1", "192.0.2.2", "192.0.2.3"))
    assert (scenario.world.taken(), ticked.count, scenario.record.nodes) == (
        ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
        3,
        None,
    )
    assert scenario.tick(2, sample={"memory": LOW}, count=4).count == 4
    assert scenario.world.taken() == []


@pytest.mark.parametrize(
    ("order", "error"),
    [({"now": "soon"}, InstantError), ({"sample": {"memory": "much"}}, SampleError), ({"count": -1}, SampleError)],
)
def test_what_is_wrong_by_itself_is_refused_before_anything_is_asked(
    order: dict[str, Any], error: type[AutoscaleError]
) -> None:
    with pytest.raises(error):
        TickSpec(**{"policy": policy(), "now": minute(1), **order})


# -- by hand ----------------------------------------------------------------------------------------------------------


def hand(action: str, count: object = 1, name: str = "") -> Request:
    return Request.from_dict({"action": action, "count": count, "id": name})


def test_by_hand_opens_an_event_with_the_same_phases() -> None:
    scenario = Scenario()
    ticked = scenario.tick(1, request=hand("scale_out", "2"))
    assert (ticked.decision.action, ticked.decision.count, scenario.world.taken()) == (Action.SCALE_OUT, 2, ["ec2"])
    assert ticked.decision.reason == "asked for by hand; 2 → 4 nodes, max 6"
    scenario.report(2)
    assert scenario.record.phase.until == minute(11), "the cooldown counts from the request"
    assert not scenario.tick(11).decision.evaluated
    assert scenario.tick(12).decision.evaluated


def test_by_hand_shrinks_like_a_decision() -> None:
    scenario = Scenario(World(nodes=(ONE, TWO, THREE)))
    assert scenario.tick(1, request=hand("scale_in")).decision.action is Action.SCALE_IN
    scenario.report(1)
    assert scenario.tick(11).decision.action is Action.NONE
    assert scenario.tick(12).decision.action is Action.DEPROVISION


@pytest.mark.parametrize(
    ("action", "count", "sentence"),
    [
        ("scale_out", 5, "has 2 nodes in service and max_nodes is 6, so at most 4 can be asked for"),
        ("scale_in", 1, "has 2 nodes in service and min_nodes is 2, so at most 0 can be asked for"),
    ],
)
def test_by_hand_stays_within_the_limits(action: str, count: int, sentence: str) -> None:
    scenario = Scenario()
    with pytest.raises(RequestError, match=sentence):
        scenario.tick(1, request=hand(action, count))
    assert scenario.record == Record("shop", "a")


def test_by_hand_waits_for_an_event_and_not_for_a_cooldown() -> None:
    scenario = Scenario(World(memory=HIGH))
    for at in (1, 2, 3):
        scenario.tick(at)
    event = scenario.record.event
    assert event is not None
    with pytest.raises(RequestError, match=rf"no scale_out by hand now: scale_out {event.id} .* one event at a time"):
        scenario.tick(4, request=hand("scale_out"))
    scenario.report(4)
    assert scenario.record.phase.name.value == "cooldown"
    assert scenario.tick(5, request=hand("scale_out")).decision.action is Action.SCALE_OUT


def test_a_request_that_is_repeated_is_one_event() -> None:
    scenario = Scenario()
    first = scenario.tick(1, request=hand("scale_out", name="change 7")).decision
    for asked in (hand("scale_out", name="change 7"), hand("scale_out", 3, name=str(first.event_id))):
        again = scenario.tick(1.3, request=asked).decision
        assert (again.action, again.count, again.event_id, again.resumed) == (Action.SCALE_OUT, 1, first.event_id, True)
    other = scenario.tick(1.4, request=hand("scale_out", name="change 7"), owner="another job").decision
    assert (other.action, other.event_id) == (Action.NONE, first.event_id), "another owner has the event"
    scenario.report(2, message="fine")
    for name in ("change 7", str(first.event_id)):
        after = scenario.tick(3, request=hand("scale_out", name=name)).decision
        assert (after.action, after.event_id) == (Action.NONE, first.event_id)
        assert f"{name} was asked for before: {first.event_id}, done (fine)" in after.reason
    assert len(scenario.record.history) == 1


def test_without_a_name_it_is_the_owners_open_one() -> None:
    scenario = Scenario()
    first = scenario.tick(1, request=hand("scale_out")).decision
    assert scenario.tick(2, request=hand("scale_out")).decision.event_id == first.event_id
    for asked, owner in ((hand("scale_out", 2), "job"), (hand("scale_out"), "another job"), (hand("scale_in"), "job")):
        with pytest.raises(RequestError, match="one event at a time"):
            scenario.tick(2, request=asked, owner=owner)


def test_by_hand_finishes_what_has_drained() -> None:
    scenario = Scenario(World(nodes=(ONE, TWO, THREE)))
    event = str(scenario.tick(1, request=hand("scale_in")).decision.event_id)
    scenario.report(1)
    assert scenario.tick(5, request=hand("scale_in", name=event)).decision.action is Action.NONE
    assert scenario.tick(12, request=hand("scale_in", name=event)).decision.action is Action.DEPROVISION


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"action": "deprovision"}, "request.action must be scale_out or scale_in"),
        ({"action": "scale_out", "count": 0}, "request.count must be a whole number of at least 1, not 0"),
        ({"action": "scale_out", "count": True}, "request.count must be"),
        ({"action": "scale_out", "count": "1.5"}, "request.count must be"),
        ({"action": "scale_out", "nodes": 2}, "request.nodes: no such key"),
    ],
)
def test_a_request_that_is_none(raw: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        Request.from_dict(raw)


# -- killed, failed ---------------------------------------------------------------------------------------------------


def test_a_shrinking_whose_executor_was_killed_is_begun_again() -> None:
    scenario = Scenario(World(nodes=(ONE, TWO, THREE), memory=LOW))
    for at in (1, 2, 3):
        first = scenario.tick(at).decision
    assert first.action is Action.SCALE_IN
    again = scenario.tick(3.2).decision
    assert (again.action, again.event_id, again.resumed) == (Action.SCALE_IN, first.event_id, True)
    later = scenario.tick(9, owner="another job").decision
    assert (later.action, later.event_id) == (Action.SCALE_IN, first.event_id)
    scenario.report(9)
    assert scenario.tick(9.1).decision.action is Action.NONE
    assert scenario.tick(14).decision.action is Action.DEPROVISION, "the drain counts from the decision"


def left(scenario: Scenario, at: float) -> list[tuple[str, str]]:
    """Return what the tick has to do about orphans: where it failed, and the step."""
    decision = scenario.tick(at).decision
    found = remaining(policy(), scenario.record, decision)
    return [(each.stage.value, each.action.value) for each in found]


def test_what_a_failed_growth_left_is_removed_when_a_whole_window_wants_no_growth() -> None:
    scenario = Scenario(World(memory=HIGH))
    for at in (1, 2, 3):
        scenario.tick(at)
    scenario.report(3, "failed", message="no capacity")
    scenario.world.memory = BETWEEN
    assert left(scenario, 4) == [], "the back-off"
    assert [left(scenario, at) for at in (6, 7, 8)] == [[], [], [("scale_out", "deprovision")]]
    scenario.tick(8.2, report=Report.from_dict({"id": scenario.record.unfinished[0].event_id, "outcome": "done"}))
    assert left(scenario, 9) == []


def test_what_a_failed_growth_left_waits_for_the_next_growth() -> None:
    scenario = Scenario(World(memory=HIGH))
    for at in (1, 2, 3):
        scenario.tick(at)
    scenario.report(3, "failed")
    assert [left(scenario, at) for at in (6, 7, 8)] == [[], [], []]
    assert scenario.record.event is not None, "it grows again"


def test_nodes_of_a_failed_shrinking_drain_before_they_are_removed() -> None:
    scenario = Scenario(World(nodes=(ONE, TWO, THREE), memory=LOW))
    for at in (1, 2, 3):
        scenario.tick(at)
    scenario.report(3, "failed")
    scenario.world.memory = BETWEEN
    assert left(scenario, 6) == [("scale_in", "scale_in")]
    assert left(scenario, 13) == [("scale_in", "scale_in")]
    assert left(scenario, 14) == [("scale_in", "deprovision")]


def test_a_removal_that_failed_is_tried_again_when_the_zone_watches() -> None:
    scenario = Scenario(World(nodes=(ONE, TWO, THREE), memory=LOW))
    for at in (1, 2, 3):
        scenario.tick(at)
    scenario.report(3)
    assert scenario.tick(14).decision.action is Action.DEPROVISION
    scenario.report(14, "failed")
    scenario.world.memory = BETWEEN
    assert left(scenario, 17) == [("deprovision", "deprovision")]


def test_a_node_that_is_lost_while_the_zone_grows_is_missing() -> None:
    """Whether the scale-out ends or fails, before the zone is read again."""
    for outcome in ("done", "failed"):
        scenario = Scenario(World(nodes=(ONE, TWO), memory=HIGH))
        for at in (1, 2, 3):
            scenario.tick(at)
        scenario.world.nodes = (TWO, THREE)
        scenario.report(3, outcome)
        assert (scenario.record.nodes, scenario.record.earlier) == (None, (ONE, TWO))
        assert Record.from_json(scenario.record.to_json()) == scenario.record
        for at in range(4, 20):
            scenario.tick(at)
            if scenario.record.nodes is not None:
                break
        assert (scenario.record.missing, scenario.record.earlier) == ((ONE,), ())


def test_a_node_that_was_removed_is_not_missing() -> None:
    scenario = Scenario(World(nodes=(ONE, TWO, THREE), memory=LOW))
    for at in (1, 2, 3):
        scenario.tick(at)
    scenario.report(3)
    assert scenario.tick(14).decision.action is Action.DEPROVISION
    scenario.world.nodes, scenario.world.memory = (ONE, TWO), BETWEEN
    scenario.report(14)
    scenario.tick(15)
    assert (scenario.record.nodes, scenario.record.missing) == ((ONE, TWO), ())


# -- the record -------------------------------------------------------------------------------------------------------


def test_a_record_of_a_zone_that_was_never_looked_at_has_no_new_keys() -> None:
    """So one that is only evaluated can be read by releases that know nothing of nodes."""
    document = Record("shop", "a").to_json()
    assert {"nodes", "earlier", "missing"} & document.keys() == set()
    assert Record.from_json(document).nodes is None


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        ("i-1", "event.nodes must be a list"),
        (["10.0.0.1"], r"event.nodes\[0\] must be a dictionary with nsip"),
        ([{"nsip": "10.0.0.1", "id": 1}], r"event.nodes\[0\].id: no such key"),
        ([{"nsip": "10.0.0.1", "node_id": "first"}], r"event.nodes\[0\].node_id must be a whole number"),
    ],
)
def test_nodes_that_are_none(nodes: object, sentence: str) -> None:
    with pytest.raises(AutoscaleError, match=sentence):
        parse_nodes(nodes)


@pytest.mark.parametrize("port", [None, 8443])
def test_nodes_are_asked_at_the_port_of_nitro(port: int | None) -> None:
    [node] = with_port([ONE], port)
    assert node == dataclasses.replace(ONE, nsip="10.0.0.1:8443" if port else "10.0.0.1")


@dataclass
class Balancer:
    """What CloudWatch says of the load balancer: errors a minute, None for nothing, a Failure for a refusal."""

    errors: float | Failure | None

    def __call__(self) -> float | None:
        if isinstance(self.errors, Failure):
            raise self.errors
        return self.errors


def _beside(errors: float | Failure | None) -> Ticked:
    world = World()
    spec = TickSpec(policy=policy(metrics={"port_errors": {"min": 1, "max": 10}}), now=minute(1), owner="job")
    effects = Effects(world.collect, world.find, Balancer(errors))
    return tick(spec, effects, Record("shop", "a"))[1]


def test_port_errors_are_reported_and_are_a_figure_of_the_whole_zone() -> None:
    ticked = _beside(40)
    assert ticked.sample is not None
    assert (ticked.sample["port_errors"], ticked.sample["figures_reporting"]["port_errors"]) == (40, 2)
    assert "could not open 40 connections in the last minute" in ticked.warnings[0]
    assert "port_errors 40 /min" in ticked.decision.reason


def test_no_port_errors_are_a_figure_and_no_warning() -> None:
    ticked = _beside(0)
    assert ticked.sample is not None
    assert (ticked.sample["port_errors"], ticked.warnings) == (0, ())


@pytest.mark.parametrize(("errors", "warned"), [(None, False), (Failure("AccessDenied"), True)])
def test_port_errors_that_are_not_known_are_no_figure(errors: Failure | None, warned: bool) -> None:
    ticked = _beside(errors)
    assert ticked.sample is not None
    assert "port_errors" not in ticked.sample
    assert bool(ticked.warnings) is warned
    assert not warned or "AccessDenied" in ticked.warnings[0]


@pytest.mark.parametrize("order", [{}, {"request": Request.from_dict({"action": "scale_out", "count": 1})}])
def test_zone_without_nodes_and_without_state_is_refused_by_name(order: dict[str, Any]) -> None:
    """A mistyped group or zone: an empty selection is a failure, and leaves no state behind."""
    scenario = Scenario(World(nodes=(), exists=False))
    with pytest.raises(Failure, match="no instance with the tags cloudadc:group=shop and cloudadc:zone=a"):
        scenario.tick(1, **order)
    assert scenario.record == Record("shop", "a")


def test_zone_whose_nodes_are_not_in_service_yet_scales_out() -> None:
    assert Scenario(World(nodes=())).tick(1).decision.action is Action.SCALE_OUT


def test_zone_that_lost_all_its_nodes_is_ticked_on() -> None:
    scenario = Scenario()
    scenario.tick(1)
    scenario.world.nodes, scenario.world.silent, scenario.world.exists = (), {ONE.nsip, TWO.nsip}, False
    ticked = scenario.tick(2)
    assert ticked.count == 0
    assert {node.instance_id for node in scenario.record.missing} == {"i-1", "i-2"}


def test_list_without_nodes_that_contradicts_a_node_that_answers_is_no_evidence() -> None:
    """A stale or foreign answer of EC2 must not make the zone launch nodes in place of those that serve."""
    scenario = Scenario()
    scenario.tick(1)
    before = scenario.record
    scenario.world.nodes, scenario.world.silent = (), {TWO.nsip}
    with pytest.raises(Failure, match=f"but {ONE.nsip} answers: nothing is concluded from it"):
        scenario.tick(2)
    assert scenario.record == before
    scenario.world.nodes = (ONE,)
    assert scenario.tick(2).count == 1
