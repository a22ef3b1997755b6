"""The password of a pair and of groups is changed by the playbook that builds them, from every mixed state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
import requests

from tests.crash.group_flows import Kind, built
from tests.crash.inventory import read_inventory, tags_of
from tests.crash.lab_states import PAIR
from tests.lab.client import LabClient
from tests.stage import Run, Stage

NEXT = "N3xt{{pass'\"word ü!"
RPC = "n3xt-rpc-secret"
FROM_ENVIRONMENT = "{{ lookup('ansible.builtin.env', 'VPX_PASSWORD') }}"
PRESENT_FROM_ENVIRONMENT = "{{ lookup('ansible.builtin.env', 'VPX_PRESENT_PASSWORD') }}"


@pytest.fixture
def stage(lab: LabClient) -> Stage:
    """Playbooks that take both passwords from the environment, as the guide says."""
    found = Stage(lab, quick=True)
    present = lab.variables("ha_pair")["ha_pair_password"]
    found.environment = {"VPX_PASSWORD": NEXT, "VPX_PRESENT_PASSWORD": present}
    return found


def accepts(lab: LabClient, address: str, password: str) -> bool:
    """Whether the appliance there accepts the password."""
    answer = requests.post(
        f"https://{address}:{lab.nitro_port}/nitro/v1/config/login",
        json={"login": {"username": "nsroot", "password": password}},
        verify=lab.ca_path,
        timeout=5,
    )
    if answer.ok:
        cookies = {"Cookie": f"NITRO_AUTH_TOKEN={answer.json()['sessionid']}"}
        logout = f"https://{address}:{lab.nitro_port}/nitro/v1/config/logout"
        requests.post(logout, json={"logout": {}}, headers=cookies, verify=lab.ca_path, timeout=5)
    return answer.ok


def set_password(lab: LabClient, address: str, present: str, new: str) -> None:
    """Change it on one appliance, as an interrupted run may have done."""
    answer = requests.put(
        f"https://{address}:{lab.nitro_port}/nitro/v1/config/systemuser",
        json={"systemuser": {"username": "nsroot", "password": new}},
        headers={"X-NITRO-USER": "nsroot", "X-NITRO-PASS": present},
        verify=lab.ca_path,
        timeout=5,
    )
    assert answer.ok, answer.text


def nsips(lab: LabClient) -> list[str]:
    """Return the management addresses of all live instances, by zone and number."""
    nodes = [one for one in read_inventory(lab).instances if "cloudadc:node_id" in tags_of(one)]
    found = sorted(nodes, key=lambda one: sorted(tags_of(one).items()))
    return [one["PrivateIpAddress"] for one in found]


def states(lab: LabClient, addresses: Sequence[str]) -> list[dict[str, Any]]:
    nitro = lab.state()["nitro"]
    instances = [one for one in read_inventory(lab).instances if one["InstanceId"] in nitro]  # back ends are none
    found = {one["PrivateIpAddress"]: nitro[one["InstanceId"]] for one in instances}
    return [found[address] for address in addresses]


def play(stage: Stage, playbook: str, variables: str, *, must_succeed: bool = True, **values: Any) -> Run:
    """Run the playbook with further variables; none of the passwords is printed."""
    run = stage.play(playbook, "-e", json.dumps(values), variables=variables, must_succeed=must_succeed)
    for secret in (NEXT, RPC, stage.lab.variables("ha_pair")["ha_pair_password"]):
        assert secret not in run.text()
    return run


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mixed", [False, True], ids=["both have the present one", "the secondary has the new one"])
def test_password_of_a_pair(stage: Stage, mixed: bool) -> None:
    PAIR.set_up(stage)
    stage.lab.pace(300)
    lab, addresses = stage.lab, nsips(stage.lab)
    present = lab.variables("ha_pair")["ha_pair_password"]
    if mixed:
        set_password(lab, addresses[1], present, NEXT)
    given: dict[str, Any] = {"ha_pair_password": FROM_ENVIRONMENT, "ha_pair_present_password": PRESENT_FROM_ENVIRONMENT}
    if mixed:
        given |= {"ha_pair_rotate_rpc": True, "ha_pair_rpc_password": RPC}
    before = [state["running"]["nsrpcnode"] for state in states(lab, addresses)]
    play(stage, "ha_pair", "ha_pair", **given)
    assert [accepts(lab, one, NEXT) for one in addresses] == [True, True]
    assert [accepts(lab, one, present) for one in addresses] == [False, False]
    after = states(lab, addresses)
    assert [state["unsaved"] for state in after] == [False, False]
    rpc = [{row["ipaddress"]: row["password"] for row in state["running"]["nsrpcnode"]} for state in after]
    assert rpc[0] == rpc[1]
    assert (rpc[0] != {row["ipaddress"]: row["password"] for row in before[0]}) is mixed

    again = play(stage, "ha_pair", "ha_pair", ha_pair_password=FROM_ENVIRONMENT)
    assert again.changed() == 0


@pytest.mark.timeout(600)
def test_pair_without_a_right_password_is_refused_and_left_as_it_is(stage: Stage) -> None:
    PAIR.set_up(stage)
    stage.lab.pace(300)
    writes = len(stage.lab.writes())
    given = {"ha_pair_password": FROM_ENVIRONMENT, "ha_pair_present_password": "wr0ng-one"}
    run = play(stage, "ha_pair", "ha_pair", must_succeed=False, **given)
    message = " ".join(run.text().split())
    assert run.code == 2
    assert "neither the new nor the present password was accepted" in message
    assert stage.lab.writes()[writes:] == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_password_of_a_cluster(stage: Stage) -> None:
    """One node has the new password already, as after a run that was interrupted."""
    kind = Kind("nlb", "cluster")
    built(kind).set_up(stage)
    stage.lab.pace(300)
    lab, addresses = stage.lab, nsips(stage.lab)
    present = lab.variables(kind.variables)["autoscale_group_password"]
    set_password(lab, addresses[1], present, NEXT)
    given = {
        "autoscale_group_password": FROM_ENVIRONMENT,
        "autoscale_group_present_password": PRESENT_FROM_ENVIRONMENT,
    }
    play(stage, "autoscale_group", kind.variables, **given)
    assert [accepts(lab, one, NEXT) for one in addresses] == [True, True]
    assert [accepts(lab, one, present) for one in addresses] == [False, False]
    assert [state["unsaved"] for state in states(lab, addresses)] == [False, False]
    again = play(stage, "autoscale_group", kind.variables, autoscale_group_password=FROM_ENVIRONMENT)
    assert again.changed() == 0
