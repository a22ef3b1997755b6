"""What a group needs in AWS and what prevents it, from a reading."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Interface
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.registry import REGISTRY as DISTRIBUTORS
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import group_plan as plans
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_reading import Nodes
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group

ZONE = {"name": "a", "management_subnet_id": "m", "client_subnet_id": "c", "server_subnet_id": "s"}
TAGS = {"cloudadc:group": "shop", "cloudadc:kind": "group", "cloudadc:zone": "a"}
SUBNETS = [
    {"SubnetId": name, "CidrBlock": f"10.0.{at}.0/24", "VpcId": "vpc-1", "AvailabilityZone": "a"}
    for at, name in enumerate(("m", "c", "s"), start=1)
]


def definition(**changes: Any) -> dict[str, Any]:
    given = {"name": "shop", "zones": [ZONE], "policy": {"min_nodes": 1, "max_nodes": 4}, **changes}
    return read_group({f"autoscale_group_{key}": value for key, value in given.items()})[0]


def instance(number: int, lifecycle: str = "in_service", **changes: Any) -> Instance:
    attached = tuple(
        Attached(f"eni-{number}-{index}", index, (f"10.0.{index + 1}.{number}",), subnet)
        for index, subnet in enumerate(("m", "c", "s"))
    )
    tags = {**TAGS, "cloudadc:lifecycle": lifecycle, "cloudadc:node_id": str(number), **changes.pop("tags", {})}
    changes = {"profile": "shop-vpx", **changes}
    return Instance(f"i-{number}", "running", "a", f"2026-01-0{number + 1}", tags, attached, **changes)


def interfaces(*instances: Instance) -> dict[str, Interface]:
    return {
        one.network_interface_id: Interface(
            one.network_interface_id,
            one.addresses,
            item.instance_id,
            one.device_index,
            tags={**TAGS, "cloudadc:role": ("management", "client", "server")[one.device_index]},
        )
        for item in instances
        for one in item.interfaces
    }


@pytest.mark.parametrize(
    ("lifecycles", "desired", "count"),
    [
        ([], 2, 2),
        (["in_service"], 2, 2),
        (["in_service", "in_service", "in_service"], 2, 3),
        (["in_service", "draining"], 2, 3),
        (["terminating"], 1, 2),
        (["joining"], 1, 1),
    ],
)
def test_leaving_nodes_count_besides_and_none_is_terminated(lifecycles: list[str], desired: int, count: int) -> None:
    nodes = Nodes(instances=tuple(instance(at, one) for at, one in enumerate(lifecycles)))
    found = plans.instance_set(definition(), definition()["zones"][0], nodes, {}, desired)
    assert found["count"] == count


def test_zone_that_is_as_desired_needs_no_start_of_vpx_instance() -> None:
    one = instance(0)
    nodes = Nodes(instances=(one,), interfaces=interfaces(one))
    group = definition()
    entry = plans.instance_set(group, group["zones"][0], nodes, {}, 1)
    assert plans.is_there(group, entry, nodes)
    assert not plans.is_there(group, {**entry, "count": 2}, nodes)
    assert not plans.is_there(definition(tags={"team": "edge"}), entry, nodes)
    assert not plans.is_there(group, entry, Nodes(instances=(instance(0, reason="x"),)))
    assert not plans.is_there(group, entry, Nodes(instances=(instance(0, profile=""),), interfaces=interfaces(one)))


def test_security_groups_and_instances_of_another_owner_are_refused() -> None:
    foreign = {"GroupName": "shop-client", "GroupId": "sg-1", "VpcId": "vpc-1", "Tags": []}
    pair = instance(0, tags={"cloudadc:kind": "pair"})
    nodes = Nodes(instances=(pair,), security_groups=(foreign,), subnets=SUBNETS)
    [first, second] = plans.ownership_problems(definition(), nodes)
    assert first.startswith("Security group shop-client was not made for group shop")
    assert second.startswith("Instance i-0 was not made for group shop: its tag cloudadc:kind is 'pair'")


@pytest.mark.parametrize(
    ("tags", "addresses", "refused"),
    [
        (TAGS, ("10.0.1.4", "10.0.1.250"), False),
        (TAGS, ("10.0.1.250",), True),
        ({**TAGS, "cloudadc:zone": "b"}, ("10.0.1.4", "10.0.1.250"), True),
        ({}, ("10.0.1.4", "10.0.1.250"), True),
    ],
)
def test_address_of_a_cluster_is_free_or_its_own(
    tags: dict[str, str], addresses: tuple[str, ...], refused: bool
) -> None:
    group = definition(topology="cluster", zones=[{**ZONE, "clip": "10.0.1.250"}])
    holder = Interface("eni-1", addresses, "i-1", 0, tags=tags)
    found = plans.clip_problems(group, Nodes(clips=(holder,)))
    assert found == (["The clip 10.0.1.250 of zone a is in use by interface eni-1."] if refused else [])


def test_targets_and_records_of_nodes_that_are_gone_are_stale() -> None:
    one = instance(0)
    nodes = Nodes(instances=(one,), interfaces=interfaces(one))
    targets = [
        {"id": "10.0.2.0", "port": 80, "state": "healthy"},
        {"id": "10.0.2.9", "port": 80, "state": "unhealthy"},
        {"id": "10.0.2.8", "port": 80, "state": "draining"},
    ]
    groups = [{"target_group_arn": "arn", "application": "web", "targets": targets}]
    records = {"web.example.com": [{"identifier": "i-0"}, {"identifier": "i-9"}, {"identifier": "by-hand"}]}
    assert plans.cleanup(groups, records, nodes) == {
        "stale_targets": [{"target_group_arn": "arn", "targets": [{"id": "10.0.2.9", "port": 80}]}],
        "stale_records": [{"record": "web.example.com", "nodes": [{"identifier": "i-9"}]}],
    }


def test_quota_counts_addresses_that_the_group_has() -> None:
    group = definition(distributor="dns", dns={"zone": "example.com"})
    mine = Address("203.0.113.1", "eipalloc-1", tags=TAGS)
    others = tuple(Address(f"203.0.113.{at}", f"eipalloc-{at}") for at in (2, 3))
    assert plans.launch_problems(group, Nodes(addresses=(mine, *others), quota=6)) == []
    [problem] = plans.launch_problems(group, Nodes(addresses=(mine, *others), quota=5))
    assert problem.startswith("3 more Elastic IPs are needed, but 3 of the 5")


def test_listeners_have_every_value_that_the_module_would_assume() -> None:
    web = {"name": "web", "protocol": "SSL", "port": 443, "nlb_protocol": "TLS", "certificate_arn": "arn:cert"}
    names = {"name": "names", "protocol": "DNS", "port": 53, "health_check": {"port": 443}}
    found = DISTRIBUTORS["nlb"].ensure(definition(applications=[web, names], policy={"drain_timeout": 90}))["listeners"]
    assert [(one["protocol"], one.get("target_protocol")) for one in found] == [("TLS", "TLS"), ("UDP", None)]
    assert found[0]["deregistration_delay"] == 3600
    assert found[1]["health_check"] == {
        "protocol": "TCP",
        "port": 443,
        "interval": 10,
        "healthy_threshold": 2,
        "unhealthy_threshold": 2,
    }


def test_policy_file_follows_topology_and_choice() -> None:
    zones = [{**ZONE, "clip": "10.0.1.250"}]
    assert plans.shared(definition(), Nodes(subnets=SUBNETS))["policy"] == "appliance_group_independent.json"
    assert (
        plans.shared(definition(topology="cluster", zones=zones), Nodes())["policy"] == "appliance_group_cluster.json"
    )
    assert plans.shared(definition(iam_policy="vendor"), Nodes())["policy"] == "appliance_group_vendor.json"
