# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The effects of a tick over NITRO and EC2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from ansible.module_utils.basic import missing_required_lib

from ..aws import ec2 as api
from ..aws import tags
from ..aws.autoscaling import describe_auto_scaling_groups
from ..aws.client import Client
from ..aws.instances import Instance, in_order, parse_instances
from ..core.nitro_errors import NitroInputError
from ..core.nitro_transport import HAS_REQUESTS
from ..nitro.asking import probe_with
from ..nitro.polling import poll
from ..scaling.followed import Backend, Followed, ScalingGroup, desired_backends
from ..scaling.group_state import Node
from ..spec.figures import Reading
from ..spec.identity import AUTOSCALE_GROUP, Owner, belongs
from .tick import with_port

#: Takes NSIP and tags of nodes.
Learn: TypeAlias = "Callable[[Sequence[tuple[str, Mapping[str, str]]]], object]"


def over_nitro(params: Mapping[str, Any]) -> Callable[[Sequence[str]], list[Reading]]:
    """Asks appliances for their load with the options of the NITRO modules, one session each, side by side.

    What it returns raises NitroInputError for options with which no appliance could be asked.
    """

    def collect(nsips: Sequence[str]) -> list[Reading]:
        if not HAS_REQUESTS:
            raise NitroInputError(missing_required_lib("requests"))
        asked = list(dict.fromkeys(nsips))
        return poll(asked, probe_with(params, asked), params["nitro_timeout"])

    return collect


def in_ec2(
    connect: Callable[[], Client],
    group: str,
    zones: Sequence[str],
    port: int | None = None,
    learn: Learn = lambda nodes: None,
) -> Callable[[], Mapping[str, Sequence[Node]]]:
    """Return the function that finds the running nodes in service of these zones: one DescribeInstances for all.

    The nodes of a pair of the same name are not among them.
    ``connect`` is called when they are looked for and not before: a tick that looks for nothing needs no credentials.
    The function returns the nodes by zone, and raises Failure. A zone that has no instance at all is not a key.
    ``learn`` takes NSIP and tags of each node in service.
    """
    owner = Owner(group, AUTOSCALE_GROUP)
    filters = {**tags.as_filters({tags.GROUP: group}), f"tag:{tags.ZONE}": tuple(zones)}

    def find() -> Mapping[str, Sequence[Node]]:
        instances = in_order(parse_instances(api.describe_instances(connect(), filters)))
        there = [each for each in instances if each.live and belongs(owner, each.tags)]
        found: dict[str, list[Instance]] = {zone: [] for zone in zones if any(_is_in(each, zone) for each in there)}
        for zone, mine in found.items():
            mine += [each for each in there if _is_in(each, zone) and _serves(each)]
            learn([(_node(each).nsip, each.tags) for each in mine])
        return {zone: with_port([_node(each) for each in mine], port) for zone, mine in found.items()}

    return find


def _is_in(instance: Instance, zone: str) -> bool:
    return instance.tags.get(tags.ZONE) == zone


def _serves(instance: Instance) -> bool:
    running = instance.state == "running" and bool(instance.interfaces)
    return running and instance.lifecycle == tags.IN_SERVICE


def _node(instance: Instance) -> Node:
    """Return the node; its first interface is the management one, as vpx_instance makes them in this order."""
    return Node(instance.interfaces[0].addresses[0], instance.instance_id, instance.node_id)


def desired_of(
    followed: Sequence[Followed], scaling: Callable[[], Client], ec2: Callable[[], Client]
) -> Callable[[], Mapping[str, frozenset[Backend]]]:
    """Return the function that looks the back ends of followed applications up: two calls whatever their number.

    DescribeAutoScalingGroups, then DescribeInstances of the members. It raises Failure.
    """
    names = sorted({each.scaling_group for each in followed})

    def observation() -> Mapping[str, frozenset[Backend]]:
        groups = [ScalingGroup.from_reply(each) for each in describe_auto_scaling_groups(scaling(), names)]
        members = [instance for group in groups for instance in group.in_service]
        filters = {"instance-id": members, "instance-state-name": ("running",)}
        found = api.describe_instances(ec2(), filters) if members else []
        addresses = {each["InstanceId"]: each["PrivateIpAddress"] for each in found if each.get("PrivateIpAddress")}
        return desired_backends(followed, groups, addresses)

    return observation
