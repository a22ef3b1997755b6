"""How many module payloads a tick starts: idle zones cost nothing, and each step of a scale-in is one task."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.group_flows import ZONE, Kind, built
from tests.lab.client import LabClient
from tests.stage import Stage

from .groups import OTHER_ZONE, Group

pytestmark = pytest.mark.long

CALLBACKS = Path(__file__).parents[2] / "callback_starts"
KIND = Kind("nlb", "independent")
T0 = "2026-03-01T11"


class Counting:
    """Plays playbooks on a group and tells which modules each started, by host."""

    def __init__(self, group: Group, path: Path) -> None:
        self.group, self.path = group, path
        group.stage.environment = {
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "module_starts",
            "MODULE_STARTS_PATH": str(path),
        }

    def __call__(self, playbook: str, minute: int, **values: Any) -> dict[str, list[str]]:
        self.path.unlink(missing_ok=True)
        run = self.group.play(playbook, autoscale_now=f"{T0}:{minute:02}:00Z", **values)
        assert run.code == 0, run.message
        found: dict[str, list[str]] = json.loads(self.path.read_text())
        return {host: [name.removeprefix("cloudadc.aws.") for name in names] for host, names in found.items()}


@pytest.fixture
def starts(lab: LabClient, tmp_path: Path) -> Iterator[Counting]:
    group = Group(Stage(lab, quick=True), KIND)
    group.begin(built(KIND))
    yield Counting(group, tmp_path / "starts.json")
    group.stage.environment = {}


@pytest.mark.timeout(3000)
def test_a_tick_stays_within_its_budget_of_module_starts(starts: Counting) -> None:
    """One scenario on one , because building it takes most of the time."""
    idle = starts("autoscale", 0)
    assert idle == {"localhost": ["autoscale_tick"]}, "two zones, followed Auto Scaling groups included"

    host = f"{KIND.group}@{ZONE}"
    grown = starts("scale_out", 1, scale_out_zone=ZONE)
    assert len(grown["localhost"]) <= 13, grown  # a tick, a scale-out (11) and a report
    assert starts.group.lifecycles() == {"in_service": 2}

    begun = starts("scale_in", 20, scale_in_zone=ZONE)
    assert begun["localhost"] == ["autoscale_tick", "autoscale_candidates", "nlb_adc_target", "autoscale_tick"]
    assert starts.group.lifecycles() == {"in_service": 1, "draining": 1}

    finished = starts("autoscale", 31)
    assert finished["localhost"] == ["autoscale_tick"]
    assert finished[host] == ["autoscale_candidates", "nlb_adc_target", "adm_device", "vpx_instance", "autoscale_tick"]
    assert f"{KIND.group}@{OTHER_ZONE}" not in finished, "a zone that has nothing to do is no host"
    assert starts.group.lifecycles() == {"in_service": 1}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("values", [{"autoscale_zones": ["eu-central-1z"]}, {"autoscale_zone": "eu-central-1z"}])
def test_a_zone_that_does_not_exist_fails_the_tick_and_leaves_no_record(lab: LabClient, values: dict[str, Any]) -> None:
    group = Group(Stage(lab, quick=True), KIND)
    group.begin(built(KIND))
    run = group.play("autoscale", **values)
    assert run.code != 0
    assert "names eu-central-1z, which autoscale_group_zones does not" in run.message
    assert run.calls == ()
