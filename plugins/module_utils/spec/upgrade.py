# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables of role ha_upgrade, normalised, and all that is wrong with them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .reading import Reader

PREFIX = "ha_upgrade_"
VARIABLES = tuple(f"{PREFIX}{name}" for name in ("bake_time", "serve_timeout", "ignore_missing", "backup_bucket"))


def read_upgrade(variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the normalised definition and one message for each problem.

    Args:
        variables: the variables by name, as lookup ``cloudadc.aws.role_variables`` collects them.
    """
    problems: list[str] = []
    plain = {name.removeprefix(PREFIX): value for name, value in variables.items() if name.startswith(PREFIX)}
    reader = Reader(plain, problems, PREFIX)
    reader.unknown_variables("ha_upgrade", VARIABLES, variables)
    definition = {
        "bake_time": reader.whole("bake_time", 300),
        "serve_timeout": reader.whole("serve_timeout", 60, 1),
        "ignore_missing": reader.flag("ignore_missing", False),
        "backup_bucket": reader.text("backup_bucket"),
    }
    return definition, problems
