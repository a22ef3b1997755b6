# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A sample as it arrives: a figure for each metric, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..spec.errors import SampleError
from ..spec.policy import PERCENTAGES, UNITS, Policy

#: What NITRO answers where it has no figure (an unsigned 32-bit -1; facts: rescpuusagepcnt).
SENTINEL = 4294967295.0

_NOTHING = frozenset({"", "none", "null", "nan", "inf", "-inf", "+inf", "infinity", "-infinity"})


def figure_or_none(name: str, given: Any) -> float | None:
    """A metric's figure; None where there is none to be trusted: null, NaN, the sentinel, a percentage beyond 0..100.

    Text that is no number, and booleans, are a mistake in the playbook: :class:`SampleError`.
    """
    if given is None or (isinstance(given, str) and given.strip().lower() in _NOTHING):
        return None
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise SampleError(f"sample.{name} must be a number or null, not {given!r}")
    try:
        value = float(given)
    except (ValueError, OverflowError) as error:
        raise SampleError(f"sample.{name} must be a number or null, not {given!r}") from error
    sound = 0 <= value < SENTINEL and (value <= 100 or name not in PERCENTAGES)
    return value if sound else None


def figures(policy: Policy, sample: object) -> tuple[float | None, ...] | None:
    """The policy's metrics out of a sample, in the policy's order; other keys are left alone. None: no sample."""
    if sample is None:
        return None
    if not isinstance(sample, Mapping):
        raise SampleError(f"sample must be a dictionary of metrics, not {sample!r}")
    return tuple(figure_or_none(limit.name, sample.get(limit.name)) for limit in policy.metrics)


def all_figures(sample: Mapping[str, Any]) -> dict[str, float | None]:
    """Every metric of a sample, watched or not, for those who only show them: what cannot be read is missing."""
    found: dict[str, float | None] = {}
    for name in UNITS:
        try:
            found[name] = figure_or_none(name, sample.get(name))
        except SampleError:
            found[name] = None
    return found


def node_count(given: object) -> int:
    """How many nodes are in service; a whole number of at least 0, or its text."""
    try:
        if isinstance(given, bool) or not isinstance(given, int | float | str):
            raise ValueError(given)
        value = float(given)
        if value != int(value) or value < 0:
            raise ValueError(given)
    except (ValueError, OverflowError) as error:
        raise SampleError(f"node_count must be a whole number of at least 0, not {given!r}") from error
    return int(value)
