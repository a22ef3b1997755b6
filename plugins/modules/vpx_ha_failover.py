#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_ha_failover
version_added: 0.1.0
short_description: Hand the primary role of a VPX pair to the other node, with its Elastic IPs
description:
  - Forces a failover at the node that is primary and waits until the other one says that it is.
  - Elastic IPs given in O(moves) are moved in the same moment. Everything that can be known before is read before, so
    that clients wait only for the switch itself and for one C(AssociateAddress).
  - If the other node is primary already, no failover is forced; Elastic IPs that are not where O(moves) wants them
    are moved.
  - Nothing is saved, because a failover changes no configuration.
  - Calls. On each node a login, C(hanode) and a logout; one C(hafailover) on the primary; C(hanode) on the other node
    until it is primary; with O(moves) one C(DescribeAddresses) before, one C(AssociateAddress) per Elastic IP, all at
    once, and one C(DescribeAddresses) per look at the result.
options:
  peer:
    description:
      - NSIP of the node that shall become primary, with C(:port) where it is not the protocol's own.
    type: str
    required: true
  timeout:
    description:
      - Seconds within which O(peer) must have become primary.
    type: float
    default: 30
  moves:
    description:
      - Elastic IPs that go with the primary role, and where each shall sit. Needs the rights
        C(ec2:DescribeAddresses) and C(ec2:AssociateAddress).
    type: list
    elements: dict
    default: []
    suboptions:
      elastic_ip:
        description:
          - The public address or the allocation id (C(eipalloc-...)) of an Elastic IP of this account and region.
        type: str
        required: true
      network_interface_id:
        description:
          - The interface of O(peer) that shall hold it.
        type: str
        required: true
      private_ip_address:
        description:
          - The private address of the interface that shall hold it.
        type: str
        required: true
  verify_timeout:
    description:
      - Seconds to go on asking AWS until it shows each Elastic IP where it was put.
    type: float
    default: 30
  validate_certs:
    description:
      - Whether the appliances' certificates must verify. Those of AWS always must (O(aws_ca_bundle)).
      - Taken from E(NETSCALER_VALIDATE_CERTS) when not given.
    type: bool
    default: true
extends_documentation_fragment:
  - cloudadc.aws.nitro
  - cloudadc.aws.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: cloudadc.aws.eip_failover
  - module: cloudadc.aws.vpx_ha_info
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Make the second node primary
  cloudadc.aws.vpx_ha_failover:
    nsip: 10.0.1.10
    peer: 10.0.11.10
    nitro_pass: "{{ vault_nsroot_password }}"

- name: Make the second node primary, and let the service address follow at once
  cloudadc.aws.vpx_ha_failover:
    nsip: 10.0.1.10
    peer: 10.0.11.10
    nitro_pass: "{{ vault_nsroot_password }}"
    moves:
      - elastic_ip: 203.0.113.10
        network_interface_id: eni-0bbbbbbbbbbbbbbbb
        private_ip_address: 10.0.12.10
"""

RETURN = r"""
before:
  description: What each of the two nodes was when the task began.
  returned: success
  type: list
  elements: dict
  sample: [{"nsip": "10.0.1.10", "master_state": "Primary"}, {"nsip": "10.0.11.10", "master_state": "Secondary"}]
after:
  description: What each of them is now; in check mode, what it would be.
  returned: success
  type: list
  elements: dict
  sample: [{"nsip": "10.0.1.10", "master_state": "Secondary"}, {"nsip": "10.0.11.10", "master_state": "Primary"}]
moves:
  description: One entry per entry of O(moves), as M(cloudadc.aws.eip_failover) returns them.
  returned: success
  type: list
  elements: dict
switch_ms:
  description:
    - Milliseconds from the moment the failover was forced until AWS showed every Elastic IP where it belongs
      (without O(moves), until the peer was primary). 0 if no failover was forced.
  returned: success
  type: int
  sample: 310
"""

import time
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils.attachments.elastic_ip_changes import Outcome, Permit, carry_out, report
from ..module_utils.attachments.elastic_ip_plan import Move, Wish, plan
from ..module_utils.aws import ec2 as api
from ..module_utils.aws.addresses import parse_addresses
from ..module_utils.aws.client import BRIEF, connect
from ..module_utils.aws.errors import fail
from ..module_utils.core.errors import Failure
from ..module_utils.core.nitro_errors import NitroError
from ..module_utils.core.parallel import both
from ..module_utils.nitro.client import NitroClient
from ..module_utils.nitro.module import client_from, nitro_argument_spec, require_requests
from ..module_utils.nitro.module import fail as fail_nitro
from ..module_utils.reconcile.switchover import Node, due, hand_over, look, still_primary, swapped, went_back


def argument_spec() -> dict[str, Any]:
    target = {"type": "str", "required": True}
    return {
        **nitro_argument_spec(),
        "peer": {"type": "str", "required": True},
        "timeout": {"type": "float", "default": 30},
        "moves": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"elastic_ip": target, "network_interface_id": target, "private_ip_address": target},
        },
        "verify_timeout": {"type": "float", "default": 30},
    }


class Addresses:
    """The Elastic IPs of the task: planned before the switch, moved in it, looked at after it."""

    def __init__(self, module: Any) -> None:
        self._options = module.params["moves"]
        self._client = (
            connect(module, "ec2", read_timeout=BRIEF, attempts=1, verify=module.params["aws_ca_bundle"] or True)
            if self._options
            else None
        )
        self.moves: list[Move] = []
        self.outcomes: list[Outcome] = []

    def plan(self) -> None:
        if self._options:
            wishes = [Wish.from_option({"instance_id": None, "device_index": 1, **o}) for o in self._options]
            self.moves = plan(wishes, parse_addresses(api.describe_addresses(self._client)), [], None)

    def move(self, verify_timeout: float, permit: Permit) -> None:
        """Returns when AWS shows them where they belong, or after ``verify_timeout`` seconds.

        ``permit`` is asked before a call that was not answered is repeated.
        """
        self.outcomes = carry_out(
            self.moves,
            associate=lambda move: api.associate_address_once(
                self._client,
                move.address.allocation_id,
                move.after.network_interface_id,
                move.after.private_ip_address,
            ),
            read=lambda ids: parse_addresses(api.describe_addresses(self._client, {"allocation-id": ids})),
            verify_timeout=verify_timeout,
            permit=permit,
        )

    def results(self) -> list[dict[str, Any]]:
        """Where each one is now; before anything was written, where it will be."""
        written = {outcome.move.address.allocation_id: outcome for outcome in self.outcomes}
        entries = []
        for move in self.moves:
            outcome = written.get(move.address.allocation_id)
            now, changed = (outcome.now, outcome.written) if outcome else (move.after, move.changed)
            entries.append(move.result(now, changed))
        return entries


def read(this: NitroClient, other: NitroClient, addresses: Addresses) -> tuple[Node, Node]:
    """Everything that can be known before clients have to wait, side by side."""
    nodes, _planned = both(lambda: both(lambda: look(this), lambda: look(other)), addresses.plan)
    return nodes


def switch(params: dict[str, Any], this: NitroClient, other: NitroClient, forced: bool, addresses: Addresses) -> int:
    """Nothing in here but what must be: clients wait. Milliseconds it took; 0 if no failover was forced."""
    started = time.monotonic()
    if forced:
        hand_over(this, other, params["timeout"])
    addresses.move(params["verify_timeout"], still_primary(other))
    return round((time.monotonic() - started) * 1000) if forced else 0


def difference(result: dict[str, Any]) -> dict[str, Any]:
    return {
        side: {
            "nodes": {node["nsip"]: node["master_state"] for node in result[side]},
            "elastic_ips": {entry["elastic_ip"]: entry[side] for entry in result["moves"]},
        }
        for side in ("before", "after")
    }


def run(module: Any, this: NitroClient, other: NitroClient) -> tuple[dict[str, Any], str | None]:
    """The result, and the sentence with which to fail if an Elastic IP is not where wanted."""
    addresses = Addresses(module)
    before = read(this, other, addresses)
    forced = due(*before)
    after, switch_ms = swapped(before) if forced else before, 0
    if not module.check_mode:
        switch_ms = switch(module.params, this, other, forced, addresses)
        after = both(lambda: look(this), lambda: look(other)) if forced else before
    entries = addresses.results()
    result: dict[str, Any] = {
        "changed": forced or any(entry["changed"] for entry in entries),
        "before": [node.result() for node in before],
        "after": [node.result() for node in after],
        "moves": entries,
        "switch_ms": switch_ms,
    }
    trouble = report(addresses.outcomes) or (went_back(after) if forced else None)
    return {**result, "diff": difference(result)}, trouble


def main() -> None:
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    require_requests(module)
    try:
        with client_from(module.params) as this, client_from(module.params, nsip=module.params["peer"]) as other:
            result, trouble = run(module, this, other)
    except NitroError as error:
        trouble_nitro = error
    except Failure as error:
        fail(module, error)
    else:
        if trouble:
            module.fail_json(msg=f"{module.params['peer']} became primary, but {trouble}", **result)
        module.exit_json(**result)
    fail_nitro(module, trouble_nitro)


if __name__ == "__main__":
    main()
