#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_ha_node
short_description: Make NetScaler VPX appliances the sides of an HA pair
version_added: 0.1.0
description:
  - Adds the other appliance as peer, tunes heartbeats, and gives the RPC nodes of both NSIPs a password and TLS.
  - With O(nodes) it makes both sides in one call and waits until they are in sync. With O(nsip) it looks after one side
    only; run it for each of the two appliances then, with O(wait=true) for the second.
  - The appliance that becomes secondary takes over the primary's configuration, and with it the password of its users.
    While O(wait=true) lasts, logins that are refused for that reason are tried again.
  - An appliance that is as wanted costs one login, three reads (C(hanode), C(nsrpcnode), C(nsconfig)), with
    O(wait=true) a few more where the build does not say that synchronisation succeeded, one logout, and no write.
extends_documentation_fragment:
  - cloudadc.aws.nitro.one_or_many
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
attributes:
  check_mode:
    details:
      - For an appliance that cannot be reached, or still has its first password, it predicts what a stand-alone
        appliance would need.
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
      - Both appliances of the pair, exactly two. The first is told of its peer, then the second; then the task waits
        until both see each other and are in sync. Give the one whose configuration shall win first.
      - Each is logged in to with O(nitro_user) and O(nitro_pass), once; O(nitro_auth_token) is not used.
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
          - NSIP of the other appliance. Left out, it is the address of the other entry.
        type: str
  node_id:
    description:
      - Number by which this appliance knows its peer, 1 to 64. A peer that is known by another number is left as it is.
    type: int
    default: 1
  inc:
    description:
      - Independent network configuration, which appliances in different subnets need. It cannot be changed in a pair.
    type: bool
    default: true
  peer_password:
    description:
      - Password of O(nitro_user) on O(peer), where it is not O(nitro_pass). Whichever appliance becomes secondary takes
        over the primary's. It is tried when O(nitro_pass) is refused.
    type: str
  rpc_password:
    description:
      - Password with which the two appliances speak to each other, the same on both. With it their channel is set to
        be secure (TLS). Without it neither is touched.
    type: str
  update_rpc_password:
    description:
      - When to write O(rpc_password), which cannot be read back.
      - V(on_create) when the peer is added, where the channel is not secure, and when synchronisation has failed.
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
      - Whether a peer with another address may be removed to make room for O(peer), as after a node was rebuilt.
        Otherwise it is named and nothing is changed.
    type: bool
    default: false
  state:
    description:
      - V(present) pairs this side with O(peer), V(absent) removes O(peer) from this side. Another peer stays.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait until both see each other, one primary and one secondary, and synchronisation succeeded.
      - Left out, it is V(true) with O(nodes) and V(false) with O(nsip).
    type: bool
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 300
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Make two appliances a pair, and wait until they are in sync
  cloudadc.aws.vpx_ha_node:
    nitro_pass: "{{ vault_adc_password }}"
    ca_path: /etc/ssl/certs/adc-ca.pem
    rpc_password: "{{ vault_adc_rpc_password }}"
    nodes:
      - nsip: 10.0.1.10
        peer: 10.0.2.10
      - nsip: 10.0.2.10
        peer: 10.0.1.10

- name: Tell the first appliance of its peer
  cloudadc.aws.vpx_ha_node:
    nsip: 10.0.1.10
    nitro_pass: "{{ vault_adc_password }}"
    ca_path: /etc/ssl/certs/adc-ca.pem
    peer: 10.0.2.10
    rpc_password: "{{ vault_adc_rpc_password }}"

- name: Tell the second, and wait until they are in sync
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
  description: What this appliance says of the pair.
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
      description: How synchronisation went, in the appliance's word.
      type: str
      returned: always
      sample: SUCCESS
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
    """The options of this module, besides those of every NITRO module."""
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
