# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where everything that follows the primary of a pair belongs, and whether it may be moved there. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..aws import tags as t
from ..aws.addresses import Address, Association
from ..aws.instances import Instance
from ..core.errors import Refusal
from ..spec.vips import ELASTIC_IP, Vip
from . import pair_associations as associations
from .pair_claims import Claim, Pending, Verdict, judge, still_open
from .pair_evidence import contest, doubt
from .pair_vips import PairAttachments, PairChange, Placement, elastic_targets, pick_addresses, vip_targets

_UNTOUCHED = "nothing was touched"


@dataclass(frozen=True, slots=True)
class Pair:
    """What AWS says of a pair, and what the operator allows.

    ``addresses``: all Elastic IPs of the region; ``desired``: those of the pair as the operator names them (None: by
    their tags). ``vips``: what else follows the primary; ``observed``: where it is, by kind. ``interfaces``: of all
    instances of the pair; ``expected_owners``: of others from which something may be taken. ``guard``: refuse where no
    virtual server answers.
    """

    group: str
    nodes: tuple[associations.Node, ...]
    addresses: tuple[Address, ...]
    desired: tuple[str, ...] | None = None
    interfaces: frozenset[str] = frozenset()
    guard: bool = True
    accept_standalone: bool = False
    vips: tuple[Vip, ...] = ()
    observed: Mapping[str, Any] = field(default_factory=dict)
    expected_owners: tuple[str, ...] = ()

    def own_addresses(self) -> list[Address]:
        """Raise Refusal for a named address that does not exist."""
        return pick_addresses(self.addresses, self.desired, self.group, self.nodes, self.vips)

    def attachments(self) -> PairAttachments:
        """Return everything that follows the primary."""
        own = tuple(address.allocation_id for address in self.own_addresses())
        return PairAttachments(self.addresses, own, self.vips, self.observed)

    def targets(self, winner: int) -> list[Placement]:
        """Return where everything belongs while node ``winner`` is primary. Raises Refusal."""
        return self.attachments().targets(self.nodes, winner)

    def changes(self, winner: int) -> tuple[PairChange, ...]:
        """Return what has to change for that. Raises Refusal."""
        return self.attachments().plan(self.targets(winner), self.interfaces | set(self.expected_owners))

    def observation(self, kind: str) -> Any:
        """Return what was read of a kind, in the form of its attachment."""
        return self.attachments().observation(kind)

    def with_observation(self, kind: str, now: Any) -> Pair:
        """Return the same pair after the things of a kind were read again."""
        if kind == ELASTIC_IP:
            return self.with_addresses(now.addresses)
        return replace(self, observed={**self.observed, kind: now})

    def with_addresses(self, now: Iterable[Address]) -> Pair:
        """Return the same pair after some addresses were read again."""
        newer = {address.allocation_id: address for address in now}
        return replace(self, addresses=tuple(newer.get(one.allocation_id, one) for one in self.addresses))


@dataclass(frozen=True, slots=True)
class Assessment:
    """``moves``: one for each thing that follows, in place or not; or ``refusal``, a message.

    ``pending``: what may come.
    """

    verdict: Verdict
    moves: tuple[PairChange, ...] = ()
    refusal: str | None = None
    pending: Pending = None

    @property
    def due(self) -> tuple[PairChange, ...]:
        return tuple(move for move in self.moves if move.changed)


def interfaces_of(instances: Iterable[Instance]) -> frozenset[str]:
    """Return the ids of all interfaces of these instances."""
    return frozenset(one.network_interface_id for instance in instances for one in instance.interfaces)


def require_addresses(pair: Pair) -> None:
    """Raise Refusal if nothing follows the primary: then no client reaches the pair, and that is not well."""
    if not pair.own_addresses() and not pair.vips:
        raise Refusal(
            f"{pair.group}: the pair has no Elastic IP (none is tagged {t.GROUP}={pair.group} and "
            f"{t.ROLE}=client), so no client reaches it by one. If it was released, run the playbook "
            f"ha_pair, which allocates one, or name those of the pair in elastic_ips; {_UNTOUCHED}"
        )


def refuse_strangers(pair: Pair, expected_owners: Collection[str]) -> None:
    """Raise Refusal for addresses on interfaces of instances that are not of the pair.

    ``expected_owners``: interfaces from which an address may be taken all the same. One that is attached to no instance
    serves no client: from there it may be taken, too.
    """
    known = pair.interfaces | set(expected_owners)
    text = [
        f"Elastic IP {one} is at {one.association} of instance {one.instance_id}"
        for one in pair.own_addresses()
        if one.association and one.instance_id and one.association.network_interface_id not in known
    ]
    if text:
        raise Refusal(
            f"{pair.group}: {'; '.join(text)}, which is not of this pair: clients of the address reach that one, and "
            f"not the pair. If it may be taken from there, name the interface in expected_owners; {_UNTOUCHED}"
        )


def assess(pair: Pair, claims: Sequence[Claim]) -> Assessment:
    """Judge from live claims what must move, or why nothing may."""
    verdict = judge(claims, accept_standalone=pair.accept_standalone)
    try:
        moves = _plan(pair, claims, verdict)
        _require_service(pair, claims, verdict, moves)
        _require_evidence(pair, claims, verdict, moves)
    except _Open as refusal:
        return Assessment(verdict, refusal=f"{pair.group}: {refusal}; {_UNTOUCHED}", pending=refusal.pending)
    except Refusal as refusal:
        return Assessment(verdict, refusal=f"{pair.group}: {refusal}; {_UNTOUCHED}")
    return Assessment(verdict, moves)


class _Open(Refusal):
    """A refusal that time may still change."""

    def __init__(self, message: str, pending: Pending) -> None:
        super().__init__(message)
        self.pending = pending


def _plan(pair: Pair, claims: Sequence[Claim], verdict: Verdict) -> tuple[PairChange, ...]:
    """Where everything belongs. Raises Refusal."""
    if verdict.primary is None:
        raise _Open(verdict.message, still_open(claims, verdict))
    node = pair.nodes[verdict.primary]
    if node.client is None:
        raise Refusal(f"{node.name}, which is primary, has no client interface")
    return pair.changes(verdict.primary)


def _require_service(pair: Pair, claims: Sequence[Claim], verdict: Verdict, moves: Iterable[PairChange]) -> None:
    """Raise Refusal where no virtual server would answer, or where that is unknown."""
    node, claim = pair.nodes[verdict.primary or 0], claims[verdict.primary or 0]
    unserved = sorted({move.serves for move in moves if move.serves} - set(claim.served or ()))
    if not unserved or not pair.guard:
        return
    override = "(guard: false moves it all the same)"
    if claim.served is None or claim.error:
        why = f": {claim.error}" if claim.error else " in time"
        raise _Open(
            f"{node.name} ({node.nsip}) is primary, but it is unknown whether one of its virtual servers answers at "
            f"{', '.join(unserved)}, because its configuration could not be read{why} {override}",
            "served",
        )
    raise Refusal(
        f"no virtual server of {node.name} ({node.nsip}), which is primary, answers at {', '.join(unserved)}, neither "
        f"itself nor through its IPSet, so traffic would vanish {override}"
    )


def _require_evidence(pair: Pair, claims: Sequence[Claim], verdict: Verdict, moves: Iterable[PairChange]) -> None:
    """Raise Refusal where an address would be taken from a node that may still be primary, or another one may be it.

    The second also where every address is in its place: in a split brain either node takes its own place for right.
    """
    winner = verdict.primary or 0
    lose = losers(pair.nodes, moves, winner)
    doubts = [
        doubt(claims[winner], claims[index], claims) if index in lose else contest(claims[winner], claims[index])
        for index in range(len(claims))
        if index != winner
    ]
    text = [one for one in doubts if one]
    if text:
        why = "; ".join(one.message for one in text)
        what = "whether the address may be taken" if lose else "who is primary"
        raise _Open(
            f"it cannot be decided {what}: {verdict.message}; {why}",
            "silence" if all(one.passing for one in text) else None,
        )


@dataclass(frozen=True, slots=True)
class Observation:
    """What the nodes of a pair say, and where everything belongs that follows its primary.

    ``holders``: of Elastic IPs, by allocation id; ``changes``: of all kinds. ``doubts``: why nothing may be moved yet.
    """

    claims: Sequence[Claim]
    verdict: Verdict
    holders: Mapping[str, Association]
    doubts: tuple[str, ...] = ()
    pending: Pending = None
    changes: tuple[PairChange, ...] = ()
    targets: tuple[Placement, ...] = ()


def observe(nodes: Sequence[associations.Node], found: PairAttachments, claims: Sequence[Claim]) -> Observation:
    """Return the verdict on a pair from live claims, read-only."""
    verdict = judge(claims)
    pending = still_open(claims, verdict)
    if verdict.primary is None:
        return Observation(claims, verdict, {}, pending=pending)
    client, addresses = nodes[verdict.primary].client, found.own_addresses
    holders = associations.associations_on(client, addresses, nodes) if client else {}
    placed = elastic_targets(nodes, verdict.primary, addresses)
    targets = [*placed, *vip_targets(nodes[verdict.primary], found.vips)]
    changes = found.plan(targets)
    doubts = [doubt(claims[verdict.primary], claims[n], claims) for n in losers(nodes, changes, verdict.primary)]
    text = tuple(one.message for one in doubts if one)
    pending = pending or ("primary" if text else None)
    return Observation(claims, verdict, holders, text, pending, changes, tuple(targets))


def losers(nodes: Sequence[associations.Node], moves: Iterable[PairChange], winner: int) -> list[int]:
    """Return the indices of the nodes other than ``winner`` from which something would be taken."""
    taken = {move.loser for move in moves if move.changed and move.loser}
    return [
        index
        for index, node in enumerate(nodes)
        if index != winner and node.instance and taken & interfaces_of([node.instance])
    ]


def still_right(now: Assessment, move: PairChange) -> str | None:
    """Return why a move that was planned before is not right any more, or None. ``now``: judged from live claims."""
    if now.refusal:
        return now.refusal.removesuffix(f"; {_UNTOUCHED}")
    same = [one for one in now.moves if one.key == move.key]
    if same and same[0].after == move.after:
        return None
    return f"the address belongs elsewhere now: {now.verdict.message}"
