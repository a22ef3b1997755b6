# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Entries that a store keeps beside its document: samples of a zone, events of a pair. Pure.

They are kept in chunks of an hour, so that no chunk is larger than what a store holds in one item (DynamoDB: 400 KB)
and old ones are removed as a whole. Within an hour each slot holds one entry: so a chunk is bounded, and what is
sent twice is stored once.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

HOUR = 3600.0


class Series(enum.Enum):
    """What is kept, each apart from the others. Value: its name."""

    SAMPLES = "samples"
    EVENTS = "events"

    @property
    def slot_seconds(self) -> float:
        """Return the seconds of which one entry is kept: at most 360 samples (60 KB) an hour, and each event."""
        return 10.0 if self is Series.SAMPLES else 0.001


#: Hours for which samples are kept unless an option says otherwise, and at most.
DEFAULT_HOURS, LONGEST_HOURS = 24.0, 168.0

Entry = dict[str, Any]


def chunk_of(at: float) -> str:
    """Return the name of the hour: 2026-03-01T10. Names sort in the order of time."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H")


def chunk_end(at: float) -> float:
    """Return the end of the hour of an instant, in seconds since the epoch."""
    return (at // HOUR + 1) * HOUR


def slot_of(at: float, series: Series) -> int:
    """Return the number of an instant's slot within its hour."""
    return int(round(at % HOUR, 3) / series.slot_seconds + 1e-6)


def dump_entry(at: float, entry: Entry) -> str:
    """Return the text of one entry, in one line."""
    return json.dumps({"at": round(at, 3), **entry}, separators=(",", ":"), allow_nan=False)


def entries_of(texts: Iterable[str], since: float) -> list[Entry]:
    """Return the entries of these texts from ``since`` on, oldest first. A text that is no entry is left out.

    They are shown and never decided on, so that a damaged one must not hide the others.
    """
    found = [entry for text in texts if (entry := _parsed(text)) is not None and entry["at"] >= since]
    return sorted(found, key=lambda entry: entry["at"])


def _parsed(text: str) -> Entry | None:
    try:
        entry = json.loads(text)
    except ValueError:
        return None
    good = isinstance(entry, dict) and isinstance(entry.get("at"), int | float) and not isinstance(entry["at"], bool)
    return entry if good else None
