# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of playbook controller: inventories and hosts for pairs and groups, and secrets in their definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Definition = Mapping[str, Any]


def controller_inventories(definitions: Sequence[Definition], organization: str) -> list[dict[str, Any]]:
    """Return an inventory for each pair and group, with its definition, and one for the zones of all groups."""
    found: list[dict[str, Any]] = [
        {
            "name": "cloudadc zones",
            "organization": organization,
            "description": "Every zone of every autoscale group",
        }
    ]
    for each in definitions:
        pair = "ha_pair_name" in each
        found.append(
            {
                "name": f"cloudadc {'pair' if pair else 'group'} {_name(each)}",
                "organization": organization,
                "description": "A VPX pair" if pair else "An autoscale group",
                "variables": dict(each),
            }
        )
    return found


def controller_hosts(groups: Sequence[Definition]) -> list[dict[str, Any]]:
    """Return a host for each zone of each group, with the definition of the group and the zone."""
    return [
        {
            "name": f"{_name(group)}@{zone['name']}",
            "inventory": "cloudadc zones",
            "variables": {**group, "autoscale_group_zone": zone},
        }
        for group in groups
        for zone in group["autoscale_group_zones"]
    ]


def controller_secrets(definitions: Sequence[Definition]) -> list[str]:
    """Return "name: variable" for each variable that holds a secret and must not be in a definition."""
    return [
        f"{_name(each)}: {variable}"
        for each in definitions
        for variable, value in each.items()
        if variable.endswith("_password")
        or (variable == "autoscale_group_console" and value)
        or (variable in _APPLICATIONS and _has_key(value))
        or (variable.endswith("_management_certificate") and _has_key([{"certificate": value}]))
        or (variable == "ha_pair_vips" and any(map(_has_key, _of_vips(value))))
    ]


_APPLICATIONS = frozenset({"ha_pair_application", "ha_pair_applications", "autoscale_group_applications"})


def _of_vips(vips: Any) -> list[Any]:
    """Return the applications of each VIP."""
    return [one.get("applications") for one in vips or [] if isinstance(one, Mapping)]


def _has_key(applications: Any) -> bool:
    """Return whether one of them holds a private key or its passphrase itself, and not a template that looks it up."""
    entries = [applications] if isinstance(applications, Mapping) else applications or []
    certificates = [each.get("certificate") or {} for each in entries if isinstance(each, Mapping)]
    values = [each.get(name) for each in certificates if isinstance(each, Mapping) for name in ("key", "passphrase")]
    return any(value and "{{" not in str(value) for value in values)


def _name(definition: Definition) -> str:
    return str(definition.get("ha_pair_name") or definition["autoscale_group_name"])


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {
            "controller_inventories": controller_inventories,
            "controller_hosts": controller_hosts,
            "controller_secrets": controller_secrets,
        }
