"""Registrations of adm_device, against a console in memory and a clock that only moves by sleeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.console.devices import Assignment, DesiredDevices, Plan
from ansible_collections.cloudadc.aws.plugins.module_utils.console.registration import (
    Progress,
    Timing,
    carry_out,
    choose,
    observation,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroCut,
    NitroError,
    NitroInputError,
)

A, B, C = "10.0.1.10", "10.0.1.11", "10.0.1.12"
PROFILE = {"id": "p1", "name": "p"}


@dataclass
class Memory:
    """A console whose registrations end after ``slow`` looks; addresses in ``fail`` fail with their text."""

    slow: int = 1
    fail: dict[str, str] = field(default_factory=dict)
    raises: dict[str, NitroError] = field(default_factory=dict)
    sticky: bool = False
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    observations: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, kind: str, ident: str | None = None) -> list[dict[str, Any]]:
        self.asked.append(f"get {kind}")
        if kind == "activity_status" and ident is not None:
            return [self._line(ident)]
        return [PROFILE] if kind == "ns_device_profile" else list(self.rows.values())

    def _line(self, address: str) -> dict[str, Any]:
        self.observations[address] = self.observations.get(address, 0) + 1
        if self.observations[address] < self.slow:
            return {"status": "In progress", "message": f"look {self.observations[address]}", "is_last": "false"}
        if address in self.fail:
            return {"status": "Failed", "message": self.fail[address], "is_last": "true"}
        self.rows[address] = {"id": address, "ip_address": address, "profile_name": "p"}
        return {"status": "Completed", "message": "", "is_last": "true"}

    def act(self, kind: str, action: str, body: dict[str, Any]) -> dict[str, Any]:
        address = body["ip_address"]
        self.asked.append(f"{action} {address}")
        if address in self.raises:
            raise self.raises[address]
        return {"act_id": address}

    def update(self, kind: str, ident: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(f"update {ident}")
        self.rows[ident] |= body
        return self.rows[ident]

    def delete(self, kind: str, ident: str) -> bool:
        self.asked.append(f"delete {ident}")
        return self.sticky or self.rows.pop(ident, None) is not None


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


def run(console: Memory, *addresses: str, present: bool = True, timeout: float = 60) -> tuple[Progress, Time, Plan]:
    time = Time()
    desired = DesiredDevices(addresses, "p", None, None, present)
    chosen, place = choose(console, "adm", desired, observation(console, desired))
    timing = Timing(timeout, time.clock, time.sleep)
    return carry_out(console, desired, chosen, place, timing), time, chosen


def test_all_are_asked_for_before_any_is_waited_for() -> None:
    console = Memory(slow=3)
    progress, time, _chosen = run(console, A, B)
    assert console.asked[2:4] == [f"add_device {A}", f"add_device {B}"]
    assert (progress.trouble, progress.over) == ([], True)
    assert set(progress.listed or {}) == {A, B}
    assert time.slept == [0.5, 1.0]
    assert console.asked.count("get activity_status") == 6
    assert console.asked.count("get managed_device") == 2


def test_looks_get_rarer_up_to_every_five_seconds() -> None:
    time = run(Memory(slow=99), A, timeout=20)[1]
    assert time.slept == [0.5, 1.0, 2.0, 3.0, 5.0, 5.0, 3.5]


def test_one_that_fails_stops_no_other_and_its_reason_is_told() -> None:
    progress = run(Memory(fail={A: "Login failed"}), A, B)[0]
    assert progress.trouble == [f"{A} was not registered; the console says 'Failed: Login failed'"]
    assert set(progress.listed or {}) == {B}


def test_time_that_runs_out_leaves_the_last_word() -> None:
    progress = run(Memory(slow=99), A, timeout=1)[0]
    assert progress.trouble == [f"{A} is not registered after 1 s; the console's last word was 'In progress: look 3'"]


def test_a_device_that_another_client_registers_is_awaited_in_the_list() -> None:
    taken = NitroError("adm: add_device: 409", code=273, http_status=409)
    console = Memory(raises={A: taken})
    progress = run(console, A, timeout=2)[0]
    assert "nothing yet" in progress.trouble[0]
    console.rows[A] = {"id": A, "ip_address": A}
    desired = DesiredDevices((A,), "p", None, None, True)
    time = Time()
    progress = carry_out(console, desired, Plan(register=(A,)), Assignment(), Timing(9, time.clock, time.sleep))
    assert (progress.trouble, time.slept) == ([], [])


def test_a_refusal_of_one_is_noted_and_the_rest_goes_on() -> None:
    refusal = NitroError("adm: add_device: 1095", code=1095, http_status=400)
    console = Memory(raises={A: refusal})
    progress = run(console, A, B)[0]
    assert progress.trouble == ["adm: add_device: 1095"]
    assert set(progress.listed or {}) == {B}


def test_a_console_that_is_gone_is_asked_for_nothing_more() -> None:
    console = Memory(raises={B: NitroCut("adm: cut")})
    progress = run(console, A, B, C)[0]
    assert progress.trouble == ["adm: cut", f"registration of {A} continues; its status is unknown"]
    assert progress.listed is None
    assert f"add_device {C}" not in console.asked


def test_what_is_deleted_is_looked_for() -> None:
    console = Memory(rows={A: {"id": A, "ip_address": A}})
    assert run(console, A, B, present=False)[0].trouble == []
    assert console.asked == ["get managed_device", f"delete {A}", "get managed_device"]
    console = Memory(rows={A: {"id": A, "ip_address": A}}, sticky=True)
    assert run(console, A, present=False, timeout=2)[0].trouble == [f"{A} is still listed 2 s after it was deleted"]


def test_an_unknown_profile_is_refused_before_the_first_write() -> None:
    console = Memory()
    with pytest.raises(NitroInputError, match="no device profile 'q'"):
        choose(console, "adm", DesiredDevices((A,), "q", None, None, True), {})
    with pytest.raises(NitroInputError, match="give profile"):
        choose(console, "adm", DesiredDevices((A,), None, None, None, True), {})
    assert not [call for call in console.asked if not call.startswith("get")]
