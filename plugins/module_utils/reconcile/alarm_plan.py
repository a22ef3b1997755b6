# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""CloudWatch alarms and a dashboard of an autoscale group, from its policy and the figures that ticks publish. Pure.

Figures are those of ``reconcile.tick_metrics``: the watched metrics, ``nodes``, ``nodes_reporting``, ``decision``
and ``licence_grace``, with the dimensions group and zone. A tick without figures (a phase, no answer) publishes none.

Sources: CloudWatch API reference, PutMetricAlarm (period 10, 30 or a multiple of 60 seconds; EvaluationPeriods × Period
at most a day for periods below an hour), PutDashboard, "Dashboard body structure and syntax".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..aws.cloudwatch import NAMESPACE
from ..spec.errors import PolicyError
from ..spec.metrics import WATCHED
from ..spec.policy import Policy

Alarm = dict[str, Any]

#: Names of alarms and dashboards begin with it: policies permit no others.
PREFIX = "cloudadc-"
_A_DAY = 86400
#: Periods without a tick, or with silent nodes, until an alarm: one missing sample is no reason.
_MISSED = 5
#: What is compared of an alarm; CloudWatch returns more.
_COMPARED = (
    "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "MetricName", "Namespace", "Statistic",
    "Dimensions", "Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator",
    "TreatMissingData", "Metrics",
)  # fmt: skip


def prefix_of(group: str) -> str:
    """Return how the names of a group's alarms begin."""
    return f"{PREFIX}{group}-"


def dashboard_of(group: str) -> str:
    """Return the name of a group's dashboard."""
    return f"{PREFIX}{group}"


def alarms_of(group: str, zones: Sequence[str], policy: Policy, topics: Sequence[str]) -> list[Alarm]:
    """Return the alarms as PutMetricAlarm takes them.

    Args:
        group: Name of the group.
        zones: Its zones.
        policy: Its policy: limits and times.
        topics: What an alarm calls when it begins and when it ends (ARNs of SNS topics, …).
    """
    return [alarm for zone in zones for alarm in _of_zone(group, zone, policy, topics)]


def _of_zone(group: str, zone: str, policy: Policy, topics: Sequence[str]) -> list[Alarm]:
    period = max(60, math.ceil(policy.interval / 60) * 60)
    # Longer than any phase in which no figures are published, with room for provisioning and watching.
    quiet = max(policy.cooldown, policy.drain_timeout + policy.ttl / 60) + policy.watch_time
    silent_periods = _periods(quiet * 60, period) + _MISSED
    busy_periods = _periods((policy.watch_time + policy.cooldown) * 60, period) + _MISSED

    def alarm(name: str, text: str, compare: str, threshold: float, periods: int, **more: Any) -> Alarm:
        return {
            "AlarmName": f"{prefix_of(group)}{zone}-{name}",
            "AlarmDescription": f"Autoscale group {group}, {zone}: {text}",
            "ActionsEnabled": True,
            "AlarmActions": list(topics),
            "OKActions": list(topics),
            "EvaluationPeriods": min(periods, _A_DAY // period),
            "DatapointsToAlarm": min(periods, _A_DAY // period),
            "ComparisonOperator": compare,
            "Threshold": float(threshold),
            "TreatMissingData": "ignore",
            **more,
        }

    def figure(name: str, statistic: str = "Average") -> dict[str, Any]:
        return {
            "Namespace": NAMESPACE, "MetricName": name, "Dimensions": _dimensions(group, zone),
            "Period": period, "Statistic": statistic,
        }  # fmt: skip

    silent = [
        *(_query(f"m{number}", figure(name)) for number, name in enumerate(("nodes", "nodes_reporting"))),
        {"Id": "silent", "Expression": "m0 - m1", "Label": "nodes that do not report", "ReturnData": True},
    ]
    above, below = "GreaterThanThreshold", "LessThanThreshold"
    return [
        alarm(
            "no-ticks", "no tick has published figures. Nothing scales it.", below, 1, silent_periods,
            **figure("nodes", "SampleCount"), TreatMissingData="breaching",
        ),
        alarm(
            "silent-nodes", "nodes in service do not report their load. It does not scale in meanwhile.", above, 0,
            _MISSED, Metrics=silent,
        ),
        alarm(
            "at-maximum", f"it has {policy.max_nodes} nodes and cannot scale out.", "GreaterThanOrEqualToThreshold",
            policy.max_nodes, busy_periods, **figure("nodes"),
        ),
        alarm(
            "licence-grace", "nodes run in the grace period of their licence. They stop working at its end.", above, 0,
            1, **figure("licence_grace", "Maximum"),
        ),
        *(
            alarm(
                f"{limit.name.replace('_', '-')}-high",
                f"{limit.name} stays above {limit.maximum:g}{WATCHED[limit.name].unit}, although scaling out had time.",
                above, limit.maximum, busy_periods, **figure(limit.name),
            )
            for limit in policy.metrics
        ),
    ]  # fmt: skip


def _periods(seconds: float, period: int) -> int:
    return max(1, math.ceil(seconds / period))


def _dimensions(group: str, zone: str) -> list[dict[str, str]]:
    return [{"Name": "group", "Value": group}, {"Name": "zone", "Value": zone}]


def _query(name: str, figure: Mapping[str, Any]) -> dict[str, Any]:
    metric = {key: figure[key] for key in ("Namespace", "MetricName", "Dimensions")}
    stat = {"Metric": metric, "Period": figure["Period"], "Stat": figure["Statistic"]}
    return {"Id": name, "MetricStat": stat, "ReturnData": False}


def body_of(group: str, zones: Sequence[str], policy: Policy, region: str) -> str:
    """Return the body of the dashboard: a row a zone, one plot a metric with its limits, nodes and decisions."""
    widgets = []
    for row, zone in enumerate(zones):
        plots = [_plot(group, zone, [limit.name], limit.minimum, limit.maximum) for limit in policy.metrics]
        plots.append(_plot(group, zone, ["nodes", "nodes_reporting", "decision"], policy.min_nodes, policy.max_nodes))
        width = max(6, 24 // len(plots))
        widgets += [
            {
                "type": "metric", "x": place * width % 24,
                "y": 6 * (row * _rows(len(plots), width) + place * width // 24),
                "width": width, "height": 6, "properties": {**plot, "region": region},
            }
            for place, plot in enumerate(plots)
        ]  # fmt: skip
    return json.dumps({"widgets": widgets}, sort_keys=True)


def _rows(plots: int, width: int) -> int:
    return math.ceil(plots * width / 24)


def _plot(group: str, zone: str, names: Sequence[str], low: float, high: float) -> dict[str, Any]:
    lines = [{"label": "min", "value": low}, {"label": "max", "value": high}]
    return {
        "title": f"{zone}: {', '.join(names)}", "view": "timeSeries", "stat": "Average", "period": 60,
        "metrics": [[NAMESPACE, name, "group", group, "zone", zone] for name in names],
        "annotations": {"horizontal": lines}, "yAxis": {"left": {"min": 0}},
    }  # fmt: skip


def differing(desired: Sequence[Alarm], present: Sequence[Mapping[str, Any]]) -> tuple[list[Alarm], list[str]]:
    """Return the alarms to write, and the names of those that are no longer desired."""
    known = {alarm["AlarmName"]: comparable(alarm) for alarm in present}
    write = [alarm for alarm in desired if known.get(alarm["AlarmName"]) != comparable(alarm)]
    return write, sorted(known.keys() - {alarm["AlarmName"] for alarm in desired})


def comparable(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is ours of an alarm, as CloudWatch returns it; empty parts are left out."""
    return {key: alarm[key] for key in _COMPARED if alarm.get(key) not in (None, [], "")}


def same_body(one: str, other: str) -> bool:
    """Return whether two bodies of a dashboard say the same."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def policy_of(given: object) -> Policy:
    """Return the policy. Raises PolicyError if it is missing."""
    if not given:
        raise PolicyError("policy is needed: its limits and times are those of the alarms")
    return Policy.from_dict(given)
