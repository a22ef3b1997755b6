"""A region's network as one snapshot, and what EC2 does with a packet that leaves an interface.

Sources (facts sheet ``aws_vpx.md``, section 2a, and AWS's documentation):

- source/destination check: "EC2 drops a packet that leaves an interface with a source address that is not one of that
  interface's, unless its source/destination check is off"; the same for a destination that is not one of them
  (https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html);
- route tables: the most specific route decides, a subnet without an association of its own has the VPC's main table
  (https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html);
- IPv6 addresses are public by themselves: an internet gateway translates none
  (https://docs.aws.amazon.com/vpc/latest/userguide/vpc-ip-addressing.html);
- an internet gateway translates the interface's public address and needs one
  (https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html);
- security groups are stateful and name CIDR ranges or groups
  (https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html).
Network ACLs let everything through, as the default one does.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

Network = IPv4Network | IPv6Network
Protocol = Literal["tcp", "udp", "gre"]
NUMBERS = {"tcp": "6", "udp": "17", "gre": "47"}


class Target(enum.Enum):
    """Where a route of a subnet's table leads."""

    LOCAL = "local"
    INTERNET = "internet gateway"
    NAT = "NAT gateway"
    INTERFACE = "network interface"
    PEER = "another network"


@dataclass(frozen=True, slots=True)
class Hop:
    """One route of a route table. ``interface_id`` for ``Target.INTERFACE``."""

    network: Network
    target: Target
    interface_id: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a security group: for a CIDR range (``network``) or for the members of a group (``group``)."""

    protocol: str
    low: int
    high: int
    network: Network | None = None
    group: str | None = None

    def covers(self, protocol: Protocol, port: int) -> bool:
        if self.protocol == "-1":
            return True
        if self.protocol not in (protocol, NUMBERS[protocol]):
            return False
        return protocol == "gre" or self.low <= port <= self.high

    def names(self, address: str, groups: frozenset[str]) -> bool:
        if self.group is not None and self.group in groups:
            return True
        return self.network is not None and parsed(address) in self.network


@dataclass(frozen=True, slots=True)
class Interface:
    """One ENI. ``addresses``: private addresses, the primary first, IPv6 last; ``public``: private → public address."""

    interface_id: str
    subnet_id: str
    network: IPv4Network
    addresses: tuple[str, ...]
    groups: frozenset[str] = frozenset()
    source_dest_check: bool = True
    instance_id: str = ""
    public: Mapping[str, str] = field(default_factory=dict)


@functools.lru_cache(maxsize=4096)
def parsed(address: str) -> IPv4Address | IPv6Address:
    return ip_address(address)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a packet got to. ``interface`` is None for a host without one, and for the world outside."""

    arrives: bool
    reason: str = ""
    interface: Interface | None = None


class Vpc:
    """Interfaces, security groups, subnets and route tables at one moment. Several VPCs are one address space."""

    def __init__(
        self,
        interfaces: Iterable[Interface],
        *,
        ingress: Mapping[str, tuple[Rule, ...]] | None = None,
        egress: Mapping[str, tuple[Rule, ...]] | None = None,
        subnets: Mapping[str, IPv4Network] | None = None,
        tables: Mapping[str, tuple[Hop, ...]] | None = None,
        networks: Iterable[Network] = (),
    ) -> None:
        """``subnets``: subnet id → range; ``tables``: subnet id → routes; ``networks``: the VPCs' own ranges."""
        self.interfaces = tuple(interfaces)
        self.ingress = ingress or {}
        self.egress = egress or {}
        self.subnets = subnets or {}
        self.tables = tables or {}
        self.networks = tuple(networks)
        self._at = {address: one for one in self.interfaces for address in one.addresses}
        self._by_id = {one.interface_id: one for one in self.interfaces}
        self._of: dict[str, list[Interface]] = {}
        for one in self.interfaces:
            self._of.setdefault(one.instance_id, []).append(one)

    def at(self, address: str) -> Interface | None:
        """The interface that has this private address."""
        return self._at.get(address)

    def of(self, instance_id: str) -> list[Interface]:
        """The interfaces of an instance."""
        return self._of.get(instance_id, []) if instance_id else []

    def inside(self, address: str) -> bool:
        """Whether an address lies in one of the VPCs."""
        return any(parsed(address) in network for network in self.networks)

    def admits(self, source: str, interface: Interface, protocol: Protocol, port: int) -> bool:
        """Whether the security groups of an interface let a new connection in."""
        sender = self.at(source)
        members = sender.groups if sender else frozenset()
        return self._permits(self.ingress, interface, source, members, protocol, port)

    def emits(self, interface: Interface, destination: str, protocol: Protocol, port: int) -> bool:
        """Whether the security groups of an interface let a new connection out; without any group, all of them."""
        receiver = self.at(destination)
        members = receiver.groups if receiver else frozenset()
        return not interface.groups or self._permits(self.egress, interface, destination, members, protocol, port)

    @staticmethod
    def _permits(
        rules: Mapping[str, tuple[Rule, ...]],
        interface: Interface,
        address: str,
        members: frozenset[str],
        protocol: Protocol,
        port: int,
    ) -> bool:
        return any(
            rule.covers(protocol, port) and rule.names(address, members)
            for group in interface.groups
            for rule in rules.get(group, ())
        )

    def hop(self, subnet_id: str, destination: str) -> Hop | None:
        """The most specific route of a subnet's table; None: there is none, packets vanish."""
        address = parsed(destination)
        fitting = [hop for hop in self.tables.get(subnet_id, ()) if address in hop.network]
        return max(fitting, key=lambda hop: hop.network.prefixlen, default=None)

    def subnet_of(self, address: str) -> str:
        """The subnet in which an address without an interface lies; "" if in none."""
        at = parsed(address)
        return next((subnet_id for subnet_id, network in self.subnets.items() if at in network), "")

    def entering(self, destination: str) -> Delivery:
        """A packet that comes by a private connection (transit gateway, VPN, Direct Connect) to a private address.

        An address outside of every VPC is reached by a route to an interface. The packet enters by a subnet that is not
        named here, so every table with a route to it has to lead to the same interface, which lets the packet in.
        """
        found = self.at(destination)
        if found is not None or self.inside(destination):
            return Delivery(found is not None, f"no interface has {destination}", found)
        hops = {hop for subnet_id in self.tables if (hop := self.hop(subnet_id, destination)) is not None}
        ways = {hop.interface_id for hop in hops if hop.target is Target.INTERFACE}
        if len(ways) != 1:
            return Delivery(False, f"{destination} is routed to {', '.join(sorted(ways)) or 'no interface'}")
        return self._through(ways.pop(), destination)

    def routed(self, address: str) -> Interface | None:
        """The interface that gets packets to an address outside of every VPC; None: no route leads there."""
        return None if self.inside(address) else self.entering(address).interface

    def routes_to_hosts(self) -> set[str]:
        """Every single address outside of every VPC that some route to an interface leads to."""
        hops = {hop for table in self.tables.values() for hop in table if hop.target is Target.INTERFACE}
        single = {str(hop.network.network_address) for hop in hops if hop.network.num_addresses == 1}
        return {address for address in single if not self.inside(address)}

    def leave(self, interface: Interface, source: str, destination: str) -> Delivery:
        """A packet that an instance sends by one of its interfaces."""
        checked = self.checked(interface, source, destination)
        return self.carry(interface.subnet_id, source, destination, interface) if checked.arrives else checked

    @staticmethod
    def checked(interface: Interface, source: str, destination: str) -> Delivery:
        """The source check of an interface alone."""
        if not interface.source_dest_check or source in interface.addresses:
            return Delivery(True)
        return Delivery(
            False,
            f"source check: {source} is no address of {interface.interface_id} ({interface.network}), "
            f"by which the packet to {destination} leaves",
        )

    def carry(self, subnet_id: str, source: str, destination: str, sender: Interface | None = None) -> Delivery:
        """A packet that has left its sender in a subnet, on its way by the subnet's route table."""
        hop = self.hop(subnet_id, destination)
        if hop is None:
            return Delivery(False, f"no route of subnet {subnet_id} leads to {destination}")
        match hop.target:
            case Target.LOCAL:
                return self._arrive(destination)
            case Target.INTERFACE:
                return self._through(hop.interface_id, destination)
            case Target.INTERNET if sender is not None and ":" not in source and not sender.public.get(source):
                return Delivery(False, f"internet gateway: {source} has no public address")
        return Delivery(True)

    def _arrive(self, destination: str) -> Delivery:
        found = self.at(destination)
        if found is None and not self.subnet_of(destination):
            return Delivery(False, f"{destination} lies in no subnet")
        return Delivery(True, interface=found)

    def _through(self, interface_id: str, destination: str) -> Delivery:
        """By a route to an interface, which takes what is not its own only without the check."""
        found = self._by_id.get(interface_id)
        if found is None:
            return Delivery(False, f"the route to {destination} leads to {interface_id}, which is gone (blackhole)")
        if found.source_dest_check and destination not in found.addresses:
            return Delivery(False, f"destination check: {destination} is no address of {interface_id}")
        return Delivery(True, interface=found)
