# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Elastic IPs of a switchover: planned before it, moved in it, verified after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..attachments.elastic_ip_changes import Outcome, Permit, carry_out
from ..attachments.elastic_ip_plan import AssociationChange, MoveRequest, plan
from ..aws import ec2 as api
from ..aws.addresses import Address, parse_addresses
from ..aws.client import Client


@dataclass(slots=True)
class SwitchAddresses:
    """``desired``: entries of the option ``moves``. Without an entry no call is made and ``client`` may be None."""

    client: Client
    desired: Sequence[Mapping[str, Any]]
    moves: list[AssociationChange] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def plan(self, every: Sequence[Address] | None = None) -> None:
        """Resolve the moves. ``every``: all Elastic IPs of the region if they have been read, else None.

        Raises:
            Failure: AWS refused, or an address does not exist. Nothing was written.
        """
        if self.desired:
            requests = [
                MoveRequest.from_option({"instance_id": None, "device_index": 1, **option}) for option in self.desired
            ]
            known = parse_addresses(api.describe_addresses(self.client)) if every is None else every
            self.moves = plan(requests, known, [], None)

    def move(self, verify_timeout: float, permit: Permit) -> None:
        """Write all moves at once; return when AWS shows them, or after ``verify_timeout`` seconds.

        ``permit`` is asked before a call that was not answered is repeated.
        """
        self.outcomes = carry_out(
            self.moves,
            associate=lambda move: api.associate_address_once(
                self.client,
                move.address.allocation_id,
                move.after.network_interface_id,
                move.after.private_ip_address,
            ),
            read=lambda ids: parse_addresses(api.describe_addresses(self.client, {"allocation-id": ids})),
            verify_timeout=verify_timeout,
            permit=permit,
        )

    def results(self) -> list[dict[str, Any]]:
        """Return where each one is now; before anything was written, where it will be."""
        written = {outcome.move.address.allocation_id: outcome for outcome in self.outcomes}
        entries = []
        for move in self.moves:
            outcome = written.get(move.address.allocation_id)
            now, changed = (outcome.now, outcome.written) if outcome else (move.after, move.changed)
            entries.append(move.result(now, changed))
        return entries
