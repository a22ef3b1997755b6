"""The commands that start and end a lab. Options come from the environment: see ``settings``."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from tests import botocore_data
from tests.lab import settings as lab_settings
from tests.lab.rundir import RunDirectory, command_line
from tests.lab.settings import CHECKOUT, LabError, Settings

START_SECONDS = 90.0
END_SECONDS = 10.0
LOG_TAIL_LINES = 25


def main(arguments: Sequence[str]) -> int:
    """Carry out one command; 0 if what it promises is now true, else 1 and a sentence on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab", description="An AWS region with VPX appliances in it, here."
    )
    parser.add_argument("command", choices=["up", "down", "serve", "status"])
    parser.add_argument(
        "--directory", type=Path, help="where the lab keeps its files (default: LAB_DIR, or .lab in the checkout)"
    )
    options = parser.parse_args(arguments)
    commands = {"up": up, "down": down, "serve": serve, "status": status}
    try:
        settings = lab_settings.read(os.environ)
        if options.directory:
            settings = replace(settings, directory=options.directory.absolute())
        commands[options.command](settings)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


def up(settings: Settings) -> None:
    """Start a lab in the background, unless one runs in this directory, and wait until it answers."""
    run = RunDirectory(settings.directory)
    with run.starting():
        if run.is_held():
            print(_sentence("a lab runs here already", _await(run, None)))
        else:
            print(_sentence("the lab is up", _start(run, settings)))


def _start(run: RunDirectory, settings: Settings) -> dict[str, Any]:
    run.clear()
    with run.log.open("wb") as log:
        process = subprocess.Popen(
            command_line(sys.executable, settings.directory),
            cwd=CHECKOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return _await(run, process)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        raise


def down(settings: Settings) -> None:
    """End the lab of this directory, if there is one, and wait until nothing of it runs."""
    run = RunDirectory(settings.directory)
    process = run.process()
    if process is None:
        if run.is_held():
            raise LabError(f"what holds {settings.directory} is not the lab that its pid file names; left alone")
        run.forget()
        print(f"no lab runs in {settings.directory}")
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
    if not _ended(run, process, END_SECONDS):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
        if not _ended(run, process, END_SECONDS):
            raise LabError(f"the lab (process {process.pid}) did not end")
    run.forget()
    print(f"the lab in {settings.directory} has ended")


def serve(settings: Settings) -> None:
    """Be the lab, in this process."""
    botocore_data.keep()
    from tests.lab import process  # here, not above: it loads moto, which takes seconds

    process.serve(settings)


def status(settings: Settings) -> None:
    """Say where the lab of this directory answers; LabError if it does not."""
    run = RunDirectory(settings.directory)
    if not run.is_held():
        raise LabError(f"no lab runs in {settings.directory}")
    print(_sentence("the lab runs", _await(run, None)))


def _await(run: RunDirectory, process: subprocess.Popen[bytes] | None) -> dict[str, Any]:
    """Where the lab answers, as soon as it does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise LabError(f"the lab ended while it started\n{_tail(run.log)}")
        announced = run.read()
        if announced and _answers(announced["url"]):
            return announced
        if process is None and not run.is_held():
            raise LabError(f"the lab in {run.directory} has just ended")
        time.sleep(0.05)
    raise LabError(f"the lab did not answer within {START_SECONDS:g} s\n{_tail(run.log)}")


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/lab/state", timeout=10) as answer:
            return isinstance(json.load(answer), dict)
    except (OSError, ValueError):
        return False


def _ended(run: RunDirectory, process: psutil.Process, seconds: float) -> bool:
    """Whether the process has released everything; without a parent that reaps it, it may be a zombie."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            alive = False
        if not alive and not run.is_held():
            return True
        time.sleep(0.02)
    return False


def _tail(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
    except OSError as error:
        return f"({path}: {error.strerror})"
    return "\n".join([f"the end of {path}:", *lines])


def _sentence(beginning: str, announced: dict[str, Any]) -> str:
    return (
        f"{beginning}: control {announced['url']}, AWS {announced['aws_url']}, NITRO on port {announced['nitro_port']} "
        f"of addresses in {announced['network']}.0.0/16 (process {announced['pid']})"
    )
