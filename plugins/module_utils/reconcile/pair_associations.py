# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS side of an HA pair: which instances are its nodes, and where its Elastic IPs belong. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..aws import tags as t
from ..aws.addresses import Address, Association, association_result
from ..aws.instances import Attached, Instance, in_order, role_of
from ..core.errors import Refusal
from ..spec.identity import PAIR, ObservedResource, Owner, adoptable, belongs


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the pair: its NSIP as given or found ("": its instance has none any more), its instance if known."""

    nsip: str
    instance: Instance | None
    instance_id: str | None
    index: int

    @property
    def node_id(self) -> int:
        """By its tag; untagged, by its place in the list."""
        tagged = self.instance.node_id if self.instance else None
        return self.index if tagged is None else tagged

    @property
    def name(self) -> str:
        return f"node {self.node_id}"

    @property
    def client(self) -> Attached | None:
        return self.interface("client")

    def interface(self, role: str) -> Attached | None:
        """Return its interface of this role; None: it has none."""
        return _interface(self.instance, role) if self.instance else None

    def without(self, addresses: Collection[str]) -> Node:
        """Return the same node without these secondary addresses."""
        if self.instance is None:
            return self
        interfaces = tuple(
            replace(one, addresses=tuple(a for a in one.addresses if a not in addresses) or one.addresses[:1])
            for one in self.instance.interfaces
        )
        return replace(self, instance=replace(self.instance, interfaces=interfaces))

    @property
    def idle(self) -> str | None:
        """Why there is no use in asking it: an instance that does not run has no say."""
        if self.instance is None or self.instance.state == "running":
            return None
        return f"instance {self.instance.instance_id} is {self.instance.state}"

    def result(self) -> dict[str, Any]:
        client = self.client
        return {
            "node_id": self.node_id,
            "instance_id": self.instance.instance_id if self.instance else self.instance_id,
            "instance_state": self.instance.state if self.instance else None,
            "client": {
                "network_interface_id": client.network_interface_id if client else None,
                "private_ip_addresses": list(client.addresses) if client else [],
            },
        }


def tagged(nodes: Iterable[Node]) -> list[tuple[str, Mapping[str, str]]]:
    """Return NSIP and tags of each node whose instance is known."""
    return [(node.nsip, node.instance.tags) for node in nodes if node.instance]


def _interface(instance: Instance, role: str) -> Attached | None:
    return next((item for item in instance.interfaces if role_of(item, (), {}) == role), None)


def nodes_of_group(instances: Iterable[Instance], group: str) -> list[Node]:
    """Return the nodes of a pair, by node id. A terminated instance is its node's only until there is another one.

    Raises Refusal if the pair has no instance, or if a group has the name.
    """
    owner, named = Owner(group, PAIR), list(instances)
    adoptable(owner, [ObservedResource(f"instance {i.instance_id}", i.tags) for i in named if i.live], by_name=False)
    chosen: dict[object, Instance] = {}
    for instance in sorted((i for i in named if belongs(owner, i.tags)), key=lambda i: (i.live, i.launch_time)):
        key = instance.instance_id if instance.node_id is None or instance.live else instance.node_id
        if instance.live:
            chosen.pop(instance.node_id, None)
        chosen[key] = instance
    nodes: list[Node] = []
    for instance in in_order(chosen.values()):
        management = _interface(instance, "management")
        nsip = management.addresses[0] if management else ""
        nodes.append(Node(nsip, instance, instance.instance_id, len(nodes)))
    if not any(node.instance and node.instance.live for node in nodes):
        raise Refusal(f"pair {group} has no instance in this region (tag {t.GROUP})")
    return nodes


def nodes_as_given(
    given: Sequence[Mapping[str, Any]], hosts: Sequence[str], instances: Sequence[Instance]
) -> list[Node]:
    """Return the nodes of option ``nodes``, each with its instance if any. ``hosts``: their NSIPs without port."""
    by_id = {instance.instance_id: instance for instance in instances}
    by_address = {address: i for i in instances if i.live for item in i.interfaces for address in item.addresses}
    nodes = []
    for index, (entry, host) in enumerate(zip(given, hosts, strict=True)):
        instance_id = entry["instance_id"] or None
        instance = by_id.get(instance_id) if instance_id else by_address.get(host)
        nodes.append(Node(host, instance, instance_id, index))
    return nodes


def pick_addresses(
    addresses: Sequence[Address], asked: Sequence[str] | None, group: str | None, nodes: Sequence[Node]
) -> list[Address]:
    """Return the pair's Elastic IPs. Raises Refusal for one that does not exist.

    Those asked for, else those tagged with the group and role client, else (no group) those on the client interfaces.
    """
    if asked:
        known = {name: address for address in addresses for name in (address.public_ip, address.allocation_id)}
        unknown = [name for name in asked if name not in known]
        if unknown:
            raise Refusal(f"no Elastic IP {', '.join(unknown)} is allocated to this account in this region")
        return list({known[name].allocation_id: known[name] for name in asked}.values())
    if group is not None:
        owner = Owner(group, PAIR)
        tagged = [a for a in addresses if belongs(owner, a.tags) and a.tags.get(t.ROLE) == "client"]
        return sorted(tagged, key=lambda a: a.allocation_id)
    interfaces = {node.client.network_interface_id for node in nodes if node.client}
    return [a for a in addresses if a.association and a.association.network_interface_id in interfaces]


def associations_on(client: Attached, addresses: Sequence[Address], nodes: Sequence[Node]) -> dict[str, Association]:
    """Map each allocation to its association on the primary's client interface; without a free address it is omitted.

    The k-th private address of one node's client interface stands for the k-th of the other's: an Elastic IP keeps the
    index that its present address has on its present interface; else it takes its place in the list; else what is free.
    """
    places = {Association(i.network_interface_id, a): k for i in _clients(nodes) for k, a in enumerate(i.addresses)}
    free = dict(enumerate(client.addresses))
    associations: dict[str, Association] = {}

    def take(address: Address, index: int | None) -> None:
        if address.allocation_id not in associations and index is not None and index in free:
            associations[address.allocation_id] = Association(client.network_interface_id, free.pop(index))

    for address in addresses:
        take(address, places.get(address.association) if address.association else None)
    for position, address in enumerate(addresses):
        take(address, position)
    for address in addresses:
        take(address, min(free, default=None))
    return associations


def _clients(nodes: Sequence[Node]) -> list[Attached]:
    return [node.client for node in nodes if node.client]


def moves_to(associations: Mapping[str, Association], addresses: Iterable[Address]) -> list[dict[str, str | None]]:
    """Return the same in the shape of eip_failover's option ``moves``."""
    return [
        {"elastic_ip": address.public_ip, **associations[address.allocation_id].result()}
        for address in addresses
        if address.allocation_id in associations
    ]


def address_result(address: Address) -> dict[str, Any]:
    return {
        "elastic_ip": address.public_ip,
        "allocation_id": address.allocation_id,
        **association_result(address.association),
    }
