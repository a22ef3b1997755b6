# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The state of a (group, zone) between ticks, and its JSON form."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..spec.errors import RecordError
from ..spec.figures import Counted
from ..spec.metrics import REGISTRY, WATCHED
from ..spec.policy import Policy, backoff
from ..spec.times import to_iso
from .json_fields import Fields

#: Raised by one when a reader of the old form could misunderstand the new one.
VERSION = 1

#: How many closed events a record names, and how many failed ones that are not reported cleaned up.
HISTORY = 50
UNFINISHED = 20


class Phase(enum.Enum):
    """Where a zone stands. Only ``watching`` looks at samples."""

    WATCHING = "watching"
    SCALING_OUT = "scaling_out"
    COOLDOWN = "cooldown"
    DRAINING = "draining"
    TTL = "ttl"
    DEPROVISIONING = "deprovisioning"


class Action(enum.Enum):
    """What is to be done now."""

    NONE = "none"
    SCALE_OUT = "scale_out"
    SCALE_IN = "scale_in"
    DEPROVISION = "deprovision"


@dataclass(frozen=True, slots=True)
class Sample:
    """One counted sample: when, and each metric's figure (None: missing).

    ``complete``: every figure covers all nodes in service. One that does not is never below its minimum.
    """

    at: float
    values: tuple[tuple[str, float | None], ...]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Grid:
    """Which tick belongs to which interval: slot n is due at n * interval + offset; ``slot`` came at ``at``.

    ``offset`` stays 0 (intervals count from the epoch) until regular ticks show that they are not due then.
    """

    interval: float
    slot: int
    at: float
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class PhaseState:
    """The phase, and what its length is counted from: the instant and the slot of the decision that led to it."""

    name: Phase = Phase.WATCHING
    since: float | None = None
    since_slot: int = 0
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """An appliance in service. ``nsip``: where it is asked; ``node_id``: its number in the zone, if it has one."""

    nsip: str
    instance_id: str = ""
    node_id: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The times of the policy under which an event was decided; ``policy`` is its fingerprint.

    ``cooldown``, ``drain_timeout``: minutes. ``ttl``, ``interval``: seconds.
    """

    policy: str
    interval: float
    cooldown: float
    drain_timeout: float
    ttl: float

    @staticmethod
    @lru_cache(maxsize=64)
    def of(policy: Policy) -> Terms:
        """Return the terms of this policy."""
        return Terms(policy.fingerprint, policy.interval, policy.cooldown, policy.drain_timeout, policy.ttl)

    def backoff(self, failures: int) -> float:
        """Return the back-off in seconds after failures in a row."""
        return backoff(self.interval, self.cooldown, failures)


@dataclass(frozen=True, slots=True)
class PolicyMark:
    """The policy that drives the zone, and the latest tick that came with it."""

    fingerprint: str
    interval: float
    observed_at: float
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A scaling event in progress.

    Args:
        stage: The action it is at.
        owner: The run that carries it out. Its claim lasts until ``claimed_until``; then another run may take over,
            under the same id.
        announced: The owner reported that it began.
        released: The nodes of a scale-in have left the distributor.
        takeovers: How often the owner changed. Reports name this number.
        contested: An owner was replaced because its claim had expired. Reports must name the number then.
        resources: Ids of what the owner has begun.
        request: The name of the manual request that led to it.
        terms: None for an event of release 0.1.0.
    """

    id: str
    stage: Action
    count: int
    nodes_before: int
    decided_at: float
    reason: str
    owner: str = ""
    claimed_until: float = 0.0
    announced: bool = False
    released: bool = False
    takeovers: int = 0
    drain_until: float | None = None
    ttl_until: float | None = None
    resources: tuple[str, ...] = ()
    request: str = ""
    contested: bool = False
    terms: Terms | None = None

    @property
    def is_scale_in(self) -> bool:
        """Whether it is a scale-in, at whatever stage."""
        return self.stage is not Action.SCALE_OUT


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a failed event left behind, until that event is reported done. ``takeovers``, ``contested``: see Event."""

    event_id: str
    stage: Action
    count: int
    failed_at: float
    message: str
    resources: tuple[str, ...] = ()
    takeovers: int = 0
    contested: bool = False
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """One event of the history. ``outcome``: done or failed."""

    event_id: str
    action: Action
    count: int
    decided_at: float
    closed_at: float
    outcome: str
    reason: str
    message: str = ""
    request: str = ""
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that decides the next tick. Keys that release 0.1.0 does not have are written only when they are set.

    Args:
        updated: The latest instant of any tick or report.
        nodes: The nodes in service; None when they have to be looked up.
        earlier: The nodes in service before a scale-out. Those that the next look-up does not find were lost.
        missing: Nodes that were in service and are gone, until nothing is left of them.
        policy: The policy that drives the zone; None before the first tick.
        counters: The counters of the nodes at the latest reading, by address.
        silent: Nodes that did not answer lately while others did, by instance id, and for how many ticks in a row.
        withdrawn: Instance ids of nodes whose DNS records were withdrawn for it.
    """

    group: str
    zone: str
    updated: float | None = None
    grid: Grid | None = None
    phase: PhaseState = field(default_factory=PhaseState)
    event: Event | None = None
    window: tuple[Sample, ...] = ()
    sequence: int = 0
    failures: int = 0
    last_failure: str = ""
    unfinished: tuple[Unfinished, ...] = ()
    history: tuple[Closed, ...] = ()
    nodes: tuple[Node, ...] | None = None
    earlier: tuple[Node, ...] = ()
    missing: tuple[Node, ...] = ()
    policy: PolicyMark | None = None
    counters: Mapping[str, Counted] = field(default_factory=dict)
    silent: tuple[tuple[str, int], ...] = ()
    withdrawn: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; instants in ISO 8601."""
        more: dict[str, Any] = {} if self.nodes is None else {"nodes": [node_to_json(node) for node in self.nodes]}
        for name, known in (("earlier", self.earlier), ("missing", self.missing)):
            if known:
                more[name] = [node_to_json(node) for node in known]
        if self.policy:
            more["policy"] = mark_to_json(self.policy)
        if self.silent:
            more["silent"] = dict(self.silent)
        if self.withdrawn:
            more["withdrawn"] = list(self.withdrawn)
        if self.counters:
            more["counters"] = {nsip: _counted_to_json(each) for nsip, each in self.counters.items()}
        return {
            "version": VERSION,
            "group": self.group,
            "zone": self.zone,
            "updated": _iso(self.updated),
            "grid": self.grid and {**_plain(self.grid, "interval", "slot", "offset"), "at": to_iso(self.grid.at)},
            "phase": {
                "name": self.phase.name.value,
                "since": _iso(self.phase.since),
                "since_slot": self.phase.since_slot,
                "until": _iso(self.phase.until),
            },
            "event": self.event and event_to_json(self.event),
            "window": [sample_to_json(sample) for sample in self.window],
            "sequence": self.sequence,
            "failures": self.failures,
            "last_failure": self.last_failure,
            "unfinished": [unfinished_to_json(each) for each in self.unfinished],
            "history": [closed_to_json(each) for each in self.history],
            **more,
        }

    @classmethod
    def from_json(cls, raw: object) -> Record:
        """Parse the group state in this JSON value. Raises :class:`RecordError` if it is damaged or of a newer
        version."""
        fields = Fields(raw, "record")
        version = fields.whole("version", at_least=1)
        if version > VERSION:
            raise RecordError(
                f"the record has version {version}, this release of cloudadc.aws reads up to {VERSION}: "
                "it was written by a newer one; use that, or give the group another store"
            )
        record = cls(
            group=fields.text("group"),
            zone=fields.text("zone"),
            updated=fields.instant_or_none("updated"),
            grid=fields.part_or_none("grid", _grid),
            phase=fields.part("phase", _phase),
            event=fields.part_or_none("event", _event),
            window=fields.parts("window", _sample),
            sequence=fields.whole("sequence"),
            failures=fields.whole("failures"),
            last_failure=fields.text("last_failure"),
            unfinished=fields.parts("unfinished", _unfinished),
            history=fields.parts("history", _closed),
            nodes=fields.parts("nodes", _node) if fields.has("nodes") else None,
            earlier=fields.parts("earlier", _node) if fields.has("earlier") else (),
            missing=fields.parts("missing", _node) if fields.has("missing") else (),
            policy=fields.part("policy", _mark) if fields.has("policy") else None,
            counters=fields.part("counters", _counters) if fields.has("counters") else {},
            silent=fields.part("silent", _silent) if fields.has("silent") else (),
            withdrawn=fields.texts("withdrawn") if fields.has("withdrawn") else (),
        )
        fields.nothing_else("version")
        _check_sense(record)
        return record


def _check_sense(record: Record) -> None:
    """Refuse a document with contradictory parts."""
    busy = record.phase.name not in (Phase.WATCHING, Phase.COOLDOWN)
    if busy != (record.event is not None):
        raise RecordError(f"record: phase {record.phase.name.value} and event {record.event} do not belong together")
    if record.phase.name is not Phase.WATCHING and record.phase.since is None:
        raise RecordError(f"record: phase {record.phase.name.value} without the instant it began at")
    if record.phase.name is Phase.COOLDOWN and record.phase.until is None:
        raise RecordError("record: phase cooldown without its end")
    event = record.event
    if event and event.is_scale_in and event.drain_until is None:
        raise RecordError("record: a scale-in without the end of its drain")


# -- the parts, in both directions ------------------------------------------------------------------------------------


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else to_iso(seconds)


def _plain(thing: object, *names: str) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def sample_to_json(sample: Sample) -> dict[str, Any]:
    partial = {} if sample.complete else {"complete": False}
    return {"at": to_iso(sample.at), "values": dict(sample.values), **partial}


def terms_to_json(terms: Terms | None) -> dict[str, Any]:
    """Return the key ``terms``, where there are any."""
    if terms is None:
        return {}
    return {"terms": _plain(terms, "policy", "interval", "cooldown", "drain_timeout", "ttl")}


def mark_to_json(mark: PolicyMark) -> dict[str, Any]:
    return {**_plain(mark, "fingerprint", "interval", "owner"), "seen_at": to_iso(mark.observed_at)}


def _counted_to_json(counted: Counted) -> dict[str, Any]:
    return {"at": to_iso(counted.at), "totals": dict(counted.totals)}


def node_to_json(node: Node) -> dict[str, Any]:
    return _plain(node, "nsip", "instance_id", "node_id")


def event_to_json(event: Event) -> dict[str, Any]:
    plain = "id", "count", "nodes_before", "reason", "owner", "announced", "released", "takeovers"
    return {
        **_plain(event, *plain),
        "stage": event.stage.value,
        "decided_at": to_iso(event.decided_at),
        "claimed_until": to_iso(event.claimed_until),
        "drain_until": _iso(event.drain_until),
        "ttl_until": _iso(event.ttl_until),
        "resources": list(event.resources),
        **({"request": event.request} if event.request else {}),
        **({"contested": event.contested} if event.takeovers else {}),
        **terms_to_json(event.terms),
    }


def unfinished_to_json(left: Unfinished) -> dict[str, Any]:
    return {
        **_plain(left, "event_id", "count", "message"),
        "stage": left.stage.value,
        "failed_at": to_iso(left.failed_at),
        "resources": list(left.resources),
        **({"takeovers": left.takeovers} if left.takeovers else {}),
        **({"contested": True} if left.contested else {}),
        **terms_to_json(left.terms),
    }


def closed_to_json(closed: Closed) -> dict[str, Any]:
    return {
        **_plain(closed, "event_id", "count", "outcome", "reason", "message"),
        "action": closed.action.value,
        "decided_at": to_iso(closed.decided_at),
        "closed_at": to_iso(closed.closed_at),
        **({"request": closed.request} if closed.request else {}),
        **terms_to_json(closed.terms),
    }


def _grid(fields: Fields) -> Grid:
    interval = fields.number("interval")
    if interval <= 0:
        raise RecordError(f"{fields.where}.interval must be above 0, not {interval:g}")
    return Grid(interval, fields.whole("slot", at_least=None), fields.instant("at"), fields.number("offset"))


def _phase(fields: Fields) -> PhaseState:
    return PhaseState(
        fields.choice("name", Phase),
        fields.instant_or_none("since"),
        fields.whole("since_slot", at_least=None),
        fields.instant_or_none("until"),
    )


def _sample(fields: Fields) -> Sample:
    values = Fields(fields.take("values"), f"{fields.where}.values")
    for name in values.raw:
        if name not in WATCHED:
            raise RecordError(f"{values.where}: no such metric as {name!r}")
    complete = fields.flag("complete") if fields.has("complete") else True
    figures = tuple((name, values.number_or_none(name)) for name in values.raw)
    return Sample(fields.instant("at"), figures, complete)


def _terms(fields: Fields) -> Terms:
    times = (fields.number(name) for name in ("interval", "cooldown", "drain_timeout", "ttl"))
    return Terms(fields.text("policy"), *times)


def _terms_of(fields: Fields) -> Terms | None:
    return fields.part("terms", _terms) if fields.has("terms") else None


def _mark(fields: Fields) -> PolicyMark:
    return PolicyMark(
        fields.text("fingerprint"), fields.number("interval"), fields.instant("seen_at"), fields.text("owner")
    )


def _silent(fields: Fields) -> tuple[tuple[str, int], ...]:
    return tuple((name, fields.whole(name, at_least=1)) for name in fields.raw)


def _counters(fields: Fields) -> dict[str, Counted]:
    return {str(nsip): fields.part(nsip, _counted) for nsip in fields.raw}


def _counted(fields: Fields) -> Counted:
    totals = Fields(fields.take("totals"), f"{fields.where}.totals")
    for name in totals.raw:
        if name not in REGISTRY:
            raise RecordError(f"{totals.where}: no such metric as {name!r}")
    return Counted(fields.instant("at"), {name: totals.number(name) for name in totals.raw})


def _event(fields: Fields) -> Event:
    stage = fields.choice("stage", Action)
    if stage is Action.NONE:
        raise RecordError(f"{fields.where}.stage cannot be none")
    return Event(
        id=fields.text("id"),
        stage=stage,
        count=fields.whole("count", at_least=1),
        nodes_before=fields.whole("nodes_before"),
        decided_at=fields.instant("decided_at"),
        reason=fields.text("reason"),
        owner=fields.text("owner"),
        claimed_until=fields.instant("claimed_until"),
        announced=fields.flag("announced"),
        released=fields.flag("released"),
        takeovers=fields.whole("takeovers"),
        drain_until=fields.instant_or_none("drain_until"),
        ttl_until=fields.instant_or_none("ttl_until"),
        resources=fields.texts("resources"),
        request=fields.text("request") if fields.has("request") else "",
        contested=fields.flag("contested") if fields.has("contested") else fields.raw["takeovers"] > 0,
        terms=_terms_of(fields),
    )


def _node(fields: Fields) -> Node:
    node_id = None if fields.take("node_id") is None else fields.whole("node_id")
    return Node(fields.text("nsip"), fields.text("instance_id"), node_id)


def _unfinished(fields: Fields) -> Unfinished:
    return Unfinished(
        event_id=fields.text("event_id"),
        stage=fields.choice("stage", Action),
        count=fields.whole("count"),
        failed_at=fields.instant("failed_at"),
        message=fields.text("message"),
        resources=fields.texts("resources"),
        takeovers=fields.whole("takeovers") if fields.has("takeovers") else 0,
        contested=fields.flag("contested") if fields.has("contested") else False,
        terms=_terms_of(fields),
    )


def _closed(fields: Fields) -> Closed:
    return Closed(
        event_id=fields.text("event_id"),
        action=fields.choice("action", Action),
        count=fields.whole("count"),
        decided_at=fields.instant("decided_at"),
        closed_at=fields.instant("closed_at"),
        outcome=fields.text("outcome"),
        reason=fields.text("reason"),
        message=fields.text("message"),
        request=fields.text("request") if fields.has("request") else "",
        terms=_terms_of(fields),
    )
