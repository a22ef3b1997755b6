# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The VIPs of a pair: option ``ha_pair_vips``, normalised, and the tags in which instances keep them. Pure.

An Elastic IP is found by its own tags. A private address and a route have none, so the instances of the pair carry a
tag for each: a failover on any controller knows by them what follows the primary.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .reading import Reader

ELASTIC_IP, PRIVATE_IP, ROUTE = "elastic_ip", "private_ip", "route"
KINDS = (ELASTIC_IP, PRIVATE_IP, ROUTE)
#: Tag of an instance; the name of the VIP follows it.
TAG_PREFIX = "cloudadc:vip:"
#: Name of the tag of the SNIP that both nodes of a pair without independent network configuration share.
SNIP = "snip"
#: EC2 user guide, tag restrictions.
LONGEST_TAG_VALUE = 256
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,30}[A-Za-z0-9])?")
_WORD = re.compile(r"[A-Za-z0-9._:/+@-]+")
_TABLE = re.compile(r"rtb-[0-9a-f]+")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+")
_COMMON = frozenset({"name", "kind", "applications"})
_KEYS = {
    ELASTIC_IP: _COMMON | {"elastic_ip"},
    PRIVATE_IP: _COMMON | {"private_ip_address"},
    ROUTE: _COMMON | {"virtual_ip", "route_table_ids", "route_table_tags", "role_arn"},
}


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
    def serves(self) -> bool:
        """Whether virtual servers answer at it; the shared SNIP opens connections only."""
        return self.role == "client"

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
            one["name"],
            one["kind"],
            one["address"],
            tables=tuple(one["route_table_ids"]),
            role_arn=one["role_arn"],
            table_tags=tuple(sorted(one["route_table_tags"].items())),
        )
        for one in definition["vips"]
        if one["address"]
    ]
    snip = [Vip(SNIP, PRIVATE_IP, definition["snip"], "server")] if definition["snip"] else []
    return (*found, *snip)


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


# Reading the option


def read_vips(reader: Reader, ipset: str) -> list[dict[str, Any]]:
    """Return the normalised entries, Elastic IPs first, without their applications; adds every problem.

    Args:
        reader: of the variables of the pair.
        ipset: name of the pair's IPSets, before that of the VIP.
    """
    found = [_read(entry, number, reader.problems) for number, entry in enumerate(reader.mappings("vips"), 1)]
    names = [one["name"] for one in found if one["name"]]
    reader.problems += [f"Several VIPs are named {name}." for name in sorted(set(names)) if names.count(name) > 1]
    addresses = [one["address"] for one in found if one["address"]]
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
    key = {ELASTIC_IP: "elastic_ip", PRIVATE_IP: "private_ip_address", ROUTE: "virtual_ip"}[kind]
    found: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "address": reader.text(key),
        "route_table_ids": reader.texts("route_table_ids") if kind == ROUTE else [],
        "route_table_tags": _table_tags(reader) if kind == ROUTE else {},
        "role_arn": reader.text("role_arn") if kind == ROUTE else "",
        "own_applications": entry.get("applications") is not None,
    }
    if kind != ELASTIC_IP:
        problems += [f"{who}{problem}" for problem in _address_problems(kind, key, found["address"])]
    problems += [f"{who}{problem}" for problem in (_table_problems(found) if kind == ROUTE else [])]
    return found


def _address_problems(kind: str, key: str, text: str) -> list[str]:
    if not text:
        return [f"{key}, the address of its virtual servers, is missing."]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return [f"{key} {text} is not an IP address."]
    if address.version == 6:
        return [
            f"{key} {text} is an IPv6 address. The appliance moves IPv6 addresses itself between nodes of one subnet; "
            "this collection moves IPv4 addresses."
        ]
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return [f"{key} {text} is no address at which clients could reach a virtual server."]
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
    vip = Vip("", ROUTE, found["address"], tables=tuple(tables), role_arn=role, table_tags=tuple(tags.items()))
    [value] = vip.tag().values()
    if len(value) > LONGEST_TAG_VALUE:
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
    return problems if inc else [*problems, *_shared_problems(definition, apart)]


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
