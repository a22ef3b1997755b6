# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What eip_failover decides: from the desired moves and AWS's state to what must be written, or a refusal. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..aws.addresses import Address, Association, Interface, association_result
from ..core.errors import Refusal
from . import targets
from .base import Verification


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """One entry of the option ``moves``: an Elastic IP and where it shall sit."""

    elastic_ip: str
    network_interface_id: str | None
    instance_id: str | None
    device_index: int
    private_ip_address: str | None

    @classmethod
    def from_option(cls, option: Mapping[str, Any]) -> MoveRequest:
        """Parse an entry of ``moves``; empty strings count as missing. Raises Refusal without a target."""
        request = cls(
            elastic_ip=option["elastic_ip"],
            network_interface_id=option["network_interface_id"] or None,
            instance_id=option["instance_id"] or None,
            device_index=option["device_index"],
            private_ip_address=option["private_ip_address"] or None,
        )
        targets.Target.from_option(option, f"Elastic IP {request.elastic_ip}")
        return request

    @property
    def complete(self) -> bool:
        """Whether it names interface and address itself, so that nothing of it has to be looked up."""
        return bool(self.network_interface_id and self.private_ip_address)

    @property
    def target(self) -> targets.Target:
        return targets.Target(self.network_interface_id, self.instance_id, self.device_index)


@dataclass(frozen=True, slots=True)
class AssociationChange:
    """One Elastic IP, where it is and where it shall be."""

    address: Address
    after: Association

    @property
    def key(self) -> str:
        """What identifies the address in AWS."""
        return self.address.allocation_id

    @property
    def name(self) -> str:
        return str(self.address)

    @property
    def before(self) -> Association | None:
        return self.address.association

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def holder(self, observed: Address) -> Association | None:
        return observed.association

    def judge(self, observed: Address) -> Verification:
        return judge(self, observed)

    def place(self, holder: Association | None) -> str:
        return f"at {holder}" if holder else "associated with nothing"

    def result(self, after: Association | None, changed: bool) -> dict[str, Any]:
        """Return the entry of the module's result, with the present association and whether this run wrote it."""
        return {
            "elastic_ip": self.address.public_ip,
            "allocation_id": self.address.allocation_id,
            "before": association_result(self.before),
            "after": association_result(after),
            "changed": changed,
        }


def lookup(requests: Iterable[MoveRequest]) -> dict[str, list[str]] | None:
    """Return the filters of the one DescribeNetworkInterfaces that resolves all requests; None if none needs it."""
    return targets.lookup(request.target for request in requests if not request.complete)


def plan(
    requests: Sequence[MoveRequest],
    addresses: Sequence[Address],
    interfaces: Sequence[Interface],
    expected_owners: Collection[str] | None,
    displace: bool = False,
) -> list[AssociationChange]:
    """Return one change per request, in their order. Raises Refusal with a message that names every object.

    ``addresses`` are all of the region, so that an address that would be displaced is seen; ``displace`` allows it.
    ``expected_owners``: the interfaces that may lose an Elastic IP; None: any may.
    """
    found = _find_addresses(requests, addresses)
    moves = [AssociationChange(found[request.elastic_ip], _resolve(request, interfaces)) for request in requests]
    _refuse_contradictions(moves)
    if expected_owners is not None:
        _refuse_unexpected_owners(moves, expected_owners)
    if not displace:
        _refuse_displacement(moves, addresses)
    return moves


def _find_addresses(requests: Iterable[MoveRequest], addresses: Iterable[Address]) -> dict[str, Address]:
    known: dict[str, Address] = {}
    for address in addresses:
        known[address.public_ip] = known[address.allocation_id] = address
    unknown = sorted({request.elastic_ip for request in requests if request.elastic_ip not in known})
    if unknown:
        raise Refusal(
            f"no Elastic IP {', '.join(unknown)} is allocated to this account in this region; nothing was moved"
        )
    return known


def _resolve(request: MoveRequest, interfaces: Iterable[Interface]) -> Association:
    if request.network_interface_id and request.private_ip_address:
        return Association(request.network_interface_id, request.private_ip_address)
    interface = targets.resolve(request.target, interfaces, f"Elastic IP {request.elastic_ip}")
    if request.private_ip_address and request.private_ip_address not in interface.addresses:
        raise Refusal(
            f"Elastic IP {request.elastic_ip} cannot go to {request.private_ip_address}: "
            f"{interface.network_interface_id} of "
            f"{request.target} has {', '.join(interface.addresses)}; nothing was moved"
        )
    return Association(interface.network_interface_id, request.private_ip_address or interface.addresses[0])


def _refuse_contradictions(moves: Sequence[AssociationChange]) -> None:
    target_of: dict[str, Association] = {}
    holder_of: dict[Association, Address] = {}
    for move in moves:
        target = target_of.setdefault(move.address.allocation_id, move.after)
        if target != move.after:
            raise Refusal(
                f"Elastic IP {move.address} was asked to go to {target} and to {move.after}; nothing was moved"
            )
        holder = holder_of.setdefault(move.after, move.address)
        if holder.allocation_id != move.address.allocation_id:
            raise Refusal(
                f"Elastic IPs {holder} and {move.address} were both asked to go to {move.after}, "
                "and a private address holds one Elastic IP; nothing was moved"
            )


def _refuse_unexpected_owners(moves: Iterable[AssociationChange], expected_owners: Collection[str]) -> None:
    """Raise Refusal if an address is on an interface that is neither its target nor in ``expected_owners``."""
    taken = [
        f"{move.address} is held by {move.before}"
        for move in moves
        if move.before
        and move.before.network_interface_id != move.after.network_interface_id
        and move.before.network_interface_id not in expected_owners
    ]
    if taken:
        allowed = ", ".join(expected_owners) or "no interface"
        raise Refusal(f"Elastic IP {'; '.join(taken)}; it may be taken from {allowed} only; nothing was moved")


def _refuse_displacement(moves: Iterable[AssociationChange], addresses: Iterable[Address]) -> None:
    """Raise Refusal if a move would disassociate another Elastic IP, which AWS does silently."""
    leaving = {move.address.allocation_id for move in moves}
    sitting = {address.association: address for address in addresses if address.association}
    for move in moves:
        displaced = sitting.get(move.after)
        if displaced and displaced.allocation_id not in leaving:
            raise Refusal(
                f"Elastic IP {move.address} cannot go to {move.after}: Elastic IP {displaced} is there and "
                f"would lose its "
                "association (displace: true allows that); nothing was moved"
            )


def judge(move: AssociationChange, now: Address) -> Verification:
    """Compare what DescribeAddresses says now with the move that AWS acknowledged.

    Every association has an id of its own, so an address that is back where it was, but by another association, was
    moved back by another writer.
    """
    if now.association == move.after:
        return Verification.ARRIVED
    as_it_was = now.association == move.before and now.association_id == move.address.association_id
    return Verification.PENDING if now.association is None or as_it_was else Verification.TAKEN
