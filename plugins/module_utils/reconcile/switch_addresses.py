# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What follows the primary in a switchover: planned before it, moved in it, verified after it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..attachments.registry import REGISTRY
from ..aws.client import Client
from ..core.parallel import gather
from .pair_vips import PairAttachments, PairChange, Placement, by_kind
from .pair_writes import Outcomes, Permit, Writer, results


@dataclass(slots=True)
class SwitchAddresses:
    """``targets``: where things go. Without a target no call is made and ``client`` may be None."""

    client: Client
    targets: Sequence[Placement]
    changes: tuple[PairChange, ...] = ()
    outcomes: Outcomes = field(default_factory=dict)

    def plan(self, known: PairAttachments | None = None, expected_owners: Collection[str] | None = None) -> None:
        """Resolve the targets. ``known``: what AWS has, if it has been read, else None.

        Raises:
            Failure: AWS refused, or a thing does not exist. Nothing was written.
        """
        if self.targets:
            self.changes = (known or self._read()).plan(self.targets, expected_owners)

    def _read(self) -> PairAttachments:
        groups = by_kind(self.targets)
        reads: list[Callable[[], Any]] = [functools.partial(self._observe, kind, mine) for kind, mine in groups.items()]
        return PairAttachments(observed=dict(zip(groups, gather(reads), strict=True)))

    def _observe(self, kind: str, targets: Sequence[Placement]) -> Any:
        entry = REGISTRY[kind]
        return entry.observe(self.client, [entry.desired(target.options) for target in targets])

    def move(self, verify_timeout: float, permit: Permit) -> None:
        """Write all moves at once; return when AWS shows them, or after ``verify_timeout`` seconds.

        ``permit`` is asked before a call that was not answered is repeated.
        """
        self.outcomes = Writer(self.client).move(self.changes, verify_timeout, permit)

    def trouble(self) -> str | None:
        """Return what is not where it was sent, as one message."""
        return Writer(self.client).trouble(self.outcomes)

    def results(self) -> list[dict[str, Any]]:
        """Return where each one is now; before anything was written, where it will be."""
        return results(self.changes, [self.outcomes])
