# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Back up the configuration of nodes to S3: appliance, bucket, retention. Nodes are done side by side."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..aws import s3
from ..core.errors import Failure
from ..nitro import backups
from ..nitro.client import NitroClient
from ..nitro.steps import unsaved
from ..spec.backup_manifest import Manifest, to_metadata
from ..spec.backup_names import BackupName, folder_of, parse_names, surplus, time_text
from .backup_nodes import BackupNode, Connect, role_on


class Deadline:
    """The time within which everything must be done."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._end = clock() + seconds

    def require(self) -> None:
        """Raise Failure once the time is over."""
        if self._clock() > self._end:
            raise Failure(f"not finished within {self._seconds:g} s (timeout)")


@dataclass(frozen=True, slots=True)
class BackupRequest:
    """``now``: seconds since the epoch, for names. ``applications``: names of the definition's."""

    bucket: str
    prefix: str
    kind: str
    name: str
    kms_key_id: str | None
    retention: int | None
    level: str
    now: float
    applications: tuple[str, ...] = ()
    save: bool = True
    check: bool = False


@dataclass(slots=True)
class BackedUp:
    """What came of one node. ``deleted``: keys beyond the retention; ``warnings``: what did not stop the backup."""

    backup: dict[str, Any]
    deleted: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class NodeBackup:
    """The backup of one node. ``nodes``: all of the pair, for the manifest."""

    def __init__(
        self, request: BackupRequest, node: BackupNode, nodes: list[BackupNode], client: Any, deadline: Deadline
    ) -> None:
        self._request, self._node, self._nodes = request, node, nodes
        self._s3, self._deadline = client, deadline
        self._folder = folder_of(request.prefix, request.kind, request.name, node.identity)
        self._warnings: list[str] = []

    def run(self, connect: Connect) -> BackedUp:
        """Create, fetch, store and clean up; in check mode read only. Raises Failure with the node's name."""
        try:
            with connect(self._node.nsip) as client:
                return self._run(client)
        except Failure as error:
            raise Failure(f"{self._node.name}: {error}") from None

    def _run(self, client: NitroClient) -> BackedUp:
        request = self._request
        version = build_of(client)
        name = BackupName(time_text(request.now), self._folder, role_on(client), self._node.instance.instance_id)
        backup: dict[str, Any] = {
            "node": self._node.identity,
            "instance_id": self._node.instance.instance_id,
            "role": name.role,
            "bucket": request.bucket,
            "key": name.key,
            "created_at": name.created_at,
            "build": version,
            "level": request.level,
            "version_id": None,
            "size": None,
            "sha256": None,
        }
        if request.check:
            stored = self._stored() if request.retention else []
            return BackedUp(backup, [one.key for one in surplus([*stored, name], request.retention)], self._warnings)
        content = self._archive(client)
        backup |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        self._deadline.require()
        backup["version_id"] = self._store(name, content, backup)
        return BackedUp(backup, self._expire(), self._warnings)

    def _archive(self, client: NitroClient) -> bytes:
        request = self._request
        return archive_of(client, self._node.name, request, self._warnings, self._deadline.require)

    def _store(self, name: BackupName, content: bytes, backup: dict[str, Any]) -> str:
        request = self._request
        facts = {key: str(backup[key]) for key in ("node", "role", "build", "level", "sha256")}
        facts |= {
            "instance-id": name.instance,
            "created-at": name.created_at,
            "owner": f"{request.kind} {request.name}",
            "model": self._node.instance.instance_type,
        }
        manifest = Manifest(facts, request.applications, tuple(node.described() for node in self._nodes))
        metadata, complete = to_metadata(manifest)
        if not complete:
            self._warnings.append(
                f"{self._node.name} has too many addresses and applications for the metadata of the backup; a restore "
                "elsewhere cannot replace its addresses"
            )
        return s3.put_object(self._s3, request.bucket, name.key, content, metadata, request.kms_key_id)

    def _expire(self) -> list[str]:
        """Delete what is beyond the retention, by a listing that is read after the backup was stored."""
        request = self._request
        if not request.retention:
            return []
        try:
            keys = [one.key for one in surplus(self._stored(), request.retention)]
            if keys:
                s3.delete_objects(self._s3, request.bucket, keys)
        except Failure as error:
            self._warnings.append(f"{self._node.name}: the backup is stored, and old ones were not deleted: {error}")
            return []
        return keys

    def _stored(self) -> list[BackupName]:
        """Return the backups in the node's folder; what a user keeps in folders below it is not counted."""
        listed = s3.list_objects(self._s3, self._request.bucket, self._folder)
        return [name for name in parse_names(listed) if name.folder == self._folder]


def archive_of(
    client: NitroClient, name: str, request: BackupRequest, warnings: list[str], due: Callable[[], None]
) -> bytes:
    """Return an archive that an appliance makes now; its own copy is removed whatever happens.

    Args:
        client: The appliance.
        name: Of the node, for warnings.
        request: Level and time of the archive, and whether unsaved changes are saved before.
        warnings: What does not stop the backup is added here.
        due: Raises Failure once the time is over.
    """
    if unsaved(client):
        if request.save:
            client.save()
        else:
            warnings.append(f"{name} runs changes that are not saved and not in the backup")
    for file in backups.abandoned(client.get("systembackup"), request.now):
        backups.remove(client, file)
    file = backups.file_name(request.now)
    due()
    try:
        backups.create(client, file, request.level)
        return backups.fetch(client, file)
    finally:
        try:
            backups.remove(client, f"{file}.tgz")
        except Failure as error:
            warnings.append(f"{name}: {backups.FOLDER}/{file}.tgz was not removed: {error}")


def build_of(client: NitroClient) -> str:
    """Return the version that an appliance reports, with single blanks: one GET."""
    return " ".join(str(next(iter(client.get("nsversion")), {}).get("version") or "unknown").split())
