# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One tick of one (group, zone), from group state to group state. Readings of AWS and appliances are functions.

Only what the decision needs is queried: no appliance while a phase is in effect, and EC2 only if the list of nodes is
unknown or a node does not answer. The module ``autoscale_tick`` and the event source call :func:`plan_for` and execute
the plan with :mod:`.session`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..core.errors import Failure, Refusal
from ..scaling import evaluator
from ..scaling import manual as by_hand
from ..scaling.decision import Decision, noted
from ..scaling.engine import CLAIM_SECONDS
from ..scaling.group_state import Node, Record
from ..scaling.nodes import orphans, refreshed
from ..scaling.samples import figures, node_count
from ..scaling.silence import counted as counted_silence
from ..scaling.silence import restored
from ..spec.figures import Reading, aggregate, counted, with_rates, with_zone_figure
from ..spec.policy import Policy
from ..spec.times import as_instant
from .session import Plan


@dataclass(frozen=True, slots=True)
class Effects:
    """What a tick may ask of the world.

    ``collect``: the load of the appliances at these addresses, one reading each, in their order; an appliance that
    cannot be asked is a reading with an error. ``find``: the zone's nodes in service as EC2 knows them, in one call;
    raises :class:`Failure`. ``port_errors``: connections a minute that failed because the load balancer had no port
    left, None where CloudWatch has no figure; raises :class:`Failure`. ``exists``: whether EC2 lists any instance of
    the zone, in service or not; raises :class:`Failure`.
    """

    collect: Callable[[Sequence[str]], Sequence[Reading]]
    find: Callable[[], Sequence[Node]]
    port_errors: Callable[[], float | None] | None = None
    exists: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class TickSpec:
    """What one tick is asked to do. ``now``: the instant it decides for, as :func:`as_instant` takes it.

    ``report``, ``request``, ``orphans``, ``cleaned_up``: something to record or to begin; then figures are weighed only
    if ``sample`` is given. ``nodes``: addresses to query instead of those that the record knows; ``count``: nodes in
    service, instead of as many. ``reported_at``: the instant of the report, ``now`` if there is none. ``announce``: the
    caller begins at once with what is decided, so that its silence will be noticed. ``withdraw_after``: ticks for which
    a node is silent before its DNS records are withdrawn, 0 for never; ``restored``: nodes that have theirs again.
    """

    policy: Policy
    now: object
    owner: str = ""
    lease_seconds: float = CLAIM_SECONDS
    nodes: tuple[str, ...] | None = None
    count: int | None = None
    sample: Mapping[str, Any] | None = None
    report: evaluator.Report | None = None
    reported_at: Callable[[Record], object] | None = None
    request: by_hand.Request | None = None
    orphans: tuple[str, ...] = ()
    cleaned_up: tuple[str, ...] = ()
    announce: bool = False
    withdraw_after: int = 0
    restored: tuple[str, ...] = ()

    @property
    def reports(self) -> bool:
        """Whether something is to be recorded that happened."""
        return self.report is not None or bool(self.orphans or self.cleaned_up or self.restored)

    def __post_init__(self) -> None:
        """Refuse what is wrong whatever the group state is, before anything is read or written."""
        as_instant(self.now)
        figures(self.policy, self.sample)
        if self.count is not None:
            node_count(self.count)


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick decided, and what it had seen. ``sample``: the figures that were weighed, None where there were none.

    ``count``: nodes in service, None if not needed. ``searched``: EC2 was queried.
    """

    decision: Decision
    readings: tuple[Reading, ...] = ()
    sample: Mapping[str, Any] | None = None
    count: int | None = None
    searched: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _TickState:
    """What a tick learns on its way."""

    record: Record
    readings: list[Reading] = field(default_factory=list)
    searched: bool = False
    warnings: list[str] = field(default_factory=list)

    def search(self, effects: Effects) -> None:
        """Ask EC2 for the zone's nodes. Raises Refusal for a zone that has neither an instance nor a state."""
        found = effects.find()
        if not found and self.record.updated is None and not effects.exists():
            raise Refusal(
                f"EC2 lists no instance with the tags cloudadc:group={self.record.group} and cloudadc:zone="
                f"{self.record.zone}, and the store knows nothing of that zone: are group, zone and region right? "
                "Nothing was stored. A zone gets its first nodes from cloudadc.aws.autoscale_group"
            )
        self.record = refreshed(self.record, found)
        self.searched = True

    def rate(self, now: object) -> None:
        """Turn the counters of the readings into rates, and keep them for the next tick."""
        if self.readings:
            at = as_instant(now)
            self.readings = with_rates(self.readings, self.record.counters, at)
            self.record = replace(self.record, counters=counted(self.readings, at))


def plan_for(spec: TickSpec, effects: Effects) -> Plan[Ticked]:
    """Return the tick as a plan for :func:`.session.carry_out` and :func:`.session.predict`."""

    def plan(record: Record) -> tuple[Record, Ticked]:
        return tick(spec, effects, record)

    return plan


def tick(spec: TickSpec, effects: Effects, record: Record) -> tuple[Record, Ticked]:
    """One tick. Raises :class:`~..autoscale.errors.AutoscaleError` for what is refused, :class:`Failure` for AWS.

    Then nothing has changed, and nothing is to be stored.
    """
    if spec.request is not None:
        return _by_hand(spec, spec.request, effects, record)
    if spec.reports:
        record, decision = _reported_event(spec, record)
        if spec.sample is None:
            return record, Ticked(decision)
    if not evaluator.weighs(spec.policy, record, spec.now):
        # A phase, or a second tick of an interval: no figure and no number of nodes would change the answer.
        return _decided(spec, _TickState(record), None, spec.policy.min_nodes, known=False)
    view = _TickState(record)
    count = _observe(spec, effects, view)
    view.rate(spec.now)
    view.record = counted_silence(view.record, view.readings, spec.withdraw_after)
    sample = spec.sample if spec.sample is not None else _with_port_errors(_aggregate(view.readings), effects, view)
    return _decided(spec, view, sample, count)


def _decided(
    spec: TickSpec, view: _TickState, sample: Mapping[str, Any] | None, count: int, *, known: bool = True
) -> tuple[Record, Ticked]:
    after, decision = evaluator.evaluate(
        spec.policy, view.record, sample, count, spec.now, owner=spec.owner, claim_seconds=spec.lease_seconds
    )
    return _observed(spec, after, decision, view, sample, count if known else None)


def _observed(
    spec: TickSpec,
    after: Record,
    decision: Decision,
    view: _TickState,
    sample: Mapping[str, Any] | None,
    count: int | None,
) -> tuple[Record, Ticked]:
    if spec.announce:
        after = evaluator.announced(after, decision)
    return after, Ticked(
        decision, tuple(view.readings), sample, count, view.searched, (*view.warnings, *decision.warnings)
    )


def _reported_event(spec: TickSpec, record: Record) -> tuple[Record, Decision]:
    """Record a report, nodes of which nothing is left, and failed events of which nothing is left."""
    record = orphans(record, spec.orphans) if spec.orphans else record
    record = restored(record, spec.restored) if spec.restored else record
    for left in record.unfinished:
        if left.event_id in spec.cleaned_up:
            done = evaluator.Report(left.event_id, evaluator.Outcome.DONE, takeover=left.takeovers)
            record, _decision = _reported(spec, record, done)
    if spec.report is not None:
        return _reported(spec, record, spec.report)
    gone = [what for what, named in (("missing nodes", spec.orphans), ("failed events", spec.cleaned_up)) if named]
    reason = [f"nothing is left of the {' and the '.join(gone)}"] if gone else []
    reason += [f"{', '.join(spec.restored)} has its records again"] if spec.restored else []
    return record, noted(record, record.event.id if record.event else None, "; ".join(reason))


def _reported(spec: TickSpec, record: Record, report: evaluator.Report) -> tuple[Record, Decision]:
    at = spec.reported_at(record) if spec.reported_at else spec.now
    return evaluator.report(spec.policy, record, report, at, owner=spec.owner, claim_seconds=spec.lease_seconds)


def _by_hand(spec: TickSpec, request: by_hand.Request, effects: Effects, record: Record) -> tuple[Record, Ticked]:
    view, count = _TickState(record), None
    if record.event is None and not by_hand.known(record, request, spec.owner):
        count = _given_count(spec)
        if count is None:
            view.search(effects)
            count = len(view.record.nodes or ())
    after, decision = by_hand.ask(
        spec.policy,
        view.record,
        request,
        count or 0,
        spec.now,
        owner=spec.owner,
        claim_seconds=spec.lease_seconds,
    )
    return _observed(spec, after, decision, view, None, count)


def _given_count(spec: TickSpec) -> int | None:
    if spec.count is not None:
        return spec.count
    return None if spec.nodes is None else len(spec.nodes)


def _observe(spec: TickSpec, effects: Effects, view: _TickState) -> int:
    """Ask the appliances, unless the figures are given; how many nodes are in service."""
    given = _given_count(spec)
    if spec.nodes is not None or (given is not None and spec.sample is not None):
        if spec.sample is None and spec.nodes:
            view.readings.extend(effects.collect(spec.nodes))
        return given or 0
    if view.record.nodes is None:
        view.search(effects)
    if spec.sample is None:
        _ask(effects, view)
    return given if given is not None else len(view.record.nodes or ())


def _ask(effects: Effects, view: _TickState) -> None:
    """Ask every node that the record knows; when one is silent, look which nodes there are, and ask those not asked."""
    asked = _addresses(view)
    view.readings.extend(effects.collect(asked) if asked else ())
    if view.searched or all(reading.reachable for reading in view.readings):
        return
    try:
        view.search(effects)
    except Failure as error:
        view.warnings.append(f"a node does not answer, and which nodes there are could not be asked: {error}")
        return
    there = _addresses(view)
    answering = [reading.nsip for reading in view.readings if reading.reachable and reading.nsip not in there]
    if answering and not there:
        raise Refusal(
            f"EC2 lists no node in service of {view.record.group} {view.record.zone}, but "
            f"{', '.join(answering)} answers: "
            "nothing is concluded from it, and nothing was stored. If the nodes were taken out of service by hand, set "
            "their tag cloudadc:lifecycle back, or terminate them"
        )
    new = [address for address in there if address not in asked]
    view.readings = [reading for reading in view.readings if reading.nsip in there]
    view.readings.extend(effects.collect(new) if new else ())


def _addresses(view: _TickState) -> list[str]:
    return list(dict.fromkeys(node.nsip for node in view.record.nodes or ()))


def _with_port_errors(sample: dict[str, Any] | None, effects: Effects, view: _TickState) -> dict[str, Any] | None:
    """Return the sample with the load balancer's port errors, which are reported above zero whatever the policy."""
    if effects.port_errors is None:
        return sample
    try:
        errors = effects.port_errors()
    except Failure as error:
        view.warnings.append(f"whether the load balancer runs out of ports is not known: {error}")
        return sample
    if errors:
        view.warnings.append(
            f"the load balancer could not open {errors:g} connections in the last minute, because no port was left for "
            "them (PortAllocationErrorCount). Add nodes, or let applications see the clients' addresses "
            "(preserve_client_ip)"
        )
    return sample if sample is None or errors is None else with_zone_figure(sample, "port_errors", errors)


def _aggregate(readings: Sequence[Reading]) -> dict[str, Any] | None:
    return aggregate(readings) if readings else None


def with_port(nodes: Sequence[Node], port: int | None) -> tuple[Node, ...]:
    """Nodes as they are asked: at this port, where it is not the protocol's own."""
    return tuple(replace(node, nsip=f"{node.nsip}:{port}") for node in nodes) if port else tuple(nodes)
