# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One rule of a security group, in the form in which vpx_shared_resources takes it. Pure."""

from __future__ import annotations

from typing import Any

Rule = dict[str, Any]
ALL_PORTS = -1
GRE = "47"


def rule(protocol: str, first: int, last: int, description: str, **source: Any) -> Rule:
    """Return a rule. ``source``: ``cidrs``, a list of networks, or ``group``, the role of a security group."""
    return {"protocol": protocol, "from_port": first, "to_port": last, "description": description, **source}
