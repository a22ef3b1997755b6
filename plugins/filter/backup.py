# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of role config_backup. Each is documented in the file of its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils.reconcile.backup_summary import backup_summary
from ..module_utils.spec.backup import read_backup


def backup_definition(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``definition`` without secrets, and ``problems``, one message each."""
    definition, problems = read_backup(variables)
    return {"definition": definition, "problems": problems}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {"backup_definition": backup_definition, "backup_summary": backup_summary}
