# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A tick of an autoscale group as CloudWatch metrics: a pure list of figures, and its publication.

Names of metrics are those of samples, so that what CloudWatch returns can be replayed as it comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.botocore import HAS_BOTO3
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..aws.cloudwatch import put_metric_data
from ..core.bounded_aws import bounded
from ..core.errors import Failure
from ..spec.metrics import WATCHED

#: A tick that scales out by 2 has decision 2; one that scales in by 1, -1; every other tick 0.
SIGNS = {"scale_out": 1, "scale_in": -1}


def metric_data(
    group: str,
    zone: str,
    at: float,
    figures: Mapping[str, float | None],
    nodes: int,
    decision: Mapping[str, Any],
    interval: float,
    reporting: float | None = None,
    in_grace: int | None = None,
) -> list[dict[str, Any]]:
    """Return the MetricData of one tick. ``at``: seconds since the epoch; ``decision``: of autoscale_evaluate.

    ``in_grace``: nodes in the grace period of their licence, None where licences were not read.
    A missing figure is left out: CloudWatch has no null. A resumed action counts as no decision. Ticks that
    come more often than once a minute are stored with a resolution of one second.
    """
    weight = 0 if decision["resumed"] else SIGNS.get(decision["action"], 0)
    shown = [(name, figures.get(name), metric.cloudwatch) for name, metric in WATCHED.items()]
    shown += [
        ("nodes", float(nodes), "Count"),
        ("nodes_reporting", reporting, "Count"),
        ("licence_grace", None if in_grace is None else float(in_grace), "Count"),
        ("decision", float(weight * decision["count"]), "Count"),
    ]
    dimensions = [{"Name": "group", "Value": group}, {"Name": "zone", "Value": zone}]
    return [
        {
            "MetricName": name,
            "Dimensions": dimensions,
            "Timestamp": datetime.fromtimestamp(at, UTC),
            "Value": figure,
            "Unit": unit,
            "StorageResolution": 1 if interval < 60 else 60,
        }
        for name, figure, unit in shown
        if figure is not None
    ]


class _Unending(AnsibleAWSModule):  # type: ignore[misc]
    """The same module where amazon.aws would end it for want of a region or a profile: that is an error like others."""

    def __init__(self, module: Any) -> None:  # pylint: disable=super-init-not-called
        self.__dict__.update(module.__dict__)

    def fail_json(self, *_args: Any, **result: Any) -> NoReturn:
        raise Failure(str(result.get("msg")))

    def fail_json_aws(self, exception: Exception, msg: str | None = None, **_result: Any) -> NoReturn:
        raise Failure(f"{msg}: {exception}")


def publish(module: Any, data: Sequence[Mapping[str, Any]], group_and_zone: str) -> bool:
    """Publish; False, and a warning, when it cannot be. Never ends the module, and takes a few seconds at most."""
    try:
        if not HAS_BOTO3:
            raise Failure(missing_required_lib("botocore and boto3", reason="to publish"))
        config = {"connect_timeout": 3, "read_timeout": 5, "retries": {"total_max_attempts": 1}}
        client = bounded(_Unending(module).client("cloudwatch", config=config))
        put_metric_data(client, data, group_and_zone)
    except Failure as error:
        module.warn(f"{group_and_zone}: the figures of this tick are not in CloudWatch, its decision stands: {error}")
        return False
    return True
