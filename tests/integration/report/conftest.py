"""Pages to look at, and a browser to look with."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.settings import CHECKOUT
from tests.modules import run_module
from tests.unit.plugins.module_utils.reconcile.test_status import whole
from tests.unit.plugins.module_utils.report.scenarios import NASTY, SECOND, ZONE, driven, write_csv, write_records
from tests.unit.plugins.module_utils.scaling.scenario import policy_dict

from .browser import Browser, running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = subprocess.run(
        ["bash", str(CHECKOUT / "tests" / "gates" / "browser.sh")], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    with running(found.stdout.split()[-1]) as page:
        yield page


@pytest.fixture(scope="session")
def group_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario T1 to T33 in one zone, with the samples of all its minutes, and a failed event in a second zone."""
    folder = tmp_path_factory.mktemp("group")
    samples = write_records(folder / "store")
    options = {
        "path": str(folder / "page.html"),
        "group": NASTY,
        "store": {"path": str(folder / "store")},
        "policy": policy_dict("dns"),
        "recordings": {
            ZONE: str(write_csv(folder / "samples.csv", samples)),
            SECOND: str(write_csv(folder / "others.csv", samples[:12])),
        },
    }
    result = run_module("autoscale_report", options)
    assert result["changed"], result
    return folder / "page.html"


@pytest.fixture(scope="session")
def pair_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a pair whose address is on the other node, and with a move that ha_watch kept."""
    path = tmp_path_factory.mktemp("pair") / "page.html"
    status = {**whole(), "groups": []}
    result = run_module("vpx_status_report", {"path": str(path), "status": status})
    assert (result["failed"], result["changed"]) == (False, True), result
    assert not run_module("vpx_status_report", {"path": str(path), "status": status})["changed"]
    return path


@pytest.fixture(scope="session")
def replay_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two policies over the same day."""
    folder = tmp_path_factory.mktemp("replay")
    policies = {"calm": policy_dict(), "eager": policy_dict(watch_time=2, cooldown=5)}
    recording = write_csv(folder / "day.csv", driven(1440))
    result = run_module(
        "autoscale_report", {"path": str(folder / "page.html"), "recording": str(recording), "policies": policies}
    )
    assert result["changed"], result
    return folder / "page.html"
