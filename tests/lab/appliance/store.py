"""A configuration: tables of rows. An appliance has two, the running one and the saved one."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from typing import Any

from .schema import SECRET_FIELDS, Row

Key = tuple[str, ...]


class Config:
    """Tables by resource type; rows by key, in the order they were added. A key that begins with ``_`` is internal."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Key, Row]] = {}

    def table(self, name: str) -> dict[Key, Row]:
        return self.tables.setdefault(name, {})

    def rows(self, name: str) -> list[Row]:
        return list(self.tables.get(name, {}).values())

    def find(self, name: str, /, **desired: Any) -> Iterator[Row]:
        """Rows whose fields equal what is wanted."""
        for row in self.rows(name):
            if all(row.get(field) == value for field, value in desired.items()):
                yield row

    def first(self, name: str, /, **desired: Any) -> Row | None:
        return next(self.find(name, **desired), None)

    def single(self, name: str) -> Row:
        """The row of a type that exists once."""
        return self.table(name).setdefault((), {})

    def copy(self) -> Config:
        twin = Config()
        twin.tables = copy.deepcopy(self.tables)
        return twin

    def public(self) -> dict[str, list[Row]]:
        """JSON-ready, in the order of the keys; secrets as a digest, so that two appliances can be compared and nothing
        is given away.
        """
        filled = sorted(_filled(self.tables).items())
        return {name: [_masked(table[key]) for key in sorted(table)] for name, table in filled}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Config):
            return NotImplemented
        return _filled(self.tables) == _filled(other.tables)

    __hash__ = None  # type: ignore[assignment]  # it changes


def _filled(tables: dict[str, dict[Key, Row]]) -> dict[str, dict[Key, Row]]:
    return {name: table for name, table in tables.items() if any(table.values())}


def _masked(row: Row) -> Row:
    out = {}
    for name, value in row.items():
        if name in SECRET_FIELDS or name == "filecontent":
            out[name] = "digest:" + hashlib.sha256(str(value).encode()).hexdigest()[:12]
        elif not name.startswith("_"):
            out[name] = value
    return out
