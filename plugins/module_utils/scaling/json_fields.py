# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Strict reading of JSON objects: every value is taken once and with its type, or refused by its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..spec.errors import InstantError, RecordError
from ..spec.policy import number
from ..spec.times import parse_instant

T = TypeVar("T")


class Fields:
    """A JSON object of which every value is taken exactly once and with its type, or refused by its path."""

    def __init__(self, raw: object, where: str) -> None:
        if not isinstance(raw, Mapping):
            raise RecordError(f"{where} must be a JSON object, not {type(raw).__name__}")
        self.raw, self.where = raw, where
        self.taken: set[str] = set()

    def take(self, name: str) -> Any:
        if name not in self.raw:
            raise RecordError(f"{self.where}.{name} is missing")
        self.taken.add(name)
        return self.raw[name]

    def nothing_else(self, *more: str) -> None:
        rest = sorted(str(key) for key in self.raw.keys() - self.taken - set(more))
        if rest:
            raise RecordError(f"{self.where}: unknown keys {', '.join(rest)}")

    def _wrong(self, name: str, desired: str, given: object) -> RecordError:
        return RecordError(f"{self.where}.{name} must be {desired}, not {given!r}")

    def has(self, name: str) -> bool:
        """Return whether the object has this key."""
        return name in self.raw

    def text(self, name: str) -> str:
        given = self.take(name)
        if not isinstance(given, str):
            raise self._wrong(name, "text", given)
        return given

    def texts(self, name: str) -> tuple[str, ...]:
        given = self.take(name)
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            raise self._wrong(name, "a list of texts", given)
        return tuple(given)

    def flag(self, name: str) -> bool:
        given = self.take(name)
        if not isinstance(given, bool):
            raise self._wrong(name, "true or false", given)
        return given

    def whole(self, name: str, at_least: int | None = 0) -> int:
        given = self.take(name)
        if isinstance(given, bool) or not isinstance(given, int) or (at_least is not None and given < at_least):
            raise self._wrong(
                name, "a whole number" + (f" of at least {at_least}" if at_least is not None else ""), given
            )
        return given

    def number(self, name: str) -> float:
        given = self.take(name)
        try:
            return number(given if not isinstance(given, str) else None)
        except ValueError as error:
            raise self._wrong(name, "a number", given) from error

    def number_or_none(self, name: str) -> float | None:
        return None if self.take(name) is None else self.number(name)

    def instant(self, name: str) -> float:
        given = self.text(name)
        try:
            return parse_instant(given)
        except InstantError as error:
            raise self._wrong(name, "an instant", given) from error

    def instant_or_none(self, name: str) -> float | None:
        return None if self.take(name) is None else self.instant(name)

    def choice(self, name: str, kind: type[T]) -> T:
        given = self.take(name)
        try:
            return kind(given)  # type: ignore[call-arg]
        except ValueError as error:
            raise self._wrong(name, "a known value", given) from error

    def part(self, name: str, read: Callable[[Fields], T]) -> T:
        return _whole_part(self.take(name), f"{self.where}.{name}", read)

    def part_or_none(self, name: str, read: Callable[[Fields], T]) -> T | None:
        return None if self.take(name) is None else self.part(name, read)

    def parts(self, name: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
        given = self.take(name)
        if not isinstance(given, list):
            raise self._wrong(name, "a list", given)
        return tuple(_whole_part(each, f"{self.where}.{name}[{at}]", read) for at, each in enumerate(given))


def _whole_part(raw: object, where: str, read: Callable[[Fields], T]) -> T:
    fields = Fields(raw, where)
    part = read(fields)
    fields.nothing_else()
    return part
