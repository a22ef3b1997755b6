"""vpx_password against independent appliances of a lab: mixed states, and a run that is killed."""

from __future__ import annotations

import pytest
import requests

from tests.integration.modules.appliances import PASSWORD, Box, launch, on
from tests.lab.client import LabClient, wait_for

NEXT = "An0ther-0ne!"
ROTATION = {"present_password": PASSWORD, "new_password": NEXT}


@pytest.fixture
def boxes(fresh_lab: LabClient) -> list[Box]:
    """Two managed appliances."""
    found = launch(fresh_lab, "aa")
    wait_for(lambda: all(box.state()["stage"] == "ready" for box in found), "both have booted")
    for box in found:
        assert not box.bootstrap()["failed"]
    return found


def accepted(box: Box) -> str:
    """Return the password that the appliance accepts."""
    for password in (NEXT, PASSWORD):
        headers = {"X-NITRO-USER": "nsroot", "X-NITRO-PASS": password}
        answer = requests.get(
            f"https://{box.nsip}/nitro/v1/config/nsversion", headers=headers, verify=box.lab.ca_path, timeout=5
        )
        if answer.ok:
            return password
    return ""


def test_mixed_state_converges_and_a_killed_run_is_completed(boxes: list[Box]) -> None:
    predicted = on(boxes, "vpx_password", [{}, {}], check=True, **ROTATION)
    assert (predicted.writes, predicted["changed"], predicted["nodes"][0]["saved"]) == ([], True, True)

    # Killed after the first of its two writes: the new password is not saved.
    boxes[0].killed("vpx_password", 1, "after", **ROTATION)
    assert ([accepted(box) for box in boxes], boxes[0].state()["unsaved"]) == ([NEXT, PASSWORD], True)

    done = on(boxes, "vpx_password", [{}, {}], **ROTATION)
    assert not done["failed"], done["msg"]
    assert [node["password_changed"] for node in done["nodes"]] == [False, True]
    assert [node["saved"] for node in done["nodes"]] == [True, True]
    assert [accepted(box) for box in boxes] == [NEXT, NEXT]
    assert [box.state()["unsaved"] for box in boxes] == [False, False]
    assert NEXT not in str(done.result.get("invocation"))

    again = on(boxes, "vpx_password", [{}, {}], **ROTATION)
    assert (again["changed"], again.writes) == (False, [])
    assert sum("login 401" in op for op in again.ops) == 0


def test_wrong_present_password_is_refused_once_and_changes_nothing(boxes: list[Box]) -> None:
    refused = on(boxes, "vpx_password", [{}, {}], present_password="wr0ng-one", new_password=NEXT)
    assert refused["failed"]
    assert "2 of 2 nodes failed" in refused["msg"]
    assert "neither the new nor the present password was accepted" in refused["msg"]
    assert (refused.writes, [accepted(box) for box in boxes]) == ([], [PASSWORD, PASSWORD])
    assert sum("login 401" in op for op in refused.ops) == 4
