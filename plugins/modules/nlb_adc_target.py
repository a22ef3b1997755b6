#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: nlb_adc_target
version_added: 0.1.0
short_description: Register appliances with target groups of a load balancer and wait for their health
description:
  - Registers targets with a target group, or deregisters them. A target is an id B(and) a port, so
    several ports of one appliance are several targets, and a target is always deregistered with the port it was
    registered with.
  - A draining target is registered again if it is desired. A draining target counts as deregistered; the module only
    waits for it.
  - Calls. One C(DescribeTargetGroups) if the group is given by name or something has to be registered; one
    C(DescribeTargetHealth); one C(RegisterTargets) and one C(DeregisterTargets) at most, for up to 200 targets each
    (more go in batches of 200); one C(DescribeTargetHealth) per read of the result. Nothing is written if all targets
    are as desired.
  - Needs the rights C(elasticloadbalancing:DescribeTargetGroups), C(elasticloadbalancing:DescribeTargetHealth),
    C(elasticloadbalancing:RegisterTargets) and C(elasticloadbalancing:DeregisterTargets).
  - With O(target_groups) many target groups are written, and the module waits for all in parallel, in one task. The
    calls are
    those of each target group.
options:
  target_group_arn:
    description:
      - The target group. Exactly one of this, O(target_group_name) and O(target_groups) is required.
    type: str
  target_group_name:
    description:
      - The target group by its name, which is unique in an account and region.
    type: str
  targets:
    description:
      - The targets. An empty list has an effect only with O(purge). Required, unless every entry of O(target_groups)
        has its own.
    type: list
    elements: dict
    suboptions: &targets
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
          - Used at the registration. A registered target keeps its zone.
        type: str
  target_groups:
    description:
      - Many target groups instead of one. All are read first; invalid requests are refused before the first write.
      - An entry overrides the module's options of the same names.
      - If some fail, the others are still completed. The task then fails and names the failed ones.
    type: list
    elements: dict
    version_added: 0.2.0
    suboptions:
      target_group_arn:
        description:
          - As O(target_group_arn). Exactly one of this and O(target_groups[].target_group_name) is required.
        type: str
      target_group_name:
        description: As O(target_group_name).
        type: str
      targets:
        description: As O(targets), instead of them.
        type: list
        elements: dict
        suboptions: *targets
      purge:
        description: As O(purge).
        type: bool
      state:
        description: As O(state).
        type: str
        choices: [present, absent]
  state:
    description:
      - Whether the targets are registered.
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
      - Whether to wait until the targets are in the state O(wait_for).
    type: bool
    default: true
  wait_for:
    description:
      - V(healthy) is the default with O(state=present). The module does not wait for targets that O(purge) removes
        then.
      - V(unused) is the default with O(state=absent), and means that the drain is over and the target is not registered
        any more. With O(state=present) it means registered, but without traffic, because no listener forwards to the
        group yet.
    type: str
    choices: [healthy, unused]
  wait_timeout:
    description:
      - How long to wait, in seconds, for all target groups together. A Network Load Balancer takes two to five minutes
        until a new target is healthy; a
        drain takes the deregistration delay of the target group, by default 300 seconds.
    type: float
    default: 600
notes:
  - A Network Load Balancer sends new connections to a target for about two minutes after it was deregistered,
    independent of the deregistration delay. Keep an appliance in operation for that time to avoid lost connections.
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
  - module: cloudadc.aws.route53_adc_record
  - module: amazon.aws.elb_target_group
"""

EXAMPLES = r"""
- name: Register two appliances and wait until they are healthy
  cloudadc.aws.nlb_adc_target:
    target_group_name: web
    targets:
      - id: 10.0.2.10
        port: 8080
      - id: 10.0.130.10
        port: 8080

- name: Deregister one of them, without waiting for the end of its drain
  cloudadc.aws.nlb_adc_target:
    target_group_arn: arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef
    targets:
      - id: 10.0.130.10
        port: 8080
    state: absent
    wait: false

- name: Register the same appliances for two applications, and wait for both at once
  cloudadc.aws.nlb_adc_target:
    target_groups:
      - target_group_name: web
        targets: [{id: 10.0.2.10, port: 80}, {id: 10.0.130.10, port: 80}]
      - target_group_name: api
        targets: [{id: 10.0.2.10, port: 8443}, {id: 10.0.130.10, port: 8443}]

- name: Register exactly these targets, one of them outside the VPC
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
    - The targets of O(targets), and those that O(purge) removed, as last read. In check mode, as predicted right after
      the task.
  returned: success or timeout, without O(target_groups)
  type: list
  elements: dict
  contains: &health
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
        - The state, one of V(initial), V(healthy), V(unhealthy), V(unhealthy.draining),
          V(draining), V(unused) and V(unavailable). A target that is not registered is V(unused).
      type: str
      sample: healthy
    reason:
      description: The reason code of AWS for a state other than healthy.
      type: str
      sample: Elb.InitialHealthChecking
others:
  description:
    - Other registered targets than those of O(targets), as last read. A caller can decide from it which belong to
      terminated instances.
  returned: success or timeout, without O(target_groups)
  type: list
  elements: dict
  contains: *health
target_groups:
  description: One entry for each of O(target_groups), in their order. It is there when the task failed after a write,
    too.
  returned: with O(target_groups), unless the task was refused
  type: list
  elements: dict
  contains:
    target_group_arn:
      description: The target group.
      type: str
    changed:
      description: Whether something was changed for it, or would be in check mode.
      type: bool
    error:
      description: The error, or null.
      type: str
    targets:
      description: As RV(targets); empty if the task failed for it.
      type: list
      elements: dict
      contains: *health
    others:
      description: As RV(others); empty if the task failed for it.
      type: list
      elements: dict
      contains: *health
target_group_arn:
  description: The target group.
  returned: always, unless the task was refused, without O(target_groups)
  type: str
  sample: arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef
"""

from typing import Any

from ..module_utils.aws.client import connect
from ..module_utils.aws.module import run
from ..module_utils.distributors.nlb.target_groups import converge, joined, requests_of
from ..module_utils.reconcile.claims import Claim, claimed, event_argument_spec, guarded


def argument_spec() -> dict[str, Any]:
    group = {"target_group_arn": {"type": "str"}, "target_group_name": {"type": "str"}}
    targets = {
        "type": "list",
        "elements": "dict",
        "options": {
            "id": {"type": "str", "required": True},
            "port": {"type": "int", "required": True},
            "availability_zone": {"type": "str"},
        },
    }
    state = {"type": "str", "choices": ["present", "absent"]}
    return {
        **group,
        "targets": targets,
        "target_groups": {
            "type": "list",
            "elements": "dict",
            "options": {**group, "targets": targets, "purge": {"type": "bool"}, "state": state},
            "mutually_exclusive": [["target_group_arn", "target_group_name"]],
            "required_one_of": [["target_group_arn", "target_group_name"]],
        },
        "state": {**state, "default": "present"},
        "purge": {"type": "bool", "default": False},
        "wait": {"type": "bool", "default": True},
        "wait_for": {"type": "str", "choices": ["healthy", "unused"]},
        "wait_timeout": {"type": "float", "default": 600},
        "event": event_argument_spec(),
    }


def work(module: Any) -> dict[str, Any]:
    """Return the result of the module. Raises Failure."""
    with claimed(module) as claim:
        return converged(module, claim)


def converged(module: Any, claim: Claim | None) -> dict[str, Any]:
    """Return the result; with ``msg`` if a target did not reach its state in time, or a write failed."""
    params = module.params
    requests = requests_of(params)
    timeout = params["wait_timeout"] if params["wait"] else None
    client = guarded(connect(module, "elbv2", read_timeout=10), claim, ["DeregisterTargets"])
    results = converge(client, requests, timeout, check=module.check_mode)
    if params["target_groups"] is not None:
        return joined(results)
    result = dict(results[0])
    error = result.pop("error")
    return {**result, "msg": error} if error else result


def main() -> None:
    run(
        argument_spec(),
        work,
        mutually_exclusive=[["target_group_arn", "target_group_name", "target_groups"]],
        required_one_of=[
            ["target_group_arn", "target_group_name", "target_groups"],
            ["targets", "target_groups"],
        ],
    )


if __name__ == "__main__":
    main()
