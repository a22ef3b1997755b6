"""What is special about a resource. Each file registers its own; everything else is the engine's plain CRUD."""

from __future__ import annotations

import importlib

from .base import PLAIN, REGISTRY, Behaviour

for _module in (
    "system",
    "upgrading",
    "licensing",
    "network",
    "balancing",
    "tls",
    "backups",
    "pair",
    "grouping",
    "policies",
):
    importlib.import_module(f"{__name__}.{_module}")


def behaviour_of(name: str) -> Behaviour:
    """The behaviour of a configuration type."""
    return REGISTRY.get(name, PLAIN)


__all__ = ["Behaviour", "behaviour_of"]
