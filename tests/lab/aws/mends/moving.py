"""Secondary private addresses, IPv6 addresses and prefixes that move from interface to interface.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html:
- "AllowReassignment: Indicates whether to allow an IP address that is already assigned to another network interface or
  instance to be reassigned to the specified network interface"; without it the address is in use;
- "When you move a secondary private IP address to another network interface, any Elastic IP address that is associated
  with the IP address is also moved";
- "Remapping an IP address is an asynchronous operation": readers may see the past (`Settings.lag`);
- addresses, a number of them, prefixes and a number of those exclude each other.
The number of private addresses of an interface depends on the instance type, a prefix counts as one
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/AvailableIpPerENI.html): PrivateIpAddressLimitExceeded.
A primary private address does not move
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html#ip-addressing-eips).

Pessimistic where the documentation is silent: an Elastic IP that follows gets a new association id, prefixes and IPv6
addresses are never reassigned (they have no AllowReassignment of their own), and an address that is unassigned from an
interface which does not have it is refused. moto moves nothing and checks nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces
from moto.ec2.utils import random_eip_association_id

from tests.lab.aws.ground import ground
from tests.lab.aws.mends.addresses import Holding, put
from tests.lab.aws.mends.errors import refuse
from tests.lab.aws.mends.interfaces import addresses_in, check_address, prefixes_of, take_address
from tests.lab.aws.mends.patch import replaces, replaces_property

PREFIX_LENGTH = 28
_KINDS = ("PrivateIpAddresses", "SecondaryPrivateIpAddressCount", "Ipv4Prefixes", "Ipv4PrefixCount")


@replaces_property(NetworkInterface, "ipv4_prefixes")
def ipv4_prefixes(interface: Any) -> list[dict[str, str]]:
    """Ipv4Prefixes of DescribeNetworkInterfaces."""
    return [{"Ipv4Prefix": prefix} for prefix in prefixes_of(interface)]


def _remember(interface: Any) -> None:
    """What lagging readers still see (see ``interfaces.observed_addresses``)."""
    ground().remember(f"eni:{interface.id}", list(interface.private_ip_addresses))


def _holder(backend: Any, interface: Any, address: str) -> Any:
    """The other interface of the same subnet that has this address, or None."""
    for other in backend.enis.values():
        if other is interface or other.subnet.id != interface.subnet.id:
            continue
        if any(item["PrivateIpAddress"] == address for item in other.private_ip_addresses):
            return other
    return None


def _refuse_beyond_limit(interface: Any, added: int) -> None:
    if interface.instance is None:
        return
    limits = INSTANCE_TYPES.get(interface.instance.instance_type, {}).get("NetworkInfo", {})
    limit = limits.get("Ipv4AddressesPerInterface")
    count = len(interface.private_ip_addresses) + len(prefixes_of(interface)) + added
    if limit is not None and count > int(limit):
        raise refuse("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")


@replaces(NetworkInterfaceBackend, "assign_private_ip_addresses")
def assign_private_ip_addresses(
    backend: Any,
    eni_id: str,
    private_ip_addresses: list[str] | None = None,
    secondary_ips_count: int | None = None,
    allow_reassignment: bool = False,
) -> list[str]:
    """Return what was assigned; all of it, or the refusal of one and none."""
    interface = backend.get_network_interface(eni_id)
    own = {str(item["PrivateIpAddress"]) for item in interface.private_ip_addresses}
    used = addresses_in(backend, interface.subnet)
    added = [address for address in private_ip_addresses or [] if address not in own]
    moved = []
    for address in added:
        holder = _holder(backend, interface, address)
        if holder is None or not allow_reassignment:
            check_address(interface.subnet, address, used)
        elif holder.private_ip_address == address:
            raise refuse("InvalidParameterValue", f"Address {address} is the primary address of {holder.id}")
        else:
            moved.append((address, holder))
    for _turn in range(int(secondary_ips_count or 0)):
        added.append(take_address(interface.subnet, used | set(added)))
    _refuse_beyond_limit(interface, len(added))
    _remember(interface)
    for address, holder in moved:
        _take_from(holder, address)
    interface.private_ip_addresses.extend({"Primary": False, "PrivateIpAddress": address} for address in added)
    for address, holder in moved:
        _follow(backend, address, holder, interface)
    return added


def _take_from(holder: Any, address: str) -> None:
    _remember(holder)
    holder.private_ip_addresses[:] = [
        item for item in holder.private_ip_addresses if item["PrivateIpAddress"] != address
    ]


def _follow(backend: Any, address: str, holder: Any, interface: Any) -> None:
    for elastic in backend.addresses:
        if elastic.eni is holder and elastic.lab_private_ip == address:
            put(elastic, Holding(interface, address, random_eip_association_id()))


@replaces(NetworkInterfaceBackend, "unassign_private_ip_addresses")
def unassign_private_ip_addresses(backend: Any, eni_id: str, private_ip_address: list[str] | None = None) -> Any:
    """An Elastic IP on an address that is unassigned is disassociated with it.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UnassignPrivateIpAddresses.html
    """
    interface = backend.get_network_interface(eni_id)
    for address in private_ip_address or []:
        item = next((i for i in interface.private_ip_addresses if i["PrivateIpAddress"] == address), None)
        if item is None or item["Primary"]:
            raise _not_assigned(eni_id, address)
        _take_from(interface, address)
        for elastic in backend.addresses:
            if elastic.eni is interface and elastic.lab_private_ip == address:
                elastic.lab_detach()
    return interface


def _not_assigned(eni_id: str, what: str) -> Exception:
    return refuse(
        "InvalidParameterValue", f"Some of the private IP addresses are not assigned to interface {eni_id}: {what}"
    )


# Prefixes


def _assign_prefixes(backend: Any, interface: Any, prefixes: Iterable[str]) -> list[str]:
    added = [prefix for prefix in prefixes if prefix not in prefixes_of(interface)]
    for prefix in added:
        _check_prefix(backend, interface, prefix)
    _refuse_beyond_limit(interface, len(added))
    prefixes_of(interface).extend(added)
    return added


def _check_prefix(backend: Any, interface: Any, prefix: str) -> None:
    """A prefix is a /28 within the subnet's range, and overlaps nothing that is assigned
    (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-prefix-eni.html).
    """
    try:
        network = ipaddress.IPv4Network(prefix)
    except ValueError:
        raise refuse("InvalidParameterValue", f"Invalid IPv4 prefix: {prefix}") from None
    if network.prefixlen != PREFIX_LENGTH or not network.subnet_of(interface.subnet.cidr):
        raise refuse("InvalidParameterValue", f"Prefix {prefix} is no /28 within the subnet's address range")
    taken = {ipaddress.IPv4Address(address) for address in addresses_in(backend, interface.subnet)}
    if any(address in network for address in taken):
        raise refuse("InvalidIPAddress.InUse", f"Prefix {prefix} is in use.")


# Requests


@replaces(ElasticNetworkInterfaces, "assign_private_ip_addresses")
def assign(response: Any) -> Any:
    backend = response.ec2_backend
    named = [name for name in _KINDS if response._get_param(name)]
    if len(named) != 1:
        raise refuse("InvalidParameterCombination", f"Exactly one of {', '.join(_KINDS)} must be specified")
    interface = backend.get_network_interface(response._get_param("NetworkInterfaceId"))
    response.error_on_dryrun()
    addresses, prefixes = [], []
    if named[0].startswith("Ipv4Prefix"):
        prefixes = _assign_prefixes(backend, interface, response._get_param("Ipv4Prefixes", []))
    else:
        addresses = backend.assign_private_ip_addresses(
            interface.id,
            response._get_param("PrivateIpAddresses", []),
            response._get_int_param("SecondaryPrivateIpAddressCount", 0),
            response._get_param("AllowReassignment") is True,
        )
    return ActionResult(
        {
            "NetworkInterfaceId": interface.id,
            "AssignedPrivateIpAddresses": [{"PrivateIpAddress": address} for address in addresses],
            "AssignedIpv4Prefixes": [{"Ipv4Prefix": prefix} for prefix in prefixes],
        }
    )


@replaces(ElasticNetworkInterfaces, "unassign_private_ip_addresses")
def unassign(response: Any) -> Any:
    backend = response.ec2_backend
    interface = backend.get_network_interface(response._get_param("NetworkInterfaceId"))
    response.error_on_dryrun()
    for prefix in response._get_param("Ipv4Prefixes", []):
        if prefix not in prefixes_of(interface):
            raise _not_assigned(interface.id, prefix)
        prefixes_of(interface).remove(prefix)
    backend.unassign_private_ip_addresses(interface.id, response._get_param("PrivateIpAddresses", []))
    return EmptyResult()


@replaces(ElasticNetworkInterfaces, "assign_ipv6_addresses")
def assign_ipv6(response: Any) -> Any:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignIpv6Addresses.html: nothing is reassigned."""
    backend = response.ec2_backend
    interface = backend.get_network_interface(response._get_param("NetworkInterfaceId"))
    named = [address for address in response._get_param("Ipv6Addresses", []) if address not in interface.ipv6_addresses]
    for address in named:
        _check_ipv6(backend, interface, address)
    response.error_on_dryrun()
    backend.assign_ipv6_addresses(interface.id, named, response._get_int_param("Ipv6AddressCount", 0))
    return ActionResult({"NetworkInterfaceId": interface.id, "AssignedIpv6Addresses": interface.ipv6_addresses})


def _check_ipv6(backend: Any, interface: Any, address: str) -> None:
    ranges = [item["ipv6CidrBlock"] for item in interface.subnet.ipv6_cidr_block_associations.values()]
    if not any(ipaddress.IPv6Address(address) in ipaddress.IPv6Network(one) for one in ranges):
        raise refuse("InvalidParameterValue", f"Address {address} does not fall within the subnet's address range")
    if any(address in other.ipv6_addresses for other in backend.enis.values()):
        raise refuse("InvalidIPAddress.InUse", f"Address {address} is in use.")


@replaces(ElasticNetworkInterfaces, "unassign_ipv6_addresses")
def unassign_ipv6(response: Any) -> Any:
    backend = response.ec2_backend
    interface = backend.get_network_interface(response._get_param("NetworkInterfaceId"))
    named = response._get_param("Ipv6Addresses", [])
    for address in named:
        if address not in interface.ipv6_addresses:
            raise _not_assigned(interface.id, address)
    response.error_on_dryrun()
    backend.unassign_ipv6_addresses(interface.id, named)
    return ActionResult({"NetworkInterfaceId": interface.id, "UnassignedIpv6Addresses": named})
