"""Event source autoscale_ticks: its arguments, and which decisions become events."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.decision import Decision
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Action, Phase
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.silence import Withdrawal
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.figures import Figures, Reading
from ansible_collections.cloudadc.aws.plugins.plugin_utils.arguments import Given, SettingsError
from ansible_collections.cloudadc.aws.plugins.plugin_utils.zone_ticks import ticker
from ansible_collections.cloudadc.aws.plugins.plugin_utils.zone_ticks.settings import Settings, settings_from
from ansible_collections.cloudadc.aws.plugins.plugin_utils.zone_ticks.ticker import (
    Clients,
    Due,
    Ticker,
    Zone,
    event_of,
    records_event,
)

POLICY = {
    "metrics": {"cpu": {"min": 20, "max": 80}},
    "watch_time": 3,
    "cooldown": 10,
    "drain_timeout": 10,
    "min_nodes": 1,
    "max_nodes": 3,
}
LEAST: dict[str, Any] = {
    "group": "shop",
    "zones": ["a", "b"],
    "nitro_pass": "Pa55-word",
    "policy": {**POLICY, "distributor": "nlb"},
    "store": {"path": "/var/lib/cloudadc"},
}
NOW = datetime(2026, 3, 1, 10, 6, tzinfo=UTC)


def made(args: dict[str, Any]) -> Settings:
    return settings_from(Given(args, {}))


def test_zones_as_names_and_as_the_role_has_them() -> None:
    named, described = made(LEAST), made({**LEAST, "zones": [{"name": "a", "clip": ""}, {"name": "b"}, "a"]})
    assert [group.zones for group in (*named.groups, *described.groups)] == [("a", "b")] * 2


def test_the_distributor_may_stand_beside_the_policy() -> None:
    assert made({**LEAST, "policy": POLICY, "distributor": "nlb"}).groups == made(LEAST).groups


def test_many_groups_take_what_they_lack_from_the_arguments() -> None:
    common = {key: value for key, value in LEAST.items() if key not in ("group", "zones")}
    groups = [{"group": "shop", "zones": ["a"]}, {"group": "bank", "zones": ["b"], "store": {"path": "/other"}}]
    found = made({**common, "groups": groups}).groups
    assert [(group.name, group.zones, group.store["path"]) for group in found] == [
        ("shop", ("a",), "/var/lib/cloudadc"),
        ("bank", ("b",), "/other"),
    ]
    assert found[0].policy == found[1].policy == made(LEAST).groups[0].policy


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"zones": []}, "zones must be a list of names"),
        ({"zones": [{"clip": "10.0.0.1"}]}, "zones must be a list of names"),
        ({"zones": "a"}, "zones must be a list of names"),
        ({"policy": None}, "policy is needed"),
        ({"policy": {**POLICY, "distributor": "nlb", "max_nodes": 0}}, "policy: "),
        ({"store": None}, "store is needed"),
        ({"store": {"type": "dynamodb"}}, "store must be of type file with path, or dynamodb with table"),
        ({"lease_seconds": 0}, "lease_seconds must be 1 to 86400 seconds, not 0"),
        ({"withdraw_after": -1}, "withdraw_after must be 0 to 1000 ticks"),
        ({"withdraw_after": 2.5}, "withdraw_after must be a whole number of ticks"),
        ({"interval": 60}, "autoscale_ticks has no argument interval"),
        ({"groups": []}, "groups must be a list of dictionaries"),
        ({"groups": [{"nitro_pass": "x"}]}, "groups has no key nitro_pass"),
        ({"groups": [{"group": "shop"}, {"group": "shop"}]}, "groups names shop more than once"),
    ],
)
def test_invalid_arguments_are_refused(args: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        made({**LEAST, **args})
    assert message in str(caught.value)


def decision(action: Action) -> Decision:
    return Decision(
        action=action,
        count=0 if action is Action.NONE else 1,
        reason="cpu 91 % > 80 %",
        evaluated=True,
        event_id="adc-1",
        resumed=False,
        phase=Phase.SCALING_OUT,
        phase_until=None,
        window=(),
    )


def test_only_what_is_to_be_done_is_an_event() -> None:
    assert event_of("shop", "a", "me", NOW, decision(Action.NONE)) is None
    for action in set(Action) - {Action.NONE}:
        event = event_of("shop", "a", "me", NOW, decision(action))
        assert event is not None
        assert (event["type"], event["owner"], event["event_id"]) == (action.value, "me", "adc-1")
        assert event["at"] == "2026-03-01T10:06:00.000+00:00"


DNS: dict[str, Any] = {"policy": {**POLICY, "distributor": "dns", "ttl": 60}, "zones": ["a"]}


def test_records_are_withdrawn_only_where_dns_leads_clients() -> None:
    groups = [{"group": "shop", **DNS, "withdraw_after": 2}, {"group": "bank", **DNS}, {"group": "nlb"}]
    found = made({**LEAST, "withdraw_after": 3, "groups": groups}).groups
    assert [group.withdraw_after for group in found] == [2, 3, 0]


class _Ec2:
    """Two nodes in service in zone a."""

    def client(self, _service: str) -> _Ec2:
        return self

    def get_paginator(self, _call: str) -> _Ec2:
        return self

    def paginate(self, **_filters: Any) -> _Ec2:
        return self

    def build_full_result(self) -> dict[str, Any]:
        return {"Reservations": [{"Instances": [_instance(1), _instance(2)]}]}


def _instance(number: int) -> dict[str, Any]:
    address = {"PrivateIpAddress": f"10.0.0.{number}", "Primary": True}
    tags = {"group": "shop", "zone": "a", "node_id": str(number), "lifecycle": "in_service", "kind": "group"}
    return {
        "InstanceId": f"i-{number}",
        "State": {"Name": "running"},
        "Tags": [{"Key": f"cloudadc:{key}", "Value": value} for key, value in tags.items()],
        "NetworkInterfaces": [
            {"NetworkInterfaceId": "eni", "Attachment": {"DeviceIndex": 0}, "PrivateIpAddresses": [address]}
        ],
    }


class _Appliances:
    """``answering``: the nodes that answer, with a load within the limits."""

    answering = ("10.0.0.1", "10.0.0.2")

    def collect(self, nsips: Sequence[str]) -> list[Reading]:
        return [Reading(nsip, nsip in self.answering, Figures(cpu=50.0)) for nsip in nsips]

    def forget_unused(self) -> None:
        """Keep all."""


def _zone(folder: Path, appliances: _Appliances) -> Zone:
    settings = made({**LEAST, **DNS, "store": {"path": str(folder)}, "withdraw_after": 2})
    ec2: Any = _Ec2()
    asked: Any = appliances
    return Zone(settings.groups[0], "a", settings, Clients(ec2), asked)


def test_source_decides_about_records_as_the_tick_of_a_playbook_does(tmp_path: Path) -> None:
    appliances = _Appliances()
    zone = _zone(tmp_path, appliances)

    def tick(minute: int, *answering: int) -> Withdrawal:
        appliances.answering = tuple(f"10.0.0.{number}" for number in answering)  # type: ignore[assignment]
        return zone.tick(NOW + timedelta(minutes=minute), "me").records

    assert [tick(0, 1, 2), tick(1, 1), tick(2)] == [Withdrawal()] * 3
    assert tick(3, 1) == Withdrawal(silent=("i-2",))
    assert tick(4) == Withdrawal(silent=("i-2",)), "no node answers: what was withdrawn stays, and no more"
    assert tick(5, 1, 2) == Withdrawal(recovered=("i-2",))


def test_event_of_records_names_the_nodes() -> None:
    event = records_event("shop", "a", "me", NOW, Withdrawal(("i-2",), ("i-1",)))
    assert event is not None
    assert (event["type"], event["silent"], event["recovered"], event["owner"]) == (
        "dns_records",
        ["i-2"],
        ["i-1"],
        "me",
    )
    assert event["reason"] == "i-2: silent while others answer; i-1: answering again"
    assert records_event("shop", "a", "me", NOW, Withdrawal()) is None


def test_records_are_reported_when_they_change_and_again_while_they_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []

    async def put(event: dict[str, Any]) -> None:
        events.append(event["reason"])

    monkeypatch.setattr(ticker.Zone, "tick", lambda _zone, _at, _owner: Due(decision(Action.NONE), records))
    ticking, zone = Ticker(made(LEAST), put), _zone(tmp_path, _Appliances())
    with ThreadPoolExecutor(1) as workers:
        silent, recovered = Withdrawal(("i-2",)), Withdrawal((), ("i-2",))
        for found in (Withdrawal(), silent, silent, recovered, Withdrawal()):
            records = found
            asyncio.run(ticking._tick(zone, workers))
        assert events == ["i-2: silent while others answer", "i-2: answering again"]
        monkeypatch.setattr(ticker, "RECORDS_SECONDS", 0.0)
        records = silent
        for _turn in range(2):
            asyncio.run(ticking._tick(zone, workers))
    assert len(events) == 4
