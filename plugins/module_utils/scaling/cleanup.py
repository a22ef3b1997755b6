# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Cleanup of what failed events left behind, once the zone watches again.

A failed scale-out leaves nodes that never came into service. The next scale-out completes them; they are removed when
a whole window has passed without one. A failed scale-in leaves nodes that are draining. They leave the distributor at
once, and are removed after the drain time of an ordinary event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..spec.policy import Policy
from .decision import Decision
from .group_state import Action, Phase, Record, Terms, Unfinished


@dataclass(frozen=True, slots=True)
class Orphans:
    """``action``: scale_in (out of the distributor) or deprovision (remove them) what the event ``event_id`` left."""

    event_id: str
    stage: Action
    action: Action
    takeover: int = 0

    @property
    def step(self) -> str:
        """Return the step of role scale_in for the cleanup. A node that was never in service needs no drain."""
        if self.stage is Action.SCALE_OUT:
            return "cleanup"
        return "begin" if self.action is Action.SCALE_IN else "finish"

    def to_json(self) -> dict[str, Any]:
        """Return the form that modules return."""
        return {
            "event_id": self.event_id,
            "stage": self.stage.value,
            "action": self.action.value,
            "step": self.step,
            "takeover": self.takeover,
        }


def remaining(policy: Policy, record: Record, decision: Decision) -> tuple[Orphans, ...]:
    """Return the cleanup due after a tick that decided nothing, in the order in which the events failed."""
    if decision.action is not Action.NONE or not decision.evaluated or record.phase.name is not Phase.WATCHING:
        return ()
    full = len(record.window) >= policy.samples
    found = ((left, _due(policy, record, left, full=full)) for left in record.unfinished)
    return tuple(
        Orphans(left.event_id, left.stage, action, left.takeovers)
        for left, action in found
        if action is not Action.NONE
    )


def _due(policy: Policy, record: Record, left: Unfinished, *, full: bool) -> Action:
    if left.stage is Action.SCALE_OUT:
        return Action.DEPROVISION if full else Action.NONE
    if left.stage is Action.DEPROVISION:
        return Action.DEPROVISION
    terms = left.terms or Terms.of(policy)
    drained = left.failed_at + terms.drain_timeout * 60 + terms.ttl
    return Action.DEPROVISION if (record.updated or 0.0) > drained else Action.SCALE_IN
