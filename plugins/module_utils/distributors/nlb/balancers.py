# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What nlb_adc_balancer decides: from the desired load balancer and the existing one to what must be done. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...aws import tags as t
from ...aws.addresses import Address
from ...core.errors import Refusal
from ...spec.identity import AUTOSCALE_GROUP, ObservedResource, Owner, adoptable

CROSS_ZONE = "load_balancing.cross_zone.enabled"
INTERNET_FACING = "internet-facing"
# The role of Elastic IPs that were allocated for a balancer, in their tag; roles of interfaces have other names.
ROLE = "nlb"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One zone of the balancer: its name, the subnet, and the static address that was given for it, if one was."""

    zone: str
    subnet_id: str
    allocation_id: str | None = None
    private_ip_address: str | None = None

    @classmethod
    def from_option(cls, option: Mapping[str, Any]) -> Attachment:
        return cls(
            option["name"],
            option["subnet_id"],
            option["allocation_id"] or None,
            option["private_ip_address"] or None,
        )

    def mapping(self, allocated: Mapping[str, str]) -> dict[str, str]:
        """Return the SubnetMapping; ``allocated``: zone → id of the Elastic IP that was allocated for it."""
        address = self.allocation_id or allocated.get(self.zone)
        return {
            "SubnetId": self.subnet_id,
            **({"AllocationId": address} if address else {}),
            **({"PrivateIPv4Address": self.private_ip_address} if self.private_ip_address else {}),
        }


@dataclass(frozen=True, slots=True)
class DesiredBalancer:
    """The desired balancer. ``tags`` are the user's; those of the owner are added to them."""

    name: str
    group: str
    scheme: str = INTERNET_FACING
    places: tuple[Attachment, ...] = ()
    cross_zone: bool = False
    security_groups: frozenset[str] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> Owner:
        return Owner(self.group, AUTOSCALE_GROUP)

    @property
    def all_tags(self) -> dict[str, str]:
        return {**self.tags, **self.owner.tags}

    def address_tags(self, zone: str) -> dict[str, str]:
        """Tags of the Elastic IP of a zone."""
        return {"Name": f"{self.name}-{zone}", **self.all_tags, t.ZONE: zone, t.ROLE: ROLE}


@dataclass(frozen=True, slots=True)
class Balancer:
    """One that is there. ``subnets``: subnet → id of its Elastic IP, or None."""

    arn: str
    kind: str
    scheme: str
    state: str
    dns_name: str
    hosted_zone_id: str
    subnets: Mapping[str, str | None]
    zones: Sequence[Mapping[str, Any]] = ()
    security_groups: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)

    def result(self) -> dict[str, Any]:
        return {
            "arn": self.arn,
            "dns_name": self.dns_name,
            "canonical_hosted_zone_id": self.hosted_zone_id,
            "scheme": self.scheme,
            "state": self.state,
            "zones": list(self.zones),
            "security_groups": sorted(self.security_groups),
            "tags": dict(self.tags),
        }


def parse(described: Mapping[str, Any], tags: Mapping[str, str], attributes: Mapping[str, str]) -> Balancer:
    """One LoadBalancer of a DescribeLoadBalancers reply."""
    rows = [_zone(item) for item in described.get("AvailabilityZones", [])]
    return Balancer(
        arn=described["LoadBalancerArn"],
        kind=described.get("Type", ""),
        scheme=described.get("Scheme", ""),
        state=described.get("State", {}).get("Code", ""),
        dns_name=described.get("DNSName", ""),
        hosted_zone_id=described.get("CanonicalHostedZoneId", ""),
        subnets={row["subnet_id"]: row["allocation_id"] for row in rows},
        zones=rows,
        security_groups=frozenset(described.get("SecurityGroups", [])),
        tags=tags,
        attributes=attributes,
    )


def _zone(item: Mapping[str, Any]) -> dict[str, Any]:
    address: Mapping[str, Any] = next(iter(item.get("LoadBalancerAddresses", [])), {})
    return {
        "name": item["ZoneName"],
        "subnet_id": item["SubnetId"],
        "ip_address": address.get("IpAddress"),
        "private_ip_address": address.get("PrivateIPv4Address"),
        "allocation_id": address.get("AllocationId"),
    }


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. ``allocate``: zones that need an Elastic IP; ``release``: Elastic IPs that serve no zone any more;
    ``adopt``: Elastic IPs of an earlier release, which need the tag of the kind."""

    adopt: tuple[Address, ...] = ()
    allocate: tuple[str, ...] = ()
    create: bool = False
    set_subnets: bool = False
    set_security_groups: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    release: tuple[Address, ...] = ()

    @property
    def messages(self) -> list[str]:
        return [
            *[f"allocate an Elastic IP for {zone}" for zone in self.allocate],
            *(["make the load balancer"] if self.create else []),
            *(["set its zones"] if self.set_subnets else []),
            *(["set its security groups"] if self.set_security_groups else []),
            *[f"set {key} to {value}" for key, value in self.attributes.items()],
            *([f"tag it: {dict(self.tags)}"] if self.tags else []),
            *[f"tag {address}" for address in self.adopt],
            *[f"release {address}" for address in self.release],
        ]


def allocated(addresses: Sequence[Address]) -> dict[str, str]:
    """Map each zone to the Elastic IP allocated for it; of two, the one in use, else the first by id."""
    ranked = sorted(addresses, key=lambda a: (a.association is None and a.association_id is None, a.allocation_id))
    found: dict[str, str] = {}
    for address in ranked:
        found.setdefault(address.tags.get(t.ZONE, ""), address.allocation_id)
    return found


def decide(desired: DesiredBalancer, balancer: Balancer | None, addresses: Sequence[Address]) -> Plan:
    """Plan the changes. Raises Refusal for invalid requests. ``addresses``: those allocated for the group."""
    adopted(desired, balancer, addresses)
    own = allocated(addresses)
    needed = [place.zone for place in desired.places if desired.scheme == INTERNET_FACING and not place.allocation_id]
    allocate = tuple(zone for zone in needed if zone not in own)
    keep = {own[zone] for zone in needed if zone in own}
    release = tuple(address for address in addresses if address.allocation_id not in keep)
    cross_zone = {CROSS_ZONE: str(desired.cross_zone).lower()}
    adopt = tuple(a for a in addresses if a.allocation_id in keep and t.KIND not in a.tags)
    if balancer is None:
        return Plan(
            adopt=adopt,
            allocate=allocate,
            create=True,
            attributes=cross_zone if desired.cross_zone else {},
            release=release,
        )
    _refuse_other_kind(desired, balancer, own)
    return Plan(
        adopt=adopt,
        allocate=allocate,
        set_subnets=set(balancer.subnets) != {place.subnet_id for place in desired.places},
        set_security_groups=desired.security_groups is not None
        and frozenset(desired.security_groups) != balancer.security_groups,
        attributes={k: v for k, v in cross_zone.items() if balancer.attributes.get(k, "false") != v},
        tags=t.missing(balancer.tags, desired.all_tags),
        release=release,
    )


def adopted(
    desired: DesiredBalancer,
    balancer: Balancer | None,
    addresses: Sequence[Address],
    groups: Iterable[ObservedResource] = (),
    *,
    by_name: bool = True,
) -> list[ObservedResource]:
    """Return what an earlier release made for the group; raise Refusal for what belongs to another owner.

    ``by_name`` False: a balancer of this name without the group's tag is left alone instead.
    """
    found = [ObservedResource(f"load balancer {desired.name}", balancer.tags)] if balancer else []
    reserved = [ObservedResource(f"Elastic IP {address.public_ip}", address.tags) for address in addresses]
    return adoptable(desired.owner, [*found, *reserved, *groups], by_name=by_name)


def _refuse_other_kind(desired: DesiredBalancer, balancer: Balancer, own: Mapping[str, str]) -> None:
    if balancer.kind != "network":
        raise Refusal(f"load balancer {desired.name} is of type {balancer.kind}, not network")
    if balancer.scheme != desired.scheme:
        raise Refusal(
            f"load balancer {desired.name} is {balancer.scheme}, and AWS cannot make it {desired.scheme}; "
            "remove the group and build it again, or choose another name"
        )
    for place in desired.places:
        requested = place.mapping(own).get("AllocationId")
        has = balancer.subnets.get(place.subnet_id)
        if requested and has and requested != has:
            raise Refusal(
                f"load balancer {desired.name} has {has} as its address in {place.zone}, not {requested}, "
                "and AWS changes no address of a zone"
            )
