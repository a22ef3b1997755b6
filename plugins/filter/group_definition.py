# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter: the variables of role autoscale_group to a definition and its problems."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..module_utils.spec.group import read_group, read_scale_out


def group_definition(variables: Mapping[str, Any], also: Collection[str] = ()) -> dict[str, Any]:
    """Return ``definition`` without secrets, and ``problems``, one message each."""
    definition, problems = read_group(variables, also)
    return {"definition": definition, "problems": problems}


def scale_out_request(
    variables: Mapping[str, Any], zone: str, nodes: object, definition: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return ``definition`` of the group and ``problems`` of a request for so many nodes in one zone."""
    read, problems = read_scale_out(variables, zone, nodes, definition)
    return {"definition": read, "problems": problems}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {"group_definition": group_definition, "scale_out_request": scale_out_request}
