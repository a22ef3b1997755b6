"""A running lab in the hands of a test: its control interface, its call log, boto3 against it, its environment."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3
import requests
import yaml

from tests.lab.settings import CHECKOUT

T = TypeVar("T")


class LabRefused(Exception):
    """The control interface said no; the message is its sentence."""


@dataclass(frozen=True, slots=True)
class Call:
    """One line of calls.jsonl. ``fault``: what was done to the call, None if nothing.

    ``needs``: the actions that it needs in IAM, as "ec2:RunInstances", its own first; of AWS only.
    """

    t: float
    side: str
    op: str
    status: int
    ms: float
    write: bool
    address: str | None = None
    fault: str | None = None
    needs: tuple[str, ...] = ()


class LabClient:
    """Made from a lab's directory, which tells the rest."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.env = read_environment(directory / "env")
        self.url = self.env["LAB_URL"]
        self.nitro_port = int(self.env["LAB_NITRO_PORT"])
        self.adm_url = self.env["LAB_ADM_URL"]
        self.ca_path = self.env["LAB_CA"]
        self._http = requests.Session()
        self._http.trust_env = False
        self._session = boto3.session.Session(
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            region_name=self.env["AWS_REGION"],
        )

    def state(self) -> dict[str, Any]:
        return self._ask("GET", "state")

    def reset(self) -> None:
        """An empty region, seeded anew; no faults, no latency, default settings, an empty call log."""
        self._ask("POST", "reset")

    def keep(self, name: str) -> None:
        """Remember the whole region under a name."""
        self._ask("POST", "keep", {"name": name})

    def keep_each(self, name: str) -> None:
        """Remember it after each write from now on, the n-th as ``<name>/<n>``, until faults are set again."""
        self.faults(keep=name)

    def restore(self, name: str) -> None:
        """Put the region back to what ``keep`` remembered; no faults, no latency, an empty call log."""
        self._ask("POST", "restore", {"name": name})

    def latency(self, **seconds: float) -> None:
        """``latency(aws=0.15, nitro=0.05)``; a side not named keeps its own."""
        self._ask("POST", "latency", seconds)

    def pace(self, factor: float) -> None:
        self._ask("POST", "pace", {"factor": factor})

    def load(self, **selector_and_figures: Any) -> list[str]:
        """``load(zone="eu-central-1a", cpu=93)``; returns the instances it applied to."""
        found: list[str] = self._ask("POST", "load", selector_and_figures)["instances"]
        return found

    def power(self, instance_id: str, on: bool) -> None:
        self._ask("POST", "power", {"instance_id": instance_id, "on": on})

    def backend(self, name: str, up: bool) -> None:
        """Start or end one of the lab's own web servers."""
        self._ask("POST", "backends", {"name": name, "up": up})

    def faults(self, **plan: Any) -> None:
        """``faults(aws={"throttle": 0.2}, seed=1)``; without arguments: none. Sets the count of writes to 0."""
        self._ask("POST", "faults", plan)

    def settings(self, **sides: Any) -> None:
        """``settings(nitro={"ha_licensed": False}, aws={"eip_quota": 1})``; a reset puts the defaults back."""
        self._ask("POST", "settings", sides)

    def kill_at(self, number: int, pid: int, when: str = "before") -> None:
        """SIGKILL ``pid`` and its descendants at the number-th write from now on."""
        self.faults(kill_at=number, pid=pid, when=when)

    def hold(self, op: str, **more: Any) -> None:
        """Hold calls of this operation from now on: ``hold("AssociateAddress", seconds=15, then="drop")``."""
        self.faults(hold={"op": op, **more})

    def held(self, op: str) -> bool:
        """Whether a call of this operation is held now."""
        return op in self.state()["held"]

    def release(self) -> None:
        """Let the calls go on that are held now."""
        self._ask("POST", "release", {})

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """Any control request, such as ``post("faults", {...})``; LabRefused if the lab says no."""
        return self._ask("POST", path, body)

    def calls(self, since: float = 0.0, side: str | None = None) -> list[Call]:
        """The calls that arrived at or after ``since`` (seconds since the epoch), in the order of their completion."""
        with (self.directory / "calls.jsonl").open(encoding="utf-8") as lines:
            found = [_call(json.loads(line)) for line in lines]
        return [call for call in found if call.t >= since and side in (None, call.side)]

    def writes(self, since: float = 0.0, side: str | None = None) -> list[Call]:
        """The writes among the calls."""
        return [call for call in self.calls(since, side) if call.write]

    def boto(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self.env["AWS_ENDPOINT_URL"])

    def environment(self, **more: str) -> dict[str, str]:
        """This process's environment with the lab's exports in it, for a child process."""
        return {**os.environ, **self.env, **more}

    def variables(self, name: str) -> dict[str, Any]:
        """The variables in ``vars/<name>.yml``."""
        found: dict[str, Any] = yaml.safe_load(self.variables_path(name).read_text())
        return found

    def variables_path(self, name: str) -> Path:
        return self.directory / "vars" / f"{name}.yml"

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self._http.request(method, f"{self.url}/lab/{path}", json=body, timeout=60)
        found: dict[str, Any] = answer.json()
        if not answer.ok:
            raise LabRefused(found.get("error", answer.text))
        return found


def _call(line: dict[str, Any]) -> Call:
    return Call(**{**line, "needs": tuple(line.get("needs", ()))})


def read_environment(path: Path) -> dict[str, str]:
    """The exports in a lab's ``env`` file."""
    words = shlex.split(path.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words if word != "export")


def command(name: str, directory: Path, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """``python -m tests.lab <name>`` for this directory; its output is captured, its status not judged."""
    return subprocess.run(
        [sys.executable, "-m", "tests.lab", name],
        cwd=CHECKOUT,
        env={**os.environ, **(environ or {}), "LAB_DIR": str(directory)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def running(directory: Path, environ: Mapping[str, str] | None = None) -> Iterator[LabClient]:
    """A lab of its own in ``directory``, ended afterwards."""
    started = command("up", directory, environ)
    if started.returncode != 0:
        raise RuntimeError(f"the lab did not start: {started.stderr}")
    try:
        yield LabClient(directory)
    finally:
        ended = command("down", directory, environ)
        if ended.returncode != 0:
            raise RuntimeError(f"the lab did not end: {ended.stderr}")


def wait_for(observation: Callable[[], T | None], what: str, *, seconds: float = 10.0, pause: float = 0.02) -> T:
    """The first true answer of ``observation``; AssertionError naming ``what`` if there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = observation()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise AssertionError(f"after {seconds:g} s still not so: {what} (last answer: {found!r})")
        time.sleep(pause)
