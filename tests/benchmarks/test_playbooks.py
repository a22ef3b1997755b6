"""How long the playbooks of a pair and of a group take, as ratios to a playbook of one ``debug`` task.

Appliances boot PACE times as fast as the lab's own and no call is delayed, so most of the time is Ansible's: starting
processes. Prints seconds, ratios and the goal of each; gates nothing but that the playbooks succeed. Run it on a
machine that does nothing else.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clips import with_clips
from tests.lab.client import LabClient, running
from tests.stage import Stage

PACE = 60.0
GROUP = "autoscale_nlb"
DEBUG = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - ansible.builtin.debug:\n        msg: started\n"
#: Largest ratio that is wanted of each flow.
GOALS = {
    "pair built": 22.0,
    "pair built again": 9.0,
    "planned failover": 4.5,
    "group built": 26.0,
    "group built again": 12.0,
    "idle tick": 2.2,
    "scale-out by one": 12.0,
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    with running(tmp_path_factory.mktemp("bench-playbooks"), {"LAB_PACE": str(PACE)}) as started:
        yield started


def _debug(folder: Path, environment: dict[str, str]) -> float:
    """Return the seconds of a playbook of one ``debug`` task: the median of five."""
    playbook = folder / "debug.yml"
    playbook.write_text(DEBUG)
    taken = []
    for _time in range(5):
        began = time.monotonic()
        command = [str(Path(sys.executable).parent / "ansible-playbook"), str(playbook)]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


class Printed:
    """Plays playbooks and prints how long each took."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.stage = Stage(lab)
        self.one = _debug(folder, lab.environment())
        print(f"\na playbook of one debug task: {self.one:.2f} s")

    def __call__(self, flow: str, playbook: str, *more: str, variables: str, goal: bool = True, **values: Any) -> None:
        given = ("-e", json.dumps(values)) if values else ()
        run = self.stage.play(playbook, *given, *more, variables=variables)
        wanted = f" (goal {GOALS[flow]:g})" if goal else ""
        print(f"{flow}: {run.seconds:.1f} s, {run.seconds / self.one:.1f} ×{wanted}")


def test_pair_playbooks_within_ratio(lab: LabClient, tmp_path: Path) -> None:
    printed = Printed(lab, tmp_path)
    printed("pair built", "ha_pair", variables="ha_pair")
    printed("pair built again", "ha_pair", variables="ha_pair")
    printed("planned failover", "ha_failover", variables="ha_pair", ha_failover_mode="planned")


@pytest.mark.parametrize("topology", ["independent", "cluster"])
def test_group_playbooks_within_ratio(lab: LabClient, tmp_path: Path, topology: str) -> None:
    lab.reset()
    printed = Printed(lab, tmp_path)
    zones = lab.variables(GROUP)["autoscale_group_zones"]
    cluster = topology == "cluster"
    given = {
        "autoscale_group_topology": topology,
        "autoscale_group_zones": with_clips(lab, zones) if cluster else zones,
    }
    print(f"{topology}, {len(zones)} zones")
    goal = not cluster
    printed("group built", "autoscale_group", variables=GROUP, goal=goal, **given)
    printed("group built again", "autoscale_group", variables=GROUP, goal=goal, **given)
    printed("idle tick", "autoscale", variables=GROUP, goal=goal, **given)
    printed("scale-out by one", "scale_out", variables=GROUP, goal=goal, scale_out_zone=zones[0]["name"], **given)
