# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether an address may be taken from a node of a pair: what each witness says of it. Pure.

One answer that is late proves nothing: a node that EC2 shows running may serve all its clients. It takes its silence,
over the time after which its peer gives it up and over several questions, and its peer's own word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .pair_claims import Claim, is_newcomer

#: Questions without an answer, at least.
TRIES = 3
#: Seconds without heartbeats after which an appliance takes over, where it does not say (vendor NITRO reference,
#: hanode ``deadinterval``).
DEAD_INTERVAL = 3.0
_DOWN = "down"
_SECONDARY = "secondary"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a node may still be primary, as one message. ``passing``: time alone may settle it."""

    message: str
    passing: bool


def dead_interval(claim: Claim) -> float:
    """Return the seconds of silence after which this node gives up its peer."""
    reported = claim.view.me.tunables.get("dead_interval") if claim.view and claim.view.me else None
    return float(reported) if reported else DEAD_INTERVAL


def doubt(winner: Claim, loser: Claim, claims: Sequence[Claim]) -> Doubt | None:
    """Return why the address of ``loser`` may not be given to ``winner``, which says Primary; None: it may.

    The loser's own word counts most (Secondary, or freshly installed), then EC2's (its instance does not run), then
    the winner's heartbeats (it hears the loser as Secondary), then silence together with the winner's word DOWN.
    """
    if loser.idle or _gave_way(loser, claims):
        return None
    row = winner.view.peer(loser.nsip) if winner.view else None
    role, state = (row.master_state or "", row.node_state or "") if row else ("", "")
    if role.casefold() == _SECONDARY:
        return None
    known = f"{role or 'no role'}, {state or 'no state'}" if row else "not my peer"
    text = f"{winner.name} says of it: {known}"
    if loser.reachable:
        why = f"it answers but does not say what it is ({loser.error})"
        return Doubt(f"{_whom(loser)}: {why}; {text}", passing=True)
    needed = dead_interval(winner)
    silent = f"it has not answered for {loser.silent_seconds:.1f} s and to {loser.tries} questions"
    if loser.silent_seconds < needed or loser.tries < TRIES:
        return Doubt(f"{_whom(loser)}: {silent} ({needed:g} s and {TRIES} are needed); {text}", passing=True)
    if state.casefold() != _DOWN:
        return Doubt(f"{_whom(loser)}: {silent}, but {text}, not DOWN", passing=True)
    return None


def _gave_way(loser: Claim, claims: Sequence[Claim]) -> bool:
    """Whether it says itself that it is not primary."""
    if loser.says_primary:
        return is_newcomer(loser, claims)
    return loser.state is not None


def _whom(loser: Claim) -> str:
    return f"EC2 shows {loser.name} ({loser.nsip}) running"
