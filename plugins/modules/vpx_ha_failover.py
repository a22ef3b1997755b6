#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_ha_failover
version_added: 0.1.0
short_description: Switch the primary role of a VPX pair to the other node, with its Elastic IPs
description:
  - Forces a failover at the primary and waits until the other node reports Primary.
  - With O(group) it does a complete planned failover in one process. It reads the pair, refuses unless one
    node is primary, the other is secondary and both are in sync, forces the failover, and moves the Elastic IPs of the
    pair. An interrupted failover (an Elastic IP is still on the secondary) is completed.
  - With O(peer) it does so for the two named nodes, and moves the Elastic IPs in O(moves). If O(peer) is
    primary already, no failover is forced; Elastic IPs that are not at the place given in O(moves) are moved.
  - With O(group) private addresses and routes follow the primary, too, as tags C(cloudadc:vip:<name>) of the instances
    name them; they are moved at the same time, by the same rules (M(cloudadc.aws.vpx_address_failover)).
  - All reads come before the switchover, so that clients wait only for the switchover and one C(AssociateAddress).
  - Nothing is saved, because a failover changes no configuration.
  - Calls. On each node a login, C(hanode) and a logout; one C(hafailover) on the primary; C(hanode) on the other node
    until it is primary; with Elastic IPs one C(DescribeAddresses) before, one C(AssociateAddress) per Elastic IP, all
    at once, and one C(DescribeAddresses) per read of the result. With O(group) before that one C(DescribeInstances),
    and on each node a second session with C(hanode) and the four reads of its served addresses.
  - With O(group) it needs the rights C(ec2:DescribeInstances), C(ec2:DescribeAddresses) and C(ec2:AssociateAddress).
    Other VIPs need C(ec2:DescribeNetworkInterfaces), private addresses C(ec2:AssignPrivateIpAddresses) or, of IPv6,
    C(ec2:UnassignIpv6Addresses) and C(ec2:AssignIpv6Addresses), and routes C(ec2:DescribeRouteTables),
    C(ec2:ReplaceRoute) and C(ec2:CreateRoute).
options:
  nsip:
    description:
      - With O(peer), the node that is primary, with C(:port) if it is not the default of the protocol.
        An IPv6 address with a port is written in brackets.
      - Taken from E(NETSCALER_NSIP) when not given. Not used with O(group).
    type: str
  peer:
    description:
      - NSIP of the new primary, with C(:port) if it is not the default of the protocol.
      - Either it or O(group) is needed.
    type: str
  group:
    description:
      - The pair, the value of the tag C(cloudadc:group) of its instances.
    type: str
    version_added: 0.2.0
  elastic_ips:
    description:
      - With O(group), the Elastic IPs of the pair, as public addresses or allocation ids.
      - By default those that are tagged with O(group) and C(cloudadc:role=client).
    type: list
    elements: str
    version_added: 0.2.0
  to:
    description:
      - With O(group), the node id of the new primary; nothing is written if it is primary already.
      - V(-1) is the present secondary.
    type: int
    default: -1
    version_added: 0.2.0
  ignore_guard:
    description:
      - With O(group), move an Elastic IP even if no virtual server of the new primary answers at the address to which
        it would go, neither itself nor through its IPSet. Traffic would be lost there.
    type: bool
    default: false
    version_added: 0.2.0
  nitro_port:
    description:
      - With O(group), the port at which the appliances answer. By default that of O(nitro_protocol).
    type: int
    version_added: 0.2.0
  probe_timeout:
    description:
      - With O(group), seconds to wait for a login on a node, and again for its HA state.
    type: float
    default: 1.0
    version_added: 0.2.0
  settle_timeout:
    description:
      - With O(group), seconds to wait for exactly one primary.
    type: float
    default: 10
    version_added: 0.2.0
  timeout:
    description:
      - Seconds within which the other node must have become primary.
    type: float
    default: 30
  moves:
    description:
      - With O(peer), Elastic IPs that follow the primary role, and their associations. Needs the rights
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
          - The target interface of O(peer).
        type: str
        required: true
      private_ip_address:
        description:
          - The private address of the target interface.
        type: str
        required: true
  verify_timeout:
    description:
      - Seconds to wait until AWS shows each Elastic IP at its new place.
    type: float
    default: 30
extends_documentation_fragment:
  - cloudadc.aws.nitro.session_and_aws
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_aws_and_nitro
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: cloudadc.aws.eip_failover
  - module: cloudadc.aws.vpx_ha_info
  - module: cloudadc.aws.vpx_ha_reconcile
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Fail over a pair, with its Elastic IPs
  cloudadc.aws.vpx_ha_failover:
    group: shop
    nitro_pass: "{{ vault_nsroot_password }}"

- name: Make the second node primary
  cloudadc.aws.vpx_ha_failover:
    nsip: 10.0.1.10
    peer: 10.0.11.10
    nitro_pass: "{{ vault_nsroot_password }}"

- name: Make the second node primary, and move the service address with it
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
  description: The roles of the two nodes when the task began.
  returned: success
  type: list
  elements: dict
  sample: [{"nsip": "10.0.1.10", "master_state": "Primary"}, {"nsip": "10.0.11.10", "master_state": "Secondary"}]
after:
  description: Their roles now; in check mode, the predicted ones.
  returned: success
  type: list
  elements: dict
  sample: [{"nsip": "10.0.1.10", "master_state": "Secondary"}, {"nsip": "10.0.11.10", "master_state": "Primary"}]
primary:
  description: The present primary; in check mode, the predicted one.
  returned: success, with O(group)
  type: dict
  sample: {"node_id": 1, "instance_id": "i-0123456789abcdef0", "nsip": "10.0.11.10"}
verdict:
  description: The primary when the task began, and the role that each node reported.
  returned: success, with O(group)
  type: str
  sample: "node 0 is primary: node 0 (10.0.1.10) says Primary; node 1 (10.0.11.10) says Secondary"
moves:
  description: One entry per address or route, with its C(kind), as M(cloudadc.aws.vpx_address_failover) returns them.
  returned: success
  type: list
  elements: dict
switch_ms:
  description:
    - Milliseconds from the forced failover until AWS showed every Elastic IP on the new primary (without an Elastic IP,
      until the peer was primary). 0 if no failover was forced.
  returned: success
  type: int
  sample: 310
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import env_fallback

from ..module_utils.aws.accounts import connect_accounts
from ..module_utils.aws.client import BRIEF, Client, connect
from ..module_utils.aws.module import run
from ..module_utils.core.errors import Refusal
from ..module_utils.core.parallel import both
from ..module_utils.nitro.client import NitroClient
from ..module_utils.nitro.module import (
    client_from,
    nitro_argument_spec,
    probe_from,
    require_requests,
    require_usable,
)
from ..module_utils.reconcile.pair_associations import tagged
from ..module_utils.reconcile.pair_observation import endpoint, panel, read_pair
from ..module_utils.reconcile.pair_probe import ProbeTimeouts
from ..module_utils.reconcile.pair_vips import PairAttachments, Placement, pick_addresses
from ..module_utils.reconcile.pins import learn_pins
from ..module_utils.reconcile.planned_failover import ANY_NODE, plan_failover
from ..module_utils.reconcile.switch_addresses import SwitchAddresses
from ..module_utils.reconcile.switchover import Node, due, hand_over, observation, still_primary, swapped, went_back
from ..module_utils.spec.vips import ELASTIC_IP, entry_name


def argument_spec() -> dict[str, Any]:
    target = {"type": "str", "required": True}
    return {
        **nitro_argument_spec(nsip=False),
        "nsip": {"type": "str", "fallback": (env_fallback, ["NETSCALER_NSIP"])},
        "peer": {"type": "str"},
        "group": {"type": "str"},
        "elastic_ips": {"type": "list", "elements": "str"},
        "to": {"type": "int", "default": ANY_NODE},
        "ignore_guard": {"type": "bool", "default": False},
        "nitro_port": {"type": "int"},
        "probe_timeout": {"type": "float", "default": 1.0},
        "settle_timeout": {"type": "float", "default": 10},
        "timeout": {"type": "float", "default": 30},
        "moves": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"elastic_ip": target, "network_interface_id": target, "private_ip_address": target},
        },
        "verify_timeout": {"type": "float", "default": 30},
    }


@dataclass(frozen=True, slots=True)
class Task:
    """What to do: ``this`` is primary, ``other`` its peer, each with its port.

    ``stays``: the primary role stays where it is, only addresses move. ``known``: what AWS has, if it was read;
    ``owners``: interfaces of the pair.
    """

    this: str
    other: str
    targets: Sequence[Placement]
    client: Client
    winner: str
    stays: bool = False
    known: PairAttachments | None = None
    owners: Collection[str] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def ec2(module: Any) -> Client:
    """Return the client. ``validate_certs`` is about the appliances; AWS's certificates are always validated."""
    options = {"read_timeout": BRIEF, "attempts": 1, "verify": module.params["aws_ca_bundle"] or True}
    return connect_accounts(module, connect(module, "ec2", **options), **options)


def task_as_given(module: Any) -> Task:
    """Return the task with the two nodes that the options name."""
    params = module.params
    client = ec2(module) if params["moves"] else None
    targets = [Placement(ELASTIC_IP, move, move["private_ip_address"]) for move in params["moves"]]
    return Task(params["nsip"], params["peer"], targets, client, params["peer"])


def task_of_group(module: Any) -> Task:
    """Read the pair and decide. Raises Refusal if it is not fit for a planned failover."""
    params, group, port = module.params, module.params["group"], module.params["nitro_port"]
    require_usable(params)
    client = ec2(module)
    observed = read_pair(client, group)
    nodes = observed.nodes
    learn_pins(params, tagged(nodes))
    addresses = pick_addresses(observed.addresses, params["elastic_ips"], group, nodes, observed.vips)
    own = tuple(address.allocation_id for address in addresses)
    known = PairAttachments(observed.addresses, own, observed.vips, observed.observed)
    timeouts = ProbeTimeouts(params["probe_timeout"], params["nitro_timeout"], params["settle_timeout"])
    with panel(nodes, port, lambda nsip: probe_from(params, nsip, params["probe_timeout"]), timeouts) as asked:
        claims, verdict = asked.decide()
    failover = plan_failover(
        group,
        nodes,
        claims,
        verdict,
        known,
        to=params["to"],
        guard=not params["ignore_guard"],
        expected_owners=observed.interfaces,
    )
    winner = nodes[failover.winner]
    return Task(
        this=endpoint(nodes[failover.primary], port),
        other=endpoint(nodes[failover.secondary], port),
        targets=failover.targets,
        client=client,
        winner=winner.nsip,
        stays=not failover.forced,
        known=known,
        owners=observed.interfaces,
        facts={
            "primary": {"node_id": winner.node_id, "instance_id": winner.instance_id, "nsip": winner.nsip},
            "verdict": verdict.message,
        },
    )


def read(
    task: Task, this: NitroClient, other: NitroClient, addresses: SwitchAddresses
) -> tuple[tuple[Node, Node], bool]:
    """Return both nodes and whether a failover must be forced. Everything that can be read before clients wait."""
    nodes, _planned = both(
        lambda: both(lambda: observation(this), lambda: observation(other)),
        lambda: addresses.plan(task.known, task.owners),
    )
    forced = due(*nodes)
    if task.stays and not forced:
        raise Refusal(f"{task.winner} was primary a moment ago and is not any more; nothing was changed")
    return nodes, forced and not task.stays


def switch(
    params: dict[str, Any],
    this: NitroClient,
    other: NitroClient,
    forced: bool,
    addresses: SwitchAddresses,
    winner: NitroClient,
) -> int:
    """Return the milliseconds it took, 0 if no failover was forced. Clients wait: nothing else belongs in here."""
    started = time.monotonic()
    if forced:
        hand_over(this, other, params["timeout"])
    addresses.move(params["verify_timeout"], still_primary(winner))
    return round((time.monotonic() - started) * 1000) if forced else 0


def difference(result: dict[str, Any]) -> dict[str, Any]:
    return {
        side: {
            "nodes": {node["nsip"]: node["master_state"] for node in result[side]},
            "elastic_ips": {entry_name(entry): entry[side] for entry in result["moves"]},
        }
        for side in ("before", "after")
    }


def switched(module: Any, task: Task, this: NitroClient, other: NitroClient) -> dict[str, Any]:
    """Switch and return the result; with ``msg`` if an Elastic IP is not where desired."""
    addresses = SwitchAddresses(task.client, task.targets)
    before, forced = read(task, this, other, addresses)
    after, switch_ms = swapped(before) if forced else before, 0
    if not module.check_mode:
        switch_ms = switch(module.params, this, other, forced, addresses, this if task.stays else other)
        after = both(lambda: observation(this), lambda: observation(other)) if forced else before
    entries = addresses.results()
    result: dict[str, Any] = {
        "changed": forced or any(entry["changed"] for entry in entries),
        "before": [node.result() for node in before],
        "after": [node.result() for node in after],
        "moves": entries,
        "switch_ms": switch_ms,
        **task.facts,
    }
    trouble = addresses.trouble() or (went_back(after) if forced else None)
    result["diff"] = difference(result)
    if trouble:
        result["msg"] = f"{task.winner} {'became' if forced else 'is'} primary, but {trouble}"
    return result


def work(module: Any) -> dict[str, Any]:
    """Return the result of the module. Raises Failure."""
    require_requests(module)
    params = module.params
    task = task_of_group(module) if params["group"] else task_as_given(module)
    with client_from(params, nsip=task.this) as this, client_from(params, nsip=task.other) as other:
        return switched(module, task, this, other)


def main() -> None:
    run(
        argument_spec(),
        work,
        required_one_of=[["group", "peer"]],
        mutually_exclusive=[["group", "peer"]],
        required_by={"peer": ["nsip"]},
    )


if __name__ == "__main__":
    main()
