# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a module waits for, written to a file while it waits; the action plugin of the module prints it.

A module's own output is seen only when it has ended. Without the file, nothing is written.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator

#: Variable of the environment with the path of the file.
VARIABLE = "CLOUDADC_AWS_PROGRESS"
#: Seconds until the first line, and between lines: a task that is quick prints none.
FIRST, BETWEEN = 10.0, 15.0
#: So many things that are waited for are named in one line.
_MOST_NAMED = 3
_LONGEST = 400

#: Takes a function that returns what was last observed, the seconds waited, and the longest wait.
Note = Callable[[Callable[[], str], float, float], None]


class Progress:
    """What all threads of this process wait for, one line for all of them together."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waits: dict[int, tuple[str, float, float]] = {}
        self._due = clock() + FIRST

    @contextlib.contextmanager
    def wait(self) -> Iterator[Note]:
        """Yield the function that notes the state of one wait, until the block ends."""
        key = id(object())
        with self._lock:
            while key in self._waits:
                key += 1
            if not self._waits:
                self._due = self._clock() + FIRST
            self._waits[key] = ("", 0.0, 0.0)

        def note(state: Callable[[], str], waited: float, longest: float) -> None:
            path = os.environ.get(VARIABLE)
            if not path:
                return
            text = state()
            with self._lock:
                self._waits[key] = (text, waited, longest)
                if self._clock() < self._due:
                    return
                self._due = self._clock() + BETWEEN
                text = line([wait for wait in self._waits.values() if wait[0]])
            with contextlib.suppress(OSError), open(path, "a", encoding="utf-8") as file:
                file.write(text + "\n")

        try:
            yield note
        finally:
            with self._lock:
                self._waits.pop(key, None)


def line(waits: list[tuple[str, float, float]]) -> str:
    """Return one line for what is waited for: how many, the states, the seconds. Pure."""
    waited, longest = max(wait[1] for wait in waits), max(wait[2] for wait in waits)
    named = "; ".join(state for state, _waited, _longest in waits[:_MOST_NAMED])
    more = f"; and {len(waits) - _MOST_NAMED} more" if len(waits) > _MOST_NAMED else ""
    head = f"waiting for {len(waits)}: " if len(waits) > 1 else "waiting: "
    most = f" of at most {longest:.0f} s" if longest < float("inf") else ""
    shown = " ".join(f"{named}{more}".split())
    return f"{head}{shown[:_LONGEST]} ({waited:.0f} s{most})"


#: Of this process.
PROGRESS = Progress()
