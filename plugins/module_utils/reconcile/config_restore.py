# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring what others configured back to a rebuilt pair, from a backup in S3."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..aws import s3
from ..core.archive import read_files
from ..core.errors import Failure, Refusal
from ..nitro.client import NitroClient
from ..nitro.ns_conf import read_commands
from ..nitro.restore_plan import Carried, Context, sort_commands, successors
from ..nitro.restoring import Restored, Restorer
from ..nitro.steps import unsaved
from ..spec.backup_manifest import Manifest, from_metadata
from ..spec.backup_names import BackupName, folder_of, last_of
from .backup_nodes import BackupNode, Connect
from .config_backup import Deadline

#: Bytes of a backup that is read from S3, and that it may unpack to.
MAX_BACKUP = 64 * 1024 * 1024
MAX_UNPACKED = 256 * 1024 * 1024
_CONFIGURATION = ("nsconfig/ns.conf", "flash/nsconfig/ns.conf")
_SSL = ("nsconfig/ssl/", "flash/nsconfig/ssl/")


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """``backup``: a key; empty: the last one. ``applications``: names of the definition's."""

    bucket: str
    prefix: str
    kind: str
    name: str
    backup: str = ""
    applications: tuple[str, ...] = ()
    save: bool = True
    check: bool = False
    seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup that was read and verified. ``files``: of /nsconfig/ssl, by name."""

    name: BackupName
    manifest: Manifest
    configuration: str
    files: dict[str, bytes] = field(default_factory=dict, repr=False)


def choose(names: Sequence[BackupName], request: RestoreRequest) -> BackupName:
    """Return the backup that is asked for, or the last one. Raises Refusal if there is none."""
    folder = folder_of(request.prefix, request.kind, request.name)
    if request.backup:
        found = next((name for name in names if name.key == request.backup), None)
        if found is None:
            raise Refusal(f"s3://{request.bucket}/{request.backup} is no backup of {request.kind} {request.name}")
        return found
    found = last_of(names)
    if found is None:
        raise Refusal(f"there is no backup of {request.kind} {request.name} below s3://{request.bucket}/{folder}")
    return found


def doubt(chosen: BackupName, names: Iterable[BackupName], nodes: Iterable[BackupNode]) -> str | None:
    """Return a warning if the last backup is of the rebuilt nodes themselves, and an earlier one is of others."""
    living = {node.instance.instance_id for node in nodes}
    earlier = [name for name in names if name.instance not in living]
    last = last_of(earlier)
    if chosen.instance not in living or last is None:
        return None
    return (
        f"the backup of {chosen.created_at} was made by {chosen.instance}, which is a node of the pair now. For what "
        f"its predecessor had, name that one's last backup: {last.key}"
    )


def read_archive(client: Any, request: RestoreRequest, name: BackupName) -> Archive:
    """Read a backup from S3, verify its checksum and take the files out that are needed. Raises Failure."""
    content, manifest = fetch_archive(client, request, name)
    configuration, files = unpack(content, f"s3://{request.bucket}/{name.key}")
    return Archive(name, manifest, configuration, files)


def fetch_archive(client: Any, request: RestoreRequest, name: BackupName) -> tuple[bytes, Manifest]:
    """Return a backup of S3, whose checksum was verified, and its metadata. Raises Failure."""
    content, metadata = s3.get_object(client, request.bucket, name.key, limit=MAX_BACKUP, seconds=request.seconds)
    manifest = from_metadata(metadata)
    expected = manifest.facts.get("sha256")
    if expected and hashlib.sha256(content).hexdigest() != expected:
        raise Failure(
            f"s3://{request.bucket}/{name.key} does not have the SHA-256 that was stored with it. Nothing was changed"
        )
    return content, manifest


def unpack(content: bytes, where: str) -> tuple[str, dict[str, bytes]]:
    """Return ns.conf of an archive, and its files of /nsconfig/ssl by name. Raises Failure, which names ``where``."""
    try:
        found = read_files(content, _is_needed, limit=MAX_UNPACKED)
    except Failure as error:
        raise Failure(f"{where}: {error}. Nothing was changed") from None
    configuration = next((found[path] for path in _CONFIGURATION if path in found), None)
    if configuration is None:
        raise Failure(f"{where} has no nsconfig/ns.conf. Nothing was changed")
    files = {path.rpartition("/")[2]: data for path, data in found.items() if path.startswith(_SSL)}
    return configuration.decode("utf-8", "replace"), files


def _is_needed(path: str) -> bool:
    return path in _CONFIGURATION or any(path.startswith(folder) and "/" not in path[len(folder) :] for folder in _SSL)


def carry_over(
    archive: Archive,
    request: RestoreRequest,
    primary: BackupNode,
    nodes: Sequence[BackupNode],
    connect: Connect,
    deadline: Deadline,
) -> Restored:
    """Add to the primary what the backup has and the node has not; save both nodes if something was added."""
    carried = _sorted(archive, request, successors(archive.manifest.nodes, [node.described() for node in nodes]))
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(connect(primary.nsip))
        others = [stack.enter_context(connect(node.nsip)) for node in nodes if node is not primary]
        restorer = Restorer(client, carried, archive.files.get, others, check=request.check, due=deadline.require)
        try:
            restored = restorer.run()
        except Failure as error:
            done = len(restorer.result.added)
            raise Failure(f"{error}. {done} commands were carried over before that; run the restore again") from None
        if request.save and not request.check:
            save_unsaved([client, *others])
    return restored


def predict(archive: Archive, request: RestoreRequest) -> Restored:
    """Return what would be tried on a pair that is not built yet. Addresses stay as they were in the backup."""
    carried = _sorted(archive, request, {})
    return Restored([one.command for one in carried.candidates], [], list(carried.left_out))


def _sorted(archive: Archive, request: RestoreRequest, addresses: Mapping[str, str | None]) -> Carried:
    context = Context({*request.applications, *archive.manifest.applications}, addresses)
    return sort_commands(read_commands(archive.configuration), context)


def save_unsaved(clients: Sequence[NitroClient]) -> None:
    """Save what is running and not saved, also what an interrupted run added."""
    for client in clients:
        if unsaved(client):
            client.save()
