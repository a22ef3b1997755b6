# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where the figures of a sample lie with respect to a policy's limits. Pure.

Each figure is low, between, high or missing; a sample is the number whose digits to base 4 are its figures. This is the
only place in which a figure is compared with a limit. It takes columns, so that a replay compares a whole column in C.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from itertools import repeat
from operator import add, ge, gt, mul
from typing import Any

from ..spec.policy import Limit

LOW, BETWEEN, HIGH, MISSING = range(4)

Column = Sequence["float | None"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a sample says.

    Args:
        high: Of each metric, whether it is above its maximum.
        low: Whether all metrics are below their minimum.
        above: Whether any metric is above its maximum.
    """

    high: tuple[bool, ...]
    low: bool
    above: bool


class Levels:
    """The limits of a policy, ready to be compared with."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._limits = tuple((limit.minimum, limit.maximum) for limit in limits)
        #: The sample that has no figure.
        self.nothing = 4 ** len(self._limits) - 1
        self.verdicts = _verdicts(len(self._limits))

    def of(self, values: Sequence[float | None]) -> int:
        """Return the code of one sample."""
        return self.codes([(value,) for value in values])[0]

    def codes(self, columns: Sequence[Column]) -> list[int]:
        """Return the codes of many samples: a column of figures for each metric."""
        digits = [_digits(column, *limits) for column, limits in zip(columns, self._limits, strict=True)]
        return list(reduce(lambda codes, more: map(add, map(mul, codes, repeat(4)), more), digits))


@cache
def _verdicts(metrics: int) -> tuple[Verdict, ...]:
    """Return the verdict of every code of a policy with this many metrics."""
    return tuple(_verdict(code, metrics) for code in range(4**metrics))


def _verdict(code: int, metrics: int) -> Verdict:
    digits = tuple(code >> 2 * place & 3 for place in reversed(range(metrics)))
    high, low = tuple(digit == HIGH for digit in digits), set(digits) == {LOW}
    return Verdict(high, low, any(high))


def _digits(column: Column, minimum: float, maximum: float) -> Iterable[int]:
    """Return LOW, BETWEEN, HIGH or MISSING for each figure; exactly at a limit is between."""
    if None in column:
        return [
            MISSING if value is None else (value >= minimum) + (value > maximum)  # the numbers of the levels
            for value in column
        ]
    figures: Any = column
    return map(add, map(ge, figures, repeat(minimum)), map(gt, figures, repeat(maximum)))
