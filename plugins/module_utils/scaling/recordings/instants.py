# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The instants of a recording: ISO 8601, or seconds since the epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

from ...spec.times import as_instant


def instant_of(given: object) -> float:
    """Return an instant in seconds since the epoch: from ISO 8601, or from seconds as a number or its text.

    Raises InstantError.
    """
    if isinstance(given, str):
        text = given.strip()
        if text.replace(".", "", 1).isdigit():
            return round(float(text), 3)
        return as_instant(text, "the instant")
    return as_instant(given, "the instant")


def instants_alike(given: Iterator[Any]) -> Iterator[float]:
    """Yield instants that are written alike. Raises InstantError."""
    for first in given:
        yield instant_of(first)
        yield from map(_parser(str(first)), given)


def _parser(sample: str) -> Callable[[str], float]:
    """Return a quick parser of instants written like this one."""
    if sample.strip().replace(".", "", 1).isdigit():
        return float
    try:
        return _iso_with_zone if datetime.fromisoformat(sample.strip()).tzinfo else _iso_without_zone
    except ValueError:
        return instant_of


_from_iso, _timestamp = datetime.fromisoformat, datetime.timestamp


def quick_instants(cells: Sequence[str]) -> list[float]:
    """Return the instants of these cells; raises ValueError for one that is none."""
    zone = next((zone for zone in ("Z", "+00:00") if cells[0].endswith(zone)), None)
    if zone and all(map(str.endswith, cells, repeat(zone))):  # a later one without a zone would be local time
        return list(map(_timestamp, map(_from_iso, cells)))
    if cells[0].strip().replace(".", "", 1).isdigit():
        return list(map(float, cells))
    return list(map(instant_of, cells))


def _iso_with_zone(text: str) -> float:
    return _timestamp(_from_iso(text))


def _iso_without_zone(text: str) -> float:
    return _timestamp(_from_iso(text).replace(tzinfo=UTC))


def any_instants(given: Sequence[Any]) -> list[float]:
    """Return instants that are all text, or all numbers."""
    return quick_instants(given) if isinstance(given[0], str) else list(map(instant_of, given))
