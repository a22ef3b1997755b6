"""The events by which an instance of a group is replaced, from any point at which a run was interrupted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_replacement import plan, stopped_problems

OUT = {"action": "scale_out", "count": 1, "id": "replace-i-a-scale_out"}
IN = {"action": "scale_in", "count": 1, "id": "replace-i-a-scale_in"}


def instance(name: str, state: str = "running", lifecycle: str = "in_service", **tags: str) -> Instance:
    own = {"cloudadc:group": "shop", "cloudadc:kind": "group", "cloudadc:zone": "a", "cloudadc:lifecycle": lifecycle}
    return Instance(name, state, tags={**own, **{f"cloudadc:{key}": value for key, value in tags.items()}})


def definition(least: int = 1, most: int = 4, asked: str = "i-a") -> dict[str, Any]:
    policy = {"min_nodes": least, "max_nodes": most}
    return {"name": "shop", "replace_node": asked, "zones": [{"name": "a"}], "policy": policy}


A, B = instance("i-a"), instance("i-b")


@pytest.mark.parametrize(
    ("limits", "instances", "mark", "requests"),
    [
        ((1, 4), [A, B], "join-first", (OUT, IN)),
        ((1, 4), [A], "join-first", (OUT, IN)),
        ((1, 2), [A, B], "remove-first", (IN,)),
        # Marked by an interrupted run: its order holds, whatever the number of nodes is now.
        ((1, 2), [instance("i-a", replace="join-first"), B], "", (OUT, IN)),
        ((2, 2), [instance("i-a", replace="remove-first"), B], "", (IN,)),
        # Another event removes it already: that event is resumed, and none begins.
        ((1, 4), [instance("i-a", lifecycle="draining", event="e-7"), B], "", ({**IN, "id": "e-7"},)),
        # It is gone.
        ((1, 4), [instance("i-a", "terminated", replace="join-first"), B], "", ()),
        ((1, 4), [instance("i-a", "terminated"), B], "", ()),
        ((1, 2), [instance("i-a", "terminated", replace="remove-first"), B], "", (OUT,)),
        ((1, 4), [instance("i-b", replaces="i-a")], "", ()),
    ],
)
def test_events_of_a_replacement(
    limits: tuple[int, int], instances: list[Instance], mark: str, requests: tuple[Any, ...]
) -> None:
    found = plan(definition(*limits), instances)
    assert found is not None
    assert (found.zone, found.mark, found.requests) == ("a", mark, requests)


@pytest.mark.parametrize(
    ("limits", "instances", "requests"),
    [
        ((1, 4), [instance("i-a", "stopped"), B], (OUT,)),
        ((1, 1), [instance("i-a", "stopped")], (OUT,)),
        ((1, 1), [instance("i-a", "stopped"), B], ()),
        ((1, 4), [instance("i-a", "stopped", "draining", event="replace-i-a"), B], (OUT,)),
        # Interrupted, and started by hand meanwhile.
        ((1, 4), [instance("i-a", "running", "terminating", event="replace-i-a"), B], (OUT,)),
    ],
)
def test_a_stopped_instance_is_removed_without_a_drain(
    limits: tuple[int, int], instances: list[Instance], requests: tuple[Any, ...]
) -> None:
    found = plan(definition(*limits), instances)
    assert found is not None
    assert (found.mark, found.requests, found.event_id) == ("join-first", requests, "replace-i-a")


@pytest.mark.parametrize(
    ("limits", "instances", "reason"),
    [
        ((2, 2), [A, B], "a has 2 nodes, which is both min_nodes and max_nodes. Raise max_nodes"),
        ((1, 4), [B], "i-a is no instance of shop; it has i-b"),
        ((1, 4), [instance("i-a", kind="pair"), B], "i-a is no instance of shop; it has i-b"),
        ((1, 4), [instance("i-a", zone="z"), B], "i-a is of zone z, which is no zone of shop"),
    ],
)
def test_a_replacement_that_cannot_be(limits: tuple[int, int], instances: list[Instance], reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        plan(definition(*limits), instances)
    assert reason in str(refused.value)


def test_the_next_outdated_node_is_replaced_and_the_one_that_has_begun_first() -> None:
    def node(name: str, image: str, **more: Any) -> Instance:
        return replace(instance(name, **more), image_id=image, instance_type="m5.large")

    asked = {**definition(asked="outdated"), "image_id": "new", "instance_type": "m5.large", "topology": "independent"}
    old = [node("i-c", "old"), node("i-b", "old"), node("i-a", "new")]
    found = plan(asked, old)
    assert found is not None
    assert (found.instance_id, found.mark) == ("i-b", "join-first")
    found = plan(asked, [*old, node("i-d", "old", replace="join-first")])
    assert found is not None
    assert (found.instance_id, found.mark) == ("i-d", "")
    found = plan(asked, [node("i-a", "new"), node("i-z", "old", state="terminated")])
    assert found is not None
    assert (found.instance_id, found.requests, found.event_id) == ("", (), "")
    other_type = replace(node("i-a", "new"), instance_type="m5.xlarge")
    found = plan(asked, [other_type])
    assert found is not None
    assert found.instance_id == "i-a"
    assert plan({**asked, "topology": "cluster"}, [other_type]) is not None
    with pytest.raises(Refusal, match="must run one build"):
        plan({**asked, "topology": "cluster"}, old)


def test_without_a_request_nothing_is_replaced() -> None:
    assert plan(definition(asked=""), [A, B]) is None


@pytest.mark.parametrize(
    ("node", "named"),
    [
        (instance("i-c", "stopped"), True),
        (instance("i-c", "stopping"), True),
        (instance("i-c", "stopped", "draining"), False),
        (instance("i-c", "stopped", replace="join-first"), False),
        (instance("i-a", "stopped"), False),
        (instance("i-c", "terminated"), False),
        (B, False),
    ],
)
def test_a_stopped_node_is_a_problem_unless_it_leaves(node: Instance, named: bool) -> None:
    assert bool(stopped_problems(definition(), [node])) is named
