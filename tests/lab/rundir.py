"""A lab's directory as the sign of life of the lab: a lock held as long as its process lives, and where it answers."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.lab.settings import LabError


class RunDirectory:
    """The lock says whether a lab runs here, even after a crash; ``lab.json`` says where it answers."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "lab.log"
        self._lock = directory / "lock"
        self._pid = directory / "pid"
        self._announcement = directory / "lab.json"

    def make(self) -> None:
        """Make the directory; LabError if it cannot be."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock.touch(mode=0o600)
        except OSError as error:
            raise LabError(f"the lab's directory {self.directory} cannot be used: {error.strerror}") from error

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock; LabError if a lab runs here."""
        self.make()
        with self._lock.open("r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise LabError(f"a lab runs in {self.directory} already") from error
            self._pid.write_text(f"{os.getpid()}\n")
            yield

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """One at a time: who wants to start a lab here while another is starting one waits, and finds it."""
        self.make()
        with (self.directory / "starting").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def is_held(self) -> bool:
        """Whether a lab runs (or starts, or ends) here."""
        if not self._lock.exists():
            return False
        with self._lock.open("r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
            return False

    def announce(self, whereabouts: dict[str, Any]) -> None:
        """Say where the lab answers, now that it does."""
        temporary = self._announcement.with_suffix(".new")
        temporary.write_text(json.dumps(whereabouts))
        temporary.replace(self._announcement)

    def read(self) -> dict[str, Any] | None:
        """Where the lab said that it answers, or None."""
        try:
            found: dict[str, Any] = json.loads(self._announcement.read_text())
        except (OSError, ValueError):
            return None
        return found

    def process(self) -> psutil.Process | None:
        """The lab's process; None if there is none, or if its id belongs to something else by now."""
        try:
            process = psutil.Process(int(self._pid.read_text()))
            command = process.cmdline()
        except (OSError, ValueError, psutil.Error):
            return None
        return process if is_lab(command, self.directory) else None

    def forget(self) -> None:
        """After the end: nothing here names a process any more."""
        self._pid.unlink(missing_ok=True)
        self.clear()

    def clear(self) -> None:
        """Remove what would be untrue of a lab that does not run. The logs stay."""
        for path in (self._announcement, self.directory / "env", *self.directory.glob("vars/*.yml")):
            path.unlink(missing_ok=True)


def command_line(python: str, directory: Path) -> list[str]:
    """How a lab is started, and recognised."""
    return [python, "-m", "tests.lab", "serve", "--directory", str(directory)]


def is_lab(command: list[str], directory: Path) -> bool:
    return command[1:] == command_line("", directory)[1:]
