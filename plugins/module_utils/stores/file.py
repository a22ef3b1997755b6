# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Group state in local files: one file a (group, zone), written by rename, locked with flock, mode 0600.

The lock is on the folder, so only group state lies in it; it is held for the milliseconds of a read and a rename.
For one machine: jobs on several machines need ``dynamodb``.

A folder in which other users may create files is refused unless it has the sticky bit, and no symbolic link is
followed: otherwise another user could put group state, or the target of a write, in place of ours.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from .base import (
    NOTHING,
    Clock,
    DamagedDocument,
    Document,
    Key,
    Lease,
    LeaseLost,
    Snapshot,
    StoreUnusable,
    agrees,
    dump,
    is_ahead,
    is_held,
    refused,
    shortened,
    skewed,
)
from .kept import Series, chunk_of, dump_entry, entries_of, slot_of

#: The form of the file around the document.
FORMAT = 1
#: How long to wait, in seconds, for another process's lock; it holds it for milliseconds.
LOCK_SECONDS = 30.0


class _Queues:
    """A lock a folder for the threads of this process."""

    def __init__(self) -> None:
        self._guard, self._locks = threading.Lock(), dict[Path, threading.Lock]()

    def of(self, folder: Path) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(folder, threading.Lock())


_QUEUES = _Queues()


class FileStore:
    """``path``: the file itself, or a folder for many; what is missing is made if its parent is there."""

    def __init__(
        self,
        path: str | Path,
        key: Key,
        *,
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
        lock_seconds: float = LOCK_SECONDS,
        store_clock: Clock | None = None,
    ) -> None:
        self.key, self.path = key, place(path, key)
        self.where = str(self.path)
        self._clock, self._sleep, self._lock_seconds = clock, sleep, lock_seconds
        self._store_clock = store_clock or self._file_system_time

    def read(self) -> Snapshot:
        """Return what is stored."""
        return _load(self.path, self.key)

    def acquire(self, owner: str, seconds: float) -> Lease:
        """Return the lease (see :class:`.base.Store`)."""
        with self._locked():
            stored, now = self.read(), self._clock()
            if is_ahead(stored, now):
                stored = self._corrected(stored, now, owner)
            if is_held(stored, owner, now):
                raise refused(stored, self.where)
            lease = Lease(owner, stored.fence + 1, round(now + seconds, 3), stored)
            self._save(stored.document, stored.version, lease.fence, lease, owner)
            return replace(lease, agreed_time=now if agrees(self._store_clock(), now) else None)

    def _corrected(self, stored: Snapshot, now: float, owner: str) -> Snapshot:
        """Accept the state of a writer whose clock was ahead, if the file system's time agrees with this clock."""
        if not agrees(self._store_clock(), now):
            raise skewed(stored, now, self.where, owner)
        stored = shortened(stored, now)
        self._save(stored.document, stored.version, stored.fence, stored.lease, stored.written_by, now)
        return stored

    def _file_system_time(self) -> float:
        """Return the time that the file system gives to what is written now."""
        with _messages(self.path, "write"):
            draft = self.path.with_name(f".{self.path.name}.time")
            handle = _create(draft)
            try:
                return os.fstat(handle).st_mtime
            finally:
                os.close(handle)
                draft.unlink()

    def write(self, lease: Lease, document: Document, version: int, *, release: bool = False) -> int:
        """Store the document (see :class:`.base.Store`)."""
        with self._locked():
            stored = self.read()
            if stored.fence != lease.fence or stored.version != version:
                by = f" by {stored.written_by}" if stored.written_by else ""
                raise LeaseLost(f"{self.where}: the lease of {lease.owner} was taken over{by}; nothing was written")
            self._save(document, version + 1, lease.fence, None if release else lease, lease.owner)
            return version + 1

    def release(self, lease: Lease) -> None:
        """Release the lease."""
        with self._locked():
            stored = self.read()
            if stored.lease and stored.fence == lease.fence:
                self._save(stored.document, stored.version, stored.fence, None, lease.owner)

    def undo(self, lease: Lease) -> None:
        """Restore what was stored before the lease."""
        found = lease.before
        with self._locked():
            if self.read().lease != lease:
                return
            if found == NOTHING:
                with _messages(self.path, "remove"):
                    self.path.unlink(missing_ok=True)
                return
            self._save(found.document, found.version, found.fence, found.lease, found.written_by, found.written_at)

    def remove(self) -> None:
        """Delete the record, and what is kept."""
        if self.path.exists():
            with self._locked(), _messages(self.path, "remove"):
                self.path.unlink(missing_ok=True)
        for series in Series:
            self._drop_before("~", series)

    def keep(self, at: float, entry: Document, seconds: float, series: Series = Series.SAMPLES) -> None:
        """Append the entry to the file of its hour. The first one of an hour removes the files that are too old."""
        path = self._chunk(chunk_of(at), series)
        with _messages(path, "write"):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _refuse_open_folder(path.parent, path.parent.stat())
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(path, flags, 0o600), "a+", encoding="utf-8") as stream:
                _refuse_stranger(path, os.fstat(stream.fileno()))
                stream.seek(0)
                there = entries_of(stream, 0.0)
                if not any(slot_of(each["at"], series) == slot_of(at, series) for each in there):
                    stream.write(dump_entry(at, entry) + "\n")
        if not there:
            self._drop_before(chunk_of(max(0.0, at - seconds)), series)

    def kept(self, since: float, series: Series = Series.SAMPLES) -> list[Document]:
        """Return what is kept from this instant on."""
        first, lines = self._chunk(chunk_of(max(0.0, since)), series).name, list[str]()
        for path in self._chunks(series):
            if path.name >= first:
                lines += _text(path).splitlines()
        return entries_of(lines, since)

    def _chunk(self, name: str, series: Series) -> Path:
        return self.path.with_name(f"{self.path.name.removesuffix('.json')}+{name}.{series.value}")

    def _chunks(self, series: Series) -> list[Path]:
        """Return the files of all hours; ``+`` stands in no name of a key."""
        ending = f".{series.value}"
        start = self._chunk("", series).name.removesuffix(ending)
        with _messages(self.path, "read"):
            return sorted(each for each in self.path.parent.glob(f"*{ending}") if each.name.startswith(start))

    def _drop_before(self, name: str, series: Series) -> None:
        for path in self._chunks(series):
            if path.name < self._chunk(name, series).name:
                with _messages(path, "remove"):
                    path.unlink(missing_ok=True)

    def _save(
        self,
        document: Document | None,
        version: int,
        fence: int,
        lease: Lease | None,
        by: str,
        at: float | None = None,
    ) -> None:
        held = lease and {"owner": lease.owner, "expires": lease.expires}
        content = {
            "format": FORMAT,
            "group": self.key.group,
            "zone": self.key.zone,
            "version": version,
            "fence": fence,
            "lease": held,
            "written_at": self._clock() if at is None else at,
            "written_by": by,
            "document": document,
        }
        with _messages(self.path, "write"):
            _replace(self.path, dump(content).encode())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of the folder; the kernel frees it when the process dies.

        Threads of one process queue up first: many zones that poll for one lock would keep each other from it.
        """
        with _QUEUES.of(self.path.parent):
            with _messages(self.path, "write"):
                if not self.path.parent.is_dir():
                    self.path.parent.mkdir(mode=0o700, exist_ok=True)
                lock = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                _refuse_open_folder(self.path.parent, os.fstat(lock))
                self._wait_for(lock)
                yield
            finally:
                os.close(lock)

    def _wait_for(self, lock: int) -> None:
        deadline = time.monotonic() + self._lock_seconds
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise StoreUnusable(
                        f"{self.path.parent} has been locked by another process for {self._lock_seconds:g} s; "
                        f"is one stopped? (fuser {self.path.parent} names it)"
                    ) from None
                self._sleep(0.01)
            except OSError as error:
                raise StoreUnusable(
                    f"{self.path.parent} cannot be locked: {error.strerror}; its file system has no flock, take another"
                ) from error
            else:
                return


def place(path: str | Path, key: Key) -> Path:
    """Return the file of this key: an existing file, a name that ends in .json, or a file in that folder."""
    given, text = Path(path), str(path)
    # A name that is no folder yet may become one at any moment, by the tick of another zone: ask for a file last.
    is_folder = given.is_dir() or text.endswith("/") or (given.suffix != ".json" and not given.is_file())
    return given / file_name(key) if is_folder else given


def file_name(key: Key) -> str:
    """Return ``group@zone.json``; other characters are %-encoded, @ too, so that names are unique."""
    return f"{quote(key.group, safe='')}@{quote(key.zone, safe='')}.json"


def stored_keys(path: str | Path, group: str) -> list[Key]:
    """Return the zones of this group of which the folder, or the file, holds state."""
    given = Path(path)
    if not given.is_dir():
        return [_key_of(given)] if given.is_file() and _key_of(given).group == group else []
    with _messages(given, "read"):
        names = sorted(each.name for each in given.glob(f"{_escaped(group)}@*.json"))
    return [Key(group, unquote(name.removesuffix(".json").partition("@")[2])) for name in names]


def _escaped(group: str) -> str:
    return "".join(f"[{each}]" if each in "*?[" else each for each in quote(group, safe=""))


def _key_of(path: Path) -> Key:
    content = _content(path) or {}
    return Key(str(content.get("group")), str(content.get("zone")))


def _refuse_open_folder(folder: Path, found: os.stat_result) -> None:
    """Raise :class:`StoreUnusable` for a folder in which any user may replace files."""
    if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
        raise StoreUnusable(
            f"{folder} may be written by every user (mode {stat.S_IMODE(found.st_mode):04o}), and any of them could "
            f"replace the group state: take that right away (chmod o-w {folder}), or name another folder"
        )


def _refuse_stranger(path: Path, found: os.stat_result) -> None:
    """Raise :class:`StoreUnusable` for a file that another user may have put into a folder open to all."""
    folder = path.parent.stat()
    if folder.st_mode & stat.S_IWOTH and found.st_uid not in (os.geteuid(), 0, folder.st_uid):
        raise StoreUnusable(
            f"{path} belongs to user {found.st_uid}, and every user may create files in {path.parent}: not read; "
            "name a folder that only the user of the play may write"
        )


def _replace(path: Path, content: bytes) -> None:
    """Write all of it or nothing, whenever the machine dies; only the lock's holder uses the name of the draft."""
    draft = path.with_name(f".{path.name}.draft")
    handle = _create(draft)
    try:
        os.fchmod(handle, 0o600)
        with open(handle, "wb", closefd=False) as out:
            out.write(content)
        os.fsync(handle)
    finally:
        os.close(handle)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _create(draft: Path) -> int:
    """Return a descriptor of a file that did not exist before; what a killed writer left there is removed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(draft, flags, 0o600)
    except FileExistsError:
        draft.unlink()
        return os.open(draft, flags, 0o600)


def _raw(path: Path) -> bytes | None:
    with _messages(path, "read"):
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with open(handle, "rb") as stream:
            _refuse_stranger(path, os.fstat(handle))
            return stream.read()


def _text(path: Path) -> str:
    return (_raw(path) or b"").decode("utf-8", "replace")


def _content(path: Path) -> dict[str, Any] | None:
    raw = _raw(path)
    if raw is None:
        return None
    try:
        content = json.loads(raw)
    except ValueError as error:
        raise DamagedDocument(_damaged(path, f"it is not JSON: {error}")) from error
    if not isinstance(content, dict):
        raise DamagedDocument(_damaged(path, "it is not a JSON object"))
    return content


def _damaged(path: Path, why: str) -> str:
    return (
        f"{path} is damaged ({why}) and was left as it is; repair it or move it away: without it, the zone begins "
        "with new state"
    )


def _load(path: Path, key: Key) -> Snapshot:
    content = _content(path)
    if content is None:
        return Snapshot()
    if isinstance(content.get("format"), int) and content["format"] > FORMAT:
        raise StoreUnusable(f"{path} has format {content['format']}: it was written by a newer release of cloudadc.aws")
    try:
        found = Key(content["group"], content["zone"])
        held = content["lease"]
        lease = held and Lease(str(held["owner"]), int(content["fence"]), float(held["expires"]))
        snapshot = Snapshot(
            document=content["document"],
            version=int(content["version"]),
            fence=int(content["fence"]),
            lease=lease,
            written_at=float(content["written_at"]),
            written_by=str(content["written_by"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedDocument(_damaged(path, f"{type(error).__name__}: {error}")) from error
    if not isinstance(snapshot.document, dict | None):
        raise DamagedDocument(_damaged(path, "its document is not a JSON object"))
    if found != key:
        raise StoreUnusable(f"{path} holds the record of {found}, not of {key}; name a folder to keep several")
    return snapshot


@contextlib.contextmanager
def _messages(path: Path, verb: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise StoreUnusable(f"cannot {verb} {path}: its folder's parent, {path.parent.parent}, is not there") from error
    except (FileExistsError, NotADirectoryError) as error:
        raise StoreUnusable(f"cannot {verb} {path}: {path.parent} is not a folder") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise StoreUnusable(
                f"cannot {verb} {path}: it is a symbolic link; name the file or folder itself"
            ) from error
        hint = "; store.path must be writable by the user the play runs as" if error.errno in _RIGHTS else ""
        raise StoreUnusable(f"cannot {verb} {path}: {error.strerror}{hint}") from error


_RIGHTS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
