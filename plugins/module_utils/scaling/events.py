# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The life of a scaling event: opened, claimed, drained, deprovisioned. Pure functions from event to event."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace

from ..spec.policy import Distributor, Policy
from ..spec.times import later, to_iso
from .group_state import Action, Event, Terms


def event_id(group: str, zone: str, decided_at: float, sequence: int) -> str:
    """Return the id of an event: unique, the same whenever computed, ASCII, at most 48 long (a ClientToken)."""
    where = hashlib.sha256(f"{group}\0{zone}".encode()).hexdigest()[:12]
    when = to_iso(math.floor(decided_at)).replace("-", "").replace(":", "")
    return f"adc-{when}-{sequence}-{where}"


def opened(
    policy: Policy,
    where: tuple[str, str, int],
    action: Action,
    count: int,
    nodes: int,
    now: float,
    reason: str,
    owner: str,
    claimed_until: float,
) -> Event:
    """Return a new event.

    Args:
        policy: The policy that it runs under.
        where: Group, zone, and number of the event in them.
        action: Scale-out or scale-in.
        count: Nodes to add or remove.
        nodes: Nodes in service before.
        now: The instant of the decision.
        reason: Why it was decided.
        owner: The run that carries it out.
        claimed_until: The end of the owner's claim.
    """
    group, zone, sequence = where
    terms = Terms.of(policy)
    event = Event(
        id=event_id(group, zone, now, sequence),
        stage=action,
        count=count,
        nodes_before=nodes,
        decided_at=now,
        reason=reason,
        owner=owner,
        claimed_until=claimed_until,
        terms=terms,
    )
    return _draining(event, terms, now, policy.distributor is Distributor.DNS) if event.shrinks else event


def _draining(event: Event, terms: Terms, begun: float, waits_ttl: bool) -> Event:
    """Return the event with the ends of its drain and TTL, counted from ``begun``."""
    drain_until = later(begun, terms.drain_timeout * 60)
    return replace(event, drain_until=drain_until, ttl_until=later(drain_until, terms.ttl) if waits_ttl else None)


def drained_anew(event: Event, policy: Policy, now: float) -> Event:
    """Return the event with its drain beginning now."""
    return _draining(event, event.terms or Terms.of(policy), now, event.ttl_until is not None)


def claimed(event: Event, owner: str, until: float) -> Event:
    """Return the event claimed by this owner. Another owner than before takes it over: the number grows."""
    if owner == event.owner:
        return replace(event, claimed_until=until)
    return replace(event, owner=owner, claimed_until=until, takeovers=event.takeovers + 1, contested=True)


def deprovisioning(event: Event, owner: str, until: float) -> Event:
    """Return the event at its last stage, for this owner.

    The run that began the scale-in has ended, so another owner is no contest; but its late reports are overtaken.
    """
    changed = owner != event.owner
    return replace(
        event,
        stage=Action.DEPROVISION,
        owner=owner,
        claimed_until=until,
        announced=False,
        released=True,
        takeovers=event.takeovers + changed,
    )
