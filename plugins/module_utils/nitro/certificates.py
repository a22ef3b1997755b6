# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The certificate of an application on an appliance: certkeys, their files and their links. Pure.

The server certificate is one certkey with its key. Each intermediate is a certkey of its own, named after its digest,
because an appliance refuses the same certificate under two names (273, "certkeyName Contents"); applications share it.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from typing import Any

from ..core.nitro_errors import NitroInputError
from ..spec.certificates import digest, form_problems, split
from .steps import Change, Row, text_of

SSL_DIRECTORY = "/nsconfig/ssl"
#: systemtype of nsconfig → the resource that hands files on (vendor's NITRO reference: hafiles, clusterfiles).
FILE_SYNC = {"HA": "hafiles", "Cluster": "clusterfiles"}
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,24}")
_AUTHORITY = "cloudadc-ca-"
_AUTHORITY_FILE = re.compile(r"cloudadc-ca\.[0-9a-f]{16}\.crt")
_KEY_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_#. :@=-]{0,30}")


@dataclass(frozen=True, slots=True)
class Certificate:
    """``content`` None: a certkey that exists already; otherwise PEM texts to upload, named after their digest.

    ``content`` is the server's own certificate; ``chain`` its intermediates, the nearest first.
    """

    certkey: str
    content: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    file_stem: str = ""
    chain: tuple[str, ...] = field(default=(), repr=False)

    @property
    def files(self) -> dict[str, str]:
        """Name and content of the two files of the server's certificate; empty for a certkey that exists already."""
        if self.content is None or self.key is None:
            return {}
        return {f"{self.file_stem}.crt": self.content, f"{self.file_stem}.key": self.key}

    @property
    def digests(self) -> tuple[str, ...]:
        """The digests of the intermediates, the nearest first."""
        return tuple(digest(each) for each in self.chain)


@dataclass(frozen=True, slots=True)
class CertkeyState:
    """What an appliance has. ``rows``: its certkeys by name; ``files``: those that were uploaded by this collection.

    ``authorities``: digest of an intermediate → certkey that holds it. ``systemtype``: as nsconfig
    says it, empty where nothing is to be written. ``used``: certkeys that other virtual servers have bound.
    """

    rows: Mapping[str, Row] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    authorities: Mapping[str, str] = field(default_factory=dict)
    systemtype: str = ""
    used: frozenset[str] = frozenset()


def certificate_from(application: str, option: Mapping[str, Any] | None) -> Certificate | None:
    """Return the option ``certificate`` in its parsed form. Raises NitroInputError.

    File names carry a digest of certificate and key, so they tell what is loaded.
    """
    if option is None:
        return None
    if option.get("certkey"):
        return Certificate(option["certkey"])
    content, key, passphrase = str(option.get("content")), str(option.get("key")), option.get("passphrase")
    problems = form_problems(content, key, passphrase)
    if problems:
        raise NitroInputError("; ".join(problems))
    own, *chain = split(content)
    if not chain:
        own = content  # as earlier releases uploaded it, so that its name stays
    name = option.get("name") or f"{application}-cert"
    if option.get("name") and not _KEY_NAME.fullmatch(name):
        raise NitroInputError(
            f"certificate.name '{name}' is not a name of 31 characters at most that a certkey can have"
        )
    prefix = _prefix("cloudadc-key" if option.get("name") else "cloudadc", option.get("name") or application)
    stem = hashlib.sha256(f"{own}\0{key}".encode()).hexdigest()[:16]
    return Certificate(name, own, key, passphrase, prefix + stem, tuple(chain))


def _prefix(mark: str, name: str) -> str:
    """Short and plain enough for a file name of at most 63 characters, and different for different names."""
    plain = name if _PLAIN.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()[:24]
    return f"{mark}.{plain}."


def is_own_file(application: str, filename: str) -> bool:
    """Whether a file is the certificate or key that was uploaded for the application of that name."""
    return _is_stem_of(_prefix("cloudadc", application), filename)


def _is_stem_of(prefix: str, filename: str) -> bool:
    return re.fullmatch(re.escape(prefix) + r"[0-9a-f]{16}\.(crt|key)", filename) is not None


def is_uploaded(filename: str) -> bool:
    """Whether a file was uploaded by this collection."""
    return re.fullmatch(r"cloudadc(-key|-ca|-mgmt)?\.[^/]+", filename) is not None


def authority_name(fingerprint: str) -> str:
    """Return the certkey of an intermediate that is made here."""
    return f"{_AUTHORITY}{fingerprint}"


def _authority_file(fingerprint: str) -> str:
    return f"cloudadc-ca.{fingerprint}.crt"


def file_of(row: Row | None, part: str) -> str:
    """Return the file name of a certkey's certificate (``cert``) or ``key``, without its folder."""
    return posixpath.basename(text_of(row or {}, part))


# ---------------------------------------------------------------------- what is written


def is_loaded(certificate: Certificate, row: Row | None) -> bool:
    """Whether a certkey holds the certificate and key."""
    return row is not None and file_of(row, "cert") in certificate.files


def certkey_steps(certificate: Certificate | None, state: CertkeyState) -> list[Change]:
    """Return the writes from the files to the links, so that an old server certificate is shown until the new is whole.

    The files go to the other nodes before the first certkey that needs them.
    """
    if certificate is None or certificate.content is None:
        return []
    texts = dict(zip(certificate.digests, certificate.chain, strict=True))
    missing = [(one, texts[one]) for one in _needed(certificate, state) if one not in state.authorities]
    row = state.rows.get(certificate.certkey)
    loads = not is_loaded(certificate, row)
    files = {_authority_file(one): text for one, text in missing} | (certificate.files if loads else {})
    steps = [_upload(name, text) for name, text in files.items() if name not in state.files]
    if files and state.systemtype in FILE_SYNC:
        steps.append(Change("act", FILE_SYNC[state.systemtype], action="sync", body={"mode": ["ssl"]}))
    for one, _text in missing:
        body = {"certkey": authority_name(one), "cert": f"{SSL_DIRECTORY}/{_authority_file(one)}"}
        steps.append(Change("add", "sslcertkey", body=body))
    link = chain_of(certificate, state)[:1]
    linked = text_of(row or {}, "linkcertkeyname")
    if link and linked not in ("", link[0]):
        steps.append(Change("act", "sslcertkey", action="unlink", body={"certkey": certificate.certkey}))
    if loads:
        steps.append(_load(certificate, known=row is not None))
    return steps + _links(certificate, state)


def chain_of(certificate: Certificate, state: CertkeyState) -> list[str]:
    """Return the certkeys of the intermediates that are needed, the nearest first."""
    return [state.authorities.get(one) or authority_name(one) for one in _needed(certificate, state)]


def _needed(certificate: Certificate, state: CertkeyState) -> list[str]:
    """Return the digests up to an intermediate that is linked to another issuer than the next one; the link is kept."""
    needed = []
    for one, issuer in zip_longest(certificate.digests, certificate.digests[1:]):
        needed.append(one)
        link = text_of(state.rows.get(state.authorities.get(one, ""), {}), "linkcertkeyname")
        if link and link != (state.authorities.get(issuer or "") or authority_name(issuer or "")):
            break
    return needed


def _links(certificate: Certificate, state: CertkeyState) -> list[Change]:
    """From the farthest intermediate down. One that is linked already keeps its link: others may share it."""
    names = [certificate.certkey, *chain_of(certificate, state)]
    steps = []
    for name, issuer in reversed(list(pairwise(names))):
        if text_of(state.rows.get(name, {}), "linkcertkeyname") == issuer:
            continue
        body = {"certkey": name, "linkcertkeyname": issuer}
        steps.append(Change("act", "sslcertkey", action="link", body=body))
    return steps


def _load(certificate: Certificate, *, known: bool) -> Change:
    cert, key = (f"{SSL_DIRECTORY}/{name}" for name in certificate.files)
    body: dict[str, Any] = {"certkey": certificate.certkey, "cert": cert, "key": key}
    if certificate.passphrase:
        body |= {"password": True, "passplain": certificate.passphrase}
    if not known:
        return Change("add", "sslcertkey", body=body)
    # The new certificate may well be for another name: that check is for people at a prompt.
    return Change("act", "sslcertkey", action="update", body={**body, "nodomaincheck": True})


def _upload(name: str, text: str) -> Change:
    content = base64.b64encode(text.encode()).decode()
    body = {"filename": name, "filelocation": SSL_DIRECTORY, "filecontent": content, "fileencoding": "BASE64"}
    return Change("add", "systemfile", body=body)


# ---------------------------------------------------------------------- what is removed


def obsolete_steps(certificate: Certificate | None, state: CertkeyState) -> list[Change]:
    """Return the removal of files and intermediates that ``certificate`` has replaced, once it is loaded and linked."""
    if certificate is None or certificate.content is None:
        return []
    prefix = certificate.file_stem[:-16]
    stale = {name for name in state.files if _is_stem_of(prefix, name)} - set(certificate.files)
    chain = chain_of(certificate, state)
    links = _links_after(certificate, chain, state)
    return _unused_authorities(links, state, kept=set(chain)) + delete_files(stale)


def _links_after(certificate: Certificate, chain: list[str], state: CertkeyState) -> dict[str, str]:
    links = {name: text_of(row, "linkcertkeyname") for name, row in state.rows.items()}
    return links | dict(pairwise([certificate.certkey, *chain]))


def named_certkeys(state: CertkeyState) -> list[str]:
    """Return the certkeys that were loaded here under a name of the user's, which several applications may share."""
    return [name for name, row in state.rows.items() if file_of(row, "cert").startswith("cloudadc-key.")]


def removal_steps(names: Iterable[str], application: str, state: CertkeyState) -> list[Change]:
    """Return the removal of the certkeys ``names``, of the application's files, and of intermediates without a use."""
    gone = [name for name in dict.fromkeys(names) if name in state.rows and name not in state.used]
    # Files of named certkeys that none uses: an interrupted run has left them.
    files = {name for name in state.files if is_own_file(application, name) or name.startswith("cloudadc-key.")}
    files -= {file_of(row, part) for name, row in state.rows.items() if name not in gone for part in ("cert", "key")}
    links = {name: text_of(row, "linkcertkeyname") for name, row in state.rows.items() if name not in gone}
    steps = [Change("delete", "sslcertkey", name) for name in gone]
    return steps + _unused_authorities(links, state) + delete_files(files)


def _unused_authorities(links: Mapping[str, str], state: CertkeyState, kept: Iterable[str] = ()) -> list[Change]:
    """Intermediates that were made here and that no certkey is linked to, those nearest to a server first.

    A certkey that another is linked to cannot be deleted (1541). Their files go with them, and so do files of
    intermediates that an interrupted run has left.
    """
    left, steps, keep = dict(links), [], set(kept)
    while True:
        used = set(left.values()) | keep
        unused = [name for name in left if name.startswith(_AUTHORITY) and name in state.rows and name not in used]
        if not unused:
            break
        steps += [Change("delete", "sslcertkey", name) for name in unused]
        for name in unused:
            del left[name]
    needed = {_authority_file(name.removeprefix(_AUTHORITY)) for name in (*left, *keep)}
    return steps + delete_files(name for name in state.files if _AUTHORITY_FILE.fullmatch(name) and name not in needed)


def delete_files(names: Iterable[str]) -> list[Change]:
    """Return the removal of files by their names."""
    return [Change("delete", "systemfile", name, args={"filelocation": SSL_DIRECTORY}) for name in sorted(names)]


def same_elsewhere(certificate: Certificate | None, state: CertkeyState) -> str | None:
    """Return another certkey with the same certificate and key, under which an appliance refuses it again (273)."""
    if certificate is None or certificate.content is None or certificate.certkey in state.rows:
        return None
    mark = f".{certificate.file_stem[-16:]}.crt"
    return next((name for name, row in state.rows.items() if file_of(row, "cert").endswith(mark)), None)
