"""Whether a load balancer runs out of ports, as CloudWatch says it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import nlb_ports

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/shop/50dc6c495c0c9188"
NOW = 1_790_000_000.0


class Balancers:
    def __init__(self, *arns: str) -> None:
        self.arns = arns

    def describe_load_balancers(self, **_options: Any) -> dict[str, Any]:
        return {"LoadBalancers": [{"LoadBalancerArn": arn} for arn in self.arns]}


class CloudWatch:
    def __init__(self, **points: list[tuple[float, float]]) -> None:
        self.points, self.asked = points, []

    def get_paginator(self, _name: str) -> CloudWatch:
        return self

    def paginate(self, MetricDataQueries: list[Any], **_options: Any) -> list[dict[str, Any]]:
        self.asked = MetricDataQueries
        return [
            {
                "MetricDataResults": [
                    {
                        "Id": name,
                        "Timestamps": [datetime.fromtimestamp(NOW - age, UTC) for age, _value in points],
                        "Values": [value for _age, value in points],
                    }
                    for name, points in self.points.items()
                ]
            }
        ]


def _errors(cloudwatch: CloudWatch, *arns: str) -> dict[str, float]:
    return nlb_ports.port_errors(Balancers(*arns or (ARN,)), cloudwatch, "shop", ["a", "b", "c"], NOW)


def test_the_latest_minute_of_each_zone_counts() -> None:
    cloudwatch = CloudWatch(zone_0=[(180, 7.0), (60, 3.0)], zone_1=[(60, 0.0)])
    assert _errors(cloudwatch) == {"a": 3.0, "b": 0.0}
    metric = cloudwatch.asked[0]["MetricStat"]["Metric"]
    assert (metric["Namespace"], metric["MetricName"]) == ("AWS/NetworkELB", "PortAllocationErrorCount")
    assert {one["Name"]: one["Value"] for one in metric["Dimensions"]} == {
        "AvailabilityZone": "a",
        "LoadBalancer": "net/shop/50dc6c495c0c9188",
    }


def test_a_figure_that_is_too_old_is_missing() -> None:
    assert _errors(CloudWatch(zone_0=[(nlb_ports.MAX_AGE + 1, 9.0)])) == {}


def test_a_load_balancer_that_is_gone_is_named() -> None:
    class None_(Balancers):
        def describe_load_balancers(self, **_options: Any) -> dict[str, Any]:
            return {"LoadBalancers": []}

    with pytest.raises(Failure, match="no load balancer shop"):
        nlb_ports.port_errors(None_(), CloudWatch(), "shop", ["a"], NOW)
