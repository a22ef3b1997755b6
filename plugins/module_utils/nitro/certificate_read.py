# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an appliance has of certificates, and what its other nodes have, in as few calls as the question allows."""

from __future__ import annotations

import base64
import binascii
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from ..spec.certificates import digest, split
from .certificates import (
    SSL_DIRECTORY,
    Certificate,
    CertkeyState,
    authority_name,
    is_loaded,
    is_uploaded,
    named_certkeys,
)
from .steps import Reader, Row, text_of

_AUTHORITIES = {"INTM_CERT", "ROOT_CERT"}


class BulkReader(Reader, Protocol):
    """A client that can also list the bindings of every object of a type."""

    def get_bulk(self, resource: str) -> list[Row]: ...


def read_for_present(client: Reader, certificate: Certificate) -> CertkeyState:
    """Return what the plan needs: one GET for a certkey that exists, else two, and one more before a write."""
    if certificate.content is None:
        return CertkeyState({text_of(row, "certkey"): row for row in client.get("sslcertkey", certificate.certkey)})
    rows = certkeys(client)
    known = {one: authority_name(one) for one in certificate.digests if authority_name(one) in rows}
    missing = [one for one in certificate.digests if one not in known]
    known |= _foreign_authorities(client, rows.values(), missing)
    writes = not is_loaded(certificate, rows.get(certificate.certkey)) or len(known) < len(certificate.chain)
    return CertkeyState(rows, uploaded(client), known, systemtype(client) if writes else "")


def read_for_absent(client: BulkReader, application: str, own: str) -> CertkeyState:
    """Return what the removal needs: two GETs, one more where a certkey may be in use by another virtual server."""
    state = CertkeyState(certkeys(client), uploaded(client))
    if own not in state.rows and not named_certkeys(state):
        return state
    bound = client.get_bulk("sslvserver_sslcertkey_binding")
    used = frozenset(text_of(row, "certkeyname") for row in bound if text_of(row, "vservername") != application)
    return replace(state, used=used)


def certkeys(client: Reader) -> dict[str, Row]:
    """Return every certkey by its name."""
    return {text_of(row, "certkey"): row for row in client.get("sslcertkey")}


def uploaded(client: Reader) -> frozenset[str]:
    """Return the names of the files that this collection uploaded."""
    rows = client.get("systemfile", args={"filelocation": SSL_DIRECTORY})
    return frozenset(name for row in rows if is_uploaded(name := text_of(row, "filename")))


def _foreign_authorities(client: Reader, rows: Iterable[Row], missing: Iterable[str]) -> dict[str, str]:
    """Intermediates under other names: an appliance refuses the same certificate under a second one."""
    searched, found = set(missing), dict[str, str]()
    for row in rows:
        if len(found) == len(searched):
            break
        if _AUTHORITIES & set(row.get("certificatetype") or []) and (one := _digest_of(client, row)) in searched:
            found[one] = text_of(row, "certkey")
    return found


def _digest_of(client: Reader, row: Row) -> str:
    """Return the digest of a certkey's file; empty for one that is not PEM or cannot be read."""
    folder, name = posixpath.split(posixpath.join(SSL_DIRECTORY, text_of(row, "cert")))
    files = client.get("systemfile", name, args={"filelocation": folder})
    try:
        content = base64.b64decode(text_of(files[0], "filecontent")).decode() if files else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""
    first = next(iter(split(content)), None)
    return digest(first) if first else ""


def systemtype(client: Reader) -> str:
    """Stand-alone, HA or Cluster (vendor's NITRO reference, nsconfig)."""
    return next((text_of(row, "systemtype") for row in client.get("nsconfig")), "")


def lacks(rows: Mapping[str, Row], certificate: Certificate) -> str | None:
    """Return what another node has not of the certificate, or None."""
    row = rows.get(certificate.certkey)
    if row is None:
        return f"certkey '{certificate.certkey}' is not there"
    if certificate.content is not None and not is_loaded(certificate, row):
        return f"certkey '{certificate.certkey}' still holds an earlier certificate"
    if certificate.chain and not text_of(row, "linkcertkeyname"):
        return f"certkey '{certificate.certkey}' is not linked to its intermediate"
    return None
