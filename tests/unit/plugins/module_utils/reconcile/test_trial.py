"""A node as primary on trial: who may be tried, what it must have, how it is watched, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure, Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroUnreachable
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ha import ObservedHa
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_associations import Node
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_claims import Claim, Verdict, judge
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.trial import (
    Trial,
    VirtualServers,
    missing_problem,
    roles,
)

NSIPS = ("10.0.0.1", "10.0.1.1")
UP = {"name": "web", "curstate": "UP"}
DOWN = {"name": "web", "curstate": "DOWN"}


def claim(number: int, mine: str, theirs: str, *, status: str = "UP", sync: str = "ENABLED") -> Claim:
    rows = [
        {"id": "0", "ipaddress": NSIPS[number], "state": mine, "hastatus": status, "hasync": sync},
        {"id": "1", "ipaddress": NSIPS[1 - number], "state": theirs, "hastatus": "UP", "hasync": sync},
    ]
    return Claim(f"node {number}", NSIPS[number], True, ObservedHa.from_rows(rows), ("10.1.0.1",))


NODES = [Node(NSIPS[n], Instance(f"i-{n}", "running", tags={"cloudadc:node_id": str(n)}), f"i-{n}", n) for n in (0, 1)]
PAIR = [claim(0, "Primary", "Secondary"), claim(1, "Secondary", "Primary")]


@pytest.mark.parametrize("to", [0, 1])
def test_a_secondary_is_tried_without_synchronisation(to: int) -> None:
    verdict = judge(PAIR)
    assert not verdict.healthy
    assert roles("shop", NODES, PAIR, verdict, to) == (to, 1 - to)


def test_a_primary_is_only_watched_whatever_its_peer_does() -> None:
    silent = Claim("node 1", NSIPS[1], error="no answer")
    assert roles("shop", NODES, [PAIR[0], silent], Verdict(0, "node 0 is primary", healthy=False), 0) == (0, 1)


@pytest.mark.parametrize(
    ("claims", "verdict", "to", "reason"),
    [
        (PAIR, Verdict(None, "2 nodes claim to be primary", healthy=False), 1, "2 nodes claim to be primary"),
        ([PAIR[0], Claim("node 1", NSIPS[1])], Verdict(0, "node 0 is primary", healthy=False), 1, "cannot take over"),
        (
            [PAIR[0], claim(1, "Secondary", "Primary", status="PARTIALFAIL")],
            Verdict(0, "node 0 is primary", healthy=False),
            1,
            "cannot take over",
        ),
        (PAIR, judge(PAIR), 7, "has no node 7"),
    ],
)
def test_a_node_that_cannot_take_over_is_not_tried(claims: list[Claim], verdict: Verdict, to: int, reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        roles("shop", NODES, claims, verdict, to)


def test_virtual_servers_that_the_new_node_lacks_are_named() -> None:
    old, new = VirtualServers.of([UP, {"name": "by-hand", "curstate": "DOWN"}]), VirtualServers.of([DOWN])
    assert old.up == {"web"}
    assert "lacks the virtual servers by-hand, which" in str(missing_problem("shop", old, new))
    assert missing_problem("shop", new, old) is None


class FakeNode:
    """What a node says at each look: its role, and the state of its virtual server. The last one stays."""

    def __init__(self, *looks: tuple[str, str] | None, forced: Callable[[], None] = lambda: None) -> None:
        self.looks, self.forced = list(looks), forced
        self.connection = type("Connection", (), {"nsip": NSIPS[0]})()

    def get(self, resource: str) -> list[dict[str, Any]]:
        look = self.looks[0]
        if look is None:
            self._next()
            raise NitroUnreachable("10.0.0.1: no answer within 3 s")
        if resource == "hanode":
            if look[0] != "Primary":
                self._next()
            return [{"id": "0", "state": look[0]}, {"id": "1", "ipaddress": NSIPS[1]}]
        if resource == "csvserver":
            self._next()
            return []
        return [{"curstate": "UP"} if look[1] == "nonsense" else {"name": "web", "curstate": look[1]}]

    def act(self, resource: str, action: str, body: dict[str, Any]) -> None:
        assert (resource, action) == ("hafailover", "Force")
        self.forced()

    def _next(self) -> None:
        if len(self.looks) > 1:
            self.looks.pop(0)


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def trial(node: FakeNode, peer: FakeNode | None = None, move: str | None = None) -> tuple[Trial, Time]:
    time = Time()
    given = {"switch_timeout": 30, "serve_timeout": 60, "bake_time": 100, "clock": time.clock, "sleep": time.sleep}
    other = peer or FakeNode(("Secondary", "UP"))
    return Trial(node, other, lambda: move, frozenset({"web"}), **given), time  # type: ignore[arg-type]


GOOD, BAD = ("Primary", "UP"), ("Primary", "DOWN")


@pytest.mark.parametrize(
    ("looks", "trouble", "seconds"),
    [
        ([GOOD], None, 100),
        ([BAD, BAD, GOOD], None, 102),  # services come UP after a moment
        ([GOOD, GOOD, BAD, BAD, GOOD], None, 100),
        ([GOOD, None, GOOD], None, 100),
        ([BAD], "virtual server web is not UP", 60),
        ([GOOD, GOOD, BAD], "virtual server web is not UP", 15),
        ([GOOD, GOOD, None], "no answer within 3 s", 15),
        ([GOOD, GOOD, ("Primary", "nonsense")], "list of virtual servers makes no sense", 15),
        ([GOOD, ("Secondary", "UP")], "it says Secondary", 10),
    ],
)
def test_a_node_serves_for_the_whole_bake_time_or_fails(looks: list[Any], trouble: str | None, seconds: float) -> None:
    tried, time = trial(FakeNode(*looks))
    found = tried.watch()
    assert (found is None) if trouble is None else (trouble in str(found))
    assert time.now == seconds


def test_an_address_that_did_not_move_ends_the_trial() -> None:
    tried, _time = trial(FakeNode(GOOD), FakeNode(("Primary", "UP")), move="192.0.2.1 is not there")
    with pytest.raises(Failure, match="is not there"):
        tried.switch()


@pytest.mark.parametrize(
    ("node", "peer", "words", "forced"),
    [
        (BAD, ("Secondary", "UP"), "the old primary serves again", True),
        (None, GOOD, "the old primary serves again", False),
        (BAD, None, "there is no way back: the nodes say Primary and No answer", False),
        (None, ("Secondary", "UP"), "there is no way back: the nodes say No answer and Secondary", False),
    ],
)
def test_the_way_back(node: Any, peer: Any, words: str, forced: bool) -> None:
    calls: list[int] = []
    other = FakeNode(peer)

    def force() -> None:
        calls.append(1)
        other.looks = [GOOD]

    tried, _time = trial(FakeNode(node, forced=force), other)
    assert tried.back() == words
    assert bool(calls) is forced
