"""A year of one-minute samples through a replay, against only reading the same file.

Prints processor seconds and their ratio, both of this run on this machine; gates nothing.
"""

from __future__ import annotations

import csv
import math
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.recordings.reading import read_recording
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.replay import replay
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.policy import Policy

MINUTES = 365 * 24 * 60
POLICY = {
    "metrics": {"cpu": {"min": 20, "max": 80}, "memory": {"min": 40, "max": 85}},
    "watch_time": 3,
    "cooldown": 10,
    "drain_timeout": 10,
    "distributor": "nlb",
    "min_nodes": 2,
    "max_nodes": 8,
}


def write(path: Path) -> None:
    """Days with a noon and a night, and a little noise."""
    with open(path, "w", encoding="utf-8") as out:
        out.write("timestamp,cpu,memory\n")
        for minute in range(MINUTES):
            day = math.sin(minute / 1440 * 2 * math.pi)
            cpu, memory = 52 + 40 * day + minute % 7, 55 + 25 * day + minute % 5
            at = datetime.fromtimestamp(1735689600 + 60 * minute, UTC)
            out.write(f"{at:%Y-%m-%dT%H:%M:%SZ},{cpu:.2f},{memory:.2f}\n")


def read_only(path: Path) -> int:
    with open(path, encoding="utf-8", newline="") as stream:
        table = csv.reader(stream)
        next(table)
        return sum(1 for row in table if datetime.fromisoformat(row[0]) and float(row[1]) + float(row[2]))


def replayed(path: Path) -> int:
    with open(path, encoding="utf-8", newline="") as stream:
        return int(replay({"a": Policy.from_dict(POLICY)}, read_recording(stream))["results"][0]["scale_outs"])


def seconds(work: Callable[[Path], int], path: Path) -> float:
    """The best of three."""
    best = math.inf
    for _turn in range(3):
        begun = time.process_time()
        work(path)
        best = min(best, time.process_time() - begun)
    return best


def test_a_year_of_minutes(tmp_path: Path) -> None:
    path = tmp_path / "year.csv"
    write(path)
    plain, whole, growths = seconds(read_only, path), seconds(replayed, path), replayed(path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\nreplay of {MINUTES} samples with {growths} growths: {whole:.2f} s of processor, peak memory {peak} MB")
    print(f"reading the file alone: {plain:.2f} s; ratio {whole / plain:.1f}; {whole / MINUTES * 1e6:.2f} µs a sample")
    assert growths > 300
