#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_info
version_added: 0.1.0
short_description: Check prerequisites before deployment
description:
  - Checks all prerequisites that a run would otherwise find one after another - the credentials, the clock, each right
    that is needed, the image and its subscription, the instance type, subnets and their routes, quotas, and
    connectivity from this machine to the management network.
  - Each check is one row. A check that cannot be carried out, because a right to read is missing or there is no answer
    in time, is a row with status V(warning), and does not affect other checks. If the identity of the credentials
    cannot be read, one row has status V(failed) and all others are V(skipped).
  - Rights are checked with IAM's policy simulator (C(iam:SimulatePrincipalPolicy)). Without the right to use it, EC2
    dry runs are used for actions that depend only on existing objects; other rights are unknown. The root user is
    always allowed. The role of a session is read with C(iam:GetRole); without that right its ARN is assumed to have no
    path.
  - A dry run of C(RunInstances) with the parameters of the real one, in each zone in which instances are missing,
    checks the subscription of the account to the image, and the limits that only EC2 knows.
  - Quotas are those of Service Quotas (C(servicequotas:GetServiceQuota),
    C(servicequotas:GetAWSDefaultServiceQuota)); that of Elastic IPs else from C(ec2:DescribeAccountAttributes).
    Resources of O(group) are not counted twice, so an existing group passes, too.
  - Writes nothing. Calls, in three rounds in parallel. One C(GetCallerIdentity); up to fourteen that read; one
    C(SimulatePrincipalPolicy) for each list of resources, one dry run for each zone, two that read routes.
options:
  group:
    description:
      - The HA pair or the autoscale group; resources with its tag C(cloudadc:group) belong to it.
    type: str
    required: true
  kind:
    description:
      - Whether O(group) names an HA pair or an autoscale group. Dry runs carry it as tag C(cloudadc:kind), on which
        policies may have conditions.
    type: str
    choices: [pair, group]
    version_added: 0.2.0
  rights:
    description:
      - The rights that the credentials need, as in a policy.
    type: list
    elements: dict
    default: []
    suboptions:
      actions:
        description:
          - Actions, such as V(ec2:RunInstances), without wildcards.
        type: list
        elements: str
        required: true
      resources:
        description:
          - Their resources, as ARNs; V(*) in the account or the region of an ARN stands for those of this run,
            elsewhere for O(group). Default is every resource.
        type: list
        elements: str
      context:
        description:
          - Condition keys of policies, with the values of the playbook's requests, such as V(ec2.amazonaws.com) for
            V(iam:PassedToService).
        type: dict
  zones:
    description:
      - The zones of the appliances. Without zones only credentials, clock, O(rights) and connections are checked.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - Name of the row; an availability zone is compared with that of the subnets.
        type: str
        required: true
      instances:
        description:
          - Desired number of appliances in it.
        type: int
        default: 1
      management_subnet_id:
        description:
          - Subnet of the first interface, with the NSIP.
        type: str
        required: true
      client_subnet_id:
        description:
          - Subnet of the second interface, towards clients.
        type: str
        required: true
      server_subnet_id:
        description:
          - Subnet of the third interface, towards servers.
        type: str
        required: true
      secondary_private_ip_count:
        description:
          - Number of secondary private addresses of each client interface.
        type: int
        default: 0
  image_id:
    description:
      - The VPX image.
    type: str
  license_mode:
    description:
      - Mode of the licence that the appliances are to get, if any. With V(las) an image whose name has a build that
        is too old for the License Activation Service fails the check of the image.
    type: str
    choices: [las, pooled]
    version_added: 0.2.0
  license_demand:
    description:
      - What each node checks out, and from which server, for the row of the pool, such as
        V(1000 Mbps Premium of las.example.com).
    type: str
    version_added: 0.2.0
  instance_type:
    description:
      - The type of the instances.
    type: str
    default: m5.xlarge
  key_name:
    description:
      - Their key pair.
    type: str
  encrypt_volumes:
    description:
      - Whether their volumes will be encrypted, as in M(cloudadc.aws.vpx_instance).
    type: bool
    default: true
  elastic_ips:
    description:
      - Total number of Elastic IPs of O(group), including existing ones.
    type: int
    default: 0
  given_addresses:
    description:
      - Existing Elastic IPs to be used, as public addresses or allocation ids.
    type: list
    elements: str
    default: []
  load_balancers:
    description:
      - Total number of Network Load Balancers of O(group). One with the name of O(group) belongs to it.
    type: int
    default: 0
  public_clients:
    description:
      - Whether clients are in the internet, so that client subnets need a route to an internet gateway.
    type: bool
    default: true
  public_management:
    description:
      - Whether management interfaces get Elastic IPs, so that their subnets need such a route.
    type: bool
    default: false
  management_cidrs:
    description:
      - Networks that the security group of the management interfaces will allow.
    type: list
    elements: str
    default: []
  nitro_port:
    description:
      - TCP port of NITRO, tested on the running nodes of O(group).
    type: int
    default: 443
  reach:
    description:
      - Further C(host:port) that this machine must reach.
    type: list
    elements: str
    default: []
  return_path:
    description:
      - How replies to clients will be sent, as O(cloudadc.aws.vpx_network#module:return_path). Without it nothing is
        reported about it.
    type: str
    choices: [mbf, pbr, none]
    version_added: 0.2.0
  clustered:
    description:
      - Whether the appliances of a zone will be a cluster.
    type: bool
    default: false
    version_added: 0.2.0
  back_ends:
    description:
      - The servers of the applications. For each, a row for each of O(zones) says how its nodes will reach it, and one
        says whether its security groups let the nodes in.
    type: list
    elements: dict
    default: []
    version_added: 0.2.0
    suboptions:
      application:
        description:
          - Name of the application, for the rows.
        type: str
        required: true
      address:
        description:
          - Address of a server.
        type: str
      autoscaling_group:
        description:
          - Name of the Auto Scaling group whose instances are the servers. Those are looked at that there are now.
        type: str
      port:
        description:
          - Port of the servers.
        type: int
        required: true
      transport:
        description:
          - Transport protocol of the application.
        type: str
        choices: [tcp, udp]
        default: tcp
  backend_cidrs:
    description:
      - Networks outside of the VPC in which servers are.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  vpc_id:
    description:
      - The VPC of new security groups, if O(zones) is empty. Needed for a dry run.
    type: str
  timeout:
    description:
      - Seconds for each round of queries. Later answers are ignored.
    type: int
    default: 30
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
- name: Check the prerequisites of an HA pair
  cloudadc.aws.preflight_info:
    group: shop
    rights:
      - actions: [ec2:RunInstances, ec2:CreateTags, ec2:AssociateAddress]
    zones:
      - name: eu-west-1a
        management_subnet_id: subnet-0aaaaaaaaaaaaaaaa
        client_subnet_id: subnet-0bbbbbbbbbbbbbbbb
        server_subnet_id: subnet-0cccccccccccccccc
      - name: eu-west-1b
        management_subnet_id: subnet-0dddddddddddddddd
        client_subnet_id: subnet-0eeeeeeeeeeeeeeee
        server_subnet_id: subnet-0ffffffffffffffff
    image_id: ami-0123456789abcdef0
    elastic_ips: 1
    management_cidrs: [10.0.0.0/8]
  register: preflight

- name: Show the checks
  ansible.builtin.debug:
    var: preflight.table
"""

RETURN = r"""
checks:
  description: The checks, one row each, in the order of the table.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      type: str
      description: Kind of the check.
      sample: quota
    subject:
      type: str
      description: Its subject.
      sample: Elastic IPs
    status:
      type: str
      description: V(ok), V(warning), V(failed) or V(skipped).
      sample: failed
    message:
      type: str
      description: The result in words.
      sample: 3 more Elastic IPs are needed, but 4 of the 5 that this account may have in this region are allocated
passed:
  description: Whether no row has status V(failed).
  returned: always
  type: bool
  sample: false
table:
  description: The rows for a terminal, aligned, at most 108 columns wide. Allowed rights are one row per service.
  returned: always
  type: list
  elements: str
  sample: ["STATUS  CHECK  WHAT        RESULT", "ok      clock  this machine  has the time that AWS has"]
"""

from typing import Any

from ..module_utils.aws.client import connect
from ..module_utils.aws.module import run
from ..module_utils.preflight.checks import Clients
from ..module_utils.preflight.inspection import Inspection
from ..module_utils.preflight.plan import read_plan
from ..module_utils.preflight.rights import read_needs
from ..module_utils.preflight.rows import passed
from ..module_utils.preflight.table import table
from ..module_utils.spec.identity import KINDS

RIGHT = {
    "actions": {"type": "list", "elements": "str", "required": True},
    "resources": {"type": "list", "elements": "str"},
    "context": {"type": "dict"},
}
ZONE = {
    "name": {"type": "str", "required": True},
    "instances": {"type": "int", "default": 1},
    "management_subnet_id": {"type": "str", "required": True},
    "client_subnet_id": {"type": "str", "required": True},
    "server_subnet_id": {"type": "str", "required": True},
    "secondary_private_ip_count": {"type": "int", "default": 0},
}
BACK_END = {
    "application": {"type": "str", "required": True},
    "address": {"type": "str"},
    "autoscaling_group": {"type": "str"},
    "port": {"type": "int", "required": True},
    "transport": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
}


def argument_spec() -> dict[str, Any]:
    return {
        "group": {"type": "str", "required": True},
        "kind": {"type": "str", "choices": list(KINDS)},
        "rights": {"type": "list", "elements": "dict", "options": RIGHT, "default": []},
        "zones": {"type": "list", "elements": "dict", "options": ZONE, "default": []},
        "image_id": {"type": "str"},
        "license_mode": {"type": "str", "choices": ["las", "pooled"]},
        "license_demand": {"type": "str"},
        "instance_type": {"type": "str", "default": "m5.xlarge"},
        "key_name": {"type": "str", "no_log": False},
        "encrypt_volumes": {"type": "bool", "default": True},
        "elastic_ips": {"type": "int", "default": 0},
        "given_addresses": {"type": "list", "elements": "str", "default": []},
        "load_balancers": {"type": "int", "default": 0},
        "public_clients": {"type": "bool", "default": True},
        "public_management": {"type": "bool", "default": False},
        "management_cidrs": {"type": "list", "elements": "str", "default": []},
        "nitro_port": {"type": "int", "default": 443},
        "reach": {"type": "list", "elements": "str", "default": []},
        "return_path": {"type": "str", "choices": ["mbf", "pbr", "none"]},
        "clustered": {"type": "bool", "default": False},
        "back_ends": {
            "type": "list",
            "elements": "dict",
            "options": BACK_END,
            "default": [],
            "mutually_exclusive": [("address", "autoscaling_group")],
            "required_one_of": [("address", "autoscaling_group")],
        },
        "backend_cidrs": {"type": "list", "elements": "str", "default": []},
        "vpc_id": {"type": "str"},
        "timeout": {"type": "int", "default": 30},
    }


def clients(module: Any) -> Clients:
    services = ("sts", "ec2", "iam", "service-quotas", "elbv2")
    return Clients(*(connect(module, name, read_timeout=module.params["timeout"]) for name in services))


def work(module: Any) -> dict[str, Any]:
    """Check everything, and return the result of the module. Raises Failure."""
    inspection = Inspection(
        plan=read_plan(module.params),
        needs=read_needs(module.params["rights"]),
        clients=clients(module),
        region=str(module.region),
        timeout=module.params["timeout"],
        vpc_id=module.params["vpc_id"],
    )
    rows = inspection.rows()
    return {"changed": False, "checks": [row.result() for row in rows], "passed": passed(rows), "table": table(rows)}


def main() -> None:
    run(argument_spec(), work)


if __name__ == "__main__":
    main()
