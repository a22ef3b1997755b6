"""A flow that is interrupted at any write and run again ends like an uninterrupted one."""

from __future__ import annotations

import functools
import os
import random
import time
from collections.abc import Callable, Sequence

import pytest

from tests.crash import group_flows
from tests.crash.crash_injection import AfterWrite, Flow, Kill, Reference, crash, reference_run, resume, spread
from tests.crash.lab_states import EMPTY, MISPLACED, PAIR, move_the_address
from tests.crash.snapshot import difference, snapshot
from tests.stage import Stage, StageError

# "all": what any kill can leave, of all flows; a number: so many real kills of each; "sample": of a few, as follows.
CHAOS = os.environ.get("CHAOS", "sample")
SAMPLE = {"build": 1, "failover": 1}
OF_A_GROUP = 1


FAILOVER = Flow("failover", "ha_failover", ("-e", "ha_failover_to=1"), PAIR)
PAIRS = [
    Flow("build", "ha_pair", (), EMPTY),
    FAILOVER,
    Flow("repair", "ha_failover", ("-e", "ha_failover_mode=reconcile"), MISPLACED),
    Flow("remove", "ha_pair", ("-e", "ha_pair_state=absent"), PAIR, back_to=EMPTY),
]
CHOSEN = (
    [*group_flows.drawn(random.Random(os.environ["CHAOS_SEED"])), *(flow for flow in PAIRS if flow.name in SAMPLE)]
    if CHAOS == "sample"
    else [*group_flows.flows(), *PAIRS]
)


def chosen(flow: Flow, reference: Reference, dice: random.Random) -> Sequence[Kill | AfterWrite]:
    """Return the points at which this flow is interrupted."""
    if CHAOS == "all":
        return reference.kept()
    return spread(reference.kills(), SAMPLE.get(flow.name, OF_A_GROUP) if CHAOS == "sample" else int(CHAOS), dice)


@pytest.fixture(scope="session")
def references(stage: Stage) -> Callable[[Flow], Reference]:
    """Run each flow once without an interruption."""
    return functools.cache(lambda flow: reference_run(stage, flow))


@pytest.mark.timeout(0)
@pytest.mark.parametrize("flow", CHOSEN, ids=lambda flow: flow.name.replace(" ", "-"))
def test_interrupted_flow_ends_like_an_uninterrupted_one(
    stage: Stage, references: Callable[[Flow], Reference], flow: Flow, dice: random.Random
) -> None:
    reference = references(flow)
    points = chosen(flow, reference, dice)
    print(f"{flow.name}: {len(reference.writes)} writes, interrupted {len(points)} times")
    wrong = {}
    for point in points:
        where = f"{point} ({reference.writes[point.at - 1]})"
        began = time.monotonic()
        differences = attempt(stage, flow, point, reference)
        message = "DIFFERENT" if differences else "the same"
        print(f"  {where}: {message} ({time.monotonic() - began:.0f} s)", flush=True)
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
