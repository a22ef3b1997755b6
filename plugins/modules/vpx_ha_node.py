#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_ha_node
short_description: Join NetScaler VPX appliances to an HA pair
version_added: 0.1.0
description:
  - Adds the other appliance as peer, configures heartbeats, and sets a password and TLS for the RPC nodes of both
    NSIPs.
  - With O(nodes) it configures both sides in one call and waits until they are synchronised. With O(nsip) it configures
    one side only; run it for each of the two appliances then, with O(wait=true) for the second.
  - The appliance that becomes secondary gets the primary's configuration, and with it the passwords of its users. With
    O(wait=true), logins that are refused for that reason are retried.
  - An appliance in the desired state needs one login, three reads (C(hanode), C(nsrpcnode), C(nsconfig)), with
    O(wait=true) a few more if the build does not report the synchronisation, one logout, and no write.
extends_documentation_fragment:
  - cloudadc.aws.nitro.one_or_many
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
attributes:
  check_mode:
    details:
      - For an appliance that cannot be reached, or still has its first password, it predicts the changes of a
        stand-alone appliance.
  idempotent:
    support: partial
    details:
      - With O(update_rpc_password=always) it writes the RPC password every time, because it cannot be read back.
options:
  peer:
    description:
      - NSIP of the other appliance. Required with O(nsip).
    type: str
  nodes:
    description:
      - Both appliances of the pair, exactly two. The peer is added on the first, then on the second; then the task
        waits until both are paired and synchronised. The configuration of the first entry is kept.
      - Each has one login with O(nitro_user) and O(nitro_pass); O(nitro_auth_token) is not used.
    type: list
    elements: dict
    version_added: 0.2.0
    suboptions:
      nsip:
        description: Address of the appliance's management interface, as O(nsip).
        type: str
        required: true
      peer:
        description:
          - NSIP of the other appliance. Default is the address of the other entry.
        type: str
  node_id:
    description:
      - Node id of the peer on this appliance, 1 to 64. An existing peer keeps its number.
    type: int
    default: 1
  inc:
    description:
      - Independent network configuration, which appliances in different subnets need. It cannot be changed in a pair.
    type: bool
    default: true
  peer_password:
    description:
      - Password of O(nitro_user) on O(peer), if it is not O(nitro_pass). The secondary gets the primary's password. It
        is tried when O(nitro_pass) is refused.
    type: str
  rpc_password:
    description:
      - Password of the RPC nodes, the same on both appliances. With it the RPC nodes are set to secure (TLS). Without
        it neither is changed.
    type: str
  update_rpc_password:
    description:
      - When to write O(rpc_password), which cannot be read back.
      - V(on_create) when the peer is added, when the channel is not secure, and when synchronisation has failed.
    type: str
    choices: [always, on_create]
    default: on_create
  hello_interval:
    description:
      - Milliseconds between heartbeats, 200 to 1000.
    type: int
  dead_interval:
    description:
      - Seconds without a heartbeat after which the peer counts as dead, 3 to 60.
    type: int
  max_flips:
    description:
      - Failovers allowed within O(max_flip_time); V(0) is no limit.
    type: int
  max_flip_time:
    description:
      - Seconds in which O(max_flips) are counted.
    type: int
  replace_peer:
    description:
      - Whether a peer with another address may be replaced by O(peer), for example after a node was rebuilt. Otherwise
        the task fails with its address and nothing is changed.
    type: bool
    default: false
  state:
    description:
      - V(present) pairs this side with O(peer), V(absent) removes O(peer) from this side. Another peer is not changed.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait until both are paired, one primary and one secondary, and synchronised.
      - Default is V(true) with O(nodes) and V(false) with O(nsip).
    type: bool
  wait_for:
    description:
      - V(synchronised) waits until the nodes are synchronised. V(paired) waits only until both are up, one primary and
        one secondary, because nodes of different builds do not synchronise.
    type: str
    choices: [synchronised, paired]
    default: synchronised
    version_added: 0.2.0
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 300
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Join two appliances to a pair, and wait until they are synchronised
  cloudadc.aws.vpx_ha_node:
    nitro_pass: "{{ vault_adc_password }}"
    ca_path: /etc/ssl/certs/adc-ca.pem
    rpc_password: "{{ vault_adc_rpc_password }}"
    nodes:
      - nsip: 10.0.1.10
        peer: 10.0.2.10
      - nsip: 10.0.2.10
        peer: 10.0.1.10

- name: Add the peer on the first appliance
  cloudadc.aws.vpx_ha_node:
    nsip: 10.0.1.10
    nitro_pass: "{{ vault_adc_password }}"
    ca_path: /etc/ssl/certs/adc-ca.pem
    peer: 10.0.2.10
    rpc_password: "{{ vault_adc_rpc_password }}"

- name: Add the peer on the second, and wait until they are synchronised
  cloudadc.aws.vpx_ha_node:
    nsip: 10.0.2.10
    nitro_pass: "{{ vault_adc_password }}"
    ca_path: /etc/ssl/certs/adc-ca.pem
    peer: 10.0.1.10
    rpc_password: "{{ vault_adc_rpc_password }}"
    wait: true
"""

RETURN = r"""
ha:
  description: State of the pair on this appliance.
  returned: with O(nsip)
  type: dict
  contains: &ha
    master_state:
      description: Role of this appliance, for example V(Primary) or V(Secondary).
      type: str
      returned: always
      sample: Primary
    node_state:
      description: State of this appliance, for example V(UP).
      type: str
      returned: always
      sample: UP
    peer:
      description: Address of the peer, null when there is none.
      type: str
      returned: always
      sample: 10.0.2.10
    sync_state:
      description: Synchronisation state, as the appliance reports it.
      type: str
      returned: always
      sample: SUCCESS
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
      description: Whether something was changed on it, or would be in check mode.
      type: bool
      returned: always
    error:
      description: Why it failed, or null.
      type: str
      returned: always
    ha:
      description: As RV(ha).
      type: dict
      returned: always
      contains: *ha
nitro_errorcode:
  description: The appliance's error code.
  returned: when the appliance refused
  type: int
"""

from typing import Any

from ..module_utils.nitro import ha
from ..module_utils.nitro.ha_pairing import both_sides, one_side
from ..module_utils.nitro.module import run
from ..module_utils.nitro.one_or_many import one_or_many


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the options of this module, besides those of every NITRO module."""
    return {
        "peer": {"type": "str"},
        "node_id": {"type": "int", "default": 1},
        "inc": {"type": "bool", "default": True},
        "peer_password": {"type": "str", "no_log": True},
        "rpc_password": {"type": "str", "no_log": True},
        "update_rpc_password": {
            "type": "str",
            "choices": ["always", "on_create"],
            "default": "on_create",
            "no_log": False,
        },
        **{option: {"type": "int"} for option in ha.TUNABLES},
        "replace_peer": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait": {"type": "bool"},
        "wait_for": {"type": "str", "choices": ["synchronised", "paired"], "default": "synchronised"},
        "wait_timeout": {"type": "int", "default": 300},
    }


def main() -> None:
    module = one_or_many(argument_spec(), per_node=("peer",))
    if module.params["nodes"] is None and module.params["peer"] is None:
        module.fail_json(msg="missing required arguments: peer")
    work = one_side if module.params["nodes"] is None else both_sides
    run(module, lambda: work(module.params, check=module.check_mode, warn=module.warn))


if __name__ == "__main__":
    main()
