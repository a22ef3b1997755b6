# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A row of the table: what was looked at, and how it stands. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Status(enum.Enum):
    """FAILED: the playbook would fail. WARNING: it may fail, or that is unknown. SKIPPED: there was nothing to
    check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Row:
    """``check``: what kind of thing; ``subject``: which one; ``message``: one line."""

    check: str
    subject: str
    status: Status
    message: str

    def result(self) -> dict[str, str]:
        return {
            "check": self.check,
            "subject": self.subject,
            "status": self.status.value,
            "message": " ".join(self.message.split()),
        }


def ok(check: str, subject: str, message: str) -> Row:
    return Row(check, subject, Status.OK, message)


def warning(check: str, subject: str, message: str) -> Row:
    return Row(check, subject, Status.WARNING, message)


def failed(check: str, subject: str, message: str) -> Row:
    return Row(check, subject, Status.FAILED, message)


def skipped(check: str, subject: str, message: str) -> Row:
    return Row(check, subject, Status.SKIPPED, message)


def unknown(check: str, subject: str, why: object) -> Row:
    """Return the row for what could not be read: missing right, no answer in time, or an invalid answer."""
    return warning(check, subject, f"could not be checked: {why}")


def passed(rows: Iterable[Row]) -> bool:
    return all(row.status is not Status.FAILED for row in rows)
