# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules that move addresses do: read, plan, write, verify."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from ..aws.accounts import connect_accounts
from ..aws.client import BRIEF, connect
from ..aws.module import run as run_module
from .changes import WRITERS
from .moves import Moves
from .registry import REGISTRY

Entries = Sequence[Mapping[str, Any]]

#: The options that all of these modules have besides ``moves``.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "expected_owners": {"type": "list", "elements": "str"},
    "displace": {"type": "bool", "default": False},
    "verify": {"type": "bool", "default": True},
    "verify_timeout": {"type": "float", "default": 30},
}


def run(
    argument_spec: Mapping[str, Any], entries: Callable[[Mapping[str, Any]], Entries], *, with_kind: bool = True
) -> NoReturn:
    """Do the work of a module that moves addresses, and end it.

    Args:
        argument_spec: Its options.
        entries: Returns the entries of its option ``moves``, each with its ``kind``, from the options.
        with_kind: Whether the entries of the result name the kind.
    """
    started = time.monotonic()

    def elapsed() -> dict[str, Any]:
        return {"duration_ms": round((time.monotonic() - started) * 1000)}

    def work(module: Any) -> dict[str, Any]:
        result = moved(module, entries(module.params))
        if not with_kind:
            for entry in result["moves"]:
                del entry["kind"]
        return {**result, **elapsed()}

    run_module(argument_spec, work, done=elapsed)


def moved(module: Any, entries: Entries) -> dict[str, Any]:
    """Return the result; with ``msg`` if something is not where it was sent. Raises Failure if nothing was written."""
    params = module.params
    options = {"read_timeout": BRIEF, "attempts": 1, "parallel": WRITERS * len(REGISTRY)}
    moves = Moves.of(connect_accounts(module, connect(module, "ec2", **options), **options), entries)
    moves.plan(params["expected_owners"], params["displace"])
    if not module.check_mode:
        moves.move(params["verify_timeout"] if params["verify"] else None)
    results = moves.results()
    changed = any(entry["changed"] for entry in results)
    result = {"changed": changed, "moves": results, "diff": moves.difference()}
    trouble = moves.trouble()
    return {**result, "msg": trouble} if trouble else result
