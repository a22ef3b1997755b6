# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The scaling events by which an instance of an autoscale group is replaced. Pure.

A replacement is a scale-out and a scale-in by hand of its zone, with names made of the instance's id: an event of the
same name is the same event, so a repeated run resumes it. The tag ``cloudadc:replace`` makes the scale-in choose the
instance, whichever run carries it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..aws import tags as t
from ..aws.instances import Instance
from ..core.errors import Refusal
from ..spec.group_nodes import LEAVING
from ..spec.identity import AUTOSCALE_GROUP, Owner, belongs
from ..topologies.registry import REGISTRY as TOPOLOGIES

#: Values of the tag: the successor joins before the instance leaves, or only after it has left.
JOIN_FIRST = "join-first"
REMOVE_FIRST = "remove-first"
#: Value of ``replace_node`` that names the next node of another image or instance type.
OUTDATED = "outdated"
_STOPPED = ("stopping", "stopped")


@dataclass(frozen=True, slots=True)
class GroupReplacement:
    """``requests``: events to ask for, one after the other, as option ``request`` of autoscale_tick takes them.

    ``mark``: value of the tag that the instance must get first, empty if it has it or is gone. ``message``: what is
    done. ``event_id``: of its removal without a drain, after the requests; empty where a request removes it.
    """

    instance_id: str
    zone: str
    mark: str
    requests: tuple[Mapping[str, Any], ...]
    message: str
    event_id: str = ""

    def result(self) -> dict[str, Any]:
        return asdict(self)


def plan(definition: Mapping[str, Any], instances: Iterable[Instance]) -> GroupReplacement | None:
    """Return the replacement that the definition asks for; None without one.

    The successor joins first where ``max_nodes`` leaves room; at ``max_nodes`` the instance leaves first, if
    ``min_nodes`` allows it. An instance that EC2 has stopped serves no client and is none of the nodes that a tick
    counts, so it is removed without a drain.

    Args:
        definition: The group.
        instances: Its instances in every state.

    Raises:
        Refusal: there is no such instance, or neither limit leaves room, or its successor could not join.
    """
    asked, name = definition["replace_node"], definition["name"]
    if not asked:
        return None
    nodes = [item for item in instances if belongs(Owner(name, AUTOSCALE_GROUP), item.tags)]
    if asked == OUTDATED:
        due = outdated(definition, nodes)
        if not due:
            message = f"every node has image {definition['image_id']} and type {definition['instance_type']}"
            return GroupReplacement("", "", "", (), f"{message}. Nothing has to be replaced")
        found = due[0]
    else:
        named = [item for item in nodes if item.instance_id == asked]
        if not named:
            return _forgotten(name, asked, nodes)
        [found] = named
    zone = found.tags.get(t.ZONE, "")
    if zone not in [one["name"] for one in definition["zones"]]:
        raise Refusal(f"{found.instance_id} is of zone {zone}, which is no zone of {name}")
    return _of_live(definition, zone, found, nodes) if found.live else _of_gone(zone, found)


def _of_gone(zone: str, found: Instance) -> GroupReplacement:
    name = found.instance_id
    if found.tags.get(t.REPLACE) == REMOVE_FIRST:
        requests = (_request("scale_out", name),)
        return GroupReplacement(name, zone, "", requests, f"{name} is gone; its successor is launched")
    return GroupReplacement(name, zone, "", (), f"{name} is gone. Nothing has to be replaced")


def _of_live(definition: Mapping[str, Any], zone: str, found: Instance, nodes: Sequence[Instance]) -> GroupReplacement:
    name, mark = found.instance_id, found.tags.get(t.REPLACE, "")
    out, scale_in, event_id = _request("scale_out", name), _request("scale_in", name), f"replace-{name}"
    leaving, event = found.lifecycle in LEAVING, found.tags.get(t.EVENT, "")
    own = [one for one in nodes if one.tags.get(t.ZONE) == zone and one.live and one.lifecycle not in LEAVING]
    if found.state in _STOPPED or (leaving and event == event_id):
        running = sum(one.state not in _STOPPED and one is not found for one in own)
        room = running < definition["policy"]["max_nodes"]
        message = f"{name} is {found.state}: it is removed{', and a new node takes its place' if room else ''}"
        return GroupReplacement(name, zone, mark or JOIN_FIRST, (out,) if room else (), message, event_id)
    if leaving:
        resumed = ({**scale_in, "id": event},) if event else ()
        return GroupReplacement(name, zone, "", resumed, f"{name} is {found.lifecycle} already; its event is resumed")
    how = mark or _order(definition, zone, len(own), name)
    if how == JOIN_FIRST:
        message = f"{name} is replaced: a new node joins {zone} first, then {name} drains and is terminated"
        return GroupReplacement(name, zone, "" if mark else how, (out, scale_in), message)
    message = (
        f"{name} is replaced: {zone} has max_nodes, so {name} drains and is terminated first. Run this again when it "
        "is terminated, and its successor is launched"
    )
    return GroupReplacement(name, zone, "" if mark else how, (scale_in,), message)


def outdated(definition: Mapping[str, Any], nodes: Sequence[Instance]) -> list[Instance]:
    """Return the live nodes of another image or type than defined, those whose replacement has begun first.

    Raises Refusal for another image where the nodes of a zone must run one build.
    """
    desired = (definition["image_id"], definition["instance_type"])
    due = [one for one in nodes if one.live and (one.image_id, one.instance_type) != desired]
    if not TOPOLOGIES[definition["topology"]].mixes_builds and any(one.image_id != desired[0] for one in due):
        raise Refusal(
            f"{definition['name']} is not upgraded node by node: the nodes of a zone with topology "
            f"{definition['topology']} must run one build, so a node of another image cannot join them"
        )

    def comes_first(one: Instance) -> tuple[bool, bool, str, int, str]:
        begun, leaving = t.REPLACE in one.tags, one.lifecycle in LEAVING
        return not begun, not leaving, one.tags.get(t.ZONE, ""), one.node_id or 0, one.instance_id

    return sorted(due, key=comes_first)


def _order(definition: Mapping[str, Any], zone: str, staying: int, asked: str) -> str:
    policy = definition["policy"]
    if staying < policy["max_nodes"]:
        return JOIN_FIRST
    if staying > policy["min_nodes"]:
        return REMOVE_FIRST
    raise Refusal(
        f"{asked} cannot be replaced: {zone} has {staying} nodes, which is both min_nodes and max_nodes. Raise "
        "max_nodes of autoscale_group_policy by 1, for as long as the replacement takes"
    )


def _request(action: str, instance_id: str) -> dict[str, Any]:
    return {"action": action, "count": 1, "id": f"replace-{instance_id}-{action}"}


def _forgotten(name: str, asked: str, nodes: Sequence[Instance]) -> GroupReplacement:
    successor = next((one for one in nodes if one.live and one.tags.get(t.REPLACES) == asked), None)
    if successor is not None:
        message = f"{asked} is gone, replaced by {successor.instance_id}. Nothing has to be replaced"
        return GroupReplacement(asked, successor.tags.get(t.ZONE, ""), "", (), message)
    known = ", ".join(sorted(one.instance_id for one in nodes if one.live)) or "none"
    raise Refusal(f"autoscale_group_replace_node: {asked} is no instance of {name}; it has {known}")


def stopped_problems(definition: Mapping[str, Any], instances: Iterable[Instance]) -> list[str]:
    """Return one message for each node in service that EC2 has stopped, with what brings it back."""
    return [
        f"Zone {item.tags.get(t.ZONE)}: node {item.instance_id} is {item.state}, says EC2"
        f"{f' ({item.reason})' if item.reason else ''}. Start it (aws ec2 start-instances --instance-ids "
        f"{item.instance_id}) and run this again, or replace it with autoscale_group_replace_node={item.instance_id}."
        for item in instances
        if item.state in _STOPPED
        and item.lifecycle not in LEAVING
        and item.instance_id != definition["replace_node"]
        and t.REPLACE not in item.tags
    ]
