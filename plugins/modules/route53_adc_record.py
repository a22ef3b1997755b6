#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: route53_adc_record
version_added: 0.1.0
short_description: Manage one DNS record set for each appliance of a group, in one transaction
description:
  - Manages the record sets of a name that answers with the addresses of the given nodes. Each node has its own record
    set, distinguished by its identifier, so that two jobs that add or remove different nodes at the same time do not
    overwrite each other.
  - All changes of a task are one batch, which Route 53 applies completely or not at all. Route 53 deletes only a record
    set that matches in every value; the module reads these values, so the identifier of a node is enough to remove it.
  - Desired and observed record sets are compared in a canonical form. Capital letters, the dot at the end, escapes such
    as
    C(\052) for an asterisk, the order of values and the long forms of addresses are no difference.
  - All record sets of a name and type must have the same TTL and the same routing policy. Nodes that are not named are
    not changed, so a task whose O(ttl) or O(policy) differs from theirs is refused before the first write. To change
    either, name every node, or set O(purge=true). A simple record of the same name is never removed.
  - Calls. One C(ListHostedZonesByName) with O(zone); one C(ListResourceRecordSets), which starts at the record and
    reads further pages only while they contain it; with O(hosted_zone_id) one C(GetHostedZone) if the record is new;
    one C(ChangeResourceRecordSets) at most; one C(GetChange) per check of its propagation. If Route 53 refuses the
    batch because of a concurrent change, the record sets are read again, three times at most. Nothing is written if all
    record sets are as desired.
  - Needs the rights C(route53:ListHostedZonesByName), C(route53:GetHostedZone), C(route53:ListResourceRecordSets),
    C(route53:ChangeResourceRecordSets) and C(route53:GetChange).
options:
  zone:
    description:
      - The name of the hosted zone. Exactly one of this and O(hosted_zone_id) is required.
    type: str
  hosted_zone_id:
    description:
      - The id of the hosted zone.
    type: str
  private_zone:
    description:
      - Whether O(zone) is the private or the public hosted zone of that name. Not needed if there is only one. No
        effect with O(hosted_zone_id).
    type: bool
  record:
    description:
      - The full name of the record, with or without the dot at the end. Exactly one of this and O(record_sets) is
        required.
    type: str
  type:
    description:
      - The type of the record. V(CNAME) requires O(policy=weighted).
    type: str
    choices: &types [A, AAAA, CNAME]
    default: A
  ttl:
    description:
      - How long resolvers may cache an answer, in seconds. A removed node receives clients for that long; with health
        checks AWS advises 60 or less.
    type: int
    default: 60
  policy:
    description:
      - V(multivalue) answers with the addresses of up to eight healthy nodes at a time.
      - V(weighted) answers with one node, chosen by weight.
    type: str
    choices: [multivalue, weighted]
    default: multivalue
  nodes:
    description:
      - The nodes, one record set each. Without nodes, only O(purge) has an effect.
    type: list
    elements: dict
    default: []
    suboptions: &nodes
      identifier:
        description:
          - Identifier of this record set among those of its name, for example the id of the instance. 1 to 128
            characters.
        type: str
        required: true
      value:
        description:
          - The address of the node, or its name for O(type=CNAME). Required with O(state=present); with
            O(state=absent) the record set of this identifier is removed, with any value.
        type: str
      weight:
        description:
          - With O(policy=weighted), the share of this node, 0 to 255. By default the weight is not changed, and is 1
            for a new node. A node of weight 0 gets no traffic, unless all weigh 0.
        type: int
      health_check_id:
        description:
          - The health check that decides whether this node is among the answers. By default it is not changed; an empty
            string removes it.
        type: str
  alias:
    description:
      - The load balancer to which the name points, instead of nodes. A simple record of the name is overwritten. Record
        sets of nodes are refused, unless O(purge) removes them.
      - With O(state=absent), the name is removed if it points to this load balancer, with O(purge) in any case.
    type: dict
    version_added: 0.2.0
    suboptions: &alias
      dns_name:
        description: DNS name of the load balancer.
        type: str
        required: true
      hosted_zone_id:
        description: Id of the hosted zone of the load balancer's own name, as in the description of the load balancer.
        type: str
        required: true
      evaluate_target_health:
        description: Whether the name is left out of answers while the load balancer has no healthy target.
        type: bool
        default: true
  health_check:
    description:
      - Check each of O(nodes) from Route 53's checkers on the Internet, and leave one that does not answer out of the
        answers, while another is healthy. For type A with public addresses.
      - The module creates a health check for each node, changes to another where the options differ, and deletes it
        with the node's record set, with O(state=absent) also without this option. Each costs some 0.50 US dollars a
        month.
      - Left out, the checks that there are stay. An entry of O(nodes) with C(health_check_id) is left alone.
    type: dict
    version_added: 0.2.0
    suboptions: &check
      port:
        description: Port that is checked. The security groups must let Route 53's checkers in.
        type: int
        required: true
      type:
        description: What is checked, a TCP connection or the answer to a request.
        type: str
        choices: [TCP, HTTP, HTTPS]
        default: TCP
      resource_path:
        description: Path of the request. V(/) by default.
        type: str
      interval:
        description: Seconds between checks. V(10) costs more.
        type: int
        choices: [10, 30]
        default: 30
      failure_threshold:
        description: Checks in a row, 1 to 10, after which a node counts as unhealthy, or as healthy again.
        type: int
        default: 3
  record_sets:
    description:
      - Many names of the hosted zone in one transaction, with one wait. All are read first; invalid requests are
        refused before the first write.
      - An entry overrides the module's options of the same names; O(record_sets[].nodes) and O(record_sets[].alias)
        have no default.
    type: list
    elements: dict
    version_added: 0.2.0
    suboptions:
      record:
        description: As O(record).
        type: str
        required: true
      type:
        description: As O(type).
        type: str
        choices: *types
      ttl:
        description: As O(ttl).
        type: int
      policy:
        description: As O(policy).
        type: str
        choices: [multivalue, weighted]
      nodes:
        description: As O(nodes).
        type: list
        elements: dict
        suboptions: *nodes
      alias:
        description: As O(alias).
        type: dict
        suboptions: *alias
      health_check:
        description: As O(health_check).
        type: dict
        suboptions: *check
        version_added: 0.2.0
      purge:
        description: As O(purge).
        type: bool
      state:
        description: As O(state).
        type: str
        choices: [present, absent]
  purge:
    description:
      - Whether multivalue and weighted record sets of the name and type whose nodes are not named are removed as well,
        in the same transaction. With O(state=absent) that means all of them.
    type: bool
    default: false
  state:
    description:
      - Whether the nodes have their record sets.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait until all name servers of Route 53 have the change. A task without changes does not wait.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds. Usually it takes less than a minute.
    type: float
    default: 300
extends_documentation_fragment:
  - cloudadc.aws.event
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_aws
author:
  - The cloudadc.aws contributors (@cloudadc)
seealso:
  - module: cloudadc.aws.nlb_adc_target
  - module: amazon.aws.route53
  - module: amazon.aws.route53_health_check
"""

EXAMPLES = r"""
- name: Create record sets of two nodes
  cloudadc.aws.route53_adc_record:
    zone: example.com
    record: shop.example.com
    nodes:
      - identifier: i-0123456789abcdef0
        value: 203.0.113.10
      - identifier: i-0fedcba9876543210
        value: 203.0.113.11

- name: Remove one of them; keep its address until the TTL is over
  cloudadc.aws.route53_adc_record:
    zone: example.com
    record: shop.example.com
    nodes:
      - identifier: i-0fedcba9876543210
    state: absent
  register: removed

- name: Point two names to a load balancer, in one transaction
  cloudadc.aws.route53_adc_record:
    zone: example.com
    record_sets:
      - record: shop.example.com
        alias: &balancer
          dns_name: "{{ ways.load_balancer.dns_name }}"
          hosted_zone_id: "{{ ways.load_balancer.hosted_zone_id }}"
      - record: api.example.com
        alias: *balancer

- name: Manage exactly these nodes, by weight, each with a health check
  cloudadc.aws.route53_adc_record:
    hosted_zone_id: Z0123456789ABCDEFGHIJ
    record: shop.example.com
    policy: weighted
    ttl: 30
    nodes:
      - identifier: large
        value: 203.0.113.10
        weight: 200
        health_check_id: 01234567-89ab-cdef-0123-456789abcdef
      - identifier: small
        value: 203.0.113.11
        weight: 50
        health_check_id: fedcba98-7654-3210-fedc-ba9876543210
    purge: true
"""

RETURN = r"""
records:
  description:
    - The record sets of this name and type that have an identifier, after the task, by identifier. In check mode, as
      predicted.
  returned: always, unless the task was refused, without O(record_sets)
  type: list
  elements: dict
  contains: &records
    identifier:
      description: The node.
      type: str
      sample: i-0123456789abcdef0
    value:
      description: Its address or name, the first one if it has several.
      type: str
      sample: 203.0.113.10
    values:
      description: All of them.
      type: list
      elements: str
      sample: ["203.0.113.10"]
    policy:
      description: The routing policy.
      type: str
      sample: multivalue
    weight:
      description: The weight, with policy weighted.
      type: int
      sample: 100
    ttl:
      description: The TTL in seconds.
      type: int
      sample: 60
    health_check_id:
      description: The health check.
      type: str
      sample: 01234567-89ab-cdef-0123-456789abcdef
others:
  description:
    - Those of RV(records) that O(nodes) does not name. A caller can decide from it which belong to terminated
      instances.
  returned: always, unless the task was refused, without O(record_sets)
  type: list
  elements: dict
  contains: *records
alias:
  description: The target of the name, if O(alias) was given; null without one.
  returned: always, unless the task was refused, without O(record_sets)
  type: dict
  sample:
    dns_name: web-0123456789abcdef.elb.eu-central-1.amazonaws.com.
    hosted_zone_id: Z3F0SRJ5LGBH90
    evaluate_target_health: true
record_sets:
  description: One entry for each of O(record_sets), in their order.
  returned: with O(record_sets), unless the task was refused
  type: list
  elements: dict
  contains:
    record:
      description: The name in its canonical form.
      type: str
    type:
      description: The type of the record.
      type: str
    changed:
      description: Whether something was changed for it, or would be in check mode.
      type: bool
    records:
      description: As RV(records).
      type: list
      elements: dict
      contains: *records
    others:
      description: As RV(others).
      type: list
      elements: dict
      contains: *records
    alias:
      description: As RV(alias).
      type: dict
    ttl:
      description: As RV(ttl), of this name.
      type: int
change_id:
  description: The id of the change; null if nothing was written.
  returned: always, unless the task was refused
  type: str
  sample: C2682N5HXP0BZ4
ttl:
  description:
    - The TTL of the record sets in seconds. With O(state=absent) the longest TTL of the removed record sets, which is
      how long resolvers may still return them. With O(record_sets) the longest of all names.
  returned: always, unless the task was refused
  type: int
  sample: 60
health_checks:
  description: The ids of health checks that were C(created) and C(deleted). In check mode none is created.
  returned: always, unless the task was refused
  type: dict
  sample: {created: [01234567-89ab-cdef-0123-456789abcdef], deleted: []}
hosted_zone_id:
  description: The hosted zone.
  returned: always, unless the task was refused
  type: str
  sample: Z0123456789ABCDEFGHIJ
"""

from typing import Any

from ..module_utils.aws.client import connect
from ..module_utils.aws.module import run
from ..module_utils.distributors.dns.health_checks import INTERVALS, TYPES, HealthChecks
from ..module_utils.distributors.dns.record_changes import INSYNC
from ..module_utils.distributors.dns.record_sets import Request, Zone, find_zone, joined, requests_of, result_of
from ..module_utils.reconcile.claims import Claim, claimed, event_argument_spec, guarded


def argument_spec() -> dict[str, Any]:
    kind = {"type": "str", "choices": ["A", "AAAA", "CNAME"]}
    policy = {"type": "str", "choices": ["multivalue", "weighted"]}
    state = {"type": "str", "choices": ["present", "absent"]}
    nodes = {
        "type": "list",
        "elements": "dict",
        "options": {
            "identifier": {"type": "str", "required": True},
            "value": {"type": "str"},
            "weight": {"type": "int"},
            "health_check_id": {"type": "str"},
        },
    }
    check = {
        "type": "dict",
        "options": {
            "port": {"type": "int", "required": True},
            "type": {"type": "str", "choices": list(TYPES), "default": "TCP"},
            "resource_path": {"type": "str"},
            "interval": {"type": "int", "choices": list(INTERVALS), "default": 30},
            "failure_threshold": {"type": "int", "default": 3},
        },
    }
    alias = {
        "type": "dict",
        "options": {
            "dns_name": {"type": "str", "required": True},
            "hosted_zone_id": {"type": "str", "required": True},
            "evaluate_target_health": {"type": "bool", "default": True},
        },
    }
    entry = {
        "record": {"type": "str", "required": True},
        "type": kind,
        "ttl": {"type": "int"},
        "policy": policy,
        "nodes": nodes,
        "alias": alias,
        "health_check": check,
        "purge": {"type": "bool"},
        "state": state,
    }
    return {
        "zone": {"type": "str"},
        "hosted_zone_id": {"type": "str"},
        "private_zone": {"type": "bool"},
        "record": {"type": "str"},
        "type": {**kind, "default": "A"},
        "ttl": {"type": "int", "default": 60},
        "policy": {**policy, "default": "multivalue"},
        "nodes": {**nodes, "default": []},
        "alias": alias,
        "health_check": check,
        "record_sets": {"type": "list", "elements": "dict", "options": entry},
        "purge": {"type": "bool", "default": False},
        "state": {**state, "default": "present"},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "float", "default": 300},
        "event": event_argument_spec(),
    }


def with_checks(module: Any, zone: Zone, requests: list[Request]) -> tuple[list[Request], list[str]]:
    """Make the health checks that records will name.

    Returns:
        The requests with their checks, and the ids of checks that were made.
    """
    if module.params["state"] == "absent" or not any(getattr(request, "health_check", None) for request in requests):
        return requests, []
    return HealthChecks(zone.client, zone.id, module.check_mode).ensured(requests, zone.decide(requests))


def work(module: Any) -> dict[str, Any]:
    """Return the result of the module. Raises Failure."""
    with claimed(module) as claim:
        return converged(module, claim)


def converged(module: Any, claim: Claim | None) -> dict[str, Any]:
    """Read, plan, write, wait. The result; with ``msg`` if the change is not known to all name servers in time."""
    params = module.params
    requests = requests_of(params)
    writes = ["ChangeResourceRecordSets", "CreateHealthCheck", "DeleteHealthCheck"]
    client = guarded(connect(module, "route53", read_timeout=10), claim, writes)
    zone = Zone(client, find_zone(client, params, requests), named=not params["hosted_zone_id"])
    requests, made = with_checks(module, zone, requests)
    batch, change = (zone.decide(requests), None) if module.check_mode else zone.converge(requests)
    removed = HealthChecks(client, zone.id, module.check_mode).cleaned_up(requests, batch)
    change_id = str(change["Id"]).rpartition("/")[2] if change else None
    many = params["record_sets"] is not None
    answer = joined(requests, batch) if many else result_of(requests[0], batch.plans[0])
    answer |= {"hosted_zone_id": zone.id, "change_id": change_id}
    answer["health_checks"] = {"created": made, "deleted": removed}
    answer["changed"] = bool(answer["changed"] or made or removed)
    if change is None or change["Status"] == INSYNC or not params["wait"]:
        return answer
    status = zone.known_everywhere(str(change_id), params["wait_timeout"])
    if status == INSYNC:
        return answer
    named = ", ".join(map(str, requests))
    return {
        **answer,
        "msg": f"{named} was changed, but change {change_id} of hosted zone {zone.id} is {status} after "
        f"{params['wait_timeout']:g} s: name servers may still give the old answer",
    }


def main() -> None:
    run(
        argument_spec(),
        work,
        mutually_exclusive=[["zone", "hosted_zone_id"], ["record", "record_sets"]],
        required_one_of=[["zone", "hosted_zone_id"], ["record", "record_sets"]],
    )


if __name__ == "__main__":
    main()
