# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""State machine of one (group, zone): tick after tick on mutable state, fast enough to replay a year.

``evaluator`` wraps it into a pure function from record to record; ``replay`` drives it directly.
"""

from __future__ import annotations

import enum
import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..spec.errors import RecordError
from ..spec.policy import Policy
from ..spec.times import later
from . import events, reasons
from .decision import Decision
from .group_state import Action, Event, Grid, Phase, PhaseState, Record, Sample
from .levels import Levels

#: The longest claim on an event, in seconds. A run that works longer renews its claim.
CLAIM_SECONDS = 300.0

#: The name of a manual request that has none.
BY_HAND = "by hand"

_HOLDS = 1e-9
_BEFORE_ALL = -(1 << 60)

Values = Sequence[float | None]
#: An instant, its figures, whether they cover all nodes in service, and their code (see :mod:`.levels`).
Seen = tuple[float, Values, bool, int]

# Members of an Enum are slow to look up, and a year has half a million ticks.
_WATCHING, _COOLDOWN, _NONE = Phase.WATCHING, Phase.COOLDOWN, Action.NONE
_ceil = math.ceil

#: No code of a sample is known to change nothing.
_UNSTEADY = -1


class Outcome(enum.Enum):
    """What happened in a tick."""

    WATCHED = enum.auto()
    NO_SAMPLE = enum.auto()
    REPEATED = enum.auto()
    IN_PHASE = enum.auto()
    OPEN = enum.auto()
    RESUMED = enum.auto()
    AT_MAX = enum.auto()
    AT_MIN = enum.auto()
    ACTED = enum.auto()
    DEPROVISION = enum.auto()


_WATCHED, _IN_PHASE, _AT_MIN, _AT_MAX = Outcome.WATCHED, Outcome.IN_PHASE, Outcome.AT_MIN, Outcome.AT_MAX

#: The outcomes of a tick in which samples were weighed against limits.
EVALUATED = frozenset({Outcome.WATCHED, Outcome.NO_SAMPLE, Outcome.AT_MAX, Outcome.AT_MIN, Outcome.ACTED})


def slot_at(instant: float, interval: float, offset: float = 0.0) -> int:
    """Return the interval of an instant: the nearest; halfway between two, the earlier."""
    return math.ceil((instant - offset) / interval - 0.5)


class Engine:
    """Mutable between ``Engine(policy, record)`` and ``freeze()``; times in seconds since the epoch."""

    __slots__ = (
        "at",
        "event",
        "failures",
        "gap_at",
        "interval",
        "levels",
        "min_nodes",
        "needed",
        "nodes",
        "now",
        "offset",
        "origin",
        "outcome",
        "phase",
        "policy",
        "reason",
        "scale_in_streak",
        "scale_out_streaks",
        "sequence",
        "shown",
        "since",
        "since_slot",
        "slack",
        "slot",
        "steady",
        "until",
        "updated",
        "verdicts",
        "window",
    )

    def __init__(self, policy: Policy, record: Record) -> None:
        record = _rebased(record, policy.interval)
        grid = record.grid or Grid(policy.interval, _BEFORE_ALL, -math.inf)
        self.policy, self.origin = policy, record
        self.interval, self.needed, self.min_nodes = policy.interval, policy.samples, policy.min_nodes
        self.levels = Levels(policy.metrics)
        self.verdicts = self.levels.verdicts
        # Two ticks this near to one interval apart are neighbours, whatever the grid says.
        self.slack = policy.interval / 6
        self.slot, self.at, self.offset = grid.slot, grid.at, grid.offset
        self.updated = -math.inf if record.updated is None else record.updated
        self.phase, self.since_slot, self.until = record.phase.name, record.phase.since_slot, record.phase.until
        self.since = record.phase.since or 0.0
        self.event, self.sequence, self.failures = record.event, record.sequence, record.failures
        self.window: deque[Seen] = deque(maxlen=self.needed)
        self.scale_in_streak = 0
        self._forget()
        self.now = self.updated
        self.outcome, self.gap_at, self.nodes, self.reason = Outcome.IN_PHASE, _BEFORE_ALL, 0, ""
        self.shown: tuple[Sample, ...] = ()
        for sample in record.window[-self.needed :]:
            known = dict(sample.values)
            values = tuple(known.get(limit.name) for limit in policy.metrics)
            code = self.levels.of(values)
            self._count(code, sample.complete)
            self.window.append((sample.at, values, sample.complete, code))

    def tick(
        self,
        now: float,
        values: Values | None,
        nodes: int,
        owner: str = "",
        claim: float = CLAIM_SECONDS,
        complete: bool = True,
    ) -> Action:
        """Make one tick. A second tick of the same interval counts nothing; ``outcome`` says what happened.

        Args:
            now: The instant, in seconds since the epoch.
            values: The figures in the order of the policy's metrics; None: there is no sample.
            nodes: Nodes in service.
            owner: The run that is to carry out an action.
            claim: For how many seconds no other run may resume; 300 at most.
            complete: Whether the figures cover all nodes in service. If not, none of them is below its minimum.
        """
        code = self.levels.nothing if values is None else self.levels.of(values)
        return self.run(((now, values or (), complete, code),), nodes, owner, claim)

    def run(self, samples: Iterable[Seen], nodes: int, owner: str = "", claim: float = CLAIM_SECONDS) -> Action:
        """Make a tick for each sample until one of them acts; ``now`` is its instant then.

        A replay sends half a million samples through this loop. A complete sample with the code ``steady`` changes
        nothing but the window: each streak that it would lengthen is longer than the window already.
        """
        self.nodes, self.steady, interval = nodes, _UNSTEADY, self.interval
        now, action = self.updated, _NONE
        for sample in samples:
            now = sample[0]
            slot = _ceil((now - self.offset) / interval - 0.5)
            if slot != self.slot + 1:
                slot = self._place(slot, now)
            if slot <= self.slot:
                action = self._again(now, owner, claim)
            else:
                self.slot, self.at = slot, now
                if sample[3] == self.steady and sample[2]:
                    self.window.append(sample)
                    continue
                action = self._next(sample, owner, claim)
            if action is not _NONE:
                break
        self.now, self.updated = now, max(self.updated, now)
        return action

    def _next(self, sample: Seen, owner: str, claim: float) -> Action:
        """Make the first tick of an interval."""
        now, _values, complete, code = sample
        if self.phase is not _WATCHING:
            action = self._in_phase(now, owner, claim)
            if action is not None:
                return action
        if self.nodes < self.min_nodes:
            return self._repair(now, owner, claim)
        if code == self.levels.nothing:
            self._forget()
            self.outcome = Outcome.NO_SAMPLE
            return _NONE
        streak = self._count(code, complete)
        self.window.append(sample)
        self.outcome = _WATCHED
        action = self._breach(now, owner, claim) if streak >= self.needed else _NONE
        if action is _NONE and all(
            each == 0 or each >= self.needed for each in (self.scale_in_streak, *self.scale_out_streaks)
        ):
            self.steady = code
        return action

    def needs_figures(self, now: float) -> bool:
        """Return whether :meth:`tick` at this instant would weigh a sample; only for an engine that is thrown away.

        A tick of an interval that was seen already, and a tick in a phase that lasts, weigh nothing.
        """
        slot = _ceil((now - self.offset) / self.interval - 0.5)
        if slot != self.slot + 1:
            slot = self._place(slot, now)
        if slot <= self.slot:
            return False
        if self.phase is _COOLDOWN:
            return not self.lasts(self.until or 0.0, now, slot)
        return self.phase is _WATCHING

    def _place(self, slot: int, now: float) -> int:
        """Return the slot of a tick that does not follow its predecessor's on the grid."""
        if abs(now - self.at - self.interval) < self.slack:
            # Regular ticks of which the grid sees two in one interval or misses one: not due at its points.
            slot = self.slot + 1
            self.offset = round(now - slot * self.interval, 3)
        elif slot > self.slot:
            if self.window:
                self.gap_at = slot
            self._forget()
        return slot

    # -- watching ---------------------------------------------------------------------------------------------------

    def _count(self, code: int, complete: bool) -> int:
        """Lengthen or break each metric's streak above its maximum and the common one below all minima.

        A missing figure breaks both; figures that do not cover all nodes break the second. Returns the longest streak.
        """
        verdict, streaks = self.verdicts[code], self.scale_out_streaks
        self.scale_in_streak = self.scale_in_streak + 1 if verdict.low and complete else 0
        for at, high in enumerate(verdict.high):
            streaks[at] = streaks[at] + 1 if high else 0
        return max(self.scale_in_streak, *streaks)

    def _forget(self) -> None:
        """Restart the watch window."""
        self.window.clear()
        self.scale_out_streaks, self.scale_in_streak, self.steady = [0] * len(self.policy.metrics), 0, _UNSTEADY

    def _breach(self, now: float, owner: str, claim: float) -> Action:
        policy = self.policy
        if self.scale_in_streak >= self.needed:
            room, action, refusal = self.nodes - policy.min_nodes, Action.SCALE_IN, _AT_MIN
        else:
            room, action, refusal = policy.max_nodes - self.nodes, Action.SCALE_OUT, _AT_MAX
        if room <= 0:
            self.outcome = refusal
            return _NONE
        count = min(policy.step, room)
        return self._open(action, count, reasons.breach(self, action, count), now, owner, claim)

    def _repair(self, now: float, owner: str, claim: float) -> Action:
        count = self.min_nodes - self.nodes
        return self._open(Action.SCALE_OUT, count, reasons.repair(self, count), now, owner, claim)

    def by_hand(
        self,
        action: Action,
        count: int,
        reason: str,
        now: float,
        nodes: int,
        owner: str,
        claim: float,
        request: str,
    ) -> Action:
        """Open an event that no sample led to; its phases count from the interval of this instant."""
        slot = slot_at(now, self.interval, self.offset)
        if slot > self.slot:
            self.slot, self.at = slot, now
        self.updated, self.nodes = max(self.updated, now), nodes
        return self._open(action, count, reason, now, owner, claim, request or BY_HAND)

    def _open(
        self, action: Action, count: int, reason: str, now: float, owner: str, claim: float, request: str = ""
    ) -> Action:
        self.sequence += 1
        where = self.origin.group, self.origin.zone, self.sequence
        until = _claim(now, claim)
        self.event = event = events.opened(
            self.policy, where, action, count, self.nodes, now, reason, owner, until, request
        )
        is_scale_in = event.is_scale_in
        self.phase = Phase.DRAINING if is_scale_in else Phase.SCALING_OUT
        self.since, self.since_slot, self.until = now, self.slot, event.drain_until
        self.shown = self._samples()
        self._forget()
        self.outcome, self.reason = Outcome.ACTED, reason
        return action

    # -- in a phase -------------------------------------------------------------------------------------------------

    @property
    def open_event(self) -> Event:
        """The event, in a phase that has one."""
        if self.event is None:
            raise RecordError(f"phase {self.phase.value} without an event")
        return self.event

    def lasts(self, until: float, now: float, slot: int) -> bool:
        """Whether a phase that ends at ``until`` is in effect for this tick.

        Its length L counts in whole intervals from the tick that decided it, up to and including t + L, so that no
        tick is on the wrong side for being early or late; and it never is shorter than that on the clock.
        """
        whole = math.floor((until - self.since) / self.interval + _HOLDS)
        return slot - self.since_slot <= whole or now - self.since <= whole * self.interval

    def _in_phase(self, now: float, owner: str, claim: float) -> Action | None:
        """Return the action of a tick in a phase; None when the phase is over and samples count again."""
        if self.phase is _COOLDOWN:
            if self.lasts(self.until or 0.0, now, self.slot):
                self.outcome = _IN_PHASE
                return _NONE
            self.watch()
            return None
        if self.event is not None and self.event.stage is Action.SCALE_IN:
            return self._drain(now, owner, claim)
        return self._ask(now, owner, claim)

    def _drain(self, now: float, owner: str, claim: float) -> Action:
        event, self.outcome = self.open_event, Outcome.IN_PHASE
        if self.lasts(event.drain_until or event.decided_at, now, self.slot):
            if self._missed():
                return self._ask(now, owner, claim)
            return Action.NONE
        if self._missed():
            return self._drain_again(now, owner, claim)
        if event.ttl_until is not None and self.lasts(event.ttl_until, now, self.slot):
            self.phase, self.until = Phase.TTL, event.ttl_until
            return Action.NONE
        self.phase, self.until = Phase.DEPROVISIONING, None
        self.event = events.deprovisioning(event, owner, _claim(now, claim))
        self.outcome, self.reason = Outcome.DEPROVISION, reasons.deprovision(event, self.policy)
        return Action.DEPROVISION

    def _drain_again(self, now: float, owner: str, claim: float) -> Action:
        """Whether the drain deadline passed without a confirmed deregistration: restart the drain when an owner
        resumes.

        Otherwise nodes that still get clients would be removed.
        """
        action = self._ask(now, owner, claim)
        if action is not Action.NONE:
            self.event = events.drained_again(self.open_event, self.policy, now)
            self.until = self.event.drain_until
        return action

    def _missed(self) -> bool:
        """Return whether nodes that are to drain may still be in the distributor.

        Only an owner that announced itself can be missed: others report nothing before the deprovision.
        """
        event = self.event
        return self.phase is Phase.DRAINING and event is not None and event.announced and not event.released

    def _ask(self, now: float, owner: str, claim: float) -> Action:
        """Claim an open event: by its owner, or by another run once the owner's claim has expired."""
        event = self.open_event
        if owner != event.owner and now <= event.claimed_until:
            self.outcome = Outcome.OPEN
            return Action.NONE
        self.event = events.claimed(event, owner, _claim(now, claim))
        self.outcome = Outcome.RESUMED
        return event.stage

    def _again(self, now: float, owner: str, claim: float) -> Action:
        """Make a second tick of an interval: no sample counts, but an event may be resumed."""
        if self.phase in (Phase.SCALING_OUT, Phase.DEPROVISIONING) or self._missed():
            return self._ask(now, owner, claim)
        self.outcome = Outcome.IN_PHASE if self.phase is not Phase.WATCHING else Outcome.REPEATED
        return Action.NONE

    def watch(self) -> None:
        """Return to watching, with an empty window."""
        self.phase, self.since, self.since_slot, self.until, self.event = Phase.WATCHING, 0.0, 0, None, None
        self._forget()

    def finish(self) -> None:
        """Close the open event as done: cooldown after a scale-out, counted from its decision; else watching."""
        event, slot = self.open_event, self.since_slot
        self.failures = 0
        if event.stage is Action.SCALE_OUT:
            minutes = event.terms.cooldown if event.terms else self.policy.cooldown
            self.rest(event.decided_at, slot, later(event.decided_at, minutes * 60))
        else:
            self.watch()

    def rest(self, since: float, slot: int, until: float) -> None:
        """Evaluate nothing until then: the cooldown of an event, or the back-off after a failure."""
        self.watch()
        self.phase, self.since, self.since_slot, self.until = Phase.COOLDOWN, since, slot, until

    # -- out again --------------------------------------------------------------------------------------------------

    def _samples(self) -> tuple[Sample, ...]:
        names = [limit.name for limit in self.policy.metrics]
        return tuple(
            Sample(at, tuple(zip(names, values, strict=True)), complete) for at, values, complete, _code in self.window
        )

    def freeze(self) -> Record:
        """Return the record after the ticks made here."""
        observed = self.slot != _BEFORE_ALL
        watching = self.phase is Phase.WATCHING
        return replace(
            self.origin,
            updated=self.updated if math.isfinite(self.updated) else None,
            grid=Grid(self.interval, self.slot, self.at, self.offset) if observed else None,
            phase=PhaseState() if watching else PhaseState(self.phase, self.since, self.since_slot, self.until),
            event=self.event,
            window=self._samples(),
            sequence=self.sequence,
            failures=self.failures,
        )

    def decide(self, action: Action) -> Decision:
        """Return the decision of the last tick."""
        event = self.event
        return Decision(
            action=action,
            count=event.count if event and action is not Action.NONE else 0,
            reason=reasons.explain(self),
            evaluated=self.outcome in EVALUATED,
            event_id=event.id if event else None,
            phase=self.phase,
            phase_until=self.until,
            window=self.shown if self.outcome is Outcome.ACTED else self._samples(),
            resumed=self.outcome is Outcome.RESUMED,
            takeover=event.takeovers if event else None,
        )


def _claim(now: float, seconds: float) -> float:
    """Return until when an event is claimed."""
    return later(now, min(seconds, CLAIM_SECONDS))


def _rebased(record: Record, interval: float) -> Record:
    """Return the record on a grid of this interval: a policy that changed its interval starts a new window."""
    grid = record.grid
    if grid is None or grid.interval == interval:
        return record
    phase = record.phase
    slot = 0 if phase.since is None else slot_at(phase.since, interval)
    return replace(
        record,
        grid=Grid(interval, slot_at(grid.at, interval), grid.at),
        phase=replace(phase, since_slot=slot),
        window=(),
    )
