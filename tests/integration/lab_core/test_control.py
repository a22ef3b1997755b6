"""The control interface: what it does, and the sentence it answers to what makes no sense."""

from __future__ import annotations

from typing import Any

import botocore.exceptions
import pytest
import requests

from tests.lab.client import LabClient, LabRefused


def test_state_tells_the_whole(fresh_lab: LabClient) -> None:
    state = fresh_lab.state()
    assert {
        "pace",
        "latency",
        "faults",
        "writes_seen",
        "kill",
        "network",
        "nitro_port",
        "backends",
        "aws",
        "nitro",
    } <= set(state)
    assert state["ticker_failures"] == {}


def test_latency_of_one_side_leaves_the_other(fresh_lab: LabClient) -> None:
    fresh_lab.latency(aws=0.25)
    fresh_lab.latency(nitro=0.05)
    assert fresh_lab.state()["latency"] == {"aws": 0.25, "nitro": 0.05}
    fresh_lab.boto("ec2").describe_vpcs()
    assert fresh_lab.calls()[-1].ms >= 250


def test_pace_scales_times(fresh_lab: LabClient) -> None:
    fresh_lab.pace(3)
    assert fresh_lab.state()["pace"] == 3


def test_faults_strike_calls_and_are_taken_back(fresh_lab: LabClient) -> None:
    ec2 = fresh_lab.boto("ec2")
    fresh_lab.faults(aws={"error": 1.0})
    with pytest.raises(botocore.exceptions.ClientError):
        ec2.describe_vpcs()
    fresh_lab.faults()
    assert ec2.describe_vpcs()["Vpcs"]


def test_writes_are_counted_from_the_last_plan_on(fresh_lab: LabClient) -> None:
    ec2 = fresh_lab.boto("ec2")
    fresh_lab.faults()
    ec2.create_key_pair(KeyName="one")
    ec2.describe_key_pairs()
    assert fresh_lab.state()["writes_seen"] == 1
    assert [call.op for call in fresh_lab.writes()] == ["CreateKeyPair"]


def test_settings_are_changed_told_and_reset(fresh_lab: LabClient) -> None:
    ec2 = fresh_lab.boto("ec2")
    default = fresh_lab.state()["settings"]
    fresh_lab.settings(aws={"eip_quota": 0, "unauthorized": ["CreateKeyPair"]})
    fresh_lab.settings(nitro={"ha_licensed": False, "cold": {"dark": 7}, "partitions": [["i-2", "i-1"]]})
    reported = fresh_lab.state()["settings"]
    assert (reported["aws"]["eip_quota"], reported["aws"]["unauthorized"]) == (0, ["CreateKeyPair"])
    assert (reported["nitro"]["ha_licensed"], reported["nitro"]["partitions"]) == (False, [["i-1", "i-2"]])
    assert reported["nitro"]["cold"] == {**default["nitro"]["cold"], "dark": 7.0}
    with pytest.raises(botocore.exceptions.ClientError, match="AddressLimitExceeded"):
        ec2.allocate_address()
    with pytest.raises(botocore.exceptions.ClientError, match="UnauthorizedOperation"):
        ec2.create_key_pair(KeyName="one")
    fresh_lab.reset()
    assert fresh_lab.state()["settings"] == default
    assert ec2.allocate_address()


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("latency", {"aws": -1}, "aws must be a number from 0 to 60, not -1"),
        ("latency", {"azure": 1}, "unknown key azure: latency takes aws, nitro, adm"),
        ("pace", {}, "factor must be a number"),
        ("pace", {"factor": 0}, "factor must be a number from 0.001"),
        ("load", {"cpu": 5}, "exactly one of zone, instance_id, all, not none"),
        ("load", {"zone": "a", "all": True, "cpu": 5}, "exactly one of zone, instance_id, all, not zone, all"),
        ("load", {"all": True}, "at least one of cpu, memory, throughput, connections"),
        ("load", {"all": True, "cpu": "high"}, "cpu must be a number"),
        ("load", {"instance_id": "i-none", "cpu": 5}, "there is no appliance with instance_id i-none"),
        ("power", {"instance_id": "i-none"}, "power takes"),
        ("power", {"instance_id": "i-none", "on": False}, "there is no appliance with instance_id i-none"),
        ("backends", {"name": "backend-1"}, "backends takes"),
        ("backends", {"name": "backend-9", "up": True}, "there is no back end with name backend-9"),
        ("faults", {"aws": {"throttle": 2}}, "aws.throttle must be a number from 0 to 1"),
        ("faults", {"kill_at": 1, "pid": 4194304}, "there is no process 4194304"),
        ("faults", ["throttle"], "the body must be a JSON object"),
        ("settings", {"azure": {}}, "unknown key azure: settings takes aws, nitro"),
        ("settings", {"aws": {"eip_quota": 1, "quota": 1}}, "aws has no setting quota: it has eip_quota, pending"),
        ("settings", {"aws": {"eip_quota": 1}, "nitro": {"ha_licensed": 0}}, "nitro.ha_licensed must be true or false"),
        ("settings", {"aws": {"eip_quota": 1.5}}, "aws.eip_quota must be a whole number, not 1.5"),
        ("settings", {"aws": {"lag": -1}}, "aws.lag must be a number from 0, not -1"),
        ("settings", {"aws": {"unauthorized": "RunInstances"}}, "aws.unauthorized must be a list of strings"),
        ("settings", {"aws": {"unauthorized": [["RunInstances"]]}}, "aws.unauthorized must be a list of strings"),
        ("settings", {"nitro": {"partitions": [["i-1", "i-1"]]}}, "nitro.partitions must be a list of pairs"),
        ("settings", {"nitro": {"cold": {"warm": 1}}}, "nitro.cold has no setting warm: it has dark"),
    ],
)
def test_what_makes_no_sense_is_refused(fresh_lab: LabClient, path: str, body: Any, sentence: str) -> None:
    before = fresh_lab.state()
    with pytest.raises(LabRefused, match=sentence):
        fresh_lab.post(path, body)
    after = fresh_lab.state()
    completed = ("pace", "latency", "faults", "kill", "settings")
    assert {key: before[key] for key in completed} == {key: after[key] for key in completed}


def test_the_lab_refuses_to_kill_itself(fresh_lab: LabClient) -> None:
    with pytest.raises(LabRefused, match="is the lab itself"):
        fresh_lab.kill_at(1, fresh_lab.state()["pid"])


def test_bad_json_and_unknown_paths_are_answered(fresh_lab: LabClient) -> None:
    answer = requests.post(f"{fresh_lab.url}/lab/pace", data="{factor", timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("the body is not JSON")
    answer = requests.get(f"{fresh_lab.url}/lab/reset", timeout=5)
    assert answer.status_code == 405
    answer = requests.get(f"{fresh_lab.url}/", timeout=5)
    assert answer.status_code == 404
    assert "GET /lab/state" in answer.json()["error"]
