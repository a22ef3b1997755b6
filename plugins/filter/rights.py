# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of role rights: what an administrator creates, and the policies of controllers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..module_utils.spec.rights_request import allocation_ids, documents, read_owners


def rights_owners(roles: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the pair and the group that the variables of roles define."""
    return read_owners(dict(zip(names, roles, strict=True)))


def rights_addresses(addresses: Sequence[Mapping[str, Any]], owner: Mapping[str, Any]) -> list[str]:
    """Return the allocation ids of the Elastic IPs that an owner's definition names."""
    return allocation_ids(addresses, owner)


def rights_documents(
    policies: Sequence[Mapping[str, Any]],
    owner: Mapping[str, Any],
    roles: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    boundary: str,
    elastic_ips: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """Return the policies of an owner's controllers, narrowed to it, by file name."""
    return documents(policies, owner, dict(zip(names, roles, strict=True)), boundary, elastic_ips)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {
            "rights_addresses": rights_addresses,
            "rights_documents": rights_documents,
            "rights_owners": rights_owners,
        }
