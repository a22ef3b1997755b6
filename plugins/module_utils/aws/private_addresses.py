# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2's calls that give an interface secondary private addresses, prefixes and IPv6 addresses, one function each.

Writes that take something from another interface are made once: the caller judges the state again before a retry.
"""

from __future__ import annotations

from collections.abc import Sequence

from .client import Client
from .errors import aws_call


@aws_call("assign {addresses} to {network_interface_id}", retries=0)
def assign_private_ip_addresses(client: Client, network_interface_id: str, addresses: Sequence[str]) -> None:
    """AssignPrivateIpAddresses with AllowReassignment: all addresses in one step, from whatever interface has them.

    Elastic IPs on the addresses move with them (EC2 API reference, AssignPrivateIpAddresses).
    """
    client.assign_private_ip_addresses(
        NetworkInterfaceId=network_interface_id, PrivateIpAddresses=list(addresses), AllowReassignment=True
    )


@aws_call("assign prefixes {prefixes} to {network_interface_id}")
def assign_prefixes(client: Client, network_interface_id: str, prefixes: Sequence[str]) -> None:
    """AssignPrivateIpAddresses with Ipv4Prefixes. Safe to repeat: a prefix that another interface has is refused."""
    client.assign_private_ip_addresses(NetworkInterfaceId=network_interface_id, Ipv4Prefixes=list(prefixes))


@aws_call("unassign prefixes {prefixes} from {network_interface_id}", retries=0)
def unassign_prefixes(client: Client, network_interface_id: str, prefixes: Sequence[str]) -> None:
    client.unassign_private_ip_addresses(NetworkInterfaceId=network_interface_id, Ipv4Prefixes=list(prefixes))


@aws_call("assign {addresses} to {network_interface_id}")
def assign_ipv6_addresses(client: Client, network_interface_id: str, addresses: Sequence[str]) -> None:
    """AssignIpv6Addresses. Safe to repeat: an address that another interface has is refused."""
    client.assign_ipv6_addresses(NetworkInterfaceId=network_interface_id, Ipv6Addresses=list(addresses))


@aws_call("unassign {addresses} from {network_interface_id}", retries=0)
def unassign_ipv6_addresses(client: Client, network_interface_id: str, addresses: Sequence[str]) -> None:
    client.unassign_ipv6_addresses(NetworkInterfaceId=network_interface_id, Ipv6Addresses=list(addresses))
