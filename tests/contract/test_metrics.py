"""The contract of the registry of metrics: whatever is in it works everywhere, and each metric says what it is."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cloudadc.aws.plugins.doc_fragments.autoscale import ModuleDocFragment
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.tick_metrics import metric_data
from ansible_collections.cloudadc.aws.plugins.module_utils.report.model import Series
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import evaluate
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Record
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.recordings.reading import read_recording
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.replay import replay
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.samples import all_figures
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.figures import (
    Counted,
    aggregate,
    counted,
    reading_of,
    with_rates,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.metrics import (
    COUNTERS,
    METRICS,
    OF_APPLIANCES,
    REGISTRY,
    SENTINEL,
    WATCHED,
    Combine,
    Kind,
    Metric,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.options import zone_argument_spec
from ansible_collections.cloudadc.aws.plugins.modules import vpx_stat_info
from tests.unit.plugins.module_utils.scaling.scenario import iso, minute, policy, policy_dict

#: Units that CloudWatch accepts (API reference, MetricDatum).
CLOUDWATCH = {"Percent", "Count", "Count/Second", "Megabits/Second", "Bytes", "Bytes/Second", "Seconds"}
MEASURED = pytest.mark.parametrize("metric", OF_APPLIANCES.values(), ids=list(OF_APPLIANCES))
EVERY = pytest.mark.parametrize("metric", WATCHED.values(), ids=list(WATCHED))


def limits(metric: Metric) -> dict[str, Any]:
    return {"metrics": {metric.name: {"min": 10, "max": 50}}}


def reply(value: float) -> dict[str, object]:
    """stat/ns of an appliance of which every figure is ``value``: its fields add up to it."""
    row: dict[str, object] = {}
    for metric in METRICS:
        first, *others = metric.fields
        row |= {first: str(value), **dict.fromkeys(others, 0)}
    return {"ns": row}


def test_names_are_unique_and_every_metric_has_fields() -> None:
    assert len(REGISTRY) == len(METRICS)
    fields = [field for metric in METRICS for field in metric.fields]
    assert len(set(fields)) == len(fields)
    assert all(metric.fields and metric.cloudwatch in CLOUDWATCH for metric in METRICS)
    assert all(metric.unit == "" or metric.unit[0] == " " for metric in METRICS)
    assert list(WATCHED)[:4] == ["cpu", "memory", "throughput", "connections"], "results keep their order"


@MEASURED
def test_two_nodes_become_one_figure_of_the_zone(metric: Metric) -> None:
    readings = [reading_of(f"10.0.0.{number}", reply(20 * number)) for number in (1, 2)]
    earlier = {each.nsip: Counted(minute(0), dict.fromkeys((m.name for m in COUNTERS), 0.0)) for each in readings}
    whole = aggregate(with_rates(readings, earlier, minute(1)))
    assert whole[metric.name] == (30 if metric.combine is Combine.MEAN else 60)
    assert whole["figures_reporting"][metric.name] == 2


@EVERY
def test_a_policy_may_watch_it_and_the_reason_names_its_unit(metric: Metric) -> None:
    rules, record = policy(**limits(metric)), Record("shop", "a")
    for at in (1, 2, 3):
        record, decision = evaluate(rules, record, {metric.name: 60}, 3, minute(at))
    assert decision.action.value == "scale_out"
    assert decision.reason.startswith(f"{metric.name} 60{metric.unit} > 50{metric.unit} for 3 of 3 samples")
    assert Record.from_json(record.to_json()) == record
    assert metric.name in zone_argument_spec()["policy"]["options"]["metrics"]["options"]


@EVERY
@pytest.mark.parametrize("beyond", [SENTINEL, -1])
def test_what_is_beyond_its_bounds_is_missing(metric: Metric, beyond: float) -> None:
    assert all_figures({metric.name: beyond})[metric.name] is None
    assert all_figures({metric.name: metric.highest})[metric.name] == metric.highest
    assert metric.name not in OF_APPLIANCES or reading_of("10.0.0.1", reply(beyond)).figures[metric.name] is None


@EVERY
def test_it_is_published_replayed_and_drawn(metric: Metric) -> None:
    decision = {"action": "none", "count": 0, "resumed": False}
    made = metric_data("shop", "a", minute(1), {metric.name: 41.5}, 3, decision, 60)
    assert (made[0]["MetricName"], made[0]["Value"], made[0]["Unit"]) == (metric.name, 41.5, metric.cloudwatch)
    text = f"timestamp,{metric.name}\n" + "".join(f"{iso(at)},60\n" for at in range(1, 5))
    result = replay({"p": policy(**limits(metric))}, read_recording(io.StringIO(text)))
    assert result["results"][0]["scale_outs"] == 1
    assert result["samples"]["metrics"] == [metric.name]
    assert Series(metric.name, ()).unit == metric.unit.strip()


@EVERY
def test_it_is_documented(metric: Metric) -> None:
    options = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["policy"]["suboptions"]["metrics"][
        "suboptions"
    ]
    assert metric.name in options
    page = (Path(__file__).parents[2] / "docs" / "autoscaling.md").read_text(encoding="utf-8")
    assert f"| `{metric.name}` |" in page
    if metric.name not in OF_APPLIANCES:
        return
    returned = yaml.safe_load(vpx_stat_info.RETURN)
    assert metric.name in returned["nodes"]["contains"]
    assert metric.name in returned["aggregate"]["contains"]
    source = yaml.safe_load(vpx_stat_info.DOCUMENTATION)["options"]["cloudwatch"]["suboptions"]["metrics"]["suboptions"]
    assert metric.name in source


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"combine": Combine.SUM}, test_two_nodes_become_one_figure_of_the_zone),
        ({"unit": " bananas"}, test_a_policy_may_watch_it_and_the_reason_names_its_unit),
        ({"name": "undocumented"}, test_it_is_documented),
        ({"cloudwatch": "Bananas"}, test_it_is_published_replayed_and_drawn),
    ],
)
def test_a_wrong_metric_is_refused(changes: dict[str, Any], check: Callable[[Metric], None]) -> None:
    with pytest.raises(AssertionError):
        check(replace(REGISTRY["cpu"], **changes))


def test_the_options_are_those_of_the_registry() -> None:
    assert list(vpx_stat_info.CLOUDWATCH["metrics"]["options"]) == list(REGISTRY)
    assert set(policy_dict()["metrics"]) <= set(WATCHED)


# -- ena_limited: packets that AWS dropped or delayed because an allowance of the instance was exceeded --------------


def ena(inbound: int, outbound: int = 0, packets: int = 0, connections: int = 0) -> dict[str, object]:
    names = REGISTRY["ena_limited"].fields
    return {"ns": dict(zip(names, map(str, (inbound, outbound, packets, connections)), strict=True))}


def test_ena_limited_is_events_per_minute_between_two_readings() -> None:
    first = reading_of("10.0.0.1", ena(100, 10, 1, 1))
    assert (first.figures["ena_limited"], first.totals) == (None, {"ena_limited": 112})
    earlier = counted([first], minute(1))
    second = reading_of("10.0.0.1", ena(130, 20, 1, 1))
    for minutes, rate in ((1, 40), (2, 20), (0.5, 80)):
        (rated,) = with_rates([second], earlier, minute(1 + minutes))
        assert rated.figures["ena_limited"] == rate


def test_ena_limited_is_missing_after_a_restart_and_without_an_earlier_reading() -> None:
    earlier = counted([reading_of("10.0.0.1", ena(100))], minute(1))
    for reading, at in (
        (reading_of("10.0.0.1", ena(99)), minute(2)),
        (reading_of("10.0.0.2", ena(200)), minute(2)),
        (reading_of("10.0.0.1", ena(200)), minute(1)),
        (reading_of("10.0.0.1", {"ns": {"enainbwlimitexceeded": "200"}}), minute(2)),
    ):
        assert with_rates([reading], earlier, at)[0].figures["ena_limited"] is None


def test_a_release_without_the_ena_counters_is_no_error() -> None:
    row = {field: 1 for metric in METRICS if not metric.optional for field in metric.fields}
    reading = reading_of("10.0.0.1", {"ns": row})
    assert (reading.error, reading.totals, reading.figures["ena_limited"]) == (None, {}, None)
    spoiled = reading_of("10.0.0.1", {"ns": {**row, "enappslimitexceeded": "n/a"}})
    assert spoiled.error == "enappslimitexceeded is 'n/a', not a number"


def test_http_requests_are_the_sum_of_the_rates_of_the_nodes() -> None:
    readings = [reading_of(f"10.0.0.{at}", {"ns": {"httprequestsrate": rate}}) for at, rate in enumerate((120.5, 79.5))]
    assert aggregate(readings)["http_requests"] == 200
    assert REGISTRY["http_requests"].kind is Kind.RATE
