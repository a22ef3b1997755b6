# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A recording as CloudWatch returns it: each metric's instants and figures in arrays of their own, newest first.

They are kept as packed numbers, 8 bytes a figure and 8 an instant.
"""

from __future__ import annotations

import operator
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from ...spec.errors import SampleError
from .base import (
    BATCH,
    Batches,
    Columns,
    Figures,
    Recording,
    batch_of,
    bound_of,
    metrics_of,
    numbers_of,
    require_metric,
)
from .instants import instants_alike
from .json_stream import JsonStream


@dataclass(slots=True)
class _Series:
    """One metric's instants and figures."""

    instants: array[float]
    figures: array[float]


def read_cloudwatch(reader: JsonStream, desired: Columns) -> Recording:
    """Return the recording in the output of ``aws cloudwatch get-metric-data``, one page or several after another.

    Raises SampleError.
    """
    names = {other.lower(): name for name, others in desired.items() for other in others}
    series: dict[str, _Series] = {}
    observed: list[str] = []
    while reader.peek() == "{":
        for key in reader.members():
            if key == "MetricDataResults":
                _results(reader, names, series, observed)
            else:
                reader.value()
    require_metric(list(series), observed)
    ordered = {name: _sorted(series[name]) for name in desired if name in series}
    return Recording(metrics_of(list(ordered)), _joined(tuple(ordered), list(ordered.values())))


def _results(reader: JsonStream, names: Mapping[str, str], series: dict[str, _Series], observed: list[str]) -> None:
    for _turn in reader.elements():
        labels, found = [], _Series(array("d"), array("d"))
        for key in reader.members():
            if key == "Timestamps":
                found.instants.extend(instants_alike(reader.scalars()))
            elif key == "Values":
                found.figures.extend(map(float, reader.scalars()))
            else:
                value = reader.value()
                if key in ("Id", "Label"):
                    labels.append(str(value))
        observed.extend(labels)
        metric = next((names[label.lower()] for label in labels if label.lower() in names), None)
        if len(found.instants) != len(found.figures):
            many = f"{len(found.instants)} Timestamps and {len(found.figures)} Values"
            raise SampleError(f"{' '.join(labels) or 'a result'} has {many}")
        if metric:
            whole = series.setdefault(metric, _Series(array("d"), array("d")))
            whole.instants.extend(found.instants)
            whole.figures.extend(found.figures)


def _sorted(series: _Series) -> _Series:
    """Return the series, oldest first. CloudWatch's default is the newest first (ScanBy in its API reference)."""
    instants, figures = series.instants, series.figures
    if all(map(operator.le, instants, islice(instants, 1, None))):
        return series
    if all(map(operator.ge, instants, islice(instants, 1, None))):
        instants.reverse()
        figures.reverse()
        return series
    order = sorted(range(len(instants)), key=instants.__getitem__)
    return _Series(array("d", map(instants.__getitem__, order)), array("d", map(figures.__getitem__, order)))


def _joined(names: Sequence[str], series: Sequence[_Series]) -> Batches:
    """Yield one sample for each instant; a metric without a figure for it has None."""
    aligned = all(each.instants == series[0].instants for each in series[1:])
    rows = _side_by_side(series) if aligned else _merged(series)
    bounds = [bound_of(name) for name in names]
    while batch := list(islice(rows, BATCH)):
        columns = zip(*(figures for _now, figures in batch), strict=True)
        checked = [numbers_of(list(column), bound) for column, bound in zip(columns, bounds, strict=True)]
        yield batch_of(names, [now for now, _figures in batch], checked)


def _side_by_side(series: Sequence[_Series]) -> Iterator[tuple[float, Figures]]:
    yield from zip(series[0].instants, zip(*(each.figures for each in series), strict=True), strict=True)


def _merged(series: Sequence[_Series]) -> Iterator[tuple[float, Figures]]:
    places = [0] * len(series)
    while True:
        heads = [each.instants[at] for each, at in zip(series, places, strict=True) if at < len(each.instants)]
        if not heads:
            return
        now = min(heads)
        figures: list[float | None] = []
        for index, each in enumerate(series):
            at = places[index]
            if at < len(each.instants) and each.instants[at] == now:
                figures.append(each.figures[at])
                places[index] = at + 1
            else:
                figures.append(None)
        yield now, tuple(figures)
