# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Debounce observations of a pair into events. Pure; seconds are of a monotonic clock that the caller reads.

A condition causes one event once it has lasted. It is reported again only after another condition was reported in
between. So a lasting change is never missed, and a short one causes no event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ...module_utils.aws.addresses import Association, association_result
from ...module_utils.reconcile.pair_claims import Claim, Verdict
from ...module_utils.reconcile.pair_evidence import Silence, doubt
from .logins import refused_logins

T = TypeVar("T")
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lasting:
    """Seconds that each condition must last to cause an event."""

    lost: float = 1.0
    returned: float = 5.0
    misplaced: float = 5.0
    no_primary: float = 10.0


@dataclass(frozen=True, slots=True)
class Watched:
    """A node as it was last asked. ``silent_since``: when it was first asked in vain what it is; None: it says so.

    ``tries``: questions since then; ``asked``: when the last one was put. ``dark``: that clients do not reach it.
    """

    node_id: int
    instance_id: str | None
    claim: Claim
    silent_since: float | None = None
    tries: int = 0
    asked: float = 0.0
    dark: str | None = None

    def noted(self, claim: Claim, asked: float) -> Watched:
        """Return the same node after one more answer, or none, to a question sent at ``asked``."""
        if claim.view is not None:
            return replace(self, claim=claim, silent_since=None, tries=0, asked=asked)
        since = asked if self.silent_since is None else self.silent_since
        again = self.silent_since is not None and self.asked == asked
        return replace(self, claim=claim, silent_since=since, tries=self.tries + (not again), asked=asked)

    def claim_at(self, now: float) -> Claim:
        """Return its claim, with the seconds since its last answer."""
        silent = 0.0 if self.silent_since is None else now - self.silent_since
        return replace(self.claim, silent_seconds=silent, tries=self.tries, dark=self.dark)

    def silence_at(self, now: float) -> Silence | None:
        """Return its silence as evidence for others; None: it answers, or EC2 shows that it does not run."""
        if self.silent_since is None or self.claim.reachable or self.claim.idle:
            return None
        return Silence(now - self.silent_since, self.tries, standing=True, dark=self.dark)

    @property
    def refusal(self) -> str | None:
        """Why the node answers and does not say what it is, such as a password that it refuses; else None."""
        return self.claim.error if self.claim.reachable and self.claim.view is None else None

    @property
    def who(self) -> Event:
        return {"node_id": self.node_id, "instance_id": self.instance_id, "nsip": self.claim.nsip or None}

    def result(self) -> Event:
        return {**self.who, "claim": self.claim.state, "reachable": self.claim.reachable, "error": self.claim.error}


@dataclass(frozen=True, slots=True)
class Misplaced:
    """An Elastic IP that is not where the primary is. ``association`` None: it is associated with nothing."""

    elastic_ip: str
    allocation_id: str
    association: Association | None
    desired: Association

    def result(self) -> Event:
        return {
            "elastic_ip": self.elastic_ip,
            "allocation_id": self.allocation_id,
            **association_result(self.association),
            "wanted": self.desired.result(),
        }


@dataclass(frozen=True, slots=True)
class MisplacedVip:
    """A VIP of another kind that is not where the primary is.

    ``name``: the address, or the destination and its route table; ``holder``: the interface that has it, None: none.
    """

    kind: str
    name: str
    holder: str | None
    desired: str

    def result(self) -> Event:
        place = {"network_interface_id": self.desired}
        return {"kind": self.kind, "name": self.name, "network_interface_id": self.holder, "wanted": place}


@dataclass(frozen=True, slots=True)
class PairObservation:
    """One observation of the pair. ``misplaced`` None: unknown, because there is no primary or AWS was not queried
    yet."""

    now: float
    nodes: tuple[Watched, ...]
    verdict: Verdict
    misplaced: frozenset[Misplaced | MisplacedVip] | None = None

    @property
    def primary(self) -> Watched | None:
        return None if self.verdict.primary is None else self.nodes[self.verdict.primary]


@dataclass(frozen=True, slots=True)
class Reported(Generic[T]):
    """The last reported event, and what differs now but has not lasted yet, since when."""

    value: T
    other: T | None = None
    since: float = 0.0

    @property
    def pending(self) -> bool:
        return self.other is not None


def confirmed(memory: Memory, nodes: tuple[Watched, ...], verdict: Verdict, now: float) -> Verdict:
    """Return the verdict, or one without a primary where another node that EC2 shows running may still be it.

    One late answer is no change of the primary: it takes what it takes to move an address (pair_evidence).
    """
    if verdict.primary is None:
        return verdict
    primary = nodes[verdict.primary]
    if memory.primary is not None and memory.primary.who == primary.who:
        return verdict
    claims = [node.claim_at(now) for node in nodes]
    doubts = [
        doubt(claims[verdict.primary], claim, claims)
        for node, claim in zip(nodes, claims, strict=True)
        if node is not primary
    ]
    text = [one.message for one in doubts if one]
    if not text:
        return verdict
    return Verdict(None, "; ".join(["it cannot be decided who is primary", verdict.message, *text]), healthy=False)


def settle(
    reported: Reported[T], value: T, now: float, lasts: float, since: float | None = None
) -> tuple[Reported[T], bool]:
    """Return the new memory, and whether ``value`` causes an event. ``since``: when it began, if known."""
    if value == reported.value:
        return Reported(value), False
    begun = reported.since if reported.other == value else now if since is None else since
    if now - begun >= lasts:
        return Reported(value), True
    return Reported(reported.value, value, begun), False


@dataclass(frozen=True, slots=True)
class Memory:
    """The reported state. Initially: both nodes answer, every Elastic IP is in its place, the primary is unknown."""

    begun: bool = False
    primary: Watched | None = None
    decided: Reported[bool] = Reported(True)
    answering: Mapping[int, Reported[bool]] = field(default_factory=dict)
    misplaced: Reported[frozenset[Misplaced | MisplacedVip]] = Reported(frozenset())
    #: Node id to when its refused login was last reported.
    refused: Mapping[int, float] = field(default_factory=dict)

    @property
    def calm(self) -> bool:
        """Whether no event is being confirmed, so that the next query can wait."""
        return not (
            self.decided.pending or any(reported.pending and reported.value for reported in self.answering.values())
        )


def follow(memory: Memory, observation: PairObservation, lasting: Lasting) -> tuple[Memory, list[Event]]:
    """Return the new memory after an observation, and its events in reporting order."""
    answering, nodes = _nodes(memory, observation, lasting)
    primary, changed = _primary(memory, observation)
    decided, undecided = settle(
        memory.decided, observation.primary is not None, observation.now, _until_reported(observation, lasting)
    )
    misplaced, moved = memory.misplaced, False
    if observation.misplaced is not None:
        misplaced, moved = settle(
            memory.misplaced, observation.misplaced, observation.now, lasting.misplaced if observation.misplaced else 0
        )
    refused, refusals = refused_logins(memory.refused, observation.nodes, observation.now)
    events = [*([] if memory.begun else [{"type": "watching"}]), *refusals, *nodes, *changed]
    if undecided and observation.primary is None:
        events.append({"type": "no_primary"})
    if moved:
        kind = "eip_astray" if misplaced.value else "eip_settled"
        events.append({"type": kind, **_things(misplaced.value or memory.misplaced.value)})
    memory = Memory(True, primary, decided, answering, misplaced, refused)
    return memory, [complete(event, observation) for event in events]


def _until_reported(observation: PairObservation, lasting: Lasting) -> float:
    return 0 if observation.primary else lasting.no_primary


def _nodes(
    memory: Memory, observation: PairObservation, lasting: Lasting
) -> tuple[dict[int, Reported[bool]], list[Event]]:
    answering = dict(memory.answering)
    events: list[Event] = []
    for node in observation.nodes:
        answers = node.claim.view is not None
        reported = answering.get(node.node_id, Reported(True))
        lasts = lasting.returned if answers else lasting.lost
        answering[node.node_id], is_new = settle(reported, answers, observation.now, lasts, node.silent_since)
        if is_new and answers:
            events.append({"type": "node_returned", "node": node.who})
        elif is_new:
            was_primary = memory.primary is not None and memory.primary.node_id == node.node_id
            reason = node.claim.idle or node.claim.error or "it does not say what it is"
            events.append({"type": "node_lost", "node": node.who, "was_primary": was_primary, "reason": reason})
    return answering, events


def _primary(memory: Memory, observation: PairObservation) -> tuple[Watched | None, list[Event]]:
    """No primary is no new one: between two there always is a moment without."""
    now, before = observation.primary, memory.primary
    if now is None:
        return before, []
    if before is None or before.who == now.who:
        return now, []
    return now, [{"type": "primary_changed", "previous": before.who}]


def _things(misplaced: frozenset[Misplaced | MisplacedVip]) -> Event:
    elastic = sorted((one for one in misplaced if isinstance(one, Misplaced)), key=lambda one: one.allocation_id)
    vips = sorted((one for one in misplaced if isinstance(one, MisplacedVip)), key=lambda one: (one.kind, one.name))
    return {"elastic_ips": [one.result() for one in elastic], "vips": [one.result() for one in vips]}


def complete(event: Event, observation: PairObservation) -> Event:
    """Every event also says who is primary, and what each node claims."""
    return {
        **event,
        "primary": observation.primary.who if observation.primary else None,
        "verdict": observation.verdict.message,
        "nodes": [node.result() for node in observation.nodes],
    }
