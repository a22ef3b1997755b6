# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""JSON by the piece, from a stream of text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

from ...spec.errors import SampleError

_CHUNK = 1 << 16
_BLANK = " \t\r\n"
_BETWEEN = re.compile(r"[\s,]*")


class JsonStream:
    """JSON by the piece, from a stream of text; never more of it in memory than a chunk and the value at hand."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._decoder = stream, json.JSONDecoder()
        self.text, self.at = stream.read(_CHUNK), 0

    def lines(self) -> Iterator[str]:
        """Yield the rest line by line."""
        rest, self.text = self.text[self.at :], ""
        head, newline, tail = rest.rpartition("\n")
        yield from (head + newline).splitlines(keepends=True)
        yield tail + self._stream.readline()
        yield from self._stream

    def _more(self) -> bool:
        chunk = self._stream.read(_CHUNK)
        self.text, self.at = self.text[self.at :] + chunk, 0
        return bool(chunk)

    def peek(self) -> str:
        """Return the next character that is not blank; empty at the end."""
        while True:
            while self.at < len(self.text):
                if self.text[self.at] not in _BLANK and self.text[self.at] != "\ufeff":
                    return self.text[self.at]
                self.at += 1
            if not self._more():
                return ""

    def skip(self, desired: str) -> None:
        if self.peek() != desired:
            raise SampleError(
                f"the recording is no JSON: {desired!r} expected where it has {self.peek() or 'its end'!r}"
            )
        self.at += 1

    def value(self) -> Any:
        """Return the next value, whole."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self.text, self.at)
            except ValueError as error:
                if not self._more():
                    raise SampleError(f"the recording is no JSON: {error}") from error
                continue
            if end == len(self.text) and self._more():
                continue  # a number may go on in the next chunk
            self.at = end
            return value

    def values(self) -> Iterator[Any]:
        """Return the values that follow one another, with commas between them or not, up to a ] or the end."""
        decode, after = self._decoder.raw_decode, _BETWEEN.match
        while self.peek() not in ("", "]"):
            yield self.value()
            text, at = self.text, self.at
            try:  # as far as the text at hand goes, without ado
                while (begin := after(text, at).end()) < len(text) - 1 and text[begin] != "]":  # type: ignore[union-attr]
                    self.at = begin
                    value, at = decode(text, begin)
                    if at >= len(text):
                        break
                    self.at = at
                    yield value
            except ValueError:
                pass
            if self.peek() == ",":
                self.at += 1

    def elements(self) -> Iterator[None]:
        """Stop at each element of an array; the caller takes it."""
        yield from self._parts("[", "]")

    def members(self) -> Iterator[str]:
        """Yield the keys of an object; the caller takes the value of each."""
        for _turn in self._parts("{", "}"):
            key = str(self.value())
            self.skip(":")
            yield key

    def _parts(self, opening: str, closing: str) -> Iterator[None]:
        self.skip(opening)
        if self.peek() != closing:
            yield
            while self.peek() == ",":
                self.at += 1
                yield
        self.skip(closing)

    def scalars(self) -> Iterator[Any]:
        """Yield the numbers or plain texts of an array."""
        self.skip("[")
        while (end := self.text.find("]", self.at)) < 0:
            comma = self.text.rfind(",", self.at)
            if comma > 0:
                yield from self._listed(comma)
            if not self._more():
                raise SampleError("the recording is no JSON: an array has no end")
        yield from self._listed(end)

    def _listed(self, end: int) -> list[Any]:
        """Return the text between two positions, split at commas."""
        try:
            part: list[Any] = json.loads(f"[{self.text[self.at : end]}]")
        except ValueError as error:
            raise SampleError(f"the recording has an array that cannot be read: {error}") from error
        self.at = end + 1
        return part
