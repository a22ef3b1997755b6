# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An application that appliances serve: one definition, checked once.

Certificate and monitor may hold secrets, so they are checked here and left out of what is returned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..distributors.base import Distributor
from ..distributors.registry import REGISTRY as DISTRIBUTORS
from .certificates import compare, form_problems
from .protocols import PROTOCOLS, transports
from .reading import Reader, port_of

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_DOMAIN = re.compile(r"(?:\*\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9-]{1,63}\.?")

#: Persistence that an appliance keeps in its memory, so that another zone does not know it.
LOCAL_PERSISTENCE = frozenset({"SOURCEIP", "SRCIPDESTIP"})

#: Keys that role and modules hand over unchanged.
_AS_GIVEN = ("backend_protocol", "lb_method", "certificate_arn", "ssl_policy")
SECRET_KEYS = frozenset({"certificate", "monitor"})
KEYS = frozenset(
    {
        *("name", "protocol", "port", "backends", "backend_autoscaling_group", "backend_port"),
        *("persistence", "domain", "health_check", "nlb_protocol", "preserve_client_ip", "connection_termination"),
        *_AS_GIVEN,
        *SECRET_KEYS,
    }
)
_CERTIFICATE_KEYS = frozenset({"name", "content", "key", "passphrase", "certkey"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What applications of a group must fit into. ``distributor``: its name in the registry, empty for a pair."""

    group: str = ""
    distributor: str = ""
    zones: int = 1
    dns_zone: str = ""
    hosted_zone_id: str = ""

    @property
    def entry(self) -> Distributor | None:
        """The distributor, None for a pair."""
        return DISTRIBUTORS[self.distributor] if self.distributor else None


def read_applications(
    entries: Sequence[Mapping[str, Any]], around: Surroundings, problems: list[str]
) -> list[dict[str, Any]]:
    """Return the normalised applications without their secrets, and add everything that is wrong to ``problems``."""
    applications = [_read(entry, around, problems) for entry in entries]
    _clashes(applications, around, problems)
    return applications


def _read(entry: Mapping[str, Any], around: Surroundings, problems: list[str]) -> dict[str, Any]:
    name = str(entry.get("name") or "").strip()
    who = f"Application {name}: " if name else "An application without a name: "
    reader = Reader(entry, problems, who, SECRET_KEYS)
    reader.unknown(KEYS)
    _name(name, around, problems)
    protocol = reader.text("protocol").upper()
    port = _port(reader, "port")
    read = {
        "name": name,
        "protocol": protocol,
        "port": port,
        "domain": reader.text("domain").rstrip("."),
        "persistence": entry.get("persistence") or None,
        "health_check": _health_check(reader),
        "nlb_protocol": reader.text("nlb_protocol").upper(),
        **{key: reader.text(key) for key in _AS_GIVEN},
        **{key: reader.flag(key, False) if reader.given(key) else None for key in _FLAGS},
        **_backends(reader),
    }
    if protocol not in PROTOCOLS:
        problems.append(f"{who}its protocol is {protocol or 'missing'}, and must be one of {', '.join(PROTOCOLS)}.")
    _persistence(read, around, who, problems)
    _secrets(reader)
    problems += [f"{who}{problem}" for problem in (around.entry.validate_application(read) if around.entry else ())]
    _domain(read, around, who, problems)
    return read


_FLAGS = ("preserve_client_ip", "connection_termination")


def _name(name: str, around: Surroundings, problems: list[str]) -> None:
    if not name:
        problems.append("An application has no name.")
    elif around.distributor and not _NAME.fullmatch(name):
        problems.append(
            f"Application {name}: its name must consist of letters, digits and hyphens, with no hyphen at either end, "
            "because a target group is named after it."
        )
    elif around.entry:
        problems += around.entry.validate_name(around.group, name)


def _port(reader: Reader, key: str) -> int:
    port = port_of(reader.raw.get(key))
    if port is None:
        given = reader.raw.get(key)
        message = "is missing" if given in (None, "") else f"{str(given)[:40]} is not a port (1 to 65535)"
        reader.problems.append(f"{reader.where}{message if message[0].isdigit() else f'{key} {message}'}.")
    return port or 0


def _backends(reader: Reader) -> dict[str, Any]:
    """Back ends by address, or the Auto Scaling group whose instances they are."""
    followed = reader.text("backend_autoscaling_group")
    backends = []
    for entry in reader.mappings("backends"):
        each = Reader(entry, reader.problems, f"{reader.where}back end {entry.get('address') or 'without address'}: ")
        each.unknown({"address", "port", "weight"})
        backend: dict[str, Any] = {"address": each.text("address"), "port": _port(each, "port")}
        if each.given("weight"):
            backend["weight"] = each.whole("weight", 1, 1, 100)
        backends.append(backend)
    if backends and followed:
        reader.problems.append(f"{reader.where}it has both backends and backend_autoscaling_group; give one of them.")
    port = port_of(reader.raw.get("backend_port"))
    if followed and port is None:
        reader.problems.append(
            f"{reader.where}backend_port, at which the instances of {followed} answer, is missing or not a port."
        )
    known = reader.given("backends") or isinstance(reader.raw.get("backends"), list)
    return {
        "backends": backends if known or not followed else [],
        "backend_autoscaling_group": followed,
        "backend_port": port or 0,
    }


def _health_check(reader: Reader) -> dict[str, Any]:
    given = reader.mapping("health_check")
    if given.get("port") not in (None, "") and port_of(given["port"]) is None:
        reader.problems.append(f"{reader.where}health_check.port {str(given['port'])[:40]} is not a port (1 to 65535).")
    return {key: value for key, value in given.items() if value not in (None, "")}


def _persistence(read: Mapping[str, Any], around: Surroundings, who: str, problems: list[str]) -> None:
    given = read["persistence"]
    kind = str(given.get("type") or "") if isinstance(given, Mapping) else str(given or "")
    if given is not None and not isinstance(given, str | Mapping):
        problems.append(f"{who}persistence must be a type or a dictionary of type and timeout.")
    if kind.upper() in LOCAL_PERSISTENCE and around.zones > 1:
        problems.append(
            f"{who}persistence {kind} cannot hold over {around.zones} zones: zones do not share state, and the next "
            "connection of a client may reach another zone. Use COOKIEINSERT, or one zone."
        )


def _secrets(reader: Reader) -> None:
    """Check the form of monitor and certificate without quoting anything of them."""
    monitor = reader.raw.get("monitor")
    if monitor and not isinstance(monitor, str | Mapping):
        reader.problems.append(f"{reader.where}monitor must be a name or a dictionary of its fields.")
    certificate = reader.mapping("certificate")
    Reader(certificate, reader.problems, f"{reader.where}certificate: ").unknown(_CERTIFICATE_KEYS)
    if not certificate or certificate.get("certkey"):
        return
    if not (certificate.get("content") and certificate.get("key")):
        reader.problems.append(
            f"{reader.where}certificate needs content and key in PEM format, or certkey, the name of an existing one."
        )
        return
    texts = (str(certificate["content"]), str(certificate["key"]), certificate.get("passphrase"))
    problems = form_problems(*texts) or compare(*texts).problems
    reader.problems += [f"{reader.where}{problem}." for problem in problems]


def _domain(read: Mapping[str, Any], around: Surroundings, who: str, problems: list[str]) -> None:
    domain, zone = read["domain"].lower(), around.dns_zone.lower().rstrip(".")
    if not domain or not around.distributor:
        return
    if not _DOMAIN.fullmatch(domain):
        problems.append(f"{who}{domain} is not a domain name.")
    elif not zone and not around.hosted_zone_id:
        problems.append(f"{who}autoscale_group_dns does not say in which hosted zone {domain} is.")
    elif zone and not f".{domain}".endswith(f".{zone}"):
        problems.append(f"{who}domain {domain} does not belong into the hosted zone {zone}.")


def _clashes(applications: Sequence[Mapping[str, Any]], around: Surroundings, problems: list[str]) -> None:
    """Return problems of names and ports that more than one application uses."""
    names = [application["name"] for application in applications if application["name"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(f"Several applications are named {name}.")
    taken: dict[tuple[str, int], str] = {}
    for application in applications:
        of_entry = around.entry.transports(application) if around.entry else transports(application["protocol"])
        for transport in of_entry:
            key = (transport, application["port"])
            other = taken.setdefault(key, application["name"])
            if other != application["name"] and application["port"]:
                problems.append(
                    f"Applications {other} and {application['name']} both use {transport} port {application['port']}."
                )
    for other, name, why in around.entry.validate_ports(applications) if around.entry else ():
        message = f"Applications {other} and {name} both use"
        if not any(problem.startswith(message) for problem in problems):
            problems.append(f"{message} {why}")
