# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of doc fragment ``cloudadc.aws.pair``."""

from __future__ import annotations

from typing import Any


def pair_argument_spec() -> dict[str, Any]:
    """Return the options of a module that finds a pair by its tags and queries both nodes."""
    return {
        "group": {"type": "str", "required": True},
        "elastic_ips": {"type": "list", "elements": "str"},
        "nitro_port": {"type": "int"},
        "probe_timeout": {"type": "float", "default": 1.0},
        "settle_timeout": {"type": "float", "default": 10},
    }
