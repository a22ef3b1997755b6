#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: nlb_adc_balancer
version_added: 0.1.0
short_description: Manage a Network Load Balancer with one static address per zone for a group of appliances
description:
  - Creates, converges or removes the Network Load Balancer of a group with its listeners and target groups.
  - An internet-facing one has one Elastic IP in each zone. By default one is allocated, tagged with the group and the
    zone, and released with the load balancer.
  - Zones are independent; by default a zone's address answers from that zone's targets only (cross-zone is off).
  - A balancer of the same name without the group's tags C(cloudadc:group) and C(cloudadc:kind=group) is never changed.
    A balancer of an earlier release has no tag of the kind; it is adopted, with a warning.
  - V(absent) removes the balancer with its listeners, the target groups that carry the group's tag, and the Elastic IPs
    that this module allocated. A target group of the group is removed even if it is not in use any more.
  - Calls. One C(DescribeLoadBalancers) and one C(DescribeAddresses) side by side, then one C(DescribeTags) and one
    C(DescribeLoadBalancerAttributes) side by side; no write if all is as desired. Creating one needs one
    C(AllocateAddress) per zone, in parallel, and one C(CreateLoadBalancer), after one C(DescribeAccountAttributes) and
    one C(DescribeAddresses) for the quota of Elastic IPs, without which nothing is written.
  - Needs the rights C(elasticloadbalancing:DescribeLoadBalancers), C(elasticloadbalancing:DescribeTags),
    C(elasticloadbalancing:DescribeLoadBalancerAttributes), C(ec2:DescribeAddresses), and for what it changes
    C(elasticloadbalancing:CreateLoadBalancer), C(elasticloadbalancing:SetSubnets),
    C(elasticloadbalancing:SetSecurityGroups), C(elasticloadbalancing:AddTags),
    C(elasticloadbalancing:ModifyLoadBalancerAttributes), C(elasticloadbalancing:DeleteLoadBalancer),
    C(elasticloadbalancing:DescribeTargetGroups), C(elasticloadbalancing:DeleteTargetGroup),
    C(ec2:DescribeAccountAttributes), C(ec2:AllocateAddress), C(ec2:ReleaseAddress).
options:
  name:
    description:
      - The name of the load balancer. At most 32 letters, digits and hyphens.
    type: str
    required: true
  group:
    description:
      - Its group, the value of its tag C(cloudadc:group).
    type: str
    required: true
  scheme:
    description:
      - Whether clients are in the internet or in the VPC. It cannot be changed later.
    type: str
    choices: [internet-facing, internal]
    default: internet-facing
  zones:
    description:
      - Its zones, with one subnet each. Required if O(state=present).
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - The availability zone.
        type: str
        required: true
      subnet_id:
        description:
          - A subnet in it.
        type: str
        required: true
      allocation_id:
        description:
          - The Elastic IP as its static address, if internet-facing. It is never released.
        type: str
      private_ip_address:
        description:
          - The private address as its static address, if internal.
        type: str
  cross_zone:
    description:
      - Whether a zone's address also sends clients to targets of other zones.
    type: bool
    default: false
  security_groups:
    description:
      - Ids of its security groups. A load balancer that was created without any allows all clients, and AWS cannot add
        them later.
    type: list
    elements: str
  tags:
    description:
      - More tags for the balancer, and for Elastic IPs that are allocated.
    type: dict
  state:
    description:
      - Whether it exists.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait until the load balancer is active, which takes minutes for a new one.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds.
    type: float
    default: 600
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
- name: Create a load balancer in two zones, with an Elastic IP for each
  cloudadc.aws.nlb_adc_balancer:
    name: shop
    group: shop
    zones:
      - name: eu-central-1a
        subnet_id: subnet-0123456789abcdef0
      - name: eu-central-1b
        subnet_id: subnet-0fedcba9876543210

- name: Remove it with its listeners and target groups
  cloudadc.aws.nlb_adc_balancer:
    name: shop
    group: shop
    state: absent
"""

RETURN = r"""
balancer:
  description: The load balancer; null if there is none, and in check mode if it would be new.
  returned: success
  type: dict
  contains:
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/shop/0123456789abcdef
    dns_name:
      description: Its DNS name, with the addresses of all zones.
      type: str
      sample: shop-0123456789abcdef.elb.eu-central-1.amazonaws.com
    canonical_hosted_zone_id:
      description: The hosted zone of C(dns_name), for an alias record.
      type: str
      sample: Z3F0SRJ5LGBH90
    scheme:
      description: V(internet-facing) or V(internal).
      type: str
      sample: internet-facing
    state:
      description: V(provisioning), V(active), V(active_impaired) or V(failed).
      type: str
      sample: active
    zones:
      description: Its zones, each with its subnet and static address.
      type: list
      elements: dict
      sample: [{"name": "eu-central-1a", "subnet_id": "subnet-0123456789abcdef0", "ip_address": "203.0.113.10",
                "private_ip_address": null, "allocation_id": "eipalloc-0123456789abcdef0"}]
    security_groups:
      description: Ids of its security groups.
      type: list
      elements: str
      sample: [sg-0123456789abcdef0]
    tags:
      description: Its tags.
      type: dict
      sample: {"cloudadc:group": "shop"}
actions:
  description: The writes, or in check mode the predicted ones.
  returned: always
  type: list
  elements: str
  sample: [make the load balancer]
"""

from typing import Any

from ..module_utils.aws.client import connect
from ..module_utils.aws.module import run
from ..module_utils.distributors.nlb.balancer_work import Balancing
from ..module_utils.distributors.nlb.balancers import Attachment, DesiredBalancer
from ..module_utils.spec.identity import adoption_warning


def argument_spec() -> dict[str, Any]:
    return {
        "name": {"type": "str", "required": True},
        "group": {"type": "str", "required": True},
        "scheme": {"type": "str", "choices": ["internet-facing", "internal"], "default": "internet-facing"},
        "zones": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "subnet_id": {"type": "str", "required": True},
                "allocation_id": {"type": "str"},
                "private_ip_address": {"type": "str"},
            },
        },
        "cross_zone": {"type": "bool", "default": False},
        "security_groups": {"type": "list", "elements": "str"},
        "tags": {"type": "dict"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "float", "default": 600},
    }


def requested(params: dict[str, Any]) -> DesiredBalancer:
    return DesiredBalancer(
        name=params["name"],
        group=params["group"],
        scheme=params["scheme"],
        places=tuple(Attachment.from_option(option) for option in params["zones"] or ()),
        cross_zone=params["cross_zone"],
        security_groups=None if params["security_groups"] is None else frozenset(params["security_groups"]),
        tags={str(key): str(value) for key, value in (params["tags"] or {}).items()},
    )


def work(module: Any) -> dict[str, Any]:
    params = module.params
    job = Balancing(
        desired=requested(params),
        elb=connect(module, "elbv2", read_timeout=30),
        ec2=connect(module, "ec2"),
        timeout=params["wait_timeout"] if params["wait"] else None,
        check=module.check_mode,
    )
    result = job.remove() if params["state"] == "absent" else job.converge()
    warning = adoption_warning(job.desired.owner, job.adopted)
    if warning:
        module.warn(warning)
    return result


def main() -> None:
    run(argument_spec(), work, required_if=[("state", "present", ["zones"])])


if __name__ == "__main__":
    main()
