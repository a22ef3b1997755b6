"""The steps of an upgrade of a pair, from any point at which a run was interrupted."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_upgrade import (
    differences,
    unlike_builds,
    upgrade_steps,
    upgrade_summary,
)

PLAN = {"name": "shop", "image_id": "ami-new", "instance_type": "m5.xlarge"}


def info(*images: str) -> dict[str, Any]:
    return {
        "plan": PLAN,
        "instances": [
            {"instance_id": f"i-{n}", "node_id": n, "image_id": f"ami-{image}", "instance_type": "m5.xlarge"}
            for n, image in enumerate(images)
        ],
    }


def ha(primary: int | None, *, healthy: bool = True, **more: Any) -> dict[str, Any]:
    nodes = [{"instance_id": "i-0"}, {"instance_id": "i-1"}]
    return {"primary": primary, "healthy": healthy, "verdict": "as it is", "nodes": nodes, **more}


@pytest.mark.parametrize(
    ("images", "primary", "healthy", "steps"),
    [
        (("old", "old"), 0, True, ("i-1", 1, "i-0")),
        (("old", "old"), 1, True, ("i-0", 0, "i-1")),
        # The secondary is new: nothing is synchronised between the builds, so the pair is not called healthy.
        (("old", "new"), 0, False, ("", 1, "i-0")),
        # The new node is primary: it is watched again, and the old one is the way back until then.
        (("old", "new"), 1, False, ("", 1, "i-0")),
        (("new", "new"), 0, True, ("", None, "")),
        (("new", "new"), None, False, ("", None, "")),
    ],
)
def test_steps_follow_from_images_and_roles(
    images: tuple[str, ...], primary: int | None, healthy: bool, steps: tuple[Any, ...]
) -> None:
    found = upgrade_steps(info(*images), ha(primary, healthy=healthy))
    assert found["problems"] == []
    assert (found["first"], found["trial"], found["second"]) == steps


@pytest.mark.parametrize(
    ("images", "state", "problem"),
    [
        (("old", "old"), ha(None), "The pair is not complete: as it is."),
        (("old",), ha(0), "The pair is not complete: as it is."),
        (("old", "old"), ha(0, healthy=False), "The pair is not fit for an upgrade: as it is."),
        (
            ("old", "old"),
            ha(
                0,
                moves=[{"elastic_ip": "192.0.2.1", "network_interface_id": "eni-0"}],
                elastic_ips=[{"elastic_ip": "192.0.2.1", "network_interface_id": "eni-1"}],
            ),
            "Elastic IP 192.0.2.1 is not at the primary. Run cloudadc.aws.ha_failover with "
            "ha_failover_mode=reconcile first.",
        ),
    ],
)
def test_a_pair_that_is_not_fit_is_not_touched(images: tuple[str, ...], state: dict[str, Any], problem: str) -> None:
    assert upgrade_steps(info(*images), state)["problems"] == [problem]


def test_another_type_is_a_difference_as_well() -> None:
    node = {"image_id": "ami-old", "instance_type": "m5.large"}
    assert differences(node, PLAN) == "image ami-old, not ami-new and type m5.large, not m5.xlarge"
    assert differences({**node, "image_id": "ami-new"}, PLAN) == "type m5.large, not m5.xlarge"


@pytest.mark.parametrize(
    ("versions", "unlike"),
    [(("14.1-1.1", "14.1-1.1"), False), (("14.1-1.1", "14.1-2.1"), True), (("14.1-1.1", None), False), ((), False)],
)
def test_unlike_builds(versions: tuple[str | None, ...], unlike: bool) -> None:
    assert unlike_builds({"nodes": [{"version": version} for version in versions]}) is unlike


def test_summary_says_what_differed_and_what_would_be_done() -> None:
    steps = upgrade_steps(info("old", "old"), ha(0))
    assert upgrade_summary(steps, PLAN, check_mode=True)[-3:] == [
        "would replace i-1, the secondary",
        "would make node 1 primary and watch it",
        "would replace i-0",
    ]
    assert "replaced i-0: image ami-old, not ami-new" in upgrade_summary(steps, PLAN)
    assert "Nothing had to be upgraded" in upgrade_summary(upgrade_steps(info("new", "new")), PLAN)[0]
