# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Observe all nodes of a pair side by side until a question about them can be answered, or its deadline is over."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from ..core.nitro_errors import NitroError, NitroLoginHeld, NitroUnreachable
from ..nitro.client import NitroClient
from ..nitro.ha import ObservedHa
from .pair_claims import Claim, Pending, Verdict, judge, served_addresses, still_open
from .pair_evidence import DEAD_INTERVAL, Silence, dead_interval

Client = Callable[[str], NitroClient]

_PAUSE = 0.1
# What is read besides hanode, to know where virtual servers answer.
_VSERVERS = ("lbvserver", "csvserver")
_BINDINGS = ("ipset_nsip_binding", "ipset_nsip6_binding")


@dataclass(frozen=True, slots=True)
class Target:
    """A node to ask: its name in messages, its NSIP, where to connect (with port), or why not to ask it."""

    name: str
    nsip: str
    endpoint: str
    idle: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeTimeouts:
    """Seconds. ``probe``: until a node that has not answered counts as silent; ``answer``: for its configuration;
    ``settle``: for exactly one primary."""

    probe: float
    answer: float
    settle: float


class Assessment(Protocol):
    """The answer to a question about a pair, as far as it is known."""

    @property
    def pending(self) -> Pending: ...


A = TypeVar("A", bound=Assessment)


@dataclass(slots=True)
class _Watch:
    """One node under observation by threads of its own. Times are of the monotonic clock.

    ``claim``: its last claim; ``asked``: when the question it answered was put; ``silent``: since when and to how
    many questions it has not answered; ``served``: what was read of it, ``unread``: what could not be read and why;
    ``complete``: its answer is whole, or it refused. ``question``: when the question now open was put. ``handed``:
    the silence that another observer has seen, until the node answers.
    """

    target: Target
    claim: Claim
    asked: float = float("-inf")
    silent_since: float | None = None
    tries: int = 0
    served: tuple[str, ...] | None = None
    unread: str | None = None
    complete: bool = False
    logging_in: bool = False
    logged_in: bool = False
    question: float | None = None
    thread: threading.Thread | None = None
    handed: Silence | None = None

    def __post_init__(self) -> None:
        if self.handed and self.handed.standing and self.question is not None:
            self.silent_since, self.tries = self.question - self.handed.seconds, self.handed.tries

    def now_silent(self, now: float) -> float:
        """Return the seconds for which it has not answered; 0.0: no question is open for long, or none was put."""
        since = self.silent_since if self.silent_since is not None else self.question
        return 0.0 if since is None else now - since


@dataclass(slots=True)
class Panel:
    """All nodes of a pair, watched side by side as long as the context lasts."""

    targets: Sequence[Target]
    connect: Client
    timeouts: ProbeTimeouts
    silences: Mapping[str, Silence] = field(default_factory=dict)
    _watches: list[_Watch] = field(default_factory=list)
    _events: threading.Condition = field(default_factory=threading.Condition)
    _stop: threading.Event = field(default_factory=threading.Event)
    _began: float = 0.0

    def __enter__(self) -> Panel:
        """Begin to ask. The threads are daemons: one that hangs at a dead node keeps no process from ending."""
        self._began = time.monotonic()
        for target in self.targets:
            claim = Claim(target.name, target.nsip, idle=target.idle, error=target.idle)
            handed = self.silences.get(target.nsip) if target.idle is None else None
            watch = _Watch(target, claim, complete=target.idle is not None, question=self._began, handed=handed)
            self._watches.append(watch)
        for watch in self._watches:
            if watch.target.idle is None:
                watch.thread = threading.Thread(target=self._observe, args=(watch,), daemon=True)
                watch.thread.start()
                threading.Thread(target=self._attempt, args=(watch,), daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Log out all sessions. Wait for a pending login, because only its own thread can close the session that it
        opens."""
        self._stop.set()
        for watch in self._watches:
            if watch.thread and (watch.logged_in or watch.logging_in):
                watch.thread.join(self.timeouts.probe)

    def _claim(self, watch: _Watch, now: float, since: float) -> Claim:
        """Return what a node says; one that has been silent for ``probe`` seconds, or since ``since``, says nothing."""
        silent = watch.now_silent(now)
        late = watch.silent_since is not None or silent >= self.timeouts.probe
        if watch.target.idle is not None or not (late or watch.asked < since):
            return watch.claim
        error = watch.claim.error if watch.claim.view is None else None
        return Claim(
            watch.target.name,
            watch.target.nsip,
            watch.claim.reachable and not late,
            error=error or f"{watch.target.endpoint}: no answer within {self.timeouts.probe:g} s",
            silent_seconds=silent,
            tries=watch.tries,
            late=(watch.claim.late or watch.asked < since) and not late,
            dark=watch.handed.dark if watch.handed else None,
        )

    def decide(self) -> tuple[list[Claim], Verdict]:
        """Return what all nodes say and who is primary; within ``settle`` seconds, exactly one."""
        found = self.settle(_Plain.of)
        return found.claims, found.verdict

    def settle(self, assess: Callable[[list[Claim]], A], *, from_now: bool = False) -> A:
        """Return the assessment as soon as nothing is pending, or when the deadline of what is pending is over.

        ``from_now``: only answers to queries that are sent from now on count.
        """
        since = time.monotonic() if from_now else self._began
        with self._events:
            while not all(self._completed(watch, since) for watch in self._watches):
                self._events.wait(self._until_next_due(since))
            completed = time.monotonic()
            while True:
                now = time.monotonic()
                claims = [self._claim(watch, now, since) for watch in self._watches]
                found = assess(claims)
                left = self._deadline(found.pending, completed, claims) - now
                if left <= 0:
                    return found
                self._events.wait(min(left, _PAUSE))

    def _deadline(self, pending: Pending, completed: float, claims: Sequence[Claim]) -> float:
        """When to decide with what there is."""
        match pending:
            case None:
                return float("-inf")
            case "primary":
                return completed + self.timeouts.settle
            case "served":
                return completed + self.timeouts.answer
            case "silence":
                needed = max((dead_interval(claim) for claim in claims), default=DEAD_INTERVAL)
                return completed + max(self.timeouts.settle, needed + 3 * self.timeouts.probe)

    def _completed(self, watch: _Watch, since: float) -> bool:
        """Whether it need not be waited for: it has reported its role since then, or nothing for ``probe`` seconds."""
        if watch.target.idle is not None or watch.silent_since is not None:
            return True
        if watch.asked >= since and (watch.complete or watch.claim.view is not None):
            return True
        return self._overdue_in(watch, since) <= 0

    def _overdue_in(self, watch: _Watch, since: float) -> float:
        """Seconds until a node that has not answered is not waited for any more."""
        now = time.monotonic()
        return min(self.timeouts.probe - watch.now_silent(now), since + 2 * self.timeouts.probe - now)

    def _until_next_due(self, since: float) -> float:
        waiting = [self._overdue_in(watch, since) for watch in self._watches if not self._completed(watch, since)]
        return max(0.001, min(waiting, default=0.0))

    # In the threads

    def _observe(self, watch: _Watch) -> None:
        client = self.connect(watch.target.endpoint)
        try:
            while not self._stop.is_set():
                self._ask(watch, client)
                self._stop.wait(_PAUSE)
        finally:
            client.close()

    def _ask(self, watch: _Watch, client: NitroClient) -> None:
        """One look at a node."""
        target = watch.target
        with self._events:
            asked = time.monotonic()
            watch.question = asked if watch.question is None else watch.question
        try:
            self._enter(watch, client)
            view = ObservedHa.from_rows(client.get("hanode"))
            known = watch.served is not None and watch.unread is None
            self._publish(watch, asked, Claim(target.name, target.nsip, True, view, watch.served, watch.unread), known)
            if not known:
                watch.served, watch.unread = read_served(client)
                claim = Claim(target.name, target.nsip, True, view, watch.served, watch.unread)
                self._publish(watch, asked, claim, True)
        except NitroUnreachable as error:
            self._miss(watch, str(error))
        except NitroLoginHeld:
            pass  # the login attempts show whether the node is alive
        except NitroError as error:
            self._publish(watch, asked, Claim(target.name, target.nsip, True, error=str(error)), True)

    def _enter(self, watch: _Watch, client: NitroClient) -> None:
        if watch.logged_in:
            return
        if client.connection.password is not None and client.connection.token is None:
            watch.logging_in = True
            try:
                client.login()
            finally:
                watch.logging_in = False
        watch.logged_in = True

    def _attempt(self, watch: _Watch) -> None:
        """While a question is open for long, put others that need no session: each unanswered one is a try."""
        knocker: NitroClient | None = None
        while not self._stop.wait(_PAUSE):
            if watch.now_silent(time.monotonic()) < self.timeouts.probe:
                continue
            knocker = knocker or self.connect(watch.target.endpoint)
            try:
                knocker.attempt(self.timeouts.probe)
            except NitroUnreachable as error:
                self._miss(watch, str(error))
            except NitroError:
                self._alive(watch)
            else:
                self._alive(watch)
        if knocker:
            knocker.close()

    def _publish(self, watch: _Watch, asked: float, claim: Claim, complete: bool) -> None:
        with self._events:
            watch.claim, watch.asked, watch.question = claim, asked, None
            watch.silent_since, watch.tries, watch.handed = None, 0, None
            watch.complete = watch.complete or complete
            self._events.notify_all()

    def _miss(self, watch: _Watch, error: str) -> None:
        """Take note of a question without an answer."""
        with self._events:
            if watch.silent_since is None:
                now = time.monotonic()
                watch.silent_since = now if watch.question is None else watch.question
                if watch.handed:
                    watch.silent_since -= watch.handed.seconds
                    watch.tries += watch.handed.tries
            watch.tries += 1
            watch.claim = replace(watch.claim, reachable=False, view=None, error=error)
            self._events.notify_all()

    def _alive(self, watch: _Watch) -> None:
        """Return the reading of a node that answers without a session: it is not silent, its role is unknown."""
        target = watch.target
        with self._events:
            watch.silent_since, watch.tries, watch.question = None, 0, time.monotonic()
            watch.handed = None
            late = f"{target.endpoint}: its answer is late"
            watch.claim = Claim(target.name, target.nsip, True, error=late, late=True)
            self._events.notify_all()


@dataclass(frozen=True, slots=True)
class _Plain:
    """Who is primary, and nothing else."""

    claims: list[Claim]
    verdict: Verdict
    pending: Pending

    @classmethod
    def of(cls, claims: list[Claim]) -> _Plain:
        verdict = judge(claims)
        return cls(claims, verdict, still_open(claims, verdict))


def read_served(client: NitroClient) -> tuple[tuple[str, ...], str | None]:
    """Where virtual servers answer: four reads side by side; and what went wrong with them."""
    reads: dict[str, Callable[[], Any]] = {name: functools.partial(client.get, name) for name in _VSERVERS}
    reads |= {name: functools.partial(client.get_bulk, name) for name in _BINDINGS}
    rows, trouble = _side_by_side(reads)
    vservers = [row for name in _VSERVERS for row in rows.get(name, [])]
    return served_addresses(vservers, [row for name in _BINDINGS for row in rows.get(name, [])]), trouble


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
