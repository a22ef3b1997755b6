"""The state of all rooms at one moment, kept under a name and put back as often as it is wanted.

The clock is no part of it: lab time goes on. What was due between the keeping and the restoring happens at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.lab.aws.memory import KINDS
from tests.lab.memory import Copy, copied, revived
from tests.lab.seed import Seed
from tests.lab.world import Keeper


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``backends``: the names of the lab's own web servers that ran."""

    rooms: Copy
    seed: Seed
    backends: frozenset[str]

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.rooms.data)


def keep(keepers: Mapping[str, Keeper], seed: Seed, backends: set[str]) -> Checkpoint:
    """All rooms at one and the same moment; their locks are taken in the order of ``keepers``."""
    with _at_rest(keepers):
        state = {name: keeper.memory() for name, keeper in keepers.items()}
        return Checkpoint(copied(state, kinds=KINDS), seed, frozenset(backends))


def restore(keepers: Mapping[str, Keeper], checkpoint: Checkpoint) -> None:
    state = revived(checkpoint.rooms)  # before the locks: it takes its time
    with _at_rest(keepers):
        for name, keeper in keepers.items():
            keeper.recall(state[name])


@contextlib.contextmanager
def _at_rest(keepers: Mapping[str, Keeper]) -> Iterator[None]:
    with contextlib.ExitStack() as locks:
        for keeper in keepers.values():
            locks.enter_context(keeper.lock)
        yield
