"""The log of every call that reached AWS or an appliance: one JSON object a line, in the order of completion."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any


class CallLog:
    """Appends to ``calls.jsonl``; a line is in the file before its caller gets the answer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")

    def write(self, entry: dict[str, Any]) -> None:
        line = json.dumps(entry, separators=(", ", ": ")) + "\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()

    def clear(self) -> None:
        """Empty the file in place, so that who follows it keeps the right one open."""
        with self._lock:
            self._file.truncate(0)

    def close(self) -> None:
        with self._lock:
            self._file.close()
