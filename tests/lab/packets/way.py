"""The one decision of the lab about packets: whether a connection from A reaches B and its replies come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .host import Host
from .vpc import Delivery, Interface, Protocol, Vpc

Hosts = Callable[[str], Host | None]
"""Instance id → forwarding configuration, None for what is no appliance: it answers by the way that it was asked."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A connection to a private address and port.

    ``public``: it was sent to an Elastic IP of the destination, or to an IPv6 address of a subnet. ``relayed``: a load
    balancer brings the replies back, whatever source it shows (client-IP preservation). ``one_way``: nothing is
    answered (heartbeats). ``opener``: the instance that opens it, where the source address alone does not say so.
    """

    source: str
    destination: str
    protocol: Protocol
    port: int
    public: bool = False
    relayed: bool = False
    one_way: bool = False
    opener: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reason``: why packets are lost, for people. ``reply``: whether it is the replies that are."""

    passes: bool
    reason: str = ""
    reply: bool = False


PASSES = Verdict(True)


def connection(vpc: Vpc, hosts: Hosts, flow: Flow) -> Verdict:
    """Whether a connection comes about."""
    sent = _forth(vpc, hosts, flow)
    if not sent.arrives:
        return Verdict(False, sent.reason)
    at = sent.interface
    if at is not None and not vpc.admits(flow.source, at, flow.protocol, flow.port):
        reason = f"security groups of {at.interface_id} do not let {flow.source} in at {flow.protocol} {flow.port}"
        return Verdict(False, reason)
    if flow.one_way or at is None:
        return PASSES
    back = _back(vpc, hosts, flow, at)
    return PASSES if back.arrives else Verdict(False, back.reason, reply=True)


def answered(vpc: Vpc, hosts: Hosts, flow: Flow) -> Verdict:
    """Whether replies come back, whatever the security groups let in."""
    at = vpc.at(flow.destination)
    back = _back(vpc, hosts, flow, at) if at else Delivery(True)
    return PASSES if back.arrives else Verdict(False, back.reason, reply=True)


@dataclass(frozen=True, slots=True)
class Steering:
    """A new connection that one node of a cluster hands to another, its flow processor, over the backplane.

    ``tunnel``: the tunnel mode of the nodes; NONE is plain Ethernet to another MAC, which no VPC carries. ``source``
    and ``destination``: the first addresses of the two backplane interfaces, None where a node has no such interface.
    """

    tunnel: str
    source: str | None
    destination: str | None
    owner: str


STEERING_PORT = 7000


def _no_appliance(instance_id: str) -> None:
    """The tunnel begins at the interface itself, not at the routing table."""


def steered(vpc: Vpc, hosts: Hosts, flow: Flow, steering: Steering) -> Verdict:
    """Whether a connection that was steered to another node is answered by that one.

    The other node answers with the address that the client asked for, which is none of its own interfaces' (facts
    sheet, section 2a, "Cluster").
    """
    tunnel = {"GRE": ("gre", 0), "UDP": ("udp", STEERING_PORT)}.get(steering.tunnel)
    if tunnel is None or steering.source is None or steering.destination is None:
        return Verdict(False, f"tunnel mode {steering.tunnel}: a VPC carries no frames from node to node")
    protocol: Protocol = "gre" if tunnel[0] == "gre" else "udp"
    between = Flow(steering.source, steering.destination, protocol, tunnel[1], one_way=True)
    sent = connection(vpc, _no_appliance, between)
    if not sent.passes:
        return Verdict(False, f"steering by {steering.tunnel}: {sent.reason}")
    asked = vpc.at(flow.destination)
    at = next((one for one in vpc.of(steering.owner) if asked and one.subnet_id == asked.subnet_id), None)
    if at is None:
        return Verdict(False, f"{steering.owner} has no interface in the subnet of {flow.destination}", reply=True)
    back = _back(vpc, hosts, flow, at)
    return PASSES if back.arrives else Verdict(False, back.reason, reply=True)


def to_back_end(vpc: Vpc, hosts: Hosts, host: Host, address: str, port: int) -> Verdict:
    """Whether the appliance itself reaches a back end: with a SNIP as its source, by its table."""
    source = host.source_for(address)
    if not host.by_table:
        at = vpc.at(address)
        if at is None or vpc.admits(source or host.nsip.address, at, "tcp", port):
            return PASSES
        return Verdict(False, f"security groups of {at.interface_id} do not let {source} in at tcp {port}")
    if source is None:
        return Verdict(False, f"{host.nsip.address} has no SNIP with which it could reach {address}")
    return connection(vpc, hosts, Flow(source, address, "tcp", port, opener=host.instance_id))


def _forth(vpc: Vpc, hosts: Hosts, flow: Flow) -> Delivery:
    sender = vpc.at(flow.source)
    opener = hosts(flow.opener or (sender.instance_id if sender else ""))
    outside = sender is None and opener is None and not vpc.inside(flow.source)
    if outside or flow.relayed or (opener is not None and not opener.by_table):
        # From outside: by the internet gateway to a public address, by a private connection (VPN, Direct Connect),
        # whose routes are taken to be in every table, to a private one.
        return vpc.entering(flow.destination)
    if sender is None and opener is None:
        return vpc.carry(vpc.subnet_of(flow.source), flow.source, flow.destination)
    leaving: Interface | None = sender
    if opener is not None:
        leaving = opener.leaves_by(vpc.of(opener.instance_id), flow.source, flow.destination, None)
    if leaving is None:
        return Delivery(False, f"{flow.source} has no route to {flow.destination}")
    if not vpc.emits(leaving, flow.destination, flow.protocol, flow.port):
        return Delivery(False, f"security groups of {leaving.interface_id} do not let it out to {flow.destination}")
    return vpc.leave(leaving, flow.source, flow.destination)


def _back(vpc: Vpc, hosts: Hosts, flow: Flow, at: Interface) -> Delivery:
    """The reply, which security groups let pass: they are stateful."""
    host = hosts(at.instance_id)
    leaving: Interface | None = at
    if host is not None and host.by_table:
        leaving = host.leaves_by(vpc.of(host.instance_id), flow.destination, flow.source, at)
    if leaving is None:
        return Delivery(False, f"{flow.destination} has no route to {flow.source}")
    private_connection = not flow.public and not vpc.inside(flow.source)
    if flow.relayed or private_connection:
        return vpc.checked(leaving, flow.destination, flow.source)
    return vpc.leave(leaving, flow.destination, flow.source)
