"""What role autoscale_group makes of a definition: ports that are opened, nodes that are worked on, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from .templating import evaluate

ZONE = {
    "name": "a",
    "management_subnet_id": "subnet-m",
    "client_subnet_id": "subnet-c",
    "server_subnet_id": "subnet-s",
}
GROUP: dict[str, Any] = {
    "autoscale_group_name": "shop",
    "autoscale_group_image_id": "ami-1",
    "autoscale_group_password": "not-a-secret",
    "autoscale_group_zones": [ZONE],
    "autoscale_group_policy": {"min_nodes": 1, "max_nodes": 4},
    "autoscale_group_subnets": {
        "subnets": [{"subnet_id": "subnet-c", "cidr_block": "10.0.2.0/24", "vpc_id": "vpc-1"}],
    },
}
ANYBODY, BALANCER = ["0.0.0.0/0"], ["10.0.2.0/24"]


def opened(rules: list[dict[str, Any]]) -> list[tuple[str, list[str], list[str]]]:
    return [(rule["proto"], rule["ports"], rule["cidr_ip"]) for rule in rules]


@pytest.mark.parametrize(
    ("application", "at_nodes", "at_balancer"),
    [
        ({"protocol": "HTTP"}, [("tcp", ["53"], BALANCER)], [("tcp", ["53"], ANYBODY)]),
        (
            {"protocol": "HTTP", "preserve_client_ip": True},
            [("tcp", ["53"], ANYBODY + BALANCER)],
            [("tcp", ["53"], ANYBODY)],
        ),
        (
            {"protocol": "HTTP", "nlb_protocol": "TLS", "health_check": {"port": 80}},
            [("tcp", ["53"], BALANCER), ("tcp", ["80"], BALANCER)],
            [("tcp", ["53"], ANYBODY)],
        ),
        (
            {"protocol": "DNS", "health_check": {"port": 80}},
            [("udp", ["53"], ANYBODY), ("tcp", ["80"], BALANCER)],
            [("udp", ["53"], ANYBODY)],
        ),
        (
            {"protocol": "ANY"},
            [("tcp", ["53"], ANYBODY + BALANCER), ("udp", ["53"], ANYBODY)],
            [("tcp", ["53"], ANYBODY), ("udp", ["53"], ANYBODY)],
        ),
    ],
)
def test_what_is_opened_behind_a_load_balancer(
    application: dict[str, Any], at_nodes: list[Any], at_balancer: list[Any]
) -> None:
    given = {**GROUP, "autoscale_group_applications": [{"name": "web", "port": 53, **application}]}
    assert opened(evaluate("autoscale_group", "__autoscale_group_client_rules", **given)) == at_nodes
    assert opened(evaluate("autoscale_group", "__autoscale_group_balancer_rules", **given)) == at_balancer


def test_a_port_that_two_ask_for_is_one_rule() -> None:
    """EC2 keeps one description of a rule: two would be written in turns, again at each run."""
    applications: list[dict[str, Any]] = [
        {"name": "names", "port": 53, "protocol": "DNS", "health_check": {"port": 80}},
        {"name": "web", "port": 80, "protocol": "HTTP", "preserve_client_ip": True},
        {"name": "chat", "port": 81, "protocol": "UDP", "health_check": {"port": 82}},
        {"name": "game", "port": 82, "protocol": "UDP", "health_check": {"port": 82}},
    ]
    given = {**GROUP, "autoscale_group_client_cidrs": BALANCER, "autoscale_group_applications": applications}
    rules = evaluate("autoscale_group", "__autoscale_group_client_rules", **given)
    assert opened(rules) == [
        ("udp", ["53"], BALANCER),
        ("tcp", ["80"], BALANCER),
        ("udp", ["81"], BALANCER),
        ("udp", ["82"], BALANCER),
        ("tcp", ["82"], BALANCER),
    ]
    assert [rule["rule_desc"] for rule in rules] == ["names", "web", "chat", "game", "Health checks of chat"]


def test_nothing_is_opened_to_nobody() -> None:
    applications = [{"name": "names", "port": 53, "protocol": "DNS", "health_check": {"port": 80}}]
    given = {**GROUP, "autoscale_group_client_cidrs": [], "autoscale_group_applications": applications}
    assert opened(evaluate("autoscale_group", "__autoscale_group_client_rules", **given)) == [("tcp", ["80"], BALANCER)]


def test_what_is_opened_where_dns_leads_to_the_nodes() -> None:
    applications = [{"name": "web", "port": 80, "protocol": "HTTP"}, {"name": "any", "port": 81, "protocol": "ANY"}]
    given = {**GROUP, "autoscale_group_distributor": "dns", "autoscale_group_applications": applications}
    assert opened(evaluate("autoscale_group", "__autoscale_group_client_rules", **given)) == [
        ("tcp", ["80"], ANYBODY),
        ("tcp", ["81"], ANYBODY),
        ("udp", ["81"], ANYBODY),
    ]


def node(number: int, lifecycle: str) -> dict[str, Any]:
    interfaces = {role: {"private_ip_address": f"10.0.1.{number}"} for role in ("management", "client", "server")}
    return {
        "instance_id": f"i-{number}",
        "node_id": number,
        "state": "running",
        "lifecycle": lifecycle,
        "interfaces": interfaces,
    }


@pytest.mark.parametrize(
    ("only_new", "lifecycles", "touched"),
    [
        (False, ["in_service", "joining"], [0, 1]),
        (True, ["in_service", "joining"], [1]),
        (True, ["in_service", "in_service"], [0, 1]),
        (True, ["draining", "joining"], [1]),
    ],
)
def test_a_growth_works_on_what_is_new(only_new: bool, lifecycles: list[str], touched: list[int]) -> None:
    nodes = [node(number, lifecycle) for number, lifecycle in enumerate(lifecycles)]
    given = {
        **GROUP,
        "autoscale_group_zone": ZONE,
        "autoscale_group_zone_only_new": only_new,
        "autoscale_group_launched": {"instances": nodes},
    }
    bootstrapped = evaluate("autoscale_group", "__autoscale_group_bootstraps", **given)
    assert [each["instance_id"] for each in bootstrapped] == [f"i-{number}" for number in touched]
    snips = evaluate("autoscale_group", "__autoscale_group_snips", **given)
    assert [each["ip_address"] for each in snips] == [f"10.0.1.{number}" for number in touched]


@pytest.mark.parametrize(
    ("console", "said"),
    [
        ({}, []),
        ({"adm_url": "https://10.0.0.5", "profile": "aws"}, []),
        ({"profile": "aws"}, ["autoscale_group_console has no adm_url, the address of the console."]),
        (
            {"adm_url": "https://10.0.0.5", "profile": ""},
            ["autoscale_group_console has no profile, the device profile with which the console logs in to the nodes."],
        ),
    ],
)
def test_a_console_needs_a_profile(console: dict[str, Any], said: list[str]) -> None:
    assert evaluate("autoscale_group", "__autoscale_group_problems", **GROUP, autoscale_group_console=console) == said


def test_nodes_that_only_the_records_know() -> None:
    records = {
        "records": [
            {
                "nodes": [{"nsip": "10.0.1.4:9443"}, {"nsip": "10.0.1.5"}],
                "earlier": [],
                "missing": [{"nsip": "10.0.1.6"}],
            },
            {"nodes": None, "earlier": [{"nsip": "10.0.1.7"}], "missing": [{"nsip": "10.0.1.6"}]},
        ]
    }
    given = {**GROUP, "autoscale_group_records": records}
    known = evaluate("autoscale_group", "__autoscale_group_remembered", **given)
    assert known == ["10.0.1.4", "10.0.1.5", "10.0.1.6", "10.0.1.7"]
    filters = evaluate("autoscale_group", "__autoscale_group_lost_filters", **given, autoscale_group_lost_nodes=known)
    assert filters == {"addresses.private-ip-address": known, "subnet-id": ["subnet-m"]}
    without_zones = {**given, "autoscale_group_zones": [], "autoscale_group_lost_nodes": known}
    filters = evaluate("autoscale_group", "__autoscale_group_lost_filters", **without_zones)
    assert filters == {"addresses.private-ip-address": known}


def test_nodes_that_a_tick_misses() -> None:
    missing = [{"nsip": "10.0.1.4:9443", "instance_id": "i-1"}, {"nsip": "10.0.1.5", "instance_id": "i-2"}]
    assert evaluate("autoscale", "__autoscale_lost", autoscale_result={"missing": missing}) == ["10.0.1.4", "10.0.1.5"]
