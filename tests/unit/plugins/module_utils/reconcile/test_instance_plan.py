"""vpx_instance's decisions, as tables."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.instance_plan import (
    DesiredSet,
    ObservedSet,
    Plan,
    adopted,
    decide,
    surplus,
)

from .fleet import association, desired, eip, instance, observed, tagged

MANAGED = {"management": {"elastic_ip": True}}


@pytest.mark.parametrize(
    ("requested", "there", "plan"),
    [
        pytest.param(desired(), observed(), Plan(launch=1), id="empty"),
        pytest.param(desired(count=3), observed(instance("i-1")), Plan(launch=2), id="some are missing"),
        pytest.param(desired(), observed(instance()), Plan(), id="as wanted"),
        pytest.param(desired(), observed(instance(state="stopped")), Plan(), id="a stopped one counts"),
        pytest.param(
            desired(),
            observed(instance(state="terminated"), instance("i-2", "shutting-down")),
            Plan(launch=1),
            id="what is gone or going does not",
        ),
        pytest.param(desired(count=0), observed(instance()), Plan(terminate=("i-1",)), id="none wanted"),
        pytest.param(
            desired(count=1, instance_ids=("i-1", "i-2")),
            observed(instance("i-1"), instance("i-2")),
            Plan(),
            id="named instances are neither counted nor filled up",
        ),
        pytest.param(desired("absent"), observed(), Plan(), id="absent and nothing there"),
        pytest.param(
            desired("absent"),
            observed(instance("i-1"), instance("i-2", "stopped")),
            Plan(terminate=("i-1", "i-2")),
            id="absent",
        ),
        pytest.param(desired("absent"), observed(instance(state="shutting-down")), Plan(), id="absent, going already"),
        pytest.param(
            desired("absent", instance_ids=("i-1", "i-gone")),
            observed(instance("i-1")),
            Plan(terminate=("i-1",)),
            id="one that is gone already is absent",
        ),
        pytest.param(desired("stopped", instance_ids=()), observed(instance()), Plan(), id="empty list: no instance"),
        pytest.param(
            desired("absent", instance_ids=()),
            observed(addresses=(eip(1), eip(2, association("i-2", 0)))),
            Plan(release=(eip(1),)),
            id="no instance, and orphans of instances that EC2 does not return any more",
        ),
        pytest.param(
            desired("stopped"),
            observed(instance("i-1"), instance("i-2", "stopped"), instance("i-3", "pending")),
            Plan(stop=("i-1",), settle=("i-3",)),
            id="stopped",
        ),
        pytest.param(desired("stopped"), observed(), Plan(), id="stopped and nothing there"),
        pytest.param(
            desired("started"),
            observed(instance("i-1"), instance("i-2", "stopped"), instance("i-3", "stopping")),
            Plan(start=("i-2",), settle=("i-3",)),
            id="started",
        ),
    ],
)
def test_instances_are_planned_by_state(requested: DesiredSet, there: ObservedSet, plan: Plan) -> None:
    assert decide(requested, there) == plan


@pytest.mark.parametrize(
    ("live", "count", "gone"),
    [
        pytest.param([instance("i-1", node_id=0), instance("i-2", node_id=1)], 1, ["i-2"], id="highest node id"),
        pytest.param(
            [instance("i-1", node_id=0), instance("i-2", node_id=1, lifecycle="in_service")],
            1,
            ["i-1"],
            id="first those not in service",
        ),
        pytest.param([instance("i-1", node_id=7), instance("i-2")], 1, ["i-2"], id="none counts as highest"),
        pytest.param([instance("i-1", born="2026-01-02"), instance("i-2", born="2026-01-01")], 1, ["i-1"], id="newest"),
        pytest.param([instance("i-1"), instance("i-2")], 2, [], id="none too many"),
        pytest.param(
            [instance(f"i-{n}", node_id=n, lifecycle="in_service" if n in (0, 3) else "draining") for n in range(5)],
            2,
            ["i-1", "i-2", "i-4"],
            id="several",
        ),
    ],
)
def test_surplus_is_selected_in_order(live: list[Instance], count: int, gone: list[str]) -> None:
    assert sorted(surplus(live, count)) == gone
    assert sorted(surplus(live[::-1], count)) == gone, "the order in which AWS lists them must not matter"


@pytest.mark.parametrize(
    ("requested", "there", "message"),
    [
        pytest.param(
            desired("started"), observed(), "there is no instance of group shop to start", id="nothing to start"
        ),
        pytest.param(
            desired(instance_ids=("i-1", "i-9")),
            observed(instance("i-1")),
            "i-9: no such live instance in group shop",
            id="an unknown instance",
        ),
        pytest.param(
            desired("absent", instance_ids=("i-1",), zone="zone-b"),
            observed(instance("i-1")),
            "i-1 does not belong to group shop, zone zone-b",
            id="an instance of another set",
        ),
    ],
)
def test_invalid_requests_are_refused(requested: DesiredSet, there: ObservedSet, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        decide(requested, there)


def associate(plan: Plan) -> list[tuple[str, str | None]]:
    return [(need.instance_id, need.allocation_id) for need in plan.elastic_ips]


@pytest.mark.parametrize(
    ("requested", "there", "associated", "allocate", "released"),
    [
        pytest.param(desired(of_role=MANAGED), observed(instance()), [("i-1", None)], 1, [], id="allocate"),
        pytest.param(
            desired(of_role=MANAGED),
            observed(instance(), addresses=(eip(1),)),
            [("i-1", "eipalloc-1")],
            0,
            [],
            id="what a killed run left idle is used first",
        ),
        pytest.param(
            desired(of_role=MANAGED),
            observed(instance(), addresses=(eip(1, role="client"),)),
            [("i-1", None)],
            1,
            ["eipalloc-1"],
            id="one for another role is not, and is released",
        ),
        pytest.param(
            desired(of_role=MANAGED),
            observed(instance(), addresses=(eip(1, role=None),)),
            [("i-1", None)],
            1,
            [],
            id="a foreign idle one is not changed",
        ),
        pytest.param(
            desired(of_role=MANAGED),
            observed(instance(), addresses=(eip(1, association("i-1", 0), None),)),
            [],
            0,
            [],
            id="an associated foreign one is kept",
        ),
        pytest.param(
            desired(of_role=MANAGED),
            observed(instance(), addresses=(eip(1, association("i-1", 1)),)),
            [("i-1", None)],
            1,
            [],
            id="one on another interface does not",
        ),
        pytest.param(
            desired(count=2, of_role=MANAGED),
            observed(instance(), addresses=(eip(1, association("i-1", 0)), eip(2))),
            [],
            0,
            [],
            id="an idle one is kept for an instance yet to be launched",
        ),
        pytest.param(desired(count=2, of_role=MANAGED), observed(), [], 2, [], id="predicted for new instances"),
        pytest.param(
            desired(), observed(instance(), addresses=(eip(1),)), [], 0, ["eipalloc-1"], id="none wanted any more"
        ),
        pytest.param(
            desired(count=0, of_role=MANAGED),
            observed(instance(), addresses=(eip(1, association("i-1", 0)),)),
            [],
            0,
            ["eipalloc-1"],
            id="goes with its instance",
        ),
        pytest.param(
            desired("absent"),
            observed(instance(), addresses=(eip(1, association("i-1", 0)), eip(2), eip(3, None, None))),
            [],
            0,
            ["eipalloc-2", "eipalloc-1"],
            id="absent: ours only",
        ),
        pytest.param(
            desired("absent"),
            observed(addresses=(eip(1, association("i-9", 0)),)),
            [],
            0,
            [],
            id="absent: one of ours on a foreign interface is kept",
        ),
    ],
)
def test_elastic_ips(
    requested: DesiredSet, there: ObservedSet, associated: list[Any], allocate: int, released: list[str]
) -> None:
    plan = decide(requested, there)
    assert associate(plan) == associated
    assert plan.allocate == allocate
    assert [address.allocation_id for address in plan.release] == released


def test_an_elastic_ip_waits_for_its_instance() -> None:
    plan = decide(desired(of_role=MANAGED), observed(instance(state="pending")))
    assert plan.settle == ("i-1",)
    assert decide(desired(), observed(instance(state="pending"))).empty


def test_those_that_go_are_awaited_before_their_addresses_can_be_released() -> None:
    held = (eip(1, association("i-1", 0)),)
    assert decide(desired("absent"), observed(instance(state="shutting-down"), addresses=held)).settle == ("i-1",)


def test_new_elastic_ips_are_tagged_so_that_the_next_run_finds_them() -> None:
    [need] = decide(
        desired(of_role=MANAGED, tags={"team": "edge"}, node_id=3), observed(instance(node_id=3), interfaces={})
    ).elastic_ips
    assert need.tags == {
        "Name": "shop-3",
        "team": "edge",
        "cloudadc:group": "shop",
        "cloudadc:node_id": "3",
        "cloudadc:zone": "zone-a",
        "cloudadc:created_by": "vpx_instance",
        "cloudadc:role": "management",
    }


def test_missing_tags_cost_one_call_for_all_that_miss_the_same() -> None:
    nodes = instance("i-1"), instance("i-2")
    bare = {name: dataclasses.replace(item, tags={"cloudadc:group": "shop"}) for name, item in tagged(*nodes).items()}
    plan = decide(desired(count=2), observed(*nodes, interfaces=bare))
    assert [(item.resource_ids, dict(item.tags)) for item in plan.tag] == [
        (("eni-i-1-0", "eni-i-2-0"), {"cloudadc:role": "management"}),
        (("eni-i-1-1", "eni-i-2-1"), {"cloudadc:role": "client"}),
        (("eni-i-1-2", "eni-i-2-2"), {"cloudadc:role": "server"}),
    ]


def test_the_users_tags_are_merged_and_lifecycle_is_for_instances_only() -> None:
    node = instance(lifecycle="provisioning", other="stays")
    plan = decide(desired(tags={"team": "edge", "cloudadc:lifecycle": "joining"}), observed(node))
    assert {name: dict(item.tags) for item in plan.tag for name in item.resource_ids} == {
        "i-1": {"team": "edge", "cloudadc:lifecycle": "joining"},
        **{f"eni-i-1-{index}": {"team": "edge"} for index in range(3)},
    }


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        pytest.param({}, [], id="not asked, not touched"),
        pytest.param({"source_dest_check": True, "security_groups": ("sg-1",)}, [], id="as it is"),
        pytest.param({"source_dest_check": False}, [("source_dest_check", False)], id="checking off"),
        pytest.param({"security_groups": ("sg-1", "sg-2")}, [("security_groups", ("sg-1", "sg-2"))], id="groups"),
    ],
)
def test_interface_settings(options: dict[str, Any], changes: list[Any]) -> None:
    plan = decide(desired(of_role={"client": options}), observed(instance()))
    assert [(m.attribute, m.value) for m in plan.modify] == changes
    assert {m.network_interface_id for m in plan.modify} <= {"eni-i-1-1"}


def test_orphaned_interfaces_of_ours_are_deleted() -> None:
    interfaces = tagged(instance())
    ours, used, foreign = interfaces.values()
    left = {
        ours.network_interface_id: dataclasses.replace(ours, status="available"),
        used.network_interface_id: used,
        foreign.network_interface_id: dataclasses.replace(foreign, status="available", tags={"cloudadc:group": "shop"}),
    }
    assert decide(desired("absent"), observed(interfaces=left)).delete_interfaces == (ours.network_interface_id,)


def test_a_plan_can_be_read() -> None:
    plan = decide(desired(count=0, of_role=MANAGED), observed(instance(), addresses=(eip(1, association("i-1", 0)),)))
    assert plan.messages() == ["terminate i-1", "release 203.0.113.1 (eipalloc-1)"]
    assert Plan(launch=2, start=("i-1",), stop=("i-2",), delete_interfaces=("eni-1",)).messages() == [
        "launch 2 instances",
        "start i-1",
        "stop i-2",
        "delete eni-1",
    ]
    assert Plan(settle=("i-1",)).writes is False
    assert Plan(settle=("i-1",)).empty is False


def test_nodes_without_a_number_get_the_lowest_free_ones_the_oldest_first() -> None:
    live = (
        instance("i-1", born="1", node_id=1),
        instance("i-2", born="3"),
        instance("i-3", born="2"),
        instance("i-4", born="2"),
    )
    there = observed(*live, interfaces=tagged(*live))
    assert decide(desired(count=4), there).tag == ()
    numbers = {each.resource_ids: dict(each.tags) for each in decide(desired(count=4, number_nodes=True), there).tag}
    assert numbers == {
        ("i-3",): {"cloudadc:node_id": "0"},
        ("i-4",): {"cloudadc:node_id": "2"},
        ("i-2",): {"cloudadc:node_id": "3"},
    }


def test_only_what_gets_the_tag_of_the_kind_is_reported_as_adopted() -> None:
    """The address of a load balancer carries the name, too, but is not the set's to tag."""
    kindless, tagged_one = instance("i-1"), instance("i-2", **{"cloudadc:kind": "group"})
    balancers = Address("203.0.113.9", "eipalloc-9", None, tags={"cloudadc:group": "shop", "cloudadc:role": "nlb"})
    served = eip(1, association("i-1", 0))
    there = observed(kindless, tagged_one, addresses=(balancers, served, eip(2)))
    found = adopted(desired(count=2, kind="group"), there)
    assert [item.what for item in found] == ["instance i-1", "Elastic IP 203.0.113.1"]
    changes = decide(desired(count=2, kind="group"), there).tag
    assert {"i-1", "eipalloc-1"} <= {name for change in changes for name in change.resource_ids}
    assert adopted(desired(count=2), there) == []
