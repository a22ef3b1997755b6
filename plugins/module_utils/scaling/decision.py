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
    ``resumed``: the action was decided by an earlier tick; the event id is the same.
    ``takeover``: how often the open event changed its owner; reports name it. None when no event is open.
    ``warnings``: what an operator should know besides.
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
    takeover: int | None = None
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the keys that modules return: decision, phase, phase_until, window."""
        return {
            "decision": {
                "action": self.action.value,
                "count": self.count,
                "reason": self.reason,
                "evaluated": self.evaluated,
                "event_id": self.event_id,
                "resumed": self.resumed,
                "takeover": self.takeover,
            },
            "phase": self.phase.value,
            "phase_until": None if self.phase_until is None else to_iso(self.phase_until),
            "window": [sample_to_json(sample) for sample in self.window],
        }


def refused(record: Record, reason: str, warnings: tuple[str, ...] = ()) -> Decision:
    """Return the answer for a run that may not evaluate: ``none``, and why."""
    return noted(record, record.event.id if record.event else None, reason, warnings)


def noted(record: Record, event_id: str | None, reason: str, warnings: tuple[str, ...] = ()) -> Decision:
    """Return the decision ``none`` with the state of the group."""
    return Decision(
        action=Action.NONE,
        count=0,
        reason=reason,
        evaluated=False,
        event_id=event_id,
        phase=record.phase.name,
        phase_until=record.phase.until,
        window=record.window,
        takeover=record.event.takeovers if record.event else None,
        warnings=warnings,
    )
