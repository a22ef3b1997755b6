# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the nodes of a pair or a group share in AWS: desired against observed, and the changes between them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, TypeAlias

from ..aws import tags as t
from ..aws.addresses import Address
from ..core.errors import Refusal
from ..spec.identity import ObservedResource, Owner, adoptable, belongs
from ..spec.rights import Scope, narrowed
from .security_rules import Rules, compare, from_permissions

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}],
}
#: Statement of a role's policy that is about the role itself.
OWN_RIGHTS = "OwnRights"

#: Whether two policy documents mean the same.
Same: TypeAlias = Callable[[Optional[Mapping[str, Any]], Mapping[str, Any]], bool]  # noqa: UP045 (pylint refuses | here)


def role_name(name: str) -> str:
    """Return the name of the role and of the instance profile."""
    return f"{name}-vpx"


def group_name(name: str, role: str) -> str:
    """Return the name of the security group for the interfaces of a role."""
    return f"{name}-{role}"


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """The desired role. ``managed`` False: an administrator made it, and it is only used.

    ``policy``: as shipped. ``elastic_ips``: allocation ids of the user's Elastic IPs, which carry no tag of ours.
    """

    policy: Mapping[str, Any] | None = None
    policy_name: str = ""
    managed: bool = True
    permissions_boundary: str | None = None
    elastic_ips: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """A desired security group."""

    role: str
    name: str
    description: str
    rules: Rules


@dataclass(frozen=True, slots=True)
class SharedSpec:
    """Everything that is desired. ``role`` None: no role is managed. ``tags``: the user's."""

    owner: Owner
    vpc_id: str = ""
    role: RoleSpec | None = None
    groups: tuple[GroupSpec, ...] = ()
    key_name: str | None = None
    elastic_ip: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def role_name(self) -> str:
        return role_name(self.owner.name)

    @property
    def all_tags(self) -> dict[str, str]:
        return {**self.tags, **self.owner.tags}

    @property
    def address_tags(self) -> dict[str, str]:
        return {**self.all_tags, t.ROLE: "client"}


@dataclass(frozen=True, slots=True)
class ObservedRole:
    """The role. ``policy``: its inline policy of the desired name. The lists are read for a removal only."""

    name: str
    arn: str
    description: str = ""
    trust: Mapping[str, Any] = field(default_factory=dict)
    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, Any] | None = None
    inline_policies: tuple[str, ...] = ()
    managed_policies: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObservedProfile:
    name: str
    roles: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObservedGroup:
    group_id: str
    name: str
    vpc_id: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    rules: Rules = field(default_factory=dict)

    def __str__(self) -> str:
        return f"security group {self.name} ({self.group_id})"


def parse_groups(described: Sequence[Mapping[str, Any]], vpc_id: str | None) -> tuple[ObservedGroup, ...]:
    """Return the security groups of a DescribeSecurityGroups reply.

    Args:
        described: those of our names.
        vpc_id: rules name the groups of this VPC by name; None: all by id.
    """
    names = {item["GroupId"]: item["GroupName"] for item in described if vpc_id and item.get("VpcId") == vpc_id}
    return tuple(
        ObservedGroup(
            item["GroupId"],
            item["GroupName"],
            item.get("VpcId", ""),
            item.get("Description", ""),
            {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])},
            from_permissions(item.get("IpPermissions", []), names),
        )
        for item in described
    )


@dataclass(frozen=True, slots=True)
class Observed:
    """What AWS says.

    ``groups``: those of our names, in every VPC. ``key_pair``: whether the key pair exists; None: not read.
    ``addresses``: the Elastic IPs with the tag of the name.
    """

    role: ObservedRole | None = None
    profile: ObservedProfile | None = None
    groups: tuple[ObservedGroup, ...] = ()
    key_pair: bool | None = None
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One write.

    Changes of a ``phase`` run side by side, those of one ``chain`` in order; a phase starts when the one before it is
    done. ``call`` and ``value`` say what to write to ``target``. ``path``, ``before`` and ``after``: the diff.
    """

    phase: int
    chain: str
    call: str
    target: str
    message: str
    value: Any = None
    path: tuple[str, ...] = ()
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes, and the resources of an earlier release that they adopt."""

    changes: tuple[Change, ...] = ()
    adopted: tuple[ObservedResource, ...] = ()
    #: Elastic IPs that would be released, were they not associated.
    held: tuple[Address, ...] = ()


def policy_of(owner: Owner, role: RoleSpec, arn: str) -> dict[str, Any]:
    """Return the role's policy for this owner: its name in the conditions, and the role itself in the statement on its
    own rights.
    """
    partition = arn.split(":")[1] if arn else ""
    policy = narrowed(role.policy or {}, Scope((owner.name,), partition=partition, elastic_ips=role.elastic_ips))
    statements = [
        {**each, "Resource": arn} if arn and each.get("Sid") == OWN_RIGHTS else each for each in policy["Statement"]
    ]
    return {**policy, "Statement": statements}


def found_of(spec: SharedSpec, observed: Observed) -> list[ObservedResource]:
    """Return everything that has the owner's name or tag, as the decision on ownership takes it."""
    role, profile = observed.role, observed.profile
    managed = spec.role is None or spec.role.managed
    owned = [
        *([ObservedResource(f"IAM role {role.name}", role.tags, role.description)] if role else []),
        *([ObservedResource(f"instance profile {profile.name}", profile.tags)] if profile else []),
    ]
    groups = [g for g in observed.groups if g.vpc_id == spec.vpc_id or g.tags.get(t.GROUP) == spec.owner.name]
    return [
        # What an administrator made needs no tag of ours, but may not be another kind's.
        *(item for item in owned if managed or (t.GROUP in item.tags and item.tags[t.GROUP] == spec.owner.name)),
        *(ObservedResource(f"security group {g.name}", g.tags, g.description) for g in groups),
        *(ObservedResource(f"Elastic IP {a.public_ip}", a.tags) for a in observed.addresses),
    ]


# Present


def plan_present(spec: SharedSpec, observed: Observed, same: Same) -> Plan:
    """Return the changes after which everything desired is there; raise Refusal where that cannot be right."""
    _refuse_missing(spec, observed)
    adopted = adoptable(spec.owner, found_of(spec, observed))
    changes: list[Change] = []
    if spec.role and spec.role.managed:
        changes += _role(spec, spec.role, observed.role, same)
        changes += _profile(spec, observed.profile)
    for group in spec.groups:
        present = next((g for g in observed.groups if (g.name, g.vpc_id) == (group.name, spec.vpc_id)), None)
        changes += _group(spec, group, present)
    if spec.elastic_ip:
        changes += _address(spec, own_address(spec, observed))
    return Plan(tuple(changes), tuple(adopted))


def _refuse_missing(spec: SharedSpec, observed: Observed) -> None:
    if spec.key_name and observed.key_pair is False:
        raise Refusal(f"{spec.owner}: there is no key pair {spec.key_name} in this account and region")
    if spec.role is None or spec.role.managed:
        return
    name, profile = spec.role_name, observed.profile
    missing = [
        *([] if observed.role else [f"there is no IAM role {name}"]),
        *([] if profile else [f"there is no instance profile {name}"]),
        *([f"instance profile {name} does not hold role {name}"] if profile and name not in profile.roles else []),
    ]
    if missing:
        raise Refusal(
            f"{spec.owner}: {'; '.join(missing)}. The role is not managed here (managed: false), so an administrator "
            "has to create it. Nothing was changed."
        )


def _role(spec: SharedSpec, role: RoleSpec, present: ObservedRole | None, same: Same) -> Iterable[Change]:
    name = spec.role_name
    description = f"NetScaler VPX {spec.owner}"

    def change(call: str, message: str, value: Any, path: str, before: Any, after: Any, *, phase: int = 1) -> Change:
        return Change(phase, "role", call, name, message, value, ("role", name, path), before, after)

    if present is None:
        desired = {"description": description, "tags": spec.all_tags, "permissions_boundary": role.permissions_boundary}
        value = (description, TRUST, spec.all_tags, role.permissions_boundary)
        yield Change(1, "role", "create_role", name, f"create role {name}", value, ("role", name), None, desired)
    else:
        # The rights to change a role may be limited to roles that have the boundary.
        boundary = role.permissions_boundary
        if boundary and boundary != present.boundary:
            summary = f"set the permissions boundary of role {name}"
            call = "put_role_permissions_boundary"
            yield change(call, summary, boundary, "permissions_boundary", present.boundary, boundary)
        if present.description != description:
            summary = f"set the description of role {name}"
            yield change("update_role", summary, description, "description", present.description, description)
        if not same(present.trust, TRUST):
            summary = f"set the trust policy of role {name}"
            yield change("update_assume_role_policy", summary, TRUST, "trust", present.trust, TRUST)
        yield from _tags(("role", name), "role", "role", name, present.tags, spec.all_tags)
    desired_policy = policy_of(spec.owner, role, present.arn if present else "")
    if role.policy is not None and not (present and same(present.policy, desired_policy)):
        yield change(
            "put_role_policy",
            f"write policy {role.policy_name} of role {name}",
            role,
            "policy",
            present.policy if present else None,
            desired_policy,
            phase=2,
        )


def _profile(spec: SharedSpec, present: ObservedProfile | None) -> Iterable[Change]:
    name, role = spec.role_name, spec.role_name
    path = ("instance_profile", name)
    if present is None:
        summary = f"create instance profile {name}"
        after = {"tags": spec.all_tags}
        yield Change(1, "profile", "create_instance_profile", name, summary, spec.all_tags, path, None, after)
    else:
        yield from _tags(path, "profile", "instance profile", name, present.tags, spec.all_tags)
    held = present.roles if present else ()
    for other in (each for each in held if each != role):
        summary = f"remove role {other} from instance profile {name}"
        call = "remove_role_from_instance_profile"
        yield Change(2, "profile", call, name, summary, other, (*path, "roles"), list(held), [role])
    if role not in held:
        summary = f"add role {role} to instance profile {name}"
        call = "add_role_to_instance_profile"
        yield Change(2, "profile", call, name, summary, role, (*path, "roles"), list(held), [role])


def _group(spec: SharedSpec, group: GroupSpec, present: ObservedGroup | None) -> Iterable[Change]:
    name, chain = group.name, f"group {group.name}"
    path = ("security_groups", name)
    if present is None:
        after = {"description": group.description, "tags": spec.all_tags}
        value = (group.description, spec.vpc_id, spec.all_tags)
        summary = f"create security group {name}"
        yield Change(1, chain, "create_security_group", name, summary, value, path, None, after)
    else:
        yield from _tags(path, chain, "security group", name, present.tags, spec.all_tags, present.group_id)
    rules = compare(group.rules, present.rules if present else {})
    # New rules first: a source that is declared otherwise is let in without a gap.
    for call, changed, verb in (
        ("allow", rules.allow, "allow"),
        ("revoke", rules.revoke, "revoke"),
        ("describe", rules.describe, "describe"),
    ):
        if changed:
            summary = f"{verb} {', '.join(sorted(map(str, changed)))} in security group {name}"
            was = {rule: present.rules[rule] for rule in changed if rule in present.rules} if present else {}
            new: Rules = {} if call == "revoke" else changed
            where = (*path, "rules")
            yield Change(2, chain, call, name, summary, changed, where, _in_words(was), _in_words(new))


def _in_words(rules: Rules) -> dict[str, str]:
    return {str(rule): description for rule, description in sorted(rules.items(), key=lambda pair: str(pair[0]))}


def _tags(
    path: tuple[str, ...],
    chain: str,
    kind: str,
    name: str,
    present: Mapping[str, str],
    desired: Mapping[str, str],
    target: str | None = None,
) -> Iterable[Change]:
    """Return the changes after which a resource has exactly the desired tags. Tags of AWS's own are left alone."""
    lacking = t.missing(present, desired)
    surplus = {key: value for key, value in present.items() if key not in desired and not key.startswith("aws:")}
    if lacking:
        before = {key: present[key] for key in lacking if key in present}
        summary = f"tag {kind} {name}: {dict(lacking)}"
        yield Change(1, chain, f"tag {kind}", target or name, summary, lacking, (*path, "tags"), before, lacking)
    if surplus:
        summary = f"remove tags from {kind} {name}: {', '.join(sorted(surplus))}"
        yield Change(1, chain, f"untag {kind}", target or name, summary, sorted(surplus), (*path, "tags"), surplus, {})


def own_address(spec: SharedSpec, observed: Observed) -> Address | None:
    """Return the Elastic IP that was allocated for the clients of the pair; of several, one that is in use."""
    mine = [
        address
        for address in observed.addresses
        if address.tags.get(t.ROLE) == "client"
        and address.tags.get(t.CREATED_BY) != t.CREATOR
        and belongs(spec.owner, address.tags)
    ]
    return min(mine, key=lambda a: (a.association is None, a.allocation_id), default=None)


def _address(spec: SharedSpec, present: Address | None) -> Iterable[Change]:
    desired = spec.address_tags
    if present is None:
        summary, call, after = "allocate an Elastic IP", "allocate_address", {"tags": desired}
        yield Change(1, "address", call, "", summary, desired, ("elastic_ip",), None, after)
        return
    lacking = t.missing(present.tags, desired)
    if lacking:
        before = {key: present.tags[key] for key in lacking if key in present.tags}
        summary, path = f"tag Elastic IP {present}: {dict(lacking)}", ("elastic_ip", present.public_ip, "tags")
        yield Change(1, "address", "tag address", present.allocation_id, summary, lacking, path, before, lacking)


# Absent


def plan_absent(spec: SharedSpec, observed: Observed) -> Plan:
    """Return the changes after which nothing of the owner is left.

    Resources of the name without our tags are kept. Raises Refusal if the other kind has the name.
    """
    adoptable(spec.owner, found_of(spec, observed), by_name=False)
    changes: list[Change] = []
    if spec.role is None or spec.role.managed:
        changes += _no_profile(spec, observed.profile)
        changes += _no_role(spec, observed.role)
    groups = [group for group in observed.groups if group.tags.get(t.GROUP) == spec.owner.name]
    changes += _no_groups(groups)
    held = []
    for address in observed.addresses:
        if address.association is not None or address.association_id is not None:
            held.append(address)
            continue
        summary, path = f"release Elastic IP {address}", ("elastic_ip", address.public_ip)
        chain, value = f"address {address.allocation_id}", address.allocation_id
        before = {"allocation_id": value}
        changes.append(Change(1, chain, "release_address", value, summary, None, path, before, None))
    return Plan(tuple(changes), held=tuple(held))


def _no_profile(spec: SharedSpec, profile: ObservedProfile | None) -> Iterable[Change]:
    if profile is None or profile.tags.get(t.GROUP) != spec.owner.name:
        return
    name = profile.name
    for role in profile.roles:
        summary = f"remove role {role} from instance profile {name}"
        yield Change(1, "profile", "remove_role_from_instance_profile", name, summary, role)
    summary, path, roles = f"remove instance profile {name}", ("instance_profile", name), list(profile.roles)
    yield Change(1, "profile", "delete_instance_profile", name, summary, None, path, {"roles": roles}, None)


def _no_role(spec: SharedSpec, role: ObservedRole | None) -> Iterable[Change]:
    if role is None or role.tags.get(t.GROUP) != spec.owner.name:
        return
    name, path = role.name, ("role", role.name)
    for profile in role.profiles:
        if profile != spec.role_name:
            summary, call = f"remove role {name} from instance profile {profile}", "remove_role_from_instance_profile"
            yield Change(1, "role", call, profile, summary, name)
    for policy in role.inline_policies:
        summary = f"remove policy {policy} of role {name}"
        yield Change(1, "role", "delete_role_policy", name, summary, policy)
    for policy in role.managed_policies:
        summary = f"detach policy {policy} from role {name}"
        yield Change(1, "role", "detach_role_policy", name, summary, policy)
    yield Change(2, "role", "delete_role", name, f"remove role {name}", None, path, {"arn": role.arn}, None)


def _no_groups(groups: Sequence[ObservedGroup]) -> Iterable[Change]:
    ids = {group.group_id for group in groups}
    for group in groups:
        # A group cannot go while a rule of another group names it.
        cross = {rule: text for rule, text in group.rules.items() if rule.source in ids - {group.group_id}}
        chain = f"group {group.group_id}"
        if cross:
            summary = f"revoke {', '.join(sorted(map(str, cross)))} in {group}"
            yield Change(1, chain, "revoke", group.group_id, summary, cross)
        path, summary, before = ("security_groups", group.name), f"remove {group}", {"group_id": group.group_id}
        yield Change(2, chain, "delete_security_group", group.group_id, summary, group.name, path, before, None)


# Results


def diff_of(changes: Iterable[Change]) -> dict[str, Any]:
    """Return before and after of what changes, and of nothing else."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for change in changes:
        if change.path:
            _put(before, change.path, change.before)
            _put(after, change.path, change.after)
    return {"before": before, "after": after} if before or after else {}


def _put(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        below = tree.get(key)
        if not isinstance(below, dict):
            if key in tree:
                return  # the whole of it is new, and its parts are no change of their own
            below = tree[key] = {}
        tree = below
    last = path[-1]
    if isinstance(value, Mapping):
        present = tree.get(last)
        tree[last] = {**(present if isinstance(present, dict) else {}), **value}
    else:
        tree[last] = value


def predicted_groups(spec: SharedSpec, observed: Observed) -> dict[str, str | None]:
    """Return the ids of the desired security groups by role; None for one that does not exist yet."""
    ids = {group.name: group.group_id for group in observed.groups if group.vpc_id == spec.vpc_id}
    return {group.role: ids.get(group.name) for group in spec.groups}
