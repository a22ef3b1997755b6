"""What a fresh appliance lacks: tables."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroInputError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import bootstrap, licences
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.bootstrap import FirstPassword, ObservedAppliance, Plan
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.licences import License, LicenseState

POOLED = {"server": "10.0.9.10", "port": 27000, "bandwidth": 1000, "unit": "Mbps", "edition": "Premium"}
BODY = {"bandwidth": 1000, "unit": "Mbps", "edition": "Platinum"}
PARAMS: dict[str, Any] = {
    "nsip": "10.0.1.10",
    "instance_id": "i-0123",
    "new_password": "n3w",
    "hostname": None,
    "features": None,
    "modes": None,
    "license": None,
    "save_config": True,
}
SERVER = ({"licenseserverip": "10.0.9.10", "port": "27000"},)
GRANTED = {**BODY, "bandwidth": "1000", "actualbandwidth": "1000"}
RUNNING = {"licensingmode": "Pooled", "isplatinumlic": True, "isstandardlic": False}


def desired(**options: Any) -> bootstrap.DesiredAppliance:
    return bootstrap.DesiredAppliance.from_params({**PARAMS, **options})


def found(
    servers: tuple[dict[str, Any], ...] = (),
    capacity: dict[str, Any] | None = None,
    license: dict[str, Any] | None = None,
    **facts: Any,
) -> ObservedAppliance:
    state = LicenseState(servers, capacity or {}, license or {})
    return ObservedAppliance(**{"password": FirstPassword.DONE, "license": state, **facts})


def test_a_managed_appliance_needs_nothing() -> None:
    asked = desired(hostname="adc-a", features=["LB", "ssl"], modes=["MBF"], license=POOLED)
    there = found(
        hostname="adc-a",
        features=frozenset({"lb", "ssl", "wl"}),
        modes=frozenset({"mbf"}),
        servers=SERVER,
        capacity=GRANTED,
        license=RUNNING,
    )
    assert bootstrap.plan(asked, there).empty


def test_all_changes_of_an_unreachable_appliance_are_predicted() -> None:
    asked = desired(hostname="adc-a", features=["LB"], modes=["MBF"], license=POOLED)
    assert bootstrap.plan(asked, ObservedAppliance()) == Plan(
        change_password=True,
        license_server={"licenseserverip": "10.0.9.10", "port": 27000},
        capacity=BODY,
        reboot=True,
        hostname="adc-a",
        features=("LB",),
        modes=("MBF",),
        save=True,
    )


@pytest.mark.parametrize("password", [FirstPassword.FORCED, FirstPassword.OPEN])
def test_a_first_password_is_a_change_to_be_saved(password: FirstPassword) -> None:
    assert bootstrap.plan(desired(), found(password=password)) == Plan(change_password=True, save=True)


def test_what_a_killed_run_left_unsaved_is_saved() -> None:
    assert bootstrap.plan(desired(), found(unsaved=True)) == Plan(save=True)
    assert bootstrap.plan(desired(save_config=False), found(unsaved=True)).empty


@pytest.mark.parametrize(
    ("capacity", "license_row", "write", "reboot"),
    [
        ({}, {}, True, True),
        (GRANTED, RUNNING, False, False),
        (GRANTED, {}, False, False),  # a build that does not say how it is licensed
        ({**GRANTED, "bandwidth": "500"}, RUNNING, True, True),
        ({**GRANTED, "edition": "Standard"}, RUNNING, True, True),
        ({**GRANTED, "bandwidth": 1, "unit": "Gbps"}, RUNNING, False, False),
        # a run that was killed between the save and the reboot
        (GRANTED, {"licensingmode": "Local"}, False, True),
        (GRANTED, {"licensingmode": "EXPRESS"}, False, True),
        ({**GRANTED, "actualbandwidth": "0"}, RUNNING, False, True),
        (GRANTED, {**RUNNING, "isplatinumlic": False}, False, True),
        # the pool could give only a part: no reason to reboot again and again
        ({**GRANTED, "actualbandwidth": "400"}, RUNNING, False, False),
    ],
)
def test_one_reboot_and_only_for_a_capacity_that_is_not_in_effect(
    capacity: dict[str, Any], license_row: dict[str, Any], write: bool, reboot: bool
) -> None:
    plan = bootstrap.plan(desired(license=POOLED), found(servers=SERVER, capacity=capacity, license=license_row))
    assert (plan.capacity is not None, plan.reboot) == (write, reboot)
    assert plan.save is (write or reboot)


@pytest.mark.parametrize(
    ("servers", "surplus", "added"),
    [
        (SERVER, (), False),
        ((), (), True),
        (({"licenseserverip": "10.0.9.10"},), (), False),
        (({"licenseserverip": "10.0.9.99", "port": "27000"},), ("10.0.9.99",), True),
        (({"licenseserverip": "10.0.9.10", "port": "27001"},), ("10.0.9.10",), True),
    ],
)
def test_the_licence_server_is_the_one_that_was_asked_for(
    servers: tuple[dict[str, Any], ...], surplus: tuple[str, ...], added: bool
) -> None:
    plan = bootstrap.plan(desired(license=POOLED), found(servers=servers, capacity=GRANTED, license=RUNNING))
    assert (plan.remove_license_servers, plan.license_server is not None) == (surplus, added)
    assert plan.reboot is False


@pytest.mark.parametrize(
    ("option", "body", "server"),
    [
        (POOLED, BODY, {"licenseserverip": "10.0.9.10", "port": 27000}),
        (
            {"server": "console.example.com", "port": 27001, "vcpu": True, "edition": "Advanced"},
            {"vcpu": True, "edition": "Enterprise"},
            {"servername": "console.example.com", "port": 27001},
        ),
        ({"server": "10.0.9.10", "platform": "VP1000"}, {"platform": "VP1000"}, None),
        ({"server": "10.0.9.10", "bandwidth": 2, "unit": "Gbps", "edition": "Standard"}, None, None),
    ],
)
def test_what_nitro_takes_for_a_licence(option: dict[str, Any], body: Any, server: Any) -> None:
    licence = License.from_option(option)
    assert licence.body == (body or {"bandwidth": 2, "unit": "Gbps", "edition": "Standard"})
    if server:
        assert licence.server_body() == server


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({}, "exactly one of bandwidth, platform and vcpu, not none"),
        ({"bandwidth": 10, "platform": "VP10", "edition": "Premium"}, "not bandwidth and platform"),
        ({"bandwidth": 10}, "bandwidth needs an edition"),
        ({"vcpu": True, "edition": None}, "vcpu needs an edition"),
    ],
)
def test_a_mixture_of_licences_is_refused(option: dict[str, Any], message: str) -> None:
    with pytest.raises(NitroInputError, match=message):
        License.from_option(option)


@pytest.mark.parametrize(
    ("capacity", "same"),
    [
        ({"platform": "VP1000"}, True),
        ({"platform": "vp1000"}, True),
        ({"platform": "VP3000"}, False),
        ({}, False),
    ],
)
def test_platform_licences_are_compared_by_platform(capacity: dict[str, Any], same: bool) -> None:
    assert licences.capacity_is(License.from_option({"platform": "VP1000"}), capacity) is same


@pytest.mark.parametrize(
    ("capacity", "same"),
    [
        ({"vcpu": True, "edition": "Platinum"}, True),
        ({"vcpu": "true", "edition": "platinum"}, True),
        ({"vcpucount": "4", "edition": "Platinum"}, True),
        ({"vcpu": True, "edition": "Standard"}, False),
        ({"edition": "Platinum"}, False),
    ],
)
def test_cpu_licences_are_compared_by_edition(capacity: dict[str, Any], same: bool) -> None:
    assert licences.capacity_is(License.from_option({"vcpu": True, "edition": "Premium"}), capacity) is same


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"new_password": "i-0123"}, "must not be the first password"),
        ({"new_password": ""}, "new_password is empty"),
        ({"license": POOLED, "save_config": False}, "save_config must be true"),
        ({"license": {"port": 27000}}, "exactly one"),
    ],
)
def test_what_can_never_be_done_is_refused_before_anything_is_sent(options: dict[str, Any], message: str) -> None:
    with pytest.raises(NitroInputError, match=message):
        desired(**options)


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ({"feature": ["LB", "SSL"], "lb": True, "ssl": True, "cs": False}, {"lb", "ssl"}),
        ({"lb": True, "cs": False}, {"lb"}),
        ({"feature": "LB"}, {"lb"}),
        ({"feature": None}, set()),
        ({}, set()),
    ],
)
def test_what_is_on_is_said_in_two_ways(row: dict[str, Any], names: set[str]) -> None:
    assert bootstrap.names_on(row, "feature") == names


@pytest.mark.parametrize(
    ("asked", "on", "missing"),
    [
        (["LB", "SSL"], {"lb"}, ("SSL",)),
        (["LoadBalancing", "ContentSwitching"], {"lb"}, ("ContentSwitching",)),
        (["lb", "LB", "LoadBalancing"], set(), ("lb",)),
        (["AppFw"], {"applicationfirewall"}, ()),
        ([], {"lb"}, ()),
    ],
)
def test_features_by_any_of_their_names(asked: list[str], on: set[str], missing: tuple[str, ...]) -> None:
    assert bootstrap.missing_features(asked, frozenset(on)) == missing


def test_modes_by_any_of_their_names() -> None:
    assert bootstrap.missing_modes(["UseSourceIP", "L3", "PMTUD"], frozenset({"usip", "l3mode"})) == ("PMTUD",)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("NetScaler NS13.1: Build 53.24.nc, Date: Jul  4 2024, 07:57:01   (64-bit)", "13.1-53.24"),
        ("NetScaler NS14.1: Build 8.50.nc", "14.1-8.50"),
        ("something else", "something else"),
        ("", None),
        (None, None),
    ],
)
def test_versions_are_parsed(text: str | None, version: str | None) -> None:
    assert bootstrap.parse_version(text) == version


def test_what_did_not_come_true_is_said() -> None:
    assert bootstrap.unmet(Plan()) is None
    assert bootstrap.unmet(Plan(save=True)) is None
    message = bootstrap.unmet(Plan(reboot=True, hostname="adc-a", features=("CLUSTER",), modes=("L2",)))
    assert message == (
        "the licence is not in effect; the hostname is not 'adc-a'; "
        "features that did not come on: CLUSTER (not licensed?); modes that did not come on: L2"
    )


def test_the_difference_shows_no_password() -> None:
    asked = desired(hostname="adc-a", features=["LB"], modes=["MBF"], license=POOLED)
    there = found(password=FirstPassword.FORCED, capacity={"actualbandwidth": "0"})
    difference = bootstrap.diff(asked, there, bootstrap.plan(asked, there))
    assert difference["before"] == {
        "password": "first password, the appliance insists on a new one",
        "hostname": None,
        "features_missing": ["LB"],
        "modes_missing": ["MBF"],
        "license": {"servers": [], "capacity": {}, "reboot": True},
    }
    assert difference["after"] == {
        "password": "set",
        "hostname": "adc-a",
        "features_missing": [],
        "modes_missing": [],
        "license": {"servers": ["10.0.9.10"], "capacity": BODY, "reboot": False},
    }
