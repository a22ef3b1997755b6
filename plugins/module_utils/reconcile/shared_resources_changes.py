# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shared resources at AWS: read side by side, carry out a plan, read again until nothing differs."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from ..aws import ec2, iam
from ..aws import tags as t
from ..aws.addresses import Address, parse_addresses
from ..aws.client import Client
from ..aws.errors import AwsError
from ..core.errors import Failure
from ..core.parallel import attempt_all, gather
from ..core.waiting import Clock, Pace, Sleep, observations
from ..spec.group_security import SECURITY_ROLES
from . import shared_resources as plans
from .security_rules import Rules, to_permissions
from .shared_resources import Change, Observed, ObservedGroup, ObservedProfile, ObservedRole, Plan, SharedSpec

ROUNDS = 8
PACE = Pace(first=0.5, growth=1.5, longest=5.0)
#: How long a security group may still be named by a network interface or load balancer that was removed (seconds).
RELEASE_SECONDS = 60.0
#: How long an Elastic IP may still show the association with an instance that is gone (seconds).
DISASSOCIATE_SECONDS = 30.0
#: Answers to a write that another run, or an attempt without an answer, made first: read again and decide again.
_RACED = (*ec2.RACED, "EntityAlreadyExists")


@dataclass(slots=True)
class SharedResources:
    """The shared resources of one owner. ``actions``: what this run has written so far."""

    spec: SharedSpec
    ec2: Client
    iam: Client
    clock: Clock = time.monotonic
    sleep: Sleep = time.sleep
    actions: list[str] = field(default_factory=list)
    written: list[Change] = field(default_factory=list)
    _arn: str = ""
    _ids: dict[str, str] = field(default_factory=dict)

    # Reading

    def observe(self, *, removal: bool = False) -> Observed:
        """Read everything side by side. ``removal``: read what hinders a removal as well."""
        spec = self.spec
        reads: dict[str, Callable[[], Any]] = {
            "role": functools.partial(self._role, removal=removal),
            "profile": self._profile,
            "groups": functools.partial(self._groups, removal=removal),
            "addresses": self._addresses,
        }
        if spec.role is None and not removal:
            del reads["role"], reads["profile"]
        if spec.key_name:
            reads["key_pair"] = lambda: bool(ec2.describe_key_pair(self.ec2, str(spec.key_name)))
        observed = Observed(**dict(zip(reads, gather(list(reads.values())), strict=True)))
        self._arn = observed.role.arn if observed.role else self._arn
        self._ids |= {g.name: g.group_id for g in observed.groups if g.vpc_id == spec.vpc_id}
        return observed

    def _role(self, *, removal: bool) -> ObservedRole | None:
        name, spec = self.spec.role_name, self.spec.role
        calls: list[Callable[[], Any]] = [functools.partial(iam.get_role, self.iam, name)]
        if spec and spec.managed and spec.policy is not None and not removal:
            calls.append(functools.partial(iam.get_role_policy, self.iam, name, spec.policy_name))
        role, *policy = gather(calls)
        if role is None:
            return None
        tags = boto3_tag_list_to_ansible_dict(role.get("Tags", []))
        lists: list[list[str]] = [[], [], []]
        if removal and tags.get(t.GROUP) == self.spec.owner.name:
            listing = (iam.list_role_policies, iam.list_attached_role_policies, iam.list_instance_profiles_for_role)
            lists = gather([functools.partial(each, self.iam, name) for each in listing])
        return ObservedRole(
            name,
            role["Arn"],
            role.get("Description", ""),
            role.get("AssumeRolePolicyDocument", {}),
            role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            tags,
            policy[0] if policy else None,
            *map(tuple, lists),
        )

    def _profile(self) -> ObservedProfile | None:
        found = iam.get_instance_profile(self.iam, self.spec.role_name)
        if found is None:
            return None
        roles = tuple(each["RoleName"] for each in found.get("Roles", []))
        return ObservedProfile(self.spec.role_name, roles, boto3_tag_list_to_ansible_dict(found.get("Tags", [])))

    def _groups(self, *, removal: bool) -> tuple[ObservedGroup, ...]:
        """Read the security groups of our names. Their rules name groups of the VPC by name; in a removal by id."""
        names = [plans.group_name(self.spec.owner.name, role) for role in SECURITY_ROLES]
        found = ec2.find_security_groups(self.ec2, {"group-name": names})
        return plans.parse_groups(found, None if removal else self.spec.vpc_id)

    def _addresses(self) -> tuple[Address, ...]:
        return tuple(parse_addresses(ec2.describe_addresses(self.ec2, t.as_filters({t.GROUP: self.spec.owner.name}))))

    # Acting

    def plan(self, observed: Observed) -> Plan:
        return plans.plan_present(self.spec, observed, iam.same_document)

    def converge(self, observed: Observed, plan: Plan) -> Observed:
        """Carry out the plan, and read and plan again, until nothing differs. Returns the last reading.

        Raises Failure. What was written and is not shown yet (IAM and EC2 are eventually consistent) is not written
        again.
        """
        for number in range(ROUNDS):
            if not plan.changes:
                return observed
            if all(change.message in self.actions for change in plan.changes):
                self.sleep(min(PACE.longest, PACE.first * 2**number))
            else:
                self._carry_out(plan.changes)
            observed = self.observe()
            plan = self.plan(observed)
        if not plan.changes:
            return observed
        left = "; ".join(change.message for change in plan.changes)
        raise Failure(f"{self.spec.owner}: after {ROUNDS} readings AWS still shows a difference: {left}")

    def remove(self, plan: Plan) -> tuple[Address, ...]:
        """Carry out the plan of a removal; the Elastic IPs that stay, because something of others uses them."""
        self._carry_out(plan.changes)
        held = plan.held
        if held and self._lingering(held):
            for _left in observations(DISASSOCIATE_SECONDS, PACE, clock=self.clock, sleep=self.sleep):
                plan = plans.plan_absent(self.spec, Observed(addresses=self._addresses()))
                held = plan.held
                if not self._lingering(held):
                    break
            self._carry_out(plan.changes)
        return held

    def _lingering(self, held: Sequence[Address]) -> bool:
        """Whether one of these addresses is associated with an interface that is gone, or going with its instance."""
        interfaces = [address.association.network_interface_id for address in held if address.association]
        if not interfaces:
            return False
        found = ec2.describe_network_interfaces(self.ec2, {"network-interface-id": interfaces})
        foreign = {
            item["NetworkInterfaceId"]
            for item in found
            if boto3_tag_list_to_ansible_dict(item.get("TagSet", [])).get(t.GROUP) != self.spec.owner.name
        }
        return bool(set(interfaces) - foreign)

    def _carry_out(self, changes: Iterable[Change]) -> None:
        """Make the changes, one phase after the other, the chains of a phase side by side.

        Raises the first Failure after all chains of its phase have ended; one that another run explains is none.
        """
        todo = list(changes)
        for phase in sorted({change.phase for change in todo}):
            chains: dict[str, list[Change]] = {}
            for change in todo:
                if change.phase == phase:
                    chains.setdefault(change.chain, []).append(change)
            outcomes = attempt_all([functools.partial(self._chain, chain) for chain in chains.values()])
            failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
            for failure in failures:
                if not _raced(failure):
                    raise failure
            if failures:
                return

    def _chain(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._write(change)
            self.actions.append(change.message)
            self.written.append(change)

    def _write(self, change: Change) -> None:
        write = _WRITES.get(change.call)
        if write is None:
            raise AssertionError(f"no write {change.call}")
        write(self, change.target, change.value)

    # What a call needs besides its change

    def create_role(self, name: str, value: tuple[str, Mapping[str, Any], Mapping[str, str], str | None]) -> None:
        self._arn = iam.create_role(self.iam, name, *value)["Arn"]

    def put_role_policy(self, name: str, role: plans.RoleSpec) -> None:
        iam.put_role_policy(self.iam, name, role.policy_name, plans.policy_of(self.spec.owner, role, self._arn))

    def create_security_group(self, name: str, value: tuple[str, str, Mapping[str, str]]) -> None:
        self._ids[name] = ec2.create_security_group(self.ec2, name, *value)

    def group_id(self, target: str) -> str:
        """Return the id of a security group that is named by name or by id."""
        return self._ids.get(target, target)

    def permissions(self, rules: Rules) -> list[dict[str, Any]]:
        return to_permissions(rules, self._ids)

    def delete_security_group(self, group_id: str, name: str) -> None:
        """Delete it, and wait while an interface or load balancer that was removed a moment ago still names it."""
        for left in observations(RELEASE_SECONDS, PACE, clock=self.clock, sleep=self.sleep):
            try:
                return ec2.delete_security_group(self.ec2, group_id, name)
            except AwsError as error:
                if error.code != "DependencyViolation":
                    raise
                if not left:
                    raise Failure(f"{error.text()}{self._users(group_id)}") from None
        return None

    def _users(self, group_id: str) -> str:
        try:
            found = ec2.describe_network_interfaces(self.ec2, {"group-id": group_id})
        except AwsError:
            return ""
        names = ", ".join(sorted(item["NetworkInterfaceId"] for item in found))
        return f". It is used by {names}" if names else ". A rule of another security group names it"


def _raced(failure: Failure) -> bool:
    if not isinstance(failure, AwsError):
        return False
    operation = getattr(failure.exception, "operation_name", None)
    full = failure.code == "LimitExceeded" and operation == "AddRoleToInstanceProfile"
    return failure.code in _RACED or full


_Write = Callable[[SharedResources, str, Any], object]

_WRITES: dict[str, _Write] = {
    "create_role": SharedResources.create_role,
    "update_role": lambda self, name, value: iam.update_role(self.iam, name, value),
    "update_assume_role_policy": lambda self, name, value: iam.update_assume_role_policy(self.iam, name, value),
    "put_role_permissions_boundary": lambda self, name, value: iam.put_role_permissions_boundary(self.iam, name, value),
    "put_role_policy": SharedResources.put_role_policy,
    "tag role": lambda self, name, value: iam.tag_role(self.iam, name, value),
    "untag role": lambda self, name, value: iam.untag_role(self.iam, name, value),
    "delete_role_policy": lambda self, name, value: iam.delete_role_policy(self.iam, name, value),
    "detach_role_policy": lambda self, name, value: iam.detach_role_policy(self.iam, name, value),
    "delete_role": lambda self, name, _value: iam.delete_role(self.iam, name),
    "create_instance_profile": lambda self, name, value: iam.create_instance_profile(self.iam, name, value),
    "tag instance profile": lambda self, name, value: iam.tag_instance_profile(self.iam, name, value),
    "untag instance profile": lambda self, name, value: iam.untag_instance_profile(self.iam, name, value),
    "add_role_to_instance_profile": lambda self, name, value: iam.add_role_to_instance_profile(self.iam, name, value),
    "remove_role_from_instance_profile": lambda self, name, value: iam.remove_role_from_instance_profile(
        self.iam, name, value
    ),
    "delete_instance_profile": lambda self, name, _value: iam.delete_instance_profile(self.iam, name),
    "create_security_group": SharedResources.create_security_group,
    "tag security group": lambda self, group, value: ec2.create_tags(self.ec2, [group], value),
    "untag security group": lambda self, group, value: ec2.delete_tags(self.ec2, [group], value),
    "allow": lambda self, group, rules: ec2.authorize_security_group_ingress(
        self.ec2, self.group_id(group), self.permissions(rules)
    ),
    "revoke": lambda self, group, rules: ec2.revoke_security_group_ingress(
        self.ec2, self.group_id(group), self.permissions(rules)
    ),
    "describe": lambda self, group, rules: ec2.update_security_group_rule_descriptions_ingress(
        self.ec2, self.group_id(group), self.permissions(rules)
    ),
    "delete_security_group": SharedResources.delete_security_group,
    "allocate_address": lambda self, _target, tags: ec2.allocate_address(self.ec2, tags),
    "tag address": lambda self, address, tags: ec2.create_tags(self.ec2, [address], tags),
    "release_address": lambda self, address, _value: ec2.release_address(self.ec2, address),
}
