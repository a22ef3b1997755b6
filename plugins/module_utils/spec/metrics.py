# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The registry of metrics: what an appliance measures, in which unit, and how the figures of a zone's nodes combine.

A metric is one line in ``METRICS``. Policies, aggregates, module options, CloudWatch publishing, replay and report
take names, units, bounds and NITRO fields from here, so a new line is all that a new metric needs in code.

Source of the fields: NITRO API reference, stat/ns. The ``ena*limitexceeded`` counters are those of the ENA driver
(AWS, "Monitor network performance for ENA settings": ``bw_in_allowance_exceeded`` and its siblings).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

#: What NITRO answers where it has no figure (an unsigned 32-bit -1, for instance in ``rescpuusagepcnt``).
SENTINEL = 2**32 - 1
#: The largest value that is believed of a figure without a bound of its own.
UNBOUNDED = float(SENTINEL - 1)


class Combine(enum.Enum):
    """How the figures of the nodes become the figure of the zone."""

    MEAN = "mean"
    SUM = "sum"


class Kind(enum.Enum):
    """What the appliance reports: a level, a rate per second, or a count since it started."""

    GAUGE = "gauge"
    RATE = "rate"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Args:
        name: The name in policies, samples, results and recordings.
        unit: As messages print it after a number, with its leading blank.
        combine: How the figures of the nodes combine.
        fields: The NITRO fields whose sum is the figure.
        kind: A counter becomes events per minute between two readings of one node.
        cloudwatch: The unit in CloudWatch (API reference, MetricDatum).
        highest: The largest value that is believed.
        resource: The statistics resource that has the fields.
        watched: Whether a policy may set limits for it.
        whole: Whether the figure is a whole number.
        optional: Whether releases exist that do not report the fields; then their absence is no error.
    """

    name: str
    unit: str
    combine: Combine
    fields: tuple[str, ...]
    kind: Kind
    cloudwatch: str
    highest: float = UNBOUNDED
    resource: str = "ns"
    watched: bool = True
    whole: bool = False
    optional: bool = False


_ENA = ("enainbwlimitexceeded", "enaoutbwlimitexceeded", "enappslimitexceeded", "enaconntracklimitexceeded")

#: In the order in which messages and results name them.
METRICS: tuple[Metric, ...] = (
    Metric("cpu", " %", Combine.MEAN, ("pktcpuusagepcnt",), Kind.GAUGE, "Percent", highest=100.0),
    Metric("memory", " %", Combine.MEAN, ("memusagepcnt",), Kind.GAUGE, "Percent", highest=100.0),
    Metric("throughput", " Mbit/s", Combine.SUM, ("rxmbitsrate", "txmbitsrate"), Kind.RATE, "Megabits/Second"),
    Metric("connections", "", Combine.SUM, ("tcpcurclientconn",), Kind.GAUGE, "Count", whole=True),
    Metric("http_requests", " /s", Combine.SUM, ("httprequestsrate",), Kind.RATE, "Count/Second", optional=True),
    Metric("ena_limited", " /min", Combine.SUM, _ENA, Kind.COUNTER, "Count", optional=True),
    Metric("cpu_management", " %", Combine.MEAN, ("mgmtcpuusagepcnt",), Kind.GAUGE, "Percent", 100.0, watched=False),
)

#: Measured for a whole zone, not by its appliances. Source: CloudWatch metrics of Network Load Balancers,
#: PortAllocationErrorCount: connections that failed because no port was left for the translation of client addresses.
ZONE_METRICS: tuple[Metric, ...] = (Metric("port_errors", " /min", Combine.SUM, (), Kind.RATE, "Count", optional=True),)

#: Metric of appliances by name.
REGISTRY: dict[str, Metric] = {metric.name: metric for metric in METRICS}
#: Those for which a policy may set limits, by name.
WATCHED: dict[str, Metric] = {metric.name: metric for metric in (*METRICS, *ZONE_METRICS) if metric.watched}
#: Those of them that appliances measure, by name.
OF_APPLIANCES: dict[str, Metric] = {name: metric for name, metric in WATCHED.items() if name in REGISTRY}
#: Those that are counters.
COUNTERS: tuple[Metric, ...] = tuple(metric for metric in METRICS if metric.kind is Kind.COUNTER)
#: The statistics resources that have all fields, each once.
RESOURCES: tuple[str, ...] = tuple(dict.fromkeys(metric.resource for metric in METRICS))
