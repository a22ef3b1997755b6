# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several sets of one group: read once, decide and check all of them before the first write, act side by side."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

from ..core.errors import Failure, Refusal
from ..core.parallel import attempt_all, gather
from .instance_plan import DesiredSet, ObservedSet, Plan, decide
from .instance_reading import read
from .instance_set import InstanceSet


def refuse_overlap(wants: Sequence[DesiredSet]) -> None:
    """Raise Refusal if an instance could belong to two sets."""
    for one, other in itertools.combinations(wants, 2):
        if one.instance_ids is not None and other.instance_ids is not None:
            shared = sorted(set(one.instance_ids) & set(other.instance_ids))
            if shared:
                raise Refusal(f"sets: {', '.join(shared)} is in more than one set")
        elif _compatible(one.zone, other.zone) and _compatible(one.node_id, other.node_id):
            raise Refusal(f"sets: {one.name} and {other.name} overlap; give each its own zone or node_id")


def _compatible(one: object, other: object) -> bool:
    return one is None or other is None or one == other


def observe(sets: Sequence[InstanceSet]) -> list[ObservedSet]:
    """Read once what all sets need."""
    if not sets:
        return []
    reading = read([each.desired for each in sets], sets[0].client)
    return [each.observe(reading) for each in sets]


def plan(sets: Sequence[InstanceSet], observed: Sequence[ObservedSet], *, lenient: bool) -> list[Plan]:
    """Decide for all sets, and refuse what cannot work for one of them; nothing is written."""
    plans = [decide(each.desired, state) for each, state in zip(sets, observed, strict=True)]
    together = sum(each.allocate for each in plans)
    gather(
        [
            functools.partial(each.prepare, due, state, lenient=lenient, together=together)
            for each, due, state in zip(sets, plans, observed, strict=True)
            if due.launch or due.allocate
        ]
    )
    return plans


def converge(sets: Sequence[InstanceSet], observed: Sequence[ObservedSet]) -> list[ObservedSet]:
    """Bring all sets about side by side. Raises Failure after all have ended; what failed is named for each set."""
    calls = [functools.partial(each.converge, state) for each, state in zip(sets, observed, strict=True)]
    outcomes = attempt_all(calls)
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise Failure("; ".join(map(str, failures)))
    return [outcome for outcome in outcomes if not isinstance(outcome, Failure)]
