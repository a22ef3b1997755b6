"""How one NetScaler forwards: its addresses, routes, policy-based routes, and MAC-based forwarding.

Sources (facts sheet ``aws_vpx.md``, section 2a): "a NetScaler routes by its table, also replies, unless MAC-based
forwarding (MBF) is on: then a reply to a connection that came in goes back to the MAC it came from, on the interface it
came in on; connections that the appliance itself opens use the table in either case" (vendor documentation, Configuring
MAC-based forwarding). "The table holds: connected subnets of NSIP and SNIPs, and the default route through the
management gateway. A VIP gives no connected route."
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from .vpc import Interface, parsed


@dataclass(frozen=True, slots=True)
class Connected:
    """An address of the appliance whose subnet is a connected one: the NSIP, or a SNIP."""

    address: str
    network: IPv4Network


@dataclass(frozen=True, slots=True)
class StaticRoute:
    network: IPv4Network
    gateway: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy-based route that has been applied: ranges of source and destination (None: any), and the next hop.

    ``gateway`` is None for action DENY: the packet is routed by the table.
    """

    sources: tuple[str, str] | None
    destinations: tuple[str, str] | None
    gateway: str | None

    def fits(self, source: str, destination: str) -> bool:
        return _between(self.sources, source) and _between(self.destinations, destination)


def _between(bounds: tuple[str, str] | None, address: str) -> bool:
    if bounds is None or ":" in address:
        return bounds is None
    return int(parsed(bounds[0])) <= int(parsed(address)) <= int(parsed(bounds[1]))


@dataclass(frozen=True, slots=True)
class Host:
    """The forwarding configuration of one appliance.

    ``policies`` in the order of their priority. ``mbf``: whether MBF works (see the appliance: mode, linksets).
    ``by_table`` False: an image that sends every packet by the interface that has its source address.
    """

    instance_id: str
    nsip: Connected
    snips: tuple[Connected, ...] = ()
    routes: tuple[StaticRoute, ...] = ()
    policies: tuple[Policy, ...] = ()
    mbf: bool = False
    by_table: bool = True

    @property
    def connected(self) -> tuple[Connected, ...]:
        return (self.nsip, *self.snips)

    def next_hop(self, destination: str) -> str | None:
        """Where the table sends a packet next: the destination itself in a connected subnet, or a gateway.

        A route counts while its gateway lies in a connected subnet (error 604, "The gateway is not directly
        reachable"); the most specific route wins, a connected one before a static one.
        """
        address = parsed(destination)
        connected = [one.network for one in self.connected]
        direct = max((net.prefixlen for net in connected if address in net), default=-1)
        usable = [
            route
            for route in self.routes
            if address in route.network and any(parsed(route.gateway) in net for net in connected)
        ]
        best = max(usable, key=lambda route: route.network.prefixlen, default=None)
        if best is not None and best.network.prefixlen > direct:
            return best.gateway
        return destination if direct >= 0 else None

    def policy_hop(self, source: str, destination: str) -> str | None:
        """The next hop of the first policy-based route that fits."""
        for policy in self.policies:
            if policy.fits(source, destination):
                return policy.gateway
        return None

    def leaves_by(
        self, interfaces: Sequence[Interface], source: str, destination: str, came_by: Interface | None
    ) -> Interface | None:
        """The interface by which a packet leaves; ``came_by`` for a reply: the interface of the connection.

        None: the appliance knows no way.
        """
        if came_by is not None and self.mbf:
            return came_by
        hop = self.policy_hop(source, destination) or self.next_hop(destination)
        return _towards(interfaces, hop) if hop else None

    def source_for(self, destination: str) -> str | None:
        """The address with which the appliance itself connects to a back end; None: it has no SNIP.

        A SNIP of the next hop's subnet; when there is none, any SNIP.
        """
        hop = self.next_hop(destination)
        near = [one for one in self.snips if hop and parsed(hop) in one.network]
        return next((one.address for one in (*near, *self.snips)), None)


def _towards(interfaces: Iterable[Interface], hop: str) -> Interface | None:
    """The interface in whose subnet the next hop lies: the one on which its MAC answers."""
    return next((one for one in interfaces if parsed(hop) in one.network), None)
