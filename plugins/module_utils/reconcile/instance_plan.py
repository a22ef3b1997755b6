# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What vpx_instance decides: from the desired set and the observed one to the next changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from ..aws import tags as t
from ..aws.addresses import Address, Association, Interface
from ..aws.instances import GOING, Attached, Instance, role_of
from ..core.errors import Refusal
from ..spec.identity import ObservedResource, Owner, adoptable, belongs
from .instance_tags import desired_lifecycle, numbering, removal_obstacle


@dataclass(frozen=True, slots=True)
class DesiredInterface:
    """One entry of the option ``interfaces``; None means: not asked, hence not touched."""

    role: str
    subnet_id: str
    security_groups: tuple[str, ...] | None = None
    private_ip_address: str | None = None
    secondary_private_ip_count: int = 0
    elastic_ip: bool = False
    source_dest_check: bool | None = None

    @classmethod
    def from_option(cls, option: Mapping[str, Any]) -> DesiredInterface:
        groups = option["security_groups"]
        return cls(
            role=option["role"],
            subnet_id=option["subnet_id"],
            security_groups=None if groups is None else tuple(groups),
            private_ip_address=option["private_ip_address"] or None,
            secondary_private_ip_count=option["secondary_private_ip_count"],
            elastic_ip=option["elastic_ip"],
            source_dest_check=option["source_dest_check"],
        )


@dataclass(frozen=True, slots=True)
class DesiredSet:
    """The desired set.

    ``instance_ids``: act on these of the group only, on none if it is empty; None: on all of the set. ``interfaces``
    are in the order of their devices: management, client, server. ``number_nodes``: give every instance a node id of
    its own. ``kind`` None: that of the instances of the name. ``lifecycle``: the desired value of that tag. ``event``:
    the id of the scaling event for which instances that are to be terminated must be marked. ``profile``: name of the
    instance profile, None: not asked.
    """

    state: str
    group: str
    zone: str | None = None
    node_id: int | None = None
    count: int = 1
    instance_ids: tuple[str, ...] | None = None
    interfaces: tuple[DesiredInterface, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    number_nodes: bool = False
    kind: str | None = None
    terminate_surplus: bool = True
    lifecycle: str | None = None
    event: str | None = None
    profile: str | None = None

    @property
    def owner(self) -> Owner:
        return Owner(self.group, self.kind)

    @property
    def place(self) -> dict[str, str]:
        """Return the tags by which the set is found: what an earlier release made has no kind."""
        return t.identity(self.group, self.zone, self.node_id)

    @property
    def identity(self) -> dict[str, str]:
        """Return the tags that everything of the set carries."""
        return t.identity(self.group, self.zone, self.node_id, self.kind)

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(interface.role for interface in self.interfaces)

    @property
    def name(self) -> str:
        """Return what messages call the set."""
        parts = [f"{self.kind or 'group'} {self.group}"]
        parts += [f"zone {self.zone}"] if self.zone is not None else []
        parts += [f"node {self.node_id}"] if self.node_id is not None else []
        return ", ".join(parts)

    def common_tags(self) -> dict[str, str]:
        """Return the tags of instances, interfaces, volumes and Elastic IPs alike, with the user's."""
        label = "-".join(self.place.values())
        return {"Name": label, **self.shared_tags, **self.identity, t.CREATED_BY: t.CREATOR}

    @property
    def shared_tags(self) -> dict[str, str]:
        """The user's tags for everything but the instance itself, which alone has a lifecycle and a predecessor."""
        return {key: value for key, value in self.tags.items() if key not in (t.LIFECYCLE, t.REPLACES, t.REPLACE)}


@dataclass(frozen=True, slots=True)
class ObservedSet:
    """What AWS says: the set's instances in every state, its tagged interfaces, and every Elastic IP of the region.

    ``named``: everything that has the name of the group, of whichever zone and kind.
    """

    instances: tuple[Instance, ...] = ()
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    addresses: tuple[Address, ...] = ()
    named: tuple[ObservedResource, ...] = ()

    @property
    def live(self) -> tuple[Instance, ...]:
        return tuple(instance for instance in self.instances if instance.live)


@dataclass(frozen=True, slots=True)
class Tagging:
    resource_ids: tuple[str, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Modification:
    """One ModifyNetworkInterfaceAttribute: EC2 changes one attribute a call."""

    network_interface_id: str
    attribute: str
    value: bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """An instance without an instance profile that must get one."""

    instance_id: str
    profile: str


@dataclass(frozen=True, slots=True)
class EipNeed:
    """An interface that shall have an Elastic IP and has none; ``allocation_id``: one that lies idle, or None."""

    instance_id: str
    role: str
    association: Association
    allocation_id: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do next.

    ``settle`` names instances whose change of state must end before they can be dealt with; ``allocate`` is the number
    of new Elastic IPs, those for instances yet to be launched among them.
    """

    launch: int = 0
    terminate: tuple[str, ...] = ()
    settle: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    tag: tuple[Tagging, ...] = ()
    modify: tuple[Modification, ...] = ()
    profiles: tuple[ProfileChange, ...] = ()
    elastic_ips: tuple[EipNeed, ...] = ()
    allocate: int = 0
    release: tuple[Address, ...] = ()
    delete_interfaces: tuple[str, ...] = ()

    @property
    def writes(self) -> bool:
        """Whether anything changes; awaiting what is under way already changes nothing."""
        return any(getattr(self, item.name) for item in fields(self) if item.name != "settle")

    @property
    def empty(self) -> bool:
        return not self.writes and not self.settle

    def messages(self) -> list[str]:
        """Return the plan for a reader, which is also the body of the diff."""
        return [
            *([f"launch {self.launch} instance{'s' * (self.launch > 1)}"] if self.launch else []),
            *[f"terminate {name}" for name in self.terminate],
            *[f"start {name}" for name in self.start],
            *[f"stop {name}" for name in self.stop],
            *[f"tag {', '.join(item.resource_ids)}: {dict(item.tags)}" for item in self.tag],
            *[f"set {item.attribute} of {item.network_interface_id} to {item.value}" for item in self.modify],
            *[f"associate instance profile {item.profile} with {item.instance_id}" for item in self.profiles],
            *[
                f"associate {need.allocation_id or 'a new Elastic IP'} with {need.association}"
                for need in self.elastic_ips
            ],
            *[f"release {address}" for address in self.release],
            *[f"delete {name}" for name in self.delete_interfaces],
        ]


def decide(desired: DesiredSet, observed: ObservedSet) -> Plan:
    """Return the next steps towards the desired state; an empty plan if it is reached. Raises Refusal."""
    _refuse_strangers(desired, observed)
    if desired.instance_ids == () and desired.state != "absent":
        return Plan()
    match desired.state:
        case "absent":
            return _absent(desired, observed)
        case "started" | "stopped":
            return _powered(desired, observed)
        case _:
            return _present(desired, observed)


def adopted(desired: DesiredSet, observed: ObservedSet) -> list[ObservedResource]:
    """Return what an earlier release made and the set gives the tag of the kind."""
    if desired.kind is None:
        return []
    instances = [ObservedResource(f"instance {item.instance_id}", item.tags) for item in observed.live]
    addresses = [
        ObservedResource(f"Elastic IP {item.public_ip}", item.tags)
        for item in _ours(desired, observed)
        if item.association
    ]
    return [item for item in (*instances, *addresses) if t.KIND not in item.tags]


def _refuse_strangers(desired: DesiredSet, observed: ObservedSet) -> None:
    adoptable(desired.owner, observed.named, by_name=False)
    for instance in observed.instances:
        if instance.live and not _belongs(desired, instance.tags):
            raise Refusal(
                f"{instance.instance_id} does not belong to {desired.name}: its tags are {dict(instance.tags)}. "
                "Nothing was changed."
            )
    live = {instance.instance_id for instance in observed.live}
    unknown = [name for name in desired.instance_ids or () if name not in live]
    if unknown and desired.state != "absent":
        raise Refusal(f"{', '.join(unknown)}: no such live instance in {desired.name}")
    if desired.state == "absent":
        obstacles = [removal_obstacle(desired.owner, desired.place, desired.event, item) for item in observed.live]
        if any(obstacles):
            raise Refusal(f"{'; '.join(filter(None, obstacles))}. Nothing was terminated.")


def _belongs(desired: DesiredSet, tags: Mapping[str, str]) -> bool:
    """Whether tags are those of the set, of the stated kind or of an earlier release."""
    return t.carries(tags, desired.place) and belongs(desired.owner, tags)


def _created(desired: DesiredSet, tags: Mapping[str, str]) -> bool:
    """Whether this module made a resource with these tags for the set, and may therefore remove it."""
    return _belongs(desired, tags) and tags.get(t.CREATED_BY) == t.CREATOR


def surplus(live: Sequence[Instance], count: int) -> tuple[str, ...]:
    """Which instances have to go: those not in service first, then the highest node id (none counts as highest), then
    the newest."""

    def stays_longest(instance: Instance) -> tuple[bool, float, str, str]:
        node_id = float("inf") if instance.node_id is None else float(instance.node_id)
        return instance.lifecycle != t.IN_SERVICE, node_id, instance.launch_time, instance.instance_id

    ranked = sorted(live, key=stays_longest)
    return tuple(instance.instance_id for instance in ranked[count:])


def _present(desired: DesiredSet, observed: ObservedSet) -> Plan:
    whole_set = desired.instance_ids is None
    terminate = surplus(observed.live, desired.count) if whole_set and desired.terminate_surplus else ()
    stay = [instance for instance in observed.live if instance.instance_id not in terminate]
    launch = max(0, desired.count - len(stay)) if whole_set else 0
    needs, idle = _elastic_ips(desired, observed, stay)
    spare = _spare(desired, idle, launch)
    ready = {instance.instance_id: instance.state != "pending" for instance in stay}
    return Plan(
        launch=launch,
        terminate=terminate,
        settle=tuple(dict.fromkeys(need.instance_id for need in needs if not ready[need.instance_id])),
        tag=_taggings(desired, observed, stay),
        modify=tuple(change for instance in stay for change in _modifications(desired, instance)),
        profiles=_profiles(desired, stay),
        elastic_ips=tuple(needs),
        allocate=_allocations(desired, needs, launch, reserved=len(idle) - len(spare)),
        release=(*spare, *_freed(desired, observed, terminate)),
    )


def _allocations(desired: DesiredSet, needs: Sequence[EipNeed], launch: int, reserved: int) -> int:
    to_come = launch * sum(request.elastic_ip for request in desired.interfaces) - reserved
    return sum(need.allocation_id is None for need in needs) + to_come


def _spare(desired: DesiredSet, idle: Sequence[Address], launch: int) -> list[Address]:
    """Return what stays idle after every instance that is still to be launched got its share."""
    reserved = {request.role: launch for request in desired.interfaces if request.elastic_ip}
    spare = []
    for address in idle:
        role = address.tags.get(t.ROLE, "")
        if reserved.get(role, 0) > 0:
            reserved[role] -= 1
        else:
            spare.append(address)
    return spare


def _powered(desired: DesiredSet, observed: ObservedSet) -> Plan:
    if desired.state == "started" and not observed.live:
        raise Refusal(f"there is no instance of {desired.name} to start")
    moving, target = ("stopping", "stopped") if desired.state == "started" else ("pending", "running")
    due = tuple(instance.instance_id for instance in observed.live if instance.state == target)
    settle = tuple(instance.instance_id for instance in observed.live if instance.state == moving)
    return Plan(start=due, settle=settle) if desired.state == "started" else Plan(stop=due, settle=settle)


def _absent(desired: DesiredSet, observed: ObservedSet) -> Plan:
    """EC2 forgets an instance an hour after it is gone: what is idle goes also when none is named any more."""
    terminate = tuple(instance.instance_id for instance in observed.live)
    going = tuple(instance.instance_id for instance in observed.instances if instance.state == GOING)
    idle = [address for address in _ours(desired, observed) if address.association is None]
    return Plan(
        terminate=terminate,
        settle=going if _ours(desired, observed) else (),  # their Elastic IPs can be released only when they are gone
        release=(*idle, *_freed(desired, observed, (*terminate, *going))),
        delete_interfaces=tuple(
            name
            for name, interface in observed.interfaces.items()
            if interface.status == "available" and _created(desired, interface.tags)
        ),
    )


def _ours(desired: DesiredSet, observed: ObservedSet) -> list[Address]:
    """Return the Elastic IPs that this module allocated for the set, in a stable order."""
    return sorted((a for a in observed.addresses if _created(desired, a.tags)), key=lambda a: a.allocation_id)


def _freed(desired: DesiredSet, observed: ObservedSet, leaving: Iterable[str]) -> list[Address]:
    """Our Elastic IPs that sit on instances which are about to go: idle as soon as these are gone."""
    interfaces = {
        attached.network_interface_id
        for instance in observed.instances
        if instance.instance_id in set(leaving)
        for attached in instance.interfaces
    }
    return [a for a in _ours(desired, observed) if a.association and a.association.network_interface_id in interfaces]


def _elastic_ips(
    desired: DesiredSet, observed: ObservedSet, stay: Sequence[Instance]
) -> tuple[list[EipNeed], list[Address]]:
    """Return the interfaces that lack an Elastic IP, given the idle ones first, and what stays idle."""
    idle = [address for address in _ours(desired, observed) if address.association is None]
    taken = {address.association for address in observed.addresses if address.association}
    roles = {request.role for request in desired.interfaces if request.elastic_ip}
    needs = []
    for instance, attached in ((i, a) for i in stay for a in i.interfaces):
        role = role_of(attached, desired.order, observed.interfaces)
        if role not in roles or attached.association in taken:
            continue
        match = next((a for a in idle if a.tags.get(t.ROLE) == role), None)
        if match:
            idle.remove(match)
        tags = {**desired.common_tags(), **_zone_of(desired, instance), t.ROLE: role}
        needs.append(
            EipNeed(instance.instance_id, role, attached.association, match.allocation_id if match else None, tags)
        )
    return needs, idle


def _zone_of(desired: DesiredSet, instance: Instance) -> dict[str, str]:
    return {} if desired.zone is not None else {t.ZONE: instance.tags.get(t.ZONE, instance.availability_zone)}


def _taggings(desired: DesiredSet, observed: ObservedSet, stay: Sequence[Instance]) -> tuple[Tagging, ...]:
    """Tags that are missing, one CreateTags for all resources that miss the same."""
    batches: dict[tuple[tuple[str, str], ...], list[str]] = {}

    def need(resource: str, present: Mapping[str, str], requested: Mapping[str, str]) -> None:
        lacking = t.missing(present, requested)
        if lacking:
            batches.setdefault(tuple(sorted(lacking.items())), []).append(resource)

    kind = desired.owner.tags
    numbers = numbering(stay) if desired.number_nodes else {}
    # An instance gets the name of its predecessor at its launch, and those beside it have none.
    given = {key: value for key, value in desired.tags.items() if key != t.REPLACES}
    for instance in stay:
        lifecycle = {} if t.LIFECYCLE in desired.tags else desired_lifecycle(desired.lifecycle, instance)
        requested = {**given, **kind, **lifecycle, **numbers.get(instance.instance_id, {})}
        need(instance.instance_id, instance.tags, requested)
        for attached in instance.interfaces:
            interface = observed.interfaces.get(attached.network_interface_id)
            role = role_of(attached, desired.order, observed.interfaces)
            requested = {**desired.shared_tags, **desired.identity, t.ROLE: role}
            need(attached.network_interface_id, interface.tags if interface else {}, requested)
    for address in _ours(desired, observed):
        if address.association:  # an idle one may be released in the same step
            need(address.allocation_id, address.tags, kind)
    return tuple(Tagging(tuple(resources), dict(lacking)) for lacking, resources in batches.items())


def _modifications(desired: DesiredSet, instance: Instance) -> list[Modification]:
    requests = dict(enumerate(desired.interfaces))
    changes = []
    for attached in instance.interfaces:
        request = requests.get(attached.device_index)
        if request:
            changes += _interface_changes(request, attached)
    return changes


def _profiles(desired: DesiredSet, stay: Sequence[Instance]) -> tuple[ProfileChange, ...]:
    """Return the instances that have no profile; one that starts has just been launched with the right one."""
    if not desired.profile:
        return ()
    return tuple(
        ProfileChange(instance.instance_id, desired.profile)
        for instance in stay
        if instance.state in ("running", "stopped") and not instance.profile
    )


def _interface_changes(request: DesiredInterface, attached: Attached) -> list[Modification]:
    name = attached.network_interface_id
    changes = []
    if request.source_dest_check is not None and request.source_dest_check != attached.source_dest_check:
        changes.append(Modification(name, "source_dest_check", request.source_dest_check))
    if request.security_groups is not None and frozenset(request.security_groups) != attached.security_groups:
        changes.append(Modification(name, "security_groups", request.security_groups))
    return changes


def unreleased(desired: DesiredSet, observed: ObservedSet) -> list[Address]:
    """Return the set's Elastic IPs of our making that stay, because they serve an interface of others."""
    ours = {interface.network_interface_id for instance in observed.live for interface in instance.interfaces}
    if desired.instance_ids is not None:
        ours |= set(observed.interfaces)  # those of the instances that are not asked about
    return [a for a in _ours(desired, observed) if a.association and a.association.network_interface_id not in ours]
