# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of doc fragments ``cloudadc.aws.pair`` and ``cloudadc.aws.pair.trial``."""

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


def trial_argument_spec() -> dict[str, Any]:
    """Return the options of the modules that make a node primary on trial (fragment ``cloudadc.aws.pair.trial``)."""
    return {
        "bake_time": {"type": "int", "default": 300},
        "serve_timeout": {"type": "int", "default": 60},
        "ignore_missing": {"type": "bool", "default": False},
        "ignore_guard": {"type": "bool", "default": False},
        "timeout": {"type": "float", "default": 30},
    }
