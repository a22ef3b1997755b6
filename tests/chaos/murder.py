"""One playbook, killed at one of its writes and started again.

Between two writes nothing changes, so what a kill can leave is the state after each write. The lab keeps those of an
undisturbed run: to go on from each costs one run, where a real kill costs another that is killed.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from tests.chaos.portrait import difference, portrait
from tests.chaos.scenes import Scene
from tests.lab.client import wait_for
from tests.stage import Run, Stage, StageError

When = Literal["before", "after"]
PATIENCE_SECONDS = 300
# What is written of a record also when there is nothing to do.
LEASE = "UpdateItem"


@dataclass(frozen=True, slots=True)
class Plot:
    """A playbook with its arguments and file of variables, the state it is started in, and the group it is about.

    ``afterwards``: the arguments of the runs that follow, whether the first was killed or not, until the end has come.
    Without them a killed run is started again with its own. ``back_to``: what it must look like at the end, for one
    that takes everything away. Made of values only, so that it can be a key.
    """

    name: str
    playbook: str
    arguments: tuple[str, ...]
    scene: Scene
    group: str = "lab-pair"
    variables: str = "ha_pair"
    afterwards: tuple[tuple[str, ...], ...] = ()
    back_to: Scene | None = None

    def play(self, stage: Stage, arguments: Sequence[str], *, must_succeed: bool = True) -> Run:
        return stage.play(self.playbook, *arguments, variables=self.variables, must_succeed=must_succeed)


@dataclass(frozen=True, slots=True)
class Kill:
    """At the ``at``-th write of the playbook, before or after it is carried out."""

    at: int
    when: When

    def __str__(self) -> str:
        return f"killed {self.when} write {self.at}"


@dataclass(frozen=True, slots=True)
class Kept:
    """Nobody is killed: what was there after the ``at``-th write of the undisturbed run is put back."""

    at: int

    def __str__(self) -> str:
        return f"left off after write {self.at}"


@dataclass(frozen=True, slots=True)
class Original:
    """The run that nobody disturbed: its writes, and what was there after it."""

    writes: tuple[str, ...]
    picture: dict[str, Any]

    def kills(self) -> list[Kill]:
        return [kill for at in self._numbers() for kill in (Kill(at, "before"), Kill(at, "after"))]

    def kept(self) -> list[Kept]:
        return [Kept(at) for at in self._numbers()]

    def _numbers(self) -> range:
        return range(1, len(self.writes) + 1)


def undisturbed(stage: Stage, plot: Plot) -> Original:
    """Run it once to its end; what is there after each of its writes is kept under the plot's name."""
    plot.scene.set_up(stage)
    stage.lab.keep_each(plot.name)
    plot.play(stage, plot.arguments)
    stage.lab.faults()
    writes = tuple(call.op for call in stage.lab.writes())
    for arguments in plot.afterwards:
        plot.play(stage, arguments)
    if not set(writes) - {LEASE}:
        raise StageError(f"{plot.name} does nothing, so it cannot be killed at it")
    picture = portrait(stage.lab, plot.group)
    if plot.back_to is not None:
        plot.back_to.set_up(stage)
        left = difference(portrait(stage.lab, plot.group), picture)
        if left:
            raise StageError(f"{plot.name} does not lead back to {plot.back_to.name}:\n" + "\n".join(left))
    return Original(writes, picture)


def gone_on(stage: Stage, plot: Plot, left_off: Kill | Kept, original: Original) -> list[str]:
    """Have it end there, run it again, and return in which way the end is another one. StageError if a kill missed."""
    if isinstance(left_off, Kept):
        stage.lab.restore(f"{plot.name}/{left_off.at}")
    else:
        strike(stage, plot, left_off)
    wait_for(lambda: not _leases(stage), "the lease of the killed run is over", seconds=PATIENCE_SECONDS, pause=0.5)
    for arguments in plot.afterwards or (plot.arguments,):
        again = plot.play(stage, arguments, must_succeed=False)
        if again.code:
            return [f"the run after it failed (exit code {again.code}); see {again.log}"]
    return difference(original.picture, portrait(stage.lab, plot.group))


def strike(stage: Stage, plot: Plot, kill: Kill) -> None:
    """Play it and kill it there. StageError if it ended before."""
    plot.scene.set_up(stage)
    process, log = stage.start(plot.playbook, *plot.arguments, variables=plot.variables, quick=False)
    try:
        stage.lab.kill_at(kill.at, process.pid, kill.when)
        process.wait(PATIENCE_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        _bury(log)
    fired = (stage.lab.state()["kill"] or {}).get("fired")
    stage.lab.faults()
    if not fired:
        raise StageError(f"{plot.name}: the run ended before it could be {kill}; see {log}")


def _leases(stage: Stage) -> list[str]:
    """Owners of leases that last. They end by the real clock, which the instants of the story do not move."""
    client = stage.lab.boto("dynamodb")
    items = [item for table in client.list_tables()["TableNames"] for item in client.scan(TableName=table)["Items"]]
    now = time.time()
    return [item["lease_owner"]["S"] for item in items if float(item.get("lease_expires", {"N": "0"})["N"]) > now]


def _bury(log: Path) -> None:
    """End what the killed run has left: its background jobs are no descendants of it, but a lost machine takes all."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("ANSIBLE_LOG_PATH") == str(log):
                process.kill()


def spread(kills: Sequence[Kill], count: int, dice: random.Random) -> list[Kill]:
    """``count`` of them, one from each equal part, so that beginning, middle and end are all met."""
    count = min(count, len(kills))
    edges = [round(part * len(kills) / count) for part in range(count + 1)]
    return [dice.choice(kills[start:end]) for start, end in itertools.pairwise(edges)]
