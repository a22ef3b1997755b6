"""The pair's story: built, failed over under traffic, a node lost, repaired."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.demo.voice import Voice
from tests.lab.client import wait_for
from tests.lab.traffic import Report
from tests.observe import Node, Observer, Seat, client
from tests.stage import Stage, StageError

RATE = 50.0
STEADY_SECONDS = 3.0
BUILD_PACE = 60.0
LATENCY = {"aws": 0.15, "nitro": 0.05}


@dataclass(frozen=True, slots=True)
class Phase:
    """A time of the story. Epoch seconds."""

    name: str
    start: float
    end: float

    def row(self, report: Report) -> list[str]:
        part = report.between(self.start, self.end)
        return [self.name, str(len(part.requests)), str(len(part.failures)), f"{_longest(report, self):.2f} s"]


def tell(stage: Stage, voice: Voice) -> None:
    """Everything from an empty account to what the client saw."""
    lab, port = stage.lab, stage.lab.variables("ha_pair")["ha_pair_application"]["port"]
    lab.pace(BUILD_PACE)
    voice.step("lab", "an empty AWS account; appliances boot 60 times as fast while the pair is built")
    built = stage.play("ha_pair")
    observer = Observer(lab)
    nodes, seat = [_line(node) for node in observer.nodes()], _seat(observer)
    voice.step("built", f"cloudadc.aws.ha_pair took {built.seconds:.0f} s", *nodes, _where(observer))
    lab.pace(1)
    lab.latency(**LATENCY)
    voice.step(
        "clients",
        f"{RATE:.0f} requests a second at http://{seat.elastic_ip}:{port}",
        f"from here on every AWS call takes {LATENCY['aws']} s longer, every NITRO call {LATENCY['nitro']} s",
    )
    with client(lab.directory, seat.elastic_ip, port, RATE) as seen:
        phases = _trouble(stage, observer, voice)
    voice.table(
        "What the client saw",
        ["", "requests", "failed", "longest time without an answer"],
        [phase.row(seen.report) for phase in phases],
    )
    repaired = _repair_seconds(seen.report, phases[-1])
    voice.step("repair", f"{repaired:.2f} s from the playbook's first task to the first answer")
    voice.step("in the end", _where(observer))


def _trouble(stage: Stage, observer: Observer, voice: Voice) -> list[Phase]:
    """A planned failover, then a node without power and its repair."""
    began = time.time()
    time.sleep(STEADY_SECONDS)
    planned_at = time.time()
    planned = stage.play("ha_failover")
    primary = observer.primary()
    voice.step("planned", f"cloudadc.aws.ha_failover took {planned.seconds:.0f} s", _line(primary), _where(observer))
    time.sleep(STEADY_SECONDS)
    off_at = time.time()
    stage.lab.power(primary.instance_id, on=False)
    heir = wait_for(lambda: _heir(observer, primary), "the other node is primary", seconds=30, pause=0.1)
    voice.step("power off", f"{primary.instance_id} is dead; {heir.instance_id} became primary", _where(observer))
    repaired = stage.play("ha_failover", "-e", "ha_failover_mode=reconcile")
    voice.step(
        "repaired",
        f"ha_failover_mode=reconcile took {repaired.seconds:.0f} s",
        _line(observer.primary()),
        _where(observer),
    )
    time.sleep(STEADY_SECONDS)
    return [
        Phase("steady", began, planned_at),
        Phase("planned failover", planned_at, off_at),
        Phase("node lost, up to the repair", off_at, repaired.first_task_at),
        Phase("repair", repaired.first_task_at, time.time()),
    ]


def _heir(observer: Observer, lost: Node) -> Node | None:
    return next(
        (n for n in observer.nodes() if n.instance_id != lost.instance_id and n.master_state == "Primary"), None
    )


def _longest(report: Report, phase: Phase) -> float:
    """The longest part of a time without an answer that lies in this phase, in seconds."""
    return max((min(g.end, phase.end) - max(g.start, phase.start) for g in report.gaps()), default=0.0)


def _repair_seconds(report: Report, repair: Phase) -> float:
    answered = min((end for end in report.successes() if end >= repair.start), default=None)
    if answered is None:
        raise StageError("no client was answered after the repair")
    return answered - repair.start


def _seat(observer: Observer) -> Seat:
    seats = observer.elastic_ips()
    if len(seats) != 1:
        raise StageError(f"the pair should have one Elastic IP, it has {len(seats)}")
    return seats[0]


def _where(observer: Observer) -> str:
    seat = _seat(observer)
    holder = observer.holder(seat)
    who = f"node {holder.node_id}, {holder.instance_id}" if holder else "no node"
    return f"Elastic IP {seat.elastic_ip} is on {seat.interface}, {seat.address} ({who})"


def _line(node: Node) -> str:
    return (
        f"node {node.node_id}: {node.instance_id} in {node.zone}, NSIP {node.nsip}, {node.master_state or 'no answer'}"
    )
