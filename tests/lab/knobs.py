"""Settings of the sides over the wire: what POST /lab/settings may carry, checked against the fields themselves.

A field takes a JSON value of the kind of its default. A set takes a list; ``partitions`` a list of pairs of instance
ids; the times of a boot an object with those of its stages that are to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from tests.lab.faults import number


def values(given: Any, settings: Any, name: str) -> dict[str, Any]:
    """Field → new value, of the kinds that the dataclass ``settings`` has; ValueError with a sentence otherwise.

    ``name``: what the sentence calls the settings, such as ``nitro``.
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"{name} must be an object of settings, not {given!r}")
    known = [field.name for field in fields(settings)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"{name} has no setting {', '.join(unknown)}: it has {', '.join(known)}")
    return {key: _value(value, getattr(settings, key), f"{name}.{key}") for key, value in given.items()}


def plain(settings: Any) -> dict[str, Any]:
    """Every setting as JSON has it."""
    return {field.name: _plain(getattr(settings, field.name)) for field in fields(settings)}


def _value(given: Any, present: Any, name: str) -> Any:
    match present:
        case bool():
            return _kind(given, bool, name, "true or false")
        case int():
            return int(number(_kind(given, int, name, "a whole number"), name))
        case float():
            return number(given, name)
        case str():
            return _kind(given, str, name, "a string")
        case set():
            return _set(given, name)
        case dict():
            return _texts(given, name)
    return replace(present, **values(given, present, name))


def _kind(given: Any, kind: type, name: str, words: str) -> Any:
    if not isinstance(given, kind) or (kind is int and isinstance(given, bool)):
        raise ValueError(f"{name} must be {words}, not {given!r}")
    return given


def _texts(given: Any, name: str) -> dict[str, str]:
    """An object of strings."""
    if not isinstance(given, Mapping) or not all(isinstance(value, str) for value in given.values()):
        raise ValueError(f"{name} must be an object of strings, not {given!r}")
    return {str(key): value for key, value in given.items()}


def _set(given: Any, name: str) -> set[Any]:
    """Of strings, or (``partitions``) of unordered pairs of strings."""
    pairs = name.endswith(".partitions")
    words = 'a list of pairs of instance ids, such as [["i-1", "i-2"]]' if pairs else "a list of strings"
    members = [tuple(item) if pairs and isinstance(item, list) else item for item in _kind(given, list, name, words)]
    if pairs:
        fit = all(isinstance(item, tuple) and len(set(item)) == 2 for item in members)
        members = [frozenset(item) for item in members] if fit else members
    else:
        fit = all(isinstance(item, str) for item in members)
    if not fit:
        raise ValueError(f"{name} must be {words}, not {given!r}")
    return set(members)


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(_plain(item) for item in value)
    if is_dataclass(value):
        return plain(value)
    return value
