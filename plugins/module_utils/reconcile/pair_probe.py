# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Asking all nodes of a pair at once what they are, without waiting for a dead one longer than it may cost."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..core.nitro_errors import NitroError, NitroUnreachable
from ..nitro.client import NitroClient
from ..nitro.ha import View
from .pair_claims import Claim, Verdict, judge, served_addresses

Client = Callable[[str], NitroClient]

_PAUSE = 0.1
# What is read besides hanode, to know where virtual servers answer.
_VSERVERS = ("lbvserver", "csvserver")
_BINDINGS = "ipset_nsip_binding"


@dataclass(frozen=True, slots=True)
class Target:
    """A node to ask: how sentences call it, its NSIP, where to connect (with port), or why not to ask it."""

    name: str
    nsip: str
    endpoint: str
    idle: str | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. ``probe``: for a node to accept a login, and again to say what it is; ``answer``: for its configuration;
    ``settle``: for exactly one primary."""

    probe: float
    answer: float
    settle: float


@dataclass(slots=True)
class _Watch:
    """One node under observation by a thread of its own. ``due``: when its next sign of life is overdue."""

    target: Target
    due: float
    claim: Claim
    logged_in: bool = False
    served: tuple[str, ...] | None = None
    complete: bool = False
    thread: threading.Thread | None = None


@dataclass(slots=True)
class Panel:
    """All nodes of a pair, watched side by side until there is a verdict. Use as a context manager."""

    targets: Sequence[Target]
    connect: Client
    patience: Patience
    _watches: list[_Watch] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Panel:
        """Begin to ask. The threads are daemons: one that hangs at a dead node keeps no process from ending."""
        for target in self.targets:
            claim = Claim(target.name, target.nsip, idle=target.idle, error=target.idle)
            watch = _Watch(target, time.monotonic() + self.patience.probe, claim, complete=target.idle is not None)
            self._watches.append(watch)
        for watch in self._watches:
            if not watch.complete:
                watch.thread = threading.Thread(target=self._observe, args=(watch,), daemon=True)
                watch.thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Let the watchers log out; those that never got in have nothing to end."""
        self._stop.set()
        for watch in self._watches:
            if watch.thread and watch.logged_in:
                watch.thread.join(self.patience.probe)

    def decide(self) -> tuple[list[Claim], Verdict]:
        """What all nodes say, as soon as each has said it or is overdue; then, within ``settle``, one primary."""
        with self._news:
            while not all(self._settled(watch) for watch in self._watches):
                self._news.wait(self._until_next_due())
            deadline = time.monotonic() + self.patience.settle
            while True:
                claims = [watch.claim for watch in self._watches]
                verdict = judge(claims)
                left = deadline - time.monotonic()
                if verdict.primary is not None or left <= 0 or all(claim.idle for claim in claims):
                    return claims, verdict
                self._news.wait(min(left, _PAUSE))

    def _settled(self, watch: _Watch) -> bool:
        if watch.complete:
            return True
        if time.monotonic() < watch.due:
            return False
        if watch.claim.error is None:
            late = f"{watch.target.endpoint}: no answer within {self.patience.probe:g} s"
            watch.claim = replace(watch.claim, error=late)
        return True

    def _until_next_due(self) -> float:
        now = time.monotonic()
        waiting = [watch.due - now for watch in self._watches if not watch.complete and watch.due > now]
        return max(0.0, min(waiting, default=0.0))

    # In the threads

    def _observe(self, watch: _Watch) -> None:
        client: NitroClient | None = None
        try:
            while not self._stop.is_set():
                client = self._ask(watch, client)
                self._stop.wait(_PAUSE)
        finally:
            if client:
                client.close()

    def _ask(self, watch: _Watch, client: NitroClient | None) -> NitroClient | None:
        """One look at a node; the client whose session can be used for the next one."""
        target = watch.target
        try:
            client = client or self._enter(watch)
            view = View.from_rows(client.get("hanode"))
            if watch.served is None:
                self._publish(watch, Claim(target.name, target.nsip, True, view), self.patience.answer)
                client.connection = replace(client.connection, timeout=self.patience.answer)
                watch.served, trouble = read_served(client)
                client.connection = replace(client.connection, timeout=self.patience.probe)
            else:
                trouble = None
            self._publish(watch, Claim(target.name, target.nsip, True, view, watch.served, trouble), None)
        except NitroError as error:
            reachable = not isinstance(error, NitroUnreachable)
            self._publish(watch, Claim(target.name, target.nsip, reachable, None, (), str(error)), None)
            if not reachable and client:
                client.forget_session()
        return client

    def _enter(self, watch: _Watch) -> NitroClient:
        client = self.connect(watch.target.endpoint)
        client.connection = replace(client.connection, timeout=self.patience.probe)
        if client.connection.password is not None and client.connection.token is None:
            client.login()
        with self._news:
            watch.logged_in = True
            watch.due = time.monotonic() + self.patience.probe
        return client

    def _publish(self, watch: _Watch, claim: Claim, more_within: float | None) -> None:
        """Tell what is known; ``more_within`` seconds the rest will follow, or None: that is all."""
        with self._news:
            watch.claim = claim
            if more_within is None:
                watch.complete = True
            else:
                watch.due = time.monotonic() + more_within
            self._news.notify_all()


def read_served(client: NitroClient) -> tuple[tuple[str, ...], str | None]:
    """Where virtual servers answer: three reads side by side; and what went wrong with them."""
    reads: dict[str, Callable[[], Any]] = {name: functools.partial(client.get, name) for name in _VSERVERS}
    reads[_BINDINGS] = functools.partial(client.get_bulk, _BINDINGS)
    rows, trouble = _side_by_side(reads)
    vservers = [row for name in _VSERVERS for row in rows.get(name, [])]
    return served_addresses(vservers, rows.get(_BINDINGS, [])), trouble


def _side_by_side(reads: dict[str, Callable[[], Any]]) -> tuple[dict[str, Any], str | None]:
    answers: dict[str, Any] = {}
    errors: list[str] = []

    def read(name: str, call: Callable[[], Any]) -> None:
        try:
            answers[name] = call()
        except NitroError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=read, args=item, daemon=True) for item in reads.items()]
    _run(threads)
    return answers, "; ".join(sorted(errors)) or None


def _run(threads: Iterable[threading.Thread]) -> None:
    started = list(threads)
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
