# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls to CloudWatch: one function a call.

IAM: cloudwatch:PutMetricData, which can be narrowed by the condition key cloudwatch:namespace, and
cloudwatch:GetMetricData, which cannot be narrowed to resources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .client import Client
from .errors import aws_call

NAMESPACE = "CloudADC/Autoscale"


@aws_call("publish the figures of {group_and_zone}", retries=1)
def put_metric_data(client: Client, data: Sequence[Mapping[str, Any]], group_and_zone: str) -> None:
    """PutMetricData, once: a tick must not wait for its statistics, and the next one brings new figures."""
    client.put_metric_data(Namespace=NAMESPACE, MetricData=list(data))


@aws_call("read the figures of the nodes from CloudWatch")
def get_metric_data(
    client: Client, desired: Sequence[Mapping[str, Any]], window: tuple[float, float]
) -> list[dict[str, Any]]:
    """GetMetricData, all pages; its results. ``desired``: up to 500 queries; ``window``: seconds since the epoch."""
    start, end = (datetime.fromtimestamp(at, UTC) for at in window)
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=list(desired), StartTime=start, EndTime=end, ScanBy="TimestampDescending"
    )
    return [result for page in pages for result in page["MetricDataResults"]]
