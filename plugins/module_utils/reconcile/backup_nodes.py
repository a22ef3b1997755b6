# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The nodes that are backed up or restored: their instances, addresses and HA roles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..aws import tags as t
from ..aws.instances import Instance, in_order, role_of
from ..core.errors import Failure, Refusal
from ..core.nitro_wire import parse_address
from ..core.parallel import attempt_all
from ..nitro.client import NitroClient
from ..nitro.ha import ObservedHa
from ..spec.backup_names import ALONE, PRIMARY, SECONDARY
from ..spec.identity import AUTOSCALE_GROUP, Owner, belongs
from .pair_associations import nodes_of_group

Connect = Callable[[str], NitroClient]


@dataclass(frozen=True, slots=True)
class BackupNode:
    """``identity``: the node id in a pair, the instance id in a group. ``nsip``: without port; empty: no interface."""

    identity: str
    instance: Instance
    nsip: str
    addresses: dict[str, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"node {self.identity} ({self.instance.instance_id})"

    def described(self) -> dict[str, Any]:
        """Return the node as a manifest has it."""
        return {"node": self.identity, **self.addresses}


def nodes_of(instances: Iterable[Instance], kind: str, name: str) -> list[BackupNode]:
    """Return the nodes of a pair or group that run. Raises Refusal if none does."""
    given = list(instances)
    if kind == AUTOSCALE_GROUP:
        owner = Owner(name, kind)
        mine = in_order(one for one in given if belongs(owner, one.tags) and one.lifecycle != t.TERMINATING)
        pairs = [(one.instance_id, one) for one in mine]
    else:
        pairs = [(str(node.node_id), node.instance) for node in nodes_of_group(given, name) if node.instance]
    nodes = [_node(identity, one) for identity, one in pairs if one.state == "running"]
    if not nodes:
        raise Refusal(f"{kind} {name} has no running instance in this region (tag {t.GROUP})")
    return nodes


def _node(identity: str, instance: Instance) -> BackupNode:
    addresses: dict[str, list[str]] = {}
    for interface in instance.interfaces:
        addresses[role_of(interface, (), {})] = list(interface.addresses)
    return BackupNode(identity, instance, next(iter(addresses.get("management", [])), ""), addresses)


def endpoint(nsip: str, port: int | None) -> str:
    """Return where to connect to."""
    host, own = parse_address(nsip)
    at = f"[{host}]" if ":" in host else host
    return f"{at}:{own or port}" if own or port else at


def role_on(client: NitroClient) -> str:
    """Return the HA role that an appliance reports: one GET."""
    observed = ObservedHa.from_rows(client.get("hanode"))
    if not observed.peers:
        return ALONE
    return PRIMARY if observed.me is not None and observed.me.is_a("Primary") else SECONDARY


def primary_of(nodes: Sequence[BackupNode], connect: Connect) -> BackupNode:
    """Return the one node that reports that it is primary, or that has no peer. Raises Refusal."""

    def ask(node: BackupNode) -> str:
        with connect(node.nsip) as client:
            return role_on(client)

    answers = attempt_all([lambda node=node: ask(node) for node in nodes])  # type: ignore[misc]
    leading = [node for node, role in zip(nodes, answers, strict=True) if role in (PRIMARY, ALONE)]
    if len(leading) == 1:
        return leading[0]
    reports = "; ".join(
        f"{node.name}: {answer if isinstance(answer, Failure) else f'reports {answer}'}"
        for node, answer in zip(nodes, answers, strict=True)
    )
    raise Refusal(f"a restore needs exactly one primary, and there are {len(leading)}. {reports}. Nothing was changed")
