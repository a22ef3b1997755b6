"""Scenario of a pair: built, failed over under traffic, a node lost, repaired."""

from __future__ import annotations

from tests.demo import trouble
from tests.demo.output import Output
from tests.observe import Observer
from tests.stage import Stage

BUILD_PACE = 60.0


def report(stage: Stage, output: Output) -> None:
    """Everything from an empty account to what the client saw."""
    stage.lab.pace(BUILD_PACE)
    output.step("lab", f"an empty AWS account; appliances boot {BUILD_PACE:.0f} times as fast while the pair is built")
    built = stage.play("ha_pair")
    observer = Observer(stage.lab)
    nodes = [trouble.line(node) for node in observer.nodes()]
    output.step("built", f"cloudadc.aws.ha_pair took {built.seconds:.0f} s", *nodes, trouble.where(observer))
    observed = trouble.make(stage, observer, output.step)
    output.table(
        "What the client saw",
        ["", "requests", "failed", "longest time without an answer"],
        [[p.name, str(p.requests), str(p.failures), f"{p.longest:.2f} s"] for p in observed.phases],
    )
    output.step("repair", f"{observed.repair:.2f} s from the first task of the playbook to the first answer")
    output.step("in the end", trouble.where(observer))
