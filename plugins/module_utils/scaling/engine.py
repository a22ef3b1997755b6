# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The clockwork of one (group, zone): one tick after another on mutable state, quick enough to replay a year.

``evaluator`` wraps it into a pure function from record to record; ``replay`` drives it directly.
"""

from __future__ import annotations

import enum
import hashlib
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from ..spec.errors import RecordError
from ..spec.policy import Distributor, Policy
from ..spec.times import later, to_iso
from . import reasons as sentences
from .decision import Decision
from .group_state import Action, Event, Grid, Phase, PhaseState, Record, Sample

#: How long, in seconds, an event belongs to its executor without a sign of life, unless told otherwise.
LEASE_SECONDS = 300.0

#: The name of a request that has none.
BY_HAND = "by hand"

_HOLDS = 1e-9
_BEFORE_ALL = -(1 << 60)

Values = Sequence[float | None]

# Members of an Enum are slow to look up, and a year has half a million ticks.
_WATCHING, _COOLDOWN, _NONE = Phase.WATCHING, Phase.COOLDOWN, Action.NONE
_ceil = math.ceil
_NOTHING_SEEN = -1


class Outcome(enum.Enum):
    """Why a tick came out as it did."""

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


_WATCHED, _IN_PHASE = Outcome.WATCHED, Outcome.IN_PHASE

#: The outcomes of a tick in which samples were weighed against limits.
EVALUATED = frozenset({Outcome.WATCHED, Outcome.NO_SAMPLE, Outcome.AT_MAX, Outcome.AT_MIN, Outcome.ACTED})


def slot_at(instant: float, interval: float, offset: float = 0.0) -> int:
    """The interval an instant belongs to: the nearest; halfway between two, the earlier."""
    return math.ceil((instant - offset) / interval - 0.5)


def event_id(group: str, zone: str, decided_at: float, sequence: int) -> str:
    """Unique for the event and the same whenever computed; ASCII, and at most 48 long: fit for a ClientToken."""
    where = hashlib.sha256(f"{group}\0{zone}".encode()).hexdigest()[:12]
    when = to_iso(math.floor(decided_at)).replace("-", "").replace(":", "")
    return f"adc-{when}-{sequence}-{where}"


class Engine:
    """Mutable between ``Engine(policy, record)`` and ``freeze()``; times in seconds since the epoch."""

    __slots__ = (
        "at",
        "event",
        "failures",
        "gap_at",
        "grow_streaks",
        "interval",
        "limits",
        "min_nodes",
        "needed",
        "nodes",
        "offset",
        "origin",
        "outcome",
        "phase",
        "policy",
        "reason",
        "sequence",
        "shown",
        "shrink_streak",
        "since",
        "since_slot",
        "slack",
        "slot",
        "until",
        "updated",
        "window",
    )

    def __init__(self, policy: Policy, record: Record) -> None:
        record = _rebased(record, policy.interval)
        grid = record.grid or Grid(policy.interval, _BEFORE_ALL, -math.inf)
        self.policy, self.origin = policy, record
        self.interval, self.needed, self.min_nodes = policy.interval, policy.samples, policy.min_nodes
        self.limits = tuple((limit.minimum, limit.maximum) for limit in policy.metrics)
        # Two ticks this near to one interval apart are neighbours, whatever the grid says.
        self.slack = policy.interval / 6
        self.slot, self.at, self.offset = grid.slot, grid.at, grid.offset
        self.updated = -math.inf if record.updated is None else record.updated
        self.phase, self.since_slot, self.until = record.phase.name, record.phase.since_slot, record.phase.until
        self.since = record.phase.since or 0.0
        self.event, self.sequence, self.failures = record.event, record.sequence, record.failures
        self.window: deque[tuple[float, Values]] = deque(maxlen=self.needed)
        self.grow_streaks, self.shrink_streak = [0] * len(self.limits), 0
        self.outcome, self.gap_at, self.nodes, self.reason = Outcome.IN_PHASE, _BEFORE_ALL, 0, ""
        self.shown: tuple[Sample, ...] = ()
        for sample in record.window[-self.needed :]:
            known = dict(sample.values)
            values = tuple(known.get(limit.name) for limit in policy.metrics)
            self._count(values)
            self.window.append((sample.at, values))

    def tick(
        self, now: float, values: Values | None, nodes: int, owner: str = "", lease: float = LEASE_SECONDS
    ) -> Action:
        """One look at the group. ``values`` in the order of the policy's metrics; None: there is no sample.

        ``outcome`` and ``explain()`` tell why. A tick that belongs to an interval already seen counts nothing.
        """
        slot = _ceil((now - self.offset) / self.interval - 0.5)
        if slot != self.slot + 1:
            slot = self._place(slot, now)
            if slot <= self.slot:
                return self._again(now, nodes, owner, lease)
        self.slot, self.at, self.nodes = slot, now, nodes
        if now > self.updated:
            self.updated = now
        if self.phase is not _WATCHING:
            action = self._in_phase(now, owner, lease)
            if action is not None:
                return action
        if nodes < self.min_nodes:
            return self._repair(now, owner, lease)
        streak = _NOTHING_SEEN if values is None else self._count(values)
        if values is None or streak == _NOTHING_SEEN:
            self._forget()
            self.outcome = Outcome.NO_SAMPLE
            return _NONE
        self.window.append((now, values))
        if streak >= self.needed:
            return self._breach(now, owner, lease)
        self.outcome = _WATCHED
        return _NONE

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
        """The slot of a tick that does not follow its predecessor's on the grid."""
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

    def _count(self, values: Values) -> int:
        """Lengthen or break each metric's streak above its maximum and the common one below all minima.

        A missing figure breaks both. Returns the longest streak; _NOTHING_SEEN when all figures are missing.
        """
        streaks, low, longest, at = self.grow_streaks, True, _NOTHING_SEEN, 0
        for minimum, maximum in self.limits:
            value = values[at]
            if value is None:
                streaks[at], low = 0, False
            elif value > maximum:
                streaks[at] = streak = streaks[at] + 1
                low = False
                if streak > longest:
                    longest = streak
            else:
                streaks[at] = 0
                if value >= minimum:
                    low = False
                if longest < 0:
                    longest = 0
            at += 1  # noqa: SIM113 (enumerate would make a tuple a figure)
        if low:
            self.shrink_streak += 1
            return self.shrink_streak
        self.shrink_streak = 0
        return longest

    def _forget(self) -> None:
        """The window starts again."""
        self.window.clear()
        self.grow_streaks, self.shrink_streak = [0] * len(self.limits), 0

    def _breach(self, now: float, owner: str, lease: float) -> Action:
        nodes, policy = self.nodes, self.policy
        if self.shrink_streak >= self.needed:
            count, action, refusal = min(policy.step, nodes - policy.min_nodes), Action.SCALE_IN, Outcome.AT_MIN
        else:
            count, action, refusal = min(policy.step, policy.max_nodes - nodes), Action.SCALE_OUT, Outcome.AT_MAX
        if count <= 0:
            self.outcome = refusal
            return Action.NONE
        return self._open(action, count, sentences.breach(self, action, count), now, owner, lease)

    def _repair(self, now: float, owner: str, lease: float) -> Action:
        count = self.min_nodes - self.nodes
        return self._open(Action.SCALE_OUT, count, sentences.repair(self, count), now, owner, lease)

    def by_hand(
        self,
        action: Action,
        count: int,
        reason: str,
        now: float,
        nodes: int,
        owner: str,
        lease: float,
        request: str,
    ) -> Action:
        """Open an event that no sample led to; its phases count from the interval of this instant."""
        slot = slot_at(now, self.interval, self.offset)
        if slot > self.slot:
            self.slot, self.at = slot, now
        self.updated, self.nodes = max(self.updated, now), nodes
        return self._open(action, count, reason, now, owner, lease, request or BY_HAND)

    def _open(
        self, action: Action, count: int, reason: str, now: float, owner: str, lease: float, request: str = ""
    ) -> Action:
        policy, shrinks = self.policy, action is Action.SCALE_IN
        self.sequence += 1
        drain_until = later(now, policy.drain_timeout * 60) if shrinks else None
        waits_ttl = drain_until is not None and policy.distributor is Distributor.DNS
        self.event = Event(
            id=event_id(self.origin.group, self.origin.zone, now, self.sequence),
            stage=action,
            count=count,
            nodes_before=self.nodes,
            decided_at=now,
            reason=reason,
            owner=owner,
            claimed_until=later(now, lease),
            drain_until=drain_until,
            ttl_until=later(drain_until, policy.ttl) if drain_until is not None and waits_ttl else None,
            request=request,
        )
        self.phase = Phase.DRAINING if shrinks else Phase.SCALING_OUT
        self.since, self.since_slot, self.until = now, self.slot, drain_until
        self.shown = self._samples()
        self._forget()
        self.outcome, self.reason = Outcome.ACTED, reason
        return action

    # -- in a phase -------------------------------------------------------------------------------------------------

    @property
    def open_event(self) -> Event:
        """The event, where a phase says that there is one."""
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

    def _in_phase(self, now: float, owner: str, lease: float) -> Action | None:
        """What a tick in a phase does; None when the phase turns out to be over and samples count again."""
        if self.phase is _COOLDOWN:
            if self.lasts(self.until or 0.0, now, self.slot):
                self.outcome = _IN_PHASE
                return _NONE
            self.watch()
            return None
        if self.event is not None and self.event.stage is Action.SCALE_IN:
            return self._drain(now, owner, lease)
        return self._ask(now, owner, lease)

    def _drain(self, now: float, owner: str, lease: float) -> Action:
        event, self.outcome = self.open_event, Outcome.IN_PHASE
        if self.lasts(event.drain_until or event.decided_at, now, self.slot):
            if self._missed():
                return self._ask(now, owner, lease)
            return Action.NONE
        if self._missed():
            return self._drain_anew(now, owner, lease)
        if event.ttl_until is not None and self.lasts(event.ttl_until, now, self.slot):
            self.phase, self.until = Phase.TTL, event.ttl_until
            return Action.NONE
        self.phase, self.until = Phase.DEPROVISIONING, None
        claim = later(now, lease)
        self.event = replace(
            event, stage=Action.DEPROVISION, owner=owner, claimed_until=claim, announced=False, released=True
        )
        self.outcome, self.reason = Outcome.DEPROVISION, sentences.deprovision(event, self.policy)
        return Action.DEPROVISION

    def _drain_anew(self, now: float, owner: str, lease: float) -> Action:
        """The time of a drain is over that, as far as anybody said, never began: it counts from when somebody goes on.

        Else nodes that clients are still sent to would be removed.
        """
        action = self._ask(now, owner, lease)
        if action is not Action.NONE:
            drain_until = later(now, self.policy.drain_timeout * 60)
            waits_ttl = self.open_event.ttl_until is not None
            self.until = drain_until
            self.event = replace(
                self.open_event,
                drain_until=drain_until,
                ttl_until=later(drain_until, self.policy.ttl) if waits_ttl else None,
            )
        return action

    def _missed(self) -> bool:
        """Whether nodes that are to drain may still be in the distributor.

        Only an executor that announced itself can be missed: others report nothing before the deprovision.
        """
        event = self.event
        return self.phase is Phase.DRAINING and event is not None and event.announced and not event.released

    def _ask(self, now: float, owner: str, lease: float) -> Action:
        """Somebody asks while an event is open: its executor, or one who goes on when that one gave no sign of life."""
        event = self.open_event
        if owner != event.owner and now <= event.claimed_until:
            self.outcome = Outcome.OPEN
            return Action.NONE
        takeovers = event.takeovers + (owner != event.owner)
        self.event = replace(event, owner=owner, claimed_until=later(now, lease), takeovers=takeovers)
        self.outcome = Outcome.RESUMED
        return event.stage

    def _again(self, now: float, nodes: int, owner: str, lease: float) -> Action:
        """A tick of an interval that was seen already: nothing counts, but an event may be gone on with."""
        self.nodes = nodes
        if now > self.updated:
            self.updated = now
        if self.phase in (Phase.SCALING_OUT, Phase.DEPROVISIONING) or self._missed():
            return self._ask(now, owner, lease)
        self.outcome = Outcome.IN_PHASE if self.phase is not Phase.WATCHING else Outcome.REPEATED
        return Action.NONE

    def watch(self) -> None:
        """Phases are over: an empty window."""
        self.phase, self.since, self.since_slot, self.until, self.event = Phase.WATCHING, 0.0, 0, None, None
        self._forget()

    def finish(self) -> None:
        """The open event is done: a growth goes on to its cooldown, counted from the decision, a shrinking is over."""
        event, slot = self.open_event, self.since_slot
        self.failures = 0
        if event.stage is Action.SCALE_OUT:
            self.rest(event.decided_at, slot, later(event.decided_at, self.policy.cooldown * 60))
        else:
            self.watch()

    def rest(self, since: float, slot: int, until: float) -> None:
        """Let nothing be evaluated until then: the cooldown of an event, or the back-off after a failure."""
        self.watch()
        self.phase, self.since, self.since_slot, self.until = Phase.COOLDOWN, since, slot, until

    # -- out again --------------------------------------------------------------------------------------------------

    def _samples(self) -> tuple[Sample, ...]:
        names = [limit.name for limit in self.policy.metrics]
        return tuple(Sample(at, tuple(zip(names, values, strict=True))) for at, values in self.window)

    def freeze(self) -> Record:
        """The record after what happened here."""
        seen = self.slot != _BEFORE_ALL
        watching = self.phase is Phase.WATCHING
        return replace(
            self.origin,
            updated=self.updated if math.isfinite(self.updated) else None,
            grid=Grid(self.interval, self.slot, self.at, self.offset) if seen else None,
            phase=PhaseState() if watching else PhaseState(self.phase, self.since, self.since_slot, self.until),
            event=self.event,
            window=self._samples(),
            sequence=self.sequence,
            failures=self.failures,
        )

    def decide(self, action: Action) -> Decision:
        """What the last tick means, in full."""
        event = self.event
        return Decision(
            action=action,
            count=event.count if event and action is not Action.NONE else 0,
            reason=sentences.explain(self),
            evaluated=self.outcome in EVALUATED,
            event_id=event.id if event else None,
            phase=self.phase,
            phase_until=self.until,
            window=self.shown if self.outcome is Outcome.ACTED else self._samples(),
            resumed=self.outcome is Outcome.RESUMED,
        )


def _rebased(record: Record, interval: float) -> Record:
    """The record on a grid of this interval: a policy that changed its interval starts a new window."""
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
