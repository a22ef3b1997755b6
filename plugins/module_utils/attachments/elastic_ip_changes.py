# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Execute the moves of Elastic IPs: all writes in parallel, then reads until AWS shows the result. Effects are
arguments.

A write without an answer may still take effect after the timeout. So the state is read and judged again before the
write is repeated, and a run reads the state once more after the time in which a lost write can arrive.
"""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ..aws.addresses import Address, Association
from ..aws.errors import AwsError
from ..core.errors import Failure
from ..core.parallel import attempt_all
from ..core.waiting import Clock, Pace, Sleep
from .elastic_ip_plan import AssociationChange, Verification, judge

Associate = Callable[[AssociationChange], object]
Read = Callable[[Sequence[str]], Sequence[Address]]
#: Whether a move is still right, from live readings: None, or the reason against it as a message.
Permit: TypeAlias = "Callable[[AssociationChange], str | None]"

PACE = Pace(first=0.1, growth=2.0, longest=2.0)
# EC2 is eventually consistent: a third place may be a past one. It counts after so many reads in a row.
SIGHTINGS = 3
#: Limits for one address: writes without an answer, and writes in total, including throttled ones.
UNANSWERED = 3
ATTEMPTS = 8
#: Seconds after which a write without an answer can no longer take effect.
LANDING_SECONDS = 20.0
# Codes of answers that allow a retry. For those of the last line it is unknown whether the write took effect.
_PUT_OFF = frozenset(
    {
        *("RequestLimitExceeded", "Throttling", "ThrottlingException", "EC2ThrottledException", "RequestThrottled"),
        *("SlowDown", "TooManyRequestsException"),
        *("Unavailable", "ServiceUnavailable", "InternalError", "InternalFailure", "InternalServerError"),
    }
)


@dataclass(slots=True)
class Outcome:
    """Outcome of one move. ``now``: the association last read; ``written``: AWS acknowledged our write.

    ``attempts``: writes sent; ``lost``: those of them without an answer, the last one sent at ``lost_at`` (seconds of
    the caller's clock). ``withdrawn``: why it was not tried again.
    """

    move: AssociationChange
    written: bool = False
    error: Failure | None = None
    now: Association | None = None
    observation: Verification | None = None
    unread: Failure | None = None
    attempts: int = 0
    lost: int = 0
    lost_at: float = 0.0
    withdrawn: str | None = None
    observed: Address | None = None
    sightings: Counter[Association | None] = field(default_factory=Counter)

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
        return self.code in _PUT_OFF or (self.code is None and self.lost < UNANSWERED)

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
        elif self.code is None:
            self.lost, self.lost_at = self.lost + 1, sent

    def see(self, address: Address) -> None:
        self.observed, now = address, address.association
        if now != self.now:
            self.sightings.clear()
        self.sightings[now] += 1
        self.now, self.observation, self.unread = now, judge(self.move, address), None
        if self.observation is Verification.ARRIVED and self.lost:
            self.written = True  # the answer to our write was lost, not the write

    def sentence(self) -> str:
        """Return the message: address, desired association, observed association."""
        name = self.move.address
        if self.arrived:
            return f"{name} is at {self.move.after}"
        if self.withdrawn is not None:
            return (
                f"{name} was not moved: the call had no success ({self.error}), and it was not repeated because "
                f"{self.withdrawn} (it is {_at(self.now)})"
            )
        if self.error is not None:
            return f"{name} was not moved: {self.error} (it is {_at(self.now)})"
        if self.observation is Verification.TAKEN:
            return f"{name} was sent to {self.move.after} but another writer has put it to {self.now}"
        if self.unread is not None:
            return f"{name} was sent to {self.move.after}, which AWS acknowledged, but {self.unread}"
        return f"{name} was sent to {self.move.after}, which AWS acknowledged, but is still {_at(self.now)}"


def _at(association: Association | None) -> str:
    return f"at {association}" if association else "associated with nothing"


def carry_out(
    moves: Iterable[AssociationChange],
    associate: Associate,
    read: Read,
    verify_timeout: float | None,
    *,
    permit: Permit = lambda _move: None,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> list[Outcome]:
    """Write every move that changes something, side by side; then, unless ``verify_timeout`` (seconds) is None, look.

    One outcome per address that had to move. A refusal of one never keeps the others from being carried out, and what
    another writer did after us is reported, not fought. A write that was not answered, or put off, is looked after in
    any case; ``permit`` is asked before it is sent again.
    """
    due = list({move.address.allocation_id: move for move in moves if move.changed}.values())
    outcomes = [Outcome(move, now=move.before) for move in due]
    _write(outcomes, associate, clock)
    uncertain = any(outcome.lost or outcome.error for outcome in outcomes if outcome.code in _PUT_OFF | {None})
    if outcomes and (verify_timeout is not None or uncertain):
        timeout = LANDING_SECONDS if verify_timeout is None else verify_timeout
        _follow(outcomes, associate, read, permit, clock() + timeout, clock, sleep)
    return outcomes


def _write(outcomes: Sequence[Outcome], associate: Associate, clock: Clock) -> None:
    sent = clock()
    answers = attempt_all([functools.partial(associate, outcome.move) for outcome in outcomes])
    for outcome, answer in zip(outcomes, answers, strict=True):
        outcome.note(answer, sent)


def _follow(
    outcomes: Sequence[Outcome],
    associate: Associate,
    read: Read,
    permit: Permit,
    deadline: float,
    clock: Clock,
    sleep: Sleep,
) -> None:
    """Read until every move is completed, or until ``deadline`` (caller's clock) and no write can arrive any more."""
    pause = PACE.first
    while True:
        looked = clock()
        _observe({o.move.address.allocation_id: o for o in outcomes if not o.completed or o.in_flight}, read)
        again = [outcome for outcome in outcomes if outcome.repeatable and looked < max(deadline, outcome.landed_by)]
        for outcome in again:
            outcome.withdrawn = permit(outcome.move)
        _write([outcome for outcome in again if not outcome.withdrawn], associate, clock)
        pending = [outcome for outcome in outcomes if not outcome.completed]
        end = max([*([deadline] if pending else []), *(outcome.landed_by for outcome in outcomes)], default=looked)
        if looked >= end:
            return
        sleep(max(0.0, min(pause, end - clock())))
        pause = min(pause * PACE.growth, PACE.longest)


def _observe(waiting: dict[str, Outcome], read: Read) -> None:
    try:
        observed = read(sorted(waiting)) if waiting else []
    except Failure as error:  # the moves are made: the next look may succeed, and if none does it is told
        for outcome in waiting.values():
            outcome.unread = error
        return
    for address in observed:
        if address.allocation_id in waiting:
            waiting[address.allocation_id].see(address)


def report(outcomes: Sequence[Outcome]) -> str | None:
    """Return None if every address arrived; else one message that names every address of the task."""
    missed = [outcome for outcome in outcomes if not outcome.arrived]
    if not missed:
        return None
    head = f"{len(missed)} of {len(outcomes)} Elastic IPs not where wanted: "
    return head + "; ".join(outcome.sentence() for outcome in (*missed, *(o for o in outcomes if o.arrived)))
