#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_address_failover
version_added: 0.2.0
short_description: Move Elastic IPs, private addresses and routes to interfaces, and verify
description:
  - Moves whatever leads clients to the primary of a pair, of one kind or of several in one task. All kinds are read at
    once, and all are written at once; nothing is written unless every move of every kind is allowed.
  - Kind V(elastic_ip) is what M(cloudadc.aws.eip_failover) does.
  - Kind V(private_ip) moves secondary private addresses between interfaces of one subnet. All IPv4 addresses of an
    interface take one C(AssignPrivateIpAddresses) with C(AllowReassignment); Elastic IPs on them move with them. EC2
    reassigns neither IPv6 addresses nor prefixes, so these take an unassignment from the present interface and an
    assignment to the new one, and clients of them wait for both.
  - Kind V(route) sends the route to a destination in one or several route tables to an interface, by one
    C(ReplaceRoute) for each table, or C(CreateRoute) where the table has no route to the destination. A route is never
    deleted, so there is no interval without one. The destination is a private address outside of the VPC's ranges (a
    C(/32) or C(/128)), a larger range, or a prefix list, which is one route for many addresses.
  - If EC2 throttles calls, they are sent again at the rate that EC2 accepts. If it does not answer, the module reads
    the result first, and sends the call again only while nothing has changed; without any answer three times at most.
  - Needs the rights C(ec2:DescribeNetworkInterfaces), and for each kind C(ec2:DescribeAddresses) and
    C(ec2:AssociateAddress); C(ec2:AssignPrivateIpAddresses), and for prefixes C(ec2:UnassignPrivateIpAddresses), for
    IPv6 addresses C(ec2:AssignIpv6Addresses) and C(ec2:UnassignIpv6Addresses); C(ec2:DescribeRouteTables),
    C(ec2:ReplaceRoute) and C(ec2:CreateRoute).
options:
  moves:
    description:
      - What to move, and where to.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description:
          - The kind of thing. Each kind takes its own options, besides those that name the target.
        type: str
        choices: [elastic_ip, private_ip, route]
        required: true
      elastic_ip:
        description:
          - The public address or the allocation id (C(eipalloc-...)) of an Elastic IP of this account and region.
          - Required with O(moves[].kind=elastic_ip).
        type: str
      private_ip_address:
        description:
          - With O(moves[].kind=private_ip), required. A secondary private IPv4 address, an IPv6 address, or a prefix
            (an IPv4 range of C(/28)) to move.
          - With O(moves[].kind=elastic_ip), the private address of the target interface. Default is its primary one.
        type: str
      destination:
        description:
          - An IPv4 or IPv6 range as the route tables have it, or the id of a prefix list (C(pl-...)).
          - Required with O(moves[].kind=route).
        type: str
      route_table_ids:
        description:
          - The route tables in which to move the route. One of this and O(moves[].route_table_tags) is required with
            O(moves[].kind=route).
        type: list
        elements: str
      route_table_tags:
        description:
          - Tags, all of which the route tables have.
        type: dict
      role_arn:
        description:
          - The role to assume for reading and changing the route tables, if they belong to another account, as those
            of a shared VPC do. By default no role is assumed.
        type: str
      network_interface_id:
        description:
          - The target interface. Exactly one of this and O(moves[].instance_id) is required.
        type: str
      instance_id:
        description:
          - The instance whose interface at O(moves[].device_index) is the target.
        type: str
      device_index:
        description:
          - Which interface of the instance; on a VPX, 0 is management, 1 is client, 2 is server.
        type: int
        default: 1
  expected_owners:
    description:
      - The interfaces (C(eni-...)) from which things may be moved. If any of them is at another interface, nothing is
        moved and the message names that interface.
      - What has no holder, is already at its target, or is a route to an interface that does not exist any more, is
        always allowed.
      - With an empty list nothing may be moved from another interface. Without this option every interface is allowed.
    type: list
    elements: str
  displace:
    description:
      - Whether to disassociate another Elastic IP that is at the target, and to take a route that leads to something
        else than an interface, such as a gateway. Both are refused otherwise.
    type: bool
    default: false
  verify:
    description:
      - Whether to read the result from AWS after the moves.
    type: bool
    default: true
  verify_timeout:
    description:
      - Seconds to wait for the result before the task fails, counted from the last call that EC2 accepted.
    type: float
    default: 30
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_aws
author:
  - The cloudadc.aws contributors (@cloudadc)
notes:
  - The source/destination check of the target interface must be off for kind V(route); the module refuses the move if
    it is on. Option O(cloudadc.aws.vpx_instance#module:interfaces[].source_dest_check) turns it off.
seealso:
  - module: cloudadc.aws.eip_failover
"""

EXAMPLES = r"""
- name: Move everything of a pair to the second node, if the first one has it
  cloudadc.aws.vpx_address_failover:
    moves:
      - kind: elastic_ip
        elastic_ip: 203.0.113.10
        instance_id: i-0123456789abcdef0
      - kind: private_ip
        private_ip_address: 10.0.11.50
        instance_id: i-0123456789abcdef0
        device_index: 1
      - kind: private_ip
        private_ip_address: 10.0.21.50
        instance_id: i-0123456789abcdef0
        device_index: 2
      - kind: route
        destination: 10.99.0.10/32
        route_table_tags:
          vips: web
        instance_id: i-0123456789abcdef0
    expected_owners:
      - eni-0aaaaaaaaaaaaaaaa
      - eni-0bbbbbbbbbbbbbbbb

- name: Move a route in the tables of a shared VPC
  cloudadc.aws.vpx_address_failover:
    moves:
      - kind: route
        destination: 10.99.0.10/32
        route_table_ids:
          - rtb-0aaaaaaaaaaaaaaaa
          - rtb-0bbbbbbbbbbbbbbbb
        role_arn: arn:aws:iam::111122223333:role/change-routes
        network_interface_id: eni-0cccccccccccccccc
"""

RETURN = r"""
moves:
  description: >-
    One entry for each thing: an address, or a route in one route table. Those of a kind stand together, in the order of
    O(moves).
  returned: always, unless nothing was written because the task was refused
  type: list
  elements: dict
  contains:
    kind:
      description: The kind of thing.
      type: str
      sample: route
    elastic_ip:
      description: The public address.
      returned: with kind V(elastic_ip)
      type: str
      sample: 203.0.113.10
    allocation_id:
      description: Its allocation.
      returned: with kind V(elastic_ip)
      type: str
      sample: eipalloc-0aaaaaaaaaaaaaaaa
    private_ip_address:
      description: The private address, or the prefix.
      returned: with kind V(private_ip)
      type: str
      sample: 10.0.11.50
    public_ip:
      description: The Elastic IP on the private address, which moves with it; null without one.
      returned: with kind V(private_ip)
      type: str
      sample: 203.0.113.11
    destination:
      description: The destination.
      returned: with kind V(route)
      type: str
      sample: 10.99.0.10/32
    route_table_id:
      description: The route table.
      returned: with kind V(route)
      type: str
      sample: rtb-0aaaaaaaaaaaaaaaa
    before:
      description: Where it was when the task began; its values are null without a holder.
      type: dict
      contains:
        network_interface_id:
          description: The interface; null also for a route that led to something else.
          type: str
          sample: eni-0aaaaaaaaaaaaaaaa
        private_ip_address:
          description: The private address of the interface.
          returned: with kind V(elastic_ip)
          type: str
          sample: 10.0.2.10
        target:
          description: What the route led to, an interface or something else.
          returned: with kind V(route)
          type: str
          sample: eni-0aaaaaaaaaaaaaaaa
    after:
      description: Where it is now, as read back; in check mode and with O(verify=false), the desired holder.
      type: dict
      sample: {"network_interface_id": "eni-0bbbbbbbbbbbbbbbb", "target": "eni-0bbbbbbbbbbbbbbbb"}
    changed:
      description: Whether this task moved it.
      type: bool
duration_ms:
  description: Duration of the module in milliseconds.
  returned: always
  type: int
  sample: 412
"""

from typing import Any

from ..module_utils.attachments import failover
from ..module_utils.attachments.registry import REGISTRY


def suboptions() -> dict[str, Any]:
    """Return the options of all kinds; which of them an entry takes depends on its kind."""
    found: dict[str, Any] = {"kind": {"type": "str", "choices": list(REGISTRY), "required": True}}
    for entry in REGISTRY.values():
        for name, option in entry.options.items():
            found[name] = {key: value for key, value in option.items() if key != "required"}
    return found


def argument_spec() -> dict[str, Any]:
    required = [
        ["kind", entry.kind, [name for name, option in entry.options.items() if option.get("required")]]
        for entry in REGISTRY.values()
    ]
    return {
        "moves": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": suboptions(),
            "required_if": required,
            "mutually_exclusive": [
                ["network_interface_id", "instance_id"],
                ["route_table_ids", "route_table_tags"],
            ],
            "required_one_of": [["network_interface_id", "instance_id"]],
        },
        **{name: dict(option) for name, option in failover.OPTIONS.items()},
    }


def main() -> None:
    failover.run(argument_spec(), lambda params: params["moves"])


if __name__ == "__main__":
    main()
