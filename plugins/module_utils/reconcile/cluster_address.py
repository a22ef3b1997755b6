# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The address of a cluster (CLIP) at EC2: a private address of the interface of the node that forms it.

Afterwards the appliances move it themselves when another node becomes coordinator.
"""

from __future__ import annotations

from typing import Any

from ..core.errors import Failure, Refusal
from ..core.nitro_wire import parse_address
from .instance_status import ec2_client


def assign_with(region: str | None, network_interface_id: str, clip: str, *, check: bool) -> bool:
    """As ``assign_clip``, with credentials of the environment. Raises Failure."""
    try:
        client = ec2_client(region)
    except ImportError:
        raise Failure("clip_interface needs the Python libraries boto3 and botocore on this machine") from None
    return assign_clip(client, network_interface_id, clip, check=check)


def assign_clip(client: Any, network_interface_id: str, clip: str, *, check: bool) -> bool:
    """Assign the address to the interface if no interface has it; True if that was, or would be, a change.

    Args:
        client: A client of EC2.
        network_interface_id: The management interface of the node that forms the cluster.
        clip: The address, with or without a port.
        check: Nothing is written.

    Raises:
        Refusal: Another interface has the address, or there is no such interface.
        AwsError: EC2 refused.
    """
    from ..aws import ec2  # only here: members that join need no boto3

    address = parse_address(clip)[0]
    found = ec2.describe_network_interfaces(client, {"network-interface-id": [network_interface_id]})
    if not found:
        raise Refusal(f"clip_interface: EC2 knows no {network_interface_id}; nothing was assigned")
    subnet = str(found[0].get("SubnetId"))
    holders = ec2.describe_network_interfaces(
        client, {"subnet-id": [subnet], "addresses.private-ip-address": [address]}
    )
    if any(one["NetworkInterfaceId"] == network_interface_id for one in holders):
        return False
    if holders:
        raise Refusal(
            f"clip {address} belongs to {holders[0]['NetworkInterfaceId']} in {subnet}, not to {network_interface_id}; "
            "nothing was assigned. Give a free address, or take it from that interface"
        )
    if not check:
        ec2.assign_private_ip_address(client, network_interface_id, address)
    return True
