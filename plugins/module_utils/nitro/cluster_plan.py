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
    DesiredMember,
    Member,
    Node,
    ObservedMember,
    member_at,
    no_member,
    outside,
)
from .ha import same_address
from .steps import Change

# Seconds in which a CLIP that moves to another coordinator answers again (dead interval 3 s, then an election).
GRACE = 20.0
# Before a cluster is formed because its CLIP does not answer, the CLIP is queried once more after so many seconds.
SECOND_READ = 3.0


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
class Action:
    """One thing to do; ``step`` for ON_CLIP and ON_NODE."""

    do: Do
    step: Change | None = None

    def __str__(self) -> str:
        """For the diff: ``on the CLIP: add clusternode state=ACTIVE``."""
        if self.step is None:
            return self.do.value
        message = " ".join(f"{key}={value}" for key, value in self.step.body.items())
        words = (self.step.action or self.step.verb, self.step.resource, self.step.name or "", message)
        return f"{self.do.value}: {' '.join(word for word in words if word)}"


Plan = tuple[Action, ...]


def writes(moves: Sequence[Action]) -> list[Action]:
    return [move for move in moves if move.do not in WAITS]


def predicted(desired: DesiredMember, before: Mapping[str, Any], moves: Sequence[Action]) -> dict[str, Any]:
    """Return the ``node`` predicted by check mode: numbers and admin state; runtime state is unknown."""
    after = dict(before)
    for move in moves:
        match move.step:
            case Change("add" | "update", "clusternode", body=body):
                known = {"node_id": body["nodeid"], "admin_state": body.get("state", after["admin_state"])}
                after |= {"ip_address": desired.nsip, **known}
            case Change("delete", "clusternode" | "clusterinstance"):
                after = no_member(desired.nsip)
    return after


def timeouts(desired: DesiredMember, view: ObservedMember) -> float:
    """Seconds for which it makes sense to look again before this view is taken for what it is; 0: it is enough.

    ``inf`` where an appliance is surely on its way: booting after it joined, electing a coordinator.
    """
    if not desired.present:
        return _timeout_leaving(desired, view)
    if view.running:
        member = member_at(view.running.members, desired.nsip)
        if view.node or (member and member.up):
            return 0.0
        return math.inf if member else GRACE
    node = view.node
    if node is None:
        return math.inf if desired.form else GRACE
    if node.operational:
        return math.inf
    if node.cluster_id is None:
        return SECOND_READ if desired.form else GRACE
    return GRACE if node.others(desired.nsip) else 0.0


def _timeout_leaving(desired: DesiredMember, view: ObservedMember) -> float:
    if view.running:
        # An instance that was just ended is up in the eyes of its peers until the dead interval is over.
        member = member_at(view.running.members, desired.nsip)
        return GRACE if member and member.up and view.node is None else 0.0
    node = view.node
    if desired.dissolve:
        # An appliance that is in no cluster, or alone in it, needs no CLIP to be done with it.
        return 0.0 if node and not node.others(desired.nsip) else GRACE
    return math.inf if node and node.operational else GRACE


def plan(desired: DesiredMember, view: ObservedMember) -> Plan:
    """Everything that is left to do. Raises NitroError, before the first write, where it cannot or must not be done."""
    if not desired.present:
        return _leave(desired, view)
    if view.running is None:
        return _form(desired, view)
    return _belong(desired, view, view.running)


# -------------------------------------------------------------------------------------------------- forming


def _form(desired: DesiredMember, view: ObservedMember) -> Plan:
    node = _answering(view)
    if view.cluster and view.cluster.cluster_id is None and node.cluster_id is None:
        raise NitroError(f"{desired.nsip}: clip {desired.clip} is taken: {view.silence}")
    if node.cluster_id is None:
        if not desired.form:
            raise NitroUnreachable(
                f"{desired.nsip}: no cluster answers at clip {desired.clip} ({view.silence}); "
                "give form=true where it shall be formed on this appliance"
            )
        _able(desired, node)
    _same_cluster(desired, node)
    if node.operational or node.others(desired.nsip):
        raise NitroTimeout(
            f"{desired.nsip}: is in cluster {node.cluster_id}, but clip {desired.clip} does not answer: {view.silence}"
        )
    steps = _forming_steps(desired, node)
    if steps and not desired.form:
        raise NitroError(
            f"{desired.nsip}: has begun to form cluster {desired.cluster_id} and did not finish; "
            "give form=true to go on, or take it apart (state=absent, dissolve=true)"
        )
    moves = [Action(Do.ON_NODE, step) for step in steps]
    if moves or node.unsaved:
        moves.append(Action(Do.SAVE_NODE))
    return (*moves, Action(Do.REBOOT), *_arrival(desired))


def _forming_steps(desired: DesiredMember, node: Node) -> list[Change]:
    """Return those of the five writes that are missing."""
    instance = {"clid": desired.cluster_id}
    steps = []
    if node.cluster_id is None:
        steps.append(Change("add", "clusterinstance", body=instance))
    own = member_at(node.members, desired.nsip)
    if own is None:
        steps.append(Change("add", "clusternode", body=desired.declaration(desired.node_id or 0)))
    elif tuning := desired.tuning(own):
        steps.append(Change("update", "clusternode", body=tuning))
    if not any(same_address(clip, desired.clip) for clip in node.clips):
        body = {"ipaddress": desired.clip, "netmask": CLIP_NETMASK, "type": "CLIP"}
        steps.append(Change("add", "nsip", body=body))
    if node.cluster_id is None or not node.enabled:
        steps.append(Change("act", "clusterinstance", action="enable", body=instance))
    return steps


# -------------------------------------------------------------------------------------------------- belonging


def _belong(desired: DesiredMember, view: ObservedMember, cluster: Cluster) -> Plan:
    """On a cluster that is in operation: declared, joined, rebooted, as desired."""
    _right_cluster(desired, cluster)
    member = member_at(cluster.members, desired.nsip)
    moves: list[Action] = []
    if member is None:
        moves += _declare(desired, view, cluster)
    elif tuning := desired.tuning(member):
        moves.append(Action(Do.ON_CLIP, Change("update", "clusternode", body=tuning)))
    if (moves or cluster.unsaved) and (desired.save or member is None):
        moves.append(Action(Do.SAVE_CLIP))
    if member is None or not member.up:
        moves += _join(desired, view)
    if moves or member is None or not member.arrived(desired.admin_state):
        moves += _arrival(desired)
    return tuple(moves)


def _declare(desired: DesiredMember, view: ObservedMember, cluster: Cluster) -> list[Action]:
    node = _answering(view)
    moves = []
    if node.cluster_id is not None:
        if not _left_over(desired, node):
            raise NitroError(
                f"{desired.nsip}: is in another cluster (id {node.cluster_id}, CLIP "
                f"{', '.join(node.clips) or 'none'}), "
                f"which is not the cluster at clip {desired.clip}; remove it from that cluster first"
            )
        moves.append(Action(Do.ON_NODE, Change("delete", "clusterinstance", name=str(node.cluster_id))))
    else:
        _able(desired, node, cluster)
    body = desired.declaration(_free_id(desired, cluster))
    return [*moves, Action(Do.ON_CLIP, Change("add", "clusternode", body=body))]


def _free_id(desired: DesiredMember, cluster: Cluster) -> int:
    taken = {member.node_id: member for member in cluster.members}
    if desired.node_id is not None:
        if holder := taken.get(desired.node_id):
            raise NitroError(
                f"{desired.nsip}: node {desired.node_id} of cluster {cluster.cluster_id} is {holder.address}"
            )
        return desired.node_id
    free = [number for number in range(MAX_NODES) if number not in taken]
    if not free:
        raise NitroError(f"{desired.nsip}: cluster {cluster.cluster_id} has {MAX_NODES} nodes, more are not possible")
    return free[0]


def _join(desired: DesiredMember, view: ObservedMember) -> list[Action]:
    """Return the remaining steps of joining, saving and rebooting for a declared node that is not a member yet."""
    node = _answering(view)
    cluster = view.running
    declared = cluster is not None and member_at(cluster.members, desired.nsip) is not None
    if node.cluster_id is None or (not declared and _left_over(desired, node)):
        return [Action(Do.JOIN), Action(Do.SAVE_NODE), Action(Do.REBOOT)]
    _same_cluster(desired, node)
    if node.operational:
        return []
    return [*([Action(Do.SAVE_NODE)] if node.unsaved else []), Action(Do.REBOOT)]


def _left_over(desired: DesiredMember, node: Node) -> bool:
    """Whether what the node has of a cluster is what is left of this one: taken off while it could not be reached, or
    never formed to the end.
    """
    if node.clips:
        return any(same_address(clip, desired.clip) for clip in node.clips)
    return not node.others(desired.nsip)


def _arrival(desired: DesiredMember) -> Plan:
    return (Action(Do.AWAIT_ARRIVAL),) if desired.wait else ()


# -------------------------------------------------------------------------------------------------- leaving


def _leave(desired: DesiredMember, view: ObservedMember) -> Plan:
    cluster = view.running
    if cluster is None or (member := member_at(cluster.members, desired.nsip)) is None:
        return _clean_up(desired, view)
    _right_cluster(desired, cluster)
    if len(cluster.members) == 1:
        if not desired.dissolve:
            raise NitroError(
                f"{desired.nsip}: is the last node of cluster {desired.cluster_id}; "
                "give dissolve=true where the cluster shall be taken apart"
            )
        return _drop(desired, _answering(view))
    if member.up and not desired.dissolve:
        _keep_majority(desired, cluster.members)
    moves: list[Action] = []
    if member.master_state == "ACTIVE":
        moves += _drain(desired, member)
        if desired.drain_minutes and not desired.wait:
            saving = desired.save and (moves or cluster.unsaved)
            return (*moves, *([Action(Do.SAVE_CLIP)] if saving else []))
        moves.append(Action(Do.AWAIT_DRAINED))
    # A cluster does not part with a node that owns an address alone (2479).
    moves += [Action(Do.ON_CLIP, Change("delete", "nsip", name=one)) for one in cluster.spotted_on(member.node_id)]
    moves.append(Action(Do.ON_CLIP, Change("delete", "clusternode", name=str(member.node_id))))
    if desired.save:
        moves += [Action(Do.SAVE_CLIP), *([Action(Do.SAVE_LEFT)] if view.node else [])]
    return tuple(moves)


def _drain(desired: DesiredMember, member: Member) -> list[Action]:
    """Begin to drain, once: a drain that is under way is not begun again."""
    if member.admin_state == "PASSIVE":
        return []
    body = {"nodeid": member.node_id, "state": "PASSIVE", "delay": desired.drain_minutes}
    return [Action(Do.ON_CLIP, Change("update", "clusternode", body=body))]


def _keep_majority(desired: DesiredMember, members: Sequence[Member]) -> None:
    """Refuse what would break the quorum: a cluster works while more than half of its configured nodes are up."""
    down = [member for member in members if not member.up and not same_address(member.address, desired.nsip)]
    if 2 * (1 + len(down)) < len(members):
        return
    others = f" while {', '.join(m.address for m in down)} {'is' if len(down) == 1 else 'are'} not up" if down else ""
    raise NitroError(
        f"{desired.nsip}: taking it out of a cluster of {len(members)}{others} would remove half of its nodes or more "
        "at once; give dissolve=true where the cluster shall be taken apart"
    )


def _drop(desired: DesiredMember, node: Node) -> Plan:
    """Remove the cluster instance on the node itself."""
    name = str(desired.cluster_id if node.cluster_id is None else node.cluster_id)
    drop = Action(Do.ON_NODE, Change("delete", "clusterinstance", name=name))
    return (drop, Action(Do.SAVE_LEFT)) if desired.save else (drop,)


def _clean_up(desired: DesiredMember, view: ObservedMember) -> Plan:
    """Return the remaining steps on a node that the CLIP does not know, or whose CLIP does not answer."""
    moves: list[Action] = []
    if view.running and view.running.unsaved and desired.save:
        moves.append(Action(Do.SAVE_CLIP))
    node = view.node
    if node is None:
        if view.running or desired.dissolve:
            return tuple(moves)
        raise NitroUnreachable(
            f"{view.node_trouble or desired.nsip}; and no cluster answers at clip {desired.clip} ({view.silence})"
        )
    if node.cluster_id is None:
        return (*moves, *([Action(Do.SAVE_LEFT)] if node.unsaved and desired.save else []))
    if not _left_over(desired, node):
        return tuple(moves)
    if view.running is None and not desired.dissolve:
        raise NitroTimeout(
            f"{desired.nsip}: no cluster answers at clip {desired.clip} ({view.silence}), so nothing takes it off; "
            "give dissolve=true where the cluster shall be taken apart"
        )
    return (*moves, *_drop(desired, node))


# -------------------------------------------------------------------------------------------------- what must hold


def _answering(view: ObservedMember) -> Node:
    if view.node is None:
        raise NitroUnreachable(view.node_trouble or "the appliance does not answer")
    return view.node


def _right_cluster(desired: DesiredMember, cluster: Cluster) -> None:
    if cluster.cluster_id != desired.cluster_id:
        raise NitroError(
            f"{desired.nsip}: clip {desired.clip} belongs to cluster {cluster.cluster_id}, not {desired.cluster_id}"
        )


def _same_cluster(desired: DesiredMember, node: Node) -> None:
    if node.cluster_id not in (None, desired.cluster_id):
        raise NitroError(
            f"{desired.nsip}: is in cluster {node.cluster_id} already, not {desired.cluster_id}", code=2449
        )
    if node.clips and not any(same_address(clip, desired.clip) for clip in node.clips):
        raise NitroError(
            f"{desired.nsip}: its cluster has CLIP {', '.join(node.clips)}, not {desired.clip}; take it out of that "
            "first",
            code=2449,
        )


def _able(desired: DesiredMember, node: Node, cluster: Cluster | None = None) -> None:
    """Whether a stand-alone appliance can be in a cluster (in this one, when it is given)."""
    if node.ha_peers:
        raise NitroError(
            f"{desired.nsip}: is in an HA pair with {', '.join(node.ha_peers)}, which cannot be in a cluster; "
            "take the pair apart first (vpx_ha_node with state=absent)",
            code=2453,
        )
    if node.fit and not node.fit.clustering:
        raise NitroError(f"{desired.nsip}: its licence does not include clustering")
    for address, kind, _mask in node.addresses:
        if same_address(address, desired.clip):
            raise NitroError(f"{desired.nsip}: clip {desired.clip} is one of its own addresses ({kind})")
    network = None if cluster and cluster.inc else outside(desired.clip, node, desired.nsip)
    if network:
        raise NitroError(f"{desired.nsip}: clip {desired.clip} is outside its management network {network}")
    if cluster and cluster.fit and node.fit:
        _fits(desired, node.fit.version, cluster.fit.version, "software", 2474)
        _fits(desired, _extra(node.fit.licence, cluster.fit.licence), "", "licence", 2458)


def _extra(mine: Sequence[str], theirs: Sequence[str]) -> str:
    """Return what one licence has and the other has not; empty if they are equal or one of them is unknown."""
    return ", ".join(sorted(set(mine) ^ set(theirs))) if mine and theirs else ""


def _fits(desired: DesiredMember, mine: Any, theirs: Any, what: str, code: int) -> None:
    if mine == theirs or mine is None or theirs is None:
        return
    message = f"{mine} here, {theirs} at {desired.clip}" if theirs else f"they differ in: {mine}"
    raise NitroError(
        f"{desired.nsip}: every node of a cluster needs the same {what}, and this one's is another ({message})",
        code=code,
    )
