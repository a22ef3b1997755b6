"""Ends a playbook at one of its writes and runs it again.

Between two writes nothing changes, so a crash can leave only the state after a write. The lab keeps these states of an
uninterrupted run: resuming from each costs one run, where a real kill costs a second one.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from tests.crash.lab_states import LabState
from tests.crash.snapshot import difference, snapshot
from tests.lab.client import wait_for
from tests.stage import Run, Stage, StageError

When = Literal["before", "after"]
TIMEOUT_SECONDS = 300
# The write to the group state that also an idle tick makes.
LEASE = "UpdateItem"


@dataclass(frozen=True, slots=True)
class Flow:
    """A playbook with its arguments and variables, the lab state in which it starts, and the group that it is about.

    ``afterwards``: the arguments of the runs that follow, after a crash or not. Without them an interrupted run is
    repeated with its own arguments. ``back_to``: the state that a removal must lead to. Hashable, so it can be a key.
    """

    name: str
    playbook: str
    arguments: tuple[str, ...]
    state: LabState
    group: str = "lab-pair"
    variables: str = "ha_pair"
    afterwards: tuple[tuple[str, ...], ...] = ()
    back_to: LabState | None = None

    def play(self, stage: Stage, arguments: Sequence[str], *, must_succeed: bool = True) -> Run:
        return stage.play(self.playbook, *arguments, variables=self.variables, must_succeed=must_succeed)


@dataclass(frozen=True, slots=True)
class Kill:
    """A SIGKILL at the ``at``-th write of the playbook, before or after the write is carried out."""

    at: int
    when: When

    def __str__(self) -> str:
        return f"killed {self.when} write {self.at}"


@dataclass(frozen=True, slots=True)
class AfterWrite:
    """No kill: the lab state after the ``at``-th write of the uninterrupted run is restored."""

    at: int

    def __str__(self) -> str:
        return f"interrupted after write {self.at}"


@dataclass(frozen=True, slots=True)
class Reference:
    """The uninterrupted run: its writes, the numbers of those that left a state of their own, the snapshot after it."""

    writes: tuple[str, ...]
    distinct: tuple[int, ...]
    picture: dict[str, Any]

    def kills(self) -> list[Kill]:
        return [kill for at in self._numbers() for kill in (Kill(at, "before"), Kill(at, "after"))]

    def kept(self) -> list[AfterWrite]:
        return [AfterWrite(at) for at in self.distinct]

    def _numbers(self) -> range:
        return range(1, len(self.writes) + 1)


def reference_run(stage: Stage, flow: Flow) -> Reference:
    """Run the flow once to its end; the lab keeps the state after each write under the flow's name."""
    flow.state.set_up(stage)
    stage.lab.keep_each(flow.name)
    flow.play(stage, flow.arguments)
    stage.lab.faults()
    writes = tuple(call.op for call in stage.lab.writes())
    for arguments in flow.afterwards:
        flow.play(stage, arguments)
    if not set(writes) - {LEASE}:
        raise StageError(f"{flow.name} writes nothing, so there is no write to crash at")
    picture = snapshot(stage.lab, flow.group)
    if flow.back_to is not None:
        flow.back_to.set_up(stage)
        left = difference(snapshot(stage.lab, flow.group), picture)
        if left:
            raise StageError(f"{flow.name} does not lead back to {flow.back_to.name}:\n" + "\n".join(left))
    return Reference(writes, tuple(_distinct(stage, flow, writes)), picture)


def _distinct(stage: Stage, flow: Flow, writes: tuple[str, ...]) -> Iterator[int]:
    """Yield the numbers of the writes at which a crash leaves a state that no earlier write left.

    Lease and claim are renewed before most writes. A renewal changes only times, which a snapshot leaves out: the state
    after it is the one before it. The first write to the group state takes the lease and always counts.
    """

    @functools.cache
    def after(at: int) -> dict[str, Any]:
        stage.lab.restore(f"{flow.name}/{at}")
        return snapshot(stage.lab, flow.group, wait=False)

    for at, op in enumerate(writes, 1):
        renewal = op == LEASE and LEASE in writes[: at - 1]
        if not (renewal and after(at) == after(at - 1)):
            yield at


def resume(stage: Stage, flow: Flow, point: Kill | AfterWrite, reference: Reference) -> list[str]:
    """Interrupt the flow at this point, run it again, and return the differences to the reference.

    Raises StageError if a kill came too late.
    """
    if isinstance(point, AfterWrite):
        stage.lab.restore(f"{flow.name}/{point.at}")
    else:
        crash(stage, flow, point)
    wait_for(lambda: not _leases(stage), "the lease of the interrupted run expires", seconds=TIMEOUT_SECONDS, pause=0.5)
    for arguments in flow.afterwards or (flow.arguments,):
        again = flow.play(stage, arguments, must_succeed=False)
        if again.code:
            return [f"the run after it failed (exit code {again.code}); see {again.log}"]
    return difference(reference.picture, snapshot(stage.lab, flow.group))


def crash(stage: Stage, flow: Flow, kill: Kill) -> None:
    """Run the flow and kill it at this write. Raises StageError if it ended before."""
    flow.state.set_up(stage)
    process, log = stage.start(flow.playbook, *flow.arguments, variables=flow.variables, quick=False)
    try:
        stage.lab.kill_at(kill.at, process.pid, kill.when)
        process.wait(TIMEOUT_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        _kill_orphans(log)
    fired = (stage.lab.state()["kill"] or {}).get("fired")
    stage.lab.faults()
    if not fired:
        raise StageError(f"{flow.name}: the run ended before it could be {kill}; see {log}")


def _leases(stage: Stage) -> list[str]:
    """Return the owners of leases in force. Leases expire by the real clock, not by the instants of the scenario."""
    client = stage.lab.boto("dynamodb")
    items = [item for table in client.list_tables()["TableNames"] for item in client.scan(TableName=table)["Items"]]
    now = time.time()
    return [item["lease_owner"]["S"] for item in items if float(item.get("lease_expires", {"N": "0"})["N"]) > now]


def _kill_orphans(log: Path) -> None:
    """Kill the background jobs of a killed run: they are not its descendants, but a lost machine takes all of them."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("ANSIBLE_LOG_PATH") == str(log):
                process.kill()


def spread(kills: Sequence[Kill], count: int, dice: random.Random) -> list[Kill]:
    """Return ``count`` kills, one from each equal part, so that beginning, middle and end are covered."""
    count = min(count, len(kills))
    edges = [round(part * len(kills) / count) for part in range(count + 1)]
    return [dice.choice(kills[start:end]) for start, end in itertools.pairwise(edges)]
