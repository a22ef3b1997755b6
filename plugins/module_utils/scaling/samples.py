# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Validation of samples: a figure for each metric, or none, and whether it covers every node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..spec.errors import SampleError
from ..spec.metrics import UNBOUNDED, WATCHED
from ..spec.policy import Policy

_NOTHING = frozenset({"", "none", "null", "nan", "inf", "-inf", "+inf", "infinity", "-infinity"})


def figure_or_none(name: str, given: Any) -> float | None:
    """Return a metric's figure; None for null, NaN, the sentinel, and what lies beyond the metric's bounds.

    Raises :class:`SampleError` for text that is no number, and for booleans: mistakes in the playbook.
    """
    if given is None or (isinstance(given, str) and given.strip().lower() in _NOTHING):
        return None
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise SampleError(f"sample.{name} must be a number or null, not {given!r}")
    try:
        value = float(given)
    except (ValueError, OverflowError) as error:
        raise SampleError(f"sample.{name} must be a number or null, not {given!r}") from error
    highest = WATCHED[name].highest if name in WATCHED else UNBOUNDED
    return value if 0 <= value <= highest else None


@dataclass(frozen=True, slots=True)
class Weighed:
    """The figures of a policy's metrics, in its order. ``complete``: they cover every node in service."""

    values: tuple[float | None, ...]
    complete: bool = True


def figures(policy: Policy, sample: object, nodes: int = 0) -> Weighed | None:
    """Return the policy's metrics out of a sample of a zone with this many nodes in service; None: no sample.

    Other keys are ignored. A sample that does not say how many nodes report is taken to cover all of them.
    """
    if sample is None:
        return None
    if not isinstance(sample, Mapping):
        raise SampleError(f"sample must be a dictionary of metrics, not {sample!r}")
    values = tuple(figure_or_none(limit.name, sample.get(limit.name)) for limit in policy.metrics)
    return Weighed(values, _complete(policy, sample, nodes))


def _complete(policy: Policy, sample: Mapping[str, Any], nodes: int) -> bool:
    """Return whether every watched figure is of all nodes: those that were asked, and those in service."""
    known = _count_or_none("sample.nodes_total", sample.get("nodes_total"))
    needed = max(known or 0, nodes)
    each = sample.get("figures_reporting")
    reporting = [_count_or_none("sample.nodes_reporting", sample.get("nodes_reporting"))]
    if isinstance(each, Mapping):
        names = [limit.name for limit in policy.metrics if limit.name in each]
        reporting += [_count_or_none(f"sample.figures_reporting.{name}", each[name]) for name in names]
    return all(number is None or number >= needed for number in reporting)


def _count_or_none(what: str, given: object) -> int | None:
    return None if given in (None, "") else node_count(given, what)


def all_figures(sample: Mapping[str, Any]) -> dict[str, float | None]:
    """Return every metric of a sample, for display: what cannot be read is missing."""
    found: dict[str, float | None] = {}
    for name in WATCHED:
        try:
            found[name] = figure_or_none(name, sample.get(name))
        except SampleError:
            found[name] = None
    return found


def reporting_of(sample: Mapping[str, Any]) -> float | None:
    """Return how many nodes report in a sample, for display; None where it does not say."""
    try:
        number = _count_or_none("sample.nodes_reporting", sample.get("nodes_reporting"))
    except SampleError:
        return None
    return None if number is None else float(number)


def node_count(given: object, what: str = "node_count") -> int:
    """Return how many nodes are in service, from a whole number of at least 0 or its text."""
    try:
        if isinstance(given, bool) or not isinstance(given, int | float | str):
            raise ValueError(given)
        value = float(given)
        if value != int(value) or value < 0:
            raise ValueError(given)
    except (ValueError, OverflowError) as error:
        raise SampleError(f"{what} must be a whole number of at least 0, not {given!r}") from error
    return int(value)
