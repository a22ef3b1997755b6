"""Calls that the lab holds: it shows them, lets them go on, and carries them out when their caller has left."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from tests.lab import holds
from tests.lab.client import wait_for

from .test_fault_proxy import Bench, bench

__all__ = ["bench"]


def in_background(bench: Bench, path: str, seconds: float = 5) -> list[object]:
    """Post, and return a list that gets the status, or the exception."""
    got: list[object] = []

    def post() -> None:
        try:
            got.append(requests.post(f"{bench.url}{path}", timeout=seconds).status_code)
        except requests.RequestException as error:
            got.append(type(error))

    threading.Thread(target=post, daemon=True).start()
    return got


@pytest.mark.parametrize(("when", "done"), [("before", []), ("after", ["/w"])])
def test_a_held_call_goes_on_when_it_is_released(bench: Bench, when: str, done: list[str]) -> None:
    bench.plan(hold={"op": "POST /w", "when": when})
    got = in_background(bench, "/w")
    wait_for(lambda: bench.faults.state()["held"] == ["POST /w"], "the call is held")
    assert bench.side.done == done
    assert requests.post(f"{bench.url}/other", timeout=5).status_code == 201
    assert requests.post(f"{bench.url}/w", timeout=5).status_code == 201, "one call is held, not the next"
    bench.faults.holds.release()
    wait_for(lambda: got == [201], "it is answered")
    assert bench.faults.state()["held"] == []
    assert bench.calls()[-1]["fault"] == f"held {when}"


def test_a_held_call_is_carried_out_though_its_caller_has_left(bench: Bench) -> None:
    bench.plan(hold={"op": "POST /w"})
    got = in_background(bench, "/w", seconds=0.2)
    wait_for(lambda: got == [requests.exceptions.ReadTimeout], "the caller gives up")
    assert bench.side.done == []
    bench.faults.holds.release()
    wait_for(lambda: bench.side.done == ["/w"], "it is carried out")


def test_a_held_call_may_be_dropped_and_ends_by_its_time(bench: Bench) -> None:
    bench.plan(hold=[{"op": "POST /w", "skip": 1, "seconds": 0.2, "then": "drop"}])
    assert requests.post(f"{bench.url}/w", timeout=5).status_code == 201
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{bench.url}/w", timeout=5)
    assert time.monotonic() - began >= 0.2
    assert bench.side.done == ["/w"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "hold takes"),
        ({"op": "X", "whan": "after"}, "unknown key whan"),
        ({"op": "X", "when": "now"}, "hold.when must be before or after"),
        ({"op": "X", "then": "die"}, "hold.then must be carry_out or drop"),
        ({"op": "X", "count": 0}, "hold.count must be a whole number from 1"),
        ({"op": "X", "seconds": 301}, "hold.seconds must be a number above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(given: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        holds.parse(given)
