# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a tick decided, ready to be shown and acted upon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..spec.times import to_iso
from .group_state import Action, Phase, Record, Sample, sample_to_json


@dataclass(frozen=True, slots=True)
class Decision:
    """``count``: nodes to add or remove (0 for none). ``evaluated``: samples were weighed in this tick.

    ``phase`` on an acting tick is the one that begins; ``phase_until`` its last instant, None where a report ends it.
    ``window``: the samples that count, on a deciding tick those that led to the decision.
    ``resumed``: the action was decided before, its executor vanished or asks again; the event id is the same.
    """

    action: Action
    count: int
    reason: str
    evaluated: bool
    event_id: str | None
    phase: Phase
    phase_until: float | None
    window: tuple[Sample, ...]
    resumed: bool = False

    def to_json(self) -> dict[str, Any]:
        """The keys that modules return: decision, phase, phase_until, window."""
        return {
            "decision": {
                "action": self.action.value,
                "count": self.count,
                "reason": self.reason,
                "evaluated": self.evaluated,
                "event_id": self.event_id,
                "resumed": self.resumed,
            },
            "phase": self.phase.value,
            "phase_until": None if self.phase_until is None else to_iso(self.phase_until),
            "window": [sample_to_json(sample) for sample in self.window],
        }


def refused(record: Record, reason: str) -> Decision:
    """The answer for one who may not evaluate: nothing is to be done, and why."""
    return noted(record, record.event.id if record.event else None, reason)


def noted(record: Record, event_id: str | None, reason: str) -> Decision:
    """Nothing is to be done, and this is where the group stands."""
    return Decision(
        action=Action.NONE,
        count=0,
        reason=reason,
        evaluated=False,
        event_id=event_id,
        phase=record.phase.name,
        phase_until=record.phase.until,
        window=record.window,
    )
