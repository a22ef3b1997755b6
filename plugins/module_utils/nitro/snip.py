# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Subnet addresses (SNIP): from which an appliance speaks to back ends (NITRO nsip, type SNIP). Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import NitroInputError
from .steps import Row, Step

SNIP = "SNIP"


@dataclass(frozen=True, slots=True)
class Wanted:
    """``netmask`` is dotted, or None where there shall be no such address."""

    nsip: str
    ip_address: str
    netmask: str | None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Wanted:
        """The options of vpx_snip in canonical form. Raises NitroInputError."""
        present = params["state"] == "present"
        try:
            network = ipaddress.IPv4Interface(f"{params['ip_address']}/{params['netmask'] if present else 32}")
        except ValueError as error:
            raise NitroInputError(f"{params['nsip']}: SNIP {params['ip_address']}: {error}") from error
        return cls(params["nsip"], str(network.ip), str(network.netmask) if present else None)


def plan(wanted: Wanted, rows: Sequence[Row]) -> list[Step]:
    """What to write. ``rows``: the nsip of that address, if there is one. Raises NitroInputError if it is no SNIP."""
    row = rows[0] if rows else None
    if row is not None and row.get("type") != SNIP:
        raise NitroInputError(f"{wanted.nsip}: {wanted.ip_address} is a {row.get('type')} there, not a {SNIP}")
    if wanted.netmask is None:
        return [Step("delete", "nsip", name=wanted.ip_address)] if row else []
    body = {"ipaddress": wanted.ip_address, "netmask": wanted.netmask}
    if row is None:
        return [Step("add", "nsip", body={**body, "type": SNIP})]
    return [] if row.get("netmask") == wanted.netmask else [Step("update", "nsip", body=body)]


def describe(rows: Sequence[Row]) -> dict[str, Any] | None:
    """What is there, as the module returns it."""
    return {"ip_address": rows[0].get("ipaddress"), "netmask": rows[0].get("netmask")} if rows else None


def foretell(wanted: Wanted) -> dict[str, Any] | None:
    """What will be there."""
    return {"ip_address": wanted.ip_address, "netmask": wanted.netmask} if wanted.netmask else None
