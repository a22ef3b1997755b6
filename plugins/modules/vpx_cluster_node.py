#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_cluster_node
short_description: Manage the membership of NetScaler VPX appliances in a cluster
version_added: 0.1.0
description:
  - Forms a cluster on an appliance, or joins the appliance to the cluster at O(clip), and waits until it is active
    (admin state ACTIVE, masterstate ACTIVE, health UP, effectivestate UP).
  - To remove a node, it is set to PASSIVE, with O(drain_minutes) for open connections, and then removed on the CLIP,
    with its spotted SNIPs.
  - The next run with the same options completes an interrupted one.
  - The nodes of a cluster are in one subnet (INC is not supported here), have the same software, licence, and number of
    packet engines, and the same password of C(nsroot). The CLIP is a secondary private address of the coordinator's
    management interface. Nodes join one after another. O(nodes) does that in one call.
  - The vendor documents clusters on AWS as unsupported, but its console and templates build them.
  - A node in the desired state needs one login, three reads (C(clusterinstance), C(clusternode), C(nsconfig)) and one
    logout, all on the CLIP, and no write. The node itself is not queried.
extends_documentation_fragment:
  - cloudadc.aws.event
  - cloudadc.aws.nitro.one_or_many
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
attributes:
  check_mode:
    details:
      - For an appliance that cannot be reached, or still has its first password, it predicts the changes of a
        stand-alone appliance, and for a CLIP without an answer, those of a new cluster.
options:
  clip:
    description:
      - Cluster IP address, with C(:port) where it differs from that of O(nsip). It is always a single address (/32).
    type: str
    required: true
  clip_interface:
    description:
      - Network interface (of EC2) of the node that forms the cluster. O(clip) is assigned to it as a private address
        first, unless it has it; an address that another interface has is refused. Afterwards the appliances move the
        address themselves. It takes two C(DescribeNetworkInterfaces) and one C(AssignPrivateIpAddresses), with
        credentials of the environment.
    type: str
    version_added: 0.2.0
  region:
    description:
      - The AWS region for O(clip_interface), by default that of the environment.
    type: str
    version_added: 0.2.0
  nodes:
    description:
      - Several appliances of one cluster instead of one O(nsip), one after another, in one session with the CLIP. With
        O(form=true) the first forms the cluster if there is no answer at O(clip); the others join.
      - An entry overrides the module's options of the same names.
      - If several nodes drain, all begin to drain before the module waits for the first.
      - If one fails, the following are not tried, because a node that joined incompletely counts for the quorum.
    type: list
    elements: dict
    version_added: 0.2.0
    suboptions:
      nsip:
        description: Address of the appliance's management interface, as O(nsip).
        type: str
        required: true
      node_id:
        description: As O(node_id).
        type: int
      admin_state:
        description: As O(admin_state).
        type: str
        choices: [ACTIVE, PASSIVE, SPARE]
      backplane:
        description: As O(backplane).
        type: str
      backplane_mac:
        description: As O(backplane_mac).
        type: str
      priority:
        description: As O(priority).
        type: int
  purge_nodes:
    description:
      - With O(nodes) and O(state=present), whether members of the cluster that are neither in O(nodes) nor in
        O(known_nodes) are removed, before others join.
      - A member is removed only if it does not answer and its peers do not report it up. A member that is up is named
        in a warning and kept.
    type: bool
    default: false
    version_added: 0.2.0
  known_nodes:
    description:
      - With O(purge_nodes), addresses (NSIP) of further members to keep.
    type: list
    elements: str
    version_added: 0.2.0
  cluster_id:
    description:
      - Number of the cluster, 1 to 16.
    type: int
    default: 1
  node_id:
    description:
      - Number of the node, 0 to 31; the lowest free when not given, and V(0) for the node that forms the cluster.
        An existing member keeps its number.
    type: int
  form:
    description:
      - Whether to form the cluster on this appliance if there is no answer at O(clip). Set it for one appliance of a
        cluster only. The others fail with a message that there is no cluster yet.
    type: bool
    default: false
  admin_state:
    description:
      - Desired admin state of the node. It is always written, because NITRO's default is PASSIVE.
      - V(PASSIVE) drains the node for O(drain_minutes) and keeps it in the cluster.
    type: str
    choices: [ACTIVE, PASSIVE, SPARE]
    default: ACTIVE
  backplane:
    description:
      - Interface for the traffic between nodes, such as V(1/1) or V(LA/1); the node's number is prepended. With a
        prefix (V(2/1/1)) the number must be this node's.
      - Default is V(1/1) for a new node. A member keeps its backplane by default.
    type: str
  backplane_mac:
    description:
      - MAC address, as EC2 has it, of the interface for the traffic between nodes. It names the interface when the
        node is declared, because the order in which an appliance numbers the interfaces of EC2 is not documented.
      - A declared node keeps what it has. O(backplane) has precedence.
    type: str
    version_added: 0.2.0
  tunnel_mode:
    description:
      - Steering of flows between nodes. A VPC needs a tunnel, because it does not forward foreign MAC addresses. The
        vendor's templates for AWS use V(GRE). Security groups must allow IP protocol 47, unless no flow is
        steered (O(cloudadc.aws.vpx_application#module:process_local)).
    type: str
    choices: [NONE, GRE, UDP]
    default: GRE
  priority:
    description:
      - Preference as coordinator, 0 to 31, the lowest wins. NITRO's default is 31.
    type: int
  cluster_password:
    description:
      - Password of C(nsroot) on the cluster, if it is not O(nitro_pass). A joining node gets it.
    type: str
  drain_minutes:
    description:
      - Drain time of a node that becomes PASSIVE, in whole minutes, 0 to 1440.
      - With O(state=absent) and O(wait=false), and more than 0, the task starts the drain and returns; a later run of
        the same task removes the node after the drain, and changes nothing before.
    type: int
    default: 0
  dissolve:
    description:
      - Whether O(state=absent) may dissolve the cluster, that is, remove half of its nodes at once, and its last node.
        The last node's cluster instance is removed on the node, with the CLIP.
      - A node of a cluster whose CLIP does not answer is then removed on the node itself, too.
    type: bool
    default: false
  state:
    description:
      - V(present) joins the appliance to the cluster, V(absent) removes it.
      - With V(absent), a node without an instance is removed from the cluster, too.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait until the node has reached O(admin_state) or, with O(state=absent), until O(drain_minutes)
        are over.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds for all waits, including the reboot; O(drain_minutes) are added.
    type: int
    default: 600
notes:
  - Forming and joining need a saved configuration and a warm reboot, so they save independent of O(save_config).
    Joining clears the configuration of the appliance.
  - O(nitro_pass) is required, because the CLIP and a rebooted appliance need a new login; a session given as
    O(nitro_auth_token) is used for O(nsip) only.
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Form a cluster on the first appliance
  cloudadc.aws.vpx_cluster_node:
    nsip: 10.0.1.10
    nitro_pass: "{{ vault_adc_password }}"
    ca_path: /etc/ssl/certs/adc-ca.pem
    clip: 10.0.1.100
    form: true

- name: Join the second appliance, and wait until it is active
  cloudadc.aws.vpx_cluster_node:
    nsip: 10.0.1.11
    nitro_pass: "{{ vault_adc_password }}"
    ca_path: /etc/ssl/certs/adc-ca.pem
    clip: 10.0.1.100
    wait_timeout: 900

- name: Form a cluster of three, and remove members without an instance
  cloudadc.aws.vpx_cluster_node:
    nitro_pass: "{{ vault_adc_password }}"
    ca_path: /etc/ssl/certs/adc-ca.pem
    clip: 10.0.1.100
    form: true
    purge_nodes: true
    nodes:
      - {nsip: 10.0.1.10, node_id: 0}
      - {nsip: 10.0.1.11, node_id: 1}
      - {nsip: 10.0.1.12, node_id: 2}

- name: Remove a node after a drain of ten minutes
  cloudadc.aws.vpx_cluster_node:
    nsip: 10.0.1.11
    nitro_pass: "{{ vault_adc_password }}"
    ca_path: /etc/ssl/certs/adc-ca.pem
    clip: 10.0.1.100
    drain_minutes: 10
    state: absent
"""

RETURN = r"""
clip_assigned:
  description: Whether O(clip) was assigned to O(clip_interface), or would be in check mode.
  returned: success
  type: bool
node:
  description: State of this appliance in the cluster; for one outside of a cluster, its address and nulls.
  returned: with O(nsip)
  type: dict
  contains: &node
    node_id:
      description: Number of the node.
      type: int
      returned: always
      sample: 1
    ip_address:
      description: NSIP of the node.
      type: str
      returned: always
      sample: 10.0.1.11
    admin_state:
      description: Its configured state.
      type: str
      returned: always
      sample: ACTIVE
    master_state:
      description: Its actual state.
      type: str
      returned: always
      sample: ACTIVE
    health:
      description: Its health, as the appliance reports it.
      type: str
      returned: always
      sample: UP
    effective_state:
      description: Its state in the cluster.
      type: str
      returned: always
      sample: UP
    is_coordinator:
      description: Whether it is the configuration coordinator, which holds the CLIP.
      type: bool
      returned: always
      sample: false
cluster:
  description: The cluster after the task, or in check mode before it.
  returned: always
  type: dict
  contains:
    id:
      description: Number of the cluster, null if there is no answer at the CLIP.
      type: int
      returned: always
      sample: 1
    clip:
      description: The CLIP.
      type: str
      returned: always
      sample: 10.0.1.100
    nodes:
      description: All nodes of the cluster.
      type: list
      elements: dict
      returned: always
      contains: *node
nodes:
  description: One entry for each of O(nodes), in their order. Also returned when the task failed.
  returned: with O(nodes)
  type: list
  elements: dict
  contains:
    nsip:
      description: The address as it was given.
      type: str
      returned: always
    changed:
      description: Whether something was changed for it, or would be in check mode.
      type: bool
      returned: always
    error:
      description: The reason why it failed or was not tried, or null.
      type: str
      returned: always
    node_id:
      description: Number of the node, null outside of a cluster.
      type: int
      returned: always
    node:
      description: As RV(node).
      type: dict
      returned: always
      contains: *node
removed:
  description: Addresses of the members that O(purge_nodes) removed, or would remove.
  returned: with O(nodes)
  type: list
  elements: str
nitro_errorcode:
  description: The appliance's error code.
  returned: when the appliance refused
  type: int
"""

from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils.core.errors import Failure
from ..module_utils.core.nitro_errors import NitroInputError
from ..module_utils.nitro import cluster
from ..module_utils.nitro.cluster_many import many
from ..module_utils.nitro.cluster_work import Membership, clients
from ..module_utils.nitro.module import run
from ..module_utils.nitro.one_or_many import one_or_many
from ..module_utils.reconcile.claims import claimed, event_argument_spec
from ..module_utils.reconcile.cluster_address import assign_with


def work(params: Mapping[str, Any], *, check: bool, warn: Callable[[str], None]) -> dict[str, Any]:
    """Handle one appliance; check mode writes nothing and waits for nothing."""
    desired = cluster.DesiredMember.from_params(params)
    node, clip = clients(params)
    with node, clip:
        password = params["cluster_password"] or params["nitro_pass"]
        membership = Membership(desired, node, clip, password, params["wait_timeout"], warn)
        return membership.predict() if check else membership.converge()


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the options of this module, besides those of every NITRO module."""
    return {
        "clip": {"type": "str", "required": True},
        "clip_interface": {"type": "str"},
        "region": {"type": "str"},
        "purge_nodes": {"type": "bool", "default": False},
        "known_nodes": {"type": "list", "elements": "str"},
        "cluster_id": {"type": "int", "default": 1},
        "node_id": {"type": "int"},
        "form": {"type": "bool", "default": False},
        "admin_state": {"type": "str", "choices": list(cluster.ADMIN_STATES), "default": "ACTIVE"},
        "backplane": {"type": "str"},
        "backplane_mac": {"type": "str"},
        "tunnel_mode": {"type": "str", "choices": list(cluster.TUNNEL_MODES), "default": "GRE"},
        "priority": {"type": "int"},
        "cluster_password": {"type": "str", "no_log": True},
        "drain_minutes": {"type": "int", "default": 0},
        "dissolve": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 600},
        "event": event_argument_spec(),
    }


def _with_address(module: Any, job: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """Assign the CLIP to the interface that is named for it, and do the job."""
    params, assigned = module.params, False
    if params["clip_interface"] and params["state"] == "present":
        try:
            assigned = assign_with(params["region"], params["clip_interface"], params["clip"], check=module.check_mode)
        except Failure as error:
            raise NitroInputError(str(error)) from error
    result = job(params, check=module.check_mode, warn=module.warn)
    return {**result, "changed": result["changed"] or assigned, "clip_assigned": assigned}


def main() -> None:
    module = one_or_many(argument_spec(), per_node=("node_id", "admin_state", "backplane", "backplane_mac", "priority"))
    job = work if module.params["nodes"] is None else many
    with claimed(module):
        run(module, lambda: _with_address(module, job))


if __name__ == "__main__":
    main()
