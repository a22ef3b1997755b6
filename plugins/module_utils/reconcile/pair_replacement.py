# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which instance of a pair a request to replace a node is about, and whether it still has to go. Pure.

A new instance carries the tag ``cloudadc:replaces`` from its launch. By it, and by what EC2 says of the old instance, a
run that is repeated knows how far the one before it came, and replaces no node twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..aws import tags as t
from ..aws.instances import Instance
from ..core.errors import Refusal
from ..spec.identity import PAIR, Owner, belongs

#: Value of the tag where it is not known any more which instance was there before.
UNKNOWN = "unknown"
_STOPPED = ("stopping", "stopped")


@dataclass(frozen=True, slots=True)
class Replacement:
    """A request to replace a node.

    ``instance_id``: the instance that goes, or is gone; empty if EC2 has forgotten it. ``due``: it exists, and has to
    be removed. ``launch``: its successor is not launched yet. ``message``: what was found.
    """

    node_id: int
    instance_id: str
    due: bool
    launch: bool
    message: str

    def result(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the successor."""
        return {t.REPLACES: self.instance_id or UNKNOWN} if self.launch else {}

    def replaces(self, instance: Instance) -> bool:
        """Whether this instance has to be removed."""
        return self.due and instance.instance_id == self.instance_id


def select(name: str, asked: str, instances: Iterable[Instance]) -> Replacement | None:
    """Return what ``ha_pair_replace_node`` asks for; None if it is empty.

    A node id names the instance that has it, unless that instance was itself launched as a replacement: otherwise a
    command that is repeated would replace the node again. Such an instance is replaced by its own id.

    Args:
        name: The pair.
        asked: A node id or an instance id, as ``spec.pair`` checks it.
        instances: Everything that EC2 lists with the name of the pair, in every state.

    Raises:
        Refusal: no instance of the pair has the id.
    """
    if not asked:
        return None
    nodes = [item for item in instances if belongs(Owner(name, PAIR), item.tags)]
    live = {item.node_id: item for item in nodes if item.live and item.node_id is not None}
    return _of_node(int(asked), nodes, live) if asked.isdigit() else _of_instance(name, asked, nodes, live)


def _of_node(node_id: int, nodes: Sequence[Instance], live: Mapping[int, Instance]) -> Replacement:
    present = live.get(node_id)
    if present is None:
        gone = [item for item in nodes if item.node_id == node_id]
        last = max(gone, key=lambda item: item.launch_time).instance_id if gone else ""
        return _gone(node_id, last)
    if t.REPLACES in present.tags:
        return _replaced(node_id, present.tags[t.REPLACES], present)
    return _due(node_id, present)


def _of_instance(name: str, asked: str, nodes: Sequence[Instance], live: Mapping[int, Instance]) -> Replacement:
    found = next((item for item in nodes if item.instance_id == asked), None)
    successor = next((item for item in live.values() if item.tags.get(t.REPLACES) == asked), None)
    node_id = found.node_id if found else successor.node_id if successor else None
    if found and found.live and node_id is not None:
        return _due(node_id, found)
    if node_id is not None:
        present = live.get(node_id)
        return _replaced(node_id, asked, present) if present else _gone(node_id, asked)
    missing = [number for number in (0, 1) if number not in live]
    if len(missing) == 1:
        return _gone(missing[0], asked)
    known = ", ".join(f"{item.instance_id} (node {number})" for number, item in sorted(live.items(), key=str))
    raise Refusal(f"ha_pair_replace_node: {asked} is no instance of {name}; its nodes are {known or 'none'}")


def _due(node_id: int, instance: Instance) -> Replacement:
    name = instance.instance_id
    return Replacement(node_id, name, due=True, launch=True, message=f"node {node_id} ({name}) is to be replaced")


def _gone(node_id: int, instance_id: str) -> Replacement:
    which = f"{instance_id} is gone" if instance_id else "it has no instance"
    return Replacement(
        node_id, instance_id, due=False, launch=True, message=f"node {node_id}: {which}; a new one is due"
    )


def _replaced(node_id: int, old: str, present: Instance) -> Replacement:
    name = present.instance_id
    message = (
        f"node {node_id}: {old} is gone, and {name} of {present.launch_time or 'an unknown time'} is in its place. "
        f"Nothing was replaced; to replace {name}, name it: ha_pair_replace_node={name}"
    )
    return Replacement(node_id, old, due=False, launch=False, message=message)


def stopped_problems(instances: Iterable[Instance], replacement: Replacement | None) -> list[str]:
    """Return one message for each node that EC2 has stopped, with what brings it back."""
    return [
        f"Node {item.node_id} is {item.instance_id}, which EC2 says is {item.state}"
        f"{f' ({item.reason})' if item.reason else ''}. Start it (aws ec2 start-instances --instance-ids "
        f"{item.instance_id}) and run this again, or replace it with ha_pair_replace_node={item.instance_id}."
        for item in instances
        if item.state in _STOPPED and not (replacement and replacement.replaces(item))
    ]
