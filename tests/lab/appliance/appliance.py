"""One appliance: power, boot, its two configurations, its sessions. It knows its hypervisor only through
InstanceFacts.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from tests.lab.world import Door, InstanceFacts, InterfaceFacts

from .factory import factory_config
from .installing import Software
from .schema import Row
from .sessions import Sessions
from .settings import BootTimes, Settings
from .store import Config, Key


class Stage(enum.Enum):
    """Where an appliance is between the power switch and its API."""

    OFF = "off"
    DARK = "dark"
    CLOSED = "closed"
    NO_TLS = "no_tls"
    UNREADY = "unready"
    READY = "ready"


DOORS = {
    Stage.OFF: Door.DARK,
    Stage.DARK: Door.DARK,
    Stage.CLOSED: Door.CLOSED,
    Stage.NO_TLS: Door.NO_TLS,
    Stage.UNREADY: Door.OPEN,
    Stage.READY: Door.OPEN,
}


@dataclass(slots=True)
class HaState:
    """What a node knows of the pair. Times are lab seconds; ``claim`` is when its claim to be primary began."""

    role: str = "Primary"
    claim: float = 0.0
    since: float = 0.0
    transition: float | None = None
    hears: str | None = None
    ever_heard: bool = False
    primary_heard: float = 0.0
    yield_at: float | None = None
    sync: str = ""
    sync_due: float = 0.0
    stale: bool = False
    flips: int = 0
    prop_failures: int = 0
    sync_failures: int = 0
    move_at: float | None = None
    """When this node, primary since a moment ago, moves Elastic IPs."""
    files_at: float = 0.0
    """When this node last pulled files from its primary."""


@dataclass(slots=True)
class ClusterState:
    """What a node does in a cluster; ``member`` since the boot after it was enabled or joined."""

    member: bool = False
    """Takes part: its instance was enabled, or it has joined, before this boot."""
    synced: bool = False
    """Whether it has taken the coordinator's configuration since this boot."""


@dataclass(slots=True)
class Figures:
    """Load: CPU %, memory %, throughput Mbit/s (received plus sent), connections; totals are integrals up to ``at``."""

    cpu: float = 2.0
    memory: float = 18.0
    throughput: float = 0.0
    connections: float = 0.0
    at: float = 0.0
    megabits: float = 0.0

    def set(self, now: float, figures: dict[str, float]) -> None:
        self.megabits, self.at = self.total(now), now
        for name in ("cpu", "memory", "throughput", "connections"):
            if name in figures:
                setattr(self, name, float(figures[name]))

    def total(self, now: float) -> float:
        return self.megabits + self.throughput * max(0.0, now - self.at)


@dataclass(slots=True)
class Appliance:
    """State of one instance. All times are lab seconds."""

    facts: InstanceFacts
    settings: Settings
    boot_began: float
    boot_times: BootTimes
    saved: Config
    running: Config
    powered: bool = True
    sessions: Sessions = field(default_factory=Sessions)
    ha: HaState = field(default_factory=HaState)
    cluster: ClusterState = field(default_factory=ClusterState)
    figures: Figures = field(default_factory=Figures)
    changed_at: float = 0.0
    saved_at: float = 0.0
    saving_until: float = 0.0
    backups: dict[Key, Row] = field(default_factory=dict)
    """Archives on its disk, each by its file name; reboots keep them."""
    software: Software = field(default_factory=Software)
    boots: int = 1
    loaded: bool = False
    """Whether figures set for its zone have been applied to it."""

    @classmethod
    def fresh(cls, facts: InstanceFacts, settings: Settings) -> Appliance:
        """A new instance, with the factory's configuration."""
        config = factory_config(facts)
        began = facts.started_at
        self = cls(facts, settings, began, settings.cold, config, config.copy(), figures=Figures(at=began))
        self.ha.claim = self.ha.since = began
        return self

    @property
    def instance_id(self) -> str:
        return self.facts.instance_id

    @property
    def nsip(self) -> str:
        """Its management address: the primary private address of the interface with device index 0."""
        return next((interface.addresses[0] for interface in self.facts.interfaces if interface.device_index == 0), "")

    @property
    def ready_at(self) -> float:
        return self.boot_began + self.boot_times.total

    def stage(self, now: float) -> Stage:
        if not self.powered or self.facts.state != "running":
            return Stage.OFF
        if self.software.running in self.settings.dead_builds:
            return Stage.DARK
        left = now - self.boot_began
        for stage, length in (
            (Stage.CLOSED, self.boot_times.closing),
            (Stage.DARK, self.boot_times.dark),
            (Stage.CLOSED, self.boot_times.closed),
            (Stage.NO_TLS, self.boot_times.no_tls),
            (Stage.UNREADY, self.boot_times.unready),
        ):
            if left < length:
                return stage
            left -= length
        return Stage.READY

    def version(self, settings: Settings) -> str:
        """The version that it runs: one that was installed, or that of the image that it was launched from."""
        return self.software.running or settings.builds.get(self.facts.image_id, settings.version)

    def ready(self, now: float) -> bool:
        return self.stage(now) is Stage.READY

    def observe(self, facts: InstanceFacts) -> bool:
        """Take over what the hypervisor says. True when that restarted or stopped the machine."""
        before, self.facts = self.facts, facts
        if facts.state == "running" and (facts.started_at, facts.reboots) != (before.started_at, before.reboots):
            return True
        return facts.state != before.state

    def boot(self, now: float, times: BootTimes, *, cold: bool = True) -> None:
        """Start over: sessions are gone, and what was not saved is gone (vendor docs: running and saved
        configuration).
        """
        self.boot_began, self.boot_times = now, times
        self.running = self.saved.copy()
        self.sessions.clear()
        self.saving_until = 0.0
        self.software.boot(cold=cold)
        self.boots += 1

    def save(self, now: float) -> None:
        self.saved = self.running.copy()
        self.saved_at = now
        self.saving_until = now + self.settings.save_seconds

    def addresses(self) -> set[str]:
        """Every private address EC2 has on its interfaces."""
        return {address for interface in self.facts.interfaces for address in interface.addresses}

    def interfaces(self) -> list[InterfaceFacts]:
        """Its interfaces in the order of their names, 1/1 first."""
        by_device = sorted(self.facts.interfaces, key=lambda one: one.device_index)
        if not self.settings.interfaces_by_mac:
            return by_device
        by_mac = sorted(by_device, key=lambda one: one.mac)
        return by_mac if by_mac != by_device else [*by_device[1:], *by_device[:1]]

    def management_addresses(self) -> set[str]:
        """Addresses at which NITRO answers: the NSIP, and SNIPs with management access. (CLIPs: see cluster.)"""
        return {
            row["ipaddress"]
            for row in self.running.rows("nsip")
            if row["type"] == "NSIP" or (row["type"] == "SNIP" and row.get("mgmtaccess") == "ENABLED")
        }

    def features(self) -> list[str]:
        names: list[str] = self.running.single("nsfeature").get("feature", [])
        return names
