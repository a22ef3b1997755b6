# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""HTTP answers with a total deadline and a size limit, also where the peer drips bytes or compresses.

A socket's time-out counts from byte to byte: a peer that sends one a second, in the headers or the body, is never late.
Here every read of an answer gets what is left of the deadline that :func:`limits` sets for the thread.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: Bytes of one answer, as sent and as unpacked. The largest answers of NITRO and EC2 are a tenth of it.
MAX_BYTES = 32 * 1024 * 1024
_CHUNK = 65536
# zlib finds out itself whether gzip or zlib was used (zlib manual, inflateInit2: 32 + window bits).
_AUTO = zlib.MAX_WBITS | 32


class AnswerTooLarge(OSError):
    """The answer has more bytes than any that makes sense."""


class AnswerTooLate(TimeoutError):
    """The answer was not complete at its deadline. ``begun``: whether some of it had come."""

    def __init__(self, begun: bool) -> None:
        super().__init__("the answer was not complete at its deadline")
        self.begun = begun


@dataclass(slots=True)
class Budget:
    """What is left for one answer. ``deadline``: of the monotonic clock; ``left``: bytes; ``begun``: some have come."""

    deadline: float
    left: int
    begun: bool = False

    def seconds(self) -> float:
        """Return the seconds left. Raises AnswerTooLate."""
        rest = self.deadline - time.monotonic()
        if rest <= 0:
            raise AnswerTooLate(self.begun)
        return rest

    def take(self, count: int) -> None:
        """Count bytes that arrived. Raises AnswerTooLarge."""
        self.begun = self.begun or count > 0
        self.left -= count
        if self.left < 0:
            raise AnswerTooLarge("the answer is too large")


_thread = threading.local()


@contextlib.contextmanager
def limits(seconds: float, size: int = MAX_BYTES) -> Iterator[None]:
    """Limit every answer that this thread reads meanwhile over connections whose response class is TimedResponse.

    ``seconds``: from the moment the request was sent to the last byte of the answer.
    """
    before = getattr(_thread, "limits", None)
    _thread.limits = (seconds, size)
    try:
        yield
    finally:
        _thread.limits = before


def _budget() -> Budget | None:
    found: tuple[float, int] | None = getattr(_thread, "limits", None)
    return Budget(time.monotonic() + found[0], found[1]) if found else None


class _Reader(io.RawIOBase):
    """A socket's bytes, as long as the budget lasts."""

    def __init__(self, sock: Any, budget: Budget) -> None:
        super().__init__()
        self._sock, self._budget = sock, budget
        # Unbuffered, and reference-counted by the socket, which stays open until this file is closed.
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        try:
            self._sock.settimeout(self._budget.seconds())
            count: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            raise AnswerTooLate(self._budget.begun) from None
        self._budget.take(count or 0)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Socket:
    """What http.client wants of a socket to read from."""

    def __init__(self, sock: Any, budget: Budget) -> None:
        self._sock, self._budget = sock, budget

    def makefile(self, *_args: Any, **_kwargs: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._budget))


class TimedResponse(http.client.HTTPResponse):
    """A response that is read within the limits of its thread; without any, like every other."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        budget = _budget()
        super().__init__(sock if budget is None else _Socket(sock, budget), *args, **kwargs)  # type: ignore[arg-type]


def unpack(content: bytes, encoding: str, size: int = MAX_BYTES) -> bytes:
    """Return what was compressed as ``Content-Encoding`` says, however much a few bytes unpack to.

    Raises AnswerTooLarge, or ValueError for what cannot be unpacked.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return content
        case "gzip" | "x-gzip" | "deflate":
            pass
        case other:
            raise ValueError(f"content encoding {other[:40]!r}")
    unpacker = zlib.decompressobj(_AUTO)
    try:
        found = unpacker.decompress(content, size)
    except zlib.error as error:
        raise ValueError(f"a broken {encoding.strip().lower()} stream ({error})") from None
    if unpacker.unconsumed_tail:
        raise AnswerTooLarge("the answer is too large once it is unpacked")
    if not unpacker.eof:
        raise ValueError(f"a {encoding.strip().lower()} stream that breaks off")
    return found


def read_all(raw: Any) -> bytes:
    """Read the rest of a urllib3 response, not unpacked, within the thread's limits."""
    parts = []
    while part := raw.read(_CHUNK, decode_content=False):
        parts.append(part)
    return b"".join(parts)


def caused_by(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """Return the error of this kind behind an error, or None: requests and urllib3 wrap it several times."""
    observed: set[int] = set()
    pending: list[BaseException] = [error]
    while pending:
        one = pending.pop()
        if id(one) in observed:
            continue
        if isinstance(one, kind):
            return one
        observed.add(id(one))
        inner = [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]
        pending += [each for each in inner if isinstance(each, BaseException)]
    return None
