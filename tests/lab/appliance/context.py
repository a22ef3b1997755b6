"""What a request carries through the engine, and what the engine may ask of the world around one appliance."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tests.lab.packets.host import Host
from tests.lab.packets.way import Flow, Verdict, connection, to_back_end
from tests.lab.world import Clock, InstanceFacts, Region

from .appliance import Appliance
from .errors import MESSAGES
from .forwarding import host_of
from .health import Prober
from .licences import Licences
from .settings import Settings
from .store import Config

if TYPE_CHECKING:
    from .cluster import Clusters
    from .ha import Pairs


class Room:
    """All appliances of a region, by instance id, and what they share. Guarded by one lock."""

    ha: Pairs
    clusters: Clusters

    def __init__(self, clock: Clock, region: Region) -> None:
        self.clock = clock
        self.region = region
        self.settings = Settings()
        self.lock = threading.RLock()
        self.prober = Prober()
        self.appliances: dict[str, Appliance] = {}
        self.licences = Licences(self)
        self._allowed: dict[tuple[str, str, str, int], tuple[float, bool]] = {}
        self._ways: dict[tuple[Host, str, int], Verdict] = {}
        self._ways_of: object = None

    def memory(self) -> dict[str, Any]:
        """The appliances, and the settings that they share with the room."""
        return {"appliances": self.appliances, "settings": self.settings, "licences": self.licences.memory()}

    def recall(self, kept: dict[str, Any]) -> None:
        """Take over what ``memory`` gave; what was found out about the world meanwhile is forgotten."""
        self.appliances, self.settings = kept["appliances"], kept["settings"]
        self.licences.recall(kept["licences"])
        self.prober.forget()
        self._allowed.clear()

    def appliance_of(self, facts: InstanceFacts) -> Appliance:
        """The appliance on this instance: as it is known, or a new one with factory settings."""
        known = self.appliances.get(facts.instance_id)
        if known is None:
            known = self.appliances[facts.instance_id] = Appliance.fresh(facts, self.settings)
        else:
            started = facts.started_at != known.facts.started_at
            if known.observe(facts):
                known.boot(facts.started_at if started else self.clock.now(), self.settings.cold)
                self.restarted(known)
        return known

    def restarted(self, appliance: Appliance) -> None:
        """Whatever a boot means to the pair and the cluster it belongs to."""
        self.ha.restarted(appliance)
        self.clusters.restarted(appliance)

    def ready(self) -> list[Appliance]:
        now = self.clock.now()
        return [appliance for appliance in self.appliances.values() if appliance.ready(now)]

    def by_nsip(self, address: str) -> Appliance | None:
        return next((appliance for appliance in self.appliances.values() if appliance.nsip == address), None)

    def reach(self, source: Appliance, target: Appliance, protocol: Literal["tcp", "udp"], port: int) -> bool:
        """Whether packets from one NSIP get to the other: not partitioned, routed there, let in by the groups."""
        if frozenset((source.instance_id, target.instance_id)) in self.settings.partitions:
            return False
        key = (source.nsip, target.nsip, protocol, port)
        at, answer = self._allowed.get(key, (float("-inf"), False))
        if time.monotonic() - at > self.settings.allow_cache_seconds:
            flow = Flow(source.nsip, target.nsip, protocol, port, one_way=protocol == "udp")
            answer = connection(self.region.network(), self.host, flow).passes
            self._allowed[key] = (time.monotonic(), answer)
        return answer

    def host(self, instance_id: str) -> Host | None:
        """How an appliance forwards; None for whatever is none."""
        appliance = self.appliances.get(instance_id)
        return host_of(self, appliance) if appliance else None

    def way(self, appliance: Appliance, address: str, port: int) -> Verdict:
        """Return whether the appliance reaches a back end; cached for each state of network and appliance."""
        network, host = self.region.network(), host_of(self, appliance)
        if self._ways_of is not network:
            self._ways, self._ways_of = {}, network
        key = (host, address, port)
        if key not in self._ways:
            self._ways[key] = to_back_end(network, self.host, host, address, port)
        return self._ways[key]

    def monitor(self, appliance: Appliance) -> Monitor:
        """Return what the monitors of one appliance find out about back ends."""
        return Monitor(self, appliance)


@dataclass(frozen=True, slots=True)
class Monitor:
    """Whether one appliance finds a back end up: it has a way there, and something answers."""

    room: Room
    appliance: Appliance

    def up(self, address: str, port: int) -> bool:
        return self.room.way(self.appliance, address, port).passes and self.room.prober.up(address, port)


@dataclass(slots=True)
class Context:
    """One command on one appliance. ``origin`` peer: replayed from another node, so it goes no further."""

    room: Room
    appliance: Appliance
    now: float
    username: str = "nsroot"
    origin: Literal["client", "peer"] = "client"
    on_clip: bool = False
    token: str = ""
    warnings: list[str] = field(default_factory=list)
    args: Mapping[str, str] = field(default_factory=dict)
    """Of a read: what stands in ``?args=``."""

    @property
    def running(self) -> Config:
        return self.appliance.running

    @property
    def settings(self) -> Settings:
        return self.room.settings

    @property
    def monitor(self) -> Monitor:
        return self.room.monitor(self.appliance)

    def warn(self, code: int, *detail: object) -> None:
        """A warning of the vendor's list: the command is carried out all the same."""
        text = MESSAGES[code] + (f" [{', '.join(map(str, detail))}]" if detail else "")
        self.warnings.append(f"{code} - {text}")

    def as_peer(self, appliance: Appliance) -> Context:
        return Context(self.room, appliance, self.now, self.username, origin="peer")


def ordered(names: Iterable[str], row: dict[str, object]) -> dict[str, object]:
    """A row in the order of its documentation, then whatever else it has."""
    out = {name: row[name] for name in names if name in row}
    out.update({name: value for name, value in row.items() if name not in out})
    return out
