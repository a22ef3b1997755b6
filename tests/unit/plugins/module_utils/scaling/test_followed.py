"""Back ends that are the instances of an Auto Scaling group."""

from __future__ import annotations

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.followed import (
    Followed,
    ScalingGroup,
    desired_backends,
    differing,
)

WEB = Followed("web", "servers", 8000)
ADDRESSES = {"i-1": "10.0.3.1", "i-2": "10.0.3.2"}


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (ScalingGroup("servers", 2, ("i-1", "i-2")), {"web": {("10.0.3.1", 8000), ("10.0.3.2", 8000)}}),
        (ScalingGroup("servers", 2, ("i-1", "i-3")), {"web": {("10.0.3.1", 8000)}}),
        (ScalingGroup("servers", 0, ()), {"web": set()}),
        (ScalingGroup("servers", 2, ()), {}),
        (ScalingGroup("servers", 2, ("i-3",)), {}),
    ],
)
def test_desired_backends(group: ScalingGroup, expected: dict[str, set[tuple[str, int]]]) -> None:
    assert desired_backends([WEB], [group], ADDRESSES) == expected


def test_a_group_that_does_not_exist_is_named() -> None:
    with pytest.raises(Refusal, match="there is no Auto Scaling group servers in this account and region"):
        desired_backends([WEB], [ScalingGroup("others", 1, ("i-1",))], ADDRESSES)


def test_instances_out_of_service_are_not_members() -> None:
    reply = {
        "AutoScalingGroupName": "servers",
        "DesiredCapacity": 2,
        "Instances": [
            {"InstanceId": "i-1", "LifecycleState": "InService"},
            {"InstanceId": "i-2", "LifecycleState": "Terminating"},
        ],
    }
    assert ScalingGroup.from_reply(reply) == ScalingGroup("servers", 2, ("i-1",))


def test_differing_applications() -> None:
    one, two = frozenset({("10.0.3.1", 8000)}), frozenset({("10.0.3.2", 8000)})
    desired = {"web": one, "shop": one, "chat": one}
    assert differing(desired, {"web": two, "shop": one}) == ["web"], "chat is not configured there yet"
