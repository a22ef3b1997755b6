#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: route53_adc_record
version_added: 0.1.0
short_description: One DNS record set for each appliance of a group, all changed in one transaction
description:
  - Makes it true that a name answers with the addresses of the given nodes. Each node is a record set of its own, told
    from the others by its identifier, so that two jobs that add or remove different nodes at the same time do not
    overwrite each other.
  - All changes of a task are one batch, which Route 53 carries out whole or not at all. Route 53 deletes only what
    matches in every value; the values are read back for that, so the identifier of a node is enough to remove it.
  - What is wanted and what is there are compared in one form. Capital letters, the dot at the end, escapes such as
    C(\052) for an asterisk, the order of values and the long forms of addresses are no difference.
  - All record sets of a name and type must have the same TTL and the same routing policy. Nodes that are not named are
    not touched, so a task whose O(ttl) or O(policy) differs from theirs is refused before anything is written. To
    change either, name every node, or set O(purge=true). A simple record of the same name is never removed.
  - Calls. One C(ListHostedZonesByName) with O(zone); one C(ListResourceRecordSets), which starts at the record and
    reads further pages only while they are about it; with O(hosted_zone_id) one C(GetHostedZone) if the record is new;
    one C(ChangeResourceRecordSets) at most; one C(GetChange) per look at its propagation. If Route 53 refuses the batch
    because another job was quicker, the record sets are read again, three times at most. Nothing is written when
    everything is true already.
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
      - Which of several hosted zones named O(zone) is meant, the private or the public one. Without it, any is, if
        there is only one. Of no use with O(hosted_zone_id).
    type: bool
  record:
    description:
      - The full name of the record, with or without the dot at the end.
    type: str
    required: true
  type:
    description:
      - The type of the record. V(CNAME) goes with O(policy=weighted) only.
    type: str
    choices: [A, AAAA, CNAME]
    default: A
  ttl:
    description:
      - How long resolvers may keep an answer, in seconds. A node that leaves is still asked for that long, and with
        health checks AWS advises 60 or less.
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
      - The nodes, one record set each. Without any, only O(purge) does something.
    type: list
    elements: dict
    default: []
    suboptions:
      identifier:
        description:
          - What tells this record set from the others of its name, for example the id of the instance. 1 to 128
            characters.
        type: str
        required: true
      value:
        description:
          - The address of the node, or its name for O(type=CNAME). Required with O(state=present); with
            O(state=absent) the record set of this identifier goes, whatever its value.
        type: str
      weight:
        description:
          - With O(policy=weighted), the share of this node, 0 to 255. Without it, the weight stays what it is, and
            is 1 for a new node. A node of weight 0 gets no traffic, unless all weigh 0.
        type: int
      health_check_id:
        description:
          - The health check that decides whether this node is among the answers. Without it, the one that is there
            stays; an empty string takes it away.
        type: str
  purge:
    description:
      - Whether multivalue and weighted record sets of the name and type whose nodes are not named are removed as well,
        in the same transaction. With O(state=absent) that means all of them.
    type: bool
    default: false
  state:
    description:
      - Whether the nodes shall have their record sets.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait until all name servers of Route 53 know of the change. A task that changes nothing does not
        wait.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds. Mostly it takes less than a minute.
    type: float
    default: 300
extends_documentation_fragment:
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
- name: Two nodes answer for the application
  cloudadc.aws.route53_adc_record:
    zone: example.com
    record: shop.example.com
    nodes:
      - identifier: i-0123456789abcdef0
        value: 203.0.113.10
      - identifier: i-0fedcba9876543210
        value: 203.0.113.11

- name: Take one of them out, and keep its address until no resolver hands it out any more
  cloudadc.aws.route53_adc_record:
    zone: example.com
    record: shop.example.com
    nodes:
      - identifier: i-0fedcba9876543210
    state: absent
  register: removed

- name: Exactly these nodes, by weight, each with a health check
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
      they would be.
  returned: always, unless the task was refused
  type: list
  elements: dict
  contains:
    identifier:
      description: The node.
      type: str
      sample: i-0123456789abcdef0
    value:
      description: Its address or name, the first one if somebody gave it several.
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
change_id:
  description: The change as Route 53 names it; null if nothing was written.
  returned: always, unless the task was refused
  type: str
  sample: C2682N5HXP0BZ4
ttl:
  description:
    - The TTL of the record sets in seconds. With O(state=absent) the longest TTL of what was removed, which is how long
      resolvers may still hand it out.
  returned: always, unless the task was refused
  type: int
  sample: 60
hosted_zone_id:
  description: The hosted zone.
  returned: always, unless the task was refused
  type: str
  sample: Z0123456789ABCDEFGHIJ
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils.aws import route53 as dns_api
from ..module_utils.aws.client import Client, connect
from ..module_utils.aws.errors import fail
from ..module_utils.core.errors import Failure, Refusal
from ..module_utils.distributors.dns.record_changes import INSYNC, converge, group, wait
from ..module_utils.distributors.dns.record_plan import (
    Node,
    Plan,
    Wish,
    check,
    choose_zone,
    plan,
    refuse_foreign_name,
)
from ..module_utils.distributors.dns.records import difference, result


def argument_spec() -> dict[str, Any]:
    return {
        "zone": {"type": "str"},
        "hosted_zone_id": {"type": "str"},
        "private_zone": {"type": "bool"},
        "record": {"type": "str", "required": True},
        "type": {"type": "str", "choices": ["A", "AAAA", "CNAME"], "default": "A"},
        "ttl": {"type": "int", "default": 60},
        "policy": {"type": "str", "choices": ["multivalue", "weighted"], "default": "multivalue"},
        "nodes": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "identifier": {"type": "str", "required": True},
                "value": {"type": "str"},
                "weight": {"type": "int"},
                "health_check_id": {"type": "str"},
            },
        },
        "purge": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "float", "default": 300},
    }


def wish_of(params: dict[str, Any]) -> Wish:
    """What the options ask for. Raises Refusal for what cannot be right whatever AWS holds."""
    wish = Wish(
        record=params["record"],
        type=params["type"],
        ttl=params["ttl"],
        policy=params["policy"],
        nodes=tuple(Node(**node) for node in params["nodes"]),
        present=params["state"] == "present",
        purge=params["purge"],
    )
    check(wish)
    return wish


def find_zone(client: Client, params: dict[str, Any], wish: Wish) -> str:
    """The id of the hosted zone; it is only looked for if it is given by name."""
    if params["hosted_zone_id"]:
        return str(params["hosted_zone_id"]).rpartition("/")[2]
    if not params["zone"]:
        raise Refusal("neither zone nor hosted_zone_id says which hosted zone is meant")
    refuse_foreign_name(wish, params["zone"])
    return choose_zone(
        dns_api.list_hosted_zones_by_name(client, params["zone"]), params["zone"], params["private_zone"]
    )


def decide(client: Client, zone_id: str, wish: Wish, zone_known: bool) -> Plan:
    """Read the record sets of the name and plan. A name with record sets is in the zone, a new one is checked."""
    existing = group(lambda start: dns_api.list_record_sets(client, zone_id, start), wish.name, wish.type)
    chosen = plan(wish, existing)
    if chosen.changes and not existing and not zone_known:
        refuse_foreign_name(wish, dns_api.get_hosted_zone(client, zone_id)["Name"])
    return chosen


def run(module: Any) -> tuple[dict[str, Any], str | None]:
    """Read, plan, write, wait. The result, and the sentence with which to fail if the change is not known in time."""
    params = module.params
    wish = wish_of(params)
    client = connect(module, "route53", read_timeout=10)
    zone_id = find_zone(client, params, wish)

    def planned() -> Plan:
        return decide(client, zone_id, wish, zone_known=not params["hosted_zone_id"])

    if module.check_mode:
        chosen, change = planned(), None
    else:
        chosen, change = converge(
            planned, lambda it: dns_api.change_record_sets(client, zone_id, it.changes), dns_api.INVALID_BATCH
        )
    change_id = str(change["Id"]).rpartition("/")[2] if change else None
    answer = {
        "changed": bool(chosen.changes),
        "hosted_zone_id": zone_id,
        "records": [result(record_set) for record_set in chosen.after],
        "change_id": change_id,
        "ttl": chosen.ttl,
        "diff": difference(chosen.before, chosen.after),
    }
    if change is None or change["Status"] == INSYNC or not params["wait"]:
        return answer, None
    status = wait(lambda: dns_api.get_change(client, str(change_id)), params["wait_timeout"])
    if status == INSYNC:
        return answer, None
    return answer, (
        f"{wish} was changed, but change {change_id} of hosted zone {zone_id} is {status} after "
        f"{params['wait_timeout']:g} s: name servers may still give the old answer"
    )


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=argument_spec(),
        mutually_exclusive=[["zone", "hosted_zone_id"]],
        required_one_of=[["zone", "hosted_zone_id"]],
        supports_check_mode=True,
    )
    try:
        answer, trouble = run(module)
    except Failure as error:
        fail(module, error)
    if trouble:
        module.fail_json(msg=trouble, **answer)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
