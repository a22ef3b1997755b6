"""Clusters of appliances: membership, coordinator, CLIP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .schema import Row

if TYPE_CHECKING:
    from .appliance import Appliance
    from .context import Context, Room


class Clusters:
    def __init__(self, room: Room) -> None:
        self.room = room

    def step(self, now: float) -> None: ...

    def reset(self) -> None: ...

    def restarted(self, node: Appliance) -> None: ...

    def prefix(self, node: Appliance) -> str:
        return ""

    def serves(self, node: Appliance, now: float) -> bool:
        return True

    def coordinator_at(self, address: str, now: float) -> Appliance | None:
        return None

    def describe(self, node: Appliance, now: float) -> dict[str, Any] | None:
        return None

    def before_write(self, ctx: Context, name: str) -> None: ...

    def propagate(self, ctx: Context, name: str, row: Row, command: Callable[[Context], object]) -> None: ...

    def node_statistics(self, ctx: Context) -> list[Row]:
        return []

    def instance_statistics(self, ctx: Context) -> list[Row]:
        return []

    def adding_address(self, ctx: Context, row: Row) -> None: ...

    def added_address(self, ctx: Context, row: Row) -> None: ...

    def deleting_address(self, ctx: Context, row: Row) -> None: ...
