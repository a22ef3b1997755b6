# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read variables that may come from a file, a survey or the command line, and collect every problem.

``None`` and the empty string count as not given. Numbers and booleans may come as text, as surveys send them. A text
where a list belongs is split at commas. A value of a wrong type is one problem, and the default is used from there on.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

_TRUE = frozenset({"true", "yes", "on", "1", "y", "t"})
_FALSE = frozenset({"false", "no", "off", "0", "n", "f"})
_TYPES = {"bool": "a boolean", "int": "a number", "float": "a number", "str": "a text", "list": "a list"}
HIGHEST_PORT = 65535
#: Bytes of a file of trusted certificates that are looked at.
_LONGEST_BUNDLE = 4 * 1024 * 1024


class Reader:
    """The values of a dictionary, read by key and type.

    ``where`` is the start of a name in a message: ``autoscale_group_`` or ``Zone a: ``. ``secret`` names keys whose
    values are never quoted.
    """

    def __init__(
        self, raw: Mapping[str, Any], problems: list[str], where: str = "", secret: Collection[str] = ()
    ) -> None:
        self.raw = raw
        self.problems = problems
        self.where = where
        self.secret = frozenset(secret)

    def given(self, key: str) -> bool:
        """Tell whether the key has a value."""
        value = self.raw.get(key)
        return value is not None and value != ""

    def refuse(self, key: str, kind: str) -> None:
        """Record that the value of ``key`` is not what it must be."""
        value = self.raw.get(key)
        found = f"{value!r}" if isinstance(value, str | int | float | bool) else described(value)
        shown = "" if key in self.secret else f", not {found if len(found) < 80 else found[:77] + '...'}"
        self.problems.append(f"{self.where}{key} must be {kind}{shown}.")

    def text(self, key: str, default: str = "") -> str:
        """Return a text; numbers are accepted, because YAML reads unquoted digits as numbers."""
        value = self.raw.get(key)
        if not self.given(key):
            return default
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.refuse(key, "a text")
            return default
        return str(value).strip()

    def choice(self, key: str, allowed: Collection[str], default: str) -> str:
        """Return one of ``allowed``."""
        value = self.text(key, default)
        if value not in allowed:
            self.refuse(key, f"one of {', '.join(allowed)}")
            return default
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return a boolean."""
        value = self.raw.get(key)
        if not self.given(key):
            return default
        text = str(value).strip().lower()
        if isinstance(value, bool | str | int) and text in _TRUE | _FALSE:
            return text in _TRUE
        self.refuse(key, "true or false")
        return default

    def whole(self, key: str, default: int, lowest: int = 0, highest: int | None = None) -> int:
        """Return a whole number between the limits."""
        value = self.raw.get(key)
        if not self.given(key):
            return default
        number = whole_number(value)
        if number is None or number < lowest or (highest is not None and number > highest):
            limit = f"of at least {lowest}" if highest is None else f"from {lowest} to {highest}"
            self.refuse(key, f"a whole number {limit}")
            return default
        return number

    def port(self, key: str, default: int) -> int:
        """Return a port."""
        value = self.raw.get(key)
        if not self.given(key):
            return default
        port = port_of(value)
        if port is None:
            self.refuse(key, f"a port (1 to {HIGHEST_PORT})")
        return port or default

    def seconds(self, key: str, default: float) -> float:
        """Return a number of seconds, 0 or more."""
        value = self.raw.get(key)
        if not self.given(key):
            return default
        try:
            number = float("nan") if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            number = float("nan")
        if not 0 <= number < float("inf"):
            self.refuse(key, "a number of seconds")
            return default
        return number

    def path(self, key: str) -> str:
        """Return the path of something that exists on the controller, empty if not given."""
        text = self.text(key)
        if text and not Path(text).expanduser().exists():
            self.problems.append(f"{self.where}{key}: {text} does not exist on the controller.")
        return text

    def authorities(self, key: str) -> str:
        """Return the path of a file or folder of trusted certificates on the controller, empty if not given.

        A file that is none is found here and not by the first connection, when instances are running already.
        """
        text = self.path(key)
        file = Path(text).expanduser() if text else None
        if file is not None and file.is_file():
            try:
                content = file.read_bytes()[:_LONGEST_BUNDLE]
            except OSError as error:
                self.problems.append(f"{self.where}{key}: {text} cannot be read: {error.strerror}.")
                return text
            if b"-----BEGIN CERTIFICATE-----" not in content and b"-----BEGIN TRUSTED CERTIFICATE-----" not in content:
                self.problems.append(f"{self.where}{key}: {text} holds no certificate in PEM form.")
        return text

    def mapping(self, key: str) -> dict[str, Any]:
        """Return a dictionary, empty if not given."""
        value = self.raw.get(key)
        if not self.given(key):
            return {}
        if not isinstance(value, Mapping):
            self.refuse(key, "a dictionary")
            return {}
        return {str(name): item for name, item in value.items()}

    def texts(self, key: str, default: Collection[str] = ()) -> list[str]:
        """Return a list of texts; one text is split at commas."""
        value = self.raw.get(key)
        if not self.given(key):
            return list(default)
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list | tuple) or any(isinstance(item, Mapping | list | tuple) for item in value):
            self.refuse(key, "a list of texts")
            return list(default)
        return [str(item).strip() for item in value if item is not None and str(item).strip()]

    def mappings(self, key: str) -> list[dict[str, Any]]:
        """Return a list of dictionaries, empty if not given."""
        value = self.raw.get(key)
        if not self.given(key):
            return []
        if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
            self.refuse(key, "a list of dictionaries")
            return []
        return [{str(name): item for name, item in entry.items()} for entry in value]

    def networks(self, key: str, default: Collection[str] = (), *, ipv6: bool = False) -> list[str]:
        """Return networks in CIDR notation, of IPv4 unless ``ipv6`` allows both."""
        found = self.texts(key, default)
        for text in found:
            problem = network_problem(text, ipv6=ipv6)
            if problem:
                self.problems.append(f"{self.where}{key}: {problem}")
        return found

    def unknown_variables(self, role: str, known: Collection[str], variables: Collection[str]) -> None:
        """Record variables of a role that it does not have, with the name that was probably meant."""
        for name in sorted(set(variables) - set(known)):
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.8)
            meant = f"Did you mean {near[0]}?" if near else "Its README.md names those it has."
            self.problems.append(f"The role {role} has no variable {name}. {meant}")

    def unknown(self, known: Collection[str]) -> None:
        """Record keys that nothing reads, which would be ignored silently if a name is misspelt."""
        extra = sorted(set(self.raw) - set(known))
        if extra:
            owner = self.where.rstrip(": .") or "The dictionary"
            self.problems.append(f"{owner} has no key {', '.join(extra)}; the keys are {', '.join(sorted(known))}.")


def not_set(name: str, example: str) -> str:
    """Return the message for a run that got no variables at all, as with a forgotten ``-e`` or ``@``."""
    return f"{name} is not set: give variables with -e @{example} (without the @, Ansible does not read the file)."


def split_texts(value: object) -> list[str]:
    """Return the texts of a list, or of one text that is split at commas, as surveys and ``-e`` give it."""
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
    return [str(part).strip() for part in parts if part is not None and str(part).strip()]


def described(value: object) -> str:
    """Return the type of a value in words, so that a message does not print a whole structure."""
    if isinstance(value, Mapping):
        return "a dictionary"
    return _TYPES.get(type(value).__name__, type(value).__name__)


def whole_number(value: object) -> int | None:
    """Return a whole number from a number or its text, None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value == int(value):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", value):
        return int(value)
    return None


def port_of(value: object) -> int | None:
    """Return a port number, None if the value is none."""
    number = whole_number(value)
    return number if number is not None and 0 < number <= HIGHEST_PORT else None


def network_problem(text: str, *, ipv6: bool = False) -> str | None:
    """Return what is wrong with a network in CIDR notation, None if it can be used in a security group."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"{text} is not a network in CIDR notation, such as 10.0.0.0/8."
    if network.version != 4 and not ipv6:
        return f"{text} is an IPv6 network; IPv4 networks are supported."
    if "/" not in text:
        return f"{text} has no prefix length; for one address write {text}/{network.max_prefixlen}."
    if network.network_address != ipaddress.ip_address(text.split("/", maxsplit=1)[0]):
        return f"{text} has host bits set; the network is {network}."
    return None


def address_problem(text: str) -> str | None:
    """Return what is wrong with an IPv4 address, None if it is one."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return f"{text} is not an IP address"
    return None if address.version == 4 else f"{text} is an IPv6 address; IPv4 addresses are supported"
