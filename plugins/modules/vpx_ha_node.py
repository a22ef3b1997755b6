#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_ha_node
short_description: Make a NetScaler VPX one side of an HA pair
version_added: 0.1.0
description:
  - Adds the other appliance as peer, tunes heartbeats, and gives the RPC nodes of both NSIPs a password and TLS.
  - It looks after one side only. Run it for each of the two appliances, with O(wait=true) for the second.
  - The appliance that becomes secondary takes over the primary's configuration, and with it the password of its users.
    While O(wait=true) lasts, logins that are refused for that reason are tried again.
  - An appliance that is as wanted costs one login, three reads (C(hanode), C(nsrpcnode), C(nsconfig)), with
    O(wait=true) a few more where the build does not say that synchronisation succeeded, one logout, and no write.
extends_documentation_fragment:
  - cloudadc.aws.nitro
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
      - NSIP of the other appliance.
    type: str
    required: true
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
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 300
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
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
  returned: always
  type: dict
  contains:
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
nitro_errorcode:
  description: The appliance's error code.
  returned: when the appliance refused
  type: int
"""

from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.core.nitro_errors import (
    FORCE_PASSWORD_CHANGE,
    NitroAuthError,
    NitroCut,
    NitroError,
    NitroGarbled,
    NitroUnreachable,
)
from ..module_utils.core.nitro_wire import as_int
from ..module_utils.nitro import ha
from ..module_utils.nitro.client import NitroClient
from ..module_utils.nitro.module import client_from, nitro_argument_spec, run
from ..module_utils.nitro.waiting import wait_until

_EXISTS = 273
# Looks, a second apart, after which a build that never says SUCCESS is believed, if no synchronisation failed between.
CALM_LOOKS = 3


class Pairing:
    """One run against one appliance: what was read, what is to be done."""

    def __init__(self, client: NitroClient, wanted: ha.Wanted, params: dict[str, Any]) -> None:
        self.client = client
        self.wanted = wanted
        self.params = params
        self.view = ha.View(None)
        self.unsaved = False
        self.saved = False
        self.failures: int | None = None
        self.calm = 0

    def read(self) -> ha.Plan:
        """Ask the appliance, three reads, and say what is missing."""
        self.look()
        rpc_nodes = self.client.get("nsrpcnode") if self.wanted.rpc else []
        self.unsaved = self.read_unsaved()
        return ha.plan(self.wanted, self.view, rpc_nodes)

    def look(self) -> None:
        self.view = ha.View.from_rows(self.client.get("hanode"))

    def read_unsaved(self) -> bool:
        return any(row.get("configchanged") is True for row in self.client.get("nsconfig"))

    def apply(self, changes: ha.Plan) -> None:
        """Write what is missing and save it."""
        for node_id in changes.remove:
            self.client.delete("hanode", node_id)
        if changes.add:
            self.add_peer(changes.add)
        if changes.tune:
            self.client.update("hanode", changes.tune)
        for address in changes.rpc:
            body = {"ipaddress": address, "password": self.params["rpc_password"], "secure": "YES"}
            self.client.update("nsrpcnode", body)
        self.save_if(not changes.empty or self.unsaved)

    def add_peer(self, body: Any) -> None:
        """Add the peer; an answer that got lost, or another run that was faster, is no failure if it is there now."""
        try:
            self.client.add("hanode", body)
        except NitroError as error:
            if not isinstance(error, NitroCut) and error.code != _EXISTS:
                raise ha.explained(error) from None
            self.look()
            if self.view.peer(self.wanted.peer) is None:
                raise

    def save_if(self, needed: bool) -> None:
        if needed and self.params["save_config"]:
            self.client.save()
            self.saved = True

    def wait(self) -> None:
        """Until the pair works. The secondary takes the primary's passwords: refused logins belong to the way there."""
        peer = self.wanted.peer
        trouble = [""]

        def synchronised() -> bool:
            try:
                self.look()
                ready = self.in_sync()
            except (NitroAuthError, NitroUnreachable, NitroGarbled) as error:
                trouble[0] = str(error)
                return False
            trouble[0] = ""
            return ready

        def last_state() -> str:
            state = trouble[0] or ha.describe(self.view, peer)
            return f"{self.client.connection.nsip}: the pair with {peer} did not come into sync: {state}"

        if not self.in_sync():
            wait_until(synchronised, self.params["wait_timeout"], last_state)
            # What came over from the primary is running, and would be lost with the next reboot if it is not saved.
            self.save_if(self.read_unsaved())

    def in_sync(self) -> bool:
        """Whether the last look shows a pair that works; failed synchronisations are counted only where needed."""
        if not ha.together(self.view, self.wanted.peer):
            self.calm = 0
            return False
        if ha.in_sync(self.view, self.wanted.peer):
            return True
        rows = self.client.stat("hanode")
        failures = as_int(rows[0].get("haerrsyncfailure"), 0) if rows else 0
        self.calm = self.calm + 1 if failures == self.failures else 0
        self.failures = failures
        return ha.in_sync(self.view, self.wanted.peer, calm=self.calm >= CALM_LOOKS)


def work(params: dict[str, Any], *, check: bool, warn: Callable[[str], None]) -> dict[str, Any]:
    """The whole job; in check mode nothing is written and nothing is waited for."""
    wanted = ha.Wanted.from_params(params)
    with client_from(params, other_password=params["peer_password"]) as client:
        pairing = Pairing(client, wanted, params)
        try:
            changes = pairing.read()
        except NitroError as error:
            foreseen = isinstance(error, NitroUnreachable) or error.code == FORCE_PASSWORD_CHANGE
            if not (check and foreseen):
                raise
            warn(f"{error}. The result is what a stand-alone appliance would need.")
            changes = ha.plan(wanted, pairing.view, [])
        before = pairing.view
        saving = params["save_config"] and pairing.unsaved
        if not check:
            pairing.apply(changes)
            if wanted.present and params["wait"]:
                pairing.wait()
            elif not changes.empty:
                pairing.look()
        return {
            "changed": not changes.empty or saving or pairing.saved,
            "ha": ha.summary(pairing.view, wanted.peer),
            "diff": ha.diff(wanted, before, changes),
        }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **nitro_argument_spec(),
            "peer": {"type": "str", "required": True},
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
            "wait": {"type": "bool", "default": False},
            "wait_timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    run(module, lambda: work(module.params, check=module.check_mode, warn=module.warn))


if __name__ == "__main__":
    main()
