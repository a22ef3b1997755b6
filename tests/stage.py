"""A lab of one's own with playbooks on it: what the demo, the chaos runs and the stories share."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[1]
_EXPORT = re.compile(r"^export (\w+)=(.*)$", re.MULTILINE)
_LOG_LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) p=\d+ u=\S+ n=ansible \S* ?\| ?(.*)$")


class StageError(Exception):
    """A sentence for the person who started this."""


@dataclass(frozen=True, slots=True)
class Run:
    """A playbook that has ended: its exit code, where all it said is, and when its first task began (epoch seconds)."""

    playbook: str
    code: int
    log: Path
    first_task_at: float
    seconds: float

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def recap(self) -> dict[str, int]:
        """The counts of the last PLAY RECAP."""
        lines = [line for line in self.text().splitlines() if re.search(r"\bok=\d+", line)]
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", lines[-1])} if lines else {}


class Stage:
    """One running lab and the environment in which playbooks, boto3 and the traffic generator find it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.where: dict[str, Any] = json.loads((directory / "lab.json").read_text())
        self._runs = 0

    # ------------------------------------------------------------------ the lab

    def control(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """GET (no body) or POST on the lab's own interface."""
        request = urllib.request.Request(
            f"{self.where['url']}/lab/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def state(self) -> dict[str, Any]:
        return self.control("state")

    def calls(self) -> list[dict[str, Any]]:
        """Every AWS and NITRO call since the last reset."""
        text = (self.directory / "calls.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines() if line.strip()]

    def writes(self) -> list[dict[str, Any]]:
        return [call for call in self.calls() if call["write"]]

    def environment(self) -> dict[str, str]:
        import shlex

        exports = _EXPORT.findall((self.directory / "env").read_text())
        return {**os.environ, **{name: shlex.split(value)[0] if value else "" for name, value in exports}}

    def variables(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load((self.directory / "vars" / "ha_pair.yml").read_text())
        return found

    def boto(self, service: str) -> Any:
        import boto3

        exports = self.environment()
        return boto3.client(
            service,
            endpoint_url=exports["AWS_ENDPOINT_URL"],
            region_name=exports["AWS_REGION"],
            aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
        )

    # ------------------------------------------------------------------ playbooks

    def start(self, playbook: str, extra: Sequence[str] = ()) -> tuple[subprocess.Popen[bytes], Path]:
        """``ansible-playbook cloudadc.aws.<playbook>`` with the lab's variables, in the background; its log."""
        self._runs += 1
        log = self.directory / f"run-{self._runs:03d}-{playbook}.log"
        command = [
            str(Path(sys.executable).parent / "ansible-playbook"),
            f"cloudadc.aws.{playbook}",
            "-e",
            f"@{self.directory / 'vars' / 'ha_pair.yml'}",
            *extra,
        ]
        settings = {
            "ANSIBLE_LOG_PATH": str(log),
            "ANSIBLE_HOME": str(self.directory / "ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_RETRY_FILES_ENABLED": "0",
        }
        with Path(f"{log}.out").open("wb") as out:
            process = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                env=self.environment() | settings,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        return process, log

    def play(self, playbook: str, *extra: str, must_succeed: bool = True) -> Run:
        """Run a playbook to its end. StageError, with what it said last, if it fails and must not."""
        started = time.time()
        process, log = self.start(playbook, extra)
        try:
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        out = Path(f"{log}.out")
        if not log.exists():
            log.write_bytes(out.read_bytes())
        run = Run(playbook, code, log, first_task_at(log) or started, time.time() - started)
        if must_succeed and code:
            tail = "\n".join(out.read_text(errors="replace").splitlines()[-25:])
            raise StageError(f"cloudadc.aws.{playbook} failed (exit code {code}); all it said is in {log}\n{tail}")
        return run


def first_task_at(log: Path) -> float | None:
    """When the first task of a run began, in seconds since the epoch, from Ansible's own log."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []:
        match = _LOG_LINE.match(line)
        if match and match[2].startswith("TASK ["):
            return datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f").timestamp()
    return None


@contextlib.contextmanager
def lab(directory: Path, pace: float = 1.0) -> Iterator[Stage]:
    """A lab in this directory, ended whatever happens."""
    directory.mkdir(parents=True, exist_ok=True)
    settings = {**os.environ, "LAB_DIR": str(directory), "LAB_PACE": str(pace)}
    command = [sys.executable, "-m", "tests.lab"]
    try:
        up = subprocess.run([*command, "up"], cwd=CHECKOUT, env=settings, capture_output=True, text=True, check=False)
        if up.returncode:
            raise StageError(f"the lab did not start: {up.stderr.strip()}")
        yield Stage(directory)
    finally:
        subprocess.run([*command, "down"], cwd=CHECKOUT, env=settings, capture_output=True, check=False)
