# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of role preflight: what to check, and what the checks came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..module_utils.spec.preflight import judge, read_request, read_rights


def preflight_request(roles: Sequence[Mapping[str, Any]], names: Sequence[str], playbook: str) -> dict[str, Any]:
    """Return the options of preflight_info for a playbook, from the variables of roles."""
    return read_request(dict(zip(names, roles, strict=True)), playbook)


def preflight_rights(policies: Iterable[Mapping[str, Any]], request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rights that policies give for a request, statements for other circumstances left out."""
    return read_rights(policies, request)


def preflight_verdict(request: Mapping[str, Any], checks: Iterable[Mapping[str, Any]], strict: Any) -> dict[str, Any]:
    """Return the headline of a preflight and, if the playbook would not succeed, its verdict."""
    return judge(request, checks, strict)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {
            "preflight_request": preflight_request,
            "preflight_rights": preflight_rights,
            "preflight_verdict": preflight_verdict,
        }
