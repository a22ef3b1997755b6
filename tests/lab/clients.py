"""Clients of all kinds at one application: quick ones, slow ones, short sessions, and connections that never end.

``python -m tests.lab.clients --port 8080 --addresses 127.11.0.1,127.11.0.2 --json FILE`` uses fixed addresses (a load
balancer's) in turn; with ``--name shop.example.com --control LAB_URL`` to those that Route 53 names, asked again when
the answer's TTL is over, as a resolver does. It runs until SIGTERM or until the file given with --stop-file appears.
Times are seconds since the epoch.

A connection that its client ends is *closed*; one that ends any other way is *cut*. What a client had in flight when
its connection was cut is a failed request too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import requests

from tests.lab.traffic import OBSERVE_SECONDS, Report, Request

PAUSE_SECONDS = 0.2
GIVE_UP_SECONDS = 5.0
DELAY_SECONDS = 1.0
LIFE_SECONDS = 3.0
EVERY_SECONDS = 3.0


class Addresses(Protocol):
    """Where the next connection goes. OSError if there is nowhere to go."""

    async def next(self) -> str: ...


class Fixed:
    """One after the other."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._turn = itertools.cycle(addresses)

    async def next(self) -> str:
        return next(self._turn)


class Resolver:
    """Asks the lab's Route 53 for a name and keeps the answer for its TTL, not longer."""

    def __init__(self, control_url: str, name: str) -> None:
        self._url = f"{control_url}/lab/resolve"
        self._name = name
        self._known: tuple[str, ...] = ()
        self._expires = 0.0
        self._asking = asyncio.Lock()

    async def next(self) -> str:
        async with self._asking:
            if time.monotonic() >= self._expires:
                await asyncio.to_thread(self._ask)
        if not self._known:
            raise OSError(f"{self._name} has no address")
        return random.choice(self._known)

    def _ask(self) -> None:
        asked = time.monotonic()  # the answer ages from when it was given, not from when it came
        answer = requests.post(self._url, json={"name": self._name}, timeout=10).json()
        self._known = tuple(answer["addresses"])
        self._expires = asked + answer["ttl"] / answer["pace"]


@dataclass(frozen=True, slots=True)
class Session:
    """One connection with many requests on it. ``cut``: how it was taken from its client, None if that ended it."""

    address: str
    start: float
    end: float
    requests: int
    cut: str | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What all of them saw. ``sessions`` live for a given time, ``endless`` as long as the clients."""

    quick: Report
    slow: Report
    sessions: tuple[Session, ...]
    endless: tuple[Session, ...]

    @property
    def requests(self) -> int:
        whole = sum(session.requests for session in (*self.sessions, *self.endless))
        return whole + len(self.quick.requests) + len(self.slow.requests)

    def failures(self, start: float, end: float) -> list[Request]:
        """Of quick and slow clients: requests that ended without an answer in this time."""
        both = (*self.quick.failures, *self.slow.failures)
        return sorted((one for one in both if start <= one.end < end), key=lambda one: one.end)

    def cuts(self, start: float, end: float) -> list[Session]:
        """Connections that were taken from their clients in this time."""
        both = (*self.sessions, *self.endless)
        return sorted((one for one in both if one.cut and start <= one.end < end), key=lambda one: one.end)


@dataclass(frozen=True, slots=True)
class Aim:
    """The application's port and path, how many there are of each kind, and how long a session lives (seconds).

    ``endless``: how many there are at most; one more comes every EVERY_SECONDS, so that some meet every node there is.
    """

    port: int
    path: str = "/"
    rate: float = 20.0
    slow: int = 4
    sessions: int = 4
    endless: int = 40
    life: float = LIFE_SECONDS


class Clients:
    """All of them, until told to stop."""

    def __init__(self, aim: Aim, addresses: Addresses) -> None:
        self._aim = aim
        self._addresses = addresses
        self._wall = time.time() - time.monotonic()
        self._quick: list[Request] = []
        self._slow: list[Request] = []
        self._sessions: list[Session] = []
        self._endless: list[Session] = []

    async def come(self, stop: asyncio.Event) -> Observed:
        """Begin, go on until ``stop``, let what is in flight come to its end."""
        aim = self._aim
        async with asyncio.TaskGroup() as group:
            group.create_task(self._quick_ones(stop, group))
            for _number in range(aim.slow):
                group.create_task(self._slow_one(stop))
            for _number in range(aim.sessions):
                group.create_task(self._keep_coming(stop, self._sessions, aim.life))
            group.create_task(self._endless_ones(stop, group))
        return Observed(_report(self._quick), _report(self._slow), tuple(self._sessions), tuple(self._endless))

    async def _quick_ones(self, stop: asyncio.Event, group: asyncio.TaskGroup) -> None:
        """A request on a connection of its own each 1/rate seconds, whether earlier ones are answered or not."""
        interval, due = 1.0 / self._aim.rate, time.monotonic()
        while not stop.is_set():
            group.create_task(self._once(self._quick, 0.0))
            due = max(due + interval, time.monotonic() - interval)
            await _rest(stop, due - time.monotonic())

    async def _slow_one(self, stop: asyncio.Event) -> None:
        """One request after another, each of which takes its time at the back end."""
        while not stop.is_set():
            await self._once(self._slow, DELAY_SECONDS)

    async def _endless_ones(self, stop: asyncio.Event, group: asyncio.TaskGroup) -> None:
        for _number in range(self._aim.endless):
            group.create_task(self._keep_coming(stop, self._endless, None))
            await _rest(stop, EVERY_SECONDS)

    async def _once(self, into: list[Request], delay: float) -> None:
        start, error = self._now(), None
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                address = await self._addresses.next()
                reader, writer = await asyncio.open_connection(address, self._aim.port)
                with contextlib.closing(writer):
                    await self._ask(reader, writer, delay)
        except TimeoutError:
            error = "no answer in time"
        except (OSError, asyncio.IncompleteReadError, ValueError) as failure:
            error = f"{type(failure).__name__}: {failure}"
        into.append(Request(start, self._now(), error is None, error))
        if error:
            await asyncio.sleep(PAUSE_SECONDS)

    async def _keep_coming(self, stop: asyncio.Event, into: list[Session], life: float | None) -> None:
        """One session after another."""
        while not stop.is_set():
            session = await self._session(stop, life)
            into.append(session)
            if session.cut:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _session(self, stop: asyncio.Event, life: float | None) -> Session:
        start, asked, address, cut = self._now(), 0, "", None
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                address = await self._addresses.next()
                reader, writer = await asyncio.open_connection(address, self._aim.port)
            with contextlib.closing(writer):
                while not stop.is_set() and (life is None or self._now() < start + life):
                    async with asyncio.timeout(GIVE_UP_SECONDS):
                        await self._ask(reader, writer, 0.0)
                    asked += 1
                    await _rest(stop, PAUSE_SECONDS)
        except TimeoutError:
            cut = "no answer in time"
        except (OSError, asyncio.IncompleteReadError, ValueError) as failure:
            cut = f"{type(failure).__name__}: {failure}"
        return Session(address, start, self._now(), asked, cut)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
        """A request and its whole answer on an open connection. ValueError if it is not a 200 with a length."""
        path = f"{self._aim.path}?delay={delay:g}" if delay else self._aim.path
        writer.write(f"GET {path} HTTP/1.1\r\nHost: clients\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        if status.split(" ")[1:2] != ["200"]:
            raise ValueError(f"answered {status}")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
        await reader.readexactly(int(headers["content-length"]))

    def _now(self) -> float:
        return self._wall + time.monotonic()


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), max(0.0, seconds))


def _report(requests_made: list[Request]) -> Report:
    return Report(tuple(sorted(requests_made, key=lambda request: request.start)))


def write(path: Path, observed: Observed) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps(asdict(observed)))
    temporary.replace(path)


def read(path: Path) -> Observed:
    """What an earlier clients left."""
    found: dict[str, Any] = json.loads(path.read_text())
    quick, slow = (Report(tuple(Request(**one) for one in found[kind]["requests"])) for kind in ("quick", "slow"))
    sessions, endless = (tuple(Session(**one) for one in found[kind]) for kind in ("sessions", "endless"))
    return Observed(quick, slow, sessions, endless)


async def run(aim: Aim, addresses: Addresses, stop_file: Path | None) -> Observed:
    """Until a signal or the stop file."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watch = asyncio.create_task(_watch(stop_file, stop)) if stop_file else None
    print(f"a clients at port {aim.port}", flush=True)
    observed = await Clients(aim, addresses).come(stop)
    if watch:
        watch.cancel()
    return observed


async def _watch(path: Path, stop: asyncio.Event) -> None:
    while not path.exists():
        await asyncio.sleep(OBSERVE_SECONDS)
    stop.set()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.clients", description="Clients of all kinds, measured.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--addresses", help="fixed ones, with commas between them")
    where.add_argument("--name", help="a name in the lab's Route 53; needs --control")
    parser.add_argument("--control", help="LAB_URL, for --name")
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--path", default="/")
    parser.add_argument("--life", type=float, default=LIFE_SECONDS, help="seconds that a session lives")
    parser.add_argument("--stop-file", type=Path)
    parser.add_argument("--json", type=Path, required=True, help="write everything that was seen here")
    options = parser.parse_args(arguments)
    if options.name and not options.control:
        parser.error("--name needs --control")
    addresses = Resolver(options.control, options.name) if options.name else Fixed(options.addresses.split(","))
    observed = asyncio.run(run(Aim(options.port, options.path, life=options.life), addresses, options.stop_file))
    write(options.json, observed)
    cuts = len(observed.cuts(0.0, float("inf")))
    print(f"{observed.requests} requests, {len(observed.failures(0.0, float('inf')))} failed; {cuts} connections cut")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
