#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_group_info
version_added: 0.2.0
short_description: Gather the state of an autoscale group, its problems and its plan
description:
  - Reads the state of everything that an autoscale group depends on, in parallel in one process, and plans the changes.
    It writes nothing.
  - All problems are returned at once in RV(problems); the module does not fail because of them. It fails if AWS refuses
    a read.
  - Calls. C(DescribeInstances), C(DescribeNetworkInterfaces), C(DescribeAddresses), C(DescribeSecurityGroups),
    C(DescribeSubnets) for the named ones and for their VPC; before a launch for the whole group C(DescribeImages),
    C(DescribeInstanceTypes), C(DescribeKeyPairs). With a load balancer
    C(DescribeLoadBalancers), C(DescribeListeners), C(DescribeTargetGroups),
    C(DescribeTags), C(DescribeTargetHealth) for each target group. With domains C(ListHostedZonesByName) or
    C(GetHostedZone), and C(ListResourceRecordSets) for each domain. With followed Auto Scaling groups
    C(DescribeAutoScalingGroups).
options:
  definition:
    description:
      - The group, as filter P(cloudadc.aws.group_definition#filter) returns it. It holds no secret.
    type: dict
    required: true
  zone:
    description:
      - Read one zone only. Checks of shared resources are skipped then.
    type: str
  nodes:
    description:
      - Desired number of nodes in service per zone. RV(plan.instances) is empty for a zone that has as many.
    type: int
    default: 0
  existing:
    description:
      - Whether the group must exist already, so that missing security groups or a missing load balancer are a
        problem.
        Applications that O(definition) does not name may then have target groups. Otherwise these are a problem,
        because new nodes would receive clients for an application that they do not have.
    type: bool
    default: false
  applications:
    description:
      - Names of the applications that are deployed or removed. By default all of O(definition). RV(plan.shared) is
        always for
        all of them.
    type: list
    elements: str
  store:
    description:
      - Where the state of the group is kept. It is read, so that an unusable store is reported before the first write.
    type: dict
    suboptions:
      type:
        description: V(file) or V(dynamodb).
        type: str
        choices: [file, dynamodb]
        default: file
      path:
        description: With V(file), the file, or a folder of them.
        type: path
      table:
        description: With V(dynamodb), the table.
        type: str
      create:
        description: With V(dynamodb), whether a table that does not exist is read as empty.
        type: bool
        default: false
  lost_nodes:
    description:
      - Management addresses of terminated nodes. Those without a network interface are returned in
        RV(orphans), and nothing else is read.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - cloudadc.aws.attributes.read_only
  - cloudadc.aws.attributes.action_group_aws
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Gather the state of the group and its plan
  cloudadc.aws.vpx_group_info:
    definition: "{{ checked.definition }}"
    nodes: 2
  vars:
    checked: "{{ lookup('cloudadc.aws.role_variables', 'autoscale_group') | cloudadc.aws.group_definition }}"
  register: state

- name: Report everything that prevents it from being built
  ansible.builtin.assert:
    that: state.problems | length == 0
    fail_msg: "{{ state.problems | join(' ') }}"
"""

RETURN = r"""
definition:
  description: O(definition), for filters that decide on the result.
  returned: without O(lost_nodes)
  type: dict
check_mode:
  description: Whether the module ran in check mode, in which resources of the group may not exist yet.
  returned: without O(lost_nodes)
  type: bool
problems:
  description: One message per problem that prevents the group from being built, or the zone from scaling.
  returned: without O(lost_nodes)
  type: list
  elements: str
  sample: ["There is no key pair ops in this account and region."]
instances:
  description: The live instances, in the form of RV(cloudadc.aws.vpx_instance#module:instances).
  returned: without O(lost_nodes)
  type: list
  elements: dict
security_groups:
  description: Ids of the security groups that exist, by role.
  returned: without O(lost_nodes)
  type: dict
  sample: {"management": "sg-0123456789abcdef0"}
zones:
  description:
    - Each zone of O(definition), with C(clip_interface), the network interface that holds the cluster's address (empty
      for
      none), and what M(cloudadc.aws.vpx_network) needs, C(server_netmask), C(client_netmask), C(routes),
      C(return_gateways),
      C(protected_networks).
  returned: without O(lost_nodes)
  type: list
  elements: dict
balancer:
  description: The load balancer, in the form of RV(cloudadc.aws.nlb_adc_balancer#module:balancer); null if there is
    none.
  returned: without O(lost_nodes)
  type: dict
target_groups:
  description: The target groups of the group's applications, C(application), C(target_group_arn) and C(targets) with
    their states.
  returned: without O(lost_nodes)
  type: list
  elements: dict
stale_targets:
  description: Registered targets whose address no interface of the group has, by target group.
  returned: without O(lost_nodes)
  type: list
  elements: dict
records:
  description: Record sets of nodes by domain, with C(identifier), C(value) and C(ttl).
  returned: without O(lost_nodes)
  type: dict
stale_records:
  description: Record sets of terminated instances, by C(record).
  returned: without O(lost_nodes)
  type: list
  elements: dict
aliases:
  description: The alias target of each domain that is an alias.
  returned: without O(lost_nodes)
  type: dict
backends:
  description:
    - Back ends that are instances of Auto Scaling groups, by application. An application whose back ends are unknown is
      missing, and its back ends are not changed.
  returned: without O(lost_nodes)
  type: dict
unknown_backends:
  description: Auto Scaling groups with a desired capacity above 0 and no instance in service.
  returned: without O(lost_nodes)
  type: list
  elements: str
drift:
  description:
    - One entry per difference between the definition and nodes in service, what they share and how clients reach them.
      Only read for the whole group, without O(existing). With O(nodes) the module warns of each.
  returned: without O(lost_nodes)
  type: list
  elements: dict
  contains:
    object:
      description: What differs.
      type: str
      returned: always
      sample: Node i-0123456789abcdef0 of zone eu-central-1a
    node:
      description: Its instance id; empty for what nodes share.
      type: str
      returned: always
    setting:
      description: The setting.
      type: str
      returned: always
      sample: instance type
    found:
      description: The value found.
      type: raw
      returned: always
      sample: m5.large
    defined:
      description: The value of the definition.
      type: raw
      returned: always
      sample: m5.xlarge
    repair:
      description: V(in_place) if a run of the playbook repairs it, V(replace) if a new node is needed, V(by_hand) if it
        has to be changed by hand.
      type: str
      returned: always
    message:
      description: The difference and its remedy.
      type: str
      returned: always
orphans:
  description: Management addresses of lost nodes that no network interface has.
  returned: success
  type: list
  elements: str
fingerprints:
  description:
    - The pinned fingerprints by address, for option C(fingerprints) of the NITRO modules. Empty unless
      C(management_tls) of the definition is V(pin).
  returned: without O(lost_nodes)
  type: dict
removal:
  description:
    - Resources removed by name with a group or its applications, C(records) for M(cloudadc.aws.route53_adc_record),
      C(target_groups) for M(cloudadc.aws.nlb_adc_target), C(listeners) for M(cloudadc.aws.nlb_adc_listener),
      C(drain_seconds),
      and C(devices), addresses for M(cloudadc.aws.adm_device), those of lost nodes that O(store) knows among them.
  returned: without O(lost_nodes)
  type: dict
plan:
  description: One section for each step. The sections are options of the modules.
  returned: without O(lost_nodes)
  type: dict
  contains:
    shared:
      description: For M(cloudadc.aws.vpx_shared_resources); C(policy) is the name of the policy file.
      type: dict
    balancer:
      description: For M(cloudadc.aws.nlb_adc_balancer), C(zones) and C(changes), one phrase each.
      type: dict
    listeners:
      description: For M(cloudadc.aws.nlb_adc_listener), C(listeners), C(others) and C(changes), one phrase each.
      type: dict
    replacement:
      description:
        - How the instance is replaced that C(replace_node) of O(definition) names, null if it is empty. It has the
          C(zone), the C(mark) that the instance must get, the C(requests) for option
          O(cloudadc.aws.autoscale_tick#module:request), a C(message), and the C(event_id) of a removal without drain.
      type: dict
    instances:
      description: For option C(sets) of M(cloudadc.aws.vpx_instance), the zones with missing instances or differing
        settings.
      type: list
      elements: dict
    removed_zones:
      description:
        - What is removed with zones that O(definition) does not name any more, if it allows that. C(zones), C(sets) of
          M(cloudadc.aws.vpx_instance), C(target_groups), C(record_sets), C(devices), C(drain_seconds) and
          C(pause_seconds).
      type: dict
"""

import threading
from typing import Any

from ..module_utils.aws.client import Client, connect
from ..module_utils.aws.module import run
from ..module_utils.aws.sts import account_id
from ..module_utils.reconcile.group import Request, orphaned, removal, survey
from ..module_utils.reconcile.group_reading import as_message
from ..module_utils.reconcile.missing_subnets import combine_missing
from ..module_utils.scaling.view import load
from ..module_utils.spec.complete import require_group
from ..module_utils.stores.base import StoreError
from ..module_utils.stores.options import CREATE, open_store, store_argument_spec, stored_keys


def argument_spec() -> dict[str, Any]:
    return {
        "definition": {"type": "dict", "required": True},
        "zone": {"type": "str"},
        "nodes": {"type": "int", "default": 0},
        "existing": {"type": "bool", "default": False},
        "applications": {"type": "list", "elements": "str"},
        "store": {**store_argument_spec(create=CREATE), "required": False},
        "lost_nodes": {"type": "list", "elements": "str", "default": []},
    }


class Clients:
    """One client for each service, made once: boto3 sessions are not thread-safe, its clients are."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._made: dict[str, Client] = {}
        self._lock = threading.Lock()

    def __call__(self, service: str) -> Client:
        with self._lock:
            if service not in self._made:
                self._made[service] = connect(self._module, service)
            return self._made[service]


def known_nodes(module: Any, name: str) -> list[str]:
    """Return the management addresses of all nodes that the stored state of the group knows."""
    found: dict[str, None] = {}
    for key in stored_keys(module, name):
        store = open_store(module, key.group, key.zone)
        state = load(store.read().document, key.group, key.zone, store.where)
        for node in (*(state.nodes or ()), *state.earlier, *state.missing):
            found[node.nsip.partition(":")[0]] = None
    return list(found)


def work(module: Any) -> dict[str, Any]:
    params, clients = module.params, Clients(module)
    definition = params["definition"]
    require_group(definition)
    chosen = None if params["applications"] is None else tuple(params["applications"])
    request = Request(definition, params["zone"] or "", params["nodes"], params["existing"], chosen)
    subnets = [one["management_subnet_id"] for one in definition["zones"] if one["management_subnet_id"]]
    lost = list(params["lost_nodes"])
    if lost:
        return {"changed": False, "orphans": orphaned(clients("ec2"), lost, subnets)}
    result = {**survey(clients, request), "check_mode": module.check_mode}
    result["problems"] = combine_missing(
        result["problems"], definition["zones"], clients("ec2").meta.region_name, lambda: account_id(clients("sts"))
    )
    if params["store"]:
        try:
            if definition["state"] == "absent":
                lost = known_nodes(module, definition["name"])
            elif definition["zones"]:
                open_store(module, definition["name"], definition["zones"][0]["name"]).read()
        except StoreError as error:
            result["problems"].append(as_message(str(error)))
    for found in result["drift"] if params["nodes"] else ():
        module.warn(found["message"])
    orphans = orphaned(clients("ec2"), lost, subnets)
    return {"changed": False, **result, "orphans": orphans, "removal": removal(result["definition"], result, orphans)}


def main() -> None:
    run(argument_spec(), work)


if __name__ == "__main__":
    main()
