# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""SHA-256 fingerprints of certificates, and which of them each appliance may have. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .nitro_errors import NitroInputError
from .nitro_wire import parse_address

VERIFY, PIN = "verify", "pin"
#: What ``openssl x509 -fingerprint -sha256`` prints before the digits, and what ``ssh`` style texts have there.
_PREFIX = re.compile(r"(?i)^\s*(?:sha-?256\s*(?:fingerprint)?\s*[=:]\s*)?")


def fingerprint(certificate: bytes) -> str:
    """Return the fingerprint of a certificate (DER) as ``openssl x509 -fingerprint -sha256`` prints it."""
    return _printed(hashlib.sha256(certificate).hexdigest())


def canonical(text: str, name: str = "fingerprint") -> str:
    """Return a fingerprint in the form of :func:`fingerprint`, from digits with or without colons.

    Raises:
        NitroInputError: It is none; ``name`` is the option that holds it.
    """
    digits = re.sub(r"[:\s]", "", _PREFIX.sub("", str(text)))
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", digits):
        raise NitroInputError(f"{name}: {str(text)[:120]!r} is not a SHA-256 fingerprint, 64 hexadecimal digits")
    return _printed(digits)


def _printed(digits: str) -> str:
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()


def host_of(nsip: str) -> str:
    """Return the address without its port; what is no address as it is."""
    try:
        return parse_address(nsip)[0]
    except NitroInputError:
        return nsip


@dataclass(slots=True)
class Pins:
    """The fingerprints that are accepted at each address.

    Attributes:
        required: refuse an address without a fingerprint, instead of verifying its certificate by authorities.
        given: fingerprints by address without a port.
        found: the same, as last read from the tags of instances; what is given has precedence.
    """

    required: bool = False
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    found: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def learn(self, found: Mapping[str, Iterable[str]]) -> None:
        """Take over what was read of instances."""
        self.found.update({address: tuple(texts) for address, texts in found.items()})

    def of(self, nsip: str) -> tuple[str, ...]:
        """Return the fingerprints that are accepted at an address; none: it is verified by authorities.

        Raises:
            NitroInputError: One is required and none is known.
        """
        host = host_of(nsip)
        found = self.given.get(host) or (self.found.get(host, ()) if self.required else ())
        if self.required and not found:
            raise NitroInputError(
                f"{nsip}: management_tls is pin, and no fingerprint of its certificate is known, so nothing was sent. "
                "vpx_bootstrap pins it at the first contact (tag cloudadc:management_fingerprint of its instance)"
            )
        return found


def pins_from(params: Mapping[str, Any]) -> Pins:
    """Return the pins that the options ``management_tls``, ``fingerprint`` and ``fingerprints`` make.

    Raises:
        NitroInputError: A value is no fingerprint, or there is one without TLS.
    """
    known = {
        host_of(str(address)): tuple(canonical(text, f"fingerprints, {address}") for text in texts_of(value))
        for address, value in (params.get("fingerprints") or {}).items()
    }
    if params.get("fingerprint") and params.get("nsip"):
        known[host_of(str(params["nsip"]))] = (canonical(params["fingerprint"]),)
    pins = Pins(params.get("management_tls") == PIN, known)
    if (pins.required or known) and params.get("nitro_protocol") == "http":
        raise NitroInputError("a certificate can be pinned only with nitro_protocol=https")
    return pins


def texts_of(value: Any) -> list[str]:
    """Return a fingerprint or a list of them as a list."""
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]
