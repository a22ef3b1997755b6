#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_shared_resources
version_added: 0.2.0
short_description: Manage the shared AWS resources of a VPX pair or group
description:
  - Manages the IAM role with its inline policy, the instance profile, the security groups with their inbound rules and,
    for a pair, the Elastic IP of its clients. It also checks that the key pair exists.
  - The role and the instance profile are named C(<name>-vpx), a security group C(<name>-<role>). All carry the tags
    C(cloudadc:group) (the name) and C(cloudadc:kind).
  - A pair and a group derive the same names, so a resource of the name that carries another kind, or no tag of the
    name, is refused by name before the first write. Resources of an earlier release carry the name but no kind. They
    are adopted if nothing of the other kind has the name, with a warning.
  - Rules, tags of role, profile and security groups are kept exactly as declared. Inbound rules that are not declared
    are revoked. New rules are added before old ones are revoked.
  - Calls. All reads run in parallel. If everything is as declared these are C(GetRole), C(GetRolePolicy),
    C(GetInstanceProfile), C(DescribeSecurityGroups), C(DescribeAddresses) and C(DescribeKeyPairs), and no write.
    Independent writes run in parallel, too.
  - If AWS refuses a call for lack of rights, the message names the IAM action.
options:
  state:
    description:
      - V(present) creates what is missing and changes what differs.
      - V(absent) removes the instance profile, the role, the security groups and the Elastic IPs that carry the name.
        Remove the instances and the load balancer first. The module waits up to 60 seconds for a security group that is
        still in use. An Elastic IP on another interface is kept, with a warning.
    type: str
    choices: [present, absent]
    default: present
  kind:
    description:
      - Whether the resources belong to an HA pair or to an autoscale group.
    type: str
    choices: [pair, group]
    required: true
  name:
    description:
      - The name of the pair or group.
    type: str
    required: true
  vpc_id:
    description:
      - The VPC of the security groups. Required if O(security_groups) has an entry.
    type: str
  role:
    description:
      - The IAM role of the appliances. If omitted, role and instance profile are not managed.
    type: dict
    suboptions:
      policy:
        description:
          - The document of the inline policy. Statements with C(Sid) C(OwnRights) get the role's ARN as C(Resource).
          - Where a condition compares C(aws:ResourceTag/cloudadc:group) or C(aws:RequestTag/cloudadc:group) with V(*),
            O(name) is put in its place. The resource C(elastic-ip/eipalloc-00000000000000000) stands for
            O(role.elastic_ips).
        type: dict
      policy_name:
        description:
          - The name of the inline policy. Required with O(role.policy).
        type: str
      managed:
        description:
          - V(false) only checks that role and instance profile exist. An administrator creates and removes them.
            With O(state=absent) they stay.
        type: bool
        default: true
      permissions_boundary:
        description:
          - The ARN of the permissions boundary of the role. If omitted, the boundary of the role is not changed.
        type: str
      elastic_ips:
        description:
          - Allocation ids of Elastic IPs that the appliances may move although they carry no tag C(cloudadc:group).
          - Without any the statements of O(role.policy) about them are left out.
        type: list
        elements: str
        default: []
  security_groups:
    description:
      - The security groups.
    type: list
    elements: dict
    default: []
    suboptions:
      role:
        description:
          - The role of its interfaces.
        type: str
        choices: [management, client, server, nlb]
        required: true
      description:
        description:
          - Its description. AWS never changes the description of a security group.
        type: str
        required: true
      rules:
        description:
          - The inbound rules. Outbound rules are not changed (AWS allows everything by default).
        type: list
        elements: dict
        default: []
        suboptions:
          protocol:
            description:
              - V(tcp), V(udp), V(icmp), V(icmpv6), V(all), or the number of another protocol.
            type: str
            required: true
          from_port:
            description:
              - The first port. Required with V(tcp) and V(udp).
            type: int
          to_port:
            description:
              - The last port. Default is O(security_groups[].rules[].from_port).
            type: int
          cidrs:
            description:
              - Networks (IPv4, IPv6) or prefix lists from which the traffic comes.
            type: list
            elements: str
          group:
            description:
              - The O(security_groups[].role) of the entry from whose interfaces the traffic comes.
            type: str
          description:
            description:
              - The description of the rule.
            type: str
  key_name:
    description:
      - The key pair that must exist. It is never created.
    type: str
  elastic_ip:
    description:
      - Whether to allocate an Elastic IP for the clients, tagged C(cloudadc:role=client). An existing one of the pair
        is used.
    type: bool
    default: false
  tags:
    description:
      - More tags for everything that is created.
    type: dict
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_aws
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Create the shared resources of a pair
  cloudadc.aws.vpx_shared_resources:
    kind: pair
    name: shop
    vpc_id: vpc-0123456789abcdef0
    role:
      policy_name: cloudadc-ha
      policy:
        Version: "2012-10-17"
        Statement:
          - Sid: Addresses
            Effect: Allow
            Action: [ec2:AssociateAddress, ec2:DescribeAddresses, ec2:DescribeNetworkInterfaces]
            Resource: "*"
    security_groups:
      - role: management
        description: Management of the VPX pair shop
        rules:
          - {protocol: tcp, from_port: 22, cidrs: [10.0.0.0/8], description: SSH}
          - {protocol: udp, from_port: 3003, group: management, description: HA heartbeats}
      - role: client
        description: Clients of the VPX pair shop
        rules:
          - {protocol: tcp, from_port: 443, cidrs: [0.0.0.0/0], description: web}
      - role: server
        description: Back-end side of the VPX pair shop
    key_name: operations
    elastic_ip: true

- name: Use a role that an administrator created
  cloudadc.aws.vpx_shared_resources:
    kind: group
    name: shop
    role:
      managed: false

- name: Remove the shared resources
  cloudadc.aws.vpx_shared_resources:
    kind: pair
    name: shop
    state: absent
"""

RETURN = r"""
role:
  description: The IAM role; null if none is managed, and with O(state=absent). C(arn) is null if it would be created.
  returned: success
  type: dict
  sample: {"name": "shop-vpx", "arn": "arn:aws:iam::123456789012:role/shop-vpx"}
instance_profile:
  description: The name of the instance profile; null as for RV(role).
  returned: success
  type: str
  sample: shop-vpx
security_groups:
  description: The ids of the security groups by role; in check mode null for one that would be created.
  returned: success
  type: dict
  sample: {"management": "sg-0aaaaaaaaaaaaaaaa", "client": "sg-0bbbbbbbbbbbbbbbb", "server": "sg-0cccccccccccccccc"}
elastic_ip:
  description: The Elastic IP of the clients; null if not requested, and in check mode if it would be allocated.
  returned: success
  type: dict
  sample: {"public_ip": "203.0.113.10", "allocation_id": "eipalloc-0123456789abcdef0"}
actions:
  description: The writes (in check mode the predicted ones), also when the task fails after some.
  returned: always
  type: list
  elements: str
  sample: [create role shop-vpx]
"""

from typing import Any

from ..module_utils.aws.client import connect
from ..module_utils.aws.module import run
from ..module_utils.reconcile.shared_options import shared_spec
from ..module_utils.reconcile.shared_resources import (
    Observed,
    SharedSpec,
    diff_of,
    own_address,
    plan_absent,
    predicted_groups,
)
from ..module_utils.reconcile.shared_resources_changes import SharedResources
from ..module_utils.spec.group_security import SECURITY_ROLES
from ..module_utils.spec.identity import KINDS, adoption_warning

RULE = {
    "protocol": {"type": "str", "required": True},
    "from_port": {"type": "int"},
    "to_port": {"type": "int"},
    "cidrs": {"type": "list", "elements": "str"},
    "group": {"type": "str"},
    "description": {"type": "str"},
}
SECURITY_GROUP = {
    "role": {"type": "str", "choices": list(SECURITY_ROLES), "required": True},
    "description": {"type": "str", "required": True},
    "rules": {"type": "list", "elements": "dict", "options": RULE, "default": []},
}
ROLE = {
    "policy": {"type": "dict"},
    "policy_name": {"type": "str"},
    "managed": {"type": "bool", "default": True},
    "permissions_boundary": {"type": "str"},
    "elastic_ips": {"type": "list", "elements": "str", "default": []},
}


def argument_spec() -> dict[str, Any]:
    return {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "kind": {"type": "str", "choices": list(KINDS), "required": True},
        "name": {"type": "str", "required": True},
        "vpc_id": {"type": "str"},
        "role": {"type": "dict", "options": ROLE, "required_by": {"policy": "policy_name"}},
        "security_groups": {"type": "list", "elements": "dict", "options": SECURITY_GROUP, "default": []},
        "key_name": {"type": "str", "no_log": False},
        "elastic_ip": {"type": "bool", "default": False},
        "tags": {"type": "dict"},
    }


def result_of(spec: SharedSpec, observed: Observed) -> dict[str, Any]:
    address = own_address(spec, observed) if spec.elastic_ip else None
    role = {"name": spec.role_name, "arn": observed.role.arn if observed.role else None} if spec.role else None
    return {
        "role": role,
        "instance_profile": spec.role_name if spec.role else None,
        "security_groups": predicted_groups(spec, observed),
        "elastic_ip": {"public_ip": address.public_ip, "allocation_id": address.allocation_id} if address else None,
    }


def present(module: Any, shared: SharedResources) -> dict[str, Any]:
    """Read, decide, write until nothing differs; in check mode predict it."""
    observed = shared.observe()
    plan = shared.plan(observed)
    warning = adoption_warning(shared.spec.owner, plan.adopted)
    if warning:
        module.warn(warning)
    if module.check_mode:
        changes = plan.changes
    else:
        observed = shared.converge(observed, plan)
        changes = tuple(shared.written)
    actions = [change.message for change in changes]
    result = result_of(shared.spec, observed)
    return {**result, "changed": bool(changes), "actions": actions, "diff": diff_of(changes)}


def absent(module: Any, shared: SharedResources) -> dict[str, Any]:
    """Remove what carries the name and the kind; in check mode predict it."""
    plan = plan_absent(shared.spec, shared.observe(removal=True))
    changes, held = plan.changes, () if module.check_mode else plan.held
    if not module.check_mode:
        held = shared.remove(plan)
        changes = tuple(shared.written)
    for address in held:
        used = address.association or "a resource of AWS"
        module.warn(f"Elastic IP {address} is kept: it is associated with {used}, not with {shared.spec.owner}")
    actions = [change.message for change in changes]
    nothing: dict[str, Any] = {"role": None, "instance_profile": None, "security_groups": {}, "elastic_ip": None}
    return {**nothing, "changed": bool(changes), "actions": actions, "diff": diff_of(changes)}


def work(module: Any, actions: list[str]) -> dict[str, Any]:
    """Return the result of the module. Raises Failure. ``actions``: filled with what was written."""
    shared = SharedResources(
        shared_spec(module.params), connect(module, "ec2"), connect(module, "iam"), actions=actions
    )
    return absent(module, shared) if module.params["state"] == "absent" else present(module, shared)


def main() -> None:
    actions: list[str] = []
    run(
        argument_spec(),
        lambda module: work(module, actions),
        done=lambda: {"changed": bool(actions), "actions": actions},
    )


if __name__ == "__main__":
    main()
