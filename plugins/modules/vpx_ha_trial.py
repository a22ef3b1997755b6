#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_ha_trial
version_added: 0.2.0
short_description: Make a node of an HA pair primary on trial, and go back if it does not serve
description:
  - Hands the primary role to one node, moves the addresses of the pair to it, and watches it for O(bake_time). If it
    does not serve, the role and the addresses go back to the other node, and the task fails with what was wrong.
  - The node serves while it reports that it is primary, and every virtual server that was UP on the other node is UP.
  - Unlike M(cloudadc.aws.vpx_ha_failover), it does not ask for a synchronised pair, because there is no synchronisation
    between nodes of different builds. Instead it compares the virtual servers of both nodes before, and refuses to
    switch to a node that lacks some.
  - A node that is primary already is only watched. So an interrupted task can be repeated.
  - Needs the rights C(ec2:DescribeInstances), C(ec2:DescribeAddresses) and C(ec2:AssociateAddress).
options:
  to:
    description:
      - Node id of the node on trial.
    type: int
    required: true
extends_documentation_fragment:
  - cloudadc.aws.pair
  - cloudadc.aws.pair.trial
  - cloudadc.aws.nitro.session_and_aws
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_aws_and_nitro
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
notes:
  - O(save_config) has no meaning here, as no configuration is written. It is accepted so that it can stand in
    C(module_defaults).
seealso:
  - module: cloudadc.aws.vpx_ha_failover
  - module: cloudadc.aws.vpx_ha_reconcile
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Try node 1 as primary for five minutes
  cloudadc.aws.vpx_ha_trial:
    group: shop
    to: 1
    nitro_pass: "{{ vault_nsroot_password }}"
"""

RETURN = r"""
switched:
  description: Whether the role was handed over; in check mode, whether it would be.
  returned: success
  type: bool
watched:
  description: Virtual servers that must be UP.
  returned: success
  type: list
  elements: str
verdict:
  description: The primary when the task began, and the role that each node reported.
  returned: success
  type: str
  sample: "node 0 is primary: node 0 (10.0.1.10) says Primary; node 1 (10.0.11.10) says Secondary"
"""

from typing import Any

from ..module_utils.aws.accounts import connect_accounts
from ..module_utils.aws.client import BRIEF, connect
from ..module_utils.aws.module import run
from ..module_utils.core.errors import Refusal
from ..module_utils.nitro.module import (
    client_from,
    nitro_argument_spec,
    probe_from,
    require_requests,
    require_usable,
)
from ..module_utils.reconcile.pair_associations import tagged
from ..module_utils.reconcile.pair_mover import mover
from ..module_utils.reconcile.pair_observation import endpoint, panel, read_pair
from ..module_utils.reconcile.pair_options import pair_argument_spec, trial_argument_spec
from ..module_utils.reconcile.pair_probe import ProbeTimeouts
from ..module_utils.reconcile.pins import learn_pins
from ..module_utils.reconcile.trial import Trial, carry_out, missing_problem, read_virtual_servers, roles


def argument_spec() -> dict[str, Any]:
    return {
        **nitro_argument_spec(nsip=False),
        **pair_argument_spec(),
        "to": {"type": "int", "required": True},
        **trial_argument_spec(),
    }


def work(module: Any) -> dict[str, Any]:
    """Return the module's result. Raises Failure."""
    require_requests(module)
    params, group, port = module.params, module.params["group"], module.params["nitro_port"]
    require_usable(params)
    # validate_certs is about the appliances here; AWS's certificates are always validated.
    options = {"read_timeout": BRIEF, "attempts": 1, "verify": params["aws_ca_bundle"] or True}
    ec2 = connect_accounts(module, connect(module, "ec2", **options), **options)
    observed = read_pair(ec2, group)
    learn_pins(params, tagged(observed.nodes))
    timeouts = ProbeTimeouts(params["probe_timeout"], params["nitro_timeout"], params["settle_timeout"])
    with panel(observed.nodes, port, lambda to: probe_from(params, to, params["probe_timeout"]), timeouts) as asked:
        claims, verdict = asked.decide()
    node, peer = roles(group, observed.nodes, claims, verdict, params["to"])
    switched = verdict.primary != node
    ends = [endpoint(observed.nodes[at], port) for at in (node, peer)]
    with client_from(params, nsip=ends[0]) as this, client_from(params, nsip=ends[1]) as other:
        new = read_virtual_servers(this)
        old = read_virtual_servers(other) if claims[peer].reachable else new
        if switched and not params["ignore_missing"] and (problem := missing_problem(group, old, new)):
            raise Refusal(problem)
        needed = (old.up | new.up) & new.names
        result = {"changed": switched, "switched": switched, "watched": sorted(needed), "verdict": verdict.message}
        if not module.check_mode:
            trial = Trial(
                node=this,
                peer=other,
                move=mover(params, ec2, observed, lambda to: probe_from(params, to, params["probe_timeout"])),
                needed=needed,
                switch_timeout=params["timeout"],
                serve_timeout=params["serve_timeout"],
                bake_time=params["bake_time"],
            )
            carry_out(trial, switched, f"{group}: {observed.nodes[node].name} ({observed.nodes[node].instance_id})")
    roles_of = {name: {"primary": at} for name, at in (("before", verdict.primary), ("after", node))}
    return {**result, "diff": roles_of}


def main() -> None:
    run(argument_spec(), work)


if __name__ == "__main__":
    main()
