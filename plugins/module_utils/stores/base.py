# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Interface of every store: one JSON document per (group, zone), a version, a lease with owner and expiry, a fence.

Protocol of a writer: ``acquire`` → ``write(release=True)``. The lease brings along what was stored when it was given,
with its version, and carries the fence, so a tick is two round trips. A writer with nothing to write calls ``undo``,
which restores what was stored before. Mutual exclusion comes from fence and version, not from the lease: ``write``
succeeds for the latest fence and the version read, and for nothing else. The lease only keeps writers from working in
vain, so differing clocks cost at most an early loss of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from ..core.errors import Failure
from .kept import Series

#: How far, in seconds, the clocks of two machines that write one record may differ before a writer refuses.
SKEW_SECONDS = 30.0

Document = dict[str, Any]
Clock = Callable[[], float]


class StoreError(Failure):
    """``str(error)`` is the message for the user."""


class StoreUnusable(StoreError):
    """The store does not exist, is not writable, or permission is missing."""


class DamagedDocument(StoreError):
    """What is stored cannot be read. It is left as it is."""


class LeaseRefused(StoreError):
    """Another owner has the lease. No failure: that owner ticks the group."""


class LeaseLost(StoreError):
    """Another owner took the lease over before this write, and nothing was written."""


class WriteUnknown(StoreError):
    """The store gave no answer, and whether it has written is not known."""


class ClockSkew(StoreError):
    """The clock of this machine and the clock of the last writer differ too much."""


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
    """``expires``: seconds since the epoch, by the user's clock. ``fence`` increases with every lease.

    ``found``: what was stored the moment before; no other owner writes while the lease is the latest.
    ``agreed_time``: the owner's clock when it was given, if the store's own time agrees with it; else None.
    """

    owner: str
    fence: int
    expires: float
    found: Snapshot = field(default_factory=_nothing, compare=False, repr=False)
    agreed_time: float | None = field(default=None, compare=False, repr=False)

    @property
    def before(self) -> Snapshot:
        """Return the stored snapshot, without an earlier lease of the same owner (of a killed run or a lost answer)."""
        held = self.found.lease
        return replace(self.found, lease=None) if held and held.owner == self.owner else self.found


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is stored now. ``document`` None and ``version`` 0: nothing yet. ``lease``: the holder, if any.

    ``writes``: tokens of the latest accepted writes, oldest first (see :func:`token`); empty where a store needs none.
    ``store_time``: the store's own time of the reading, None where it has none.
    """

    document: Document | None = None
    version: int = 0
    fence: int = 0
    lease: Lease | None = None
    written_at: float = 0.0
    written_by: str = ""
    writes: tuple[str, ...] = field(default=(), compare=False, repr=False)
    store_time: float | None = field(default=None, compare=False, repr=False)


#: The snapshot of a (group, zone) that a store does not hold.
NOTHING: Snapshot = Snapshot()


class Store(Protocol):
    """One (group, zone) in one store. Every method may raise :class:`StoreUnusable` and :class:`DamagedDocument`."""

    key: Key
    where: str

    def read(self) -> Snapshot:
        """Return what is stored; needs no lease and writes nothing."""

    def acquire(self, owner: str, seconds: float) -> Lease:
        """Return the lease, if no other owner's is in force.

        The same owner may take it again (after a lost answer); that too raises the fence.

        Raises:
            LeaseRefused: Another owner has it.
            ClockSkew: The last writer's clock was ahead, and the store's own time does not agree with this clock.
        """

    def write(self, lease: Lease, document: Document, version: int, *, release: bool = False) -> int:
        """Store the document if the lease is the latest and the version the one stored; return the new version.

        A write whose answer got lost is recognised as its own.

        Args:
            lease: From :meth:`acquire`.
            document: What to store.
            version: The version that was read.
            release: Give the lease back in the same step.

        Raises:
            LeaseLost: Another owner went ahead; nothing was written.
            WriteUnknown: There was no answer, and whether it was written cannot be found out.
        """

    def release(self, lease: Lease) -> None:
        """Release the lease; do nothing if it is not in force any more."""

    def remove(self) -> None:
        """Delete the record and what is kept, whichever owner has its lease; what does not exist is no error."""

    def keep(self, at: float, entry: Document, seconds: float, series: Series = Series.SAMPLES) -> None:
        """Keep an entry (a sample, an event) of an instant beside the record. One write, without the lease.

        Args:
            at: The instant, in seconds since the epoch.
            entry: What is kept; key ``at`` is added.
            seconds: For how long at least; it goes with the other entries of its hour.
            series: What it is; of each slot of a series the first entry is kept.
        """

    def kept(self, since: float, series: Series = Series.SAMPLES) -> list[Document]:
        """Return the entries from this instant on (seconds since the epoch), oldest first, each with key ``at``."""

    def undo(self, lease: Lease) -> None:
        """Release a lease without a write: restore the item that it had found.

        The fence too: no write ever carried it. Nothing happens if the lease is not in force any more.
        """


def is_held(stored: Snapshot, owner: str, now: float) -> bool:
    """Return whether another owner's lease is in force."""
    return stored.lease is not None and stored.lease.owner != owner and now < stored.lease.expires


def is_ahead(stored: Snapshot, now: float) -> bool:
    """Return whether the last writer's clock was ahead of this one by more than is tolerated."""
    return stored.written_at - now > SKEW_SECONDS


def agrees(store_time: float | None, now: float) -> bool:
    """Return whether the store's own time and this machine's clock agree."""
    return store_time is not None and abs(store_time - now) <= SKEW_SECONDS


def shortened(stored: Snapshot, now: float) -> Snapshot:
    """Return what is stored with a lease that a clock which was ahead gave, as if it was given now.

    Otherwise it would be in force until that clock's time, which may be years from now.
    """
    if stored.lease is None:
        return stored
    length = max(0.0, stored.lease.expires - stored.written_at)
    return replace(stored, lease=replace(stored.lease, expires=round(now + length, 3)), written_at=now)


def skewed(stored: Snapshot, now: float, where: str, owner: str) -> ClockSkew:
    """Return the refusal of a writer whose clock does not agree with the last writer's, nor with the store's."""
    return ClockSkew(
        f"{where} was last written at {moment(stored.written_at)} by {stored.written_by or 'an unnamed owner'}, which "
        f"is {stored.written_at - now:.0f} s ahead of the clock of {owner}; above {SKEW_SECONDS:.0f} s it is refused: "
        "set the clocks of both machines right (NTP). Once this machine's clock agrees with the store's own time, "
        "the wrong time in the record does not matter any more"
    )


def refused(snapshot: Snapshot, where: str) -> LeaseRefused:
    """Return the refusal that names the holder of the lease."""
    holder = snapshot.lease
    if holder is None:
        return LeaseRefused(f"{where}: another owner took the lease in this moment")
    return LeaseRefused(f"{where}: {holder.owner} has the lease until {moment(holder.expires)}")


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def dump(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
