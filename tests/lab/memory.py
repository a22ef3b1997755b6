"""A copy of a state of the lab that stays as it was while the state goes on, and comes back as often as it is wanted.

By pickling, because the sides' objects refer to each other in circles and across services. The copy stays in this
process, so what has no contents of its own (classes, functions, modules, and what the caller names) is not copied but
referred to; locks are made anew.
"""

from __future__ import annotations

import io
import pickle
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

_LOCKS: dict[type, Callable[[], Any]] = {type(make()): make for make in (threading.Lock, threading.RLock)}
_BY_REFERENCE = (type, FunctionType, BuiltinFunctionType, ModuleType)


@dataclass(frozen=True, slots=True)
class Copy:
    """``data``: the pickled state; ``shared``: what it refers to and does not hold."""

    data: bytes
    shared: tuple[Any, ...]


def copied(state: Any, shared: Iterable[Any] = (), kinds: tuple[type, ...] = ()) -> Copy:
    """A copy of ``state``, in which the things ``shared``, and those of these ``kinds``, stay the very same.

    The state must not change meanwhile. TypeError or PicklingError names what cannot be copied.
    """
    file = io.BytesIO()
    pickler = _Pickler(file, shared, kinds)
    pickler.dump(state)
    return Copy(file.getvalue(), tuple(pickler.shared))


def revived(copy: Copy) -> Any:
    """The state as it was, made of new objects each time."""
    return _Unpickler(io.BytesIO(copy.data), copy.shared).load()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, shared: Iterable[Any], kinds: tuple[type, ...]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._kinds = _BY_REFERENCE + kinds
        self.shared: list[Any] = []
        self._places: dict[int, int] = {}
        for thing in shared:
            self._share(thing)

    def persistent_id(self, thing: Any) -> int | None:
        place = self._places.get(id(thing))
        if place is None and isinstance(thing, self._kinds):
            return self._share(thing)
        return place

    def reducer_override(self, thing: Any) -> Any:
        make = _LOCKS.get(type(thing))
        return NotImplemented if make is None else (make, ())

    def _share(self, thing: Any) -> int:
        place = self._places[id(thing)] = len(self.shared)
        self.shared.append(thing)  # which keeps it alive, so that no other thing gets its id
        return place


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, shared: tuple[Any, ...]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, place: int) -> Any:
        return self._shared[place]
