"""Figures in CloudWatch: the queries, what is read in the replies, and the one call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.published_figures import (
    Source,
    get_metric_data,
    latest,
    queries,
    read_figures,
    readings,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.figures import Reading, aggregate
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.metrics import REGISTRY

NOW = 1772359230.0  # half a minute past 10:00 UTC
ALL = {name: f"M-{name}" for name in ("cpu", "memory", "throughput", "connections", "cpu_management")}


def options(**more: Any) -> dict[str, Any]:
    metrics = {**dict.fromkeys(ALL), **more.pop("metrics", {"cpu": "Load"})}
    base = {
        "namespace": "Some/Where",
        "dimension": "InstanceId",
        "statistic": "Average",
        "period": 60,
        "max_age": 180.0,
    }
    return {**base, "metrics": metrics, **more}


def source(**more: Any) -> Source:
    return Source.from_options(options(**more))


def result(name: str, *points: tuple[float, Any], **more: Any) -> dict[str, Any]:
    """One of MetricDataResults; points as (seconds before NOW, value)."""
    times = [datetime.fromtimestamp(NOW - age, UTC) for age, _value in points]
    return {"Id": name, "Timestamps": times, "Values": [value for _age, value in points], **more}


def read(*results: dict[str, Any], nodes: tuple[str, ...] = ("i-1",), **more: Any) -> list[Reading]:
    return readings(source(**more), nodes, latest(results), NOW)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"metrics": {}}, "names no metric; give one at least of cpu, memory"),
        ({"metrics": {"cpu": " "}}, "cloudwatch.metrics.cpu is empty"),
        ({"namespace": ""}, "cloudwatch.namespace is empty"),
        ({"dimension": ""}, "cloudwatch.dimension is empty"),
        ({"statistic": ""}, "cloudwatch.statistic is empty"),
        ({"period": 0}, "cloudwatch.period must be 1, 5, 10"),
        ({"period": -60}, "not -60"),
        ({"period": 90}, "not 90"),
        ({"period": 120, "max_age": 119.0}, "at least the period (120 seconds)"),
        ({"max_age": 90000.0}, "at most a day, not 90000"),
        ({"max_age": float("nan")}, "not nan"),
    ],
)
def test_what_no_figure_could_come_of_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match="cloudwatch") as refused:
        source(**wrong)
    assert message in str(refused.value)


def test_a_query_for_each_node_and_metric() -> None:
    made = queries(source(metrics={"cpu": "Load", "memory": "Mem"}, statistic="p90"), ["i-1", "i-2"])
    assert len(made) == len({each["Id"] for each in made}) == 4
    assert made[0] == {
        "Id": "cpu_0",
        "MetricStat": {
            "Metric": {
                "Namespace": "Some/Where",
                "MetricName": "Load",
                "Dimensions": [{"Name": "InstanceId", "Value": "i-1"}],
            },
            "Period": 60,
            "Stat": "p90",
        },
    }
    assert [each["MetricStat"]["Metric"]["Dimensions"][0]["Value"] for each in made] == ["i-1", "i-1", "i-2", "i-2"]


@pytest.mark.parametrize(("period", "max_age"), [(60, 180), (1, 1), (300, 300), (30, 45.5)])
def test_the_window_is_on_the_grid_and_holds_what_may_be_used(period: int, max_age: float) -> None:
    start, end = source(period=period, max_age=max_age).window(NOW)
    assert (start % period, end % period) == (0, 0)
    assert start <= NOW - 2 * max_age
    assert NOW < end <= NOW + period


def test_the_latest_counts_in_whatever_order_and_parts_it_comes() -> None:
    points = [(150.0, 1.0), (30.0, 3.0), (90.0, 2.0)]
    for parts in ([points], [points[:1], points[1:]], [points[1:], points[:1]], [points, []]):
        [reading] = read(*(result("cpu_0", *part) for part in parts))
        assert (reading.figures["cpu"], reading.error) == (3.0, None)


@pytest.mark.parametrize(
    ("figure", "value", "read_as"),
    [
        ("cpu", 0.0, 0.0),
        ("cpu", 100.0, 100.0),
        ("memory", 41.25, 41.25),
        ("cpu_management", 3, 3.0),
        ("throughput", 0.1 + 0.2, 0.3),
        ("throughput", 5000.0, 5000.0),
        ("connections", 1209.7, 1210),
    ],
)
def test_a_figure(figure: str, value: float, read_as: float) -> None:
    [reading] = read(result(f"{figure}_0", (30, value)), metrics={figure: "M"})
    assert reading.as_dict() == {
        "nsip": "i-1",
        "reachable": True,
        **dict.fromkeys(REGISTRY),
        figure: read_as,
        "error": None,
        "counters": {},
    }


@pytest.mark.parametrize(
    ("results", "reachable", "error"),
    [
        ([], False, "cpu (Load) is missing: CloudWatch has none of the last 390 s"),
        ([result("cpu_0")], False, "cpu (Load) is missing: CloudWatch has none of the last 390 s"),
        ([result("cpu_0", (180, 5.0))], True, None),
        ([result("cpu_0", (181, 5.0))], False, "cpu (Load) is 181 s old, which is more than 180 s (max_age)"),
        ([result("cpu_0", (30, 100.5))], True, "cpu (Load) is 100.5, outside 0 to 100"),
        ([result("cpu_0", (30, -1.0))], True, "cpu (Load) is -1.0, outside 0 to 100"),
        ([result("cpu_0", (30, float("nan")))], True, "cpu (Load) is nan, not a number"),
        ([result("cpu_0", (30, 4294967295.0))], True, "cpu (Load) is 4294967295, which means not available"),
        (
            [result("cpu_0", StatusCode="InternalError", Messages=[{"Code": "X", "Value": "try again"}])],
            False,
            "cpu (Load) is missing: CloudWatch says InternalError: try again",
        ),
        ([result("cpu_0", (30, 5.0), StatusCode="PartialData"), result("cpu_0", StatusCode="Complete")], True, None),
        ([result("cpu_7", (30, 5.0))], False, "cpu (Load) is missing: CloudWatch has none of the last 390 s"),
    ],
)
def test_what_is_missing_late_or_beyond_belief(results: list[dict[str, Any]], reachable: bool, error: str) -> None:
    [reading] = read(*results)
    assert (reading.reachable, reading.error) == (reachable, error)
    assert (reading.figures["cpu"] is None) == (error is not None)


def test_every_missing_figure_is_named_and_the_others_count() -> None:
    one, two, three = read(
        result("cpu_0", (30, 40.0)),
        result("memory_0", (300, 1.0)),
        result("cpu_1", (90, 60.0)),
        result("memory_1", (30, 20.0)),
        nodes=("i-1", "i-2", "i-3"),
        metrics={"cpu": "Same", "memory": "Same"},
    )
    assert one.error == "memory (Same) is 300 s old, which is more than 180 s (max_age)"
    assert two.error is None
    assert str(three.error).count("is missing") == 2
    whole = aggregate([one, two, three])
    assert (whole["cpu"], whole["memory"], whole["throughput"]) == (50.0, 20.0, None)
    assert (whole["nodes_total"], whole["nodes_reporting"]) == (3, 2)


# ---------------------------------------------------------------------- the call


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Stubber]]:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    client = boto3.client(
        "cloudwatch", region_name="eu-west-1", aws_access_key_id="test-id", aws_secret_access_key="test-key"
    )
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def request(desired: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    start, end = (datetime.fromtimestamp(at, UTC) for at in source().window(NOW))
    return {
        "MetricDataQueries": desired,
        "StartTime": start,
        "EndTime": end,
        "ScanBy": "TimestampDescending",
        **more,
    }


def test_pages_are_followed(cloudwatch: tuple[Any, Stubber]) -> None:
    client, aws = cloudwatch
    desired = queries(source(), ["i-1"])
    first = {"MetricDataResults": [result("cpu_0", (30, 2.0))], "NextToken": "more"}
    aws.add_response("get_metric_data", first, request(desired))
    second = {"MetricDataResults": [result("cpu_0", (90, 1.0))]}
    aws.add_response("get_metric_data", second, request(desired, NextToken="more"))
    [reading] = read_figures(client, source(), ["i-1"], NOW)
    assert reading.figures["cpu"] == 2.0


@pytest.mark.parametrize(("nodes", "sizes"), [(0, []), (1, [1]), (500, [500]), (501, [500, 1])])
def test_five_hundred_queries_a_call(cloudwatch: tuple[Any, Stubber], nodes: int, sizes: list[int]) -> None:
    client, aws = cloudwatch
    names = [f"i-{place}" for place in range(nodes)]
    desired = queries(source(), names)
    for turn, size in enumerate(sizes):
        batch = desired[turn * 500 : turn * 500 + size]
        answers = [result(each["Id"], (30, 7.0)) for each in batch]
        aws.add_response("get_metric_data", {"MetricDataResults": answers}, request(batch))
    assert [reading.figures["cpu"] for reading in read_figures(client, source(), names, NOW)] == [7.0] * nodes


def test_a_refusal_is_a_sentence(cloudwatch: tuple[Any, Stubber]) -> None:
    client, aws = cloudwatch
    aws.add_client_error("get_metric_data", "AccessDenied", "not authorized to perform: cloudwatch:GetMetricData", 403)
    with pytest.raises(AwsError) as refused:
        get_metric_data(client, queries(source(), ["i-1"]), source().window(NOW))
    assert str(refused.value).startswith("Failed to read the figures of the nodes from CloudWatch: AWS answered Access")
