"""Which call is struck by what: decided without a socket."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.lab.faults import Faults, Kill, Kind, parse


def test_the_nth_write_is_the_nth_of_all_sides_together() -> None:
    faults = Faults()
    faults.set(parse({"kill_at": 3, "pid": 4711, "when": "after"}))
    calls = [("aws", True), ("nitro", False), ("nitro", True), ("aws", False), ("aws", True), ("nitro", True)]
    verdicts = [faults.verdict(side, write) for side, write in calls]
    assert [verdict.number for verdict in verdicts] == [1, 0, 2, 0, 3, 4]
    assert [verdict.kill for verdict in verdicts] == [None, None, None, None, Kill(3, 4711, "after"), None]


def test_the_state_is_kept_at_writes_only() -> None:
    faults = Faults()
    faults.set(parse({"keep": "scenario"}))
    calls = [("aws", True), ("nitro", False), ("nitro", True)]
    assert [faults.verdict(side, write).keep for side, write in calls] == ["scenario/1", None, "scenario/2"]
    faults.set(parse({}))
    assert faults.verdict("aws", True).keep is None


def test_probabilities_are_kept() -> None:
    faults = Faults()
    chances: dict[Kind | None, float] = {"throttle": 0.2, "error": 0.1, "reset": 0.05, "hang": 0.05, "lose": 0.1}
    faults.set(parse({"aws": chances, "seed": 1}))
    observed = Counter(faults.verdict("aws", False).fault for _turn in range(4000))
    expected: dict[Kind | None, float] = {**chances, None: 0.5}
    assert set(observed) == set(expected)
    for kind, share in expected.items():
        assert abs(observed[kind] / 4000 - share) < 0.03
    assert {faults.verdict("nitro", False).fault for _turn in range(100)} == {None}


def test_a_seed_repeats_the_draws_of_a_side_whatever_the_other_does() -> None:
    def draws(disturb: bool) -> list[str | None]:
        faults = Faults()
        faults.set(parse({"aws": {"error": 0.5}, "nitro": {"error": 0.5}, "seed": 3}))
        found: list[str | None] = []
        for _turn in range(50):
            if disturb:
                faults.verdict("nitro", True)
            found.append(faults.verdict("aws", True).fault)
        return found

    assert draws(False) == draws(True)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"aws": {"throttle": 1.5}}, "aws.throttle must be a number from 0 to 1, not 1.5"),
        ({"aws": {"throttle": True}}, "aws.throttle must be a number"),
        ({"aws": {"throttle": "often"}}, "aws.throttle must be a number"),
        ({"aws": {"throttle": 0.6, "error": 0.6}}, "add up to 1.2, which is above 1"),
        ({"aws": {"explode": 0.1}}, "unknown fault explode: known are throttle"),
        ({"aws": 0.5}, "aws must be an object of probabilities"),
        ({"azure": {}}, "unknown key azure"),
        ({"seed": "x"}, "seed must be an integer"),
        ({"keep": 7}, "keep must be a name, not 7"),
        ({"kill_at": 0, "pid": 2000}, "kill_at must be a whole number from 1"),
        ({"kill_at": 1}, "pid must be a process id above 1"),
        ({"pid": 2000}, "kill_at must be a whole number"),
        ({"kill_at": 1, "pid": 1}, "pid must be a process id above 1"),
        ({"kill_at": 1, "pid": 2000, "when": "during"}, "when must be before or after"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(body: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse(body)


def test_an_empty_plan_is_none_at_all() -> None:
    faults = Faults()
    faults.set(parse({}))
    assert faults.verdict("aws", True).fault is None
    assert faults.state() == {"writes_seen": 1, "faults": {}, "seed": None, "keep": None, "held": [], "kill": None}
