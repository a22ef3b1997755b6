"""The region as the rest of the lab may ask it: instances, addresses, who may talk to whom."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from moto.moto_api._internal import moto_api_backend

from tests.lab.aws import memory
from tests.lab.aws.balancing import HealthChecker, Probe, Route, Way, routes
from tests.lab.aws.ground import Ground, regions
from tests.lab.aws.mends.images import is_vpx
from tests.lab.aws.mends.instances import every_instance, settle
from tests.lab.aws.mends.interfaces import addresses_of
from tests.lab.aws.mends.names import answer, checked
from tests.lab.aws.network import snapshot
from tests.lab.aws.ports import count_errors
from tests.lab.packets.vpc import Protocol, Vpc
from tests.lab.world import InstanceFacts, InterfaceFacts


class RegionSnapshot:
    """`Region` over moto's backends. Every answer is a snapshot taken under the lock that requests take too."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._checker = HealthChecker(ground, self._lets_in)
        self._network: tuple[int, Vpc] | None = None
        self.dns_probe: Probe = lambda _address, _port: True
        """How a health check of Route 53 is answered. Its checks have no interval and no threshold here."""

    def set_health_way(self, way: Way) -> None:
        """Whether a load balancer's node at a private address gets an answer from a target: ``way(node, address,
        port)``; without one, the target's security groups decide. Called like the probe.
        """
        self._checker.way = way

    def set_health_probe(self, probe: Probe) -> None:
        """How a load balancer's health check is answered: ``probe(address, port)``; without one, all answer.

        It is called from threads of its own, without any lock of the region; it must not raise.
        """
        self._checker.probe = probe

    def tick(self) -> None:
        """Let time pass: instances arrive, health checks begin, drains end.

        Requests, `instances` and `load_balancers` do so themselves: a lab whose data plane asks often needs no ticker.
        """
        with self.ground.lock:
            settle()
            count_errors(self.ground)
            self._checker.begin_due()

    def load_balancers(self) -> list[Route]:
        """Where network load balancers listen (static address, port) and to whom they forward; a snapshot."""
        with self.ground.lock:
            self.tick()
            return routes(self.ground)

    def instances(self) -> Sequence[InstanceFacts]:
        with self.ground.lock:
            self.tick()
            return [
                _facts(instance)
                for backend in regions()
                for instance in every_instance(backend)
                if instance.state != "terminated" and is_vpx(backend, instance.image_id)
            ]

    def instance_at(self, address: str) -> InstanceFacts | None:
        with self.ground.lock:
            settle()
            interface = _interface_at(address) or self._routed_to(address)
            if interface is None or interface.instance is None:
                return None
            instance = interface.instance
            return _facts(instance) if is_vpx(instance.ec2_backend, instance.image_id) else None

    def _routed_to(self, address: str) -> Any:
        """The interface to which routes lead for an address outside of every VPC."""
        found = self.network().routed(address)
        if found is None:
            return None
        return next(
            (enis[found.interface_id] for enis in (b.enis for b in regions()) if found.interface_id in enis), None
        )

    def elastic_ips(self) -> dict[str, str | None]:
        with self.ground.lock:
            settle()
            return {
                str(elastic.public_ip): elastic.lab_private_ip for backend in regions() for elastic in backend.addresses
            }

    def network(self) -> Vpc:
        """The network as packets see it; made anew when a write, or an instance's arrival or end, has changed it."""
        with self.ground.lock:
            settle()
            if self._network is None or self._network[0] != self.ground.generation:
                self._network = self.ground.generation, snapshot()
            return self._network[1]

    def _lets_in(self, node: str, address: str, port: int) -> bool:
        """Without a model of the appliances: the target's security groups decide alone."""
        return self.allows(node, address, "tcp", port)

    def allows(self, source: str, destination: str, protocol: Protocol, port: int) -> bool:
        network = self.network()
        interface = network.at(destination)
        return interface is not None and network.admits(source, interface, protocol, port)

    def resolve(self, name: str, kind: str = "A") -> tuple[tuple[str, ...], int]:
        """(values, TTL in seconds) that Route 53's name servers answer now; ((), 0) for an unknown name."""
        with self.ground.lock:
            checks = checked()
        # Without the lock: a probe asks the appliances, whose lock comes first.
        healthy = {check: self.dns_probe(*where) for check, where in checks.items()}
        with self.ground.lock:
            return answer(name, kind, lambda check: healthy.get(check, True))

    def state(self) -> dict[str, Any]:
        with self.ground.lock:
            settle()
            return {backend.region_name: _state(backend) for backend in regions()}

    def reset(self) -> None:
        with self.ground.lock:
            self.ground.clear()
            moto_api_backend.reset()

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Who holds it finds the region, and its memory, as it is."""
        return self.ground.lock

    def memory(self) -> dict[str, Any]:
        """What a reset forgets, alive: to be looked at under the lock."""
        return memory.collect(self.ground)

    def recall(self, kept: dict[str, Any]) -> None:
        """Take over what ``memory`` gave, instead of what is there now."""
        with self.lock:
            memory.put_back(self.ground, kept)


def _interface_at(address: str) -> Any:
    for backend in regions():
        for interface in backend.enis.values():
            if address in addresses_of(interface) or address in interface.ipv6_addresses:
                return interface
    return None


def _facts(instance: Any) -> InstanceFacts:
    return InstanceFacts(
        instance_id=instance.id,
        image_id=instance.image_id,
        instance_type=instance.instance_type,
        zone=instance.availability_zone,
        state=instance.state,
        started_at=instance.lab_started_at,
        reboots=instance.lab_reboots,
        user_data=base64.b64decode(str(instance.user_data or "")).decode("utf-8", "replace"),
        interfaces=tuple(
            InterfaceFacts(
                network_interface_id=interface.id,
                device_index=index,
                addresses=tuple(addresses_of(interface)),
                netmask=str(interface.subnet.cidr.netmask),
                mac=str(interface.mac_address),
                ipv6_addresses=tuple(map(str, interface.ipv6_addresses)),
            )
            for index, interface in sorted(instance.nics.items())
        ),
    )


def _tags(thing: Any) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in thing.get_tags()}


def _state(backend: Any) -> dict[str, Any]:
    return {
        "instances": [
            {
                "instance_id": instance.id,
                "state": instance.state,
                "image_id": instance.image_id,
                "instance_type": instance.instance_type,
                "zone": instance.availability_zone,
                "tags": _tags(instance),
                "interfaces": [interface.id for _ignored, interface in sorted(instance.nics.items())],
            }
            for instance in every_instance(backend)
        ],
        "interfaces": [
            {
                "network_interface_id": interface.id,
                "subnet_id": interface.subnet.id,
                "addresses": [item["PrivateIpAddress"] for item in interface.private_ip_addresses],
                "instance_id": interface.instance.id if interface.instance else None,
                "device_index": interface.device_index,
                "groups": sorted(group.id for group in interface._group_set),
                "tags": _tags(interface),
            }
            for interface in backend.enis.values()
        ],
        "elastic_ips": [
            {
                "allocation_id": elastic.allocation_id,
                "public_ip": elastic.public_ip,
                "private_ip": elastic.lab_private_ip,
                "network_interface_id": elastic.eni.id if elastic.eni else None,
                "association_id": elastic.association_id,
                "tags": _tags(elastic),
            }
            for elastic in backend.addresses
        ],
        "security_groups": [
            {"group_id": group.id, "name": group.name, "vpc_id": group.vpc_id}
            for groups in backend.groups.values()
            for group in groups.values()
            if not group.is_default
        ],
        "volumes": [
            {"volume_id": volume.id, "state": volume.status, "tags": _tags(volume)}
            for volume in backend.volumes.values()
        ],
    }
