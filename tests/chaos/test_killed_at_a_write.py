"""A playbook that was killed at any of its writes and started again ends like one that was not killed."""

from __future__ import annotations

import functools
import os
import random
import time
from collections.abc import Callable

import pytest

from tests.chaos import groups
from tests.chaos.murder import Kill, Original, Plot, killed, spread, undisturbed
from tests.chaos.portrait import difference, portrait
from tests.chaos.scenes import ASTRAY, EMPTY, PAIR, move_the_address
from tests.stage import Stage, StageError

# "all": all kills of all; a number: so many of each; "sample": some of a few, as follows.
CHAOS = os.environ.get("CHAOS", "sample")
SAMPLE = {"build": 1, "failover": 1}
OF_A_GROUP = 1


PAIRS = [
    Plot("build", "ha_pair", (), EMPTY),
    Plot("failover", "ha_failover", ("-e", "ha_failover_to=1"), PAIR),
    Plot("repair", "ha_failover", ("-e", "ha_failover_mode=reconcile"), ASTRAY),
    Plot("remove", "ha_pair", ("-e", "ha_pair_state=absent"), PAIR, back_to=EMPTY),
]
# Each worker takes a part of each plot's kills: so all are done at the same time, whatever the plots' lengths.
PARTS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) if CHAOS == "all" else 1
CHOSEN = (
    [*groups.drawn(random.Random(os.environ["CHAOS_SEED"])), *(plot for plot in PAIRS if plot.name in SAMPLE)]
    if CHAOS == "sample"
    else [*groups.plots(), *PAIRS]
)


def chosen(plot: Plot, kills: list[Kill], part: int, dice: random.Random) -> list[Kill]:
    """Of these kills of a plot."""
    if CHAOS == "all":
        return kills[part::PARTS]
    return spread(kills, SAMPLE.get(plot.name, OF_A_GROUP) if CHAOS == "sample" else int(CHAOS), dice)


@pytest.fixture(scope="session")
def originals(stage: Stage) -> Callable[[Plot], Original]:
    """Each plot's undisturbed run, once."""
    return functools.cache(lambda plot: undisturbed(stage, plot))


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("plot", CHOSEN, ids=lambda plot: plot.name.replace(" ", "-"))
def test_killed_and_started_again(
    stage: Stage, originals: Callable[[Plot], Original], plot: Plot, part: int, dice: random.Random
) -> None:
    original = originals(plot)
    kills = chosen(plot, original.kills(), part, dice)
    print(f"{plot.name}: {len(original.writes)} writes, killed {len(kills)} times")
    wrong = {}
    for kill in kills:
        where = f"{kill} ({original.writes[kill.at - 1]})"
        began = time.monotonic()
        differences = attempt(stage, plot, kill, original)
        said = "DIFFERENT" if differences else "as if nothing had happened"
        print(f"  {where}: {said} ({time.monotonic() - began:.0f} s)", flush=True)
        if differences:
            wrong[where] = differences
    assert not wrong, "\n".join(f"{where}:\n    " + "\n    ".join(lines[:20]) for where, lines in wrong.items())


def attempt(stage: Stage, plot: Plot, kill: Kill, original: Original) -> list[str]:
    """As ``killed``, but what went wrong with the attempt itself is a difference too, so that the others are tried."""
    try:
        return killed(stage, plot, kill, original)
    except StageError as error:
        return [str(error)]


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
