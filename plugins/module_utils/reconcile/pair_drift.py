# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drift of a pair in service: what differs from its definition, and what of that definition is refused. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..aws import tags as t
from ..aws.addresses import Address
from ..aws.instances import Instance
from ..spec.vips import floating, vips_of
from .drift import DesiredNode, Finding, instance_findings, interface_problems, plan_findings, shared_findings
from .instance_plan import DesiredInterface, Plan
from .shared_resources import Change, role_name

Definition = Mapping[str, Any]
RUN = "The playbook ha_pair"


def node_name(instance: Instance) -> str:
    """Return what messages call a node."""
    return f"Node {instance.node_id} ({instance.instance_id})"


def replacement(instance: Instance) -> str:
    """Return how a node of a pair is replaced."""
    return (
        "A new node is needed: ansible-playbook cloudadc.aws.ha_pair with the variables of the pair and "
        f"-e ha_pair_replace_node={instance.instance_id}."
    )


def in_service(instances: Iterable[Instance]) -> list[Instance]:
    """Return the live nodes that are in service."""
    return [one for one in instances if one.live and one.lifecycle == t.IN_SERVICE]


def node_findings(
    definition: Definition,
    instances: Iterable[Instance],
    interfaces: Mapping[int, Sequence[DesiredInterface]],
    user_data: Mapping[str, str],
) -> list[Finding]:
    """Return what of the nodes needs a new node, or a person.

    Args:
        definition: the pair.
        instances: its instances.
        interfaces: the desired interfaces by node id.
        user_data: that of each instance which has any, by its id.
    """
    findings: list[Finding] = []
    for one in in_service(instances):
        desired = DesiredNode(
            image_id=definition["image_id"],
            instance_type=definition["instance_type"],
            profile=role_name(definition["name"]),
            interfaces=interfaces.get(-1 if one.node_id is None else one.node_id, ()),
            http_tokens=definition["http_tokens"],
            remedy=replacement(one),
        )
        findings += instance_findings(one, node_name(one), desired, user_data.get(one.instance_id, ""))
    return findings


def repaired(plans: Iterable[Plan], instances: Sequence[Instance], changes: Iterable[Change]) -> list[Finding]:
    """Return what a run repairs: on the instances, and of what they share. Nothing while the pair is being built."""
    serving = in_service(instances)
    if not serving:
        return []
    on_nodes = [found for plan in plans for found in plan_findings(plan, serving, node_name, RUN)]
    return on_nodes + shared_findings(changes, RUN)


def incomplete_nodes(definition: Definition, instances: Iterable[Instance]) -> list[str]:
    """Return one message for each node that lacks an interface, unless it is replaced."""
    leaving = str(definition.get("replace_node", ""))
    staying = [one for one in instances if one.live and leaving not in (one.instance_id, str(one.node_id))]
    return interface_problems(staying, node_name, replacement)


def dropped_addresses(
    definition: Definition, instances: Iterable[Instance], addresses: Iterable[Address], own: Collection[str]
) -> list[str]:
    """Return one message for each Elastic IP that serves the pair's clients and that the definition does not name.

    The address would stay on its interface and never follow the primary again. One on a private address that moves
    follows it.

    Args:
        definition: the pair.
        instances: its instances.
        addresses: all Elastic IPs of the region.
        own: allocation ids of Elastic IPs that the pair is to have.
    """
    clients = {
        attached.network_interface_id
        for one in instances
        if one.live
        for attached in one.interfaces
        if attached.device_index == 1
    }
    given, moving = {*definition["elastic_ips"], *own}, floating(vips_of(definition))
    dropped = [
        address
        for address in addresses
        if address.association
        and address.association.network_interface_id in clients
        and address.association.private_ip_address not in moving
        and not given & {address.public_ip, address.allocation_id}
    ]
    return [
        f"Elastic IP {address} serves clients of this pair on {address.association}, and ha_pair_elastic_ips does not "
        f"name it. Name it, or take it from the pair first: aws ec2 disassociate-address --association-id "
        f"{address.association_id}."
        for address in dropped
    ]
