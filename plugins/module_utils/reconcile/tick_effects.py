# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The effects of a tick over NITRO and EC2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import missing_required_lib

from ..aws import ec2 as api
from ..aws import tags
from ..aws.client import Client
from ..aws.instances import Instance, in_order, parse_instances
from ..core.nitro_errors import NitroInputError
from ..core.nitro_transport import HAS_REQUESTS
from ..nitro.asking import probe_with
from ..nitro.polling import poll
from ..scaling.group_state import Node
from ..spec.figures import Reading
from .tick import with_port


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
    connect: Callable[[], Client], group: str, zone: str, port: int | None = None
) -> Callable[[], Sequence[Node]]:
    """Finds the nodes of a zone that run and are in service, by their tags: one DescribeInstances.

    ``connect`` is called when they are looked for and not before: a tick that looks for nothing needs no credentials.
    """
    wanted = {tags.GROUP: group, tags.ZONE: zone, tags.LIFECYCLE: tags.IN_SERVICE}
    filters = {**tags.as_filters(wanted), "instance-state-name": ("running",)}

    def find() -> Sequence[Node]:
        described = api.describe_instances(connect(), filters)
        return with_port([_node(each) for each in in_order(parse_instances(described)) if each.interfaces], port)

    return find


def _node(instance: Instance) -> Node:
    """The first interface is the management's: vpx_instance makes them in this order."""
    return Node(instance.interfaces[0].addresses[0], instance.instance_id, instance.node_id)
