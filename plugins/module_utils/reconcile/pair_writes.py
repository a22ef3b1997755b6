# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Move what follows the primary of a pair, and judge again from live readings until both agree."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..attachments.base import Attachment, Change
from ..attachments.registry import REGISTRY
from ..aws.client import Client
from ..core.parallel import gather
from ..core.waiting import Clock, Sleep
from .pair_claims import Claim
from .pair_probe import Panel
from .pair_repair import Assessment, Pair, assess, still_right
from .pair_vips import PairChange, by_kind, observable

#: How often the primary may change while addresses are moved, until it is given up.
ROUNDS = 3
Permit = Callable[[PairChange], "str | None"]
#: What became of changes, by kind.
Outcomes = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Writer:
    """Moves things of all kinds, side by side, with a client of EC2 that makes each call once."""

    client: Client
    attachments: Mapping[str, Attachment[Any, Any, Any, Any]] = field(default_factory=lambda: REGISTRY)
    clock: Clock = time.monotonic
    sleep: Sleep = time.sleep

    def move(self, changes: Sequence[PairChange], verify_timeout: float, permit: Permit) -> dict[str, list[Any]]:
        """Write everything that is due; return the outcomes by kind."""
        kinds = list(dict.fromkeys(one.kind for one in changes))
        done = gather([lambda kind=kind: self._move(kind, changes, verify_timeout, permit) for kind in kinds])  # type: ignore[misc]
        return dict(zip(kinds, done, strict=True))

    def _move(self, kind: str, changes: Sequence[PairChange], verify_timeout: float, permit: Permit) -> list[Any]:
        mine = [one.change for one in changes if one.kind == kind]

        def allowed(change: Change) -> str | None:
            return permit(PairChange(kind, change))

        entry = self.attachments[kind]
        return entry.move(self.client, mine, verify_timeout, permit=allowed, clock=self.clock, sleep=self.sleep)

    def trouble(self, outcomes: Outcomes) -> str | None:
        """Return what is not where it was sent, as one message."""
        found = [self.attachments[kind].verify(mine) for kind, mine in outcomes.items()]
        return "; ".join(one for one in found if one) or None

    def read_again(self, pair: Pair, outcomes: Outcomes) -> Pair:
        """Return the pair with a new reading of the kinds that were changed."""
        groups = by_kind(observable(pair.nodes, pair.vips))
        for kind, mine in outcomes.items():
            entry = self.attachments[kind]
            desired = [entry.desired(target.options) for target in groups.get(kind, ())]
            pair = pair.with_observation(kind, entry.observe_again(self.client, desired, pair.observation(kind), mine))
        return pair


def results(changes: Sequence[PairChange], outcomes: Sequence[Outcomes]) -> list[dict[str, Any]]:
    """Return where each thing was first and is now, Elastic IPs as eip_failover returns them.

    Args:
        changes: as they were planned first.
        outcomes: of each round.
    """
    entries = []
    for kind in dict.fromkeys(one.kind for one in changes):
        mine = [outcome for done in outcomes for outcome in done.get(kind, ())]
        planned = [one.change for one in changes if one.kind == kind]
        entries += [{"kind": kind, **entry} for entry in REGISTRY[kind].results(planned, mine)]
    return entries


def repair(
    writer: Writer, pair: Pair, panel: Panel, verify_timeout: float, found: Assessment
) -> tuple[Assessment, list[Outcomes], str | None]:
    """Move things until readings after the last write confirm the placement.

    Returns the last assessment, the outcomes of each round, and a message if things are misplaced or their correct
    place is unknown.
    """
    rounds: list[Outcomes] = []
    for _turn in range(ROUNDS):
        if found.refusal or not found.due:
            break
        due = found.due
        done = _carry(writer, pair, panel, verify_timeout, due)
        rounds.append(done)
        pair = writer.read_again(pair, done)
        found = panel.settle(_judge(pair), from_now=True)
        trouble = writer.trouble(done)
        if trouble and not _belong_elsewhere(due, found):
            return found, rounds, trouble
    if rounds and found.refusal:
        return found, rounds, f"addresses were moved, and since then: {found.refusal}"
    if found.due:
        return found, rounds, f"the primary changed {ROUNDS} times meanwhile: {found.verdict.message}"
    return found, rounds, None


def _judge(pair: Pair) -> Callable[[list[Claim]], Assessment]:
    return lambda claims: assess(pair, claims)


def _carry(
    writer: Writer, pair: Pair, panel: Panel, verify_timeout: float, due: Sequence[PairChange]
) -> dict[str, list[Any]]:
    return writer.move(due, verify_timeout, lambda move: still_right(panel.settle(_judge(pair), from_now=True), move))


def _belong_elsewhere(done: Sequence[PairChange], found: Assessment) -> bool:
    """Whether there is a plan, and by it a thing belongs elsewhere than where it was sent."""
    desired = {move.key: move.after for move in found.moves}
    return bool(desired) and any(desired.get(one.key) != one.after for one in done)
