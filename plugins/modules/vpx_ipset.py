#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vpx_ipset
short_description: Manage IPSets of a NetScaler VPX, their addresses and virtual servers
version_added: 0.1.0
author:
  - The cloudadc.aws contributors (@cloudadc)
description:
  - Manages the addresses of an IPSet, and the virtual servers that answer on them in addition to their own address.
  - In an HA pair across zones each node has its own client address. An IPSet contains both, so that one virtual server
    answers on each node. The IPSet and its VIPs must be created on B(both) nodes (run the module once for each).
  - Addresses that the appliance does not have yet are created as VIPs before they are bound.
  - When an IPSet is removed, it is first unset on every load-balancing and content-switching virtual server that uses
    it, also those not named.
  - Calls - one login and logout per appliance. For each IPSet, seven GETs if nothing differs (eight with IPv6
    addresses). Otherwise one write per change and six or seven GETs to read back, and one save per appliance.
options:
  name:
    description:
      - Name of the IPSet. Required, here or in every entry of O(nodes).
    type: str
  addresses:
    description:
      - Its addresses. By default they are not changed.
      - Different notations of one address are equal.
    type: list
    elements: dict
    suboptions: &addresses
      ip_address:
        description:
          - An IPv4 or IPv6 address. If the appliance does not have it as a VIP or SNIP, it is created as a VIP.
          - An address that is the appliance's NSIP or CLIP is refused.
        type: str
        required: true
      netmask:
        description:
          - Mask of the address, dotted or as a prefix length.
          - By default an existing address keeps its mask and a new VIP gets that of a host (V(255.255.255.255) or
            V(128)), because a VIP needs no route.
        type: str
  nodes:
    description:
      - Many appliances instead of one O(nsip), configured in parallel. Each has its own login with O(nitro_user) and
        O(nitro_pass); O(nitro_auth_token), the session of one appliance, is not used.
      - An entry overrides the module's options of the same names.
      - An appliance that is named several times (for several IPSets) has one session. Its entries are processed in
        order, and its configuration is saved once, if one of them changed something.
      - For both nodes of an HA pair use O(serial), because the primary synchronises its changes to the secondary.
      - If some fail, the others are still completed. The task then fails and names the failed ones.
    type: list
    elements: dict
    suboptions:
      nsip:
        description:
          - Address of the appliance's management interface, as O(nsip).
        type: str
        required: true
      name:
        description: As O(name).
        type: str
      addresses:
        description: As O(addresses), instead of them.
        type: list
        elements: dict
        suboptions: *addresses
      purge_addresses:
        description: As O(purge_addresses).
        type: bool
      vservers:
        description: As O(vservers), instead of them.
        type: list
        elements: str
      purge_vips:
        description: As O(purge_vips).
        type: bool
      state:
        description: As O(state).
        type: str
        choices: [present, absent]
  serial:
    description:
      - Whether the appliances in O(nodes) are configured one after another, in their order. Needed for the two nodes of
        an HA pair, primary first.
    type: bool
    default: false
    version_added: 0.2.0
  purge_addresses:
    description:
      - Whether addresses that O(addresses) does not name are unbound. The VIPs are kept on the appliance.
    type: bool
    default: true
  vservers:
    description:
      - Load-balancing or content-switching virtual servers that must use this IPSet. It replaces another one.
      - Virtual servers that are not named are not changed.
    type: list
    elements: str
  purge_vips:
    description:
      - With O(state=absent), also delete the O(addresses) that are VIPs and not the address of a virtual server.
    type: bool
    default: false
  state:
    description: Whether the IPSet exists.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - cloudadc.aws.nitro.one_or_many
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
seealso:
  - module: cloudadc.aws.vpx_application
notes:
  - In check mode, a missing virtual server is a warning instead of an error, because an earlier task may create it.
"""

EXAMPLES = r"""
- name: Create one IPSet on both nodes of a pair across zones
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

- name: Create one on independent nodes in parallel, each with its own address
  cloudadc.aws.vpx_ipset:
    nitro_pass: "{{ vpx_password }}"
    nodes:
      - nsip: 10.0.1.10
        addresses: [{ip_address: 10.0.2.10}]
      - nsip: 10.0.1.11
        addresses: [{ip_address: 10.0.2.11}]
    name: clients

- name: Use it on two virtual servers
  cloudadc.aws.vpx_ipset:
    nsip: 10.0.1.10
    nitro_pass: "{{ vpx_password }}"
    name: clients
    vservers: [web, api]

- name: Remove the IPSet and its second VIP
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
  description: The IPSet, or the predicted one in check mode. Null if there is none.
  returned: success, with O(nsip)
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
    addresses:
      description: Its addresses, in their order.
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
      description: Names of the virtual servers that use it.
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
  returned: success, with O(nsip)
  type: bool
  sample: true
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
    ipset:
      description: As RV(ipset).
      type: dict
      returned: when it did not fail
    saved:
      description: As RV(saved).
      type: bool
      returned: when it did not fail
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.core.nitro_errors import NitroInputError
from ..module_utils.nitro import ipset
from ..module_utils.nitro.client import NitroClient
from ..module_utils.nitro.objects import Done, converge, run
from ..module_utils.nitro.one_or_many import Job, Needs, one_or_many
from ..module_utils.nitro.steps import Change

NEEDS = Needs(required=("name",))
PER_NODE = ("name", "addresses", "purge_addresses", "vservers", "purge_vips", "state")


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the options of this module, besides those of every NITRO module."""
    address = {"ip_address": {"type": "str", "required": True}, "netmask": {"type": "str"}}
    return {
        "name": {"type": "str"},
        "addresses": {"type": "list", "elements": "dict", "options": address},
        "serial": {"type": "bool", "default": False},
        "purge_addresses": {"type": "bool", "default": True},
        "vservers": {"type": "list", "elements": "str"},
        "purge_vips": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def desired_from(params: Mapping[str, Any]) -> ipset.DesiredIpset:
    """Return the module's options in canonical form. Raises NitroInputError."""
    vservers = params["vservers"]
    return ipset.DesiredIpset(
        name=params["name"],
        addresses=ipset.desired_addresses(params["addresses"]),
        purge_addresses=params["purge_addresses"],
        vservers=None if vservers is None else tuple(vservers),
        present=params["state"] == "present",
        purge_vips=params["purge_vips"],
    )


def planned(job: Job, desired: ipset.DesiredIpset, found: ipset.ObservedIpset) -> list[Change]:
    """Return the writes; refuses missing prerequisites, or in check mode warns of them."""
    for name in ipset.missing_vservers(desired, found):
        message = f"IPSet '{desired.name}': there is no virtual server '{name}' on {job.nsip} to carry it"
        if not job.check:
            raise NitroInputError(message)
        job.warn(message)
    return ipset.plan(desired, found)


def work(job: Job, client: NitroClient) -> Done:
    """Converge one IPSet on one appliance, or predict it in check mode."""
    desired = desired_from(job.params)
    done = converge(job, client, lambda: ipset.read(client, desired), lambda found: planned(job, desired, found))
    before = ipset.describe(desired, done.before)
    after = ipset.predict(desired, done.before) if job.check else ipset.describe(desired, done.after)
    return Done(bool(done.steps), {"ipset": after}, before or {}, after or {})


def main() -> None:
    run(one_or_many(argument_spec(), per_node=PER_NODE), work, NEEDS)


if __name__ == "__main__":
    main()
