# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter: the variables of role autoscale_group to a definition and its problems."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..module_utils.spec.group import read_group


def group_definition(variables: Mapping[str, Any], also: Collection[str] = ()) -> dict[str, Any]:
    """Return ``definition`` without secrets, and ``problems``, one message each."""
    definition, problems = read_group(variables, also)
    return {"definition": definition, "problems": problems}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {"group_definition": group_definition}
