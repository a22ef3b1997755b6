# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What follows the primary of a pair, of every kind: where each thing belongs, and what must change. Pure.

A kind is an entry of the registry of attachments. Elastic IPs are found by their tags, all others by those of the
instances.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..attachments.base import Change
from ..attachments.elastic_ip import Observed as Addresses
from ..attachments.registry import REGISTRY
from ..aws.addresses import Address
from ..core.errors import Refusal
from ..spec.vips import ELASTIC_IP, PRIVATE_IP, Vip, floating, vips_of_tags
from . import pair_associations as associations
from .pair_associations import Node


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a thing belongs. ``options``: its entry of option ``moves`` of its kind, without the kind.

    ``serves``: the address at which a virtual server must answer; None: none needs to.
    """

    kind: str
    options: Mapping[str, Any]
    serves: str | None = None

    @property
    def move(self) -> dict[str, Any]:
        """Return the entry of option ``moves`` of vpx_address_failover."""
        return {"kind": self.kind, **self.options}


@dataclass(frozen=True, slots=True)
class PairChange:
    """A change of an attachment, with its kind and the address at which a virtual server must answer."""

    kind: str
    change: Change
    serves: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the thing among those of all kinds."""
        return (self.kind, self.change.key)

    @property
    def changed(self) -> bool:
        return self.change.changed

    @property
    def after(self) -> Any:
        return self.change.after

    @property
    def entry(self) -> dict[str, Any]:
        """Return the entry of a module's result, as if it had been made."""
        return {"kind": self.kind, **self.change.result(self.after, self.changed)}

    @property
    def loser(self) -> str | None:
        """Return the interface that has the thing now; None: no interface has."""
        found: str | None = self.entry["before"]["network_interface_id"]
        return found


@dataclass(frozen=True, slots=True)
class PairAttachments:
    """Everything that follows the primary, as AWS has it.

    ``addresses``: all Elastic IPs of the region; ``own``: allocation ids of the pair's. ``vips``: the others of the
    pair; ``observed``: what their attachments read, by kind.
    """

    addresses: tuple[Address, ...] = ()
    own: tuple[str, ...] = ()
    vips: tuple[Vip, ...] = ()
    observed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def own_addresses(self) -> list[Address]:
        """Return the Elastic IPs of the pair, in the order in which they were named."""
        known = {address.allocation_id: address for address in self.addresses}
        return [known[name] for name in self.own if name in known]

    def targets(self, nodes: Sequence[Node], winner: int) -> list[Placement]:
        """Return where everything belongs while node ``winner`` is primary. Raises Refusal if it lacks a place."""
        node, addresses = nodes[winner], self.own_addresses
        if addresses and node.client is None:
            raise Refusal(f"{node.name}, which is to be primary, has no client interface")
        placed = elastic_targets(nodes, winner, addresses)
        known = {target.options["elastic_ip"] for target in placed}
        homeless = [str(address) for address in addresses if address.public_ip not in known]
        if homeless:
            raise Refusal(f"{node.name} has no client address left for {', '.join(homeless)}")
        return [*placed, *vip_targets(node, self.vips)]

    def plan(
        self, targets: Iterable[Placement], expected_owners: Collection[str] | None = None
    ) -> tuple[PairChange, ...]:
        """Return the changes of all kinds, in the order of the targets.

        Args:
            targets: where everything belongs.
            expected_owners: interfaces from which a thing that is no Elastic IP may be taken; None: from any.

        Raises:
            Refusal: A thing does not exist, or is held by others.
        """
        found = []
        for kind, mine in by_kind(targets).items():
            entry = REGISTRY[kind]
            desired = [entry.desired(target.options) for target in mine]
            owners = None if kind == ELASTIC_IP else expected_owners
            changes = entry.plan(desired, self.observation(kind), owners)
            found += [PairChange(kind, change, _serves(change, mine, n)) for n, change in enumerate(changes)]
        return tuple(found)

    def observation(self, kind: str) -> Any:
        """Return what was read of a kind, in the form of its attachment."""
        return self.observed[kind] if kind in self.observed else Addresses(self.addresses)


def _serves(change: Change, placements: Sequence[Placement], number: int) -> str | None:
    """Return the address at which a virtual server must answer; a route is a change in each of its tables."""
    by_destination = {one.options["destination"]: one.serves for one in placements if "destination" in one.options}
    return by_destination[change.result(None, False)["destination"]] if by_destination else placements[number].serves


def pick_addresses(
    addresses: Sequence[Address],
    asked: Sequence[str] | None,
    group: str | None,
    nodes: Sequence[Node],
    vips: Iterable[Vip] = (),
) -> list[Address]:
    """Return the pair's Elastic IPs: those asked for, else those that tags of the instances or of their own name.

    Raises:
        Refusal: One does not exist.
    """
    named = [] if asked else [vip.address for vip in vips if vip.kind == ELASTIC_IP]
    found = associations.pick_addresses(addresses, named, group, nodes) if named else []
    found += associations.pick_addresses(addresses, asked, group, nodes)
    return list({one.allocation_id: one for one in found}.values())


def by_kind(targets: Iterable[Placement]) -> dict[str, list[Placement]]:
    """Return targets by their kind."""
    found: dict[str, list[Placement]] = {}
    for target in targets:
        found.setdefault(target.kind, []).append(target)
    return found


def elastic_targets(nodes: Sequence[Node], winner: int, addresses: Sequence[Address]) -> list[Placement]:
    """Return the place of each Elastic IP that has one while node ``winner`` is primary."""
    client = nodes[winner].client
    holders = associations.associations_on(client, addresses, nodes) if client else {}
    moves = associations.moves_to(holders, addresses)
    return [Placement(ELASTIC_IP, move, str(move["private_ip_address"])) for move in moves]


def vip_targets(node: Node, vips: Iterable[Vip]) -> list[Placement]:
    """Return the places of what is no Elastic IP."""
    found = []
    for vip in vips:
        if vip.kind == ELASTIC_IP:
            continue
        interface = node.interface(vip.role)
        if interface is None:
            raise Refusal(f"{node.name}, which is primary, has no {vip.role} interface for VIP {vip.name}")
        serves = vip.address if vip.serves else None
        found += [Placement(vip.kind, one, serves) for one in _options(vip, interface.network_interface_id)]
    return found


def _options(vip: Vip, interface: str) -> list[dict[str, Any]]:
    if vip.kind == PRIVATE_IP:
        return [{"private_ip_address": vip.address, "network_interface_id": interface}]
    role = {"role_arn": vip.role_arn} if vip.role_arn else {}
    ids = {"route_table_ids": list(vip.tables)} if vip.tables else {}
    tags = {"route_table_tags": dict(vip.table_tags)} if vip.table_tags else {}
    return [
        {
            "destination": vip.destination,
            **ids,
            **tags,
            "network_interface_id": interface,
            **role,
        }
    ]


def observable(nodes: Iterable[Node], vips: Iterable[Vip]) -> list[Placement]:
    """Return the places of what is no Elastic IP at each node: what is read serves whichever is primary."""
    return [
        place
        for node in nodes
        for vip in vips
        if vip.kind != ELASTIC_IP and node.interface(vip.role)
        for place in vip_targets(node, [vip])
    ]


def vips_of_nodes(nodes: Iterable[Node]) -> tuple[Vip, ...]:
    """Return the VIPs by the tags of the pair's instances. Raises Refusal for a kind that does not exist.

    A node that was just launched carries what its definition has; one that is being replaced may carry older tags.
    """
    instances = sorted((n.instance for n in nodes if n.instance), key=lambda one: (one.live, one.launch_time))
    found: dict[str, str] = {}
    for instance in instances:
        found.update(instance.tags)
    vips = vips_of_tags([found])
    unknown = [f"{vip.name} ({vip.kind})" for vip in vips if vip.kind not in REGISTRY or not vip.address]
    if unknown:
        raise Refusal(f"the tags of {', '.join(i.instance_id for i in instances)} name no VIP: {', '.join(unknown)}")
    return vips


def own_nodes(nodes: Sequence[Node], vips: Iterable[Vip]) -> tuple[Node, ...]:
    """Return the nodes without the private addresses that move: the k-th of a node stands for that of the other."""
    moving = floating(vips)
    return tuple(node.without(moving) for node in nodes) if moving else tuple(nodes)
