"""Progress of modules: one line for all waits of a process, none for what is quick, none without a reader."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.progress import BETWEEN, FIRST, VARIABLE, Progress, line
from ansible_collections.cloudadc.aws.plugins.plugin_utils.progress import shown
from tests.lab.client import wait_for


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_lines_come_after_the_first_seconds_and_not_too_often(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file, clock = tmp_path / "progress", Clock()
    monkeypatch.setenv(VARIABLE, str(file))
    progress = Progress(clock)
    with progress.wait() as first, progress.wait() as second:
        first(lambda: "10.0.0.1: no answer", 1, 900)
        assert not file.exists()
        clock.now += FIRST
        second(lambda: "10.0.0.2: no answer", 10, 900)
        clock.now += BETWEEN - 1
        first(lambda: "10.0.0.1: no answer", 24, 900)
        assert file.read_text().splitlines() == [
            "waiting for 2: 10.0.0.1: no answer; 10.0.0.2: no answer (10 s of at most 900 s)"
        ]
    clock.now += 2
    with progress.wait() as third:
        third(lambda: "a new wait is quick, too", 0, 900)
    assert len(file.read_text().splitlines()) == 1


def test_nothing_is_written_without_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    clock = Clock()
    with Progress(clock).wait() as note:
        clock.now += 1000
        note(lambda: "nobody reads this", 1000, 900)


def test_line_names_three_waits_and_counts_the_others() -> None:
    waits = [(f"node {number}\nis silent", float(number), float("inf")) for number in range(5)]
    assert line(waits) == "waiting for 5: node 0 is silent; node 1 is silent; node 2 is silent; and 2 more (4 s)"
    assert line(waits[:1]) == "waiting: node 0 is silent (0 s)"


def test_reader_shows_each_line_once_and_leaves_no_file() -> None:
    lines: list[str] = []
    with shown(lines.append):
        path = Path(os.environ[VARIABLE])
        with path.open("a", encoding="utf-8") as file:
            file.write("wäiting 1\nwaiting 2\nhalf a li")
        wait_for(lambda: len(lines) == 2, "two lines are shown", seconds=10)
        with path.open("a", encoding="utf-8") as file:
            file.write("ne\n")
        wait_for(lambda: len(lines) == 3, "the third is shown", seconds=10)
    assert lines == ["wäiting 1", "waiting 2", "half a line"]
    assert not path.exists()
    assert VARIABLE not in os.environ
