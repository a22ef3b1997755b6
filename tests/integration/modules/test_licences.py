"""Licences of the License Activation Service on appliances of a lab with a licence server, and their return."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.integration.modules.appliances import PASSWORD, Box, Ran, launch, on
from tests.integration.modules.test_vpx_bootstrap import ready
from tests.lab.client import LabClient

SECRET = "las-S3cret"
LAS: dict[str, Any] = {
    "mode": "las",
    "server": "10.0.9.10",
    "username": "fleet",
    "password": SECRET,
    "bandwidth": 1000,
    "edition": "Premium",
}
OLD = "NetScaler NS14.1: Build 43.50.nc, Date: Jan 16 2025, 11:31:14   (64-bit)"


@pytest.fixture
def box(fresh_lab: LabClient) -> Box:
    fresh_lab.pace(2000)  # it reboots, and nothing here is about how long that takes
    return ready(launch(fresh_lab)[0])


def bootstrap(box: Box, **options: Any) -> Ran:
    ran = box.bootstrap(**options)
    assert SECRET not in json.dumps(ran.result)
    assert "Traceback" not in json.dumps(ran.result)
    return ran


def returned(box: Box, **options: Any) -> Ran:
    box.options = {"nitro_pass": PASSWORD}
    ran = box.run("vpx_license_return", **options)
    box.options = {}
    assert not ran["failed"], ran.result
    return ran


def test_a_licence_is_checked_out_by_one_reboot_and_returned(box: Box) -> None:
    predicted = bootstrap(box, license=LAS, check=True)
    assert (predicted["rebooted"], predicted.writes) == (True, [])
    made = bootstrap(box, license=LAS)
    assert not made["failed"], made["msg"]
    assert made.writes.count("POST /config/reboot") == 1
    running = box.state()["running"]
    assert running["nslicenseserver"][0]["licensemode"] == "LAS"
    assert SECRET not in json.dumps(box.state())
    again = bootstrap(box, license=LAS)
    assert (again["changed"], again.writes) == (False, [])

    assert returned(box, check=True).writes == []
    back = returned(box)
    assert back.writes == ["POST /config/nscapacity?action=unset"]
    assert back["returned"] == {"bandwidth": 1000, "unit": "Mbps", "edition": "Platinum"}
    assert returned(box)["reason"] == "it holds no capacity of a licence server"


def test_what_cannot_be_licensed_is_refused_before_any_write_but_the_first_password(box: Box) -> None:
    box.lab.settings(nitro={"version": OLD})
    refused = bootstrap(box, license=LAS)
    assert refused["failed"]
    assert "build 14.1-43.50 does not know the License Activation Service; it needs 14.1-51.80" in refused["msg"]
    assert refused.writes == ["POST /config/login"]
    for kind in ({"platform": "VP1000"}, {"vcpu": True}):
        refused = bootstrap(box, license={**LAS, "bandwidth": None, **kind})
        assert "platform and vcpu are licences of mode pooled" in refused["msg"]
        assert refused.ops == []


def test_an_exhausted_pool_is_said_in_the_servers_words(box: Box) -> None:
    box.lab.settings(nitro={"license_pool_mbps": 500.0})
    refused = bootstrap(box, license=LAS)
    assert refused["failed"]
    assert "3569 Unable to set capacity [Platinum bandwidth available 500 Mbps, requested 1000 Mbps]" in refused["msg"]
    assert "POST /config/reboot" not in refused.writes
    box.lab.settings(nitro={"license_pool_mbps": 1000.0})
    assert not bootstrap(box, license=LAS)["failed"]


def test_wrong_credentials_are_said(box: Box) -> None:
    refused = bootstrap(box, license={**LAS, "password": "wr0ng-las-password"})
    assert "3571 Unable to connect to licenseserver" in refused["msg"]
    assert "wr0ng-las-password" not in json.dumps(refused.result)


def test_an_appliance_is_activated_offline_in_two_runs(box: Box) -> None:
    offline: dict[str, Any] = {"mode": "las", "offline": True}
    first = bootstrap(box, license=offline)
    assert not first["failed"], first["msg"]
    assert base64.b64decode(first["activation_request"]["content"]).decode() == f"request of {box.instance_id}"
    assert "it is not licensed yet" in str(first["warnings"])
    file = base64.b64encode(f"activation of {box.instance_id}".encode()).decode()
    given = {**offline, "activations": {box.instance_id: file}}
    second = bootstrap(box, license=given)
    assert not second["failed"], second["msg"]
    assert second.writes.count("POST /config/nslaslicense?action=apply") == 1
    assert (second["rebooted"], second["activation_request"]) == (True, None)
    assert bootstrap(box, license=given).writes == []
    wrong = bootstrap(box, license={**offline, "activations": {box.instance_id: base64.b64encode(b"x").decode()}})
    assert "1043" in wrong["msg"]


def test_a_removal_is_not_kept_up_by_a_node_that_does_not_answer(fresh_lab: LabClient) -> None:
    fresh_lab.pace(2000)
    one, other = (ready(box) for box in launch(fresh_lab, "aa"))
    assert not bootstrap(one, license=LAS)["failed"]
    fresh_lab.power(other.instance_id, on=False)
    ran = on([one, other], "vpx_license_return", [{}, {}], nitro_pass=PASSWORD)
    assert not ran["failed"]
    assert [node["changed"] for node in ran["nodes"]] == [True, False]
    assert "its licence was not returned and is free again after ten minutes" in str(ran["warnings"])
