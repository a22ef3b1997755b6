# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Group state as results, diffs and the information module show it."""

from __future__ import annotations

from typing import Any

from ..spec.errors import RecordError
from ..spec.times import to_iso
from .group_state import (
    Phase,
    Record,
    closed_to_json,
    event_to_json,
    mark_to_json,
    node_to_json,
    sample_to_json,
    unfinished_to_json,
)


def state(record: Record) -> dict[str, Any]:
    """Return the open event, the back-off, and what failed events left behind."""
    resting = record.phase.name is Phase.COOLDOWN and record.failures > 0 and record.phase.until is not None
    return {
        "event": record.event and event_to_json(record.event),
        "backoff": {
            "failures": record.failures,
            "until": to_iso(record.phase.until) if resting and record.phase.until is not None else None,
            "message": record.last_failure,
        },
        "unfinished": [unfinished_to_json(left) for left in record.unfinished],
    }


def overview(record: Record) -> dict[str, Any]:
    """Return all that users may want to know of a record."""
    phase = record.phase
    return {
        "group": record.group,
        "zone": record.zone,
        "updated": None if record.updated is None else to_iso(record.updated),
        "phase": phase.name.value,
        "phase_since": None if phase.since is None else to_iso(phase.since),
        "phase_until": None if phase.until is None else to_iso(phase.until),
        "window": [sample_to_json(sample) for sample in record.window],
        **state(record),
        "nodes": None if record.nodes is None else [node_to_json(node) for node in record.nodes],
        "earlier": [node_to_json(node) for node in record.earlier],
        "missing": [node_to_json(node) for node in record.missing],
        "withdrawn": list(record.withdrawn),
        "policy": record.policy and mark_to_json(record.policy),
        "history": [closed_to_json(closed) for closed in record.history],
    }


def load(document: object, group: str, zone: str, where: str) -> Record:
    """Return the record in a stored document (None: a new one); errors name where it is stored."""
    if document is None:
        return Record(group, zone)
    try:
        return Record.from_json(document)
    except RecordError as error:
        raise RecordError(f"{where}: {error}; it was left as it is") from error


def was_changed(before: Record, after: Record) -> bool:
    """Return whether the state of the group changed; samples and claims are no change."""
    return _lasting(before) != _lasting(after)


def difference(before: Record, after: Record) -> dict[str, Any]:
    """Return the two sides of ``--diff``."""
    return {"before": overview(before), "after": overview(after)}


def _lasting(record: Record) -> tuple[Any, ...]:
    event = record.event
    begun = event and (event.id, event.stage, event.announced, event.released, event.resources)
    return (
        record.phase.name,
        record.phase.until,
        begun,
        record.failures,
        record.unfinished,
        record.history,
        record.withdrawn,
    )
