"""Variables of a role as Ansible would have them, without a play."""

from __future__ import annotations

import functools
import inspect
import warnings
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar

ROLES = Path(__file__).parents[3] / "roles"


def evaluate(role: str, name: str, **given: Any) -> Any:
    """Return the value of a variable when these are given, over the role's own."""
    _find_plugins()
    loader = DataLoader()
    # Ansible 2.19 and later evaluates what it has been told to trust, and before that everything.
    trust = {"trusted_as_template": True} if "trusted_as_template" in _parameters(loader) else {}
    known: dict[str, Any] = {"ansible_check_mode": False}
    for part in ("defaults", "vars"):
        known |= loader.load_from_file(str(ROLES / role / part / "main.yml"), **trust) or {}
    return Templar(loader, variables=known | given).template(known[name])


@functools.cache
def _find_plugins() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # another test may have seen to it
        init_plugin_loader([])


def _parameters(loader: DataLoader) -> set[str]:
    return set(inspect.signature(loader.load_from_file).parameters)
