# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter: nodes with the port of NITRO in their address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def with_port(nodes: Sequence[Mapping[str, Any] | str], port: int | str) -> list[dict[str, Any]]:
    """Return the nodes, given as entries or as addresses, with ``port`` behind each ``nsip`` that has none."""
    entries = [{"nsip": node} if isinstance(node, str) else node for node in nodes]
    return [{**node, "nsip": node["nsip"] if ":" in node["nsip"] else f"{node['nsip']}:{port}"} for node in entries]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {"with_port": with_port}
