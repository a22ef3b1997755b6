# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a fresh appliance lacks to be a managed one. Pure: from desired and observed state to a plan."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.nitro_errors import NitroInputError
from .licences import License, LicenseState, license_plan, refusal, server_name
from .steps import Change

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


class FirstPassword(enum.Enum):
    """Which password lets us in."""

    DONE = "set"
    FORCED = "first password, the appliance insists on a new one"
    OPEN = "first password"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DesiredAppliance:
    """What the options ask for; None and empty mean: leave as it is."""

    hostname: str | None = None
    features: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    license: License | None = None
    activation: bytes | None = field(default=None, repr=False)
    save: bool = True

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> DesiredAppliance:
        """Return the options of vpx_bootstrap. Raises NitroInputError for what can never be done."""
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
            activation=licence.activation_for(_names(params)) if licence else None,
            save=params["save_config"],
        )


def _names(params: Mapping[str, Any]) -> tuple[str | None, ...]:
    """Return the names of an appliance in the option ``license.activations``."""
    nsip = str(params["nsip"])
    return params.get("instance_id"), params.get("hostname"), nsip, nsip.rpartition(":")[0].strip("[]")


@dataclass(frozen=True, slots=True)
class ObservedAppliance:
    """What an appliance says of itself, as far as it is needed. ``unsaved``: running and saved configuration differ."""

    password: FirstPassword = FirstPassword.UNKNOWN
    version: str | None = None
    hostname: str | None = None
    features: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    license: LicenseState = field(default_factory=LicenseState)
    unsaved: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be done, in the order of the fields."""

    change_password: bool = False
    remove_license_servers: tuple[str, ...] = ()
    license_server: Mapping[str, Any] | None = field(default=None, repr=False)
    capacity: Mapping[str, Any] | None = field(default=None, repr=False)
    activation: tuple[Change, ...] = ()
    reboot: bool = False
    hostname: str | None = None
    features: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    certificate: bool = False
    save: bool = False

    @property
    def empty(self) -> bool:
        return self == Plan()


def plan(desired: DesiredAppliance, found: ObservedAppliance) -> Plan:
    """Return the missing steps. Only a capacity that is new, or set but not in effect, needs a reboot."""
    licence = license_plan(desired.license, found.license, desired.activation)
    changes = Plan(
        change_password=found.password is not FirstPassword.DONE,
        remove_license_servers=licence.remove_servers,
        license_server=licence.server,
        capacity=licence.capacity,
        activation=licence.activation,
        reboot=licence.reboot,
        hostname=desired.hostname if desired.hostname != found.hostname else None,
        features=missing_features(desired.features, found.features),
        modes=missing_modes(desired.modes, found.modes),
    )
    save = desired.save and (not changes.empty or found.unsaved)
    return Plan(**{name: getattr(changes, name) for name in Plan.__slots__ if name != "save"}, save=save)


def names_on(row: Mapping[str, Any], field_name: str) -> frozenset[str]:
    """Return the features or modes that are on, in lower case: the list of names, and the flags beside it."""
    listed = row.get(field_name)
    names = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
    flags = [key for key, value in row.items() if value is True]
    return frozenset(str(name).casefold() for name in (*names, *flags))


def missing_features(desired: Iterable[str], on: frozenset[str]) -> tuple[str, ...]:
    """Those of the given ones that are not on, each once, in the user's spelling."""
    return _missing(desired, on, _FEATURES)


def missing_modes(desired: Iterable[str], on: frozenset[str]) -> tuple[str, ...]:
    """Those of the given ones that are not on, each once, in the user's spelling."""
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


def obstacle(desired: DesiredAppliance, found: ObservedAppliance) -> str | None:
    """Return why nothing may be written to this appliance, None if it can be made what is desired."""
    return refusal(desired.license, found.version)


def unmet(changes: Plan) -> str | None:
    """Describe what is still missing after all steps; None if nothing is."""
    message = [
        "the licence is not in effect" if changes.capacity or changes.activation or changes.reboot else "",
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
    if changes.certificate:
        before["management_certificate"], after["management_certificate"] = "another", "the given one"
    if desired.modes:
        before["modes_missing"], after["modes_missing"] = list(changes.modes), []
    if desired.license:
        servers = sorted(server_name(row) for row in found.license.servers)
        capacity = _capacity_shown(found.license.capacity)
        activated = desired.license.offline and not changes.activation
        before["license"] = {"servers": servers, "capacity": capacity, "reboot": changes.reboot}
        after["license"] = {
            "servers": [desired.license.server] if desired.license.server else servers,
            "capacity": dict(desired.license.body) or capacity,
            "reboot": False,
        }
        if desired.license.offline:
            before["license"]["activated"], after["license"]["activated"] = activated, desired.activation is not None
    return {"before": before, "after": after}


def _capacity_shown(capacity: Mapping[str, Any]) -> dict[str, Any]:
    return {key: capacity[key] for key in ("bandwidth", "unit", "edition", "platform", "vcpu") if key in capacity}
