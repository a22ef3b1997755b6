"""What the appliance knows of each resource: fields with types and bounds, operations with what they accept."""

from __future__ import annotations

import functools
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import NitroFault

Row = dict[str, Any]

# Fields that hold an address: a value that is none is refused with 1110 (recorded: "Invalid IP address [...]").
ADDRESS_FIELDS = frozenset(
    {"ipaddress", "ip", "ipv46", "netmask", "network", "gateway", "clip", "translationip", "ipv6address"}
)
PORT_FIELDS = frozenset({"port", "cleartextport", "primaryport"})
# Fields that never leave the appliance in clear.
SECRET_FIELDS = frozenset({"password", "rpcnodepassword", "passplain", "new_password"})
# The command line's spelling of an argument, which is what stands in the brackets of an error.
CLI_NAMES = {
    "ipaddress": "IPAddress",
    "ip": "IP",
    "servicegroupname": "serviceGroupName",
    "servicename": "serviceName",
    "servername": "serverName",
    "servicetype": "serviceType",
    "username": "userName",
    "monitorname": "monitorName",
    "monitor_name": "monitorName",
    "certkey": "certkeyName",
    "certkeyname": "certkeyName",
    "vservername": "vServerName",
    "nodeid": "nodeId",
    "clid": "clId",
}


def cli_name(field: str) -> str:
    """How the vendor's command line spells a field."""
    return CLI_NAMES.get(field, field)


@dataclass(frozen=True, slots=True)
class Field:
    """``kind``: s string, d double, i integer, b boolean; a capital letter is a list of them."""

    name: str
    kind: str
    read_only: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None

    def coerce(self, value: Any) -> Any:
        """The value as stored. Numbers and numeric strings are both accepted.

        Raises NitroFault 1074, 1091, 1108, 1109, 1110 or 1234, all of HTTP status 400.
        """
        if value is None or value == "":
            raise NitroFault(1091, cli_name(self.name))
        if self.kind in "SI":
            return self._list(value)
        if isinstance(value, (dict, list)):
            raise NitroFault(1234, cli_name(self.name))
        if self.kind in "di":
            return self._number(value)
        if self.kind == "b":
            return self._boolean(value)
        return self._string(value)

    def _list(self, value: Any) -> list[Any]:
        items = value if isinstance(value, list) else str(value).split(",")
        if self.kind == "I":
            return [self._number(item) for item in items]
        return [self._choice(str(item).strip()) for item in items]

    def _number(self, value: Any) -> int | float:
        if self.name in PORT_FIELDS and value == "*":
            return 65535
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise NitroFault(1074, cli_name(self.name), value) from None
        if isinstance(value, bool):
            raise NitroFault(1074, cli_name(self.name), str(value).lower())
        if self.high is not None and number > self.high:
            raise NitroFault(1108, cli_name(self.name), value)
        if self.name in PORT_FIELDS and number > 65535:
            raise NitroFault(1108, cli_name(self.name), value)
        if self.low is not None and number < self.low:
            raise NitroFault(1109, cli_name(self.name), value)
        return int(number) if number.is_integer() else number

    def _boolean(self, value: Any) -> bool:
        match str(value).lower():
            case "true" | "yes" | "1":
                return True
            case "false" | "no" | "0":
                return False
        raise NitroFault(1074, cli_name(self.name), value)

    def _string(self, value: Any) -> str:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if self.name in ADDRESS_FIELDS and not self.choices:
            return self._address(text)
        return self._choice(text)

    def _address(self, text: str) -> str:
        try:
            return str(ipaddress.ip_address(text.split("/")[0] if self.name == "ipv6address" else text))
        except ValueError:
            raise NitroFault(1110, text) from None

    def _choice(self, text: str) -> str:
        """Enumerated values are compared without regard to case, as NITRO does, and kept in their own spelling."""
        if not self.choices:
            return text
        for choice in self.choices:
            if choice.lower() == text.lower():
                return choice
        raise NitroFault(1074, cli_name(self.name), text)


@dataclass(frozen=True, slots=True)
class Operation:
    """What one verb accepts."""

    fields: frozenset[str]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """One type, configuration or statistics."""

    name: str
    fields: Mapping[str, Field]
    operations: Mapping[str, Operation]
    key: tuple[str, ...]
    singleton: bool
    numbers: frozenset[str]
    either: bool = False
    """Named by any one of the fields in ``key``, not by all of them."""

    @property
    def is_binding(self) -> bool:
        return self.name.endswith("_binding")

    def operation(self, name: str) -> tuple[str, Operation]:
        """The operation by any spelling of its name (clients send force and Force); 1240 if there is none."""
        for known, operation in self.operations.items():
            if known.lower() == name.lower():
                return known, operation
        raise NitroFault(1240, name)

    def defaults(self) -> Row:
        """Documented defaults of the fields that add or update accept (not of arguments of an action)."""
        settable: set[str] = set()
        for name in ("add", "update"):
            if name in self.operations:
                settable |= self.operations[name].fields
        return {
            name: field.default for name, field in self.fields.items() if field.default is not None and name in settable
        }

    def validate(self, operation: str, body: Mapping[str, Any]) -> Row:
        """The body with every value coerced.

        Raises NitroFault: 1090 (400) for an unknown field, 278 (599) for one this verb does not accept or that is
        read-only, 1095 (400) for a required one that is missing, and what Field.coerce raises.
        """
        spec = self.operations[operation]
        row: Row = {}
        for name, value in body.items():
            field = self.fields.get(name)
            if field is None:
                raise NitroFault(1090, name)
            if name not in spec.fields and name not in self.key:
                raise NitroFault(278, cli_name(name))
            row[name] = field.coerce(value)
        for name in spec.required:
            if name not in row:
                raise NitroFault(1095, cli_name(name))
        return row

    def key_of(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """The identity of a row as strings; a missing part counts as the field's zero."""
        return tuple(str(row.get(name, 0 if self.fields[name].kind in "di" else "")) for name in self.key)

    def print(self, row: Mapping[str, Any]) -> Row:
        """A row with the wire's types: doubles as strings, rates and percentages as numbers (recorded replies)."""
        out: Row = {}
        for name, value in row.items():
            if name.startswith("_") or value is None or name in SECRET_FIELDS:
                continue
            out[name] = self._wire(name, value)
        return out

    def _wire(self, name: str, value: Any) -> Any:
        field = self.fields.get(name)
        if field is None or field.kind != "d" or isinstance(value, str):
            return value
        if name.endswith(("rate", "pcnt", "perusage")) or name in self.numbers:
            return value
        return f"{value:.6f}" if isinstance(value, float) and not value.is_integer() else str(int(value))


def _field(name: str, data: dict[str, Any]) -> Field:
    return Field(
        name=name,
        kind=data["t"],
        read_only=bool(data.get("ro")),
        default=data.get("d"),
        choices=tuple(data.get("e", ())),
        low=data.get("min"),
        high=data.get("max"),
    )


def _resource(path: str, data: dict[str, Any]) -> Resource:
    return Resource(
        name=path.split("/", 1)[1],
        fields={name: _field(name, field) for name, field in data["fields"].items()},
        operations={
            name: Operation(frozenset(operation["fields"]), tuple(operation["required"]))
            for name, operation in data.get("ops", {}).items()
        },
        key=tuple(data.get("key", ())),
        singleton=bool(data.get("singleton")),
        numbers=frozenset(data.get("numbers", ())),
        either=bool(data.get("either")),
    )


@functools.cache
def catalogue() -> dict[str, Resource]:
    """Every resource by ``config/<type>`` or ``stat/<type>``."""
    data = json.loads((Path(__file__).parent / "data" / "resources.json").read_text())
    return {path: _resource(path, entry) for path, entry in data.items()}


@functools.cache
def spellings() -> dict[str, str]:
    """Every path in lower case, and how it is spelled: clients say interface and Interface."""
    return {path.lower(): path for path in catalogue()}


def canonical(kind: str, name: str) -> str:
    """A type in its own spelling; unknown names as they are."""
    return spellings().get(f"{kind}/{name}".lower(), f"{kind}/{name}").split("/", 1)[1]


def config(name: str) -> Resource:
    """A configuration type; 1232 (400) if there is none of that name. Names are matched as they are written."""
    resource = catalogue().get(f"config/{name}")
    if resource is None:
        raise NitroFault(1232, name)
    return resource
