#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: nlb_adc_target
version_added: 0.1.0
short_description: Register appliances with a target group of a load balancer, many at once, and wait for their health
description:
  - Makes it true that targets are registered with a target group, or are not. A target is an id B(and) a port, so
    several ports of one appliance are several targets, and a target is always deregistered with the port it was
    registered with.
  - A target that is draining and wanted is registered again. A target that shall leave and is draining has left
    already, and is only waited for.
  - Calls. One C(DescribeTargetGroups) if the group is given by name or something has to be registered; one
    C(DescribeTargetHealth); one C(RegisterTargets) and one C(DeregisterTargets) at most, for up to 200 targets each
    (more go in batches of 200); one C(DescribeTargetHealth) per look at the result. Nothing is written when everything
    is true already.
  - Needs the rights C(elasticloadbalancing:DescribeTargetGroups), C(elasticloadbalancing:DescribeTargetHealth),
    C(elasticloadbalancing:RegisterTargets) and C(elasticloadbalancing:DeregisterTargets).
options:
  target_group_arn:
    description:
      - The target group. Exactly one of this and O(target_group_name) is required.
    type: str
  target_group_name:
    description:
      - The target group by its name, which is unique in an account and region.
    type: str
  targets:
    description:
      - The targets. An empty list is of use with O(purge) only.
    type: list
    elements: dict
    required: true
    suboptions:
      id:
        description:
          - An address for a target group of type V(ip), an instance (C(i-...)) for one of type V(instance).
        type: str
        required: true
      port:
        description:
          - The port on which the target receives traffic.
        type: int
        required: true
      availability_zone:
        description:
          - V(all) for a private address outside the VPC of the target group; not needed otherwise.
          - Used when the target is registered. A target that is registered already keeps its zone.
        type: str
  state:
    description:
      - Whether the targets shall be registered.
    type: str
    choices: [present, absent]
    default: present
  purge:
    description:
      - Whether targets of the group that are not named are deregistered as well.
      - With O(state=absent) that means all targets of the group.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the targets are as O(wait_for) says.
    type: bool
    default: true
  wait_for:
    description:
      - V(healthy) is the default with O(state=present). Targets that O(purge) removes are not waited for then.
      - V(unused) is the default with O(state=absent), and means that the drain is over and the target is not registered
        any more. With O(state=present) it means registered, but without traffic, because no listener forwards to the
        group yet.
    type: str
    choices: [healthy, unused]
  wait_timeout:
    description:
      - How long to wait, in seconds. A Network Load Balancer takes two to five minutes until a new target is healthy; a
        drain takes the deregistration delay of the target group, by default 300 seconds.
    type: float
    default: 600
notes:
  - A Network Load Balancer sends new connections to a target for about two minutes after it was deregistered, whatever
    the deregistration delay. An appliance that shall leave without a loss goes on serving for that long.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_aws
author:
  - The cloudadc.aws contributors (@cloudadc)
seealso:
  - module: cloudadc.aws.route53_adc_record
  - module: amazon.aws.elb_target_group
"""

EXAMPLES = r"""
- name: Register two appliances and wait until the load balancer finds them healthy
  cloudadc.aws.nlb_adc_target:
    target_group_name: web
    targets:
      - id: 10.0.2.10
        port: 8080
      - id: 10.0.130.10
        port: 8080

- name: Let one of them go, without waiting for the end of its drain
  cloudadc.aws.nlb_adc_target:
    target_group_arn: arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef
    targets:
      - id: 10.0.130.10
        port: 8080
    state: absent
    wait: false

- name: Exactly these targets and no other, one of them outside the VPC
  cloudadc.aws.nlb_adc_target:
    target_group_name: web
    targets:
      - id: 10.0.2.10
        port: 8080
      - id: 192.168.7.10
        port: 8080
        availability_zone: all
    purge: true
    wait_timeout: 300
"""

RETURN = r"""
targets:
  description:
    - The targets of O(targets), and those that O(purge) removed, as last seen. In check mode, as they would be right
      after the task.
  returned: always, unless the task was refused
  type: list
  elements: dict
  contains:
    id:
      description: The address or the instance.
      type: str
      sample: 10.0.2.10
    port:
      description: The port.
      type: int
      sample: 8080
    state:
      description:
        - The state in the words of AWS, one of V(initial), V(healthy), V(unhealthy), V(unhealthy.draining),
          V(draining), V(unused) and V(unavailable). A target that is not registered is V(unused).
      type: str
      sample: healthy
    reason:
      description: The reason code of AWS for a state other than healthy.
      type: str
      sample: Elb.InitialHealthChecking
target_group_arn:
  description: The target group.
  returned: always, unless the task was refused
  type: str
  sample: arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils.aws import elbv2
from ..module_utils.aws.client import Client, connect
from ..module_utils.aws.errors import AwsError, fail
from ..module_utils.core.errors import Failure, Refusal
from ..module_utils.distributors.nlb.target_changes import Incomplete, Outcome, complaint, watch, write
from ..module_utils.distributors.nlb.targets import (
    Group,
    Healths,
    difference,
    foretell,
    goal_of,
    health_of,
    name_of,
    parse_group,
    parse_healths,
    plan,
    refuse_unfit,
    wishes,
)


def argument_spec() -> dict[str, Any]:
    return {
        "target_group_arn": {"type": "str"},
        "target_group_name": {"type": "str"},
        "targets": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "id": {"type": "str", "required": True},
                "port": {"type": "int", "required": True},
                "availability_zone": {"type": "str"},
            },
        },
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "purge": {"type": "bool", "default": False},
        "wait": {"type": "bool", "default": True},
        "wait_for": {"type": "str", "choices": ["healthy", "unused"]},
        "wait_timeout": {"type": "float", "default": 600},
    }


def read(client: Client, arn: str | None, name: str | None) -> tuple[str, Group | None, Healths]:
    """The group's ARN, the group itself if it was asked for, and its targets. Raises Refusal if there is none."""
    if not (arn or name):
        raise Refusal("neither target_group_arn nor target_group_name says which target group is meant")
    try:
        group = None if arn else parse_group(elbv2.describe_target_group_by_name(client, str(name))[0])
        known = group.arn if group else str(arn)
        return known, group, parse_healths(elbv2.describe_target_health(client, known))
    except AwsError as error:
        if error.code != elbv2.NOT_FOUND:
            raise
        raise Refusal(
            f"there is no target group {arn or name} in this account and region ({error.code}); nothing was written"
        ) from error


def run(module: Any) -> tuple[dict[str, Any], str | None]:
    """Read, plan, write, look. The result, and the sentence with which to fail if a target is not as wanted in time."""
    params = module.params
    present, timeout = params["state"] == "present", params["wait_timeout"] if params["wait"] else None
    wanted, goal = wishes(params["targets"]), goal_of(present, params["wait_for"])
    client = connect(module, "elbv2", read_timeout=10)
    arn, group, healths = read(client, params["target_group_arn"], params["target_group_name"])
    chosen = plan(wanted, healths, present=present, purge=params["purge"])
    if chosen.register:
        refuse_unfit(group or parse_group(elbv2.describe_target_group(client, arn)[0]), chosen.register)
    if module.check_mode:
        outcome = Outcome(foretell(chosen, healths))
    else:
        write(
            chosen,
            register=lambda batch: elbv2.register_targets(client, arn, [target.wire() for target in batch]),
            deregister=lambda batch: elbv2.deregister_targets(client, arn, [target.wire() for target in batch]),
        )
        outcome = watch(
            chosen, healths, lambda: parse_healths(elbv2.describe_target_health(client, arn)), goal, timeout
        )
    result = {
        "changed": chosen.changed,
        "target_group_arn": arn,
        "targets": [health_of(target, outcome.healths).result() for target in chosen.listed],
        "diff": difference(chosen, healths),
    }
    return result, complaint(outcome, name_of(arn), goal, timeout or 0)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=argument_spec(),
        mutually_exclusive=[["target_group_arn", "target_group_name"]],
        required_one_of=[["target_group_arn", "target_group_name"]],
        supports_check_mode=True,
    )
    try:
        result, trouble = run(module)
    except Incomplete as error:
        fail(module, error.error, changed=error.changed)
    except Failure as error:
        fail(module, error)
    if trouble:
        module.fail_json(msg=trouble, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
