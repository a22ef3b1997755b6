# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Load figures of an appliance (stat/ns): parsing that believes nothing, polling side by side, and the aggregate.

Fields and their traps: counters come as strings, rates and percentages as numbers; what an appliance cannot measure it
reports as the all-ones of an unsigned counter (``rescpuusagepcnt`` 4294967295 on a machine with one CPU).
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import fmean
from typing import Any

from ..core.parallel import gather

MAX_WORKERS = 32
SENTINEL = 2**32 - 1  # "not available", as the appliance writes it; nothing measured here comes near
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Figures:
    """One appliance's load. cpu, memory, cpu_management: percent; throughput: Mbit/s received plus sent."""

    cpu: float | None = None
    memory: float | None = None
    throughput: float | None = None
    connections: int | None = None
    cpu_management: float | None = None

    @property
    def reports(self) -> bool:
        """Whether any figure that counts for scaling is there."""
        return any(value is not None for value in (self.cpu, self.memory, self.throughput, self.connections))


@dataclass(frozen=True, slots=True)
class Reading:
    """What polling one appliance gave; ``error`` says which figures are missing and why."""

    nsip: str
    reachable: bool
    figures: Figures
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"nsip": self.nsip, "reachable": self.reachable, **asdict(self.figures), "error": self.error}


class Fields:
    """One stat reply, read field by field; what could not be believed is collected in ``problems``.

    Any other source of the same figures is to be read with it too: what is believed does not depend on who says it.
    """

    def __init__(self, reply: Mapping[str, Any]) -> None:
        self._reply = reply
        self.problems: list[str] = []

    def number(self, field: str, *, highest: float = SENTINEL - 1) -> float | None:
        """The field as a number from 0 to ``highest``, or None and a problem noted."""
        value = self._reply.get(field)
        number = tolerant_float(value)
        if number is None:
            self.problems.append(
                f"{field} is missing" if value is None else f"{field} is {_shown(value)}, not a number"
            )
        elif number == SENTINEL:
            self.problems.append(f"{field} is {SENTINEL}, which means not available")
            return None
        elif not 0 <= number <= highest:
            self.problems.append(f"{field} is {_shown(value)}, outside 0 to {highest:g}")
            return None
        return number

    def percent(self, field: str) -> float | None:
        return self.number(field, highest=100)


def _shown(value: object) -> str:
    """A value from outside in a message: as it came, but not at any length."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def tolerant_float(value: object) -> float | None:
    """``float(str(value))`` for what an appliance sends: None for anything that is not a finite decimal number.

    Booleans are no numbers here, nor are ``nan``, ``inf``, ``1_000`` or digits of other scripts.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value) if not isinstance(value, int) or abs(value) < 10**300 else ""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def parse_ns(reply: object) -> tuple[Figures, list[str]]:
    """The figures in the body of ``stat/ns``, given as an object or as a list of one, and what was wrong with it.

    Never raises: whatever cannot be believed is None, and the list says which field and why.
    """
    row = reply[0] if isinstance(reply, list) and reply else reply
    if not isinstance(row, Mapping) or not row:
        return Figures(), ["the reply to stat/ns holds no figures"]
    fields = Fields(row)
    received, sent = fields.number("rxmbitsrate"), fields.number("txmbitsrate")
    connections = fields.number("tcpcurclientconn")
    figures = Figures(
        cpu=fields.percent("pktcpuusagepcnt"),
        memory=fields.percent("memusagepcnt"),
        throughput=None if received is None or sent is None else round(received + sent, 6),
        connections=None if connections is None else round(connections),
        cpu_management=fields.percent("mgmtcpuusagepcnt"),
    )
    return figures, fields.problems


def reading_of(nsip: str, reply: object) -> Reading:
    figures, problems = parse_ns(reply)
    return Reading(nsip, True, figures, "; ".join(problems) or None)


# A probe polls one appliance and hands its reading over as soon as it has one, before it closes its session.
Probe = Callable[[str, Callable[[Reading], None]], None]


def poll(nsips: Sequence[str], probe: Probe, deadline: float) -> list[Reading]:
    """One reading an appliance, in the order asked. ``deadline``: seconds that any one of them may take in all.

    Up to 32 are polled at once. A probe that is late is given up (its thread is a daemon and does not outlive the
    process): a timeout on the socket alone would let an appliance that trickles bytes hold everything up.
    """
    return gather([partial(_poll_one, nsip, probe, deadline) for nsip in nsips], workers=MAX_WORKERS)


def _poll_one(nsip: str, probe: Probe, deadline: float) -> Reading:
    readings: list[Reading] = []
    worker = threading.Thread(target=probe, args=(nsip, readings.append), name=f"stat {nsip}", daemon=True)
    worker.start()
    worker.join(deadline)
    late = Reading(nsip, False, Figures(), f"{nsip}: no complete answer within {deadline:g} s")
    return next(iter(readings), late)


def aggregate(readings: Sequence[Reading]) -> dict[str, Any]:
    """Over the appliances that report: means of cpu and memory, sums of throughput and connections, None for none."""

    def known(name: str) -> list[float]:
        values = (getattr(reading.figures, name) for reading in readings)
        return [value for value in values if value is not None]

    cpu, memory = known("cpu"), known("memory")
    throughput, connections = known("throughput"), known("connections")
    return {
        "cpu": fmean(cpu) if cpu else None,
        "memory": fmean(memory) if memory else None,
        "throughput": round(math.fsum(throughput), 6) if throughput else None,
        "connections": sum(connections) if connections else None,
        "nodes_total": len(readings),
        "nodes_reporting": sum(reading.figures.reports for reading in readings),
    }
