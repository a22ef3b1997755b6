# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What of a backup goes to a rebuilt node, and what is left out, with the reason. Pure.

The definition comes first: what it makes is on the node already, by its own applications. What belongs to one
instance (its addresses, HA, RPC, interfaces, licence, users) must not reach another one.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .application import MARK
from .certificates import is_uploaded
from .ns_commands import Translated, Translator
from .ns_conf import Command

Reason = Literal[
    "instance", "definition", "user", "secret", "different", "missing_file", "unsupported", "refused", "network"
]
DETAILS: Mapping[Reason, str] = {
    "instance": "belongs to the instance that was backed up",
    "network": "belongs to the network of one node, which the definition configures",
    "definition": "is made by the definition of the pair",
    "user": "users, groups and their rights are not carried over; their passwords are hashed",
    "secret": "has a secret that only the appliance that was backed up can decrypt",
    "different": "is on the node with other values, and was not changed",
    "missing_file": "needs a file that is not in the backup; level full has it",
    "unsupported": "has no translation to NITRO here",
    "refused": "was refused by the appliance",
}
_PREFIXES: Mapping[Reason, tuple[str, ...]] = {
    "instance": (
        "set ns config", "set interface", "add ha node", "set ha node", "bind ha node", "set ns rpcnode",
        "set ns hostname", "add ns ip", "add ns ip6", "set ns ip", "add ipset", "bind ipset", "set lacp",
        "set nd6ravariables", "add cluster", "set cluster", "bind cluster", "join cluster", "add ns licenseserver",
        "set ns capacity", "add ns licenseproxyserver", "set rsskeytype", "add channel", "set channel", "add linkset",
        "bind linkset", "enable interface", "disable interface",
    ),
    "network": (
        "add route", "add route6", "add ns pbr", "apply ns pbrs", "add vlan", "set vlan", "bind vlan", "add vxlan",
        "enable ns mode", "disable ns mode",
    ),
    "user": (
        "set system user", "add system user", "bind system user", "add system group", "bind system group",
        "add system cmdpolicy", "set system parameter", "bind system global",
    ),
    "secret": ("add snmp community", "set ns encryptionparams"),
}  # fmt: skip
#: Bindings that the definition makes for its objects; others, such as policies, may be bound to them by hand.
_OF_DEFINITION = frozenset(
    {
        "servicegroup_servicegroupmember_binding",
        "servicegroup_lbmonitor_binding",
        "sslvserver_sslcertkey_binding",
    }
)
_SUFFIXES = ("", "-sg", "-mon", "-cert")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One command of the backup that was not carried over."""

    command: str
    reason: Reason
    detail: str = ""

    def as_result(self) -> dict[str, str]:
        return {"command": self.command, "reason": self.reason, "detail": self.detail or DETAILS[self.reason]}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One command that belongs on the node, unless it is there already."""

    command: str
    change: Translated


@dataclass(frozen=True, slots=True)
class Carried:
    """What the file has, sorted. Nothing was asked of the node yet."""

    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """``applications``: names that the definition has or had. ``addresses``: of the instances that were backed up → of
    their successors (None: it has none).
    """

    applications: Collection[str] = ()
    addresses: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def made(self) -> frozenset[str]:
        """Names of the objects of the applications."""
        return frozenset(f"{name}{suffix}" for name in self.applications for suffix in _SUFFIXES)


def sort_commands(commands: Sequence[Command], context: Context) -> Carried:
    """Sort the commands of a backup into what is carried over and what is left out."""
    marked = {name for command in commands if (name := _application(command))}
    context = replace(context, applications=sorted({*context.applications, *marked}))
    translator = Translator(commands)
    candidates: list[Candidate] = []
    left_out: list[LeftOut] = []
    for command in commands:
        found = _judge(command, translator, context)
        if isinstance(found, LeftOut):
            left_out.append(found)
        else:
            candidates.append(found)
    return Carried(tuple(candidates), tuple(left_out))


def _application(command: Command) -> str:
    """Return the application for which a server object was made."""
    comment = " ".join(command.options.get("comment", ()))
    return comment.removeprefix(MARK) if command.starts("add server") and comment.startswith(MARK) else ""


def _judge(command: Command, translator: Translator, context: Context) -> Candidate | LeftOut:
    shown = command.shown()
    if command.starts("add ns ip") and _is_free_vip(command, context):
        pass
    elif reason := _owned(command):
        return LeftOut(shown, reason)
    if command.encrypted:
        return LeftOut(shown, "secret")
    change = translator.translate(command)
    if change is None:
        return LeftOut(shown, "unsupported")
    if _application(command) or _is_made(change, context.made):
        return LeftOut(shown, "definition")
    moved = _readdressed(change.body, context.addresses)
    if moved is None:
        return LeftOut(shown, "instance", "has an address of an instance that has no successor")
    return Candidate(shown, replace(change, body=moved))


def _owned(command: Command) -> Reason | None:
    if {"ifnum", "interface"} & set(command.options):
        return "instance"
    for reason, prefixes in _PREFIXES.items():
        if any(command.starts(prefix) for prefix in prefixes):
            return reason
    return None


def _is_free_vip(command: Command, context: Context) -> bool:
    """Whether an address is a VIP that is on no interface of an instance, so that a pair can carry it on."""
    kind = "".join(command.options.get("type", ())).upper()
    known = bool(context.addresses)
    return known and len(command.words) > 3 and kind == "VIP" and command.words[3] not in context.addresses


def _is_made(change: Translated, made: Collection[str]) -> bool:
    if change.verb == "add":
        certificate = posixpath.basename(str(change.body.get("cert", "")))
        return change.name in made or (change.resource == "sslcertkey" and is_uploaded(certificate))
    if change.verb != "bind" or change.name not in made:
        return False
    if {"ca", "snicert"} & set(change.body):
        return False  # further certificates of a virtual server; the definition binds its own only
    return change.resource in _OF_DEFINITION or change.child in made


def _readdressed(body: Mapping[str, Any], addresses: Mapping[str, str | None]) -> dict[str, Any] | None:
    """Return the body with the successors' addresses; None if one has no successor."""
    moved = {name: addresses.get(value, value) if isinstance(value, str) else value for name, value in body.items()}
    return None if None in moved.values() else moved


def successors(before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    """Return for each address of the nodes that were backed up that of the same node, interface role and place now.

    Args:
        before: Node (C(node)) and private addresses by interface role, from the metadata of the backup.
        now: The same of the nodes that are there.
    """
    present = {str(one["node"]): one for one in now}
    found: dict[str, str | None] = {}
    for one in before:
        successor = present.get(str(one["node"]), {})
        for role, addresses in one.items():
            if role == "node":
                continue
            there = successor.get(role, [])
            for place, address in enumerate(addresses):
                found[address] = there[place] if place < len(there) else None
    return found


def counterparts(
    source: Mapping[str, Any], target: Mapping[str, Any], moving: Collection[str] = ()
) -> dict[str, str | None]:
    """Return for each address of two nodes of a pair the one that stands for it in a configuration of the second one.

    A node answers at its own addresses: each of the first node becomes that of the same interface role and place of the
    second one. Those that the second node has no place for, its own, and those that move stay as they are.

    Args:
        source: Private addresses by interface role of the node whose configuration is copied.
        target: The same of the node that gets it.
        moving: Addresses that follow the primary, whichever node has them.
    """
    found: dict[str, str | None] = {}
    for role in sorted({*source, *target} - {"node"}):
        own, others = ([one for one in node.get(role, ()) if one not in moving] for node in (source, target))
        found |= {address: address for address in (*moving, *own, *others)}
        found |= dict(zip(own, others, strict=False))
    return found


def is_equal(change: Translated, row: Mapping[str, Any]) -> bool:
    """Whether an object of the node has every value of the command that it reports."""
    return all(_text(row[name]) == _text(value) for name, value in change.body.items() if row.get(name) is not None)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ",".join(sorted(_text(one) for one in value))
    text = str(value).lower()
    return {"true": "yes", "false": "no", "enabled": "yes", "disabled": "no", "65535": "*"}.get(text, text)
