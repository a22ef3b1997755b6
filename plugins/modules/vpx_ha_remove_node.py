#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_ha_remove_node
version_added: 0.2.0
short_description: Terminate one node of an HA pair that is to be replaced
description:
  - Terminates the instance of one node, with its interfaces and the Elastic IP of its NSIP, if the other node serves.
  - The other node must report that it is primary, and hold the VIPs of the pair, of every kind. RV(failover_due) and
    RV(reconcile_due) say what has to be done before; M(cloudadc.aws.vpx_ha_failover) and
    M(cloudadc.aws.vpx_ha_reconcile) do it.
  - A primary whose peer is not a healthy and synchronised secondary is never removed, nor the only node of a pair. A
    node that does not answer may be primary; it is removed only if the other node reports that it is primary itself.
  - The state of both nodes and of the Elastic IPs is read and judged again right before the instance is terminated.
  - An instance that does not exist any more is no failure, and nothing is changed.
  - Needs the rights C(ec2:DescribeInstances), C(ec2:DescribeAddresses), C(ec2:DescribeNetworkInterfaces),
    C(ec2:TerminateInstances) and, with public management addresses, C(ec2:ReleaseAddress).
options:
  instance_id:
    description:
      - The instance of the node.
    type: str
    required: true
  step:
    description:
      - V(check) only reads, and fails where the node must not be removed at all.
      - V(terminate) removes the node, and fails as long as something has to be done before.
    type: str
    choices: [check, terminate]
    default: terminate
  wait_timeout:
    description:
      - Seconds to wait until the instance is terminated.
    type: int
    default: 600
extends_documentation_fragment:
  - cloudadc.aws.pair
  - cloudadc.aws.nitro.session
  - cloudadc.aws.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
notes:
  - O(save_config) has no meaning here, as nothing is written to an appliance. It is accepted so that it can stand in
    C(module_defaults).
seealso:
  - module: cloudadc.aws.vpx_ha_failover
  - module: cloudadc.aws.vpx_ha_reconcile
  - module: cloudadc.aws.vpx_instance
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Remove the secondary
  cloudadc.aws.vpx_ha_remove_node:
    group: shop
    instance_id: i-0123456789abcdef0
    nitro_pass: "{{ vault_nsroot_password }}"
"""

RETURN = r"""
exists:
  description: Whether the instance existed when the task began.
  returned: success
  type: bool
node:
  description: The node that is removed, null if it does not exist.
  returned: success
  type: dict
  sample: {"node_id": 0, "instance_id": "i-0123456789abcdef0", "nsip": "10.0.1.10"}
peer:
  description: The node that stays, null if there is nothing to remove.
  returned: success
  type: dict
  sample: {"node_id": 1, "instance_id": "i-0fedcba9876543210", "nsip": "10.0.11.10"}
failover_due:
  description: Whether the node is primary, so that a planned failover comes first.
  returned: success
  type: bool
reconcile_due:
  description: Whether the node is not primary, but has VIPs of the pair, which must be moved first.
  returned: success
  type: bool
verdict:
  description: The primary, and the role that each node reports.
  returned: success
  type: str
  sample: "node 1 is primary: node 0 (10.0.1.10) says Secondary; node 1 (10.0.11.10) says Primary"
terminated:
  description: Ids of the instances that were terminated; in check mode, that would be.
  returned: success
  type: list
  elements: str
"""

from dataclasses import dataclass
from typing import Any

from ..module_utils.aws.accounts import connect_accounts
from ..module_utils.aws.client import Client, connect
from ..module_utils.aws.module import run
from ..module_utils.core.errors import Refusal
from ..module_utils.nitro.module import nitro_argument_spec, probe_from, require_requests, require_usable
from ..module_utils.reconcile.instance_plan import DesiredSet
from ..module_utils.reconcile.instance_set import InstanceSet
from ..module_utils.reconcile.launch import LaunchSpec
from ..module_utils.reconcile.node_removal import NodeRemoval, plan_removal
from ..module_utils.reconcile.pair_associations import Node, tagged
from ..module_utils.reconcile.pair_observation import panel, read_pair
from ..module_utils.reconcile.pair_options import pair_argument_spec
from ..module_utils.reconcile.pair_probe import ProbeTimeouts
from ..module_utils.reconcile.pair_vips import PairAttachments, pick_addresses
from ..module_utils.reconcile.pins import learn_pins
from ..module_utils.spec.identity import PAIR


def argument_spec() -> dict[str, Any]:
    return {
        **nitro_argument_spec(nsip=False),
        **pair_argument_spec(),
        "instance_id": {"type": "str", "required": True},
        "step": {"type": "str", "choices": ["check", "terminate"], "default": "terminate"},
        "wait_timeout": {"type": "int", "default": 600},
    }


@dataclass(slots=True)
class Task:
    """One run of the module."""

    module: Any
    client: Client

    def observe(self) -> NodeRemoval | None:
        """Read the pair, and return what the removal takes now; None without the instance. Raises Refusal."""
        params = self.module.params
        observed = read_pair(self.client, params["group"])
        learn_pins(params, tagged(observed.nodes))
        asked, vips = params["elastic_ips"], observed.vips
        own = pick_addresses(observed.addresses, asked, params["group"], observed.nodes, vips)
        ids = tuple(address.allocation_id for address in own)
        attached = PairAttachments(observed.addresses, ids, vips, observed.observed)
        timeouts = ProbeTimeouts(params["probe_timeout"], params["nitro_timeout"], params["settle_timeout"])

        def connect_to(nsip: str) -> Any:
            return probe_from(params, nsip, params["probe_timeout"])

        with panel(observed.nodes, params["nitro_port"], connect_to, timeouts) as asked:
            claims, verdict = asked.decide()
        return plan_removal(params["group"], observed.nodes, claims, verdict, attached, params["instance_id"])

    def confirm(self) -> None:
        """Read and judge again, right before the instance is terminated. Raises Refusal."""
        removal = self.observe()
        obstacle = removal.obstacle if removal else None
        if obstacle:
            raise Refusal(f"{self.module.params['group']}: {obstacle}. Nothing was terminated.")

    def terminate(self, removal: NodeRemoval) -> list[str]:
        """Terminate the instance, and release the Elastic IP that was allocated for its NSIP."""
        instance = removal.node.instance
        desired = DesiredSet(
            state="absent",
            group=self.module.params["group"],
            kind=PAIR,
            node_id=instance.node_id if instance else None,
            instance_ids=(self.module.params["instance_id"],),
        )
        instances = InstanceSet(
            client=self.client,
            desired=desired,
            launch_spec=LaunchSpec(None, ""),
            wait=True,
            wait_timeout=self.module.params["wait_timeout"],
            warn=self.module.warn,
            before_terminate=self.confirm,
        )
        instances.converge(instances.observation())
        return instances.journal.terminated

    def run(self) -> dict[str, Any]:
        """Return the module's result."""
        params = self.module.params
        removal = self.observe()
        if removal is None:
            return _result(None, [])
        if params["step"] == "check":
            return _result(removal, [])
        if self.module.check_mode:
            return _result(removal, [params["instance_id"]])
        if removal.obstacle:
            raise Refusal(f"{params['group']}: {removal.obstacle}. Nothing was terminated.")
        return _result(removal, self.terminate(removal))


def _result(removal: NodeRemoval | None, terminated: list[str]) -> dict[str, Any]:
    names = [_named(removal.node), _named(removal.peer)] if removal else [None, None]
    return {
        "changed": bool(terminated),
        "exists": removal is not None,
        "node": names[0],
        "peer": names[1],
        "failover_due": bool(removal and removal.failover),
        "reconcile_due": bool(removal and removal.addresses),
        "verdict": removal.message if removal else "",
        "terminated": terminated,
        "diff": {"before": {"nodes": names if terminated else []}, "after": {"nodes": names[1:] if terminated else []}},
    }


def _named(node: Node) -> dict[str, Any]:
    return {"node_id": node.node_id, "instance_id": node.instance_id, "nsip": node.nsip}


def work(module: Any) -> dict[str, Any]:
    """Return the module's result. Raises Failure."""
    require_requests(module)
    require_usable(module.params)
    # validate_certs is about the appliances here; AWS's certificates are always validated.
    options = {"verify": module.params["aws_ca_bundle"] or True}
    return Task(module, connect_accounts(module, connect(module, "ec2", **options), **options)).run()


def main() -> None:
    run(argument_spec(), work)


if __name__ == "__main__":
    main()
