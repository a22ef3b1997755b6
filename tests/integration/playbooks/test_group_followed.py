"""Back ends that are an Auto Scaling group, followed at each tick; and what was lost is deregistered from the console."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.groups import BYSTANDERS, SHOP_PORT, ZONE, Kind, built
from tests.lab.client import LabClient, wait_for
from tests.stage import Stage

from .groups import Group

KIND = Kind("nlb", "independent")


@pytest.fixture
def group(lab: LabClient) -> Group:
    return Group(Stage(lab), KIND)


def _hire(group: Group, number: int) -> list[str]:
    """The Auto Scaling group has so many instances; their addresses."""
    scaling, ec2 = group.lab.boto("autoscaling"), group.lab.boto("ec2")
    scaling.set_desired_capacity(AutoScalingGroupName=BYSTANDERS, DesiredCapacity=number)

    def there() -> list[str] | None:
        [found] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[BYSTANDERS])["AutoScalingGroups"]
        ids = [one["InstanceId"] for one in found["Instances"]]
        reservations = ec2.describe_instances(InstanceIds=ids)["Reservations"]
        instances = [instance for one in reservations for instance in one["Instances"]]
        running = [str(one["PrivateIpAddress"]) for one in instances if one["State"]["Name"] == "running"]
        return sorted(running) if len(running) == len(ids) == number else None

    return wait_for(there, f"{number} web servers run")


def _followed(group: Group) -> list[list[str]]:
    """What each appliance of the zone has behind the shop, as host:port."""
    appliances = group.lab.state()["nitro"]
    return [sorted(backends_of(appliances[node["InstanceId"]], "shop")) for node in group.nodes()]


def backends_of(appliance: dict[str, Any], application: str) -> list[str]:
    """Host:port of what is bound to this application."""
    found: list[str] = [
        one["address"] for one in appliance["routes"] if one["name"] == application for one in one["backends"]
    ]
    return found


@pytest.mark.timeout(3000)
def test_back_ends_join_and_leave_and_stay_when_their_group_is_gone(group: Group) -> None:
    group.begin(built(KIND))
    [first] = _hire(group, 1)
    tick = {"autoscale_zones": [ZONE], "autoscale_owner": "job"}
    assert group.play("autoscale", **tick, autoscale_now="2026-03-01T11:00:00Z").writes == []
    assert _followed(group) == [[f"{first}:{SHOP_PORT}"]]

    both = [f"{address}:{SHOP_PORT}" for address in _hire(group, 2)]
    run = group.play("autoscale", **tick, autoscale_now="2026-03-01T11:01:00Z")
    assert (run.code, _followed(group)) == (0, [both]), run.said
    assert group.play("autoscale", **tick, autoscale_now="2026-03-01T11:02:00Z").writes == []

    one = [f"{address}:{SHOP_PORT}" for address in _hire(group, 1)]
    run = group.play("autoscale", **tick, autoscale_now="2026-03-01T11:03:00Z")
    assert (run.code, _followed(group)) == (0, [one]), run.said

    group.lab.boto("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=BYSTANDERS, ForceDelete=True)
    run = group.play("autoscale", **tick, autoscale_now="2026-03-01T11:04:00Z")
    assert (run.code, run.writes, _followed(group)) == (2, [], [one])
    assert f"there is no Auto Scaling group {BYSTANDERS} in this account and region" in run.said
