"""A client that asks the same thing at a steady rate and remembers what became of every request.

``python -m tests.lab.traffic --address A --port P --rate 50 --duration 20 --json FILE`` sends a short HTTP request on a
new connection each 1/rate seconds, whether the earlier ones are answered or not, and reports at the end, at SIGTERM or
SIGINT, or when the file given with --stop-file appears. Times are seconds since the epoch.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.lab.settings import CHECKOUT

OBSERVE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Request:
    """One request: ``start``, ``end`` (of its answer or of the client's timeout), whether it was answered with 200."""

    start: float
    end: float
    ok: bool
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without any answer: from the completion of one success (or the first request) to that of the next.

    ``open``: no success came after it.
    """

    start: float
    end: float
    open: bool

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Report:
    """What a client saw. ``requests`` in the order of their start."""

    requests: tuple[Request, ...]

    @property
    def failures(self) -> tuple[Request, ...]:
        return tuple(request for request in self.requests if not request.ok)

    def successes(self) -> list[float]:
        """When answers were complete, in order."""
        return sorted(request.end for request in self.requests if request.ok)

    def gaps(self) -> list[Outage]:
        """Every time between two answers that followed each other, and before the first and after the last."""
        if not self.requests:
            return []
        ends = self.successes()
        edges = [self.requests[0].start, *ends]
        gaps = [Outage(start, end, open=False) for start, end in zip(edges, ends, strict=False)]
        last = max(request.end for request in self.requests)
        if last > edges[-1]:
            gaps.append(Outage(edges[-1], last, open=True))
        return gaps

    def longest_outage(self) -> Outage | None:
        """The longest time without an answer; None if nothing was asked. About 1/rate when all went well."""
        return max(self.gaps(), key=lambda gap: gap.seconds, default=None)

    def first_answer_after(self, instant: float) -> float | None:
        """When the first request that was sent at or after the instant and succeeded was answered."""
        return min((request.end for request in self.requests if request.ok and request.start >= instant), default=None)

    def between(self, start: float, end: float) -> Report:
        """The requests that were sent in this time."""
        return Report(tuple(request for request in self.requests if start <= request.start < end))

    def summary(self) -> dict[str, Any]:
        outage = self.longest_outage()
        return {
            "requests": len(self.requests),
            "failures": len(self.failures),
            "longest_outage": None if outage is None else round(outage.seconds, 4),
            "longest_outage_from": None if outage is None else outage.start,
            "longest_outage_until": None if outage is None else outage.end,
            "longest_outage_open": None if outage is None else outage.open,
        }

    def text(self) -> str:
        outage = self.longest_outage()
        if outage is None:
            return "no request was sent"
        still = ", and none came after it" if outage.open else ""
        return (
            f"{len(self.requests)} requests, {len(self.failures)} failed; "
            f"longest time without an answer {outage.seconds:.3f} s{still}"
        )


def write(path: Path, report: Report) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps(report.summary() | {"records": [asdict(request) for request in report.requests]}))
    temporary.replace(path)


def read(path: Path) -> Report:
    """The report that an earlier run left."""
    return Report(tuple(Request(**record) for record in json.loads(path.read_text())["records"]))


@dataclass(frozen=True, slots=True)
class Aim:
    """Where to send, how often (requests a second), and how long to wait for an answer (seconds)."""

    address: str
    port: int
    rate: float = 50.0
    timeout: float = 1.0
    path: str = "/"
    ca_path: str | None = None


class Traffic:
    """Sends until told to stop."""

    def __init__(self, aim: Aim) -> None:
        self._aim = aim
        self._requests: list[Request] = []
        self._wall = time.time() - time.monotonic()
        self._context = ssl.create_default_context(cafile=aim.ca_path) if aim.ca_path else None
        self._text = f"GET {aim.path} HTTP/1.1\r\nHost: {aim.address}:{aim.port}\r\nConnection: close\r\n\r\n".encode()

    async def send(self, stop: asyncio.Event) -> Report:
        """Start a request each 1/rate seconds until ``stop``; then wait for those in flight."""
        interval = 1.0 / self._aim.rate
        due = time.monotonic()
        flight: set[asyncio.Task[None]] = set()
        while not stop.is_set():
            task = asyncio.create_task(self._request())
            flight.add(task)
            task.add_done_callback(flight.discard)
            # A sender that fell behind (a busy machine) goes on from now instead of sending a burst.
            due = max(due + interval, time.monotonic() - interval)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(0.0, due - time.monotonic()))
        await asyncio.gather(*flight)
        return Report(tuple(sorted(self._requests, key=lambda request: request.start)))

    async def _request(self) -> None:
        start = self._now()
        error: str | None = None
        try:
            async with asyncio.timeout(self._aim.timeout):
                status = await self._ask()
            if status != 200:
                error = f"status {status}"
        except TimeoutError:
            error = "no answer in time"
        except (OSError, asyncio.IncompleteReadError, ValueError) as failure:
            error = f"{type(failure).__name__}: {failure}"
        self._requests.append(Request(start, self._now(), error is None, error))

    async def _ask(self) -> int:
        reader, writer = await asyncio.open_connection(self._aim.address, self._aim.port, ssl=self._context)
        try:
            writer.write(self._text)
            whole = await reader.read(-1)
        finally:
            writer.close()
        line = whole.split(b"\r\n", 1)[0].split()
        if len(line) < 2 or not line[0].startswith(b"HTTP/"):
            raise ValueError("the answer is not HTTP" if whole else "the connection ended without an answer")
        return int(line[1])

    def _now(self) -> float:
        return self._wall + time.monotonic()


class Sender:
    """The same in a process of its own, so that the measured and the measuring do not share an interpreter."""

    def __init__(self, aim: Aim, path: Path) -> None:
        self._path = path
        arguments = ["--address", aim.address, "--port", str(aim.port), "--path", aim.path, "--json", str(path)]
        arguments += ["--rate", str(aim.rate), "--timeout", str(aim.timeout)]
        arguments += ["--ca", aim.ca_path] if aim.ca_path else []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab.traffic", *arguments],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it says so when it begins

    def stop(self) -> Report:
        """End it and return what it saw."""
        self._process.terminate()
        self._process.communicate(timeout=60)
        return read(self._path)

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_ignored: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


async def run(aim: Aim, duration: float | None, stop_file: Path | None) -> Report:
    """Send for ``duration`` seconds, or until a signal or the stop file."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if duration is not None:
        loop.call_later(duration, stop.set)
    watch = asyncio.create_task(_watch(stop_file, stop)) if stop_file else None
    print(f"{aim.rate:g} requests a second to {aim.address}:{aim.port}", flush=True)
    report = await Traffic(aim).send(stop)
    if watch:
        watch.cancel()
    return report


async def _watch(path: Path, stop: asyncio.Event) -> None:
    while not path.exists():
        await asyncio.sleep(OBSERVE_SECONDS)
    stop.set()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.traffic", description="Steady traffic, measured.")
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--path", default="/")
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second")
    parser.add_argument("--timeout", type=float, default=1.0, help="seconds a request waits for its answer")
    parser.add_argument("--duration", type=float, help="seconds; without it, until a signal or the stop file")
    parser.add_argument("--stop-file", type=Path)
    parser.add_argument("--ca", help="speak TLS and trust this CA")
    parser.add_argument("--json", type=Path, help="write every request and the summary here")
    options = parser.parse_args(arguments)
    if options.rate <= 0 or options.timeout <= 0:
        parser.error("--rate and --timeout must be above 0")
    aim = Aim(options.address, options.port, options.rate, options.timeout, options.path, options.ca)
    report = asyncio.run(run(aim, options.duration, options.stop_file))
    if options.json:
        write(options.json, report)
    print(report.text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
