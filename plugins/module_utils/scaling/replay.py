# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What policies would have done with recorded samples: the same engine, driven over the past.

The recorded figures are taken as they are, whatever the simulated number of nodes: a replay shows when a policy acts,
how often, and what it costs, not how the load would have spread. Work is linear in the samples, memory does not grow
with them (events apart, of which the latest ``keep`` are listed and all are counted).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from ..spec.errors import SampleError
from ..spec.policy import Policy
from ..spec.times import to_iso
from .engine import Engine, Outcome, Values
from .group_state import Action, Phase, Record
from .recordings import Recording

_NONE, _WATCHING, _RESUMED = Action.NONE, Phase.WATCHING, Outcome.RESUMED


@dataclass(frozen=True, slots=True)
class Options:
    """``nodes``: at the beginning (default: the policy's min_nodes); ``provision``: seconds until a growth is done."""

    nodes: int | None = None
    provision: float = 0.0
    keep: int = 1000


class Run:
    """One policy on its way through the samples."""

    def __init__(self, name: str, policy: Policy, metrics: tuple[str, ...], options: Options) -> None:
        missing = [limit.name for limit in policy.metrics if limit.name not in metrics]
        if missing:
            raise SampleError(
                f"policy {name} watches {', '.join(missing)}, of which the recording has nothing; it has "
                f"{', '.join(metrics)}"
            )
        places = [metrics.index(limit.name) for limit in policy.metrics]
        self.name, self.policy, self.options = name, policy, options
        self.same_figures = places == list(range(len(metrics)))
        self.pick = itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))
        self.engine = Engine(policy, Record("replay", name))
        self.maxima = [limit.maximum for limit in policy.metrics]
        self.nodes = policy.min_nodes if options.nodes is None else options.nodes
        self.most = self.fewest = self.nodes
        self.events: deque[dict[str, Any]] = deque(maxlen=options.keep)
        self.counts = dict.fromkeys((Action.SCALE_OUT, Action.SCALE_IN, Action.DEPROVISION), 0)
        self.above = self.flapping = 0
        self.node_seconds, self.counted_at = 0.0, 0.0
        self.grown_at: float | None = None

    def feed(self, rows: Sequence[tuple[float, Values]]) -> None:
        """A batch of samples. The loop that half a million samples go through; what happens rarely is elsewhere."""
        tick, maxima, above = self.engine.tick, self.maxima, 0
        for now, values in rows:
            for value, maximum in zip(values, maxima):  # noqa: B905
                if value is not None and value > maximum:
                    above += 1
                    break
            action = tick(now, values, self.nodes)
            if action is not _NONE:
                self._act(action, now)
        self.above += above

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
            self.grown_at = now
        elif action is Action.SCALE_IN and self.grown_at is not None:
            flaps = now - self.grown_at <= 2 * self.policy.cooldown * 60
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
        """Account for the nodes that ran until now."""
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
    """Every policy over the same samples: ``results`` in the order given, and what was replayed.

    A node-minute is a node for a minute from the first sample to one interval after the last. Minutes above a maximum
    count an interval for every sample in which a watched metric is above its maximum, whatever the phase.
    """
    runs = [Run(name, policy, recording.metrics, options or Options()) for name, policy in policies.items()]
    count, first, last = 0, 0.0, -float("inf")
    for batch in recording.batches:
        if not batch:
            continue
        if not count:
            first = last = batch[0][0]
            for run in runs:
                run.counted_at = first
        last = _in_order(batch, last, count)
        count += len(batch)
        for run in runs:
            run.feed(batch if run.same_figures else [(now, run.pick(values)) for now, values in batch])
    if not count:
        raise SampleError("the recording has no samples")
    for run in runs:
        run.pay(last + run.policy.interval)
    return {
        "results": [run.result() for run in runs],
        "samples": {"count": count, "first": to_iso(first), "last": to_iso(last), "metrics": list(recording.metrics)},
    }


def _in_order(batch: list[tuple[float, Any]], last: float, before: int) -> float:
    """The latest instant of a batch that begins after ``last``; oldest first is what a replay needs."""
    for number, (now, _ignored) in enumerate(batch, start=before + 1):
        if now < last:
            raise SampleError(
                f"sample {number}, of {to_iso(now)}, comes after one of {to_iso(last)}: oldest first, please"
            )
        last = now
    return last
