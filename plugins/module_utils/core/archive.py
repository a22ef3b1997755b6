# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read single files of a compressed archive in memory, whatever the archive holds. Nothing is unpacked to disk."""

from __future__ import annotations

import gzip
import io
import posixpath
import tarfile
import zlib
from collections.abc import Callable

from .errors import Failure

#: Bytes that an archive may have once it is decompressed, members, and bytes of one file that is read.
MAX_UNPACKED = 512 * 1024 * 1024
MAX_MEMBERS = 50_000
MAX_FILE = 16 * 1024 * 1024


class _TooLarge(Exception):
    """The archive has more bytes than the limit."""


class _Limited(io.RawIOBase):
    """A decompressed stream that ends with _TooLarge after so many bytes: a few bytes can unpack to terabytes."""

    def __init__(self, inner: gzip.GzipFile, limit: int) -> None:
        super().__init__()
        self._inner, self._left = inner, limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        desired = self._left + 1 if size is None or size < 0 else min(size, self._left + 1)
        found = self._inner.read(desired)
        self._left -= len(found)
        if self._left < 0:
            raise _TooLarge
        return found


def read_files(content: bytes, desired: Callable[[str], bool], *, limit: int = MAX_UNPACKED) -> dict[str, bytes]:
    """Return the regular files of a .tgz whose path is desired: path without a leading "./" → content.

    Links, devices and paths that leave the archive are passed over. Raises Failure for what is no such archive, for one
    that exceeds a limit, and for a desired path that occurs twice.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as unpacked:
            return _read(_Limited(unpacked, limit), desired)
    except _TooLarge:
        raise Failure(f"the archive unpacks to more than {limit // 2**20} MiB") from None
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise Failure(f"the archive cannot be read ({type(error).__name__}: {error})") from None


def _read(stream: io.RawIOBase, desired: Callable[[str], bool]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for number, member in enumerate(archive, 1):
            if number > MAX_MEMBERS:
                raise Failure(f"the archive has more than {MAX_MEMBERS} members")
            path = posixpath.normpath(member.name)
            if not member.isreg() or path.startswith(("/", "..")) or not desired(path):
                continue
            if path in found:
                raise Failure(f"the archive has {path} more than once")
            if member.size > MAX_FILE:
                raise Failure(f"{path} in the archive has {member.size} bytes, more than {MAX_FILE // 2**20} MiB")
            file = archive.extractfile(member)
            found[path] = file.read() if file else b""
    return found
