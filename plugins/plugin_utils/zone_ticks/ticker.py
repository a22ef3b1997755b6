# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The loop of event source autoscale_ticks: a tick a zone and interval; what is to be done becomes an event.

A tick is what module autoscale_tick makes of it, record and lease included. Every tick has an owner of its own, and an
event carries that owner: a playbook that resumes the event under it gets the same action with the same event id. While
it gives signs of life, later ticks answer none; when it dies, they return the action again.

Zones are spread over the interval, so that hundreds of them fit into one process; a zone that is late or fails delays
no other.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ...module_utils.aws.errors import AwsError
from ...module_utils.core.errors import Failure
from ...module_utils.core.parallel import attempt, workers_left_alone
from ...module_utils.nitro.client import NitroClient
from ...module_utils.nitro.logins import IDLE_SECONDS, LOGIN_SECONDS, LoginGate
from ...module_utils.reconcile.alerting import send
from ...module_utils.reconcile.kept_samples import keep_sample
from ...module_utils.reconcile.licence_state import is_due
from ...module_utils.reconcile.pins import pins_of
from ...module_utils.reconcile.session import carry_out, loaded
from ...module_utils.reconcile.tick import Effects, TickSpec, plan_for
from ...module_utils.reconcile.tick_alerts import of_failure, of_licences, of_tick
from ...module_utils.reconcile.tick_effects import in_ec2
from ...module_utils.reconcile.zone_ticks import Once, has_instances, of_zone
from ...module_utils.scaling.decision import Decision, refused
from ...module_utils.spec.alerts import Alert
from ...module_utils.spec.figures import Reading
from ...module_utils.spec.times import as_instant
from ...module_utils.stores.base import LeaseLost, LeaseRefused, Store, StoreError
from ...module_utils.stores.options import StoreOptions, default_owner, open_store
from ..arguments import AwsAccess, connection_at
from .appliances import WORKERS as APPLIANCE_WORKERS
from .appliances import Appliances
from .settings import Group, Settings

Event = dict[str, Any]
Put = Callable[[Event], Awaitable[None]]

#: How many zones are ticked at once; a zone waits for its store and its slowest node.
WORKERS = 64
#: Zones begin this many seconds apart, or closer together where there are many.
LONGEST_STEP = 1.0
#: A client of AWS is made anew after so many seconds, so that rotated credentials are picked up.
CLIENT_SECONDS = 300.0
#: After a failure a client that is older than this is made anew.
RENEW_SECONDS = 10.0
#: Sessions with appliances that are no longer named are closed after so many intervals.
KEPT_INTERVALS = 3
#: Seconds after which refused logins are reported again; a tick that is a little early counts.
REPEAT_SECONDS = 55.0

_LOG = logging.getLogger("cloudadc.aws.autoscale_ticks")


@dataclass(slots=True)
class Clients:
    """What stores want of a module: its options, and clients of AWS. One client a service for all zones."""

    aws: AwsAccess
    clock: Callable[[], float] = time.monotonic
    check_mode: bool = False
    params: dict[str, Any] = field(default_factory=dict)
    _made: dict[str, tuple[float, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, service: str, **_options: object) -> Any:
        """Return the client of a service. Raises SettingsError."""
        with self._lock:
            made_at, client = self._made.get(service, (0.0, None))
            if client is None or self.clock() - made_at > CLIENT_SECONDS:
                client = self.aws.client(service)
                self._made[service] = (self.clock(), client)
            return client

    def renew(self) -> None:
        """Make clients anew when they are next needed, after a failure that rotated credentials may explain.

        Those that are a few seconds old stay: where AWS does not answer at all, every zone of a fleet gets here.
        """
        with self._lock:
            now = self.clock()
            self._made = {name: made for name, made in self._made.items() if now - made[0] < RENEW_SECONDS}


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone and how it is ticked. Blocks; made for a thread."""

    group: Group
    name: str
    settings: Settings
    clients: Clients
    appliances: Appliances
    #: The nodes that refused the login in the last tick, and why.
    refusals: list[str] = field(default_factory=list, compare=False)

    def __str__(self) -> str:
        return f"{self.group.name} {self.name}"

    def tick(self, now: datetime, owner: str) -> Decision:
        """Return what is to be done, and publish alerts. Raises Failure."""
        store = open_store(
            StoreOptions({"store": self.group.store}, self.clients.client), self.group.name, self.name, may_create=True
        )
        try:
            return self._tick(store, now, owner)
        except Failure as error:
            self._publish([of_failure(self.group.name, self.name, str(error), as_instant(now))], store)
            raise

    def _publish(self, alerts: Sequence[Alert], store: Store) -> None:
        for warning in send(alerts, self.settings.alerts, self.clients.client, store):
            _LOG.warning("%s: %s", self, warning)

    def _tick(self, store: Store, now: datetime, owner: str) -> Decision:
        settings, group = self.settings, self.group
        # The run that the event reaches reports how it goes; until then nodes of a scale-in are still registered.
        spec = TickSpec(group.policy, now, owner=owner, lease_seconds=settings.lease_seconds, announce=True)
        held = min(settings.lease_seconds, 60.0 + 4 * settings.nitro.timeout)
        find = Once(
            in_ec2(lambda: self.clients.client("ec2"), group.name, (self.name,), settings.nitro_port, self._learn)
        )
        effects = Effects(self._collect, of_zone(find, self.name), exists=has_instances(find, self.name))
        try:
            before, after, ticked = carry_out(store, plan_for(spec, effects), owner, held)
        except (LeaseRefused, LeaseLost) as error:
            return refused(loaded(store.read(), store), f"not evaluated: {error}")
        kept = keep_sample(store, as_instant(now), ticked.sample, ticked.count or 0, settings.samples_hours)
        for warning in (*ticked.warnings, *kept):
            _LOG.warning("%s: %s", self, warning)
        alerts = of_tick(after, ticked.decision, ticked.readings, as_instant(now))
        self._publish([*alerts, *self._licence_alerts(before.updated, ticked.readings, as_instant(now))], store)
        return ticked.decision

    def _licence_alerts(self, before: float | None, readings: Sequence[Reading], now: float) -> list[Alert]:
        """Return an alert for each appliance that answered and is in the grace period of its licence."""
        answered = [reading.nsip for reading in readings if reading.reachable and not reading.refused]
        if not self.settings.alerts or not answered or not is_due(before, now):
            return []
        return of_licences(self.group.name, self.name, self.appliances.licences(answered), now)

    def _learn(self, nodes: Sequence[tuple[str, Mapping[str, str]]]) -> None:
        self.settings.pins.learn(pins_of(nodes))

    def _collect(self, nsips: Sequence[str]) -> list[Reading]:
        readings = self.appliances.collect(nsips)
        self.refusals[:] = [reading.error for reading in readings if reading.refused and reading.error]
        return readings


def event_of(group: str, zone: str, owner: str, at: datetime, decision: Decision) -> Event | None:
    """Return the event for a decision, or None where nothing is to be done. Pure."""
    message = decision.to_json()
    chosen = message["decision"]
    if chosen["action"] == "none":
        return None
    return {
        "type": chosen["action"],
        "group": group,
        "zone": zone,
        "at": at.isoformat(timespec="milliseconds"),
        "owner": owner,
        "count": chosen["count"],
        "reason": chosen["reason"],
        "event_id": chosen["event_id"],
        "resumed": chosen["resumed"],
        "phase": message["phase"],
        "phase_until": message["phase_until"],
    }


def spread(zones: int, interval: float, random_part: Callable[[], float] = random.random) -> list[float]:
    """Return the seconds after which each zone begins: evenly apart, each moved by a part of the step at random.

    Two processes that are started at the same moment must not query the same things at the same moment.
    """
    step = min(LONGEST_STEP, interval / max(zones, 1))
    return [(number + random_part()) * step for number in range(zones)]


@dataclass(slots=True)
class Ticker:
    """Ticks all zones of all groups until it is cancelled. ``put`` takes its events; ``begun`` is called with a zone
    and the seconds by which its tick began late."""

    settings: Settings
    put: Put
    begun: Callable[[Zone, float], None] = lambda _zone, _late: None
    _troubles: dict[str, str] = field(default_factory=dict)
    _refused: dict[str, float] = field(default_factory=dict)

    async def run(self) -> None:
        """Never returns."""
        with workers_left_alone(WORKERS) as workers, workers_left_alone(APPLIANCE_WORKERS) as askers:
            clients, appliances = Clients(self.settings.aws), self._appliances(askers)
            zones = [
                Zone(group, name, self.settings, clients, appliances)
                for group in self.settings.groups
                for name in group.zones
            ]
            begins = spread(len(zones), min(float(group.policy.interval) for group in self.settings.groups))
            try:
                async with asyncio.TaskGroup() as tasks:
                    for zone, first in zip(zones, begins, strict=True):
                        tasks.create_task(self._forever(zone, first, workers))
            finally:
                appliances.close()

    def _appliances(self, workers: Executor) -> Appliances:
        nitro, file = self.settings.nitro, self.settings.nitro_pass_file
        gates: weakref.WeakValueDictionary[str, LoginGate] = weakref.WeakValueDictionary()
        longest = max(float(group.policy.interval) for group in self.settings.groups)

        def connect(nsip: str) -> NitroClient:
            entered = connection_at(nitro, nsip, file, self.settings.pins)
            named = replace(entered, login_timeout=LOGIN_SECONDS, idle_timeout=IDLE_SECONDS)
            gate = gates.get(nsip) or LoginGate()  # of all clients for it, so that a refused password is not hurried
            gates[nsip] = gate
            return NitroClient(named, gate=gate)

        return Appliances(connect, nitro.timeout, KEPT_INTERVALS * longest, workers)

    async def _forever(self, zone: Zone, first: float, workers: Executor) -> None:
        """Tick at each interval of the clock; a tick that takes longer skips the next."""
        loop, interval = asyncio.get_running_loop(), float(zone.group.policy.interval)
        due = loop.time() + first
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.begun(zone, loop.time() - due)
            await self._tick(zone, workers)
            due += interval
            while due <= loop.time():
                due += interval

    async def _tick(self, zone: Zone, workers: Executor) -> None:
        at, owner = datetime.now(UTC), f"eda {default_owner()}"
        decision = await asyncio.get_running_loop().run_in_executor(workers, attempt, lambda: zone.tick(at, owner))
        zone.appliances.forget_unused()
        await self._report_refusals(zone, at)
        if isinstance(decision, Failure):
            if isinstance(decision, AwsError | StoreError):
                zone.clients.renew()
            self._complain(str(zone), str(decision))
            return
        self._troubles.pop(str(zone), None)
        event = event_of(zone.group.name, zone.name, owner, at, decision)
        if event:
            await self.put(event)

    async def _report_refusals(self, zone: Zone, at: datetime) -> None:
        """Log and report nodes that refuse the login: at once, and each minute while it lasts."""
        now, last = time.monotonic(), self._refused.get(str(zone))
        if not zone.refusals:
            self._refused.pop(str(zone), None)
        elif last is None or now - last >= REPEAT_SECONDS:
            self._refused[str(zone)] = now
            reason = "; ".join(zone.refusals)
            _LOG.warning("%s: %s", zone, reason)
            moment = at.isoformat(timespec="milliseconds")
            await self.put(
                {"type": "login_refused", "group": zone.group.name, "zone": zone.name, "at": moment, "reason": reason}
            )

    def _complain(self, zone: str, trouble: str) -> None:
        """Once for as long as it is the same."""
        if self._troubles.get(zone) != trouble:
            _LOG.warning("%s: %s", zone, trouble)
        self._troubles[zone] = trouble
