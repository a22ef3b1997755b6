"""The group's story: the documented example, minute by minute, for nodes behind a load balancer and behind DNS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.demo.voice import Voice
from tests.modules import run_module
from tests.stage import StageError
from tests.unit.plugins.module_utils.autoscale.story import BETWEEN, LOW, Row, iso, policy_dict, rows

GROUP = "shop"
DISTRIBUTORS = ("nlb", "dns")
NODES = 3


def tell(folder: Path, page: Path, voice: Voice) -> None:
    """Ticks of two zones with their records in ``folder``; ``page`` is written from the records and the samples."""
    store = {"path": str(folder / "store")}
    recordings = {}
    for distributor in DISTRIBUTORS:
        samples = {iso(row.minute): _figure(row) for row in rows(distributor)}
        decisions = _ticks(distributor, samples, store)
        voice.step(f"behind {distributor}", f"{len(samples)} minutes, a tick of autoscale_evaluate each", *decisions)
        recording = folder / f"{distributor}.csv"
        recording.write_text("timestamp,memory\n" + "".join(f"{at},{figure}\n" for at, figure in samples.items()))
        recordings[distributor] = str(recording)
    page.parent.mkdir(exist_ok=True)
    common = {"path": str(page), "group": GROUP, "zones": list(DISTRIBUTORS), "store": store}
    written = _module("autoscale_report", {**common, "policy": policy_dict("dns"), "recordings": recordings})
    voice.step("the report", f"{page}, {written['size']} bytes: open it in a browser")


def _figure(row: Row) -> float:
    """The table's; where any will do, what a zone could look like that has just grown, or is about to shrink."""
    if row.memory is not None:
        return row.memory
    return BETWEEN if row.phase == "cooldown" else LOW


def _ticks(distributor: str, samples: dict[str, float], store: dict[str, str]) -> list[str]:
    """A tick for every sample, with what is decided reported done at once; a line for each decision to act."""
    zone = {"group": GROUP, "zone": distributor, "policy": policy_dict(distributor), "store": store, "owner": "demo"}
    lines, nodes = [], NODES
    for minute, (at, figure) in enumerate(samples.items(), 1):
        tick = _module("autoscale_evaluate", {**zone, "node_count": nodes, "now": at, "sample": {"memory": figure}})
        decision = tick["decision"]
        if decision["action"] != "none":
            lines.append(f"T{minute}: {decision['action']} {decision['count']}, {decision['reason']}")
            nodes += {"scale_out": 1, "deprovision": -1}.get(decision["action"], 0)
            done = {"id": decision["event_id"], "outcome": "done"}
            _module("autoscale_evaluate", {**zone, "node_count": nodes, "now": at, "event": done})
    return lines


def _module(name: str, options: dict[str, Any]) -> dict[str, Any]:
    result = run_module(name, options)
    if result["failed"]:
        raise StageError(f"cloudadc.aws.{name} failed: {result.get('msg')}")
    return result
