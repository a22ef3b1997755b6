#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: autoscale_candidates
version_added: 0.1.0
short_description: Select and tag scale-in candidates
description:
  - Selects nodes of one zone and tags their instances with C(cloudadc:lifecycle=draining) and C(cloudadc:event), so
    that later runs find the same nodes. It does not deregister or terminate them.
  - Order of selection. Nodes that are not in service; nodes that do not answer or are unhealthy; nodes of another image
    than O(image_id); then the highest C(cloudadc:node_id). The coordinator of a cluster is selected only if there is no
    other node; the last healthy node is never selected. At least O(min_nodes) nodes, and at least one, stay in service.
    Less than half of the members of a cluster are removed at once.
  - An event selects once. Nodes that already carry its id are the result, even if their instances are terminated.
  - The result is the input of the next steps of a scale-in, M(cloudadc.aws.nlb_adc_target),
    M(cloudadc.aws.route53_adc_record), M(cloudadc.aws.vpx_cluster_node), M(cloudadc.aws.adm_device) and
    M(cloudadc.aws.vpx_instance).
  - Calls. One C(DescribeInstances), and one C(CreateTags) if nodes have to be marked. With O(load_balancer) its
    listeners, target groups and the health of their targets are read as well; with O(clip) or O(probe) one session is
    opened with the cluster, or with each node in service.
  - Needs the rights C(ec2:DescribeInstances) and C(ec2:CreateTags), and with O(load_balancer) the right to describe
    load balancers, listeners, target groups, their tags and the health of targets.
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
      - V(begin) selects, and marks as C(draining). V(finish) selects nothing; it marks the nodes of the event as
        C(terminating).
      - V(cleanup) is for an event that failed. It marks the nodes of the event, and nodes that never came into
        service, as C(terminating). A node in service is never among them. Needs O(event_id).
    type: str
    choices: [begin, finish, cleanup]
    default: begin
  count:
    description:
      - Number of nodes to remove. If fewer can be removed, RV(sentence) gives the reason.
      - V(0) selects no further nodes. The result is what the event selected before.
    type: int
    default: 1
  event_id:
    description:
      - The id of the scaling event. Without it, the result is the nodes that are already draining, of any event.
    type: str
    default: ""
  min_nodes:
    description:
      - Minimum number of nodes that stay in service.
    type: int
    default: 1
  topology:
    description:
      - How the nodes of the zone form a whole, as C(autoscale_group_topology). It limits how many may leave at once.
      - By default V(cluster) with O(clip) or O(clustered=true), V(independent) otherwise.
    type: str
    choices: [independent, cluster]
    version_added: 0.2.0
  clustered:
    description:
      - Whether the nodes of the zone are a cluster, where O(topology) is not given. O(clip) implies it.
    type: bool
    default: false
  coordinator:
    description:
      - The NSIP of the configuration coordinator of the cluster. By default it is read at O(clip).
    type: str
  clip:
    description:
      - Address of the zone's cluster. With V(begin) its members, their health and the coordinator are read there.
    type: str
    version_added: 0.2.0
  nitro_port:
    description:
      - Port of NITRO on the nodes, if it is not the default of the protocol. It is part of RV(cluster_nodes).
    type: int
    version_added: 0.2.0
  probe:
    description:
      - Whether to log in to the nodes in service. A node that does not answer is removed before nodes that do.
    type: bool
    default: false
    version_added: 0.2.0
  load_balancer:
    description:
      - Name of the Network Load Balancer of the group. Nodes with an unhealthy target are removed first.
    type: str
    version_added: 0.2.0
  domains:
    description:
      - DNS names that have a record set for each node.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  image_id:
    description:
      - The image of new nodes of the group. Without it, images are not compared.
    type: str
  store:
    description:
      - Where the state of the zone is kept. With V(cleanup) it is read before nodes are marked. While another event is
        open, nodes that never came into service stay, because that event may put them into service.
    type: dict
    version_added: 0.2.0
    suboptions:
      type:
        description: As O(cloudadc.aws.autoscale_evaluate#module:store.type).
        type: str
        choices: [file, dynamodb]
        default: file
      path:
        description: As O(cloudadc.aws.autoscale_evaluate#module:store.path).
        type: path
      table:
        description: As O(cloudadc.aws.autoscale_evaluate#module:store.table).
        type: str
      create:
        description: As O(cloudadc.aws.autoscale_evaluate#module:store.create).
        type: bool
        default: false
  validate_certs:
    description:
      - Whether the nodes' certificates must verify. Those of AWS always must (O(aws_ca_bundle)).
      - Taken from E(NETSCALER_VALIDATE_CERTS) when not given.
    type: bool
    default: true
notes:
  - O(save_config) has no effect, because nothing is written to a node. It is accepted for use in
    C(module_defaults).
extends_documentation_fragment:
  - cloudadc.aws.event
  - cloudadc.aws.nitro.session
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
- name: Select two nodes and tag them as draining
  cloudadc.aws.autoscale_candidates:
    group: shop
    zone: eu-central-1a
    count: 2
    event_id: 0f2f7d1c
    min_nodes: 2
  register: leaving

- name: Find the nodes of the event again after their drain
  cloudadc.aws.autoscale_candidates:
    group: shop
    zone: eu-central-1a
    event_id: 0f2f7d1c
    step: finish
"""

RETURN = r"""
candidates:
  description: The nodes of the event, in the order of their removal.
  returned: success
  type: list
  elements: dict
  contains:
    instance_id: {type: str, description: The instance., sample: i-0123456789abcdef0}
    node_id: {type: int, description: "The node's number, null if it has none.", sample: 3}
    live: {type: bool, description: Whether the instance exists., sample: true}
    lifecycle: {type: str, description: Its lifecycle after the task., sample: draining}
    event: {type: str, description: The event that removes it., sample: 0f2f7d1c}
    nsip: {type: str, description: "Its management address, null after its termination.", sample: 10.0.1.13}
    client_address: {type: str, description: "Its client address, null after its termination.", sample: 10.0.2.13}
    server_address: {type: str, description: "Its server address, null after its termination.", sample: 10.0.3.13}
    image_id: {type: str, description: The image it was launched from., sample: ami-0123456789abcdef0}
    healthy: {type: bool, description: "False if the node does not answer or is unhealthy; null if that was not read.",
        sample: true}
victims:
  description: The same as RV(candidates), under its former name.
  returned: success
  type: list
  elements: dict
  sample: []
sentence:
  description: The reason why fewer nodes than requested are removed; null if all are.
  returned: success
  type: str
  sample: "2 were to go, and 1 can: 3 are in service, and at least 2 must stay"
instance_ids:
  description: Their instances, including terminated ones.
  returned: success
  type: list
  elements: str
  sample: [i-0123456789abcdef0]
nsips:
  description: Management addresses of those whose instances exist.
  returned: success
  type: list
  elements: str
  sample: [10.0.1.13]
client_addresses:
  description: Client addresses of those whose instances exist.
  returned: success
  type: list
  elements: str
  sample: [10.0.2.13]
target_groups:
  description: Every target group of O(load_balancer) with the targets to deregister, as
    O(cloudadc.aws.nlb_adc_target#module:target_groups). Empty without nodes.
  returned: success
  type: list
  elements: dict
  sample:
    - target_group_arn: arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-web/1
      targets: [{"id": "10.0.2.13", "port": 80}]
record_sets:
  description: Every name in O(domains) with the record sets that are removed, as
    O(cloudadc.aws.route53_adc_record#module:record_sets). Empty without nodes.
  returned: success
  type: list
  elements: dict
  sample: [{"record": "shop.example.com", "nodes": [{"identifier": "i-0123456789abcdef0"}]}]
fingerprints:
  description: The pinned fingerprints by address, for option C(fingerprints) of the modules that follow.
  returned: success
  type: dict
cluster_nodes:
  description: The nodes to be drained in the cluster (with V(begin), those that are members of it), or to be removed
    from it, as O(cloudadc.aws.vpx_cluster_node#module:nodes).
  returned: success
  type: list
  elements: dict
  sample: [{"nsip": "10.0.1.13"}]
"""

from typing import Any

from ansible.module_utils.basic import missing_required_lib

from ..module_utils.aws.client import Client, connect
from ..module_utils.aws.module import run
from ..module_utils.core.errors import Failure
from ..module_utils.core.nitro_transport import HAS_REQUESTS
from ..module_utils.nitro.module import nitro_argument_spec
from ..module_utils.reconcile.claims import claim_of, event_argument_spec
from ..module_utils.reconcile.removal import Removal
from ..module_utils.reconcile.session import loaded
from ..module_utils.stores.options import CREATE, open_store, store_argument_spec
from ..module_utils.topologies.registry import REGISTRY as TOPOLOGIES


def argument_spec() -> dict[str, Any]:
    """Return the options of the module."""
    return {
        **nitro_argument_spec(nsip=False),
        "group": {"type": "str", "required": True},
        "zone": {"type": "str", "required": True},
        "step": {"type": "str", "choices": ["begin", "finish", "cleanup"], "default": "begin"},
        "count": {"type": "int", "default": 1},
        "event_id": {"type": "str", "default": ""},
        "min_nodes": {"type": "int", "default": 1},
        "topology": {"type": "str", "choices": list(TOPOLOGIES)},
        "clustered": {"type": "bool", "default": False},
        "coordinator": {"type": "str"},
        "clip": {"type": "str"},
        "nitro_port": {"type": "int"},
        "probe": {"type": "bool", "default": False},
        "load_balancer": {"type": "str"},
        "domains": {"type": "list", "elements": "str", "default": []},
        "image_id": {"type": "str"},
        "store": {**store_argument_spec(create=CREATE), "required": False},
        "event": event_argument_spec(),
    }


def removal_of(module: Any) -> Removal:
    """Return the call that the module's options describe. Raises Failure."""
    params = module.params
    clients: dict[str, Client] = {}
    # validate_certs is about the appliances here; AWS's certificates are always validated.
    verify = params["aws_ca_bundle"] or True

    def client_of(service: str) -> Client:
        if service not in clients:
            clients[service] = connect(module, service, read_timeout=10, verify=verify)
        return clients[service]

    def open_event() -> str:
        store = open_store(module, params["group"], params["zone"], verify=verify)
        event = loaded(store.read(), store).event
        return event.id if event else ""

    claim = claim_of(module, verify=verify)
    if (params["clip"] or params["probe"]) and not HAS_REQUESTS:
        raise Failure(missing_required_lib("requests"))
    stored = open_event if params["store"] else None
    check = claim.check if claim else (lambda: None)
    return Removal(params, client_of, module.check_mode, stored, check)


def main() -> None:
    run(argument_spec(), lambda module: removal_of(module).run())


if __name__ == "__main__":
    main()
