# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A recording as JSON objects, in an array or one after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

from ...spec.errors import InstantError, SampleError
from ..samples import figure_or_none
from .base import (
    BATCH,
    INSTANTS,
    Batches,
    Columns,
    Figures,
    Recording,
    batch_of,
    bound_of,
    metrics_of,
    numbers_of,
    present,
    require_metric,
)
from .instants import any_instants, instant_of
from .json_stream import JsonStream


def read_objects(reader: JsonStream, desired: Columns) -> Recording:
    """Return the recording of objects with an instant and the metrics, flat or under ``values`` or ``sample``.

    They are in an array or one after another. Raises SampleError.
    """
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
    known = present(desired, list(there))
    require_metric(list(known), list(there))
    return Recording(metrics_of(list(known)), _object_batches(chain([first], items), when, inner, known))


def _object_batches(items: Iterator[Any], when: str, inner: str | None, known: Mapping[str, str]) -> Batches:
    """Yield the samples column by column; a batch with an odd object goes one by one, to name the one that is wrong."""
    before, names = 0, list(known)
    while part := list(islice(items, BATCH)):
        try:
            figures = [(item[inner] or {}) if inner else item for item in part]
            columns = [numbers_of([each.get(at) for each in figures], bound_of(name)) for name, at in known.items()]
            yield batch_of(names, any_instants([item[when] for item in part]), columns)
        except (ValueError, TypeError, KeyError, AttributeError, InstantError):
            rows = [_object(item, when, inner, known, before + at) for at, item in enumerate(part, start=1)]
            yield batch_of(names, [now for now, _figures in rows], list(zip(*(row[1] for row in rows), strict=True)))
        before += len(part)


def _object(item: Any, when: str, inner: str | None, known: Mapping[str, str], number: int) -> tuple[float, Figures]:
    try:
        figures = (item[inner] or {}) if inner else item
        return instant_of(item[when]), tuple(figure_or_none(metric, figures.get(at)) for metric, at in known.items())
    except (SampleError, InstantError, KeyError, TypeError, AttributeError) as error:
        raise SampleError(f"object {number}: {type(error).__name__}: {error}") from error
