"""Handing the primary role over: who must, who has, who cannot; and over HTTP, when it is seen to have happened."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroError,
    NitroInputError,
    NitroTimeout,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.switchover import (
    ADVICE,
    Node,
    due,
    hand_over,
    host,
    observation,
    swapped,
    went_back,
)
from tests.unit.plugins.module_utils.nitro.scripted import DONE, LOGIN, LOGOUT, RESET, Scripted, serving

A, B = "10.0.1.10", "10.0.11.10"


def node(nsip: str, state: str, *peers: str) -> Node:
    return Node(nsip, state, peers or ((B,) if nsip == A else (A,)))


def hanode(state: str) -> tuple[int, dict[str, Any]]:
    rows = [{"id": "0", "ipaddress": A, "state": state}, {"id": "1", "ipaddress": B, "state": "whatever"}]
    return 200, {**DONE, "hanode": rows}


def client(script: Scripted) -> NitroClient:
    connection = Connection(script.nsip, password="s3cret-of-the-test", protocol="http", timeout=5.0)
    return NitroClient(connection, sleep=lambda seconds: None)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("10.0.1.10", "10.0.1.10"),
        ("10.0.1.10:8443", "10.0.1.10"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("vpx.example.net:443", "vpx.example.net"),
    ],
)
def test_the_address_of_a_nsip(given: str, address: str) -> None:
    assert host(given) == address


@pytest.mark.parametrize(("mine", "theirs", "must"), [("PRIMARY", "SECONDARY", True), ("SECONDARY", "PRIMARY", False)])
def test_the_primary_hands_over_and_the_secondary_has(mine: str, theirs: str, must: bool) -> None:
    assert due(node(A, mine), node(B, theirs)) is must


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [("PRIMARY", "PRIMARY"), ("SECONDARY", "SECONDARY"), ("UNKNOWN", "SECONDARY"), ("PRIMARY", "STAYSECONDARY")],
)
def test_nothing_is_decided_when_it_is_not_clear_who_is_primary(mine: str, theirs: str) -> None:
    with pytest.raises(NitroInputError) as refusal:
        due(node(A, mine), node(B, theirs))
    assert f"{A} says {mine.capitalize()}, {B} says {theirs.capitalize()}; nothing was changed" in str(refusal.value)


@pytest.mark.parametrize(
    ("this", "other", "message"),
    [
        (Node(A, "PRIMARY", ()), node(B, "SECONDARY"), f"{A} knows no peer at all"),
        (node(A, "PRIMARY"), Node(B, "SECONDARY", ("10.9.9.9",)), f"{B} knows 10.9.9.9"),
    ],
)
def test_nodes_that_are_no_pair_are_named(this: Node, other: Node, message: str) -> None:
    with pytest.raises(NitroInputError, match=re.escape(message)):
        due(this, other)


def test_after_the_failover_the_states_are_exchanged() -> None:
    this, other = swapped((node(A, "PRIMARY"), node(B, "SECONDARY")))
    assert (this.state, other.state) == ("SECONDARY", "PRIMARY")
    assert this.result() == {"nsip": A, "master_state": "Secondary"}


def test_a_node_is_asked_once_and_says_what_it_is() -> None:
    with serving(LOGIN, hanode("Primary"), LOGOUT) as script:
        with client(script) as nitro:
            observed = observation(nitro)
        assert (observed.state, observed.peers) == ("PRIMARY", (B,))
        assert script.calls == ["POST /config/login", "GET /config/hanode", "POST /config/logout"]


def test_it_returns_as_soon_as_the_other_node_is_primary() -> None:
    pauses: list[float] = []
    answers = [LOGIN, hanode("Secondary"), hanode("Claiming"), hanode("Primary"), LOGOUT]
    with serving(LOGIN, (200, DONE), LOGOUT) as old, serving(*answers) as new:
        with client(old) as this, client(new) as other:
            hand_over(this, other, 30, sleep=pauses.append)
        assert old.calls[1] == "POST /config/hafailover?action=Force"
        assert old.asked[1].body == {"hafailover": {"force": True}}
        assert new.calls.count("GET /config/hanode") == 3
        assert len(pauses) == 2


def test_a_lost_answer_to_the_command_is_decided_by_the_other_node() -> None:
    with serving(LOGIN, RESET, LOGOUT) as old, serving(LOGIN, hanode("Primary"), LOGOUT) as new:
        with client(old) as this, client(new) as other:
            hand_over(this, other, 30)
        assert old.calls.count("POST /config/hafailover?action=Force") == 1, "a failover must not be forced twice"


@pytest.mark.parametrize("code", sorted(ADVICE))
def test_a_refusal_says_what_to_do(code: int) -> None:
    refusal = (599, {"errorcode": code, "message": "the appliance's words", "severity": "ERROR"})
    with serving(LOGIN, refusal, LOGOUT) as old, serving() as new, client(old) as this, client(new) as other:
        with pytest.raises(NitroError) as error:
            hand_over(this, other, 30)
        assert f"{code} the appliance's words" in str(error.value)
        assert str(error.value).endswith(f"{ADVICE[code]}; nothing was changed")
        assert error.value.code == code
        assert new.calls == [], "the other node has nothing to say to a refusal"


def test_an_unknown_refusal_goes_through_as_it_is() -> None:
    refusal = (599, {"errorcode": 257, "message": "Operation not permitted", "severity": "ERROR"})
    with (
        serving(LOGIN, refusal, LOGOUT) as old,
        serving() as new,
        client(old) as this,
        client(new) as other,
        pytest.raises(NitroError, match=r"257 Operation not permitted \(HTTP 599\)$"),
    ):
        hand_over(this, other, 30)


def test_a_peer_that_never_becomes_primary_ends_the_wait_with_what_it_says() -> None:
    times = iter([0.0, 0.0, 0.0, 31.0, 31.0])
    with (
        serving(LOGIN, (200, DONE), LOGOUT) as old,
        serving(LOGIN, hanode("Secondary"), hanode("Secondary"), LOGOUT) as new,
        client(old) as this,
        client(new) as other,
        pytest.raises(NitroTimeout, match=r"was to become primary but says Secondary \(waited 30 s\)"),
    ):
        hand_over(this, other, 30, clock=lambda: next(times), sleep=lambda seconds: None)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("SECONDARY", "PRIMARY", None),
        ("PRIMARY", "SECONDARY", "10.0.2.10 says Secondary"),
        ("PRIMARY", "PRIMARY", "10.0.1.10 says Primary"),
        ("UNKNOWN", "PRIMARY", None),
    ],
)
def test_roles_that_went_back_after_the_failover_are_told(first: str, second: str, message: str | None) -> None:
    found = went_back((Node("10.0.1.10", first, ("10.0.2.10",)), Node("10.0.2.10", second, ("10.0.1.10",))))
    assert (found is None) if message is None else (message in str(found))
