"""What is in the way of applications behind a load balancer, also of one that is still to come."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.nlb.listeners import (
    COMING,
    Group,
    ObservedListeners,
    plan_present,
    refuse,
    request_of,
)

WEB = request_of("shop", {"application": "web", "port": 80, "protocol": "TCP"})
OURS = {"cloudadc:group": "shop", "cloudadc:application": "web"}


def observed(tags: dict[str, str] | None, **described: Any) -> ObservedListeners:
    """No load balancer; with ``tags`` a target group of the application's name."""
    if tags is None:
        return ObservedListeners(None, (), {})
    facts = {"VpcId": "vpc-1", "Protocol": "TCP", "TargetType": "ip", **described}
    return ObservedListeners(None, (), {"shop-web": Group("arn:tg", "shop-web", facts, tags)})


def test_without_a_load_balancer_nothing_can_be_made() -> None:
    with pytest.raises(Refusal, match="there is no load balancer shop in this account and region"):
        refuse([WEB], "shop", "shop", observed(None))


@pytest.mark.parametrize("tags", [None, OURS])
def test_one_that_is_to_come_is_no_obstacle(tags: dict[str, str] | None) -> None:
    balancer = refuse([WEB], "shop", "shop", observed(tags), needed=False)
    assert balancer is COMING
    whats = [change.what for change in plan_present([WEB], balancer, observed(tags), {})]
    assert whats[-1] == "create_listener"


@pytest.mark.parametrize(
    ("tags", "described", "message"),
    [
        ({}, {}, "target group shop-web was not made for application web of shop"),
        ({**OURS, "cloudadc:kind": "pair"}, {}, "was not made for application web of shop"),
        ({**OURS, "cloudadc:application": "api"}, {}, "was not made for application web of shop"),
        (OURS, {"Protocol": "UDP"}, "target group shop-web is of protocol UDP, and must be of protocol TCP"),
        (OURS, {"TargetType": "instance"}, "is of type instance, and must be of type ip"),
    ],
)
def test_what_is_in_its_way_is_known_before(tags: dict[str, str], described: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        refuse([WEB], "shop", "shop", observed(tags, **described), needed=False)
