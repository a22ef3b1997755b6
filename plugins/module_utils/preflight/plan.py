# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is going to be built, as far as it can be looked at beforehand. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from ..aws.tags import ROLES
from ..core.errors import Refusal
from ..reconcile.instance_plan import DesiredInterface, DesiredSet
from ..reconcile.launch import LaunchSpec, in_device_order


@dataclass(frozen=True, slots=True)
class Zone:
    """Appliances that stand in the same three subnets. ``instances``: how many there shall be in the end."""

    name: str
    instances: int
    interfaces: tuple[DesiredInterface, ...]

    def subnet_of(self, role: str) -> str:
        return next(request.subnet_id for request in self.interfaces if request.role == role)


@dataclass(frozen=True, slots=True)
class BackEnd:
    """A server to which the applications would send requests. ``transport``: tcp or udp, as security groups name it."""

    application: str
    address: str
    port: int
    transport: str = "tcp"

    @property
    def subject(self) -> str:
        return f"{self.application} {self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Followed:
    """An Auto Scaling group whose instances are back ends."""

    application: str
    group: str
    port: int
    transport: str = "tcp"


@dataclass(frozen=True, slots=True)
class Plan:
    """``elastic_ips``, ``load_balancers``: how many in the end, those that are there already among them.

    ``given_addresses``: Elastic IPs that the user allocated, as public addresses or allocation ids.
    ``public_clients``: clients come from the internet, to addresses in the client subnets. ``public_management``: each
    management interface has an Elastic IP. ``reach``: further ``host:port`` that this machine must get through to.
    ``license_demand``: what each node checks out, and from where; empty for images that need no licence.
    """

    group: str
    launch_spec: LaunchSpec
    kind: str | None = None
    zones: tuple[Zone, ...] = ()
    elastic_ips: int = 0
    given_addresses: tuple[str, ...] = ()
    load_balancers: int = 0
    public_clients: bool = False
    public_management: bool = False
    management_cidrs: tuple[str, ...] = ()
    nitro_port: int = 443
    reach: tuple[str, ...] = ()
    return_path: str | None = None
    clustered: bool = False
    back_ends: tuple[BackEnd, ...] = ()
    followed: tuple[Followed, ...] = ()
    backend_cidrs: tuple[str, ...] = ()
    license_demand: str = ""

    @property
    def instances(self) -> int:
        return sum(zone.instances for zone in self.zones)

    @property
    def interfaces(self) -> int:
        return sum(zone.instances * len(zone.interfaces) for zone in self.zones)

    @property
    def subnet_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(request.subnet_id for zone in self.zones for request in zone.interfaces))

    def desired(self, zone: Zone, count: int | None = None) -> DesiredSet:
        """Return the set of instances of a zone, as vpx_instance takes it."""
        return DesiredSet(
            state="present",
            group=self.group,
            kind=self.kind,
            zone=zone.name,
            count=zone.instances if count is None else count,
            interfaces=zone.interfaces,
        )


def read_plan(params: Mapping[str, Any]) -> Plan:
    """Parse the module's options. Raises Refusal for interfaces that no VPX can have."""
    return Plan(
        group=params["group"],
        kind=params["kind"],
        launch_spec=LaunchSpec(
            image_id=params["image_id"],
            instance_type=params["instance_type"],
            key_name=params["key_name"] or None,
            encrypt_volumes=params["encrypt_volumes"],
            license_mode=params.get("license_mode") or "",
        ),
        zones=tuple(_zone(option) for option in params["zones"]),
        elastic_ips=params["elastic_ips"],
        given_addresses=tuple(params["given_addresses"]),
        load_balancers=params["load_balancers"],
        public_clients=params["public_clients"],
        public_management=params["public_management"],
        management_cidrs=tuple(params["management_cidrs"]),
        nitro_port=params["nitro_port"],
        reach=tuple(params["reach"]),
        return_path=params["return_path"],
        clustered=params["clustered"],
        back_ends=tuple(
            BackEnd(each["application"], each["address"], each["port"], each["transport"])
            for each in params["back_ends"]
            if each["address"]
        ),
        followed=tuple(
            Followed(each["application"], each["autoscaling_group"], each["port"], each["transport"])
            for each in params["back_ends"]
            if each["autoscaling_group"]
        ),
        backend_cidrs=_networks(params["backend_cidrs"]),
        license_demand=params.get("license_demand") or "",
    )


def _networks(texts: Sequence[str]) -> tuple[str, ...]:
    """Parse the networks. Raises Refusal for invalid ones."""
    for text in texts:
        try:
            IPv4Network(text, strict=False)
        except ValueError as error:
            raise Refusal(f"backend_cidrs: {error}") from None
    return tuple(texts)


def _zone(option: Mapping[str, Any]) -> Zone:
    more = option["secondary_private_ip_count"]
    requests = (
        DesiredInterface(role, option[f"{role}_subnet_id"], secondary_private_ip_count=more if role == "client" else 0)
        for role in ROLES
    )
    return Zone(option["name"], option["instances"], in_device_order(requests))
