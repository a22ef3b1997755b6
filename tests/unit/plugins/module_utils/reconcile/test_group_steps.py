"""The work of each step of a scale-out: which nodes, with which options, and nothing where nothing is to be done."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_steps import (
    deployment_steps,
    virtual_server,
    zone_steps,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group

ZONE = {
    "name": "a",
    "management_subnet_id": "subnet-m",
    "client_subnet_id": "subnet-c",
    "server_subnet_id": "subnet-s",
}
WEB = {"name": "web", "protocol": "HTTP", "port": 80, "backends": [{"address": "10.0.3.11", "port": 8080}]}
NETWORK = {
    "clip_interface": "",
    "server_netmask": "255.255.255.0",
    "client_netmask": "255.255.255.128",
    "routes": [{"network": "10.0.9.0/24", "gateway": "10.0.3.1"}],
    "return_gateways": [],
    "protected_networks": ["10.0.1.0/24"],
}
ALIAS = {"dns_name": "shop.elb.aws.", "hosted_zone_id": "Z9", "evaluate_target_health": True}


def state(**changes: Any) -> dict[str, Any]:
    clustered = changes.get("topology") == "cluster"
    zone = {**ZONE, "clip": "10.0.1.250"} if clustered else ZONE
    given = {"name": "shop", "zones": [zone], "applications": [WEB], **changes}
    definition, _problems = read_group({f"autoscale_group_{key}": value for key, value in given.items()})
    return {
        "definition": definition,
        "zones": [{**definition["zones"][0], **NETWORK}],
        "target_groups": [{"application": "web", "target_group_arn": "arn:web", "targets": []}],
        "balancer": {"dns_name": "Shop.elb.aws", "canonical_hosted_zone_id": "Z9", "zones": []},
        "records": {},
        "aliases": {},
        "backends": {},
        "instances": [],
        "check_mode": False,
    }


def node(number: int, lifecycle: str = "in_service", *, public: bool = False, zone: str = "a") -> dict[str, Any]:
    interfaces = {
        role: {
            "private_ip_address": f"10.0.{net}.{number}",
            "network_interface_id": f"eni-{role}-{number}",
            "public_ip": f"203.0.113.{number}" if public and role == "client" else None,
        }
        for net, role in enumerate(("management", "client", "server"), start=1)
    }
    return {
        "instance_id": f"i-{number}",
        "node_id": number,
        "state": "running",
        "lifecycle": lifecycle,
        "availability_zone": zone,
        "tags": {"cloudadc:zone": zone},
        "interfaces": interfaces,
    }


@pytest.mark.parametrize(
    ("only_new", "lifecycles", "touched"),
    [
        (False, ["in_service", "joining"], [0, 1]),
        (True, ["in_service", "joining"], [1]),
        (True, ["in_service", "in_service"], [0, 1]),
        (True, ["draining", "joining"], [1]),
        (False, ["terminating", "in_service"], [1]),
    ],
)
def test_scale_out_works_on_new_nodes(only_new: bool, lifecycles: list[str], touched: list[int]) -> None:
    nodes = [node(number, lifecycle) for number, lifecycle in enumerate(lifecycles)]
    steps = zone_steps(state(), nodes, "a", only_new=only_new)
    assert [each["instance_id"] for each in steps["bootstrap"]] == [f"i-{number}" for number in touched]
    assert [each["snips"][0]["ip_address"] for each in steps["network"]] == [f"10.0.3.{one}" for one in touched]
    assert [each["nsip"] for each in steps["ipsets"]] == [f"10.0.1.{one}:443" for one in touched]
    assert steps["mark"] == [f"i-{one}" for one, life in enumerate(lifecycles) if life in ("joining",)]


def test_independent_node_gets_its_own_name_address_and_routes() -> None:
    steps = zone_steps(state(nitro_port=8443), [node(2, "joining")], "a")
    assert steps["bootstrap"] == [
        {"nsip": "10.0.1.2:8443", "instance_id": "i-2", "first_login": True, "hostname": "shop-a-2"}
    ]
    assert steps["network"] == [
        {
            "nsip": "10.0.1.2:8443",
            "snips": [{"ip_address": "10.0.3.2", "netmask": "255.255.255.0"}],
            "routes": NETWORK["routes"],
            "return_gateways": [],
            "protected_networks": ["10.0.1.0/24"],
        }
    ]
    assert (steps["cluster"], steps["clip_interface"], steps["settings"]) == ([], "", [])


def test_policy_based_routes_start_from_a_second_client_address() -> None:
    one = node(0)
    one["interfaces"]["client"]["private_ip_addresses"] = ["10.0.2.0", "10.0.2.99"]
    [network] = zone_steps(state(return_path="pbr"), [one], "a")["network"]
    assert network["snips"][1] == {"ip_address": "10.0.2.99", "netmask": "255.255.255.128"}


def test_first_nodes_form_a_cluster_on_the_lowest_number() -> None:
    nodes = [node(1, "joining"), node(0, "joining")]
    steps = zone_steps(state(topology="cluster"), nodes, "a")
    assert steps["form"] is True
    assert steps["clip_interface"] == "eni-management-0"
    assert steps["cluster"] == [{"nsip": "10.0.1.0:443", "node_id": 0}, {"nsip": "10.0.1.1:443", "node_id": 1}]
    assert steps["settings"] == [{"nsip": "10.0.1.250:443"}]
    assert "hostname" not in steps["bootstrap"][0]


def test_node_in_service_answers_for_the_cluster_and_draining_members_stay() -> None:
    nodes = [node(0, "joining"), node(1), node(2, "draining")]
    given = state(topology="cluster")
    given["zones"][0]["clip_interface"] = "eni-x"
    steps = zone_steps(given, nodes, "a", only_new=True)
    assert (steps["form"], steps["clip_interface"]) == (False, "")
    assert [one["node_id"] for one in steps["cluster"]] == [1, 0]
    assert steps["members"] == ["10.0.1.0", "10.0.1.1", "10.0.1.2"]
    assert [one["instance_id"] for one in steps["bootstrap"]] == ["i-0"]
    [network] = steps["network"]
    assert [(one["ip_address"], one["owner_node"]) for one in network["snips"]] == [("10.0.3.0", 0), ("10.0.3.1", 1)]


def test_cluster_is_configured_at_its_address_with_every_address_that_has_connections() -> None:
    nodes = [node(0), node(1, "draining"), node(2, "terminating")]
    steps = zone_steps(state(topology="cluster"), nodes, "a")
    addresses = [{"ip_address": "10.0.2.0"}, {"ip_address": "10.0.2.1"}]
    assert steps["ipsets"] == [{"nsip": "10.0.1.250:443", "name": "web", "addresses": addresses}]
    assert steps["applications"][0]["virtual_ip"] == "10.0.2.0"
    assert [one["id"] for one in steps["targets"][0]["targets"]] == ["10.0.2.0"]


@pytest.mark.parametrize(
    ("known", "written"),
    [
        ([], True),
        ([("10.0.2.0", "initial")], True),
        ([("10.0.2.0", "healthy"), ("10.0.2.1", "healthy")], False),
        ([("10.0.2.0", "healthy"), ("10.0.2.1", "unhealthy")], True),
    ],
)
def test_targets_are_registered_unless_all_are_healthy(known: list[tuple[str, str]], written: bool) -> None:
    given = state()
    given["target_groups"][0]["targets"] = [{"id": one, "port": 80, "state": health} for one, health in known]
    steps = zone_steps(given, [node(0), node(1)], "a")
    assert bool(steps["targets"]) == written


def test_target_group_that_does_not_exist_yet_gets_no_targets() -> None:
    given = state()
    given["target_groups"][0]["target_group_arn"] = None
    assert zone_steps(given, [node(0)], "a")["targets"] == []


def dns_state(**records: Any) -> dict[str, Any]:
    web = {**WEB, "domain": "web.example.com"}
    given = state(distributor="dns", dns={"zone": "example.com"}, applications=[web], policy={"ttl": 30})
    return {**given, "records": records}


def test_nodes_get_record_sets_unless_they_have_them() -> None:
    steps = zone_steps(dns_state(), [node(0, public=True)], "a")
    entry = {"identifier": "i-0", "value": "203.0.113.0"}
    common = {"record": "web.example.com", "nodes": [entry], "ttl": 30, "policy": "multivalue"}
    assert steps["records"] == [{**common, "health_check": {"port": 80}}]
    unchecked = {"web.example.com": [{**entry, "ttl": 30, "health_check_id": None}]}
    assert zone_steps(dns_state(**unchecked), [node(0, public=True)], "a")["records"] == steps["records"]
    known = {"web.example.com": [{**entry, "ttl": 30, "health_check_id": "hc-1"}]}
    assert zone_steps(dns_state(**known), [node(0, public=True)], "a")["records"] == []
    other = {"web.example.com": [{**entry, "ttl": 60, "health_check_id": "hc-1"}]}
    assert zone_steps(dns_state(**other), [node(0, public=True)], "a")["records"] != []
    assert steps["targets"] == []


@pytest.mark.parametrize(
    ("changes", "checked"),
    [
        ({}, True),
        ({"client_cidrs": ["10.0.0.0/8"]}, False),
        ({"client_cidrs": ["10.0.0.0/8"], "dns": {"zone": "example.com", "health_check": True}}, True),
        ({"dns": {"zone": "example.com", "health_check": False}}, False),
        ({"applications": [{**WEB, "protocol": "UDP", "domain": "web.example.com"}]}, False),
    ],
)
def test_records_have_health_checks_where_checkers_are_let_in(changes: dict[str, Any], checked: bool) -> None:
    web = {**WEB, "domain": "web.example.com"}
    given = {"distributor": "dns", "dns": {"zone": "example.com"}, "applications": [web], **changes}
    [entry] = zone_steps(state(**given), [node(0, public=True)], "a")["records"]
    assert ("health_check" in entry) is checked


def test_node_without_public_address_is_unreachable_by_dns() -> None:
    assert zone_steps(dns_state(), [node(0), node(1, public=True)], "a")["unreachable"] == ["i-0"]


def test_domain_becomes_an_alias_of_the_load_balancer() -> None:
    given = state(applications=[{**WEB, "domain": "web.example.com"}], dns={"zone": "example.com"})
    assert zone_steps(given, [node(0)], "a")["records"] == [{"record": "web.example.com", "alias": ALIAS}]
    assert zone_steps({**given, "aliases": {"web.example.com": ALIAS}}, [node(0)], "a")["records"] == []
    assert zone_steps({**given, "balancer": None}, [node(0)], "a")["records"] == []


def test_check_mode_looks_at_nodes_in_service_only() -> None:
    planned = {**node(2, "provisioning"), "state": "planned", "instance_id": "planned-1"}
    steps = zone_steps({**state(), "check_mode": True}, [node(0), node(1, "joining"), planned], "a")
    assert [one["nsip"] for one in steps["ipsets"]] == ["10.0.1.0:443"]
    assert "planned-1" not in steps["nodes"]
    assert any("planned-1" in line for line in steps["report"])


def test_other_zones_are_left_alone() -> None:
    steps = zone_steps(state(), [node(0), node(1, zone="b")], "a")
    assert steps["nodes"] == ["i-0"]


def test_secrets_come_from_the_variables() -> None:
    certificate = {"certkey": "web"}
    steps = zone_steps(state(), [node(0)], "a", applications=[{**WEB, "certificate": certificate}])
    assert steps["applications"][0]["certificate"] == certificate


@pytest.mark.parametrize(
    ("known", "backends"),
    [
        ({}, None),
        ({"web": []}, []),
        ({"web": [{"address": "10.0.3.1", "port": 8080}]}, [{"address": "10.0.3.1", "port": 8080}]),
    ],
)
def test_back_ends_that_are_not_known_stay(known: dict[str, Any], backends: list[Any] | None) -> None:
    following = {"name": "web", "protocol": "HTTP", "port": 80, "backend_autoscaling_group": "w", "backend_port": 8080}
    given = {**state(applications=[following]), "backends": known}
    options = virtual_server(given["definition"]["applications"][0], given, {})
    assert options.get("backends") == backends


def test_deployment_follows_only_known_back_ends_and_names_what_is_removed() -> None:
    following = {"name": "api", "protocol": "HTTP", "port": 81, "backend_autoscaling_group": "w", "backend_port": 80}
    given = {**state(applications=[WEB, following]), "instances": [node(0), node(1, "draining")]}
    steps = deployment_steps(given, draining=True)
    assert steps["followed"] == []
    assert [one["nsip"] for one in steps["removed"] if one["name"] == "api"] == ["10.0.1.0:443", "10.0.1.1:443"]
    given["backends"] = {"api": [{"address": "10.0.3.9", "port": 80}]}
    assert [one["name"] for one in deployment_steps(given)["followed"]] == ["api"]


def test_deployment_registers_with_target_groups_that_the_run_created() -> None:
    given = {**state(), "target_groups": [], "instances": [node(0)]}
    listeners = [{"application": "web", "target_group_arn": "arn:new"}]
    assert deployment_steps(given, listeners=listeners)["targets"][0]["target_group_arn"] == "arn:new"


def test_deployment_brings_the_routes_to_the_back_ends_of_nodes_that_run() -> None:
    nodes = [node(0), node(1), node(2, "joining"), node(3, "draining")]
    steps = deployment_steps({**state(), "instances": nodes})
    assert [one["nsip"] for one in steps["network"]] == ["10.0.1.0:443", "10.0.1.1:443"]
    assert all(one["routes"] == state()["zones"][0]["routes"] for one in steps["network"])
