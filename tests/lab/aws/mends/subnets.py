"""IPv6 ranges of subnets: the state that DescribeSubnets gives is a word, "associated", and not a structure's text.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SubnetCidrBlockState.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.subnets import Subnet

from tests.lab.aws.mends.patch import replaces

_attach = Subnet.attach_ipv6_cidr_block_associations


@replaces(Subnet, "attach_ipv6_cidr_block_associations")
def attach_ipv6_cidr_block_associations(subnet: Any, ipv6_cidr_block: str) -> dict[str, Any]:
    association: dict[str, Any] = _attach(subnet, ipv6_cidr_block)
    association["ipv6CidrBlockState"] = "associated"
    return association
