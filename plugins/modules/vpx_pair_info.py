#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_pair_info
version_added: 0.2.0
short_description: Gather the state of an HA pair, its problems and its plan
description:
  - Reads in parallel the subnets, image, instance type, Elastic IPs, key pair, instances, role, instance profile and
    security groups of a pair, and compares them with its definition.
  - Returns all problems at once. These are missing subnets, images, key pairs and Elastic IPs, Elastic IPs in use
    elsewhere, VIPs outside of their subnet, in use, or inside of the VPC's ranges (routes), nodes in another subnet
    than defined, resources of the pair's names with another owner, and parameters that C(RunInstances) would refuse.
  - Returns in RV(drift) how nodes in service and their resources differ from the definition, and warns of each
    difference.
  - Returns one section of C(plan) per step, with the options of its module and whether anything differs.
  - A node that EC2 has stopped is a problem, unless C(replace_node) of the definition names it.
  - Writes nothing.
  - Needs the rights C(ec2:DescribeSubnets), C(ec2:DescribeAddresses), C(ec2:DescribeInstances),
    C(ec2:DescribeNetworkInterfaces), C(ec2:DescribeSecurityGroups), C(ec2:DescribeImages),
    C(ec2:DescribeInstanceTypes), C(ec2:DescribeInstanceAttribute),
    C(iam:GetRole), C(iam:GetRolePolicy), C(iam:GetInstanceProfile), with a key pair
    C(ec2:DescribeKeyPairs), with public management addresses C(ec2:DescribeAccountAttributes), with VIPs of kind route
    C(ec2:DescribeRouteTables) and C(ec2:DescribeVpcs).
options:
  definition:
    description:
      - The pair, as filter P(cloudadc.aws.pair_definition#filter) returns it.
    type: dict
    required: true
  policy:
    description:
      - The IAM policy document of the appliances, for comparison with that of their role.
    type: dict
    required: true
extends_documentation_fragment:
  - cloudadc.aws.attributes.read_only
  - cloudadc.aws.attributes.action_group_aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: cloudadc.aws.vpx_shared_resources
  - module: cloudadc.aws.vpx_instance
  - module: cloudadc.aws.vpx_ha_info
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Gather the state of the pair
  cloudadc.aws.vpx_pair_info:
    definition: "{{ checked.definition }}"
    policy: "{{ lookup('ansible.builtin.file', 'appliance_ha_minimal.json') }}"
  register: pair
  vars:
    checked: "{{ lookup('cloudadc.aws.role_variables', 'ha_pair') | cloudadc.aws.pair_definition }}"
"""

RETURN = r"""
check_mode:
  description: Whether the task ran in check mode. A role may be included in check mode by itself, which the variable
    C(ansible_check_mode) does not say.
  returned: success
  type: bool
problems:
  description: One message per problem; empty if there is none.
  returned: success
  type: list
  elements: str
  sample: ["There is no subnet subnet-0123456789abcdef0 in this account and region."]
instances:
  description: The live instances of the pair, by node id, as M(cloudadc.aws.vpx_instance) returns them.
  returned: success
  type: list
  elements: dict
drift:
  description: One entry per difference of a node in service, or of what nodes share, from the definition.
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: What differs.
      type: str
      returned: always
      sample: Node 0 (i-0123456789abcdef0)
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
      description: The value found. Of user data only a checksum.
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
plan:
  description: The definition, and one section per step.
  returned: success
  type: dict
  contains:
    vpc_id:
      description: The VPC of the subnets.
      type: str
      sample: vpc-0123456789abcdef0
    subnets:
      description: The subnets of the nodes by id, each with its zone and C(cidr_block).
      type: dict
    shared:
      description:
        - C(options) of M(cloudadc.aws.vpx_shared_resources), whether anything differs (C(due)), and the observed state
          (C(observed)) with the ids of the C(security_groups) and the C(elastic_ip).
      type: dict
    instances:
      description:
        - C(sets), the option of M(cloudadc.aws.vpx_instance) without security groups, and whether anything differs
          (C(due)). Filter P(cloudadc.aws.pair_steps#filter) adds the security groups.
      type: dict
    instance_tags:
      description: Tags of the instances, those by which a failover knows the VIPs among them.
      type: dict
    unassociated:
      description:
        - The Elastic IPs that are to follow a private address and are not on it, each with C(elastic_ip) and
          C(private_ip_address).
      type: list
      elements: dict
    replacement:
      description:
        - The node that C(replace_node) of the definition names, null if it is empty. It has the C(node_id), the
          C(instance_id) that goes or is gone, C(due) (it exists and has to be removed), C(launch) (its successor has to
          be launched) and a C(message).
      type: dict
    network:
      description:
        - For each node the mask of its server subnet, the routes to the subnets of back ends by its own gateway, and
          other options of M(cloudadc.aws.vpx_network).
      type: list
      elements: dict
"""

from typing import Any

from ..module_utils.aws.client import connect
from ..module_utils.aws.module import run
from ..module_utils.aws.sts import account_id
from ..module_utils.reconcile.missing_subnets import combine_missing
from ..module_utils.reconcile.pair_reading import PairReading
from ..module_utils.spec.complete import require_pair


def argument_spec() -> dict[str, Any]:
    return {"definition": {"type": "dict", "required": True}, "policy": {"type": "dict", "required": True}}


def work(module: Any) -> dict[str, Any]:
    require_pair(module.params["definition"])
    ec2, definition = connect(module, "ec2"), module.params["definition"]
    reading = PairReading(
        ec2,
        connect(module, "iam"),
        definition,
        module.params["policy"],
        module.warn,
    )
    result = reading.result()
    result["problems"] = combine_missing(
        result["problems"], definition["nodes"], ec2.meta.region_name, lambda: account_id(connect(module, "sts"))
    )
    return {"changed": False, "check_mode": module.check_mode, **result}


def main() -> None:
    run(argument_spec(), work)


if __name__ == "__main__":
    main()
