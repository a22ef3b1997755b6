"""A primary loses its power, a rulebook watches: how long clients wait, for each kind of VIP.

Appliances run at their own pace. Prints each turn, the median and the worst; gates nothing. HA_WATCH_TURNS says how
often (10).
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from tests import rulebook
from tests.crash.pair_flows import KINDS, Kind
from tests.lab.client import LabClient, running, wait_for
from tests.observe import Observer, client
from tests.stage import Stage

ELASTIC = Kind("elastic_ip", (0, 1), lambda _stage: {})
#: The operation that moves a VIP of each kind.
MOVES = {"elastic_ip": "AssociateAddress", "route": "ReplaceRoute", "private_ip": "AssignPrivateIpAddresses"}
#: Seconds: the goals for the median and for the worst turn.
MEDIAN, WORST = 4.0, 5.0

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


def address_of(lab: LabClient, kind: Kind) -> str:
    """Return the address at which clients reach the pair."""
    if kind is ELASTIC:
        return Observer(lab).elastic_ips()[0].elastic_ip
    [vip] = lab.variables(kind.variables)["ha_pair_vips"]
    return str(vip.get("virtual_ip") or vip["private_ip_address"])


def turn(lab: LabClient, observer: Observer, kind: Kind, directory: Path) -> tuple[float, float]:
    """Seconds from the loss of power to the first answer after it; and to the call that moved the VIP."""
    primary = observer.primary()

    def moves(since: float) -> list[Any]:
        return [call for call in lab.calls(since, side="aws") if call.op == MOVES[kind.name]]

    with client(directory, address_of(lab, kind), PORT, RATE) as observed:
        time.sleep(1.5)
        off = time.time()
        lab.power(primary.instance_id, False)
        dark = time.time()
        wait_for(lambda: moves(off), "the VIP is moved", seconds=60, pause=0.2)
        time.sleep(1.0)
    answered = min(request.end for request in observed.report.requests if request.ok and request.start > dark)
    return answered - off, moves(off)[0].t - off


def all_back(watcher: rulebook.Rulebook) -> bool:
    types = watcher.types()
    return types.count("node_lost") == types.count("node_returned")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", [ELASTIC, *KINDS], ids=lambda kind: kind.name)
def test_power_off_to_answer(tmp_path: Path, kind: Kind) -> None:
    with running(tmp_path / "lab", {"LAB_PACE": "120"}) as lab:
        kind.built.set_up(Stage(lab))
        observer = Observer(lab)
        lab.pace(1)
        turns = []
        with rulebook.running(lab, "cloudadc.aws.ha_failover", lab.variables_path(kind.variables)) as watcher:
            rulebook.watching(watcher)
            for number in range(TURNS):
                answered, moved = turn(lab, observer, kind, tmp_path)
                turns.append(answered)
                print(f"turn {number + 1}: answered after {answered:.2f} s, moved after {moved:.2f} s", flush=True)
                heal(lab, observer)
                wait_for(lambda: all_back(watcher), "the source has seen the node return", seconds=60, pause=0.2)
    print(
        f"{kind.name}: power off to first answer, {TURNS} turns: median {statistics.median(turns):.2f} s"
        f" (goal {MEDIAN:g} s), worst {max(turns):.2f} s (goal {WORST:g} s); dead interval {DEAD_INTERVAL:g} s"
    )
    assert len(turns) == TURNS
