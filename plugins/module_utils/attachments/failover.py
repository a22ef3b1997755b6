# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules that move addresses do: read, plan, write, look."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..aws.accounts import connect_accounts
from ..aws.client import BRIEF, connect
from ..aws.errors import fail
from ..core.errors import Failure
from .changes import WRITERS
from .moves import Moves
from .registry import REGISTRY

#: The options that all of these modules have besides ``moves``.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "expected_owners": {"type": "list", "elements": "str"},
    "displace": {"type": "bool", "default": False},
    "verify": {"type": "bool", "default": True},
    "verify_timeout": {"type": "float", "default": 30},
}


def run(module: Any, entries: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], str | None]:
    """Return the result, and the message with which to fail if something is not where it was sent.

    ``entries``: of the option ``moves``, each with its ``kind``. Raises Failure; nothing was written then.
    """
    params = module.params
    options = {"read_timeout": BRIEF, "attempts": 1, "parallel": WRITERS * len(REGISTRY)}
    moves = Moves.of(connect_accounts(module, connect(module, "ec2", **options), **options), entries)
    moves.plan(params["expected_owners"], params["displace"])
    if not module.check_mode:
        moves.move(params["verify_timeout"] if params["verify"] else None)
    results = moves.results()
    changed = any(entry["changed"] for entry in results)
    return {"changed": changed, "moves": results, "diff": moves.difference()}, moves.trouble()


def main(module: Any, entries: Sequence[Mapping[str, Any]], with_kind: bool = True) -> None:
    """Run a module and end it. ``with_kind``: whether its results name the kind."""
    started = time.monotonic()
    try:
        result, trouble = run(module, entries)
    except Failure as error:
        failure = error
    else:
        if not with_kind:
            for entry in result["moves"]:
                del entry["kind"]
        elapsed = round((time.monotonic() - started) * 1000)
        if trouble:
            module.fail_json(msg=trouble, duration_ms=elapsed, **result)
        module.exit_json(duration_ms=elapsed, **result)
        return
    # Outside of the except block, so that no traceback is attached to the result.
    fail(module, failure, duration_ms=round((time.monotonic() - started) * 1000))
