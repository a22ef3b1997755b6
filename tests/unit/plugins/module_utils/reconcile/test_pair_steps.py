"""The options of each step of role ha_pair, and what is told at its end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_associations import associations_on
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_fronts import pair_applications
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_steps import pair_steps
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_summary import (
    pair_incomplete,
    pair_summary,
    removal_summary,
)
from tests.lab.appliance.ha import associations_of
from tests.lab.appliance.store import Config

NSIPS = ("10.0.0.5", "10.0.3.5")


def instance(node: int, **more: Any) -> dict[str, Any]:
    roles = ("management", "client", "server")
    interfaces = {
        role: {
            "network_interface_id": f"eni-{role}-{node}",
            "private_ip_address": f"10.0.{node * 3 + place}.5",
            "private_ip_addresses": [f"10.0.{node * 3 + place}.5"],
            "subnet_id": f"subnet-{node}{place}",
        }
        for place, role in enumerate(roles)
    }
    base = {"instance_id": f"i-{node}", "node_id": node, "availability_zone": f"zone-{node}", "state": "running"}
    return {**base, "lifecycle": "joining", "interfaces": interfaces, **more}


def planned(node: int) -> dict[str, Any]:
    return instance(node, instance_id=f"planned-{node}", state="planned", interfaces={"management": {}})


def info(*instances: dict[str, Any], **more: Any) -> dict[str, Any]:
    interfaces = [{"role": role, "subnet_id": "s"} for role in ("management", "client", "server")]
    plan = {
        "name": "shop",
        "instance_type": "m5.xlarge",
        "nitro_port": 443,
        "elastic_ips": [],
        "ipset": "shop-vips",
        "return_path": "mbf",
        "applications": [{"name": "web", "protocol": "HTTP", "port": 80}],
        "network": [
            {
                "server_netmask": "255.255.255.0",
                "routes": [{"network": "10.8.0.0/16", "gateway": f"10.0.{node * 3 + 2}.1"}],
                "return_gateways": [{"network": f"10.0.{node * 3 + 1}.0/24", "gateway": f"10.0.{node * 3 + 1}.1"}],
                "protected_networks": ["10.0.0.0/24"],
            }
            for node in (0, 1)
        ],
        "shared": {"observed": {"security_groups": {"management": "sg-1", "client": None}, "elastic_ip": None}},
        "instances": {"sets": [{"zone": "z", "node_id": 0, "interfaces": interfaces}]},
        **more,
    }
    return {"plan": plan, "instances": list(instances)}


SHARED = {
    "security_groups": {"management": "sg-1", "client": "sg-2", "server": "sg-3"},
    "elastic_ip": {"public_ip": "203.0.113.1", "allocation_id": "eipalloc-1"},
}
BOTH = info(instance(0), instance(1))


def ha(primary: int | None, **more: Any) -> dict[str, Any]:
    nodes = [{"nsip": nsip, "served_addresses": [], "peer": None} for nsip in NSIPS]
    return {"primary": primary, "nodes": nodes, "verdict": "node 0 is primary", "moves": [], "elastic_ips": [], **more}


def test_sets_get_the_groups_that_were_made_or_found() -> None:
    [each] = pair_steps(info(), SHARED)["sets"]
    assert [i["security_groups"] for i in each["interfaces"]] == [["sg-1"], ["sg-2"], ["sg-3"]]
    assert pair_steps(info(), SHARED)["groups_complete"]
    [each] = pair_steps(info(), {"skipped": True})["sets"]
    assert [i.get("security_groups") for i in each["interfaces"]] == [["sg-1"], None, None]
    assert not pair_steps(info())["groups_complete"]


def test_instances_are_those_of_the_launch_or_those_found() -> None:
    assert pair_steps(BOTH, launched={"skipped": True})["instances"] == BOTH["instances"]
    steps = pair_steps(info(instance(0)), launched={"instances": [instance(1), instance(0)]})
    assert [one["instance_id"] for one in steps["instances"]] == ["i-0", "i-1"]


@pytest.mark.parametrize(
    ("instances", "complete"),
    [([], False), ([instance(0)], False), ([instance(0), planned(1)], False), ([instance(0), instance(1)], True)],
)
def test_appliances_are_configured_once_both_have_an_address(instances: list[dict[str, Any]], complete: bool) -> None:
    steps = pair_steps(info(*instances))
    assert steps["complete"] is complete
    assert ("bootstrap" in steps) is complete


def test_in_service_means_both() -> None:
    in_service = [instance(node, lifecycle="in_service") for node in (0, 1)]
    assert pair_steps(info(*in_service))["in_service"]
    assert not pair_steps(info(in_service[0], instance(1)))["in_service"]


def test_elastic_ips_are_those_given_made_or_found() -> None:
    assert pair_steps(info(elastic_ips=["203.0.113.7"]), SHARED)["elastic_ips"] == ["203.0.113.7"]
    assert pair_steps(info(), SHARED)["elastic_ips"] == ["eipalloc-1"]
    assert pair_steps(info())["elastic_ips"] == []


@pytest.mark.parametrize(
    ("before", "first"),
    [
        (None, 0),
        (ha(None), 0),
        (ha(1), 1),
        (ha(None, nodes=[{"nsip": NSIPS[0]}, {"nsip": NSIPS[1], "served_addresses": ["10.0.1.5"]}]), 1),
        (ha(None, nodes=[{"nsip": NSIPS[0]}, {"nsip": NSIPS[1], "peer": "10.9.9.9"}]), 1),
        (
            ha(
                None,
                nodes=[{"nsip": NSIPS[0], "served_addresses": ["x"]}, {"nsip": NSIPS[1], "peer": "10.9.9.9"}],
            ),
            0,
        ),
        (ha(None, nodes=[{"nsip": None, "served_addresses": ["x"]}, {"nsip": NSIPS[1]}]), 0),
    ],
)
def test_the_node_with_a_configuration_is_introduced_first(before: dict[str, Any] | None, first: int) -> None:
    steps = pair_steps(BOTH, before=before)
    assert steps["ha"] == [
        {"nsip": f"{NSIPS[first]}:443", "peer": NSIPS[1 - first]},
        {"nsip": f"{NSIPS[1 - first]}:443", "peer": NSIPS[first]},
    ]


def test_bootstrap_network_and_addresses() -> None:
    steps = pair_steps(BOTH)
    assert steps["bootstrap"] == [
        {"nsip": "10.0.0.5:443", "instance_id": "i-0", "first_login": True, "hostname": "shop-0"},
        {"nsip": "10.0.3.5:443", "instance_id": "i-1", "first_login": True, "hostname": "shop-1"},
    ]
    assert steps["network"][1] == {
        "nsip": "10.0.3.5:443",
        "snips": [{"ip_address": "10.0.5.5", "netmask": "255.255.255.0"}],
        "routes": [{"network": "10.8.0.0/16", "gateway": "10.0.5.1"}],
        "protected_networks": ["10.0.0.0/24"],
    }
    both = [{"ip_address": "10.0.1.5"}, {"ip_address": "10.0.4.5"}]
    assert steps["fronts"] == [{"ipset": "shop-vips", "virtual_ip": "", "addresses": both}]
    assert steps["ipsets"] == [{"nsip": f"{nsip}:443", "name": "shop-vips", "addresses": both} for nsip in NSIPS]
    assert steps["data_interfaces"] == ["eni-client-0", "eni-client-1", "eni-server-0", "eni-server-1"]


def test_policy_based_routes_are_named_only_if_wanted() -> None:
    steps = pair_steps(info(instance(0), instance(1), return_path="pbr"))
    assert steps["network"][0]["return_gateways"] == [{"network": "10.0.1.0/24", "gateway": "10.0.1.1"}]
    assert "return_gateways" not in pair_steps(BOTH)["network"][0]


def test_the_primary_comes_first() -> None:
    steps = pair_steps(BOTH, after=ha(1))
    assert (steps["primary"], steps["secondary"]) == (NSIPS[1], NSIPS[0])
    assert steps["order"] == [{"nsip": "10.0.3.5:443"}, {"nsip": "10.0.0.5:443"}]
    assert pair_steps(BOTH, after=ha(None))["primary"] is None


MOVE = {"elastic_ip": "203.0.113.1", "network_interface_id": "eni-client-0", "private_ip_address": "10.0.1.5"}


@pytest.mark.parametrize(
    ("now", "due"), [({}, False), ({"private_ip_address": "10.0.1.6"}, True), ({"network_interface_id": None}, True)]
)
def test_addresses_move_only_where_they_are_not(now: dict[str, Any], due: bool) -> None:
    steps = pair_steps(BOTH, after=ha(0, moves=[MOVE], address_moves=[MOVE], elastic_ips=[{**MOVE, **now}]))
    assert steps["moves_due"] is due
    assert steps["moves"] == [MOVE]


def test_all_applications_go_to_the_primary_with_their_secrets() -> None:
    certificate = {"content": "c", "key": "k"}
    mail = {"name": "mail", "protocol": "TCP", "port": 25, "backends": [], "monitor": ""}
    web = {"name": "web", "protocol": "SSL", "port": 443, "certificate": certificate}
    front = {"ipset": "vips", "virtual_ip": "", "addresses": []}
    common = {"nsip": "10.0.0.5:443", "ipset": "vips", "enabled": True}
    entries = pair_applications({"ha_pair_applications": [mail], "ha_pair_application": web}, "10.0.0.5:443", [front])
    assert entries == [
        {**{key: value for key, value in mail.items() if value != ""}, **common},
        {**web, **common},
    ]
    assert pair_applications({"ha_pair_application": {}}, "10.0.0.5:443", [front]) == []


def test_application_that_is_not_declared_any_more_is_removed_first() -> None:
    carried = {"name": "vips", "vservers": ["new", "old"]}
    ipsets = {"nodes": [{"nsip": "a:443", "ipset": carried}, {"nsip": "b:443", "ipset": carried}]}
    new = {"name": "new", "protocol": "TCP", "port": 25}
    front = {"ipset": "vips", "virtual_ip": ""}
    entries = pair_applications({"ha_pair_application": new}, "a:443", [front], ipsets=ipsets)
    assert entries[0] == {"nsip": "a:443", "name": "old", "state": "absent", "only_own": True}
    assert [one["name"] for one in entries] == ["old", "new"]
    assert [one["name"] for one in pair_applications({}, "a:443", [front], (), ipsets)] == ["new", "old"]


def with_addresses(node: int, count: int) -> dict[str, Any]:
    found = instance(node)
    addresses = [f"10.0.{node * 3 + 1}.{5 + number}" for number in range(count)]
    found["interfaces"]["client"] |= {"private_ip_address": addresses[0], "private_ip_addresses": addresses}
    return found


FOUR = info(with_addresses(0, 4), with_addresses(1, 4))


def test_each_elastic_ip_has_an_ipset_and_a_virtual_server_of_every_application() -> None:
    steps = pair_steps(FOUR, after=ha(1))
    assert [(front["ipset"], front["virtual_ip"]) for front in steps["fronts"]] == [
        ("shop-vips", "10.0.1.5"),
        ("shop-vips-2", "10.0.1.6"),
        ("shop-vips-3", "10.0.1.7"),
        ("shop-vips-4", "10.0.1.8"),
    ]
    assert steps["fronts"][3]["addresses"] == [{"ip_address": "10.0.1.8"}, {"ip_address": "10.0.4.8"}]
    assert [entry["nsip"] for entry in steps["ipsets"]] == ["10.0.3.5:443"] * 4 + ["10.0.0.5:443"] * 4
    web = {"name": "web", "protocol": "SSL", "port": 443, "certificate": {"content": "c", "key": "k"}}
    nodes = [{"nsip": "10.0.3.5:443"}, {"nsip": "10.0.0.5:443"}]
    entries = pair_applications({"ha_pair_application": web}, "10.0.3.5:443", steps["fronts"], nodes)
    assert [(entry["name"], entry["ipset"], entry["virtual_ip"]) for entry in entries] == [
        ("web", "shop-vips", "10.0.1.5"),
        ("web-2", "shop-vips-2", "10.0.1.6"),
        ("web-3", "shop-vips-3", "10.0.1.7"),
        ("web-4", "shop-vips-4", "10.0.1.8"),
    ]
    assert [entry["certificate"] for entry in entries[1:]] == [{"certkey": "web-cert"}] * 3
    assert [entry.get("certificate_nodes") for entry in entries] == [["10.0.0.5:443"], None, None, None]


def client_of(node: int) -> Attached:
    return Attached(f"eni-client-{node}", 1, tuple(f"10.0.{node * 3 + 1}.{5 + number}" for number in range(4)))


def configured(node: int) -> Any:
    """Return an appliance of the lab with what the steps configure on it."""
    steps = pair_steps(FOUR, after=ha(0))
    config = Config()
    for front in steps["fronts"]:
        for address in front["addresses"]:
            row = {"name": front["ipset"], "ipaddress": address["ip_address"]}
            config.table("ipset_nsip_binding")[tuple(row.values())] = row
    for entry in pair_applications({"ha_pair_application": {"name": "web"}}, "10.0.0.5:443", steps["fronts"]):
        row = {"name": entry["name"], "ipset": entry["ipset"], "ipv46": entry["virtual_ip"]}
        config.table("lbvserver")[entry["name"],] = row
    return SimpleNamespace(running=config, addresses=lambda: set(client_of(node).addresses))


@pytest.mark.parametrize(("now", "new"), [(0, 1), (1, 0)])
def test_appliance_and_collection_choose_the_same_association_for_each_elastic_ip(now: int, new: int) -> None:
    """The vendor's rule of a failover, as the lab's appliances follow it, on what the steps configure."""
    here, there = client_of(now), client_of(new)
    for order in ((0, 1, 2, 3), (2, 0, 3, 1)):
        places = {f"eipalloc-{number}": here.addresses[index] for number, index in enumerate(order)}
        addresses = [
            Address(f"203.0.113.{number}", name, Association(here.network_interface_id, private))
            for number, (name, private) in enumerate(places.items())
        ]
        ours = associations_on(there, addresses, [SimpleNamespace(client=here), SimpleNamespace(client=there)])  # type: ignore[list-item]
        theirs = associations_of(configured(new))
        assert {name: theirs[private] for name, private in places.items()} == {
            name: association.private_ip_address for name, association in ours.items()
        }


def test_the_summary_names_nodes_addresses_applications_cost_and_next_steps() -> None:
    after = ha(0, moves=[MOVE], address_moves=[MOVE])
    steps = pair_steps(BOTH, SHARED, after=after)
    lines = pair_summary(steps, BOTH["plan"], after)
    assert lines[:5] == [
        "Pair shop: node 0 is primary",
        "node 0: i-0 in zone-0, NSIP 10.0.0.5, client address 10.0.1.5, primary",
        "node 1: i-1 in zone-1, NSIP 10.0.3.5, client address 10.0.4.5, secondary",
        "Elastic IP 203.0.113.1 on eni-client-0, 10.0.1.5",
        "serves web (HTTP, port 80): clients call 203.0.113.1",
    ]
    assert lines[5].startswith("Billed by AWS: 2 x m5.xlarge with one volume each, 1 Elastic IP")
    assert lines[6].startswith("Next: cloudadc.aws.ha_failover")


def test_check_mode_predicts_what_is_launched_and_billed() -> None:
    empty = info()
    actions = ["create role shop-vpx", "allocate an Elastic IP"]
    results = {"shared resources": {"changed": True, "actions": actions}, "instances": {"skipped": True}}
    assert pair_summary(pair_steps(empty), empty["plan"], results=results) == [
        "Pair shop: 0 of 2 instances exist. Check mode: nothing was changed.",
        "would launch 1 x m5.xlarge (node 0 in z), billed by the hour with their volumes",
        "would create role shop-vpx",
        "would allocate an Elastic IP, billed by the hour",
        "would then bootstrap, join and configure the nodes for web (HTTP, port 80)",
    ]


def test_check_mode_names_what_would_change_of_a_pair_in_service() -> None:
    after = ha(0, moves=[MOVE], address_moves=[MOVE])
    head = ["Pair shop: 2 of 2 instances exist. Check mode: nothing was changed.", "now: node 0 is primary"]
    steps = pair_steps(BOTH, SHARED, after=after)
    quiet = {"shared resources": {"actions": []}, "instances": {}, "IPSet": {"changed": False}}
    assert pair_summary(steps, BOTH["plan"], after, results=quiet) == [*head, "would change nothing"]
    tag = {"changed": True, "diff": {"before": {}, "after": {"actions": ["tag i-1"]}}}
    due = {**quiet, "IPSet": {"changed": True}, "instances": tag}
    assert pair_summary(steps, BOTH["plan"], after, results=due)[2:] == ["would tag i-1", "would change IPSet"]


def test_a_failure_names_what_is_billed() -> None:
    task, launched = "cloudadc.aws.ha_pair : Launch the instances", {"launched": ["i-1"]}
    message = pair_incomplete("shop", task, False, info(instance(0)), launched)
    assert "shop: 'Launch the instances' failed" in message
    assert "Instances i-1, i-0 are running and billed." in message
    assert "ha_pair_state=absent" in message
    assert pair_incomplete("shop", "Launch", True).endswith("Check mode has changed nothing.")
    assert "billed" not in pair_incomplete("shop", "Launch", False, info(), {})


def test_removal_says_what_is_gone_and_that_nothing_is_billed() -> None:
    shared = {"actions": ["delete role shop-vpx", "release Elastic IP 203.0.113.1"]}
    assert removal_summary({"terminated": ["i-0", "i-1"]}, "pair", "shop", shared) == [
        "The pair shop is removed.",
        "instances terminated: i-0, i-1",
        "other resources, what was done: delete role shop-vpx; release Elastic IP 203.0.113.1",
        "Billed by AWS: nothing of the pair any more.",
    ]
    assert removal_summary({"terminated": []}, "group", "shop", None, True) == [
        "Check mode: the group shop would be removed.",
        "instances would be terminated: none, as there was none",
        "other resources, what would be done: nothing, as nothing was there",
    ]
