# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A load-balanced application: the desired state, an appliance's state, and how both are returned.

An application ``web`` is the lbvserver ``web``, the service group ``web-sg`` with its members, the monitor ``web-mon``
if one is described, and the certkey ``web-cert`` if a certificate is handed in. ``application_plan`` decides what to
write; nothing here writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.nitro_errors import NitroInputError
from ..spec.protocols import PROTOCOLS as _PROTOCOLS
from .certificates import Certificate, CertkeyState, certificate_from, same_elsewhere
from .steps import Row, canonical, canonical_or_none, text_of, whole

MARK = "cloudadc.aws application "  # the comment of a server object that was made here, and the application's name

PROTOCOLS = tuple(_PROTOCOLS)
# NITRO lbvserver, lbmethod.
LB_METHODS = (
    *("ROUNDROBIN", "LEASTCONNECTION", "LEASTRESPONSETIME", "URLHASH", "DOMAINHASH", "DESTINATIONIPHASH"),
    *("SOURCEIPHASH", "SRCIPDESTIPHASH", "LEASTBANDWIDTH", "LEASTPACKETS", "TOKEN", "SRCIPSRCPORTHASH", "LRTM"),
    *("CALLIDHASH", "CUSTOMLOAD", "LEASTREQUEST", "AUDITLOGHASH", "STATICPROXIMITY"),
)

_ANY_PORT = 65535  # how an appliance writes the port ``*``

DEFAULTS: Row = {"lbmethod": "LEASTCONNECTION", "timeout": 2}  # of an lbvserver, as the vendor's reference has them

# Protocols at which the appliance ends TLS, and its protocol to the back ends unless another is given.
OFFLOADED = {
    "SSL": "HTTP",
    "SSL_TCP": "TCP",
    "SSL_DIAMETER": "DIAMETER",
    "SSL_FIX": "FIX",
    "SIP_SSL": "SIP_TCP",
    "DTLS": "UDP",
    "QUIC": "HTTP",
}
_TLS_TO_BACKENDS = frozenset(OFFLOADED) - {"QUIC"}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_#. :@=-]{0,120}")
# Fields of a monitor that an appliance takes and never gives back in the clear.
MONITOR_SECRETS = frozenset({"password", "secondarypassword", "radkey", "snmpcommunity"})


@dataclass(frozen=True, slots=True)
class Backend:
    """``weight`` 1 to 100; None leaves that of an existing member alone."""

    address: str
    port: int
    weight: int | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.address, self.port


@dataclass(frozen=True, slots=True)
class Monitor:
    """``fields`` None: one that exists already; otherwise NITRO's lbmonitor fields, ``type`` among them."""

    name: str
    fields: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DesiredApplication:
    """What the task asks for; None means: not spoken of, left alone.

    ``persistence_timeout`` in minutes. ``enabled``: a virtual server that was disabled is enabled again. ``only_own``:
    an application is removed only if it was made here.
    """

    name: str
    protocol: str = "HTTP"
    port: int = 0
    virtual_ip: str | None = None
    ipset: str | None = None
    backends: tuple[Backend, ...] | None = None
    purge_backends: bool = True
    backend_protocol: str = "HTTP"
    monitor: Monitor | None = None
    lb_method: str | None = None
    persistence: str | None = None
    persistence_timeout: int | None = None
    certificate: Certificate | None = None
    process_local: bool | None = None
    enabled: bool = False
    only_own: bool = False

    @property
    def group(self) -> str:
        return f"{self.name}-sg"

    @property
    def own_monitor(self) -> str:
        return f"{self.name}-mon"

    @property
    def own_certkey(self) -> str:
        return f"{self.name}-cert"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the service group as the appliance has it; ``address`` None for one that is a domain name."""

    address: str | None
    port: int | None
    server: str
    weight: int | None
    state: str

    @property
    def key(self) -> tuple[str | None, int | None]:
        return self.address, self.port


@dataclass(frozen=True, slots=True)
class Server:
    """A server object: an address under a name; ``comment`` says whether it was made here."""

    name: str
    address: str | None
    comment: str


@dataclass(frozen=True, slots=True)
class ObservedApplication:
    """What one appliance says. ``ipset_addresses`` None: there is no such IPSet (or it was not asked about).

    ``monitors``, ``certkeys``: those bound to the service group and to the vserver. ``keys``: the certkeys there are.
    ``used_servers``: names and addresses of server objects that other service groups or services use. ``others``: the
    other lbvservers, asked for only when ours is to be made or to move.
    """

    features: frozenset[str] = frozenset()
    vserver: Row | None = None
    others: tuple[Row, ...] = ()
    vserver_groups: frozenset[str] = frozenset()
    ipset_addresses: tuple[str, ...] | None = None
    group: Row | None = None
    members: tuple[Member, ...] = ()
    monitors: frozenset[str] = frozenset()
    monitor: Row | None = None
    certkeys: frozenset[str] = frozenset()
    keys: CertkeyState = field(default_factory=CertkeyState)
    servers: tuple[Server, ...] = ()
    used_servers: frozenset[str] = frozenset()


# ---------------------------------------------------------------------- desired state


def desired_from(params: Mapping[str, Any]) -> DesiredApplication:
    """Return the module's options, checked and in canonical form. Raises NitroInputError."""
    name = params["name"]
    if not _NAME.fullmatch(name):
        raise NitroInputError(f"'{name}' is not a name an appliance accepts for a virtual server")
    if params["state"] == "absent":
        return DesiredApplication(name, only_own=bool(params.get("only_own")))
    protocol = params["protocol"]
    persistence, timeout = _persistence(params["persistence"])
    desired = DesiredApplication(
        name=name,
        protocol=protocol,
        port=_port(params["port"], "port"),
        virtual_ip=canonical(params["virtual_ip"]) if params["virtual_ip"] else None,
        ipset=params["ipset"],
        backends=_backends(params["backends"]),
        purge_backends=params["purge_backends"],
        backend_protocol=params["backend_protocol"] or OFFLOADED.get(protocol, protocol),
        monitor=_monitor(name, params["monitor"]),
        lb_method=params["lb_method"],
        persistence=persistence,
        persistence_timeout=timeout,
        certificate=certificate_from(name, params["certificate"]),
        process_local=params.get("process_local"),
        enabled=bool(params.get("enabled")),
    )
    if desired.certificate and protocol not in OFFLOADED:
        raise NitroInputError(f"application '{name}': a certificate needs a protocol that ends TLS, not {protocol}")
    return desired


def _port(value: int | None, what: str) -> int:
    if value is None or not 1 <= value <= 65535:
        raise NitroInputError(f"{what} must be from 1 to 65535, not {value}")
    return value


def _backends(entries: Iterable[Mapping[str, Any]] | None) -> tuple[Backend, ...] | None:
    if entries is None:
        return None
    found: dict[tuple[str, int], Backend] = {}
    for entry in entries:
        address, weight = canonical(entry["address"]), entry.get("weight")
        port = _port(entry["port"], f"the port of back end {address}")
        if weight is not None and not 1 <= weight <= 100:
            raise NitroInputError(f"the weight of back end {address} port {port} must be from 1 to 100, not {weight}")
        backend = Backend(address, port, weight)
        if found.setdefault(backend.key, backend) != backend:
            raise NitroInputError(f"back end {address} port {port} is given twice with different weights")
    return tuple(found.values())


def _persistence(value: object) -> tuple[str | None, int | None]:
    """Parse the option ``persistence``: a type, or a dictionary of type and timeout (minutes)."""
    if not value:
        return None, None
    entry = value if isinstance(value, Mapping) else {"type": value}
    kind, timeout = entry.get("type"), entry.get("timeout")
    unknown = set(entry) - {"type", "timeout"}
    if unknown or not isinstance(kind, str):
        raise NitroInputError("persistence must be a type, or a dictionary with a type and perhaps a timeout")
    minutes = None if timeout is None else whole(timeout)
    if timeout is not None and (minutes is None or not 0 <= minutes <= 1440):
        raise NitroInputError(f"the persistence timeout must be from 0 to 1440 minutes, not '{timeout}'")
    return kind.upper(), minutes


def _monitor(name: str, value: object) -> Monitor | None:
    """Parse the option ``monitor``: the name of an existing monitor, or the fields of one to create."""
    if not value:
        return None
    if isinstance(value, str):
        return Monitor(value)
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        raise NitroInputError("monitor must be the name of a monitor, or a dictionary with at least its type")
    if "monitorname" in value or "name" in value:
        raise NitroInputError(f"a described monitor is always named '{name}-mon': leave out its name")
    fields = {key: _nitro_value(entry) for key, entry in value.items() if entry is not None}
    return Monitor(f"{name}-mon", {**fields, "type": value["type"].upper()})


def secrets_in(monitor: object) -> set[str]:
    """Return the values of option ``monitor``, valid or not, that no result may contain."""
    if not isinstance(monitor, Mapping):
        return set()
    return {str(value) for key, value in monitor.items() if key in MONITOR_SECRETS and value}


def _nitro_value(value: Any) -> Any:
    """Return a monitor's field as NITRO takes it: YES and NO for YAML's booleans, response codes as text."""
    if isinstance(value, bool):
        return "YES" if value else "NO"
    return [str(entry) for entry in value] if isinstance(value, list) else value


# ---------------------------------------------------------------------- what stands in the way


def obstacles(desired: DesiredApplication, found: ObservedApplication) -> list[str]:
    """Return a message for each prerequisite that is missing; read before anything is written."""
    start = f"application '{desired.name}':"
    tls = desired.protocol in OFFLOADED or desired.backend_protocol in _TLS_TO_BACKENDS
    needed = ["LB", "SSL"] if tls else ["LB"]
    message = [f"{start} feature {name} is not enabled" for name in needed if name not in found.features]
    if desired.ipset and found.ipset_addresses is None and text_of(found.vserver or {}, "ipset") != desired.ipset:
        message.append(f"{start} there is no IPSet '{desired.ipset}' on this appliance")
    if desired.monitor and desired.monitor.fields is None and found.monitor is None:
        message.append(f"{start} there is no monitor '{desired.monitor.name}' on this appliance")
    message += [f"{start} {obstacle}" for obstacle in _certkey_obstacles(desired.certificate, found.keys)]
    if not desired.ipset and virtual_ip(desired, found) is None:
        message.append(f"{start} virtual_ip or ipset is needed to create its virtual server")
    elif desired.ipset and found.ipset_addresses == () and virtual_ip(desired, found) is None:
        message.append(f"{start} virtual_ip is needed, for IPSet '{desired.ipset}' holds no address to take")
    return message + [f"{start} {obstacle}" for obstacle in _taken(desired, found)]


def _certkey_obstacles(certificate: Certificate | None, keys: CertkeyState) -> list[str]:
    if certificate and certificate.content is None and certificate.certkey not in keys.rows:
        return [f"there is no certkey '{certificate.certkey}' on this appliance"]
    if other := same_elsewhere(certificate, keys):
        return [
            f"certkey '{other}' on this appliance holds the same certificate, and an appliance takes it only once; "
            "give both applications the same certificate.name"
        ]
    return []


def settles(desired: DesiredApplication, found: ObservedApplication) -> bool:
    """Whether the vserver is yet to come to its address and port, where another may be in the way (273)."""
    if found.vserver is None or replaced(desired, found):
        return True
    return desired.virtual_ip not in (None, canonical_or_none(found.vserver.get("ipv46")))


def _taken(desired: DesiredApplication, found: ObservedApplication) -> list[str]:
    address = virtual_ip(desired, found)
    names = [
        text_of(row, "name")
        for row in found.others
        if canonical_or_none(row.get("ipv46")) == address and whole(row.get("port")) in (desired.port, _ANY_PORT)
    ]
    return [f"{address} port {desired.port} is taken by virtual server '{name}' on this appliance" for name in names]


def disabled(row: Row) -> bool:
    """Whether a virtual server was disabled: only its state in effect says so (NITRO lbvserver, curstate)."""
    return text_of(row, "curstate").upper() == "OUT OF SERVICE"


def replaced(desired: DesiredApplication, found: ObservedApplication) -> bool:
    """Whether the vserver must be recreated: its protocol and port cannot be changed (NITRO lbvserver, update)."""
    row = found.vserver
    return row is not None and (
        text_of(row, "servicetype").upper() != desired.protocol or whole(row.get("port")) != desired.port
    )


def regrouped(desired: DesiredApplication, found: ObservedApplication) -> bool:
    """Whether the service group must be recreated: its protocol cannot be changed (NITRO servicegroup, update)."""
    return found.group is not None and text_of(found.group, "servicetype").upper() != desired.backend_protocol


def virtual_ip(desired: DesiredApplication, found: ObservedApplication) -> str | None:
    """Return the final address of the virtual server: the desired one, its present one, or the first of its IPSet.

    A vserver that is recreated does not inherit its address: a run after an interrupted one could not know it.
    """
    if desired.virtual_ip:
        return desired.virtual_ip
    if found.vserver is not None and not replaced(desired, found):
        return canonical_or_none(found.vserver.get("ipv46"))
    return next(iter(found.ipset_addresses or ()), None)


def made_here(desired: DesiredApplication, found: ObservedApplication) -> bool:
    """Whether the servers of an application's service group have our mark; one without back ends has no sign of it."""
    members = {member.server for member in found.members}
    return any(server.comment.startswith(MARK) for server in found.servers if server.name in members)


def spare_servers(desired: DesiredApplication, found: ObservedApplication, *, present: bool) -> list[Server]:
    """Return server objects of this module that the application no longer needs; other users of them are not checked.

    A server of another application is among them only while it is one of our members: its last application removes it.
    """
    kept: set[str] = set()
    if present:
        if desired.backends is None or not desired.purge_backends:
            return []
        kept = {backend.address for backend in desired.backends}
    members = {member.server for member in found.members}
    return [
        server
        for server in found.servers
        if server.address not in kept
        and (server.comment == MARK + desired.name or (server.name in members and server.comment.startswith(MARK)))
    ]


# ---------------------------------------------------------------------- telling it


def describe(desired: DesiredApplication, found: ObservedApplication) -> dict[str, Any] | None:
    """Return the result ``application``; None when there is no such vserver."""
    row = found.vserver
    if row is None:
        return None
    return {
        **_reported(desired.name, row, found),
        "backends": [
            {
                "address": member.address,
                "port": member.port,
                "weight": member.weight,
                "state": member.state,
                "reason": None,
            }
            for member in sorted(found.members, key=lambda member: (member.address or "", member.port or 0))
        ],
        "state": text_of(row, "curstate") or text_of(row, "effectivestate") or None,
    }


def _reported(name: str, row: Row, found: ObservedApplication) -> dict[str, Any]:
    return {
        "name": name,
        "protocol": text_of(row, "servicetype"),
        "port": whole(row.get("port")),
        "virtual_ip": canonical_or_none(row.get("ipv46")),
        "ipset": text_of(row, "ipset") or None,
        "backend_protocol": text_of(found.group or {}, "servicetype") or None,
        "lb_method": text_of(row, "lbmethod") or None,
        "persistence": {"type": text_of(row, "persistencetype") or "NONE", "timeout": whole(row.get("timeout"))},
        "process_local": text_of(row, "processlocal").upper() == "ENABLED",
        "monitors": sorted(found.monitors),
        "certificate": next(iter(sorted(found.certkeys)), None),
        "enabled": not disabled(row),
    }


def predict(desired: DesiredApplication, found: ObservedApplication) -> dict[str, Any]:
    """Predict what ``describe`` returns after the plan; states of objects still to be created are None."""
    recreated = replaced(desired, found) or found.vserver is None
    row: Row = DEFAULTS if recreated else dict(found.vserver or {})
    reported = _reported(desired.name, row, found)
    changes = {
        "protocol": desired.protocol,
        "port": desired.port,
        "virtual_ip": virtual_ip(desired, found),
        "backend_protocol": desired.backend_protocol,
        "lb_method": desired.lb_method or reported["lb_method"],
        "process_local": reported["process_local"] if desired.process_local is None else desired.process_local,
        "monitors": [desired.monitor.name] if desired.monitor else reported["monitors"],
        "certificate": desired.certificate.certkey
        if desired.certificate
        else None
        if recreated
        else reported["certificate"],
        "ipset": reported["ipset"] if desired.ipset is None else desired.ipset or None,
        "enabled": desired.enabled or reported["enabled"],
        "backends": _predicted_backends(desired, found),
        "state": text_of(row, "curstate") or None,
    }
    if desired.persistence:
        timeout = desired.persistence_timeout
        changes["persistence"] = {
            "type": desired.persistence,
            "timeout": reported["persistence"]["timeout"] if timeout is None else timeout,
        }
    return {**reported, **changes}


def _predicted_backends(desired: DesiredApplication, found: ObservedApplication) -> list[dict[str, Any]]:
    there = {} if regrouped(desired, found) else {member.key: member for member in found.members}
    reported: dict[tuple[str | None, int | None], dict[str, Any]] = {}
    if desired.backends is None or not desired.purge_backends:
        for key, member in there.items():
            reported[key] = {"address": key[0], "port": key[1], "weight": member.weight, "state": member.state}
            reported[key]["reason"] = None
    for backend in desired.backends or ():
        known = there.get(backend.key)
        weight = backend.weight or (known.weight if known else 1)
        state = known.state if known else None
        reported[backend.key] = {"address": backend.address, "port": backend.port, "weight": weight, "state": state}
        reported[backend.key]["reason"] = None
    return sorted(reported.values(), key=lambda entry: (entry["address"] or "", entry["port"] or 0))


def configuration(reported: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the configuration for a diff, without the states, which no plan can promise."""
    if reported is None:
        return {}
    states = ("state", "reason", "observers")
    backends = [{key: value for key, value in entry.items() if key not in states} for entry in reported["backends"]]
    return {key: value for key, value in reported.items() if key not in states} | {"backends": backends}
