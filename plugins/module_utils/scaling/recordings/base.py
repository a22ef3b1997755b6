# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What all forms of a recording have in common: samples in batches, and the columns that they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ...spec.errors import SampleError
from ...spec.metrics import UNBOUNDED, WATCHED

Figures: TypeAlias = "tuple[float | None, ...]"

#: How many nodes there were and how many reported; names under which a recording may have them.
COVERAGE: dict[str, tuple[str, ...]] = {
    "nodes_total": ("nodes_total", "nodes"),
    "nodes_reporting": ("nodes_reporting",),
}
#: Names under which a recording may have its instants.
INSTANTS = ("timestamp", "time", "at", "date", "datetime", "sampled_at", "_time")

#: Samples in a batch.
BATCH = 4096


@dataclass(slots=True)
class Batch:
    """Some thousand samples, column by column.

    Args:
        instants: Seconds since the epoch.
        columns: The figures of each metric, in the order of the recording's metrics.
        complete: Whether the figures cover all nodes; None: all of them do.
    """

    instants: Sequence[float]
    columns: Sequence[Sequence[float | None]]
    complete: Sequence[bool] | None = field(default=None)

    @classmethod
    def of_rows(cls, rows: Sequence[tuple[float, Figures]]) -> Batch:
        """Return the batch of these rows."""
        return cls([now for now, _figures in rows], list(zip(*(figures for _now, figures in rows), strict=True)))

    def rows(self) -> Iterator[tuple[float, Figures]]:
        """Yield the samples one by one."""
        return zip(self.instants, zip(*self.columns, strict=True), strict=True)


Batches = Iterator[Batch]


@dataclass(frozen=True, slots=True)
class Recording:
    """``metrics``: which figures a sample has, in the order of the registry."""

    metrics: tuple[str, ...]
    batches: Batches


Columns: TypeAlias = Mapping[str, tuple[str, ...]]


def present(desired: Columns, there: Sequence[str]) -> dict[str, str]:
    """Return the desired columns that are there, by their names there."""
    return {name: known for name, others in desired.items() if (known := next((o for o in others if o in there), None))}


def metrics_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return the metrics among these columns."""
    return tuple(name for name in names if name in WATCHED)


def batch_of(names: Sequence[str], instants: Sequence[float], columns: Sequence[Sequence[float | None]]) -> Batch:
    """Return the batch of these columns, those of the number of nodes among them."""
    known = dict(zip(names, columns, strict=True))
    total, reporting = known.pop("nodes_total", None), known.pop("nodes_reporting", None)
    complete = None
    if total is not None and reporting is not None:
        complete = [
            some is None or whole is None or some >= whole for some, whole in zip(reporting, total, strict=True)
        ]
    return Batch(instants, list(known.values()), complete)


def bound_of(name: str) -> float:
    """Return the highest possible figure of a column."""
    return WATCHED[name].highest if name in WATCHED else UNBOUNDED


def require_metric(found: Sequence[str], there: Sequence[str]) -> None:
    """Raise SampleError if no metric is found; ``there``: the columns that the recording has."""
    if not metrics_of(found):
        raise SampleError(
            f"the recording has none of {', '.join(WATCHED)} but {', '.join(there)}; metric_names maps them"
        )


def numbers_of(given: list[Any], bound: float) -> Sequence[float | None]:
    """Return figures from 0 to ``bound``, None for null and what lies beyond. TypeError for what is no number."""
    if any(isinstance(value, str | bool) for value in given):
        raise TypeError
    return [float(value) if value is not None and 0 <= value <= bound else None for value in given]
