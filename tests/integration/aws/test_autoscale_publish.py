"""autoscale_evaluate with publish: what CloudWatch then has, what it cost, and that a tick survives when it cannot."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.modules import run_module
from tests.unit.plugins.module_utils.scaling.scenario import HIGH, policy_dict

from .conftest import Cloud

START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=1)
SAMPLE = {"memory": HIGH, "cpu": 55, "throughput": None, "connections": "?", "nodes_total": 2}


def options(tmp_path: Path, minute: float, **more: Any) -> dict[str, Any]:
    return {
        "group": "shop",
        "zone": "eu-central-1a",
        "policy": policy_dict(),
        "node_count": 2,
        "sample": SAMPLE,
        "now": (START + timedelta(minutes=minute)).isoformat(),
        "store": {"path": str(tmp_path / "store")},
        "publish": True,
        **more,
    }


def figures(cloud: Cloud, name: str) -> list[float]:
    """Return what CloudWatch returns for one metric of the zone, oldest first."""
    dimensions = [{"Name": "group", "Value": "shop"}, {"Name": "zone", "Value": "eu-central-1a"}]
    metric = {"Namespace": "CloudADC/Autoscale", "MetricName": name, "Dimensions": dimensions}
    [found] = cloud.lab.boto("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}}],
        StartTime=START - timedelta(minutes=5),
        EndTime=START + timedelta(minutes=30),
        ScanBy="TimestampAscending",
    )["MetricDataResults"]
    values: list[float] = found["Values"]
    return values


def test_one_call_a_tick_brings_figures_and_decision(cloud: Cloud, tmp_path: Path) -> None:
    for minute in (1, 2, 3):
        result = cloud.run("autoscale_evaluate", **options(tmp_path, minute))
        assert result["published"], result
        assert cloud.calls == {"PutMetricData": 1}
    assert result["decision"]["action"] == "scale_out"
    message = {"id": result["decision"]["event_id"], "outcome": "done"}
    reported = cloud.run("autoscale_evaluate", **options(tmp_path, 3, event=message, sample=None))
    assert (reported["reported"], reported["published"], cloud.calls) == (True, False, {})
    resting = cloud.run("autoscale_evaluate", **options(tmp_path, 4, node_count=3))
    assert (resting["phase"], resting["published"], cloud.calls) == ("cooldown", True, {"PutMetricData": 1})

    assert figures(cloud, "memory") == [HIGH] * 4
    assert figures(cloud, "cpu") == [55] * 4
    assert figures(cloud, "decision") == [0, 0, 1, 0]
    assert figures(cloud, "nodes") == [2, 2, 2, 3]
    listed = cloud.lab.boto("cloudwatch").list_metrics(Namespace="CloudADC/Autoscale")["Metrics"]
    assert {each["MetricName"] for each in listed} == {"memory", "cpu", "nodes", "decision"}


def test_an_action_that_is_gone_on_with_is_one_decision(cloud: Cloud, tmp_path: Path) -> None:
    for minute in (1, 2, 3, 4):
        result = cloud.run("autoscale_evaluate", **options(tmp_path, minute, owner="same"))
    assert (result["decision"]["action"], result["decision"]["resumed"]) == ("scale_out", True)
    assert figures(cloud, "decision") == [0, 0, 1, 0]


def test_no_call_in_check_mode_without_the_lease_and_unasked(cloud: Cloud, tmp_path: Path) -> None:
    predicted = cloud.run("autoscale_evaluate", check=True, **options(tmp_path, 1))
    assert (predicted["decision"]["evaluated"], predicted["published"], cloud.calls) == (True, False, {})
    quiet = cloud.run("autoscale_evaluate", **options(tmp_path, 1, publish=False))
    assert ("published" in quiet, cloud.calls) == (False, {})

    from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
    from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore

    FileStore(tmp_path / "store", Key("shop", "eu-central-1a")).acquire("another owner", 60)
    refused = cloud.run("autoscale_evaluate", **options(tmp_path, 2))
    assert (refused["decision"]["evaluated"], refused["published"], cloud.calls) == (False, False, {})


def test_what_is_published_can_be_drawn(cloud: Cloud, tmp_path: Path) -> None:
    """As the report's README says: what get-metric-data prints is a recording as it comes."""
    for minute in (1, 2, 3, 4):
        cloud.run("autoscale_evaluate", **options(tmp_path, minute))
    dimensions = [{"Name": "group", "Value": "shop"}, {"Name": "zone", "Value": "eu-central-1a"}]
    queries = [
        {
            "Id": name,
            "MetricStat": {
                "Stat": "Average",
                "Period": 60,
                "Metric": {"Namespace": "CloudADC/Autoscale", "MetricName": name, "Dimensions": dimensions},
            },
        }
        for name in ("memory", "cpu")
    ]
    printed = cloud.lab.boto("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=START, EndTime=START + timedelta(minutes=10)
    )
    recording = tmp_path / "get-metric-data.json"
    recording.write_text(json.dumps(printed, default=datetime.isoformat))
    page = {
        "path": str(tmp_path / "page.html"),
        "group": "shop",
        "store": {"path": str(tmp_path / "store")},
        "policy": policy_dict(),
        "recordings": {"eu-central-1a": str(recording)},
    }
    [panel] = cloud.run("autoscale_report", diff=False, **page)["panels"]
    assert panel["samples"] == {"memory": 4, "cpu": 4}
    assert cloud.calls == {}


def _survives(result: dict[str, Any], tmp_path: Path) -> str:
    assert not result["failed"], result
    assert (result["decision"]["evaluated"], result["published"]) == (True, False)
    info = {"group": "shop", "zone": "eu-central-1a", "store": {"path": str(tmp_path / "store")}}
    assert len(run_module("autoscale_info", info)["record"]["window"]) == 1
    warning = [each for each in result["warnings"] if "CloudWatch" in str(each)][-1]  # earlier ones are other tests'
    text: str = warning if isinstance(warning, str) else str(warning)
    assert "shop eu-central-1a: the figures of this tick are not in CloudWatch, its decision stands" in text
    return text


def test_a_refusal_is_a_warning_after_one_call(cloud: Cloud, tmp_path: Path) -> None:
    cloud.lab.faults(aws={"throttle": 1.0}, seed=1)
    result = cloud.run("autoscale_evaluate", **options(tmp_path, 1))
    assert "Throttling" in _survives(result, tmp_path)
    assert cloud.calls == {"PutMetricData": 1}


def test_a_missing_endpoint_is_a_warning(cloud: Cloud, tmp_path: Path) -> None:
    result = cloud.run("autoscale_evaluate", **options(tmp_path, 1, endpoint_url="http://127.0.0.1:9"))
    assert "127.0.0.1:9" in _survives(result, tmp_path)


def test_no_region_and_no_such_profile_are_warnings(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "EC2_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert "region" in _survives(cloud.run("autoscale_evaluate", **options(tmp_path, 1)), tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    more = {"profile": "unknown", "region": "eu-central-1", "store": {"path": str(tmp_path / "other")}}
    result = cloud.run("autoscale_evaluate", **options(tmp_path, 1, **more))
    assert (result["failed"], result["published"]) == (False, False)
    assert "unknown" in str(result["warnings"])
