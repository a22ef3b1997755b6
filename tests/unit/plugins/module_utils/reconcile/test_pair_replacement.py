"""Which instance a request to replace a node is about, and whether a repeated request does it again."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_replacement import (
    select,
    stopped_problems,
)


def instance(number: int, name: str, state: str = "running", replaces: str = "", **more: Any) -> Instance:
    tags = {"cloudadc:group": "shop", "cloudadc:kind": "pair", "cloudadc:node_id": str(number)}
    tags |= {"cloudadc:replaces": replaces} if replaces else {}
    return Instance(name, state, tags={**tags, **more.pop("tags", {})}, **more)


A, B = instance(0, "i-a"), instance(1, "i-b")
GONE = instance(1, "i-b", "terminated", launch_time="2026-01-01")
NEW = instance(1, "i-c", replaces="i-b", launch_time="2026-02-01")


@pytest.mark.parametrize(
    ("asked", "instances", "found"),
    [
        ("1", [A, B], (1, "i-b", True, True)),
        ("i-b", [A, B], (1, "i-b", True, True)),
        # Interrupted between the termination and the launch.
        ("1", [A, GONE], (1, "i-b", False, True)),
        ("i-b", [A, GONE], (1, "i-b", False, True)),
        ("1", [A, instance(1, "i-b", "shutting-down")], (1, "i-b", False, True)),
        # Hours later EC2 has forgotten it.
        ("1", [A], (1, "", False, True)),
        ("i-b", [A], (1, "i-b", False, True)),
        # Its successor is there.
        ("1", [A, GONE, NEW], (1, "i-b", False, False)),
        ("i-b", [A, GONE, NEW], (1, "i-b", False, False)),
        ("i-b", [A, NEW], (1, "i-b", False, False)),
        # An ordinary run has launched one meanwhile: an instance id is never replaced twice.
        ("i-b", [A, GONE, instance(1, "i-c")], (1, "i-b", False, False)),
        # The successor is named itself.
        ("i-c", [A, NEW], (1, "i-c", True, True)),
    ],
)
def test_a_request_is_carried_out_once(asked: str, instances: list[Instance], found: tuple[Any, ...]) -> None:
    replacement = select("shop", asked, instances)
    assert replacement is not None
    assert (replacement.node_id, replacement.instance_id, replacement.due, replacement.launch) == found
    assert replacement.tags == ({"cloudadc:replaces": found[1] or "unknown"} if found[3] else {})


def test_a_successor_is_named_by_its_own_id() -> None:
    replacement = select("shop", "1", [A, NEW])
    assert replacement is not None
    assert replacement.message.endswith("to replace i-c, name it: ha_pair_replace_node=i-c")


def test_nothing_asked_is_no_replacement() -> None:
    assert select("shop", "", [A, B]) is None


@pytest.mark.parametrize("tags", [{"cloudadc:kind": "group"}, {"cloudadc:group": "other"}])
def test_an_instance_of_others_is_refused(tags: dict[str, str]) -> None:
    stranger = instance(1, "i-f", tags=tags)
    with pytest.raises(Refusal) as refused:
        select("shop", "i-f", [A, B, stranger])
    assert str(refused.value) == (
        "ha_pair_replace_node: i-f is no instance of shop; its nodes are i-a (node 0), i-b (node 1)"
    )


def test_a_stopped_node_is_a_problem_unless_it_is_to_be_replaced() -> None:
    stopped = instance(1, "i-b", "stopped", reason="Client.UserInitiatedShutdown")
    [problem] = stopped_problems([A, stopped], None)
    assert problem == (
        "Node 1 is i-b, which EC2 says is stopped (Client.UserInitiatedShutdown). Start it (aws ec2 start-instances "
        "--instance-ids i-b) and run this again, or replace it with ha_pair_replace_node=i-b."
    )
    assert stopped_problems([A, stopped], select("shop", "1", [A, stopped])) == []
    assert len(stopped_problems([A, stopped], select("shop", "0", [A, stopped]))) == 1
