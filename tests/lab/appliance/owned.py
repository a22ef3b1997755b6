"""Addresses of an appliance of both IP versions: nsip and nsip6, and the IPSets that they are in."""

from __future__ import annotations

from .schema import Row
from .store import Config

#: The feature without which an appliance has no IPv6 address.
IPV6 = "IPv6PT"


def table_of(address: str) -> tuple[str, str]:
    """Return the type that holds an address, and the field in which it stands there."""
    return ("nsip6", "ipv6address") if ":" in address else ("nsip", "ipaddress")


def row_of(config: Config, address: str) -> Row | None:
    """Return the row of an address that is the appliance's own."""
    table, field = table_of(address)
    return config.first(table, **{field: address})


def ipsets_of(config: Config, address: str) -> set[str]:
    """Return the names of the IPSets that an address is in."""
    binding = "ipset_nsip6_binding" if ":" in address else "ipset_nsip_binding"
    return {row["name"] for row in config.find(binding, ipaddress=address)}
