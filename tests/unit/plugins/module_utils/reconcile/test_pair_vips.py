"""Which VIPs of every kind follow the primary: what is planned, refused, and built for them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.route_plan import Observed as Routes
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association, Interface
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.routes import Route, RouteTable
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ha import ObservedHa
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.node_removal import plan_removal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair import (
    Subnet,
    address_problems,
    shared_options,
    unassociated,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair import interfaces_of as interface_options
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_associations import Node
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_claims import Claim, Verdict
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_fronts import pair_applications, pair_fronts
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_repair import (
    Pair,
    assess,
    interfaces_of,
    require_addresses,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_steps import pair_steps
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_summary import pair_summary
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_vip_checks import (
    family_problems,
    vip_problems,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_vips import (
    PairAttachments,
    own_nodes,
    vip_targets,
    vips_of_nodes,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.planned_failover import plan_failover
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.pair import read_pair
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.vips import Vip, vips_of

from ..spec.test_pair import GIVEN, NODES, WEB
from .test_pair_steps import ha, info, instance

PRIVATE = Vip("web", "private_ip", "10.0.2.50")
ROUTE = Vip("inside", "route", "172.16.0.10", tables=("rtb-1", "rtb-2"))
VPC = "vpc-1"


def node(number: int, *secondaries: str, tags: dict[str, str] | None = None, state: str = "running") -> Node:
    interfaces = (
        Attached(f"eni-m{number}", 0, (f"10.0.1.1{number}",)),
        Attached(f"eni-c{number}", 1, (f"10.0.2.1{number}", *secondaries)),
        Attached(f"eni-s{number}", 2, (f"10.0.3.1{number}",)),
    )
    found = Instance(
        f"i-{number}", state, tags={"cloudadc:node_id": str(number), **(tags or {})}, interfaces=interfaces
    )
    return Node(f"10.0.1.1{number}", found, found.instance_id, number)


def interface(name: str, *addresses: str, **more: Any) -> Interface:
    return Interface(name, addresses, None, 1, vpc_id=VPC, subnet_id="subnet-c", **more)


def private_at(holder: str) -> list[Interface]:
    return [
        interface(f"eni-c{n}", f"10.0.2.1{n}", *([PRIVATE.address] if holder == f"eni-c{n}" else [])) for n in (0, 1)
    ] + ([] if holder.startswith("eni-c") else [interface(holder, "10.0.2.99", PRIVATE.address)])


def routes_to(*holders: str | None, blackhole: bool = False) -> Routes:
    destination = "172.16.0.10/32"
    tables = [
        RouteTable(f"rtb-{n}", VPC, {destination: Route(destination, holder, blackhole)} if holder else {})
        for n, holder in enumerate(holders, 1)
    ]
    targets = [interface(f"eni-c{n}", f"10.0.2.1{n}", source_dest_check=False) for n in (0, 1)]
    return Routes({None: tables}, targets)


def pair(vip: Vip, observed: Any, **more: Any) -> Pair:
    nodes = (node(0), node(1))
    owned = interfaces_of([one.instance for one in nodes if one.instance])
    return Pair("shop", nodes, (), interfaces=owned, vips=(vip,), observed={vip.kind: observed}, **more)


def claims(primary: int, served: str = "172.16.0.10", answers: tuple[bool, bool] = (True, True)) -> list[Claim]:
    found = []
    for number in (0, 1):
        own, other = ("Primary", "Secondary") if number == primary else ("Secondary", "Primary")
        rows = [
            {"id": "0", "ipaddress": f"10.0.1.1{number}", "state": own, "hastatus": "UP", "hasync": "SUCCESS"},
            {"id": "1", "ipaddress": f"10.0.1.1{1 - number}", "state": other, "hastatus": "UP", "hasync": "SUCCESS"},
        ]
        view = ObservedHa.from_rows(rows) if answers[number] else None
        found.append(Claim(f"node {number}", f"10.0.1.1{number}", answers[number], view, (served,)))
    return found


@pytest.mark.parametrize(
    ("vip", "observed", "moved"),
    [
        (PRIVATE, private_at("eni-c0"), ["10.0.2.50"]),
        (PRIVATE, private_at("eni-c1"), []),
        (PRIVATE, private_at("eni-c2")[:2], ["10.0.2.50"]),
        (ROUTE, routes_to("eni-c0", "eni-c0"), ["rtb-1 172.16.0.10/32", "rtb-2 172.16.0.10/32"]),
        (ROUTE, routes_to("eni-c1", "eni-c0"), ["rtb-2 172.16.0.10/32"]),
        (ROUTE, routes_to("eni-c1", None), ["rtb-2 172.16.0.10/32"]),
        (ROUTE, routes_to("eni-gone", "eni-c1", blackhole=True), ["rtb-1 172.16.0.10/32"]),
        (ROUTE, routes_to("eni-c1", "eni-c1"), []),
    ],
)
def test_every_kind_follows_the_primary(vip: Vip, observed: Any, moved: list[str]) -> None:
    found = assess(pair(vip, observed), claims(1, vip.address))
    assert found.refusal is None
    assert [change.change.key for change in found.due] == moved


@pytest.mark.parametrize(
    ("vip", "observed", "message"),
    [
        (PRIVATE, private_at("eni-other"), "private address 10.0.2.50 is held by eni-other; it may be taken from"),
        (ROUTE, routes_to("eni-other", "eni-c1"), "route 172.16.0.10/32 of rtb-1 leads to eni-other; it may be taken"),
        (ROUTE, routes_to("eni-c0"), "cannot be moved in rtb-2: no such route table"),
    ],
)
def test_what_others_have_is_left_there(vip: Vip, observed: Any, message: str) -> None:
    assert message in str(assess(pair(vip, observed), claims(1, vip.address)).refusal)
    if "may be taken" in message:
        allowed = pair(vip, observed, expected_owners=("eni-other",))
        assert assess(allowed, claims(1, vip.address)).refusal is None


def test_nothing_of_any_kind_is_taken_from_a_node_that_may_still_be_primary() -> None:
    found = assess(pair(ROUTE, routes_to("eni-c0", "eni-c1")), claims(1, answers=(False, True)))
    assert "it cannot be decided whether the address may be taken" in str(found.refusal) or found.refusal is None
    silent = claims(1, answers=(False, True))
    rows = [
        {"id": "0", "ipaddress": "10.0.1.11", "state": "Primary", "hastatus": "UP"},
        {"id": "1", "ipaddress": "10.0.1.10", "state": "Primary", "hastatus": "UP"},
    ]
    silent[1] = Claim("node 1", "10.0.1.11", True, ObservedHa.from_rows(rows), ("172.16.0.10",))
    found = assess(pair(ROUTE, routes_to("eni-c0", "eni-c1")), silent)
    assert "it cannot be decided whether the address may be taken" in str(found.refusal)
    assert found.pending == "silence"


def test_an_address_without_a_virtual_server_is_not_moved() -> None:
    found = assess(pair(ROUTE, routes_to("eni-c0", "eni-c0")), claims(1, "10.9.9.9"))
    assert "no virtual server of node 1 (10.0.1.11), which is primary, answers at 172.16.0.10" in str(found.refusal)
    unguarded = pair(ROUTE, routes_to("eni-c0", "eni-c0"), guard=False)
    assert len(assess(unguarded, claims(1, "10.9.9.9")).due) == 2


def test_the_shared_snip_needs_no_virtual_server() -> None:
    snip = Vip("snip", "private_ip", "10.0.3.50", "server")
    observed = [interface("eni-s0", "10.0.3.10", "10.0.3.50"), interface("eni-s1", "10.0.3.11")]
    found = assess(pair(snip, observed), claims(1, "10.9.9.9"))
    assert [(change.change.key, change.serves) for change in found.due] == [("10.0.3.50", None)]


def test_a_pair_needs_an_elastic_ip_only_where_nothing_else_follows() -> None:
    require_addresses(pair(ROUTE, routes_to("eni-c0", "eni-c0")))


HEALTHY = Verdict(0, "node 0 is primary", healthy=True)


@pytest.mark.parametrize(
    ("holders", "winner"), [(("eni-c0", "eni-c0"), 1), (("eni-c0", "eni-c1"), 0), ((None, "eni-c0"), 1)]
)
def test_an_interrupted_failover_is_finished(holders: tuple[str | None, ...], winner: int) -> None:
    attached = PairAttachments(vips=(ROUTE,), observed={"route": routes_to(*holders)})
    found = plan_failover("shop", [node(0), node(1)], claims(0), HEALTHY, attached)
    assert found.winner == winner
    assert [move["network_interface_id"] for move in found.moves] == [f"eni-c{winner}"]


def test_a_failover_that_cannot_move_everything_is_refused_before_it_begins() -> None:
    attached = PairAttachments(vips=(ROUTE,), observed={"route": routes_to("eni-nat", "eni-c0")})
    with pytest.raises(Refusal, match=r"shop: .*leads to eni-nat.*Nothing was touched\."):
        plan_failover("shop", [node(0), node(1)], claims(0), HEALTHY, attached, expected_owners=["eni-c0", "eni-c1"])


def test_vips_are_those_of_the_newest_instance_and_moving_addresses_are_no_place_of_a_node() -> None:
    old = node(0, tags={"cloudadc:vip:web": "private_ip 10.0.2.40"}, state="terminated")
    new = node(1, "10.0.2.50", "10.0.2.60", tags=PRIVATE.tag())
    assert vips_of_nodes([old, new]) == (PRIVATE,)
    [_old, now] = own_nodes([old, new], [PRIVATE])
    assert now.client is not None
    assert now.client.addresses == ("10.0.2.11", "10.0.2.60")


def test_a_tag_that_names_no_kind_is_refused() -> None:
    with pytest.raises(Refusal, match=r"the tags of i-0 name no VIP: web \(eni\)"):
        vips_of_nodes([node(0, tags={"cloudadc:vip:web": "eni 10.0.2.50"})])


# What is built


def definition(*vips: Any, **changes: Any) -> dict[str, Any]:
    given = {f"ha_pair_{name}": value for name, value in changes.items()}
    found, problems = read_pair({**GIVEN, "ha_pair_vips": list(vips), **given})
    assert problems == []
    return found


OPTION = {"name": "inside", "kind": "route", "virtual_ip": "172.16.0.10", "route_table_ids": ["rtb-1"]}
ONE = {"name": "web", "kind": "private_ip", "private_ip_address": "10.0.2.50"}
SHARED = {"nodes": [NODES[0], NODES[0]], "inc": False, "snip": "10.0.3.50"}
BOTH = {**ONE, "ipv6_address": "2001:db8:0:2::50"}
EVERYONE = {"client_cidrs": ["0.0.0.0/0", "::/0"]}
SUBNETS = {
    "subnet-a2": Subnet("subnet-a2", VPC, "a", "10.0.2.0/24", ("2001:db8:0:2::/64",)),
    "subnet-a3": Subnet("subnet-a3", VPC, "a", "10.0.3.0/24"),
}


def test_the_check_of_client_interfaces_is_off_for_routes_only() -> None:
    with_route, without = definition(OPTION), definition(ONE, nodes=[NODES[0], NODES[0]])
    assert interface_options(with_route, NODES[0])[1]["source_dest_check"] is False
    assert "source_dest_check" not in interface_options(without, NODES[0])[1]
    assert shared_options(with_route, VPC, {})["elastic_ip"] is False


def test_a_port_is_opened_once_for_all_vips() -> None:
    found = definition({**OPTION, "applications": [WEB]}, {"name": "p", "kind": "elastic_ip", "applications": [
        {**WEB, "name": "b"}]})  # fmt: skip
    [_management, client, _server] = shared_options(found, VPC, {})["security_groups"]
    assert len(client["rules"]) == 1


@pytest.mark.parametrize(
    ("found", "holders", "vpcs", "tables", "message"),
    [
        (definition(ONE, nodes=SHARED["nodes"]), [], [], [], None),
        (
            definition({**ONE, "private_ip_address": "10.0.9.50"}, nodes=SHARED["nodes"]),
            [],
            [],
            [],
            "VIP web: 10.0.9.50 is not in 10.0.2.0/24, the client subnet subnet-a2 of the nodes.",
        ),
        (
            definition({**ONE, "private_ip_address": "10.0.2.3"}, nodes=SHARED["nodes"]),
            [],
            [],
            [],
            "VIP web: 10.0.2.3 is reserved by AWS",
        ),
        (
            definition(ONE, nodes=SHARED["nodes"]),
            [interface("eni-x", "10.0.2.9", "10.0.2.50")],
            [],
            [],
            "VIP web: 10.0.2.50 is in use at eni-x, which is no interface of this pair.",
        ),
        (
            definition(ONE, nodes=SHARED["nodes"]),
            [interface("eni-c0", "10.0.2.50")],
            [],
            [],
            "VIP web: 10.0.2.50 is the primary address of eni-c0, which cannot move.",
        ),
        (
            definition(ONE, **{**SHARED, "snip": "10.0.2.51"}),
            [],
            [],
            [],
            "ha_pair_snip: 10.0.2.51 is not in 10.0.3.0/24, the server subnet subnet-a3 of the nodes.",
        ),
        (
            definition(OPTION),
            [],
            [{"CidrBlock": "172.16.0.0/16"}],
            [{"RouteTableId": "rtb-1", "VpcId": VPC}],
            "VIP inside: 172.16.0.10 is in 172.16.0.0/16, a range of the VPC",
        ),
        (definition(OPTION), [], [{"CidrBlock": "10.0.0.0/16"}], [], "VIP inside: there is no route table rtb-1"),
        (definition(BOTH, nodes=SHARED["nodes"], **EVERYONE), [], [], [], None),
        (
            definition({**BOTH, "ipv6_address": "2001:db8:0:9::50"}, nodes=SHARED["nodes"], **EVERYONE),
            [],
            [],
            [],
            "VIP web: 2001:db8:0:9::50 is not in 2001:db8:0:2::/64, the client subnet subnet-a2 of the nodes.",
        ),
        (
            definition({**BOTH, "ipv6_address": "2001:db8:0:2::3"}, nodes=SHARED["nodes"], **EVERYONE),
            [],
            [],
            [],
            "VIP web: 2001:db8:0:2::3 is reserved by AWS",
        ),
        (
            definition(BOTH, nodes=SHARED["nodes"], **EVERYONE),
            [interface("eni-c0", "10.0.2.9", ipv6_addresses=("2001:db8:0:2::50",), primary_ipv6="2001:db8:0:2::50")],
            [],
            [],
            "VIP web: 2001:db8:0:2::50 is the primary address of eni-c0, which cannot move.",
        ),
        (
            definition({**OPTION, "ipv6_address": "2001:db8:0:7::1"}, **EVERYONE),
            [],
            [{"CidrBlock": "10.0.0.0/16", "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2001:db8::/56"}]}],
            [{"RouteTableId": "rtb-1", "VpcId": VPC}],
            "VIP inside: 2001:db8:0:7::1 is in 2001:db8::/56, a range of the VPC",
        ),
        (
            definition(OPTION),
            [],
            [],
            [{"RouteTableId": "rtb-1", "VpcId": "vpc-2"}],
            "VIP inside: route table rtb-1 is of vpc-2, but a route to an interface must be in a table",
        ),
    ],
)
def test_what_aws_says_against_a_vip(
    found: dict[str, Any], holders: list[Any], vpcs: list[Any], tables: list[Any], message: str | None
) -> None:
    problems = vip_problems(found, SUBNETS, holders, ["eni-c0"], vpcs, tables)
    assert (message in " ".join(problems)) if message else problems == []


def test_an_ipv6_address_needs_an_ipv6_range_of_the_subnet() -> None:
    subnets = {name: Subnet(one.subnet_id, VPC, "a", one.cidr) for name, one in SUBNETS.items()}
    [problem] = vip_problems(definition(BOTH, nodes=SHARED["nodes"], **EVERYONE), subnets, [], ["eni-c0"])
    assert problem.startswith("VIP web: 2001:db8:0:2::50 is an IPv6 address, and subnet-a2, the client subnet")


def test_a_vip_keeps_its_ip_version() -> None:
    found = definition({**OPTION, "virtual_ip": "fd00:7::1"}, **EVERYONE)
    [problem] = family_problems(found, vips_of(definition(OPTION)))
    assert problem.startswith("VIP inside: its virtual servers have the address 172.16.0.10, which an appliance")
    assert family_problems(definition({**OPTION, "virtual_ip": "172.16.0.11"}), vips_of(definition(OPTION))) == []


def test_one_virtual_server_answers_at_both_addresses_and_clients_of_both_are_admitted() -> None:
    found = definition(BOTH, nodes=SHARED["nodes"], applications=[WEB], **EVERYONE)
    [front] = pair_fronts(found, [["10.0.2.10"], ["10.0.2.11"]])
    assert front["virtual_ip"] == "10.0.2.50"
    assert [one["ip_address"] for one in front["addresses"]] == ["10.0.2.50", "2001:db8:0:2::50"]
    [_management, client, _server] = shared_options(found, VPC, {})["security_groups"]
    assert [rule["cidrs"] for rule in client["rules"]] == [["0.0.0.0/0", "::/0"]]
    assert vip_targets(node(1), vips_of(definition({**OPTION, "ipv6_address": "fd00:7::1"}, **EVERYONE)))[1].move == {
        "kind": "route",
        "destination": "fd00:7::1/128",
        "route_table_ids": ["rtb-1"],
        "network_interface_id": "eni-c1",
    }


FOLLOWING = {**ONE, "elastic_ip": "eipalloc-9"}


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (None, True),
        (Association("eni-c0", "10.0.2.10"), True),
        (Association("eni-x", "10.0.2.50"), True),
        (Association("eni-c1", "10.0.2.50"), False),
    ],
)
def test_an_elastic_ip_is_associated_once_with_the_private_address_that_it_follows(
    at: Association | None, due: bool
) -> None:
    found = definition(FOLLOWING, nodes=SHARED["nodes"])
    address = Address("203.0.113.9", "eipalloc-9", at, tags={})
    expected = [{"elastic_ip": "eipalloc-9", "private_ip_address": "10.0.2.50"}] if due else []
    assert unassociated(found, [address], ["eni-c0", "eni-c1"]) == expected
    assert (found["elastic_ips"], found["allocate_elastic_ip"]) == ([], False)


def test_an_elastic_ip_that_follows_must_exist_and_not_serve_others() -> None:
    found = definition(FOLLOWING, nodes=SHARED["nodes"])
    assert "no Elastic IP eipalloc-9 is allocated" in " ".join(address_problems(found, [], []))
    taken = Address("203.0.113.9", "eipalloc-9", Association("eni-x", "10.0.9.9"), tags={})
    assert "serves eni-x (10.0.9.9)" in " ".join(address_problems(found, [taken], ["eni-c0"]))


def test_each_vip_has_its_ipset_and_its_applications() -> None:
    intranet = {"name": "intranet", "protocol": "HTTP", "port": 80, "backends": []}
    vips = [{"name": "public", "kind": "elastic_ip"}, {**OPTION, "applications": [intranet]}, ONE]
    plan = definition(*vips, applications=[WEB], nodes=SHARED["nodes"])
    fronts = pair_fronts(plan, [["10.0.2.10", "10.0.2.12"], ["10.0.2.11", "10.0.2.13"]])
    assert [(one["vip"], one["ipset"], one["virtual_ip"]) for one in fronts] == [
        ("public", "shop-vips-public", "10.0.2.10"),
        ("web", "shop-vips-web", "10.0.2.50"),
        ("inside", "shop-vips-inside", "172.16.0.10"),
    ]
    assert [len(one["addresses"]) for one in fronts] == [2, 1, 1]
    entries = pair_applications({"ha_pair_vips": vips, "ha_pair_applications": [WEB]}, "10.0.1.10:443", fronts)
    assert [(one["name"], one["ipset"]) for one in entries] == [
        ("web-public", "shop-vips-public"),
        ("web-web", "shop-vips-web"),
        ("intranet", "shop-vips-inside"),
    ]


def test_nodes_that_share_their_configuration_get_it_on_the_primary_with_the_shared_snip() -> None:
    state = info(instance(0), instance(1), **definition(ONE, **SHARED), network=[
        {"server_netmask": "255.255.255.0", "routes": [], "protected_networks": []}] * 2)  # fmt: skip
    state["plan"] |= {"shared": {"observed": {"security_groups": {}, "elastic_ip": None}}, "instances": {"sets": []}}
    steps = pair_steps(state, after=ha(1))
    assert [(one["nsip"], one["snips"]) for one in steps["network"]] == [
        ("10.0.3.5:443", [{"ip_address": "10.0.3.50", "netmask": "255.255.255.0"}])
    ]
    assert [one["nsip"] for one in steps["ipsets"]] == ["10.0.3.5:443"]


def test_the_summary_names_every_kind() -> None:
    plan = {**info()["plan"], **definition(OPTION, ONE, nodes=SHARED["nodes"], applications=[WEB])}
    moves = [
        {"kind": "private_ip", "private_ip_address": "10.0.2.50", "network_interface_id": "eni-c0"},
        {"kind": "route", "destination": "172.16.0.10/32", "route_table_ids": ["rtb-1"],
         "network_interface_id": "eni-c0"},
    ]  # fmt: skip
    state = info(instance(0), instance(1))
    steps = pair_steps(state, after=ha(0, address_moves=moves))
    lines = pair_summary(steps, plan, ha(0))
    assert "private address 10.0.2.50 on eni-c0" in lines
    assert "route to 172.16.0.10/32 in rtb-1 on eni-c0" in lines
    assert "serves web (HTTP, port 80): clients call 10.0.2.50 (VIP web)" in lines
    assert "serves web (HTTP, port 80): clients call 172.16.0.10 (VIP inside)" in lines


@pytest.mark.parametrize(
    ("vip", "observed", "held"),
    [
        (PRIVATE, private_at("eni-c0"), ("10.0.2.50",)),
        (PRIVATE, private_at("eni-c1"), ()),
        (ROUTE, routes_to("eni-c0", "eni-c1"), ("172.16.0.10/32 in rtb-1",)),
        (ROUTE, routes_to("eni-c1", "eni-c1"), ()),
    ],
)
def test_node_that_still_has_a_vip_is_not_removed(vip: Vip, observed: Any, held: tuple[str, ...]) -> None:
    """Its interfaces end with it: a route would lead nowhere, and the address would be lost."""
    nodes = [node(0), node(1)]
    attached = PairAttachments(vips=(vip,), observed={vip.kind: observed})
    verdict = Verdict(1, "node 1 is primary", healthy=True)
    found = plan_removal("shop", nodes, claims(1, vip.address), verdict, attached, nodes[0].instance_id)
    assert found is not None
    assert (found.failover, found.addresses, bool(found.obstacle)) == (False, held, bool(held))
