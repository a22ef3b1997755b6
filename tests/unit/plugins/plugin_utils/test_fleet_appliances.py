"""Appliances of a fleet: one session each, kept from tick to tick; what is late or hostile hides no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.fingerprints import Pins
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroAuthError, NitroUnreachable
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import logins
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.metrics import RESOURCES
from ansible_collections.cloudadc.aws.plugins.plugin_utils.zone_ticks.appliances import Appliances
from ansible_collections.cloudadc.aws.plugins.plugin_utils.zone_ticks.ticker import Clients, Ticker, spread
from tests.unit.plugins.module_utils.nitro.scripted import DONE, LOGIN, serving

FIGURES = {
    "pktcpuusagepcnt": 20,
    "memusagepcnt": 40,
    "rxmbitsrate": 1,
    "txmbitsrate": 1,
    "tcpcurclientconn": "7",
    "mgmtcpuusagepcnt": 1,
}


class Session:
    """One appliance. ``holds``: its answers wait for this event; ``says``: what it answers, or raises."""

    def __init__(self) -> None:
        self.holds: threading.Event | None = None
        self.says: Any = [FIGURES]
        self.queries, self.at_once, self.closed = 0, 0, 0
        self._now = 0

    def stat(self, resource: str) -> list[dict[str, Any]]:
        self.queries += 1
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        try:
            if self.holds:
                self.holds.wait(10)
            return self._answer(self.says)
        finally:
            self._now -= 1

    @staticmethod
    def _answer(says: Any) -> Any:
        if isinstance(says, Exception):
            raise says
        return says

    def close(self) -> None:
        if self.holds:
            self.holds.wait(10)
        self.closed += 1


class Fleet:
    """``sessions``: those that were opened, by address; ``now``: the clock."""

    def __init__(self, workers: ThreadPoolExecutor) -> None:
        self.sessions: dict[str, Session] = {}
        self.now = 0.0
        self.appliances = Appliances(self.connect, 0.2, 180.0, workers, clock=lambda: self.now)

    def connect(self, nsip: str) -> Session:
        assert nsip not in self.sessions, "a second session with one appliance"
        self.sessions[nsip] = Session()
        return self.sessions[nsip]

    def memory(self, *nsips: str) -> list[float | None]:
        return [reading.figures.get("memory") for reading in self.appliances.collect(nsips)]


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with ThreadPoolExecutor(max_workers=8) as workers:
        yield Fleet(workers)


def test_a_session_is_opened_once_and_kept(fleet: Fleet) -> None:
    assert fleet.memory("a", "b") == [40, 40]
    assert fleet.memory("b", "a", "b") == [40, 40]
    assert {name: session.queries for name, session in fleet.sessions.items()} == {"a": 2, "b": 2}
    assert sum(session.closed for session in fleet.sessions.values()) == 0


def test_an_appliance_is_never_queried_twice_at_once(fleet: Fleet) -> None:
    fleet.memory("a", "b")
    slow = fleet.sessions["a"]
    slow.holds = threading.Event()
    late = fleet.appliances.collect(["a", "b"])
    assert [(reading.reachable, reading.error) for reading in late] == [
        (False, "a: no complete answer within 0.2 s"),
        (True, None),
    ]
    [again] = fleet.appliances.collect(["a"])
    assert (again.reachable, again.error) == (False, "a: no answer since an earlier tick")
    assert (slow.queries, slow.at_once) == (2, 1)
    slow.holds.set()
    slow.holds = None
    fleet.appliances._known["a"].answer.result(timeout=5)  # type: ignore[union-attr]
    assert fleet.memory("a") == [40]


@pytest.mark.parametrize(
    ("says", "reachable", "error"),
    [
        (NitroUnreachable("a: no route"), False, "a: no route"),
        (NitroAuthError("a: no such user"), True, "a: no such user"),
        (RecursionError("deep"), True, "a: the answer made no sense (RecursionError: deep)"),
        ([{"memusagepcnt": {"much": 1}}], True, "rxmbitsrate is missing"),
        ("nonsense", True, "the reply to stat/ns holds no figures"),
    ],
)
def test_a_hostile_answer_hides_no_other(fleet: Fleet, says: Any, reachable: bool, error: str) -> None:
    fleet.memory("a")
    fleet.sessions["a"].says = says
    bad, good = fleet.appliances.collect(["a", "b"])
    assert bad.reachable == reachable
    assert error in str(bad.error)
    assert good.figures.get("memory") == 40


def test_sessions_with_appliances_that_are_gone_are_closed(fleet: Fleet) -> None:
    fleet.memory("a", "b")
    fleet.now = 100.0
    fleet.memory("b")
    fleet.now = 200.0
    fleet.sessions["a"].holds = threading.Event()
    fleet.appliances.forget_unused()
    threading.Timer(0.3, fleet.sessions["a"].holds.set).start()
    fleet.appliances.close()  # waits also for the logout that began before
    assert {name: session.closed for name, session in fleet.sessions.items()} == {"a": 1, "b": 1}


@pytest.mark.parametrize(("zones", "interval", "last"), [(1, 60.0, 1.0), (4, 60.0, 4.0), (200, 60.0, 60.0)])
def test_zones_are_spread_over_the_interval(zones: int, interval: float, last: float) -> None:
    begins = spread(zones, interval)
    assert begins == sorted(begins)
    assert len(begins) == zones
    assert begins[0] >= 0
    assert begins[-1] <= last


def test_clients_are_shared_and_made_anew_for_rotated_credentials() -> None:
    class Access:
        made = 0

        def client(self, service: str) -> str:
            self.made += 1
            return f"{service} {self.made}"

    access, now = Access(), [1000.0]
    clients = Clients(access, clock=lambda: now[0])  # type: ignore[arg-type]
    assert [clients.client("ec2"), clients.client("ec2")] == ["ec2 1"] * 2
    clients.renew()
    assert clients.client("ec2") == "ec2 1", "it was made a moment ago"
    now[0] += 60
    clients.renew()
    assert clients.client("ec2") == "ec2 2"
    now[0] += 301
    assert clients.client("ec2") == "ec2 3"


def test_a_changed_password_is_reported_and_the_new_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session of an appliance ends with its password; the file holds the next one a moment later."""
    file = tmp_path / "password"
    file.write_text("old-Passw0rd\n")
    monkeypatch.setattr(logins, "_FIRST", 0.0)
    monkeypatch.setattr(logins, "_AT_LEAST", {})
    wrong = (401, {"errorcode": 354, "message": "Invalid username or password", "severity": "ERROR"})
    stats = [(200, {**DONE, name: [FIGURES]}) for name in RESOURCES]
    with serving(wrong, wrong, LOGIN, *stats) as script, ThreadPoolExecutor(4) as workers:
        nitro = Connection("", password="unused", protocol="http")
        settings: Any = SimpleNamespace(nitro=nitro, nitro_pass_file=str(file), groups=(GROUP,), pins=Pins())
        appliances = Ticker(settings, put)._appliances(workers)
        for _tick in range(2):
            [refused] = appliances.collect([script.nsip])
            assert (refused.reachable, refused.refused, refused.figures.get("memory")) == (True, True, None)
            assert "354" in str(refused.error)
            assert "Passw0rd" not in str(refused.error)
        file.write_text("new-Passw0rd\n")
        [accepted] = appliances.collect([script.nsip])
        assert accepted.figures.get("memory") == 40
        tried = [asked.body["login"]["password"] for asked in script.asked if asked.path.endswith("/login")]
    assert tried == ["old-Passw0rd", "old-Passw0rd", "new-Passw0rd"]


async def put(_event: dict[str, Any]) -> None:
    """Take an event."""


GROUP: Any = SimpleNamespace(policy=SimpleNamespace(interval=60))
