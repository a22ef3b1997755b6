"""vpx_stat_info with source cloudwatch: what was published comes back, for one call, and what cannot be is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.lab.settings import CHECKOUT

from .conftest import Cloud

NODES = ["i-0aaa", "i-0bbb", "i-0ccc"]
METRICS = {"cpu": "Packet", "memory": "Mem", "throughput": "Mbit", "connections": "Conn"}


def options(**more: Any) -> dict[str, Any]:
    return {"nodes": NODES, "source": "cloudwatch", "cloudwatch": {"namespace": "Test/VPX", "metrics": METRICS}, **more}


def put(cloud: Cloud, node: str, *, age: float = 60, dimension: str = "InstanceId", **figures: float) -> None:
    cloud.lab.boto("cloudwatch").put_metric_data(
        Namespace="Test/VPX",
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": dimension, "Value": node}],
                "Timestamp": datetime.now(UTC) - timedelta(seconds=age),
                "Value": value,
            }
            for name, value in figures.items()
        ],
    )


def test_one_call_brings_the_figures_of_all(cloud: Cloud) -> None:
    put(cloud, NODES[0], age=150, Packet=99, Mem=99, Mbit=99, Conn=99)
    put(cloud, NODES[0], age=61, Packet=40, Mem=20.5, Mbit=100, Conn=1000)
    put(cloud, NODES[1], age=61, Packet=60, Mem=120, Mbit=50)
    put(cloud, NODES[1], age=280, Conn=7)
    result = cloud.run(
        "vpx_stat_info",
        **options(nodes=[*NODES, NODES[0]], cloudwatch={"namespace": "Test/VPX", "metrics": METRICS, "max_age": 210}),
    )
    assert not result["failed"], result
    assert (result["changed"], cloud.calls) == (False, {"GetMetricData": 1})
    one, two, three = result["nodes"]
    assert one == {
        "nsip": NODES[0],
        "reachable": True,
        "cpu": 40.0,
        "memory": 20.5,
        "throughput": 100.0,
        "connections": 1000,
        "http_requests": None,
        "ena_limited": None,
        "cpu_management": None,
        "counters": {},
        "error": None,
    }
    assert (two["reachable"], two["cpu"], two["memory"], two["connections"]) == (True, 60.0, None, None)
    assert "memory (Mem) is 120.0, outside 0 to 100" in two["error"]
    assert "connections (Conn) is " in two["error"]
    assert "s old, which is more than 210 s (max_age)" in two["error"]
    assert (three["reachable"], three["cpu"], three["error"].count("is missing")) == (False, None, 4)
    assert result["aggregate"] == {
        "cpu": 50.0,
        "memory": 20.5,
        "throughput": 150.0,
        "connections": 1000,
        "http_requests": None,
        "ena_limited": None,
        "nodes_total": 3,
        "nodes_reporting": 2,
        "figures_reporting": {
            "cpu": 2,
            "memory": 1,
            "throughput": 2,
            "connections": 1,
            "http_requests": 0,
            "ena_limited": 0,
        },
    }


def test_another_dimension_and_statistic(cloud: Cloud) -> None:
    for value in (10, 30):
        put(cloud, "vpx-a", dimension="Host", Packet=value)
    where = {"namespace": "Test/VPX", "dimension": "Host", "metrics": {"cpu": "Packet"}, "statistic": "Maximum"}
    result = cloud.run("vpx_stat_info", check=True, nodes=["vpx-a"], source="cloudwatch", cloudwatch=where)
    assert (result["nodes"][0]["cpu"], cloud.calls) == (30.0, {"GetMetricData": 1})


def test_no_node_no_call(cloud: Cloud) -> None:
    result = cloud.run("vpx_stat_info", **options(nodes=[]))
    assert (result["nodes"], result["aggregate"]["nodes_total"], cloud.calls) == ([], 0, {})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cloudwatch": None}, "source is cloudwatch but all of the following are missing: cloudwatch"),
        ({"cloudwatch": {"namespace": "N", "metrics": {"heat": "H"}}}, "cloudwatch.metrics.heat"),
        ({"cloudwatch": {"namespace": "N", "metrics": {}}}, "cloudwatch.metrics names no metric"),
        ({"cloudwatch": {"metrics": {"cpu": "C"}}}, "namespace"),
        ({"nodes": ["i-1", ""]}, "nodes has an empty entry where a value of the dimension InstanceId belongs"),
        ({"region": "no where"}, "no where"),
        ({"profile": "unknown"}, "unknown"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence_and_no_call(
    cloud: Cloud, wrong: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "profile" in wrong:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    given = {name: value for name, value in options(**wrong).items() if value is not None}
    result = cloud.run("vpx_stat_info", **given)
    assert (result["failed"], cloud.calls) == (True, {}), result
    assert message in result["msg"]
    assert "Traceback" not in str(result)


def test_no_region_and_a_wrong_key_are_sentences(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = cloud.run("vpx_stat_info", **options(access_key="nobodys-key", secret_key="nobodys-secret"))
    assert strange["failed"]
    assert strange["msg"].startswith("Failed to read the figures of the nodes from CloudWatch: AWS answered ")
    assert "nobodys-secret" not in str(strange)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "EC2_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    nowhere = cloud.run("vpx_stat_info", **options())
    assert (nowhere["failed"], cloud.calls) == (True, {})
    assert "region" in nowhere["msg"]
    assert "Traceback" not in str((strange, nowhere))


def test_another_region_has_no_figures(cloud: Cloud) -> None:
    put(cloud, NODES[0], Packet=40)
    result = cloud.run("vpx_stat_info", **options(region="us-west-2"))
    assert (result["failed"], result["aggregate"]["nodes_reporting"]) == (False, 0)


def test_without_boto3_appliances_are_asked_and_cloudwatch_is_a_sentence() -> None:
    """In a process that cannot import boto3 and knows nothing of AWS."""
    code = (
        "import json, sys; sys.modules.update(boto3=None, botocore=None)\n"
        "from tests.modules import run_module\n"
        "print(json.dumps([run_module('vpx_stat_info', given) for given in json.load(sys.stdin)]))"
    )
    given = [options(), {"nodes": ["127.0.0.1:9"], "nitro_pass": "unit-test-pass"}]
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{CHECKOUT}:{CHECKOUT / '.tree'}"},
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    missing, asked = json.loads(ran.stdout)
    assert missing["failed"]
    assert "botocore and boto3" in missing["msg"]
    assert "Traceback" not in str(missing)
    assert (asked["failed"], asked["nodes"][0]["reachable"]) == (False, False)
