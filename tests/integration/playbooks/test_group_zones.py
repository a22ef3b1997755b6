"""Zones are independent: one that fails stops no other, is named with the reason, and is finished by the next run."""

from __future__ import annotations

import pytest

from tests.crash.group_flows import ZONE, Kind, account, built
from tests.lab.client import LabClient
from tests.stage import Stage

from .groups import IMPATIENT, OTHER_ZONE, Group, Played

pytestmark = pytest.mark.long

KIND = Kind("nlb", "independent")
NO_CAPACITY = f"do not have sufficient m5.xlarge capacity in the Availability Zone you requested ({OTHER_ZONE})"


@pytest.fixture
def group(lab: LabClient) -> Group:
    return Group(Stage(lab, quick=True), KIND)


@pytest.mark.timeout(3000)
def test_a_zone_without_capacity_is_built_by_the_next_run(group: Group) -> None:
    group.begin(account(KIND))
    group.lab.settings(aws={"exhausted": [OTHER_ZONE]})
    run = group.play("autoscale_group")
    assert run.code == 2
    assert NO_CAPACITY in run.message
    assert f"{OTHER_ZONE} failed" in run.message
    assert (group.lifecycles(), group.nodes(OTHER_ZONE)) == ({"in_service": 1}, [])
    assert group.targets("web") == dict.fromkeys(group.clients(), "healthy")

    [first] = group.nodes()
    group.lab.settings(aws={"exhausted": []})
    run = group.play("autoscale_group")
    assert run.code == 0, run.message
    assert group.nodes()[0]["InstanceId"] == first["InstanceId"]
    assert group.lifecycles(OTHER_ZONE) == {"in_service": 1}
    assert group.targets("web") == dict.fromkeys(group.clients() + group.clients(OTHER_ZONE), "healthy")
    assert group.devices() == sorted(group.nsips() + group.nsips(OTHER_ZONE))


def tick(group: Group, minute: int) -> Played:
    return group.play("autoscale", autoscale_now=f"2026-03-01T11:{minute:02}:00Z")


@pytest.mark.timeout(3000)
def test_a_zone_without_capacity_stops_no_other_from_growing(group: Group) -> None:
    group.begin(built(KIND))
    group.lab.settings(aws={"exhausted": [OTHER_ZONE]})
    group.lab.load(all=True, memory=93)
    for minute in (0, 1):
        assert tick(group, minute).code == 0
    run = tick(group, 2)
    assert run.code == 2
    assert NO_CAPACITY in run.message
    assert (group.lifecycles(), group.lifecycles(OTHER_ZONE)) == ({"in_service": 2}, {"in_service": 1})
    assert [(one["action"], one["outcome"]) for one in group.record(OTHER_ZONE)["history"]] == [("scale_out", "failed")]

    group.lab.settings(aws={"exhausted": []})
    run = group.play("scale_out", scale_out_zone=OTHER_ZONE, autoscale_now="2026-03-01T11:03:00Z")
    assert (run.code, group.lifecycles(OTHER_ZONE)) == (0, {"in_service": 2}), run.message


@pytest.mark.timeout(3000)
def test_a_node_that_does_not_answer_does_not_stop_other_zones(group: Group) -> None:
    """Its zone can grow all the same; only who asks for that very node to be as declared is told."""
    group.begin(built(KIND))
    [silent] = group.nodes(OTHER_ZONE)
    group.lab.power(silent["InstanceId"], on=False)
    run = group.play("autoscale_group", **IMPATIENT)
    assert run.code == 2
    assert f"{OTHER_ZONE} failed" in run.message
    assert silent["PrivateIpAddress"] in run.message
    assert f"{ZONE} {group.nodes()[0]['InstanceId']}" in run.message

    run = group.play("scale_out", scale_out_zone=OTHER_ZONE, autoscale_now="2026-03-01T11:00:00Z")
    assert (run.code, group.lifecycles(OTHER_ZONE)) == (0, {"in_service": 2}), run.message
    states = group.targets("web")
    assert sorted(states.values()) == ["healthy", "healthy", "unhealthy"]

    group.lab.power(silent["InstanceId"], on=True)
    run = group.play("autoscale_group")
    assert run.code == 0, run.message
    assert set(group.targets("web").values()) == {"healthy"}
