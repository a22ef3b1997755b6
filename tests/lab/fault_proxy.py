"""Stands in front of each side of the lab: counts, delays, disturbs and logs calls without knowing what they mean.

Order for one call: it arrives (a write is counted; a kill "before" strikes here) → it is held, or injected latency →
an injected fault, or the call is carried out → a kill "after" strikes, or the state is kept → its answer is held → it
is logged → the answer goes out.
"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from tests.lab.calls import CallLog
from tests.lab.faults import Faults, Kill, Kind, Verdict
from tests.lab.holds import Hold, When
from tests.lab.world import Environ, Side

# What a proxy or a login portal in between says: success, but no answer of the service.
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"

Answer = tuple[str, list[tuple[str, str]], bytes]


class Loss(enum.Enum):
    """How a client fares that gets no answer."""

    RESET = "the connection is reset"
    SILENCE = "nothing comes, until the client or the server gives up"


class NoAnswer(Exception):
    """Raised out of the application: the server must not answer this request."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.value)
        self.loss = loss


class Latency:
    """Seconds (real) that each call of a side takes on the wire."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[str, float] = {}

    def of(self, side: str) -> float:
        with self._lock:
            return self._seconds.get(side, 0.0)

    def set(self, seconds: dict[str, float]) -> None:
        """Sides not named keep theirs."""
        with self._lock:
            self._seconds.update(seconds)

    def clear(self) -> None:
        with self._lock:
            self._seconds.clear()

    def state(self) -> dict[str, float]:
        with self._lock:
            return {"aws": 0.0, "nitro": 0.0} | self._seconds


class FaultProxy:
    """A WSGI application around one side. ``kill`` ends a process with all it started and returns the ids; ``keep``
    remembers the state of the whole lab under a name.
    """

    def __init__(
        self,
        side: Side,
        *,
        calls: CallLog,
        faults: Faults,
        latency: Latency,
        kill: Callable[[int], list[int]],
        keep: Callable[[str], object],
    ) -> None:
        self.side = side
        self._calls = calls
        self._faults = faults
        self._latency = latency
        self._kill = kill
        self._keep = keep

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        entry = _Entry(self._calls, self.side, environ)
        verdict = self._faults.verdict(self.side.name, entry.write)
        if verdict.kill and verdict.kill.when == "before":
            self._strike(verdict.kill, entry)
        hold = self._faults.holds.take(entry.op)
        self._hold(hold, "before", entry)
        delay = self._latency.of(self.side.name)
        if delay:
            time.sleep(delay)
        if verdict.fault in ("reset", "hang"):
            raise entry.lost(verdict.fault)
        status, headers, body = self._carry_out(verdict, environ, entry)
        if verdict.kill:
            self._strike(verdict.kill, entry)
        if verdict.keep:
            self._keep(verdict.keep)
        self._hold(hold, "after", entry)
        if verdict.fault == "lose":
            raise entry.lost("lose")
        entry.log(status)
        start_response(status, headers)
        return [body]

    def _hold(self, hold: Hold | None, when: When, entry: _Entry) -> None:
        if hold is None or hold.when != when:
            return
        entry.extra["fault"] = f"held {when}"
        self._faults.holds.wait(hold)
        if hold.then == "drop":
            entry.log("0")
            raise NoAnswer(Loss.RESET)

    def _carry_out(self, verdict: Verdict, environ: Environ, entry: _Entry) -> Answer:
        fault, kill = verdict.fault, verdict.kill
        if fault in ("throttle", "error", "html", "truncate"):
            entry.extra["fault"] = fault
        if fault == "html":
            return "200 OK", [("Content-Type", "text/html; charset=utf-8")], PAGE
        if fault in ("throttle", "error"):
            return self.side.refusal("throttle" if fault == "throttle" else "error", environ)
        try:
            status, headers, body = _run(self.side, environ)
            return status, headers, body[: len(body) // 2] if fault == "truncate" else body
        except ConnectionResetError:
            # A side breaks the connection itself: a coordinator that was removed through its own cluster address.
            if kill:
                self._strike(kill, entry)
            if verdict.keep:
                self._keep(verdict.keep)
            entry.log("0")
            raise NoAnswer(Loss.RESET) from None
        except BaseException:
            entry.log("500")
            raise

    def _strike(self, kill: Kill, entry: _Entry) -> NoReturn:
        entry.extra["fault"] = f"kill {kill.when}"
        entry.log("0")
        # Recorded before the process is killed, so that a waiting test can read it at once.
        self._faults.killed([])
        self._faults.killed(self._kill(kill.pid))
        raise NoAnswer(Loss.RESET)


class _Entry:
    """One line of the log in the making."""

    def __init__(self, calls: CallLog, side: Side, environ: Environ) -> None:
        self._calls = calls
        self._side = side.name
        self._began = time.monotonic()
        self._at = time.time()
        self.op, self.write = side.describe(environ)
        self._environ = environ
        self.extra: dict[str, Any] = {}
        if side.name != "aws":
            self.extra["address"] = environ.get("lab.local_address")

    def log(self, status: str) -> None:
        self._calls.write(
            {
                "t": round(self._at, 6),
                "side": self._side,
                "op": self.op,
                "status": int(status.split(None, 1)[0]),
                "ms": round((time.monotonic() - self._began) * 1000, 3),
                "write": self.write,
                **self.extra,
                **self._environ.get("lab.said", {}),
            }
        )

    def lost(self, kind: Kind) -> NoAnswer:
        """Log a call that gets no answer (status 0)."""
        self.extra["fault"] = kind
        self.log("0")
        return NoAnswer(Loss.SILENCE if kind == "hang" else Loss.RESET)


def _run(side: Side, environ: Environ) -> Answer:
    """Carry the call out and hold its whole answer in hand."""
    answered: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        answered[:] = [(status, headers)]
        return _no_write

    chunks = side(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = answered[0]
    return status, headers, body


def _no_write(data: bytes) -> None:
    raise NotImplementedError("a side returns its body; it does not write it")
