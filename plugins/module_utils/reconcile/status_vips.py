# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where the VIPs of a pair are that are no Elastic IPs: private addresses and routes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import Refusal
from ..spec.vips import Vip, entry_name
from .pair_associations import Node
from .pair_vips import PairAttachments, PairChange, vip_targets

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ObservedVips:
    """The VIPs by the tags of the nodes, and what AWS has of them by kind. ``error``: why it was not read."""

    vips: Sequence[Vip] = ()
    observed: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


def vips_status(nodes: Sequence[Node], primary: Node | None, found: ObservedVips) -> tuple[list[Result], list[str]]:
    """Return one entry for each VIP (a route: for each of its tables), and what is wrong with them.

    Args:
        nodes: The nodes of the pair.
        primary: The primary; None: it is not known, and then no VIP is called misplaced.
        found: What was read.
    """
    node = primary or next((each for each in nodes if each.instance and each.instance.live), None)
    if found.error or not found.vips or node is None:
        return [], []
    try:
        changes = PairAttachments(vips=tuple(found.vips), observed=found.observed).plan(vip_targets(node, found.vips))
    except Refusal as refusal:
        return [], [str(refusal)]
    entries = [_entry(change, nodes, known=primary is not None) for change in changes]
    return entries, [
        f"{each['kind']} {each['vip']} is not on the primary: run ha_failover with ha_failover_mode=reconcile"
        for each in entries
        if each["misplaced"]
    ]


def _entry(change: PairChange, nodes: Sequence[Node], *, known: bool) -> Result:
    interfaces = {
        one.network_interface_id: node.node_id for node in nodes if node.instance for one in node.instance.interfaces
    }
    return {
        "kind": change.kind,
        "vip": entry_name(change.entry),
        "network_interface_id": change.loser,
        "node_id": None if change.loser is None else interfaces.get(change.loser),
        "misplaced": change.changed if known else None,
    }
