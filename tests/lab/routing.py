"""Where a packet to an address ends up, asked of AWS (whose address is it) and the appliances (who answers there)."""

from __future__ import annotations

import enum
import threading
import time
from dataclasses import dataclass

from tests.lab.world import Door, Fleet, Region, Vserver

FRESH_SECONDS = 0.04


class Fate(enum.Enum):
    """What a client's packets meet."""

    ANSWER = "a virtual server takes them"
    SILENCE = "they vanish"
    REFUSED = "a host says that nothing listens (RST)"


@dataclass(frozen=True, slots=True)
class Route:
    """``private``: the interface's address behind an Elastic IP, or the address itself."""

    fate: Fate
    private: str | None = None
    vserver: Vserver | None = None


class Routing:
    """Asks region and fleet. Thread-safe, as they are."""

    def __init__(self, region: Region, fleet: Fleet) -> None:
        self._region = region
        self._fleet = fleet
        self._lock = threading.Lock()
        self._recent: dict[tuple[str, int], tuple[float, Route]] = {}

    def route(self, address: str, port: int, source: str | None) -> Route:
        """For a new connection, as of now. ``source`` None: without asking the security groups."""
        private = self._region.elastic_ips().get(address, address)
        if private is None:
            return Route(Fate.SILENCE)
        # Nobody sends a RST for a stopped instance or a machine without power: in a VPC the packets are lost.
        if self._fleet.door(private) in (Door.DARK, Door.ABSENT):
            return Route(Fate.SILENCE, private)
        if source is not None and not self._region.allows(source, private, "tcp", port):
            return Route(Fate.SILENCE, private)
        vserver = self._fleet.vserver(private, port)
        if vserver is None:
            return Route(Fate.REFUSED, private)
        return Route(Fate.ANSWER, private, vserver)

    def onward(self, address: str, port: int, begun: Route) -> Fate:
        """What becomes of an established connection; at most FRESH_SECONDS out of date, so that many may ask.

        Security groups are stateful: they are not asked again. An address that moved leads to a host that does not know
        the connection and resets it.
        """
        now = self._recently(address, port)
        if now.fate is not Fate.ANSWER or now.vserver is None or begun.vserver is None:
            return now.fate
        same = now.private == begun.private and now.vserver.instance_id == begun.vserver.instance_id
        return Fate.ANSWER if same else Fate.REFUSED

    def _recently(self, address: str, port: int) -> Route:
        with self._lock:
            found = self._recent.get((address, port))
        if found and time.monotonic() - found[0] < FRESH_SECONDS:
            return found[1]
        # Asked outside the lock: two that ask at once get two answers, both true.
        route = self.route(address, port, None)
        with self._lock:
            self._recent[address, port] = (time.monotonic(), route)
        return route

    def wanted(self, open_now: set[tuple[str, int]]) -> set[tuple[str, int]]:
        """Every (address, port) at which a client is to find something other than a closed port.

        An Elastic IP has every port that some vserver has: which of them answer is decided when a client comes. A
        machine without power keeps its ports: it must be silent there, not refuse.
        """
        ports = set(self._fleet.vserver_ports())
        elastic = self._region.elastic_ips()
        wanted = {(address, port) for address in elastic for port in ports}
        for instance in self._region.instances():
            addresses = [address for interface in instance.interfaces for address in interface.addresses]
            wanted |= {(a, port) for a in addresses for port in ports if self._fleet.vserver(a, port) is not None}
        return wanted | {(a, port) for a, port in open_now - wanted if self._is_dark(elastic.get(a, a))}

    def _is_dark(self, private: str | None) -> bool:
        return private is not None and self._fleet.door(private) is Door.DARK
