"""Back ends that are an AWS Auto Scaling group: the instances in service are followed at each tick."""

from __future__ import annotations

import pytest

from tests.crash.group_flows import BACKEND_ASG, SHOP_PORT, ZONE, Kind, built
from tests.lab.client import LabClient, wait_for
from tests.stage import Stage

from .groups import Group, Played

pytestmark = pytest.mark.long

KIND = Kind("nlb", "independent")


@pytest.fixture
def group(lab: LabClient) -> Group:
    return Group(Stage(lab, quick=True), KIND)


def hire(group: Group, number: int) -> list[str]:
    """Give the Auto Scaling group so many instances; return where they answer."""
    scaling, ec2 = group.lab.boto("autoscaling"), group.lab.boto("ec2")
    scaling.set_desired_capacity(AutoScalingGroupName=BACKEND_ASG, DesiredCapacity=number)

    def there() -> list[str] | None:
        [found] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[BACKEND_ASG])["AutoScalingGroups"]
        ids = [one["InstanceId"] for one in found["Instances"]]
        reservations = ec2.describe_instances(InstanceIds=ids)["Reservations"]
        instances = [instance for one in reservations for instance in one["Instances"]]
        running = [str(one["PrivateIpAddress"]) for one in instances if one["State"]["Name"] == "running"]
        return sorted(running) if len(running) == len(ids) == number else None

    return [f"{address}:{SHOP_PORT}" for address in wait_for(there, f"{number} web servers run")]


def tick(group: Group, minute: int) -> Played:
    return group.play("autoscale", autoscale_zones=[ZONE], autoscale_now=f"2026-03-01T11:{minute:02}:00Z")


def behind(group: Group) -> list[str]:
    """Return the back ends of the shop on the only node of the zone."""
    [node] = group.nodes()
    return group.backends(node, "shop")


@pytest.mark.timeout(3000)
def test_back_ends_join_and_leave_and_stay_when_their_group_is_gone(group: Group) -> None:
    group.begin(built(KIND))
    one = hire(group, 1)
    assert (tick(group, 0).writes, behind(group)) == ([], one)

    two = hire(group, 2)
    run = tick(group, 1)
    assert (run.code, behind(group)) == (0, two), run.message
    assert tick(group, 2).writes == []

    one = hire(group, 1)
    run = tick(group, 3)
    assert (run.code, behind(group)) == (0, one), run.message

    group.lab.boto("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=BACKEND_ASG, ForceDelete=True)
    run = tick(group, 4)
    assert (run.code, run.writes, behind(group)) == (2, [], one)
    assert f"There is no Auto Scaling group {BACKEND_ASG} in this account and region" in run.message
