# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tags by which a fleet is found again. They are the truth about a node; no controller keeps a list. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..spec import identity as owners
from ..spec.identity import Owner

GROUP = owners.GROUP
KIND = owners.KIND
ZONE = "cloudadc:zone"
NODE_ID = "cloudadc:node_id"
LIFECYCLE = "cloudadc:lifecycle"
EVENT = "cloudadc:event"
ROLE = "cloudadc:role"
#: SHA-256 fingerprint of the management certificate of an appliance, pinned at the first contact.
FINGERPRINT = "cloudadc:management_fingerprint"
# Tag of an instance that was launched in place of another one: the id of that one. By it a repeated request is known.
REPLACES = "cloudadc:replaces"
# Tag of an instance of a group that is to be replaced: how. A scale-in of its zone removes it before any other.
REPLACE = "cloudadc:replace"
# Tag of resources that vpx_instance created and may therefore remove. Resources without it are never removed.
CREATED_BY = "cloudadc:created_by"
CREATOR = "vpx_instance"

ROLES = ("management", "client", "server")
PROVISIONING = "provisioning"
JOINING = "joining"
IN_SERVICE = "in_service"
DRAINING = "draining"
TERMINATING = "terminating"
SPARE = "spare"
LIFECYCLES = (PROVISIONING, JOINING, IN_SERVICE, DRAINING, TERMINATING, SPARE)


def identity(group: str, zone: str | None, node_id: int | None, kind: str | None = None) -> dict[str, str]:
    """Return the tags that every instance, interface, address and volume of a set carries."""
    tags = Owner(group, kind).tags
    if zone is not None:
        tags[ZONE] = zone
    if node_id is not None:
        tags[NODE_ID] = str(node_id)
    return tags


def missing(present: Mapping[str, str], desired: Mapping[str, str]) -> dict[str, str]:
    """Return the desired tags that are absent or have another value. Other tags are ignored."""
    return {key: value for key, value in desired.items() if present.get(key) != value}


def carries(present: Mapping[str, str], desired: Mapping[str, str]) -> bool:
    return not missing(present, desired)


def as_filters(desired: Mapping[str, str]) -> dict[str, str]:
    """Return the same selection as filters of an EC2 describe call."""
    return {f"tag:{key}": value for key, value in desired.items()}
