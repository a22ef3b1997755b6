"""Events of a pair: the table, and that no lasting condition is missed or reported twice."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Association
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ha import ObservedHa
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_claims import Claim, judge
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.events import (
    Event,
    Lasting,
    Memory,
    Misplaced,
    PairObservation,
    Reported,
    Watched,
    confirmed,
    follow,
    settle,
)

NSIPS = ("10.0.1.10", "10.0.2.10")
LASTING = Lasting(lost=1.0, returned=5.0, misplaced=5.0, no_primary=10.0)
HERE = Misplaced("192.0.2.1", "eipalloc-1", Association("eni-a", "10.0.11.10"), Association("eni-b", "10.0.12.10"))
NOWHERE = Misplaced("192.0.2.2", "eipalloc-2", None, Association("eni-b", "10.0.12.11"))


def node(number: int, says: str | None, silent_since: float | None = None, instance: str = "") -> Watched:
    """Return a node that says Primary or Secondary; None: it does not answer."""
    claim = Claim(f"node {number}", NSIPS[number], error="no answer within 1 s")
    if says is not None:
        rows = [
            {"id": "0", "ipaddress": NSIPS[number], "state": says, "hastatus": "UP"},
            {"id": "1", "ipaddress": NSIPS[1 - number], "state": "Secondary", "hastatus": "UP"},
        ]
        claim = Claim(f"node {number}", NSIPS[number], reachable=True, view=ObservedHa.from_rows(rows))
    return Watched(number, instance or f"i-{number}", claim, silent_since)


def observation(
    now: float, first: str | None, second: str | None, misplaced: frozenset[Misplaced] | None = None, **more: Any
) -> PairObservation:
    silent = more.get("silent_since", now)
    nodes = tuple(
        node(number, says, None if says else silent, more.get(f"instance_{number}", ""))
        for number, says in enumerate((first, second))
    )
    return PairObservation(now, nodes, judge([each.claim for each in nodes]), misplaced)


def report(*observations: PairObservation, memory: Memory | None = None) -> list[list[str]]:
    """Return the types of the events of each look, one after the other."""
    memory, reported = memory or Memory(begun=True), []
    for each in observations:
        memory, events = follow(memory, each, LASTING)
        reported.append([event["type"] for event in events])
    return reported


P, S = "Primary", "Secondary"
NOTHING: list[str] = []


@pytest.mark.parametrize(
    ("observations", "reported"),
    [
        pytest.param([observation(0, P, S), observation(1, P, S)], [NOTHING, NOTHING], id="all is well"),
        pytest.param(
            [
                observation(0, P, S),
                observation(1, None, S),
                observation(2, None, S, silent_since=1),
                observation(3, None, S),
            ],
            [NOTHING, NOTHING, ["node_lost"], NOTHING],
            id="lost, once",
        ),
        pytest.param(
            [observation(0, P, S), observation(2, None, S, silent_since=1)],
            [NOTHING, ["node_lost"]],
            id="silent for as long as asked",
        ),
        pytest.param(
            [observation(0, P, S), observation(1, None, S), observation(1.5, P, S), observation(2.2, None, S)],
            [NOTHING, NOTHING, NOTHING, NOTHING],
            id="short silences do not add up",
        ),
        pytest.param(
            [observation(0, P, S), observation(2, None, S, silent_since=0.5), observation(3, None, P)],
            [NOTHING, ["node_lost"], ["primary_changed"]],
            id="a failover",
        ),
        pytest.param([observation(0, P, S), observation(1, S, P)], [NOTHING, ["primary_changed"]], id="a planned one"),
        pytest.param(
            [observation(0, P, S), observation(1, S, S), observation(2, P, S)],
            [NOTHING] * 3,
            id="the same primary after a moment without",
        ),
        pytest.param(
            [observation(0, P, S), observation(1, P, P), observation(2, S, P)],
            [NOTHING, NOTHING, ["primary_changed"]],
            id="two primaries for a moment",
        ),
        pytest.param(
            [
                observation(0, P, S),
                observation(1, P, P),
                observation(10.9, P, P),
                observation(11, P, P),
                observation(30, P, P),
                observation(31, P, S),
            ],
            [NOTHING, NOTHING, NOTHING, ["no_primary"], NOTHING, NOTHING],
            id="two primaries for long",
        ),
        pytest.param(
            [observation(0, P, S), observation(1, P, S, instance_0="i-9")],
            [NOTHING, ["primary_changed"]],
            id="rebuilt as primary",
        ),
        pytest.param(
            [
                observation(0, None, P),
                observation(1, None, P, silent_since=0),
                observation(2, S, P),
                observation(6.9, S, P),
                observation(7, S, P),
                observation(8, S, P),
            ],
            [NOTHING, ["node_lost"], NOTHING, NOTHING, ["node_returned"], NOTHING],
            id="back, once it has lasted",
        ),
        pytest.param(
            [
                observation(0, S, P, frozenset({HERE})),
                observation(4, S, P, frozenset({HERE})),
                observation(5, S, P, frozenset({HERE})),
            ],
            [NOTHING, NOTHING, ["eip_astray"]],
            id="misplaced for long enough",
        ),
        pytest.param(
            [observation(0, S, P, frozenset({HERE})), observation(3, S, P), observation(9, S, P)],
            [NOTHING, NOTHING, NOTHING],
            id="what AWS said long ago proves nothing",
        ),
        pytest.param(
            [
                observation(0, S, P, frozenset({HERE})),
                observation(3, S, P, frozenset()),
                observation(5, S, P, frozenset({HERE})),
            ],
            [NOTHING, NOTHING, NOTHING],
            id="misplaced for a moment, twice",
        ),
    ],
)
def test_observations_become_events(observations: list[PairObservation], reported: list[list[str]]) -> None:
    assert report(*observations) == reported


def test_another_set_is_a_new_event_and_the_end_is_reported() -> None:
    both = frozenset({HERE, NOWHERE})
    one = frozenset({HERE})
    observations = [
        observation(float(now), S, P, misplaced)
        for now, misplaced in ((0, one), (5, one), (6, both), (11, both), (12, both))
    ]
    assert report(*observations, observation(13, S, P, frozenset()), observation(14, S, P, frozenset())) == [
        NOTHING,
        ["eip_astray"],
        NOTHING,
        ["eip_astray"],
        NOTHING,
        ["eip_settled"],
        NOTHING,
    ]


def events(*observations: PairObservation) -> list[Event]:
    memory, found = Memory(begun=True), []
    for each in observations:
        memory, changes = follow(memory, each, LASTING)
        found += changes
    return found


def test_what_events_say() -> None:
    lost, changed = events(observation(0, P, S), observation(1, None, S, silent_since=0), observation(3, None, P))
    first = {"node_id": 0, "instance_id": "i-0", "nsip": NSIPS[0]}
    assert lost["was_primary"] is True
    assert lost["node"] == first
    assert lost["reason"] == "no answer within 1 s"
    assert lost["primary"] is None
    assert [each["claim"] for each in lost["nodes"]] == [None, "Secondary"]
    assert changed["previous"] == first
    assert changed["primary"] == {"node_id": 1, "instance_id": "i-1", "nsip": NSIPS[1]}
    assert "node 1 (10.0.2.10) says Primary" in changed["verdict"]
    [misplaced] = events(*(observation(now, S, P, frozenset({NOWHERE, HERE})) for now in (0.0, 5.0)))
    assert [one["elastic_ip"] for one in misplaced["elastic_ips"]] == ["192.0.2.1", "192.0.2.2"]
    assert misplaced["elastic_ips"][1]["network_interface_id"] is None
    assert misplaced["elastic_ips"][1]["wanted"] == {
        "network_interface_id": "eni-b",
        "private_ip_address": "10.0.12.11",
    }


def test_the_first_look_is_told_whatever_it_shows() -> None:
    assert report(observation(0, P, S), observation(1, P, S), memory=Memory()) == [["watching"], NOTHING]
    assert report(observation(0, None, None), observation(1, P, S), memory=Memory()) == [["watching"], NOTHING]
    assert report(observation(2, None, P, silent_since=0), memory=Memory()) == [["watching", "node_lost"]]


def test_a_lost_secondary_was_not_primary() -> None:
    [lost] = events(observation(0, P, S), observation(2, P, None, silent_since=1))
    assert lost["was_primary"] is False
    assert lost["node"]["node_id"] == 1


def test_hurry_only_while_something_is_on_its_way() -> None:
    memory, found = follow(Memory(), observation(0, P, S), LASTING)
    assert memory.calm
    for now, first, second, calm in (
        (1.0, None, S, False),  # perhaps lost
        (2.0, None, S, False),  # lost, but who is primary?
        (4.0, None, P, True),
        (90.0, None, P, True),  # lost for long
    ):
        memory, found = follow(memory, observation(now, first, second, silent_since=1.0), LASTING)
        assert memory.calm is calm, (now, found)


VALUES = st.lists(st.tuples(st.floats(0.05, 4), st.sampled_from("abc")), min_size=1, max_size=60)


@settings(max_examples=200, deadline=None)
@given(VALUES, st.floats(0, 3))
def test_what_lasts_is_told_and_nothing_twice(steps: list[tuple[float, str]], lasts: float) -> None:
    """``steps``: seconds to the next look, and the value then."""
    reported, now, message = Reported("a"), 0.0, ["a"]
    run_value, run_since = "a", 0.0
    for pause, value in steps:
        now += pause
        reported, is_new = settle(reported, value, now, lasts)
        if value != run_value:
            run_value, run_since = value, now
        if is_new:
            message.append(value)
        if now - run_since >= lasts:
            assert message[-1] == run_value, "a value that lasted was not told"
    assert all(one != other for one, other in itertools.pairwise(message)), "told twice"


def heard(
    first: str | None, second: str | None, *, silent_for: float = 0.0, tries: int = 0, down: bool = True
) -> PairObservation:
    """Node 1 as it says Primary; ``down``: what it says of node 0, as far as that one does not answer."""
    found = observation(100.0, first, second, silent_since=100.0 - silent_for)
    nodes = [replace(each, tries=tries) if each.claim.view is None else each for each in found.nodes]
    rows = [
        {"id": "0", "ipaddress": NSIPS[1], "state": second, "hastatus": "UP"},
        {"id": "1", "ipaddress": NSIPS[0], "state": "UNKNOWN", "hastatus": "DOWN" if down else "UP"},
    ]
    if first is None:
        nodes[1] = replace(nodes[1], claim=replace(nodes[1].claim, view=ObservedHa.from_rows(rows)))
    return replace(found, nodes=tuple(nodes))


@pytest.mark.parametrize(
    ("known", "now", "primary"),
    [
        pytest.param(0, heard(None, P, silent_for=0.2, tries=1), None, id="one late answer"),
        pytest.param(0, heard(None, P, silent_for=9, tries=9, down=False), None, id="silent, but its peer hears it"),
        pytest.param(0, heard(None, P, silent_for=3, tries=2), None, id="hardly asked"),
        pytest.param(0, heard(None, P, silent_for=3, tries=3), 1, id="silent for long, and its peer says DOWN"),
        pytest.param(None, heard(None, P, silent_for=0.2, tries=1), None, id="at the start too"),
        pytest.param(0, heard(S, P), 1, id="a planned failover"),
        pytest.param(1, heard(None, P, silent_for=0.2, tries=1), 1, id="the same primary needs no proof"),
    ],
)
def test_change_is_confirmed_by_two_witnesses(known: int | None, now: PairObservation, primary: int | None) -> None:
    memory = Memory(begun=True, primary=None if known is None else now.nodes[known])
    found = confirmed(memory, now.nodes, now.verdict, now.now)
    assert found.primary == primary
    if primary is None:
        assert "it cannot be decided who is primary" in found.message


def test_tries_are_questions_and_not_notes() -> None:
    """A late answer is noted twice: when it is late, and when it comes."""
    silent = Claim("node 0", NSIPS[0], error="no answer within 1 s")
    watched = Watched(0, "i-0", silent)
    for asked in (1.0, 1.0, 2.0, 3.0, 3.0):
        watched = watched.noted(silent, asked)
    assert (watched.tries, watched.silent_since) == (3, 1.0)
    assert watched.claim_at(4.0).silent_seconds == 3.0
    answered = watched.noted(observation(0, P, S).nodes[0].claim, 4.0)
    assert (answered.tries, answered.silent_since) == (0, None)


def refusing(now: float, *refused: int) -> PairObservation:
    """Nodes that answer; those with these numbers refuse the login."""
    nodes = tuple(
        replace(
            node(number, None),
            silent_since=0.0,
            claim=Claim(f"node {number}", NSIPS[number], reachable=True, error="354: Invalid username or password"),
        )
        if number in refused
        else node(number, "Primary" if number == 0 else "Secondary")
        for number in (0, 1)
    )
    return PairObservation(now, nodes, judge([each.claim for each in nodes]))


def test_refused_login_is_reported_at_once_and_each_minute_while_it_lasts() -> None:
    memory, reported = Memory(begun=True), []
    for now in (0.0, 10.0, 50.0, 60.0, 70.0, 119.0, 120.0):
        memory, events = follow(memory, refusing(now, 0, 1), LASTING)
        reported += [(now, e["node"]["node_id"], e["reason"]) for e in events if e["type"] == "login_refused"]
    reason = "354: Invalid username or password"
    assert reported == [(now, number, reason) for now in (0.0, 60.0, 120.0) for number in (0, 1)]
    memory, events = follow(memory, refusing(121.0), LASTING)
    assert "login_refused" not in {event["type"] for event in events}
    _memory, events = follow(memory, refusing(122.0, 1), LASTING)
    assert [e["node"]["node_id"] for e in events if e["type"] == "login_refused"] == [1]


def test_silent_node_is_not_reported_as_a_refused_login() -> None:
    _memory, events = follow(Memory(begun=True), observation(5.0, "Primary", None, silent_since=0.0), LASTING)
    assert "login_refused" not in {event["type"] for event in events}
