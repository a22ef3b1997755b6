# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Apply a plan to the state of a zone under the store's lease: two round trips, or one read for a prediction."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

from ..scaling.clock import corrected
from ..scaling.group_state import Record
from ..scaling.view import load
from ..stores.base import LeaseLost, LeaseRefused, Snapshot, Store, StoreError, agrees

T = TypeVar("T")
R = TypeVar("R")

#: Returns the record to be stored, and a result. It raises for what it cannot work with.
Plan = Callable[[Record], tuple[Record, T]]


def loaded(snapshot: Snapshot, store: Store) -> Record:
    """Return the record in what a store holds. Raises RecordError."""
    return load(snapshot.document, store.key.group, store.key.zone, store.where)


def predict(store: Store, plan: Plan[T], *, own_time: bool = False) -> tuple[Record, Record, T]:
    """Return the record before, the record after, and the plan's result; nothing is written."""
    found = store.read()
    before, now = loaded(found, store), time.time()
    agreed = found.store_time is None or agrees(found.store_time, now)  # a file system is not asked without a write
    return before, *plan(before if own_time else corrected(before, now if agreed else None))


def carry_out(
    store: Store, plan: Plan[T], owner: str, lease_seconds: float, *, own_time: bool = False
) -> tuple[Record, Record, T]:
    """Apply the plan under the lease, and store the record. A plan that raises leaves the store as it was.

    Args:
        store: Where the record is.
        plan: What to do to it.
        owner: Who holds the lease.
        lease_seconds: For how long, if this process dies.
        own_time: The group runs on simulated time (an explicit ``now``), or the plan is only a report: a record whose
            time is ahead of the store's is not corrected.
    """
    lease = store.acquire(owner, lease_seconds)
    completed = False
    try:
        before = loaded(lease.found, store)
        after, message = plan(before if own_time else corrected(before, lease.agreed_time))
        completed = True
    finally:
        if not completed:
            with contextlib.suppress(StoreError):  # the lease ends by itself; why the plan raised matters more
                store.undo(lease)
    store.write(lease, after.to_json(), lease.found.version, release=True)
    return before, after, message


def patiently(attempt: Callable[[], R], timeouts: float) -> R:
    """Retry for the lease until ``timeouts`` seconds have passed."""
    deadline = time.monotonic() + timeouts
    while True:
        try:
            return attempt()
        except (LeaseRefused, LeaseLost):
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.2)
