# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a Network Load Balancer runs out of ports, as CloudWatch counts it.

Source: Elastic Load Balancing user guide, "CloudWatch metrics for your Network Load Balancer": namespace
AWS/NetworkELB, PortAllocationErrorCount, statistic Sum, dimensions AvailabilityZone and LoadBalancer. Metrics come
every 60 seconds. IAM: elasticloadbalancing:DescribeLoadBalancers, cloudwatch:GetMetricData.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..aws.client import Client
from ..aws.cloudwatch import get_metric_data
from ..aws.elbv2 import describe_load_balancer
from ..core.errors import Failure
from .published_figures import latest

NAMESPACE = "AWS/NetworkELB"
METRIC = "PortAllocationErrorCount"
PERIOD = 60
#: Figures that are older than this many seconds say nothing of now.
MAX_AGE = 300


def dimension_of(arn: str) -> str:
    """Return the value of dimension LoadBalancer: the part of the ARN behind ``loadbalancer/``."""
    return arn.partition(":loadbalancer/")[2]


def queries(arn: str, zones: Sequence[str]) -> list[dict[str, Any]]:
    """Return one MetricDataQuery a zone."""
    return [
        {
            "Id": f"zone_{place}",
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": METRIC,
                    "Dimensions": [
                        {"Name": "AvailabilityZone", "Value": zone},
                        {"Name": "LoadBalancer", "Value": dimension_of(arn)},
                    ],
                },
                "Period": PERIOD,
                "Stat": "Sum",
            },
        }
        for place, zone in enumerate(zones)
    ]


def window(now: float) -> tuple[float, float]:
    """Return start and end, in seconds since the epoch on the grid of the period; the minute under way is in it."""
    end = (math.floor(now / PERIOD) + 1) * PERIOD
    return end - MAX_AGE - PERIOD, end


def port_errors(elb: Client, cloudwatch: Client, name: str, zones: Sequence[str], now: float) -> dict[str, float]:
    """Return the errors a minute of each zone in the latest minute that CloudWatch has; two calls for all zones.

    A zone of which CloudWatch has nothing is missing. Raises Failure.
    """
    found = describe_load_balancer(elb, name)
    if not found:
        raise Failure(f"there is no load balancer {name}")
    series = latest(get_metric_data(cloudwatch, queries(str(found[0]["LoadBalancerArn"]), zones), window(now)))
    return values(zones, {key: (one.at, one.value) for key, one in series.items()}, now)


def values(zones: Sequence[str], series: Mapping[str, tuple[float | None, Any]], now: float) -> dict[str, float]:
    """Return the latest value of each zone that is recent enough. ``series``: Id → time and value of its last point."""
    named = {zone: series.get(f"zone_{place}", (None, None)) for place, zone in enumerate(zones)}
    return {zone: float(value) for zone, (at, value) in named.items() if at is not None and now - at <= MAX_AGE}
