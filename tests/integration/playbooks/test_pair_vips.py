"""Pairs whose VIPs are routes and private addresses: built, switched over, and repaired after a loss."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.lab.client import LabClient, wait_for
from tests.lab.doors import door_of
from tests.observe import Node, Observer
from tests.stage import Stage, StageError, variables

PACE = 300
FAILOVER = variables(ha_failover_name="lab-pair")


@dataclass
class Client:
    """Opens connections to one address again and again; ``failed``: when it got none."""

    address: str
    port: int
    failed: list[float] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def once(self) -> bool:
        try:
            with socket.create_connection((self.address, self.port), timeout=1):
                return True
        except OSError:
            return False

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            if not self.once():
                self.failed.append(time.monotonic())

    def __enter__(self) -> Client:
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()

    @property
    def dark(self) -> float:
        """Seconds from the first to the last connection that failed."""
        return self.failed[-1] - self.failed[0] if self.failed else 0.0


@dataclass
class Site:
    """A pair of the lab with VIPs. ``vips``: their addresses by name; ``following``: the Elastic IP on one of them."""

    stage: Stage
    vips: Mapping[str, str]
    following: str = ""

    @property
    def lab(self) -> LabClient:
        return self.stage.lab

    def client(self, name: str) -> Client:
        public = ".".join(f"{int(part) + number}" for number, part in enumerate(self.vpc_network))
        address = self.vips.get(name, self.following)
        return Client(door_of(address, public), self.lab.variables("ha_pair")["ha_pair_application"]["port"])

    @property
    def vpc_network(self) -> list[str]:
        return str(self.lab.state()["seed_data"]["vpc_cidr"]).split(".")[:2]

    def primary(self) -> Node:
        return Observer(self.lab).primary()

    def holders(self) -> dict[str, str | None]:
        """Return the interface that each VIP leads to."""
        ec2 = self.lab.boto("ec2")
        interfaces = ec2.describe_network_interfaces()["NetworkInterfaces"]
        found: dict[str, str | None] = {
            one["PrivateIpAddress"]: interface["NetworkInterfaceId"]
            for interface in interfaces
            for one in interface["PrivateIpAddresses"]
        }
        found |= {
            one["Ipv6Address"]: interface["NetworkInterfaceId"]
            for interface in interfaces
            for one in interface["Ipv6Addresses"]
        }
        for table in ec2.describe_route_tables()["RouteTables"]:
            for route in table["Routes"]:
                if str(route.get("NetworkInterfaceId")).startswith("eni-"):
                    destination = route.get("DestinationCidrBlock") or route["DestinationIpv6CidrBlock"]
                    found[destination.partition("/")[0]] = route["NetworkInterfaceId"]
        found |= {one["PublicIp"]: one.get("NetworkInterfaceId") for one in ec2.describe_addresses()["Addresses"]}
        following = {"following": self.following} if self.following else {}
        return {name: found.get(address) for name, address in {**self.vips, **following}.items()}


def build(lab: LabClient, nodes: tuple[int, int], vips: Any, **more: Any) -> Stage:
    """Build the pair of the lab in these zones, with VIPs instead of its Elastic IP."""
    lab.pace(PACE)
    given = lab.variables("ha_pair")
    subnets = list(lab.state()["seed_data"]["subnets"].values())
    given |= {
        "ha_pair_nodes": [{f"{role}_subnet_id": name for role, name in subnets[zone].items()} for zone in nodes],
        "ha_pair_vips": vips,
        "ha_pair_client_cidrs": ["0.0.0.0/0", "::/0"],
        **more,
    }
    path = lab.variables_path("ha_pair")
    path.write_text(json.dumps(given))
    stage = Stage(lab, quick=True)
    stage.play("ha_pair")
    return stage


def address_of(lab: LabClient, role: str, host: int) -> str:
    """Return an address of the subnet of a role in the first zone."""
    network = ipaddress.ip_network(lab.state()["seed_data"]["vpc_cidr"])
    offset = {"client": 11, "server": 21}[role]
    return str(network.network_address + 256 * offset + host)


def ipv6_of(lab: LabClient, role: str, host: int) -> str:
    """An IPv6 address of the subnet of a role in the first zone."""
    network = ipaddress.ip_network(lab.state()["seed_data"]["vpc_ipv6_cidr"])
    return str(network.network_address + ({"client": 11}[role] << 64) + host)


@pytest.fixture(scope="module")
def routed(lab: LabClient) -> Iterator[Site]:
    lab.reset()
    seed = lab.state()["seed_data"]
    address, ipv6 = (str(ipaddress.ip_network(seed[name])[9]) for name in ("routed_cidr", "routed_ipv6_cidr"))
    [table] = lab.boto("ec2").describe_route_tables(Filters=[{"Name": "tag:Name", "Values": ["lab"]}])["RouteTables"]
    vips = [
        {
            "name": "internal",
            "kind": "route",
            "virtual_ip": address,
            "ipv6_address": ipv6,
            "route_table_ids": [table["RouteTableId"]],
        },
        {"name": "public", "kind": "elastic_ip"},
    ]
    yield Site(build(lab, (0, 1), vips), {"internal": address, "ipv6": ipv6})
    lab.reset()


@pytest.fixture(scope="module")
def shared(lab: LabClient) -> Iterator[Site]:
    lab.reset()
    vip, snip = address_of(lab, "client", 200), address_of(lab, "server", 201)
    ipv6, alone = ipv6_of(lab, "client", 200), ipv6_of(lab, "client", 202)
    elastic = lab.boto("ec2").allocate_address(Domain="vpc")
    web = {"name": "web", "kind": "private_ip", "private_ip_address": vip, "ipv6_address": ipv6}
    vips = [
        {**web, "elastic_ip": elastic["AllocationId"]},
        {"name": "alone", "kind": "private_ip", "private_ip_address": alone},
    ]
    stage = build(lab, (0, 0), vips, ha_pair_inc=False, ha_pair_snip=snip)
    yield Site(stage, {"web": vip, "snip": snip, "ipv6": ipv6, "alone": alone}, elastic["PublicIp"])
    lab.reset()


def on_primary(site: Site) -> bool:
    """Whether everything leads to an interface of the primary."""
    node = site.primary()
    ec2 = site.lab.boto("ec2")
    found = ec2.describe_network_interfaces(Filters=[{"Name": "attachment.instance-id", "Values": [node.instance_id]}])
    own = {one["NetworkInterfaceId"] for one in found["NetworkInterfaces"]}
    return set(site.holders().values()) <= own


def check_pair(site: Site, *names: str) -> None:
    """Built, again without a write, switched over within a second, and put right after the primary was lost."""
    clients, lab = [site.client(name) for name in names], site.lab

    def served() -> bool:
        return all(client.once() for client in clients)

    assert on_primary(site)
    wait_for(served, "clients are served", seconds=10)
    before = len(lab.writes())
    site.stage.play("ha_pair")
    assert lab.writes()[before:] == []

    old = site.primary().instance_id
    with contextlib.ExitStack() as stack:
        for client in clients:
            stack.enter_context(client)
        site.stage.play("ha_failover", *FAILOVER)
        time.sleep(0.2)
    assert site.primary().instance_id != old
    assert on_primary(site)
    assert served()
    dark = {name: client.dark for name, client in zip(names, clients, strict=True)}
    print(dark)
    assert max(dark.values()) < 1.0, dark

    lost = site.primary().instance_id
    lab.power(lost, on=False)
    wait_for(lambda: _other_is_primary(site, lost), "the other takes over", seconds=20)
    site.stage.play("ha_failover", *FAILOVER, *variables(ha_failover_mode="reconcile"))
    assert on_primary(site)
    wait_for(served, "clients are served again", seconds=5)


def _other_is_primary(site: Site, lost: str) -> bool:
    try:
        return site.primary().instance_id != lost
    except StageError:
        return False


@pytest.mark.timeout(600)
def test_routes_and_elastic_ips_follow_the_primary_in_any_zone(routed: Site) -> None:
    check_pair(routed, "internal", "ipv6")
    routed.stage.play("ha_pair", *variables(ha_pair_state="absent"))
    assert routed.holders() == {"internal": None, "ipv6": None}


@pytest.mark.timeout(600)
def test_nodes_that_share_their_network_configuration_take_their_private_addresses_along(shared: Site) -> None:
    check_pair(shared, "web", "ipv6", "alone", "following")
