# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carry commands of a backup over to a node: read what it has, add what is missing, list what it refuses."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.nitro_errors import NitroAuthError, NitroError, NitroUnreachable
from .client import NitroClient
from .restore_plan import Candidate, Carried, LeftOut, is_equal
from .steps import FILE_EXISTS

SSL_FOLDER = "/nsconfig/ssl"
Row = Mapping[str, Any]


@dataclass(slots=True)
class Restored:
    """``added``, ``unchanged``: commands. In check mode ``added`` is what would be tried."""

    added: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


class Restorer:
    """One restore. ``file``: returns the content of a file of /nsconfig/ssl as it was backed up, or None; ``others``:
    the pair's other nodes, which need the files of certificates as well.
    """

    def __init__(
        self,
        client: NitroClient,
        carried: Carried,
        file: Callable[[str], bytes | None],
        others: Sequence[NitroClient] = (),
        *,
        check: bool,
        due: Callable[[], None],
    ) -> None:
        """``due``: called before each command; raises Failure once the time is over."""
        self._client, self._others, self._file = client, others, file
        self._check, self._due = check, due
        self._carried = carried
        self._rows: dict[str, list[Row]] = {}
        self.result = Restored(left_out=list(carried.left_out))

    def run(self) -> Restored:
        """Carry over every candidate in order. Raises NitroError if the appliance stops answering."""
        for candidate in self._carried.candidates:
            self._due()
            try:
                self._one(candidate)
            except (NitroUnreachable, NitroAuthError):
                raise
            except NitroError as error:
                detail = f"{error.message} ({error.code})" if error.code else error.message
                self.result.left_out.append(LeftOut(candidate.command, "refused", detail))
        return self.result

    def _one(self, candidate: Candidate) -> None:
        match candidate.change.verb:
            case "enable":
                self._enable(candidate)
            case "update":
                self._update(candidate)
            case _:
                self._add(candidate)

    def _enable(self, candidate: Candidate) -> None:
        row = next(iter(self._all("nsfeature")), {})
        enabled = {str(name).lower() for name in row.get("feature") or ()}
        enabled |= {name.lower() for name, value in row.items() if value is True}
        missing = [name for name in candidate.change.body["feature"] if name.lower() not in enabled]
        if not missing:
            self.result.unchanged.append(candidate.command)
            return
        if not self._check:
            self._client.act("nsfeature", "enable", {"feature": missing})
        self.result.added.append(f"enable ns feature {' '.join(missing)}")

    def _update(self, candidate: Candidate) -> None:
        change = candidate.change
        row = self._present(change.resource, change.key, change.body) if change.key else None
        row = row or (next(iter(self._all(change.resource)), None) if not change.key else None)
        if row is not None and is_equal(change, row) and all(name in row for name in change.body):
            self.result.unchanged.append(candidate.command)
            return
        if not self._check:
            self._client.update(change.resource, change.body)
        self.result.added.append(candidate.command)

    def _add(self, candidate: Candidate) -> None:
        change = candidate.change
        row = self._present(change.resource, change.key, change.body)
        if row is not None:
            if is_equal(change, row):
                self.result.unchanged.append(candidate.command)
            else:
                self.result.left_out.append(LeftOut(candidate.command, "different"))
            return
        if change.resource == "sslcertkey" and not self._have_files(change.body):
            self.result.left_out.append(LeftOut(candidate.command, "missing_file"))
            return
        if not self._check:
            (self._client.bind if change.verb == "bind" else self._client.add)(change.resource, change.body)
        self.result.added.append(candidate.command)

    def _present(self, resource: str, key: Sequence[str], body: Row) -> Row | None:
        """Return the node's object that a command names; None if it has none, also where it cannot be listed."""
        for row in self._all(resource):
            if all(str(row.get(name, "")).lower() == str(body.get(name, "")).lower() for name in key):
                return row
        return None

    def _all(self, resource: str) -> list[Row]:
        if resource not in self._rows:
            bulk = resource.endswith("_binding")
            try:
                found = self._client.get_bulk(resource) if bulk else self._client.get(resource)
            except (NitroUnreachable, NitroAuthError):
                raise
            except NitroError:
                found = []  # a build without the type refuses the command itself, which is then listed
            self._rows[resource] = list(found)
        return self._rows[resource]

    def _have_files(self, body: Row) -> bool:
        """Upload the files of a certificate where they are missing. False if the backup does not have them."""
        for name in (body.get("cert"), body.get("key")):
            if not isinstance(name, str):
                continue
            whole = posixpath.join(SSL_FOLDER, name)
            folder, file = posixpath.split(whole)
            lacking = [client for client in (self._client, *self._others) if not _has(client, folder, file)]
            if not lacking:
                continue
            content = self._file(file) if folder == SSL_FOLDER else None
            if content is None:
                return False
            for client in lacking if not self._check else ():
                _upload(client, folder, file, content)
        return True


def _upload(client: NitroClient, folder: str, file: str, content: bytes) -> None:
    """Upload a file, unless the other node has just sent the one that it was given."""
    body = {"filename": file, "filelocation": folder, "filecontent": base64.b64encode(content).decode()}
    try:
        client.add("systemfile", {**body, "fileencoding": "BASE64"})
    except NitroError as error:
        if error.code != FILE_EXISTS:
            raise


def _has(client: NitroClient, folder: str, file: str) -> bool:
    rows = client.get("systemfile", args={"filelocation": folder})
    return any(str(row.get("filename")) == file for row in rows)
