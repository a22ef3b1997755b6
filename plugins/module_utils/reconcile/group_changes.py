# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Changes of the definition of a group that has nodes: what is refused before the first write, and the zones to remove.

Pure. Everything else that changes in a definition converges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..aws import tags as t
from ..aws.instances import Instance, in_order
from ..distributors.base import Leaving
from ..distributors.registry import REGISTRY as DISTRIBUTORS
from ..spec.group_nodes import LEAVING
from ..topologies.registry import REGISTRY as TOPOLOGIES
from .group_reading import Nodes

Definition = Mapping[str, Any]
_BUILD_AGAIN = (
    "Build a second group under another name, move the clients there, and remove this one with "
    "autoscale_group_state=absent; or define it as it was."
)


def definition_problems(definition: Definition, nodes: Nodes, ids: Mapping[str, str]) -> list[str]:
    """Return one message for each change of the definition that living nodes cannot follow.

    Args:
        definition: the group.
        nodes: what EC2 has.
        ids: ids of the group's security groups by role.
    """
    if not nodes.live:
        return []
    return [
        *_zone_problems(definition, nodes),
        *_size_problems(definition, nodes),
        *_distributor_problems(definition, nodes, ids),
        *_topology_problems(definition, nodes, ids),
    ]


# Zones


def dropped_zones(definition: Definition, nodes: Nodes) -> dict[str, list[Instance]]:
    """Return the live nodes of zones that the definition does not name, by zone."""
    names = {zone["name"] for zone in definition["zones"]}
    dropped: dict[str, list[Instance]] = {}
    for one in in_order(nodes.live):
        zone = one.tags.get(t.ZONE, "")
        if zone and zone not in names:
            dropped.setdefault(zone, []).append(one)
    return dropped


def _zone_problems(definition: Definition, nodes: Nodes) -> list[str]:
    if definition["remove_zones"]:
        return []
    return [
        f"autoscale_group_zones does not name {zone} any more, where {_named(instances)} of this group "
        f"{'run' if len(instances) > 1 else 'runs'}. Name the zone again, or set autoscale_group_remove_zones=true, "
        "which drains and terminates its nodes."
        for zone, instances in sorted(dropped_zones(definition, nodes).items())
    ]


def _named(instances: Sequence[Instance]) -> str:
    ids = ", ".join(one.instance_id for one in instances)
    return f"{len(instances)} node{'s' if len(instances) > 1 else ''} ({ids})"


def zone_removal(
    definition: Definition,
    nodes: Nodes,
    target_groups: Iterable[Mapping[str, Any]],
    records: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, Any]:
    """Return what is removed with the zones that the definition has dropped; empty lists without any.

    Returns:
        ``zones``: their names. ``sets`` of vpx_instance. ``target_groups`` of nlb_adc_target. ``record_sets`` of
        route53_adc_record. ``devices``: management addresses. ``drain_seconds``: how long the distributor drains
        targets itself. ``pause_seconds``: how long nodes keep serving clients that still know them by DNS.
    """
    dropped = dropped_zones(definition, nodes) if definition["remove_zones"] else {}
    leaving = [one for instances in dropped.values() for one in instances]
    clients = [Leaving(one.instance_id, _address(one, 1)) for one in leaving]
    addresses, ids = {one.address for one in clients}, {one.instance_id for one in clients}
    targets = [
        {
            "target_group_arn": group["target_group_arn"],
            "targets": [{"id": one["id"], "port": one["port"]} for one in group["targets"] if one["id"] in addresses],
        }
        for group in target_groups
    ]
    sets = [
        {
            "record": domain,
            "nodes": [{"identifier": one["identifier"]} for one in listed if one["identifier"] in ids],
        }
        for domain, listed in records.items()
    ]
    distributor, policy = DISTRIBUTORS[definition["distributor"]], definition["policy"]
    drain = int(float(policy.get("drain_timeout") or 0) * 60)
    return {
        "zones": sorted(dropped),
        "sets": [
            {"zone": zone, "instance_ids": [one.instance_id for one in instances]}
            for zone, instances in sorted(dropped.items())
        ],
        "target_groups": [one for one in targets if one["targets"]],
        "record_sets": [one for one in sets if one["nodes"]],
        "devices": [address for one in leaving if (address := _address(one, 0))],
        "drain_seconds": distributor.drain_seconds(definition),
        "pause_seconds": int(float(policy.get("ttl") or 60)) + drain if leaving and distributor.cached else 0,
    }


def _address(instance: Instance, device_index: int) -> str:
    held = (one for one in instance.interfaces if one.device_index == device_index)
    return next((one.addresses[0] for one in held), "")


# Size


def _size_problems(definition: Definition, nodes: Nodes) -> list[str]:
    largest = definition["policy"].get("max_nodes")
    # While a node is replaced there is one more.
    if not isinstance(largest, int) or definition.get("replace_node"):
        return []
    problems = []
    for zone in definition["zones"]:
        staying = [one for one in nodes.live if one.tags.get(t.ZONE) == zone["name"] and one.lifecycle not in LEAVING]
        surplus = len(staying) - largest
        if surplus > 0:
            problems.append(
                f"Zone {zone['name']} has {len(staying)} nodes, and autoscale_group_policy.max_nodes is {largest}. "
                f"Remove {surplus} first: ansible-playbook cloudadc.aws.scale_in with the variables of the group, "
                f"-e scale_in_zone={zone['name']} and -e scale_in_count={surplus}; ticks finish it."
            )
    return problems


# Distributor and topology


def _distributor_problems(definition: Definition, nodes: Nodes, ids: Mapping[str, str]) -> list[str]:
    """Refuse another distributor than the present one, known by its security group or the nodes' Elastic IPs."""
    chosen = DISTRIBUTORS[definition["distributor"]]
    own = {each.name for each in DISTRIBUTORS.values() if each.security_role and each.security_role in ids}
    if not own:
        public = any(_is_of_a_client(one.tags, definition["name"]) and one.association for one in nodes.addresses)
        own = {each.name for each in DISTRIBUTORS.values() if each.public_nodes and public}
    if not own or chosen.name in own:
        return []
    return [
        f"The group is distributed by {' and '.join(sorted(own))}, and autoscale_group_distributor is {chosen.name}. "
        f"The distributor of a group with nodes does not change. {_BUILD_AGAIN}"
    ]


def _is_of_a_client(tags: Mapping[str, str], group: str) -> bool:
    return tags.get(t.GROUP) == group and tags.get(t.ROLE) == "client"


def _topology_problems(definition: Definition, nodes: Nodes, ids: Mapping[str, str]) -> list[str]:
    """Refuse another topology than the present one, known by the rules between nodes and a cluster's address."""
    chosen = definition["topology"]
    observed = _ports_between_nodes(nodes, ids.get("management", ""))
    if "management" not in ids:
        return []
    with_rules = {name for name in TOPOLOGIES if _rules_of(name, definition)}
    present = {name for name in with_rules if _rules_of(name, definition) <= observed}
    missing = {name for name in with_rules if not _rules_of(name, definition) & observed}
    if chosen not in with_rules and present:
        return [_other_topology(" or ".join(sorted(present)), chosen)]
    if chosen in missing and not nodes.clips and any(one.lifecycle == t.IN_SERVICE for one in nodes.live):
        return [_other_topology(" or ".join(sorted(set(TOPOLOGIES) - with_rules)), chosen)]
    return []


def _other_topology(found: str, chosen: str) -> str:
    return (
        f"The nodes of the group are of topology {found}, and autoscale_group_topology is {chosen}. The topology of a "
        f"group with nodes does not change. {_BUILD_AGAIN}"
    )


def _rules_of(topology: str, definition: Definition) -> set[tuple[str, int, int]]:
    rules = TOPOLOGIES[topology].security_rules(definition).get("management", [])
    return {(str(one["protocol"]), one["from_port"], one["to_port"]) for one in rules}


def _ports_between_nodes(nodes: Nodes, group_id: str) -> set[tuple[str, int, int]]:
    """Return protocol and ports of the rules by which the management interfaces reach each other."""
    return {
        (str(rule.get("IpProtocol")), rule.get("FromPort", -1), rule.get("ToPort", -1))
        for group in nodes.security_groups
        if group["GroupId"] == group_id
        for rule in group.get("IpPermissions", [])
        if any(one.get("GroupId") == group_id for one in rule.get("UserIdGroupPairs", []))
    }
