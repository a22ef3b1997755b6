# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Backups on an appliance: create one, fetch it, remove it.

Source: vendor's NITRO reference, pages systembackup (create {filename, level, comment}, delete by name; the file gets
the ending .tgz and lies in /var/ns_sys_backup) and systemfile (GET by name and filelocation, content in base64).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ..core.errors import Failure
from ..spec.backup_names import time_text
from .client import NitroClient

FOLDER = "/var/ns_sys_backup"
LEVELS = ("basic", "full")
_PREFIX = "cloudadc-"
_FORM = f"{_PREFIX}%Y%m%dT%H%M%SZ.tgz"
#: A copy of ours that is as old as this was left by an interrupted run.
_ABANDONED = timedelta(hours=1)


def file_name(epoch: float) -> str:
    """Return the name of the appliance's file for a backup of this time."""
    return f"{_PREFIX}{time_text(epoch)}"


def create(client: NitroClient, name: str, level: str) -> None:
    """Create the archive; it holds the saved configuration."""
    client.act("systembackup", "create", {"filename": name, "level": level, "comment": "cloudadc.aws"})


def fetch(client: NitroClient, name: str) -> bytes:
    """Return the archive. Raises NitroError, or Failure if the appliance does not hand out its content."""
    content = read_file(client, FOLDER, f"{name}.tgz")
    if content is None:
        raise Failure(f"{client.connection.nsip}: {FOLDER}/{name}.tgz is not there after the backup was created")
    return content


def read_file(client: NitroClient, folder: str, file: str) -> bytes | None:
    """Return the content of a file of the appliance, None if it is not there.

    Raises NitroError, or Failure if the appliance does not hand out its content.
    """
    row = next(iter(client.get("systemfile", file, args={"filelocation": folder})), None)
    where = f"{client.connection.nsip}: {folder}/{file}"
    if row is None:
        return None
    content = row.get("filecontent")
    if not isinstance(content, str) or not content:
        raise Failure(
            f"{where}: NITRO returned no content (the file has {row.get('filesize', 'unknown')} bytes; appliances do "
            "not return files of several MB). Use level basic, or remove what makes the backup large"
        )
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        raise Failure(f"{where}: its content is not base64") from None


def remove(client: NitroClient, file: str) -> None:
    """Delete an archive from the appliance; one that is not there is no error."""
    client.delete("systembackup", file)


def restore(client: NitroClient, file: str, content: bytes) -> None:
    """Upload an archive under its own name and restore it; the appliance backs itself up before.

    It takes effect with the next boot (vendor's NITRO reference, systembackup: add {filename}, restore {filename,
    skipbackup}). An archive of an interrupted run is replaced.
    """
    remove(client, file)
    body = {"filename": file, "filelocation": FOLDER, "filecontent": base64.b64encode(content).decode()}
    client.delete("systemfile", file, args={"filelocation": FOLDER})
    client.add("systemfile", {**body, "fileencoding": "BASE64"})
    client.add("systembackup", {"filename": file})
    client.act("systembackup", "restore", {"filename": file})


def abandoned(rows: Iterable[Mapping[str, Any]], now: float) -> list[str]:
    """Return the files of earlier runs that were interrupted, by the time in their names. Others' files are kept."""
    limit = datetime.fromtimestamp(now, UTC) - _ABANDONED
    found = []
    for row in rows:
        name = str(row.get("filename") or "")
        try:
            made = datetime.strptime(name, _FORM).replace(tzinfo=UTC)
        except ValueError:
            continue
        if made < limit:
            found.append(name)
    return found
