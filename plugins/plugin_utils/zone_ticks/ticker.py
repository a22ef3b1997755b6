# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The loop of event source autoscale_ticks: a tick a zone and interval, in threads; what is to be done is an event.

A tick is what module autoscale_tick makes of it, record, lease and all. Every tick asks under a name of its own, and
an event carries that name: a playbook that goes on under it is told the same action with the same event id. As long as
it gives signs of life, later ticks answer none; when it dies, they say the action again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ...module_utils.core.errors import Failure
from ...module_utils.core.nitro_errors import NitroError
from ...module_utils.core.parallel import one_thread
from ...module_utils.reconcile.session import carry_out, loaded
from ...module_utils.reconcile.tick import Effects, Order, plan_for
from ...module_utils.reconcile.tick_effects import in_ec2, over_nitro
from ...module_utils.scaling.decision import Decision, refused
from ...module_utils.spec.errors import AutoscaleError
from ...module_utils.stores.base import LeaseLost, LeaseRefused, StoreError
from ...module_utils.stores.options import default_owner, open_store
from ..arguments import AwsAccess, SettingsError
from .settings import Settings

Event = dict[str, Any]
Put = Callable[[Event], Awaitable[None]]

_LOG = logging.getLogger("cloudadc.aws.autoscale_ticks")


@dataclass(frozen=True, slots=True)
class _Options:
    """What stores want of a module: its options, and clients of AWS."""

    params: dict[str, Any]
    aws: AwsAccess
    check_mode: bool = False

    def client(self, service: str, **_options: object) -> Any:
        return self.aws.client(service)


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone and how it is ticked. Blocks; made for a thread of its own."""

    settings: Settings
    name: str

    def tick(self, now: datetime, owner: str) -> Decision:
        """What is to be done. Raises AutoscaleError, StoreError, NitroError, Failure or SettingsError."""
        settings = self.settings
        options = _Options({"store": settings.store}, settings.aws)
        store = open_store(options, settings.group, self.name, may_create=True)
        # Whom the event reaches reports how it goes; until then the nodes of a shrinking are still in the distributor.
        order = Order(settings.policy, now, owner=owner, lease_seconds=settings.lease_seconds, announce=True)
        held = min(settings.lease_seconds, 60.0 + 4 * settings.nitro.timeout)
        try:
            _before, _after, ticked = carry_out(store, plan_for(order, self._effects()), owner, held)
        except (LeaseRefused, LeaseLost) as error:
            return refused(loaded(store.read(), store), f"not evaluated: {error}")
        for warning in ticked.warnings:
            _LOG.warning("%s %s: %s", settings.group, self.name, warning)
        return ticked.decision

    def _effects(self) -> Effects:
        settings, nitro = self.settings, self.settings.nitro
        params = {
            "nitro_user": nitro.user,
            "nitro_pass": nitro.password,
            "nitro_auth_token": None,
            "nitro_protocol": nitro.protocol,
            "validate_certs": nitro.validate_certs,
            "ca_path": nitro.ca_path,
            "nitro_timeout": nitro.timeout,
        }
        find = in_ec2(lambda: settings.aws.client("ec2"), settings.group, self.name, settings.nitro_port)
        return Effects(over_nitro(params), find)


def event_of(group: str, zone: str, owner: str, at: datetime, decision: Decision) -> Event | None:
    """The event that tells of a decision, or None: nothing is to be done. Pure."""
    said = decision.to_json()
    chosen = said["decision"]
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
        "phase": said["phase"],
        "phase_until": said["phase_until"],
    }


@dataclass(slots=True)
class Ticker:
    """Ticks all zones of a group until it is cancelled. ``put`` takes its events."""

    settings: Settings
    put: Put
    _troubles: dict[str, str] = field(default_factory=dict)

    async def run(self) -> None:
        """Never returns."""
        async with asyncio.TaskGroup() as tasks:
            for name in self.settings.zones:
                tasks.create_task(self._forever(Zone(self.settings, name)))

    async def _forever(self, zone: Zone) -> None:
        """A tick each interval of the clock; one that takes longer swallows the next."""
        loop, interval = asyncio.get_running_loop(), float(self.settings.policy.interval)
        with one_thread() as thread:
            due = loop.time()
            while True:
                at, owner = datetime.now(UTC), f"eda {default_owner()}"
                event = None
                try:
                    decision = await loop.run_in_executor(thread, zone.tick, at, owner)
                    event = event_of(self.settings.group, zone.name, owner, at, decision)
                    self._troubles.pop(zone.name, None)
                except (AutoscaleError, StoreError, NitroError, Failure, SettingsError) as error:
                    self._complain(zone.name, str(error))
                if event:
                    await self.put(event)
                due += interval
                while due <= loop.time():
                    due += interval
                await asyncio.sleep(due - loop.time())

    def _complain(self, zone: str, trouble: str) -> None:
        """Once for as long as it is the same."""
        if self._troubles.get(zone) != trouble:
            _LOG.warning("%s %s: %s", self.settings.group, zone, trouble)
        self._troubles[zone] = trouble
