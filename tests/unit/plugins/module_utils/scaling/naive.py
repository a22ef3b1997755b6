"""The rules written down a second time, the naive way: a list of minutes, looked through from the end at each tick.

Knows nothing of the implementation. Ticks come on full minutes; ``again`` is a second tick in a minute.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Naive:
    limits: dict[str, tuple[float, float]]
    watch: int
    cooldown: int
    drain: int
    ttl: int
    min_nodes: int
    max_nodes: int
    step: int
    dns: bool
    samples: dict[int, dict[str, float | None] | None] = field(default_factory=dict)
    silent: dict[int, int] = field(default_factory=dict)
    observed: list[int] = field(default_factory=list)
    event: str | None = None
    begun: int = 0
    quiet_until: int = -1
    fresh_after: int = -1
    failures: int = 0

    def tick(self, minute: int, sample: dict[str, float | None] | None, nodes: int) -> tuple[str, int]:
        """Return (action, count); an open event answers with the action it is at."""
        again = minute in self.observed
        if not again:
            self.observed.append(minute)
        if self.event in ("scale_out", "deprovision"):
            return self.event, 0
        if self.event == "scale_in":
            last = self.begun + self.drain + (self.ttl if self.dns else 0)
            if again or minute <= last:
                return "none", 0
            self.event = "deprovision"
            return "deprovision", 0
        if again or minute <= self.quiet_until:
            return "none", 0
        self.samples[minute] = sample
        self.silent[minute] = nodes - int((sample or {}).get("nodes_reporting", nodes) or 0)
        if nodes < self.min_nodes:
            return self.open("scale_out", minute, self.min_nodes - nodes)
        return self.weigh(minute, nodes)

    def weigh(self, minute: int, nodes: int) -> tuple[str, int]:
        watched = range(minute - self.watch + 1, minute + 1)
        if watched[0] <= self.fresh_after:
            return "none", 0
        samples = [self.samples.get(each) or {} for each in watched]
        scales_out = any(
            all((value := each.get(name)) is not None and value > high for each in samples)
            for name, (_low, high) in self.limits.items()
        )
        shrinks = all(
            all((value := each.get(name)) is not None and value < low for each in samples)
            for name, (low, _high) in self.limits.items()
        ) and not any(self.silent.get(each, 0) for each in watched)
        if scales_out and nodes < self.max_nodes:
            return self.open("scale_out", minute, min(self.step, self.max_nodes - nodes))
        if shrinks and nodes > self.min_nodes:
            return self.open("scale_in", minute, min(self.step, nodes - self.min_nodes))
        return "none", 0

    def open(self, event: str, minute: int, count: int) -> tuple[str, int]:
        self.event, self.begun = event, minute
        return event, count

    def done(self, minute: int) -> None:
        if self.event == "scale_in":
            return
        if self.event == "scale_out":
            self.quiet_until = self.begun + self.cooldown
        self.event, self.failures = None, 0
        self.fresh_after = max(self.quiet_until, minute)

    def failed(self, minute: int) -> None:
        self.event = None
        self.failures += 1
        self.quiet_until = minute + min(2**self.failures, max(60, self.cooldown))
        self.fresh_after = self.quiet_until
