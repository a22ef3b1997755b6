# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The interface to which a thing is moved: named by its id, or by an instance and a device index. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..aws.addresses import Interface
from ..core.errors import Refusal

#: The suboptions of an entry of ``moves`` that name the target, the same for all kinds.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "network_interface_id": {"type": "str"},
    "instance_id": {"type": "str"},
    "device_index": {"type": "int", "default": 1},
}


@dataclass(frozen=True, slots=True)
class Target:
    """``network_interface_id``, or ``instance_id`` with the ``device_index`` of its interface."""

    network_interface_id: str | None
    instance_id: str | None
    device_index: int = 1

    @classmethod
    def from_option(cls, option: Mapping[str, Any], what: str) -> Target:
        """Parse an entry of ``moves``; empty strings count as missing. Raises Refusal without a target of ``what``."""
        found = cls(
            option.get("network_interface_id") or None,
            option.get("instance_id") or None,
            option.get("device_index", 1),
        )
        if not (found.network_interface_id or found.instance_id):
            raise Refusal(f"{what} was given neither an interface nor an instance to go to")
        return found

    def __str__(self) -> str:
        return self.network_interface_id or f"{self.instance_id}, device index {self.device_index}"

    def is_met_by(self, interface: Interface) -> bool:
        if self.network_interface_id:
            return interface.network_interface_id == self.network_interface_id
        return (interface.instance_id, interface.device_index) == (self.instance_id, self.device_index)


def lookup(targets: Iterable[Target]) -> dict[str, list[str]] | None:
    """Return the filters of the one DescribeNetworkInterfaces that resolves all targets; None if there is no target.

    Filters of different names are joined by *and*, so no filter fits targets by interface and by instance in one task:
    then every interface of the region is listed ({}).
    """
    every = list(targets)
    if not every:
        return None
    interfaces = sorted({one.network_interface_id for one in every if one.network_interface_id})
    instances = sorted({one.instance_id for one in every if not one.network_interface_id and one.instance_id})
    if interfaces and instances:
        return {}
    return {"network-interface-id": interfaces} if interfaces else {"attachment.instance-id": instances}


def resolve(target: Target, interfaces: Iterable[Interface], what: str) -> Interface:
    """Return the interface of a target. Raises Refusal if there is none, which names ``what`` was to go there."""
    found = next((one for one in interfaces if target.is_met_by(one)), None)
    if found is None:
        reason = "does not exist" if target.network_interface_id else "has no interface attached there"
        raise Refusal(f"{what} cannot go to {target}: it {reason}; nothing was moved")
    return found
