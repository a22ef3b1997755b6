"""Calls that are held: they arrive, and wait until they are released or their time is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

KEYS = ("op", "count", "skip", "seconds", "when", "then")
LIMIT_SECONDS = 300.0
When = Literal["before", "after"]
Then = Literal["carry_out", "drop"]


@dataclass(frozen=True, slots=True)
class Hold:
    """Hold ``count`` calls of an operation, after ``skip`` others of it.

    ``op``: as the log of calls names it (``AssociateAddress``, ``GET /config/hanode``). ``when``: before it is carried
    out, or its answer after that. ``then``: carry it out (answer it), or break the connection. ``seconds``: at most.
    """

    op: str
    count: int = 1
    skip: int = 0
    seconds: float = 15.0
    when: When = "before"
    then: Then = "carry_out"


class Holds:
    """What is held now. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._plans: list[Hold] = []
        self._matched: dict[int, int] = {}
        self._held: list[str] = []
        self._epoch = 0

    def set(self, plans: tuple[Hold, ...]) -> None:
        """Hold what these say from now on, and release what earlier ones hold."""
        with self._changed:
            self._plans, self._matched = list(plans), {}
            self._epoch += 1
            self._changed.notify_all()

    def release(self) -> None:
        """Let the calls that are held now go on; later ones are held as planned."""
        with self._changed:
            self._epoch += 1
            self._changed.notify_all()

    def take(self, op: str) -> Hold | None:
        """Return the hold of a call that has arrived, or None."""
        with self._changed:
            for number, plan in enumerate(self._plans):
                if plan.op != op:
                    continue
                seen = self._matched[number] = self._matched.get(number, 0) + 1
                if plan.skip < seen <= plan.skip + plan.count:
                    return plan
        return None

    def wait(self, plan: Hold) -> None:
        """Block as long as the call is held."""
        deadline = time.monotonic() + plan.seconds
        with self._changed:
            epoch = self._epoch
            self._held.append(plan.op)
            try:
                while self._epoch == epoch and (left := deadline - time.monotonic()) > 0:
                    self._changed.wait(left)
            finally:
                self._held.remove(plan.op)

    def state(self) -> list[str]:
        """Return the operations of the calls that are held now."""
        with self._changed:
            return list(self._held)


def parse(given: Any) -> tuple[Hold, ...]:
    """Return the holds of a POST to /lab/faults. Raises ValueError with a message."""
    entries = given if isinstance(given, list) else [given]
    return tuple(_hold(entry) for entry in entries)


def _hold(given: Any) -> Hold:
    if not isinstance(given, Mapping) or not isinstance(given.get("op"), str) or not given["op"]:
        raise ValueError(f'hold takes {{"op": "AssociateAddress"}}, or a list of such, not {given!r}')
    unknown = sorted(set(given) - set(KEYS))
    if unknown:
        raise ValueError(f"hold: unknown key {', '.join(unknown)}: it takes {', '.join(KEYS)}")
    if given.get("when", "before") not in ("before", "after"):
        raise ValueError(f"hold.when must be before or after, not {given['when']!r}")
    if given.get("then", "carry_out") not in ("carry_out", "drop"):
        raise ValueError(f"hold.then must be carry_out or drop, not {given['then']!r}")
    for name, least in (("count", 1), ("skip", 0)):
        value = given.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"hold.{name} must be a whole number from {least}, not {value!r}")
    seconds = given.get("seconds", 15.0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= LIMIT_SECONDS:
        raise ValueError(f"hold.seconds must be a number above 0 and up to {LIMIT_SECONDS:g}, not {seconds!r}")
    return Hold(**given)
