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
  - Calls. C(DescribeInstances) and C(DescribeAddresses) side by side; on each node a login, C(hanode), three reads
    beside each other for the addresses it serves, and a logout; one C(AssociateAddress) per Elastic IP that moves, all
    at once; one C(DescribeAddresses) per look at the result. Nothing is written when everything is true already.
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
  probe_timeout:
    description:
      - Seconds that a dead node may cost; a node has to accept a login within them, and again to say what it is.
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
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils.attachments.elastic_ip_changes import Outcome, carry_out, report
from ..module_utils.attachments.elastic_ip_plan import Move, Wish, plan
from ..module_utils.aws import ec2 as api
from ..module_utils.aws import tags as t
from ..module_utils.aws.addresses import Address, parse_addresses
from ..module_utils.aws.client import Client, connect
from ..module_utils.aws.errors import fail as fail_aws
from ..module_utils.aws.instances import parse_instances
from ..module_utils.core.errors import Failure, Refusal
from ..module_utils.core.nitro_errors import NitroError
from ..module_utils.core.parallel import both
from ..module_utils.nitro.module import (
    client_from,
    connection_from,
    nitro_argument_spec,
    require_requests,
)
from ..module_utils.nitro.module import fail as fail_nitro
from ..module_utils.reconcile import pair_associations as pair_seats
from ..module_utils.reconcile.pair_claims import Claim, Verdict
from ..module_utils.reconcile.pair_probe import Panel, Patience, Target


def argument_spec() -> dict[str, Any]:
    return {
        **nitro_argument_spec(nsip=False),
        "group": {"type": "str", "required": True},
        "elastic_ips": {"type": "list", "elements": "str"},
        "nitro_port": {"type": "int"},
        "probe_timeout": {"type": "float", "default": 1.0},
        "settle_timeout": {"type": "float", "default": 10},
        "guard": {"type": "bool", "default": True},
        "verify_timeout": {"type": "float", "default": 30},
    }


def read(client: Client, params: dict[str, Any]) -> tuple[list[pair_seats.Node], list[Address]]:
    """The nodes of the pair and all Elastic IPs of the region: one round trip."""
    addresses, instances = both(
        lambda: api.describe_addresses(client),
        lambda: api.describe_instances(client, {f"tag:{t.GROUP}": params["group"]}),
    )
    return pair_seats.nodes_of_group(parse_instances(instances), params["group"]), parse_addresses(addresses)


def panel(params: dict[str, Any], nodes: list[pair_seats.Node]) -> Panel:
    port = f":{params['nitro_port']}" if params["nitro_port"] else ""
    hosts = [f"[{node.nsip}]" if ":" in node.nsip else node.nsip for node in nodes]
    targets = [Target(node.name, node.nsip, host + port, node.idle) for node, host in zip(nodes, hosts, strict=True)]
    patience = Patience(params["probe_timeout"], params["nitro_timeout"], params["settle_timeout"])
    return Panel(targets, lambda nsip: client_from(params, nsip=nsip), patience)


def decide(
    params: dict[str, Any], nodes: list[pair_seats.Node], every: list[Address], claims: list[Claim], verdict: Verdict
) -> list[Move]:
    """Where every Elastic IP of the pair has to go. Raises Refusal with a sentence; then nothing was touched."""
    group = params["group"]
    if verdict.primary is None:
        raise Refusal(f"{group}: {verdict.sentence}; nothing was touched")
    node, claim = nodes[verdict.primary], claims[verdict.primary]
    if node.client is None:
        raise Refusal(f"{group}: {node.name}, which is primary, has no client interface; nothing was touched")
    addresses = pair_seats.pick_addresses(every, params["elastic_ips"], group, nodes)
    seats = pair_seats.seats_on(node.client, addresses, nodes)
    homeless = [str(address) for address in addresses if address.allocation_id not in seats]
    if homeless:
        raise Refusal(f"{group}: {node.name} has no client address left for {', '.join(homeless)}; nothing was touched")
    unserved = sorted({seat.private_ip_address for seat in seats.values()} - set(claim.served))
    if unserved and params["guard"]:
        why = f" ({claim.error})" if claim.error else ""
        raise Refusal(
            f"{group}: no virtual server of {node.name} ({node.nsip}), which is primary, answers at "
            f"{', '.join(unserved)}, neither itself nor through its IPSet{why}, so traffic would vanish; nothing was "
            "touched (guard: false moves the Elastic IP all the same)"
        )
    targets = pair_seats.moves_to(seats, addresses)
    wishes = [Wish.from_option({"instance_id": None, "device_index": 1, **target}) for target in targets]
    return plan(wishes, every, [], None)


def carry(client: Client, moves: list[Move], verify_timeout: float) -> list[Outcome]:
    return carry_out(
        moves,
        associate=lambda move: api.associate_address(
            client, move.address.allocation_id, move.after.network_interface_id, move.after.private_ip_address
        ),
        read=lambda ids: parse_addresses(api.describe_addresses(client, {"allocation-id": ids})),
        verify_timeout=verify_timeout,
    )


def results(moves: list[Move], outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """Where each one is now; before anything was written, where it will be."""
    written = {outcome.move.address.allocation_id: outcome for outcome in outcomes}
    entries = []
    for move in moves:
        outcome = written.get(move.address.allocation_id)
        now, changed = (outcome.now, outcome.written) if outcome else (move.after, move.changed)
        entries.append(move.result(now, changed))
    return entries


def run(module: Any) -> tuple[dict[str, Any], str | None]:
    """The result, and the sentence with which to fail if an Elastic IP is not where wanted."""
    params = module.params
    connection_from(params, nsip="unused")  # options that no appliance could be asked with are refused at once
    # validate_certs speaks of the appliances here; AWS's certificates are always validated.
    client = connect(module, "ec2", read_timeout=10, verify=params["aws_ca_bundle"] or True)
    nodes, every = read(client, params)
    with panel(params, nodes) as asked:
        claims, verdict = asked.decide()
        moves = decide(params, nodes, every, claims, verdict)
        outcomes = [] if module.check_mode else carry(client, moves, params["verify_timeout"])
    primary = nodes[verdict.primary or 0]  # decide() refuses if there is none
    entries = results(moves, outcomes)
    result = {
        "changed": any(entry["changed"] for entry in entries),
        "primary": {"node_id": primary.node_id, "instance_id": primary.instance_id, "nsip": primary.nsip},
        "verdict": verdict.sentence,
        "moves": entries,
        "diff": {side: {entry["elastic_ip"]: entry[side] for entry in entries} for side in ("before", "after")},
    }
    return result, report(outcomes)


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
