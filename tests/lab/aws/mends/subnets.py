"""IPv6 ranges of subnets: the state that DescribeSubnets gives is a word, "associated", and not a structure's text.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SubnetCidrBlockState.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.subnets import Subnet

from tests.lab.aws.mends.patch import replaces_property


@replaces_property(Subnet, "ipv6_cidr_block_association_set")
def ipv6_cidr_block_association_set(subnet: Any) -> list[dict[str, Any]]:
    """Return the ranges that are associated."""
    ranges = subnet.ipv6_cidr_block_associations.values()
    return [dict(one) for one in ranges if one["ipv6CidrBlockState"]["State"] == "associated"]
