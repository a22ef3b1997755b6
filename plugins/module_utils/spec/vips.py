# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The VIPs of a pair, and the tags in which instances keep them. Pure.

An Elastic IP is found by its own tags. A private address and a route have none, so the instances of the pair carry a
tag for each: a failover on any controller knows by them what follows the primary. A VIP with an IPv4 and an IPv6
address is two things that follow, with a tag for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ELASTIC_IP, PRIVATE_IP, ROUTE = "elastic_ip", "private_ip", "route"
KINDS = (ELASTIC_IP, PRIVATE_IP, ROUTE)
#: Tag of an instance; the name of the VIP follows it.
TAG_PREFIX = "cloudadc:vip:"
#: Name of the tag of the SNIP that both nodes of a pair without independent network configuration share.
SNIP = "snip"
#: EC2 user guide, tag restrictions.
LONGEST_TAG_VALUE = 256
#: Ends the name of the IPv6 address of a VIP that has an IPv4 address as well; no name of a VIP has a dot.
IPV6 = ".ipv6"


@dataclass(frozen=True, slots=True)
class Vip:
    """What follows the primary, as a definition or a tag names it.

    ``address``: of the virtual servers; of an Elastic IP it is the public address or allocation id. ``role``: the
    interface of a node that holds it. ``tables``: route tables; ``table_tags``: tags of them instead; ``role_arn``:
    with whose rights they are changed, empty for those of the caller.
    """

    name: str
    kind: str
    address: str
    role: str = "client"
    tables: tuple[str, ...] = ()
    role_arn: str = ""
    table_tags: tuple[tuple[str, str], ...] = ()

    @property
    def owner(self) -> str:
        """Return the name of the entry of ``ha_pair_vips``, with or without an IPv4 address beside this one."""
        return self.name.removesuffix(IPV6)

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.address

    @property
    def serves(self) -> bool:
        """Whether virtual servers answer at it; the shared SNIP opens connections only."""
        return self.role == "client"

    @property
    def destination(self) -> str:
        """Return the range of the routes to it."""
        return f"{self.address}/{128 if self.is_ipv6 else 32}"

    def tag(self) -> dict[str, str]:
        """Return the tag in which instances keep it."""
        words = [self.kind, self.address, *self.tables, *(f"tag:{key}={value}" for key, value in self.table_tags)]
        words += [self.role] if self.role != "client" else []
        words += [self.role_arn] if self.role_arn else []
        return {f"{TAG_PREFIX}{self.name}": " ".join(words)}


def vips_of_tags(tags: Iterable[Mapping[str, str]]) -> tuple[Vip, ...]:
    """Return the VIPs that instances of a pair carry, by name, each once. An emptied tag names none."""
    found = {key: value for one in tags for key, value in one.items() if key.startswith(TAG_PREFIX) and value.strip()}
    return tuple(_of_tag(key.removeprefix(TAG_PREFIX), value.split()) for key, value in sorted(found.items()))


def _of_tag(name: str, words: Sequence[str]) -> Vip:
    more = words[2:]
    return Vip(
        name,
        words[0],
        words[1] if len(words) > 1 else "",
        next((word for word in more if word in ("client", "server")), "client"),
        tuple(word for word in more if word.startswith("rtb-")),
        next((word for word in more if word.startswith("arn:")), ""),
        tuple(_table_tag(word.removeprefix("tag:")) for word in more if word.startswith("tag:")),
    )


def _table_tag(text: str) -> tuple[str, str]:
    key, _equals, value = text.partition("=")
    return key, value


def vips_of(definition: Mapping[str, Any]) -> tuple[Vip, ...]:
    """Return the VIPs of a normalised definition that instances keep in tags."""
    found = [
        Vip(
            name,
            one["kind"],
            address,
            tables=tuple(one["route_table_ids"]),
            role_arn=one["role_arn"],
            table_tags=tuple(sorted(one["route_table_tags"].items())),
        )
        for one in definition["vips"]
        for name, address in ((one["name"], one["address"]), (one["name"] + IPV6, one.get("ipv6_address")))
        if address
    ]
    snip = [Vip(SNIP, PRIVATE_IP, definition["snip"], "server")] if definition["snip"] else []
    return (*found, *snip)


def addresses_of(vip: Mapping[str, Any]) -> list[str]:
    """Return the addresses of a normalised entry at which virtual servers answer, IPv4 first."""
    return [address for address in (vip["address"], vip.get("ipv6_address")) if address]


def following(vips: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the Elastic IPs that follow a private address, by the address, as the normalised entries name them."""
    return {vip["address"]: vip["elastic_ip"] for vip in vips if vip.get("elastic_ip")}


def has_ipv6(vips: Iterable[Mapping[str, Any]]) -> bool:
    """Whether clients reach one of these normalised entries by IPv6."""
    return any(":" in address for vip in vips for address in addresses_of(vip))


def floating(vips: Iterable[Vip]) -> frozenset[str]:
    """Return the private addresses that move, which are no addresses of a node's own."""
    return frozenset(vip.address for vip in vips if vip.kind == PRIVATE_IP)


def tags_of(definition: Mapping[str, Any], present: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the tags of the instances of a pair: one for each VIP, and an empty one for each that is no more.

    Args:
        definition: The pair.
        present: The tags of each of its live instances.
    """
    stale = {key: "" for one in present for key in one if key.startswith(TAG_PREFIX)}
    return {**stale, **{key: value for vip in vips_of(definition) for key, value in vip.tag().items()}}


def entry_name(entry: Mapping[str, Any]) -> str:
    """Return how messages and differences call an entry of ``moves``, desired or as a module returns it."""
    if entry.get("elastic_ip"):
        return str(entry["elastic_ip"])
    tables = entry.get("route_table_id") or ", ".join(entry.get("route_table_ids") or [])
    where = f" in {tables}" if tables else ""
    return f"{entry.get('private_ip_address') or entry.get('destination')}{where}"
