"""Who is primary: the table."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ha import ObservedHa
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_claims import (
    Claim,
    claim_result,
    judge,
    served_addresses,
)

A, B, OLD = "10.0.1.10", "10.0.2.10", "10.0.2.99"
VIPS = ("10.0.11.10", "10.0.12.10")


def row(number: int, address: str, state: str, status: str = "UP", sync: str = "ENABLED") -> dict[str, Any]:
    return {
        "id": str(number),
        "ipaddress": address,
        "state": state,
        "hastatus": status,
        "hasync": sync,
        "inc": "ENABLED",
    }


def node(
    name: str,
    nsip: str,
    state: str,
    peer: tuple[str, str] | None = None,
    served: tuple[str, ...] | None = VIPS,
    *,
    status: str = "UP",
    sync: str = "SUCCESS",
) -> Claim:
    """Return a node that answers. ``peer``: its address and the role this node thinks it has."""
    rows = [row(0, nsip, state, status, sync)]
    if peer:
        rows.append(row(1, peer[0], peer[1], "UP", sync))
    return Claim(name, nsip, reachable=True, view=ObservedHa.from_rows(rows), served=served)


def dead(name: str, nsip: str) -> Claim:
    return Claim(name, nsip, error=f"{nsip}: no connection within 1 s")


def off(name: str, nsip: str) -> Claim:
    return Claim(name, nsip, idle="instance i-1 is stopped", error="instance i-1 is stopped")


def mute(name: str, nsip: str) -> Claim:
    return Claim(name, nsip, reachable=True, error="354 Invalid username or password")


PRIMARY = node("node 0", A, "Primary", (B, "Secondary"))
SECONDARY = node("node 1", B, "Secondary", (A, "Primary"))
BEREFT = node("node 0", A, "Primary", (B, "UNKNOWN"))
FRESH = node("node 1", B, "Primary", served=())


@pytest.mark.parametrize(
    ("claims", "primary", "healthy", "message"),
    [
        pytest.param([PRIMARY, SECONDARY], 0, True, ["node 0 is primary", "says Secondary"], id="healthy"),
        pytest.param([SECONDARY, PRIMARY], 1, True, ["node 0 is primary"], id="healthy, other order"),
        pytest.param(
            [PRIMARY, node("node 1", B, "Primary", (A, "Primary"))],
            None,
            False,
            ["2 nodes claim to be primary", f"node 0 ({A}) says Primary", f"node 1 ({B}) says Primary"],
            id="both primary",
        ),
        pytest.param(
            [node("node 0", A, "Secondary", (B, "UNKNOWN")), SECONDARY],
            None,
            False,
            ["no node is primary"],
            id="both secondary",
        ),
        pytest.param([BEREFT, dead("node 1", B)], 0, False, [f"node 1 ({B}) does not answer"], id="the other is dead"),
        pytest.param(
            [dead("node 0", A), SECONDARY],
            None,
            False,
            ["no node is primary", "says Secondary"],
            id="the primary is dead and the other has not noticed",
        ),
        pytest.param([dead("node 0", A), dead("node 1", B)], None, False, ["no node is primary"], id="both dead"),
        pytest.param(
            [off("node 0", A), node("node 1", B, "Primary", (A, "UNKNOWN"))],
            1,
            False,
            ["was not asked, instance i-1 is stopped"],
            id="the other is stopped",
        ),
        pytest.param([BEREFT, mute("node 1", B)], 0, False, ["does not say what it is", "354"], id="wrong password"),
        pytest.param(
            [PRIMARY, FRESH],
            0,
            False,
            ["node 0 is primary", "stands alone and serves nothing"],
            id="the other was rebuilt at the same address",
        ),
        pytest.param(
            [node("node 0", A, "Primary", (OLD, "UNKNOWN")), FRESH],
            0,
            False,
            ["as a fresh or rebuilt"],
            id="the other was rebuilt at another address",
        ),
        pytest.param(
            [dead("node 0", A), FRESH],
            None,
            False,
            ["no node is primary", "stands alone"],
            id="a fresh appliance is no primary even if it is alone",
        ),
        pytest.param(
            [node("node 0", A, "Primary", served=()), FRESH],
            None,
            False,
            ["no node is primary"],
            id="both fresh, before they are paired",
        ),
        pytest.param(
            [node("node 0", A, "Primary", (B, "Secondary"), served=()), SECONDARY],
            0,
            True,
            ["node 0 is primary"],
            id="paired, but nothing to serve yet",
        ),
        pytest.param(
            [node("node 0", A, "Primary", (OLD, "UNKNOWN")), node("node 1", B, "Primary", (A, "UNKNOWN"), ())],
            0,
            False,
            ["is not known to the other"],
            id="a rebuilt node that was told of its peer first",
        ),
        pytest.param(
            [node("node 0", A, "Primary"), node("node 1", B, "Primary")],
            None,
            False,
            ["2 nodes claim", "without a peer"],
            id="two that stand alone and both serve",
        ),
        pytest.param(
            [node("node 0", A, "Primary"), dead("node 1", B)],
            None,
            False,
            ["says Primary without a peer", "node 0 has no peer while node 1 is running"],
            id="one that was taken out of the pair, and a running one that is silent",
        ),
        pytest.param(
            [node("node 0", A, "Primary"), mute("node 1", B)],
            None,
            False,
            ["it cannot be decided", "354"],
            id="one that was taken out of the pair, and a running one that refuses the login",
        ),
        pytest.param(
            [node("node 0", A, "Primary"), off("node 1", B)],
            0,
            False,
            ["says Primary without a peer"],
            id="one that stands alone and serves, the other is stopped",
        ),
        pytest.param(
            [node("node 0", A, "Primary", served=None), off("node 1", B)],
            None,
            False,
            ["what it serves has not been read"],
            id="a stand-alone node whose served addresses are unknown",
        ),
        pytest.param(
            [PRIMARY, node("node 1", B, "CLAIMING", (A, "Primary"))],
            None,
            False,
            ["roles are changing"],
            id="in the middle of a failover",
        ),
        pytest.param(
            [node("node 0", A, "primary", (B, "SECONDARY")), node("node 1", B, "SECONDARY", (A, "PRIMARY"))],
            0,
            True,
            ["node 0 is primary"],
            id="capitals do not matter",
        ),
        pytest.param(
            [node("node 0", A, "Primary", (B, "Secondary"), sync="IN PROGRESS"), SECONDARY],
            0,
            False,
            ["synchronisation is IN PROGRESS"],
            id="not synchronised yet",
        ),
        pytest.param(
            [PRIMARY, node("node 1", B, "Secondary", (A, "Primary"), status="PARTIALFAIL")],
            0,
            False,
            ["do not see each other"],
            id="the secondary is not up",
        ),
        pytest.param(
            [PRIMARY, node("node 1", B, "Secondary", (OLD, "UNKNOWN"))],
            0,
            False,
            ["node 1 has another peer or none"],
            id="they are not each other's peers",
        ),
        pytest.param([PRIMARY], 0, False, ["a pair has two nodes, here are 1"], id="one node only"),
        pytest.param([PRIMARY, SECONDARY, dead("node 2", OLD)], 0, False, ["here are 3"], id="three"),
        pytest.param([], None, False, ["there is no node"], id="none"),
    ],
)
def test_verdict_follows_from_claims(
    claims: list[Claim], primary: int | None, healthy: bool, message: list[str]
) -> None:
    verdict = judge(claims)
    assert (verdict.primary, verdict.healthy) == (primary, healthy), verdict.message
    assert all(words in verdict.message for words in message), verdict.message


def test_operator_may_accept_a_primary_without_a_peer() -> None:
    verdict = judge([node("node 0", A, "Primary"), dead("node 1", B)], accept_standalone=True)
    assert verdict.primary == 0


@pytest.mark.parametrize(
    ("vservers", "bindings", "served"),
    [
        pytest.param(
            [{"name": "v", "ipv46": "10.0.11.10", "ipset": "s"}],
            [{"name": "s", "ipaddress": "10.0.12.10"}],
            VIPS,
            id="its own address and those of its IPSet",
        ),
        pytest.param(
            [{"name": "v", "ipv46": "10.0.11.10"}],
            [{"name": "s", "ipaddress": "10.0.12.10"}],
            (),
            id="an IPSet that no virtual server carries, a virtual server without one",
        ),
        pytest.param(
            [{"name": "v", "ipv46": "0.0.0.0", "ipset": "s"}],
            [{"name": "s", "ipaddress": "10.0.12.10"}, {"name": "t", "ipaddress": "10.0.13.10"}],
            ("10.0.12.10",),
            id="not addressable itself; another IPSet",
        ),
        pytest.param(
            [{"name": name, "ipv46": "10.0.11.10", "ipset": "s"} for name in "vw"],
            [],
            ("10.0.11.10",),
            id="each address once",
        ),
        pytest.param(
            [{"name": "v", "ipv46": "10.0.11.10", "ipset": "s"}],
            [{"name": "s", "ipaddress": "2001:DB8:0:0::A/128"}],
            ("10.0.11.10", "2001:db8::a"),
            id="an IPv6 address, in canonical form and without its prefix length",
        ),
    ],
)
def test_served_addresses(vservers: list[Any], bindings: list[Any], served: tuple[str, ...]) -> None:
    assert served_addresses(vservers, bindings) == served


def test_a_node_as_the_module_returns_it() -> None:
    assert claim_result(PRIMARY, [SECONDARY]) == {
        "nsip": A,
        "reachable": True,
        "claim": "Primary",
        "node_state": "UP",
        "sync_state": "SUCCESS",
        "peer": B,
        "peer_state": "Secondary",
        "inc": True,
        "served_addresses": list(VIPS),
        "served_known": True,
        "error": None,
    }
    stranger = claim_result(node("node 0", A, "Primary", (OLD, "UNKNOWN")), [SECONDARY])
    assert (stranger["peer"], stranger["peer_state"]) == (OLD, "UNKNOWN")
    silent = claim_result(dead("node 1", ""), [PRIMARY])
    assert (silent["nsip"], silent["claim"], silent["peer"], silent["inc"]) == (None, None, None, None)
    assert "no connection" in silent["error"]
