"""A playbook that was killed at any of its writes and started again ends like one that was not killed."""

from __future__ import annotations

import functools
import os
import random
import time
from collections.abc import Callable, Sequence

import pytest

from tests.chaos import groups
from tests.chaos.murder import Kept, Kill, Original, Plot, gone_on, spread, strike, undisturbed
from tests.chaos.portrait import difference, portrait
from tests.chaos.scenes import ASTRAY, EMPTY, PAIR, move_the_address
from tests.stage import Stage, StageError

# "all": what any kill can leave, of all plots; a number: so many real kills of each; "sample": of a few, as follows.
CHAOS = os.environ.get("CHAOS", "sample")
SAMPLE = {"build": 1, "failover": 1}
OF_A_GROUP = 1


FAILOVER = Plot("failover", "ha_failover", ("-e", "ha_failover_to=1"), PAIR)
PAIRS = [
    Plot("build", "ha_pair", (), EMPTY),
    FAILOVER,
    Plot("repair", "ha_failover", ("-e", "ha_failover_mode=reconcile"), ASTRAY),
    Plot("remove", "ha_pair", ("-e", "ha_pair_state=absent"), PAIR, back_to=EMPTY),
]
CHOSEN = (
    [*groups.drawn(random.Random(os.environ["CHAOS_SEED"])), *(plot for plot in PAIRS if plot.name in SAMPLE)]
    if CHAOS == "sample"
    else [*groups.plots(), *PAIRS]
)


def chosen(plot: Plot, original: Original, dice: random.Random) -> Sequence[Kill | Kept]:
    """Where this plot is left off."""
    if CHAOS == "all":
        return original.kept()
    return spread(original.kills(), SAMPLE.get(plot.name, OF_A_GROUP) if CHAOS == "sample" else int(CHAOS), dice)


@pytest.fixture(scope="session")
def originals(stage: Stage) -> Callable[[Plot], Original]:
    """Each plot's undisturbed run, once."""
    return functools.cache(lambda plot: undisturbed(stage, plot))


@pytest.mark.timeout(0)
@pytest.mark.parametrize("plot", CHOSEN, ids=lambda plot: plot.name.replace(" ", "-"))
def test_killed_and_started_again(
    stage: Stage, originals: Callable[[Plot], Original], plot: Plot, dice: random.Random
) -> None:
    original = originals(plot)
    points = chosen(plot, original, dice)
    print(f"{plot.name}: {len(original.writes)} writes, left off {len(points)} times")
    wrong = {}
    for left_off in points:
        where = f"{left_off} ({original.writes[left_off.at - 1]})"
        began = time.monotonic()
        differences = attempt(stage, plot, left_off, original)
        said = "DIFFERENT" if differences else "as if nothing had happened"
        print(f"  {where}: {said} ({time.monotonic() - began:.0f} s)", flush=True)
        if differences:
            wrong[where] = differences
    assert not wrong, "\n".join(f"{where}:\n    " + "\n    ".join(lines[:20]) for where, lines in wrong.items())


def attempt(stage: Stage, plot: Plot, left_off: Kill | Kept, original: Original) -> list[str]:
    """As ``gone_on``, but what went wrong with the attempt itself is a difference too, so that the others are tried."""
    try:
        return gone_on(stage, plot, left_off, original)
    except StageError as error:
        return [str(error)]


@pytest.mark.timeout(0)
def test_what_is_kept_is_what_a_kill_leaves(
    stage: Stage, originals: Callable[[Plot], Original], dice: random.Random
) -> None:
    """What the attempts at all writes rely on, shown of a playbook that writes one after another."""
    at = dice.choice(originals(FAILOVER).kept()).at
    strike(stage, FAILOVER, Kill(at, "after"))
    left = portrait(stage.lab, FAILOVER.group)
    stage.lab.restore(f"{FAILOVER.name}/{at}")
    assert difference(left, portrait(stage.lab, FAILOVER.group)) == []


@pytest.mark.timeout(0)
def test_a_kept_pair_is_as_good_as_a_built_one(stage: Stage) -> None:
    """What every attempt relies on: the playbook finds nothing to do in it, and two portraits of it are equal."""
    PAIR.set_up(stage)
    before = portrait(stage.lab, "lab-pair")
    stage.lab.reset()
    PAIR.set_up(stage)
    stage.play("ha_pair")
    assert stage.lab.writes() == []
    assert difference(before, portrait(stage.lab, "lab-pair")) == []


@pytest.mark.timeout(0)
def test_a_portrait_tells_two_states_apart(stage: Stage) -> None:
    """The comparison can fail: an address that was moved by hand is seen."""
    PAIR.set_up(stage)
    before = portrait(stage.lab, "lab-pair")
    move_the_address(stage)
    assert any("/addresses/" in line for line in difference(before, portrait(stage.lab, "lab-pair")))
