"""Which zones a tick of role autoscale is about."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.tick_call import read_call

POLICY = {
    "metrics": {"cpu": {"min": 20, "max": 80}},
    "watch_time": 3,
    "cooldown": 10,
    "drain_timeout": 10,
    "min_nodes": 2,
    "max_nodes": 6,
    "step": 2,
}
GROUP: dict[str, Any] = {
    "autoscale_group_name": "shop",
    "autoscale_group_zones": [{"name": "a", "clip": "10.0.1.100"}, {"name": "b", "clip": "10.0.2.100"}],
    "autoscale_group_topology": "cluster",
    "autoscale_group_policy": POLICY,
    "autoscale_group_applications": [
        {"name": "web", "protocol": "HTTP", "port": 80, "backends": []},
        {"name": "app", "protocol": "HTTP", "port": 81, "backend_autoscaling_group": "servers", "backend_port": 8000},
    ],
}


def test_all_zones_of_the_group() -> None:
    call = read_call({"autoscale_group": "shop"}, GROUP)
    assert call["problems"] == []
    assert call["zones"] == [{"zone": "a", "clip": "10.0.1.100"}, {"zone": "b", "clip": "10.0.2.100"}]
    assert call["followed"] == [{"application": "app", "autoscaling_group": "servers", "port": 8000}]


def test_chosen_zones_and_one_zone() -> None:
    assert [
        each["zone"] for each in read_call({"autoscale_group": "shop", "autoscale_zones": ["b"]}, GROUP)["zones"]
    ] == ["b"]
    named = read_call({"autoscale_group": "shop", "autoscale_zone": "a"}, GROUP)
    assert (named["zones"], named["problems"]) == ([], [])


@pytest.mark.parametrize(
    ("variables", "group", "problem"),
    [
        (
            {},
            {},
            "autoscale_group_name is not set: give variables with -e @shop.yml "
            "(without the @, Ansible does not read the file).",
        ),
        ({"autoscale_group": "shop"}, {}, "shop: autoscale_zone is missing, and autoscale_group_zones names no zone."),
        (
            {"autoscale_group": "shop", "autoscale_zones": ["c", "a"]},
            GROUP,
            "shop: autoscale_zones names c, which autoscale_group_zones does not (a, b).",
        ),
        (
            {"autoscale_group": "shop", "autoscale_zone": "c"},
            GROUP,
            "shop: autoscale_zone names c, which autoscale_group_zones does not (a, b).",
        ),
        (
            {"autoscale_group": "shop", "autoscale_zones": ["a"]},
            {},
            "shop: autoscale_zones names a, which autoscale_group_zones does not (it is empty).",
        ),
        (
            {"autoscale_group": "shop", "autoscale_zone": "a", "autoscale_nodes": []},
            {},
            "shop, a: autoscale_nodes is empty and autoscale_node_count is not given.",
        ),
    ],
)
def test_an_empty_selection_is_a_problem(variables: dict[str, Any], group: dict[str, Any], problem: str) -> None:
    assert problem in read_call(variables, group)["problems"]


@pytest.mark.parametrize(
    ("variables", "group", "seconds"),
    [
        ({"autoscale_act": True}, GROUP, 2 * 900 + 600 + 2 * 900),
        ({"autoscale_act": "yes", "autoscale_request": {"count": "3"}}, GROUP, 2 * 900 + 600 + 3 * 900),
        ({"autoscale_act": True}, {**GROUP, "autoscale_group_topology": "independent"}, 2400),
        ({"autoscale_act": False}, GROUP, 300),
        ({"autoscale_act": True, "autoscale_lease_seconds": 30}, GROUP, 30),
    ],
)
def test_lease_of_an_event(variables: dict[str, Any], group: dict[str, Any], seconds: float) -> None:
    assert read_call({"autoscale_group": "shop", **variables}, group)["lease_seconds"] == seconds


@pytest.mark.parametrize(("more", "port"), [({}, 0), ({"autoscale_group_nitro_port": 9443}, 9443)])
def test_port_of_nitro(more: dict[str, Any], port: int) -> None:
    assert read_call({"autoscale_group": "shop"}, {**GROUP, **more})["nitro_port"] == port
