# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is true of a pair at the end of a playbook, line by line. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..spec.vips import addresses_of, entry_name
from .appliance_drift import appliance_repairs
from .backend_report import backend_report
from .drift_words import drift_lines


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
    moves: Sequence[Mapping[str, Any]] = result.get("moves") or []
    lines += [f"{_place(move, move['after'], now)}." for move in moves]
    if check_mode:
        return [*lines, "Check mode: nothing was changed."]
    addresses = ", ".join(dict.fromkeys(_called(move) for move in moves))
    calls = [f"Clients call {addresses}, as before."] if addresses else []
    again = (
        "-e ha_failover_mode=reconcile puts the addresses on the primary again, and writes nothing if they are there."
    )
    return [*lines, *calls, f"Next: nothing has to be done. If a node is lost later, ha_failover with {again}"]


def pair_summary(
    steps: Mapping[str, Any],
    plan: Mapping[str, Any],
    after: Any = None,
    moved: Any = None,
    results: Any = None,
    served: Any = None,
    drift: Sequence[Mapping[str, Any]] = (),
    done: Any = None,
) -> list[str]:
    """Return the lines about a pair that was built or converged, or what a run would do.

    Args:
        steps: of filter pair_steps.
        plan: of the result of vpx_pair_info.
        after: result of vpx_ha_info; without a primary no node has the role yet, as in check mode.
        moved: result of eip_failover, if an address had to move.
        results: in check mode the results of the steps by what they change ("network of the nodes"); None outside of
            it. ``shared resources`` and ``instances`` are those of vpx_shared_resources and vpx_instance.
        served: result of vpx_application.
        drift: of the result of vpx_pair_info.
        done: outside of check mode the results of the steps, as ``results``.
    """
    after = after or {}
    if results is not None or "verdict" not in after:  # a role may be included with check_mode for itself alone
        return _predicted(steps, plan, after, results or {}, drift)
    instances = steps["instances"]
    lines = [f"Pair {plan['name']}: {after['verdict']}"]
    lines += [_node_line(number, instance, steps["primary"]) for number, instance in enumerate(instances)]
    lines += _replacement_lines(plan, instances)
    places = {entry_name(move): (move, move) for move in steps["moves"]}
    places |= {entry_name(move): (move, move["after"]) for move in (moved or {}).get("moves") or []}
    lines += [_place(move, holder, "") for move, holder in places.values()]
    elastic = [name for name, (move, _holder) in places.items() if move.get("elastic_ip")]
    lines += _clients(plan, elastic)
    lines += backend_report(served)
    lines += drift_lines(drift, check_mode=False) + _repairs(steps, done or {}, check_mode=False)
    lines.append(f"Billed by AWS: {_billed(plan, len(instances), len(elastic))}")
    return [*lines, f"Next: {_next(plan)}"]


def _replacement_lines(plan: Mapping[str, Any], instances: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what became of the request to replace a node."""
    replacement = plan.get("replacement")
    if not replacement:
        return []
    if not replacement["launch"]:
        return [replacement["message"]]
    number, old = replacement["node_id"], replacement["instance_id"] or "the instance that was lost"
    return [f"node {number}: {instances[number]['instance_id']} has replaced {old}"]


def _repairs(steps: Mapping[str, Any], results: Mapping[str, Any], *, check_mode: bool) -> list[str]:
    """Return what differed on the appliances of a pair in service; while it is built everything does."""
    if not steps.get("in_service"):
        return []
    nsips = [one["interfaces"]["management"]["private_ip_address"] for one in steps["instances"]]
    return appliance_repairs(results, nsips, check_mode=check_mode)


def _place(move: Mapping[str, Any], holder: Mapping[str, Any], now: str) -> str:
    """Return where a thing is; ``now``: the verb, if there is one."""
    what = {"private_ip": "private address", "route": "route to"}.get(str(move.get("kind")), "Elastic IP")
    verb = f" {now}" if now else ""
    private = holder.get("private_ip_address") if move.get("elastic_ip") else None
    return f"{what} {entry_name(move)}{verb} on {holder['network_interface_id']}{f', {private}' if private else ''}"


def _called(move: Mapping[str, Any]) -> str:
    """Return the address that clients call."""
    return str(
        move.get("elastic_ip") or move.get("private_ip_address") or str(move.get("destination")).partition("/")[0]
    )


def _clients(plan: Mapping[str, Any], elastic: Sequence[str]) -> list[str]:
    applications, vips = plan["applications"], plan.get("vips") or []
    if not vips:
        at = " and ".join(elastic) or "the client addresses of the primary, as there is no Elastic IP"
        lines = [_served(app, at) for app in applications]
    else:
        lines = [
            _served(app, f"{_answers_at(vip)} (VIP {vip['name']})")
            for vip in vips
            for app in applications
            if app["vip"] == (vip["name"] if vip["own_applications"] else "")
        ]
    return lines or ["serves no application yet: declare ha_pair_applications and run this again"]


def _answers_at(vip: Mapping[str, Any]) -> str:
    following = [vip["elastic_ip"]] if vip.get("elastic_ip") else []
    return " or ".join([*following, *addresses_of(vip)]) or "its Elastic IP"


def _served(application: Mapping[str, Any], at: str) -> str:
    return f"serves {application['name']} ({application['protocol']}, port {application['port']}): clients call {at}"


def _billed(plan: Mapping[str, Any], instances: int, addresses: int) -> str:
    """Return what costs money for as long as it exists. Prices are AWS's and depend on the region and the image."""
    machines = f"{instances} x {plan['instance_type']} with one volume each"
    licence = "the image's own price, if it has one"
    return f"{machines}, {addresses} Elastic IP, traffic, and {licence}."


def _next(plan: Mapping[str, Any]) -> str:
    name = plan["name"]
    return (
        "cloudadc.aws.ha_failover switches the primary; the rulebook of that name moves the Elastic IPs when a node is "
        f"lost; ha_pair with -e ha_pair_state=absent removes everything tagged cloudadc:group={name}."
    )


def _predicted(
    steps: Mapping[str, Any],
    plan: Mapping[str, Any],
    after: Mapping[str, Any],
    results: Mapping[str, Any],
    drift: Sequence[Mapping[str, Any]],
) -> list[str]:
    """Return what a run would create, with what is billed for it, and what it would change."""
    found = [instance for instance in steps["instances"] if instance.get("state") != "planned"]
    present = {instance.get("node_id") for instance in found}
    missing = [each for each in plan["instances"]["sets"] if each["node_id"] not in present]
    lines = [f"Pair {plan['name']}: {len(found)} of 2 instances exist. Check mode: nothing was changed."]
    if after.get("verdict") and len(found) == 2:
        lines.append(f"now: {after['verdict']}")
    lines += _predicted_replacement(plan)
    if missing:
        where = ", ".join(f"node {each['node_id']} in {each['zone']}" for each in missing)
        lines.append(
            f"would launch {len(missing)} x {plan['instance_type']} ({where}), billed by the hour with their volumes"
        )
    for action in (results.get("shared resources") or {}).get("actions") or []:
        billed = ", billed by the hour" if action.startswith("allocate") else ""
        lines.append(f"would {action}{billed}")
    if missing:
        names = ", ".join(f"{app['name']} ({app['protocol']}, port {app['port']})" for app in plan["applications"])
        lines.append(f"would then bootstrap, join and configure the nodes{f' for {names}' if names else ''}")
    for what, result in results.items():
        if what == "shared resources" or not (result or {}).get("changed") or (what == "instances" and missing):
            continue
        actions = ((result.get("diff") or {}).get("after") or {}).get("actions") if what == "instances" else None
        lines += [f"would {action}" for action in actions or [f"change {what}"]]
    unchanged = [] if len(lines) > 1 + ("now: " in "".join(lines[1:2])) else ["would change nothing"]
    return [
        *lines,
        *_repairs(steps, results, check_mode=True),
        *unchanged,
        *drift_lines(drift, check_mode=True),
    ]


def _predicted_replacement(plan: Mapping[str, Any]) -> list[str]:
    replacement = plan.get("replacement")
    if not replacement:
        return []
    if not replacement["due"]:
        return [replacement["message"]]
    return [
        f"would replace node {replacement['node_id']}: terminate {replacement['instance_id']}, after a planned "
        f"failover if it is primary, and launch 1 x {plan['instance_type']}, billed by the hour, in its place"
    ]


def removal_summary(
    instances: Mapping[str, Any], kind: str, name: str, shared: Any = None, check_mode: bool = False
) -> list[str]:
    """Return the lines about a pair or group that was removed.

    Args:
        instances: result of vpx_instance.
        kind: pair or group.
        name: its name.
        shared: result of vpx_shared_resources.
        check_mode: whether nothing was written.
    """
    would = "would be " if check_mode else ""
    end = f"Check mode: the {kind} {name} would be removed." if check_mode else f"The {kind} {name} is removed."
    terminated = ", ".join(instances.get("terminated") or []) or "none, as there was none"
    actions = "; ".join((shared or {}).get("actions") or []) or "nothing, as nothing was there"
    return [
        end,
        f"instances {would}terminated: {terminated}",
        f"other resources, {'what would be done' if check_mode else 'what was done'}: {actions}",
        *([] if check_mode else [f"Billed by AWS: nothing of the {kind} any more."]),
    ]


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
