# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which secondary private addresses go to which interface, or a refusal. Pure."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..aws.addresses import Interface
from ..core.errors import Refusal
from .base import Verification
from .targets import Target, resolve

#: The size of the IPv4 prefixes that EC2 assigns to an interface.
PREFIX_LENGTH = 28


class Family(enum.Enum):
    """How EC2 moves it."""

    IPV4 = "one step, from whatever interface has it"
    PREFIX = "unassigned from one interface, then assigned to another"
    IPV6 = "unassigned from one interface, then assigned to the other"


@dataclass(frozen=True, slots=True)
class AddressRequest:
    """One entry of the option ``moves``: an address, or a /28 prefix, and the interface that shall have it."""

    address: str
    family: Family
    target: Target

    @classmethod
    def from_option(cls, option: Mapping[str, Any]) -> AddressRequest:
        """Parse an entry of ``moves``. Raises Refusal for what is no address, and without a target."""
        given = str(option["private_ip_address"])
        try:
            network = ipaddress.ip_network(given)
        except ValueError as error:
            raise Refusal(f"private address {given} cannot be moved: {error}") from None
        target = Target.from_option(option, f"private address {given}")
        if network.num_addresses == 1:
            family = Family.IPV4 if network.version == 4 else Family.IPV6
            return cls(str(network.network_address), family, target)
        if (network.version, network.prefixlen) != (4, PREFIX_LENGTH):
            raise Refusal(f"prefix {given} cannot be moved: EC2 assigns IPv4 prefixes of /{PREFIX_LENGTH}")
        return cls(str(network), Family.PREFIX, target)


@dataclass(frozen=True, slots=True)
class Holder:
    """The interface that has an address, and the Elastic IP (or other public address) on that address."""

    network_interface_id: str
    public_ip: str | None = None

    def __str__(self) -> str:
        return self.network_interface_id + (f" (Elastic IP {self.public_ip})" if self.public_ip else "")


@dataclass(frozen=True, slots=True)
class AddressChange:
    """One address, who has it (None: no interface) and who gets it. ``vpc_id``: addresses of other VPCs are others."""

    address: str
    family: Family
    before: Holder | None
    after: Holder
    vpc_id: str

    @property
    def key(self) -> str:
        return self.address

    @property
    def name(self) -> str:
        return f"{'prefix' if self.family is Family.PREFIX else 'private address'} {self.address}"

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def holder(self, observed: Sequence[Interface]) -> Holder | None:
        """Return who has it by a reading: the interfaces that may."""
        return find_holder(self.address, self.vpc_id, observed)

    def judge(self, observed: Sequence[Interface]) -> Verification:
        """Judge an observation; an address that has arrived before its Elastic IP is pending."""
        now = self.holder(observed)
        if now == self.after:
            return Verification.ARRIVED
        incomplete = now is not None and now == Holder(self.after.network_interface_id)
        return Verification.PENDING if now is None or now == self.before or incomplete else Verification.TAKEN

    def place(self, holder: Holder | None) -> str:
        return f"at {holder}" if holder else "assigned to no interface"

    def result(self, after: Holder | None, changed: bool) -> dict[str, Any]:
        """Return the entry of the module's result."""
        return {
            "private_ip_address": self.address,
            "public_ip": after.public_ip if after else None,
            "before": _result(self.before),
            "after": _result(after),
            "changed": changed,
        }


def _result(holder: Holder | None) -> dict[str, str | None]:
    return {"network_interface_id": holder.network_interface_id if holder else None}


def find_holder(address: str, vpc_id: str, interfaces: Iterable[Interface]) -> Holder | None:
    """Return who has an address or prefix in a VPC."""
    for one in interfaces:
        if one.vpc_id == vpc_id and one.has(address):
            return Holder(one.network_interface_id, one.public.get(address))
    return None


def plan(
    requests: Sequence[AddressRequest], interfaces: Sequence[Interface], expected_owners: Collection[str] | None
) -> list[AddressChange]:
    """Return one change for each request, in their order. Raises Refusal with a message that names every object.

    ``interfaces``: the targets, and those that have an address now. ``expected_owners``: the interfaces that may lose
    an address; None: any may.
    """
    changes = []
    problems = []
    for request in requests:
        target = resolve(request.target, interfaces, f"private address {request.address}")
        before = find_holder(request.address, target.vpc_id, interfaces)
        after = Holder(target.network_interface_id, before.public_ip if before else None)
        change = AddressChange(request.address, request.family, before, after, target.vpc_id)
        changes.append(change)
        if before and change.changed:
            holder = next(one for one in interfaces if one.network_interface_id == before.network_interface_id)
            problems += _problems(change, holder, target, expected_owners)
    problems += _contradictions(changes)
    if problems:
        raise Refusal(f"{'; '.join(problems)}; nothing was moved")
    return changes


def _problems(
    change: AddressChange, holder: Interface, target: Interface, expected_owners: Collection[str] | None
) -> list[str]:
    name, there = change.name, holder.network_interface_id
    if holder.is_primary(change.address):
        return [f"{name} is the primary address of {there}, which EC2 does not move: move a secondary one"]
    if holder.subnet_id != target.subnet_id:
        return [
            f"{name} of {there} lies in {holder.subnet_id}, {target.network_interface_id} in {target.subnet_id}: an "
            "address moves within its subnet only (kind route is for interfaces of different subnets)"
        ]
    if expected_owners is not None and there not in expected_owners:
        allowed = ", ".join(expected_owners) or "no interface"
        return [f"{name} is held by {there}; it may be taken from {allowed} only"]
    return []


def _contradictions(changes: Iterable[AddressChange]) -> list[str]:
    target_of: dict[str, AddressChange] = {}
    return [
        f"{change.name} was asked to go to {first.after} and to {change.after}"
        for change in changes
        if (first := target_of.setdefault(change.address, change)).after != change.after
    ]
