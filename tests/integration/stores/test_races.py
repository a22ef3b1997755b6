"""Many processes tick one group at once and some are killed: one breach stays one event."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.stores import Options
from tests.modules import run_module

POLICY = {
    "metrics": {"memory": {"min": 40, "max": 85}},
    "watch_time": 3,
    "cooldown": 10,
    "drain_timeout": 10,
    "distributor": "nlb",
    "min_nodes": 2,
    "max_nodes": 6,
}
LEASE_SECONDS = 1.0


def tick(options: Options, group: str, minute: int, **more: Any) -> dict[str, Any]:
    result = run_module(
        "autoscale_evaluate",
        {
            "group": group,
            "zone": "a",
            "policy": POLICY,
            "node_count": 3,
            "sample": {"memory": 91.2},
            "now": f"2026-03-01T10:{minute:02d}:00Z",
            "lease_seconds": LEASE_SECONDS,
            "claim_seconds": LEASE_SECONDS,
            **options,
            **more,
        },
    )
    assert not result["failed"], result
    return result


def in_a_process(work: Callable[[], dict[str, Any]], out: Path, gate: Any) -> multiprocessing.process.BaseProcess:
    """Start ``work`` in a process of its own, at the gate with the others; what it answers goes to a file."""

    def run() -> None:
        gate.wait()
        draft = out.with_suffix(".draft")
        draft.write_text(json.dumps(work()))
        draft.rename(out)
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    return process


def eventually(options: Options, group: str, minute: int) -> dict[str, Any]:
    """Tick until the lease is free; a killed holder keeps it for LEASE_SECONDS."""
    deadline = time.monotonic() + LEASE_SECONDS + 5
    while True:
        result = tick(options, group, minute)
        if "has the lease" not in result["decision"]["reason"]:
            return result
        assert time.monotonic() < deadline, result
        time.sleep(0.05)


@pytest.mark.parametrize("seed", range(4))
def test_one_breach_is_one_event_with_any_process_killed(options: Options, tmp_path: Path, seed: int) -> None:
    rng, group = random.Random(seed), f"shop {seed}"
    tick(options, group, 1)
    tick(options, group, 2)
    context = multiprocessing.get_context("fork")
    clients, selected = 6, 3
    gate = context.Barrier(clients + 1)
    answers = [tmp_path / f"answer-{number}" for number in range(clients)]
    processes = [in_a_process(lambda: tick(options, group, 3), answer, gate) for answer in answers]
    gate.wait()
    for process in processes[:selected]:
        time.sleep(rng.uniform(0, 0.02))
        assert process.pid is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    for process in processes:
        process.join(60)
        assert process.exitcode in (0, -signal.SIGKILL)
    survivors = [json.loads(answer.read_text()) for answer in answers if answer.exists()]
    assert len(survivors) >= clients - selected
    last = eventually(options, group, 3)
    acting = [each["decision"]["event_id"] for each in [*survivors, last] if each["decision"]["action"] != "none"]
    info = run_module("autoscale_info", {"group": group, "zone": "a", **options})["record"]
    assert info["event"]["id"].startswith("adc-20260301T100300Z-1-")  # the first, and so far the only one
    assert set(acting) <= {info["event"]["id"]}
    assert len(acting) <= 1
    assert (info["history"], info["phase"]) == ([], "scaling_out")
    # The owner is gone: another run takes the event over once the claim has expired, and ends it.
    resumed = tick(options, group, 4)["decision"]
    assert (resumed["action"], resumed["event_id"]) == ("scale_out", info["event"]["id"])
    message = {"id": resumed["event_id"], "takeover": resumed["takeover"], "outcome": "done"}
    done = tick(options, group, 4, sample=None, event=message)
    assert (done["reported"], done["phase"]) == (True, "cooldown")


def test_a_report_is_not_lost_among_many_ticks(options: Options, tmp_path: Path) -> None:
    """The event is reported done while others tick: the report waits for its turn."""
    for minute in (1, 2):
        tick(options, "shop", minute)
    event = tick(options, "shop", 3)["decision"]["event_id"]
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(4)

    def clients() -> dict[str, Any]:
        for _turn in range(10):
            result = tick(options, "shop", 3)
        return result

    def reporter() -> dict[str, Any]:
        return tick(options, "shop", 3, sample=None, event={"id": event, "outcome": "done"})

    works = [clients, clients, reporter]
    processes = [in_a_process(work, tmp_path / f"{number}", gate) for number, work in enumerate(works)]
    gate.wait()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    assert json.loads((tmp_path / "2").read_text())["reported"] is True
    assert tick(options, "shop", 4)["phase"] == "cooldown"
