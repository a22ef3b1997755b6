# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every store does: one JSON document a (group, zone), a version, a lease with owner and expiry, a growing fence.

The way of a writer is ``acquire`` → ``write`` with ``release``: the lease brings along what was stored when it was
given, with its version, and carries the fence. So a tick is two round trips. Who finds that nothing is to be written
after all says ``undo``, and everything is as if nobody had asked. A lease is only a courtesy between clocks; what makes
two writers impossible is that ``write`` succeeds for the latest fence and the version read, and for nothing else. So a
holder that was killed, stopped or slow can lose its lease at any moment, and the worst that comes of clocks that differ
is that it loses it early.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

#: How far, in seconds, the clocks of two machines that write one record may differ before a writer refuses.
SKEW_SECONDS = 30.0

Document = dict[str, Any]
Clock = Callable[[], float]

from ..core.errors import Failure


class StoreError(Failure):
    """``str(error)`` is the sentence shown to users."""


class StoreUnusable(StoreError):
    """Not there, not writable, not permitted."""


class DamagedDocument(StoreError):
    """What is stored cannot be read. It is left as it is."""


class LeaseRefused(StoreError):
    """Somebody else has the lease. Not a failure: they look after the group."""


class LeaseLost(StoreError):
    """Somebody else took the lease over before this write; nothing was written."""


class ClockSkew(StoreError):
    """The last writer's clock is ahead of this machine's by more than can be worked with."""


@dataclass(frozen=True, slots=True)
class Key:
    group: str
    zone: str

    def __str__(self) -> str:
        return f"{self.group} {self.zone}"


def _nothing() -> Snapshot:
    return NOTHING


@dataclass(frozen=True, slots=True)
class Lease:
    """``expires``: seconds since the epoch, by the user's clock. ``fence`` grows with every lease given.

    ``found``: what was stored the moment before; nobody else writes that while the lease is the latest.
    """

    owner: str
    fence: int
    expires: float
    found: Snapshot = field(default_factory=_nothing, compare=False, repr=False)

    @property
    def before(self) -> Snapshot:
        """What was stored, without a lease that this owner had already: of a run that was killed, of an answer lost."""
        held = self.found.lease
        return replace(self.found, lease=None) if held and held.owner == self.owner else self.found


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is stored now. ``document`` None and ``version`` 0: nothing yet. ``lease``: the holder, if any."""

    document: Document | None = None
    version: int = 0
    fence: int = 0
    lease: Lease | None = None
    written_at: float = 0.0
    written_by: str = ""


#: What a store holds of a (group, zone) that it never saw.
NOTHING: Snapshot = Snapshot()


class Store(Protocol):
    """One (group, zone) in one store. Every method may raise :class:`StoreUnusable` and :class:`DamagedDocument`."""

    key: Key
    where: str

    def read(self) -> Snapshot:
        """What is stored; needs no lease and writes nothing."""

    def acquire(self, owner: str, seconds: float) -> Lease:
        """The lease, if nobody else's is in force; :class:`LeaseRefused` or :class:`ClockSkew` otherwise.

        The same owner may take it again (a call whose answer got lost); that too raises the fence.
        """

    def write(self, lease: Lease, document: Document, version: int, *, release: bool = False) -> int:
        """Store the document if the lease is the latest and the version the one stored; returns the new version.

        ``release``: give the lease back in the same step. :class:`LeaseLost` when somebody else went ahead.
        """

    def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens if it is not in force any more."""

    def remove(self) -> None:
        """Forget the record, whoever has its lease; one that is gone already is no error."""

    def undo(self, lease: Lease) -> None:
        """Give a lease back under which nothing was written: what is stored becomes what the lease had found.

        The fence too: no write ever carried it. Nothing happens if the lease is not in force any more.
        """


def refuse_skew(snapshot: Snapshot, now: float, where: str, owner: str) -> None:
    """Clocks that differ would make leases expire for one and live on for the other: say so before writing."""
    ahead = snapshot.written_at - now
    if ahead > SKEW_SECONDS:
        raise ClockSkew(
            f"{where} was last written at {moment(snapshot.written_at)} by {snapshot.written_by or 'somebody'}, which "
            f"is {ahead:.0f} s ahead of the clock of {owner}: set both clocks right (NTP); more than "
            f"{SKEW_SECONDS:.0f} s of difference is refused"
        )


def refused(snapshot: Snapshot, where: str) -> LeaseRefused:
    holder = snapshot.lease
    if holder is None:
        return LeaseRefused(f"{where}: another owner took the lease in this moment")
    return LeaseRefused(f"{where}: {holder.owner} has the lease until {moment(holder.expires)}")


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def dump(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
