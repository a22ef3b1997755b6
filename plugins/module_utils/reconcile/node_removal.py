# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a node of a pair can be removed without loss of service, and what has to be done before. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.errors import Refusal
from ..spec.vips import entry_name
from .pair_associations import Node
from .pair_claims import Claim, Verdict
from .pair_vips import PairAttachments


@dataclass(frozen=True, slots=True)
class NodeRemoval:
    """``node`` is to be removed, ``peer`` stays. ``failover``: it is primary, and hands its role over first.

    ``addresses``: what follows the primary, of every kind, and has to leave it first, although it is not primary.
    """

    node: Node
    peer: Node
    failover: bool
    addresses: tuple[str, ...]
    message: str

    @property
    def obstacle(self) -> str | None:
        """Why the node must not be terminated yet, or None."""
        name = f"{self.node.name} ({self.node.instance_id})"
        if self.failover:
            return f"{name} is primary: a planned failover to {self.peer.name} comes first"
        if self.addresses:
            return f"{', '.join(self.addresses)} is still at {name}, which is not primary"
        return None


def plan_removal(
    group: str,
    nodes: Sequence[Node],
    claims: Sequence[Claim],
    verdict: Verdict,
    attached: PairAttachments,
    instance_id: str,
) -> NodeRemoval | None:
    """Return what the removal of a node takes; None if the node does not exist any more.

    The other node must say itself that it is primary, or be a healthy and synchronised secondary that can become it.
    That a node does not answer says nothing about its role.

    Args:
        group: The pair.
        nodes: Its nodes, as ``claims`` has them.
        claims: the claim of each node.
        verdict: Who is primary.
        attached: What follows the primary.
        instance_id: The node to be removed.

    Raises:
        Refusal: the removal would take the configuration or the service of the pair away. Nothing was written.
    """
    index = next((at for at, each in enumerate(nodes) if each.instance_id == instance_id), None)
    target = None if index is None else nodes[index]
    if index is None or target is None or target.instance is None or not target.instance.live:
        return None
    name = f"{target.name} ({instance_id})"
    others = [at for at, each in enumerate(nodes) if at != index and each.instance and each.instance.live]
    if len(others) != 1:
        raise Refusal(
            f"{group}: {name} is not removed, because it is the only node: it alone has the configuration. Run ha_pair "
            "without ha_pair_replace_node first, which launches the other one. Nothing was changed."
        )
    [other] = others
    peer = nodes[other]
    if verdict.primary is None:
        raise Refusal(f"{group}: {name} is not removed, because {verdict.message}. {_advice(target, claims[index])}")
    if verdict.primary == index and not verdict.healthy:
        raise Refusal(
            f"{group}: {name} is not removed, because it is primary and {peer.name} ({peer.instance_id}) cannot take "
            f"over: {verdict.message}. Repair or replace {peer.instance_id} first. Nothing was changed."
        )
    failover = verdict.primary == index
    held = () if failover else _held(target, nodes, other, attached)
    return NodeRemoval(target, peer, failover, held, verdict.message)


def _held(node: Node, nodes: Sequence[Node], primary: int, attached: PairAttachments) -> tuple[str, ...]:
    """Return the names of the things at a node that belong to the primary: they would vanish with its interfaces."""
    own = {item.network_interface_id for item in (node.instance.interfaces if node.instance else ())}
    changes = attached.plan(attached.targets(nodes, primary))
    return tuple(sorted(entry_name(one.entry) for one in changes if one.changed and one.loser in own))


def _advice(target: Node, claim: Claim) -> str:
    if claim.reachable or target.idle:
        return "Nothing was changed."
    return (
        f"If {target.instance_id} hangs, stop it (aws ec2 stop-instances --instance-ids {target.instance_id} --force): "
        "the other node becomes primary, and the removal is possible then. Nothing was changed."
    )
