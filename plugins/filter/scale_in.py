# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of role scale_in: what its steps work on, and a summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils.spec.scale_in import read_scale_in, summary


def scale_in_request(variables: Mapping[str, Any], group_variables: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """Return what the steps of a scale-in of this zone need, and its problems."""
    return read_scale_in(variables, group_variables, zone)


def scale_in_summary(
    selected: Mapping[str, Any], group: str, zone: str, step: str = "begin", check_mode: bool = False
) -> list[str]:
    """Return the lines that tell an operator which nodes are removed."""
    return summary(selected, group, zone, step, check_mode=check_mode)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {"scale_in_request": scale_in_request, "scale_in_summary": scale_in_summary}
