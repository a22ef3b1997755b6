# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Option ``ha_pair_vips``: normalised, and every problem of it by itself and with the nodes of the pair. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .reading import Reader
from .vips import ELASTIC_IP, KINDS, LONGEST_TAG_VALUE, PRIVATE_IP, ROUTE, SNIP, Vip, addresses_of, has_ipv6

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,30}[A-Za-z0-9])?")
_WORD = re.compile(r"[A-Za-z0-9._:/+@-]+")
_TABLE = re.compile(r"rtb-[0-9a-f]+")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+")
_COMMON = frozenset({"name", "kind", "applications", "ipv6_address"})
_KEYS = {
    ELASTIC_IP: _COMMON | {"elastic_ip"},
    PRIVATE_IP: _COMMON | {"private_ip_address", "elastic_ip"},
    ROUTE: _COMMON | {"virtual_ip", "route_table_ids", "route_table_tags", "role_arn"},
}
_ADDRESS_KEYS = {ELASTIC_IP: "elastic_ip", PRIVATE_IP: "private_ip_address", ROUTE: "virtual_ip"}
#: AWS keeps it for services of instances: no route of a table may lead there (VPC user guide, route tables).
_RESERVED_IPV6 = ipaddress.IPv6Network("fd00:ec2::/32")


def read_vips(reader: Reader, ipset: str) -> list[dict[str, Any]]:
    """Return the normalised entries, Elastic IPs first, without their applications; adds every problem.

    Args:
        reader: of the variables of the pair.
        ipset: name of the pair's IPSets, before that of the VIP.
    """
    found = [_read(entry, number, reader.problems) for number, entry in enumerate(reader.mappings("vips"), 1)]
    names = [one["name"] for one in found if one["name"]]
    reader.problems += [f"Several VIPs are named {name}." for name in sorted(set(names)) if names.count(name) > 1]
    addresses = [address for one in found for address in addresses_of(one)]
    reader.problems += [
        f"Several VIPs have the address {one}." for one in sorted(set(addresses)) if addresses.count(one) > 1
    ]
    allocated = [one["name"] for one in found if one["kind"] == ELASTIC_IP and not one["address"]]
    if len(allocated) > 1:
        reader.problems.append(
            f"VIPs {', '.join(allocated)} name no elastic_ip: one Elastic IP is allocated for a pair. Name the others."
        )
    named = [{**one, "ipset": f"{ipset}-{one['name']}"} for one in found]
    return sorted(named, key=lambda one: (KINDS.index(one["kind"]), not one["address"]))


def _read(entry: Mapping[str, Any], number: int, problems: list[str]) -> dict[str, Any]:
    name = str(entry.get("name") or "").strip()
    who = f"VIP {name}: " if name else f"VIP {number}: "
    reader = Reader(entry, problems, who)
    kind = reader.choice("kind", KINDS, ELASTIC_IP)
    if not reader.given("kind"):
        problems.append(f"{who}its kind is missing, and must be one of {', '.join(KINDS)}.")
    elif kind == entry["kind"]:
        reader.unknown(_KEYS[kind])
    if not _NAME.fullmatch(name) or name == SNIP:
        problems.append(
            f"{who}its name names an IPSet and a tag: 1 to 32 letters, digits, - and _, the first and last a letter or "
            f"digit, and not {SNIP}."
        )
    key = _ADDRESS_KEYS[kind]
    found: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "address": reader.text(key) if kind == ELASTIC_IP else _canonical(reader.text(key)),
        "ipv6_address": _canonical(reader.text("ipv6_address")),
        "elastic_ip": reader.text("elastic_ip") if kind == PRIVATE_IP else "",
        "route_table_ids": reader.texts("route_table_ids") if kind == ROUTE else [],
        "route_table_tags": _table_tags(reader) if kind == ROUTE else {},
        "role_arn": reader.text("role_arn") if kind == ROUTE else "",
        "own_applications": entry.get("applications") is not None,
    }
    more = _elastic_problems(found) if kind == ELASTIC_IP else _address_problems(key, found)
    more += _table_problems(found) if kind == ROUTE else []
    problems += [f"{who}{problem}" for problem in more]
    return found


def _canonical(text: str) -> str:
    """Return an IPv6 address as AWS and appliances write it; what is none, as it is."""
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return text


def _elastic_problems(found: Mapping[str, Any]) -> list[str]:
    if not found["ipv6_address"]:
        return []
    return [
        "an Elastic IP is an IPv4 address, and no IPv6 address of one node follows to another subnet with it. Add a "
        "VIP of kind route (nodes in any subnets) or private_ip (nodes in one subnet) for IPv6."
    ]


def _address_problems(key: str, found: Mapping[str, Any]) -> list[str]:
    """Return what is against the addresses of an entry whose virtual servers have them themselves."""
    first, second = found["address"], found["ipv6_address"]
    if not first:
        return [f"{key}, the address of its virtual servers, is missing."]
    problems = [problem for one, text in ((key, first), ("ipv6_address", second)) for problem in _unusable(one, text)]
    if second and ":" not in second:
        problems.append(f"ipv6_address {second} is no IPv6 address. {key} is the place of an IPv4 address.")
    if second and ":" in first:
        problems.append(f"{key} and ipv6_address are both IPv6 addresses. Give the IPv4 address in {key}, or two VIPs.")
    if found["elastic_ip"] and ":" in first:
        problems.append(f"elastic_ip {found['elastic_ip']} needs an IPv4 address, and {key} {first} is none.")
    return problems


def _unusable(key: str, text: str) -> list[str]:
    if not text:
        return []
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return [f"{key} {text} is not an IP address."]
    special = isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped is not None or address.scope_id is not None or address.is_loopback
    )
    if address.is_multicast or address.is_unspecified or address.is_link_local or special:
        return [f"{key} {text} is no address at which clients could reach a virtual server."]
    if address in _RESERVED_IPV6:
        return [f"{key} {text} is in {_RESERVED_IPV6}, which AWS reserves for services of instances."]
    return []


def _table_tags(reader: Reader) -> dict[str, str]:
    given = {key: str(value) for key, value in reader.mapping("route_table_tags").items()}
    wrong = [key for key, value in given.items() if not (_WORD.fullmatch(key) and _WORD.fullmatch(value))]
    reader.problems += [
        f"{reader.where}route_table_tags: {key} and its value must be of letters, digits and . _ : / + @ -."
        for key in wrong
    ]
    return given


def _table_problems(found: Mapping[str, Any]) -> list[str]:
    tables, role, problems = found["route_table_ids"], found["role_arn"], []
    tags = found["route_table_tags"]
    if bool(tables) == bool(tags):
        problems.append(
            "route_table_ids or route_table_tags, the route tables of its clients, must be given, and not both."
        )
    wrong = [table for table in tables if not _TABLE.fullmatch(table)]
    if wrong:
        problems.append(f"{', '.join(wrong)} is no id of a route table, such as rtb-0123456789abcdef0.")
    twice = sorted({table for table in tables if tables.count(table) > 1})
    if twice:
        problems.append(f"route_table_ids names {', '.join(twice)} more than once.")
    if role and not _ROLE.fullmatch(role):
        problems.append(f"role_arn {role} is no ARN of a role.")
    vips = [
        Vip("", ROUTE, address, tables=tuple(tables), role_arn=role, table_tags=tuple(tags.items()))
        for address in addresses_of(found)
    ]
    if any(len(value) > LONGEST_TAG_VALUE for vip in vips for value in vip.tag().values()):
        problems.append(
            f"its route tables and role do not fit into a tag of an instance ({LONGEST_TAG_VALUE} characters). Name "
            "the tables by a tag of theirs, with route_table_tags."
        )
    return problems


# What a pair can have


def fit_problems(definition: Mapping[str, Any]) -> list[str]:
    """Return one message for each VIP that the nodes cannot have, by their subnets and their network configuration."""
    vips, nodes, inc = definition["vips"], definition["nodes"], definition["inc"]
    problems = []
    apart = [role for role in ("client", "server", "management") if len({n[f"{role}_subnet_id"] for n in nodes}) > 1]
    for one in vips:
        if one["kind"] == PRIVATE_IP and "client" in apart:
            problems.append(
                f"VIP {one['name']}: a private address belongs to one subnet, and the client interfaces of the nodes "
                "are in two. Use kind route or elastic_ip, or put both nodes into one subnet."
            )
    problems += _family_problems(definition)
    return problems if inc else [*problems, *_shared_problems(definition, apart)]


def _family_problems(definition: Mapping[str, Any]) -> list[str]:
    """Return what keeps clients of one IP version from a virtual server, or its replies from them."""
    vips, cidrs = definition["vips"], definition["client_cidrs"]
    if not has_ipv6(vips):
        useless = ", ".join(cidr for cidr in cidrs if ":" in cidr)
        what = "which clients of no VIP have: ha_pair_vips names no IPv6 address"
        return [f"ha_pair_client_cidrs: {useless} is an IPv6 network, {what}."] if useless else []
    named = ", ".join(one["name"] for one in vips if has_ipv6([one]))
    problems = []
    if cidrs and not any(":" in cidr for cidr in cidrs):
        problems.append(
            f"VIP {named} has an IPv6 address, and ha_pair_client_cidrs names no IPv6 network, so that the security "
            "group admits no client of it. Add the networks of IPv6 clients, such as ::/0."
        )
    if definition["return_path"] == "pbr":
        problems.append(
            f"ha_pair_return_path=pbr: policy-based routes are made for IPv4 only, and replies to IPv6 clients of VIP "
            f"{named} would have no way back. Use mbf."
        )
    return problems


def _shared_problems(definition: Mapping[str, Any], apart: Sequence[str]) -> list[str]:
    """Return what keeps nodes from sharing their network configuration (no INC)."""
    problems = []
    if apart:
        problems.append(
            f"ha_pair_inc=false needs both nodes in the same subnets, because they share SNIPs and VIPs; their "
            f"{' and '.join(apart)} subnets differ. Leave ha_pair_inc at true for nodes in two subnets or zones."
        )
    if not definition["snip"]:
        problems.append(
            "ha_pair_inc=false needs ha_pair_snip: a free address of the server subnet, which both nodes share as SNIP "
            "and which moves with the primary."
        )
    if definition["return_path"] == "pbr":
        problems.append(
            "ha_pair_return_path=pbr needs a SNIP of each node in its client subnet, which nodes with "
            "ha_pair_inc=false do not have. Use mbf."
        )
    elastic = [one["name"] for one in definition["vips"] if one["kind"] == ELASTIC_IP]
    if elastic or not definition["vips"]:
        named = f"VIP {', '.join(elastic)} is" if elastic else "without ha_pair_vips its VIP is"
        problems.append(
            f"ha_pair_inc=false: {named} of kind elastic_ip, which joins an address of each node. Nodes that share "
            "their VIPs need kind private_ip (an Elastic IP that is associated with it follows by itself) or route."
        )
    return problems
