# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What modules wait for, shown while they do: a thread of the task's process reads the file that the module appends to.

Where the module does not run on the controller, or in the background, nothing is shown.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from ..module_utils.core.progress import VARIABLE

#: Seconds between two looks at the file.
_INTERVAL = 0.5


@contextlib.contextmanager
def shown(show: Callable[[str], object]) -> Iterator[None]:
    """Show each line that this process's module appends to the file of progress, until the block ends."""
    descriptor, name = tempfile.mkstemp(prefix="cloudadc-progress-")
    os.close(descriptor)
    ended = threading.Event()
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = name
    reader = threading.Thread(target=_follow, args=(Path(name), show, ended), daemon=True)
    reader.start()
    try:
        yield
    finally:
        ended.set()
        reader.join(timeout=5)
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before
        with contextlib.suppress(OSError):
            Path(name).unlink()


def _follow(path: Path, show: Callable[[str], object], ended: threading.Event) -> None:
    position = 0
    while not ended.wait(_INTERVAL):
        with contextlib.suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
            file.seek(position)
            complete = file.read().rpartition("\n")[0]
            position += len(complete.encode()) + 1 if complete else 0
            for text in complete.splitlines():
                show(text)
