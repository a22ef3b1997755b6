# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where backups are in a bucket, which of them are too old, and which one is the last. Pure.

A key is ``<prefix>/<pair|group>/<name>/<node>/<time>-<role>-<instance>.tgz``. So everything that is needed to choose is
in the listing, and a listing below a node's folder has no other pair's or node's backup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

PRIMARY, SECONDARY, ALONE = "primary", "secondary", "standalone"
_TIME = "%Y%m%dT%H%M%SZ"
_FILE = re.compile(r"(\d{8}T\d{6}Z)-(primary|secondary|standalone)-([A-Za-z0-9._-]+)\.tgz")


@dataclass(frozen=True, slots=True, order=True)
class BackupName:
    """One stored backup. ``at`` is UTC, in a form that sorts. ``folder`` ends with a slash."""

    at: str
    folder: str
    role: str
    instance: str

    @property
    def key(self) -> str:
        return f"{self.folder}{self.at}-{self.role}-{self.instance}.tgz"

    @property
    def created_at(self) -> str:
        """The time in ISO 8601."""
        return datetime.strptime(self.at, _TIME).replace(tzinfo=UTC).isoformat()

    @property
    def node(self) -> str:
        return self.folder.rstrip("/").rpartition("/")[2]


def time_text(epoch: float) -> str:
    """Return a time in seconds since the epoch as names have it."""
    return datetime.fromtimestamp(epoch, UTC).strftime(_TIME)


def folder_of(prefix: str, kind: str, name: str, node: str = "") -> str:
    """Return the folder of a pair or group, or of one of its nodes; it ends with a slash."""
    parts = [*prefix.strip("/").split("/"), kind, name, *([node] if node else [])]
    return "/".join(part for part in parts if part) + "/"


def parse_names(keys: Iterable[str]) -> list[BackupName]:
    """Return the backups among the keys, oldest first; other objects are passed over."""
    found = []
    for key in keys:
        folder, _slash, file = key.rpartition("/")
        if match := _FILE.fullmatch(file):
            found.append(BackupName(match[1], f"{folder}/", match[2], match[3]))
    return sorted(found)


def surplus(names: Iterable[BackupName], retention: int | None) -> list[BackupName]:
    """Return the backups of one node beyond the newest ``retention``, oldest first; none without a retention."""
    ordered = sorted(names)
    return ordered[: max(0, len(ordered) - retention)] if retention else []


def last_of(names: Iterable[BackupName]) -> BackupName | None:
    """Return the newest backup of a node that was primary or alone; else the newest of all; None without any."""
    ordered = sorted(names)
    leading = [name for name in ordered if name.role != SECONDARY]
    return next(reversed(leading or ordered), None)
