"""Addresses of clusters in a lab's subnets."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from tests.lab.client import LabClient

#: The place of a CLIP in its subnet, beyond the addresses that EC2 assigns.
OFFSET = 250


def with_clips(lab: LabClient, zones: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """These zones of a group, each with an address for its cluster."""
    asked = [zone["management_subnet_id"] for zone in zones]
    found = lab.boto("ec2").describe_subnets(SubnetIds=asked)["Subnets"]
    networks = {subnet["SubnetId"]: ipaddress.ip_network(subnet["CidrBlock"]) for subnet in found}
    return [{**zone, "clip": str(networks[zone["management_subnet_id"]][OFFSET])} for zone in zones]
