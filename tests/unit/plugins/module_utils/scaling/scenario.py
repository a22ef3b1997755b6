"""The documented example, T1 to T33, as data, and what tests need to walk through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.policy import Policy
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.times import to_iso

#: T0, on a full minute.
BASE = 1772359200.0
HIGH, BETWEEN, LOW = 91.2, 60.0, 31.5


@dataclass(frozen=True)
class Row:
    """One minute: the figure (None: any will do), and what must come out."""

    minute: int
    memory: float | None
    action: str
    phase: str
    evaluated: bool

    def answer(self) -> tuple[str, str, bool]:
        return self.action, self.phase, self.evaluated


def rows(distributor: str) -> Iterator[Row]:
    """Yield the table of the contract for one distributor."""
    yield Row(1, HIGH, "none", "watching", True)
    yield Row(2, HIGH, "none", "watching", True)
    yield Row(3, BETWEEN, "none", "watching", True)
    yield Row(4, HIGH, "none", "watching", True)
    yield Row(5, HIGH, "none", "watching", True)
    yield Row(6, HIGH, "scale_out", "scaling_out", True)
    for minute in range(7, 17):
        yield Row(minute, None, "none", "cooldown", False)
    yield Row(17, BETWEEN, "none", "watching", True)
    yield Row(18, LOW, "none", "watching", True)
    yield Row(19, LOW, "none", "watching", True)
    yield Row(20, LOW, "scale_in", "draining", True)
    for minute in range(21, 31):
        yield Row(minute, None, "none", "draining", False)
    if distributor == "nlb":
        yield Row(31, None, "deprovision", "deprovisioning", False)
        yield Row(32, BETWEEN, "none", "watching", True)
    else:
        yield Row(31, None, "none", "ttl", False)
        yield Row(32, None, "deprovision", "deprovisioning", False)
    yield Row(33, BETWEEN, "none", "watching", True)


def policy_dict(distributor: str = "nlb", **changes: Any) -> dict[str, Any]:
    """Return the example's policy; ``changes`` replace keys, None takes one away."""
    ttl = {"ttl": 60} if distributor == "dns" else {}
    whole = {
        "metrics": {"memory": {"min": 40, "max": 85}},
        "watch_time": 3,
        "interval": 60,
        "cooldown": 10,
        "drain_timeout": 10,
        "distributor": distributor,
        "min_nodes": 2,
        "max_nodes": 6,
        **ttl,
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def policy(distributor: str = "nlb", **changes: Any) -> Policy:
    return Policy.from_dict(policy_dict(distributor, **changes))


def minute(number: float, jitter: float = 0.0) -> float:
    return round(BASE + 60 * number + jitter, 3)


def iso(number: float, jitter: float = 0.0) -> str:
    return to_iso(minute(number, jitter))


#: What stands in for "any" figure in the table.
ANYTHING: dict[str, Callable[[int], float | None]] = {
    "high": lambda _minute: 99.9,
    "low": lambda _minute: 1.0,
    "missing": lambda _minute: None,
    "mixed": lambda minute: (99.9, 1.0, None, 60.0)[minute % 4],
}
