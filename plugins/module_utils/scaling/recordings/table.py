# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A recording as a table: CSV with a header."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import Any

from ...spec.errors import InstantError, SampleError
from ..samples import figure_or_none
from .base import (
    BATCH,
    INSTANTS,
    Batch,
    Batches,
    Columns,
    Figures,
    Recording,
    batch_of,
    bound_of,
    metrics_of,
    present,
    require_metric,
)
from .instants import instant_of, quick_instants
from .json_stream import JsonStream


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the columns of a table are. ``width``: cells of a line; ``columns``: name to place."""

    width: int
    when: int
    columns: Mapping[str, int]


def read_table(reader: JsonStream, desired: Columns) -> Recording:
    """Return the recording of a table. Raises SampleError."""
    lines = reader.lines()
    first = next(lines)
    header = [cell.strip().lower().removeprefix("\ufeff") for cell in next(csv.reader([first]))]
    when = next((header.index(name) for name in INSTANTS if name in header), None)
    if when is None:
        raise SampleError(f"the first line must name a column {', '.join(INSTANTS[:-1])}; it has {', '.join(header)}")
    lowered = {name: tuple(other.lower() for other in others) for name, others in desired.items()}
    columns = {name: header.index(known) for name, known in present(lowered, header).items()}
    require_metric(list(columns), header)
    return Recording(metrics_of(list(columns)), _csv_batches(lines, _Columns(len(header), when, columns)))


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
    return batch_of(list(observed_pair.columns), [now for now, _figures in read], columns)


def _quick(text: str, count: int, observed_pair: _Columns) -> Batch:
    """Parse a column. Raises ValueError for lines of different lengths, invalid figures and invalid instants."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    width = observed_pair.width
    lines = text.split("\n")
    if set(map(str.count, lines[:count], repeat(","))) != {width - 1}:
        raise ValueError
    cells = ",".join(lines).split(",")[: count * width]
    instants = quick_instants(cells[observed_pair.when :: width])
    columns = [_column(cells[index::width], bound_of(name)) for name, index in observed_pair.columns.items()]
    return batch_of(list(observed_pair.columns), instants, columns)


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
        return instant_of(padded[when]), figures
    except (SampleError, InstantError) as error:
        raise SampleError(f"line {line}: {error}") from error
