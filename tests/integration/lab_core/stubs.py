"""A region and a fleet that a test scripts by hand, and a side that answers what it was asked.

They replace the other rooms behind the protocols of ``tests.lab.world``; servers, fault proxy, data plane are real.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from typing import Any, Literal

from tests.lab.packets.vpc import Hop, Interface, Target, Vpc
from tests.lab.slices import claim
from tests.lab.world import Door, Environ, FaultKind, InstanceFacts, InterfaceFacts, Vserver

LOOPBACK, EVERYWHERE = IPv4Network("127.0.0.0/8"), IPv4Network("0.0.0.0/0")
# Held until this process ends, so that labs and other test processes beside it keep away.
_SLICE = claim(None)


def loopback(last: int) -> str:
    """Return an address of 127/8 that belongs to this test process alone."""
    return f"{_SLICE.network}.250.{last}"


@dataclass
class World:
    """Region and Fleet in one: dictionaries."""

    elastic: dict[str, str | None] = field(default_factory=dict)
    doors: dict[str, Door] = field(default_factory=dict)
    vservers: dict[tuple[str, int], Vserver] = field(default_factory=dict)
    refused_sources: set[str] = field(default_factory=set)
    ports: set[int] = field(default_factory=set)
    broken: bool = False

    def instances(self) -> Sequence[InstanceFacts]:
        if self.broken:
            raise RuntimeError("the region is broken")
        interface = InterfaceFacts("eni-1", 1, tuple(self.doors), "255.255.255.0")
        return [InstanceFacts("i-1", "ami-1", "m5.xlarge", "a", "running", 0.0, 0, "", (interface,))]

    def instance_at(self, address: str) -> InstanceFacts | None:
        return self.instances()[0] if address in self.doors else None

    def elastic_ips(self) -> dict[str, str | None]:
        return dict(self.elastic)

    def network(self) -> Vpc:
        """Every door is at one interface, whose security group refuses some sources and no other."""
        interface = Interface("eni-1", "subnet-1", LOOPBACK, tuple(self.doors), frozenset({"sg"}), instance_id="i-1")
        refused = self.refused_sources

        class Refusing(Vpc):
            def admits(self, source: str, *_ignored: object) -> bool:
                return source not in refused

        interface = replace(interface, public={private: public for public, private in self.elastic.items() if private})
        return Refusing([interface], tables={"subnet-1": (Hop(EVERYWHERE, Target.INTERNET),)})

    @property
    def guarded(self) -> bool:
        return False

    def host(self, instance_id: str) -> None:
        """No appliance that routes: it answers by the way that it was asked."""

    def door(self, address: str) -> Door:
        return self.doors.get(address, Door.ABSENT)

    def vserver(self, address: str, port: int) -> Vserver | None:
        return self.vservers.get((address, port))

    def steerings(self, vserver: Vserver) -> Sequence[None]:
        """No cluster: the node at which a connection arrives processes it."""
        return [None]

    def vserver_ports(self) -> Iterable[int]:
        return self.ports | {port for _ignored, port in self.vservers}

    def power(self, instance_id: str, on: bool) -> None:
        raise NotImplementedError

    def load(self, selector: dict[str, str], figures: dict[str, float]) -> list[str]:
        raise NotImplementedError

    def connections_at(self, address: str) -> float:
        return 0.0

    def tick(self) -> None:
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        raise NotImplementedError

    def reset(self) -> None:
        raise NotImplementedError


class EchoSide:
    """Answers with what it was asked; POST is a write. Remembers what it carried out."""

    name: Literal["nitro"] = "nitro"

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fail = False
        self.hang_up = False
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if self.fail:
            raise RuntimeError("a side with a mistake in it")
        if self.hang_up:
            raise ConnectionResetError("a side that breaks the connection")
        body: bytes = environ["wsgi.input"].read()
        with self._lock:
            self.done.append(environ["PATH_INFO"])
        headers = [("Content-Type", "text/plain"), ("X-Local", environ["lab.local_address"])]
        start_response("201 Created" if environ["REQUEST_METHOD"] == "POST" else "200 OK", headers)
        return [environ["PATH_INFO"].encode(), b"|", body]

    def describe(self, environ: Environ) -> tuple[str, bool]:
        method = environ["REQUEST_METHOD"]
        return f"{method} {environ['PATH_INFO']}", method == "POST"

    def refusal(self, kind: FaultKind, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
        return ("503 Service Unavailable" if kind == "throttle" else "500 Internal Server Error"), [], kind.encode()


@contextlib.contextmanager
def connected(address: str, port: int, timeout: float = 2.0) -> Iterator[socket.socket]:
    with socket.create_connection((address, port), timeout=timeout) as connection:
        yield connection


def was_reset(connection: socket.socket) -> bool:
    """Whether the connection ends with a RST (and not with a FIN, nor with silence)."""
    try:
        connection.recv(1)
    except ConnectionResetError:
        return True
    except ssl.SSLError:
        return False
    return False


def meets_reset(address: str, port: int) -> bool:
    """Whether a client that connects there is reset, be it so quickly that connecting fails."""
    try:
        with connected(address, port) as connection:
            return was_reset(connection)
    except ConnectionResetError:
        return True


def is_silent(connection: socket.socket, seconds: float) -> bool:
    """Whether nothing at all arrives for so long."""
    connection.settimeout(seconds)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    except OSError:
        return False
    return False


def abort(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
