"""Which node of a pair can be removed, and what comes before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.node_removal import plan_removal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_associations import Node
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_claims import Claim, Verdict
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_vips import PairAttachments

HEALTHY = Verdict(0, "node 0 is primary", healthy=True)
LIMPING = Verdict(0, "node 0 is primary; the other node cannot take over", healthy=False)
UNKNOWN = Verdict(None, "no node is primary", healthy=False)


def node(number: int, state: str = "running") -> Node:
    interfaces = (Attached(f"eni-m{number}", 0, (f"10.0.{number}.1",)), Attached(f"eni-c{number}", 1, ("10.1.0.1",)))
    tags = {"cloudadc:node_id": str(number)}
    instance = Instance(f"i-{number}", state, tags=tags, interfaces=interfaces if state != "terminated" else ())
    return Node(f"10.0.{number}.1", instance, instance.instance_id, number)


def at(number: int) -> Address:
    return Address("203.0.113.1", "eipalloc-1", Association(f"eni-c{number}", "10.1.0.1"))


def attached(*addresses: Address) -> PairAttachments:
    return PairAttachments(addresses, tuple(one.allocation_id for one in addresses))


NODES = [node(0), node(1)]
CLAIMS = [Claim(f"node {number}", f"10.0.{number}.1", True) for number in (0, 1)]


@pytest.mark.parametrize(
    ("verdict", "target", "address", "failover", "addresses"),
    [
        (HEALTHY, 1, at(0), False, ()),
        (HEALTHY, 0, at(0), True, ()),
        (HEALTHY, 1, at(1), False, ("203.0.113.1",)),
        (LIMPING, 1, at(0), False, ()),  # the node that hangs is the one that goes
        (LIMPING, 1, at(1), False, ("203.0.113.1",)),
    ],
)
def test_what_comes_before_a_removal(
    verdict: Verdict, target: int, address: Address, failover: bool, addresses: tuple[str, ...]
) -> None:
    found = plan_removal("shop", NODES, CLAIMS, verdict, attached(address), f"i-{target}")
    assert found is not None
    assert (found.node, found.peer, found.failover) == (NODES[target], NODES[1 - target], failover)
    assert found.addresses == addresses
    assert bool(found.obstacle) is (failover or bool(addresses))


@pytest.mark.parametrize(
    ("nodes", "verdict", "target", "reason"),
    [
        (NODES, LIMPING, 0, "it is primary and node 1 (i-1) cannot take over"),
        (NODES, UNKNOWN, 0, "no node is primary"),
        (NODES, UNKNOWN, 1, "no node is primary"),
        ([node(0), node(1, "terminated")], HEALTHY, 0, "it is the only node"),
        ([node(0)], HEALTHY, 0, "it is the only node"),
    ],
)
def test_a_node_that_serves_or_may_serve_is_never_removed(
    nodes: list[Node], verdict: Verdict, target: int, reason: str
) -> None:
    with pytest.raises(Refusal) as refused:
        plan_removal("shop", nodes, CLAIMS, verdict, attached(at(0)), f"i-{target}")
    assert reason in str(refused.value)
    assert str(refused.value).endswith("Nothing was changed.")


def test_a_silent_node_of_unknown_role_is_to_be_stopped_first() -> None:
    silent = [replace(CLAIMS[0], reachable=False), CLAIMS[1]]
    with pytest.raises(Refusal, match="aws ec2 stop-instances --instance-ids i-0 --force"):
        plan_removal("shop", NODES, silent, UNKNOWN, PairAttachments(), "i-0")


@pytest.mark.parametrize("nodes", [[node(0)], [node(0), node(1, "terminated")]])
def test_a_node_that_is_gone_needs_no_removal(nodes: list[Node]) -> None:
    assert plan_removal("shop", nodes, CLAIMS, HEALTHY, PairAttachments(), "i-1") is None
