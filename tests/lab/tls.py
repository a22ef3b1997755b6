"""The lab's certificate authority: one per lab, made at its start, with a certificate for each address asked for.

Clients validate as they would against an appliance whose certificate was replaced: ``.lab/ca.pem`` is what to trust.
"""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = timedelta(days=30)
_SKEW = timedelta(days=1)


class Authority:
    """Issues server certificates (EC P-256) whose subject alternative name is the address they are for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._key = ec.generate_private_key(ec.SECP256R1())
        # One key for all servers: making a key a certificate would only cost time.
        self._server_key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cloudadc.aws lab CA")])
        self._certificate = (
            self._builder(name, name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """The CA certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def context(self, address: str) -> ssl.SSLContext:
        """A server context that proves to be ``address``; made at the first call, then kept."""
        with self._lock:
            found = self._contexts.get(address)
            if found is None:
                found = self._contexts[address] = self._make_context(address)
            return found

    def self_signed(self, name: str, generation: int) -> ssl.SSLContext:
        """A server context with a self-signed certificate, as a stock VPX makes one at its first boot.

        ``name``: whose, such as an instance id; another ``generation`` of it is another certificate.
        """
        with self._lock:
            key = f"{name}#{generation}"
            found = self._contexts.get(key)
            if found is None:
                found = self._contexts[key] = self._load(key, self._self_signed(name))
            return found

    def installed(self, chain: bytes, key: bytes, passphrase: str | None) -> ssl.SSLContext:
        """A server context with a certificate that was uploaded to an appliance, in PEM form."""
        name = hashlib.sha256(chain + key).hexdigest()[:16]
        with self._lock:
            found = self._contexts.get(name)
            if found is None:
                found = self._contexts[name] = self._context_of(name, key + chain, passphrase)
            return found

    def _self_signed(self, name: str) -> x509.Certificate:
        """Subject and issuer of ns-server-certificate as vendor documents show it; no subject alternative name."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"default {name}")])
        return (
            self._builder(subject, subject, self._server_key.public_key(), self._server_key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._server_key, hashes.SHA256())
        )

    def _make_context(self, address: str) -> ssl.SSLContext:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        certificate = (
            self._builder(name, self._certificate.subject, self._server_key.public_key())
            .add_extension(alternative, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return self._load(address, certificate)

    def _load(self, name: str, certificate: x509.Certificate) -> ssl.SSLContext:
        key = self._server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._context_of(name, key + certificate.public_bytes(serialization.Encoding.PEM))

    def _context_of(self, name: str, pem: bytes, passphrase: str | None = None) -> ssl.SSLContext:
        # ssl loads a chain from a file only.
        path = self._directory / f"server-{name}.pem"
        path.touch(mode=0o600)
        path.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(path, password=passphrase)
        path.unlink()
        return context

    def _builder(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        public_key: ec.EllipticCurvePublicKey,
        issuer_key: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(now + _LIFE)
            # Python 3.13 validates strictly (RFC 5280): both key identifiers must be there.
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key((issuer_key or self._key).public_key()),
                critical=False,
            )
        )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
