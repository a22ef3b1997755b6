# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What adm_device decides: from the desired registrations and what a console lists to what must be written. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.nitro_errors import NitroInputError

Row = Mapping[str, Any]
DEVICE = "managed_device"
PROFILE = "ns_device_profile"
DATACENTER = "mps_datacenter"
AGENT = "mps_agent"
ACTIVITY = "activity_status"


@dataclass(frozen=True, slots=True)
class DesiredDevices:
    """``addresses``: canonical, each once. What is None may be as it is."""

    addresses: tuple[str, ...]
    profile: str | None
    datacenter: str | None
    agent: str | None
    present: bool


@dataclass(frozen=True, slots=True)
class Device:
    """One appliance as the console lists it; "" where it says nothing."""

    ident: str
    address: str
    profile: str
    datacenter_id: str
    agent_id: str
    instance_state: str
    version: str
    hostname: str

    def result(self) -> dict[str, str | None]:
        return {
            "id": self.ident or None,
            "ip_address": self.address,
            "profile": self.profile or None,
            "datacenter_id": self.datacenter_id or None,
            "agent_id": self.agent_id or None,
            "instance_state": self.instance_state or None,
            "version": self.version or None,
            "hostname": self.hostname or None,
        }


@dataclass(frozen=True, slots=True)
class Assignment:
    """The ids behind the names of a data centre and an agent; "" for one that was not named."""

    datacenter_id: str = ""
    agent_id: str = ""
    # Where the agent is: what a new device gets when no data centre was named.
    agents_datacenter_id: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A device that is registered otherwise than desired, and the fields to change."""

    device: Device
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    register: tuple[str, ...] = ()
    change: tuple[Change, ...] = ()
    remove: tuple[Device, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.register or self.change or self.remove)


def addresses_of(single: str | None, many: Sequence[str] | None) -> tuple[str, ...]:
    """Return the addresses in canonical form, each once, in their order. Raises NitroInputError."""
    given = [single] if single is not None else list(many or [])
    return tuple(dict.fromkeys(_canonical(text) for text in given))


def _canonical(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        hint = "; a port belongs in the device profile" if ":" in text and "." in text else ""
        raise NitroInputError(f"ip_address {text!r} is not an IP address{hint}") from None


def parse_devices(rows: Sequence[Row], addresses: Sequence[str]) -> dict[str, Device]:
    """Return the devices among ``rows`` that are at one of ``addresses``, by address."""
    found: dict[str, Device] = {}
    for row in rows:
        for name in ("ip_address", "mgmt_ip_address"):
            address = _normal(str(row.get(name) or ""))
            if address in addresses:
                found.setdefault(address, _device(row, address))
    return found


def _normal(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def _device(row: Row, address: str) -> Device:
    return Device(
        ident=_text(row, "id"),
        address=address,
        profile=_text(row, "profile_name"),
        datacenter_id=_text(row, "datacenter_id"),
        agent_id=_text(row, "agent_id"),
        instance_state=_text(row, "instance_state"),
        version=_text(row, "version"),
        hostname=_text(row, "hostname"),
    )


def _text(row: Row, name: str) -> str:
    return str(row.get(name) or "")


def find_place(
    requested: DesiredDevices, datacenters: Sequence[Row], agents: Sequence[Row], console: str
) -> Assignment:
    """Return the ids of the named objects. Raises NitroInputError for a name that does not exist or is ambiguous."""
    datacenter = agent = None
    if requested.datacenter is not None:
        datacenter = _named(datacenters, requested.datacenter, "data centre", console)
    if requested.agent is not None:
        agent = _named(agents, requested.agent, "agent", console)
        state = _text(agent, "state")
        if state and state.lower() != "up":
            raise NitroInputError(f"{console}: agent {requested.agent!r} is {state} and cannot reach a device")
    return Assignment(
        datacenter_id=_text(datacenter or {}, "id"),
        agent_id=_text(agent or {}, "id"),
        agents_datacenter_id=_text(agent or {}, "datacenter_id"),
    )


def _named(rows: Sequence[Row], name: str, what: str, console: str) -> Row:
    found = [row for row in rows if name in (row.get("name"), row.get("id"))]
    if len(found) == 1:
        return found[0]
    if found:
        raise NitroInputError(f"{console}: there are {len(found)} {what}s named {name!r}; give the id of one")
    known = ", ".join(sorted(repr(str(row.get("name"))) for row in rows)) or "none"
    raise NitroInputError(f"{console}: there is no {what} {name!r}; known: {known}")


def plan(requested: DesiredDevices, found: Mapping[str, Device], place: Assignment) -> Plan:
    """Return the writes that are due."""
    if not requested.present:
        return Plan(remove=tuple(found[address] for address in requested.addresses if address in found))
    differing = (
        (found[one], _differences(requested, found[one], place)) for one in requested.addresses if one in found
    )
    return Plan(
        register=tuple(address for address in requested.addresses if address not in found),
        change=tuple(Change(device, fields) for device, fields in differing if fields),
    )


def _differences(requested: DesiredDevices, device: Device, place: Assignment) -> dict[str, str]:
    pairs = {
        "profile_name": (requested.profile or "", device.profile),
        "datacenter_id": (place.datacenter_id, device.datacenter_id),
        "agent_id": (place.agent_id, device.agent_id),
    }
    return {name: desired for name, (desired, have) in pairs.items() if desired and desired != have}


def needs_profile(requested: DesiredDevices, chosen: Plan) -> bool:
    """Whether the profile is going to be used, now or, where no address is named yet, later: it must be there."""
    later = requested.present and not requested.addresses
    return later or bool(chosen.register) or any("profile_name" in change.fields for change in chosen.change)


def require_profile(requested: DesiredDevices, profiles: Sequence[Row], console: str) -> None:
    """Raise NitroInputError if no such profile exists."""
    if requested.profile is not None:
        _named(profiles, requested.profile, "device profile", console)


def profile_id(requested: DesiredDevices, profiles: Sequence[Row], console: str) -> str:
    """Return the id of the profile. Raises NitroInputError if none is named, or there is no such profile."""
    if requested.profile is None:
        raise NitroInputError("profile_password needs profile, the profile that gets the password")
    return _text(_named(profiles, requested.profile, "device profile", console), "id")


def require_named_profile(requested: DesiredDevices, chosen: Plan) -> None:
    """Raise NitroInputError if no profile is named: a device cannot be registered without one."""
    if chosen.register and requested.profile is None:
        raise NitroInputError(f"give profile: without one, {', '.join(chosen.register)} cannot be registered")


def registration(requested: DesiredDevices, place: Assignment, address: str) -> dict[str, str]:
    """Return the body of add_device for one address (the vendor's lambda sends the same fields)."""
    fields = {
        "ip_address": address,
        "profile_name": requested.profile or "",
        "datacenter_id": place.datacenter_id or place.agents_datacenter_id,
        "agent_id": place.agent_id,
    }
    return {name: value for name, value in fields.items() if value}


def predict(
    requested: DesiredDevices, place: Assignment, chosen: Plan, found: Mapping[str, Device]
) -> dict[str, Device]:
    """Predict the devices after the writes, by address."""
    after = {address: device for address, device in found.items() if device not in chosen.remove}
    for address in chosen.register:
        after[address] = _device(registration(requested, place, address), address)
    for change in chosen.change:
        old = change.device
        after[old.address] = Device(
            ident=old.ident,
            address=old.address,
            profile=change.fields.get("profile_name", old.profile),
            datacenter_id=change.fields.get("datacenter_id", old.datacenter_id),
            agent_id=change.fields.get("agent_id", old.agent_id),
            instance_state=old.instance_state,
            version=old.version,
            hostname=old.hostname,
        )
    return after


def describe(found: Mapping[str, Device], addresses: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """For diff: what this module can change of each device, by address."""
    names = ("profile", "datacenter_id", "agent_id")
    return {
        address: {name: found[address].result()[name] for name in names} for address in addresses if address in found
    }


@dataclass(frozen=True, slots=True)
class Word:
    """The last word of an activity: its status, the console's message, and whether it has ended."""

    status: str = ""
    message: str = ""
    ended: bool = False

    @property
    def done(self) -> bool:
        return self.ended and self.status.lower() == "completed"

    def __str__(self) -> str:
        return ": ".join(part for part in (self.status, self.message) if part) or "nothing yet"


def last_word(lines: Sequence[Row]) -> Word:
    """Return the final message of an activity's log; at most one line has ``is_last`` "true", and it ends the log."""
    closing = [line for line in lines if str(line.get("is_last")).lower() == "true"]
    line = (closing or list(lines) or [{}])[-1]
    return Word(_text(line, "status"), _text(line, "message"), bool(closing))
