"""A figure that is missing is not low: samples of fewer nodes than are in service."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import evaluate
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Record
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.recordings.reading import read_recording
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.replay import Options, replay
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import SampleError
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.figures import Figures, Reading, aggregate

from .scenario import iso, minute, policy

RULES = policy(metrics={"throughput": {"min": 100, "max": 800}})


def decided(*samples: dict[str, Any], nodes: int = 3) -> tuple[str, str]:
    """Return the action and reason of the last of these samples, a minute apart, each record through its JSON."""
    record = Record("shop", "a")
    for at, sample in enumerate(samples, start=1):
        record = Record.from_json(json.loads(json.dumps(record.to_json())))
        record, decision = evaluate(RULES, record, sample, nodes, minute(at))
    return decision.action.value, decision.reason


LOW = {"throughput": 40.0, "nodes_total": 3, "nodes_reporting": 3}
SILENT = {**LOW, "nodes_reporting": 2}


def test_all_nodes_low_is_a_scale_in() -> None:
    assert decided(LOW, LOW, LOW)[0] == "scale_in"
    assert decided(*[{"throughput": 40.0}] * 3)[0] == "scale_in", "a sample that does not say counts as complete"


@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_silent_node_in_the_window_is_no_scale_in(at: int) -> None:
    samples = [LOW, LOW, LOW]
    samples[at] = SILENT
    action, reason = decided(*samples)
    assert action == "none"
    assert decided(*samples, *[LOW] * (at + 1))[0] == "scale_in", "three complete ones in a row"
    if at == 2:
        assert reason.endswith("not all nodes in service report: no figure counts as low")


def test_fewer_nodes_asked_than_are_in_service_is_no_scale_in() -> None:
    assert decided(*[{"throughput": 40.0, "nodes_total": 2, "nodes_reporting": 2}] * 3)[0] == "none"


def test_a_metric_that_fewer_nodes_report_than_others_is_no_scale_in() -> None:
    assert decided(*[{**LOW, "figures_reporting": {"throughput": 2, "cpu": 3}}] * 3)[0] == "none"
    assert decided(*[{**LOW, "figures_reporting": {"throughput": 3, "cpu": 0}}] * 3)[0] == "scale_in"


def test_silent_nodes_do_not_stop_a_scale_out() -> None:
    assert decided(*[{"throughput": 900.0, "nodes_total": 3, "nodes_reporting": 1}] * 3)[0] == "scale_out"


def test_the_aggregate_of_readings_says_how_many_report_each_figure() -> None:
    readings = [
        Reading("10.0.0.1", True, Figures(cpu=10, throughput=40)),
        Reading("10.0.0.2", True, Figures(cpu=10)),
        Reading("10.0.0.3", True, Figures(cpu=10, throughput=0)),
    ]
    assert decided(*[aggregate(readings)] * 3)[0] == "none"


@pytest.mark.parametrize("key", ["nodes_total", "nodes_reporting"])
def test_a_number_of_nodes_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(SampleError, match=rf"sample\.{key} must be a whole number of at least 0, not 'many'"):
        decided({**LOW, key: "many"})


CSV = "timestamp,throughput,{}\n"


@pytest.mark.parametrize("names", ["nodes_total,nodes_reporting", "nodes,nodes_reporting"])
@pytest.mark.parametrize(("reporting", "scale_ins"), [(3, 1), (2, 0)])
def test_a_replay_follows(names: str, reporting: int, scale_ins: int) -> None:
    text = f"timestamp,throughput,{names}\n" + "".join(f"{iso(at)},40,3,{reporting}\n" for at in range(1, 6))
    lines = [{"at": iso(at), "throughput": 40, "nodes_total": 3, "nodes_reporting": reporting} for at in range(1, 6)]
    series = {"throughput": 40, "nodes": 3, "nodes_reporting": reporting}
    times = [iso(at) for at in range(5, 0, -1)]
    cloudwatch = [{"Id": name, "Timestamps": times, "Values": [value] * 5} for name, value in series.items()]
    for recording in (text, json.dumps(lines), json.dumps({"MetricDataResults": cloudwatch})):
        found = read_recording(io.StringIO(recording))
        assert found.metrics == ("throughput",)
        (result,) = replay({"p": RULES}, found, Options(nodes=3))["results"]
        assert result["scale_ins"] == scale_ins
