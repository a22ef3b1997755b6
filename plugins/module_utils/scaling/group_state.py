# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a (group, zone) remembers between ticks, and its JSON form, read strictly."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..spec.errors import InstantError, RecordError
from ..spec.policy import UNITS, number
from ..spec.times import parse_instant, to_iso

#: Raised by one when a reader of the old form could misunderstand the new one.
VERSION = 1

#: How many closed events a record names, and how many failed ones whose remains were not reported removed.
HISTORY = 50
UNFINISHED = 20

T = TypeVar("T")


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
    """One counted sample: when, and each metric's figure (None: missing)."""

    at: float
    values: tuple[tuple[str, float | None], ...]


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
class Event:
    """A scaling event in progress. ``stage`` is the action it is at; ``resources`` what its executor has begun.

    ``owner`` carries it out until ``claimed_until``; then anybody may go on with it, under the same id.
    ``announced``: the owner said that it began. ``released``: scale_in's nodes have left the distributor.
    ``request``: the name under which somebody asked for it by hand.
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

    @property
    def shrinks(self) -> bool:
        return self.stage is not Action.SCALE_OUT


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a failed event left behind, until somebody reports that event done."""

    event_id: str
    stage: Action
    count: int
    failed_at: float
    message: str
    resources: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that decides the next tick. ``updated``: the latest instant this record has seen.

    ``nodes``: those in service, None where nobody has looked since they changed. ``earlier``: those that were, before
    a growth that nobody has looked after: what of them is not found again was lost meanwhile. ``missing``: nodes that
    were in service and are gone, until somebody says that nothing of them is left. Keys of later releases than the
    first are written only where they say something.
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

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; instants in ISO 8601."""
        more = {} if self.nodes is None else {"nodes": [node_to_json(node) for node in self.nodes]}
        for name, known in (("earlier", self.earlier), ("missing", self.missing)):
            if known:
                more[name] = [node_to_json(node) for node in known]
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
        """The record in this JSON value; :class:`RecordError` when it is damaged or of a newer version."""
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
            nodes=fields.parts("nodes", _node) if "nodes" in fields.raw else None,
            earlier=fields.parts("earlier", _node) if "earlier" in fields.raw else (),
            missing=fields.parts("missing", _node) if "missing" in fields.raw else (),
        )
        fields.nothing_else("version")
        _check_sense(record)
        return record


def _check_sense(record: Record) -> None:
    """A record whose parts contradict each other was not written by this code."""
    busy = record.phase.name not in (Phase.WATCHING, Phase.COOLDOWN)
    if busy != (record.event is not None):
        raise RecordError(f"record: phase {record.phase.name.value} and event {record.event} do not belong together")
    if record.phase.name is not Phase.WATCHING and record.phase.since is None:
        raise RecordError(f"record: phase {record.phase.name.value} without the instant it began at")
    if record.phase.name is Phase.COOLDOWN and record.phase.until is None:
        raise RecordError("record: phase cooldown without its end")
    event = record.event
    if event and event.shrinks and event.drain_until is None:
        raise RecordError("record: a shrinking event without the end of its drain")


# -- the parts, in both directions ------------------------------------------------------------------------------------


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else to_iso(seconds)


def _plain(thing: object, *names: str) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def sample_to_json(sample: Sample) -> dict[str, Any]:
    return {"at": to_iso(sample.at), "values": dict(sample.values)}


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
    }


def unfinished_to_json(left: Unfinished) -> dict[str, Any]:
    return {
        **_plain(left, "event_id", "count", "message"),
        "stage": left.stage.value,
        "failed_at": to_iso(left.failed_at),
        "resources": list(left.resources),
    }


def closed_to_json(closed: Closed) -> dict[str, Any]:
    return {
        **_plain(closed, "event_id", "count", "outcome", "reason", "message"),
        "action": closed.action.value,
        "decided_at": to_iso(closed.decided_at),
        "closed_at": to_iso(closed.closed_at),
        **({"request": closed.request} if closed.request else {}),
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
        if name not in UNITS:
            raise RecordError(f"{values.where}: no such metric as {name!r}")
    return Sample(fields.instant("at"), tuple((name, values.number_or_none(name)) for name in values.raw))


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
        request=fields.text("request") if "request" in fields.raw else "",
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
        request=fields.text("request") if "request" in fields.raw else "",
    )


class Fields:
    """A JSON object of which every value is taken exactly once and with its type, or refused by its path."""

    def __init__(self, raw: object, where: str) -> None:
        if not isinstance(raw, Mapping):
            raise RecordError(f"{where} must be a JSON object, not {type(raw).__name__}")
        self.raw, self.where = raw, where
        self.taken: set[str] = set()

    def take(self, name: str) -> Any:
        if name not in self.raw:
            raise RecordError(f"{self.where}.{name} is missing")
        self.taken.add(name)
        return self.raw[name]

    def nothing_else(self, *more: str) -> None:
        rest = sorted(str(key) for key in self.raw.keys() - self.taken - set(more))
        if rest:
            raise RecordError(f"{self.where}: unknown keys {', '.join(rest)}")

    def _wrong(self, name: str, wanted: str, given: object) -> RecordError:
        return RecordError(f"{self.where}.{name} must be {wanted}, not {given!r}")

    def text(self, name: str) -> str:
        given = self.take(name)
        if not isinstance(given, str):
            raise self._wrong(name, "text", given)
        return given

    def texts(self, name: str) -> tuple[str, ...]:
        given = self.take(name)
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            raise self._wrong(name, "a list of texts", given)
        return tuple(given)

    def flag(self, name: str) -> bool:
        given = self.take(name)
        if not isinstance(given, bool):
            raise self._wrong(name, "true or false", given)
        return given

    def whole(self, name: str, at_least: int | None = 0) -> int:
        given = self.take(name)
        if isinstance(given, bool) or not isinstance(given, int) or (at_least is not None and given < at_least):
            raise self._wrong(
                name, "a whole number" + (f" of at least {at_least}" if at_least is not None else ""), given
            )
        return given

    def number(self, name: str) -> float:
        given = self.take(name)
        try:
            return number(given if not isinstance(given, str) else None)
        except ValueError as error:
            raise self._wrong(name, "a number", given) from error

    def number_or_none(self, name: str) -> float | None:
        return None if self.take(name) is None else self.number(name)

    def instant(self, name: str) -> float:
        given = self.text(name)
        try:
            return parse_instant(given)
        except InstantError as error:
            raise self._wrong(name, "an instant", given) from error

    def instant_or_none(self, name: str) -> float | None:
        return None if self.take(name) is None else self.instant(name)

    def choice(self, name: str, kind: type[T]) -> T:
        given = self.take(name)
        try:
            return kind(given)  # type: ignore[call-arg]
        except ValueError as error:
            raise self._wrong(name, "a known value", given) from error

    def part(self, name: str, read: Callable[[Fields], T]) -> T:
        return _whole_part(self.take(name), f"{self.where}.{name}", read)

    def part_or_none(self, name: str, read: Callable[[Fields], T]) -> T | None:
        return None if self.take(name) is None else self.part(name, read)

    def parts(self, name: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
        given = self.take(name)
        if not isinstance(given, list):
            raise self._wrong(name, "a list", given)
        return tuple(_whole_part(each, f"{self.where}.{name}[{at}]", read) for at, each in enumerate(given))


def _whole_part(raw: object, where: str, read: Callable[[Fields], T]) -> T:
    fields = Fields(raw, where)
    part = read(fields)
    fields.nothing_else()
    return part
