#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_snip
version_added: 0.1.0
short_description: Manage the subnet addresses (SNIP) of a NetScaler VPX
description:
  - Manages subnet IPs (SNIP) of an appliance, usually the private address of its server interface. An appliance
    connects to back ends from its SNIP.
  - A VPX on AWS configures its management address only, and the nodes of an HA pair with independent network
    configuration do not share their SNIPs. So every node needs its own.
  - Calls. A login and a logout per appliance. For each address one C(nsip), and if something differs one write and one
    C(nsip) to read back. One save per appliance.
  - M(cloudadc.aws.vpx_network) does the same for all addresses of an appliance, with its routes and its return path.
options:
  ip_address:
    description:
      - The IPv4 address. The interface must have it in EC2 as well.
      - Needed for every appliance, here or in its entry of O(nodes).
    type: str
  netmask:
    description:
      - Mask of its subnet, dotted or as a prefix length. Needed with O(state=present).
    type: str
  owner_node:
    description:
      - In a cluster, the id of the only node with the address (a spotted address), from 0 to 31. Set through the
        address of the cluster (CLIP), which is then O(nsip).
      - By default an address keeps its owner, and a new one belongs to all nodes (a striped address).
      - An appliance cannot change the owner of an address. An address with another owner is deleted and added again;
        meanwhile it is not used, and its other bindings and settings are lost.
    type: int
  nodes:
    description:
      - Many appliances instead of one O(nsip), configured in parallel. Each has its own login with O(nitro_user) and
        O(nitro_pass); O(nitro_auth_token), the session of one appliance, is not used.
      - An entry overrides the module's options of the same names.
      - An appliance that is named several times (for several addresses) has one session. Its entries are processed in
        order, and its configuration is saved once, if one of them changed something.
      - If some fail, the others are still completed. The task then fails and names the failed ones.
    type: list
    elements: dict
    suboptions:
      nsip:
        description:
          - Address of the appliance's management interface, as O(nsip).
        type: str
        required: true
      ip_address:
        description: As O(ip_address).
        type: str
      netmask:
        description: As O(netmask).
        type: str
      owner_node:
        description: As O(owner_node).
        type: int
      state:
        description: As O(state).
        type: str
        choices: [present, absent]
  state:
    description:
      - Whether the address exists.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - cloudadc.aws.nitro.one_or_many
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
seealso:
  - module: cloudadc.aws.vpx_network
  - module: cloudadc.aws.vpx_ipset
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Add a SNIP
  cloudadc.aws.vpx_snip:
    nsip: 10.0.1.10
    nitro_pass: "{{ vault_nsroot_password }}"
    ip_address: 10.0.21.10
    netmask: 255.255.255.0

- name: Add a SNIP on every node of a group in parallel
  cloudadc.aws.vpx_snip:
    nitro_pass: "{{ vault_nsroot_password }}"
    netmask: 255.255.255.0
    nodes:
      - nsip: 10.0.1.10
        ip_address: 10.0.21.10
      - nsip: 10.0.1.11
        ip_address: 10.0.21.11

- name: Add a spotted SNIP for each node of a cluster
  cloudadc.aws.vpx_snip:
    nitro_pass: "{{ vault_nsroot_password }}"
    netmask: 255.255.255.0
    nodes:
      - nsip: 10.0.1.50
        ip_address: 10.0.21.10
        owner_node: 0
      - nsip: 10.0.1.50
        ip_address: 10.0.21.11
        owner_node: 1
"""

RETURN = r"""
snip:
  description:
    - The address on the appliance, or the predicted one; null if it does not exist.
    - It has C(owner_node) if it belongs to one node of a cluster.
  returned: success, with O(nsip)
  type: dict
  sample: {"ip_address": "10.0.21.10", "netmask": "255.255.255.0"}
saved:
  description: Whether the configuration was saved.
  returned: success, with O(nsip)
  type: bool
nodes:
  description: One entry an appliance, in the order of O(nodes). Also returned when the task failed.
  returned: with O(nodes)
  type: list
  elements: dict
  contains:
    nsip:
      description: The address as it was given.
      type: str
      returned: always
    changed:
      description: Whether it was changed, or would be in check mode. True for an appliance that failed after a write.
      type: bool
      returned: always
    error:
      description: Why it failed, or null.
      type: str
      returned: always
    written:
      description: The completed writes on it, in order.
      type: list
      elements: str
      returned: when it failed
    nitro_errorcode:
      description: The appliance's error code.
      type: int
      returned: when it refused
    snip:
      description: As RV(snip).
      type: dict
      returned: when it did not fail
    saved:
      description: As RV(saved).
      type: bool
      returned: when it did not fail
  sample:
    - nsip: 10.0.1.10
      changed: true
      snip: {ip_address: 10.0.21.10, netmask: 255.255.255.0}
      saved: true
      error: null
"""

from typing import Any

from ..module_utils.nitro import snip
from ..module_utils.nitro.client import NitroClient
from ..module_utils.nitro.objects import Done, converge, run
from ..module_utils.nitro.one_or_many import Job, Needs, one_or_many

NEEDS = Needs(required=("ip_address",), required_if=(("state", "present", ("netmask",)),))


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the options of this module, besides those of every NITRO module."""
    return {
        "ip_address": {"type": "str"},
        "netmask": {"type": "str"},
        "owner_node": {"type": "int"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def work(job: Job, client: NitroClient) -> Done:
    """Converge one address on one appliance, or predict it in check mode."""
    desired = snip.DesiredSnip.from_params(job.params)
    done = converge(job, client, lambda: client.get("nsip", desired.ip_address), lambda rows: snip.plan(desired, rows))
    before = snip.describe(done.before)
    after = snip.predict(desired, done.before) if job.check else snip.describe(done.after)
    return Done(bool(done.steps), {"snip": after}, before or {}, after or {})


def main() -> None:
    run(one_or_many(argument_spec()), work, NEEDS)


if __name__ == "__main__":
    main()
