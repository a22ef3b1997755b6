# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Execute changes of any kind: all writes in parallel, then reads until AWS shows the result. Effects are arguments.

A write without an answer may still take effect after the timeout. So the state is read and judged again before the
write is repeated, and a run reads the state once more after the time in which a lost write can arrive.
"""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ..aws.errors import AwsError
from ..core.errors import Failure
from ..core.parallel import attempt_all
from ..core.waiting import Clock, Pace, Sleep
from .base import Movable, Verification
from .pacing import WriteRate

T = TypeVar("T")


M = TypeVar("M", bound=Movable[Any])

PACE = Pace(first=0.1, growth=2.0, longest=2.0)
#: Longest pause while writes are still to be sent: clients wait for them, not for a look.
THROTTLED_PAUSE = 1.0
# EC2 is eventually consistent: a third place may be a past one. It counts after so many reads in a row.
SIGHTINGS = 3
#: Limits for one thing: writes without an answer, and writes in total, including throttled ones.
UNANSWERED = 3
ATTEMPTS = 8
#: Calls that are made at once: each takes a round trip, and clients wait for the last one.
WRITERS = 32
#: Seconds after which a write without an answer can no longer take effect.
LANDING_SECONDS = 20.0
# Codes of answers that allow a retry. For those of the last line it is unknown whether the write took effect.
_THROTTLED = frozenset(
    {
        *("RequestLimitExceeded", "Throttling", "ThrottlingException", "EC2ThrottledException", "RequestThrottled"),
        *("SlowDown", "TooManyRequestsException"),
    }
)
_PUT_OFF = frozenset(
    {
        *_THROTTLED,
        *("Unavailable", "ServiceUnavailable", "InternalError", "InternalFailure", "InternalServerError"),
    }
)


class Withdrawn(Failure):
    """A write of two steps that ended between them, because the change was not right any more, and was undone."""


@dataclass(slots=True)
class Outcome(Generic[M, T]):
    """Outcome of one move. ``now``: the holder last read; ``written``: AWS acknowledged our write.

    ``attempts``: writes sent; ``lost``: those of them without an answer, the last one sent at ``lost_at`` (seconds of
    the caller's clock). ``withdrawn``: why it was not tried again.
    """

    move: M
    written: bool = False
    error: Failure | None = None
    now: Any = None
    observation: Verification | None = None
    unread: Failure | None = None
    attempts: int = 0
    lost: int = 0
    lost_at: float = 0.0
    withdrawn: str | None = None
    observed: T | None = None
    raced: Callable[[Any], bool] = lambda _outcome: False
    sightings: Counter[Any] = field(default_factory=Counter)

    @property
    def arrived(self) -> bool:
        return self.observation is Verification.ARRIVED or (
            self.written and self.observation is None and self.unread is None
        )

    @property
    def code(self) -> str | None:
        """The code with which AWS answered the last write; None: there is no error, or no answer came."""
        return self.error.code if isinstance(self.error, AwsError) else None

    @property
    def put_off(self) -> bool:
        """Whether AWS answered the last write with a code that allows a retry."""
        return self.code in _PUT_OFF or self.raced(self)

    @property
    def in_flight(self) -> bool:
        """Whether a write that was not answered may still be carried out: all of them, but the one that arrived."""
        by_lost = self.observation is Verification.ARRIVED and self.lost == self.attempts
        return self.lost > (1 if by_lost else 0)

    @property
    def landed_by(self) -> float:
        """When (caller's clock) no write of ours can be on its way any more."""
        return self.lost_at + LANDING_SECONDS if self.in_flight else float("-inf")

    @property
    def repeatable(self) -> bool:
        """Whether the write may be sent again: AWS put it off or did not answer, and nothing has changed since."""
        if (
            self.error is None
            or self.withdrawn
            or self.observation is not Verification.PENDING
            or self.attempts >= ATTEMPTS
        ):
            return False
        return self.put_off or (self.code is None and self.lost < UNANSWERED)

    @property
    def completed(self) -> bool:
        """Whether another look would tell nothing new: it is there, it is clearly elsewhere, or AWS refused."""
        taken = self.observation is Verification.TAKEN and self.sightings[self.now] >= SIGHTINGS
        refused = (
            self.error is not None and self.observation is not None and not self.repeatable and self.code is not None
        )
        given_up = self.observation is not None and (
            self.withdrawn is not None or (refused and self.observation is not Verification.ARRIVED)
        )
        return self.observation is Verification.ARRIVED or taken or given_up

    def note(self, answer: object, sent: float) -> None:
        """Take note of what became of a write that was sent at ``sent``."""
        self.attempts += 1
        self.error = answer if isinstance(answer, Failure) else None
        if self.error is None:
            self.written, self.now = True, self.move.after
        elif isinstance(self.error, Withdrawn):
            self.withdrawn = str(self.error)
        elif self.code is None:
            self.lost, self.lost_at = self.lost + 1, sent

    def see(self, observed: T) -> None:
        """Take note of a reading."""
        self.observed, now = observed, self.move.holder(observed)
        if now != self.now:
            self.sightings.clear()
        self.sightings[now] += 1
        self.now, self.observation, self.unread = now, self.move.judge(observed), None
        if self.observation is Verification.ARRIVED and self.lost:
            self.written = True  # the answer to our write was lost, not the write

    def text(self) -> str:
        """Return the message: the thing, its desired holder, its observed holder."""
        name, target, now = self.move.name, self.move.place(self.move.after), self.move.place(self.now)
        if self.arrived:
            return f"{name} is {target}"
        if isinstance(self.error, Withdrawn):
            return f"{name} was taken off and put back, because {self.withdrawn} (it is {now})"
        if self.withdrawn is not None:
            return (
                f"{name} was not moved: the call had no success ({self.error}), and it was not repeated because "
                f"{self.withdrawn} (it is {now})"
            )
        if self.error is not None:
            return f"{name} was not moved: {self.error} (it is {now})"
        if self.observation is Verification.TAKEN:
            return f"{name} was sent to {self.move.after} but another writer has put it to {self.now}"
        if self.unread is not None:
            return f"{name} was sent to {self.move.after}, which AWS acknowledged, but {self.unread}"
        return f"{name} was sent to {self.move.after}, which AWS acknowledged, but is still {now}"


@dataclass(frozen=True, slots=True)
class Effects(Generic[M, T]):
    """The calls to AWS for one kind of thing.

    ``write``: one call for the changes of one batch, each with what is known of it now; ``batch``: which changes one
    call writes; ``read``: the things of these changes as they are now, by key. ``raced``: whether a refusal only says
    that another writer was there first, so that the write is due again if the state still calls for it.
    """

    write: Callable[[Sequence[Outcome[M, T]]], object]
    read: Callable[[Sequence[M]], Mapping[str, T]]
    batch: Callable[[Outcome[M, T]], Hashable] = lambda outcome: outcome.move.key
    raced: Callable[[Outcome[M, T]], bool] = lambda _outcome: False


def carry_out(
    moves: Iterable[M],
    effects: Effects[M, T],
    verify_timeout: float | None,
    *,
    permit: Callable[[M], str | None] = lambda _move: None,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> list[Outcome[M, T]]:
    """Write every move that changes something, side by side; then, unless ``verify_timeout`` (seconds) is None, look.

    One outcome for each thing that had to move. A refusal of one never keeps the others from being carried out, and
    what another writer did after us is reported, not fought. A write that was not answered, or put off, is looked after
    in any case; ``permit`` is asked before it is sent again. ``verify_timeout`` counts from the last accepted write.
    """
    due = list({move.key: move for move in moves if move.changed}.values())
    outcomes: list[Outcome[M, T]] = [Outcome(move, now=move.before, raced=effects.raced) for move in due]
    rate = WriteRate()
    _write(_batches(outcomes, effects), effects, rate, clock)
    uncertain = any(outcome.lost or outcome.put_off for outcome in outcomes)
    if outcomes and (verify_timeout is not None or uncertain):
        timeout = LANDING_SECONDS if verify_timeout is None else verify_timeout
        _Follow(outcomes, effects, rate, permit, timeout, clock, sleep).run()
    return outcomes


def _batches(outcomes: Iterable[Outcome[M, T]], effects: Effects[M, T]) -> list[list[Outcome[M, T]]]:
    """Return the outcomes by the call that writes them."""
    batches: dict[Hashable, list[Outcome[M, T]]] = {}
    for outcome in outcomes:
        batches.setdefault(effects.batch(outcome), []).append(outcome)
    return list(batches.values())


def _write(batches: Sequence[Sequence[Outcome[M, T]]], effects: Effects[M, T], rate: WriteRate, clock: Clock) -> None:
    if not batches:
        return
    sent = clock()
    answers = attempt_all([functools.partial(effects.write, batch) for batch in batches], workers=WRITERS)
    for batch, answer in zip(batches, answers, strict=True):
        for outcome in batch:
            outcome.note(answer, sent)
    rate.note(clock(), any(outcome.code in _THROTTLED for batch in batches for outcome in batch))


@dataclass(slots=True)
class _Follow(Generic[M, T]):
    """Read until every move is completed, or until ``timeout`` (seconds) and no write can arrive any more."""

    outcomes: Sequence[Outcome[M, T]]
    effects: Effects[M, T]
    rate: WriteRate
    permit: Callable[[M], str | None]
    timeout: float
    clock: Clock
    sleep: Sleep

    def run(self) -> None:
        deadline, pause = self.clock() + self.timeout, PACE.first
        while True:
            looked = self.clock()
            self._observe([one for one in self.outcomes if not one.completed or one.in_flight])
            if self._write_again(looked, deadline):
                deadline = max(deadline, self.clock() + self.timeout)
            pending = [outcome for outcome in self.outcomes if not outcome.completed]
            end = max([*([deadline] if pending else []), *(one.landed_by for one in self.outcomes)], default=looked)
            if looked >= end:
                return
            due = any(outcome.repeatable for outcome in self.outcomes)
            self.sleep(max(0.0, min(pause, THROTTLED_PAUSE if due else pause, end - self.clock())))
            pause = min(pause * PACE.growth, PACE.longest)

    def _write_again(self, looked: float, deadline: float) -> bool:
        """Repeat writes that may be repeated, as many as EC2 accepts now; whether it accepted one."""
        due = [one for one in self.outcomes if one.repeatable and looked < max(deadline, one.landed_by)]
        again = _batches(due, self.effects)[: self.rate.allowance(self.clock())]
        for outcome in (one for batch in again for one in batch):
            outcome.withdrawn = self.permit(outcome.move)
        sent = [outcome for batch in again for outcome in batch if not outcome.withdrawn]
        _write(_batches(sent, self.effects), self.effects, self.rate, self.clock)
        return any(outcome.error is None for outcome in sent)

    def _observe(self, waiting: Sequence[Outcome[M, T]]) -> None:
        try:
            moves = sorted((outcome.move for outcome in waiting), key=lambda move: move.key)
            observed = self.effects.read(moves) if moves else {}
        except Failure as error:  # the moves are made: a later reading may succeed, and if none does it is reported
            for outcome in waiting:
                outcome.unread = error
            return
        for outcome in waiting:
            if outcome.move.key in observed:
                outcome.see(observed[outcome.move.key])


def report(outcomes: Sequence[Outcome[M, T]], things: str) -> str | None:
    """Return None if everything arrived; else one message that names every thing of the task.

    ``things``: their kind in the plural, as in "Elastic IPs".
    """
    missed = [outcome for outcome in outcomes if not outcome.arrived]
    if not missed:
        return None
    head = f"{len(missed)} of {len(outcomes)} {things} not where desired: "
    return head + "; ".join(outcome.text() for outcome in (*missed, *(o for o in outcomes if o.arrived)))


def results(changes: Sequence[M], outcomes: Sequence[Outcome[M, T]]) -> list[dict[str, Any]]:
    """Return one entry for each change; a thing may have been moved more than once."""
    entries = []
    for change in changes:
        mine = [one for one in outcomes if one.move.key == change.key]
        if mine:
            entries.append(mine[0].move.result(mine[-1].now, any(one.written for one in mine)))
        else:
            entries.append(change.result(change.after, change.changed))
    return entries
