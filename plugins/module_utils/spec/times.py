# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Points in time: ISO 8601 outside, seconds since the epoch (to the millisecond) inside."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from .errors import InstantError

#: The years 1970 to 9000, in seconds since the epoch.
EARLIEST, LATEST = 0.0, 221845392000.0


def parse_instant(text: str, what: str = "now") -> float:
    """Return the seconds since the epoch of an ISO 8601 instant; UTC without a time zone.

    Rounded to the millisecond, so that an instant survives the way through its text unchanged.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InstantError(
            f"{what} must be an instant in ISO 8601 such as 2026-03-01T10:06:00Z, not {text!r}"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return _sound(moment.timestamp(), what)


def _sound(seconds: float, what: str) -> float:
    """Reject timestamps outside the supported range, because the ends of phases must be representable."""
    if not EARLIEST <= seconds <= LATEST:
        raise InstantError(f"{what} must lie between {to_iso(EARLIEST)} and {to_iso(LATEST)}")
    return round(seconds, 3)


def as_instant(value: object, what: str = "now") -> float:
    """Parse an instant: a text, a datetime or seconds since the epoch."""
    if isinstance(value, datetime):
        return parse_instant(value.isoformat(), what)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return _sound(float(value), what)
    if isinstance(value, str):
        return parse_instant(value, what)
    raise InstantError(f"{what} must be an instant in ISO 8601 such as 2026-03-01T10:06:00Z, not {value!r}")


def to_iso(seconds: float) -> str:
    """ISO 8601 in UTC with a Z; milliseconds only where there are any."""
    moment = datetime.fromtimestamp(seconds, UTC)
    spec = "milliseconds" if round(seconds * 1000) % 1000 else "seconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")


def later(instant: float, seconds: float) -> float:
    """Return the instant so many seconds after another, to the millisecond."""
    return round(instant + seconds, 3)


def to_clock(seconds: float) -> str:
    """Return the time of day in UTC, for messages: 10:06:00."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")


def span(seconds: float) -> str:
    """Return a duration for messages: 90 s, 10 min, 1.5 h."""
    if seconds < 120:
        return f"{seconds:g} s"
    if seconds < 7200:
        return f"{round(seconds / 60, 1):g} min"
    return f"{round(seconds / 3600, 1):g} h"
