"""The group's story: the documented example, minute by minute, for nodes behind a load balancer and behind DNS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.demo.voice import Voice
from tests.modules import run_module
from tests.stage import StageError
from tests.unit.plugins.module_utils.autoscale.story import BETWEEN, LOW, Row, iso, policy_dict, rows

ZONE = "eu-central-1a"
#: What the nodes of a group are behind, and the page about that group.
PAGES = {"nlb": "index.html", "dns": "dns.html"}
NODES = 3


def tell(folder: Path, report: Path, voice: Voice) -> None:
    """A tick a minute for two groups, their records in ``folder``; pages from records and samples in ``report``."""
    store = {"path": str(folder / "store")}
    report.mkdir(exist_ok=True)
    for distributor, name in PAGES.items():
        samples = {iso(row.minute): _figure(row) for row in rows(distributor)}
        decisions = _ticks(distributor, samples, store)
        voice.step(f"behind {distributor}", f"{len(samples)} minutes, a tick of autoscale_evaluate each", *decisions)
        recording = folder / f"{distributor}.csv"
        recording.write_text("timestamp,memory\n" + "".join(f"{at},{figure}\n" for at, figure in samples.items()))
        given = {"group": _group(distributor), "policy": policy_dict(distributor), "recordings": {ZONE: str(recording)}}
        page = report / name
        _module("autoscale_report", {**given, "path": str(page), "store": store})
        voice.step("its page", f"{page}, open it in a browser")


def _group(distributor: str) -> str:
    return f"shop-{distributor}"


def _figure(row: Row) -> float:
    """The table's; where any will do, what a zone could look like that has just grown, or is about to shrink."""
    if row.memory is not None:
        return row.memory
    return BETWEEN if row.phase == "cooldown" else LOW


def _ticks(distributor: str, samples: dict[str, float], store: dict[str, str]) -> list[str]:
    """A tick for every sample, with what is decided reported done at once; a line for each decision to act."""
    group = {"group": _group(distributor), "zone": ZONE, "policy": policy_dict(distributor)}
    zone = {**group, "store": store, "owner": "demo"}
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
