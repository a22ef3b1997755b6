"""A primary loses its power, a rulebook watches: how long clients wait. Appliances run at their own pace.

Prints each turn, the median and the worst; gates nothing. HA_WATCH_TURNS says how often (10).
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import pytest

from tests import rulebook
from tests.lab.client import LabClient, running, wait_for
from tests.observe import Observer, client
from tests.stage import VARIABLES, Stage

TURNS = int(os.environ.get("HA_WATCH_TURNS", "10"))
DEAD_INTERVAL = 3.0
PORT = 8080
RATE = 50.0


def heal(lab: LabClient, observer: Observer) -> None:
    """Both nodes have power and are primary and secondary; what follows is at the lab's pace 1."""
    lab.pace(60)
    for node in observer.nodes():
        lab.power(node.instance_id, True)
    wait_for(
        lambda: sorted(str(node.master_state) for node in observer.nodes()) == ["Primary", "Secondary"],
        "both nodes are a pair again",
        seconds=60,
        pause=0.2,
    )
    lab.pace(1)


def turn(lab: LabClient, observer: Observer, directory: Path) -> tuple[float, float]:
    """Seconds from the loss of power to the first answer after it; and to the call that moved the Elastic IP."""
    [association] = observer.elastic_ips()
    primary = observer.primary()
    with client(directory, association.elastic_ip, PORT, RATE) as observed:
        time.sleep(1.5)
        off = time.time()
        lab.power(primary.instance_id, False)
        dark = time.time()
        wait_for(lambda: observer.elastic_ips() != [association], "the Elastic IP has moved", seconds=60, pause=0.2)
        time.sleep(1.0)
    moved = next(call.t for call in lab.calls(off, side="aws") if call.op == "AssociateAddress")
    answered = min(request.end for request in observed.report.requests if request.ok and request.start > dark)
    return answered - off, moved - off


def all_back(watcher: rulebook.Rulebook) -> bool:
    types = watcher.types()
    return types.count("node_lost") == types.count("node_returned")


@pytest.mark.timeout(900)
def test_power_off_to_answer(tmp_path: Path) -> None:
    with running(tmp_path / "lab", {"LAB_PACE": "120"}) as lab:
        Stage(lab).play("ha_pair")
        observer = Observer(lab)
        lab.pace(1)
        turns = []
        with rulebook.running(lab, "cloudadc.aws.ha_failover", lab.variables_path(VARIABLES)) as watcher:
            rulebook.watching(watcher)
            for number in range(TURNS):
                answered, moved = turn(lab, observer, tmp_path)
                turns.append(answered)
                print(f"turn {number + 1}: answered after {answered:.2f} s, moved after {moved:.2f} s", flush=True)
                heal(lab, observer)
                wait_for(lambda: all_back(watcher), "the source has seen the node return", seconds=60, pause=0.2)
    print(
        f"power off to first answer, {TURNS} turns: median {statistics.median(turns):.2f} s, worst {max(turns):.2f} s"
        f" (dead interval {DEAD_INTERVAL:g} s; goal {DEAD_INTERVAL + 2:g} s)"
    )
    assert len(turns) == TURNS
