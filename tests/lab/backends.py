"""A few web servers inside the lab's network for vservers to send their clients to.

Each answers any GET with its own name in a short body; ``?delay=S`` answers S seconds later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from tests.lab.server import Application, Server
from tests.lab.world import Environ

COUNT = 4
PORT = 8000
MOST_DELAY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Backend:
    name: str
    address: str
    port: int


class Backends:
    """The web servers of one slice, at N.200.1 and up, port 8000."""

    def __init__(self, network: str) -> None:
        self.all = tuple(Backend(f"backend-{n}", f"{network}.200.{n}", PORT) for n in range(1, COUNT + 1))
        self._lock = threading.Lock()
        self._servers: dict[str, Server] = {}

    def start(self) -> None:
        for backend in self.all:
            self.switch(backend.name, up=True)

    def stop(self) -> None:
        for backend in self.all:
            self.switch(backend.name, up=False)

    def put(self, up: Container[str]) -> None:
        """Those of these names run, the others do not."""
        for backend in self.all:
            self.switch(backend.name, up=backend.name in up)

    def running(self) -> set[str]:
        with self._lock:
            return set(self._servers)

    def switch(self, name: str, *, up: bool) -> None:
        """Start one, or end it: then it refuses connections. LookupError if there is none of this name."""
        backend = {backend.name: backend for backend in self.all}[name]
        with self._lock:
            if up and name not in self._servers:
                self._servers[name] = Server(backend.address, backend.port, _application(name))
                self._servers[name].start()
            elif not up and name in self._servers:
                self._servers.pop(name).stop()

    def state(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {"name": one.name, "address": one.address, "port": one.port, "up": one.name in self._servers}
                for one in self.all
            ]


def _application(name: str) -> Application:
    body = f"{name}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("X-Backend", name)]

    def application(environ: Environ, start_response: Any) -> Iterable[bytes]:
        time.sleep(_delay(environ["QUERY_STRING"]))
        start_response("200 OK", headers)
        return [body]

    return application


def _delay(query: str) -> float:
    try:
        asked = float(parse_qs(query).get("delay", ["0"])[0])
    except ValueError:
        return 0.0
    return min(max(asked, 0.0), MOST_DELAY_SECONDS)
