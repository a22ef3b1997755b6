"""The lines that end a run."""

from __future__ import annotations

from typing import Any

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_summary import (
    application_summary,
    group_summary,
)

from .test_group_steps import WEB, node, state

ZONES = [{"name": "a", "ip_address": "203.0.113.9", "private_ip_address": None}]


def shown(**changes: Any) -> dict[str, Any]:
    given = state(**changes)
    given["balancer"]["zones"] = ZONES
    return {**given, "instances": [node(0), node(1, "draining")]}


def test_group_is_shown_with_nodes_and_the_way_to_applications() -> None:
    lines = group_summary(shown())
    assert lines[0] == "Group shop: independent nodes in 1 zones, distributed by nlb"
    assert [line.split()[-1] for line in lines[2:4]] == ["in_service", "draining"]
    assert lines[4] == "web: HTTP at 203.0.113.9:80 (a)"


def test_zone_that_reported_nothing_has_failed() -> None:
    assert group_summary(shown(), [])[2].split() == ["a", "failed"]
    assert group_summary(shown(), [["a  i-0  10.0.1.0  10.0.2.0  in_service"]])[2].startswith("a  i-0")


def test_check_mode_is_told() -> None:
    assert "check mode has changed nothing" in group_summary({**shown(), "check_mode": True})[0]
    assert application_summary({**shown(), "check_mode": True})[0] == "Check mode has changed nothing."


def test_applications_are_counted_on_nodes_in_service() -> None:
    domain = {**WEB, "domain": "web.example.com"}
    given = shown(distributor="dns", dns={"zone": "example.com"}, applications=[domain])
    assert application_summary(given) == ["shop serves web (HTTP, port 80) on 1 nodes in 1 zones, at web.example.com"]
    assert "web: HTTP at web.example.com:80" in group_summary(given)


def test_cost_and_next_step_end_the_summary() -> None:
    lines = group_summary(shown())
    assert lines[-2].startswith(
        "Billed by AWS: 2 x m5.xlarge with one volume each, 1 Network Load Balancer with 1 Elas"
    )
    assert lines[-1].startswith("Next: run cloudadc.aws.autoscale every minute")


def test_check_mode_predicts_what_is_launched_and_billed() -> None:
    given = {**shown(policy={"min_nodes": 3}), "check_mode": True}
    lines = group_summary({**given, "instances": [], "balancer": None})
    assert lines[-3:] == [
        "would launch 3 x m5.xlarge (3 in a), billed by the hour with their volumes",
        "would create a Network Load Balancer with 1 Elastic IP, billed by the hour and by traffic",
        "would then bootstrap and configure the nodes for web (HTTP)",
    ]
    assert group_summary(given)[-2].startswith("would launch 1 x m5.xlarge (1 in a)")
    assert group_summary({**shown(), "check_mode": True})[-1] == "would launch no instance and allocate no address"
