"""What docs/autoscaling.md shows is what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import evaluate
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Phase, Record

from .scenario import minute, policy, rows

PAGE = (Path(__file__).parents[5] / "docs" / "autoscaling.md").read_text(encoding="utf-8")


def test_the_record_shown_is_the_one_that_the_example_makes() -> None:
    (shown,) = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.S) if '"sequence"' in block)
    record = Record("shop", "eu-central-1a")
    for at in (4, 5, 6):
        record, _ignored = evaluate(policy(), record, {"memory": 91.2}, 2, minute(at), owner="job 4711")
    made = record.to_json()
    assert {**made, "event": {**made["event"], "id": shown["event"]["id"]}} == shown
    assert Record.from_json(shown).event is not None


def test_the_diagram_names_every_phase() -> None:
    diagram = re.search(r"```mermaid\n(.*?)```", PAGE, re.S)
    assert diagram
    assert all(phase.value in diagram[1] for phase in Phase)


@pytest.mark.parametrize(("distributor", "column"), [("nlb", 3), ("dns", 4)])
def test_the_table_is_the_example(distributor: str, column: int) -> None:
    lines = [line for line in PAGE.splitlines() if re.match(r"\| T\d", line)]
    shown: dict[int, str] = {}
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        numbers = [int(each) for each in re.findall(r"T(\d+)", cells[0])]
        many = range(numbers[0], numbers[-1] + 1)
        text = cells[3] if cells[column] == "same" or not cells[column] else cells[column]
        shown.update(dict.fromkeys(many, text))
    for row in rows(distributor):
        assert row.phase in shown[row.minute], row
        acting = re.search(r"\*\*`(\w+)`\*\*", shown[row.minute])
        assert (acting[1] if acting else "none") == row.action
