"""A module returns the same from the process of its task as from an interpreter of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab.settings import CHECKOUT

PLAYBOOK = Path(__file__).parent / "in_process.yml"
SECRET = "not-this"  # in the playbook
ANSIBLE = str(Path(sys.executable).parent / "ansible-playbook")


class Played:
    """What the playbook's modules returned, and how Ansible started them."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        folder.mkdir()
        command = [ANSIBLE, "-vvv", str(PLAYBOOK), "-e", f"folder={folder}", *arguments]
        run = subprocess.run(
            command, cwd=CHECKOUT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout
        self.printed = run.stdout + run.stderr
        self.started = len(re.findall("Using module file .*/cloudadc/aws/", run.stdout))
        self.evaluated, self.refused, self.unknown = json.loads((folder / "results.json").read_text())


@pytest.fixture(scope="module")
def in_process(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("in-process") / "played")


def result(of: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from run to run."""
    varying = ("exception", "invocation", "module_stderr", "module_stdout")
    return {name: value for name, value in of.items() if name not in varying}


def test_no_interpreter_is_started(in_process: Played) -> None:
    assert in_process.started == 0


def test_results_warnings_and_errors_are_those_of_a_started_module(in_process: Played, tmp_path: Path) -> None:
    started = Played(tmp_path / "played", ANSIBLE_KEEP_REMOTE_FILES="1")
    assert started.started >= 4
    for one, other in zip(in_process.evaluated, started.evaluated, strict=True):
        assert result(one) == result(other)
    assert result(in_process.unknown) == result(started.unknown)
    assert result(in_process.refused) == result(started.refused)


def test_warnings_are_printed_once(in_process: Played) -> None:
    assert in_process.printed.count("[WARNING]: shop a: ") == 1


def test_environment_of_a_task_reaches_the_module(in_process: Played) -> None:
    assert "127.0.0.1:9" in in_process.refused["msg"]


def test_secrets_are_not_printed(in_process: Played) -> None:
    assert SECRET not in in_process.printed


def test_another_interpreter_is_started_where_the_user_names_one(tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.symlink_to(os.path.realpath(sys.executable))
    assert Played(tmp_path / "played", "-e", f"ansible_python_interpreter={other}").started >= 4
