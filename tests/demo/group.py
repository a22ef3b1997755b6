"""The documented example, T1 to T33, played on a whole group: two nodes become four and two again, under clients.

``python -m tests.demo.group LAB_DIR nlb`` empties the account of a running lab, builds a group there, plays it and
prints the figures as JSON. With ``nlb cluster`` each zone has a cluster, which grows from two nodes to three.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.clips import with_clips
from tests.demo.output import Output
from tests.lab import clients
from tests.lab.client import LabClient
from tests.lab.settings import CHECKOUT
from tests.stage import Stage, StageError
from tests.unit.plugins.module_utils.scaling.scenario import BETWEEN, LOW, Row, iso, rows

#: Lab seconds in a real one. A tick takes seconds and stands for a minute, so at this pace the lab's own times (a drain
#: of ten minutes, a TTL of one) pass within the ticks that the example gives them.
PACE = 60.0
STEADY_SECONDS = 3.0
DRAIN_MINUTES = 10
LIVE = ["pending", "running", "stopping", "stopped"]
SCALE_OUT = "scale_out"
#: What the nodes of a group are behind, and the page about that group.
PAGES = {"nlb": "index.html", "dns": "dns.html"}


def variables_of(distributor: str) -> str:
    """The lab's file of variables for a group behind it."""
    return f"autoscale_{distributor}"


def build(stage: Stage, distributor: str, output: Output) -> None:
    """The group, from an empty account."""
    stage.lab.pace(PACE)
    built = stage.play("autoscale_group", variables=variables_of(distributor))
    nodes = live(stage.lab, distributor)
    places = ", ".join(
        sorted(f"{node['PrivateIpAddress']} in {node['Placement']['AvailabilityZone']}" for node in nodes)
    )
    output.step("built", f"cloudadc.aws.autoscale_group took {built.seconds:.0f} s: {len(nodes)} nodes, {places}")


@dataclass(frozen=True, slots=True)
class Tick:
    """A minute of the example: nodes after it, and what it did (epoch seconds of its beginning and its end)."""

    minute: int
    figure: float
    start: float
    end: float
    nodes: int


@dataclass(frozen=True, slots=True)
class Reported:
    """Everything that happened. ``decisions``: zone → (action, minute) in their order, as the record has them."""

    distributor: str
    clustered: bool
    ticks: tuple[Tick, ...]
    decisions: dict[str, list[tuple[str, str]]]
    observed: clients.Observed

    def tick(self, minute: int) -> Tick:
        return self.ticks[minute - 1]

    @property
    def leaving(self) -> tuple[float, float]:
        """From the decision to shrink to the end, epoch seconds: who is met by silence knows of it seconds later."""
        return self.tick(20).start, self.ticks[-1].end + STEADY_SECONDS

    def early_cuts(self) -> list[clients.Session]:
        """Connections that were cut before the drain was over, or that had not lasted as long as a drain does.

        The latter could only have begun on a node after it left the distributor. A cluster ends the drain by its own
        clock, the lab's; other nodes serve until a tick removes them.
        """
        shortest = DRAIN_MINUTES * 60 / PACE
        over = self.tick(20).start + shortest if self.clustered else self.tick(31).start
        cuts = self.observed.cuts(0.0, float("inf"))
        return [cut for cut in cuts if cut.end < over or cut.end - cut.start < shortest]

    def figures(self) -> dict[str, Any]:
        first, last = self.ticks[0].start, self.ticks[-1].end
        out, away = self.tick(6), self.leaving
        return {
            "distributor": self.distributor,
            "nodes": [tick.nodes for tick in self.ticks],
            "decisions": self.decisions,
            "requests": self.observed.requests,
            "failures": [asdict(one) for one in self.observed.failures(first, last)],
            "scale_out": {
                "seconds": round(out.end - out.start, 1),
                "failures": len(self.observed.failures(out.start, self.tick(19).end)),
                "cuts": len(self.observed.cuts(out.start, self.tick(19).end)),
            },
            "scale_in": {
                "seconds": round(away[1] - away[0], 1),
                "failures": len(self.observed.failures(*away)),
                "cuts": len(self.observed.cuts(*away)),
            },
            "early_cuts": [asdict(one) for one in self.early_cuts()],
        }


def report(stage: Stage, distributor: str, output: Output) -> Reported:
    """Play it, and say what the clients saw."""
    reported = play(stage, distributor)
    figures = reported.figures()
    nodes = {tick.minute: tick.nodes for tick in reported.ticks}
    output.step("ticks", f"33 of cloudadc.aws.autoscale; nodes T5 {nodes[5]}, T6 {nodes[6]}, T33 {nodes[33]}")
    for zone, decisions in reported.decisions.items():
        output.step("decided", f"{zone}: " + ", ".join(f"{action} at {minute}" for action, minute in decisions))
    output.table(
        f"What {figures['requests']} requests saw, behind {distributor}",
        ["", "seconds", "requests failed", "connections cut", "cut before the drain was over"],
        [
            ["2 → 4 nodes", f"{figures['scale_out']['seconds']}", str(figures["scale_out"]["failures"]),
             str(figures["scale_out"]["cuts"]), "–"],
            ["4 → 2 nodes", f"{figures['scale_in']['seconds']}", str(figures["scale_in"]["failures"]),
             str(figures["scale_in"]["cuts"]), str(len(figures["early_cuts"]))],
        ],
    )  # fmt: skip
    return reported


def play(stage: Stage, distributor: str) -> Reported:
    """A tick a minute, the load of the table on every node, clients all the while."""
    lab = stage.lab
    lab.pace(PACE)
    table = list(rows(distributor))
    if [(row.minute, row.action) for row in table if row.action == SCALE_OUT] != [(6, SCALE_OUT)]:
        raise StageError("the example has changed; this scenario scales out at T6")
    with _clients(lab, distributor) as observed:
        time.sleep(STEADY_SECONDS)
        ticks = tuple(_tick(stage, distributor, row) for row in table)
        time.sleep(STEADY_SECONDS)
    clustered = lab.variables(variables_of(distributor))["autoscale_group_topology"] == "cluster"
    return Reported(distributor, clustered, ticks, _decisions(lab, distributor), clients.read(observed))


def _tick(stage: Stage, distributor: str, row: Row) -> Tick:
    figure = figure_of(row)
    stage.lab.load(all=True, memory=figure)
    start = time.time()
    stage.play("autoscale", "-e", f"autoscale_now={iso(row.minute)}", variables=variables_of(distributor))
    return Tick(row.minute, figure, start, time.time(), len(live(stage.lab, distributor)))


def figure_of(row: Row) -> float:
    """The table's; where any will do, what a zone could look like that has just grown, or is about to shrink."""
    if row.memory is not None:
        return row.memory
    return BETWEEN if row.phase == "cooldown" else LOW


def live(lab: LabClient, distributor: str) -> list[dict[str, Any]]:
    """The group's instances that are not gone."""
    name = lab.variables(variables_of(distributor))["autoscale_group_name"]
    filters = [{"Name": "tag:cloudadc:group", "Values": [name]}, {"Name": "instance-state-name", "Values": LIVE}]
    found = lab.boto("ec2").describe_instances(Filters=filters)["Reservations"]
    return [instance for reservation in found for instance in reservation["Instances"]]


def page(stage: Stage, reported: Reported, folder: Path, output: Output) -> None:
    """A page from the zones' records and the figures they were given, by the playbook."""
    variables = stage.lab.variables(variables_of(reported.distributor))
    recording = stage.lab.directory / f"{reported.distributor}.csv"
    lines = [f"{iso(tick.minute)},{tick.figure}\n" for tick in reported.ticks]
    recording.write_text("timestamp,memory\n" + "".join(lines))
    given = {
        "report_path": str(folder / PAGES[reported.distributor]),
        "report_group": variables["autoscale_group_name"],
        "report_store": variables["autoscale_group_store"],
        "report_policy": {**variables["autoscale_group_policy"], "distributor": reported.distributor},
        "report_recordings": dict.fromkeys(reported.decisions, str(recording)),
    }
    stage.play("report", "-e", json.dumps(given), variables=variables_of(reported.distributor))
    output.step("its page", f"{given['report_path']}, open it in a browser")


def _decisions(lab: LabClient, distributor: str) -> dict[str, list[tuple[str, str]]]:
    """What the zones' records say was decided and came to its end, with the minute of the example."""
    variables = lab.variables(variables_of(distributor))
    minutes = {iso(row.minute): f"T{row.minute}" for row in rows(distributor)}
    found = {}
    for zone in (zone["name"] for zone in variables["autoscale_group_zones"]):
        file = Path(variables["autoscale_group_store"]["path"]) / f"{variables['autoscale_group_name']}@{zone}.json"
        history = json.loads(file.read_text())["document"]["history"]
        found[zone] = [(event["action"], minutes.get(event["decided_at"], event["decided_at"])) for event in history]
    return found


@contextlib.contextmanager
def _clients(lab: LabClient, distributor: str) -> Iterator[Path]:
    """A clients at the group's application; the file is there once the block is left."""
    variables = lab.variables(variables_of(distributor))
    [application] = variables["autoscale_group_applications"]
    if distributor == "dns":
        where = ["--name", application["domain"], "--control", lab.url]
    else:
        where = ["--addresses", ",".join(_static_addresses(lab, variables["autoscale_group_name"]))]
    file = lab.directory / f"clients-{distributor}.json"
    command = [
        sys.executable,
        "-m",
        "tests.lab.clients",
        *where,
        "--port",
        str(application["port"]),
        "--json",
        str(file),
    ]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield file
        process.terminate()
        process.wait(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _static_addresses(lab: LabClient, name: str) -> list[str]:
    [balancer] = lab.boto("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
    zones = balancer["AvailabilityZones"]
    return [str(address["IpAddress"]) for zone in zones for address in zone["LoadBalancerAddresses"]]


def cluster(lab: LabClient, distributor: str) -> None:
    """Let the variables be those of clusters. One of two nodes cannot shrink: it would lose half of them at once."""
    variables = lab.variables(variables_of(distributor))
    policy = {**variables["autoscale_group_policy"], "min_nodes": 2}
    variables |= {"autoscale_group_topology": "cluster", "autoscale_group_policy": policy}
    variables["autoscale_group_zones"] = with_clips(lab, variables["autoscale_group_zones"])
    lab.variables_path(variables_of(distributor)).write_text(yaml.safe_dump(variables))


def main(directory: Path, distributor: str, topology: str = "independent") -> None:
    """From an empty account to the figures."""
    stage = Stage(LabClient(directory))
    stage.lab.reset()
    if topology == "cluster":
        cluster(stage.lab, distributor)
    build(stage, distributor, Output(sys.stderr))
    print(json.dumps(play(stage, distributor).figures(), indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
