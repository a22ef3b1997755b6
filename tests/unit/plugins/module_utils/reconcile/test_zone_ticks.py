"""Many zones in one call: one shared read, failures that stay in their zone, and what an idle tick reads."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import tick as tick_module
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.tick import Effects, TickSpec
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.zone_ticks import (
    Backends,
    Following,
    Once,
    ZoneResult,
    ZoneTick,
    of_zone,
    tick_zone,
    tick_zones,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Node
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.work import Telling
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.alerts import Alert
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.figures import Figures, Reading
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from tests.unit.plugins.module_utils.scaling.scenario import BETWEEN, HIGH, minute, policy

NODES = {"a": (Node("10.0.0.1", "i-1", 0), Node("10.0.0.2", "i-2", 1)), "b": (Node("10.0.1.1", "i-3", 0),) * 2}
WEB = frozenset({("10.9.0.1", 80)})


class Region:
    """``observations``: how often EC2 was read; ``memory``: the figure of all nodes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.observations, self.memory, self.broken = folder, 0, BETWEEN, ""
        self.find = Once(self._find)

    def _find(self) -> Mapping[str, Sequence[Node]]:
        self.observations += 1
        if self.broken:
            raise Failure(self.broken)
        return NODES

    def collect(self, nsips: Sequence[str]) -> list[Reading]:
        return [Reading(nsip, True, Figures(memory=self.memory)) for nsip in nsips]

    def zone(self, name: str, at: float, following: Following | None = None, **more: Any) -> ZoneTick:
        spec = TickSpec(policy(), minute(at), owner="job", **more)
        effects = Effects(self.collect, of_zone(self.find, name))
        return ZoneTick(name, spec, effects, FileStore(str(self.folder), Key("shop", name)), 60, following)

    def tick(self, job: ZoneTick) -> dict[str, Any]:
        return tick_zone(job, Telling("shop")).result


@pytest.fixture
def region(tmp_path: Path) -> Region:
    return Region(tmp_path)


def ticked(region: Region, at: float) -> list[ZoneResult | Failure]:
    region.find = Once(region._find)
    jobs = [region.zone(name, at) for name in NODES]
    return tick_zones([lambda job=job: tick_zone(job, Telling("shop")) for job in jobs])


def test_zones_share_one_read(region: Region) -> None:
    first, second = ticked(region, 1)
    assert isinstance(first, ZoneResult)
    assert isinstance(second, ZoneResult)
    assert region.observations == 1
    assert [each["node_id"] for each in first.result["in_service"]] == [0, 1]
    assert (first.result["work"], first.result["summary"][0][:13]) == ([], "shop, a: none")
    ticked(region, 2)
    assert region.observations == 1, "the stored state knows the nodes"


def test_a_failed_zone_is_a_result_and_others_are_not_affected(region: Region) -> None:
    (region.folder / "shop@a.json").write_text("{damaged")
    broken, whole = ticked(region, 1)
    assert isinstance(broken, Failure)
    assert isinstance(whole, ZoneResult)


def test_a_read_that_fails_fails_for_every_zone_that_needs_it(region: Region) -> None:
    region.broken = "RequestLimitExceeded"
    outcomes = ticked(region, 1)
    assert [str(each) for each in outcomes] == ["RequestLimitExceeded"] * 2
    assert region.observations == 1
    assert not list(region.folder.glob("*.json"))


def test_zones_wait_side_by_side() -> None:
    met = threading.Barrier(40, timeout=20)
    assert len(tick_zones([met.wait] * 40)) == 40


def test_whatever_goes_wrong_in_a_zone_stays_there() -> None:
    def deep() -> str:
        raise RecursionError("deep")

    bad, good = tick_zones([deep, lambda: "fine"])
    assert isinstance(bad, Failure)
    assert "RecursionError" in str(bad)
    assert good == "fine"


@pytest.mark.parametrize("at", [1, 1.2, 2])
def test_a_tick_evaluates_once(region: Region, monkeypatch: pytest.MonkeyPatch, at: float) -> None:
    region.tick(region.zone("a", 1))
    calls, evaluate = [], tick_module.evaluator.evaluate

    def counted(*args: Any, **more: Any) -> Any:
        calls.append(args)
        return evaluate(*args, **more)

    monkeypatch.setattr(tick_module.evaluator, "evaluate", counted)
    region.tick(region.zone("a", at))
    assert len(calls) == 1


def test_licences_of_nodes_that_answer_are_read_each_quarter_of_an_hour_and_alerted_of(region: Region) -> None:
    asked: list[Sequence[str]] = []
    published: list[Alert] = []

    def licences(nsips: Sequence[str]) -> Mapping[str, Sequence[str]]:
        asked.append(nsips)
        return {"10.0.0.1": ["10.0.0.1: the licence is in its grace period"], "10.0.0.2": []}

    def alert(alerts: Sequence[Alert]) -> tuple[str, ...]:
        published.extend(alerts)
        return ()

    found = []
    for at in (1, 2, 14, 15, 16):
        job = replace(region.zone("a", at), licences=licences, alert=alert)
        found.append(region.tick(job)["licence_grace"])
    text = "10.0.0.1: the licence is in its grace period"
    assert found == [[text], None, None, [text], None]
    assert asked == [["10.0.0.1", "10.0.0.2"]] * 2
    assert [(each.type, each.subject, each.lasting) for each in published] == [("licence_grace", "10.0.0.1", True)] * 2
    silent = replace(region.zone("a", 31), licences=licences)
    region.collect = lambda nsips: [Reading(nsip, False, Figures(), "silent") for nsip in nsips]  # type: ignore[method-assign]
    silent = replace(silent, effects=replace(silent.effects, collect=region.collect))
    assert region.tick(silent)["licence_grace"] is None, "silence says nothing about a licence"
    foretold = replace(region.zone("a", 46), licences=licences)
    assert tick_zone(foretold, Telling("shop", check_mode=True)).result["licence_grace"] is None
    assert len(asked) == 2


def following(observed: Mapping[str, Backends | Failure], desired: Backends | Failure, at: str = "") -> Following:
    asked: list[str] = []

    def read(nsips: Sequence[str]) -> Mapping[str, Backends | Failure]:
        asked.extend(nsips)
        return {nsip: observed[nsip] for nsip in nsips}

    def observation() -> Backends:
        if isinstance(desired, Failure):
            raise desired
        return desired

    return Following(observation, read, at)


@pytest.mark.parametrize(
    ("observed", "at", "differ"),
    [
        ({"10.0.0.1": {"web": WEB}, "10.0.0.2": {"web": WEB}}, "", []),
        ({"10.0.0.1": {"web": WEB}, "10.0.0.2": {"web": frozenset()}}, "", ["web"]),
        ({"10.0.0.1": {"web": WEB}, "10.0.0.2": {}}, "", []),
        ({"10.0.0.1": {"web": WEB}, "10.0.0.2": Failure("silent")}, "", []),
        ({"10.0.0.100": {"web": frozenset()}}, "10.0.0.100", ["web"]),
    ],
)
def test_back_ends_that_differ_are_named(region: Region, observed: Any, at: str, differ: list[str]) -> None:
    result = region.tick(region.zone("a", 1, following(observed, {"web": WEB}, at)))
    assert (result["backends_differ"], result["work"]) == (differ, ["backends"] if differ else [])


def test_a_decision_is_kept_when_the_back_ends_are_unknown(region: Region) -> None:
    region.memory = HIGH
    unknown = following({}, Failure("there is no Auto Scaling group web"))
    for at in (1, 2):
        result = region.tick(region.zone("a", at, unknown))
        assert (result["backends_error"], result["work"]) == ("there is no Auto Scaling group web", ["backends"])
    acting = region.tick(region.zone("a", 3, unknown))
    assert (acting["decision"]["action"], acting["work"], acting["backends_error"]) == ("scale_out", ["act"], None)


def test_events_that_are_cleaned_up_are_reported_in_one_call(region: Region) -> None:
    region.memory = HIGH
    for at in (1, 2, 3):
        result = region.tick(region.zone("a", at))
    event = result["decision"]["event_id"]
    failed = tick_module.evaluator.Report(event, tick_module.evaluator.Outcome.FAILED, "no capacity")
    assert region.tick(region.zone("a", 3.2, report=failed))["unfinished"]
    done = region.tick(region.zone("a", 3.3, cleaned_up=(event, "adc-unknown")))
    assert (done["unfinished"], done["reported"]) == ([], True)
    assert "nothing is left of the failed events" in done["decision"]["reason"]
