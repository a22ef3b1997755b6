# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A plan for a record, carried out under the store's lease: two round trips, or one look where nothing is written."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

from ..scaling.group_state import Record
from ..scaling.view import load
from ..stores.base import LeaseLost, LeaseRefused, Snapshot, Store, StoreError

T = TypeVar("T")
R = TypeVar("R")

#: Makes of a record the one to be stored, and says something about it. What it cannot work with it refuses by raising.
Plan = Callable[[Record], tuple[Record, T]]


def loaded(snapshot: Snapshot, store: Store) -> Record:
    """The record in what a store holds. Raises RecordError."""
    return load(snapshot.document, store.key.group, store.key.zone, store.where)


def foretell(store: Store, plan: Plan[T]) -> tuple[Record, Record, T]:
    """The record before, the record after, and what the plan says; nothing is written."""
    before = loaded(store.read(), store)
    return before, *plan(before)


def carry_out(store: Store, plan: Plan[T], owner: str, lease_seconds: float) -> tuple[Record, Record, T]:
    """The same under the lease, and stored. A plan that raises, whatever, leaves the store as it was."""
    lease = store.acquire(owner, lease_seconds)
    settled = False
    try:
        before = loaded(lease.found, store)
        after, said = plan(before)
        settled = True
    finally:
        if not settled:
            with contextlib.suppress(StoreError):  # the lease ends by itself; why the plan raised matters more
                store.undo(lease)
    store.write(lease, after.to_json(), lease.found.version, release=True)
    return before, after, said


def patiently(attempt: Callable[[], R], patience: float) -> R:
    """Try for the lease until the patience (seconds) is used up."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return attempt()
        except (LeaseRefused, LeaseLost):
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.2)
