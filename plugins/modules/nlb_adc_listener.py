#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: nlb_adc_listener
version_added: 0.1.0
short_description: Manage NLB listeners and target groups for applications
description:
  - Manages a listener on the load balancer for each application, and its target group of type V(ip) for the client
    addresses of the appliances.
  - The target group of an application is identified by the tags C(cloudadc:group), C(cloudadc:kind=group) and
    C(cloudadc:application) and named C(<group>-<application>). A target group of an earlier release has no tag of the
    kind and gets it. The listener of an application is the one that forwards to it.
  - Refused before the first write are a port of another listener, a target group of that name which was created for
    something else, one in another VPC, of another protocol or type, and an invalid name.
  - Targets are not registered here, but by M(cloudadc.aws.nlb_adc_target).
  - Calls. C(DescribeLoadBalancers) and C(DescribeTargetGroups) side by side, then C(DescribeListeners) and, if the
    group has any, one C(DescribeTags) and one C(DescribeTargetGroupAttributes) for each that is named; and no write if
    all is as desired. A new application needs three writes (target group, its attributes, listener), and the reads once
    more.
  - Needs the rights C(elasticloadbalancing:DescribeLoadBalancers), C(elasticloadbalancing:DescribeListeners),
    C(elasticloadbalancing:DescribeTargetGroups), C(elasticloadbalancing:DescribeTargetGroupAttributes),
    C(elasticloadbalancing:DescribeTags), and C(elasticloadbalancing:CreateTargetGroup),
    C(elasticloadbalancing:ModifyTargetGroup), C(elasticloadbalancing:ModifyTargetGroupAttributes),
    C(elasticloadbalancing:DeleteTargetGroup), C(elasticloadbalancing:CreateListener),
    C(elasticloadbalancing:ModifyListener), C(elasticloadbalancing:DeleteListener), C(elasticloadbalancing:AddTags).
options:
  load_balancer:
    description:
      - Name or ARN of the Network Load Balancer. With O(state=absent) it may be missing. In check mode a missing load
        balancer is assumed to be created later, so that conflicts of an application are reported before.
    type: str
    required: true
  group:
    description:
      - The group of appliances.
    type: str
    required: true
  listeners:
    description:
      - The applications. With O(state=absent) only O(listeners[].application) is used.
    type: list
    elements: dict
    default: []
    suboptions:
      application:
        description:
          - Name of the application.
        type: str
        required: true
      port:
        description:
          - Port of the listener. Required with O(state=present).
        type: int
      protocol:
        description:
          - Protocol of the listener.
        type: str
        choices: [TCP, UDP, TCP_UDP, TLS]
        default: TCP
      certificate_arn:
        description:
          - Certificate with which the load balancer terminates TLS. Required with V(TLS) as protocol.
        type: str
      ssl_policy:
        description:
          - Security policy of a V(TLS) listener. By default it is not changed, and AWS chooses it for a new one.
        type: str
      target_port:
        description:
          - Port at which the appliances answer. Default is O(listeners[].port).
        type: int
      target_protocol:
        description:
          - Protocol towards the appliances. Default is that of the listener, and V(TCP) behind V(TLS).
        type: str
        choices: [TCP, UDP, TCP_UDP, TLS]
      deregistration_delay:
        description:
          - Seconds that a deregistered target stays C(draining), 0 to 3600. By default it is not changed, and is 300
            for a new target group.
        type: int
      connection_termination:
        description:
          - Whether open connections are closed at the end of that delay. By default it is not changed.
        type: bool
      preserve_client_ip:
        description:
          - Whether appliances see the address of the client instead of that of the load balancer. The security group of
            the appliances must allow the addresses that they see. By default it is not changed; AWS's default for
            targets by address is V(false), and V(true) for UDP.
        type: bool
      health_check:
        description:
          - Health check of the load balancer.
        type: dict
        suboptions:
          protocol:
            description:
              - Protocol of the check.
            type: str
            choices: [TCP, HTTP, HTTPS]
            default: TCP
          port:
            description:
              - Port of the check. Default is the port of the target.
            type: int
          path:
            description:
              - Path of V(HTTP) and V(HTTPS).
            type: str
          matcher:
            description:
              - Status codes of a healthy target, as in V(200-399).
            type: str
          interval:
            description:
              - Seconds between two checks, 5 to 300.
            type: int
            default: 10
          timeout:
            description:
              - Seconds to wait for an answer, 2 to 120.
            type: int
          healthy_threshold:
            description:
              - Successful checks in a row after which a target is healthy, 2 to 10.
            type: int
            default: 2
          unhealthy_threshold:
            description:
              - Failed checks in a row after which it is unhealthy, 2 to 10.
            type: int
            default: 2
  others:
    description:
      - Applications of the group that may exist in addition to those in O(listeners). If given, any other one is
        refused before the first write, because new appliances would receive its clients without serving it.
    type: list
    elements: str
  tags:
    description:
      - More tags for target groups and listeners.
    type: dict
  purge:
    description:
      - With O(state=absent), whether all applications of the group are removed, also those not named.
    type: bool
    default: false
  state:
    description:
      - Whether the applications have listener and target group.
    type: str
    choices: [present, absent]
    default: present
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
"""

EXAMPLES = r"""
- name: Create listeners and target groups of two applications
  cloudadc.aws.nlb_adc_listener:
    load_balancer: shop
    group: shop
    listeners:
      - application: web
        port: 80
        deregistration_delay: 600
      - application: dns
        port: 53
        protocol: UDP
  register: ways

- name: Register two appliances
  cloudadc.aws.nlb_adc_target:
    target_group_arn: "{{ (ways.listeners | selectattr('application', 'eq', 'web') | first).target_group_arn }}"
    targets:
      - id: 10.0.2.10
        port: 80
      - id: 10.0.12.10
        port: 80

- name: Remove one application
  cloudadc.aws.nlb_adc_listener:
    load_balancer: shop
    group: shop
    listeners:
      - application: dns
    state: absent
"""

RETURN = r"""
listeners:
  description:
    - Every application of the group with a target group, by the name of that, also those not named. In check mode as
      predicted, with null where AWS would decide.
  returned: always, unless the task was refused
  type: list
  elements: dict
  contains:
    application: {type: str, description: The application., sample: web}
    target_group_arn: {type: str, description: Its target group., sample: "arn:aws:…:targetgroup/shop-web/0123456789"}
    target_group_name: {type: str, description: Its name., sample: shop-web}
    target_port: {type: int, description: Port at which appliances answer by default., sample: 80}
    target_protocol: {type: str, description: Protocol towards them., sample: TCP}
    listener_arn: {type: str, description: "Its listener; null if there is none.", sample: "arn:aws:…:listener/net/0"}
    port: {type: int, description: Port of the listener., sample: 80}
    protocol: {type: str, description: Protocol of the listener., sample: TCP}
load_balancer:
  description: The load balancer, null if there is none.
  returned: always, unless the task was refused
  type: dict
  contains:
    arn: {type: str, description: Its ARN., sample: "arn:aws:…:loadbalancer/net/shop/0123456789"}
    name: {type: str, description: Its name., sample: shop}
    dns_name: {type: str, description: Its DNS name., sample: shop-0.elb.eu-central-1.amazonaws.com}
    hosted_zone_id: {type: str, description: The hosted zone that an alias record needs., sample: Z3F0SRJ5LGBH90}
actions:
  description: The writes (in check mode the predicted ones), one phrase each; also when the task fails after some.
  returned: always
  type: list
  elements: str
  sample: [create target group shop-web]
"""

from typing import Any

from ..module_utils.aws.client import connect
from ..module_utils.aws.module import run
from ..module_utils.core.errors import Refusal
from ..module_utils.distributors.nlb.listener_work import ListenerWork
from ..module_utils.distributors.nlb.listeners import (
    CHECK_PROTOCOLS,
    PROTOCOLS,
    check_requests,
    describe,
    owner_of,
    predict,
    request_of,
)

CHECK = {
    "protocol": {"type": "str", "choices": list(CHECK_PROTOCOLS), "default": "TCP"},
    "port": {"type": "int"},
    "path": {"type": "str"},
    "matcher": {"type": "str"},
    "interval": {"type": "int", "default": 10},
    "timeout": {"type": "int"},
    "healthy_threshold": {"type": "int", "default": 2},
    "unhealthy_threshold": {"type": "int", "default": 2},
}
LISTENER = {
    "application": {"type": "str", "required": True},
    "port": {"type": "int"},
    "protocol": {"type": "str", "choices": list(PROTOCOLS), "default": "TCP"},
    "certificate_arn": {"type": "str"},
    "ssl_policy": {"type": "str"},
    "target_port": {"type": "int"},
    "target_protocol": {"type": "str", "choices": list(PROTOCOLS)},
    "deregistration_delay": {"type": "int"},
    "connection_termination": {"type": "bool"},
    "preserve_client_ip": {"type": "bool"},
    "health_check": {"type": "dict", "options": CHECK, "apply_defaults": True},
}


def argument_spec() -> dict[str, Any]:
    return {
        "load_balancer": {"type": "str", "required": True},
        "group": {"type": "str", "required": True},
        "listeners": {"type": "list", "elements": "dict", "default": [], "options": LISTENER},
        "others": {"type": "list", "elements": "str"},
        "tags": {"type": "dict"},
        "purge": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def listener_work(module: Any, written: list[str]) -> ListenerWork:
    """Return the desired listeners of the options. Raises Refusal for what is invalid whatever AWS holds.

    ``written``: empty; filled with what was written.
    """
    params = module.params
    present, group = params["state"] == "present", params["group"]
    named = params["listeners"]
    if present:
        for option in named:
            if option["port"] is None:
                raise Refusal(f"application {option['application']}: its port is missing; nothing was written")
    requests = tuple(request_of(group, option) for option in named) if present else ()
    check_requests(requests)
    tags = {str(key): str(value) for key, value in (params["tags"] or {}).items()}
    return ListenerWork(
        client=connect(module, "elbv2", read_timeout=10),
        load_balancer=params["load_balancer"],
        group=group,
        requests=requests,
        applications=tuple(option["application"] for option in named),
        present=present,
        purge=params["purge"],
        others=params["others"],
        only_read=module.check_mode,
        tags={**tags, **owner_of(group).tags},
        done=written,
    )


def work(module: Any, written: list[str]) -> dict[str, Any]:
    """Read, plan, write until nothing is left to do; what is now true, and the diff. Raises Failure.

    ``written``: empty; filled with what was written.
    """
    job = listener_work(module, written)
    observed, changes = job.observation()
    before = describe(job.group, observed)
    if module.check_mode:
        after = predict(before, changes, job.requests)
        written.extend(change.message for change in changes)
    else:
        observed = job.converge(observed, changes)
        after = describe(job.group, observed)
    return {
        "changed": bool(written),
        "listeners": after,
        "load_balancer": observed.balancer.result() if observed.balancer else None,
        "actions": written,
        "diff": {"before": {"listeners": before}, "after": {"listeners": after}},
    }


def main() -> None:
    written: list[str] = []
    run(
        argument_spec(),
        lambda module: work(module, written),
        done=lambda: {"changed": bool(written), "actions": written},
    )


if __name__ == "__main__":
    main()
