#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_ha_reconcile
version_added: 0.1.0
short_description: Put the Elastic IPs of a VPX pair where its primary is
description:
  - Asks both nodes of a pair who is primary and puts every Elastic IP of the pair on the client interface of that node.
    It repairs what an appliance could not do itself, because it died, was rebuilt, or may not.
  - It does what M(cloudadc.aws.vpx_ha_info) and M(cloudadc.aws.eip_failover) do one after the other, in one process,
    because clients wait meanwhile.
  - Unless exactly one node is primary nothing is touched, and the message says what each node claims. A node that is
    off, gone or rebuilt is no obstacle.
  - An Elastic IP is taken from a node that EC2 shows running only if that node says itself that it is not primary, if
    the primary hears it as Secondary, or if it is silent - over the pair's dead interval (3 seconds) and to at least
    three questions - and the primary says that it is DOWN. What cannot be decided ends in a refusal that says what each
    node says, and nothing is touched.
  - A primary without a peer does not count while another node of the pair is running (O(accept_standalone)).
  - It fails where the pair has no Elastic IP, or has it on an interface that is not of the pair (O(expected_owners)).
  - A call that AWS does not answer is judged again from live readings before it is repeated, and after every write.
    When the roles have changed meanwhile, it plans anew, three times at most.
  - Calls. C(DescribeInstances) and C(DescribeAddresses) side by side; on each node a login, C(hanode) about ten times a
    second, three reads beside each other for the addresses it serves, and a logout; one C(AssociateAddress) per Elastic
    IP that moves, all at once; one C(DescribeAddresses) per look at the result. Nothing is written when everything is
    true already.
  - Needs the rights C(ec2:DescribeInstances), C(ec2:DescribeAddresses) and C(ec2:AssociateAddress).
options:
  group:
    description:
      - The pair, as the tag C(cloudadc:group) of its instances names it.
    type: str
    required: true
  elastic_ips:
    description:
      - The Elastic IPs of the pair, as public addresses or allocation ids.
      - By default those that are tagged with O(group) and C(cloudadc:role=client).
    type: list
    elements: str
  nitro_port:
    description:
      - The port at which the appliances answer. By default that of O(nitro_protocol).
    type: int
  accept_standalone:
    description:
      - Whether a primary that has no peer counts while another node of the pair is running. Such a node was taken out
        of its pair, for example for an upgrade, and the other one serves too.
      - Set it only if you know that the other node serves no clients.
    type: bool
    default: false
    version_added: 0.2.0
  expected_owners:
    description:
      - Network interfaces of other instances from which an Elastic IP of the pair may be taken.
      - From one that is attached to no instance it may be taken anyway.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  probe_timeout:
    description:
      - Seconds after which a node that has not answered counts as silent.
      - If an Elastic IP must be taken from it, it has to be silent for as long as the pair's dead interval.
    type: float
    default: 1.0
  settle_timeout:
    description:
      - Seconds to wait for exactly one primary, for example while a node has not yet found out that its peer is dead.
    type: float
    default: 10
  guard:
    description:
      - Whether to refuse a move to an address at which no virtual server of the primary answers, neither itself nor
        through its IPSet. Traffic would vanish there.
    type: bool
    default: true
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
  - cloudadc.aws.nitro.session
  - cloudadc.aws.attributes
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
- name: Put the Elastic IPs of the pair on its primary
  cloudadc.aws.vpx_ha_reconcile:
    group: shop
    nitro_pass: "{{ vault_nsroot_password }}"
"""

RETURN = r"""
primary:
  description: The node that is primary.
  returned: success
  type: dict
  sample: {"node_id": 1, "instance_id": "i-0123456789abcdef0", "nsip": "10.0.11.10"}
verdict:
  description: A sentence that says who is primary and what each node claims.
  returned: success
  type: str
  sample: >-
    node 1 is primary: node 0 (10.0.1.10) does not answer (10.0.1.10:443: no answer within 1 s);
    node 1 (10.0.11.10) says Primary
moves:
  description: One entry per Elastic IP, as M(cloudadc.aws.eip_failover) returns them.
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
from collections.abc import Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils.attachments.elastic_ip_changes import Outcome
from ..module_utils.attachments.elastic_ip_plan import AssociationChange
from ..module_utils.aws import ec2 as api
from ..module_utils.aws import tags as t
from ..module_utils.aws.addresses import parse_addresses
from ..module_utils.aws.client import BRIEF, Client, connect
from ..module_utils.aws.errors import fail as fail_aws
from ..module_utils.aws.instances import parse_instances
from ..module_utils.core.errors import Failure, Refusal
from ..module_utils.core.nitro_errors import NitroError
from ..module_utils.core.parallel import both
from ..module_utils.nitro.module import connection_from, nitro_argument_spec, probe_from, require_requests
from ..module_utils.nitro.module import fail as fail_nitro
from ..module_utils.reconcile.pair_associations import nodes_of_group
from ..module_utils.reconcile.pair_probe import Panel, ProbeTimeouts, Target
from ..module_utils.reconcile.pair_repair import (
    Pair,
    assess,
    interfaces_of,
    refuse_strangers,
    require_addresses,
)
from ..module_utils.reconcile.pair_writes import Writer, repair


def argument_spec() -> dict[str, Any]:
    return {
        **nitro_argument_spec(nsip=False),
        "group": {"type": "str", "required": True},
        "elastic_ips": {"type": "list", "elements": "str"},
        "nitro_port": {"type": "int"},
        "accept_standalone": {"type": "bool", "default": False},
        "expected_owners": {"type": "list", "elements": "str", "default": []},
        "probe_timeout": {"type": "float", "default": 1.0},
        "settle_timeout": {"type": "float", "default": 10},
        "guard": {"type": "bool", "default": True},
        "verify_timeout": {"type": "float", "default": 30},
    }


def read(client: Client, params: dict[str, Any]) -> Pair:
    """Read the pair from AWS in one round trip. Raises Refusal where its Elastic IPs are not its own to move."""
    addresses, found = both(
        lambda: parse_addresses(api.describe_addresses(client)),
        lambda: parse_instances(api.describe_instances(client, {f"tag:{t.GROUP}": params["group"]})),
    )
    pair = Pair(
        group=params["group"],
        nodes=tuple(nodes_of_group(found, params["group"])),
        addresses=tuple(addresses),
        desired=tuple(params["elastic_ips"]) if params["elastic_ips"] else None,
        interfaces=interfaces_of(found),
        guard=params["guard"],
        accept_standalone=params["accept_standalone"],
    )
    require_addresses(pair)
    refuse_strangers(pair, params["expected_owners"])
    return pair


def panel(params: dict[str, Any], pair: Pair) -> Panel:
    port = f":{params['nitro_port']}" if params["nitro_port"] else ""
    hosts = [f"[{node.nsip}]" if ":" in node.nsip else node.nsip for node in pair.nodes]
    targets = [
        Target(node.name, node.nsip, host + port, node.idle) for node, host in zip(pair.nodes, hosts, strict=True)
    ]
    timeouts = ProbeTimeouts(params["probe_timeout"], params["nitro_timeout"], params["settle_timeout"])
    return Panel(targets, lambda nsip: probe_from(params, nsip, params["probe_timeout"]), timeouts)


def writer(client: Client) -> Writer:
    """How Elastic IPs are moved and looked at."""
    return Writer(
        associate=lambda move: api.associate_address_once(
            client, move.address.allocation_id, move.after.network_interface_id, move.after.private_ip_address
        ),
        read=lambda ids: parse_addresses(api.describe_addresses(client, {"allocation-id": ids})),
    )


def results(moves: Sequence[AssociationChange], outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """Where each one was at first and is now; before anything was written, where it will be."""
    entries = []
    for move in moves:
        mine = [one for one in outcomes if one.move.address.allocation_id == move.address.allocation_id]
        if mine:
            entries.append(mine[0].move.result(mine[-1].now, any(one.written for one in mine)))
        else:
            entries.append(move.result(move.after, move.changed))
    return entries


def run(module: Any) -> tuple[dict[str, Any], str | None]:
    """The result, and the sentence with which to fail if an Elastic IP is not where wanted."""
    params = module.params
    connection_from(params, nsip="unused")  # options that no appliance could be asked with are refused at once
    # validate_certs speaks of the appliances here; AWS's certificates are always validated.
    verify = params["aws_ca_bundle"] or True
    client = connect(module, "ec2", read_timeout=BRIEF, attempts=1, verify=verify)
    pair = read(client, params)
    with panel(params, pair) as asked:
        found = first = asked.settle(lambda claims: assess(pair, claims))
        if found.refusal:
            raise Refusal(found.refusal)
        outcomes: list[Outcome] = []
        trouble = None
        if not module.check_mode:
            found, outcomes, trouble = repair(writer(client), pair, asked, params["verify_timeout"], found)
    entries = results(first.moves, outcomes)
    last = found if found.verdict.primary is not None else first
    node = pair.nodes[last.verdict.primary or 0]
    result = {
        "changed": any(entry["changed"] for entry in entries),
        "primary": {"node_id": node.node_id, "instance_id": node.instance_id, "nsip": node.nsip},
        "verdict": found.verdict.sentence,
        "moves": entries,
        "diff": {side: {entry["elastic_ip"]: entry[side] for entry in entries} for side in ("before", "after")},
    }
    return result, trouble


def main() -> None:
    started = time.monotonic()
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    require_requests(module)
    try:
        result, trouble = run(module)
    except Failure as error:
        fail_aws(module, error)
    except NitroError as error:
        fail_nitro(module, error)
    result["duration_ms"] = round((time.monotonic() - started) * 1000)
    if trouble:
        module.fail_json(msg=trouble, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
