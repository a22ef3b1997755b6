# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of role ha_upgrade, and of role ha_pair for nodes of different builds. Each has a file of its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils.reconcile.pair_upgrade import install_summary, unlike_builds, upgrade_steps, upgrade_summary
from ..module_utils.spec.upgrade import read_upgrade


def upgrade_definition(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``definition`` and ``problems``, one message each."""
    definition, problems = read_upgrade(variables)
    return {"definition": definition, "problems": problems}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {
            "install_summary": install_summary,
            "unlike_builds": unlike_builds,
            "upgrade_definition": upgrade_definition,
            "upgrade_steps": upgrade_steps,
            "upgrade_summary": upgrade_summary,
        }
