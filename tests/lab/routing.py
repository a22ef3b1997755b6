"""Where a packet to an address ends up, asked of AWS (whose address is it) and the appliances (who answers there)."""

from __future__ import annotations

import enum
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tests.lab.aws.ports import lacking
from tests.lab.packets.way import Flow, Verdict, answered, connection, steered
from tests.lab.world import Door, Fleet, Region, Vserver

CHECKER = "203.0.113.250"
"""A health checker of Route 53, outside of every VPC."""
FRESH_SECONDS = 0.04
BALANCED_PROTOCOLS = ("TCP", "TLS", "TCP_UDP")


class Fate(enum.Enum):
    """What a client's packets meet."""

    ANSWER = "a virtual server takes them"
    SILENCE = "they vanish"
    REFUSED = "a host says that nothing listens (RST)"


@dataclass(frozen=True, slots=True)
class Route:
    """``at``: the private address and port that the packets get to, None when they get nowhere.

    ``balanced``: a load balancer sent them there; it keeps a connection on its target.
    """

    fate: Fate
    at: tuple[str, int] | None = None
    vserver: Vserver | None = None
    balanced: bool = False


class Balanced(Protocol):
    """A network load balancer at one of its static addresses; see ``Route`` in ``tests.lab.aws.balancing``."""

    @property
    def load_balancer(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def protocol(self) -> str: ...
    @property
    def targets(self) -> tuple[tuple[str, int], ...]: ...
    @property
    def node(self) -> str: ...
    @property
    def preserves(self) -> bool: ...


def no_balancers() -> Sequence[Balanced]:
    return ()


class Routing:
    """Asks region and fleet. Thread-safe, as they are. ``balancers``: which load balancers there are now."""

    def __init__(
        self, region: Region, fleet: Fleet, balancers: Callable[[], Sequence[Balanced]] = no_balancers
    ) -> None:
        self._region = region
        self._fleet = fleet
        self._balancers = balancers
        self._lock = threading.Lock()
        self._recent: dict[tuple[str, int], tuple[float, Route]] = {}
        self._turn = itertools.count()

    def route(self, address: str, port: int, source: str | None) -> Route:
        """For a new connection, as of now. ``source`` None: without asking whether packets get there and back."""
        for balancer in self._balancers():
            if (balancer.address, balancer.port) == (address, port) and balancer.protocol in BALANCED_PROTOCOLS:
                return self._through(balancer, source)
        elastic = self._region.elastic_ips()
        private = elastic.get(address, address)
        if private is None:
            return Route(Fate.SILENCE)
        public = address in elastic or (":" in private and self._region.network().inside(private))
        return self._to(Flow(source, private, "tcp", port, public=public) if source else None, private, port)

    def _to(self, flow: Flow | None, private: str, port: int) -> Route:
        at = (private, port)
        # There is no RST for a stopped instance or a machine without power: in a VPC the packets are lost.
        if self._fleet.door(private) in (Door.DARK, Door.ABSENT):
            return Route(Fate.SILENCE, at)
        if flow is not None and not self.judge(flow).passes:
            return Route(Fate.SILENCE, at)
        vserver = self._fleet.vserver(private, port)
        if vserver is None:
            return Route(Fate.REFUSED, at)
        if flow is not None and not self._processed(flow, vserver):
            return Route(Fate.SILENCE, at)
        return Route(Fate.ANSWER, at, vserver)

    def _processed(self, flow: Flow, vserver: Vserver) -> bool:
        """Whether the node of a cluster that processes a new connection answers it. Connections take turns."""
        ways = self._fleet.steerings(vserver)
        way = ways[next(self._turn) % len(ways)] if len(ways) > 1 else ways[0]
        return way is None or steered(self._region.network(), self._fleet.host, flow, way).passes

    def judge(self, flow: Flow) -> Verdict:
        """Whether packets get there and replies come back."""
        return connection(self._region.network(), self._fleet.host, flow)

    def checks(self, node: str, address: str, port: int) -> bool:
        """Whether a load balancer's node gets answers from a target: for its health checks."""
        return self.judge(Flow(node, address, "tcp", port)).passes

    def checked_from_outside(self, address: str, port: int) -> bool:
        """Whether a health checker on the Internet gets answers at a public address."""
        return self.route(address, port, CHECKER).fate is Fate.ANSWER

    def manages(self, source: str, address: str, port: int) -> bool:
        """Whether a controller or console at ``source`` speaks to NITRO at a management address."""
        flow = Flow(source, address, "tcp", port)
        decide = connection if self._fleet.guarded else answered
        return decide(self._region.network(), self._fleet.host, flow).passes

    def _through(self, balancer: Balanced, source: str | None) -> Route:
        """By a load balancer to one of its targets, in turn."""
        if not balancer.targets:
            return Route(Fate.REFUSED, balanced=True)
        target = balancer.targets[next(self._turn) % len(balancer.targets)]
        if self._region.instance_at(target[0]) is None:
            # Not an appliance: whatever is there is reached directly.
            return Route(Fate.ANSWER, target, Vserver("", balancer.load_balancer, "TCP", (target,)), balanced=True)
        if source and not balancer.preserves and lacking(self._fleet.connections_at(target[0])):
            return Route(Fate.SILENCE, target, balanced=True)
        observed = source if balancer.preserves else balancer.node
        flow = Flow(observed, target[0], "tcp", target[1], relayed=balancer.preserves) if source and observed else None
        found = self._to(flow, *target)
        vserver = found.vserver
        if vserver is not None and balancer.protocol == "TLS":
            vserver = replace(vserver, protocol="SSL_TCP")
        return replace(found, vserver=vserver, balanced=True)

    def onward(self, address: str, port: int, begun: Route) -> Fate:
        """What becomes of an established connection; at most FRESH_SECONDS out of date, so that many may ask.

        Security groups are stateful: they are not asked again. An address that moved leads to a host that does not know
        the connection and resets it. A load balancer keeps a connection on its target, also while that is drained.
        """
        if begun.balanced and begun.at is not None:
            if begun.vserver is not None and not begun.vserver.instance_id:
                return Fate.ANSWER
            address, port = begun.at
        now = self._recently(address, port)
        if now.fate is not Fate.ANSWER or now.vserver is None or begun.vserver is None:
            return now.fate
        same = now.at == begun.at and now.vserver.instance_id == begun.vserver.instance_id
        return Fate.ANSWER if same else Fate.REFUSED

    def answers(self, address: str, port: int) -> bool | None:
        """Whether an appliance takes connections there; None: this is no appliance's address, look for yourself."""
        if self._region.instance_at(address) is None:
            return None
        return self._to(None, address, port).fate is Fate.ANSWER

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

    def desired(self, open_now: set[tuple[str, int]]) -> set[tuple[str, int]]:
        """Every (address, port) at which a client is to find something other than a closed port.

        An Elastic IP has every port that some vserver has: which of them answer is decided when a client comes. A
        machine without power keeps its ports: it must be silent there, not refuse.
        """
        ports = set(self._fleet.vserver_ports())
        elastic = self._region.elastic_ips()
        desired = {(address, port) for address in elastic for port in ports}
        desired |= {(one.address, one.port) for one in self._balancers() if one.protocol in BALANCED_PROTOCOLS}
        desired |= {
            (address, port)
            for address in self._region.network().routes_to_hosts()
            for port in ports
            if self._fleet.vserver(address, port) is not None
        }
        for instance in self._region.instances():
            addresses = [address for one in instance.interfaces for address in (*one.addresses, *one.ipv6_addresses)]
            desired |= {(a, port) for a in addresses for port in ports if self._fleet.vserver(a, port) is not None}
        return desired | {(a, port) for a, port in open_now - desired if self._is_dark(elastic.get(a, a))}

    def _is_dark(self, private: str | None) -> bool:
        return private is not None and self._fleet.door(private) is Door.DARK
