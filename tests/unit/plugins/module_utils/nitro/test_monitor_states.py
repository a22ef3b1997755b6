"""What the monitors of an appliance say of back ends, and what a person reads of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.monitor_states import MOST_READ, likely, states
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.backend_report import backend_report

GROUP = "web-sg"


class Appliance:
    """Members whose states change with each look; ``said``: last response by servicegroupentname2."""

    def __init__(self, *looks: dict[str, str], said: Mapping[str, str] | None = None) -> None:
        self.looks, self.said, self.asked = list(looks), said or {}, 0
        self.filters: list[str] = []

    def get(self, resource: str, name: Any = None, *, args: Any = None, filters: Any = None) -> list[dict[str, Any]]:
        assert name == GROUP
        if filters:
            entity = filters["servicegroupentname2"]
            self.filters.append(entity)
            row = {"monitor_state": "DOWN", "monitor_name": "tcp", "lastresponse": self.said.get(entity, "")}
            return [{"monitor_state": "UP", "lastresponse": "Success"}, row]
        look = self.looks[min(self.asked, len(self.looks) - 1)]
        self.asked += 1
        return [{"ip": ip, "port": 80, "servername": f"s-{ip}", "svrstate": state} for ip, state in look.items()]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def _states(appliance: Appliance, timeout: float = 0.0) -> list[dict[str, Any]]:
    clock = Clock()
    return states(appliance, GROUP, timeout, clock=clock, sleep=clock.sleep)


def test_a_member_that_comes_up_in_time_has_no_reason() -> None:
    appliance = Appliance({"10.0.3.1": "DOWN"}, {"10.0.3.1": "DOWN"}, {"10.0.3.1": "UP"})
    assert _states(appliance, 10) == [{"address": "10.0.3.1", "port": 80, "state": "UP", "reason": None}]
    assert (appliance.asked, appliance.filters) == (3, [])


def test_members_that_stay_down_are_looked_at_for_so_long_and_no_longer() -> None:
    appliance = Appliance({"10.0.3.1": "DOWN"})
    _states(appliance, 3)
    assert appliance.asked == 4


def test_members_that_were_just_read_are_not_read_again() -> None:
    appliance = Appliance({"10.0.3.1": "UP"}, said={"web-sg?s-10.0.3.1?80": "Failure - Probe timed out"})
    first = [{"ip": "10.0.3.1", "port": 80, "servername": "s-10.0.3.1", "svrstate": "DOWN"}]
    [found] = states(appliance, GROUP, first=first)
    assert (found["state"], appliance.asked, len(appliance.filters)) == ("DOWN", 0, 1)


def test_the_reason_of_a_member_that_is_down_is_its_failing_monitors() -> None:
    said = {"web-sg?s-10.0.3.2?80": "Failure - TCP syn sent, reset received."}
    found = _states(Appliance({"10.0.3.1": "UP", "10.0.3.2": "DOWN"}, said=said))
    assert [one["reason"] for one in found] == [
        None,
        "Failure - TCP syn sent, reset received (nothing listens at this port of the server)",
    ]


def test_monitors_of_no_more_than_eight_members_are_read() -> None:
    appliance = Appliance({f"10.0.3.{number}": "DOWN" for number in range(1, 21)})
    _states(appliance)
    assert len(appliance.filters) == MOST_READ


@pytest.mark.parametrize(
    ("response", "meaning"),
    [
        ("Failure - TCP syn sent, reset received", "nothing listens"),
        ("Failure - Time out during TCP connection establishment stage", "security groups do not admit the SNIP"),
        ("Failure - Probe timed out", "security groups do not admit the SNIP"),
        ("Failure - TCP connection successful, but application timed out", "answers no request"),
        ("Failure - HTTP response code 404 received", "otherwise than the monitor expects"),
    ],
)
def test_a_response_is_returned_with_its_likely_meaning(response: str, meaning: str) -> None:
    assert response in likely(response)
    assert meaning in likely(response)


def test_an_unknown_response_is_returned_as_it_is() -> None:
    assert likely("Failure - 42") == "Failure - 42"


def _backend(address: str, state: str | None, reason: str | None = None) -> dict[str, Any]:
    return {"address": address, "port": 80, "state": state, "reason": reason}


def test_the_report_names_each_back_end_that_is_down_by_node() -> None:
    good, bad = _backend("10.0.3.1", "UP"), _backend("10.0.3.2", "DOWN", "no answer")
    application = {
        "name": "web",
        "backends": [good, bad],
        "observers": [{"nsip": "10.0.2.10:443", "backends": [good, {**bad, "reason": None}]}],
    }
    assert backend_report({"nodes": [{"nsip": "10.0.1.10:443", "application": application}]}, "a ") == [
        "a web: 1 of 2 back ends are UP on 10.0.1.10",
        "a web: back end 10.0.3.2:80 is DOWN on 10.0.1.10: no answer",
        "a web: 1 of 2 back ends are UP on 10.0.2.10",
        "a web: back end 10.0.3.2:80 is DOWN on 10.0.2.10",
    ]


@pytest.mark.parametrize(
    "served",
    [
        None,
        {},
        {"nodes": [{"nsip": "10.0.1.10", "application": None}]},
        {"nodes": [{"nsip": "10.0.1.10", "application": {"name": "web", "backends": [_backend("10.0.3.1", None)]}}]},
    ],
)
def test_nothing_is_reported_where_no_state_is_known(served: dict[str, Any] | None) -> None:
    assert backend_report(served) == []
