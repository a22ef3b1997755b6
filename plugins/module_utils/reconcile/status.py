# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The state of pairs and groups, from what AWS, appliances and the store have of them. Pure.

What was not read is named in ``unseen``; it is never taken for good or bad.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..aws import tags as t
from ..aws.addresses import Address
from ..aws.instances import Instance, in_order
from ..nitro.ha import in_sync
from ..spec.figures import Reading
from ..spec.identity import AUTOSCALE_GROUP, PAIR, Owner, belongs
from . import pair_associations
from .pair_claims import Claim, Verdict, claim_result
from .status_vips import ObservedVips, vips_status

#: Of a pair whose VIPs are Elastic IPs.
NO_VIPS = ObservedVips()
#: Events of a pair or a zone that are shown, the latest first.
EVENTS = 5
#: Pairs have two nodes; what an earlier release made without a kind is one of them up to this number.
PAIR_NODES = 2

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answers:
    """What both nodes of a pair reported, and who is primary by it."""

    claims: Sequence[Claim]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ZoneState:
    """The stored state of one zone as ``scaling.view.overview`` shows it, or why it was not read."""

    overview: Mapping[str, Any] | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What was read of a group beside EC2. None: it was not read, and ``unseen`` says why."""

    readings: Mapping[str, Reading] | None = None
    states: Mapping[str, ZoneState] | None = None
    endpoint: str | None = None
    unseen: Sequence[str] = field(default_factory=tuple)


def owners_of(instances: Sequence[Instance]) -> list[Owner]:
    """Return every pair and group that has a live instance, by kind and name."""
    named: dict[str, list[Instance]] = {}
    for instance in instances:
        if instance.live and instance.tags.get(t.GROUP):
            named.setdefault(instance.tags[t.GROUP], []).append(instance)
    owners = set()
    for name, found in named.items():
        kinds = {each.tags[t.KIND] for each in found if each.tags.get(t.KIND) in (PAIR, AUTOSCALE_GROUP)}
        if not kinds:  # of an earlier release
            kinds = {PAIR if len(found) <= PAIR_NODES else AUTOSCALE_GROUP}
        owners |= {Owner(name, kind) for kind in kinds}
    return sorted(owners, key=lambda owner: (owner.kind != PAIR, owner.name))


def own_instances(owner: Owner, instances: Sequence[Instance]) -> list[Instance]:
    """Return the live instances of an owner, by node id."""
    return in_order(each for each in instances if each.live and belongs(owner, each.tags))


# -- pairs ------------------------------------------------------------------------------------------------------------


def pair_status(
    name: str,
    nodes: Sequence[pair_associations.Node],
    addresses: Sequence[Address],
    answers: Answers | None,
    events: Sequence[Mapping[str, Any]] | None = None,
    unseen: Sequence[str] = (),
    vips: ObservedVips = NO_VIPS,
) -> Result:
    """Return the state of a pair.

    Args:
        name: Of the pair.
        nodes: As ``pair_associations.nodes_of_group`` returns them.
        addresses: The pair's Elastic IPs.
        answers: the appliances' answers; None: they were not asked.
        events: The kept events of ha_watch, oldest first; None: there is no store.
        unseen: What could not be read, and why.
        vips: The VIPs that are no Elastic IPs.
    """
    primary = None if answers is None or answers.verdict.primary is None else nodes[answers.verdict.primary]
    shown = [_pair_node(node, index, answers) for index, node in enumerate(nodes)]
    placed = _placed(nodes, addresses, primary)
    shown_vips, vip_problems = vips_status(nodes, primary, vips)
    return {
        "kind": PAIR,
        "name": name,
        "primary": None if primary is None else primary.node_id,
        "primary_instance_id": None if primary is None else primary.instance_id,
        "verdict": "" if answers is None else answers.verdict.message,
        "healthy": None if answers is None else answers.verdict.healthy,
        "in_sync": _in_sync(nodes, answers),
        "nodes": shown,
        "addresses": placed,
        "vips": shown_vips,
        "events": list(reversed(list(events or ())[-EVENTS:])),
        "problems": _pair_problems(nodes, shown, placed, answers) + vip_problems,
        "unseen": [*unseen, *([f"where VIPs are: {vips.error}"] if vips.error else [])],
    }


def pair_addresses(name: str, addresses: Sequence[Address], nodes: Sequence[pair_associations.Node]) -> list[Address]:
    """Return the pair's Elastic IPs: those with its tag, and those of the user on its client interfaces."""
    found = [
        *pair_associations.pick_addresses(addresses, None, name, nodes),
        *pair_associations.pick_addresses(addresses, None, None, nodes),
    ]
    return list({address.allocation_id: address for address in found}.values())


def _pair_node(node: pair_associations.Node, index: int, answers: Answers | None) -> Result:
    reported: Result = {}
    if answers is not None:
        claim = answers.claims[index]
        others = [other for other in answers.claims if other is not claim]
        claimed = claim_result(claim, others)
        reported = {key: claimed[key] for key in ("reachable", "claim", "node_state", "sync_state", "error")}
    instance = node.instance
    return {
        "node_id": node.node_id,
        "instance_id": node.instance_id,
        "instance_state": instance.state if instance else None,
        "availability_zone": instance.availability_zone if instance else "",
        "image_id": instance.image_id if instance else "",
        "nsip": node.nsip or None,
        **dict.fromkeys(("reachable", "claim", "node_state", "sync_state", "error")),
        **reported,
    }


def _in_sync(nodes: Sequence[pair_associations.Node], answers: Answers | None) -> bool | None:
    if answers is None or answers.verdict.primary is None or len(nodes) != PAIR_NODES:
        return None
    view = answers.claims[answers.verdict.primary].view
    return None if view is None else in_sync(view, nodes[1 - answers.verdict.primary].nsip)


def _placed(
    nodes: Sequence[pair_associations.Node], addresses: Sequence[Address], primary: pair_associations.Node | None
) -> list[Result]:
    client = primary.client if primary else None
    desired = pair_associations.associations_on(client, addresses, nodes) if client else None
    interfaces = {node.client.network_interface_id: node.node_id for node in nodes if node.client}
    return [
        {
            **pair_associations.address_result(address),
            "node_id": interfaces.get(address.association.network_interface_id) if address.association else None,
            "misplaced": None if desired is None else address.association != desired.get(address.allocation_id),
        }
        for address in addresses
    ]


def _pair_problems(
    nodes: Sequence[pair_associations.Node],
    shown: Sequence[Mapping[str, Any]],
    placed: Sequence[Mapping[str, Any]],
    answers: Answers | None,
) -> list[str]:
    found = [] if len(nodes) == PAIR_NODES else [f"a pair has two nodes, here are {len(nodes)}"]
    found += [problem for node in shown if (problem := _node_problem(node, f"node {node['node_id']}"))]
    if answers is not None and not answers.verdict.healthy:
        found.append(answers.verdict.message)
    found += [
        f"Elastic IP {each['elastic_ip']} is not on the primary: run ha_failover with ha_failover_mode=reconcile"
        for each in placed
        if each["misplaced"]
    ]
    return found + _different(shown)


def _node_problem(node: Mapping[str, Any], name: str) -> str | None:
    """Return what is wrong with one node, by EC2's word first."""
    state = node["instance_state"]
    if state != "running":
        return f"{name} ({node['instance_id']}) is {state or 'gone'}"
    if node["reachable"] is False:
        return f"{name} ({node['instance_id']}) runs and does not answer at {node['nsip']}: {node['error']}"
    if node["reachable"] and node["error"]:
        return f"{name} ({node['instance_id']}): {node['error']}"
    return None


def _different(nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    images = sorted({str(node["image_id"]) for node in nodes if node["image_id"]})
    return [f"the nodes have different images: {', '.join(images)}"] if len(images) > 1 else []


# -- groups -----------------------------------------------------------------------------------------------------------


def group_status(name: str, instances: Sequence[Instance], addresses: Sequence[Address], facts: GroupFacts) -> Result:
    """Return the state of a group: a zone each, with its nodes, its phase and its latest events."""
    zones = sorted({each.tags.get(t.ZONE, "") for each in instances} | set(facts.states or {}))
    shown = [_zone(zone, [each for each in instances if each.tags.get(t.ZONE, "") == zone], facts) for zone in zones]
    interfaces = {one.network_interface_id: each for each in instances for one in each.interfaces}
    placed = [
        {
            **pair_associations.address_result(address),
            "instance_id": interfaces[address.association.network_interface_id].instance_id,
        }
        for address in addresses
        if address.association and address.association.network_interface_id in interfaces
    ]
    nodes = [node for zone in shown for node in zone["nodes"]]
    return {
        "kind": AUTOSCALE_GROUP,
        "name": name,
        "endpoint": facts.endpoint,
        "zones": shown,
        "addresses": placed,
        "problems": [problem for zone in shown for problem in zone.pop("problems")] + _different(nodes),
        "unseen": list(facts.unseen),
    }


def _zone(zone: str, instances: Sequence[Instance], facts: GroupFacts) -> Result:
    nodes = [_group_node(each, facts.readings) for each in instances]
    state = (facts.states or {}).get(zone, ZoneState())
    overview = state.overview or {}
    return {
        "zone": zone,
        "nodes": nodes,
        "in_service": sum(node["lifecycle"] == t.IN_SERVICE for node in nodes),
        **{key: overview.get(key) for key in ("phase", "phase_until", "updated", "event", "backoff", "unfinished")},
        "events": [_closed(each) for each in reversed(list(overview.get("history", ()))[-EVENTS:])],
        "problems": [f"{zone}: {problem}" for problem in _zone_problems(nodes, state, overview)],
    }


def _group_node(instance: Instance, readings: Mapping[str, Reading] | None) -> Result:
    nsip = management_address(instance)
    reading = None if readings is None or nsip is None else readings.get(nsip)
    return {
        "instance_id": instance.instance_id,
        "instance_state": instance.state,
        "availability_zone": instance.availability_zone,
        "image_id": instance.image_id,
        "lifecycle": instance.lifecycle,
        "node_id": instance.node_id,
        "nsip": nsip,
        "reachable": None if reading is None else reading.reachable,
        "error": None if reading is None else reading.error,
        "cpu": None if reading is None else reading.figures["cpu"],
        "memory": None if reading is None else reading.figures["memory"],
    }


def management_address(instance: Instance) -> str | None:
    """Return the management address of a group's node: vpx_instance makes this interface first."""
    return instance.interfaces[0].addresses[0] if instance.interfaces else None


def _closed(event: Mapping[str, Any]) -> Result:
    return {key: event[key] for key in ("closed_at", "action", "count", "outcome", "reason", "message")}


def _zone_problems(nodes: Sequence[Mapping[str, Any]], state: ZoneState, overview: Mapping[str, Any]) -> list[str]:
    found = [problem for node in nodes if (problem := _node_problem(node, f"node {node['nsip'] or ''}".strip()))]
    if state.error:
        found.append(f"its state cannot be read: {state.error}")
    backoff = overview.get("backoff") or {}
    if backoff.get("failures"):
        found.append(f"{backoff['failures']} scaling events failed in a row; the last one: {backoff['message']}")
    found += [
        f"event {each['event_id']} failed and is not cleaned up: {each['message']}"
        for each in overview.get("unfinished") or ()
    ]
    known = overview.get("nodes")
    running = {node["instance_id"] for node in nodes if node["lifecycle"] == t.IN_SERVICE}
    lost = [each["instance_id"] for each in known or () if each["instance_id"] not in running]
    if lost:
        found.append(f"the group state has nodes that EC2 does not show in service: {', '.join(lost)}")
    return found
