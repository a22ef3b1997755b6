# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Recorded samples as a stream: CSV, JSON (array or lines of objects), CloudWatch get-metric-data output as it comes.

Readers take an open text stream and hold one sample, or one chunk of text, at a time. CloudWatch's output has each
metric's instants and figures in arrays of their own, newest first: these are kept as packed numbers, 16 bytes a figure.
"""

from __future__ import annotations

import csv
import json
import math
import operator
import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, TextIO, TypeAlias

from ..spec.errors import InstantError, SampleError
from ..spec.policy import PERCENTAGES, UNITS
from ..spec.times import as_instant
from .samples import SENTINEL, figure_or_none

Figures: TypeAlias = "tuple[float | None, ...]"
#: Instants with their figures, in the order of the recording's metrics; lists of some thousand, or fewer.
Batch = list[tuple[float, Figures]]
Batches = Iterator[Batch]

#: Names under which a recording may have its instants.
INSTANTS = ("timestamp", "time", "at", "date", "datetime", "sampled_at", "_time")

#: Samples handed on at a time.
BATCH = 4096
_CHUNK = 1 << 16
_BLANK = " \t\r\n"
_BETWEEN = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class Recording:
    """``metrics``: which figures a sample has, in the order of UNITS."""

    metrics: tuple[str, ...]
    batches: Batches


def read_recording(stream: TextIO, names: Mapping[str, str] | None = None, form: str = "auto") -> Recording:
    """The recording in this stream. ``names``: metric → what it is called there (column, key, CloudWatch Id or Label).

    ``form``: csv, json, or auto (by the first character). :class:`~.errors.SampleError` names the line that is wrong.
    """
    reader = _Reader(stream)
    wanted = {metric: (names or {}).get(metric, metric) for metric in UNITS}
    unknown = sorted(set(names or {}) - set(UNITS))
    if unknown:
        raise SampleError(f"metric_names.{', '.join(unknown)}: no such metric; known are {', '.join(UNITS)}")
    first = reader.peek()
    if first == "":
        raise SampleError("the recording is empty")
    if form == "csv" or (form == "auto" and first not in "[{"):
        return _csv(reader, wanted)
    if first == "{" and '"MetricDataResults"' in reader.text:
        return _cloudwatch(reader, wanted)
    return _objects(reader, wanted)


# -- CSV --------------------------------------------------------------------------------------------------------------


def _csv(reader: _Reader, wanted: Mapping[str, str]) -> Recording:
    table = csv.reader(reader.lines())
    header = [cell.strip().lower().removeprefix("\ufeff") for cell in next(table)]
    when = next((header.index(name) for name in INSTANTS if name in header), None)
    if when is None:
        raise SampleError(f"the first line must name a column {', '.join(INSTANTS[:-1])}; it has {', '.join(header)}")
    columns = {metric: header.index(name.lower()) for metric, name in wanted.items() if name.lower() in header}
    _some(columns, header)
    return Recording(tuple(columns), _csv_batches(table, when, columns))


def _csv_batches(table: Any, when: int, columns: Mapping[str, int]) -> Batches:
    """Column by column, which is quick; a batch that has something odd in it goes row by row, cell by cell."""
    parse: Callable[[str], float] | None = None
    while rows := list(islice(table, BATCH)):
        parse = parse or _parser(rows[0][when] if len(rows[0]) > when else "")
        try:
            yield _quick(rows, when, columns, parse)
        except (ValueError, IndexError):
            first = table.line_num - len(rows) + 1
            yield [_careful(row, when, columns, first + at) for at, row in enumerate(rows) if any(row)]


def _quick(rows: list[list[str]], when: int, columns: Mapping[str, int], parse: Callable[[str], float]) -> Batch:
    """Raises ValueError for rows of different lengths, and for what is no figure."""
    cells = list(zip(*rows, strict=True))
    figures = [_column(cells[index], _bound(name)) for name, index in columns.items()]
    return list(zip(map(parse, cells[when]), zip(*figures, strict=True), strict=True))


def _column(cells: Sequence[str], bound: float) -> Sequence[float | None]:
    """Figures from 0 to ``bound``; None for an empty cell and for what lies beyond."""
    if all(cells):
        whole = list(map(float, cells))
        if min(whole) >= 0 and max(whole) <= bound and math.isfinite(sum(whole)):
            return whole
        return [value if 0 <= value <= bound else None for value in whole]
    return [value if 0 <= (value := float(cell or -1)) <= bound else None for cell in cells]


def _careful(row: Sequence[str], when: int, columns: Mapping[str, int], line: int) -> tuple[float, Figures]:
    try:
        padded = [*row, *[""] * (1 + max(when, *columns.values()) - len(row))]
        figures = tuple(figure_or_none(name, padded[index]) for name, index in columns.items())
        return _instant(padded[when]), figures
    except (SampleError, InstantError) as error:
        raise SampleError(f"line {line}: {error}") from error


def _bound(name: str) -> float:
    return 100.0 if name in PERCENTAGES else math.nextafter(SENTINEL, 0)


def _some(found: Mapping[str, Any], there: Sequence[str]) -> None:
    if not found:
        raise SampleError(
            f"the recording has none of {', '.join(UNITS)} but {', '.join(there)}; metric_names tells which is which"
        )


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
    """A quick way to read instants that are written like this one."""
    if sample.strip().replace(".", "", 1).isdigit():
        return float
    try:
        return _iso_with_zone if datetime.fromisoformat(sample.strip()).tzinfo else _iso_without_zone
    except ValueError:
        return _instant


_from_iso, _timestamp = datetime.fromisoformat, datetime.timestamp


def _iso_with_zone(text: str) -> float:
    return _timestamp(_from_iso(text))


def _iso_without_zone(text: str) -> float:
    return _timestamp(_from_iso(text).replace(tzinfo=UTC))


# -- JSON objects -----------------------------------------------------------------------------------------------------


def _objects(reader: _Reader, wanted: Mapping[str, str]) -> Recording:
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
    known = {metric: name for metric, name in wanted.items() if name in there}
    _some(known, list(there))
    return Recording(tuple(known), _object_batches(chain([first], items), when, inner, known))


def _object_batches(items: Iterator[Any], when: str, inner: str | None, known: Mapping[str, str]) -> Batches:
    """Column by column where every object is as expected; else object by object, to name the one that is wrong."""
    before, parse = 0, None
    while part := list(islice(items, BATCH)):
        try:
            parse = parse or _parser(str(part[0][when]))
            figures = [(item[inner] or {}) if inner else item for item in part]
            columns = [_numbers([each.get(at) for each in figures], _bound(name)) for name, at in known.items()]
            instants = map(parse, [item[when] for item in part])
            yield list(zip(instants, zip(*columns, strict=True), strict=True))
        except (ValueError, TypeError, KeyError, AttributeError):
            yield [_object(item, when, inner, known, before + at) for at, item in enumerate(part, start=1)]
        before += len(part)


def _numbers(given: list[Any], bound: float) -> Sequence[float | None]:
    """Figures from 0 to ``bound``, None for null and for what lies beyond; TypeError for what is no number in JSON."""
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


def _cloudwatch(reader: _Reader, wanted: Mapping[str, str]) -> Recording:
    """``aws cloudwatch get-metric-data`` output, one page or several after another."""
    names = {name.lower(): metric for metric, name in wanted.items()}
    series: dict[str, _Series] = {}
    seen: list[str] = []
    while reader.peek() == "{":
        for key in reader.members():
            if key == "MetricDataResults":
                _results(reader, names, series, seen)
            else:
                reader.value()
    _some(series, seen)
    ordered = {metric: _sorted(series[metric]) for metric in UNITS if metric in series}
    return Recording(tuple(ordered), _joined(tuple(ordered), list(ordered.values())))


def _results(reader: _Reader, names: Mapping[str, str], series: dict[str, _Series], seen: list[str]) -> None:
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
        seen.extend(labels)
        metric = next((names[label.lower()] for label in labels if label.lower() in names), None)
        if len(found.instants) != len(found.figures):
            many = f"{len(found.instants)} Timestamps and {len(found.figures)} Values"
            raise SampleError(f"{' '.join(labels) or 'a result'} has {many}")
        if metric:
            whole = series.setdefault(metric, _Series(array("d"), array("d")))
            whole.instants.extend(found.instants)
            whole.figures.extend(found.figures)


def _sorted(series: _Series) -> _Series:
    """Oldest first. CloudWatch gives the newest first unless asked otherwise (ScanBy in its API reference)."""
    instants, figures = series.instants, series.figures
    if all(map(operator.le, instants, islice(instants, 1, None))):
        return series
    if all(map(operator.ge, instants, islice(instants, 1, None))):
        return _Series(instants[::-1], figures[::-1])
    order = sorted(range(len(instants)), key=instants.__getitem__)
    return _Series(array("d", map(instants.__getitem__, order)), array("d", map(figures.__getitem__, order)))


def _joined(names: Sequence[str], series: Sequence[_Series]) -> Batches:
    """One row an instant; a metric without a figure for it has None."""
    aligned = all(each.instants == series[0].instants for each in series)
    rows = _side_by_side(series) if aligned else _merged(series)
    bounds = [_bound(name) for name in names]
    while batch := list(islice(rows, BATCH)):
        columns = [_numbers(list(column), bound) for column, bound in zip(zip(*(f for _ignored, f in batch)), bounds)]  # noqa: B905
        yield list(zip([now for now, _ignored in batch], zip(*columns, strict=True), strict=True))


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
        """What is left, line by line."""
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
        """The next character that is not blank; empty at the end."""
        while True:
            while self.at < len(self.text):
                if self.text[self.at] not in _BLANK and self.text[self.at] != "\ufeff":
                    return self.text[self.at]
                self.at += 1
            if not self._more():
                return ""

    def skip(self, wanted: str) -> None:
        if self.peek() != wanted:
            raise SampleError(
                f"the recording is no JSON: {wanted!r} expected where it has {self.peek() or 'its end'!r}"
            )
        self.at += 1

    def value(self) -> Any:
        """The next value, whole."""
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
        """The values that follow one another, with commas between them or not, up to a ] or the end."""
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
        """Stops at each element of an array; who iterates takes it."""
        yield from self._parts("[", "]")

    def members(self) -> Iterator[str]:
        """The keys of an object; who iterates takes the value of each."""
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
        """The numbers or plain texts of an array."""
        self.skip("[")
        while (end := self.text.find("]", self.at)) < 0:
            comma = self.text.rfind(",", self.at)
            if comma > 0:
                yield from self._listed(comma)
            if not self._more():
                raise SampleError("the recording is no JSON: an array has no end")
        yield from self._listed(end)

    def _listed(self, end: int) -> list[Any]:
        """What stands between here and there, with commas between."""
        try:
            part: list[Any] = json.loads(f"[{self.text[self.at : end]}]")
        except ValueError as error:
            raise SampleError(f"the recording has an array that cannot be read: {error}") from error
        self.at = end + 1
        return part
