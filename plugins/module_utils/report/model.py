# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a page shows, as data: independent of where it came from and of how it is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from ..scaling.group_state import Phase, Terms
from ..scaling.recordings.base import Batches, Recording
from ..spec.metrics import WATCHED
from ..spec.policy import Limit, Policy

#: An instant (seconds since the epoch) and a figure; None where it is missing.
Point = tuple[float, Optional[float]]  # noqa: UP045 (pylint evaluates it)
#: Metric to its points, oldest first.
Trails = Mapping[str, Sequence[Point]]

#: Parts of a drawing's width at which its axis of time begins and ends.
EDGES = (0.065, 0.9)

#: Stretches of time into which a long trail is thinned; a plot has about as many pixels.
STRETCHES = 720


@dataclass(frozen=True, slots=True)
class Series:
    """One metric over time, and the limits it is held against (None: not known)."""

    name: str
    points: tuple[Point, ...]
    limit: Limit | None = None

    @property
    def unit(self) -> str:
        return WATCHED[self.name].unit.strip()


@dataclass(frozen=True, slots=True)
class Span:
    """A phase in effect."""

    phase: Phase
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A scaling event. ``ended``: None while it is open. ``nodes``: before and after, None if unknown."""

    number: int
    at: float
    action: str
    count: int
    outcome: str
    reason: str
    message: str = ""
    ended: float | None = None
    nodes: tuple[int, int] | None = None

    @property
    def scales_out(self) -> bool:
        return self.action == "scale_out"


@dataclass(frozen=True, slots=True)
class Panel:
    """A zone, or a policy in a replay. ``nodes``: (instant, number of nodes from then on)."""

    name: str
    facts: tuple[tuple[str, str], ...]
    start: float
    end: float
    series: tuple[Series, ...]
    nodes: tuple[tuple[float, int], ...]
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    lead: str
    panels: tuple[Panel, ...]


class Trail:
    """One metric's samples, thinned as they come: memory is bounded whatever their number.

    Of every stretch of time the lowest and the highest figure are kept, so that no peak is lost. A stretch without any
    figure is a gap. Samples come oldest first.
    """

    def __init__(self, stretches: int = STRETCHES) -> None:
        self.most, self.width = stretches, 0.0
        self._done: list[Point] = []
        self._low: Point = (0.0, None)
        self._high: Point = (0.0, None)
        self._end = -math.inf

    def add(self, at: float, figure: float | None) -> None:
        if at >= self._end:
            self._next(at, figure)
        elif figure is None:
            return
        elif self._low[1] is None or self._high[1] is None:
            self._low = self._high = (at, figure)
        elif figure < self._low[1]:
            self._low = (at, figure)
        elif figure > self._high[1]:
            self._high = (at, figure)

    def _next(self, at: float, figure: float | None) -> None:
        """Begin a new stretch; when there are too many, join neighbours first."""
        self._done += self._last()
        if len(self._done) >= 4 * self.most:
            points, self._done = self._done, []
            self.width = max(2 * self.width, 2 * (at - points[0][0]) / self.most)
            self._end = -math.inf
            for earlier in points:
                self.add(*earlier)
            self.add(at, figure)
            return
        self._low = self._high = (at, figure)
        self._end = at + self.width

    def points(self) -> tuple[Point, ...]:
        """Return the kept points in order of time."""
        return (*self._done, *self._last())

    def _last(self) -> list[Point]:
        if self._end == -math.inf:
            return []
        return sorted({self._low, self._high}, key=lambda point: point[0])


def watched(recording: Recording, trails: dict[str, Trail]) -> Recording:
    """Yield the same recording and collect what passes in the trails, one for each metric."""
    takers = [trails.setdefault(name, Trail()).add for name in recording.metrics]

    def batches() -> Batches:
        for batch in recording.batches:
            for take, column in zip(takers, batch.columns, strict=True):
                for at, figure in zip(batch.instants, column, strict=True):
                    take(at, figure)
            yield batch

    return Recording(recording.metrics, batches())


def series_of(policy: Policy | None, trails: Trails, start: float, end: float) -> tuple[Series, ...]:
    """Return the watched metrics, then other metrics with figures, between start and end."""
    limits = {limit.name: limit for limit in policy.metrics} if policy else {}
    names = [name for name in WATCHED if name in limits or name in trails]
    names.sort(key=lambda name: name not in limits)
    return tuple(Series(name, _between(trails.get(name, ()), start, end), limits.get(name)) for name in names)


def _between(points: Iterable[Point], start: float, end: float) -> tuple[Point, ...]:
    return tuple(point for point in points if start <= point[0] <= end)


def clipped(spans: Iterable[Span], start: float, end: float) -> tuple[Span, ...]:
    """Return the parts of spans between start and end, in the order of time; each ends where the next begins."""
    ordered = sorted(spans, key=lambda span: span.start)
    following = [*(span.start for span in ordered), end][1:]
    cut = [
        Span(span.phase, max(span.start, start), min(span.end, after, end))
        for span, after in zip(ordered, following, strict=True)
    ]
    return tuple(span for span in cut if span.end > span.start)


def draining(policy: Policy | Terms | None, begun: float, ended: float) -> list[Span]:
    """Return the phases of a scale-in that was decided at ``begun`` and over at ``ended``."""
    if policy is None:
        return [Span(Phase.DRAINING, begun, ended)]
    drained = min(begun + policy.drain_timeout * 60, ended)
    forgotten = min(drained + policy.ttl, ended)
    return [
        Span(Phase.DRAINING, begun, drained),
        Span(Phase.TTL, drained, forgotten),
        Span(Phase.DEPROVISIONING, forgotten, ended),
    ]
