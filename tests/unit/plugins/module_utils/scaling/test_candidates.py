"""Who goes: by table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.candidates import (
    Node,
    choose,
    left_by,
    of_event,
    with_health,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.topologies.registry import REGISTRY

CLUSTER = REGISTRY["cluster"].most_leaving


def node(number: int, lifecycle: str = "in_service", event: str | None = None, live: bool = True) -> Node:
    return Node(f"i-{number}", number, lifecycle, event, live, f"10.0.1.{number}", image_id="new")


def old(number: int) -> Node:
    return replace(node(number), image_id="old")


def sick(number: int) -> Node:
    return replace(node(number), healthy=False)


def zone(count: int) -> list[Node]:
    return [node(number) for number in range(count)]


def going(nodes: list[Node], count: int = 1, **options: object) -> list[int | None]:
    given = {"event_id": "e", "min_nodes": 1, "limit": None, "coordinator": None} | options
    return [selected_node.node_id for selected_node in choose(nodes, count, **given).selected]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("nodes", "count", "options", "expected"),
    [
        (zone(4), 1, {}, [3]),
        (zone(4), 2, {}, [3, 2]),
        (zone(4), 9, {"min_nodes": 2}, [3, 2]),
        (zone(2), 2, {"min_nodes": 0}, [1]),
        (zone(1), 1, {"min_nodes": 0}, []),
        (zone(2), 1, {"min_nodes": 2}, []),
        # The coordinator goes last.
        (zone(3), 1, {"coordinator": "10.0.1.2"}, [1]),
        (zone(3), 2, {"coordinator": "10.0.1.2"}, [1, 0]),
        # Nodes of the image that new ones get stay longest, whatever their number.
        ([old(0), old(1), node(2), node(3)], 2, {"image_id": "new"}, [1, 0]),
        ([old(0), node(1), node(2)], 2, {"image_id": "new"}, [0, 2]),
        ([old(0), old(1), node(2)], 2, {"image_id": "new", "coordinator": "10.0.1.1"}, [0, 2]),
        ([old(0), old(1), node(2)], 1, {}, [2]),
        # Less than half of a cluster.
        (zone(5), 4, {"limit": CLUSTER}, [4, 3]),
        (zone(4), 2, {"limit": CLUSTER}, [3]),
        (zone(3), 1, {"limit": CLUSTER}, [2]),
        (zone(2), 1, {"limit": CLUSTER}, []),
        ([*zone(4), node(4, "draining", "other")], 2, {"limit": CLUSTER}, [3]),
        ([*zone(3), node(3, "draining", "other")], 1, {"limit": CLUSTER}, []),
        # Nodes that serve no clients are removed first, and do not count as staying.
        ([node(0), node(1, "joining"), node(2)], 1, {}, [1]),
        ([node(0), node(1, "joining")], 2, {}, [1]),
        # An event chooses once, also when its nodes are gone already.
        ([*zone(3), node(3, "draining", "e")], 1, {}, [3]),
        ([*zone(3), node(3, "draining", "e"), node(4, "terminating", "e")], 1, {}, [4, 3]),
        ([*zone(3), node(3, "terminating", "e", live=False)], 1, {}, [3]),
        # Of another event: not continued, and not selected.
        ([*zone(3), node(3, "draining", "other")], 1, {}, [2]),
        # Silent and unhealthy nodes go first, whatever their image and number.
        ([sick(0), node(1), node(2)], 1, {}, [0]),
        ([sick(0), node(1), node(2)], 2, {}, [0, 2]),
        ([sick(0), node(1, "joining"), node(2)], 1, {}, [1]),
        ([sick(2), old(1), node(0)], 1, {"image_id": "new"}, [2]),
        ([sick(0), sick(1), node(2)], 1, {}, [1]),
        # The last healthy node stays, and the coordinator unless there is no other node.
        ([sick(0), sick(1), node(2)], 2, {}, [1, 0]),
        ([sick(0), node(1), node(2)], 2, {"coordinator": "10.0.1.0"}, [2, 0]),
        ([sick(0), node(1), sick(2)], 1, {"coordinator": "10.0.1.0"}, [2]),
        ([sick(0), node(1), sick(2)], 2, {"coordinator": "10.0.1.0"}, [2, 0]),
        ([sick(0), sick(1)], 1, {}, [1]),
        ([node(0), sick(1), node(2, "joining")], 2, {}, [2, 1]),
        # Nothing is chosen where nothing is asked for.
        (zone(3), 0, {}, []),
        ([*zone(3), node(3, "draining", "e")], 0, {}, [3]),
        # By hand.
        ([*zone(3), node(3, "draining", "other")], 1, {"event_id": ""}, [3]),
        ([*zone(3), node(3, "terminating", "other", live=False)], 1, {"event_id": ""}, [2]),
    ],
)
def test_who_goes(nodes: list[Node], count: int, options: dict[str, object], expected: list[int]) -> None:
    assert going(nodes, count, **options) == expected


def test_a_node_without_a_number_goes_first() -> None:
    stranger = Node("i-x", None, "in_service")
    assert going([*zone(2), stranger]) == [None]


def test_a_node_that_is_to_be_replaced_goes_before_all_others_or_none_goes() -> None:
    asked = replace(node(0), replaced=True)
    assert going([asked, node(1), sick(2)]) == [0]
    assert going([asked, node(1)], coordinator=asked.nsip) == [0]
    assert going([asked, sick(1)]) == []


def test_the_sentence_says_what_could_not_be() -> None:
    options = {"event_id": "e", "coordinator": None}
    message = choose(zone(3), 2, min_nodes=2, limit=None, **options).message  # type: ignore[arg-type]
    assert message == "2 were to go, and 1 can: 3 are in service, and at least 2 must stay"
    message = choose(zone(2), 1, min_nodes=1, limit=CLUSTER, **options).message  # type: ignore[arg-type]
    assert message == ("1 were to go, and none can: less than half of a cluster may leave at once, and it has 2 nodes")
    assert choose(zone(3), 1, min_nodes=1, limit=None, **options).message is None  # type: ignore[arg-type]


def test_the_nodes_of_an_event() -> None:
    nodes = [node(0), node(1, "draining", "a"), node(2, "terminating", "b"), node(3, "in_service", "a")]
    assert [item.node_id for item in of_event(nodes, "a")] == [1]
    assert [item.node_id for item in of_event(nodes, "")] == [2, 1]
    assert of_event(nodes, "c") == ()


@pytest.mark.parametrize(
    ("nodes", "removed", "marked_now"),
    [
        (zone(3), [], []),
        ([*zone(2), node(2, "joining"), node(3, "provisioning")], [3, 2], [3, 2]),
        # A stranded node that an operator's scale-out has put into service since is in service.
        ([*zone(2), node(2), node(3, "provisioning")], [3], [3]),
        ([*zone(2), node(2, "terminating", "e"), node(3, "joining")], [2, 3], [3]),
        # Nodes of other events are theirs, and what is gone cannot be marked.
        ([*zone(2), node(2, "draining", "other"), node(3, "joining", live=False)], [], []),
    ],
)
def test_cleanup_never_takes_a_node_in_service(nodes: list[Node], removed: list[int], marked_now: list[int]) -> None:
    choice = left_by(nodes, "e")
    assert [each.node_id for each in choice.selected] == removed
    assert [each.node_id for each in choice.fresh] == marked_now


def test_health_is_told_by_instance() -> None:
    assert [each.healthy for each in with_health(zone(3), {"i-1"})] == [True, False, True]
