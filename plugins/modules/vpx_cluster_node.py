#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_cluster_node
short_description: Manage the membership of NetScaler VPX appliances in a cluster
version_added: 0.1.0
description:
  - Forms a cluster on an appliance, or takes the appliance into the cluster that answers at O(clip), and waits until it
    serves (admin state ACTIVE, masterstate ACTIVE, health UP, effectivestate UP).
  - It leaves by becoming PASSIVE, with O(drain_minutes) for what is open, and is then removed on the CLIP. Addresses
    that it alone has in the cluster (spotted SNIPs) go with it.
  - A run that was interrupted at any point is gone on with by the next one, with the same options.
  - The nodes of a cluster are in one subnet (INC is not supported here), have the same software, licence, and number of
    packet engines, and the same password of C(nsroot). The CLIP is a secondary private address of the coordinator's
    management interface. Nodes join one after another, never at once. O(nodes) does that in one call.
  - The vendor's documentation calls clusters on AWS unsupported, while its own console and templates build them.
  - A node that is as wanted costs one login, three reads (C(clusterinstance), C(clusternode), C(nsconfig)) and one
    logout, all on the CLIP, and no write. Nothing is asked of the node itself.
extends_documentation_fragment:
  - cloudadc.aws.event
  - cloudadc.aws.nitro.one_or_many
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
attributes:
  check_mode:
    details:
      - For an appliance that cannot be reached, or still has its first password, it predicts what a stand-alone
        appliance would need, and for a CLIP that nobody answers at, what a cluster there would need.
options:
  clip:
    description:
      - Cluster IP address, with C(:port) where it differs from that of O(nsip). It is always a single address (/32).
    type: str
    required: true
  nodes:
    description:
      - Several appliances of one cluster instead of one O(nsip), one after another, in one session with the CLIP. With
        O(form=true) the first forms the cluster where nobody answers at O(clip); the others join.
      - An entry gives what differs for it. Where it gives nothing, the module's option of the same name holds.
      - Where several nodes drain, all begin to drain before the first is waited for.
      - When one fails, those after it are not tried, as a node that joined half-way counts for the quorum.
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
      - Only a member that does not answer, and that its peers do not see as up, is removed. One that is up is named in
        a warning and stays.
    type: bool
    default: false
    version_added: 0.2.0
  known_nodes:
    description:
      - With O(purge_nodes), addresses (NSIP) of further members that stay.
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
        A node that the cluster knows by another number keeps that.
    type: int
  form:
    description:
      - Whether to form the cluster on this appliance when nobody answers at O(clip). Give it to one appliance of a
        cluster only. The others are told by a sentence that there is no cluster yet.
    type: bool
    default: false
  admin_state:
    description:
      - What the node shall be. It is always written, because NITRO's own default is PASSIVE.
      - V(PASSIVE) drains the node for O(drain_minutes) and leaves it in the cluster.
    type: str
    choices: [ACTIVE, PASSIVE, SPARE]
    default: ACTIVE
  backplane:
    description:
      - Interface for the traffic between nodes, such as V(1/1) or V(LA/1); the node's number is put before it. With a
        number before it (V(2/1/1)) it must be this node's.
      - V(1/1) when the node is declared without it. A declared node keeps what it has, unless this is given.
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
      - How flows are steered from one node to another. A VPC needs a tunnel, because it carries no foreign MAC
        addresses. V(GRE) is what the vendor's templates for AWS use. Security groups must let IP protocol 47 through,
        unless no flow is steered (O(cloudadc.aws.vpx_application#module:process_local)).
    type: str
    choices: [NONE, GRE, UDP]
    default: GRE
  priority:
    description:
      - Preference as coordinator, 0 to 31, the lowest wins. NITRO's default is 31.
    type: int
  cluster_password:
    description:
      - Password of C(nsroot) on the cluster, where it is not O(nitro_pass). A node that joins takes it over.
    type: str
  drain_minutes:
    description:
      - Whole minutes, 0 to 1440, that a node has for its open connections when it becomes PASSIVE.
      - With O(state=absent) and O(wait=false), and more than 0, the drain is begun and the task returns with the node
        still in the cluster; the same task removes it once the drain is over, and changes nothing before.
    type: int
    default: 0
  dissolve:
    description:
      - Whether O(state=absent) may take the cluster apart, that is, remove half of its nodes at once, and its last
        node. The last node's cluster instance is removed on the node, and the CLIP goes with it.
      - A node of a cluster whose CLIP does not answer is then taken out on the node itself, too.
    type: bool
    default: false
  state:
    description:
      - V(present) takes the appliance into the cluster, V(absent) out of it.
      - With V(absent), a node whose instance is gone is removed from the cluster all the same.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait until the node is where O(admin_state) takes it or, with O(state=absent), until O(drain_minutes)
        are over.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds for everything that is waited for, reboot included; O(drain_minutes) are added to them.
    type: int
    default: 600
notes:
  - Forming and joining need a saved configuration and a warm reboot, so they save whatever O(save_config) says. Joining
    clears what the appliance had been configured with.
  - O(nitro_pass) is required, because the CLIP and a rebooted appliance want a login of their own; a session given as
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

- name: Let the second join it, and wait until it serves
  cloudadc.aws.vpx_cluster_node:
    nsip: 10.0.1.11
    nitro_pass: "{{ vault_adc_password }}"
    ca_path: /etc/ssl/certs/adc-ca.pem
    clip: 10.0.1.100
    wait_timeout: 900

- name: Form a cluster of three, and remove members whose instances are gone
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

- name: Take a node out after ten minutes of draining
  cloudadc.aws.vpx_cluster_node:
    nsip: 10.0.1.11
    nitro_pass: "{{ vault_adc_password }}"
    ca_path: /etc/ssl/certs/adc-ca.pem
    clip: 10.0.1.100
    drain_minutes: 10
    state: absent
"""

RETURN = r"""
node:
  description: What the cluster says of this appliance; of one that is in no cluster, its address and nulls.
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
      description: What it was told to be.
      type: str
      returned: always
      sample: ACTIVE
    master_state:
      description: What it is.
      type: str
      returned: always
      sample: ACTIVE
    health:
      description: Its health, in the appliance's words.
      type: str
      returned: always
      sample: UP
    effective_state:
      description: Whether it is up in the eyes of the cluster.
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
      description: Number of the cluster, null when nobody answers at the CLIP.
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
  description: One entry for each of O(nodes), in their order. It is there when the task failed, too.
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
      description: Why it failed or was not tried, or null.
      type: str
      returned: always
    node_id:
      description: Number of the node, null for one that is in no cluster.
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

from ..module_utils.nitro import cluster
from ..module_utils.nitro.cluster_many import many
from ..module_utils.nitro.cluster_work import Membership, clients
from ..module_utils.nitro.module import run
from ..module_utils.nitro.one_or_many import one_or_many
from ..module_utils.reconcile.claims import claimed, event_argument_spec


def work(params: Mapping[str, Any], *, check: bool, warn: Callable[[str], None]) -> dict[str, Any]:
    """The whole job; in check mode nothing is written and nothing is waited for."""
    desired = cluster.DesiredMember.from_params(params)
    node, clip = clients(params)
    with node, clip:
        password = params["cluster_password"] or params["nitro_pass"]
        membership = Membership(desired, node, clip, password, params["wait_timeout"], warn)
        return membership.predict() if check else membership.converge()


def argument_spec() -> dict[str, dict[str, Any]]:
    """The options of this module, besides those of every NITRO module."""
    return {
        "clip": {"type": "str", "required": True},
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


def main() -> None:
    module = one_or_many(argument_spec(), per_node=("node_id", "admin_state", "backplane", "backplane_mac", "priority"))
    job = work if module.params["nodes"] is None else many
    with claimed(module):
        run(module, lambda: job(module.params, check=module.check_mode, warn=module.warn))


if __name__ == "__main__":
    main()
