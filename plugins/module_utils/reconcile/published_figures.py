# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Load figures of appliances that publish them to CloudWatch: the queries, and what the reply says of each node.

The vendor documents that appliances can publish, not the names they publish under: namespace and metrics are given by
the user. What makes a figure believable, and the aggregate, are those of figures read over NITRO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..aws.client import Client
from ..aws.cloudwatch import get_metric_data
from ..core.errors import Refusal
from ..spec.figures import Fields, Figures, Reading, believed
from ..spec.metrics import REGISTRY

#: MetricDataQueries in one GetMetricData at most (CloudWatch API reference, GetMetricData).
BATCH = 500
#: Periods below a minute that CloudWatch knows, in seconds (CloudWatch API reference, MetricStat).
SHORT_PERIODS = (1, 5, 10, 20, 30)
A_DAY = 86400


@dataclass(frozen=True, slots=True)
class Source:
    """Where the figures are. ``metrics``: figure to metric name; ``period``, ``max_age``: seconds."""

    namespace: str
    dimension: str
    metrics: Mapping[str, str]
    statistic: str
    period: int
    max_age: float

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Source:
        """Parse the suboptions of ``cloudwatch``; raises Refusal if they can give no figure."""
        metrics = {figure: name for figure, name in options["metrics"].items() if name is not None}
        if not metrics:
            raise Refusal(f"cloudwatch.metrics names no metric; give one at least of {', '.join(options['metrics'])}")
        texts = {name: options[name] for name in ("namespace", "dimension", "statistic")}
        for name, text in [*texts.items(), *((f"metrics.{figure}", name) for figure, name in metrics.items())]:
            if not text.strip():
                raise Refusal(f"cloudwatch.{name} is empty")
        period, max_age = options["period"], options["max_age"]
        if not (period in SHORT_PERIODS or (0 < period <= A_DAY and period % 60 == 0)):
            raise Refusal(
                "cloudwatch.period must be 1, 5, 10, 20, 30 or a multiple of 60 seconds up to a day, "
                f"as CloudWatch has it, not {period}"
            )
        if not period <= max_age <= A_DAY:
            raise Refusal(
                f"cloudwatch.max_age must be at least the period ({period} seconds) and at most a day, "
                f"not {max_age:g}: a figure bears the time at which its period began"
            )
        return cls(metrics=metrics, period=period, max_age=max_age, **texts)

    def window(self, now: float) -> tuple[float, float]:
        """StartTime and EndTime (exclusive), on the period's grid, in seconds since the epoch.

        It holds the period under way, and goes back twice ``max_age``, so that late figures are distinguished from
        missing ones.
        """
        return (now - 2 * self.max_age) // self.period * self.period, (now // self.period + 1) * self.period


def queries(source: Source, nodes: Sequence[str]) -> list[dict[str, Any]]:
    """MetricDataQueries: one for each node and metric; their Ids are those that ``readings`` looks for."""
    return [
        {
            "Id": _series(figure, place),
            "MetricStat": {
                "Metric": {
                    "Namespace": source.namespace,
                    "MetricName": name,
                    "Dimensions": [{"Name": source.dimension, "Value": node}],
                },
                "Period": source.period,
                "Stat": source.statistic,
            },
        }
        for place, node in enumerate(nodes)
        for figure, name in source.metrics.items()
    ]


def _series(figure: str, place: int) -> str:
    """Return the Id of a query: a lower-case letter first, then letters, digits and underscores (API reference)."""
    return f"{figure}_{place}"


@dataclass(frozen=True, slots=True)
class Series:
    """What came for one query: its latest point (``at``: seconds since the epoch) and why it may be without one."""

    at: float | None = None
    value: Any = None
    trouble: str | None = None

    def later(self, other: Series) -> Series:
        """Both parts of one series as one."""
        first, second = (self, other) if (self.at or 0) >= (other.at or 0) else (other, self)
        return Series(first.at, first.value, first.trouble or second.trouble)


def latest(results: Iterable[Mapping[str, Any]]) -> dict[str, Series]:
    """Return the latest point of each series by its Id; a series may come in parts, on several pages, in any order."""
    found: dict[str, Series] = {}
    for result in results:
        points = zip(result.get("Timestamps") or [], result.get("Values") or [], strict=False)
        newest = max(points, default=None, key=lambda point: point[0])
        at, value = (newest[0].timestamp(), newest[1]) if newest else (None, None)
        part = Series(at, value, _trouble(result))
        found[result["Id"]] = found.get(result["Id"], Series()).later(part)
    return found


def _trouble(result: Mapping[str, Any]) -> str | None:
    """Why CloudWatch gave less than all: its status (InternalError, Forbidden) and its messages, if any."""
    status = result.get("StatusCode")
    if status in (None, "Complete", "PartialData"):
        return None
    parts = [str(message.get("Value")) for message in result.get("Messages") or []]
    return ": ".join([f"CloudWatch says {status}", *parts])


def readings(source: Source, nodes: Sequence[str], series: Mapping[str, Series], now: float) -> list[Reading]:
    """One reading a node, in the order given; ``now``: seconds since the epoch. Never raises, as over NITRO."""
    return [
        _reading(source, node, {name: series.get(_series(name, place), Series()) for name in source.metrics}, now)
        for place, node in enumerate(nodes)
    ]


def _reading(source: Source, node: str, series: Mapping[str, Series], now: float) -> Reading:
    absent = {name: why for name, one in series.items() if (why := _absence(source, one, now))}
    labels = {name: f"{name} ({metric})" for name, metric in source.metrics.items()}
    fields = Fields({labels[name]: one.value for name, one in series.items()})
    read = {
        name: believed(REGISTRY[name], fields.number(labels[name], highest=REGISTRY[name].highest))
        for name in source.metrics
        if name not in absent
    }
    problems = [f"{labels[name]} {why}" for name, why in absent.items()] + fields.problems
    return Reading(node, len(absent) < len(series), Figures(**read), "; ".join(problems) or None)


def _absence(source: Source, series: Series, now: float) -> str | None:
    """Why this series has no figure of today's load, or None if it has one."""
    if series.at is None:
        start, _end = source.window(now)
        return f"is missing: {series.trouble or f'CloudWatch has none of the last {now - start:.0f} s'}"
    if now - series.at > source.max_age:
        return f"is {now - series.at:.0f} s old, which is more than {source.max_age:g} s (max_age)"
    return None


def read_figures(client: Client, source: Source, nodes: Sequence[str], now: float) -> list[Reading]:
    """Read the figures of all nodes: one GetMetricData (per 500 series) whatever their number. Raises AwsError."""
    desired = queries(source, nodes)
    batches = (desired[first : first + BATCH] for first in range(0, len(desired), BATCH))
    results = [result for batch in batches for result in get_metric_data(client, batch, source.window(now))]
    return readings(source, nodes, latest(results), now)
