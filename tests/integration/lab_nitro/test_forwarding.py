"""How appliances forward packets: modes, routes, policy-based routes as NITRO has them, and what follows from them."""

from __future__ import annotations

import pytest

from tests.integration.lab_nitro.harness import PASSWORD, Bench, Client, refused

A, B = "127.77.1.10", "127.77.21.10"
BACK_END = "127.77.200.1"


@pytest.fixture
def pair(bench: Bench) -> tuple[Client, Client]:
    """Return a pair with independent network configuration, in networks of their own; the image routes by its table."""
    bench.side.settings.pessimistic_image = True
    a = bench.booted("i-0aaa", A, "127.77.2.10", "127.77.2.11")
    b = bench.booted("i-0bbb", B, "127.77.22.10")
    a.add("hanode", id=1, ipaddress=B, inc="ENABLED")
    b.add("hanode", id=1, ipaddress=A, inc="ENABLED")
    bench.wait(30)
    assert _roles(a, b) == ("Primary", "Secondary")
    return a, b.login(PASSWORD)


def _roles(*nodes: Client) -> tuple[str, ...]:
    return tuple(next(row["state"] for row in node.rows("hanode") if row["id"] == "0") for node in nodes)


@pytest.mark.parametrize(
    ("network", "netmask", "roles"),
    [
        pytest.param("127.77.0.0", "255.255.0.0", ("Primary", "Primary"), id="the whole VPC"),
        pytest.param("127.77.200.0", "255.255.255.0", ("Primary", "Secondary"), id="the back ends' subnet"),
    ],
)
def test_a_route_for_the_whole_vpc_by_the_server_gateway_breaks_the_heartbeats(
    bench: Bench, pair: tuple[Client, Client], network: str, netmask: str, roles: tuple[str, str]
) -> None:
    """aws_vpx.md, section 2a, "Trap"."""
    a, b = pair
    a.add("nsip", ipaddress="127.77.2.11", netmask="255.255.255.0", type="SNIP")
    a.add("route", network=network, netmask=netmask, gateway="127.77.2.1")
    bench.wait(10)
    assert _roles(a, b) == roles


def test_policy_based_routes_stay_with_their_node_in_inc_mode(pair: tuple[Client, Client]) -> None:
    """nitro.md, section 12: "per node in INC"."""
    a, b = pair
    a.add("nspbr", name="back", action="ALLOW", srcip=True, srcipop="=", srcipval="127.77.2.10", priority=10)
    assert [row["name"] for row in a.rows("nspbr")] == ["back"]
    assert b.rows("nspbr") == []


def test_a_policy_based_route_counts_once_it_is_applied(node: Client) -> None:
    """nitro.md, section 12: nspbr, "applied by nspbrs?action=apply"."""
    node.add(
        "nspbr", name="back", action="ALLOW", srcip=True, srcipval="127.77.2.10", nexthop=True, nexthopval="127.77.2.1"
    )
    assert node.rows("nspbr", "/back")[0]["kernelstate"] == "NOTAPPLIED"
    node.do("nspbrs", "apply")
    assert (node.rows("nspbr", "/back")[0]["kernelstate"], node.rows("nspbr", "/back")[0]["priority"]) == (
        "APPLIED",
        "10",
    )
    node.set("nspbr", name="back", srcipval="127.77.2.11")
    assert node.rows("nspbr", "/back")[0]["kernelstate"] == "RE-APPLY"
    node.do("nspbrs", "apply")
    assert node.rows("nspbr", "/back")[0]["kernelstate"] == "APPLIED"
    assert node.delete("config/nspbr/back").status_code == 200
    assert node.rows("nspbr") == []


def test_a_route_by_a_gateway_in_no_connected_subnet_is_refused(node: Client) -> None:
    """nitro_errors.tsv: 604 NSERR_GWSUBNET_NOT_EXIST; a VIP gives no connected subnet (aws_vpx.md, section 2a)."""
    node.add("nsip", ipaddress="127.77.2.10", netmask="255.255.255.0", type="VIP")
    route = {"network": "127.77.200.0", "netmask": "255.255.255.0", "gateway": "127.77.2.1"}
    assert refused(node.post("config/route", {"route": route})) == (599, 604)
    node.add("nsip", ipaddress="127.77.2.11", netmask="255.255.255.0", type="SNIP")
    node.add("route", **route)


def test_a_back_end_is_down_for_a_node_without_a_way_to_it(bench: Bench, node: Client) -> None:
    """aws_vpx.md, section 2a, "Back ends in another subnet"; MBF does not help connections the appliance opens."""
    bench.side.settings.pessimistic_image = True
    bench.launch("i-0app", BACK_END)
    node.add("service", name="s", ip=BACK_END, servicetype="HTTP", port=8000)
    node.do("nsmode", "enable", mode=["mbf"])
    assert node.rows("service", "/s")[0]["svrstate"] == "DOWN"
    node.add("nsip", ipaddress="127.77.2.11", netmask="255.255.255.0", type="SNIP")
    assert node.rows("service", "/s")[0]["svrstate"] == "DOWN"
    node.add("route", network="127.77.200.0", netmask="255.255.255.0", gateway="127.77.2.1")
    assert node.rows("service", "/s")[0]["svrstate"] == "UP"
    assert node.get("config/nsmode").json()["nsmode"]["mbf"] is True
