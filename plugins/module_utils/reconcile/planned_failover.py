# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide a planned failover of a pair: whether roles change, and where everything goes that follows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import Refusal
from .pair_associations import Node
from .pair_claims import Claim, Verdict
from .pair_repair import losers
from .pair_vips import PairAttachments, Placement

ANY_NODE = -1


@dataclass(frozen=True, slots=True)
class PlannedFailover:
    """Indices of the node that is primary, of its peer, and of the one that shall be primary.

    ``targets``: where everything belongs then.
    """

    primary: int
    secondary: int
    winner: int
    targets: tuple[Placement, ...]

    @property
    def forced(self) -> bool:
        """Whether the primary role has to change hands."""
        return self.winner != self.primary

    @property
    def moves(self) -> list[dict[str, Any]]:
        """Return the targets in the shape of option ``moves`` of vpx_address_failover."""
        return [target.move for target in self.targets]


def plan_failover(
    group: str,
    nodes: Sequence[Node],
    claims: Sequence[Claim],
    verdict: Verdict,
    attached: PairAttachments,
    *,
    to: int = ANY_NODE,
    guard: bool = True,
    expected_owners: Collection[str] | None = None,
) -> PlannedFailover:
    """Return what a planned failover has to do.

    A failover that was interrupted (something is still on the secondary) is finished: the primary stays.

    Args:
        group: the pair.
        nodes: its nodes.
        claims: what they say.
        verdict: who is primary.
        attached: what follows the primary.
        to: node id that shall be primary; ``ANY_NODE``: the one that is not.
        guard: refuse addresses at which no virtual server of the new primary answers.
        expected_owners: interfaces from which a thing that is no Elastic IP may be taken; None: from any.

    Raises:
        Refusal: the pair is not healthy, or traffic would be lost. Nothing was written.
    """
    if verdict.primary is None or not verdict.healthy:
        raise Refusal(f"{group} is not fit for a planned failover: {verdict.message}. Nothing was touched.")
    primary, secondary = verdict.primary, 1 - verdict.primary
    stays = nodes[primary].node_id == to or _unfinished(nodes, primary, attached)
    winner = primary if stays else secondary
    try:
        targets = attached.targets(nodes, winner)
        attached.plan(targets, expected_owners)
    except Refusal as refusal:
        raise Refusal(f"{group}: {refusal}. Nothing was touched.") from None
    if guard:
        refuse_unserved(group, nodes[winner], claims[winner], targets)
    return PlannedFailover(primary, secondary, winner, tuple(targets))


def _unfinished(nodes: Sequence[Node], primary: int, attached: PairAttachments) -> bool:
    """Whether something is at the secondary that belongs to the primary."""
    try:
        changes = attached.plan(attached.targets(nodes, primary))
    except Refusal:
        return False  # what the primary cannot hold is reported when the plan for the new one is made
    return bool(losers(nodes, changes, primary))


def refuse_unserved(group: str, node: Node, claim: Claim, targets: Sequence[Placement]) -> None:
    """Raise Refusal if an address would go to a node of which no virtual server answers there."""
    unserved = sorted({one.serves for one in targets if one.serves} - set(claim.served or ()))
    if unserved and claim.served is None:
        why = claim.error or "no answer in time"
        raise Refusal(f"{group}: what {node.name} ({node.nsip}) serves could not be read: {why}. Nothing was touched.")
    if unserved:
        why = f" ({claim.error})" if claim.error else ""
        raise Refusal(
            f"{group}: no virtual server of {node.name} ({node.nsip}) answers at {', '.join(unserved)}, neither itself "
            f"nor through its IPSet{why}, so traffic would vanish. Nothing was touched. Join the address to the IPSet, "
            "or set ignore_guard=true (role ha_failover: ha_failover_ignore_guard=true)."
        )
