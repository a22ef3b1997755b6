"""Certificates and files, as much as an SSL virtual server needs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from tests.lab.appliance.context import Context
from tests.lab.appliance.errors import NitroFault
from tests.lab.appliance.ha import SHIPPED
from tests.lab.appliance.schema import Resource, Row
from tests.lab.appliance.store import Config

from .backups import backup_files
from .base import Behaviour, behaves, require
from .system import ctime

SSL_FOLDER = "/nsconfig/ssl"
#: Internal services with TLS, as configurations of appliances show them; that of NITRO and the GUI is the first.
GUI_SERVICE = "nshttps-127.0.0.1-443"
INTERNAL_SERVICES = (
    GUI_SERVICE, "nshttps-::1l-443", "nsrpcs-127.0.0.1-3008", "nsrpcs-::1l-3008", "nskrpcs-127.0.0.1-3009"
)  # fmt: skip
FACTORY_CERTIFICATE = "ns-server-certificate"


@behaves("systemfile")
class SystemFile(Behaviour):
    changes_config = False

    def adding(self, ctx: Context, row: Row) -> None:
        """1642 (409) when the file is there; content must be base64."""
        row.setdefault("filelocation", SSL_FOLDER)
        row["filelocation"] = str(PurePosixPath(row["filelocation"]))
        try:
            base64.b64decode(row["filecontent"], validate=True)
        except binascii.Error:
            raise NitroFault(1097, "fileContent") from None
        if ctx.running.first("systemfile", filename=row["filename"], filelocation=row["filelocation"]):
            raise NitroFault(1642)

    def added(self, ctx: Context, row: Row) -> None:
        row["_modified"] = ctx.now

    def selector(self, args: dict[str, str]) -> dict[str, str]:
        if "filelocation" in args:
            return {**args, "filelocation": str(PurePosixPath(args["filelocation"]))}
        return args

    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        return [*super().rows(ctx, resource), *backup_files(ctx)]

    def view(self, ctx: Context, row: Row) -> Row:
        """A file above the limit comes without its content."""
        modified = ctime(row["_modified"])
        size = len(base64.b64decode(row["filecontent"]))
        shown = {**row, "filesize": size, "filemodifiedtime": modified, "fileaccesstime": modified}
        if size > ctx.settings.file_content_limit:
            del shown["filecontent"]
        return shown


def has_file(ctx: Context, path: str) -> bool:
    """Whether a certificate or key file is on the appliance; a bare name means /nsconfig/ssl."""
    whole = PurePosixPath(SSL_FOLDER) / path
    if whole.name in SHIPPED:
        return True
    return ctx.running.first("systemfile", filename=whole.name, filelocation=str(whole.parent)) is not None


def contents(ctx: Context, path: str) -> bytes:
    """What is in a file; nothing for one that was shipped."""
    return file_content(ctx.running, path)


def file_content(config: Config, path: str) -> bytes:
    """The same, of a configuration."""
    whole = PurePosixPath(SSL_FOLDER) / path
    row = config.first("systemfile", filename=whole.name, filelocation=str(whole.parent))
    return base64.b64decode(row["filecontent"]) if row else b""


def certificate_of(ctx: Context, path: str) -> x509.Certificate | None:
    """The first certificate of a file; None for one that is none (what tests hand in for one)."""
    try:
        return x509.load_pem_x509_certificate(contents(ctx, path))
    except ValueError:
        return None


def belong_together(certificate: x509.Certificate, key: bytes, passphrase: str | None) -> bool:
    """Whether a certificate is for a private key. 1537 for a key that its passphrase does not open."""
    is_encrypted = b"ENCRYPTED" in key
    try:
        private = serialization.load_pem_private_key(key, (passphrase or "").encode() if is_encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NitroFault(1537) from None
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return certificate.public_key().public_bytes(*form) == private.public_key().public_bytes(*form)


def issued(certificate: x509.Certificate | None, issuer: x509.Certificate | None) -> bool:
    """Whether a certificate can be linked to that of its issuer; true for what this cannot read."""
    return certificate is None or issuer is None or certificate.issuer == issuer.subject


def check_files(ctx: Context, row: Row) -> None:
    """1647 for a file that is not there; 1538 for a key that is not the certificate's (error list, ssl-errors)."""
    for field in ("cert", "key"):
        if field in row and not has_file(ctx, row[field]):
            raise NitroFault(1647)
    if not {"cert", "key"} <= row.keys() or not (certificate := certificate_of(ctx, row["cert"])):
        return
    if not belong_together(certificate, contents(ctx, row["key"]), row.get("passplain")):
        raise NitroFault(1538)


def check_contents(ctx: Context, row: Row) -> None:
    """273 for a certificate that another certkey has (netscaler/ansible-collection-netscaleradc, issue 402)."""
    own = contents(ctx, row["cert"])
    for other in ctx.running.rows("sslcertkey"):
        if own and other["certkey"] != row["certkey"] and contents(ctx, other["cert"]) == own:
            raise NitroFault(273, "certkeyName Contents", other["certkey"])


@behaves("sslcertkey")
class CertKey(Behaviour):
    absent_code = 1540

    def adding(self, ctx: Context, row: Row) -> None:
        check_files(ctx, row)
        check_contents(ctx, row)
        row.setdefault("expirymonitor", "ENABLED")
        row.setdefault("notificationperiod", 30)

    def view(self, ctx: Context, row: Row) -> Row:
        return {
            **row,
            "status": "Valid",
            "daystoexpiration": 364,
            "version": 3,
            "publickeysize": 256,
            "certificatetype": [self.kind(ctx, row)],
        }

    def kind(self, ctx: Context, row: Row) -> str:
        certificate = certificate_of(ctx, row["cert"])
        if certificate is None or "key" in row:
            return "SRVR_CERT"
        return "ROOT_CERT" if certificate.issuer == certificate.subject else "INTM_CERT"

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        bound = ctx.running.first("sslvserver_sslcertkey_binding", certkeyname=row["certkey"])
        bound = bound or ctx.running.first("sslservice_sslcertkey_binding", certkeyname=row["certkey"])
        if bound or ctx.running.first("sslcertkey", linkcertkeyname=row["certkey"]):
            raise NitroFault(1541)

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        row = self.find(ctx, resource, arguments)
        match verb:
            case "link":
                self.link(ctx, row, arguments["linkcertkeyname"])
            case "unlink":
                if row.pop("linkcertkeyname", None) is None:
                    raise NitroFault(1545)
            case "change":
                check_files(ctx, {**row, **arguments})
                check_contents(ctx, {**row, **arguments})
                row.update({name: arguments[name] for name in ("cert", "key", "inform") if name in arguments})
                self.break_link(ctx, row)
            case _:
                return super().act(ctx, resource, verb, arguments)
        return None

    def link(self, ctx: Context, row: Row, name: str) -> None:
        """One link a certkey; which code a second one gets is not documented."""
        require(ctx, "sslcertkey", "certkey", name, 1540)
        if name == row["certkey"]:
            raise NitroFault(1543)
        if "linkcertkeyname" in row:
            raise NitroFault(273, "linkCertKeyName", name)
        if not self.fits(ctx, row, name):
            raise NitroFault(1548)
        row["linkcertkeyname"] = name

    def break_link(self, ctx: Context, row: Row) -> None:
        """An update breaks a link that no longer fits (error list, 1590 and 1591)."""
        if "linkcertkeyname" in row and not self.fits(ctx, row, row["linkcertkeyname"]):
            del row["linkcertkeyname"]

    def fits(self, ctx: Context, row: Row, name: str) -> bool:
        issuer = ctx.running.first("sslcertkey", certkey=name) or row
        return issued(certificate_of(ctx, row["cert"]), certificate_of(ctx, issuer["cert"]))


@behaves("sslvserver_sslcertkey_binding")
class CertBinding(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        require(ctx, "sslvserver", "vservername", row["vservername"])
        if "certkeyname" not in row:
            raise NitroFault(1095, "certkeyName")
        require(ctx, "sslcertkey", "certkey", row["certkeyname"], 1540)
        row.setdefault("ca", False)
        row.setdefault("snicert", False)
        row.setdefault("skipcaname", False)
        if not row["ca"] and not row["snicert"]:
            self.replace(ctx, row)

    def replace(self, ctx: Context, row: Row) -> None:
        """One server certificate a virtual server: binding another takes the first one's place."""
        table = ctx.running.table("sslvserver_sslcertkey_binding")
        for key, other in list(table.items()):
            same = other["vservername"] == row["vservername"] and not other["ca"] and not other["snicert"]
            if same and other["certkeyname"] != row["certkeyname"]:
                del table[key]


@behaves("sslservice_sslcertkey_binding")
class ServiceCertBinding(Behaviour):
    """The certificates of the internal services. One that none was bound to has ns-server-certificate."""

    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        bound = super().rows(ctx, resource)
        own = {row["servicename"] for row in bound if not row["ca"] and not row["snicert"]}
        common = {"certkeyname": FACTORY_CERTIFICATE, "ca": False, "snicert": False, "skipcaname": False}
        return [*bound, *({"servicename": name, **common} for name in INTERNAL_SERVICES if name not in own)]

    def adding(self, ctx: Context, row: Row) -> None:
        if row["servicename"] not in INTERNAL_SERVICES:
            raise NitroFault(258, "serviceName", row["servicename"])
        if "certkeyname" not in row:
            raise NitroFault(1095, "certkeyName")
        require(ctx, "sslcertkey", "certkey", row["certkeyname"], 1540)
        for name in ("ca", "snicert", "skipcaname"):
            row.setdefault(name, False)
        if not row["ca"] and not row["snicert"]:
            self.replace(ctx, row)

    def replace(self, ctx: Context, row: Row) -> None:
        """One server certificate a service, as for virtual servers."""
        table = ctx.running.table("sslservice_sslcertkey_binding")
        for key, other in list(table.items()):
            same = other["servicename"] == row["servicename"] and not other["ca"] and not other["snicert"]
            if same and other["certkeyname"] != row["certkeyname"]:
                del table[key]


@dataclass(frozen=True, slots=True)
class ServedCertificate:
    """What NITRO is served under, in PEM form: the certificate with those it is linked to, and its key."""

    chain: bytes
    key: bytes
    passphrase: str | None


def management_certificate(config: Config) -> ServedCertificate | None:
    """The certificate that is bound to the service of NITRO and the GUI; None: the one that the appliance made."""
    bound = config.first("sslservice_sslcertkey_binding", servicename=GUI_SERVICE, ca=False, snicert=False)
    row = config.first("sslcertkey", certkey=bound["certkeyname"]) if bound else None
    if row is None:
        return None
    chain: list[bytes] = []
    link: Row | None = row
    while link is not None:
        chain.append(file_content(config, link["cert"]))
        link = config.first("sslcertkey", certkey=link["linkcertkeyname"]) if "linkcertkeyname" in link else None
    return ServedCertificate(b"".join(chain), file_content(config, row["key"]), row.get("passplain"))
