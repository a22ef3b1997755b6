"""The saved configuration as the command line would write it: the file ns.conf of a backup.

Commands as in the vendor's command reference ("add lb vserver", "bind serviceGroup" …): positional arguments first,
then options; what is at its default is left out, secrets are written encrypted with a key of the appliance.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .factory import BUILT_IN_MONITORS
from .schema import SECRET_FIELDS, Row, catalogue
from .store import Config

# How the command line spells options whose letters are not all small.
_CAMEL = (
    *("backupLBMethod", "cltTimeout", "svrTimeout", "customServerID", "gotoPriorityExpression", "httpRequest"),
    *("lbMethod", "maxClient", "maxReq", "mgmtAccess", "monitorName", "certkeyName", "netProfile", "persistenceType"),
    *("policyName", "respCode", "respTimeout", "serverName", "serviceType", "tcpProfileName", "httpProfileName"),
)
_SPELLED = {name.lower(): name for name in _CAMEL}
_SPECIAL = re.compile(r'[\s"\'\\]')


@dataclass(frozen=True, slots=True)
class Command:
    """``positional``: fields that stand without a name, in order; an alternative after ``|``."""

    resource: str
    words: str
    positional: tuple[str, ...]


_COMMANDS = tuple(
    Command(resource, words, tuple(positional.split()))
    for resource, words, positional in (
        ("nsip", "add ns ip", "ipaddress netmask"),
        ("nsip6", "add ns ip6", "ipv6address"),
        ("vlan", "add vlan", "id"),
        ("ipset", "add ipset", "name"),
        ("ipset_nsip_binding", "bind ipset", "name ipaddress"),
        ("ipset_nsip6_binding", "bind ipset", "name ipaddress"),
        ("hanode", "add HA node", "id ipaddress"),
        ("route", "add route", "network netmask gateway"),
        ("dnsnameserver", "add dns nameServer", "ip|dnsvservername"),
        ("ntpserver", "add ntp server", "serverip|servername"),
        ("snmpcommunity", "add snmp community", "communityname permissions"),
        ("policypatset", "add policy patset", "name"),
        ("policypatset_pattern_binding", "bind policy patset", "name String"),
        ("responderaction", "add responder action", "name type target"),
        ("responderpolicy", "add responder policy", "name rule action"),
        ("lbmonitor", "add lb monitor", "monitorname type"),
        ("server", "add server", "name ipaddress|domain"),
        ("service", "add service", "name servername servicetype port"),
        ("servicegroup", "add serviceGroup", "servicegroupname servicetype"),
        ("sslcertkey", "add ssl certKey", "certkey"),
        ("lbvserver", "add lb vserver", "name servicetype ipv46 port"),
        ("csvserver", "add cs vserver", "name servicetype ipv46 port"),
        ("service_lbmonitor_binding", "bind service", "name"),
        ("servicegroup_servicegroupmember_binding", "bind serviceGroup", "servicegroupname servername port"),
        ("servicegroup_lbmonitor_binding", "bind serviceGroup", "servicegroupname"),
        ("lbvserver_service_binding", "bind lb vserver", "name servicename"),
        ("lbvserver_servicegroup_binding", "bind lb vserver", "name servicegroupname"),
        ("lbvserver_responderpolicy_binding", "bind lb vserver", "name"),
        ("csvserver_lbvserver_binding", "bind cs vserver", "name"),
        ("sslvserver_sslcertkey_binding", "bind ssl vserver", "vservername"),
        ("sslservice_sslcertkey_binding", "bind ssl service", "servicename"),
    )
)
# Fields of bindings under the names of their options.
_OPTIONS = {"monitor_name": "monitorName"}
_DERIVED = {
    "service": {"ipaddress"},
    "servicegroup_servicegroupmember_binding": {"ip", "serverid", "hashid", "weight"},
    "lbvserver_servicegroup_binding": {"servicename"},
}


def ns_conf(saved: Config, nsip: str, version: str) -> str:
    """Return the text of the file for a saved configuration."""
    lines = [f"#{_build(version)}", "# Last modified by `save config`", *_settings(saved, nsip)]
    for command in _COMMANDS:
        lines += [_line(command, row) for row in saved.rows(command.resource) if _written(command.resource, row)]
    return "\n".join(lines) + "\n"


def _build(version: str) -> str:
    found = re.search(r"(NS\d+\.\d+): Build ([\d.]+)", version)
    return f"{found[1]} Build {found[2].rstrip('.')}" if found else version


def _settings(saved: Config, nsip: str) -> Iterator[str]:
    netmask = (saved.first("nsip", type="NSIP") or {}).get("netmask", "255.255.255.0")
    yield f"set ns config -IPAddress {nsip} -netmask {netmask}"
    for resource, word in (("nsfeature", "feature"), ("nsmode", "mode")):
        if names := saved.single(resource).get(word):
            yield f"enable ns {word} {' '.join(names)}"
    for user in saved.rows("systemuser"):
        verb = "set" if user["username"] == "nsroot" else "add"
        yield f"{verb} system user {user['username']} {_hidden(user['password'])} -encrypted -hashmethod SHA512"
    if hostname := saved.single("nshostname").get("hostname"):
        yield f"set ns hostName {_quoted(hostname)}"
    for interface in saved.rows("Interface"):
        yield f"set interface {interface['id']} -haMonitor {interface.get('hamonitor', 'ON')}"
    for node in saved.rows("nsrpcnode"):
        secret = f"-password {_hidden(node['password'])} -encrypted -encryptmethod ENCMTHD_3 -kek"
        yield f"set ns rpcNode {node['ipaddress']} {secret}"


def _hidden(secret: object) -> str:
    return hashlib.sha512(str(secret).encode()).hexdigest()[:48]


def _written(resource: str, row: Row) -> bool:
    match resource:
        case "nsip":
            return row.get("type") != "NSIP" and not row.get("_implied")
        case "vlan":
            return bool(row.get("id") != 1)
        case "hanode":
            return bool(row.get("id") != 0)
        case "lbmonitor":
            return row.get("monitorname") not in BUILT_IN_MONITORS
    return True


def _line(command: Command, row: Row) -> str:
    words, used = [command.words], set(_DERIVED.get(command.resource, ()))
    for names in command.positional:
        name = next((one for one in names.split("|") if one in row), None)
        if name is None:
            continue
        used.add(name)
        value = f"{row[name]}/128" if name == "ipv6address" else row[name]
        words.append("*" if name == "port" and value == 65535 else _quoted(value))
    return " ".join([*words, *_options(command.resource, row, used)])


def _options(resource: str, row: Row, used: set[str]) -> Iterator[str]:
    fields = catalogue()[f"config/{resource}"].fields
    for name, value in row.items():
        field = fields.get(name)
        if field is None or field.read_only or name in used or value in (field.default, None, "") or name == "td":
            continue
        option = _OPTIONS.get(name) or _SPELLED.get(name, name)
        if name in SECRET_FIELDS:
            yield f"-{option} {_hidden(value)} -encrypted -encryptmethod ENCMTHD_3"
        elif value is True:
            yield f"-{option}"
        elif value is not False:
            yield f"-{option} {_quoted(value)}"


def _quoted(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(_quoted(one) for one in value)
    text = str(value)
    if text and not _SPECIAL.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
