"""Which instances are a pair's nodes, and which Elastic IP belongs on which address."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_associations import (
    Node,
    associations_on,
    moves_to,
    nodes_as_given,
    nodes_of_group,
    pick_addresses,
)


def instance(
    number: int, state: str = "running", *, name: str = "", clients: int = 2, born: str = "1", tagged: bool = True
) -> Instance:
    name = name or f"i-{number}"
    tags = {"cloudadc:group": "shop", **({"cloudadc:node_id": str(number)} if tagged else {})}
    interfaces = (
        Attached(f"eni-{name}-0", 0, (f"10.0.{number}.10",)),
        Attached(f"eni-{name}-1", 1, tuple(f"10.1.{number}.{10 + k}" for k in range(clients))),
    )
    live = state not in ("terminated", "shutting-down")
    return Instance(name, state, "zone", born, tags, interfaces if live else ())


def pair(clients: tuple[int, int] = (2, 2)) -> list[Node]:
    return nodes_of_group([instance(0, clients=clients[0]), instance(1, clients=clients[1])], "shop")


def eip(number: int, association: Association | None = None, **tags: str) -> Address:
    return Address(f"203.0.113.{number}", f"eipalloc-{number}", association, tags=tags)


def association(node: int, index: int) -> Association:
    return Association(f"eni-i-{node}-1", f"10.1.{node}.{10 + index}")


GONE = Association("eni-gone", "10.9.9.9")


@pytest.mark.parametrize(
    ("instances", "expected"),
    [
        pytest.param([instance(1), instance(0)], [("i-0", 0), ("i-1", 1)], id="by node id"),
        pytest.param(
            [instance(0), instance(1, "terminated", name="i-old"), instance(1, born="2")],
            [("i-0", 0), ("i-1", 1)],
            id="the old one of a rebuilt node has no say",
        ),
        pytest.param(
            [instance(0), instance(1, "terminated", name="i-x"), instance(1, "terminated", name="i-y", born="2")],
            [("i-0", 0), ("i-y", 1)],
            id="of several terminated ones the newest stands for the node",
        ),
        pytest.param(
            [instance(0), instance(0, name="i-twin", born="2")],
            [("i-0", 0), ("i-twin", 0)],
            id="two live ones with one id are both shown",
        ),
        pytest.param(
            [instance(5, tagged=False), instance(6, tagged=False)],
            [("i-5", 0), ("i-6", 1)],
            id="untagged: by their place",
        ),
    ],
)
def test_nodes_of_a_group(instances: list[Instance], expected: list[tuple[str, int]]) -> None:
    found = nodes_of_group(instances, "shop")
    assert [(n.instance.instance_id if n.instance else "", n.node_id) for n in found] == expected


@pytest.mark.parametrize("instances", [[], [instance(0, "terminated")]])
def test_a_group_without_instances_is_refused(instances: list[Instance]) -> None:
    with pytest.raises(Refusal, match="pair shop has no instance"):
        nodes_of_group(instances, "shop")


def test_instances_of_a_group_are_not_nodes_of_a_pair() -> None:
    group = instance(0)
    group = replace(group, tags={**group.tags, "cloudadc:kind": "group"})
    pair = replace(instance(1), tags={**instance(1).tags, "cloudadc:kind": "pair"})
    assert [n.instance for n in nodes_of_group([pair], "shop")] == [pair]
    with pytest.raises(Refusal, match="instance i-0 was not made for pair shop: its tag cloudadc:kind is 'group'"):
        nodes_of_group([group, pair], "shop")
    gone = replace(group, state="terminated")
    assert [n.instance for n in nodes_of_group([gone, pair], "shop")] == [pair]


def test_a_node_that_does_not_run_is_not_asked() -> None:
    running, stopped = nodes_of_group([instance(0), instance(1, "stopped")], "shop")
    assert running.idle is None
    assert stopped.idle == "instance i-1 is stopped"
    assert running.nsip == "10.0.0.10"


def test_nodes_as_given_find_their_instances_by_id_or_address() -> None:
    given: list[dict[str, Any]] = [
        {"nsip": "10.0.0.10:9443", "instance_id": None},
        {"nsip": "adc.example.com", "instance_id": "i-1"},
        {"nsip": "198.51.100.7", "instance_id": None},
    ]
    hosts = ["10.0.0.10", "adc.example.com", "198.51.100.7"]
    nodes = nodes_as_given(given, hosts, [instance(0), instance(1)])
    assert [n.instance.instance_id if n.instance else None for n in nodes] == ["i-0", "i-1", None]
    assert nodes[2].result()["client"] == {"network_interface_id": None, "private_ip_addresses": []}
    assert nodes[2].idle is None, "what AWS does not know is asked all the same"


def test_addresses_of_the_pair() -> None:
    tagged = eip(1, **{"cloudadc:group": "shop", "cloudadc:role": "client"})
    of_group = eip(4, **{"cloudadc:group": "shop", "cloudadc:role": "client", "cloudadc:kind": "group"})
    management = eip(2, **{"cloudadc:group": "shop", "cloudadc:role": "management"})
    held = eip(3, association(1, 0))
    every = [tagged, of_group, management, held]
    assert pick_addresses(every, None, "shop", pair()) == [tagged]
    assert pick_addresses(every, ["eipalloc-3", "203.0.113.1", "203.0.113.3"], "shop", pair()) == [held, tagged]
    assert pick_addresses(every, None, None, pair()) == [held]
    with pytest.raises(Refusal, match=r"no Elastic IP 203\.0\.113\.9, eipalloc-8 is"):
        pick_addresses(every, ["203.0.113.9", "203.0.113.1", "eipalloc-8"], "shop", pair())


@pytest.mark.parametrize(
    ("present", "indexes"),
    [
        pytest.param([association(0, 0), association(0, 1)], [0, 1], id="each keeps its index"),
        pytest.param([association(0, 1), association(0, 0)], [1, 0], id="also if the list is in another order"),
        pytest.param([association(1, 1), None], [1, 0], id="one is there already, the other takes what is free"),
        pytest.param([None, None], [0, 1], id="unassociated: by their place in the list"),
        pytest.param([GONE, GONE], [0, 1], id="on an interface that is gone: by their place"),
        pytest.param([None, association(0, 0)], [1, 0], id="an index that is kept goes before a place"),
    ],
)
def test_associations_on_the_primary(present: list[Association | None], indexes: list[int]) -> None:
    nodes = pair()
    assert nodes[1].client
    addresses = [eip(number, where) for number, where in enumerate(present)]
    associations = associations_on(nodes[1].client, addresses, nodes)
    assert [associations[a.allocation_id] for a in addresses] == [association(1, index) for index in indexes]
    assert moves_to(associations, addresses)[0] == {
        "elastic_ip": "203.0.113.0",
        "network_interface_id": "eni-i-1-1",
        "private_ip_address": f"10.1.1.{10 + indexes[0]}",
    }


def test_an_address_too_many_is_left_out() -> None:
    nodes = pair((2, 1))
    assert nodes[1].client
    addresses = [eip(0, association(0, 0)), eip(1, association(0, 1))]
    associations = associations_on(nodes[1].client, addresses, nodes)
    assert list(associations) == ["eipalloc-0"]
    assert len(moves_to(associations, addresses)) == 1
