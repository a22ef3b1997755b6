"""What a planned failover does, by what was read of the pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_associations import Node
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_claims import Claim, Verdict
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_vips import PairAttachments
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.planned_failover import plan_failover

VIPS = (("10.0.1.5", "10.0.1.6"), ("10.0.2.5", "10.0.2.6"))
HEALTHY = Verdict(0, "node 0 is primary", healthy=True)


def node(number: int, *, client: bool = True) -> Node:
    interfaces = [Attached(f"eni-m{number}", 0, (f"10.0.{number}.1",))]
    if client:
        interfaces.append(Attached(f"eni-c{number}", 1, VIPS[number]))
    tags = {"cloudadc:node_id": str(number)}
    instance = Instance(f"i-{number}", "running", tags=tags, interfaces=tuple(interfaces))
    return Node(f"10.0.{number}.1", instance, instance.instance_id, number)


def claims(*served: tuple[str, ...]) -> list[Claim]:
    shown = served or (VIPS[0] + VIPS[1],) * 2
    return [Claim(f"node {n}", f"10.0.{n}.1", True, served=shown[n]) for n in (0, 1)]


def address(number: int, association: Association | None) -> Address:
    return Address(f"203.0.113.{number}", f"eipalloc-{number}", association)


def on(number: int, index: int = 0) -> Association:
    return Association(f"eni-c{number}", VIPS[number][index])


NODES = [node(0), node(1)]


def following(addresses: Sequence[Address], **more: Any) -> PairAttachments:
    return PairAttachments(tuple(addresses), tuple(one.allocation_id for one in addresses), **more)


def test_roles_change_and_each_address_keeps_its_place() -> None:
    found = plan_failover("shop", NODES, claims(), HEALTHY, following([address(1, on(0, 1)), address(2, on(0, 0))]))
    assert (found.primary, found.secondary, found.winner, found.forced) == (0, 1, 1, True)
    assert [(move["elastic_ip"], move["private_ip_address"]) for move in found.moves] == [
        ("203.0.113.1", VIPS[1][1]),
        ("203.0.113.2", VIPS[1][0]),
    ]
    assert {move["network_interface_id"] for move in found.moves} == {"eni-c1"}


@pytest.mark.parametrize(
    ("addresses", "to", "forced"),
    [
        ([address(1, on(0))], -1, True),
        ([address(1, on(0))], 1, True),
        ([address(1, on(0))], 0, False),  # it is primary already
        ([address(1, on(1))], -1, False),  # an interrupted failover is finished
        ([address(1, on(1))], 1, False),
        ([address(1, on(0)), address(2, on(1, 1))], -1, False),
        ([address(1, None)], -1, True),
        ([], -1, True),
    ],
)
def test_who_shall_be_primary(addresses: list[Address], to: int, forced: bool) -> None:
    found = plan_failover("shop", NODES, claims(), HEALTHY, following(addresses), to=to)
    assert found.forced is forced
    assert found.winner == (1 if forced else 0)
    assert {move["network_interface_id"] for move in found.moves} <= {f"eni-c{found.winner}"}
    assert len(found.moves) == len(addresses)


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(None, "2 nodes claim to be primary", healthy=False),
        Verdict(0, "the other node cannot take over", healthy=False),
    ],
)
def test_a_pair_that_is_not_healthy_is_refused(verdict: Verdict) -> None:
    with pytest.raises(Refusal) as refused:
        plan_failover("shop", NODES, claims(), verdict, following([address(1, on(0))]))
    assert str(refused.value) == f"shop is not fit for a planned failover: {verdict.message}. Nothing was touched."


def test_an_address_that_the_new_primary_does_not_serve_is_refused() -> None:
    serving = claims(VIPS[0], VIPS[0])
    with pytest.raises(Refusal) as refused:
        plan_failover("shop", NODES, serving, HEALTHY, following([address(1, on(0))]))
    assert "no virtual server of node 1 (10.0.1.1) answers at 10.0.2.5" in str(refused.value)
    assert "ha_failover_ignore_guard=true" in str(refused.value)
    assert plan_failover("shop", NODES, serving, HEALTHY, following([address(1, on(0))]), guard=False).forced


def test_more_addresses_than_places_are_refused() -> None:
    addresses = [address(1, on(0, 0)), address(2, on(0, 1)), address(3, None)]
    with pytest.raises(Refusal, match=r"node 1 has no client address left for 203\.0\.113\.3"):
        plan_failover("shop", NODES, claims(), HEALTHY, following(addresses))


def test_a_node_without_client_interface_is_refused() -> None:
    with pytest.raises(Refusal, match="has no client interface"):
        plan_failover("shop", [node(0), node(1, client=False)], claims(), HEALTHY, following([address(1, on(0))]))
