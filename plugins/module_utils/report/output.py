# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The page's file: written whole or not at all, and only if it is not as it should be."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..spec.errors import AutoscaleError


def differs(path: str, content: bytes) -> bool:
    """Whether the file is missing or has another content. What could not be written is refused here already."""
    place = Path(path)
    with _messages(path, "read"):
        if not place.parent.is_dir():
            raise AutoscaleError(f"cannot write {path}: its folder {place.parent} is not there")
        try:
            return place.read_bytes() != content
        except FileNotFoundError:
            return True


def put(path: str, content: bytes) -> None:
    """Write by rename, with the rights the old file had, or those of any new file."""
    place = Path(path)
    with _messages(path, "write"):
        handle, draft = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        try:
            with open(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fchmod(out.fileno(), _mode(place))
                os.fsync(out.fileno())
            Path(draft).replace(place)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise


def _mode(place: Path) -> int:
    if place.exists():
        return place.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextlib.contextmanager
def _messages(path: str, verb: str) -> Iterator[None]:
    try:
        yield
    except IsADirectoryError as error:
        raise AutoscaleError(f"cannot {verb} {path}: it is a folder; name the page itself") from error
    except OSError as error:
        raise AutoscaleError(f"cannot {verb} {path}: {error.strerror}") from error
