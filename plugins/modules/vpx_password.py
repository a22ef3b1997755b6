#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vpx_password
short_description: Change the password of an account on all nodes of a pair, cluster or group
version_added: 0.2.0
author:
  - The cloudadc.aws contributors (@cloudadc)
description:
  - Changes the password of O(nitro_user) from O(present_password) to O(new_password), verifies it by a new login, and
    saves the configuration.
  - Each node may have the one or the other password, so an interrupted run is completed by the next one. The new
    password is tried first.
  - If a node refuses both, it fails without a further login, because an appliance may lock the account. The other nodes
    are completed.
  - In a pair the primary is changed first. It propagates the change to the secondary, which is changed itself if it did
    not take it over.
  - A cluster is changed at O(clip). A member that missed the change is synchronised from the coordinator.
  - Calls. For a node with the new password one login, one GET (with O(topology=pair) two) and one logout. For one with
    the present password one refused login and three accepted ones at most, one write and one save.
extends_documentation_fragment:
  - cloudadc.aws.nitro.one_or_many
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
attributes:
  check_mode:
    details:
      - Logs in to each node with the new and then the present password. Nothing is written.
options:
  new_password:
    description: The desired password.
    type: str
    required: true
  present_password:
    description:
      - The password that nodes have until it is changed.
      - O(nitro_pass) and O(nitro_auth_token) are not used.
    type: str
    required: true
  topology:
    description:
      - How the nodes depend on each other. V(independent) nodes are changed in parallel, the two nodes of a V(pair) one
        after another, and a V(cluster) at O(clip).
    type: str
    choices: [independent, pair, cluster]
    default: independent
  clip:
    description: Address of the cluster, with C(:port) as O(nsip). Required if O(topology=cluster).
    type: str
  nodes:
    description: Many appliances instead of one O(nsip).
    type: list
    elements: dict
    suboptions:
      nsip:
        description: Address of the appliance's management interface, as O(nsip).
        type: str
        required: true
  wait_timeout:
    description: Seconds within which each member of a cluster must accept the new password.
    type: int
    default: 120
seealso:
  - module: cloudadc.aws.vpx_bootstrap
"""

EXAMPLES = r"""
- name: Change the password of a pair
  cloudadc.aws.vpx_password:
    topology: pair
    nodes:
      - nsip: 10.0.1.10
      - nsip: 10.0.11.10
    ca_path: /etc/ssl/certs/adc-ca.pem
    present_password: "{{ vault_present_adc_password }}"
    new_password: "{{ vault_adc_password }}"

- name: Change the password of a cluster
  cloudadc.aws.vpx_password:
    topology: cluster
    clip: 10.0.1.100
    nodes:
      - nsip: 10.0.1.10
      - nsip: 10.0.1.11
    ca_path: /etc/ssl/certs/adc-ca.pem
    present_password: "{{ vault_present_adc_password }}"
    new_password: "{{ vault_adc_password }}"
"""

RETURN = r"""
password_changed:
  description: Whether the password was replaced, or would be in check mode.
  returned: success, with O(nsip)
  type: bool
saved:
  description: Whether the configuration was saved, or would be in check mode.
  returned: success, with O(nsip)
  type: bool
nitro_errorcode:
  description: The appliance's error code.
  returned: when the appliance refused, with O(nsip)
  type: int
nodes:
  description:
    - One entry an appliance, in the order of O(nodes), that of O(clip) first. Also returned when the task failed.
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
    password_changed:
      description: As RV(password_changed).
      type: bool
      returned: when it did not fail
    saved:
      description: As RV(saved).
      type: bool
      returned: when it did not fail
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..module_utils.core.nitro_errors import NitroError
from ..module_utils.nitro.client import NitroClient
from ..module_utils.nitro.one_or_many import Job, finish, one_or_many, prepare
from ..module_utils.nitro.rotation import Accepted, Account, Rotation, rotate_cluster, rotate_each, rotate_pair

TOPOLOGIES = ("independent", "pair", "cluster")


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the options of this module, besides those of every NITRO module."""
    return {
        "new_password": {"type": "str", "required": True, "no_log": True},
        "present_password": {"type": "str", "required": True, "no_log": True},
        "topology": {"type": "str", "choices": list(TOPOLOGIES), "default": "independent"},
        "clip": {"type": "str"},
        "wait_timeout": {"type": "int", "default": 120},
    }


def rotation_of(job: Job) -> Rotation:
    """Return the work on one appliance."""

    def connect(password: str, other: str | None) -> NitroClient:
        return NitroClient(replace(job.connection(), token=None, password=password, other_password=other))

    params = job.params
    account = Account(params["nitro_user"], params["new_password"], params["present_password"], params["save_config"])
    return Rotation(job.nsip, connect, account)


def outcome(node: Rotation, *, check: bool) -> Mapping[str, Any] | NitroError:
    """Return the result for one appliance."""
    if node.error is not None:
        return node.error
    changed = node.found is Accepted.PRESENT
    saved = node.saved or (check and changed and node.account.save)
    return {
        "changed": changed or saved,
        "password_changed": changed,
        "saved": saved,
        "diff": {"before": {"password": "present" if changed else "new"}, "after": {"password": "new"}},
    }


def with_clip(jobs: Sequence[Job], params: Mapping[str, Any]) -> list[Job]:
    """Return the jobs, that of the address of the cluster first."""
    return [Job({**jobs[0].params, "nsip": params["clip"]}, jobs[0].check), *jobs]


def rotate(nodes: Sequence[Rotation], params: Mapping[str, Any], *, check: bool) -> None:
    """Change all, each kind of topology in its order."""
    match params["topology"]:
        case "cluster":
            rotate_cluster(nodes[0], nodes[1:], params["wait_timeout"], check=check)
        case "pair":
            rotate_pair(nodes, check=check)
        case _:
            rotate_each(nodes, check=check)


def main() -> None:
    module = one_or_many(argument_spec(), per_node=(), required_if=[("topology", "cluster", ("clip", "nodes"))])
    jobs = prepare(module)
    if module.params["topology"] == "cluster" and jobs:
        jobs = with_clip(jobs, module.params)
    nodes = [rotation_of(job) for job in jobs]
    try:
        rotate(nodes, module.params, check=module.check_mode)
    finally:
        for node in nodes:
            node.close()
    finish(module, jobs, [outcome(node, check=module.check_mode) for node in nodes])


if __name__ == "__main__":
    main()
