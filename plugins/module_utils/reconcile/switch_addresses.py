# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Elastic IPs of a switchover: planned before it, moved in it, verified after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..attachments.elastic_ip import Observed
from ..attachments.elastic_ip_changes import Outcome, Permit
from ..attachments.elastic_ip_plan import AssociationChange
from ..attachments.registry import ELASTIC_IP
from ..aws.addresses import Address
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
            requests = [ELASTIC_IP.desired(option) for option in self.desired]
            known = ELASTIC_IP.observe(self.client, requests) if every is None else Observed(every)
            self.moves = ELASTIC_IP.plan(requests, known)

    def move(self, verify_timeout: float, permit: Permit) -> None:
        """Write all moves at once; return when AWS shows them, or after ``verify_timeout`` seconds.

        ``permit`` is asked before a call that was not answered is repeated.
        """
        self.outcomes = ELASTIC_IP.move(self.client, self.moves, verify_timeout, permit=permit)

    def results(self) -> list[dict[str, Any]]:
        """Return where each one is now; before anything was written, where it will be."""
        return ELASTIC_IP.results(self.moves, self.outcomes)
