#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: autoscale_victims
version_added: 0.1.0
short_description: Choose the nodes of an autoscale group that go in a scale-in, and mark them
description:
  - Chooses nodes of one zone and marks their instances with C(cloudadc:lifecycle=draining) and C(cloudadc:event), so
    that every later run finds the same nodes. It takes them out of nothing.
  - First go nodes that are not in service, then those of another image than O(image_id), then those with the highest
    C(cloudadc:node_id), the coordinator of a cluster last. At least O(min_nodes), and one, stay in service. Of a
    cluster less than half of the members leave at once.
  - An event chooses once. If nodes carry its id, these are the result, also when their instances are gone.
  - Calls. One C(DescribeInstances), and one C(CreateTags) if nodes have to be marked.
  - Needs the rights C(ec2:DescribeInstances) and C(ec2:CreateTags).
options:
  group:
    description:
      - The autoscale group.
    type: str
    required: true
  zone:
    description:
      - Its zone.
    type: str
    required: true
  step:
    description:
      - V(begin) chooses, and marks as C(draining). V(finish) chooses nobody; it marks the nodes of the event as
        C(terminating).
    type: str
    choices: [begin, finish]
    default: begin
  count:
    description:
      - How many nodes go. Fewer do where more cannot, and RV(sentence) says so.
    type: int
    default: 1
  event_id:
    description:
      - The id of the scaling event. Without one, nodes that are on their way out are gone on with, whatever their
        event.
    type: str
    default: ""
  min_nodes:
    description:
      - How many nodes must stay in service.
    type: int
    default: 1
  clustered:
    description:
      - Whether the nodes of the zone are a cluster.
    type: bool
    default: false
  coordinator:
    description:
      - The NSIP of the configuration coordinator of the cluster.
    type: str
  image_id:
    description:
      - The image that new nodes of the group get. Left out, images do not matter.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_aws
author:
  - The cloudadc.aws contributors (@cloudadc)
seealso:
  - module: cloudadc.aws.vpx_instance
"""

EXAMPLES = r"""
- name: Two nodes shall go
  cloudadc.aws.autoscale_victims:
    group: shop
    zone: eu-central-1a
    count: 2
    event_id: 0f2f7d1c
    min_nodes: 2
  register: leaving

- name: Whoever finishes the event finds them again
  cloudadc.aws.autoscale_victims:
    group: shop
    zone: eu-central-1a
    event_id: 0f2f7d1c
    step: finish
"""

RETURN = r"""
victims:
  description: The nodes of the event, in the order in which they go.
  returned: success
  type: list
  elements: dict
  contains:
    instance_id: {type: str, description: The instance., sample: i-0123456789abcdef0}
    node_id: {type: int, description: "The node's number, null if it has none.", sample: 3}
    live: {type: bool, description: Whether the instance is there., sample: true}
    lifecycle: {type: str, description: Its lifecycle after the task., sample: draining}
    event: {type: str, description: The event that takes it out., sample: 0f2f7d1c}
    nsip: {type: str, description: "Its management address, null once it is gone.", sample: 10.0.1.13}
    client_address: {type: str, description: "Its client address, null once it is gone.", sample: 10.0.2.13}
    server_address: {type: str, description: "Its server address, null once it is gone.", sample: 10.0.3.13}
    image_id: {type: str, description: The image it was launched from., sample: ami-0123456789abcdef0}
sentence:
  description: Why fewer go than were asked for; null if all do.
  returned: success
  type: str
  sample: "2 were to go, and 1 can: 3 are in service, and at least 2 must stay"
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils.aws import ec2 as api
from ..module_utils.aws import tags as t
from ..module_utils.aws.client import connect
from ..module_utils.aws.errors import fail
from ..module_utils.aws.instances import GONE, Instance, parse_instances
from ..module_utils.core.errors import Failure
from ..module_utils.scaling.candidates import DRAINING, TERMINATING, Choice, Node, choose, of_event

EVENT = "cloudadc:event"
BY_HAND = "by-hand"


def argument_spec() -> dict[str, Any]:
    return {
        "group": {"type": "str", "required": True},
        "zone": {"type": "str", "required": True},
        "step": {"type": "str", "choices": ["begin", "finish"], "default": "begin"},
        "count": {"type": "int", "default": 1},
        "event_id": {"type": "str", "default": ""},
        "min_nodes": {"type": "int", "default": 1},
        "clustered": {"type": "bool", "default": False},
        "coordinator": {"type": "str"},
        "image_id": {"type": "str"},
    }


def node_of(instance: Instance) -> Node:
    addresses = {item.device_index: item.addresses[0] for item in instance.interfaces if item.addresses}
    return Node(
        instance_id=instance.instance_id,
        node_id=instance.node_id,
        lifecycle=instance.lifecycle,
        event=instance.tags.get(EVENT),
        live=instance.state != GONE,
        nsip=addresses.get(0),
        client_address=addresses.get(1),
        server_address=addresses.get(2),
        image_id=instance.image_id or None,
    )


def decide(params: dict[str, Any], nodes: Sequence[Node]) -> tuple[Choice, dict[str, str]]:
    """The nodes of the event, and the tags that those of them need who do not have them."""
    event_id = params["event_id"]
    if params["step"] == "finish":
        return Choice(of_event(nodes, event_id)), {t.LIFECYCLE: TERMINATING}
    choice = choose(
        nodes,
        params["count"],
        event_id,
        params["min_nodes"],
        clustered=params["clustered"],
        coordinator=params["coordinator"],
        image_id=params["image_id"],
    )
    return choice, {t.LIFECYCLE: DRAINING, EVENT: event_id or BY_HAND}


def run(module: Any) -> dict[str, Any]:
    """Read, choose, mark; in check mode foretell it."""
    params, client = module.params, connect(module, "ec2")
    filters = t.as_filters(t.identity(params["group"], params["zone"], None))
    nodes = [node_of(item) for item in parse_instances(api.describe_instances(client, filters))]
    choice, tags = decide(params, nodes)
    finishing = params["step"] == "finish"
    unmarked = [n for n in choice.victims if n.live and n.lifecycle != TERMINATING] if finishing else choice.fresh
    if unmarked and not module.check_mode:
        api.create_tags(client, [node.instance_id for node in unmarked], tags)
    marked = {node.instance_id for node in unmarked}
    after = [
        replace(node, lifecycle=tags[t.LIFECYCLE], event=tags.get(EVENT, node.event)) if node in unmarked else node
        for node in choice.victims
    ]
    return {
        "changed": bool(marked),
        "victims": [asdict(node) for node in after],
        "sentence": choice.said,
        "diff": {
            "before": {node.instance_id: node.lifecycle for node in choice.victims},
            "after": {node.instance_id: node.lifecycle for node in after},
        },
    }


def main() -> None:
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = run(module)
    except Failure as error:
        failure = error
    else:
        module.exit_json(**result)
    # Outside of the except block, so that no traceback is attached to the result.
    fail(module, failure)


if __name__ == "__main__":
    main()
