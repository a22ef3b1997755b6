# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether an address may be taken from a node of a pair: what each witness says of it. Pure.

One answer that is late proves nothing: a node that EC2 shows running may serve all its clients. It takes its silence,
over the time after which its peer gives it up and over several questions, and a second witness: its peer's own word, or
its clients' way, where TCP connections to its address were accepted within the last minute and are not any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .pair_claims import Claim, is_newcomer

#: Questions without an answer, at least.
TRIES = 3
#: Seconds without heartbeats after which an appliance takes over, where it does not say (vendor NITRO reference,
#: hanode ``deadinterval``).
DEAD_INTERVAL = 3.0
#: Seconds for which silence that another process observed may be handed over.
HANDED_SECONDS = 10.0
#: Seconds within which an address must have accepted a TCP connection, for none to mean anything.
TCP_MEMORY = 60.0
_DOWN, _UP = "down", "up"
_PRIMARY, _SECONDARY = "primary", "secondary"


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
    role, state, text = _word(winner, loser)
    if role == _SECONDARY:
        return None
    if loser.reachable:
        why = f"it answers but does not say what it is ({loser.error})"
        return Doubt(f"{_whom(loser)}: {why}; {text}", passing=True)
    needed = dead_interval(winner)
    silent = f"it has not answered for {loser.silent_seconds:.1f} s and to {loser.tries} questions"
    if loser.silent_seconds < needed or loser.tries < TRIES:
        return Doubt(f"{_whom(loser)}: {silent} ({needed:g} s and {TRIES} are needed); {text}", passing=True)
    if state == _DOWN or (loser.dark and state != _UP):
        return None
    clients = loser.dark or "whether clients still reach it is not known"
    return Doubt(f"{_whom(loser)}: {silent}, but {text}, not DOWN; {clients}", passing=True)


def contest(winner: Claim, other: Claim) -> Doubt | None:
    """Return why another node may be primary as well, although no address would be taken from it; None: it is not.

    Of a node that says what it is, ``judge`` has taken note. One that cannot say it (it refuses the password) is no
    rival. A node that is only late, or that the winner hears as Primary, may be one.
    """
    if other.idle or other.view is not None or (other.reachable and not other.late):
        return None
    role, state, text = _word(winner, other)
    if role == _SECONDARY:
        return None
    needed = dead_interval(winner)
    silent = f"it has not answered for {other.silent_seconds:.1f} s and to {other.tries} questions"
    if other.late:
        return Doubt(f"{_whom(other)}: its answer is late ({other.error}); {text}", passing=True)
    if other.silent_seconds < needed or other.tries < TRIES:
        return Doubt(f"{_whom(other)}: {silent} ({needed:g} s and {TRIES} are needed); {text}", passing=True)
    if role == _PRIMARY and state == _UP:
        return Doubt(f"{_whom(other)}: {silent}, but {text}", passing=True)
    return None


@dataclass(frozen=True, slots=True)
class Silence:
    """Silence of a node that another observer has seen. ``tries``: questions without an answer.

    ``standing``: the observer goes on asking, so it holds now. Else it counts once this process has asked in vain.
    """

    seconds: float
    tries: int
    standing: bool = False
    dark: str | None = None


def handed_over(evidence: Mapping[str, Any] | None, now: float) -> tuple[dict[str, Silence], str | None]:
    """Return the silence of nodes by their NSIP, and why evidence does not count.

    Args:
        evidence: ``at`` (seconds since the epoch) and ``nodes``: dictionaries with ``nsip``, ``silent_seconds`` and
            ``tries``, as events of ha_watch carry them.
        now: seconds since the epoch.
    """
    if not evidence:
        return {}, None
    age = now - float(evidence["at"])
    if not -1.0 <= age <= HANDED_SECONDS:
        limit = f"evidence counts for {HANDED_SECONDS:g} s"
        return {}, f"the evidence about silent nodes is {age:.1f} s old, and {limit}: they are observed again"
    found = {
        str(node["nsip"]): Silence(float(node["silent_seconds"]), int(node["tries"]))
        for node in evidence["nodes"]
        if node.get("nsip") and not node.get("reachable") and (node.get("silent_seconds") or 0) > 0
    }
    return found, None


def _word(winner: Claim, other: Claim) -> tuple[str, str, str]:
    """Return what the winner says of another node: role and state in lower case, and as a message."""
    row = winner.view.peer(other.nsip) if winner.view else None
    role, state = (row.master_state or "", row.node_state or "") if row else ("", "")
    known = f"{role or 'no role'}, {state or 'no state'}" if row else "not my peer"
    return role.casefold(), state.casefold(), f"{winner.name} says of it: {known}"


def _gave_way(loser: Claim, claims: Sequence[Claim]) -> bool:
    """Whether it says itself that it is not primary."""
    if loser.says_primary:
        return is_newcomer(loser, claims)
    return loser.state is not None


def _whom(loser: Claim) -> str:
    return f"EC2 shows {loser.name} ({loser.nsip}) running"
