"""Starts playbooks in the engine's server, which is started with the first of them."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from coverage import Coverage

from tests.lab.settings import CHECKOUT

START_SECONDS = 180


class Playbook:
    """A playbook that runs, with the methods of a Popen that tests use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = threading.Event()

    def end(self, code: int) -> None:
        self.returncode = code
        self._ended.set()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired("ansible-playbook", timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        if self.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)


class Engine:
    """The server process of this test process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._running: dict[int, Playbook] = {}
        self._started: list[int] = []
        self._error = ""
        self._events = threading.Condition()

    def start(self, argv: Sequence[str], env: Mapping[str, str], out: Path) -> Playbook:
        request: dict[str, object] = {"argv": list(argv), "env": dict(env), "cwd": str(CHECKOUT), "out": str(out)}
        request["measured"] = Coverage.current() is not None
        with self._lock:
            process = self._server()
            assert process.stdin
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            with self._events:
                if not self._events.wait_for(
                    lambda: self._started or self._error or process.poll() is not None, START_SECONDS
                ):
                    raise TimeoutError(f"the engine's server did not answer within {START_SECONDS} s")
                if not self._started:
                    error, self._error = self._error, ""
                    raise RuntimeError(error or "the engine's server has ended")
                return self._running[self._started.pop()]

    def run(
        self, argv: Sequence[str], env: Mapping[str, str], folder: Path, *, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook to its end and return its exit code and all that it printed."""
        out = folder / "ansible-playbook.out"
        playbook = self.start(argv, env, out)
        try:
            code = playbook.wait(timeout)
        finally:
            playbook.kill()
        return subprocess.CompletedProcess(list(argv), code, out.read_text(encoding="utf-8", errors="replace"), "")

    def _server(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.engine.server"],
                cwd=CHECKOUT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            atexit.register(self._process.kill)
            threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        return self._process

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            message = json.loads(line)
            with self._events:
                if "error" in message:
                    self._error = message["error"]
                elif "code" in message:
                    self._running.pop(message["pid"]).end(message["code"])
                else:
                    self._running[message["pid"]] = Playbook(message["pid"])
                    self._started.append(message["pid"])
                self._events.notify_all()
        process.wait()
        with self._events:
            for playbook in self._running.values():
                playbook.end(-9)
            self._running.clear()
            self._events.notify_all()


ENGINE = Engine()
