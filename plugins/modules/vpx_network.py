#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_network
version_added: 0.2.0
short_description: Manage SNIPs, static routes and the return path of a NetScaler VPX
description:
  - Manages how packets leave an appliance. EC2 drops a packet that leaves by an interface with a source address that is
    not one of that interface's, so a node needs a SNIP in the subnet of its server interface, a route to each back-end
    subnet by that interface, and a return path to clients by the interface on which their requests arrived.
  - Configures many nodes in parallel, one session per node. A cluster is configured through its CLIP.
  - A route that would divert the appliance's management traffic is refused before the first write. That is a route
    whose network is V(0.0.0.0/0), overlaps the subnet of the NSIP or one of
    O(protected_networks), or contains the default gateway or the NSIP of another node of the pair or cluster.
  - Routes of this module have the weight 4204. The weight ranks only routes of equal cost to the same network,
    so it has no effect on the only route to a network. Policy-based routes of this module have names that begin with
    C(cloudadc-). The module identifies its own routes by weight and name.
  - Calls. A login and a logout per appliance. For each entry one C(nsip), with O(routes) one C(hanode)
    (in a cluster C(clusternode)) and one C(route), with O(return_path) one C(nsmode) and one C(nspbr). If something
    differs, one write per change and the same reads again. One save per appliance.
options:
  snips:
    description:
      - Subnet addresses. Other SNIPs are not changed.
    type: list
    elements: dict
    suboptions: &snips
      ip_address:
        description: The IPv4 address. The interface must have it in EC2 as well.
        type: str
        required: true
      netmask:
        description: Mask of its subnet, dotted or as a prefix length. Required with O(state=present).
        type: str
      owner_node:
        description:
          - In a cluster, the id of the only node with the address (a spotted address), from 0 to 31.
          - By default an address keeps its owner, and a new one belongs to all nodes.
          - An appliance cannot change the owner of an address; it is deleted and added again.
        type: int
  routes:
    description:
      - Static IPv4 routes. By default routes are not changed.
      - Give the subnets of back ends, not the whole VPC.
    type: list
    elements: dict
    suboptions: &routes
      network:
        description: Destination, as V(10.0.21.0/24).
        type: str
        required: true
      gateway:
        description:
          - Gateway in a subnet of the appliance. In a VPC that is the first address of the server interface's subnet.
        type: str
        required: true
  purge_routes:
    description:
      - Whether routes of this module that O(routes) does not name are removed. Other routes are never changed.
      - Give all routes of an appliance in one entry then.
    type: bool
    default: true
  return_path:
    description:
      - Return path to clients. By default it is not changed.
      - V(mbf) enables MAC-based forwarding (mode MBF). A reply goes back to the MAC address from which the request
        came, on the interface it came in on. In a cluster it needs linksets.
      - V(pbr) creates a policy-based route for each of O(return_gateways) and disables MBF. Traffic of the NSIP keeps
        the default route.
      - V(none) disables MBF and removes the policy-based routes of this module.
    type: str
    choices: [mbf, pbr, none]
  return_gateways:
    description:
      - With O(return_path=pbr), the subnets of the client and server interfaces. Packets whose source address is in
        such a subnet, and whose destination is not, are sent to its gateway.
    type: list
    elements: dict
    suboptions: &return_gateways
      network:
        description: Subnet of the source addresses, as V(10.0.2.0/24).
        type: str
        required: true
      gateway:
        description: Gateway of that subnet.
        type: str
        required: true
  protected_networks:
    description:
      - Further networks that are reached from the management address, and that no route may overlap. For example the
        management subnets of other zones, VPC endpoints, the subnets of licence servers and consoles.
    type: list
    elements: str
  nodes:
    description:
      - Many appliances instead of one O(nsip), configured in parallel. Each has its own login with O(nitro_user) and
        O(nitro_pass); O(nitro_auth_token), the session of one appliance, is not used.
      - An entry overrides the module's options of the same names.
      - If some fail, the others are still completed. The task then fails and names the failed ones.
    type: list
    elements: dict
    suboptions:
      nsip:
        description:
          - Address of the appliance's management interface, or of a cluster (CLIP), as O(nsip).
        type: str
        required: true
      snips:
        description: As O(snips), instead of them.
        type: list
        elements: dict
        suboptions: *snips
      routes:
        description: As O(routes), instead of them.
        type: list
        elements: dict
        suboptions: *routes
      purge_routes:
        description: As O(purge_routes).
        type: bool
      return_path:
        description: As O(return_path).
        type: str
        choices: [mbf, pbr, none]
      return_gateways:
        description: As O(return_gateways), instead of them.
        type: list
        elements: dict
        suboptions: *return_gateways
      protected_networks:
        description: As O(protected_networks), instead of them.
        type: list
        elements: str
      state:
        description: As O(state).
        type: str
        choices: [present, absent]
  state:
    description:
      - With V(absent), the named SNIPs and routes are removed; the return path is not changed.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - cloudadc.aws.nitro.one_or_many
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
seealso:
  - module: cloudadc.aws.vpx_ipset
  - module: cloudadc.aws.vpx_snip
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Configure SNIPs, routes to the back ends of both zones, and the return path of two nodes
  cloudadc.aws.vpx_network:
    nitro_pass: "{{ vault_nsroot_password }}"
    return_path: mbf
    nodes:
      - nsip: 10.0.1.10
        snips: [{ip_address: 10.0.21.10, netmask: 255.255.255.0}]
        routes: [{network: 10.0.31.0/24, gateway: 10.0.21.1}]
      - nsip: 10.0.11.10
        snips: [{ip_address: 10.0.31.10, netmask: 255.255.255.0}]
        routes: [{network: 10.0.21.0/24, gateway: 10.0.31.1}]

- name: Configure a cluster, through its CLIP, with policy-based routes
  cloudadc.aws.vpx_network:
    nsip: 10.0.1.50
    nitro_pass: "{{ vault_nsroot_password }}"
    snips:
      - {ip_address: 10.0.21.10, netmask: 255.255.255.0, owner_node: 0}
      - {ip_address: 10.0.21.11, netmask: 255.255.255.0, owner_node: 1}
    return_path: pbr
    return_gateways:
      - {network: 10.0.21.0/24, gateway: 10.0.21.1}

- name: Remove a route
  cloudadc.aws.vpx_network:
    nsip: 10.0.1.10
    nitro_pass: "{{ vault_nsroot_password }}"
    routes: [{network: 10.0.31.0/24, gateway: 10.0.21.1}]
    state: absent
"""

RETURN = r"""
network:
  description: The network configuration, or the predicted one in check mode.
  returned: success, with O(nsip)
  type: dict
  contains:
    snips:
      description: The named SNIPs that the appliance has. One has C(owner_node) if it belongs to one node of a cluster.
      type: list
      elements: dict
      returned: always
    routes:
      description: All static routes besides the default route of the image; empty if O(routes) was not given.
      type: list
      elements: dict
      returned: always
      contains:
        network:
          description: Destination.
          type: str
          returned: always
        gateway:
          description: Gateway.
          type: str
          returned: always
    return_path:
      description: V(mbf), V(pbr) or V(none); null if O(return_path) was not given.
      type: str
      returned: always
  sample:
    snips: [{ip_address: 10.0.21.10, netmask: 255.255.255.0}]
    routes: [{network: 10.0.31.0/24, gateway: 10.0.21.1}]
    return_path: mbf
saved:
  description: Whether the configuration was saved.
  returned: success, with O(nsip)
  type: bool
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
    network:
      description: As RV(network).
      type: dict
      returned: when it did not fail
    saved:
      description: As RV(saved).
      type: bool
      returned: when it did not fail
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.core.nitro_errors import NitroError
from ..module_utils.nitro import network
from ..module_utils.nitro.client import NitroClient
from ..module_utils.nitro.objects import Done, converge, run
from ..module_utils.nitro.one_or_many import Job, one_or_many
from ..module_utils.nitro.return_path import RETURN_PATHS


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the options of this module, besides those of every NITRO module."""
    route = {"network": {"type": "str", "required": True}, "gateway": {"type": "str", "required": True}}
    snip = {
        "ip_address": {"type": "str", "required": True},
        "netmask": {"type": "str"},
        "owner_node": {"type": "int"},
    }
    return {
        "snips": {"type": "list", "elements": "dict", "options": snip},
        "routes": {"type": "list", "elements": "dict", "options": route},
        "purge_routes": {"type": "bool", "default": True},
        "return_path": {"type": "str", "choices": list(RETURN_PATHS)},
        "return_gateways": {"type": "list", "elements": "dict", "options": route},
        "protected_networks": {"type": "list", "elements": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def work(job: Job, client: NitroClient) -> Done:
    """Converge the network configuration of one entry, or predict it in check mode."""
    desired = network.Desired.from_params(job.params)
    done = converge(
        job, client, lambda: network.read(client, desired), lambda observed: network.plan(desired, observed)
    )
    for message in network.warnings(desired, done.before):
        job.warn(message)
    if not job.check and (unmet := network.unmet(desired, done.after)):
        raise NitroError(unmet)
    before = network.describe(desired, done.before)
    after = network.predict(desired, done.before) if job.check else network.describe(desired, done.after)
    return Done(bool(done.steps), {"network": after}, before, after)


def refuse_divided_routes(module: AnsibleModule) -> None:
    """End the task when entries of one appliance name different routes, as each would remove those of the others."""
    named: dict[str, Any] = {}
    for entry in module.params["nodes"] or []:
        nsip, routes = entry["nsip"], entry["routes"]
        purges = module.params["purge_routes"] if entry["purge_routes"] is None else entry["purge_routes"]
        if purges and routes is not None and named.setdefault(nsip, routes) != routes:
            module.fail_json(
                msg=f"{nsip}: several entries of nodes name different routes for it, and with purge_routes each would "
                "remove those of the others; give all its routes in one entry"
            )


def main() -> None:
    module = one_or_many(argument_spec())
    refuse_divided_routes(module)
    run(module, work)


if __name__ == "__main__":
    main()
