"""What release 0.1.0 made is converged: nothing is replaced, and nothing is lost.

Its playbooks were run against this lab, and then today's: what those wrote is what ``OF_AN_UPGRADE`` holds. The states
here are today's with just that taken away.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.crash.group_flows import Kind, built
from tests.crash.inventory import read_inventory, tags_of
from tests.crash.lab_states import PAIR, LabState
from tests.lab.client import LabClient, wait_for
from tests.stage import Stage

from .groups import Group

PACE = 300.0
KIND = "cloudadc:kind"
OF_AN_UPGRADE = {
    *("TagRole", "TagInstanceProfile", "CreateTags", "AddTags"),
    *("POST /config/route", "POST /config/nsmode?action=enable", "POST /config/nsconfig?action=save"),
}


def _untag(lab: LabClient) -> None:
    """Release 0.1.0 knew one kind of owner, so nothing carried its kind."""
    ec2, iam, elb = lab.boto("ec2"), lab.boto("iam"), lab.boto("elbv2")
    kinds = ec2.describe_tags(Filters=[{"Name": "key", "Values": [KIND]}])["Tags"]
    ec2.delete_tags(Resources=[tag["ResourceId"] for tag in kinds], Tags=[{"Key": KIND}])
    for role in iam.list_roles()["Roles"]:
        iam.untag_role(RoleName=role["RoleName"], TagKeys=[KIND])
    for profile in iam.list_instance_profiles()["InstanceProfiles"]:
        iam.untag_instance_profile(InstanceProfileName=profile["InstanceProfileName"], TagKeys=[KIND])
    balancers = [one["LoadBalancerArn"] for one in elb.describe_load_balancers()["LoadBalancers"]]
    groups = [one["TargetGroupArn"] for one in elb.describe_target_groups()["TargetGroups"]]
    if balancers or groups:
        elb.remove_tags(ResourceArns=[*balancers, *groups], TagKeys=[KIND])


def _remove_modes_and_routes(lab: LabClient, password: str) -> None:
    """Release 0.1.0 wrote neither a mode nor a route."""
    for instance in read_inventory(lab).instances:
        if "cloudadc:group" not in tags_of(instance):
            continue
        nitro = f"https://{instance['PrivateIpAddress']}:{lab.nitro_port}/nitro/v1/config"
        session = requests.Session()
        session.headers.update({"X-NITRO-USER": "nsroot", "X-NITRO-PASS": password})
        session.trust_env, session.verify = False, lab.env["LAB_CA"]
        for route in wait_for(functools.partial(_routes, session, nitro), f"{nitro} answers"):
            if route["network"] != "0.0.0.0":
                given = ",".join(f"{name}:{route[name]}" for name in ("netmask", "gateway"))
                session.delete(f"{nitro}/route/{route['network']}?args={given}").raise_for_status()
        disable = {"nsmode": {"mode": ["MBF"]}}
        session.post(f"{nitro}/nsmode?action=disable", json=disable).raise_for_status()
        session.post(f"{nitro}/nsconfig?action=save", json={"nsconfig": {}}).raise_for_status()


def _routes(session: requests.Session, nitro: str) -> list[dict[str, Any]] | None:
    """Return the appliance's routes; None until it answers: the lab has just restored it."""
    try:
        return list(session.get(f"{nitro}/route", timeout=5).json()["route"])
    except requests.ConnectionError:
        return None


def _of_release_0_1_0(today: LabState, variables: str, password: str) -> LabState:
    def build(stage: Stage) -> None:
        today.set_up(stage)
        _untag(stage.lab)
        _remove_modes_and_routes(stage.lab, stage.lab.variables(variables)[password])

    return LabState(f"{today.name}, as release 0.1.0 made it", build)


@pytest.fixture
def stage(lab: LabClient) -> Iterator[Stage]:
    lab.reset()
    lab.pace(PACE)
    yield Stage(lab, quick=True)
    lab.reset()


def _instances(lab: LabClient) -> set[str]:
    return {str(one["InstanceId"]) for one in read_inventory(lab).instances}


def _addresses(lab: LabClient) -> dict[str, Any]:
    described = lab.boto("ec2").describe_addresses()["Addresses"]
    return {one["AllocationId"]: one.get("NetworkInterfaceId") for one in described}


def _upgrade(stage: Stage, playbook: str, variables: str) -> None:
    lab = stage.lab
    instances, addresses = _instances(lab), _addresses(lab)
    first = stage.play(playbook, variables=variables)
    assert "resources of an earlier release by adding the tag cloudadc:kind" in " ".join(first.text().split())
    written = {call.op for call in lab.writes()}
    assert written <= OF_AN_UPGRADE
    assert {"CreateTags", "POST /config/route", "POST /config/nsmode?action=enable"} <= written
    assert (_instances(lab), _addresses(lab)) == (instances, addresses)
    count = len(lab.writes())
    again = stage.play(playbook, variables=variables)
    assert lab.writes()[count:] == []
    assert "earlier release" not in again.text()


@pytest.mark.timeout(600)
def test_pair_of_release_0_1_0_is_converged_with_nothing_replaced(stage: Stage) -> None:
    _of_release_0_1_0(PAIR, "ha_pair", "ha_pair_password").set_up(stage)
    _upgrade(stage, "ha_pair", "ha_pair")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", [Kind("nlb", "independent"), Kind("dns", "independent")], ids=str)
def test_group_of_release_0_1_0_is_converged_with_nothing_replaced(stage: Stage, kind: Kind) -> None:
    group = Group(stage, kind)
    group.begin(_of_release_0_1_0(built(kind), kind.variables, "autoscale_group_password"))
    _upgrade(stage, "autoscale_group", kind.variables)
