# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The life of a scaling event: opened, claimed, drained, deprovisioned. Pure functions from event to event."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from functools import lru_cache

from ..spec.policy import Policy
from ..spec.times import later, to_iso
from .group_state import Action, Event, Terms


def event_id(group: str, zone: str, decided_at: float, sequence: int) -> str:
    """Return the id of an event: unique, the same whenever computed, ASCII, at most 48 long (a ClientToken)."""
    when = to_iso(math.floor(decided_at)).replace("-", "").replace(":", "")
    return f"adc-{when}-{sequence}-{_where(group, zone)}"


@lru_cache(maxsize=1024)
def _where(group: str, zone: str) -> str:
    return hashlib.sha256(f"{group}\0{zone}".encode()).hexdigest()[:12]


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
    request: str = "",
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
        request: The name of the manual request that led to it.
    """
    group, zone, sequence = where
    terms = Terms.of(policy)
    drain_until, ttl_until = _ends(terms, now, policy.cached)
    scale_in = action is Action.SCALE_IN
    return Event(
        id=event_id(group, zone, now, sequence),
        stage=action,
        count=count,
        nodes_before=nodes,
        decided_at=now,
        reason=reason,
        owner=owner,
        claimed_until=claimed_until,
        drain_until=drain_until if scale_in else None,
        ttl_until=ttl_until if scale_in else None,
        request=request,
        terms=terms,
    )


def _ends(terms: Terms, begun: float, waits_ttl: bool) -> tuple[float, float | None]:
    """Return the ends of a drain that begins at ``begun``, and of the TTL after it."""
    drain_until = later(begun, terms.drain_timeout * 60)
    return drain_until, later(drain_until, terms.ttl) if waits_ttl else None


def drained_again(event: Event, policy: Policy, now: float) -> Event:
    """Return the event with its drain beginning now."""
    drain_until, ttl_until = _ends(event.terms or Terms.of(policy), now, event.ttl_until is not None)
    return replace(event, drain_until=drain_until, ttl_until=ttl_until)


def claimed(event: Event, owner: str, until: float) -> Event:
    """Return the event claimed by this owner. A new owner takes it over: the number increases."""
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
