"""How many module payloads a playbook starts: a start costs about a second, whatever the module does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.client import LabClient
from tests.stage import Stage

CALLBACKS = Path(__file__).parents[2] / "callback_starts"
PACE = 300


class Counting:
    """Plays playbooks and tells which modules each started on its host."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.stage, self.path = Stage(lab, quick=True), folder / "starts.json"
        self.stage.environment = {
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "module_starts",
            "MODULE_STARTS_PATH": str(self.path),
        }

    def __call__(self, playbook: str, *extra: str) -> list[str]:
        self.path.unlink(missing_ok=True)
        self.stage.play(playbook, *extra)
        starts = json.loads(self.path.read_text())
        assert set(starts) == {"localhost"}
        return [name.removeprefix("cloudadc.aws.") for name in starts["localhost"]]


@pytest.fixture(scope="module")
def starts(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    lab.reset()
    lab.pace(PACE)
    yield Counting(lab, tmp_path_factory.mktemp("starts"))
    lab.reset()


@pytest.mark.timeout(900)
def test_pair_stays_within_its_budget_of_module_starts(starts: Counting) -> None:
    """One scenario on one , because building it takes most of the time."""
    built = starts("ha_pair")
    assert len(built) <= 14, built
    assert built[0] == "vpx_pair_info"

    writes = len(starts.stage.lab.writes())
    again = starts("ha_pair")
    assert len(again) <= 8, again
    assert starts.stage.lab.writes()[writes:] == []

    assert starts("ha_failover") == ["vpx_ha_failover"]
    assert starts("ha_failover", "-e", "ha_failover_mode=reconcile") == ["vpx_ha_reconcile"]

    removed = starts("ha_pair", "-e", "ha_pair_state=absent")
    assert removed == ["vpx_ha_remove_routes", "vpx_instance", "vpx_shared_resources"]
