"""What is to go wrong, and when: injected latency, probabilities of faults, and the kill switch.

Decides only. The fault proxy carries out what is decided here, and ``killer`` does the killing.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tests.lab import holds

Kind = Literal["throttle", "error", "reset", "hang", "lose", "html", "truncate"]
KINDS: tuple[Kind, ...] = get_args(Kind)
When = Literal["before", "after"]
SIDES = ("aws", "nitro", "adm")
KEYS = (*SIDES, "seed", "kill_at", "pid", "when", "keep", "hold")
LATENCY_LIMIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL ``pid`` and its descendants at the ``at``-th write call, ``when``: before or after carrying it out."""

    at: int
    pid: int
    when: When


@dataclass(frozen=True, slots=True)
class Plan:
    """``chances``: side → kind → probability, 0 to 1. ``seed`` makes the draws repeatable for each side.

    ``keep``: the state after each write is kept, the n-th as ``<keep>/<n>``. ``hold``: calls that are held.
    """

    chances: Mapping[str, Mapping[str, float]]
    seed: int | None = None
    kill: Kill | None = None
    keep: str | None = None
    hold: tuple[holds.Hold, ...] = ()


NO_FAULTS = Plan({})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to happen to one call. ``number``: which write this is since faults were last set, 0 for a read.

    ``keep``: under which name the state is kept when it has been carried out.
    """

    fault: Kind | None
    number: int
    kill: Kill | None
    keep: str | None = None


class Faults:
    """The plan in effect and the count of writes since it was set. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plan = NO_FAULTS
        self._writes = 0
        self._killed: list[int] | None = None
        self._dice: dict[str, random.Random] = {}
        self.holds = holds.Holds()

    def set(self, plan: Plan) -> None:
        with self._lock:
            self._plan = plan
            self._writes = 0
            self._killed = None
            self._dice = {side: random.Random(None if plan.seed is None else f"{plan.seed}/{side}") for side in SIDES}
        self.holds.set(plan.hold)

    def verdict(self, side: str, write: bool) -> Verdict:
        """Count the call and decide about it. Each kill happens once."""
        with self._lock:
            if write:
                self._writes += 1
            kill = self._plan.kill
            if not (write and kill and self._writes == kill.at):
                kill = None
            keep = f"{self._plan.keep}/{self._writes}" if write and self._plan.keep else None
            return Verdict(self._draw(side), self._writes if write else 0, kill, keep)

    def killed(self, pids: list[int]) -> None:
        with self._lock:
            self._killed = pids

    def state(self) -> dict[str, Any]:
        with self._lock:
            kill = self._plan.kill
            return {
                "writes_seen": self._writes,
                "faults": {side: dict(chances) for side, chances in self._plan.chances.items()},
                "seed": self._plan.seed,
                "keep": self._plan.keep,
                "held": self.holds.state(),
                "kill": kill
                and {
                    "kill_at": kill.at,
                    "pid": kill.pid,
                    "when": kill.when,
                    "fired": self._killed is not None,
                    "killed": self._killed or [],
                },
            }

    def _draw(self, side: str) -> Kind | None:
        chances = self._plan.chances.get(side)
        if not chances:
            return None
        point = self._dice[side].random()
        for kind in KINDS:
            point -= chances.get(kind, 0.0)
            if point < 0:
                return kind
        return None


def parse(body: Mapping[str, Any]) -> Plan:
    """The plan in a POST to /lab/faults; ValueError with a sentence if it is not one."""
    unknown = sorted(set(body) - set(KEYS))
    if unknown:
        raise ValueError(f"unknown key {', '.join(unknown)}: faults take {', '.join(KEYS)}")
    seed = body.get("seed")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise ValueError(f"seed must be an integer, not {seed!r}")
    keep = body.get("keep")
    if keep is not None and (not isinstance(keep, str) or not keep):
        raise ValueError(f"keep must be a name, not {keep!r}")
    held = holds.parse(body["hold"]) if "hold" in body else ()
    return Plan({side: _chances(side, body[side]) for side in SIDES if side in body}, seed, _kill(body), keep, held)


def number(value: Any, name: str, *, least: float = 0.0, most: float = float("inf")) -> float:
    """A JSON number within limits; ValueError with a sentence otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        limits = f"from {least:g} to {most:g}" if most != float("inf") else f"from {least:g}"
        raise ValueError(f"{name} must be a number {limits}, not {value!r}")
    return float(value)


def _chances(side: str, given: Any) -> dict[str, float]:
    if not isinstance(given, Mapping):
        raise ValueError(f"{side} must be an object of probabilities, not {given!r}")
    unknown = set(given) - set(KINDS)
    if unknown:
        raise ValueError(f"{side}: unknown fault {', '.join(sorted(unknown))}: known are {', '.join(KINDS)}")
    chances: dict[str, float] = {
        kind: number(given[kind], f"{side}.{kind}", most=1.0) for kind in KINDS if kind in given
    }
    if sum(chances.values()) > 1.0 + 1e-9:
        raise ValueError(f"{side}: the probabilities add up to {sum(chances.values()):g}, which is above 1")
    return chances


def _kill(body: Mapping[str, Any]) -> Kill | None:
    if "kill_at" not in body and "pid" not in body and "when" not in body:
        return None
    at, pid, when = body.get("kill_at"), body.get("pid"), body.get("when", "before")
    if isinstance(at, bool) or not isinstance(at, int) or at < 1:
        raise ValueError(f"kill_at must be a whole number from 1, not {at!r}")
    if isinstance(pid, bool) or not isinstance(pid, int) or pid < 2:
        raise ValueError(f"pid must be a process id above 1, not {pid!r}")
    if when not in ("before", "after"):
        raise ValueError(f"when must be before or after, not {when!r}")
    return Kill(at, pid, when)
