"""A NAT gateway has a free address of its subnet; moto draws one anywhere, which no interface can have.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html: "If you do not provide an address,
a private IPv4 address will be automatically assigned".
"""

from __future__ import annotations

from moto.ec2.models import nat_gateways

from tests.lab.aws.mends.patch import replaces


@replaces(nat_gateways, "random_private_ip")
def random_private_ip() -> None:
    """No address: the interface that is made next takes a free one."""
