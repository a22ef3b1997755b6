"""Which ports of a group are open to which networks."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group_security import (
    balancer_rules,
    client_rules,
    security_groups,
)

from .groups import variables

ANYWHERE, BALANCER = ["0.0.0.0/0"], ["10.0.2.0/24"]


def definition(*applications: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return read_group(variables(applications=list(applications), **changes))[0]


def opened(rules: list[dict[str, Any]]) -> list[tuple[str, int, list[str]]]:
    return [(rule["protocol"], rule["from_port"], rule["cidrs"]) for rule in rules]


@pytest.mark.parametrize(
    ("application", "at_nodes", "at_balancer"),
    [
        ({"protocol": "HTTP"}, [("tcp", 53, BALANCER)], [("tcp", 53, ANYWHERE)]),
        (
            {"protocol": "HTTP", "preserve_client_ip": True},
            [("tcp", 53, ANYWHERE + BALANCER)],
            [("tcp", 53, ANYWHERE)],
        ),
        (
            {"protocol": "HTTP", "nlb_protocol": "TLS", "health_check": {"port": 80}},
            [("tcp", 53, BALANCER), ("tcp", 80, BALANCER)],
            [("tcp", 53, ANYWHERE)],
        ),
        (
            {"protocol": "DNS", "health_check": {"port": 80}},
            [("udp", 53, ANYWHERE), ("tcp", 80, BALANCER)],
            [("udp", 53, ANYWHERE)],
        ),
        (
            {"protocol": "ANY"},
            [("tcp", 53, ANYWHERE + BALANCER), ("udp", 53, ANYWHERE)],
            [("tcp", 53, ANYWHERE), ("udp", 53, ANYWHERE)],
        ),
    ],
)
def test_ports_behind_a_load_balancer(application: dict[str, Any], at_nodes: list[Any], at_balancer: list[Any]) -> None:
    group = definition({"name": "web", "port": 53, **application})
    assert opened(client_rules(group, BALANCER)) == at_nodes
    assert opened(balancer_rules(group)) == at_balancer


def test_port_that_two_applications_use_is_one_rule() -> None:
    """EC2 keeps one description of a rule: two would be written in turns, again at each run."""
    group = definition(
        {"name": "names", "port": 53, "protocol": "DNS", "health_check": {"port": 80}},
        {"name": "web", "port": 80, "protocol": "HTTP", "preserve_client_ip": True},
        {"name": "chat", "port": 81, "protocol": "UDP", "health_check": {"port": 82}},
        {"name": "game", "port": 82, "protocol": "UDP", "health_check": {"port": 82}},
        client_cidrs=BALANCER,
    )
    rules = client_rules(group, BALANCER)
    assert opened(rules) == [
        ("udp", 53, BALANCER),
        ("tcp", 80, BALANCER),
        ("udp", 81, BALANCER),
        ("udp", 82, BALANCER),
        ("tcp", 82, BALANCER),
    ]
    assert [rule["description"] for rule in rules] == ["names", "web", "chat", "game", "Health checks of chat"]


def test_without_client_networks_only_the_load_balancer_is_admitted() -> None:
    names = {"name": "names", "port": 53, "protocol": "DNS", "health_check": {"port": 80}}
    group = definition(names, client_cidrs=[])
    assert opened(client_rules(group, BALANCER)) == [("tcp", 80, BALANCER)]
    assert balancer_rules(group) == []


def test_ports_where_dns_leads_to_the_nodes() -> None:
    group = definition(
        {"name": "web", "port": 80, "protocol": "HTTP"},
        {"name": "any", "port": 81, "protocol": "ANY"},
        distributor="dns",
    )
    assert opened(client_rules(group, BALANCER)) == [
        ("tcp", 80, ANYWHERE),
        ("tcp", 81, ANYWHERE),
        ("udp", 81, ANYWHERE),
    ]
    assert [one["role"] for one in security_groups(group, BALANCER)] == ["management", "client", "server"]


@pytest.mark.parametrize(
    ("process_local", "backplane"),
    [(True, [("udp", "client")]), (False, [("udp", "client"), ("47", "client")])],
    ids=["nothing is steered", "flows are steered"],
)
def test_cluster_opens_protocol_47_between_its_nodes_only_where_flows_are_steered(
    process_local: bool, backplane: list[tuple[str, str]]
) -> None:
    group = definition(topology="cluster", nitro_port=8443, management_cidrs="10.0.0.0/8", process_local=process_local)
    found = {one["role"]: one["rules"] for one in security_groups(group, BALANCER)}
    between = [(one["protocol"], one["from_port"]) for one in found["management"] if one.get("group") == "management"]
    assert between == [("udp", 7000), ("tcp", 22), ("tcp", 8443), ("tcp", 3008)]
    assert [(one["protocol"], one["group"]) for one in found["client"]] == backplane
    assert found["server"] == []
