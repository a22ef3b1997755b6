# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A secondary private address, which follows the primary from interface to interface within its subnet."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from ..aws import ec2
from ..aws import private_addresses as api
from ..aws.addresses import Interface, parse_interfaces
from ..aws.client import Client
from ..aws.errors import AwsError
from ..core.parallel import gather
from ..core.waiting import Clock, Sleep
from . import changes as engine
from . import targets
from .base import Attachment
from .private_ip_plan import AddressChange, AddressRequest, Family, Holder, plan

Outcome = engine.Outcome[AddressChange, Sequence[Interface]]
_FILTERS = {Family.IPV4: "addresses.private-ip-address", Family.IPV6: "ipv6-addresses.ipv6-address"}
_STEPS: Mapping[Family, tuple[Callable[..., None], Callable[..., None]]] = {
    Family.PREFIX: (api.unassign_prefixes, api.assign_prefixes),
    Family.IPV6: (api.unassign_ipv6_addresses, api.assign_ipv6_addresses),
}
_IN_USE = "InvalidIPAddress.InUse"
#: Seconds between assignments of what was just unassigned: EC2 may still count it as in use (eventual consistency).
_PAUSES = (0.1, 0.2, 0.4, 0.8)


def _interfaces(client: Client, filters: Mapping[str, Any]) -> list[Interface]:
    return parse_interfaces(ec2.describe_network_interfaces(client, filters))


def _filters_of(moves: Iterable[AddressRequest | AddressChange]) -> list[dict[str, list[str]]]:
    """Return the filters that find the holders of addresses; EC2 has none for prefixes."""
    every = list(moves)
    by_family = {
        name: sorted({one.address for one in every if one.family is family}) for family, name in _FILTERS.items()
    }
    return [{name: addresses} for name, addresses in by_family.items() if addresses]


def raced(outcome: Outcome) -> bool:
    """Whether another writer was there between look and write, and has left the address without an interface."""
    refused = outcome.code in ("InvalidParameterValue", _IN_USE)
    return refused and outcome.move.family in _STEPS and outcome.now is None


class PrivateIp(Attachment[AddressRequest, Sequence[Interface], AddressChange, Outcome]):
    """Moved by one AssignPrivateIpAddresses with AllowReassignment for each interface that gets addresses.

    Prefixes and IPv6 addresses take an unassignment before, because EC2 reassigns neither. Between the two calls the
    move is judged again; if it is not right any more, the former interface gets them back. A run that ends between them
    leaves them without an interface, and the next run or watcher assigns them.
    """

    kind = "private_ip"
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "private_ip_address": {"type": "str", "required": True},
        **targets.OPTIONS,
    }

    def desired(self, options: Mapping[str, Any]) -> AddressRequest:
        return AddressRequest.from_option(options)

    def observe(self, client: Client, desired: Sequence[AddressRequest]) -> Sequence[Interface]:
        """Read the targets and, beside them, the holders; for prefixes the interfaces of the targets' subnets."""
        filters = targets.lookup(request.target for request in desired)
        every = [*([] if filters is None else [filters]), *_filters_of(desired)]
        found = [one for reading in gather([_reader(client, each) for each in every]) for one in reading]
        if any(request.family is Family.PREFIX for request in desired):
            subnets = {one.subnet_id for one in found for each in desired if each.target.is_met_by(one)}
            found += _interfaces(client, {"subnet-id": sorted(subnets)}) if subnets else []
        return list({one.network_interface_id: one for one in found}.values())

    def plan(
        self,
        desired: Sequence[AddressRequest],
        observed: Sequence[Interface],
        expected_owners: Collection[str] | None = None,
        displace: bool = False,
    ) -> list[AddressChange]:
        """Return one change for each request. Nothing is displaced: an interface has many addresses."""
        return plan(desired, observed, expected_owners)

    def move(
        self,
        client: Client,
        changes: Sequence[AddressChange],
        verify_timeout: float | None,
        *,
        permit: Callable[[AddressChange], str | None],
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> list[Outcome]:
        """Write the changes of each target interface by one call that is not repeated blindly."""
        effects: engine.Effects[AddressChange, Sequence[Interface]] = engine.Effects(
            lambda batch: _write(client, batch, permit, sleep), lambda moves: _read(client, moves), _batch, raced
        )
        return engine.carry_out(changes, effects, verify_timeout, permit=permit, clock=clock, sleep=sleep)

    def verify(self, outcomes: Sequence[Outcome]) -> str | None:
        return engine.report(outcomes, "private addresses")

    def results(self, changes: Sequence[AddressChange], outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
        return engine.results(changes, outcomes)

    def label(self, entry: Mapping[str, Any]) -> str:
        return str(entry["private_ip_address"])


def _reader(client: Client, filters: Mapping[str, Any]) -> Callable[[], list[Interface]]:
    return lambda: _interfaces(client, filters)


def _batch(outcome: Outcome) -> Hashable:
    """One call writes all addresses of an interface; what is unassigned before, those of one holder."""
    holder = outcome.now if outcome.move.family in _STEPS else None
    return outcome.move.after.network_interface_id, outcome.move.family, holder


def _read(client: Client, moves: Sequence[AddressChange]) -> dict[str, Sequence[Interface]]:
    """Return the interfaces that may have each address; for prefixes those of the two between which they move."""
    filters: list[dict[str, list[str]]] = _filters_of(moves)
    prefixes = [one for one in moves if one.family is Family.PREFIX]
    ends = {end.network_interface_id for one in prefixes for end in (one.before, one.after) if end}
    filters += [{"network-interface-id": sorted(ends)}] if ends else []
    found = [one for reading in gather([_reader(client, each) for each in filters]) for one in reading]
    return {move.key: found for move in moves}


def _write(
    client: Client, batch: Sequence[Outcome], permit: Callable[[AddressChange], str | None], sleep: Sleep
) -> None:
    first = batch[0].move
    target, addresses = first.after.network_interface_id, [outcome.move.address for outcome in batch]
    if first.family is Family.IPV4:
        api.assign_private_ip_addresses(client, target, addresses)
        return
    unassign, assign = _STEPS[first.family]
    holder = batch[0].now
    if not isinstance(holder, Holder):
        assign(client, target, addresses)
        return
    unassign(client, holder.network_interface_id, addresses)
    if reason := next((reason for outcome in batch if (reason := permit(outcome.move))), None):
        _assign(assign, client, holder.network_interface_id, addresses, sleep)
        raise engine.Withdrawn(reason)
    try:
        _assign(assign, client, target, addresses, sleep)
    except AwsError as error:
        if error.code is not None:  # refused for good: back to where it was
            _assign(assign, client, holder.network_interface_id, addresses, sleep)
        raise


def _assign(
    assign: Callable[..., None], client: Client, interface: str, addresses: Sequence[str], sleep: Sleep
) -> None:
    """Assign what was unassigned a moment ago. Raises AwsError."""
    for pause in _PAUSES:
        try:
            assign(client, interface, addresses)
        except AwsError as error:
            if error.code != _IN_USE:
                raise
            sleep(pause)
        else:
            return
    assign(client, interface, addresses)
