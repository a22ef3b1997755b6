"""Alarms and dashboard of a group: from its policy, within CloudWatch's limits, and only written where they differ."""

from __future__ import annotations

import json

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.alarm_plan import (
    alarms_of,
    body_of,
    differing,
    policy_of,
    same_body,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import PolicyError
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.policy import Policy
from tests.unit.plugins.module_utils.scaling.scenario import policy_dict

POLICY = Policy.from_dict(policy_dict("dns"))
TOPIC = "arn:aws:sns:eu-central-1:123456789012:operations"


def test_each_zone_has_alarms_of_its_figures() -> None:
    alarms = {alarm["AlarmName"]: alarm for alarm in alarms_of("shop", ["a", "b"], POLICY, [TOPIC])}
    assert sorted(alarms) == [
        f"cloudadc-shop-{zone}-{name}"
        for zone in ("a", "b")
        for name in ("at-maximum", "licence-grace", "memory-high", "no-ticks", "silent-nodes")
    ]
    high = alarms["cloudadc-shop-a-memory-high"]
    assert (high["MetricName"], high["Threshold"], high["AlarmActions"]) == ("memory", 85.0, [TOPIC])
    assert high["Dimensions"] == [{"Name": "group", "Value": "shop"}, {"Name": "zone", "Value": "a"}]
    assert alarms["cloudadc-shop-a-silent-nodes"]["Metrics"][-1]["Expression"] == "m0 - m1"


def test_a_phase_without_figures_is_no_alarm() -> None:
    """Ticks of a phase publish nothing: the longest one is 10 minutes of drain and 1 of ttl, or 10 of cooldown."""
    [quiet] = [alarm for alarm in alarms_of("shop", ["a"], POLICY, []) if alarm["AlarmName"].endswith("no-ticks")]
    assert quiet["TreatMissingData"] == "breaching"
    assert quiet["Period"] * quiet["EvaluationPeriods"] > (11 + 3) * 60


@pytest.mark.parametrize("interval", [1, 60, 90, 3600])
def test_periods_are_those_that_cloudwatch_has(interval: int) -> None:
    policy = Policy.from_dict(policy_dict(interval=interval, watch_time=600, cooldown=1000))
    for alarm in alarms_of("shop", ["a"], policy, []):
        period = alarm.get("Period") or alarm["Metrics"][0]["MetricStat"]["Period"]
        assert period % 60 == 0
        assert period >= interval
        assert period * alarm["EvaluationPeriods"] <= 86400


def test_only_what_differs_is_written_and_what_is_no_longer_wanted_deleted() -> None:
    desired = alarms_of("shop", ["a"], POLICY, [TOPIC])
    present = [{**alarm, "AlarmArn": "arn", "StateValue": "OK", "InsufficientDataActions": []} for alarm in desired]
    assert differing(desired, present) == ([], [])
    old = {**present[0], "AlarmName": "cloudadc-shop-b-no-ticks"}
    changed = [{**present[0], "Threshold": 7.0}, *present[1:], old]
    assert differing(desired, changed) == ([desired[0]], ["cloudadc-shop-b-no-ticks"])
    assert differing([], present) == ([], sorted(alarm["AlarmName"] for alarm in desired))


def test_dashboard_draws_limits_nodes_and_decisions_of_each_zone() -> None:
    body = json.loads(body_of("shop", ["a", "b"], POLICY, "eu-central-1"))
    shown = [widget["properties"] for widget in body["widgets"]]
    assert [plot["title"] for plot in shown] == [
        "a: memory", "a: nodes, nodes_reporting, decision", "b: memory", "b: nodes, nodes_reporting, decision"
    ]  # fmt: skip
    assert shown[0]["metrics"] == [["CloudADC/Autoscale", "memory", "group", "shop", "zone", "a"]]
    assert [line["value"] for line in shown[0]["annotations"]["horizontal"]] == [40, 85]
    places = [(widget["x"], widget["y"]) for widget in body["widgets"]]
    assert len(set(places)) == len(places)
    assert all(widget["x"] + widget["width"] <= 24 for widget in body["widgets"])
    text = body_of("shop", ["a"], POLICY, "eu-central-1")
    assert same_body(text, json.dumps(json.loads(text), indent=3))
    assert not same_body(text, "no JSON")


def test_without_a_policy_there_are_no_limits() -> None:
    with pytest.raises(PolicyError, match="policy is needed"):
        policy_of({})
