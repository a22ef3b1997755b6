# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The time of a group: which instants it accepts, and the correction of a time that was once ahead. Pure."""

from __future__ import annotations

from dataclasses import replace

from ..spec.errors import InstantError
from ..spec.policy import Policy
from ..spec.times import later, span, to_iso
from .group_state import Event, PhaseState, Record

#: Seconds between a record's latest instant and the clock from which on the group runs on simulated time.
OWN_TIME = 86400.0

#: The interval of a record that has had no tick.
_INTERVAL = 60.0


def refuse_past(policy: Policy, record: Record, instant: float) -> None:
    """Raise :class:`InstantError` for an instant more than one interval before the record's latest."""
    if record.updated is not None and instant < record.updated - policy.interval:
        raise InstantError(
            f"now {to_iso(instant)} is {span(record.updated - instant)} before {to_iso(record.updated)}, the latest "
            f"instant in the record of {record.group} {record.zone}; more than one interval "
            f"({span(policy.interval)}) back in time is refused: set the clock of this machine right (NTP). If the "
            "record's time is wrong, a tick without now corrects it once this machine's clock agrees with the store's"
        )


def reported_at(record: Record, current: float) -> float:
    """Return the default instant of a report: the current time, unless the group runs on simulated time.

    A group that is ticked with instants of its own (a rehearsal, a test) has its latest instant far from the clock's.
    """
    latest = record.updated
    return current if latest is None or 0 <= current - latest <= OWN_TIME else latest


def corrected(record: Record, now: float | None) -> Record:
    """Return the record without the instants that a clock which was ahead has written.

    Otherwise the zone would be locked until that clock's time. What began in the future begins now and keeps its
    length; the watch window begins again.

    Args:
        record: The state of the zone.
        now: The time on which the store and this machine agree; None: they do not, and nothing is corrected.
    """
    interval = record.grid.interval if record.grid else _INTERVAL
    if now is None or record.updated is None or record.updated - interval <= now:
        return record
    now = round(now, 3)
    return replace(
        record,
        updated=now,
        grid=None,
        window=(),
        phase=_phase(record.phase, now),
        event=record.event and _event(record.event, now),
        policy=record.policy and replace(record.policy, observed_at=min(record.policy.observed_at, now)),
        unfinished=tuple(replace(left, failed_at=min(left.failed_at, now)) for left in record.unfinished),
        counters={},
    )


def clock_warnings(before: Record, after: Record) -> tuple[str, ...]:
    """Return the warning of a tick that corrected the time of the record."""
    if before.updated is None or after.updated is None or after.updated >= before.updated:
        return ()
    return (
        f"the latest instant of the record, {to_iso(before.updated)}, was ahead of the store's time and was corrected "
        f"to {to_iso(after.updated)}: a machine that ticked this group had a wrong clock",
    )


def _phase(phase: PhaseState, now: float) -> PhaseState:
    if phase.since is None or phase.since <= now:
        return phase
    until = None if phase.until is None else later(now, phase.until - phase.since)
    return replace(phase, since=now, since_slot=0, until=until)


def _event(event: Event, now: float) -> Event:
    ahead = max(0.0, event.decided_at - now)
    return replace(
        event,
        decided_at=min(event.decided_at, now),
        claimed_until=min(event.claimed_until, now),
        drain_until=None if event.drain_until is None else later(event.drain_until, -ahead),
        ttl_until=None if event.ttl_until is None else later(event.ttl_until, -ahead),
    )
