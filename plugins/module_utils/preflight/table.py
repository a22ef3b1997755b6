# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rows as lines for a terminal: aligned, folded, no line longer than asked for. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from .rows import Row, Status

# With what Ansible prints around a line of a list, 120 columns are not exceeded.
WIDTH = 108
_SUBJECT = 26
_HEAD = ("STATUS", "CHECK", "WHAT", "RESULT")


def table(rows: Sequence[Row], width: int = WIDTH) -> list[str]:
    """Return a header and the rows. Equal positive rows are folded into one, negative ones never."""
    cells = [_HEAD, *(_cells(row) for row in fold(rows))]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    widths[2] = min(widths[2], _SUBJECT)
    room = max(20, width - sum(widths) - 2 * 3)
    lines: list[str] = []
    for status, check, subject, message in cells:
        subjects = textwrap.wrap(subject, widths[2]) or [""]
        messages = textwrap.wrap(message, room, break_on_hyphens=False) or [""]
        for number in range(max(len(subjects), len(messages))):
            first = (status, check) if number == 0 else ("", "")
            parts = (*first, _at(subjects, number), _at(messages, number))
            lines.append("  ".join(part.ljust(size) for part, size in zip(parts, (*widths, 0), strict=True)).rstrip())
    return lines


def fold(rows: Iterable[Row]) -> list[Row]:
    """Rights of one service with the same result become one row, unless they are missing."""
    folded: list[Row] = []
    observed: dict[tuple[str, str, Status, str], list[str]] = {}
    places: dict[int, tuple[str, str, Status, str]] = {}
    for row in rows:
        service, separator, action = row.subject.partition(":")
        key = (row.check, service, row.status, row.message)
        if row.check != "rights" or row.status is Status.FAILED or not separator:
            folded.append(row)
        elif key in observed:
            observed[key].append(action)
        else:
            observed[key] = [action]
            places[len(folded)] = key
            folded.append(row)
    for place, key in places.items():
        if len(observed[key]) > 1:
            check, service, status, message = key
            names = f": {', '.join(observed[key])}" if status is Status.WARNING else ""
            folded[place] = Row(check, f"{service}, {len(observed[key])} actions", status, message + names)
    return folded


def _cells(row: Row) -> tuple[str, str, str, str]:
    status = row.status.value
    shown = status.upper() if row.status in (Status.FAILED, Status.WARNING) else status
    return shown, row.check, row.subject, " ".join(row.message.split())


def _at(parts: Sequence[str], number: int) -> str:
    return parts[number] if number < len(parts) else ""
