#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_snip
version_added: 0.1.0
short_description: The subnet address from which a NetScaler VPX speaks to its back ends
description:
  - Gives an appliance a subnet IP (SNIP), usually the private address of its server interface. Without one it cannot
    reach back ends.
  - A VPX on AWS configures its management address only, and the nodes of an HA pair with independent network
    configuration do not share their SNIPs. So every node needs its own.
  - Calls. A login and a logout an appliance. For each address one C(nsip), and if something is different one write and
    one C(nsip) to read back. One save an appliance.
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
      - In a cluster, the id of the node that alone has the address (a spotted address), from 0 to 31. Set through the
        address of the cluster (CLIP), which is then O(nsip).
      - Left out, an address keeps the owner it has, and a new one belongs to all nodes (a striped address).
      - An appliance cannot change the owner of an address. One that has another is deleted and added anew, and for
        that moment nothing is sent from it; what others had bound to it, or set besides the mask, is lost.
    type: int
  nodes:
    description:
      - Many appliances instead of one O(nsip), all of them side by side. Each is logged in to with O(nitro_user) and
        O(nitro_pass); O(nitro_auth_token), the session of one appliance, is not used.
      - An entry gives what differs for it. Where it gives nothing, the module's option of the same name holds.
      - An appliance that is named several times (for several addresses) is logged in to once. Its entries are done in
        order, and its configuration is saved once, if one of them changed something.
      - When some fail, the others are carried through all the same. The task then fails and names those that did.
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
      - Whether the appliance has it.
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
- name: Let the appliance reach its back ends
  cloudadc.aws.vpx_snip:
    nsip: 10.0.1.10
    nitro_pass: "{{ vault_nsroot_password }}"
    ip_address: 10.0.21.10
    netmask: 255.255.255.0

- name: The same for every node of a group, side by side
  cloudadc.aws.vpx_snip:
    nitro_pass: "{{ vault_nsroot_password }}"
    netmask: 255.255.255.0
    nodes:
      - nsip: 10.0.1.10
        ip_address: 10.0.21.10
      - nsip: 10.0.1.11
        ip_address: 10.0.21.11

- name: In a cluster each node has one of its own
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
    - The address as the appliance has it now, or would have it; null if it is not there.
    - It has C(owner_node) if it belongs to one node of a cluster.
  returned: success, with O(nsip)
  type: dict
  sample: {"ip_address": "10.0.21.10", "netmask": "255.255.255.0"}
saved:
  description: Whether the configuration was saved.
  returned: success, with O(nsip)
  type: bool
nodes:
  description: One entry an appliance, in the order of O(nodes). It is there when the task failed, too.
  returned: with O(nodes)
  type: list
  elements: dict
  contains:
    nsip:
      description: The address as it was given.
      type: str
      returned: always
    changed:
      description: Whether something was changed on it, or would be in check mode. It is true for one that failed after
        a write.
      type: bool
      returned: always
    error:
      description: Why it failed, or null.
      type: str
      returned: always
    written:
      description: The writes that had been carried out on it until then, in order.
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
    """The options of this module, besides those of every NITRO module."""
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
