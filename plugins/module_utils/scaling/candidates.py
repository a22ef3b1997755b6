# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Removal candidates: which nodes of a zone a scale-in removes, and which nodes a failed event left. Pure.

The choice is written on the nodes themselves (lifecycle and event), so that a run that resumes the event finds the same
nodes. Whatever is removed is named by instance id: a number of nodes could mean others a moment later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Optional

#: Of so many members, of which so many leave already, how many more may leave and why no more; None: no limit.
LeavingLimit = Callable[[int, int], Optional[tuple[int, str]]]  # noqa: UP045

IN_SERVICE = "in_service"
DRAINING = "draining"
TERMINATING = "terminating"
LEAVING = (DRAINING, TERMINATING)
#: Lifecycles of a node that never came into service.
STRANDED = ("provisioning", "joining")


@dataclass(frozen=True, slots=True)
class Node:
    """A node as its tags describe it, and its health.

    ``live``: its instance is not terminated. ``event``: the scaling event that removes it. ``nsip``, ``client_address``
    and ``server_address``: None once the instance is gone. ``healthy``: the node answers and no health check fails;
    False for a silent or unhealthy node. ``replaced``: an operator has asked for its replacement.
    """

    instance_id: str
    node_id: int | None
    lifecycle: str | None
    event: str | None = None
    live: bool = True
    nsip: str | None = None
    client_address: str | None = None
    server_address: str | None = None
    image_id: str | None = None
    healthy: bool = True
    replaced: bool = False

    @property
    def leaving(self) -> bool:
        """Whether a scale-in removes it."""
        return self.lifecycle in LEAVING


@dataclass(frozen=True, slots=True)
class Choice:
    """``selected``: the nodes of this event, in the order in which they are removed; ``fresh``: those chosen just now;
    ``message``: what was asked for and is not possible, None if all of it is."""

    selected: tuple[Node, ...]
    fresh: tuple[Node, ...] = ()
    message: str | None = None


def of_event(nodes: Sequence[Node], event_id: str) -> tuple[Node, ...]:
    """Return the nodes that this event removes; without an id, all that are draining or terminating."""
    return tuple(_in_order([n for n in nodes if n.leaving and event_id in ("", n.event)], None))


def left_by(nodes: Sequence[Node], event_id: str) -> Choice:
    """Return the nodes that a failed event left, for removal: those it marked, and those that never came into service.

    A node in service is never among them, whatever the number of nodes that the event was about: another run may have
    put a stranded node into service since.
    """
    marked = [node for node in of_event(nodes, event_id) if event_id]
    stranded = tuple(_in_order([node for node in nodes if node.live and node.lifecycle in STRANDED], None))
    return Choice((*marked, *stranded), stranded)


def choose(
    nodes: Sequence[Node],
    count: int,
    event_id: str,
    min_nodes: int,
    *,
    limit: LeavingLimit | None = None,
    coordinator: str | None,
    image_id: str | None = None,
) -> Choice:
    """Return ``count`` nodes of a zone to be removed.

    First go nodes that are to be replaced, and no other instead of one of them; then nodes that are not in service,
    then silent and unhealthy nodes, then those of another image than ``image_id`` (the image that new nodes get), then
    those with the highest node id. The coordinator of a cluster is chosen only where there is no other node, or where
    it is to be replaced, and the last healthy node never.

    An event chooses once: if nodes carry its id, these are the result, gone or not. Without an id, nodes that are
    already draining are the result. At least ``min_nodes``, and one, stay in service; of a cluster less than half of
    the members leave, those that are leaving already counted, because more than half of them must be up for it to work.

    Args:
        nodes: All nodes of the zone.
        count: How many are to be removed; 0 only returns the nodes that the event has chosen before.
        event_id: The scaling event; empty for none.
        min_nodes: How many must stay in service.
        limit: The limit that the topology of the zone sets, see ``topologies/base.py``; None without one.
        coordinator: NSIP of the cluster's configuration coordinator, if it is known.
        image_id: The image that new nodes get; None if images do not matter.
    """
    begun = [node for node in of_event(nodes, event_id) if node.live or event_id]
    if begun:
        return Choice(tuple(begun))
    live = [node for node in nodes if node.live]
    staying = [node for node in live if not node.leaving]
    limits = [(count, ""), _floor(staying, min_nodes)]
    topological = limit(len(live), len(live) - len(staying)) if limit else None
    limits += [topological] if topological else []
    number, why = min(limits, key=lambda limit: limit[0])
    ordered = _in_order(staying, coordinator, image_id)
    chosen = _without_last_healthy(ordered, number)
    kept = [node.instance_id for node in ordered[:number] if node.replaced and node not in chosen]
    if kept:
        return Choice(
            (), (), f"{', '.join(kept)} is to be replaced, but is the last healthy node in service, and stays"
        )
    message = None if number >= count else f"{count} were to go, and {number or 'none'} can: {why}"
    return Choice(chosen, chosen, message)


def _floor(staying: Sequence[Node], min_nodes: int) -> tuple[int, str]:
    least = max(min_nodes, 1)
    # A node that is not in service cannot be one of those that stay.
    serving = sum(node.lifecycle == IN_SERVICE for node in staying)
    idle = len(staying) - serving
    return idle + max(0, serving - least), f"{serving} are in service, and at least {least} must stay"


def _without_last_healthy(ordered: Sequence[Node], number: int) -> tuple[Node, ...]:
    """Return the first ``number`` nodes, passing over the last healthy node in service."""
    healthy = [node for node in ordered if _serves(node)]
    chosen = ordered[:number]
    if healthy and all(node in chosen for node in healthy):
        return tuple([node for node in ordered if node is not healthy[-1]][:number])
    return tuple(chosen)


def _serves(node: Node) -> bool:
    return node.lifecycle == IN_SERVICE and node.healthy


def _in_order(nodes: Sequence[Node], coordinator: str | None, image_id: str | None = None) -> list[Node]:
    def goes_first(node: Node) -> tuple[bool, bool, bool, bool, bool, float, str]:
        number = float("inf") if node.node_id is None else float(node.node_id)
        is_coordinator = coordinator is not None and node.nsip == coordinator
        current = image_id in (None, node.image_id)
        in_service = node.lifecycle == IN_SERVICE
        return not node.replaced, in_service, is_coordinator, node.healthy, current, -number, node.instance_id

    return sorted(nodes, key=goes_first)


def with_health(nodes: Sequence[Node], unhealthy: Collection[str]) -> list[Node]:
    """Return the nodes, those of these instance ids marked as not healthy."""
    return [replace(node, healthy=node.healthy and node.instance_id not in unhealthy) for node in nodes]
