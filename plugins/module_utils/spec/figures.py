# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Figures of an appliance out of its statistics, and the aggregate over the nodes of a zone. Pure.

Fields and their traps: counters come as strings, rates and percentages as numbers; what an appliance cannot measure it
reports as the all-ones of an unsigned counter (``rescpuusagepcnt`` 4294967295 on a machine with one CPU).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any, Optional

from .metrics import COUNTERS, METRICS, OF_APPLIANCES, REGISTRY, SENTINEL, UNBOUNDED, Combine, Metric

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


class Figures(dict[str, Optional[float]]):  # noqa: UP045 (pylint refuses | in a base class)
    """One appliance's figure of every metric; None where there is none. ``Figures(cpu=41.5)``: the others are None."""

    def __init__(self, **values: float | None) -> None:
        if unknown := values.keys() - REGISTRY.keys():
            raise KeyError(f"no such metric: {', '.join(sorted(unknown))}")
        super().__init__({name: values.get(name) for name in REGISTRY})

    @property
    def reports(self) -> bool:
        """Whether any figure that counts for scaling is there."""
        return any(self[name] is not None for name in OF_APPLIANCES)


@dataclass(frozen=True, slots=True)
class Reading:
    """What polling one appliance gave.

    Args:
        nsip: The address as it was polled.
        reachable: Whether it answered at all.
        figures: Its figures; those of counters are None until :func:`with_rates` has two readings.
        error: Which figures are missing and why.
        totals: The counters as they stand, by metric.
        refused: Whether it refused the login, or its certificate is not trusted.
    """

    nsip: str
    reachable: bool
    figures: Figures
    error: str | None = None
    totals: Mapping[str, float] = field(default_factory=dict)
    refused: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the reading as modules return it."""
        known = {"nsip": self.nsip, "reachable": self.reachable, **self.figures, "error": self.error}
        return {**known, "counters": dict(self.totals)}


@dataclass(frozen=True, slots=True)
class Counted:
    """The counters of a node at an instant (seconds since the epoch), by metric."""

    at: float
    totals: Mapping[str, float]


class Fields:
    """One reply, read field by field; what could not be believed is collected in ``problems``.

    Every source of figures is read with it: what is believed does not depend on the source.
    """

    def __init__(self, reply: Mapping[str, Any]) -> None:
        self._reply = reply
        self.problems: list[str] = []

    def number(self, name: str, *, highest: float = UNBOUNDED, optional: bool = False) -> float | None:
        """Return the field as a number from 0 to ``highest``, or None with a problem noted.

        Args:
            name: The field.
            highest: The largest value that is believed.
            optional: Whether a missing field is no problem.
        """
        value = self._reply.get(name)
        number = tolerant_float(value)
        if number is None:
            if value is None and optional:
                return None
            self.problems.append(f"{name} is missing" if value is None else f"{name} is {_shown(value)}, not a number")
        elif number == SENTINEL:
            self.problems.append(f"{name} is {SENTINEL}, which means not available")
            return None
        elif not 0 <= number <= highest:
            self.problems.append(f"{name} is {_shown(value)}, outside 0 to {highest:g}")
            return None
        return number


def _shown(value: object) -> str:
    """Quote an external value in a message, with limited length."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def tolerant_float(value: object) -> float | None:
    """``float(str(value))`` for what an appliance sends: None for anything that is not a finite decimal number.

    Booleans are no numbers here, nor are ``nan``, ``inf``, ``1_000`` or digits of other scripts.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value) if not isinstance(value, int) or abs(value) < 10**300 else ""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def believed(metric: Metric, value: float | None) -> float | None:
    """Round a figure as results show it: whole numbers whole, sums of rates to six digits."""
    if value is None or metric.highest < UNBOUNDED:
        return value
    return round(value) if metric.whole else round(value, 6)


def parse_stats(replies: Mapping[str, object]) -> tuple[Figures, dict[str, float], list[str]]:
    """Return figures, counters and problems of one appliance. Never raises.

    Args:
        replies: The body of each statistics resource by its name, as an object or as a list of one.
    """
    rows = {name: _row(reply) for name, reply in replies.items()}
    if not any(rows.values()):
        named = " and ".join(f"stat/{name}" for name in replies)
        return Figures(), {}, [f"the reply to {named} holds no figures"]
    readers = {name: Fields(row) for name, row in rows.items()}
    found = {metric.name: _figure(metric, readers[metric.resource]) for metric in METRICS}
    totals = {metric.name: total for metric in COUNTERS if (total := found.pop(metric.name)) is not None}
    return Figures(**found), totals, [problem for reader in readers.values() for problem in reader.problems]


def _row(reply: object) -> Mapping[str, Any]:
    row = reply[0] if isinstance(reply, list) and reply else reply
    return row if isinstance(row, Mapping) else {}


def _figure(metric: Metric, fields: Fields) -> float | None:
    parts = [fields.number(name, highest=metric.highest, optional=metric.optional) for name in metric.fields]
    known = [part for part in parts if part is not None]
    return believed(metric, math.fsum(known)) if len(known) == len(parts) else None


def reading_of(nsip: str, replies: Mapping[str, object]) -> Reading:
    """Return the reading of an appliance that answered. ``replies``: as :func:`parse_stats` takes them."""
    figures, totals, problems = parse_stats(replies)
    return Reading(nsip, True, figures, "; ".join(problems) or None, totals)


def with_rates(readings: Sequence[Reading], earlier: Mapping[str, Counted], at: float) -> list[Reading]:
    """Fill in the figures of counters: events per minute since an earlier reading of the same node.

    A counter that went back (a restart, counters cleared) or that has no earlier reading gives no figure.

    Args:
        readings: The readings of now.
        earlier: What was counted before, by address.
        at: The instant of ``readings``, in seconds since the epoch.
    """
    return [_rated(reading, earlier.get(reading.nsip), at) for reading in readings]


def _rated(reading: Reading, before: Counted | None, at: float) -> Reading:
    if before is None or at <= before.at:
        return reading
    minutes = (at - before.at) / 60
    rates = {
        name: round((total - before.totals[name]) / minutes, 6)
        for name, total in reading.totals.items()
        if total >= before.totals.get(name, math.inf)
    }
    return replace(reading, figures=Figures(**{**reading.figures, **rates}))


def counted(readings: Sequence[Reading], at: float) -> dict[str, Counted]:
    """Return the counters of these readings by address, for the next :func:`with_rates`."""
    return {reading.nsip: Counted(at, reading.totals) for reading in readings if reading.totals}


def aggregate(readings: Sequence[Reading]) -> dict[str, Any]:
    """Return the figures of all appliances together, each over those that report it; None for none.

    ``nodes_reporting`` counts the appliances that gave any figure, ``figures_reporting`` those that gave each of them.
    """
    known = {
        name: [value for reading in readings if (value := reading.figures[name]) is not None] for name in OF_APPLIANCES
    }
    return {
        **{name: _combined(OF_APPLIANCES[name], values) for name, values in known.items()},
        "nodes_total": len(readings),
        "nodes_reporting": sum(reading.figures.reports for reading in readings),
        "figures_reporting": {name: len(values) for name, values in known.items()},
    }


def _combined(metric: Metric, values: Sequence[float]) -> float | None:
    if not values:
        return None
    return fmean(values) if metric.combine is Combine.MEAN else believed(metric, math.fsum(values))


def with_zone_figure(sample: Mapping[str, Any], name: str, value: float) -> dict[str, Any]:
    """Return a sample with a figure that is measured for the whole zone, as if all nodes had reported it."""
    reporting = {**(sample.get("figures_reporting") or {}), name: sample["nodes_total"]}
    return {**sample, name: value, "figures_reporting": reporting}
