# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who drives a zone: which policy its ticks follow, and which run may renew its claim on an event. Pure."""

from __future__ import annotations

from dataclasses import replace

from ..spec.errors import OvertakenError
from ..spec.policy import Policy
from ..spec.times import later, to_clock
from .clock import reported_at
from .engine import CLAIM_SECONDS
from .group_state import Event, PolicyMark, Record

#: For how many of its intervals a policy that is not seen keeps driving the zone.
INTERVALS = 2


def contest(policy: Policy, record: Record, now: float) -> str | None:
    """Return why a tick with this policy is not evaluated now: another policy drives the zone; None if it does itself.

    Two controllers with different policies would begin each other's window again at every tick.
    """
    mark = record.policy
    if mark is None or mark.fingerprint == policy.fingerprint or now > _until(mark):
        return None
    by = f" by {mark.owner}" if mark.owner else ""
    return (
        f"not evaluated: policy {mark.fingerprint} drives this zone, last ticked at {to_clock(mark.observed_at)}{by}; "
        f"this tick has policy {policy.fingerprint}, which takes over if the other is not seen until "
        f"{to_clock(_until(mark))}"
    )


def marked(policy: Policy, record: Record, now: float, owner: str) -> tuple[Record, tuple[str, ...]]:
    """Return the record driven by this policy, and what to warn of: a policy that replaced another."""
    mark, fingerprint = record.policy, policy.fingerprint
    observed_at = now if mark is None or mark.fingerprint != fingerprint else max(now, mark.observed_at)
    after = replace(record, policy=PolicyMark(fingerprint, policy.interval, observed_at, owner))
    if mark is None or mark.fingerprint == fingerprint:
        return after, ()
    message = f"policy {fingerprint} replaces policy {mark.fingerprint}, last ticked at {to_clock(mark.observed_at)}"
    return replace(after, window=()), (f"{message}; the watch window begins again",)


def _until(mark: PolicyMark) -> float:
    return later(mark.observed_at, INTERVALS * mark.interval)


def held(record: Record, event_id: str, takeover: int, owner: str = "") -> Event:
    """Return the open event of this run; raise :class:`OvertakenError` if it owns none. ``owner``: empty, any."""
    event = record.event
    if event is None or event.id != event_id:
        known = f"the open one is {event.id}" if event else "none is open"
        raise OvertakenError(f"event {event_id} of {record.group} {record.zone} is closed ({known}); end this run")
    if event.takeovers != takeover or owner not in ("", event.owner):
        raise OvertakenError(
            f"event {event_id} of {record.group} {record.zone} was taken over by {event.owner or 'another run'} "
            f"(takeover number {event.takeovers}, this run has {takeover}); end this run: nothing more was changed"
        )
    return event


def renewed(
    record: Record, event_id: str, takeover: int, owner: str, now: float, seconds: float = CLAIM_SECONDS
) -> Record:
    """Return the record with the claim on its event renewed. Raises :class:`OvertakenError` as :func:`held` does."""
    event = held(record, event_id, takeover, owner)
    instant = max(reported_at(record, now), record.updated or 0.0)
    until = max(event.claimed_until, later(instant, min(seconds, CLAIM_SECONDS)))
    return replace(record, event=replace(event, claimed_until=until, announced=True))
