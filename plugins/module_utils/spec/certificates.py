# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""PEM texts of certificates and keys: how they are split and distinguished, and whether they belong together. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s.*?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")
#: Intermediates below one server certificate (nitro_errors, 3665: "Exceeded maximum Intermediate certificates limit").
MOST_INTERMEDIATES = 9
UNCOMPARED = (
    "certificate and key could not be compared before they are written, because the Python library cryptography is "
    "not installed; the appliance compares them"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``problems``: why certificate, key and chain cannot be used. ``warnings``: what should be known about them."""

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def split(content: str) -> list[str]:
    """Return the certificates of a PEM text in its order, each with a line feed at its end."""
    return [f"{block}\n" for block in _CERTIFICATE.findall(content)]


def digest(certificate: str) -> str:
    """Return 16 hexadecimal digits for a certificate in PEM form; line breaks and blanks do not count."""
    body = "".join(line for line in certificate.split("\n") if not line.startswith("-----"))
    try:
        content = base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        content = body.encode()
    return hashlib.sha256(content).hexdigest()[:16]


def form_problems(content: str, key: str, passphrase: str | None) -> list[str]:
    """Return what is known without reading the certificates. Nothing of the texts is quoted."""
    certificates = split(content)
    problems = []
    if not certificates:
        problems.append("certificate.content must hold a certificate in PEM form, followed by its intermediates if any")
    if len(certificates) > MOST_INTERMEDIATES + 1:
        problems.append(
            f"certificate.content holds {len(certificates) - 1} certificates after the first; an appliance takes "
            f"{MOST_INTERMEDIATES} intermediates at most"
        )
    if not _KEY.search(key):
        problems.append("certificate.key must be a private key in PEM form")
    elif is_encrypted(key) and not passphrase:
        problems.append("certificate.key is encrypted: give its certificate.passphrase")
    return problems


def is_encrypted(key: str) -> bool:
    """Whether a key in PEM form needs a passphrase (RFC 5958's label, or the header of RFC 1421)."""
    return "BEGIN ENCRYPTED PRIVATE KEY" in key or "Proc-Type: 4,ENCRYPTED" in key


def compare(content: str, key: str, passphrase: str | None, now: datetime | None = None) -> Verdict:
    """Return whether the key is that of the first certificate, and each further certificate the issuer of the one
    before it. ``now``: with a time zone, to warn of dates.

    Needs the library cryptography, which ansible-core requires on the controller; without it the verdict is a warning.
    """
    try:
        from cryptography import x509
    except ImportError:
        return Verdict(warnings=(UNCOMPARED,))
    loaded: list[Any] = []
    for number, text in enumerate(split(content), 1):
        try:
            loaded.append(x509.load_pem_x509_certificate(text.encode()))
        except ValueError:
            return Verdict((f"certificate {number} of certificate.content cannot be read",))
    problems = [*_key_problems(loaded, key, passphrase), *_chain_problems(loaded)]
    return Verdict(tuple(problems), tuple(_dates(loaded, now)) if now else ())


def _key_problems(certificates: Sequence[Any], key: str, passphrase: str | None) -> list[str]:
    """Why the key is not the one of the first certificate."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    secret = passphrase.encode() if passphrase and is_encrypted(key) else None
    try:
        private = load_pem_private_key(key.encode(), secret)
    except UnsupportedAlgorithm:
        return []  # a kind of key that an appliance may know all the same
    except (ValueError, TypeError):
        return ["certificate.passphrase does not open certificate.key" if secret else "certificate.key cannot be read"]

    def encoded(public: Any) -> bytes:
        return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    own = encoded(private.public_key())
    fitting = [number for number, each in enumerate(certificates, 1) if encoded(each.public_key()) == own]
    if fitting[:1] == [1]:
        return []
    where = f", but to number {fitting[0]}: put that one first" if fitting else ""
    return [f"certificate.key does not belong to the first certificate ({_subject(certificates[0])}){where}"]


def _chain_problems(certificates: Sequence[Any]) -> list[str]:
    """Each pair of neighbours of which the second did not issue the first."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    problems = []
    for number, (one, issuer) in enumerate(pairwise(certificates), 2):
        try:
            one.verify_directly_issued_by(issuer)
        except (ValueError, InvalidSignature):
            problems.append(
                f"certificate {number} ({_subject(issuer)}) is not the issuer of the one before it ({_subject(one)}); "
                "each certificate must be followed by its issuer"
            )
        except (TypeError, UnsupportedAlgorithm):
            continue  # a kind of signature that cannot be checked here
    return problems


def _dates(certificates: Sequence[Any], now: datetime) -> list[str]:
    message = []
    for each in certificates:
        if each.not_valid_after_utc < now:
            message.append(f"the certificate of {_subject(each)} expired on {each.not_valid_after_utc:%Y-%m-%d}")
        elif each.not_valid_before_utc > now:
            message.append(
                f"the certificate of {_subject(each)} is not valid before {each.not_valid_before_utc:%Y-%m-%d}"
            )
    return message


def _subject(certificate: Any) -> str:
    return str(certificate.subject.rfc4514_string())[:80] or "no subject"
