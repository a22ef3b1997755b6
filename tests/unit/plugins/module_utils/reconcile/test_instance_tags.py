"""Tags of instances: how a lifecycle goes on, and what speaks against a removal."""

from __future__ import annotations

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.instance_tags import (
    desired_lifecycle,
    removal_obstacle,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.identity import Owner

from .fleet import instance

GROUP = Owner("shop", "group")
PLACE = {"cloudadc:group": "shop", "cloudadc:zone": "a"}
OURS = {"cloudadc:kind": "group", "cloudadc:zone": "a"}


@pytest.mark.parametrize(
    ("asked", "state", "now", "becomes"),
    [
        (None, "running", "provisioning", "joining"),
        (None, "pending", "provisioning", None),
        (None, "running", "in_service", None),
        (None, "running", None, None),
        ("joining", "running", "in_service", None),
        ("provisioning", "running", "joining", None),
        ("in_service", "running", "joining", "in_service"),
        ("in_service", "running", "draining", None),
        ("in_service", "running", None, "in_service"),
        ("draining", "running", "in_service", "draining"),
        ("draining", "running", "terminating", None),
        ("terminating", "running", "draining", "terminating"),
        ("spare", "running", "in_service", "spare"),
        ("in_service", "running", "spare", "in_service"),
    ],
)
def test_the_lifecycle_never_goes_back(asked: str | None, state: str, now: str | None, becomes: str | None) -> None:
    desired = desired_lifecycle(asked, instance(state=state, lifecycle=now))
    assert desired.get("cloudadc:lifecycle") == becomes


@pytest.mark.parametrize(
    ("event", "tags", "message"),
    [
        (None, OURS, None),
        (None, {"cloudadc:zone": "a"}, None),
        (None, {**OURS, "cloudadc:zone": "b"}, "i-1 does not belong to group shop (any more): cloudadc:zone is 'b'"),
        (None, {**OURS, "cloudadc:kind": "pair"}, "i-1 does not belong to group shop: its tag cloudadc:kind is 'pair'"),
        ("e-1", OURS, "i-1 is not marked for event e-1: its tag cloudadc:event is None"),
        ("e-1", {**OURS, "cloudadc:event": "e-2"}, "its tag cloudadc:event is 'e-2'"),
        ("e-1", {**OURS, "cloudadc:event": "e-1"}, "but its lifecycle is None"),
        ("e-1", {**OURS, "cloudadc:event": "e-1", "cloudadc:lifecycle": "draining"}, None),
        ("e-1", {**OURS, "cloudadc:event": "e-1", "cloudadc:lifecycle": "terminating"}, None),
        ("e-1", {**OURS, "cloudadc:event": "e-1", "cloudadc:lifecycle": "in_service"}, "but its lifecycle is in_serv"),
    ],
)
def test_what_speaks_against_a_removal(event: str | None, tags: dict[str, str], message: str | None) -> None:
    obstacle = removal_obstacle(GROUP, PLACE, event, instance(**tags))
    if message is None:
        assert obstacle is None
    else:
        assert obstacle
        assert message in obstacle
