"""What the steps of a scale-in work on."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.scale_in import read_scale_in, summary

from .test_tick_call import GROUP

DNS = {
    "autoscale_group_distributor": "dns",
    "autoscale_group_dns": {"zone": "example.com"},
    "autoscale_group_topology": "independent",
    "autoscale_group_applications": [
        {"name": "web", "protocol": "HTTP", "port": 80, "domain": "shop.example.com"},
        {"name": "app", "protocol": "HTTP", "port": 81, "domain": "shop.example.com"},
    ],
}


def test_a_cluster_behind_a_load_balancer() -> None:
    found = read_scale_in({"scale_in_zone": "b"}, GROUP, "b")
    assert found["problems"] == []
    assert (found["clip"], found["load_balancer"], found["domains"]) == ("10.0.2.100", "shop", [])
    assert (found["min_nodes"], found["drain_minutes"]) == (2, 10)


def test_independent_nodes_behind_dns() -> None:
    found = read_scale_in({}, {**GROUP, **DNS}, "a")
    assert (found["clip"], found["load_balancer"], found["domains"]) == ("", "", ["shop.example.com"])


def test_a_definition_goes_before_the_variables() -> None:
    definition = read_scale_in({}, GROUP, "a")["definition"]
    assert read_scale_in({"scale_in_definition": definition}, {}, "a")["definition"]["name"] == "shop"


@pytest.mark.parametrize(
    ("variables", "zone", "problem"),
    [
        ({"scale_in_nodes": 1}, "a", "The role scale_in has no variable scale_in_nodes."),
        ({}, "c", "shop has no zone c; it has a, b."),
    ],
)
def test_problems_of_a_request_are_reported(variables: dict[str, Any], zone: str, problem: str) -> None:
    [found] = read_scale_in(variables, GROUP, zone)["problems"]
    assert found.startswith(problem)


def test_summary_names_removed_nodes() -> None:
    selected = {"instance_ids": ["i-1"], "sentence": "2 were to go, and 1 can"}
    assert summary(selected, "shop", "a", "begin", check_mode=False) == [
        "2 were to go, and 1 can",
        "shop, a: i-1 takes no new clients; finish when the drain is over",
    ]
    assert summary({"instance_ids": [], "sentence": None}, "shop", "a", "finish", check_mode=True) == [
        "Check mode has changed nothing.",
        "shop, a: no node is removed",
    ]
