# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an administrator creates for a pair or a group, from the variables of their playbooks. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .backup_names import folder_of
from .identity import AUTOSCALE_GROUP, PAIR
from .preflight import ROLE_POLICY, Variables, read_request
from .rights import Scope, applicable, narrowed

#: Playbooks of a pair and of a group for which a policy is shipped.
PLAYBOOKS = {
    PAIR: ("ha_pair", "ha_failover", "status"),
    AUTOSCALE_GROUP: (
        "autoscale_group",
        "application",
        "autoscale",
        "scale_out",
        "scale_in",
        "report",
        "status",
        "alarms",
    ),
}
#: Playbooks whose policies are written where a bucket of backups is named.
_OF_BACKUPS = {PAIR: ("backup", "restore"), AUTOSCALE_GROUP: ("backup",)}
_PREFIXES = {PAIR: "ha_pair", AUTOSCALE_GROUP: "autoscale_group"}
_FOLDER = "policies"


def read_owners(roles: Mapping[str, Variables]) -> list[dict[str, Any]]:
    """Return the pair and the group that the variables define.

    Args:
        roles: The variables of the roles ha_pair, ha_failover, autoscale_group, autoscale, report and config_backup,
            by role.

    Returns:
        For each its ``kind``, ``name``, ``region`` and ``tags``; ``policy``, the file with the rights of its
        appliances, and ``policy_name``; ``elastic_ips`` as the definition names them; ``files``, the policies that
        its controllers need. An empty list if the variables name neither.
    """
    return [
        _owner(kind, roles.get(prefix) or {}, _playbooks(kind, roles))
        for kind, prefix in _PREFIXES.items()
        if (roles.get(prefix) or {}).get(f"{prefix}_name")
    ]


def _playbooks(kind: str, roles: Mapping[str, Variables]) -> tuple[str, ...]:
    bucket = (roles.get("config_backup") or {}).get("config_backup_bucket")
    return (*PLAYBOOKS[kind], *(_OF_BACKUPS[kind] if bucket else ()))


def _owner(kind: str, given: Variables, playbooks: Sequence[str]) -> dict[str, Any]:
    prefix = _PREFIXES[kind]
    rights = given.get(f"{prefix}_iam_policy") or "minimal"
    if kind == AUTOSCALE_GROUP and rights == "minimal":
        rights = given.get("autoscale_group_topology") or "independent"
    return {
        "kind": kind,
        "name": given[f"{prefix}_name"],
        "region": given.get(f"{prefix}_region") or "",
        "tags": given.get(f"{prefix}_tags") or {},
        "policy": f"{_FOLDER}/appliance_{'ha' if kind == PAIR else 'group'}_{rights}.json",
        "policy_name": "cloudadc-ha" if kind == PAIR else "cloudadc-group",
        "elastic_ips": list(given.get("ha_pair_elastic_ips") or []) if kind == PAIR else [],
        "files": [f"{_FOLDER}/{name}.json" for name in (*playbooks, ROLE_POLICY)],
    }


def allocation_ids(addresses: Sequence[Mapping[str, Any]], owner: Mapping[str, Any]) -> list[str]:
    """Return the allocation ids of the Elastic IPs that an owner's definition names, by either of their names.

    Args:
        addresses: What amazon.aws.ec2_eip_info returned: C(public_ip), C(allocation_id).
        owner: One of what ``read_owners`` returned.
    """
    given = set(owner["elastic_ips"])
    return [one["allocation_id"] for one in addresses if given & {one["public_ip"], one["allocation_id"]}]


def documents(
    policies: Sequence[Mapping[str, Any]],
    owner: Mapping[str, Any],
    roles: Mapping[str, Variables],
    boundary: str,
    elastic_ips: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """Return the policies of an owner's controllers, narrowed to it: file name → document.

    Args:
        policies: The shipped documents, in the order of the owner's ``files``.
        owner: One of what ``read_owners`` returned.
        roles: As in ``read_owners``.
        boundary: ARN of the permissions boundary. Account and partition are those of this ARN.
        elastic_ips: Allocation ids of the user's own Elastic IPs.
    """
    group, backup = roles.get("autoscale_group") or {}, roles.get("config_backup") or {}
    alerts = (roles.get("autoscale") or {}).get("autoscale_alerts") or {}
    dns, store = group.get("autoscale_group_dns") or {}, group.get("autoscale_group_store") or {}
    scope = Scope(
        names=(owner["name"],),
        account=boundary.split(":")[4],
        partition=boundary.split(":")[1],
        boundary=boundary,
        elastic_ips=elastic_ips,
        hosted_zone=dns.get("hosted_zone_id") or "",
        records=[one["domain"] for one in group.get("autoscale_group_applications") or [] if one.get("domain")],
        table=store.get("table") or "",
        bucket=backup.get("config_backup_bucket") or "",
        backups=(folder_of(backup.get("config_backup_prefix") or "cloudadc", owner["kind"], owner["name"]),),
        topic=str(alerts.get("sns_topic_arn") or ""),
        bus=str(alerts.get("event_bus") or ""),
    )
    names = (*_playbooks(owner["kind"], roles), ROLE_POLICY)
    without = {name: read_request(roles, name if name != ROLE_POLICY else names[0])["without"] for name in names}
    return {
        f"{owner['name']}-{name}.json": narrowed(applicable(policy, without[name]), scope)
        for name, policy in zip(names, policies, strict=True)
    }
