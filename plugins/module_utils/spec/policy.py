# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The policy by which a zone scales out and in: validated once, then frozen."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..distributors.registry import REGISTRY as DISTRIBUTORS
from .errors import PolicyError
from .metrics import WATCHED

#: The longest back-off after failures, in seconds, unless the policy's own cooldown is longer.
LONGEST_BACKOFF = 3600.0

#: A year: the upper bound of every time. Larger values are rejected as typing errors.
LONGEST_TIME = {"minutes": 525600.0, "seconds": 31536000.0}

_REQUIRED_TIMES = {"watch_time": "minutes", "cooldown": "minutes", "drain_timeout": "minutes"}
_KEYS = frozenset({"metrics", "interval", "ttl", "distributor", "min_nodes", "max_nodes", "step", *_REQUIRED_TIMES})
_HOLDS = 1e-9


@dataclass(frozen=True, slots=True)
class Limit:
    """The limits of one metric: above ``maximum`` scale-out, below ``minimum`` scale-in, exactly at one neither."""

    name: str
    minimum: float
    maximum: float

    @property
    def unit(self) -> str:
        return WATCHED[self.name].unit


@dataclass(frozen=True, slots=True)
class Policy:
    """``watch_time``, ``cooldown``, ``drain_timeout`` in minutes; ``interval``, ``ttl`` in seconds.

    ``distributor``: its name in the registry. ``ttl``: 0 where clients keep no answer.
    """

    metrics: tuple[Limit, ...]
    watch_time: float
    interval: float
    cooldown: float
    drain_timeout: float
    ttl: float
    distributor: str
    min_nodes: int
    max_nodes: int
    step: int

    @property
    def samples(self) -> int:
        """How many samples in a row the watch window holds."""
        return math.ceil(self.watch_time * 60 / self.interval - _HOLDS)

    @property
    def fingerprint(self) -> str:
        """Return eight characters that differ between policies with different decisions for the same samples.

        ``min_nodes``, ``max_nodes`` and ``step`` are no part of it: schedules and holds change them from tick to tick.
        """
        limits = ";".join(f"{limit.name}:{limit.minimum!r}:{limit.maximum!r}" for limit in self.metrics)
        times = (self.watch_time, self.interval, self.cooldown, self.drain_timeout, self.ttl)
        whole = f"{limits}|{times!r}|{self.distributor}"
        return hashlib.sha256(whole.encode()).hexdigest()[:8]

    @property
    def cached(self) -> bool:
        """Whether clients keep answers of the distributor for ``ttl``, so that a drain waits for it, too."""
        return DISTRIBUTORS[self.distributor].cached

    def backoff(self, failures: int) -> float:
        """Return the back-off in seconds after failures in a row: two intervals, doubled each time, bounded."""
        return backoff(self.interval, self.cooldown, failures)

    @classmethod
    def from_dict(cls, raw: object) -> Policy:
        """Return the validated policy. Raises :class:`PolicyError` that names everything that is wrong at once.

        A key whose value is None counts as not given. Numbers may come as text, the way surveys send them.
        """
        return _Reader(raw).read()


class _Reader:
    """Collect all complaints before raising, so that a user corrects a policy once."""

    def __init__(self, raw: object) -> None:
        if not isinstance(raw, Mapping):
            raise PolicyError(f"policy must be a dictionary, not {raw!r}")
        self.raw: dict[str, Any] = {str(key): value for key, value in raw.items() if value not in (None, "")}
        self.complaints: list[str] = []

    def read(self) -> Policy:
        unknown = sorted(self.raw.keys() - _KEYS)
        if unknown:
            self.complaints.append(f"{', '.join(unknown)}: no such key; known are {', '.join(sorted(_KEYS))}")
        metrics = self._metrics()
        interval = self._positive("interval", "seconds", default=60.0)
        times = {name: self._positive(name, unit) for name, unit in _REQUIRED_TIMES.items()}
        if 0 < times["watch_time"] * 60 < interval:
            self.complaints.append(
                f"watch_time {times['watch_time']:g} minutes is shorter than the interval of {interval:g} seconds: "
                "no sample would fit"
            )
        distributor = self._distributor()
        ttl = self._ttl(distributor)
        lowest, highest = self._nodes()
        step = self._whole("step", default=1)
        if self.complaints:
            raise PolicyError("policy: " + "; ".join(self.complaints))
        return Policy(
            metrics=metrics,
            interval=interval,
            ttl=ttl,
            distributor=distributor,
            min_nodes=lowest,
            max_nodes=highest,
            step=step,
            **times,
        )

    def _metrics(self) -> tuple[Limit, ...]:
        given = self.raw.get("metrics")
        if not isinstance(given, Mapping):
            self.complaints.append(f"metrics must name at least one of {', '.join(WATCHED)}, each with min and max")
            return ()
        named = {str(name): limits for name, limits in given.items() if limits is not None}
        if not named:
            self.complaints.append(f"metrics is empty; watch at least one of {', '.join(WATCHED)}")
        for name in sorted(named.keys() - WATCHED.keys()):
            self.complaints.append(f"metrics.{name}: no such metric; known are {', '.join(WATCHED)}")
        found = [self._limit(name, named[name]) for name in WATCHED if name in named]
        return tuple(limit for limit in found if limit)

    def _limit(self, name: str, given: object) -> Limit | None:
        where = f"metrics.{name}"
        if not isinstance(given, Mapping):
            self.complaints.append(f"{where} must be a dictionary with min and max, not {given!r}")
            return None
        unknown = sorted(str(key) for key in given if key not in ("min", "max"))
        if unknown:
            self.complaints.append(f"{where}.{', '.join(unknown)}: no such key; known are min, max")
        low, high = self._number(f"{where}.min", given.get("min")), self._number(f"{where}.max", given.get("max"))
        if low is None or high is None:
            return None
        if low < 0:
            self.complaints.append(f"{where}.min {low:g} is negative")
        elif high > WATCHED[name].highest:
            self.complaints.append(f"{where}.max {high:g} is above {WATCHED[name].highest:g}{WATCHED[name].unit}")
        elif low >= high:
            self.complaints.append(f"{where}: min {low:g} must be below max {high:g}")
        return Limit(name, low, high)

    def _number(self, where: str, given: object) -> float | None:
        if given is None or given == "":
            self.complaints.append(f"{where} is missing")
            return None
        try:
            return number(given)
        except ValueError:
            self.complaints.append(f"{where} must be a number, not {given!r}")
            return None

    def _positive(self, name: str, unit: str, default: float | None = None) -> float:
        if name not in self.raw and default is not None:
            return default
        value = self._number(name, self.raw.get(name))
        if value is not None and not 0 < value <= LONGEST_TIME[unit]:
            allowed = "more than 0" if value <= 0 else f"at most {LONGEST_TIME[unit]:g}"
            self.complaints.append(f"{name} must be {allowed} {unit}, not {value:g}")
        return value or 0.0

    def _whole(self, name: str, default: int | None = None) -> int:
        if name not in self.raw and default is not None:
            return default
        value = self._number(name, self.raw.get(name))
        if value is None:
            return 1
        if value != int(value) or value < 1:
            self.complaints.append(f"{name} must be a whole number of at least 1, not {value:g}")
            return 1
        return int(value)

    def _nodes(self) -> tuple[int, int]:
        before = len(self.complaints)
        lowest, highest = self._whole("min_nodes"), self._whole("max_nodes")
        if lowest > highest and len(self.complaints) == before:
            self.complaints.append(f"min_nodes {lowest} is above max_nodes {highest}")
        return lowest, highest

    def _distributor(self) -> str:
        given = self.raw.get("distributor")
        if isinstance(given, str) and given in DISTRIBUTORS:
            return given
        message = "is missing" if given is None else f"{given!r} is unknown"
        self.complaints.append(f"distributor {message}; it is one of {', '.join(DISTRIBUTORS)}")
        return ""

    def _ttl(self, distributor: str) -> float:
        """Return the TTL where clients keep answers. Without a known distributor nothing is checked."""
        entry = DISTRIBUTORS.get(distributor)
        if entry and entry.cached:
            ttl = self._positive("ttl", "seconds")
            if ttl % 1:
                self.complaints.append(f"ttl must be whole seconds, as a record has them, not {ttl:g}")
            return ttl
        if entry and "ttl" in self.raw:
            cached = " or ".join(each.name for each in DISTRIBUTORS.values() if each.cached)
            self.complaints.append(
                f"ttl is for the distributor {cached}; leave it out with {distributor}, which has no cached answers"
            )
        return 0.0


def backoff(interval: float, cooldown: float, failures: int) -> float:
    """Return the back-off in seconds after failures in a row. ``interval``: seconds; ``cooldown``: minutes."""
    return min(interval * 2.0 ** min(failures, 32), max(LONGEST_BACKOFF, cooldown * 60))


def number(given: object) -> float:
    """Parse a finite number or its text. Raises ValueError for other values (booleans, NaN, infinity)."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise ValueError(given)
    try:
        value = float(given)
    except OverflowError as error:
        raise ValueError(given) from error
    if not math.isfinite(value):
        raise ValueError(given)
    return value
