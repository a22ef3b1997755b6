"""When a process that watches an appliance may log in again, and that it leaves no clients of sessions there."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroCut,
    NitroError,
    NitroLoginHeld,
    NitroNotReady,
    NitroUnreachable,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_transport import BrokenTls
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.logins import LoginGate
from tests.unit.plugins.module_utils.nitro.scripted import DONE, LOGIN, LOGOUT, SILENCE, serving


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_login_backs_off_from_one_to_sixty_seconds() -> None:
    clock = Clock()
    gate = LoginGate(clock=clock)
    waits = []
    for _turn in range(9):
        gate.require("10.0.1.10")
        gate.failed(NitroError("refused"))
        waits.append(gate.wait())
        clock.now += gate.wait()
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    gate.accepted()
    gate.failed(NitroError("refused"))
    assert gate.wait() == 1


def test_login_that_never_reached_the_appliance_holds_none_back() -> None:
    gate = LoginGate(clock=Clock())
    for error in (NitroUnreachable("no route"), BrokenTls("TLS failed")):
        gate.failed(error)
        assert gate.wait() == 0


def test_appliance_that_boots_has_forgotten_its_sessions() -> None:
    clock = Clock()
    gate = LoginGate(clock=clock)
    for error in (NitroCut("no answer"), NitroCut("no answer"), NitroNotReady("HTTP 503")):
        gate.failed(error)
    assert gate.wait() == 1


def test_only_two_unanswered_logins_in_one_idle_time() -> None:
    clock = Clock()
    gate = LoginGate(clock=clock)
    sent = []
    while clock.now < 1200:
        if gate.wait() == 0:
            sent.append(clock.now)
            gate.failed(NitroCut("no answer within 60 s"))
        clock.now += 1
    assert all(later - first >= 300 for first, later in zip(sent, sent[2:], strict=False)), sent
    assert len(sent) == 8


@pytest.mark.parametrize(("code", "seconds"), [(445, 60), (446, 60), (354, 10), (0, 1)])
def test_full_appliance_and_refused_password_wait_longer(code: int, seconds: float) -> None:
    gate = LoginGate(clock=Clock())
    gate.failed(NitroError("refused", code=code))
    assert gate.wait() == seconds
    with pytest.raises(NitroLoginHeld, match=f"no login for another {seconds} s after: refused"):
        gate.require("10.0.1.10")


def test_slow_appliance_is_not_filled_with_sessions() -> None:
    """Every answer is later than the time-out: of a hundred looks only one sends a login."""
    with serving(SILENCE) as script:
        nitro = NitroClient(
            Connection(script.nsip, password="Th3-s3cret", protocol="http", timeout=0.05, login_timeout=0.1),
            gate=LoginGate(),
            sleep=lambda _seconds: None,
        )
        for _observe in range(100):
            with pytest.raises((NitroCut, NitroLoginHeld)):
                nitro.get("hanode")
        nitro.close()
        assert script.calls == ["POST /config/login"]


def test_login_has_a_timeout_of_its_own_and_says_when_the_session_may_end() -> None:
    with serving(LOGIN, (200, {**DONE, "hanode": []}), LOGOUT) as script:
        connection = Connection(
            script.nsip, password="x", protocol="http", timeout=0.5, login_timeout=60, idle_timeout=300
        )
        with NitroClient(connection, gate=LoginGate()) as nitro:
            assert nitro.get("hanode") == []
        assert script.asked[0].body["login"]["timeout"] == 300


def test_tcp_probe_opens_no_session() -> None:
    refused = (401, {"errorcode": 1027, "message": "Not logged in", "severity": "ERROR"})
    with serving(refused, SILENCE) as script:
        with NitroClient(Connection(script.nsip, password="x", protocol="http")) as nitro:
            nitro.attempt(5)
            with pytest.raises(NitroCut):
                nitro.attempt(0.1)
        assert script.calls == ["GET /config/nsversion"] * 2
