# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carrying out the moves of Elastic IPs: all writes at once, then looks until AWS agrees. Effects are handed in."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ..aws.addresses import Address, Seat
from ..aws.errors import AwsError
from ..core.parallel import attempt_all
from ..core.waiting import Clock, Pace, Sleep, looks
from .elastic_ip_plan import Look, Move, judge

Associate = Callable[[Move], object]
Read = Callable[[Sequence[str]], Sequence[Address]]

PACE = Pace(first=0.1, growth=2.0, longest=2.0)
# EC2 is eventually consistent: a third place seen once may be a past one. Seen this often in a row, it is the truth.
SIGHTINGS = 3


@dataclass(slots=True)
class Outcome:
    """What became of one move. ``now``: the seat last seen; ``written``: AWS acknowledged our write."""

    move: Move
    written: bool = False
    error: AwsError | None = None
    now: Seat | None = None
    look: Look | None = None
    unread: AwsError | None = None
    sightings: Counter[Seat | None] = field(default_factory=Counter)

    @property
    def arrived(self) -> bool:
        return self.look is Look.ARRIVED or (self.written and self.look is None and self.unread is None)

    @property
    def settled(self) -> bool:
        """Whether another look would tell nothing new: it is there, it is clearly elsewhere, or AWS refused."""
        taken = self.look is Look.TAKEN and self.sightings[self.now] >= SIGHTINGS
        refused = self.error is not None and self.error.code is not None and self.look is not None
        return self.look is Look.ARRIVED or taken or refused

    def see(self, address: Address) -> None:
        now = address.seat
        if now != self.now:
            self.sightings.clear()
        self.sightings[now] += 1
        self.now, self.look, self.unread = now, judge(self.move, address), None
        if self.look is Look.ARRIVED and self.error is not None and self.error.code is None:
            self.written = True  # the answer to our write was lost, not the write

    def sentence(self) -> str:
        """Which address, what was wanted, what is."""
        name = self.move.address
        if self.arrived:
            return f"{name} is at {self.move.after}"
        if self.error is not None:
            return f"{name} was not moved: {self.error.sentence()} (it is {_at(self.now)})"
        if self.look is Look.TAKEN:
            return f"{name} was sent to {self.move.after} but another writer has put it to {self.now}"
        if self.unread is not None:
            return f"{name} was sent to {self.move.after}, which AWS acknowledged, but {self.unread.sentence()}"
        return f"{name} was sent to {self.move.after}, which AWS acknowledged, but is still {_at(self.now)}"


def _at(seat: Seat | None) -> str:
    return f"at {seat}" if seat else "associated with nothing"


def carry_out(
    moves: Iterable[Move],
    associate: Associate,
    read: Read,
    verify_timeout: float | None,
    *,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> list[Outcome]:
    """Write every move that changes something, side by side; then, unless ``verify_timeout`` (seconds) is None, look.

    One outcome per address that had to move. A refusal of one never keeps the others from being carried out, and what
    another writer did after us is reported, not fought.
    """
    due = list({move.address.allocation_id: move for move in moves if move.changed}.values())
    answers = attempt_all([functools.partial(associate, move) for move in due])
    outcomes = []
    for move, answer in zip(due, answers, strict=True):
        error = answer if isinstance(answer, AwsError) else None
        now = move.before if error else move.after
        outcomes.append(Outcome(move, written=error is None, error=error, now=now))
    if verify_timeout is not None and outcomes:
        _verify(outcomes, read, verify_timeout, clock, sleep)
    return outcomes


def _verify(outcomes: Sequence[Outcome], read: Read, timeout: float, clock: Clock, sleep: Sleep) -> None:
    for _left in looks(timeout, PACE, clock=clock, sleep=sleep):
        _look({o.move.address.allocation_id: o for o in outcomes if not o.settled}, read)
        if all(outcome.settled for outcome in outcomes):
            return


def _look(waiting: dict[str, Outcome], read: Read) -> None:
    try:
        seen = read(sorted(waiting))
    except AwsError as error:  # the moves are made: the next look may succeed, and if none does it is told
        for outcome in waiting.values():
            outcome.unread = error
        return
    for address in seen:
        waiting[address.allocation_id].see(address)


def report(outcomes: Sequence[Outcome]) -> str | None:
    """None if every address arrived; else one sentence that leaves no address of the task unnamed."""
    missed = [outcome for outcome in outcomes if not outcome.arrived]
    if not missed:
        return None
    head = f"{len(missed)} of {len(outcomes)} Elastic IPs not where wanted: "
    return head + "; ".join(outcome.sentence() for outcome in (*missed, *(o for o in outcomes if o.arrived)))
