"""Which packets arrive. Each row cites the section of the facts sheet (aws_vpx.md) or the guide that it follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network

import pytest

from tests.lab.packets.host import Connected, Host, Policy, StaticRoute
from tests.lab.packets.vpc import Hop, Interface, Rule, Target, Vpc
from tests.lab.packets.way import Flow, Steering, Verdict, connection, steered, to_back_end

WORLD = IPv4Network("0.0.0.0/0")
VPC = IPv4Network("10.0.0.0/16")
CLIENT = "198.51.100.7"
# Third octet: zone a 1, 11, 21; zone b 2, 12, 22 (management, client, server); 200 is an application subnet of zone a,
# 201 one that is peered nowhere, 31 a private management subnet.
SUBNETS = {f"subnet-{n}": IPv4Network(f"10.0.{n}.0/24") for n in (1, 2, 11, 12, 21, 22, 31, 200)}
LOCAL = Hop(VPC, Target.LOCAL)
PUBLIC = (LOCAL, Hop(WORLD, Target.INTERNET))
PRIVATE = (LOCAL,)
OPEN = Rule("-1", 0, 65535, WORLD)
RULES = {
    "open": (OPEN,),
    "management": (Rule("udp", 3003, 3003, group="management"), Rule("tcp", 443, 443, IPv4Network("10.0.0.0/8"))),
    "client": (Rule("tcp", 80, 80, WORLD), Rule("tcp", 80, 80, IPv6Network("::/0"))),
    "server": (),
    "application": (Rule("tcp", 8000, 8000, group="server"),),
}


def _interface(name: str, subnet: int, instance: str, *addresses: str, **options: object) -> Interface:
    whole = Interface(
        interface_id=name,
        subnet_id=f"subnet-{subnet}",
        network=SUBNETS[f"subnet-{subnet}"],
        addresses=addresses or (f"10.0.{subnet}.10",),
        instance_id=instance,
    )
    return replace(whole, **options)  # type: ignore[arg-type]


def _node(letter: str, zone: int) -> list[Interface]:
    return [
        _interface(f"eni-m{letter}", zone, f"i-{letter}", groups=frozenset({"management"})),
        _interface(
            f"eni-c{letter}",
            10 + zone,
            f"i-{letter}",
            groups=frozenset({"client"}),
            public={f"10.0.{10 + zone}.10": f"203.0.113.{zone}"},
        ),
        _interface(f"eni-s{letter}", 20 + zone, f"i-{letter}", groups=frozenset({"server"})),
    ]


INTERFACES = (
    *_node("a", 1),
    *_node("b", 2),
    _interface("eni-nlb-a", 11, "", "10.0.11.200"),
    _interface("eni-nlb-b", 12, "", "10.0.12.200"),
    _interface("eni-app", 200, "i-app", "10.0.200.50", groups=frozenset({"application"})),
)


def _connected(address: str) -> Connected:
    return Connected(address, IPv4Network(f"{address}/24", strict=False))


def _host(letter: str, zone: int, **options: object) -> Host:
    """Return what the product configures today: NSIP with its default route, a SNIP in the server subnet."""
    host = Host(
        instance_id=f"i-{letter}",
        nsip=_connected(f"10.0.{zone}.10"),
        snips=(_connected(f"10.0.{20 + zone}.10"),),
        routes=(StaticRoute(WORLD, f"10.0.{zone}.1"),),
    )
    return replace(host, **options)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Site:
    """The network of a row: ``tables`` replaces route tables, ``interfaces`` replaces interfaces of the same id."""

    hosts: tuple[Host, ...] = (_host("a", 1), _host("b", 2))
    interfaces: tuple[Interface, ...] = ()
    tables: tuple[tuple[int, tuple[Hop, ...]], ...] = ()

    def vpc(self) -> Vpc:
        changed = {one.interface_id: one for one in self.interfaces}
        everything = [changed.pop(one.interface_id, one) for one in INTERFACES] + list(changed.values())
        tables = {subnet: PRIVATE if subnet in ("subnet-200", "subnet-31") else PUBLIC for subnet in SUBNETS}
        tables |= {f"subnet-{number}": hops for number, hops in self.tables}
        egress = {name: (OPEN,) for name in RULES}
        return Vpc(everything, ingress=RULES, egress=egress, subnets=SUBNETS, tables=tables, networks=[VPC])

    def host(self, instance_id: str) -> Host | None:
        return next((host for host in self.hosts if host.instance_id == instance_id), None)

    def judge(self, flow: Flow) -> Verdict:
        return connection(self.vpc(), self.host, flow)


def _with(letter: str = "a", zone: int = 1, **options: object) -> Site:
    others = [_host(one, number) for one, number in (("a", 1), ("b", 2)) if one != letter]
    return Site(hosts=(_host(letter, zone, **options), *others))


A = _host("a", 1)
MBF = _with(mbf=True)
INTERNET_CLIENT = Flow(CLIENT, "10.0.11.10", "tcp", 80, public=True)
NLB_SAME_ZONE = Flow("10.0.11.200", "10.0.11.10", "tcp", 80)
NLB_OTHER_ZONE = Flow("10.0.12.200", "10.0.11.10", "tcp", 80)
HEARTBEAT = Flow("10.0.1.10", "10.0.2.10", "udp", 3003, one_way=True)
PRESERVED = Flow(CLIENT, "10.0.11.10", "tcp", 80, relayed=True)
CLIENT_SNIP = (*A.snips, _connected("10.0.11.10"))
UNCHECKED = tuple(
    replace(one, source_dest_check=False) for one in INTERFACES if one.interface_id in ("eni-ca", "eni-cb")
)
TO_A = Hop(IPv4Network("10.99.0.10/32"), Target.INTERFACE, "eni-ca")
TO_B = Hop(IPv4Network("10.99.0.10/32"), Target.INTERFACE, "eni-cb")
ROUTED = replace(MBF, interfaces=UNCHECKED, tables=((200, (LOCAL, TO_A)), (31, (LOCAL, TO_A))))
BY_ROUTE = Flow(CLIENT, "10.99.0.10", "tcp", 80)
V6, V6_CLIENT = "fd00:7::10", "2001:db8:ffff::7"
TO_A_BY_IPV6 = Hop(IPv6Network("fd00:7::10/128"), Target.INTERFACE, "eni-ca")
BY_IPV6_ROUTE = Flow(V6_CLIENT, V6, "tcp", 80)
PBRS = (
    Policy(("10.0.1.10", "10.0.1.10"), None, "10.0.1.1"),
    Policy(("10.0.21.10", "10.0.21.10"), None, "10.0.21.1"),
)


@pytest.mark.parametrize(
    ("site", "flow", "passes", "reason"),
    [
        # 2a, "Replies to clients": without MBF or a policy-based route the reply leaves by the management interface
        # with the VIP as its source and is dropped.
        pytest.param(Site(), INTERNET_CLIENT, False, "source check: 10.0.11.10", id="client, MBF off"),
        # 2a (2): with MBF a reply goes back to the MAC it came from, on the interface it came in on.
        pytest.param(MBF, INTERNET_CLIENT, True, "", id="client, MBF on"),
        # IPv6 clients of an address outside of the VPC: routes lead to it, and a reply knows no way but that of MBF.
        pytest.param(
            replace(MBF, interfaces=UNCHECKED, tables=((200, (LOCAL, TO_A_BY_IPV6)),)),
            BY_IPV6_ROUTE,
            True,
            "",
            id="IPv6 client by a route, MBF on",
        ),
        pytest.param(
            Site(interfaces=UNCHECKED, tables=((200, (LOCAL, TO_A_BY_IPV6)),)),
            BY_IPV6_ROUTE,
            False,
            "fd00:7::10 has no route to 2001:db8:ffff::7",
            id="IPv6 client by a route, MBF off",
        ),
        # 2a, "Replies to clients": the same for an NLB's nodes in the other zone.
        pytest.param(Site(), NLB_OTHER_ZONE, False, "source check", id="NLB of the other zone, MBF off"),
        pytest.param(MBF, NLB_OTHER_ZONE, True, "", id="NLB of the other zone, MBF on"),
        # 2a: "A VIP gives no connected route", so not even the VIP's own subnet is reached without a SNIP in it.
        pytest.param(Site(), NLB_SAME_ZONE, False, "source check", id="NLB of this zone, no SNIP in the client subnet"),
        pytest.param(_with(snips=CLIENT_SNIP), NLB_SAME_ZONE, True, "", id="NLB of this zone, a SNIP there"),
        # 2a: "vendor text: a VIP in a subnet without a SNIP needs MBF or a route".
        pytest.param(
            _with(snips=CLIENT_SNIP, routes=(StaticRoute(WORLD, "10.0.11.1"),)),
            INTERNET_CLIENT,
            True,
            "",
            id="client, default route by the client gateway",
        ),
        # Error 604, "The gateway is not directly reachable": a route by a subnet without a SNIP is none.
        pytest.param(
            _with(routes=(StaticRoute(WORLD, "10.0.11.1"),)),
            INTERNET_CLIENT,
            False,
            "no route",
            id="gateway unreachable",
        ),
        # 2a, "Replies to clients": a policy-based route for the VIP does the same.
        pytest.param(
            _with(policies=(Policy(("10.0.11.10", "10.0.11.10"), None, "10.0.11.1"),)),
            INTERNET_CLIENT,
            True,
            "",
            id="client, policy-based route for the VIP",
        ),
        pytest.param(
            _with(policies=(Policy(("10.0.99.1", "10.0.99.9"), None, "10.0.11.1"),)),
            INTERNET_CLIENT,
            False,
            "source check",
            id="client, policy-based route for another source",
        ),
        # 2, "Src/dst check": off, EC2 takes any source; the internet gateway still needs a public address.
        pytest.param(
            Site(interfaces=(_interface("eni-ma", 1, "i-a", source_dest_check=False),)),
            INTERNET_CLIENT,
            False,
            "no public address",
            id="client, MBF off, no source check on the management interface",
        ),
        # VPC guide, internet gateways: a subnet without a route to one is private, be there an Elastic IP or not.
        pytest.param(
            replace(MBF, tables=((11, PRIVATE),)),
            INTERNET_CLIENT,
            False,
            "no route of subnet",
            id="private client subnet",
        ),
        # VPC guide, security groups: what no rule names is dropped; replies are let out, groups are stateful.
        pytest.param(
            MBF, replace(INTERNET_CLIENT, port=81), False, "security groups of eni-ca", id="port that no rule names"
        ),
        # 2a, "NLB": with client-IP preservation security groups see the client; the reply passes the balancer again.
        pytest.param(MBF, PRESERVED, True, "", id="client address preserved, MBF on"),
        pytest.param(Site(), PRESERVED, False, "source check", id="client address preserved, MBF off"),
        # 1.2: a VIP outside of the VPC's range is reached by a route to the client interface, whose check is off; the
        # reply has an address that is none of the interface's.
        pytest.param(ROUTED, BY_ROUTE, True, "", id="VIP by a route, from outside"),
        pytest.param(ROUTED, replace(BY_ROUTE, source="10.0.200.50"), True, "", id="VIP by a route, from the VPC"),
        pytest.param(
            replace(ROUTED, interfaces=()),
            BY_ROUTE,
            False,
            "destination check: 10.99.0.10",
            id="VIP by a route, checked",
        ),
        pytest.param(MBF, BY_ROUTE, False, "no interface", id="VIP outside of the VPC, no route"),
        pytest.param(
            replace(ROUTED, tables=((200, (LOCAL, TO_A)), (31, (LOCAL, TO_B)))),
            BY_ROUTE,
            False,
            "eni-ca, eni-cb",
            id="VIP by a route, tables disagree",
        ),
        pytest.param(
            replace(ROUTED, hosts=(_host("a", 1),)),
            BY_ROUTE,
            False,
            "source check",
            id="VIP by a route, reply by the management interface",
        ),
        # 2a, "Trap": heartbeats go by the default route while no more specific route diverts them ...
        pytest.param(Site(), HEARTBEAT, True, "", id="heartbeat by the default route"),
        # ... and a route for the whole VPC through the server gateway takes them out by the server interface.
        pytest.param(
            _with(routes=(*A.routes, StaticRoute(VPC, "10.0.21.1"))),
            HEARTBEAT,
            False,
            "source check: 10.0.1.10",
            id="heartbeat, VPC-wide route by the server gateway",
        ),
        # 2a (2): MBF does not help connections that the appliance opens itself.
        pytest.param(
            _with(mbf=True, routes=(*A.routes, StaticRoute(VPC, "10.0.21.1"))),
            HEARTBEAT,
            False,
            "source check: 10.0.1.10",
            id="heartbeat, VPC-wide route, MBF on",
        ),
        # Issue's "pbr" way: the default route by the client gateway, policies for NSIP and server traffic.
        pytest.param(
            _with(snips=CLIENT_SNIP, routes=(StaticRoute(WORLD, "10.0.11.1"),), policies=PBRS),
            HEARTBEAT,
            True,
            "",
            id="heartbeat, policy-based route for the NSIP",
        ),
        # VPC guide, security groups: a rule that names a group admits the group's members only.
        pytest.param(
            Site(interfaces=(_interface("eni-mb", 2, "i-b", groups=frozenset({"client"})),)),
            HEARTBEAT,
            False,
            "security groups of eni-mb",
            id="heartbeat, the peer's group does not name the sender's",
        ),
        # NITRO from a controller in a connected network: the NSIP answers by its default route.
        pytest.param(Site(), Flow("10.0.200.50", "10.0.1.10", "tcp", 443), True, "", id="NITRO from within the VPC"),
        # 2a (2), the NSIP's replies follow the table too.
        pytest.param(
            _with(routes=(*A.routes, StaticRoute(SUBNETS["subnet-200"], "10.0.21.1"))),
            Flow("10.0.200.50", "10.0.1.10", "tcp", 443),
            False,
            "source check: 10.0.1.10",
            id="NITRO from a subnet that is routed by the server gateway",
        ),
        # The setting for images that send by source: as the lab was before it routed.
        pytest.param(_with(by_table=False), INTERNET_CLIENT, True, "", id="client, an image that sends by source"),
    ],
)
def test_a_connection_passes_or_is_lost_for_a_reason(site: Site, flow: Flow, passes: bool, reason: str) -> None:
    verdict = site.judge(flow)
    assert (verdict.passes, reason in verdict.reason) == (passes, True), verdict


APPLICATION = StaticRoute(SUBNETS["subnet-200"], "10.0.21.1")


@pytest.mark.parametrize(
    ("host", "address", "passes", "reason"),
    [
        # 2a, "Back ends in another subnet": without a route they go by the default route with the server SNIP as their
        # source, and are dropped.
        pytest.param(A, "10.0.200.50", False, "source check: 10.0.21.10", id="application subnet, no route"),
        pytest.param(
            replace(A, routes=(*A.routes, APPLICATION)), "10.0.200.50", True, "", id="application subnet, routed"
        ),
        # 2a (2): MBF is for replies only.
        pytest.param(replace(A, mbf=True), "10.0.200.50", False, "source check", id="application subnet, MBF alone"),
        # 2a: the connected subnet of the SNIP needs no route.
        pytest.param(A, "10.0.21.77", True, "", id="own server subnet"),
        # 2a: the other zone's server subnet needs one (lambda_servers_active_active.py).
        pytest.param(A, "10.0.22.77", False, "source check", id="the other zone's server subnet, no route"),
        pytest.param(
            replace(A, routes=(*A.routes, StaticRoute(SUBNETS["subnet-22"], "10.0.21.1"))),
            "10.0.22.77",
            True,
            "",
            id="the other zone's server subnet, routed",
        ),
        # 2a, "Non-INC": a SNIP that is on the other node's interface is wrong on this one.
        pytest.param(
            replace(A, snips=(_connected("10.0.21.99"),)), "10.0.21.77", False, "source check", id="SNIP not in EC2"
        ),
        pytest.param(replace(A, snips=()), "10.0.21.77", False, "no SNIP", id="no SNIP"),
        # Issue's "pbr" way: server traffic by its own policy, whatever the default route is.
        pytest.param(
            replace(A, routes=(StaticRoute(WORLD, "10.0.1.1"),), policies=PBRS),
            "10.0.200.50",
            True,
            "",
            id="application subnet, policy-based route for the SNIP",
        ),
        # VPC guide, security groups by reference: the application's group admits members of the server group on 8000.
        pytest.param(
            replace(A, snips=CLIENT_SNIP[1:], routes=(*A.routes, StaticRoute(SUBNETS["subnet-200"], "10.0.11.1"))),
            "10.0.200.50",
            False,
            "security groups of eni-app",
            id="back end's group does not admit the client interface",
        ),
        pytest.param(A, "192.0.2.1", False, "source check", id="beyond the VPC"),
        pytest.param(replace(A, by_table=False), "10.0.200.50", True, "", id="an image that sends by source"),
    ],
)
def test_an_appliance_reaches_a_back_end_or_not_for_a_reason(
    host: Host, address: str, passes: bool, reason: str
) -> None:
    site = Site(hosts=(host, _host("b", 2)))
    verdict = to_back_end(site.vpc(), site.host, host, address, 8000)
    assert (verdict.passes, reason in verdict.reason) == (passes, True), verdict


@pytest.mark.parametrize(
    ("hops", "passes", "reason"),
    [
        # VPC guide, route tables: the most specific route decides; an interface takes only what is its own unless its
        # check is off.
        pytest.param(
            (LOCAL, Hop(IPv4Network("10.0.11.0/24"), Target.INTERFACE, "eni-cb")), False, "destination check", id="ENI"
        ),
        pytest.param(
            (LOCAL, Hop(IPv4Network("10.0.11.0/24"), Target.INTERFACE, "eni-gone")), False, "blackhole", id="gone"
        ),
        pytest.param(
            (LOCAL, Hop(IPv4Network("10.0.11.10/32"), Target.INTERFACE, "eni-ca")), True, "", id="its own ENI"
        ),
        pytest.param((), False, "no route", id="empty table"),
    ],
)
def test_the_route_table_of_the_sender_decides(hops: tuple[Hop, ...], passes: bool, reason: str) -> None:
    verdict = replace(MBF, tables=((12, hops),)).judge(NLB_OTHER_ZONE)
    assert (verdict.passes, reason in verdict.reason) == (passes, True), verdict


def test_an_interface_without_check_takes_what_is_routed_to_it() -> None:
    """1.2: a VIP outside of the VPC's range is reached by a route to the client interface, its check off."""
    vip = "192.168.7.7"
    tables = ((12, (LOCAL, Hop(IPv4Network(f"{vip}/32"), Target.INTERFACE, "eni-ca"))),)
    routed = _interface("eni-ca", 11, "i-a", source_dest_check=False)
    vpc = Site(interfaces=(routed,), tables=tables).vpc()
    balancer = vpc.at("10.0.12.200")
    assert balancer is not None
    found = vpc.leave(balancer, "10.0.12.200", vip)
    assert (found.arrives, found.interface) == (True, routed)


def test_nat_needs_no_public_address_of_the_sender() -> None:
    """VPC guide, NAT gateways: instances of a private subnet reach the world outside through one."""
    outward = Hop(WORLD, Target.NAT)
    vpc = Site(tables=((1, (LOCAL, outward)),)).vpc()
    management = vpc.at("10.0.1.10")
    assert management is not None
    assert vpc.leave(management, "10.0.1.10", "198.51.100.1").arrives
    assert not Site().vpc().leave(management, "10.0.1.10", "198.51.100.1").arrives


# Two nodes of a cluster in one zone: the same subnets, MBF stands for any working return path.
CLUSTER_B = (
    _interface("eni-mb", 1, "i-b", "10.0.1.20", groups=frozenset({"management"})),
    _interface("eni-cb", 11, "i-b", "10.0.11.20", groups=frozenset({"backplane"})),
    _interface("eni-sb", 21, "i-b", "10.0.21.20", groups=frozenset({"server"})),
)
CLUSTER_CLIENT = _interface("eni-ca", 11, "i-a", "10.0.11.10", groups=frozenset({"backplane"}))
UNCHECKED = replace(CLUSTER_B[1], source_dest_check=False)


@pytest.mark.parametrize(
    ("tunnel", "rules", "interfaces", "passes", "reason"),
    [
        # 2a, "Cluster": "the other node then answers with an address that is not its own: dropped by the check".
        pytest.param("GRE", ("47",), (), False, "source check: 10.0.11.10", id="GRE admitted, source check on"),
        pytest.param("GRE", ("47",), (UNCHECKED,), True, "", id="GRE admitted, source check off"),
        # 2a, "Cluster": "security groups of the backplane's ENI must allow it".
        pytest.param("GRE", ("udp",), (UNCHECKED,), False, "steering by GRE: security groups", id="GRE not admitted"),
        pytest.param("UDP", ("udp",), (UNCHECKED,), True, "", id="UDP tunnel admitted, source check off"),
        pytest.param("UDP", ("47",), (UNCHECKED,), False, "steering by UDP: security groups", id="UDP not admitted"),
        # 3.3: a VPC needs a tunnel; frames to a foreign MAC address are not carried.
        pytest.param("NONE", ("-1",), (UNCHECKED,), False, "no frames", id="no tunnel"),
    ],
)
def test_a_steered_connection_passes_or_is_lost_for_a_reason(
    tunnel: str, rules: tuple[str, ...], interfaces: tuple[Interface, ...], passes: bool, reason: str
) -> None:
    hosts = (_host("a", 1, mbf=True), replace(_host("b", 1, mbf=True), nsip=_connected("10.0.1.20")))
    site = Site(hosts=hosts, interfaces=(*CLUSTER_B, CLUSTER_CLIENT, *interfaces))
    vpc = site.vpc()
    vpc.ingress = {**RULES, "backplane": tuple(Rule(one, 0, 65535, group="backplane") for one in rules)}
    vpc.egress = {**vpc.egress, "backplane": (OPEN,)}
    verdict = steered(vpc, site.host, NLB_SAME_ZONE, Steering(tunnel, "10.0.11.10", "10.0.11.20", owner="i-b"))
    assert (verdict.passes, reason in verdict.reason) == (passes, True), verdict
