"""How long a zone takes to grow by one node and by eight, what of it are the joins of a cluster, and what launching
eight costs by other means.

AWS takes 0.15 s a call longer, NITRO 0.05 s, and appliances boot PACE times as fast as the lab's own. Prints seconds,
calls and ratios, all of this run on this machine; gates nothing but that the nodes are there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clips import with_clips
from tests.lab.client import LabClient, running
from tests.stage import Run, Stage

PACE = 20.0
LATENCY = {"aws": 0.15, "nitro": 0.05}
VARIABLES = "autoscale_nlb"
BY_OTHER_MEANS = Path(__file__).with_name("launch_with_amazon_aws.yml")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory: Path = tmp_path_factory.mktemp("bench-lab")
    with running(directory, {"LAB_PACE": str(PACE), "LAB_NETWORK": ""}) as lab:
        yield Stage(lab)


def one_zone(lab: LabClient, **more: Any) -> tuple[str, str]:
    """Arguments for a group of one zone that may have nine nodes, and the zone's name."""
    variables = lab.variables(VARIABLES)
    policy = {**variables["autoscale_group_policy"], "max_nodes": 9, **more.pop("policy", {})}
    zones = variables["autoscale_group_zones"][:1]
    given = {"autoscale_group_policy": policy, "autoscale_group_zones": zones, **more}
    return json.dumps(given), zones[0]["name"]


def scale_out(stage: Stage, began: str, given: str, zone: str, count: int) -> tuple[Run, Counter[str]]:
    """A growth by ``count`` nodes from the kept state ``began``, and its calls."""
    lab = stage.lab
    lab.restore(began)
    shutil.rmtree(lab.variables(VARIABLES)["autoscale_group_store"]["path"], ignore_errors=True)
    lab.latency(**LATENCY)
    run = stage.play(
        "scale_out", "-e", given, "-e", f"scale_out_zone={zone}", "-e", f"scale_out_count={count}", variables=VARIABLES
    )
    return run, Counter(call.side if call.side != "aws" else call.op for call in lab.calls())


def test_eight_nodes_take_little_longer_than_one(stage: Stage) -> None:
    given, zone = one_zone(stage.lab)
    stage.play("autoscale_group", "-e", given, variables=VARIABLES)
    stage.lab.keep("one node")
    of_one, calls_of_one = scale_out(stage, "one node", given, zone, 1)
    of_eight, calls_of_eight = scale_out(stage, "one node", given, zone, 8)
    one, eight = of_one.seconds, of_eight.seconds
    print(f"\nscale_out, appliances that boot {PACE:g} times as fast: 1 node {one:.1f} s, 8 nodes {eight:.1f} s")
    launches = [calls["RunInstances"] for calls in (calls_of_one, calls_of_eight)]
    print(f"ratio {eight / one:.2f} (goal 1.5); calls of RunInstances: {launches[0]}, {launches[1]}")
    for name, calls in (("1 node", calls_of_one), ("8 nodes", calls_of_eight)):
        aws = sum(number for op, number in calls.items() if op not in ("nitro", "adm"))
        print(f"{name}: {aws} AWS calls, {calls['nitro']} NITRO calls")
    assert calls_of_eight["RunInstances"] == 1


def test_nodes_join_a_cluster_one_after_another(stage: Stage) -> None:
    """The share of the joins, each of which has a warm reboot and the wait until the node serves."""
    lab = stage.lab
    lab.reset()
    zones = with_clips(lab, lab.variables(VARIABLES)["autoscale_group_zones"][:1])
    definition = {"autoscale_group_topology": "cluster", "autoscale_group_zones": zones}
    given, name = one_zone(lab, policy={"min_nodes": 2}, **definition)
    lab.pace(PACE)
    stage.play("autoscale_group", "-e", given, variables=VARIABLES)
    lab.keep("two in a cluster")
    for count in (1, 4):
        run, calls = scale_out(stage, "two in a cluster", given, name, count)
        joins = run.seconds_in("Let the others join")
        print(f"\ncluster, {count} nodes more: {run.seconds:.1f} s, of which {joins:.1f} s joining one after another")
        rest = run.seconds - joins
        print(f"that is {joins / run.seconds:.0%}, and {joins / count:.1f} s a node; all else takes {rest:.1f} s")
        assert calls["RunInstances"] == 1


def test_launching_by_amazon_aws_modules(stage: Stage) -> None:
    """Eight instances with three tagged interfaces each: vpx_instance, and ec2_eni with ec2_instance in loops."""
    lab = stage.lab
    lab.reset()
    seed: dict[str, Any] = lab.state()["seed_data"]
    zone, subnets = next(iter(seed["subnets"].items()))
    lab.latency(**LATENCY)
    lab.pace(300)
    taken = {}
    for way in ("vpx_instance", "amazon_aws"):
        given = {"image_id": seed["image_id"], "zone": zone, "subnets": subnets, "way": way}
        before = len(lab.calls(side="aws"))
        began = time.monotonic()
        subprocess.run(
            [str(Path(sys.executable).parent / "ansible-playbook"), str(BY_OTHER_MEANS), "-e", json.dumps(given)],
            env=lab.environment(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        taken[way] = (time.monotonic() - began, len(lab.calls(side="aws")) - before)
    for way, (seconds, calls) in taken.items():
        print(f"\n8 instances with 24 interfaces, {way}: {seconds:.1f} s, {calls} AWS calls", end="")
    print(f"\nratio of the times {taken['amazon_aws'][0] / taken['vpx_instance'][0]:.1f}")
    found = lab.boto("ec2").describe_instances()["Reservations"]
    assert sum(len(reservation["Instances"]) for reservation in found) == 16
