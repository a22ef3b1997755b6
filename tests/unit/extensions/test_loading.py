"""Sources find their collection where ansible-rulebook runs: collections are no Python packages there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.settings import CHECKOUT

START = """
import asyncio, runpy, sys
try:
    asyncio.run(runpy.run_path(sys.argv[1])["main"](asyncio.Queue(1), {"group": ""}))
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize("name", ["ha_watch", "autoscale_ticks"])
def test_without_a_python_path(name: str, tmp_path: Path) -> None:
    """The file is started by its path, twice in one process as with two sources; Ansible's own loader does the rest."""
    home = tmp_path / "ansible_collections" / "cloudadc"
    home.mkdir(parents=True)
    (home / "aws").symlink_to(CHECKOUT)
    environ = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "ANSIBLE_COLLECTIONS_PATH")}
    source = home / "aws" / "extensions" / "eda" / "plugins" / "event_source" / f"{name}.py"
    ran = subprocess.run(
        [sys.executable, "-c", START + START, str(source)],
        cwd=tmp_path,
        env={**environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.stdout.splitlines() == ["SettingsError: group is needed"] * 2, ran.stderr
    assert ran.stderr == ""
