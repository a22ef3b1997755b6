"""Putting a function in the place of one of moto's, so that a mend reads as what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def replaces(owner: Any, name: str) -> Callable[[Function], Function]:
    """Decorator: the function becomes ``owner.name``. What it replaces is kept as ``function.original``."""

    def put(function: Function) -> Function:
        function.original = owner.__dict__.get(name)  # type: ignore[attr-defined]
        setattr(owner, name, function)
        return function

    return put


def replaces_property(owner: Any, name: str, *, settable: bool = False) -> Callable[[Function], Function]:
    """Decorator: reading ``owner().name`` calls the function. With ``settable``, what moto assigns is ignored."""

    def put(function: Function) -> Function:
        setattr(owner, name, property(function, _ignore if settable else None))
        return function

    return put


def _ignore(_ignored: Any, __: Any) -> None:
    """moto assigns what the lab derives; there must be one truth only."""
