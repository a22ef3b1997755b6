"""The loop of ha_watch against scripted appliances: what it tells, and what must not end it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroAuthError,
    NitroCut,
    NitroGarbled,
    NitroUnreachable,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.logins import LoginGate
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import pair_evidence
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_associations import Node
from ansible_collections.cloudadc.aws.plugins.plugin_utils.arguments import AwsAccess
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch import cloud, watcher
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.appliance import Asker
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.events import Event, Lasting
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.settings import Settings, present
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.watcher import Watcher
from tests.unit.plugins.module_utils.nitro.scripted import DONE, LOGIN, serving

NSIPS = ("10.0.1.10", "10.0.2.10")


def rows(number: int, role: str, other: str, state: str) -> list[dict[str, Any]]:
    return [
        {"id": "0", "ipaddress": NSIPS[number], "state": role, "hastatus": "UP"},
        {"id": "1", "ipaddress": NSIPS[1 - number], "state": other, "hastatus": state},
    ]


def deep() -> Any:
    found: Any = []
    for _level in range(100_000):
        found = [found]
    return found


def raising(error: Exception) -> Callable[[], Any]:
    def call() -> Any:
        raise error

    return call


HOSTILE: dict[str, Callable[[], Any]] = {
    "nothing": list,
    "null": lambda: None,
    "a number": lambda: 7,
    "a text": lambda: "Primary",
    "a list of numbers": lambda: [1, 2],
    "a list of lists": lambda: [[{}]],
    "an object of nothing": lambda: [{}],
    "an id beyond float": lambda: [{"id": 10**400, "state": "Secondary"}],
    "an id that is infinite": lambda: [{"id": float("inf")}],
    "an id that is no number": lambda: [{"id": float("nan")}],
    "an id that is a list": lambda: [{"id": [0]}],
    "an id that is an object": lambda: [{"id": {"id": 0}}],
    "an id that is true": lambda: [{"id": True}],
    "a state that is a list": lambda: [{"id": "0", "state": ["Primary"]}],
    "a state that is an object": lambda: [{"id": "0", "state": {"a": 1}}],
    "an address that is a number": lambda: [{"id": "0", "state": "Secondary"}, {"id": "1", "ipaddress": 1}],
    "an interval beyond float": lambda: [{"id": "0", "state": "Secondary", "deadinterval": 10**400}],
    "a negative interval": lambda: [{"id": "0", "state": "Secondary", "deadinterval": -5}],
    "two of itself": lambda: rows(1, "Secondary", "Primary", "UP") * 2,
    "a nested answer": deep,
    "a recursion": raising(RecursionError("maximum recursion depth exceeded")),
    "a memory error of a parser": raising(MemoryError()),
    "garbage": raising(NitroGarbled("expected NITRO's JSON, got an HTML page")),
    "an attribute error": raising(AttributeError("'int' object has no attribute 'get'")),
}


@dataclass
class Fake:
    """An appliance; ``answer`` is asked at each look, and may change."""

    answer: Callable[[], Any]
    delay: float = 0.0
    connection: Connection = field(default_factory=lambda: Connection("unset", password="secret"))
    closed: int = 0

    def get(self, resource: str) -> Any:
        time.sleep(self.delay)
        return self.answer() if resource == "hanode" else []

    def get_bulk(self, _resource: str) -> Any:
        return []

    def attempt(self, timeout: float) -> None:
        pass

    def close(self) -> None:
        self.closed += 1


def observed_pair() -> cloud.ObservedPair:
    nodes = []
    for number, nsip in enumerate(NSIPS):
        instance = Instance(f"i-{number}", "running", interfaces=(Attached(f"eni-{number}", 0, (nsip,)),))
        nodes.append(Node(nsip, instance, instance.instance_id, number))
    return cloud.ObservedPair(tuple(nodes), ())


SETTINGS = Settings(
    "shop",
    Connection("", password="secret", timeout=0.05, connect_timeout=0.05),
    AwsAccess(),
    interval=0.02,
    aws_interval=0.1,
    lasting=Lasting(lost=0.2, returned=0.1, no_primary=0.4),
)


class Run:
    """A watcher in a loop of its own thread."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, fakes: list[Fake], read: Callable[[], cloud.ObservedPair] = observed_pair
    ) -> None:
        self.events: list[Event] = []
        monkeypatch.setattr(watcher.Region, "read", lambda _self: read())
        monkeypatch.setattr(Watcher, "_connect", lambda _self, endpoint, _gate: fakes[NSIPS.index(endpoint)])
        monkeypatch.setattr(watcher, "_REFUSED", 0.1)

        async def put(event: Event) -> None:
            self.events.append(event)

        self.loop = asyncio.new_event_loop()
        self.task = self.loop.create_task(Watcher(SETTINGS, put).run())
        self.thread = threading.Thread(target=self._work)

    def _work(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self.loop.run_until_complete(self.task)

    def __enter__(self) -> Run:
        self.thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        alive = not self.task.done()
        self.loop.call_soon_threadsafe(self.task.cancel)
        self.thread.join(20)
        self.loop.close()
        assert alive, "it ended by itself"

    def until(self, kind: str, seconds: float = 5.0) -> Event:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [event for event in self.events if event["type"] == kind]
            if found:
                return found[-1]
            time.sleep(0.01)
        raise AssertionError(f"no {kind}, but {[event['type'] for event in self.events]}")


def healthy() -> list[Fake]:
    return [
        Fake(lambda: rows(0, "Primary", "Secondary", "UP")),
        Fake(lambda: rows(1, "Secondary", "Primary", "UP")),
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_watching_outlives_every_answer_of_a_node(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes = healthy()
    with Run(monkeypatch, fakes) as run:
        run.until("watching")
        good = fakes[1].answer
        fakes[1].answer = HOSTILE[name]
        time.sleep(0.5)
        # Counted before good answers: on a busy machine these can be late as well.
        lost = [event["type"] for event in run.events].count("node_lost")
        assert lost <= 1
        fakes[1].answer = good
        time.sleep(0.3)
        if lost:
            run.until("node_returned")
        assert run.events[-1]["primary"]["node_id"] == 0
        assert "primary_changed" not in [event["type"] for event in run.events]


def test_trouble_of_a_node_is_told_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    fakes = healthy()
    fakes[1].answer = raising(AttributeError("'int' object has no attribute 'get'"))
    with caplog.at_level(logging.WARNING, "cloudadc.aws.ha_watch"), Run(monkeypatch, fakes) as run:
        run.until("node_lost")
        time.sleep(0.5)
    message = [record.getMessage() for record in caplog.records if "node 1" in record.getMessage()]
    assert len(message) == 1, message
    assert "the answer made no sense (AttributeError" in message[0]


@pytest.mark.parametrize(
    "error", [KeyError("PublicIp"), TypeError("no list"), RecursionError("too deep"), Failure("ExpiredToken")]
)
def test_watching_outlives_every_answer_of_aws(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[float] = []

    def read() -> cloud.ObservedPair:
        calls.append(time.monotonic())
        if len(calls) in (2, 3):
            raise error
        return observed_pair()

    with Run(monkeypatch, healthy(), read) as run:
        run.until("watching")
        deadline = time.monotonic() + 5
        while len(calls) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert len(calls) >= 5


def test_one_late_answer_in_a_split_brain_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes = [
        Fake(lambda: rows(0, "Primary", "UNKNOWN", "DOWN")),
        Fake(lambda: rows(1, "Primary", "UNKNOWN", "DOWN")),
    ]
    with Run(monkeypatch, fakes) as run:
        run.until("watching")
        for number in (0, 1, 0, 1):
            fakes[number].delay = 0.15
            time.sleep(0.2)
            fakes[number].delay = 0.0
            time.sleep(0.1)
        run.until("no_primary")
        assert "primary_changed" not in [event["type"] for event in run.events]
        assert all(event["primary"] is None for event in run.events)


def test_threads_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.active_count()
    for _turn in range(3):
        fakes = healthy()
        with Run(monkeypatch, fakes) as run:
            run.until("watching")
        assert [fake.closed for fake in fakes] == [1, 1]
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_changed_password_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("old-Passw0rd\n")
    settings = Settings("shop", Connection("", password="old-Passw0rd", protocol="http"), AwsAccess())
    settings = Settings(settings.group, settings.nitro, settings.aws, nitro_pass_file=str(file))
    wrong = (401, {"errorcode": 354, "message": "Invalid username or password", "severity": "ERROR"})
    good = (200, {**DONE, "hanode": rows(0, "Primary", "Secondary", "UP")})
    with serving(wrong, LOGIN, good) as script:
        now = [0.0]
        gate = LoginGate(clock=lambda: now[0])
        asker = Asker(lambda endpoint, _gate: NitroClient(present(settings, endpoint), gate=gate))
        refused = asker.ask("node 0", "127.0.0.1", script.nsip, False)
        assert (refused.reachable, refused.view) == (True, None)
        assert "354" in str(refused.error)
        file.write_text("new-Passw0rd\n")
        now[0] = 60.0
        assert asker.ask("node 0", "127.0.0.1", script.nsip, False).says_primary
        tried = [asked.body["login"]["password"] for asked in script.asked if asked.path.endswith("/login")]
        assert tried == ["old-Passw0rd", "new-Passw0rd"]


def test_client_of_aws_is_made_anew_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    class Client:
        def close(self) -> None:
            made.append("closed")

    def client(_self: AwsAccess, service: str, *, attempts: int = 2) -> Any:
        made.append(service)
        return Client()

    answers: list[Any] = [Failure("ExpiredToken"), observed_pair(), observed_pair()]

    def read(*_args: Any) -> cloud.ObservedPair:
        answer = answers.pop(0)
        if isinstance(answer, Failure):
            raise answer
        found: cloud.ObservedPair = answer
        return found

    monkeypatch.setattr(AwsAccess, "client", client)
    monkeypatch.setattr(cloud, "read", read)
    region = cloud.Region(SETTINGS)
    with pytest.raises(Failure):
        region.read()
    region.read()
    region.read()
    assert made == ["ec2", "closed", "ec2"]


@pytest.mark.parametrize(
    ("error", "reachable"),
    [
        (NitroUnreachable("no route"), False),
        (NitroCut("no answer"), False),
        (NitroGarbled("HTML"), False),
        (NitroAuthError("354", code=354), True),
        (ValueError("no number"), False),
    ],
)
def test_answer_that_makes_no_sense_counts_as_none(error: Exception, reachable: bool) -> None:
    fake: Any = Fake(raising(error))
    claim = Asker(lambda _endpoint, _gate: fake).ask("node 0", NSIPS[0], NSIPS[0], False)
    assert (claim.reachable, claim.view) == (reachable, None)
    assert claim.error


@pytest.mark.parametrize("reached", [True, False])
def test_tcp_at_the_address_is_the_second_witness(reached: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Node 0 is silent, and node 1 never learnt whether it is down: what clients find at its address decides."""
    monkeypatch.setattr(pair_evidence, "DEAD_INTERVAL", 0.3)
    monkeypatch.setattr(watcher, "DEAD_INTERVAL", 0.3)
    monkeypatch.setattr(sys.modules[__name__], "SETTINGS", replace(SETTINGS, client_ports=(443,)))
    alive = [True]

    async def answers(address: str, port: int, timeout: float) -> bool:
        assert (address, port) == ("203.0.113.1", 443)
        return alive[0]

    monkeypatch.setattr(watcher, "answers", answers)
    address = Address("203.0.113.1", "eipalloc-1", Association("eni-0", NSIPS[0]))
    fakes = healthy()
    with Run(monkeypatch, fakes, lambda: replace(observed_pair(), addresses=(address,))) as run:
        run.until("watching")
        time.sleep(0.1)
        fakes[0].answer = raising(NitroUnreachable("no route"))
        fakes[1].answer = lambda: rows(1, "Primary", "UNKNOWN", "UNKNOWN")
        alive[0] = reached
        if not reached:
            changed = run.until("primary_changed")
            assert changed["primary"]["node_id"] == 1
            return
        undecided = run.until("no_primary")
        assert "not DOWN; whether clients still reach it is not known" in undecided["verdict"]
        assert "primary_changed" not in [event["type"] for event in run.events]
