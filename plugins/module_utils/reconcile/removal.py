# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The nodes that leave a zone: read what the choice needs, mark them, and say what the following steps need."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..aws import ec2 as api
from ..aws import tags as t
from ..aws.client import Client
from ..aws.elbv2 import describe_target_health
from ..aws.instances import GONE, Instance, parse_instances
from ..core.errors import Refusal
from ..core.parallel import gather
from ..distributors.base import Leaving
from ..distributors.nlb.observe import target_groups
from ..distributors.nlb.targets import parse_healths
from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..nitro.asking import probe_with
from ..nitro.cluster import Member, members_of
from ..nitro.module import client_from
from ..nitro.polling import poll
from ..scaling.candidates import (
    DRAINING,
    IN_SERVICE,
    STRANDED,
    TERMINATING,
    Choice,
    Node,
    choose,
    left_by,
    of_event,
    with_health,
)
from ..spec.identity import AUTOSCALE_GROUP, ObservedResource, Owner, adoptable
from ..topologies.base import Topology
from ..topologies.registry import named
from .pins import learn_pins

EVENT = "cloudadc:event"
BY_HAND = "by-hand"
_UNHEALTHY = "unhealthy"

Connect = Callable[[str], Client]
TargetGroups = Sequence[Mapping[str, Any]]


def node_of(instance: Instance) -> Node:
    """Return an instance as the choice sees it."""
    addresses = {item.device_index: item.addresses[0] for item in instance.interfaces if item.addresses}
    return Node(
        instance_id=instance.instance_id,
        node_id=instance.node_id,
        lifecycle=instance.lifecycle,
        event=instance.tags.get(EVENT),
        live=instance.state != GONE,
        nsip=addresses.get(0),
        client_address=addresses.get(1),
        server_address=addresses.get(2),
        image_id=instance.image_id or None,
        replaced=t.REPLACE in instance.tags,
    )


@dataclass(slots=True)
class Removal:
    """One call of module autoscale_candidates. ``connect``: a client of an AWS service; ``open_event``: id of the event
    that is open in the stored group state, empty for none, and None where no store was named."""

    params: dict[str, Any]
    connect: Connect
    check_mode: bool
    open_event: Callable[[], str] | None = None
    check_claim: Callable[[], None] = lambda: None
    members: tuple[Member, ...] = field(default=())

    @property
    def topology(self) -> Topology:
        """How the nodes of the zone form a whole."""
        return named(self.params["topology"], whole=self.params["clustered"] or bool(self.params["clip"]))

    def run(self) -> dict[str, Any]:
        """Read, choose, mark; in check mode predict it. Raises Failure."""
        nodes = self._nodes()
        if self.params["clip"] and self.params["step"] == "begin":
            self.members = self._members()
        groups = self._target_groups()
        choice = self._choose(nodes, groups)
        marks = {t.LIFECYCLE: DRAINING if self.params["step"] == "begin" else TERMINATING}
        if self.params["step"] != "finish":
            marks[EVENT] = self.params["event_id"] or BY_HAND
        unmarked = self._unmarked(choice)
        if unmarked and not self.check_mode:
            self.check_claim()
            api.create_tags(self.connect("ec2"), [node.instance_id for node in unmarked], marks)
        after = [_marked(node, marks) if node in unmarked else node for node in choice.selected]
        return self._result(choice, after, groups, changed=bool(unmarked))

    def _nodes(self, instance_ids: Collection[str] = ()) -> list[Node]:
        filters: dict[str, Any] = dict(t.as_filters(t.identity(self.params["group"], self.params["zone"], None)))
        if instance_ids:
            filters["instance-id"] = list(instance_ids)
        found = parse_instances(api.describe_instances(self.connect("ec2"), filters))
        named = [ObservedResource(f"instance {item.instance_id}", item.tags) for item in found if item.live]
        adoptable(Owner(self.params["group"], AUTOSCALE_GROUP), named, by_name=False)
        clips = {self.params["zone"]: self.params["clip"] or ""}
        learn_pins(self.params, [(node_of(item).nsip or "", item.tags) for item in found if item.live], clips)
        return [node_of(item) for item in found]

    def _choose(self, nodes: Sequence[Node], groups: TargetGroups) -> Choice:
        params, event_id = self.params, self.params["event_id"]
        match params["step"]:
            case "finish":
                return Choice(of_event(nodes, event_id))
            case "cleanup":
                return self._left(nodes)
        fresh = params["count"] and not of_event(nodes, event_id)
        return choose(
            with_health(nodes, self._unhealthy(nodes, groups)) if fresh else nodes,
            params["count"],
            event_id,
            params["min_nodes"],
            limit=self.topology.most_leaving,
            coordinator=params["coordinator"] or self._coordinator(),
            image_id=params["image_id"],
        )

    def _left(self, nodes: Sequence[Node]) -> Choice:
        """Return what a failed event left, read again after it is known that no other event is open.

        Between the first look and this one another run may have put a stranded node into service, or begun to.
        """
        event_id = self.params["event_id"]
        if not event_id:
            raise Refusal("event_id is missing: a cleanup removes what one failed event left, and nothing else")
        choice = left_by(nodes, event_id)
        if not choice.fresh:
            return choice
        opened = self.open_event() if self.open_event else ""
        if opened and opened != event_id:
            return Choice(
                tuple(node for node in choice.selected if node not in choice.fresh),
                message=f"event {opened} is open and may bring nodes that never came into service into service; they "
                "stay, and a later tick cleans up",
            )
        still = {node.instance_id for node in self._nodes([n.instance_id for n in choice.fresh]) if _stranded(node)}
        fresh = tuple(node for node in choice.fresh if node.instance_id in still)
        return Choice(tuple(n for n in choice.selected if n not in choice.fresh or n in fresh), fresh)

    def _unmarked(self, choice: Choice) -> list[Node]:
        if self.params["step"] == "begin":
            return list(choice.fresh)
        return [node for node in choice.selected if node.live and node.lifecycle != TERMINATING]

    # -- health -----------------------------------------------------------------------------------------------------

    def _unhealthy(self, nodes: Sequence[Node], groups: TargetGroups) -> set[str]:
        """Return the ids of nodes in service that are silent, or that a health check or the cluster calls unhealthy."""
        serving = [node for node in nodes if node.live and node.lifecycle == IN_SERVICE]
        if not serving:
            return set()
        if self.params["clip"]:
            up = {member.address for member in self.members if member.serving}
            found = {node.instance_id for node in serving if node.nsip not in up}
        else:
            found = self._silent(serving) if self.params["probe"] else set()
        failing = self._failing_targets(groups)
        return found | {node.instance_id for node in serving if node.client_address in failing}

    def _silent(self, nodes: Sequence[Node]) -> set[str]:
        at = {self._address(node): node.instance_id for node in nodes if node.nsip}
        probe = probe_with(self.params, list(at))
        readings = poll(list(at), probe, float(self.params["nitro_timeout"]))
        return {at[reading.nsip] for reading in readings if not reading.reachable}

    def _failing_targets(self, groups: TargetGroups) -> set[str]:
        """Return the client addresses that a health check of the load balancer calls unhealthy."""
        client = self.connect("elbv2") if groups else None

        def read(arn: str) -> Callable[[], list[dict[str, Any]]]:
            return lambda: describe_target_health(client, arn)

        described = gather([read(group["target_group_arn"]) for group in groups])
        healths = [health for targets in described for health in parse_healths(targets).values()]
        return {health.target.id for health in healths if health.state == _UNHEALTHY}

    def _members(self) -> tuple[Member, ...]:
        """Return the members of the cluster, as its CLIP lists them. Raises Failure where it does not answer."""
        clip = self._with_port(self.params["clip"])
        with client_from(self.params, nsip=clip) as client:
            return members_of(client.get("clusternode"))

    def _coordinator(self) -> str | None:
        return next((member.address for member in self.members if member.coordinator), None)

    # -- what the following steps need --------------------------------------------------------------------------------

    def _target_groups(self) -> TargetGroups:
        """Return the target groups of the group's load balancer; none without one."""
        name = self.params["load_balancer"]
        return target_groups(self.connect("elbv2"), name, self.params["group"]) if name else ()

    def _result(self, choice: Choice, after: Sequence[Node], groups: TargetGroups, *, changed: bool) -> dict[str, Any]:
        there = [node for node in after if node.live]
        begins = self.params["step"] == "begin"
        leaving = [Leaving(node.instance_id, (node.client_address if node.live else "") or "") for node in after]
        work: dict[str, Any] = {}
        for distributor in DISTRIBUTORS.values():
            work |= distributor.deregister(leaving, groups, self.params["domains"])
        evicted = self.topology.evict(
            [node.nsip or "" for node in there if not begins or node.lifecycle == DRAINING],
            {member.address for member in self.members},
            draining=begins,
        )
        return {
            "changed": changed,
            "candidates": [asdict(node) for node in after],
            "victims": [asdict(node) for node in after],
            "sentence": choice.message,
            "instance_ids": [node.instance_id for node in after],
            "nsips": [node.nsip for node in there if node.nsip],
            "client_addresses": [node.client_address for node in there if node.client_address],
            **work,
            "fingerprints": dict(self.params.get("fingerprints") or {}),
            "cluster_nodes": [{"nsip": self._with_port(address)} for address in evicted],
            "diff": {
                "before": {node.instance_id: node.lifecycle for node in choice.selected},
                "after": {node.instance_id: node.lifecycle for node in after},
            },
        }

    def _address(self, node: Node) -> str:
        return self._with_port(node.nsip or "")

    def _with_port(self, address: str) -> str:
        port = self.params["nitro_port"]
        return f"{address}:{port}" if port else address


def _stranded(node: Node) -> bool:
    return node.live and node.lifecycle in STRANDED


def _marked(node: Node, marks: Mapping[str, str]) -> Node:
    return replace(node, lifecycle=marks[t.LIFECYCLE], event=marks.get(EVENT, node.event))
