# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the roles ha_pair and ha_failover. Each is documented in the file of its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..module_utils.reconcile.pair_summary import failover_summary
from ..module_utils.spec.failover import failover_definition


class FilterModule:
    """The filters by their names."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"failover_definition": failover_definition, "failover_summary": failover_summary}
