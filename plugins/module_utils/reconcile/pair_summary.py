# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is true of a pair at the end of a playbook, line by line. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .backend_report import backend_report


def failover_summary(result: Mapping[str, Any], name: str, check_mode: bool = False) -> list[str]:
    """Return the lines about a result of vpx_ha_failover (with ``group``) or vpx_ha_reconcile.

    Args:
        result: the module's result with ``primary`` and ``moves``.
        name: the name of the pair.
        check_mode: whether nothing was written.
    """
    now = "would be" if check_mode else "is"
    node = result["primary"]
    lines = [
        f"Pair {name}: node {node['node_id']} ({node['instance_id']}, NSIP {node['nsip']}) {now} primary.",
    ]
    for move in result.get("moves") or []:
        after = move["after"]
        lines.append(
            f"Elastic IP {move['elastic_ip']} {now} on {after['network_interface_id']}, {after['private_ip_address']}."
        )
    return lines


def pair_summary(
    steps: Mapping[str, Any], plan: Mapping[str, Any], after: Any = None, moved: Any = None, served: Any = None
) -> list[str]:
    """Return the lines about a pair that was built or converged.

    Args:
        steps: of filter pair_steps.
        plan: of the result of vpx_pair_info.
        after: result of vpx_ha_info; without a primary nothing serves yet, as in check mode.
        moved: result of eip_failover, if an address had to move.
        served: result of vpx_application.
    """
    name, instances = plan["name"], steps["instances"]
    after = after or {}
    if steps.get("primary") is None:
        there = sum(1 for instance in instances if instance.get("state") != "planned")
        return [f"Pair {name}: {there} of 2 instances are there; check mode has changed nothing."]
    lines = [f"Pair {name}: {after['verdict']}"]
    lines += [_node_line(number, instance, steps["primary"]) for number, instance in enumerate(instances)]
    associations = {move["elastic_ip"]: move for move in steps["moves"]}
    associations |= {move["elastic_ip"]: move["after"] for move in (moved or {}).get("moves") or []}
    lines += [
        f"Elastic IP {address} on {association['network_interface_id']}, {association['private_ip_address']}"
        for address, association in associations.items()
    ]
    lines += [f"serves {app['name']} ({app['protocol']}, port {app['port']})" for app in plan["applications"]]
    return lines + backend_report(served)


def _node_line(number: int, instance: Mapping[str, Any], primary: str) -> str:
    interfaces = instance["interfaces"]
    nsip = interfaces["management"]["private_ip_address"]
    return (
        f"node {number}: {instance['instance_id']} in {instance['availability_zone']}, NSIP {nsip}, client address "
        f"{interfaces['client']['private_ip_address']}, {'primary' if nsip == primary else 'secondary'}"
    )


def pair_incomplete(name: str, task: str, check_mode: bool = False, info: Any = None, launched: Any = None) -> str:
    """Return the message after a step failed: which instances are running and billed, and what to do next.

    Args:
        name: the pair.
        task: name of the task that failed.
        check_mode: whether nothing was written.
        info: result of vpx_pair_info.
        launched: result of vpx_instance, also a failed one.
    """
    head = f"{name}: '{task.rpartition(': ')[2]}' failed, and the pair is not complete."
    if check_mode:
        return f"{head} Check mode has changed nothing."
    known = [
        *(instance["instance_id"] for instance in (launched or {}).get("instances") or []),
        *((launched or {}).get("launched") or []),
        *(instance["instance_id"] for instance in (info or {}).get("instances") or []),
    ]
    ids = ", ".join(dict.fromkeys(known))
    billed = f" Instances {ids} are running and billed." if ids else ""
    return (
        f"{head}{billed} Everything that was made has the tag cloudadc:group={name}. Remove the cause and run this "
        "again: it resumes from here. Or remove it all with ha_pair_state=absent."
    )
