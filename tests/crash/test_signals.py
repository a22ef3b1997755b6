"""SIGTERM and SIGINT to ansible-playbook itself while one of its writes is on its way.

What is left is the write, which lands without its caller, and for some seconds the module process that made it. A run
that follows ends like an uninterrupted one.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.crash.crash_injection import Flow, Reference
from tests.crash.snapshot import difference, snapshot
from tests.crash.test_crash_at_a_write import FAILOVER
from tests.lab.client import wait_for
from tests.stage import Stage

WRITE = "AssociateAddress"
#: Seconds in which the playbook must end after a signal, and its module processes after the answer to their call.
END_SECONDS = 60


@pytest.fixture
def reference(references: Callable[[Flow], Reference]) -> Reference:
    return references(FAILOVER)


def processes_of(log: Path) -> Iterator[psutil.Process]:
    """The processes of a run, also those that are no children of it any more."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("ANSIBLE_LOG_PATH") == str(log) and process.status() != psutil.STATUS_ZOMBIE:
                yield process


@pytest.mark.timeout(0)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_failover_that_is_told_to_end_in_a_write_is_completed_by_the_next_run(
    stage: Stage, reference: Reference, number: signal.Signals
) -> None:
    FAILOVER.state.set_up(stage)
    stage.lab.hold(WRITE, when="before", seconds=60)
    process, log = stage.start(FAILOVER.playbook, *FAILOVER.arguments, variables=FAILOVER.variables, quick=False)
    assert isinstance(process, subprocess.Popen)
    try:
        wait_for(lambda: stage.lab.held(WRITE), f"{WRITE} is held", seconds=120)
        process.send_signal(number)
        assert process.wait(END_SECONDS) != 0
        stage.lab.release()
        wait_for(lambda: not stage.lab.held(WRITE), "the call lands without its caller")
        wait_for(lambda: not list(processes_of(log)), "no process of the run is left", seconds=END_SECONDS)
    finally:
        for left in (process, *processes_of(log)):
            with contextlib.suppress(psutil.Error, OSError):
                left.kill()
        process.wait()
    stage.lab.faults()
    assert FAILOVER.play(stage, FAILOVER.arguments, must_succeed=False).code == 0
    assert difference(reference.picture, snapshot(stage.lab, FAILOVER.group)) == []
