# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a fresh appliance lacks to be a managed one. Pure: from what is wanted and what was found to a plan."""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.nitro_errors import NitroInputError
from ..core.nitro_wire import as_int

# Other names the appliance takes for the same thing (vendor NITRO reference, nsfeature and nsmode), in lower case.
_FEATURES = {
    "weblogging": "wl",
    "surgeprotection": "sp",
    "loadbalancing": "lb",
    "contentswitching": "cs",
    "cacheredirection": "cr",
    "sureconnect": "sc",
    "cmpcntl": "cmp",
    "compressioncontrol": "cmp",
    "priorityqueuing": "pq",
    "httpdosprotection": "hdosp",
    "globalserverloadbalancing": "gslb",
    "ssloffload": "ssl",
    "ssloffloading": "ssl",
    "contentfiltering": "cf",
    "integratedcaching": "ic",
    "ospfrouting": "ospf",
    "riprouting": "rip",
    "bgprouting": "bgp",
    "isisrouting": "isis",
    "ipv6protocoltranslation": "ipv6pt",
    "applicationfirewall": "appfw",
    "nspush": "push",
    "netscalerpush": "push",
    "callhome": "ch",
    "largescalenat": "lsn",
    "reputation": "rep",
    "contentinspection": "ci",
}
_MODES = {
    "fastramp": "fr",
    "l2mode": "l2",
    "l3mode": "l3",
    "usesourceip": "usip",
    "clientkeepalive": "cka",
    "tcpbuffering": "tcpb",
    "macbasedforwarding": "mbf",
}
# The names on the price list and the names in NITRO (facts of the vendor's licensing guide).
EDITIONS = {
    "Standard": "Standard",
    "Advanced": "Enterprise",
    "Enterprise": "Enterprise",
    "Premium": "Platinum",
    "Platinum": "Platinum",
}
_EDITION_FLAG = {"Standard": "isstandardlic", "Enterprise": "isenterpriselic", "Platinum": "isplatinumlic"}


class FirstPassword(enum.Enum):
    """Which password lets us in."""

    DONE = "set"
    FORCED = "first password, the appliance insists on a new one"
    OPEN = "first password"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class License:
    """A capacity to check out of a licence server: exactly one of ``bandwidth_mbps``, ``platform``, ``vcpu``.

    ``body`` is what NITRO's ``nscapacity`` takes for it.
    """

    server: str | None
    port: int
    body: Mapping[str, Any]

    @classmethod
    def from_option(cls, option: Mapping[str, Any]) -> License:
        """The option ``license`` of vpx_bootstrap. Raises NitroInputError for a mixture."""
        kinds = [kind for kind in ("bandwidth", "platform", "vcpu") if option.get(kind)]
        if len(kinds) != 1:
            given = " and ".join(kinds) or "none"
            raise NitroInputError(f"license: give exactly one of bandwidth, platform and vcpu, not {given}")
        edition = EDITIONS.get(option.get("edition") or "")
        if kinds != ["platform"] and edition is None:
            raise NitroInputError(f"license: {kinds[0]} needs an edition")
        body: dict[str, Any]
        match kinds[0]:
            case "bandwidth":
                body = {"bandwidth": option["bandwidth"], "unit": option.get("unit") or "Mbps", "edition": edition}
            case "vcpu":
                body = {"vcpu": True, "edition": edition}
            case _:
                body = {"platform": option["platform"]}
        return cls(option.get("server") or None, option.get("port") or 27000, body)

    def server_body(self) -> dict[str, Any]:
        """What ``nslicenseserver`` takes: an address and a name are different fields."""
        try:
            ipaddress.ip_address(self.server or "")
        except ValueError:
            return {"servername": self.server, "port": self.port}
        return {"licenseserverip": self.server, "port": self.port}


@dataclass(frozen=True, slots=True)
class DesiredAppliance:
    """What the options ask for; None and empty mean: leave as it is."""

    hostname: str | None = None
    features: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    license: License | None = None
    save: bool = True

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> DesiredAppliance:
        """The options of vpx_bootstrap. Raises NitroInputError for what can never be done."""
        if params.get("instance_id") and params["new_password"] == params["instance_id"]:
            raise NitroInputError(f"{params['nsip']}: new_password must not be the first password, the instance id")
        if not params["new_password"]:
            raise NitroInputError(f"{params['nsip']}: new_password is empty")
        licence = License.from_option(params["license"]) if params.get("license") else None
        if licence and not params["save_config"]:
            raise NitroInputError(
                f"{params['nsip']}: a licence takes effect with a reboot, and what is not saved is lost in it: "
                "save_config must be true when license is given"
            )
        return cls(
            hostname=params.get("hostname") or None,
            features=tuple(params.get("features") or ()),
            modes=tuple(params.get("modes") or ()),
            license=licence,
            save=params["save_config"],
        )


@dataclass(frozen=True, slots=True)
class ObservedAppliance:
    """What an appliance says of itself, as far as it is needed. ``unsaved``: running and saved configuration differ."""

    password: FirstPassword = FirstPassword.UNKNOWN
    version: str | None = None
    hostname: str | None = None
    features: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    license_servers: tuple[Mapping[str, Any], ...] = ()
    capacity: Mapping[str, Any] = field(default_factory=dict)
    license: Mapping[str, Any] = field(default_factory=dict)
    unsaved: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be done, in the order of the fields."""

    change_password: bool = False
    remove_license_servers: tuple[str, ...] = ()
    license_server: Mapping[str, Any] | None = None
    capacity: Mapping[str, Any] | None = None
    reboot: bool = False
    hostname: str | None = None
    features: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    save: bool = False

    @property
    def empty(self) -> bool:
        return self == Plan()


def plan(desired: DesiredAppliance, found: ObservedAppliance) -> Plan:
    """What is missing. A reboot only for a capacity that is new, or set and not in effect (a run was killed)."""
    surplus, server, capacity, reboot = _license_plan(desired.license, found)
    changes = Plan(
        change_password=found.password is not FirstPassword.DONE,
        remove_license_servers=surplus,
        license_server=server,
        capacity=capacity,
        reboot=reboot,
        hostname=desired.hostname if desired.hostname != found.hostname else None,
        features=missing_features(desired.features, found.features),
        modes=missing_modes(desired.modes, found.modes),
    )
    save = desired.save and (not changes.empty or found.unsaved)
    return Plan(**{name: getattr(changes, name) for name in Plan.__slots__ if name != "save"}, save=save)


def _license_plan(
    licence: License | None, found: ObservedAppliance
) -> tuple[tuple[str, ...], Mapping[str, Any] | None, Mapping[str, Any] | None, bool]:
    if licence is None:
        return (), None, None, False
    surplus: tuple[str, ...] = ()
    server = None
    if licence.server:
        present = [row for row in found.license_servers if _server_name(row) == licence.server]
        right = any(as_int(row.get("port"), licence.port) == licence.port for row in present)
        if not right:
            server = licence.server_body()
            surplus = tuple(name for row in found.license_servers if (name := _server_name(row)))
    capacity = None if capacity_is(licence, found.capacity) else licence.body
    reboot = capacity is not None or not in_effect(licence, found.capacity, found.license)
    return surplus, server, capacity, reboot


def _server_name(row: Mapping[str, Any]) -> str:
    return str(row.get("licenseserverip") or row.get("servername") or "")


def capacity_is(licence: License, capacity: Mapping[str, Any]) -> bool:
    """Whether ``nscapacity`` is configured as wanted. 10 Gbps and 10000 Mbps are the same."""
    desired = licence.body
    if "platform" in desired:
        return str(capacity.get("platform") or "").casefold() == str(desired["platform"]).casefold()
    if str(capacity.get("edition") or "").casefold() != str(desired["edition"]).casefold():
        return False
    if "vcpu" in desired:
        return _true(capacity.get("vcpu")) or bool(as_int(capacity.get("vcpucount")))
    return _mbps(capacity) == _mbps(desired)


def in_effect(licence: License, capacity: Mapping[str, Any], license_row: Mapping[str, Any]) -> bool:
    """Whether a configured capacity is also the one the appliance runs with, as far as it lets itself be asked.

    ``nslicense`` has the edition and, on newer builds, ``licensingmode`` (Local and EXPRESS before the reboot, Pooled
    or CICO after it); ``nscapacity`` the bandwidth that was granted. What a build does not report speaks for neither.
    """
    mode = str(license_row.get("licensingmode") or "").casefold()
    if mode in {"local", "express"}:
        return False
    flag = _EDITION_FLAG.get(str(licence.body.get("edition")), "")
    if flag in license_row and not _true(license_row[flag]):
        return False
    return not ("bandwidth" in licence.body and as_int(capacity.get("actualbandwidth")) == 0)


def _mbps(row: Mapping[str, Any]) -> int | None:
    amount = as_int(row.get("bandwidth"))
    if amount is None:
        return None
    return amount * 1000 if str(row.get("unit") or "Mbps").casefold() == "gbps" else amount


def _true(value: Any) -> bool:
    return value is True or str(value).casefold() in {"true", "yes", "1", "enabled"}


def names_on(row: Mapping[str, Any], field_name: str) -> frozenset[str]:
    """The features or modes that are on, in lower case: the list of names, and the flags beside it."""
    listed = row.get(field_name)
    names = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
    flags = [key for key, value in row.items() if value is True]
    return frozenset(str(name).casefold() for name in (*names, *flags))


def missing_features(desired: Iterable[str], on: frozenset[str]) -> tuple[str, ...]:
    """Those of ``desired`` that are not on, each once, in the user's spelling."""
    return _missing(desired, on, _FEATURES)


def missing_modes(desired: Iterable[str], on: frozenset[str]) -> tuple[str, ...]:
    """Those of ``desired`` that are not on, each once, in the user's spelling."""
    return _missing(desired, on, _MODES)


def _missing(desired: Iterable[str], on: frozenset[str], aliases: Mapping[str, str]) -> tuple[str, ...]:
    present = {aliases.get(name, name) for name in on}
    missing: dict[str, str] = {}
    for name in desired:
        key = aliases.get(name.casefold(), name.casefold())
        if key not in present:
            missing.setdefault(key, name)
    return tuple(missing.values())


def parse_version(text: str | None) -> str | None:
    """``NetScaler NS13.1: Build 53.24.nc, Date: …`` as ``13.1-53.24``; whatever else comes as it is."""
    found = re.search(r"NS(\d+\.\d+): Build (\d+(?:\.\d+)*)", text or "")
    return f"{found[1]}-{found[2]}" if found else text or None


def unmet(changes: Plan) -> str | None:
    """What is still missing after everything was done, in words; None when nothing is."""
    message = [
        "the licence capacity is not in effect" if changes.capacity or changes.reboot else "",
        f"the hostname is not {changes.hostname!r}" if changes.hostname else "",
        f"features that did not come on: {', '.join(changes.features)} (not licensed?)" if changes.features else "",
        f"modes that did not come on: {', '.join(changes.modes)}" if changes.modes else "",
    ]
    return "; ".join(part for part in message if part) or None


def diff(desired: DesiredAppliance, found: ObservedAppliance, changes: Plan) -> dict[str, dict[str, Any]]:
    """Before and after, for what is managed here; no password in it."""
    before: dict[str, Any] = {"password": found.password.value}
    after: dict[str, Any] = {"password": FirstPassword.DONE.value}
    if desired.hostname:
        before["hostname"], after["hostname"] = found.hostname, desired.hostname
    if desired.features:
        before["features_missing"], after["features_missing"] = list(changes.features), []
    if desired.modes:
        before["modes_missing"], after["modes_missing"] = list(changes.modes), []
    if desired.license:
        servers = sorted(_server_name(row) for row in found.license_servers)
        before["license"] = {"servers": servers, "capacity": _capacity_shown(found.capacity), "reboot": changes.reboot}
        after["license"] = {
            "servers": [desired.license.server] if desired.license.server else servers,
            "capacity": dict(desired.license.body),
            "reboot": False,
        }
    return {"before": before, "after": after}


def _capacity_shown(capacity: Mapping[str, Any]) -> dict[str, Any]:
    return {key: capacity[key] for key in ("bandwidth", "unit", "edition", "platform", "vcpu") if key in capacity}
