# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The steps of an upgrade of a pair by replacement: the secondary first, then a trial, then the other node. Pure.

What is to be done follows from the image and the type of each instance and from who is primary, so a run that was
interrupted is resumed at any point by reading again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..spec.vips import entry_name

Result = Mapping[str, Any]


def upgrade_steps(info: Result, ha: Result | None = None) -> dict[str, Any]:
    """Return ``problems``, and the steps that are due.

    Each step is one of the values of the result: ``first``, the instance to be replaced while it is secondary;
    ``trial``, the node that has to show as primary that it serves; ``second``, the instance to be replaced after that.
    A step that is not due is empty, or None.

    Args:
        info: result of vpx_pair_info.
        ha: result of vpx_ha_info, None before it was read.
    """
    plan = info["plan"]
    outdated = [one for one in info["instances"] if differences(one, plan)]
    steps: dict[str, Any] = {
        "problems": [],
        "outdated": {one["instance_id"]: differences(one, plan) for one in outdated},
        "first": "",
        "trial": None,
        "second": "",
    }
    if not outdated or ha is None:
        return steps
    return {**steps, **_ordered(info["instances"], outdated, ha)}


def differences(instance: Result, plan: Result) -> str:
    """Return in which way an instance is not what the definition says, empty if it is."""
    found = [
        f"{what} {instance.get(key)}, not {plan[key]}"
        for key, what in (("image_id", "image"), ("instance_type", "type"))
        if instance.get(key) != plan[key]
    ]
    return " and ".join(found)


def _ordered(instances: Sequence[Result], outdated: Sequence[Result], ha: Result) -> dict[str, Any]:
    index = ha.get("primary")
    if index is None or len(instances) != 2:
        return {"problems": [f"The pair is not complete: {ha.get('verdict') or 'its state is unknown'}."]}
    name = ha["nodes"][index]["instance_id"]
    primary = next(one for one in instances if one["instance_id"] == name)
    secondary = next(one for one in instances if one is not primary)
    old = {one["instance_id"] for one in outdated}
    if old == {name, secondary["instance_id"]} and not ha.get("healthy"):
        return {"problems": [f"The pair is not fit for an upgrade: {ha.get('verdict')}."]}
    problems = misplaced(ha)
    if name in old:
        first = secondary["instance_id"] if secondary["instance_id"] in old else ""
        return {"problems": problems, "first": first, "trial": secondary["node_id"], "second": name}
    # The new node is primary already: it is tried, with the old one as the way back, which goes then.
    return {"problems": problems, "trial": primary["node_id"], "second": secondary["instance_id"]}


def misplaced(ha: Result) -> list[str]:
    """Return a message for each Elastic IP, and each other VIP, that is not at the primary."""
    desired = {move["elastic_ip"]: move["network_interface_id"] for move in ha.get("moves") or []}
    names = [
        f"Elastic IP {one['elastic_ip']}"
        for one in ha.get("elastic_ips") or []
        if desired.get(one["elastic_ip"], one["network_interface_id"]) != one["network_interface_id"]
    ]
    names += [f"VIP {entry_name(one)}" for one in ha.get("vips") or [] if one["changed"]]
    return [
        f"{name} is not at the primary. Run cloudadc.aws.ha_failover with ha_failover_mode=reconcile first."
        for name in names
    ]


def upgrade_summary(steps: Result, plan: Result, check_mode: bool = False) -> list[str]:
    """Return the lines about an upgrade that was done, or would be in check mode.

    Args:
        steps: of ``upgrade_steps``, as they were before the first step.
        plan: of the result of vpx_pair_info.
        check_mode: whether nothing was changed.
    """
    desired = f"image {plan['image_id']}, type {plan['instance_type']}"
    if not steps["outdated"]:
        return [f"Pair {plan['name']}: both nodes have {desired}. Nothing had to be upgraded."]
    lines = [f"{name}: {difference}" for name, difference in steps["outdated"].items()]
    if not check_mode:
        return [f"Pair {plan['name']}: both nodes have {desired} now.", *(f"replaced {line}" for line in lines)]
    due = [f"would replace {steps['first']}, the secondary"] if steps["first"] else []
    due += [f"would make node {steps['trial']} primary and watch it", f"would replace {steps['second']}"]
    return [f"Pair {plan['name']}: check mode, nothing was changed.", *lines, *due]


def install_summary(due: Result, name: str, build: str, check_mode: bool = False) -> list[str]:
    """Return the lines about an upgrade in place that was done, or would be in check mode.

    Args:
        due: result of vpx_upgrade with ``step=check``, from before the first step.
        name: of the pair.
        build: the desired build.
        check_mode: whether nothing was changed.
    """
    if not due["steps"]:
        return [f"Pair {name}: both nodes have build {build}. Nothing had to be upgraded."]
    if check_mode:
        return [f"Pair {name}: check mode, nothing was changed.", *(f"would {step}" for step in due["steps"])]
    return [f"Pair {name}: both nodes have build {build} now, and synchronise.", *due["steps"]]


def unlike_builds(bootstrapped: Result | None) -> bool:
    """Return whether the nodes of a pair run different builds, by the result of vpx_bootstrap.

    Synchronisation and propagation are off between builds of different internal HA versions (vendor's documentation,
    "Upgrade a high availability pair"), and an appliance does not tell its internal HA version.
    """
    nodes = (bootstrapped or {}).get("nodes") or []
    return len({str(node["version"]) for node in nodes if node.get("version")}) > 1
