"""Whether an address may be taken from a running node: the table of what each witness says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ha import ObservedHa
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_claims import Claim
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_evidence import contest, doubt, handed_over

A, B = "10.0.1.10", "10.0.2.10"


def winner(peer: tuple[str, str] | None, dead_interval: int | None = 3) -> Claim:
    """Node 1 says Primary. ``peer``: the role and the state that it gives node 0."""
    rows = [{"id": "0", "ipaddress": B, "state": "Primary", "hastatus": "UP", "deadinterval": dead_interval}]
    if peer:
        rows.append({"id": "1", "ipaddress": A, "state": peer[0], "hastatus": peer[1]})
    return Claim("node 1", B, True, ObservedHa.from_rows(rows), ("10.0.12.10",))


def silent(seconds: float, tries: int) -> Claim:
    return Claim("node 0", A, error="no answer within 1 s", silent_seconds=seconds, tries=tries)


def dark(seconds: float, tries: int) -> Claim:
    return replace(silent(seconds, tries), dark="no TCP answer at 203.0.113.1:443 (last answer 4.0 s ago)")


def says(state: str, *, peer: bool = True, served: tuple[str, ...] | None = ("10.0.11.10",)) -> Claim:
    rows = [{"id": "0", "ipaddress": A, "state": state, "hastatus": "UP"}]
    if peer:
        rows.append({"id": "1", "ipaddress": B, "state": "UNKNOWN", "hastatus": "DOWN"})
    return Claim("node 0", A, True, ObservedHa.from_rows(rows), served)


MUTE = Claim("node 0", A, True, error="354 Invalid username or password")
DOWN = winner(("UNKNOWN", "DOWN"))


@pytest.mark.parametrize(
    ("who", "loser", "text"),
    [
        pytest.param(DOWN, silent(3.0, 3), None, id="silent for long, and its peer says DOWN"),
        pytest.param(DOWN, silent(0.2, 1), "0.2 s and to 1 questions (3 s and 3 are needed)", id="one late answer"),
        pytest.param(DOWN, silent(2.9, 9), "2.9 s", id="many questions in too short a time"),
        pytest.param(DOWN, silent(60.0, 2), "to 2 questions", id="long, but hardly asked"),
        pytest.param(winner(("UNKNOWN", "DOWN"), 10), silent(5, 9), "10 s", id="a longer dead interval"),
        pytest.param(winner(("UNKNOWN", "DOWN"), None), silent(3, 3), None, id="no dead interval told"),
        pytest.param(winner(("Primary", "UP")), silent(9, 9), "Primary, UP, not DOWN", id="heard as primary"),
        pytest.param(winner(("UNKNOWN", "UNKNOWN")), silent(9, 9), "not DOWN", id="its peer never heard it"),
        pytest.param(winner(None), silent(9, 9), "not my peer", id="a winner without a peer"),
        pytest.param(winner(("UNKNOWN", "UNKNOWN")), dark(9, 9), None, id="no TCP answer at the address itself"),
        pytest.param(winner(None), dark(9, 9), None, id="a winner without a peer that was accepted, and no TCP answer"),
        pytest.param(
            winner(("UNKNOWN", "UNKNOWN")), dark(2.9, 9), "2.9 s", id="no TCP answer, but too short a silence"
        ),
        pytest.param(
            winner(("Primary", "UP")), dark(9, 9), "no TCP answer at 203.0.113.1:443", id="TCP against heartbeats"
        ),
        pytest.param(winner(("Secondary", "UP")), silent(0.2, 1), None, id="its peer hears it as secondary"),
        pytest.param(winner(("Secondary", "UP")), MUTE, None, id="a password refused, its peer hears it as secondary"),
        pytest.param(DOWN, MUTE, "it answers but does not say what it is (354", id="a password refused"),
        pytest.param(DOWN, says("Secondary"), None, id="it says Secondary itself"),
        pytest.param(DOWN, says("Primary", peer=False, served=()), None, id="freshly installed"),
        pytest.param(DOWN, says("Primary"), "it answers", id="it says Primary too"),
        pytest.param(
            DOWN, replace(silent(0, 0), idle="instance i-1 is stopped"), None, id="EC2 says that it does not run"
        ),
    ],
)
def test_address_is_taken_only_with_two_witnesses(who: Claim, loser: Claim, text: str | None) -> None:
    found = doubt(who, loser, [loser, who])
    if text is None:
        assert found is None, found
    else:
        assert found is not None
        assert text in found.message
        assert "EC2 shows node 0 (10.0.1.10) running" in found.message


LATE = replace(Claim("node 0", A, True, error="10.0.1.10:443: its answer is late"), late=True)


@pytest.mark.parametrize(
    ("who", "other", "said"),
    [
        pytest.param(DOWN, silent(0.3, 1), "0.3 s and to 1 questions", id="a late answer in a split brain"),
        pytest.param(DOWN, LATE, "its answer is late", id="alive, and its answer is on the way"),
        pytest.param(winner(("Primary", "UP")), silent(9, 9), "Primary, UP", id="the winner hears another primary"),
        pytest.param(DOWN, silent(3, 3), None, id="dead"),
        pytest.param(
            winner(("UNKNOWN", "UNKNOWN")), silent(3, 3), None, id="silent for long, nothing is taken from it"
        ),
        pytest.param(winner(("Secondary", "UP")), silent(0.3, 1), None, id="its peer hears it as secondary"),
        pytest.param(DOWN, MUTE, None, id="a rebuilt node refuses the password"),
        pytest.param(DOWN, says("Secondary"), None, id="it says Secondary itself"),
        pytest.param(DOWN, replace(silent(0, 0), idle="instance i-1 is stopped"), None, id="it does not run"),
    ],
)
def test_node_that_may_be_primary_too_makes_the_verdict_undecidable(who: Claim, other: Claim, said: str | None) -> None:
    found = contest(who, other)
    if said is None:
        assert found is None, found
    else:
        assert found is not None
        assert said in found.message
        assert "node 1 says of it" in found.message


NODE = {"nsip": A, "silent_seconds": 2.5, "tries": 4}


@pytest.mark.parametrize(
    ("age", "counts"), [(0.0, True), (9.9, True), (10.1, False), (-0.9, True), (-5.0, False), (3600.0, False)]
)
def test_silence_of_others_counts_while_it_is_fresh(age: float, counts: bool) -> None:
    found, stale = handed_over({"at": 1000.0, "nodes": [NODE]}, 1000.0 + age)
    assert (set(found), stale is None) == ({A} if counts else set(), counts)
    if stale:
        assert "they are observed again" in stale
    for silence in found.values():
        assert (silence.seconds, silence.tries, silence.standing) == (2.5, 4, False)


def test_evidence_about_nodes_that_answer_is_none() -> None:
    assert handed_over(None, 0.0) == ({}, None)
    answering = {**NODE, "silent_seconds": 0.0}
    assert handed_over({"at": 5.0, "nodes": [answering, {**NODE, "reachable": True}]}, 5.0) == ({}, None)
