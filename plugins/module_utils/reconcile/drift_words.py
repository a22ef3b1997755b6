# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How differences from a definition are written for a reader. Pure, and loaded by filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: What repairs a difference: a run of the playbook, a new node, or a person.
IN_PLACE, REPLACE, BY_HAND = "in_place", "replace", "by_hand"


def in_words(value: Any) -> str:
    """Return a value of a setting for a reader."""
    if isinstance(value, Mapping):
        parts = (f"{key}={in_words(each)}" if each not in (None, "") else str(key) for key, each in value.items())
        return ", ".join(parts) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value)) or "none"
    return "none" if value is None else str(value)


def drift_lines(drift: Sequence[Mapping[str, Any]], *, check_mode: bool) -> list[str]:
    """Return one line for each difference that vpx_pair_info or vpx_group_info found before the run."""
    return [
        f"repaired: {found['object']}: {found['setting']} was {in_words(found['found'])}"
        if found["repair"] == IN_PLACE and not check_mode
        else f"drift: {found['message']}"
        for found in drift
    ]
