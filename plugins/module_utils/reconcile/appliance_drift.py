# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What steps changed on appliances in service, or would change, from their diffs: the drift of configurations. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .drift_words import in_words


def appliance_repairs(results: Mapping[str, Any], nsips: Sequence[str], *, check_mode: bool) -> list[str]:
    """Return one line for each setting that differed on one of these appliances.

    Args:
        results: results of NITRO modules with ``nodes``, by what they configure; other results are left out.
        nsips: addresses of the appliances in service, without ports.
        check_mode: whether nothing was written.
    """
    verb, turned = ("would repair", "would become") if check_mode else ("repaired", "is now")
    return [
        f"{verb} {what} on {host}: {name} was {in_words(before)}, {turned} {in_words(after)}"
        for what, result in results.items()
        for host, entry in _diffs(result)
        if host in nsips
        for name, before, after in _differences(entry)
    ]


def _diffs(result: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the diff of each appliance with its address: the form in which modules with ``nodes`` return it."""
    listed = result.get("diff") if isinstance(result, Mapping) else None
    entries = listed if isinstance(listed, list) else []
    return [(_host(str(one["before_header"])), one) for one in entries if "before_header" in one]


def _host(nsip: str) -> str:
    """Return an address without its port."""
    if nsip.startswith("["):
        return nsip[1:].partition("]")[0]
    return nsip.rpartition(":")[0] if nsip.count(":") == 1 else nsip


def _differences(entry: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    before, after = entry.get("before") or {}, entry.get("after") or {}
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return []
    label = str(after.get("name") or before.get("name") or "")
    names = list(dict.fromkeys([*before, *after]))
    return [
        (f"{name} of {label}" if label else name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]
