# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an autoscale group needs in AWS, and what prevents it: from the definition and a reading. Pure.

The sections of a plan are the options of the modules that carry it out, so that roles hand them over as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..aws import quotas
from ..aws import tags as t
from ..aws.instances import Instance, in_order, instance_result
from ..core.errors import Refusal
from ..distributors.base import Present
from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..spec.group_nodes import LEAVING
from ..spec.group_security import SECURITY_ROLES, security_groups
from ..spec.identity import AUTOSCALE_GROUP, ObservedResource, Owner, adoptable
from . import launch
from .group_network import networks_of
from .group_reading import Nodes, refused
from .instance_plan import DesiredInterface, DesiredSet, ObservedSet, Plan, decide
from .shared_resources import role_name

Definition = Mapping[str, Any]


def order(definition: Definition) -> tuple[str, ...]:
    """Return the roles of a node's interfaces by device index."""
    return t.ROLES


def group_ids(definition: Definition, nodes: Nodes) -> dict[str, str]:
    """Return the ids of the group's own security groups by role."""
    names = {f"{definition['name']}-{role}": role for role in SECURITY_ROLES}
    return {names[one.name]: one.group_id for one in own_groups(definition, nodes)}


class _Group:
    """A security group as EC2 describes it."""

    __slots__ = ("description", "group_id", "name", "tags")

    def __init__(self, described: Mapping[str, Any]) -> None:
        self.name = str(described["GroupName"])
        self.group_id = str(described["GroupId"])
        self.description = str(described.get("Description", ""))
        self.tags = {one["Key"]: one["Value"] for one in described.get("Tags", [])}


def own_groups(definition: Definition, nodes: Nodes) -> list[_Group]:
    """Return the security groups of the group's names in its VPC, or that carry its tag where the VPC is not known."""
    vpc = vpc_id(definition, nodes)
    groups = [(_Group(one), one.get("VpcId")) for one in nodes.security_groups]
    return [one for one, place in groups if place == vpc or (not vpc and one.tags.get(t.GROUP) == definition["name"])]


def vpc_id(definition: Definition, nodes: Nodes) -> str:
    """Return the VPC of the zones, empty if the subnets are not known."""
    requested = {zone[key] for zone in definition["zones"] for key in zone if key.endswith("_subnet_id")}
    return next((str(one["VpcId"]) for one in nodes.subnets if one["SubnetId"] in requested), "")


def shared(definition: Definition, nodes: Nodes) -> dict[str, Any]:
    """Return the options of vpx_shared_resources, without the policy document, of which ``policy`` names the file."""
    networks = networks_of(nodes.subnets)
    clients = {
        str(networks[one["client_subnet_id"]]) for one in definition["zones"] if one["client_subnet_id"] in networks
    }
    rights = definition["topology"] if definition["iam_policy"] == "minimal" else definition["iam_policy"]
    return {
        "name": definition["name"],
        "vpc_id": vpc_id(definition, nodes),
        "policy": f"appliance_group_{rights}.json",
        "manage_role": definition["manage_role"],
        "permissions_boundary": definition["permissions_boundary"],
        "security_groups": security_groups(definition, sorted(clients)),
        "key_name": definition["key_name"],
        "tags": definition["tags"],
    }


def interfaces(definition: Definition, zone: Mapping[str, Any], ids: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return option ``interfaces`` of vpx_instance for a zone."""
    public, by_policy = DISTRIBUTORS[definition["distributor"]].public_nodes, definition["return_path"] == "pbr"
    return [
        {
            "role": role,
            "subnet_id": zone[f"{role}_subnet_id"],
            "elastic_ip": role == "client" and public,
            # A policy-based route needs a subnet address (SNIP) in the subnet of its gateway.
            **({"secondary_private_ip_count": 1} if role == "client" and by_policy else {}),
            **({"security_groups": [ids[role]]} if role in ids else {}),
        }
        for role in t.ROLES
    ]


def instance_set(
    definition: Definition, zone: Mapping[str, Any], nodes: Nodes, ids: Mapping[str, str], desired: int
) -> dict[str, Any]:
    """Return the set of instances of a zone, as option ``sets`` of vpx_instance takes it.

    Nodes that leave belong to the event that removes them: they count besides, so that none is terminated for them. So
    do nodes that EC2 has stopped, which are none of the nodes in service that a tick counts.
    """
    there = [one for one in nodes.live if one.tags.get(t.ZONE) == zone["name"]]
    staying = [one for one in there if one.lifecycle not in LEAVING and one.state not in ("stopping", "stopped")]
    return {
        "zone": zone["name"],
        "count": max(desired, len(staying)) + len(there) - len(staying),
        "interfaces": interfaces(definition, zone, ids),
    }


def is_there(definition: Definition, entry: Mapping[str, Any], nodes: Nodes) -> bool:
    """Tell whether a set of instances is as desired and running, so that vpx_instance has nothing to do."""
    mine, plan = plan_of(definition, entry, nodes)
    return plan.empty and all(one.state == "running" for one in mine if one.live)


def plan_of(definition: Definition, entry: Mapping[str, Any], nodes: Nodes) -> tuple[tuple[Instance, ...], Plan]:
    """Return the instances of a set, and what vpx_instance would change."""
    desired = DesiredSet(
        state="present",
        group=definition["name"],
        zone=entry["zone"],
        count=entry["count"],
        interfaces=requests_of(entry["interfaces"]),
        tags=definition["tags"],
        number_nodes=True,
        kind=AUTOSCALE_GROUP,
        terminate_surplus=False,
        profile=role_name(definition["name"]),
    )
    mine = tuple(one for one in nodes.instances if one.tags.get(t.ZONE) == entry["zone"])
    return mine, decide(desired, ObservedSet(mine, nodes.interfaces, nodes.addresses))


def requests_of(options: Sequence[Mapping[str, Any]]) -> tuple[DesiredInterface, ...]:
    plain = {"private_ip_address": None, "secondary_private_ip_count": 0, "source_dest_check": None}
    return tuple(DesiredInterface.from_option({"security_groups": None, **plain, **one}) for one in options)


def instance_results(nodes: Nodes) -> list[dict[str, Any]]:
    """Return the live instances in the form of vpx_instance."""
    return [instance_result(one, t.ROLES, nodes.interfaces, nodes.addresses) for one in in_order(nodes.live)]


def ownership_problems(definition: Definition, nodes: Nodes) -> list[str]:
    """Return a message if something of the group's name belongs to another owner."""
    owner = Owner(definition["name"], AUTOSCALE_GROUP)
    named = [
        ObservedResource(f"security group {one.name}", one.tags, one.description)
        for one in own_groups(definition, nodes)
    ]
    tagged = [ObservedResource(f"instance {one.instance_id}", one.tags) for one in nodes.live]
    checks = (lambda: adoptable(owner, named), lambda: adoptable(owner, tagged, by_name=False))
    return [problem for check in checks if (problem := refused(check))]


def clip_problems(definition: Definition, nodes: Nodes) -> list[str]:
    """Return a message for each cluster address that something else than a node of its zone holds."""
    problems = []
    for zone in definition["zones"]:
        for one in nodes.clips:
            own = one.tags.get(t.GROUP) == definition["name"] and one.tags.get(t.ZONE) == zone["name"]
            if zone["clip"] in one.addresses and (not own or one.addresses[0] == zone["clip"]):
                problems.append(
                    f"The clip {zone['clip']} of zone {zone['name']} is in use by interface {one.network_interface_id}."
                )
    return problems


def launch_problems(definition: Definition, nodes: Nodes) -> list[str]:
    """Return a message for each reason for which instances could not be launched."""
    launch_spec = launch.LaunchSpec(
        definition["image_id"], definition["instance_type"], license_mode=definition["license_mode"]
    )
    zone = next(iter(definition["zones"]), None)
    problems: list[str | None] = []
    if definition["key_name"] and nodes.key_pairs is not None and not nodes.key_pairs:
        problems.append(f"There is no key pair {definition['key_name']} in this account and region.")
    if nodes.images is not None:
        problems.append(refused(lambda: launch.check_image(launch_spec, nodes.images or ())))
    if nodes.types is not None and zone:
        balancer = DesiredSet("present", definition["name"], interfaces=requests_of(interfaces(definition, zone, {})))
        problems.append(refused(lambda: launch.check_type(balancer, launch_spec, nodes.types or ())))
    problems.append(refused(lambda: _check_quota(definition, nodes)))
    return [problem for problem in problems if problem]


def _check_quota(definition: Definition, nodes: Nodes) -> None:
    """Each node has an Elastic IP of its own, and all zones may scale out to their limit."""
    largest = definition["policy"].get("max_nodes")
    if not DISTRIBUTORS[definition["distributor"]].public_nodes or not isinstance(largest, int):
        return
    mine = sum(one.tags.get(t.GROUP) == definition["name"] for one in nodes.addresses)
    needed = largest * len(definition["zones"]) - mine
    if needed > 0:
        quotas.refuse_quota(len(nodes.addresses), needed, nodes.quota)


def unprepared(definition: Definition, ids: Mapping[str, str]) -> None:
    """Raise Refusal if the group was not built, so that a zone cannot scale."""
    if not set(t.ROLES) <= set(ids):
        raise Refusal(
            "its security groups do not exist. Build the group first, with playbook cloudadc.aws.autoscale_group"
        )


def cleanup(
    target_groups: Sequence[Mapping[str, Any]], records: Mapping[str, Sequence[Mapping[str, Any]]], nodes: Nodes
) -> dict[str, list[dict[str, Any]]]:
    """Return what nodes that are gone left in any distributor, also in one that was chosen before."""
    held = {address for one in nodes.interfaces.values() for address in one.addresses}
    present = Present({one.instance_id for one in nodes.live}, held)
    found: dict[str, list[dict[str, Any]]] = {}
    for distributor in DISTRIBUTORS.values():
        found |= distributor.cleanup(target_groups, records, present)
    return found
