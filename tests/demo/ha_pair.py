"""The pair's story: built, failed over under traffic, a node lost, repaired."""

from __future__ import annotations

from tests.demo import trouble
from tests.demo.voice import Voice
from tests.observe import Observer
from tests.stage import Stage

BUILD_PACE = 60.0


def tell(stage: Stage, voice: Voice) -> None:
    """Everything from an empty account to what the client saw."""
    stage.lab.pace(BUILD_PACE)
    voice.step("lab", f"an empty AWS account; appliances boot {BUILD_PACE:.0f} times as fast while the pair is built")
    built = stage.play("ha_pair")
    observer = Observer(stage.lab)
    nodes = [trouble.line(node) for node in observer.nodes()]
    voice.step("built", f"cloudadc.aws.ha_pair took {built.seconds:.0f} s", *nodes, trouble.where(observer))
    seen = trouble.make(stage, observer, voice.step)
    voice.table(
        "What the client saw",
        ["", "requests", "failed", "longest time without an answer"],
        [[p.name, str(p.requests), str(p.failures), f"{p.longest:.2f} s"] for p in seen.phases],
    )
    voice.step("repair", f"{seen.repair:.2f} s from the first task of the playbook to the first answer")
    voice.step("in the end", trouble.where(observer))
