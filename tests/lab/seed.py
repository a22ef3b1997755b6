"""What an account holds before the first playbook runs: a network in three zones, a key pair, and a hosted zone.
(Images are there.)

Subnets of the VPC N.0.0/16, in the zones a, b, c: management N.1.0/24, N.2.0/24, N.3.0/24; client N.11.0/24 and so on;
server N.21.0/24 and so on. Their route table leads to an internet gateway.
Besides these, without a way to the world outside: private management subnets N.31.0/24 and so on, and application
subnets N.200.0/24, N.201.0/24, N.202.0/24. The lab's own back ends live in the first of the latter.
Private addresses outside of the VPC, for virtual servers that routes lead to, are those of (N+1).240.0/20.
The VPC and every subnet have an IPv6 range as well: the lowest byte of a subnet's /64 is the third number of its IPv4
range. IPv6 addresses outside of the VPC are those of ``ROUTED_IPV6``. Clients reach them by doors (`tests.lab.doors`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.lab.aws import LINUX_IMAGE_ID, VPX_IMAGE_ID
from tests.lab.aws.ground import ROUTED
from tests.lab.doors import ROUTED_BYTE
from tests.lab.inprocess import Clients

NAME = "lab"
DOMAIN = "lab.example"
ZONES = ("a", "b", "c")
ROLES = {"management": 0, "client": 10, "server": 20}
PRIVATE_ROLES = {"management": 30, "application": 199}
ROUTED_IPV6 = str(ipaddress.IPv6Network((0xFD00_0007 << 96 | ROUTED_BYTE << 64, 64)))


@dataclass(frozen=True, slots=True)
class Seed:
    """The ids of what was made. ``subnets``, and ``private_subnets`` with no way out: zone name → role → subnet id."""

    region: str
    vpc_id: str
    vpc_cidr: str
    routed_cidr: str
    vpc_ipv6_cidr: str
    image_id: str
    other_image_id: str
    key_name: str
    subnets: dict[str, dict[str, str]]
    private_subnets: dict[str, dict[str, str]]

    def state(self) -> dict[str, Any]:
        return {
            "region": self.region,
            "vpc_id": self.vpc_id,
            "vpc_cidr": self.vpc_cidr,
            "routed_cidr": self.routed_cidr,
            "vpc_ipv6_cidr": self.vpc_ipv6_cidr,
            "routed_ipv6_cidr": ROUTED_IPV6,
            "image_id": self.image_id,
            "other_image_id": self.other_image_id,
            "key_name": self.key_name,
            "subnets": self.subnets,
            "private_subnets": self.private_subnets,
        }


def sow(clients: Clients, network: str, region: str) -> Seed:
    """Make it all in an empty account. ``network``: the first half of the lab's private addresses, such as 127.10."""
    ec2 = clients.client("ec2")
    cidr = f"{network}.0.0/16"
    vpc = ec2.create_vpc(CidrBlock=cidr, AmazonProvidedIpv6CidrBlock=True, TagSpecifications=_named("vpc", NAME))["Vpc"]
    vpc_id, ipv6 = vpc["VpcId"], vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    subnets: dict[str, dict[str, str]] = {}
    private: dict[str, dict[str, str]] = {}
    for number, letter in enumerate(ZONES, start=1):
        zone = f"{region}{letter}"
        for made, roles, prefix in ((subnets, ROLES, NAME), (private, PRIVATE_ROLES, f"{NAME}-private")):
            made[zone] = {
                role: _subnet(ec2, vpc_id, zone, _ranges(network, ipv6, offset + number), f"{prefix}-{role}-{letter}")
                for role, offset in roles.items()
            }
    _open_to_the_world(ec2, vpc_id, _ids(subnets))
    _associate(ec2, _table(ec2, vpc_id, f"{NAME}-private"), _ids(private))
    # One reference a sowing: Route 53 makes one zone of a reference.
    clients.client("route53").create_hosted_zone(Name=DOMAIN, CallerReference=vpc_id)
    ec2.create_key_pair(KeyName=NAME, TagSpecifications=_named("key-pair", NAME))
    return Seed(
        region=region,
        vpc_id=vpc_id,
        vpc_cidr=cidr,
        routed_cidr=_routed(network),
        vpc_ipv6_cidr=ipv6,
        image_id=VPX_IMAGE_ID,
        other_image_id=LINUX_IMAGE_ID,
        key_name=NAME,
        subnets=subnets,
        private_subnets=private,
    )


def _routed(network: str) -> str:
    first, second = network.split(".")
    return f"{first}.{int(second) + 1}.{ROUTED // 256}.0/20"


def _ids(subnets: dict[str, dict[str, str]]) -> list[str]:
    return [subnet_id for roles in subnets.values() for subnet_id in roles.values()]


def _ranges(network: str, ipv6: str, number: int) -> dict[str, str]:
    """The ranges of the subnet with this number, of the VPC's /16 and of its /56."""
    first = int(ipaddress.IPv6Network(ipv6).network_address) + (number << 64)
    return {"CidrBlock": f"{network}.{number}.0/24", "Ipv6CidrBlock": str(ipaddress.IPv6Network((first, 64)))}


def _subnet(ec2: Any, vpc_id: str, zone: str, ranges: dict[str, str], name: str) -> str:
    answer = ec2.create_subnet(VpcId=vpc_id, AvailabilityZone=zone, TagSpecifications=_named("subnet", name), **ranges)
    return str(answer["Subnet"]["SubnetId"])


def _open_to_the_world(ec2: Any, vpc_id: str, subnet_ids: Iterable[str]) -> None:
    gateway = ec2.create_internet_gateway(TagSpecifications=_named("internet-gateway", NAME))["InternetGateway"]
    gateway_id = gateway["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc_id)
    table_id = _table(ec2, vpc_id, NAME)
    ec2.create_route(RouteTableId=table_id, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway_id)
    ec2.create_route(RouteTableId=table_id, DestinationIpv6CidrBlock="::/0", GatewayId=gateway_id)
    _associate(ec2, table_id, subnet_ids)


def _table(ec2: Any, vpc_id: str, name: str) -> str:
    table = ec2.create_route_table(VpcId=vpc_id, TagSpecifications=_named("route-table", name))["RouteTable"]
    return str(table["RouteTableId"])


def _associate(ec2: Any, table_id: str, subnet_ids: Iterable[str]) -> None:
    for subnet_id in subnet_ids:
        ec2.associate_route_table(RouteTableId=table_id, SubnetId=subnet_id)


def _named(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]
