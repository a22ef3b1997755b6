#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: eip_failover
version_added: 0.1.0
short_description: Move Elastic IPs to interfaces and private addresses, all at once, and verify
description:
  - Makes it true that each Elastic IP sits on the given network interface B(and) the given private address of it.
    The identity of an association is the triple of allocation, interface and private address, so an Elastic IP on the
    right interface but the wrong private address is moved too.
  - Each Elastic IP that moves costs one C(AssociateAddress), which takes it from its present holder in one atomic step;
    there is no disassociation first and hence no moment without a holder. All of them are sent at once, then
    AWS is asked until it agrees.
  - Calls. One C(DescribeAddresses); beside it one C(DescribeNetworkInterfaces) if an instance or a default private
    address has to be resolved; one C(AssociateAddress) per Elastic IP that moves; one C(DescribeAddresses) per look at
    the result. Nothing is written when everything is true already.
  - C(AssociateAddress) has five seconds and is not repeated blindly. Where AWS puts it off or does not answer, the
    module looks first, and sends it again only while nothing has changed; without any answer three times at most. After
    a call without an answer it looks once more when that one can have arrived (20 seconds), O(verify) or not.
  - Needs the rights C(ec2:DescribeAddresses), C(ec2:DescribeNetworkInterfaces) and C(ec2:AssociateAddress).
options:
  moves:
    description:
      - The Elastic IPs and where each shall sit.
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
          - The interface that shall hold it. Exactly one of this and O(moves[].instance_id) is required.
        type: str
      instance_id:
        description:
          - The instance whose interface at O(moves[].device_index) shall hold it.
        type: str
      device_index:
        description:
          - Which interface of the instance; on a VPX, 0 is management, 1 is client, 2 is server.
        type: int
        default: 1
      private_ip_address:
        description:
          - The private address of the interface that shall hold it.
          - Default is the primary private address of the interface.
        type: str
  expected_owners:
    description:
      - The interfaces (C(eni-...)) from which an Elastic IP may be taken. If any of them is held by another one,
        nothing at all is moved and the message names the holder.
      - An Elastic IP that is associated with nothing, or with the target interface already, is taken from nobody.
      - An empty list means that nothing may be taken from any other interface. Without this option every holder
        will do.
    type: list
    elements: str
  displace:
    description:
      - A private address holds one Elastic IP. If the target holds another one that this task does not move away, AWS
        would drop that one silently; the module refuses to, unless this is V(true).
    type: bool
    default: false
  verify:
    description:
      - Whether to ask AWS, after the moves, until it shows what was asked for. Two writers that move the same address
        at the same time both get a success from AWS; only a look afterwards tells who prevailed.
    type: bool
    default: true
  verify_timeout:
    description:
      - How long to go on looking before the task fails, in seconds.
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
"""

EXAMPLES = r"""
- name: Put the service address on the client interface of the second node
  cloudadc.aws.eip_failover:
    moves:
      - elastic_ip: 203.0.113.10
        instance_id: i-0123456789abcdef0

- name: Move two addresses at once, each to a private address of its own, and only if the first node has them
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
  description: One entry per entry of O(moves), in their order.
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
      description: Where it sat when the task began; both values are null if it was associated with nothing.
      type: dict
      sample: {"network_interface_id": "eni-0dddddddddddddddd", "private_ip_address": "10.0.2.10"}
    after:
      description: Where it sits now, as read back; in check mode and with O(verify=false), where it will sit.
      type: dict
      sample: {"network_interface_id": "eni-0bbbbbbbbbbbbbbbb", "private_ip_address": "10.0.12.10"}
    changed:
      description: Whether this task moved it.
      type: bool
duration_ms:
  description: How long it took from the start of the module to its end, in milliseconds.
  returned: always
  type: int
  sample: 412
"""

import time
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils.attachments.elastic_ip_changes import Outcome, carry_out, report
from ..module_utils.attachments.elastic_ip_plan import AssociationChange, MoveRequest, lookup, plan
from ..module_utils.aws import ec2 as api
from ..module_utils.aws.addresses import Address, Interface, parse_addresses, parse_interfaces
from ..module_utils.aws.client import BRIEF, Client, connect
from ..module_utils.aws.errors import fail
from ..module_utils.core.errors import Failure
from ..module_utils.core.parallel import both


def argument_spec() -> dict[str, Any]:
    return {
        "moves": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "elastic_ip": {"type": "str", "required": True},
                "network_interface_id": {"type": "str"},
                "instance_id": {"type": "str"},
                "device_index": {"type": "int", "default": 1},
                "private_ip_address": {"type": "str"},
            },
            "mutually_exclusive": [["network_interface_id", "instance_id"]],
            "required_one_of": [["network_interface_id", "instance_id"]],
        },
        "expected_owners": {"type": "list", "elements": "str"},
        "displace": {"type": "bool", "default": False},
        "verify": {"type": "bool", "default": True},
        "verify_timeout": {"type": "float", "default": 30},
    }


def read(client: Client, requests: list[MoveRequest]) -> tuple[list[Address], list[Interface]]:
    """All Elastic IPs and, beside them, the interfaces that have to be resolved: one round trip."""
    filters = lookup(requests)
    if filters is None:
        return parse_addresses(api.describe_addresses(client)), []
    addresses, interfaces = both(
        lambda: api.describe_addresses(client), lambda: api.describe_network_interfaces(client, filters)
    )
    return parse_addresses(addresses), parse_interfaces(interfaces)


def write(client: Client, moves: list[AssociationChange], verify_timeout: float | None) -> list[Outcome]:
    """Carry out the plan and look at the result."""
    return carry_out(
        moves,
        associate=lambda move: api.associate_address_once(
            client, move.address.allocation_id, move.after.network_interface_id, move.after.private_ip_address
        ),
        read=lambda ids: parse_addresses(api.describe_addresses(client, {"allocation-id": ids})),
        verify_timeout=verify_timeout,
    )


def results(moves: list[AssociationChange], outcomes: list[Outcome] | None) -> list[dict[str, Any]]:
    """The result's entries: what became of each move, or (no outcomes: check mode) what would."""
    if outcomes is None:
        return [move.result(move.after, move.changed) for move in moves]
    by_id = {outcome.move.address.allocation_id: outcome for outcome in outcomes}
    entries = []
    for move in moves:
        outcome = by_id.get(move.address.allocation_id)
        entries.append(move.result(outcome.now, outcome.written) if outcome else move.result(move.before, False))
    return entries


def difference(moves: list[dict[str, Any]]) -> dict[str, Any]:
    return {side: {move["elastic_ip"]: move[side] for move in moves} for side in ("before", "after")}


def run(module: Any) -> tuple[dict[str, Any], str | None]:
    """Read, plan, write, look. The result, and the sentence with which to fail if an address is not where wanted."""
    params = module.params
    requests = [MoveRequest.from_option(option) for option in params["moves"]]
    client = connect(module, "ec2", read_timeout=BRIEF, attempts=1)
    addresses, interfaces = read(client, requests)
    moves = plan(requests, addresses, interfaces, params["expected_owners"], params["displace"])
    outcomes = None
    if not module.check_mode:
        outcomes = write(client, moves, params["verify_timeout"] if params["verify"] else None)
    entries = results(moves, outcomes)
    result = {"changed": any(entry["changed"] for entry in entries), "moves": entries, "diff": difference(entries)}
    return result, report(outcomes or [])


def main() -> None:
    started = time.monotonic()
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)

    def elapsed() -> int:
        return round((time.monotonic() - started) * 1000)

    try:
        result, trouble = run(module)
    except Failure as error:
        failure = error
    else:
        if trouble:
            module.fail_json(msg=trouble, duration_ms=elapsed(), **result)
        module.exit_json(duration_ms=elapsed(), **result)
    # Outside of the except block, so that no traceback is attached to the result.
    fail(module, failure, duration_ms=elapsed())


if __name__ == "__main__":
    main()
