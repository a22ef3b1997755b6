# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Recorded samples as a stream: CSV, JSON (array or lines of objects), CloudWatch get-metric-data output as it comes.

Readers take an open text stream and hold one batch of samples, or one chunk of text, at a time. CloudWatch's output
has each metric's instants and figures in arrays of their own, newest first: these are kept as packed numbers, 8 bytes
a figure and 8 an instant.
"""

from __future__ import annotations

import csv
import json
import math
import operator
import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice, repeat
from typing import Any, TextIO, TypeAlias

from ..spec.errors import InstantError, SampleError
from ..spec.metrics import UNBOUNDED, WATCHED
from ..spec.times import as_instant
from .samples import figure_or_none

Figures: TypeAlias = "tuple[float | None, ...]"

#: How many nodes there were and how many reported; names under which a recording may have them.
COVERAGE: dict[str, tuple[str, ...]] = {
    "nodes_total": ("nodes_total", "nodes"),
    "nodes_reporting": ("nodes_reporting",),
}
#: Names under which a recording may have its instants.
INSTANTS = ("timestamp", "time", "at", "date", "datetime", "sampled_at", "_time")

#: Samples in a batch.
BATCH = 4096
_CHUNK = 1 << 16
_BLANK = " \t\r\n"
_BETWEEN = re.compile(r"[\s,]*")


@dataclass(slots=True)
class Batch:
    """Some thousand samples, column by column.

    Args:
        instants: Seconds since the epoch.
        columns: The figures of each metric, in the order of the recording's metrics.
        complete: Whether the figures cover all nodes; None: all of them do.
    """

    instants: Sequence[float]
    columns: Sequence[Sequence[float | None]]
    complete: Sequence[bool] | None = field(default=None)

    @classmethod
    def of_rows(cls, rows: Sequence[tuple[float, Figures]]) -> Batch:
        """Return the batch of these rows."""
        return cls([now for now, _figures in rows], list(zip(*(figures for _now, figures in rows), strict=True)))

    def rows(self) -> Iterator[tuple[float, Figures]]:
        """Yield the samples one by one."""
        return zip(self.instants, zip(*self.columns, strict=True), strict=True)


Batches = Iterator[Batch]


@dataclass(frozen=True, slots=True)
class Recording:
    """``metrics``: which figures a sample has, in the order of the registry."""

    metrics: tuple[str, ...]
    batches: Batches


def read_recording(stream: TextIO, names: Mapping[str, str] | None = None, form: str = "auto") -> Recording:
    """Return the recording in this stream.

    Args:
        stream: Open text.
        names: Metric to its name in the recording (column, key, CloudWatch Id or Label).
        form: csv, json, or auto (by the first character).

    Raises:
        SampleError: Names the line that is wrong.
    """
    reader = _Reader(stream)
    desired = {metric: ((names or {}).get(metric, metric),) for metric in WATCHED} | COVERAGE
    unknown = sorted(set(names or {}) - set(WATCHED))
    if unknown:
        raise SampleError(f"metric_names.{', '.join(unknown)}: no such metric; known are {', '.join(WATCHED)}")
    first = reader.peek()
    if first == "":
        raise SampleError("the recording is empty")
    if form == "csv" or (form == "auto" and first not in "[{"):
        return _csv(reader, desired)
    if first == "{" and '"MetricDataResults"' in reader.text:
        return _cloudwatch(reader, desired)
    return _objects(reader, desired)


Columns: TypeAlias = "Mapping[str, tuple[str, ...]]"


def _present(desired: Columns, there: Sequence[str]) -> dict[str, str]:
    """Return the desired columns that are there, by their names there."""
    return {name: known for name, others in desired.items() if (known := next((o for o in others if o in there), None))}


def _metrics(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in WATCHED)


def _batch(names: Sequence[str], instants: Sequence[float], columns: Sequence[Sequence[float | None]]) -> Batch:
    """Return the batch of these columns, those of the number of nodes among them."""
    known = dict(zip(names, columns, strict=True))
    total, reporting = known.pop("nodes_total", None), known.pop("nodes_reporting", None)
    complete = None
    if total is not None and reporting is not None:
        complete = [
            some is None or whole is None or some >= whole for some, whole in zip(reporting, total, strict=True)
        ]
    return Batch(instants, list(known.values()), complete)


def _bound(name: str) -> float:
    return WATCHED[name].highest if name in WATCHED else UNBOUNDED


def _some(found: Sequence[str], there: Sequence[str]) -> None:
    if not _metrics(found):
        raise SampleError(
            f"the recording has none of {', '.join(WATCHED)} but {', '.join(there)}; metric_names maps them"
        )


# -- CSV --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the columns of a table are. ``width``: cells of a line; ``columns``: name to place."""

    width: int
    when: int
    columns: Mapping[str, int]


def _csv(reader: _Reader, desired: Columns) -> Recording:
    lines = reader.lines()
    first = next(lines)
    header = [cell.strip().lower().removeprefix("\ufeff") for cell in next(csv.reader([first]))]
    when = next((header.index(name) for name in INSTANTS if name in header), None)
    if when is None:
        raise SampleError(f"the first line must name a column {', '.join(INSTANTS[:-1])}; it has {', '.join(header)}")
    lowered = {name: tuple(other.lower() for other in others) for name, others in desired.items()}
    columns = {name: header.index(known) for name, known in _present(lowered, header).items()}
    _some(list(columns), header)
    return Recording(_metrics(list(columns)), _csv_batches(lines, _Columns(len(header), when, columns)))


def _csv_batches(lines: Iterator[str], observed_pair: _Columns) -> Batches:
    """Yield the samples, column by column; a batch with an odd line goes line by line, cell by cell.

    Text without quotes is split directly, which takes half the time of a CSV parser.
    """
    number = 1
    while part := list(islice(lines, BATCH)):
        text = "".join(part)
        if '"' in text:
            yield from _quoted_batches(csv.reader(chain(part, lines)), observed_pair, number)
            return
        try:
            yield _quick(text, len(part), observed_pair)
        except (ValueError, IndexError, InstantError):
            yield _careful_batch(csv.reader(part), observed_pair, number)
        number += len(part)


def _quoted_batches(table: Any, observed_pair: _Columns, number: int) -> Batches:
    """Yield the samples of a table in which a cell may hold commas and line ends."""
    while rows := list(islice(table, BATCH)):
        first = number + table.line_num - len(rows) + 1
        yield _slow(((first + at, row) for at, row in enumerate(rows)), observed_pair)


def _careful_batch(table: Any, observed_pair: _Columns, number: int) -> Batch:
    return _slow(((number + table.line_num, row) for row in table), observed_pair)


def _slow(rows: Iterator[tuple[int, list[str]]], observed_pair: _Columns) -> Batch:
    read = [_careful(row, observed_pair, line) for line, row in rows if any(row)]
    columns = list(zip(*(figures for _now, figures in read), strict=True)) or [()] * len(observed_pair.columns)
    return _batch(list(observed_pair.columns), [now for now, _figures in read], columns)


def _quick(text: str, count: int, observed_pair: _Columns) -> Batch:
    """Parse a column. Raises ValueError for lines of different lengths, invalid figures and invalid instants."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    width = observed_pair.width
    lines = text.split("\n")
    if set(map(str.count, lines[:count], repeat(","))) != {width - 1}:
        raise ValueError
    cells = ",".join(lines).split(",")[: count * width]
    instants = _quick_instants(cells[observed_pair.when :: width])
    columns = [_column(cells[index::width], _bound(name)) for name, index in observed_pair.columns.items()]
    return _batch(list(observed_pair.columns), instants, columns)


def _column(cells: Sequence[str], bound: float) -> Sequence[float | None]:
    """Return figures from 0 to ``bound``; None for an empty cell and for what lies beyond."""
    if all(cells):
        whole = list(map(float, cells))
        if min(whole) >= 0 and max(whole) <= bound and math.isfinite(sum(whole)):
            return whole
        return [value if 0 <= value <= bound else None for value in whole]
    return [value if 0 <= (value := float(cell or -1)) <= bound else None for cell in cells]


def _careful(row: Sequence[str], observed_pair: _Columns, line: int) -> tuple[float, Figures]:
    columns, when = observed_pair.columns, observed_pair.when
    try:
        padded = [*row, *[""] * (1 + max(when, *columns.values()) - len(row))]
        figures = tuple(figure_or_none(name, padded[index]) for name, index in columns.items())
        return _instant(padded[when]), figures
    except (SampleError, InstantError) as error:
        raise SampleError(f"line {line}: {error}") from error


# -- instants ---------------------------------------------------------------------------------------------------------


def _instant(given: object) -> float:
    """ISO 8601, or seconds since the epoch as a number or its text."""
    if isinstance(given, str):
        text = given.strip()
        if text.replace(".", "", 1).isdigit():
            return round(float(text), 3)
        return as_instant(text, "the instant")
    return as_instant(given, "the instant")


def _instants(given: Iterator[Any]) -> Iterator[float]:
    """Instants that are written alike."""
    for first in given:
        yield _instant(first)
        yield from map(_parser(str(first)), given)


def _parser(sample: str) -> Callable[[str], float]:
    """Return a quick parser of instants written like this one."""
    if sample.strip().replace(".", "", 1).isdigit():
        return float
    try:
        return _iso_with_zone if datetime.fromisoformat(sample.strip()).tzinfo else _iso_without_zone
    except ValueError:
        return _instant


_from_iso, _timestamp = datetime.fromisoformat, datetime.timestamp


def _quick_instants(cells: Sequence[str]) -> list[float]:
    """Return the instants of these cells; raises ValueError for one that is none."""
    zone = next((zone for zone in ("Z", "+00:00") if cells[0].endswith(zone)), None)
    if zone and all(map(str.endswith, cells, repeat(zone))):  # a later one without a zone would be local time
        return list(map(_timestamp, map(_from_iso, cells)))
    if cells[0].strip().replace(".", "", 1).isdigit():
        return list(map(float, cells))
    return list(map(_instant, cells))


def _iso_with_zone(text: str) -> float:
    return _timestamp(_from_iso(text))


def _iso_without_zone(text: str) -> float:
    return _timestamp(_from_iso(text).replace(tzinfo=UTC))


# -- JSON objects -----------------------------------------------------------------------------------------------------


def _objects(reader: _Reader, desired: Columns) -> Recording:
    """Objects with an instant and the metrics, flat or under ``values`` or ``sample``; in an array or in a row."""
    if reader.peek() == "[":
        reader.skip("[")
    items = reader.values()
    first = next(items, None)
    if not isinstance(first, dict):
        raise SampleError(f"the recording must hold objects, not {first!r}")
    when = next((name for name in INSTANTS if name in first), None)
    if when is None:
        raise SampleError(f"an object must have one of {', '.join(INSTANTS)}; the first has {', '.join(first)}")
    inner = next((name for name in ("values", "sample") if isinstance(first.get(name), dict)), None)
    there = first[inner] if inner else first
    known = _present(desired, list(there))
    _some(list(known), list(there))
    return Recording(_metrics(list(known)), _object_batches(chain([first], items), when, inner, known))


def _object_batches(items: Iterator[Any], when: str, inner: str | None, known: Mapping[str, str]) -> Batches:
    """Yield the samples column by column; a batch with an odd object goes one by one, to name the one that is wrong."""
    before, names = 0, list(known)
    while part := list(islice(items, BATCH)):
        try:
            figures = [(item[inner] or {}) if inner else item for item in part]
            columns = [_numbers([each.get(at) for each in figures], _bound(name)) for name, at in known.items()]
            yield _batch(names, _any_instants([item[when] for item in part]), columns)
        except (ValueError, TypeError, KeyError, AttributeError, InstantError):
            rows = [_object(item, when, inner, known, before + at) for at, item in enumerate(part, start=1)]
            yield _batch(names, [now for now, _figures in rows], list(zip(*(row[1] for row in rows), strict=True)))
        before += len(part)


def _any_instants(given: Sequence[Any]) -> list[float]:
    """Return instants that are all text, or all numbers."""
    return _quick_instants(given) if isinstance(given[0], str) else list(map(_instant, given))


def _numbers(given: list[Any], bound: float) -> Sequence[float | None]:
    """Return figures from 0 to ``bound``, None for null and what lies beyond. TypeError for what is no number."""
    if any(isinstance(value, str | bool) for value in given):
        raise TypeError
    return [float(value) if value is not None and 0 <= value <= bound else None for value in given]


def _object(item: Any, when: str, inner: str | None, known: Mapping[str, str], number: int) -> tuple[float, Figures]:
    try:
        figures = (item[inner] or {}) if inner else item
        return _instant(item[when]), tuple(figure_or_none(metric, figures.get(at)) for metric, at in known.items())
    except (SampleError, InstantError, KeyError, TypeError, AttributeError) as error:
        raise SampleError(f"object {number}: {type(error).__name__}: {error}") from error


# -- CloudWatch -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Series:
    """One metric's instants and figures."""

    instants: array[float]
    figures: array[float]


def _cloudwatch(reader: _Reader, desired: Columns) -> Recording:
    """``aws cloudwatch get-metric-data`` output, one page or several after another."""
    names = {other.lower(): name for name, others in desired.items() for other in others}
    series: dict[str, _Series] = {}
    observed: list[str] = []
    while reader.peek() == "{":
        for key in reader.members():
            if key == "MetricDataResults":
                _results(reader, names, series, observed)
            else:
                reader.value()
    _some(list(series), observed)
    ordered = {name: _sorted(series[name]) for name in desired if name in series}
    return Recording(_metrics(list(ordered)), _joined(tuple(ordered), list(ordered.values())))


def _results(reader: _Reader, names: Mapping[str, str], series: dict[str, _Series], observed: list[str]) -> None:
    for _turn in reader.elements():
        labels, found = [], _Series(array("d"), array("d"))
        for key in reader.members():
            if key == "Timestamps":
                found.instants.extend(_instants(reader.scalars()))
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
    bounds = [_bound(name) for name in names]
    while batch := list(islice(rows, BATCH)):
        columns = zip(*(figures for _now, figures in batch), strict=True)
        checked = [_numbers(list(column), bound) for column, bound in zip(columns, bounds, strict=True)]
        yield _batch(names, [now for now, _figures in batch], checked)


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


# -- text -------------------------------------------------------------------------------------------------------------


class _Reader:
    """JSON by the piece, from a stream of text; never more of it in memory than a chunk and the value at hand."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._decoder = stream, json.JSONDecoder()
        self.text, self.at = stream.read(_CHUNK), 0

    def lines(self) -> Iterator[str]:
        """Yield the rest line by line."""
        rest, self.text = self.text[self.at :], ""
        head, newline, tail = rest.rpartition("\n")
        yield from (head + newline).splitlines(keepends=True)
        yield tail + self._stream.readline()
        yield from self._stream

    def _more(self) -> bool:
        chunk = self._stream.read(_CHUNK)
        self.text, self.at = self.text[self.at :] + chunk, 0
        return bool(chunk)

    def peek(self) -> str:
        """Return the next character that is not blank; empty at the end."""
        while True:
            while self.at < len(self.text):
                if self.text[self.at] not in _BLANK and self.text[self.at] != "\ufeff":
                    return self.text[self.at]
                self.at += 1
            if not self._more():
                return ""

    def skip(self, desired: str) -> None:
        if self.peek() != desired:
            raise SampleError(
                f"the recording is no JSON: {desired!r} expected where it has {self.peek() or 'its end'!r}"
            )
        self.at += 1

    def value(self) -> Any:
        """Return the next value, whole."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self.text, self.at)
            except ValueError as error:
                if not self._more():
                    raise SampleError(f"the recording is no JSON: {error}") from error
                continue
            if end == len(self.text) and self._more():
                continue  # a number may go on in the next chunk
            self.at = end
            return value

    def values(self) -> Iterator[Any]:
        """Return the values that follow one another, with commas between them or not, up to a ] or the end."""
        decode, after = self._decoder.raw_decode, _BETWEEN.match
        while self.peek() not in ("", "]"):
            yield self.value()
            text, at = self.text, self.at
            try:  # as far as the text at hand goes, without ado
                while (begin := after(text, at).end()) < len(text) - 1 and text[begin] != "]":  # type: ignore[union-attr]
                    self.at = begin
                    value, at = decode(text, begin)
                    if at >= len(text):
                        break
                    self.at = at
                    yield value
            except ValueError:
                pass
            if self.peek() == ",":
                self.at += 1

    def elements(self) -> Iterator[None]:
        """Stop at each element of an array; the caller takes it."""
        yield from self._parts("[", "]")

    def members(self) -> Iterator[str]:
        """Yield the keys of an object; the caller takes the value of each."""
        for _turn in self._parts("{", "}"):
            key = str(self.value())
            self.skip(":")
            yield key

    def _parts(self, opening: str, closing: str) -> Iterator[None]:
        self.skip(opening)
        if self.peek() != closing:
            yield
            while self.peek() == ",":
                self.at += 1
                yield
        self.skip(closing)

    def scalars(self) -> Iterator[Any]:
        """Yield the numbers or plain texts of an array."""
        self.skip("[")
        while (end := self.text.find("]", self.at)) < 0:
            comma = self.text.rfind(",", self.at)
            if comma > 0:
                yield from self._listed(comma)
            if not self._more():
                raise SampleError("the recording is no JSON: an array has no end")
        yield from self._listed(end)

    def _listed(self, end: int) -> list[Any]:
        """Return the text between two positions, split at commas."""
        try:
            part: list[Any] = json.loads(f"[{self.text[self.at : end]}]")
        except ValueError as error:
            raise SampleError(f"the recording has an array that cannot be read: {error}") from error
        self.at = end + 1
        return part
