# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Execute the moves of Elastic IPs: what the changes of every kind do (see ``changes``), by calls for Elastic IPs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from ..aws.addresses import Address
from ..core.waiting import Clock, Sleep
from . import changes
from .elastic_ip_plan import AssociationChange

Associate = Callable[[AssociationChange], object]
Read = Callable[[Sequence[str]], Sequence[Address]]
#: Whether a move is still right, from live readings: None, or the reason against it as a message.
Permit: TypeAlias = "Callable[[AssociationChange], str | None]"
Outcome = changes.Outcome[AssociationChange, Address]


def carry_out(
    moves: Iterable[AssociationChange],
    associate: Associate,
    read: Read,
    verify_timeout: float | None,
    *,
    permit: Permit = lambda _move: None,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> list[Outcome]:
    """Write every move that changes something by one call each, and look (see :func:`changes.carry_out`)."""

    def observed(due: Sequence[AssociationChange]) -> dict[str, Address]:
        return {address.allocation_id: address for address in read([move.key for move in due])}

    effects = changes.Effects(lambda batch: associate(batch[0].move), observed)
    return changes.carry_out(moves, effects, verify_timeout, permit=permit, clock=clock, sleep=sleep)


def report(outcomes: Sequence[Outcome]) -> str | None:
    """Return None if every address arrived; else one message that names every address of the task."""
    return changes.report(outcomes, "Elastic IPs")
