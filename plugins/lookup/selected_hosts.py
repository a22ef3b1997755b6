# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Refuse a pattern of hosts that selects none."""

from __future__ import annotations

DOCUMENTATION = r"""
name: selected_hosts
short_description: Refuse a pattern of hosts that selects none
version_added: 0.2.0
description:
  - Returns the pattern as it is, for C(hosts) of a play.
  - Fails if the pattern matches no host, or if the limit of the command line excludes all that it matches. Ansible
    reports a play without hosts as a success.
author:
  - The cloudadc.aws contributors (@cloudadc)
options:
  _terms:
    description: The pattern.
    required: true
    type: list
    elements: str
  also:
    description: Patterns of the playbook's other plays. A limit to hosts of these is no error.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Tick an autoscale group
  hosts: "{{ lookup('cloudadc.aws.selected_hosts', autoscale_hosts | default('localhost')) }}"
  tasks: []
"""

RETURN = r"""
_raw:
  description: The patterns.
  type: list
  elements: str
"""

from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.filters import load_filters

# A play's hosts are the first thing that Ansible templates, in its main process.
load_filters()


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core has no type hints here
    """Match patterns against the inventory and the limit."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **options: Any) -> list[str]:
        """Return the patterns. Raises AnsibleError for one that selects no host."""
        known = variables or {}
        inventory, limit = self._inventory(known.get("groups") or {}), known.get("ansible_limit")
        for pattern in terms:
            inventory.subset(None)
            if not inventory.get_hosts(pattern):
                raise AnsibleError(f"The pattern '{pattern}' matches no host of the inventory: nothing would be done.")
            inventory.subset(limit)
            if not any(inventory.get_hosts(each) for each in (pattern, *options.get("also", ()))):
                raise AnsibleError(
                    f"The limit '{limit}' excludes {pattern}, on which this playbook works: nothing would be done. "
                    "Leave the limit out."
                )
        return terms

    def _inventory(self, groups: dict[str, Any]) -> InventoryManager:
        """Return an inventory of these groups and their hosts."""
        inventory = InventoryManager(self._loader, parse=False)
        for group, hosts in groups.items():
            inventory.add_group(group)
            for host in hosts:
                inventory.add_host(host, group=group)
        return inventory
