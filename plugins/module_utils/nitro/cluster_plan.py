# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What has to be done for an appliance to be in a cluster, or out of it, from whatever state a run left. Pure.

Every plan starts from one look at the CLIP and at the appliance, so a run that was killed after any write is gone on
with by the next. Order of the steps: vendor's cluster documentation and its own Terraform templates.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.nitro_errors import NitroError, NitroTimeout, NitroUnreachable
from .cluster import (
    CLIP_NETMASK,
    MAX_NODES,
    Cluster,
    Member,
    Node,
    View,
    Wanted,
    member_at,
    no_member,
    outside,
)
from .ha import same_address
from .steps import Step

# Seconds in which a CLIP that moves to another coordinator answers again (dead interval 3 s, then an election).
GRACE = 20.0
# Before a cluster is formed because nobody answers at its CLIP, it is looked at once more after so many seconds.
SECOND_LOOK = 3.0


class Do(enum.Enum):
    """Where, and what."""

    ON_CLIP = "on the CLIP"
    ON_NODE = "on the node"
    JOIN = "join"
    SAVE_CLIP = "save on the CLIP"
    SAVE_NODE = "save on the node"
    SAVE_LEFT = "save on the node that has left"
    REBOOT = "reboot the node"
    AWAIT_ARRIVAL = "wait until the node is where it should be"
    AWAIT_DRAINED = "wait until the node takes no traffic any more"


WAITS = frozenset({Do.AWAIT_ARRIVAL, Do.AWAIT_DRAINED})


@dataclass(frozen=True, slots=True)
class Move:
    """One thing to do; ``step`` for ON_CLIP and ON_NODE."""

    do: Do
    step: Step | None = None

    def __str__(self) -> str:
        """For the diff: ``on the CLIP: add clusternode state=ACTIVE``."""
        if self.step is None:
            return self.do.value
        said = " ".join(f"{key}={value}" for key, value in self.step.body.items())
        words = (self.step.action or self.step.verb, self.step.resource, self.step.name or "", said)
        return f"{self.do.value}: {' '.join(word for word in words if word)}"


Plan = tuple[Move, ...]


def writes(moves: Sequence[Move]) -> list[Move]:
    return [move for move in moves if move.do not in WAITS]


def foreseen(wanted: Wanted, before: Mapping[str, Any], moves: Sequence[Move]) -> dict[str, Any]:
    """The ``node`` that check mode promises: numbers and admin state; how it will fare is not known."""
    after = dict(before)
    for move in moves:
        match move.step:
            case Step("add" | "update", "clusternode", body=body):
                known = {"node_id": body["nodeid"], "admin_state": body.get("state", after["admin_state"])}
                after |= {"ip_address": wanted.nsip, **known}
            case Step("delete", "clusternode" | "clusterinstance"):
                after = no_member(wanted.nsip)
    return after


def patience(wanted: Wanted, view: View) -> float:
    """Seconds for which it makes sense to look again before this view is taken for what it is; 0: it is enough.

    ``inf`` where an appliance is surely on its way: booting after it joined, electing a coordinator.
    """
    if not wanted.present:
        return _patience_leaving(wanted, view)
    if view.running:
        member = member_at(view.running.members, wanted.nsip)
        if view.node or (member and member.up):
            return 0.0
        return math.inf if member else GRACE
    node = view.node
    if node is None:
        return math.inf if wanted.form else GRACE
    if node.operational:
        return math.inf
    if node.cluster_id is None:
        return SECOND_LOOK if wanted.form else GRACE
    return GRACE if node.others(wanted.nsip) else 0.0


def _patience_leaving(wanted: Wanted, view: View) -> float:
    if view.running:
        # An instance that was just ended is up in the eyes of its peers until the dead interval is over.
        member = member_at(view.running.members, wanted.nsip)
        return GRACE if member and member.up and view.node is None else 0.0
    node = view.node
    if wanted.dissolve:
        # An appliance that is in no cluster, or alone in it, needs no CLIP to be done with it.
        return 0.0 if node and not node.others(wanted.nsip) else GRACE
    return math.inf if node and node.operational else GRACE


def plan(wanted: Wanted, view: View) -> Plan:
    """Everything that is left to do. Raises NitroError, before the first write, where it cannot or must not be done."""
    if not wanted.present:
        return _leave(wanted, view)
    if view.running is None:
        return _form(wanted, view)
    return _belong(wanted, view, view.running)


# -------------------------------------------------------------------------------------------------- forming


def _form(wanted: Wanted, view: View) -> Plan:
    node = _answering(view)
    if view.cluster and view.cluster.cluster_id is None and node.cluster_id is None:
        raise NitroError(f"{wanted.nsip}: clip {wanted.clip} is taken: {view.silence}")
    if node.cluster_id is None:
        if not wanted.form:
            raise NitroUnreachable(
                f"{wanted.nsip}: no cluster answers at clip {wanted.clip} ({view.silence}); "
                "give form=true where it shall be formed on this appliance"
            )
        _able(wanted, node)
    _same_cluster(wanted, node)
    if node.operational or node.others(wanted.nsip):
        raise NitroTimeout(
            f"{wanted.nsip}: is in cluster {node.cluster_id}, but clip {wanted.clip} does not answer: {view.silence}"
        )
    steps = _forming_steps(wanted, node)
    if steps and not wanted.form:
        raise NitroError(
            f"{wanted.nsip}: has begun to form cluster {wanted.cluster_id} and did not finish; "
            "give form=true to go on, or take it apart (state=absent, dissolve=true)"
        )
    moves = [Move(Do.ON_NODE, step) for step in steps]
    if moves or node.unsaved:
        moves.append(Move(Do.SAVE_NODE))
    return (*moves, Move(Do.REBOOT), *_arrival(wanted))


def _forming_steps(wanted: Wanted, node: Node) -> list[Step]:
    """What of the five writes is missing."""
    instance = {"clid": wanted.cluster_id}
    steps = []
    if node.cluster_id is None:
        steps.append(Step("add", "clusterinstance", body=instance))
    own = member_at(node.members, wanted.nsip)
    if own is None:
        steps.append(Step("add", "clusternode", body=wanted.declaration(wanted.node_id or 0)))
    elif tuning := wanted.tuning(own):
        steps.append(Step("update", "clusternode", body=tuning))
    if not any(same_address(clip, wanted.clip) for clip in node.clips):
        body = {"ipaddress": wanted.clip, "netmask": CLIP_NETMASK, "type": "CLIP"}
        steps.append(Step("add", "nsip", body=body))
    if node.cluster_id is None or not node.enabled:
        steps.append(Step("act", "clusterinstance", action="enable", body=instance))
    return steps


# -------------------------------------------------------------------------------------------------- belonging


def _belong(wanted: Wanted, view: View, cluster: Cluster) -> Plan:
    """On a cluster that is in operation: declared, joined, rebooted, as wanted."""
    _right_cluster(wanted, cluster)
    member = member_at(cluster.members, wanted.nsip)
    moves: list[Move] = []
    if member is None:
        moves += _declare(wanted, view, cluster)
    elif tuning := wanted.tuning(member):
        moves.append(Move(Do.ON_CLIP, Step("update", "clusternode", body=tuning)))
    if (moves or cluster.unsaved) and (wanted.save or member is None):
        moves.append(Move(Do.SAVE_CLIP))
    if member is None or not member.up:
        moves += _join(wanted, view)
    if moves or member is None or not member.arrived(wanted.admin_state):
        moves += _arrival(wanted)
    return tuple(moves)


def _declare(wanted: Wanted, view: View, cluster: Cluster) -> list[Move]:
    node = _answering(view)
    moves = []
    if node.cluster_id is not None:
        if not _left_over(wanted, node):
            raise NitroError(
                f"{wanted.nsip}: is in another cluster (id {node.cluster_id}, CLIP {', '.join(node.clips) or 'none'}), "
                f"which clip {wanted.clip} knows nothing of; take it out of that first"
            )
        moves.append(Move(Do.ON_NODE, Step("delete", "clusterinstance", name=str(node.cluster_id))))
    else:
        _able(wanted, node, cluster)
    body = wanted.declaration(_free_id(wanted, cluster))
    return [*moves, Move(Do.ON_CLIP, Step("add", "clusternode", body=body))]


def _free_id(wanted: Wanted, cluster: Cluster) -> int:
    taken = {member.node_id: member for member in cluster.members}
    if wanted.node_id is not None:
        if holder := taken.get(wanted.node_id):
            raise NitroError(
                f"{wanted.nsip}: node {wanted.node_id} of cluster {cluster.cluster_id} is {holder.address}"
            )
        return wanted.node_id
    free = [number for number in range(MAX_NODES) if number not in taken]
    if not free:
        raise NitroError(f"{wanted.nsip}: cluster {cluster.cluster_id} has {MAX_NODES} nodes, more are not possible")
    return free[0]


def _join(wanted: Wanted, view: View) -> list[Move]:
    """What is left of joining, saving and rebooting for a node that is declared and does not take part yet."""
    node = _answering(view)
    cluster = view.running
    declared = cluster is not None and member_at(cluster.members, wanted.nsip) is not None
    if node.cluster_id is None or (not declared and _left_over(wanted, node)):
        return [Move(Do.JOIN), Move(Do.SAVE_NODE), Move(Do.REBOOT)]
    _same_cluster(wanted, node)
    if node.operational:
        return []
    return [*([Move(Do.SAVE_NODE)] if node.unsaved else []), Move(Do.REBOOT)]


def _left_over(wanted: Wanted, node: Node) -> bool:
    """Whether what the node has of a cluster is what is left of this one: taken off while it could not be reached, or
    never formed to the end.
    """
    if node.clips:
        return any(same_address(clip, wanted.clip) for clip in node.clips)
    return not node.others(wanted.nsip)


def _arrival(wanted: Wanted) -> Plan:
    return (Move(Do.AWAIT_ARRIVAL),) if wanted.wait else ()


# -------------------------------------------------------------------------------------------------- leaving


def _leave(wanted: Wanted, view: View) -> Plan:
    cluster = view.running
    if cluster is None or (member := member_at(cluster.members, wanted.nsip)) is None:
        return _clean_up(wanted, view)
    _right_cluster(wanted, cluster)
    if len(cluster.members) == 1:
        if not wanted.dissolve:
            raise NitroError(
                f"{wanted.nsip}: is the last node of cluster {wanted.cluster_id}; "
                "give dissolve=true where the cluster shall be taken apart"
            )
        return _drop(wanted, _answering(view))
    if member.up and not wanted.dissolve:
        _keep_majority(wanted, cluster.members)
    moves: list[Move] = []
    if member.master_state == "ACTIVE":
        moves += _drain(wanted, member)
        if wanted.drain_minutes and not wanted.wait:
            saving = wanted.save and (moves or cluster.unsaved)
            return (*moves, *([Move(Do.SAVE_CLIP)] if saving else []))
        moves.append(Move(Do.AWAIT_DRAINED))
    # A cluster does not part with a node that owns an address alone (2479).
    moves += [Move(Do.ON_CLIP, Step("delete", "nsip", name=one)) for one in cluster.spotted_on(member.node_id)]
    moves.append(Move(Do.ON_CLIP, Step("delete", "clusternode", name=str(member.node_id))))
    if wanted.save:
        moves += [Move(Do.SAVE_CLIP), *([Move(Do.SAVE_LEFT)] if view.node else [])]
    return tuple(moves)


def _drain(wanted: Wanted, member: Member) -> list[Move]:
    """Begin to drain, once: a drain that is under way is not begun again."""
    if member.admin_state == "PASSIVE":
        return []
    body = {"nodeid": member.node_id, "state": "PASSIVE", "delay": wanted.drain_minutes}
    return [Move(Do.ON_CLIP, Step("update", "clusternode", body=body))]


def _keep_majority(wanted: Wanted, members: Sequence[Member]) -> None:
    """A cluster works as long as more than half of its configured nodes are up (quorum MAJORITY)."""
    down = [member for member in members if not member.up and not same_address(member.address, wanted.nsip)]
    if 2 * (1 + len(down)) < len(members):
        return
    others = f" while {', '.join(m.address for m in down)} {'is' if len(down) == 1 else 'are'} not up" if down else ""
    raise NitroError(
        f"{wanted.nsip}: taking it out of a cluster of {len(members)}{others} would remove half of its nodes or more "
        "at once; give dissolve=true where the cluster shall be taken apart"
    )


def _drop(wanted: Wanted, node: Node) -> Plan:
    """Remove the cluster instance on the node itself."""
    name = str(wanted.cluster_id if node.cluster_id is None else node.cluster_id)
    drop = Move(Do.ON_NODE, Step("delete", "clusterinstance", name=name))
    return (drop, Move(Do.SAVE_LEFT)) if wanted.save else (drop,)


def _clean_up(wanted: Wanted, view: View) -> Plan:
    """The CLIP does not know the node, or does not answer: what is left to do on the node, and to save."""
    moves: list[Move] = []
    if view.running and view.running.unsaved and wanted.save:
        moves.append(Move(Do.SAVE_CLIP))
    node = view.node
    if node is None:
        if view.running or wanted.dissolve:
            return tuple(moves)
        raise NitroUnreachable(
            f"{view.node_trouble or wanted.nsip}; and no cluster answers at clip {wanted.clip} ({view.silence})"
        )
    if node.cluster_id is None:
        return (*moves, *([Move(Do.SAVE_LEFT)] if node.unsaved and wanted.save else []))
    if not _left_over(wanted, node):
        return tuple(moves)
    if view.running is None and not wanted.dissolve:
        raise NitroTimeout(
            f"{wanted.nsip}: no cluster answers at clip {wanted.clip} ({view.silence}), so nothing takes it off; "
            "give dissolve=true where the cluster shall be taken apart"
        )
    return (*moves, *_drop(wanted, node))


# -------------------------------------------------------------------------------------------------- what must hold


def _answering(view: View) -> Node:
    if view.node is None:
        raise NitroUnreachable(view.node_trouble or "the appliance does not answer")
    return view.node


def _right_cluster(wanted: Wanted, cluster: Cluster) -> None:
    if cluster.cluster_id != wanted.cluster_id:
        raise NitroError(
            f"{wanted.nsip}: clip {wanted.clip} belongs to cluster {cluster.cluster_id}, not {wanted.cluster_id}"
        )


def _same_cluster(wanted: Wanted, node: Node) -> None:
    if node.cluster_id not in (None, wanted.cluster_id):
        raise NitroError(f"{wanted.nsip}: is in cluster {node.cluster_id} already, not {wanted.cluster_id}", code=2449)
    if node.clips and not any(same_address(clip, wanted.clip) for clip in node.clips):
        raise NitroError(
            f"{wanted.nsip}: its cluster has CLIP {', '.join(node.clips)}, not {wanted.clip}; take it out of that "
            "first",
            code=2449,
        )


def _able(wanted: Wanted, node: Node, cluster: Cluster | None = None) -> None:
    """Whether a stand-alone appliance can be in a cluster (in this one, when it is given)."""
    if node.ha_peers:
        raise NitroError(
            f"{wanted.nsip}: is in an HA pair with {', '.join(node.ha_peers)}, which cannot be in a cluster; "
            "take the pair apart first (vpx_ha_node with state=absent)",
            code=2453,
        )
    if node.fit and not node.fit.clustering:
        raise NitroError(f"{wanted.nsip}: its licence does not include clustering")
    for address, kind, _mask in node.addresses:
        if same_address(address, wanted.clip):
            raise NitroError(f"{wanted.nsip}: clip {wanted.clip} is one of its own addresses ({kind})")
    network = None if cluster and cluster.inc else outside(wanted.clip, node, wanted.nsip)
    if network:
        raise NitroError(f"{wanted.nsip}: clip {wanted.clip} is outside its management network {network}")
    if cluster and cluster.fit and node.fit:
        _fits(wanted, node.fit.version, cluster.fit.version, "software", 2474)
        _fits(wanted, _extra(node.fit.licence, cluster.fit.licence), "", "licence", 2458)


def _extra(mine: Sequence[str], theirs: Sequence[str]) -> str:
    """What one licence has and the other has not; empty when they are the same or one of them is not known."""
    return ", ".join(sorted(set(mine) ^ set(theirs))) if mine and theirs else ""


def _fits(wanted: Wanted, mine: Any, theirs: Any, what: str, code: int) -> None:
    if mine == theirs or mine is None or theirs is None:
        return
    said = f"{mine} here, {theirs} at {wanted.clip}" if theirs else f"they differ in: {mine}"
    raise NitroError(
        f"{wanted.nsip}: every node of a cluster needs the same {what}, and this one's is another ({said})", code=code
    )
