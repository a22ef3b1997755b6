"""Certificates for tests: an issuer's chain and a server certificate with its key, all in PEM form."""

from __future__ import annotations

import functools
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)
_Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Issued:
    """A certificate, its key, and the certificates of its issuers from the nearest on, without the root.

    ``root``: of the issuer that clients trust.
    """

    certificate: str
    key: str
    chain: tuple[str, ...]
    root: str = ""

    @property
    def fullchain(self) -> str:
        return "".join((self.certificate, *self.chain))


@functools.cache
def issue(
    name: str = "web.example",
    *,
    serial: int = 1,
    chain: int = 1,
    issuer: str = "Lab",
    days: int = 90,
    addresses: tuple[str, ...] = (),
) -> Issued:
    """The same arguments give the same certificate within a process.

    ``chain``: number of intermediates; ``addresses``: subject alternative names.
    """
    above, authorities = _authority(issuer, None, 0), []
    root = above[0]
    for level in range(chain):
        above = _authority(f"{issuer} {level + 1}", above[1], level + 1, issuer if level == 0 else f"{issuer} {level}")
        authorities.append(above[0])
    key = ec.generate_private_key(ec.SECP256R1())
    issued_by = f"{issuer} {chain}" if chain else issuer
    certificate = _sign(name, key, issued_by, above[1], serial, days, ca=False, addresses=addresses)
    return Issued(certificate, private(key), tuple(reversed(authorities)), root)


def encrypted(key: str, passphrase: str) -> str:
    """The key, encrypted with a passphrase."""
    loaded = serialization.load_pem_private_key(key.encode(), None)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return loaded.private_bytes(*form, serialization.BestAvailableEncryption(passphrase.encode())).decode()


def private(key: _Key) -> str:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*form).decode()


@functools.cache
def _authority(name: str, above: _Key | None, serial: int, issuer: str = "") -> tuple[str, _Key]:
    key = ec.generate_private_key(ec.SECP256R1())
    return _sign(name, key, issuer or name, above or key, serial + 100, 3650, ca=True), key


def _sign(
    name: str,
    key: _Key,
    issuer: str,
    by: _Key,
    serial: int,
    days: int,
    *,
    ca: bool,
    addresses: tuple[str, ...] = (),
) -> str:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    begins = now + timedelta(days=min(0, days) - 1)
    builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(issuer))
    builder = builder.public_key(key.public_key()).serial_number(serial)
    builder = builder.not_valid_before(begins).not_valid_after(now + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if addresses:
        names = [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    # Python 3.13 validates strictly (RFC 5280).
    own, above = key.public_key(), by.public_key()
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)
    if ca:
        builder = builder.add_extension(_SIGNS, critical=True)
    return builder.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
