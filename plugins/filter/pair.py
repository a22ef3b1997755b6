# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the roles ha_pair and ha_failover. Each is documented in the file of its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils.reconcile.pair_fronts import pair_applications
from ..module_utils.reconcile.pair_steps import pair_steps
from ..module_utils.reconcile.pair_summary import failover_summary, pair_incomplete, pair_summary, removal_summary
from ..module_utils.spec.failover import read_failover
from ..module_utils.spec.pair import read_pair


def pair_definition(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``definition`` without secrets, and ``problems``, one message each."""
    definition, problems = read_pair(variables)
    return {"definition": definition, "problems": problems}


def failover_definition(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``definition`` without secrets, and ``problems``, one message each."""
    definition, problems = read_failover(variables)
    return {"definition": definition, "problems": problems}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {
            "failover_definition": failover_definition,
            "failover_summary": failover_summary,
            "pair_applications": pair_applications,
            "pair_definition": pair_definition,
            "pair_incomplete": pair_incomplete,
            "pair_steps": pair_steps,
            "pair_summary": pair_summary,
            "removal_summary": removal_summary,
        }
