# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read a pair by the name of its group: its nodes and every Elastic IP from AWS, then the appliances themselves."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..attachments.registry import REGISTRY
from ..aws import ec2 as api
from ..aws import tags as t
from ..aws.addresses import Address, parse_addresses
from ..aws.client import Client
from ..aws.instances import parse_instances
from ..core.parallel import both, gather
from ..nitro.client import NitroClient
from ..spec.vips import Vip
from .pair_associations import Node, nodes_of_group
from .pair_evidence import Silence
from .pair_probe import Panel, ProbeTimeouts, Target
from .pair_repair import interfaces_of
from .pair_vips import Placement, by_kind, observable, own_nodes, vips_of_nodes


@dataclass(frozen=True, slots=True)
class ObservedPair:
    """The nodes of a pair by node id, all Elastic IPs of the region, and ids of all interfaces of its instances.

    ``vips``: what else follows the primary; ``observed``: where it is, by kind. Of the nodes' addresses those are left
    out that move.
    """

    nodes: tuple[Node, ...]
    addresses: tuple[Address, ...]
    interfaces: frozenset[str]
    vips: tuple[Vip, ...] = ()
    observed: Mapping[str, Any] = field(default_factory=dict)


def read_pair(client: Client, group: str) -> ObservedPair:
    """Return what AWS has of the pair: two calls, side by side, and then what VIPs need that are no Elastic IPs.

    Raises:
        Failure: AWS refused, or the group has no instance.
    """
    addresses, described = both(
        lambda: api.describe_addresses(client),
        lambda: api.describe_instances(client, {f"tag:{t.GROUP}": group}),
    )
    instances = parse_instances(described)
    nodes = nodes_of_group(instances, group)
    vips = vips_of_nodes(nodes)
    return ObservedPair(
        own_nodes(nodes, vips),
        tuple(parse_addresses(addresses)),
        interfaces_of(instances),
        vips,
        observe_vips(client, nodes, vips),
    )


def observe_vips(client: Client, nodes: Sequence[Node], vips: Sequence[Vip]) -> dict[str, Any]:
    """Return what AWS says of the VIPs that are no Elastic IPs, by kind, the kinds side by side."""
    groups = by_kind(observable(nodes, vips))
    reads: list[Callable[[], Any]] = [functools.partial(_observe, client, kind, mine) for kind, mine in groups.items()]
    return dict(zip(groups, gather(reads), strict=True))


def _observe(client: Client, kind: str, targets: Sequence[Placement]) -> Any:
    entry = REGISTRY[kind]
    return entry.observe(client, [entry.desired(target.options) for target in targets])


def endpoint(node: Node, port: int | None) -> str:
    """Return where NITRO of a node answers; without ``port`` at that of the protocol."""
    host = f"[{node.nsip}]" if ":" in node.nsip else node.nsip
    return f"{host}:{port}" if port else host


def panel(
    nodes: Sequence[Node],
    port: int | None,
    connect: Callable[[str], NitroClient],
    timeouts: ProbeTimeouts,
    silences: Mapping[str, Silence] | None = None,
) -> Panel:
    """Return the panel that asks all nodes side by side; use it as a context manager.

    ``silences``: of nodes by their NSIP, as another observer has seen them.
    """
    targets = [Target(node.name, node.nsip, endpoint(node, port), node.idle) for node in nodes]
    return Panel(targets, connect, timeouts, silences or {})
