# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which nodes of a zone go in a scale-in. Pure.

Who goes is written on the nodes themselves (lifecycle and event), so whoever carries the event on finds the same nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

IN_SERVICE = "in_service"
DRAINING = "draining"
TERMINATING = "terminating"
LEAVING = (DRAINING, TERMINATING)


@dataclass(frozen=True, slots=True)
class Node:
    """A node as its tags tell it. ``live``: its instance is not terminated; ``event``: of the scaling event that takes
    it out; ``nsip``, ``client_address`` and ``server_address``: None once the instance is gone."""

    instance_id: str
    node_id: int | None
    lifecycle: str | None
    event: str | None = None
    live: bool = True
    nsip: str | None = None
    client_address: str | None = None
    server_address: str | None = None
    image_id: str | None = None

    @property
    def leaving(self) -> bool:
        return self.lifecycle in LEAVING


@dataclass(frozen=True, slots=True)
class Choice:
    """``victims``: the nodes of this event, in the order in which they go; ``fresh``: those that were chosen just now;
    ``said``: a sentence about what was asked for and cannot be, None if all of it can."""

    victims: tuple[Node, ...]
    fresh: tuple[Node, ...] = ()
    said: str | None = None


def of_event(nodes: Sequence[Node], event_id: str) -> tuple[Node, ...]:
    """The nodes that this event takes out; without an id, all that are on their way out."""
    return tuple(_in_order([n for n in nodes if n.leaving and event_id in ("", n.event)], None))


def choose(
    nodes: Sequence[Node],
    count: int,
    event_id: str,
    min_nodes: int,
    *,
    clustered: bool,
    coordinator: str | None,
    image_id: str | None = None,
) -> Choice:
    """``count`` nodes of a zone: first those that serve nobody, then the highest node id, the coordinator last.

    With ``image_id``, the image that new nodes get, those of another image go before those that have it.

    An event chooses once: if nodes carry its id, these are its victims, gone or not. Without an id, nodes that are on
    their way out are gone on with. At least ``min_nodes``, and one, stay in service; of a cluster less than half of the
    members leave, those that are leaving already counted, because more than half of them must be up for it to work.
    ``coordinator``: the NSIP of the cluster's configuration coordinator, if it is known.
    """
    begun = [node for node in of_event(nodes, event_id) if node.live or event_id]
    if begun:
        return Choice(tuple(begun))
    live = [node for node in nodes if node.live]
    staying = [node for node in live if not node.leaving]
    limits = [(count, ""), _floor(staying, min_nodes)]
    if clustered:
        limits.append(_majority(len(live), len(live) - len(staying)))
    number, why = min(limits, key=lambda limit: limit[0])
    chosen = tuple(_in_order(staying, coordinator, image_id)[:number])
    said = None if number >= count else f"{count} were to go, and {number or 'none'} can: {why}"
    return Choice(chosen, chosen, said)


def _floor(staying: Sequence[Node], min_nodes: int) -> tuple[int, str]:
    least = max(min_nodes, 1)
    # A node that is not in service cannot be one of those that stay.
    serving = sum(node.lifecycle == IN_SERVICE for node in staying)
    idle = len(staying) - serving
    return idle + max(0, serving - least), f"{serving} are in service, and at least {least} must stay"


def _majority(members: int, leaving: int) -> tuple[int, str]:
    most = max(0, (members - 1) // 2 - leaving)
    others = f", {leaving} of which are leaving already" if leaving else ""
    return most, f"less than half of a cluster may leave at once, and it has {members} nodes{others}"


def _in_order(nodes: Sequence[Node], coordinator: str | None, image_id: str | None = None) -> list[Node]:
    def goes_first(node: Node) -> tuple[bool, bool, bool, float, str]:
        number = float("inf") if node.node_id is None else float(node.node_id)
        is_coordinator = coordinator is not None and node.nsip == coordinator
        current = image_id in (None, node.image_id)
        return node.lifecycle == IN_SERVICE, is_coordinator, current, -number, node.instance_id

    return sorted(nodes, key=goes_first)
