"""adm_device's decisions, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.console import devices
from ansible_collections.cloudadc.aws.plugins.module_utils.console.devices import (
    Assignment,
    DesiredDevices,
    last_word,
    parse_devices,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroInputError

A, B = "10.0.1.10", "10.0.1.11"
ROW = {"id": "d1", "ip_address": A, "profile_name": "p", "datacenter_id": "s1", "agent_id": "", "instance_state": "Up"}
SITES = [{"id": "s1", "name": "Default"}, {"id": "s2", "name": "lab"}]
AGENTS = [{"id": "g1", "name": "10.0.9.1", "state": "Up", "datacenter_id": "s2"}]


def requested(*addresses: str, profile: str | None = "p", present: bool = True, **more: Any) -> DesiredDevices:
    return DesiredDevices(addresses or (A,), profile, more.get("datacenter"), more.get("agent"), present)


@pytest.mark.parametrize(
    ("single", "many", "expected"),
    [
        (A, None, (A,)),
        (f" {A} ", None, (A,)),
        (None, [B, A, B], (B, A)),
        (None, ["2001:DB8::0:1", "2001:db8::1"], ("2001:db8::1",)),
        (None, [], ()),
        (None, None, ()),
    ],
)
def test_addresses_are_canonical_and_named_once(single: Any, many: Any, expected: Any) -> None:
    assert devices.addresses_of(single, many) == expected


@pytest.mark.parametrize("text", ["", "adc", "10.0.1", "10.0.1.10:443", "10.0.1.0/24", "10.0.1.10#10.0.1.11"])
def test_what_is_no_address_is_named(text: str) -> None:
    with pytest.raises(NitroInputError, match="is not an IP address"):
        devices.addresses_of(text, None)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (ROW, [A]),
        ({"ip_address": "", "mgmt_ip_address": A, "id": "x"}, [A]),
        ({"ip_address": "10.0.1.100", "id": "x"}, []),
        ({"ip_address": B, "ha_ip_address": A, "id": "x"}, []),
        ({"ip_address": f"{A}-{B}", "id": "x"}, []),
        ({}, []),
    ],
)
def test_a_device_is_found_by_its_own_address(row: Any, found: list[str]) -> None:
    assert list(parse_devices([row], [A])) == found


@pytest.mark.parametrize(
    ("desired", "rows", "place", "register", "changes", "remove"),
    [
        (requested(A, B), [ROW], Assignment(), (B,), [], []),
        (requested(A), [ROW], Assignment("s1"), (), [], []),
        (requested(A, profile=None), [ROW], Assignment(), (), [], []),
        (requested(A, profile="q"), [ROW], Assignment(), (), [{"profile_name": "q"}], []),
        (requested(A), [ROW], Assignment("s2", "g1", "s2"), (), [{"datacenter_id": "s2", "agent_id": "g1"}], []),
        (requested(A), [ROW], Assignment("", "g1", "s2"), (), [{"agent_id": "g1"}], []),
        (requested(A, B, present=False), [ROW], Assignment(), (), [], ["d1"]),
        (requested(B, present=False), [ROW], Assignment(), (), [], []),
    ],
)
def test_what_is_written(
    desired: DesiredDevices, rows: Any, place: Assignment, register: Any, changes: Any, remove: Any
) -> None:
    found = parse_devices(rows, desired.addresses)
    chosen = devices.plan(desired, found, place)
    assert chosen.register == register
    assert [dict(change.fields) for change in chosen.change] == changes
    assert [device.ident for device in chosen.remove] == remove
    assert chosen.changed is bool(register or changes or remove)
    after = devices.predict(desired, place, chosen, found)
    assert not devices.plan(desired, after, place).changed, "the prediction is the desired state"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, Assignment()),
        ({"datacenter": "lab"}, Assignment("s2")),
        ({"datacenter": "s1"}, Assignment("s1")),
        ({"agent": "10.0.9.1"}, Assignment("", "g1", "s2")),
        ({"agent": "g1", "datacenter": "Default"}, Assignment("s1", "g1", "s2")),
    ],
)
def test_names_and_ids_lead_to_ids(more: dict[str, str], expected: Assignment) -> None:
    assert devices.find_place(requested(**more), SITES, AGENTS, "adm") == expected


@pytest.mark.parametrize(
    ("more", "sites", "agents", "message"),
    [
        ({"datacenter": "x"}, SITES, [], "adm: there is no data centre 'x'; known: 'Default', 'lab'"),
        ({"datacenter": "x"}, [], [], "there is no data centre 'x'; known: none"),
        ({"datacenter": "lab"}, [*SITES, {"id": "s3", "name": "lab"}], [], "there are 2 data centres named 'lab'"),
        ({"agent": "10.0.9.2"}, [], AGENTS, "there is no agent '10.0.9.2'; known: '10.0.9.1'"),
        ({"agent": "g1"}, [], [{**AGENTS[0], "state": "Down"}], "agent 'g1' is Down and cannot reach a device"),
    ],
)
def test_a_name_that_leads_nowhere(more: dict[str, str], sites: Any, agents: Any, message: str) -> None:
    with pytest.raises(NitroInputError) as refusal:
        devices.find_place(requested(**more), sites, agents, "adm")
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Assignment(), {"ip_address": A, "profile_name": "p"}),
        (Assignment("s1"), {"ip_address": A, "profile_name": "p", "datacenter_id": "s1"}),
        (Assignment("", "g1", "s2"), {"ip_address": A, "profile_name": "p", "datacenter_id": "s2", "agent_id": "g1"}),
        (Assignment("s1", "g1", "s2"), {"ip_address": A, "profile_name": "p", "datacenter_id": "s1", "agent_id": "g1"}),
    ],
)
def test_what_a_registration_says(place: Assignment, expected: dict[str, str]) -> None:
    assert devices.registration(requested(), place, A) == expected


def test_the_profile_is_looked_up_when_it_is_going_to_be_used() -> None:
    found = parse_devices([ROW], [A])
    for desired, place, expected in (
        (requested(B), Assignment(), True),
        (requested(A, profile="q"), Assignment(), True),
        (requested(A), Assignment("s2"), False),
        (DesiredDevices((), "p", None, None, True), Assignment(), True),
        (DesiredDevices((), "p", None, None, False), Assignment(), False),
    ):
        assert devices.needs_profile(desired, devices.plan(desired, found, place)) is expected
    with pytest.raises(NitroInputError, match=r"there is no device profile 'p'; known: 'q'"):
        devices.require_profile(requested(), [{"name": "q"}], "adm")


@pytest.mark.parametrize(
    ("lines", "text", "ended", "done"),
    [
        ([], "nothing yet", False, False),
        ([{"status": "Started", "message": "m", "is_last": "false"}], "Started: m", False, False),
        ([{"status": "Completed", "message": "", "is_last": "false"}], "Completed", False, False),
        (
            [{"status": "Completed", "is_last": "true"}, {"status": "Started", "is_last": "false"}],
            "Completed",
            True,
            True,
        ),
        ([{"status": "Failed", "message": "why", "is_last": True}], "Failed: why", True, False),
        ([{"is_last": "true"}], "nothing yet", True, False),
    ],
)
def test_the_last_word_of_an_activity(lines: Any, text: str, ended: bool, done: bool) -> None:
    word = last_word(lines)
    assert (str(word), word.ended, word.done) == (text, ended, done)
