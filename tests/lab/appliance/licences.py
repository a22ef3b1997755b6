"""The licence server of a region: a pool of bandwidth, who holds some of it, and how long appliances do without it.

Sources: vendor's documentation of pooled capacity and of the License Activation Service (aws_vpx.md, 2 and 2b):
capacity of an appliance that is silent returns after ten minutes; without a server an appliance keeps its licence for a
grace period of thirty days.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .schema import Row

if TYPE_CHECKING:
    from .appliance import Appliance
    from .context import Room


@dataclass(slots=True)
class Holding:
    """What one appliance has checked out, and when (lab seconds) the server heard of it last."""

    edition: str
    mbps: int
    heard_at: float


def mbps_of(row: Row) -> int:
    """The bandwidth of a row of nscapacity."""
    return int(row.get("bandwidth") or 0) * (1000 if row.get("unit") == "Gbps" else 1)


@dataclass(slots=True)
class Licences:
    """The pool. Every appliance that is up and has a capacity holds it; one without has given it back."""

    room: Room
    holdings: dict[str, Holding] = field(default_factory=dict)
    lost_at: float | None = None

    def memory(self) -> dict[str, Any]:
        return {"holdings": self.holdings, "lost_at": self.lost_at}

    def recall(self, kept: dict[str, Any]) -> None:
        self.holdings, self.lost_at = kept["holdings"], kept["lost_at"]

    def step(self, now: float) -> None:
        """Hear of every appliance that is up."""
        if not self.room.settings.license_server_up:
            self.lost_at = now if self.lost_at is None else self.lost_at
            return
        self.lost_at = None
        for node in self.room.ready():
            row = node.running.single("nscapacity")
            if bandwidth := mbps_of(row):
                self.holdings[node.instance_id] = Holding(str(row.get("edition", "Platinum")), bandwidth, now)
            else:
                self.holdings.pop(node.instance_id, None)
        late = now - self.room.settings.license_return_seconds
        self.holdings = {name: one for name, one in self.holdings.items() if one.heard_at >= late}

    def available(self, edition: str, now: float, without: Appliance | None = None) -> int:
        """Mbps that are left of an edition's pool, as if ``without`` held nothing."""
        self.step(now)
        own = without.instance_id if without else ""
        held = sum(one.mbps for name, one in self.holdings.items() if name != own and one.edition == edition)
        return max(0, int(self.room.settings.license_pool_mbps) - held)

    def grace_left(self, now: float) -> float | None:
        """Lab seconds of grace without a server; None while there is one."""
        if self.lost_at is None:
            return None
        return max(0.0, self.room.settings.license_grace_seconds - (now - self.lost_at))
