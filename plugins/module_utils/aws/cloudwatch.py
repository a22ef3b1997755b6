# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls to CloudWatch: one function a call.

IAM: cloudwatch:PutMetricData, which can be narrowed by the condition key cloudwatch:namespace, and
cloudwatch:GetMetricData, which cannot be narrowed to resources; alarms and dashboards can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code

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


@aws_call("describe the alarms {prefix}*")
def describe_alarms(client: Client, prefix: str) -> list[dict[str, Any]]:
    """DescribeAlarms whose names begin so, all pages. IAM: cloudwatch:DescribeAlarms, on all alarms."""
    pages = client.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
    return [alarm for page in pages for alarm in page.get("MetricAlarms", [])]


@aws_call("write alarm {name}")
def put_metric_alarm(client: Client, name: str, alarm: Mapping[str, Any]) -> None:
    """PutMetricAlarm: creates the alarm or replaces it. IAM: cloudwatch:PutMetricAlarm, on the alarm."""
    client.put_metric_alarm(**{**alarm, "AlarmName": name})


@aws_call("delete the alarms {names}")
def delete_alarms(client: Client, names: Sequence[str]) -> None:
    """DeleteAlarms, up to 100. IAM: cloudwatch:DeleteAlarms, on the alarms."""
    client.delete_alarms(AlarmNames=list(names))


@aws_call("read dashboard {name}")
def get_dashboard(client: Client, name: str) -> str | None:
    """GetDashboard: its body, None if there is none. IAM: cloudwatch:GetDashboard, on the dashboard."""
    try:
        return str(client.get_dashboard(DashboardName=name)["DashboardBody"])
    except is_boto3_error_code(["ResourceNotFound", "DashboardNotFoundError", "ResourceNotFoundException"]):
        return None


@aws_call("write dashboard {name}")
def put_dashboard(client: Client, name: str, body: str) -> None:
    """PutDashboard: creates the dashboard or replaces it. IAM: cloudwatch:PutDashboard, on the dashboard."""
    client.put_dashboard(DashboardName=name, DashboardBody=body)


@aws_call("delete dashboard {name}")
def delete_dashboard(client: Client, name: str) -> None:
    """DeleteDashboards. IAM: cloudwatch:DeleteDashboards, on the dashboard."""
    client.delete_dashboards(DashboardNames=[name])
