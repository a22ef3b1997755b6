#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: eip_failover
version_added: 0.1.0
short_description: Move Elastic IPs to interfaces and private addresses, and verify
description:
  - Associates each Elastic IP with the given network interface B(and) the given private address of it.
    The identity of an association is the triple of allocation, interface and private address, so an Elastic IP on the
    right interface but the wrong private address is moved too.
  - Each move is one C(AssociateAddress), which moves the Elastic IP from its present interface in one atomic step;
    there is no disassociation before and no interval without an association. All calls are sent in parallel, then the
    result is read until AWS shows it.
  - Calls. One C(DescribeAddresses); beside it one C(DescribeNetworkInterfaces) if an instance or a default private
    address has to be resolved; one C(AssociateAddress) per Elastic IP that moves; one C(DescribeAddresses) per read of
    the result. Nothing is written if all associations are as desired.
  - The timeout of C(AssociateAddress) is five seconds. If AWS throttles it or does not answer, the module reads the
    result first, and sends the call again only while nothing has changed; without any answer three times at most. After
    a call without an answer the module reads the result once more after 20 seconds, when a delayed call must have
    arrived, independent of O(verify).
  - Needs the rights C(ec2:DescribeAddresses), C(ec2:DescribeNetworkInterfaces) and C(ec2:AssociateAddress).
options:
  moves:
    description:
      - The Elastic IPs and their desired associations.
    type: list
    elements: dict
    required: true
    suboptions:
      elastic_ip:
        description:
          - The public address or the allocation id (C(eipalloc-...)) of an Elastic IP of this account and region.
        type: str
        required: true
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
      private_ip_address:
        description:
          - The private address of the target interface.
          - Default is the primary private address of the interface.
        type: str
  expected_owners:
    description:
      - The interfaces (C(eni-...)) from which an Elastic IP may be moved. If any of the Elastic IPs is on another
        interface, nothing is moved and the message names that interface.
      - An Elastic IP without an association, or already on the target interface, is always allowed.
      - With an empty list no Elastic IP may be moved from another interface. Without this option every interface is
        allowed.
    type: list
    elements: str
  displace:
    description:
      - A private address can have one Elastic IP. If the target has another one that this task does not move, AWS would
        disassociate it silently; the module refuses that, unless this is V(true).
    type: bool
    default: false
  verify:
    description:
      - Whether to read the result from AWS after the moves. If two writers move the same address at the same time, AWS
        reports success to both; only the result shows the final association.
    type: bool
    default: true
  verify_timeout:
    description:
      - Seconds to wait for the result before the task fails.
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
seealso:
  - module: amazon.aws.ec2_eip
  - module: cloudadc.aws.vpx_address_failover
"""

EXAMPLES = r"""
- name: Move the service address to the client interface of the second node
  cloudadc.aws.eip_failover:
    moves:
      - elastic_ip: 203.0.113.10
        instance_id: i-0123456789abcdef0

- name: Move two addresses, each to its own private address, only if the first node has them
  cloudadc.aws.eip_failover:
    moves:
      - elastic_ip: eipalloc-0aaaaaaaaaaaaaaaa
        network_interface_id: eni-0bbbbbbbbbbbbbbbb
        private_ip_address: 10.0.12.10
      - elastic_ip: eipalloc-0cccccccccccccccc
        network_interface_id: eni-0bbbbbbbbbbbbbbbb
        private_ip_address: 10.0.12.11
    expected_owners:
      - eni-0dddddddddddddddd
    verify_timeout: 10
"""

RETURN = r"""
moves:
  description: One entry for each of O(moves), in their order.
  returned: always, unless nothing was written because the task was refused
  type: list
  elements: dict
  contains:
    elastic_ip:
      description: The public address.
      type: str
      sample: 203.0.113.10
    allocation_id:
      description: Its allocation.
      type: str
      sample: eipalloc-0aaaaaaaaaaaaaaaa
    before:
      description: Its association when the task began; both values are null without an association.
      type: dict
      sample: {"network_interface_id": "eni-0dddddddddddddddd", "private_ip_address": "10.0.2.10"}
    after:
      description: Its association now, as read back; in check mode and with O(verify=false), the desired one.
      type: dict
      sample: {"network_interface_id": "eni-0bbbbbbbbbbbbbbbb", "private_ip_address": "10.0.12.10"}
    changed:
      description: Whether this task moved it.
      type: bool
duration_ms:
  description: Duration of the module in milliseconds.
  returned: always
  type: int
  sample: 412
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.attachments import failover
from ..module_utils.attachments.registry import ELASTIC_IP


def argument_spec() -> dict[str, Any]:
    return {
        "moves": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {name: dict(option) for name, option in ELASTIC_IP.options.items()},
            "mutually_exclusive": [["network_interface_id", "instance_id"]],
            "required_one_of": [["network_interface_id", "instance_id"]],
        },
        **{name: dict(option) for name, option in failover.OPTIONS.items()},
    }


def entries(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of ``moves`` with their kind."""
    return [{"kind": ELASTIC_IP.kind, **option} for option in params["moves"]]


def main() -> None:
    failover.run(argument_spec(), entries, with_kind=False)


if __name__ == "__main__":
    main()
