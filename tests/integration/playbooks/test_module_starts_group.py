"""How many module payloads the playbooks of a group start on each host: a start costs about a second."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.client import LabClient
from tests.stage import Stage

CALLBACKS = Path(__file__).parents[2] / "callback_starts"
PACE = 300
VARIABLES = "autoscale_nlb"


class Counting:
    """Plays playbooks of a group and returns the modules that each host started."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.stage, self.path = Stage(lab, quick=True), folder / "starts.json"
        self.stage.environment = {
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "module_starts",
            "MODULE_STARTS_PATH": str(self.path),
        }

    def __call__(self, playbook: str, **values: Any) -> dict[str, list[str]]:
        self.path.unlink(missing_ok=True)
        given = ["-e", json.dumps(values)] if values else []
        self.stage.play(playbook, *given, variables=VARIABLES)
        found: dict[str, list[str]] = json.loads(self.path.read_text())
        return found


@pytest.fixture(scope="module")
def starts(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    lab.reset()
    lab.pace(PACE)
    yield Counting(lab, tmp_path_factory.mktemp("starts"))
    lab.reset()


def within(found: dict[str, list[str]], shared: int, zone: int) -> None:
    assert set(found) == {"localhost", "lab-group-nlb@eu-central-1a", "lab-group-nlb@eu-central-1b"}
    for host, modules in found.items():
        assert len(modules) <= (shared if host == "localhost" else zone), (host, modules)


@pytest.mark.timeout(900)
def test_group_stays_within_its_budget_of_module_starts(starts: Counting) -> None:
    """One scenario on one , because building it takes most of the time."""
    within(starts("autoscale_group"), shared=8, zone=10)

    writes = len(starts.stage.lab.writes())
    within(starts("autoscale_group"), shared=5, zone=6)
    assert starts.stage.lab.writes()[writes:] == []

    removed = starts("autoscale_group", autoscale_group_state="absent", autoscale_group_zones=[])
    assert len(removed["localhost"]) <= 8, removed
