# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Licences: what is checked out, from which server, and what of it an appliance has. Pure.

Since 15 April 2026 the License Activation Service (LAS) is how customer-licensed images are licensed; the vendor does
not support pooled virtual CPUs, platform (CICO) and perpetual licences any more.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.nitro_errors import NitroInputError
from ..core.nitro_wire import as_int
from ..spec.builds import license_problem
from ..spec.license_option import EDITIONS, option_problem
from .steps import Change, Row, text_of

LICENSE_DIRECTORY = "/nsconfig/license"
_EDITION_FLAG = {"Standard": "isstandardlic", "Enterprise": "isenterpriselic", "Platinum": "isplatinumlic"}


@dataclass(frozen=True, slots=True)
class License:
    """``body``: what NITRO's ``nscapacity`` takes, without credentials; empty for one that is activated offline.

    ``activations``: contents of activation files in base64, by instance id, hostname or address of the appliance.
    """

    server: str | None
    port: int
    body: Mapping[str, Any]
    mode: str = "pooled"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    offline: bool = False
    activations: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_option(cls, option: Mapping[str, Any]) -> License:
        """Return the option ``license`` of vpx_bootstrap in its parsed form. Raises NitroInputError."""
        problem = option_problem(option)
        if problem:
            raise NitroInputError(f"license: {problem}")
        offline = bool(option.get("offline"))
        return cls(
            server=option.get("server") or None,
            port=option.get("port") or 27000,
            body={} if offline else _capacity_body(option),
            mode=option.get("mode") or "pooled",
            username=option.get("username") or None,
            password=option.get("password") or None,
            offline=offline,
            activations=option.get("activations") or {},
        )

    @property
    def credentials(self) -> dict[str, str]:
        """The user of the License Activation Service, as NITRO takes it."""
        return {"username": self.username, "password": self.password} if self.username and self.password else {}

    def server_body(self) -> dict[str, Any]:
        """Return what ``nslicenseserver`` takes: an address and a name are different fields."""
        try:
            ipaddress.ip_address(self.server or "")
            name = "licenseserverip"
        except ValueError:
            name = "servername"
        mode = {"licensemode": "LAS"} if self.mode == "las" else {}
        return {name: self.server, "port": self.port, **mode, **self.credentials}

    def activation_for(self, names: tuple[str | None, ...]) -> bytes | None:
        """Return the content of the appliance's activation file, by any of its names. Raises NitroInputError."""
        text = next((self.activations[name] for name in names if name and name in self.activations), None)
        if text is None:
            return None
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            raise NitroInputError("license.activations must hold the files' contents in base64") from None


def _capacity_body(option: Mapping[str, Any]) -> dict[str, Any]:
    edition = EDITIONS.get(option.get("edition") or "")
    if option.get("bandwidth"):
        return {"bandwidth": option["bandwidth"], "unit": option.get("unit") or "Mbps", "edition": edition}
    if option.get("vcpu"):
        return {"vcpu": True, "edition": edition}
    return {"platform": option["platform"]}


@dataclass(frozen=True, slots=True)
class LicenseState:
    """What an appliance says. ``servers``, ``capacity``, ``license``: rows of nslicenseserver, nscapacity, nslicense.

    ``files``: names of the activation files that were uploaded before.
    """

    servers: tuple[Row, ...] = ()
    capacity: Row = field(default_factory=dict)
    license: Row = field(default_factory=dict)
    files: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LicensePlan:
    """What has to be written, in the order of the fields; bodies hold credentials, so they are in no representation."""

    remove_servers: tuple[str, ...] = ()
    server: Mapping[str, Any] | None = field(default=None, repr=False)
    capacity: Mapping[str, Any] | None = field(default=None, repr=False)
    activation: tuple[Change, ...] = ()
    reboot: bool = False


def license_plan(licence: License | None, state: LicenseState, activation: bytes | None = None) -> LicensePlan:
    """Return what is missing. A reboot only for what is new, or set and not in effect (an interrupted run).

    Without the activation file of an appliance that is to be activated offline there is nothing to write.
    """
    if licence is None:
        return LicensePlan()
    if licence.offline:
        return _offline_plan(licence, state, activation)
    surplus: tuple[str, ...] = ()
    server = None
    if licence.server and not any(_is_server(licence, row) for row in state.servers):
        server = licence.server_body()
        surplus = tuple(name for row in state.servers if (name := server_name(row)))
    capacity = None if capacity_is(licence, state.capacity) else {**licence.body, **licence.credentials}
    reboot = capacity is not None or not in_effect(licence, state)
    return LicensePlan(surplus, server, capacity, reboot=reboot)


def activation_file(content: bytes) -> str:
    """Return the name under which an activation file is uploaded: it identifies what is loaded."""
    return f"cloudadc.{hashlib.sha256(content).hexdigest()[:16]}.blob.tgz"


def _offline_plan(licence: License, state: LicenseState, activation: bytes | None) -> LicensePlan:
    if activation is None:
        return LicensePlan()
    name = activation_file(activation)
    if name in state.files and in_effect(licence, state):
        return LicensePlan()
    content = base64.b64encode(activation).decode()
    place = {"filename": name, "filelocation": LICENSE_DIRECTORY}
    upload = Change("add", "systemfile", body={**place, "filecontent": content, "fileencoding": "BASE64"})
    apply = Change("act", "nslaslicense", action="apply", body={**place, "fixedbandwidth": True})
    return LicensePlan(activation=(apply,) if name in state.files else (upload, apply), reboot=True)


def server_name(row: Mapping[str, Any]) -> str:
    """Return the address or name of a licence server."""
    return text_of(row, "licenseserverip") or text_of(row, "servername")


def _is_server(licence: License, row: Row) -> bool:
    """Whether a server is the one, in its mode and for its user; what a build does not report decides neither.

    Mode and user of a server cannot be changed (NITRO: delete and add).
    """
    mode = text_of(row, "licensemode").casefold()
    fits = mode == "las" if licence.mode == "las" else mode != "las"
    return (
        server_name(row) == licence.server
        and as_int(row.get("port"), licence.port) == licence.port
        and (fits or not mode)
        and text_of(row, "username") in ("", licence.username or "")
    )


def capacity_is(licence: License, capacity: Mapping[str, Any]) -> bool:
    """Whether ``nscapacity`` is configured as desired. 10 Gbps and 10000 Mbps are the same."""
    desired = licence.body
    if "platform" in desired:
        return str(capacity.get("platform") or "").casefold() == str(desired["platform"]).casefold()
    if str(capacity.get("edition") or "").casefold() != str(desired["edition"]).casefold():
        return False
    if "vcpu" in desired:
        return _true(capacity.get("vcpu")) or bool(as_int(capacity.get("vcpucount")))
    return _mbps(capacity) == _mbps(desired)


def in_effect(licence: License, state: LicenseState) -> bool:
    """Whether a configured capacity is also the one the appliance runs with, as far as it lets itself be asked.

    ``nslicense`` has the edition and, on newer builds, ``licensingmode`` (Local and EXPRESS before the reboot, Pooled
    or CICO after it); ``nscapacity`` the bandwidth that was granted. What a build does not report decides neither.
    """
    row = state.license
    if str(row.get("licensingmode") or "").casefold() in {"local", "express"}:
        return False
    flag = _EDITION_FLAG.get(str(licence.body.get("edition")), "")
    if flag in row and not _true(row[flag]):
        return False
    return not ("bandwidth" in licence.body and as_int(state.capacity.get("actualbandwidth")) == 0)


def held_capacity(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the bandwidth that an appliance has checked out of a pool, by its row of nscapacity; None for none."""
    bandwidth = as_int(row.get("bandwidth"))
    if not bandwidth:
        return None
    return {"bandwidth": bandwidth, "unit": text_of(row, "unit") or "Mbps", "edition": text_of(row, "edition")}


def refusal(licence: License | None, version: str | None) -> str | None:
    """Return why an appliance of this version cannot have the licence."""
    return license_problem(licence.mode, version) if licence else None


def server_report(state: LicenseState) -> str:
    """Return what the appliance says of its licence servers (vendor's NITRO reference: status, grace, gptimeleft)."""
    message = [
        f"{server_name(row)}: status {row.get('status', 'unknown')}, grace {row.get('grace', 'unknown')}, "
        f"{row.get('gptimeleft', 'unknown')} left"
        for row in state.servers
    ]
    return "; ".join(message) or "it has no licence server"


def _mbps(row: Mapping[str, Any]) -> int | None:
    amount = as_int(row.get("bandwidth"))
    if amount is None:
        return None
    return amount * 1000 if str(row.get("unit") or "Mbps").casefold() == "gbps" else amount


def _true(value: Any) -> bool:
    return value is True or str(value).casefold() in {"true", "yes", "1", "enabled"}
