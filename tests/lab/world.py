"""What the rooms of the lab know of each other, and nothing more.

``aws/`` is the truth about instances, interfaces and addresses; ``appliance/`` is the truth about what runs on them;
``dataplane.py`` asks both; the fault proxy in front of the servers logs, delays and disturbs calls without knowing what
they mean. Each room implements one of the protocols below and sees the others only through them.
"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from tests.lab.packets.host import Host
from tests.lab.packets.vpc import Vpc
from tests.lab.packets.way import Steering

Environ = dict[str, Any]
FaultKind = Literal["throttle", "error"]


class Clock:
    """The lab's time: it begins at the real time and runs ``factor`` times as fast.

    Everything simulated (boots, dead intervals, health checks, drains) is measured on it. Injected latency is not: it
    is real seconds, because it stands for the wire between the client under test and the service.
    """

    def __init__(self, factor: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._factor = factor
        self._real_origin = time.monotonic()
        self._lab_origin = time.time()

    @property
    def factor(self) -> float:
        return self._factor

    def set_factor(self, factor: float) -> None:
        """Change the pace from now on; time already passed stays as it was."""
        if factor <= 0:
            raise ValueError(f"pace factor must be above 0, not {factor}")
        with self._lock:
            now = self._read()
            self._lab_origin, self._real_origin, self._factor = now, time.monotonic(), factor

    def now(self) -> float:
        """Lab seconds since the epoch."""
        with self._lock:
            return self._read()

    def today(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def sleep(self, lab_seconds: float) -> None:
        time.sleep(max(0.0, lab_seconds) / self._factor)

    def _read(self) -> float:
        return self._lab_origin + (time.monotonic() - self._real_origin) * self._factor


@dataclass(frozen=True, slots=True)
class InterfaceFacts:
    """One ENI as EC2 has it. ``addresses``: private IPv4 addresses, the primary first."""

    network_interface_id: str
    device_index: int
    addresses: tuple[str, ...]
    netmask: str
    mac: str = ""
    ipv6_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """One EC2 instance as its hypervisor has it. ``started_at``: lab time at which it last entered ``running``.

    ``reboots`` counts RebootInstances calls, so that an appliance can tell that it was restarted from outside.
    """

    instance_id: str
    image_id: str
    instance_type: str
    zone: str
    state: str
    started_at: float
    reboots: int
    user_data: str
    interfaces: tuple[InterfaceFacts, ...]


class Door(enum.Enum):
    """What a TCP client meets at an address: the stages of a boot, and a machine without power."""

    ABSENT = "no interface has this address: the connection is refused"
    DARK = "packets vanish: no answer at all, until the client gives up"
    CLOSED = "the host is up but nothing listens yet: the connection is refused"
    NO_TLS = "TCP is accepted, the TLS handshake fails"
    OPEN = "the server answers (it may still say 503)"


@dataclass(frozen=True, slots=True)
class Vserver:
    """A virtual server that answers at one address and port. ``backends``: (address, port) of members that are UP."""

    instance_id: str
    name: str
    protocol: str
    backends: tuple[tuple[str, int], ...]


class Region(Protocol):
    """The AWS side, as the rest of the lab may ask it. Thread-safe; every answer is a snapshot."""

    def instances(self) -> Sequence[InstanceFacts]:
        """Every instance launched from the lab's VPX image that is not terminated."""

    def instance_at(self, address: str) -> InstanceFacts | None:
        """The VPX instance that has this private address on one of its interfaces, whatever its state; of an address
        outside of every VPC, the one to which routes lead.
        """

    def elastic_ips(self) -> dict[str, str | None]:
        """Each allocated Elastic IP and the private address it is associated with, or None."""

    def network(self) -> Vpc:
        """Interfaces, security groups, subnets and route tables: what ``tests.lab.packets`` decides by. The same object
        as long as nothing has changed.
        """

    def state(self) -> dict[str, Any]:
        """For GET /lab/state: what exists, JSON-ready."""

    def reset(self) -> None:
        """An empty account."""


class Fleet(Protocol):
    """The appliances, one per VPX instance, as the rest of the lab may ask them. Thread-safe."""

    def door(self, address: str) -> Door:
        """What a client that connects to the management port of this address meets."""

    def vserver(self, address: str, port: int) -> Vserver | None:
        """What answers traffic that arrives at this private address and port; None: nothing listens."""

    @property
    def guarded(self) -> bool:
        """Whether security groups decide about NITRO as about everything else."""

    def host(self, instance_id: str) -> Host | None:
        """How this appliance forwards packets; None: it is no appliance."""

    def steerings(self, vserver: Vserver) -> Sequence[Steering | None]:
        """Which nodes of a cluster may process a new connection to a virtual server, each with the way to it; None
        stands for the node at which the connection arrived, the only one outside of a cluster.
        """

    def vserver_ports(self) -> Iterable[int]:
        """Every port on which some vserver listens."""

    def power(self, instance_id: str, on: bool) -> None:
        """The power switch: off takes the running (unsaved) configuration with it; EC2 goes on saying ``running``."""

    def load(self, selector: dict[str, str], figures: dict[str, float]) -> list[str]:
        """Set cpu %, memory %, throughput Mbit/s, connections for {"zone"|"instance_id": …} or {"all": …}.

        Returns the instance ids it applied to; it applies to instances launched later too, for zone and all.
        """

    def connections_at(self, address: str) -> float:
        """How many client connections the appliance with this private address has."""

    def tick(self) -> None:
        """Let time pass: boots end, heartbeats are missed, states change. Called many times a second."""

    def state(self) -> dict[str, Any]:
        """For GET /lab/state: per instance power, boot stage, HA/cluster role, running and saved configuration."""

    def reset(self) -> None:
        """No appliance."""


class Keeper(Protocol):
    """A room with a state that can be kept and put back."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Who holds it finds the state at rest. Order: appliances, then AWS, as calls go."""

    def memory(self) -> dict[str, Any]:
        """The state itself, not a copy, and nothing that belongs to the process (sockets, threads, the clock)."""

    def recall(self, kept: dict[str, Any]) -> None:
        """Replace the present state by this one, which has no other user."""


class Side(Protocol):
    """A server behind the fault proxy: a WSGI application that can say what a request is, and refuse in its own words.

    ``environ["lab.local_address"]`` holds the address at which the client reached the server.
    """

    @property
    def name(self) -> Literal["aws", "nitro", "adm"]: ...

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]: ...

    def describe(self, environ: Environ) -> tuple[str, bool]:
        """(operation, is it a write): an AWS action, or verb and path. Must leave wsgi.input readable."""

    def refusal(self, kind: FaultKind, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
        """(status line, headers, body) of this service's own throttling or internal error for this request."""
