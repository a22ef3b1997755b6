#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_ha_reconcile
version_added: 0.1.0
short_description: Move the Elastic IPs of a VPX pair to its primary
description:
  - Queries both nodes of a pair and moves every Elastic IP of the pair to the client interface of the primary. It
    repairs cases that the appliances do not handle, for example after a loss, a rebuild or with missing rights.
  - It combines M(cloudadc.aws.vpx_ha_info) and M(cloudadc.aws.eip_failover) in one process, to restore service quickly.
  - Unless exactly one node is primary nothing is changed, and the message has the role that each node reports. The
    other node may be stopped, terminated or rebuilt.
  - An Elastic IP is moved from a node that EC2 shows running only if that node reports that it is not primary, if the
    primary reports it as Secondary, or if it has not answered - for the pair's dead interval (3 seconds) and at least
    three queries - and the primary reports it DOWN. An undecidable state is refused with the reports of each node, and
    nothing is changed; so is a split brain in which a node answers late, wherever the addresses are.
  - A primary without a peer does not count while another node of the pair is running (O(accept_standalone)).
  - It fails where the pair has neither an Elastic IP nor another VIP, or has one on an interface that is not of the
    pair (O(expected_owners)).
  - Private addresses and routes follow the primary, too, as tags C(cloudadc:vip:<name>) of the instances name them, by
    the same rules (M(cloudadc.aws.vpx_address_failover)).
  - After a call without an answer, and after every write, the state is read and judged again. If the roles have changed
    meanwhile, it plans again, three times at most.
  - Calls. C(DescribeInstances) and C(DescribeAddresses) side by side; on each node a login, C(hanode) about ten times a
    second, four parallel reads for its served addresses, and a logout; one C(AssociateAddress) per Elastic
    IP that moves, all at once; one C(DescribeAddresses) per read of the result. Nothing is written if the placement is
    as desired.
  - Needs the rights C(ec2:DescribeInstances), C(ec2:DescribeAddresses) and C(ec2:AssociateAddress). Other VIPs need
    C(ec2:DescribeNetworkInterfaces), private addresses C(ec2:AssignPrivateIpAddresses) or, of IPv6,
    C(ec2:UnassignIpv6Addresses) and C(ec2:AssignIpv6Addresses), and routes C(ec2:DescribeRouteTables),
    C(ec2:ReplaceRoute) and C(ec2:CreateRoute).
options:
  accept_standalone:
    description:
      - Whether a primary that has no peer counts while another node of the pair is running. Such a node was removed
        from its pair, for example for an upgrade, and the other one may serve, too.
      - Set it only if you know that the other node serves no clients.
    type: bool
    default: false
    version_added: 0.2.0
  expected_owners:
    description:
      - Network interfaces of other instances from which an Elastic IP of the pair may be moved.
      - An interface without an instance is always allowed.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  evidence:
    description:
      - Silence of nodes that an event source has observed, as events of C(cloudadc.aws.ha_watch) carry it, so that the
        dead interval does not have to pass once more.
      - It counts for 10 seconds, and only for a node that does not answer this module either.
    type: dict
    version_added: 0.2.0
    suboptions:
      at:
        description: When it was observed, in seconds since the epoch.
        type: float
        required: true
      nodes:
        description: The silent nodes.
        type: list
        elements: dict
        required: true
        suboptions:
          nsip:
            description: The NSIP of the node.
            type: str
            required: true
          silent_seconds:
            description: For how long it had not answered.
            type: float
            required: true
          tries:
            description: How many questions it had not answered.
            type: int
            required: true
  probe_timeout:
    description:
      - Seconds after which a node that has not answered counts as silent.
      - Before an Elastic IP is moved from it, it must be silent for the pair's dead interval.
    type: float
    default: 1.0
  settle_timeout:
    description:
      - Seconds to wait for exactly one primary, for example during the dead interval of the other node.
    type: float
    default: 10
  guard:
    description:
      - Whether to refuse a move to an address at which no virtual server of the primary answers, by itself or through
        its IPSet. Traffic to it would be lost.
    type: bool
    default: true
  verify_timeout:
    description:
      - Seconds to wait until AWS shows each Elastic IP at its new place.
    type: float
    default: 30
extends_documentation_fragment:
  - cloudadc.aws.pair
  - cloudadc.aws.nitro.session_and_aws
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_aws_and_nitro
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
notes:
  - O(save_config) has no meaning here, as nothing is written to an appliance. It is accepted so that it can stand in
    C(module_defaults).
seealso:
  - module: cloudadc.aws.eip_failover
  - module: cloudadc.aws.vpx_ha_failover
  - module: cloudadc.aws.vpx_ha_info
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Move the Elastic IPs of the pair to its primary
  cloudadc.aws.vpx_ha_reconcile:
    group: shop
    nitro_pass: "{{ vault_nsroot_password }}"
"""

RETURN = r"""
primary:
  description: The primary.
  returned: success
  type: dict
  sample: {"node_id": 1, "instance_id": "i-0123456789abcdef0", "nsip": "10.0.11.10"}
verdict:
  description: The primary, and the role that each node reports.
  returned: success
  type: str
  sample: >-
    node 1 is primary: node 0 (10.0.1.10) does not answer (10.0.1.10:443: no answer within 1 s);
    node 1 (10.0.11.10) says Primary
moves:
  description: One entry per address or route, with its C(kind), as M(cloudadc.aws.vpx_address_failover) returns them.
  returned: success
  type: list
  elements: dict
duration_ms:
  description: Milliseconds from the start of the module to its end.
  returned: success
  type: int
  sample: 1480
"""

import time
from typing import Any

from ..module_utils.aws.accounts import connect_accounts
from ..module_utils.aws.client import BRIEF, connect
from ..module_utils.aws.module import run
from ..module_utils.nitro.module import nitro_argument_spec, probe_from, require_requests, require_usable
from ..module_utils.reconcile.pair_associations import tagged
from ..module_utils.reconcile.pair_evidence import handed_over
from ..module_utils.reconcile.pair_move import MoveRequest, put_on_primary
from ..module_utils.reconcile.pair_options import pair_argument_spec
from ..module_utils.reconcile.pins import learn_pins


def argument_spec() -> dict[str, Any]:
    return {
        **nitro_argument_spec(nsip=False),
        **pair_argument_spec(),
        "accept_standalone": {"type": "bool", "default": False},
        "expected_owners": {"type": "list", "elements": "str", "default": []},
        "evidence": {
            "type": "dict",
            "options": {
                "at": {"type": "float", "required": True},
                "nodes": {
                    "type": "list",
                    "elements": "dict",
                    "required": True,
                    "options": {
                        "nsip": {"type": "str", "required": True},
                        "silent_seconds": {"type": "float", "required": True},
                        "tries": {"type": "int", "required": True},
                    },
                },
            },
        },
        "guard": {"type": "bool", "default": True},
        "verify_timeout": {"type": "float", "default": 30},
    }


def request_of(module: Any) -> MoveRequest:
    """Return the request that the options make; silence that was handed over too late is reported and left out."""
    params = module.params
    silences, stale = handed_over(params["evidence"], time.time())
    if stale:
        module.warn(f"{params['group']}: {stale}")
    return MoveRequest(
        group=params["group"],
        elastic_ips=tuple(params["elastic_ips"]) if params["elastic_ips"] else None,
        nitro_port=params["nitro_port"],
        accept_standalone=params["accept_standalone"],
        expected_owners=tuple(params["expected_owners"]),
        guard=params["guard"],
        probe_timeout=params["probe_timeout"],
        answer_timeout=params["nitro_timeout"],
        settle_timeout=params["settle_timeout"],
        verify_timeout=params["verify_timeout"],
        silences=silences,
        learn=lambda nodes: learn_pins(params, tagged(nodes)),
    )


def work(module: Any, started: float) -> dict[str, Any]:
    """Return the result; with ``msg`` if an Elastic IP is not where it belongs. Raises Failure.

    ``started``: on the monotonic clock, in seconds.
    """
    require_requests(module)
    params = module.params
    require_usable(params)
    # validate_certs is about the appliances here; AWS's certificates are always validated.
    options = {"read_timeout": BRIEF, "attempts": 1, "verify": params["aws_ca_bundle"] or True}
    result, trouble = put_on_primary(
        connect_accounts(module, connect(module, "ec2", **options), **options),
        request_of(module),
        lambda endpoint: probe_from(params, endpoint, params["probe_timeout"]),
        check=module.check_mode,
    )
    result["duration_ms"] = round((time.monotonic() - started) * 1000)
    return {**result, "msg": trouble} if trouble else result


def main() -> None:
    started = time.monotonic()
    run(argument_spec(), lambda module: work(module, started))


if __name__ == "__main__":
    main()
