# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Commands of ns.conf as objects of NITRO, for what is commonly configured by hand. Pure.

NITRO has no operation that executes commands: a batch file can only be run on the command line ("batch" in the vendor's
command reference has no resource in the NITRO reference). The properties of NITRO are the options of the commands in
small letters, so an object needs its positional arguments named here and nothing else.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .ns_conf import Command

Verb = Literal["add", "update", "bind", "enable"]


@dataclass(frozen=True, slots=True)
class Translated:
    """What one command does. ``key``: the fields that name it; ``parent``, ``child``: the two ends of a binding."""

    verb: Verb
    resource: str
    body: Mapping[str, Any] = field(repr=False)
    key: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The object, or of a binding the object that something is bound to."""
        return str(self.body.get(self.key[0], "")) if self.key else ""

    @property
    def child(self) -> str:
        return str(self.body.get(self.key[1], "")) if len(self.key) > 1 else ""


@dataclass(frozen=True, slots=True)
class _Form:
    resource: str
    positional: tuple[str, ...]


def _forms(table: Mapping[str, tuple[str, str]]) -> dict[str, _Form]:
    return {words: _Form(resource, tuple(fields.split())) for words, (resource, fields) in table.items()}


_ADD = _forms(
    {
        "server": ("server", "name ipaddress"),
        "service": ("service", "name servername servicetype port"),
        "servicegroup": ("servicegroup", "servicegroupname servicetype"),
        "lb monitor": ("lbmonitor", "monitorname type"),
        "lb vserver": ("lbvserver", "name servicetype ipv46 port"),
        "cs vserver": ("csvserver", "name servicetype ipv46 port"),
        "cs action": ("csaction", "name"),
        "cs policy": ("cspolicy", "policyname"),
        "ssl certkey": ("sslcertkey", "certkey"),
        "ssl profile": ("sslprofile", "name"),
        "ns ip": ("nsip", "ipaddress netmask"),
        "ns tcpprofile": ("nstcpprofile", "name"),
        "ns httpprofile": ("nshttpprofile", "name"),
        "netprofile": ("netprofile", "name"),
        "dns nameserver": ("dnsnameserver", "ip"),
        "dns suffix": ("dnssuffix", "dnssuffix"),
        "dns addrec": ("dnsaddrec", "hostname ipaddress"),
        "ntp server": ("ntpserver", "serverip"),
        "snmp manager": ("snmpmanager", "ipaddress"),
        "audit syslogaction": ("auditsyslogaction", "name serverip"),
        "audit syslogpolicy": ("auditsyslogpolicy", "name rule action"),
        "policy patset": ("policypatset", "name"),
        "policy dataset": ("policydataset", "name type"),
        "policy stringmap": ("policystringmap", "name"),
        "policy expression": ("policyexpression", "name value"),
        "responder action": ("responderaction", "name type target"),
        "responder policy": ("responderpolicy", "name rule action"),
        "rewrite action": ("rewriteaction", "name type target stringbuilderexpr"),
        "rewrite policy": ("rewritepolicy", "name rule action"),
    }
)
_SET = _forms(
    {
        "lb parameter": ("lbparameter", ""),
        "dns parameter": ("dnsparameter", ""),
        "ssl parameter": ("sslparameter", ""),
        "ns tcpparam": ("nstcpparam", ""),
        "ns httpparam": ("nshttpparam", ""),
        "ns timeout": ("nstimeout", ""),
        "ssl vserver": ("sslvserver", "vservername"),
    }
)
#: Of a policy bound to a virtual server: the resource that defines it → the middle of the binding's name.
_POLICIES = {
    "responderpolicy": "responderpolicy",
    "rewritepolicy": "rewritepolicy",
    "auditsyslogpolicy": "auditsyslogpolicy",
    "cspolicy": "cspolicy",
}


class Translator:
    """Translates the commands of one file; bindings are resolved by what the same file defines."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self._defined: dict[str, str] = {}
        for command in commands:
            if found := _add(command):
                self._defined.setdefault(found.name.lower(), found.resource)

    def translate(self, command: Command) -> Translated | None:
        """Return what a command does; None for one that is not known here."""
        verb = command.words[0].lower()
        match verb:
            case "add":
                return _add(command)
            case "set":
                return _set(command)
            case "enable":
                return _enable(command)
            case "bind":
                return self._bind(command)
        return None

    def _bind(self, command: Command) -> Translated | None:
        for words, bind in self._bindings().items():
            if command.starts(f"bind {words}"):
                arguments = command.words[1 + len(words.split()) :]
                return bind(arguments, command.options) if arguments else None
        return None

    def _bindings(self) -> dict[str, Callable[[tuple[str, ...], Mapping[str, tuple[str, ...]]], Translated | None]]:
        return {
            "lb vserver": self._bind_lb,
            "cs vserver": self._bind_cs,
            "servicegroup": _bind_group,
            "service": _bind_service,
            "ssl vserver": _bind_ssl,
            "policy patset": _bind_pattern,
        }

    def _bind_lb(self, words: tuple[str, ...], options: Mapping[str, tuple[str, ...]]) -> Translated | None:
        if len(words) == 1:
            return self._bind_policy("lbvserver", words[0], options)
        kind = self._defined.get(words[1].lower(), "service")
        if len(words) != 2 or kind not in ("service", "servicegroup"):
            return None
        member = f"{kind}name"
        body = {"name": words[0], member: words[1], **values(options)}
        return Translated("bind", f"lbvserver_{kind}_binding", body, ("name", member))

    def _bind_cs(self, words: tuple[str, ...], options: Mapping[str, tuple[str, ...]]) -> Translated | None:
        if "lbvserver" in options:
            body = {"name": words[0], **values(options)}
            return Translated("bind", "csvserver_lbvserver_binding", body, ("name", "lbvserver"))
        return self._bind_policy("csvserver", words[0], options)

    def _bind_policy(self, owner: str, name: str, options: Mapping[str, tuple[str, ...]]) -> Translated | None:
        policy = next(iter(options.get("policyname", ())), "")
        kind = _POLICIES.get(self._defined.get(policy.lower(), ""))
        if kind is None:
            return None
        fields = values(options)
        if "type" in fields:
            fields["bindpoint"] = fields.pop("type")
        return Translated("bind", f"{owner}_{kind}_binding", {"name": name, **fields}, ("name", "policyname"))


def _bind_group(words: tuple[str, ...], options: Mapping[str, tuple[str, ...]]) -> Translated | None:
    if "monitorname" in options:
        fields = values(options)
        body = {"servicegroupname": words[0], "monitor_name": fields.pop("monitorname"), **fields}
        return Translated("bind", "servicegroup_lbmonitor_binding", body, ("servicegroupname", "monitor_name"))
    if len(words) != 3:
        return None
    member = {"ip": words[1]} if _is_address(words[1]) else {"servername": words[1]}
    body = {"servicegroupname": words[0], **member, "port": _port(words[2]), **values(options)}
    key = ("servicegroupname", next(iter(member)), "port")
    return Translated("bind", "servicegroup_servicegroupmember_binding", body, key)


def _bind_service(words: tuple[str, ...], options: Mapping[str, tuple[str, ...]]) -> Translated | None:
    fields = values(options)
    if len(words) != 1 or "monitorname" not in fields:
        return None
    body = {"name": words[0], "monitor_name": fields.pop("monitorname"), **fields}
    return Translated("bind", "service_lbmonitor_binding", body, ("name", "monitor_name"))


def _bind_ssl(words: tuple[str, ...], options: Mapping[str, tuple[str, ...]]) -> Translated | None:
    if "certkeyname" not in options:
        return None
    body = {"vservername": words[0], **values(options)}
    return Translated("bind", "sslvserver_sslcertkey_binding", body, ("vservername", "certkeyname"))


def _bind_pattern(words: tuple[str, ...], options: Mapping[str, tuple[str, ...]]) -> Translated | None:
    if len(words) != 2:
        return None
    body = {"name": words[0], "string": words[1], **values(options)}
    return Translated("bind", "policypatset_pattern_binding", body, ("name", "string"))


def _add(command: Command) -> Translated | None:
    found = _formed(command, "add", _ADD)
    if found is None:
        return None
    body, resource = found.body, found.resource
    if resource == "server" and not _is_address(str(body.get("ipaddress", ""))):
        body = {("domain" if name == "ipaddress" else name): value for name, value in body.items()}
    elif resource == "service" and _is_address(str(body.get("servername", ""))):
        body = {("ip" if name == "servername" else name): value for name, value in body.items()}
    elif resource == "ntpserver" and not _is_address(str(body.get("serverip", ""))):
        body = {("servername" if name == "serverip" else name): value for name, value in body.items()}
        return Translated("add", resource, body, ("servername",))
    key = ("hostname", "ipaddress") if resource == "dnsaddrec" else found.key
    return Translated("add", resource, body, key)


def _set(command: Command) -> Translated | None:
    found = _formed(command, "set", _SET)
    return Translated("update", found.resource, found.body, found.key) if found else None


def _formed(command: Command, verb: str, forms: Mapping[str, _Form]) -> Translated | None:
    for words, form in forms.items():
        if not command.starts(f"{verb} {words}"):
            continue
        arguments = command.words[1 + len(words.split()) :]
        if len(arguments) > len(form.positional) or (form.positional and not arguments):
            return None
        body: dict[str, Any] = dict(zip(form.positional, arguments, strict=False))
        if "port" in body:
            body["port"] = _port(body["port"])
        return Translated("add", form.resource, {**body, **values(command.options)}, form.positional[:1])
    return None


def _enable(command: Command) -> Translated | None:
    if not command.starts("enable ns feature"):
        return None
    return Translated("enable", "nsfeature", {"feature": list(command.words[3:])})


def values(options: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the options as properties: a flag is true, several values are a list."""
    found: dict[str, Any] = {}
    for name, given in options.items():
        found[name] = True if not given else given[0] if len(given) == 1 else list(given)
    return found


def _port(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
