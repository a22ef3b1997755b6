"""Ends a process and everything it started, at once, the way a lost container does."""

from __future__ import annotations

import os
import time

import psutil

GONE_SECONDS = 1.0


def may_kill(pid: int) -> str | None:
    """Why this process must not be killed, or None: the lab does not saw off the branch it sits on."""
    if pid == os.getpid() or any(parent.pid == pid for parent in psutil.Process().parents()):
        return f"process {pid} is the lab itself or has started it"
    if not psutil.pid_exists(pid):
        return f"there is no process {pid}"
    return None


def kill_tree(pid: int) -> list[int]:
    """SIGKILL the process and all its descendants; returns the ids, the given one first.

    Everything is frozen first (SIGSTOP), from the top down and until no new child turns up, so that nothing escapes by
    forking meanwhile. Process groups would not do: ansible's workers call setsid.
    """
    frozen: dict[int, psutil.Process] = {}
    try:
        root = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return []
    fresh = [root]
    while fresh:
        for process in fresh:
            frozen[process.pid] = process
            _signal(process, "suspend")
        fresh = [child for child in _descendants(root) if child.pid not in frozen]
    for process in frozen.values():
        _signal(process, "kill")
    _wait_for_the_end(list(frozen.values()))
    return list(frozen)


def _descendants(root: psutil.Process) -> list[psutil.Process]:
    try:
        return root.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _wait_for_the_end(processes: list[psutil.Process]) -> None:
    """Wait until none runs, a second at most. Their parents reap them."""
    deadline = time.monotonic() + GONE_SECONDS
    while any(_runs(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.005)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, name: str) -> None:
    try:
        getattr(process, name)()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return
