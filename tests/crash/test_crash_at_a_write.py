"""A flow that is interrupted at any write and run again ends like an uninterrupted one."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.crash import group_flows, pair_flows
from tests.crash.crash_injection import AfterWrite, Flow, Kill, Reference, crash, resume, spread
from tests.crash.lab_states import EMPTY, MISPLACED, PAIR, move_the_address
from tests.crash.snapshot import difference, snapshot
from tests.stage import Stage, StageError

# "sample": all writes of EACH_WRITE and one real kill of each of KILLED; "all": all writes of all flows; a number: so
# many real kills of each flow.
CHAOS = os.environ.get("CHAOS", "sample")

FAILOVER = Flow("failover", "ha_failover", ("-e", "ha_failover_to=1"), PAIR)
BUILD = Flow("build", "ha_pair", (), EMPTY)
PAIRS = [
    BUILD,
    FAILOVER,
    Flow("repair", "ha_failover", ("-e", "ha_failover_mode=reconcile"), MISPLACED),
    Flow("remove", "ha_pair", ("-e", "ha_pair_state=absent"), PAIR, back_to=EMPTY),
]
ALL = [*group_flows.flows(), *PAIRS, *pair_flows.ALL]
# Pairs, and the flows of a group that need the fewest runs to be interrupted at each of their writes.
FEW_WRITES = ("deploy dns-independent", "undeploy dns-independent", "begin to scale in dns-independent")
EACH_WRITE = {
    "sample": [*PAIRS, pair_flows.FAILOVERS[0], *(flow for flow in ALL if flow.name in FEW_WRITES)],
    "all": ALL,
}.get(CHAOS, [])
KILLED = {
    "sample": [BUILD, FAILOVER, *group_flows.drawn(random.Random(os.environ["CHAOS_SEED"]))],
    "all": [],
}.get(CHAOS, ALL)


#: So many tests share the writes of a flow that has many, so that workers share them.
PARTS = {BUILD.name: 4}


def name_of(flow: Flow) -> str:
    return flow.name.replace(" ", "-")


def in_parts(flows: Sequence[Flow]) -> list[Any]:
    return [
        pytest.param(flow, part, id=name_of(flow) + (f"-{part}" if flow.name in PARTS else ""))
        for flow in flows
        for part in range(PARTS.get(flow.name, 1))
    ]


@pytest.mark.timeout(0)
@pytest.mark.parametrize(("flow", "part"), in_parts(EACH_WRITE))
def test_flow_interrupted_after_any_write_ends_like_an_uninterrupted_one(
    stage: Stage, references: Callable[[Flow], Reference], flow: Flow, part: int
) -> None:
    interrupt(stage, flow, references(flow).kept()[part :: PARTS.get(flow.name, 1)], references(flow))


@pytest.mark.timeout(0)
@pytest.mark.parametrize("flow", KILLED, ids=name_of)
def test_killed_flow_ends_like_an_uninterrupted_one(
    stage: Stage, references: Callable[[Flow], Reference], flow: Flow, dice: random.Random
) -> None:
    reference = references(flow)
    kills = 1 if CHAOS == "sample" else int(CHAOS)
    interrupt(stage, flow, spread(reference.kills(), kills, dice), reference)


def interrupt(stage: Stage, flow: Flow, points: Sequence[Kill | AfterWrite], reference: Reference) -> None:
    print(f"{flow.name}: {len(reference.writes)} writes, interrupted {len(points)} times")
    wrong = {}
    for point in points:
        where = f"{point} ({reference.writes[point.at - 1]})"
        began = time.monotonic()
        differences = attempt(stage, flow, point, reference)
        outcome = "DIFFERENT" if differences else "the same"
        print(f"  {where}: {outcome} ({time.monotonic() - began:.0f} s)", flush=True)
        if differences:
            wrong[where] = differences
    assert not wrong, "\n".join(f"{where}:\n    " + "\n    ".join(lines[:20]) for where, lines in wrong.items())


def attempt(stage: Stage, flow: Flow, point: Kill | AfterWrite, reference: Reference) -> list[str]:
    """Resume, and report a failed attempt as a difference, so that the other points are tried."""
    try:
        return resume(stage, flow, point, reference)
    except StageError as error:
        return [str(error)]


@pytest.mark.timeout(0)
def test_kept_state_equals_the_state_after_a_kill(
    stage: Stage, references: Callable[[Flow], Reference], dice: random.Random
) -> None:
    """The attempts at all writes rely on this; shown with a playbook whose writes are sequential."""
    at = dice.choice(references(FAILOVER).kept()).at
    crash(stage, FAILOVER, Kill(at, "after"))
    left = snapshot(stage.lab, FAILOVER.group)
    stage.lab.restore(f"{FAILOVER.name}/{at}")
    assert difference(left, snapshot(stage.lab, FAILOVER.group)) == []


@pytest.mark.timeout(0)
def test_restored_pair_equals_a_built_pair(stage: Stage) -> None:
    """Every attempt relies on this: the playbook has nothing to do, and two snapshots are equal."""
    PAIR.set_up(stage)
    before = snapshot(stage.lab, "lab-pair")
    stage.lab.reset()
    PAIR.set_up(stage)
    stage.play("ha_pair")
    assert stage.lab.writes() == []
    assert difference(before, snapshot(stage.lab, "lab-pair")) == []


@pytest.mark.timeout(0)
def test_snapshots_of_different_states_differ(stage: Stage) -> None:
    """The comparison can fail: it shows an address that was moved by hand."""
    PAIR.set_up(stage)
    before = snapshot(stage.lab, "lab-pair")
    move_the_address(stage)
    assert any("/addresses/" in line for line in difference(before, snapshot(stage.lab, "lab-pair")))
