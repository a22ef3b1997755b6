"""How the demo speaks: few lines, each of them worth reading."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TextIO

WIDTH = 14


class Output:
    """Steps with the seconds since the beginning, and tables."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._began = time.monotonic()

    def title(self, text: str) -> None:
        self._say(f"\n{text}\n")

    def step(self, name: str, *lines: str) -> None:
        """The step's name, and what is true after it."""
        stamp = f"{time.monotonic() - self._began:6.1f} s"
        first, *rest = lines
        self._say(f"{stamp}  {name:<{WIDTH}} {first}")
        for line in rest:
            self._say(f"{'':{len(stamp)}}  {'':<{WIDTH}} {line}")

    def table(self, heading: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """The first column to the left, the others to the right."""
        widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
        self._say(f"\n{heading}")
        for row in (header, *rows):
            cells = [f"{cell:<{widths[0]}}" if n == 0 else f"{cell:>{widths[n]}}" for n, cell in enumerate(row)]
            self._say("  " + "   ".join(cells))
        self._say("")

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)
