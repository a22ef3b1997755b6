# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drift: how living nodes and their resources differ from the definition, and what repairs each difference. Pure.

A change by hand and a change of the definition look the same from outside, so messages say what is found and what is
defined, and do not say who changed it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..aws import tags as t
from ..aws.instances import Attached, Instance
from .drift_words import BY_HAND, IN_PLACE, REPLACE, in_words
from .instance_plan import DesiredInterface, Plan
from .shared_resources import Change

#: Tags that are no setting: they follow a node's life, or what made it.
_OF_THE_NODE = (t.LIFECYCLE, t.KIND, t.NODE_ID, t.EVENT)


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. ``node``: an instance id, empty for what nodes share. ``remedy``: one message."""

    object: str
    setting: str
    found: Any
    defined: Any
    repair: str
    remedy: str
    node: str = ""

    @property
    def message(self) -> str:
        """Return the difference and its remedy."""
        found, defined = in_words(self.found), in_words(self.defined)
        return f"{self.object}: {self.setting} is {found}, defined is {defined}. {self.remedy}"

    def result(self) -> dict[str, Any]:
        """Return the form in which modules return it."""
        return {
            "object": self.object,
            "node": self.node,
            "setting": self.setting,
            "found": self.found,
            "defined": self.defined,
            "repair": self.repair,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class DesiredNode:
    """What a node was to be launched with. ``interfaces``: in the order of their devices.

    ``remedy``: how this node is replaced.
    """

    image_id: str
    instance_type: str
    profile: str
    interfaces: Sequence[DesiredInterface]
    http_tokens: str = ""
    remedy: str = ""


def instance_findings(instance: Instance, name: str, desired: DesiredNode, user_data: str = "") -> list[Finding]:
    """Return what of an instance in service cannot be changed in place and differs.

    Args:
        instance: as EC2 describes it.
        name: what messages call the node.
        desired: what the definition says.
        user_data: its user data in base64; nodes are launched without any.
    """
    if instance.lifecycle != t.IN_SERVICE:
        return []
    settings = [
        ("instance type", instance.instance_type, desired.instance_type),
        ("image", instance.image_id, desired.image_id),
        *_subnets(instance, desired.interfaces),
    ]
    # A description without the setting says nothing about it.
    findings = [
        Finding(name, what, found, defined, REPLACE, desired.remedy, instance.instance_id)
        for what, found, defined in settings
        if found and defined and found != defined
    ]
    if user_data:  # it may hold a secret
        digest = f"sha256 {hashlib.sha256(user_data.encode()).hexdigest()[:16]}"
        findings.append(Finding(name, "user data", digest, "none", REPLACE, desired.remedy, instance.instance_id))
    return [*findings, *_metadata(instance, name, desired), *_other_profile(instance, name, desired)]


def _other_profile(instance: Instance, name: str, desired: DesiredNode) -> list[Finding]:
    """Return another instance profile than the desired one; a missing one is associated by a run."""
    if not instance.profile or not desired.profile or instance.profile == desired.profile:
        return []
    remedy = (
        f"Replace it with aws ec2 replace-iam-instance-profile-association --iam-instance-profile "
        f"Name={desired.profile} --association-id, of which aws ec2 describe-iam-instance-profile-associations "
        f"--filters Name=instance-id,Values={instance.instance_id} has the id."
    )
    found, defined = instance.profile, desired.profile
    return [Finding(name, "instance profile", found, defined, BY_HAND, remedy, instance.instance_id)]


def _metadata(instance: Instance, name: str, desired: DesiredNode) -> list[Finding]:
    """EC2 changes metadata options of a running instance, which the playbooks leave to a person."""
    if not instance.http_tokens or not desired.http_tokens or instance.http_tokens == desired.http_tokens:
        return []
    remedy = (
        f"Set it with aws ec2 modify-instance-metadata-options --instance-id {instance.instance_id} --http-tokens "
        f"{desired.http_tokens}."
    )
    found, defined = instance.http_tokens, desired.http_tokens
    return [Finding(name, "http_tokens", found, defined, BY_HAND, remedy, instance.instance_id)]


def _subnets(instance: Instance, interfaces: Sequence[DesiredInterface]) -> list[tuple[str, str, str]]:
    """Return setting, found and defined of the subnet of each interface that is attached."""
    held = {attached.device_index: attached for attached in instance.interfaces}
    return [
        (f"subnet of the {request.role} interface", held[index].subnet_id, request.subnet_id)
        for index, request in enumerate(interfaces)
        if index in held
    ]


def missing_interfaces(instance: Instance, roles: Sequence[str] = t.ROLES) -> list[str]:
    """Return the roles whose interface is not attached to an instance that runs or is stopped, by device index."""
    if instance.state not in ("running", "stopped"):
        return []
    held = {attached.device_index for attached in instance.interfaces}
    return [role for index, role in enumerate(roles) if index not in held]


def interface_problems(
    instances: Iterable[Instance], name: Callable[[Instance], str], remedy: Callable[[Instance], str]
) -> list[str]:
    """Return one message for each instance that lacks an interface, without which nothing of it can be configured.

    A VPX takes an interface only at a start. Source: NetScaler VPX on AWS, limitations (dynamic addition of elastic
    network interfaces is not supported).
    """
    problems = []
    for instance in instances:
        missing = missing_interfaces(instance)
        if missing:
            problems.append(
                f"{name(instance)} has no {' and no '.join(missing)} interface any more. Stop the instance, attach the "
                f"interface with its device index again (management 0, client 1, server 2) and start it; or replace "
                f"the node. {remedy(instance)}"
            )
    return problems


def plan_findings(
    plan: Plan, instances: Iterable[Instance], name: Callable[[Instance], str], run: str
) -> list[Finding]:
    """Return what vpx_instance changes on instances in service: it is repaired in place.

    Args:
        plan: of vpx_instance.
        instances: those of its set.
        name: what messages call an instance.
        run: what a message calls the run that repairs it.
    """
    serving = [one for one in instances if one.lifecycle == t.IN_SERVICE]
    holders = {attached.network_interface_id: (one, attached) for one in serving for attached in one.interfaces}
    findings = []
    for change in plan.modify:
        if change.network_interface_id in holders:
            instance, attached = holders[change.network_interface_id]
            found, defined = _states(attached, change.attribute, change.value)
            what = f"{change.attribute} of its interface {change.network_interface_id}"
            findings.append(
                Finding(name(instance), what, found, defined, IN_PLACE, f"{run} sets it.", instance.instance_id)
            )
    by_id = {one.instance_id: one for one in serving}
    for due in plan.profiles:
        if due.instance_id in by_id:
            found = by_id[due.instance_id].profile or "none"
            what = "instance profile"
            findings.append(
                Finding(
                    name(by_id[due.instance_id]), what, found, due.profile, IN_PLACE, f"{run} sets it.", due.instance_id
                )
            )
    return findings + _tag_findings(plan, by_id, holders, name, run)


def _states(attached: Attached, attribute: str, value: Any) -> tuple[Any, Any]:
    if attribute == "security_groups":
        return sorted(attached.security_groups), sorted(value)
    return attached.source_dest_check, value


def _tag_findings(
    plan: Plan,
    by_id: Mapping[str, Instance],
    holders: Mapping[str, tuple[Instance, Attached]],
    name: Callable[[Instance], str],
    run: str,
) -> list[Finding]:
    findings = []
    for tagging in plan.tag:
        lacking = {key: value for key, value in tagging.tags.items() if key not in _OF_THE_NODE}
        for resource in tagging.resource_ids if lacking else ():
            instance = by_id.get(resource) or holders.get(resource, (None, None))[0]
            if instance is None:
                continue
            found = {key: instance.tags[key] for key in lacking if resource in by_id and key in instance.tags}
            what = "tags" if resource in by_id else f"tags of its interface {resource}"
            findings.append(
                Finding(
                    name(instance),
                    what,
                    found or "not set",
                    lacking,
                    IN_PLACE,
                    f"{run} sets them.",
                    instance.instance_id,
                )
            )
    return findings


def shared_findings(changes: Iterable[Change], run: str) -> list[Finding]:
    """Return what vpx_shared_resources changes of resources that nodes in service use."""
    return [
        Finding(
            object=_object_of(change),
            setting=".".join(change.path[2:]) or "state",
            found=_shown(change, change.before) if change.before is not None else "missing",
            defined=_shown(change, change.after),
            repair=IN_PLACE,
            remedy=f"{run} will {change.message}.",
        )
        for change in changes
    ]


def _shown(change: Change, value: Any) -> Any:
    """Return a value as a message shows it: a policy document is longer than any message."""
    documents = {"policy", "trust"} & set(change.path)
    return ("one document" if value is change.before else "another one") if documents else value


_KINDS = {
    "security_groups": "security group",
    "role": "IAM role",
    "instance_profile": "instance profile",
    "elastic_ip": "Elastic IP",
}


def _object_of(change: Change) -> str:
    kind = _KINDS.get(change.path[0], change.path[0]) if change.path else change.call
    name = change.path[1] if len(change.path) > 1 else ""
    return f"{kind} {name}".strip()


def due_findings(messages: Collection[str], name: str, run: str) -> list[Finding]:
    """Return changes of which a plan holds messages only, for example of a load balancer."""
    return [
        Finding(name, "state", "different", "as the definition says", IN_PLACE, f"{run} will {message}.")
        for message in messages
    ]
