# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Ticks of many zones side by side: one EC2 read for all, one store round trip a zone; a failure stays in its zone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

from ..core.errors import Failure
from ..core.parallel import attempt, attempt_all
from ..scaling.cleanup import remaining
from ..scaling.clock import clock_warnings
from ..scaling.decision import refused
from ..scaling.followed import Backend, differing
from ..scaling.group_state import Node, Record, node_to_json
from ..scaling.silence import withdrawal
from ..scaling.view import difference, state, was_changed
from ..scaling.work import Telling, completed_by_event, lost_addresses, may_follow, summary, work_of
from ..spec.alerts import Alert
from ..spec.times import as_instant
from ..stores.base import LeaseLost, LeaseRefused, Store
from .kept_samples import keep_sample
from .licence_state import is_due
from .session import carry_out, loaded, patiently, predict
from .tick import Effects, Ticked, TickSpec, plan_for
from .tick_alerts import of_licences, of_tick

T = TypeVar("T")

#: How long, in seconds, a report or a request waits for the lease: it must not get lost.
TIMEOUTS = 10.0

#: Back ends by application that an appliance has; the Failure of one that could not be read.
Backends = Mapping[str, frozenset[Backend]]
ReadBackends: TypeAlias = "Callable[[Sequence[str]], Mapping[str, Backends | Failure]]"


class Once(Generic[T]):
    """A read that several zones need and only the first makes; a failed one fails for all of them."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read, self._lock = read, threading.Lock()
        self._found: T | Failure | None = None

    def __call__(self) -> T:
        """Return what was read. Raises Failure."""
        with self._lock:
            if self._found is None:
                self._found = attempt(self._read)
            found = self._found
        if isinstance(found, Failure):
            raise found
        return found


def of_zone(find: Callable[[], Mapping[str, Sequence[Node]]], zone: str) -> Callable[[], Sequence[Node]]:
    """Return the function that finds the nodes of one zone in a read that all zones share."""
    return lambda: find().get(zone, ())


def has_instances(find: Callable[[], Mapping[str, Sequence[Node]]], zone: str) -> Callable[[], bool]:
    """Return the function that says by the same read whether a zone has any instance."""
    return lambda: zone in find()


@dataclass(frozen=True, slots=True)
class Following:
    """The back ends that applications should have, and how to read those that appliances have.

    ``desired``: may raise Failure; ``at``: where a zone is configured as a whole (the CLIP of a cluster), empty where
    each node is.
    """

    desired: Callable[[], Backends]
    read: ReadBackends
    at: str = ""


@dataclass(frozen=True, slots=True)
class ZoneTick:
    """One zone to tick. ``held``: seconds for which the tick may hold the lease of the record; ``own_time``: the group
    runs on simulated time. ``samples_hours``: for which its sample is kept; ``alert``: publishes alerts and returns
    warnings; ``licences``: reads which appliances are in the grace period of their licence."""

    zone: str
    spec: TickSpec
    effects: Effects
    store: Store
    held: float
    following: Following | None = None
    own_time: bool = False
    samples_hours: float = 0.0
    alert: Callable[[Sequence[Alert]], tuple[str, ...]] | None = None
    licences: Callable[[Sequence[str]], Mapping[str, Sequence[str]]] | None = None

    @property
    def insists(self) -> bool:
        """Whether the call must not be lost: it reports or requests something."""
        return self.spec.reports or self.spec.request is not None


@dataclass(frozen=True, slots=True)
class ZoneResult:
    """A zone after its tick. ``result``: as the module returns it; ``warnings``: for the user."""

    ticked: Ticked
    result: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def tick_zone(job: ZoneTick, telling: Telling, *, diff: bool = False) -> ZoneResult:
    """Tick one zone and return its result. Raises Failure; then nothing was stored, or it says so."""
    before, after, ticked, leased = _ticked(job, check_mode=telling.check_mode)
    decision, kept, licences = ticked.decision, tuple[str, ...](), None
    if leased and not telling.check_mode:
        kept = keep_sample(job.store, as_instant(job.spec.now), ticked.sample, ticked.count or 0, job.samples_hours)
        licences = _licences(job, before, ticked)
        kept += _alerted(job, after, ticked, licences or {})
    result: dict[str, Any] = {
        "zone": job.zone,
        "failed": False,
        **decision.to_json(),
        **state(after),
        "changed": was_changed(before, after),
        "nodes": [reading.as_dict() for reading in ticked.readings],
        "aggregate": ticked.sample,
        "in_service": None if after.nodes is None else [node_to_json(node) for node in after.nodes],
        "missing": [node_to_json(node) for node in after.missing],
        "node_count": ticked.count,
        "remains": [each.to_json() for each in remaining(job.spec.policy, after, decision)],
        "leased": leased,
        "searched": ticked.searched,
        "licence_grace": None if licences is None else [text for texts in licences.values() for text in texts],
    }
    if job.insists:
        result["reported"] = leased
    if job.following is not None:
        result.update(_followed(job.following, job.spec, after, needed=may_follow(result)))
    found = withdrawal(after, job.spec.withdraw_after)
    result["silent"], result["recovered"] = list(found.silent), list(found.recovered)
    result["settled"], result["lost_addresses"] = completed_by_event(result), lost_addresses(result)
    result["work"] = [each.value for each in work_of(result)]
    result["summary"] = summary(result, telling)
    if diff:
        result["diff"] = difference(before, after)
    return ZoneResult(ticked, result, (*ticked.warnings, *clock_warnings(before, after), *kept))


def _licences(job: ZoneTick, before: Record, ticked: Ticked) -> Mapping[str, Sequence[str]] | None:
    """Return the licence problems of the appliances that answered, by address; None where they were not read."""
    answered = [reading.nsip for reading in ticked.readings if reading.reachable and not reading.refused]
    if job.licences is None or not answered or not is_due(before.updated, as_instant(job.spec.now)):
        return None
    return job.licences(answered)


def _alerted(job: ZoneTick, after: Record, ticked: Ticked, licences: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Publish what a stored tick has to alert of, and return warnings."""
    if job.alert is None:
        return ()
    now = as_instant(job.spec.now)
    alerts = of_tick(after, ticked.decision, ticked.readings, now, job.spec.report)
    return job.alert([*alerts, *of_licences(after.group, after.zone, licences, now)])


def tick_zones(jobs: Sequence[Callable[[], T]]) -> list[T | Failure]:
    """Tick all zones at once; each result, or the Failure it ended with, in the order of the jobs.

    One thread a zone: zones wait for their appliances and stores, and a slow one must not delay another.
    """
    return attempt_all([partial(attempt, job) for job in jobs], workers=max(1, len(jobs)))


def _ticked(job: ZoneTick, *, check_mode: bool) -> tuple[Record, Record, Ticked, bool]:
    """Return the record before and after, what was decided, and whether the lease could be had."""
    plan, own_time = plan_for(job.spec, job.effects), job.own_time or job.insists
    try:
        if check_mode:
            return (*predict(job.store, plan, own_time=own_time), True)
        timeouts, owner = TIMEOUTS if job.insists else 0.0, job.spec.owner
        return (
            *patiently(lambda: carry_out(job.store, plan, owner, job.held, own_time=own_time), timeouts),
            True,
        )
    except (LeaseRefused, LeaseLost) as error:
        record = loaded(job.store.read(), job.store)
        return record, record, Ticked(refused(record, f"not evaluated: {error}")), False


def _followed(following: Following, spec: TickSpec, record: Record, *, needed: bool) -> dict[str, Any]:
    """Return the applications whose back ends are to be changed on some appliance of the zone, or why that is unknown.

    The tick is stored by now, so that what cannot be read here must not hide what it decided.
    """
    if not needed:
        return {"backends_differ": [], "backends_error": None}
    try:
        return {"backends_differ": _differing(following, spec, record), "backends_error": None}
    except Failure as error:
        return {"backends_differ": [], "backends_error": str(error)}


def _differing(following: Following, spec: TickSpec, record: Record) -> list[str]:
    nodes = spec.nodes if spec.nodes is not None else tuple(node.nsip for node in record.nodes or ())
    desired = following.desired()
    if not nodes:
        return []
    observed = following.read((following.at,) if following.at else nodes).values()
    return sorted({name for found in observed if not isinstance(found, Failure) for name in differing(desired, found)})
