"""Playbooks on a lab: what the demo, the chaos runs and the molecule scenarios share."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.engine.client import ENGINE, Playbook
from tests.lab.client import LabClient
from tests.lab.settings import CHECKOUT

_LOG_LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) .*?\| (.*)$")
VARIABLES = "ha_pair"


class StageError(Exception):
    """A sentence for the person who started this."""


@dataclass(frozen=True, slots=True)
class Run:
    """A playbook that has ended: exit code, where all it said is, epoch seconds of its start, first task and end."""

    playbook: str
    code: int
    log: Path
    started: float
    first_task_at: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.started

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def seconds_in(self, task: str) -> float:
        """How long it was in the first task whose name ends so."""
        tasks = [*tasks_of(self.log), (self.ended, "")]
        at = next(number for number, (_when, name) in enumerate(tasks) if name.endswith(task))
        return tasks[at + 1][0] - tasks[at][0]

    def changed(self) -> int:
        """How many tasks changed something, by the last PLAY RECAP."""
        counts = re.findall(r"\bok=\d+\s+changed=(\d+)", self.text())
        if not counts:
            raise StageError(f"{self.log} has no PLAY RECAP")
        return int(counts[-1])


class Stage:
    """Starts playbooks of the collection against a running lab, with one of its files of variables.

    ``environment``: variables of the environment besides the lab's exports, such as another access key.
    ``quick``: call modules in the task's process (see ``tests.engine``); else as ``ansible-playbook`` does it.
    """

    def __init__(self, lab: LabClient, *, quick: bool = False) -> None:
        self.lab = lab
        self.quick = quick
        self.environment: dict[str, str] = {}
        self._runs = 0

    def start(
        self, playbook: str, *extra: str, variables: str = VARIABLES, quick: bool | None = None
    ) -> tuple[subprocess.Popen[bytes] | Playbook, Path]:
        """Start the playbook cloudadc.aws.<playbook> in the background. Returns it and the file of its output.

        ``variables``: the lab's file of this name, without its ending.
        """
        self._runs += 1
        log = self.lab.directory / f"run-{self._runs:03d}-{playbook}.log"
        log.unlink(missing_ok=True)  # Ansible appends to that of an earlier stage in this directory
        arguments = [f"cloudadc.aws.{playbook}", "-e", f"@{self.lab.variables_path(variables)}", *extra]
        settings = {
            "ANSIBLE_LOG_PATH": str(log),
            "ANSIBLE_HOME": str(self.lab.directory / "ansible"),
            "ANSIBLE_ASYNC_DIR": str(self.lab.directory / "ansible" / "async"),
            "ANSIBLE_NOCOLOR": "1",
        }
        environment = self.lab.environment(**settings, **self.environment)
        if self.quick if quick is None else quick:
            return ENGINE.start(arguments, environment, _out(log)), log
        with _out(log).open("wb") as out:
            process = subprocess.Popen(
                [str(Path(sys.executable).parent / "ansible-playbook"), *arguments],
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        return process, log

    def play(self, playbook: str, *extra: str, variables: str = VARIABLES, must_succeed: bool = True) -> Run:
        """Run a playbook to its end. StageError, with what it said last, if it fails and must not."""
        started = time.time()
        process, log = self.start(playbook, *extra, variables=variables)
        try:
            code = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if not log.exists():
            log.write_bytes(_out(log).read_bytes())
        first_task_at = next((when for when, _name in tasks_of(log)), started)
        run = Run(playbook, code, log, started, first_task_at, time.time())
        if must_succeed and code:
            message = _out(log).read_text(errors="replace").splitlines()
            tail = "\n".join(message[-25:])
            raise StageError(f"cloudadc.aws.{playbook} failed (exit code {code}); all it said is in {log}\n{tail}")
        return run


def variables(**values: object) -> Sequence[str]:
    """Arguments of ansible-playbook that set variables."""
    return [word for name, value in values.items() for word in ("-e", f"{name}={value}")]


def tasks_of(log: Path) -> list[tuple[float, str]]:
    """When each task began, in seconds since the epoch, and its name, from Ansible's own log."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    found = (match for line in lines if (match := _LOG_LINE.match(line)) and match[2].startswith("TASK ["))
    return [
        (datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f").timestamp(), match[2].rstrip("* ")[6:-1])
        for match in found
    ]


def _out(log: Path) -> Path:
    return log.with_suffix(".out")
