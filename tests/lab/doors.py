"""Where clients of this machine find the lab's IPv6 addresses: in 127/8, because a machine's only IPv6 one is ::1.

A lab has the addresses N.224.0 to N.239.255 of its public /16 for that. The third number comes from the lowest byte of
the address's /64 (of a subnet: the third number of its IPv4 range), the fourth from the address's last byte. What
packets meet is decided with IPv6 addresses: of the virtual server, and of the client, which is outside of every VPC.
"""

from __future__ import annotations

import ipaddress

FIRST = 224
COUNT = 16
#: The byte of the /64 from which addresses outside of every VPC come; no subnet of the seed has its place.
ROUTED_BYTE = 14


def door_of(address: str, public_network: str) -> str:
    """Return the address of 127/8 at which an address is reached; an IPv4 address is its own.

    Args:
        address: of either IP version.
        public_network: the first half of the lab's public addresses, such as 127.11.
    """
    if ":" not in address:
        return address
    number = int(ipaddress.IPv6Address(address))
    return f"{public_network}.{FIRST + (number >> 64) % COUNT}.{number & 0xFF}"


def caller_of(source: str, destination: str) -> str:
    """Return the address from which a client comes: of the IP version of the one that it calls."""
    if ":" not in destination:
        return source
    return str(ipaddress.IPv6Address("2001:db8:ffff::") + int(ipaddress.IPv4Address(source)))
