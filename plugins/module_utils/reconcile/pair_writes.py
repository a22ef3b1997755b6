# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Move the Elastic IPs of a pair to its primary, and judge again from live readings until both agree."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..attachments.elastic_ip import associate_with, read_with
from ..attachments.elastic_ip_changes import Associate, Outcome, Read, carry_out, report
from ..aws.addresses import Address
from ..aws.client import Client
from ..core.waiting import Clock, Sleep
from .pair_claims import Claim
from .pair_probe import Panel
from .pair_repair import Assessment, Pair, assess, still_right

#: How often the primary may change while addresses are moved, until it is given up.
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Writer:
    """The calls to AWS, each made once; clock and sleep are handed in."""

    associate: Associate
    read: Read
    clock: Clock = time.monotonic
    sleep: Sleep = time.sleep

    @classmethod
    def of(cls, client: Client) -> Writer:
        """Return the calls by this client of EC2."""
        return cls(associate_with(client), read_with(client))


def repair(
    writer: Writer, pair: Pair, panel: Panel, verify_timeout: float, found: Assessment
) -> tuple[Assessment, list[Outcome], str | None]:
    """Move addresses until readings after the last write confirm the placement.

    Returns the last assessment, one outcome for each move of each round, and a message if the addresses are misplaced
    or their correct place is unknown.
    """
    outcomes: list[Outcome] = []
    for _turn in range(ROUNDS):
        if found.refusal or not found.due:
            break
        done = _carry(writer, pair, panel, verify_timeout, found)
        outcomes += done
        pair = pair.with_addresses(_read_again(writer, done))
        found = panel.settle(_judge(pair), anew=True)
        trouble = report(done)
        if trouble and not _belong_elsewhere(done, found):
            return found, outcomes, trouble
    if outcomes and found.refusal:
        return found, outcomes, f"Elastic IPs were moved, and since then: {found.refusal}"
    if found.due:
        return found, outcomes, f"the primary changed {ROUNDS} times meanwhile: {found.verdict.sentence}"
    return found, outcomes, None


def _judge(pair: Pair) -> Callable[[list[Claim]], Assessment]:
    return lambda claims: assess(pair, claims)


def _carry(writer: Writer, pair: Pair, panel: Panel, verify_timeout: float, found: Assessment) -> list[Outcome]:
    return carry_out(
        found.due,
        writer.associate,
        writer.read,
        verify_timeout,
        permit=lambda move: still_right(panel.settle(_judge(pair), anew=True), move),
        clock=writer.clock,
        sleep=writer.sleep,
    )


def _read_again(writer: Writer, done: Sequence[Outcome]) -> list[Address]:
    """Return the addresses of the last reading; read those that it lacks."""
    observed = [outcome.observed for outcome in done if outcome.observed]
    unseen = sorted({outcome.move.address.allocation_id for outcome in done if not outcome.observed})
    return [*observed, *(writer.read(unseen) if unseen else [])]


def _belong_elsewhere(done: Sequence[Outcome], found: Assessment) -> bool:
    """Whether there is a plan, and by it an address belongs elsewhere than where it was sent."""
    desired = {move.address.allocation_id: move.after for move in found.moves}
    return bool(desired) and any(desired.get(one.move.address.allocation_id) != one.move.after for one in done)
