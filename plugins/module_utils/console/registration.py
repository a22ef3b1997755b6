# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What adm_device does at a console: reads, writes, and waits for registrations that go on side by side."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..core.nitro_errors import NitroAuthError, NitroError, NitroUnreachable
from . import devices
from .devices import Assignment, DesiredDevices, Device, Plan, Word

Row = dict[str, Any]
# A registration takes from seconds to minutes; the vendor's own clients look every five seconds.
_PAUSES = (0.5, 1.0, 2.0, 3.0)
_INTERVAL = 5.0
_ALREADY = 409


class Console(Protocol):
    """The part of ConsoleClient that this needs."""

    def get(self, kind: str, ident: str | None = None) -> list[Row]: ...
    def act(self, kind: str, action: str, body: Row) -> Row: ...
    def update(self, kind: str, ident: str, body: Row) -> Row: ...
    def delete(self, kind: str, ident: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Timing:
    """``timeout``: seconds for all registrations together. Clock and sleep are handed in."""

    timeout: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class Progress:
    """How far it came. ``arriving``: address → id of its activity, "" for one that only has to appear in the list (its
    activity has ended, or belongs to another run). ``leaving``: addresses that have to disappear from it.
    """

    trouble: list[str] = field(default_factory=list)
    arriving: dict[str, str] = field(default_factory=dict)
    leaving: set[str] = field(default_factory=set)
    words: dict[str, Word] = field(default_factory=dict)
    listed: dict[str, Device] | None = None

    @property
    def over(self) -> bool:
        return not self.arriving and not self.leaving


def observation(console: Console, desired: DesiredDevices) -> dict[str, Device]:
    """Return the desired devices that the console lists, by address."""
    return devices.parse_devices(console.get(devices.DEVICE), desired.addresses)


def choose(
    console: Console, name: str, desired: DesiredDevices, found: Mapping[str, Device]
) -> tuple[Plan, Assignment]:
    """Return the writes that are due. Refuses names that the console does not know. ``name``: its name in messages."""
    place = Assignment()
    if desired.present and (desired.datacenter is not None or desired.agent is not None):
        datacenters = console.get(devices.DATACENTER) if desired.datacenter is not None else []
        agents = console.get(devices.AGENT) if desired.agent is not None else []
        place = devices.find_place(desired, datacenters, agents, name)
    chosen = devices.plan(desired, found, place)
    devices.require_named_profile(desired, chosen)
    if devices.needs_profile(desired, chosen):
        devices.require_profile(desired, console.get(devices.PROFILE), name)
    return chosen, place


def carry_out(console: Console, desired: DesiredDevices, chosen: Plan, place: Assignment, timing: Timing) -> Progress:
    """Write what was chosen and wait for it. Failures of single devices are in the progress, and stop no other."""
    progress = Progress()
    deadline = timing.clock() + timing.timeout
    try:
        for device in chosen.remove:
            with _noted(progress):
                _remove(console, device, progress)
        for change in chosen.change:
            with _noted(progress):
                _change(console, change)
        for address in chosen.register:
            with _noted(progress):
                _register(console, desired, place, address, progress)
        _wait(console, desired, progress, deadline, timing)
    except NitroError as error:
        progress.trouble.append(str(error))
        progress.trouble += [f"registration of {one} continues; its status is unknown" for one in progress.arriving]
        return progress
    progress.trouble += filter(None, (_unfinished(address, progress, timing) for address in desired.addresses))
    return progress


@contextlib.contextmanager
def _noted(progress: Progress) -> Iterator[None]:
    """Note a refusal so that the other devices are still handled. Raises where further requests are pointless."""
    try:
        yield
    except (NitroUnreachable, NitroAuthError):
        raise
    except NitroError as error:
        progress.trouble.append(str(error))


def _remove(console: Console, device: Device, progress: Progress) -> None:
    console.delete(devices.DEVICE, device.ident)
    progress.leaving.add(device.address)


def _change(console: Console, change: devices.Change) -> None:
    console.update(devices.DEVICE, change.device.ident, {"ip_address": change.device.address, **change.fields})


def _register(console: Console, desired: DesiredDevices, place: Assignment, address: str, progress: Progress) -> None:
    try:
        message = console.act(devices.DEVICE, "add_device", devices.registration(desired, place, address))
    except NitroError as error:
        if error.http_status != _ALREADY:
            raise
        # An interrupted run, or another client, is registering it: wait until it is listed.
        message = {}
    progress.arriving[address] = str(message.get("act_id") or "")


def _wait(console: Console, desired: DesiredDevices, progress: Progress, deadline: float, timing: Timing) -> None:
    """Until everything has arrived and left, or the time is up; what the console then lists is in the progress."""
    pauses = iter(_PAUSES)
    while True:
        late = timing.clock() >= deadline
        _listen(console, progress)
        if late or not any(progress.arriving.values()):
            listed = progress.listed = observation(console, desired)
            progress.arriving = {one: act for one, act in progress.arriving.items() if act or one not in listed}
            progress.leaving &= listed.keys()
        if late or progress.over:
            return
        timing.sleep(max(0.0, min(next(pauses, _INTERVAL), deadline - timing.clock())))


def _listen(console: Console, progress: Progress) -> None:
    """Hear what the activities that go on have to say."""
    for address, activity in list(progress.arriving.items()):
        if not activity:
            continue
        message = progress.words[address] = devices.last_word(console.get(devices.ACTIVITY, activity))
        if message.done:
            progress.arriving[address] = ""
        elif message.ended:
            del progress.arriving[address]
            progress.trouble.append(f"{address} was not registered; the console says {str(message)!r}")


def _unfinished(address: str, progress: Progress, timing: Timing) -> str:
    """Return the message about an address that is not registered, or not removed, yet; "" for any other."""
    if address in progress.leaving:
        return f"{address} is still listed {timing.timeout:g} s after it was deleted"
    if address not in progress.arriving:
        return ""
    last = progress.words.get(address, Word())
    return f"{address} is not registered after {timing.timeout:g} s; the console's last word was {str(last)!r}"
