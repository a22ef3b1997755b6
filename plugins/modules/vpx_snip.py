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
  - Calls. A login, one C(nsip), a logout; one write if something is different, one save, and one C(nsip) to read back.
options:
  ip_address:
    description:
      - The IPv4 address. The interface must have it in EC2 as well.
    type: str
    required: true
  netmask:
    description:
      - Mask of its subnet, dotted or as a prefix length. Required if O(state=present).
    type: str
  state:
    description:
      - Whether the appliance has it.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - cloudadc.aws.nitro
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
seealso:
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
"""

RETURN = r"""
snip:
  description: The address as the appliance has it now, or would have it; null if it is not there.
  returned: success
  type: dict
  sample: {"ip_address": "10.0.21.10", "netmask": "255.255.255.0"}
saved:
  description: Whether the configuration was saved.
  returned: success
  type: bool
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import snip
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.module import client_from, nitro_argument_spec, run
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.steps import carry_out


def argument_spec() -> dict[str, dict[str, Any]]:
    return {
        **nitro_argument_spec(),
        "ip_address": {"type": "str", "required": True},
        "netmask": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def converge(module: AnsibleModule) -> dict[str, Any]:
    """Read, plan, and outside of check mode carry out and read back."""
    wanted = snip.Wanted.from_params(module.params)
    with client_from(module.params) as client:
        rows = client.get("nsip", wanted.ip_address)
        steps = snip.plan(wanted, rows)
        before, after = snip.describe(rows), snip.foretell(wanted)
        saved = False
        if not module.check_mode:
            saved = carry_out(client, steps, save=module.params["save_config"])
            after = snip.describe(client.get("nsip", wanted.ip_address)) if steps else before
    diff = {"before": before or {}, "after": after or {}}
    return {"changed": bool(steps), "snip": after, "saved": saved, "diff": diff}


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(), required_if=[("state", "present", ["netmask"])], supports_check_mode=True
    )
    run(module, lambda: converge(module))


if __name__ == "__main__":
    main()
