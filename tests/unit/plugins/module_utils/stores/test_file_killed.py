"""A writer that is killed at any of its system calls leaves a readable state, and does not block other writers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.stores import file
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key, LeaseLost, LeaseRefused
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore

KEY = Key("shop", "a")


class Killed(BaseException):
    """What no handler catches: the process is gone."""


class Deadly:
    """Kills at the n-th call, before or after it took effect."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, after: bool) -> None:
        self.left, self.after, self.patch = at, after, monkeypatch
        for name in ("open", "fchmod", "fsync"):
            monkeypatch.setattr(file.os, name, self._deadly(getattr(os, name)))
        monkeypatch.setattr(Path, "replace", self._deadly(Path.replace))

    def _deadly(self, real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Killed
            answer = real(*args, **kwargs)
            if self.left == 0:
                if real is os.open:
                    os.close(answer)  # the kernel closes what a dead process had open, and frees its lock
                raise Killed
            return answer

        return call


def transaction(store: FileStore, owner: str, text: str) -> None:
    lease = store.acquire(owner, 60)
    found = store.read()
    store.write(lease, {"by": [*(found.document or {"by": []})["by"], text]}, found.version, release=True)


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_call(tmp_path: Path, after: bool) -> None:
    now = [1000.0]
    store = FileStore(tmp_path, KEY, clock=lambda: now[0])
    transaction(store, "zero", "zero")
    survived, at = 0, 0
    while not survived:
        at += 1
        now[0] += 61  # what the one before may have left is over
        with pytest.MonkeyPatch.context() as patch:
            Deadly(patch, at, after)
            try:
                transaction(store, f"killed {at}", f"killed {at}")
                survived = at
            except Killed:
                pass
        before = store.read()
        written = (before.document or {})["by"]
        assert written.count(f"killed {at}") <= 1
        try:
            transaction(store, "next", f"next {at}")
        except LeaseRefused:
            now[0] += 60  # no longer than that
            transaction(store, "next", f"next {at}")
        assert (store.read().document or {})["by"] == [*written, f"next {at}"]
        assert store.read().lease is None
    assert survived > 8
    assert sorted(each.name for each in tmp_path.iterdir()) == ["shop@a.json"]


def test_a_killed_writer_that_resumes_writes_nothing(tmp_path: Path) -> None:
    """Stopped after it read, continued after another was done: the fence is outdated."""
    now = [1000.0]
    store = FileStore(tmp_path, KEY, clock=lambda: now[0])
    lease = store.acquire("slow", 60)
    found = store.read()
    now[0] += 60
    transaction(store, "quick", "quick")
    with pytest.raises(LeaseLost):
        store.write(lease, {"by": ["slow"]}, found.version)
    assert store.read().document == {"by": ["quick"]}
