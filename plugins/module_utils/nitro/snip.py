# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Subnet addresses (SNIP): from which an appliance connects to back ends (NITRO nsip, type SNIP). Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.nitro_errors import NitroInputError
from .steps import Change, Row, whole

SNIP = "SNIP"
# Ids of cluster nodes; an address that belongs to all of them reads 255 (NITRO nsip, ownernode).
NODE_IDS = range(32)


@dataclass(frozen=True, slots=True)
class DesiredSnip:
    """``netmask`` is dotted, or None where there shall be no such address. ``owner_node`` None: left as it is."""

    nsip: str
    ip_address: str
    netmask: str | None
    owner_node: int | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> DesiredSnip:
        """Return the options of vpx_snip in canonical form. Raises NitroInputError."""
        present, owner = params["state"] == "present", params.get("owner_node")
        try:
            network = ipaddress.IPv4Interface(f"{params['ip_address']}/{params['netmask'] if present else 32}")
        except ValueError as error:
            raise NitroInputError(f"{params['nsip']}: SNIP {params['ip_address']}: {error}") from error
        if owner is not None and owner not in NODE_IDS:
            raise NitroInputError(f"{params['nsip']}: SNIP {network.ip}: owner_node must be from 0 to 31, not {owner}")
        return cls(params["nsip"], str(network.ip), str(network.netmask) if present else None, owner)


def plan(desired: DesiredSnip, rows: Sequence[Row]) -> list[Change]:
    """Return the writes. ``rows``: the nsip of that address, if any. Raises NitroInputError if it is no SNIP."""
    row = rows[0] if rows else None
    if row is not None and row.get("type") != SNIP:
        raise NitroInputError(f"{desired.nsip}: {desired.ip_address} is a {row.get('type')} there, not a {SNIP}")
    gone = [Change("delete", "nsip", name=desired.ip_address)] if row else []
    if desired.netmask is None:
        return gone
    body = {"ipaddress": desired.ip_address, "netmask": desired.netmask}
    if row is None or desired.owner_node not in (None, owner_of(row)):
        # The owner is given when an address is added and at no other time (NITRO nsip, update).
        owner = {} if desired.owner_node is None else {"ownernode": desired.owner_node}
        return [*gone, Change("add", "nsip", body={**body, "type": SNIP, **owner})]
    return [] if row.get("netmask") == desired.netmask else [Change("update", "nsip", body=body)]


def owner_of(row: Row) -> int | None:
    """Return the cluster node that alone has the address; None if all have it, or without a cluster."""
    owner = whole(row.get("ownernode"))
    return owner if owner in NODE_IDS else None


def describe(rows: Sequence[Row]) -> dict[str, Any] | None:
    """Return the present state, as the module returns it."""
    return _reported(rows[0].get("ipaddress"), rows[0].get("netmask"), owner_of(rows[0])) if rows else None


def predict(desired: DesiredSnip, rows: Sequence[Row]) -> dict[str, Any] | None:
    """Predict the state after the plan; ``rows`` are the present ones."""
    if desired.netmask is None:
        return None
    kept = owner_of(rows[0]) if rows else None
    return _reported(desired.ip_address, desired.netmask, kept if desired.owner_node is None else desired.owner_node)


def _reported(ip_address: object, netmask: object, owner: int | None) -> dict[str, Any]:
    spotted = {} if owner is None else {"owner_node": owner}
    return {"ip_address": ip_address, "netmask": netmask, **spotted}
