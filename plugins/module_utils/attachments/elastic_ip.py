# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An Elastic IP, which follows the primary from one private address of an interface to another."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..aws import ec2 as api
from ..aws.addresses import Address, Interface, parse_addresses, parse_interfaces
from ..aws.client import Client
from ..core.parallel import both
from ..core.waiting import Clock, Sleep
from . import changes as engine
from . import targets
from .base import Attachment
from .elastic_ip_changes import Associate, Outcome, Permit, Read, carry_out, report
from .elastic_ip_plan import AssociationChange, MoveRequest, lookup, plan


@dataclass(frozen=True, slots=True)
class Observed:
    """All Elastic IPs of the region, and the interfaces that requests need to be resolved."""

    addresses: Sequence[Address]
    interfaces: Sequence[Interface] = ()


def associate_with(
    client: Client, call: Callable[[Client, str, str, str], object] = api.associate_address_once
) -> Associate:
    """Return the function that writes one change. ``call``: associate_address where no other run moves the address."""
    return lambda change: call(
        client, change.address.allocation_id, change.after.network_interface_id, change.after.private_ip_address
    )


def read_with(client: Client) -> Read:
    """Return the function that reads Elastic IPs by allocation id."""
    return lambda ids: parse_addresses(api.describe_addresses(client, {"allocation-id": ids}))


class ElasticIp(Attachment[MoveRequest, Observed, AssociationChange, Outcome]):
    """Moved by AssociateAddress with AllowReassociation, which takes it from its holder in the same step."""

    kind = "elastic_ip"
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "elastic_ip": {"type": "str", "required": True},
        **targets.OPTIONS,
        "private_ip_address": {"type": "str"},
    }

    def desired(self, options: Mapping[str, Any]) -> MoveRequest:
        """Return the request. Suboptions that are not given have their defaults."""
        defaults = {name: option.get("default") for name, option in self.options.items()}
        return MoveRequest.from_option({**defaults, **options})

    def observe(self, client: Client, desired: Sequence[MoveRequest]) -> Observed:
        """Read all Elastic IPs and, beside them, the interfaces that have to be resolved."""
        filters = lookup(desired)
        if filters is None:
            return Observed(parse_addresses(api.describe_addresses(client)))
        addresses, interfaces = both(
            lambda: api.describe_addresses(client), lambda: api.describe_network_interfaces(client, filters)
        )
        return Observed(parse_addresses(addresses), parse_interfaces(interfaces))

    def plan(
        self,
        desired: Sequence[MoveRequest],
        observed: Observed,
        expected_owners: Collection[str] | None = None,
        displace: bool = False,
    ) -> list[AssociationChange]:
        """Return one change for each request; an address that would be displaced is seen, because all are read."""
        return plan(desired, observed.addresses, observed.interfaces, expected_owners, displace)

    def move(
        self,
        client: Client,
        changes: Sequence[AssociationChange],
        verify_timeout: float | None,
        *,
        permit: Permit,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> list[Outcome]:
        """Write each change by one call that is not repeated blindly."""
        return carry_out(
            changes,
            associate_with(client),
            read_with(client),
            verify_timeout,
            permit=permit,
            clock=clock,
            sleep=sleep,
        )

    def verify(self, outcomes: Sequence[Outcome]) -> str | None:
        """Return the message about addresses that are not where they were sent."""
        return report(outcomes)

    def results(self, changes: Sequence[AssociationChange], outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
        """Return one entry for each change; an address may have been moved more than once."""
        return engine.results(changes, outcomes)

    def label(self, entry: Mapping[str, Any]) -> str:
        """Return the public address."""
        return str(entry["elastic_ip"])
