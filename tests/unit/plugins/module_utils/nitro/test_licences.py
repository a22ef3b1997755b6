"""Licences of the License Activation Service, online and offline, beside pooled ones: tables."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroInputError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import licences
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.licences import License, LicenseState
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.license_option import variable_problems

SECRET = "las-S3cret"
LAS: dict[str, Any] = {
    "mode": "las",
    "server": "10.0.9.10",
    "username": "fleet",
    "password": SECRET,
    "bandwidth": 1000,
    "edition": "Premium",
}
BODY = {"bandwidth": 1000, "unit": "Mbps", "edition": "Platinum"}
CREDENTIALS = {"username": "fleet", "password": SECRET}
SERVER = {"licenseserverip": "10.0.9.10", "port": 27000, "licensemode": "LAS"}
GRANTED = {**BODY, "actualbandwidth": 1000}
RUNNING = {"licensingmode": "LAS", "isplatinumlic": True}
FILE = b"activation of i-1"
LOADED = frozenset({licences.activation_file(FILE)})


def state(*servers: dict[str, Any], capacity: dict[str, Any] | None = None, **rows: Any) -> LicenseState:
    return LicenseState(servers, capacity or {}, rows.get("license", {}), rows.get("files", frozenset()))


def test_server_and_capacity_carry_the_credentials_and_no_representation_does() -> None:
    licence = License.from_option(LAS)
    plan = licences.license_plan(licence, state())
    assert plan.server == {**SERVER, **CREDENTIALS}
    assert plan.capacity == {**BODY, **CREDENTIALS}
    assert plan.reboot
    assert SECRET not in repr(licence) + repr(plan)


@pytest.mark.parametrize(
    ("server", "surplus"),
    [
        (SERVER, None),
        ({"licenseserverip": "10.0.9.10", "port": "27000"}, None),  # a build that does not tell the mode
        ({**SERVER, "username": "fleet"}, None),
        ({**SERVER, "username": "another"}, ("10.0.9.10",)),
        ({**SERVER, "licensemode": "Pooled"}, ("10.0.9.10",)),
        ({**SERVER, "licenseserverip": "10.0.9.99"}, ("10.0.9.99",)),
    ],
)
def test_a_server_of_another_mode_or_user_is_replaced(server: dict[str, Any], surplus: tuple[str, ...] | None) -> None:
    present = state(server, capacity=GRANTED, license=RUNNING)
    plan = licences.license_plan(License.from_option(LAS), present)
    assert (plan.remove_servers, plan.server is not None) == (surplus or (), surplus is not None)
    assert not plan.reboot


def test_a_pooled_licence_replaces_a_server_of_the_activation_service() -> None:
    pooled = License.from_option({"server": "10.0.9.10", "bandwidth": 1000, "edition": "Premium"})
    plan = licences.license_plan(pooled, state(SERVER, capacity=GRANTED, license=RUNNING))
    assert plan.server == {"licenseserverip": "10.0.9.10", "port": 27000}


def offline(content: bytes | None = FILE) -> License:
    files = {} if content is None else {"i-1": base64.b64encode(content).decode()}
    return License.from_option({"mode": "las", "offline": True, "activations": files})


@pytest.mark.parametrize(
    ("files", "row", "writes", "reboot"),
    [
        (frozenset(), {"licensingmode": "Local"}, ["add systemfile", "apply nslaslicense"], True),
        (LOADED, {"licensingmode": "Local"}, ["apply nslaslicense"], True),
        (LOADED, RUNNING, [], False),
        (frozenset({licences.activation_file(b"other")}), RUNNING, ["add systemfile", "apply nslaslicense"], True),
    ],
)
def test_an_activation_file_is_uploaded_applied_and_takes_effect_by_a_reboot(
    files: frozenset[str], row: dict[str, Any], writes: list[str], reboot: bool
) -> None:
    licence = offline()
    plan = licences.license_plan(licence, state(files=files, license=row), licence.activation_for(("adc-a", "i-1")))
    assert [f"{step.action or step.verb} {step.resource}" for step in plan.activation] == writes
    assert (plan.reboot, plan.server, plan.capacity) == (reboot, None, None)


def test_without_its_activation_file_nothing_is_written() -> None:
    licence = offline()
    assert licence.activation_for(("i-2", None)) is None
    assert licences.license_plan(licence, state(), None) == licences.LicensePlan()
    with pytest.raises(NitroInputError, match="in base64"):
        License.from_option({"mode": "las", "offline": True, "activations": {"i-1": "?"}}).activation_for(("i-1",))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (LAS, None),
        ({**LAS, "bandwidth": None, "vcpu": True}, "platform and vcpu are licences of mode pooled"),
        ({**LAS, "bandwidth": None, "platform": "VP1000"}, "platform and vcpu are licences of mode pooled"),
        ({**LAS, "username": None}, "needs server, username and password, or offline"),
        ({**LAS, "server": None}, "needs server, username and password, or offline"),
        ({**LAS, "edition": None}, "bandwidth needs an edition"),
        ({**LAS, "activations": {"i-1": "eA=="}}, "activations go with offline"),
        ({**LAS, "offline": True}, "offline has no use for server, username, password, bandwidth"),
        ({"offline": True}, "offline goes with mode las"),
        ({"mode": "las", "offline": True}, None),
        ({**LAS, "user": "x"}, "has no key user"),
        ({}, None),
    ],
)
def test_settings_that_do_not_go_together_are_refused(option: dict[str, Any], message: str | None) -> None:
    problems = variable_problems("ha_pair_license", option)
    assert (problems == []) if message is None else message in problems[0]
    assert SECRET not in str(problems)


def test_a_group_that_launches_by_itself_cannot_be_activated_offline() -> None:
    [message] = variable_problems("x", {"mode": "las", "offline": True}, launches_by_itself=True)
    assert "offline needs an operator" in message


def test_what_the_appliance_says_of_its_server_is_part_of_the_message() -> None:
    row = {**SERVER, "status": 0, "grace": 1, "gptimeleft": 719}
    assert licences.server_report(state(row)) == "10.0.9.10: status 0, grace 1, 719 left"
    assert licences.server_report(state()) == "it has no licence server"


@pytest.mark.parametrize(("version", "refused"), [("14.1-43.50", True), ("14.1-72.61", False), (None, False)])
def test_a_build_that_is_too_old_is_refused(version: str | None, refused: bool) -> None:
    assert (licences.refusal(License.from_option(LAS), version) is not None) == refused
    assert licences.refusal(None, version) is None
