# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Replay of recorded samples: the engine of the ticks, driven over the past.

The recorded figures stay as they are, whatever the simulated number of nodes: a replay shows when a policy acts,
how often, and what it costs, not how the load would have spread. Work is linear in the samples; memory does not depend
with them (except for events, of which the latest ``keep`` are listed and all are counted).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from ..spec.errors import SampleError
from ..spec.policy import Policy
from ..spec.times import to_iso
from .engine import Engine, Outcome
from .group_state import Action, Record
from .recordings.base import Batch, Recording

_NONE, _RESUMED = Action.NONE, Outcome.RESUMED


@dataclass(frozen=True, slots=True)
class Options:
    """``nodes``: at the beginning (default: min_nodes of the policy); ``provision``: seconds that a scale-out takes."""

    nodes: int | None = None
    provision: float = 0.0
    keep: int = 1000


class Run:
    """One policy and its state on the way through the samples."""

    def __init__(self, name: str, policy: Policy, metrics: tuple[str, ...], options: Options) -> None:
        missing = [limit.name for limit in policy.metrics if limit.name not in metrics]
        if missing:
            raise SampleError(
                f"policy {name} watches {', '.join(missing)}, of which the recording has nothing; it has "
                f"{', '.join(metrics)}"
            )
        self.places = [metrics.index(limit.name) for limit in policy.metrics]
        self.name, self.policy, self.options = name, policy, options
        self.engine = Engine(policy, Record("replay", name))
        self.nodes = policy.min_nodes if options.nodes is None else options.nodes
        self.most = self.fewest = self.nodes
        self.events: deque[dict[str, Any]] = deque(maxlen=options.keep)
        self.counts = dict.fromkeys((Action.SCALE_OUT, Action.SCALE_IN, Action.DEPROVISION), 0)
        self.above = self.flapping = 0
        self.node_seconds, self.counted_at = 0.0, 0.0
        self.scaled_out_at: float | None = None

    def feed(self, batch: Batch) -> None:
        """Make a tick for each sample of the batch."""
        engine, columns = self.engine, [batch.columns[place] for place in self.places]
        codes = engine.levels.codes(columns)
        self.above += sum(number for code, number in Counter(codes).items() if engine.verdicts[code].above)
        covered = repeat(True) if batch.complete is None else batch.complete
        samples = zip(batch.instants, zip(*columns, strict=True), covered, codes)  # noqa: B905 (covered has no end)
        while (action := engine.run(samples, self.nodes)) is not _NONE:
            self._act(action, engine.now)

    def _act(self, action: Action, now: float) -> None:
        engine = self.engine
        event = engine.open_event
        if engine.outcome is not _RESUMED:
            self._note(action, now, event.id, event.count)
        if action is Action.SCALE_IN or now < event.decided_at + self.options.provision:
            return
        change = -event.count if action is Action.DEPROVISION else event.count
        self.pay(now)
        self.nodes += change
        self.most, self.fewest = max(self.most, self.nodes), min(self.fewest, self.nodes)
        engine.finish()

    def _note(self, action: Action, now: float, event_id: str, count: int) -> None:
        change = {Action.SCALE_OUT: count, Action.SCALE_IN: 0, Action.DEPROVISION: -count}[action]
        flaps = False
        if action is Action.SCALE_OUT:
            self.scaled_out_at = now
        elif action is Action.SCALE_IN and self.scaled_out_at is not None:
            flaps = now - self.scaled_out_at <= 2 * self.policy.cooldown * 60
        self.flapping += flaps
        self.counts[action] += 1
        self.events.append(
            {
                "at": to_iso(now),
                "event_id": event_id,
                "action": action.value,
                "count": count,
                "nodes_before": self.nodes,
                "nodes_after": self.nodes + change,
                "flapping": flaps,
                "reason": self.engine.reason,
            }
        )

    def pay(self, now: float) -> None:
        """Add the node seconds until now."""
        self.node_seconds += self.nodes * (now - self.counted_at)
        self.counted_at = now

    def result(self) -> dict[str, Any]:
        minutes = self.policy.interval / 60
        return {
            "name": self.name,
            "events": list(self.events),
            "events_left_out": sum(self.counts.values()) - len(self.events),
            "scale_outs": self.counts[Action.SCALE_OUT],
            "scale_ins": self.counts[Action.SCALE_IN],
            "deprovisions": self.counts[Action.DEPROVISION],
            "flapping": self.flapping,
            "node_minutes": round(self.node_seconds / 60, 3),
            "minutes_above_max": round(self.above * minutes, 3),
            "nodes_at_end": self.nodes,
            "most_nodes": self.most,
            "fewest_nodes": self.fewest,
            "phase_at_end": self.engine.phase.value,
        }


def replay(policies: Mapping[str, Policy], recording: Recording, options: Options | None = None) -> dict[str, Any]:
    """Run every policy over the same samples.

    A node-minute is a node for a minute from the first sample to one interval after the last. Minutes above a maximum
    count an interval for every sample in which a watched metric is above its maximum, whatever the phase.

    Returns:
        ``results`` in the order given, and ``samples``: what was replayed.
    """
    runs = [Run(name, policy, recording.metrics, options or Options()) for name, policy in policies.items()]
    count, first, last = 0, 0.0, -float("inf")
    for batch in recording.batches:
        instants = batch.instants
        if not instants:
            continue
        if not count:
            first = last = instants[0]
            for run in runs:
                run.counted_at = first
        _refuse_disorder(instants, last, count)
        count, last = count + len(instants), instants[-1]
        for run in runs:
            run.feed(batch)
    if not count:
        raise SampleError("the recording has no samples")
    for run in runs:
        run.pay(last + run.policy.interval)
    return {
        "results": [run.result() for run in runs],
        "samples": {"count": count, "first": to_iso(first), "last": to_iso(last), "metrics": list(recording.metrics)},
    }


def _refuse_disorder(instants: Sequence[float], last: float, before: int) -> None:
    """Raise :class:`SampleError` unless the samples of a batch that begins after ``last`` are in ascending order."""
    if instants[0] >= last and list(instants) == sorted(instants):
        return
    for number, now in enumerate(instants, start=before + 1):
        if now < last:
            raise SampleError(
                f"sample {number}, of {to_iso(now)}, comes after one of {to_iso(last)}: "
                "samples must be in ascending order of time"
            )
        last = now
