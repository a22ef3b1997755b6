"""Nodes that are silent while others answer lose their records, come back, and never leave a name empty."""

from __future__ import annotations

import json

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Node, Record
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.silence import (
    Withdrawal,
    counted,
    record_sets,
    restored,
    withdrawal,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.figures import Figures, Reading

A, B, C = (Node(f"10.0.0.{number}", f"i-{number}", number) for number in (1, 2, 3))
TICKS = 3


def ticked(record: Record, answering: str, nodes: str = "12", ticks: int = TICKS) -> Record:
    """One tick, through the JSON of the store. ``nodes``, ``answering``: numbers of the nodes that are asked."""
    readings = [Reading(f"10.0.0.{each}", each in answering, Figures()) for each in nodes]
    return Record.from_json(json.loads(json.dumps(counted(record, readings, ticks).to_json())))


def zone(*nodes: Node) -> Record:
    return Record("shop", "a", nodes=nodes)


def after(record: Record, *ticks: str, nodes: str = "12") -> Record:
    for answering in ticks:
        record = ticked(record, answering, nodes)
    return record


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        (["1", "1"], Withdrawal()),
        (["1", "1", "1"], Withdrawal(silent=("i-2",))),
        (["1", "12", "1", "1"], Withdrawal()),
        (["1", "1", "1", "12"], Withdrawal(recovered=("i-2",))),
        (["1", "1", "1", "12", "1"], Withdrawal(silent=("i-2",))),
        (["", "", "", "", ""], Withdrawal()),
        (["1", "", "1", "1"], Withdrawal(silent=("i-2",))),
    ],
    ids=["not yet", "due", "it answered between", "it answers again", "silent again", "none answers", "gap"],
)
def test_records_follow_the_silence(ticks: list[str], expected: Withdrawal) -> None:
    assert withdrawal(after(zone(A, B), *ticks), TICKS) == expected


def test_last_node_with_records_keeps_them() -> None:
    """The second node is withdrawn; it answers again, but its records are not back when the first falls silent."""
    record = after(zone(A, B), "1", "1", "1", "2", "2", "2", "2")
    assert withdrawal(record, TICKS) == Withdrawal(recovered=("i-2",))
    record = after(restored(record, ["i-2"]), "2")
    assert withdrawal(record, TICKS) == Withdrawal(silent=("i-1",))


def test_all_but_the_answering_node_may_be_withdrawn() -> None:
    record = after(zone(A, B, C), "1", "1", "1", nodes="123")
    assert withdrawal(record, TICKS).silent == ("i-2", "i-3")


def test_node_that_is_gone_is_forgotten() -> None:
    record = after(zone(A, B), "1", "1", "1")
    assert withdrawal(ticked(zone(A).__class__("shop", "a", nodes=(A,), withdrawn=record.withdrawn), "1"), TICKS) == (
        Withdrawal()
    )


def test_option_that_is_off_withdraws_nothing_and_restores_all() -> None:
    record = zone(A, B)
    for _tick in range(9):
        record = ticked(record, "1", ticks=0)
    assert (withdrawal(record, 0), record.withdrawn) == (Withdrawal(), ())
    assert withdrawal(after(zone(A, B), "1", "1", "1"), 0) == Withdrawal(recovered=("i-2",))


def test_record_sets_are_those_of_the_nodes_for_each_domain() -> None:
    assert record_sets(["i-1"], ["a.example.com", "b.example.com"]) == [
        {"record": "a.example.com", "nodes": [{"identifier": "i-1"}]},
        {"record": "b.example.com", "nodes": [{"identifier": "i-1"}]},
    ]
    assert record_sets([], ["a.example.com"]) == []
