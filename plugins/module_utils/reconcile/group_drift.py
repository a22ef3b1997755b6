# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drift of an autoscale group in service: what differs from its definition, and what repairs it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..aws import tags as t
from ..aws.instances import Instance
from ..core.errors import Refusal
from ..distributors.base import Observed as Distributed
from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..spec.group_nodes import address
from . import group_plan as plans
from .drift import (
    DesiredNode,
    Finding,
    due_findings,
    instance_findings,
    interface_problems,
    plan_findings,
    shared_findings,
)
from .group_reading import Nodes
from .shared_options import shared_spec
from .shared_resources import Change, Observed, parse_groups, plan_present, role_name

Definition = Mapping[str, Any]
RUN = "The playbook autoscale_group"


def node_name(instance: Instance) -> str:
    """Return what messages call a node."""
    return f"Node {instance.instance_id} of zone {instance.tags.get(t.ZONE, instance.availability_zone)}"


def replacement(instance: Instance) -> str:
    """Return how a node of a group is replaced."""
    return (
        "A new node is needed: ansible-playbook cloudadc.aws.autoscale_group with the variables of the group and "
        f"-e autoscale_group_replace_node={instance.instance_id}."
    )


def in_service(nodes: Nodes) -> list[Instance]:
    """Return the nodes that are in service."""
    return [one for one in nodes.live if one.lifecycle == t.IN_SERVICE]


def incomplete_nodes(definition: Definition, nodes: Nodes) -> list[str]:
    """Return one message for each node that lacks an interface, unless it leaves or is replaced."""
    leaving = str(definition.get("replace_node", ""))
    staying = [
        one for one in nodes.live if one.lifecycle not in (t.DRAINING, t.TERMINATING) and one.instance_id != leaving
    ]
    return interface_problems(staying, node_name, replacement)


def findings(
    definition: Definition,
    nodes: Nodes,
    found: Distributed,
    state: Mapping[str, Any],
) -> list[Finding]:
    """Return how nodes in service, what they share and how clients reach them differ from the definition.

    Args:
        definition: the group.
        nodes: what EC2 has.
        found: what the distributor has and lacks.
        state: result of vpx_group_info.
    """
    if not in_service(nodes):
        return []
    new = new_applications(definition, nodes, state)
    known = {**definition, "applications": [one for one in definition["applications"] if one["name"] not in new]}
    return [
        *_of_nodes(definition, nodes, state["security_groups"]),
        *shared_findings(_rule_changes(known, nodes), RUN),
        *_of_distributor(known, found, {**state, "definition": known}, new),
    ]


def new_applications(definition: Definition, nodes: Nodes, state: Mapping[str, Any]) -> set[str]:
    """Return the applications that the group never had: nothing of them differs, the run only adds them.

    An application of which the group has a target group, a record set or an open port is not new, so that what was
    removed by hand is reported.
    """
    present = {group["application"] for group in state["target_groups"]}
    recorded = {domain for domain, listed in state["records"].items() if listed}
    ports = {rule.get("FromPort") for group in nodes.security_groups for rule in group.get("IpPermissions", [])}
    return {
        one["name"]
        for one in definition["applications"]
        if one["name"] not in present and one["domain"] not in recorded and one["port"] not in ports
    }


def _of_nodes(definition: Definition, nodes: Nodes, ids: Mapping[str, str]) -> list[Finding]:
    drift: list[Finding] = []
    for zone in definition["zones"]:
        entry = plans.instance_set(definition, zone, nodes, ids, 0)
        instances, plan = plans.plan_of(definition, entry, nodes)
        for one in (each for each in instances if each.live):
            desired = DesiredNode(
                image_id=definition["image_id"],
                instance_type=definition["instance_type"],
                profile=role_name(definition["name"]),
                interfaces=plans.requests_of(entry["interfaces"]),
                http_tokens=definition["http_tokens"],
                remedy=replacement(one),
            )
            drift += instance_findings(one, node_name(one), desired)
        drift += plan_findings(plan, instances, node_name, RUN)
    return drift


def _rule_changes(definition: Definition, nodes: Nodes) -> Sequence[Change]:
    """Return what differs of the security groups; role and profile are not among what was read."""
    options = plans.shared(definition, nodes)
    if not options["vpc_id"]:
        return ()
    empty = {"cidrs": None, "group": None}
    groups = [{**one, "rules": [{**empty, **rule} for rule in one["rules"]]} for one in options["security_groups"]]
    params = {**options, "kind": "group", "state": "present", "role": None, "key_name": None, "elastic_ip": False}
    try:
        spec = shared_spec({**params, "security_groups": groups})
        observed = Observed(groups=parse_groups(nodes.security_groups, spec.vpc_id))
        return plan_present(spec, observed, lambda _one, _other: True).changes
    except Refusal:
        return ()  # security groups of another owner are reported as a problem


def _of_distributor(
    definition: Definition, found: Distributed, state: Mapping[str, Any], new: Collection[str]
) -> list[Finding]:
    name = f"Distribution of {definition['name']}"
    clients = [one for one in state["instances"] if one["lifecycle"] == t.IN_SERVICE and address(one, "client")]
    due = DISTRIBUTORS[definition["distributor"]].register(state, clients)
    known = {
        group["target_group_arn"]: {(one["id"], one["port"]) for one in group["targets"]}
        for group in state["target_groups"]
    }
    names = {group["target_group_arn"]: group["application"] for group in state["target_groups"]}
    listeners = zip(found.listener_changes, found.applications, strict=True)
    messages = [*found.balancer_changes, *(message for message, application in listeners if application not in new)]
    for entry in due["targets"]:
        arn = entry["target_group_arn"]
        missing = [one["id"] for one in entry["targets"] if (one["id"], one["port"]) not in known[arn]]
        messages += [f"register {', '.join(missing)} as targets of {names[arn]}"] if missing else []
    messages += [f"write the record set {entry['record']}" for entry in due["records"]]
    messages += [
        f"deregister {', '.join(one['id'] for one in entry['targets'])}, which no node has, from "
        f"{names[entry['target_group_arn']]}"
        for entry in state["stale_targets"]
    ]
    messages += [
        f"remove the record sets of {', '.join(one['identifier'] for one in entry['nodes'])}, which are gone, from "
        f"{entry['record']}"
        for entry in state["stale_records"]
    ]
    return due_findings(messages, name, RUN)
