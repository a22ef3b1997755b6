"""What role application makes of a definition and of what it was told by AWS: the back ends of an application."""

from __future__ import annotations

from typing import Any

import pytest

from .templating import evaluate

FOLLOWING = {"name": "shop", "backend_autoscaling_group": "web", "backend_port": 8080}
LISTED = {"name": "shop", "backends": [{"address": "10.0.3.9", "port": 80}]}


def group(desired: int, *members: str) -> dict[str, Any]:
    instances = [{"instance_id": name, "lifecycle_state": "InService"} for name in members]
    return {"results": [{"auto_scaling_group_name": "web", "desired_capacity": desired, "instances": instances}]}


RUNNING = {"instances": [{"instance_id": "i-1", "private_ip_address": "10.0.3.1"}]}


@pytest.mark.parametrize(
    ("item", "told", "known", "backends"),
    [
        pytest.param(LISTED, {}, True, LISTED["backends"], id="listed"),
        pytest.param({"name": "shop"}, {}, True, [], id="none"),
        pytest.param(FOLLOWING, {}, False, [], id="nobody asked for them"),
        pytest.param(FOLLOWING, group(1), False, [], id="wanted, and none in service"),
        pytest.param(FOLLOWING, group(0), True, [], id="scaled to none"),
        pytest.param(FOLLOWING, group(2, "i-1", "i-2"), True, [{"address": "10.0.3.1", "port": 8080}], id="in service"),
    ],
)
def test_back_ends(item: dict[str, Any], told: dict[str, Any], known: bool, backends: list[dict[str, Any]]) -> None:
    """Those that are not known are left as they are."""
    asked = {"application_followed": told, "application_followed_instances": RUNNING} if told else {}
    given = {"__application_item": item, **asked}
    assert evaluate("application", "__application_backends_known", **given) is known
    assert evaluate("application", "__application_backends", **given) == backends
