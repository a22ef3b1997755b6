# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of vpx_shared_resources, as the desired state that they declare. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import Refusal
from ..spec.identity import Owner
from .security_rules import from_options
from .shared_resources import GroupSpec, RoleSpec, SharedSpec, group_name


def shared_spec(params: Mapping[str, Any]) -> SharedSpec:
    """Return what the options declare; raises Refusal where they contradict each other."""
    owner, absent = Owner(params["name"], params["kind"]), params["state"] == "absent"
    entries = [] if absent else params["security_groups"]
    roles = [entry["role"] for entry in entries]
    if len(set(roles)) != len(roles):
        raise Refusal(f"{owner}: security_groups has more than one entry for a role: {', '.join(roles)}")
    if entries and not params["vpc_id"]:
        raise Refusal(f"{owner}: vpc_id is required for security_groups")
    tags = {str(key): str(value) for key, value in (params["tags"] or {}).items()}
    for key, value in owner.tags.items():
        if tags.get(key, value) != value:
            raise Refusal(f"{owner}: tag {key} is {value!r}, but tags has {tags[key]!r}")
    names = {role: group_name(owner.name, role) for role in roles}
    return SharedSpec(
        owner=owner,
        vpc_id=params["vpc_id"] or "",
        role=RoleSpec(**params["role"]) if params["role"] else None,
        groups=tuple(
            GroupSpec(e["role"], names[e["role"]], e["description"], from_options(names[e["role"]], e["rules"], names))
            for e in entries
        ),
        key_name=None if absent else params["key_name"] or None,
        elastic_ip=params["elastic_ip"] and not absent,
        tags=tags,
    )
