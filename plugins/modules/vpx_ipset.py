#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vpx_ipset
short_description: IPSets of a NetScaler VPX, their addresses and the virtual servers that carry them
version_added: 0.1.0
author:
  - The cloudadc.aws contributors (@cloudadc)
description:
  - Makes an IPSet hold exactly the addresses named, and lets virtual servers answer on them besides their own address.
  - In an HA pair across zones each node has a client address of its own. An IPSet joins them, so that one virtual
    server answers whichever node is primary. The IPSet and its VIPs must be made on B(both) nodes (run the module once
    for each).
  - Addresses that the appliance does not have yet are created as VIPs before they are bound.
  - When an IPSet is removed, it is first taken off every load-balancing and content-switching virtual server that
    carries it, also those not named.
  - Calls - one login and logout, seven GETs when nothing is different (eight with IPv6 addresses). When something is,
    one write for each thing, one save, and six or seven GETs to read back.
options:
  name:
    description: Name of the IPSet.
    type: str
    required: true
  addresses:
    description:
      - The addresses it holds. Left out, they stay as they are.
      - Two ways of writing one address are one address.
    type: list
    elements: dict
    suboptions:
      ip_address:
        description:
          - An IPv4 or IPv6 address, which the appliance has as a VIP or SNIP, or is given as a VIP.
          - An address that is the appliance's NSIP or CLIP is refused.
        type: str
        required: true
      netmask:
        description:
          - Mask of the address, dotted or as a prefix length.
          - Left out, an existing address keeps its mask and a new VIP gets that of a host (V(255.255.255.255) or
            V(128)), which is enough, as a VIP brings no route of its own.
        type: str
  purge_addresses:
    description:
      - Whether addresses that O(addresses) does not name are unbound. The VIPs themselves stay on the appliance.
    type: bool
    default: true
  vservers:
    description:
      - Load-balancing or content-switching virtual servers that must carry this IPSet, instead of another if they
        carry one.
      - Virtual servers that are not named keep what they carry.
    type: list
    elements: str
  purge_vips:
    description:
      - With O(state=absent), also delete those of the O(addresses) that are VIPs and no virtual server's own address.
    type: bool
    default: false
  state:
    description: Whether there is such an IPSet.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - cloudadc.aws.nitro
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
seealso:
  - module: cloudadc.aws.vpx_application
notes:
  - In check mode, a virtual server that does not exist is a warning instead of an error, as an earlier task may yet
    make it.
"""

EXAMPLES = r"""
- name: One IPSet on both nodes of a pair across zones
  cloudadc.aws.vpx_ipset:
    nsip: "{{ item }}"
    nitro_pass: "{{ vpx_password }}"
    name: clients
    addresses:
      - ip_address: 10.0.2.10
      - ip_address: 10.0.12.10
  loop:
    - 10.0.1.10
    - 10.0.11.10

- name: Two virtual servers answer on it
  cloudadc.aws.vpx_ipset:
    nsip: 10.0.1.10
    nitro_pass: "{{ vpx_password }}"
    name: clients
    vservers: [web, api]

- name: The IPSet and its second VIP are gone
  cloudadc.aws.vpx_ipset:
    nsip: 10.0.1.10
    nitro_pass: "{{ vpx_password }}"
    name: clients
    addresses:
      - ip_address: 10.0.12.10
    purge_vips: true
    state: absent
"""

RETURN = r"""
ipset:
  description: The IPSet as it is now, or as it would be in check mode. Null when there is none.
  returned: always
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
    addresses:
      description: What it holds, in the order of the addresses.
      type: list
      elements: dict
      returned: always
      contains:
        ip_address:
          description: The address.
          type: str
          returned: always
        netmask:
          description: Its mask, or prefix length for IPv6.
          type: str
          returned: always
    vservers:
      description: Names of the virtual servers that carry it.
      type: list
      elements: str
      returned: always
  sample:
    name: clients
    addresses:
      - ip_address: 10.0.2.10
        netmask: 255.255.255.255
      - ip_address: 10.0.12.10
        netmask: 255.255.255.255
    vservers: [web]
saved:
  description: Whether the running configuration was saved by this task.
  returned: always
  type: bool
  sample: true
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import ipset
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.errors import NitroInputError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.module import client_from, nitro_argument_spec, run
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.steps import Step, converge


def argument_spec() -> dict[str, dict[str, Any]]:
    """The options of this module, besides those of every NITRO module."""
    address = {"ip_address": {"type": "str", "required": True}, "netmask": {"type": "str"}}
    return {
        "name": {"type": "str", "required": True},
        "addresses": {"type": "list", "elements": "dict", "options": address},
        "purge_addresses": {"type": "bool", "default": True},
        "vservers": {"type": "list", "elements": "str"},
        "purge_vips": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def wanted_from(params: dict[str, Any]) -> ipset.Wanted:
    """The module's options in canonical form. Raises NitroInputError."""
    vservers = params["vservers"]
    return ipset.Wanted(
        name=params["name"],
        addresses=ipset.wanted_addresses(params["addresses"]),
        purge_addresses=params["purge_addresses"],
        vservers=None if vservers is None else tuple(vservers),
        present=params["state"] == "present",
        purge_vips=params["purge_vips"],
    )


def planned(module: AnsibleModule, wanted: ipset.Wanted, found: ipset.Found) -> list[Step]:
    """What to write; refuses, or in check mode warns of, virtual servers that do not exist."""
    for name in ipset.missing_vservers(wanted, found):
        sentence = f"IPSet '{wanted.name}': there is no virtual server '{name}' on {module.params['nsip']} to carry it"
        if not module.check_mode:
            raise NitroInputError(sentence)
        module.warn(sentence)
    return ipset.plan(wanted, found)


def work(module: AnsibleModule) -> dict[str, Any]:
    """Make it so, or in check mode foretell it; the result of the module."""
    wanted = wanted_from(module.params)
    with client_from(module.params) as client:
        done = converge(
            client,
            lambda: ipset.read(client, wanted),
            lambda found: planned(module, wanted, found),
            check=module.check_mode,
            save=module.params["save_config"],
        )
    before = ipset.describe(wanted, done.before)
    after = ipset.foretell(wanted, done.before) if module.check_mode else ipset.describe(wanted, done.after)
    diff = {"before": before or {}, "after": after or {}}
    return {"changed": bool(done.steps), "ipset": after, "saved": done.saved, "diff": diff}


def main() -> None:
    module = AnsibleModule(argument_spec={**nitro_argument_spec(), **argument_spec()}, supports_check_mode=True)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
