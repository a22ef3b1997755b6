"""Zones are independent: one that fails stops no other, is named with the reason, and is finished by the next run."""

from __future__ import annotations

import pytest

from tests.chaos.groups import Kind, ground
from tests.lab.client import LabClient
from tests.stage import Stage

from .groups import OTHER_ZONE, Group

KIND = Kind("nlb", "independent")
NO_CAPACITY = f"do not have sufficient m5.xlarge capacity in the Availability Zone you requested ({OTHER_ZONE})"


@pytest.fixture
def group(lab: LabClient) -> Group:
    return Group(Stage(lab), KIND)


@pytest.mark.timeout(3000)
def test_a_zone_without_capacity_is_built_by_the_next_run(group: Group) -> None:
    group.begin(ground(KIND))
    group.lab.settings(aws={"exhausted": [OTHER_ZONE]})
    run = group.play("autoscale_group")
    assert run.code == 2
    assert NO_CAPACITY in run.said
    assert f"{OTHER_ZONE} failed" in run.said
    assert (group.lifecycles(), group.nodes(OTHER_ZONE)) == ({"in_service": 1}, [])
    assert group.targets("web") == dict.fromkeys(group.clients(), "healthy")

    [first] = group.nodes()
    group.lab.settings(aws={"exhausted": []})
    run = group.play("autoscale_group")
    assert run.code == 0, run.said
    assert group.nodes()[0]["InstanceId"] == first["InstanceId"]
    assert group.lifecycles(OTHER_ZONE) == {"in_service": 1}
    assert group.targets("web") == dict.fromkeys(group.clients() + group.clients(OTHER_ZONE), "healthy")
    assert group.devices() == sorted(group.nsips() + group.nsips(OTHER_ZONE))
