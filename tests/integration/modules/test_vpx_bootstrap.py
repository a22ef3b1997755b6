"""vpx_bootstrap against appliances of a lab: first password, boot, licence, and every way of being interrupted."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.integration.modules.appliances import PASSWORD, Box, Ran, launch
from tests.lab.client import LabClient, wait_for

SETTINGS: dict[str, Any] = {"hostname": "adc-a", "features": ["LB", "SSL"], "modes": ["MBF"]}
LICENSE = {"server": "10.0.9.10", "bandwidth": 1000, "edition": "Premium"}
PREDICTED = {"changed", "password_changed", "rebooted", "saved"}


def ready(box: Box) -> Box:
    wait_for(lambda: box.state()["stage"] == "ready", f"{box.instance_id} has booted")
    return box


@pytest.fixture
def box(fresh_lab: LabClient) -> Box:
    """One appliance that has booted and still has its first password."""
    return ready(launch(fresh_lab)[0])


def no_secret_in(ran: Ran) -> None:
    assert PASSWORD not in json.dumps({key: value for key, value in ran.result.items() if key != "invocation"})
    assert PASSWORD not in json.dumps(ran.result.get("invocation", {}))


def test_from_the_first_password_to_a_managed_appliance(box: Box) -> None:
    predicted = box.bootstrap(check=True, **SETTINGS)
    assert predicted.writes == []
    assert {key: predicted[key] for key in PREDICTED} == {
        "changed": True,
        "password_changed": True,
        "rebooted": False,
        "saved": True,
    }

    done = box.bootstrap(**SETTINGS)
    assert {key: done[key] for key in PREDICTED} == {key: predicted[key] for key in PREDICTED}
    assert done["version"] == "14.1-72.61"
    assert done["diff"]["before"]["features_missing"] == ["LB", "SSL"]
    assert done["diff"]["after"] == predicted["diff"]["after"]
    assert done.writes == [
        "POST /config/login",
        "PUT /config/nshostname",
        "POST /config/nsfeature?action=enable",
        "POST /config/nsmode?action=enable",
        "POST /config/nsconfig?action=save",
    ]
    running = box.state()["running"]
    assert running["nshostname"][0]["hostname"] == "adc-a"
    assert {"LB", "SSL"} <= set(running["nsfeature"][0]["feature"])
    assert "MBF" in running["nsmode"][0]["mode"]
    assert box.state()["unsaved"] is False
    assert box.state()["sessions"] == 0
    no_secret_in(done)

    # The call budget of a managed appliance, as documented.
    again = box.bootstrap(**SETTINGS)
    assert (again["changed"], again["saved"]) == (False, False)
    assert again.ops == [
        "POST /config/login 201",
        "GET /config/nsversion 200",
        "GET /config/nshostname 200",
        "GET /config/nsfeature 200",
        "GET /config/nsmode 200",
        "GET /config/nsconfig 200",
        "POST /config/logout 201",
    ]
    assert again["diff"]["before"] == again["diff"]["after"]
    assert box.bootstrap(check=True, **SETTINGS)["changed"] is False
    assert box.bootstrap(check=True, hostname="adc-b")["changed"] is True


def test_it_waits_through_every_stage_of_a_boot(fresh_lab: LabClient) -> None:
    fresh_lab.pace(20)  # one minute of boot in three seconds
    box = launch(fresh_lab)[0]

    unseen = box.bootstrap(check=True, **SETTINGS)
    assert (unseen["changed"], unseen["version"], unseen.writes) == (True, None, [])

    since = time.time()
    done = box.bootstrap(**SETTINGS)
    assert done["changed"] is True
    assert done["password_changed"] is True
    assert 503 in {call.status for call in fresh_lab.calls(since, "nitro")}


def test_a_missing_appliance_fails_with_its_last_error(fresh_lab: LabClient) -> None:
    box = launch(fresh_lab)[0]
    unknown = Box(fresh_lab, "i-0", box.address.rsplit(".", 1)[0] + ".200")
    ran = unknown.bootstrap(wait_timeout=2)
    assert ran["failed"] is True
    # The lab's host answers for every address of its network, so what is refused elsewhere is reset here.
    assert ran["msg"] in {
        f"NITRO did not become ready: {unknown.nsip}: log in as 'nsroot': Connection {how} (waited 2 s)"
        for how in ("refused", "reset by peer")
    }


def test_a_wrong_password_of_a_managed_appliance_is_said_at_once(box: Box) -> None:
    box.bootstrap()
    since = time.monotonic()
    ran = box.bootstrap(new_password="an0ther-One", nitro_pass="0ld-One", first_login=False)
    assert time.monotonic() - since < 2
    assert ran["failed"] is True
    assert ran["msg"] == (
        f"{box.nsip}: log in as 'nsroot': the appliance answered 354 Invalid username or password (HTTP 401): "
        "none of new_password, nitro_pass was accepted"
    )
    assert ran["nitro_errorcode"] == 354
    assert "0ld-One" not in json.dumps(ran.result)
    assert "an0ther-One" not in json.dumps(ran.result)
    assert "give instance_id" in box.bootstrap(new_password="an0ther-One", instance_id=None)["msg"]


def test_a_first_password_that_is_not_in_place_yet_is_waited_for(fresh_lab: LabClient) -> None:
    """Longer than half a minute of the lab after NITRO has opened; the lab's time passes faster."""
    fresh_lab.pace(60)
    fresh_lab.settings(nitro={"first_login_seconds": 300.0})
    box = launch(fresh_lab)[0]
    ran = box.bootstrap(**SETTINGS)
    assert ran["failed"] is False, ran["msg"]
    assert "POST /config/login 401" in ran.ops
    assert ran["password_changed"] is True


@pytest.fixture
def in_aws(fresh_lab: LabClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials and endpoint in the environment, as a controller has them."""
    for name, value in fresh_lab.env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("in_aws")
def test_a_refusal_that_lasts_is_explained_by_the_status_checks(fresh_lab: LabClient) -> None:
    fresh_lab.pace(600)
    fresh_lab.settings(nitro={"first_login_seconds": 1e9})
    box = ready(launch(fresh_lab)[0])
    ran = box.bootstrap(wait_timeout=8)
    assert ran["failed"] is True
    assert "none of new_password, instance_id was accepted" in ran["msg"]
    assert f"EC2 says that {box.instance_id} is running, instance status" in ran["msg"]


@pytest.mark.usefixtures("in_aws")
def test_a_stopped_instance_is_said_at_once(box: Box) -> None:
    box.lab.boto("ec2").stop_instances(InstanceIds=[box.instance_id])
    since = time.monotonic()
    ran = box.bootstrap(wait_timeout=60)
    assert time.monotonic() - since < 50
    assert ran["failed"] is True
    assert f"EC2 says that {box.instance_id} is stop" in ran["msg"]


def test_a_password_can_be_replaced(box: Box) -> None:
    box.bootstrap()
    predicted = box.bootstrap(check=True, new_password="an0ther-One", nitro_pass=PASSWORD)
    assert (predicted["password_changed"], predicted.writes) == (True, [])
    ran = box.bootstrap(new_password="an0ther-One", nitro_pass=PASSWORD)
    assert (ran["changed"], ran["password_changed"]) == (True, True)
    assert ran.writes == ["PUT /config/systemuser", "POST /config/nsconfig?action=save"]
    assert box.bootstrap(new_password="an0ther-One", nitro_pass=PASSWORD)["changed"] is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"new_password": "abc"}, "1079"),
        ({"features": ["NoSuchThing"]}, "1074"),
        ({"nsip": "10.0.1.10:http"}, "the port must be a number"),
        ({"nitro_timeout": 0}, "nitro_timeout must be above 0"),
        ({"license": {"bandwidth": 10, "edition": "Premium"}}, "nscapacity"),
        ({"ca_path": None}, "its certificate is not trusted"),
        ({"ca_path": "/no/such/ca.pem"}, "/no/such/ca.pem"),
    ],
)
def test_bad_input_gets_a_sentence(box: Box, options: dict[str, Any], message: str) -> None:
    ran = box.bootstrap(**options)
    assert ran["failed"] is True
    assert message in ran["msg"]
    assert "Traceback" not in json.dumps(ran.result)
    no_secret_in(ran)


def test_what_was_left_unsaved_is_saved_by_the_next_run(box: Box) -> None:
    first = box.bootstrap(save_config=False, **SETTINGS)
    assert (first["changed"], first["saved"]) == (True, False)
    assert box.state()["unsaved"] is True
    predicted = box.bootstrap(check=True, **SETTINGS)
    assert (predicted["saved"], predicted.writes) == (True, [])
    second = box.bootstrap(**SETTINGS)
    assert second.writes == ["POST /config/nsconfig?action=save"]
    assert (second["changed"], second["saved"], second["password_changed"]) == (True, True, False)
    assert box.state()["unsaved"] is False


def test_a_licence_costs_one_reboot_and_then_nothing(box: Box) -> None:
    done = box.bootstrap(license=LICENSE, **SETTINGS)
    assert (done["failed"], done["rebooted"]) == (False, True)
    assert done.writes.count("POST /config/reboot") == 1
    assert done.writes.index("POST /config/nsconfig?action=save") < done.writes.index("POST /config/reboot")
    assert box.state()["unsaved"] is False

    again = box.bootstrap(license=LICENSE, **SETTINGS)
    assert (again["changed"], again["rebooted"], again.writes) == (False, False, [])
    assert len(again.calls) == 10

    more = box.bootstrap(check=True, license={**LICENSE, "bandwidth": 3000}, **SETTINGS)
    assert (more["rebooted"], more.writes) == (True, [])
    assert more["diff"]["before"]["license"]["capacity"]["bandwidth"] == "1000"


# Written by an undisturbed run: password (a login), licence server, capacity, save, reboot, hostname, features, modes,
# save. Killed after one is the same to the appliance as killed before the next; around the reboot both are tried.
@pytest.mark.parametrize(
    ("write", "when"),
    [
        (1, "before"),
        (1, "after"),
        (2, "after"),
        (3, "after"),
        (4, "after"),
        (5, "before"),
        (5, "after"),
        (6, "after"),
        (7, "after"),
        (8, "after"),
        (9, "after"),
    ],
)
def test_killed_at_any_write_it_ends_like_a_run_that_was_not(fresh_lab: LabClient, write: int, when: str) -> None:
    fresh_lab.pace(600)  # it boots twice, and nothing here is about how long that takes
    options = {**SETTINGS, "license": LICENSE}
    box = ready(launch(fresh_lab)[0])
    box.killed("vpx_bootstrap", write, when, instance_id=box.instance_id, new_password=PASSWORD, **options)
    finished = box.bootstrap(**options)
    assert finished["failed"] is False, finished["msg"]
    assert finished.writes.count("POST /config/reboot") == (0 if write > 5 or (write, when) == (5, "after") else 1)

    state = box.state()
    assert state["unsaved"] is False
    assert state["running"]["nshostname"][0]["hostname"] == "adc-a"
    assert {"LB", "SSL"} <= set(state["running"]["nsfeature"][0]["feature"])
    assert "MBF" in state["running"]["nsmode"][0]["mode"]
    assert len(state["running"]["nslicenseserver"]) == 1
    last = box.bootstrap(**options)
    assert (last["changed"], last.writes) == (False, [])
