# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who is primary, judged from what all nodes of a pair claim. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Optional, TypeAlias

from ..nitro.ha import ObservedHa, in_sync, sync_state, together

Row = Mapping[str, Any]
#: What more time may bring: exactly one primary, what a node serves, or enough silence of another one.
Pending: TypeAlias = Optional[Literal["primary", "served", "silence"]]  # noqa: UP045 (pylint refuses | here)

_PRIMARY = "primary"
# "CLAIMING" and "FORCE CHANGE" are steps of a change of roles (vendor NITRO reference, ha node statistics).
_CHANGING = frozenset({"claiming", "force change"})


@dataclass(frozen=True, slots=True)
class Claim:
    """What became of asking one node. ``view`` is None if it did not say; ``name`` is how messages call it.

    ``served``: addresses at which its virtual servers answer, as it has them configured; None: not known (yet).
    ``idle``: why it was not asked at all (EC2 shows its instance stopped or gone), else None: EC2 shows it running.
    ``silent_seconds``, ``tries``: how long, and to how many questions since its last answer, it has not answered.
    ``late``: it is alive, but its answer to the question what it is has not come yet.
    ``dark``: what clients find at its address, as a message, where no TCP connection is accepted there any more.
    """

    name: str
    nsip: str
    reachable: bool = False
    view: ObservedHa | None = None
    served: tuple[str, ...] | None = None
    error: str | None = None
    idle: str | None = None
    silent_seconds: float = 0.0
    tries: int = 0
    late: bool = False
    dark: str | None = None

    @property
    def state(self) -> str | None:
        """The role it claims, in its own word."""
        return self.view.me.master_state if self.view and self.view.me else None

    @property
    def says_primary(self) -> bool:
        return (self.state or "").casefold() == _PRIMARY

    @property
    def stands_alone(self) -> bool:
        return self.view is not None and not self.view.peers

    def names(self, other: Claim) -> bool:
        """Whether it is configured with the other as its peer."""
        return self.view is not None and self.view.peer(other.nsip) is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """``primary``: index of the one primary, None if there is not exactly one.

    ``healthy``: the pair is fit for a planned failover.
    """

    primary: int | None
    message: str
    healthy: bool


def judge(claims: Sequence[Claim], *, accept_standalone: bool = False) -> Verdict:
    """Return who is primary: exactly one node must claim it, and no other running node may be its forgotten peer.

    An appliance without a peer also lists itself as Primary (vendor NITRO reference, hanode). If it serves nothing, it
    is fresh or rebuilt: neither primary nor a rival. If it serves, it was removed from its pair, and the other node
    serves too as long as it runs: then no node is primary, unless ``accept_standalone``. A node that does not answer,
    is
    powered off, or cannot be logged in to (a rebuilt one still has its first password) claims nothing; whether an
    address may be taken from it is another question (pair_evidence).
    """
    candidates = [index for index, claim in enumerate(claims) if claim.says_primary and not is_newcomer(claim, claims)]
    changing = [claim for claim in claims if (claim.state or "").casefold() in _CHANGING]
    message = "; ".join(_phrase(claim, claims) for claim in claims) or "there is no node"
    if changing:
        return Verdict(None, f"roles are changing: {message}", healthy=False)
    if len(candidates) > 1:
        return Verdict(None, f"{len(candidates)} nodes claim to be primary: {message}", healthy=False)
    if not candidates:
        return Verdict(None, f"no node is primary: {message}", healthy=False)
    [primary] = candidates
    doubt = _standalone(claims, primary, accept_standalone)
    if doubt:
        return Verdict(None, f"it cannot be decided who is primary: {message}; {doubt}", healthy=False)
    trouble = _ailment(claims, primary)
    head = f"{claims[primary].name} is primary"
    return Verdict(primary, f"{head}: {message}{f'; {trouble}' if trouble else ''}", healthy=not trouble)


def still_open(claims: Sequence[Claim], verdict: Verdict) -> Pending:
    """Return what time may still bring: what a node serves whose role is known, or exactly one primary."""
    if any(claim.view is not None and claim.served is None for claim in claims):
        return "served"
    hopeless = all(claim.idle for claim in claims)
    return None if verdict.primary is not None or hopeless else "primary"


def _standalone(claims: Sequence[Claim], index: int, accepted: bool) -> str | None:
    """Return what stands against a primary that has no peer, or None."""
    claim = claims[index]
    if not claim.stands_alone:
        return None
    if claim.served is None:
        return f"{claim.name} has no peer, and what it serves has not been read"
    if accepted:
        return None
    others = [one for one in claims if one is not claim and one.idle is None and not is_newcomer(one, claims)]
    if not others:
        return None
    running = " and ".join(one.name for one in others)
    return f"{claim.name} has no peer while {running} is running, so its word alone does not count"


def is_newcomer(claim: Claim, claims: Iterable[Claim]) -> bool:
    """Whether a node says Primary only because neither it nor its peer has the pair configured yet.

    It is known to serve nothing, and either it has no peer at all, or a primary that does serve does not name it.
    """
    if not claim.says_primary or claim.served is None or claim.served:
        return False
    rivals = [other for other in claims if other is not claim and other.says_primary and other.served]
    return claim.stands_alone or any(not rival.names(claim) for rival in rivals)


def _phrase(claim: Claim, claims: Sequence[Claim]) -> str:
    who = f"{claim.name} ({claim.nsip})" if claim.nsip else claim.name
    if claim.idle:
        return f"{who} was not asked, {claim.idle}"
    if not claim.reachable:
        return f"{who} does not answer" + (f" ({claim.error})" if claim.error else "")
    if claim.state is None:
        return f"{who} does not say what it is ({claim.error})"
    message = f"{who} says {claim.state}"
    if claim.says_primary and is_newcomer(claim, claims):
        alone = "stands alone" if claim.stands_alone else "is not known to the other"
        return f"{message}, but {alone} and serves nothing, as a fresh or rebuilt appliance does"
    return f"{message} without a peer" if claim.stands_alone else message


def _ailment(claims: Sequence[Claim], primary: int) -> str | None:
    """Return the reason against a planned failover, or None."""
    if len(claims) != 2:
        return f"a pair has two nodes, here are {len(claims)}"
    first, second = claims[primary], claims[1 - primary]
    if first.view is None or second.view is None:
        return "the other node cannot take over"
    strangers = [one.name for one, other in ((first, second), (second, first)) if not one.names(other)]
    if strangers:
        return f"{' and '.join(strangers)} has another peer or none"
    if not (together(first.view, second.nsip) and together(second.view, first.nsip)):
        return "the nodes do not see each other as primary and secondary, both up"
    if not in_sync(first.view, second.nsip):
        return f"synchronisation is {sync_state(first.view, first.view.peer(second.nsip)) or 'unknown'}"
    return None


def served_addresses(vservers: Iterable[Row], bindings: Iterable[Row]) -> tuple[str, ...]:
    """Addresses of virtual servers that carry an IPSet, and of the IPSets they carry.

    ``vservers``: rows of lbvserver and csvserver; ``bindings``: of ipset_nsip_binding and ipset_nsip6_binding, of all
    IPSets. IPv6 addresses are returned in canonical form, whatever form and prefix length the appliance writes.
    """
    carrying = [row for row in vservers if isinstance(row.get("ipset"), str) and row["ipset"]]
    ipsets = {row["ipset"] for row in carrying}
    own = [_address(row["ipv46"]) for row in carrying if row.get("ipv46") not in (None, "", "0.0.0.0")]  # noqa: S104 - no address
    bound = [row for row in bindings if isinstance(row.get("name"), str) and row["name"] in ipsets]
    joined = [_address(row["ipaddress"]) for row in bound if row.get("ipaddress")]
    return tuple(dict.fromkeys([*own, *joined]))


def _address(value: object) -> str:
    host = str(value).partition("/")[0]
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return str(value)


def claim_result(claim: Claim, others: Sequence[Claim]) -> dict[str, Any]:
    """Return a node's claim as the module returns it; its peer is the other node if it names it, else the named one."""
    view = claim.view
    me = view.me if view else None
    known = [view.peer(other.nsip) for other in others] if view else []
    peer = next((row for row in known if row), view.peers[0] if view and view.peers else None)
    return {
        "nsip": claim.nsip or None,
        "reachable": claim.reachable,
        "claim": claim.state,
        "node_state": me.node_state if me else None,
        "sync_state": sync_state(view, peer) if view else None,
        "peer": peer.address if peer else None,
        "peer_state": peer.master_state if peer else None,
        "inc": me.inc if me else None,
        "served_addresses": list(claim.served or ()),
        "served_known": claim.served is not None,
        "error": claim.error or ("what it serves was not read in time" if view and claim.served is None else None),
    }
