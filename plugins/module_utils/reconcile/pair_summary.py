# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is true of a pair at the end of a playbook, line by line. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def failover_summary(result: Mapping[str, Any], name: str, check_mode: bool = False) -> list[str]:
    """Return the lines about a result of vpx_ha_failover (with ``group``) or vpx_ha_reconcile.

    Args:
        result: the module's result with ``primary`` and ``moves``.
        name: the name of the pair.
        check_mode: whether nothing was written.
    """
    now = "would be" if check_mode else "is"
    node = result["primary"]
    lines = [
        f"Pair {name}: node {node['node_id']} ({node['instance_id']}, NSIP {node['nsip']}) {now} primary.",
    ]
    for move in result.get("moves") or []:
        after = move["after"]
        lines.append(
            f"Elastic IP {move['elastic_ip']} {now} on {after['network_interface_id']}, {after['private_ip_address']}."
        )
    return lines
