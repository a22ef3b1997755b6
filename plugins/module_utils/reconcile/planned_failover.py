# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide a planned failover of a pair: whether roles change, and where its Elastic IPs go. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..aws.addresses import Address
from ..core.errors import Refusal
from .pair_associations import Node, associations_on, moves_to
from .pair_claims import Claim, Verdict

ANY_NODE = -1


@dataclass(frozen=True, slots=True)
class PlannedFailover:
    """Indices of the node that is primary, of its peer, and of the one that shall be primary.

    ``moves`` are in the shape of the option ``moves`` of eip_failover.
    """

    primary: int
    secondary: int
    winner: int
    moves: tuple[dict[str, str | None], ...]

    @property
    def forced(self) -> bool:
        """Whether the primary role has to change hands."""
        return self.winner != self.primary


def plan_failover(
    group: str,
    nodes: Sequence[Node],
    claims: Sequence[Claim],
    verdict: Verdict,
    addresses: Sequence[Address],
    *,
    to: int = ANY_NODE,
    guard: bool = True,
) -> PlannedFailover:
    """Return what a planned failover has to do.

    A failover that was interrupted (an Elastic IP is still on the secondary) is finished: the primary stays.

    Args:
        addresses: the Elastic IPs of the pair.
        to: node id that shall be primary; ``ANY_NODE``: the one that is not.
        guard: refuse addresses at which no virtual server of the new primary answers.

    Raises:
        Refusal: the pair is not healthy, or traffic would be lost. Nothing was written.
    """
    if verdict.primary is None or not verdict.healthy:
        raise Refusal(f"{group} is not fit for a planned failover: {verdict.sentence}. Nothing was touched.")
    primary, secondary = verdict.primary, 1 - verdict.primary
    stays = nodes[primary].node_id == to or _unfinished(nodes[secondary], addresses)
    winner = primary if stays else secondary
    moves = _moves(group, nodes, winner, addresses)
    if guard:
        _refuse_unserved(group, nodes[winner], claims[winner], moves)
    return PlannedFailover(primary, secondary, winner, moves)


def _unfinished(secondary: Node, addresses: Sequence[Address]) -> bool:
    client = secondary.client
    return client is not None and any(
        address.association is not None and address.association.network_interface_id == client.network_interface_id
        for address in addresses
    )


def _moves(
    group: str, nodes: Sequence[Node], winner: int, addresses: Sequence[Address]
) -> tuple[dict[str, str | None], ...]:
    if not addresses:
        return ()
    node = nodes[winner]
    if node.client is None:
        raise Refusal(f"{group}: {node.name}, which is to be primary, has no client interface. Nothing was touched.")
    associations = associations_on(node.client, addresses, nodes)
    homeless = [str(address) for address in addresses if address.allocation_id not in associations]
    if homeless:
        raise Refusal(
            f"{group}: {node.name} has no client address left for {', '.join(homeless)}. Nothing was touched."
        )
    return tuple(moves_to(associations, addresses))


def _refuse_unserved(group: str, node: Node, claim: Claim, moves: Sequence[dict[str, str | None]]) -> None:
    unserved = sorted({str(move["private_ip_address"]) for move in moves} - set(claim.served or ()))
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
