"""Event source autoscale_ticks: its arguments, and which decisions become events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.decision import Decision
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Action, Phase
from ansible_collections.cloudadc.aws.plugins.plugin_utils.arguments import Given, SettingsError
from ansible_collections.cloudadc.aws.plugins.plugin_utils.zone_ticks.settings import Settings, settings_from
from ansible_collections.cloudadc.aws.plugins.plugin_utils.zone_ticks.ticker import event_of

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
