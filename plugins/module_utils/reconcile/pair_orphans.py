# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What applications leave on a pair when they are not declared any more. Pure, and loaded by filters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def undeclared(nsip: str, names: Collection[str], ipsets: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the removal of virtual servers at the pair's addresses that no application has, if they were made here."""
    carried = [
        name
        for one in ipsets.get("nodes") or ()
        if one["nsip"] == nsip
        for name in (one.get("ipset") or {}).get("vservers") or ()
    ]
    return [
        {"nsip": nsip, "name": name, "state": "absent", "only_own": True}
        for name in dict.fromkeys(carried)
        if name not in names
    ]
