"""Network interfaces: unique private addresses in their subnets, and their associations.

- An address lies in the subnet's range, is none of the first four or the last of it, and is on one interface only
  (https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html). moto draws random ones and checks nothing.
- An interface has its own security groups and no others
  (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html); moto adds those of the instance's first.
- ``Association`` stands with the private address that carries it, in DescribeNetworkInterfaces and DescribeInstances
  (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterfacePrivateIpAddress.html).
"""

from __future__ import annotations

import copy
import ipaddress
from collections.abc import Iterable
from typing import Any

from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.models.instances import Instance
from moto.ec2.models.subnets import Subnet
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces
from moto.ec2.utils import generate_dns_from_ip

from tests.lab.aws.ground import ground
from tests.lab.aws.mends.errors import refuse
from tests.lab.aws.mends.patch import replaces, replaces_property


def prefixes_of(interface: Any) -> list[str]:
    """The IPv4 prefixes of an interface; moto's interfaces have none."""
    found: list[str] = interface.__dict__.setdefault("lab_prefixes", [])
    return found


def addresses_of(interface: Any) -> list[str]:
    """Every private address whose packets get to an interface, the primary first, those of its prefixes last."""
    own = [str(item["PrivateIpAddress"]) for item in interface.private_ip_addresses]
    return own + [str(one) for prefix in prefixes_of(interface) for one in ipaddress.IPv4Network(prefix)]


def addresses_in(backend: Any, subnet: Any) -> set[str]:
    """Every private address that is on some interface of this subnet."""
    return {
        address
        for interface in backend.enis.values()
        if interface.subnet.id == subnet.id
        for address in addresses_of(interface)
    }


def take_address(subnet: Any, used: set[str]) -> str:
    """A free address of the subnet, the next after the one given last. InsufficientFreeAddressesInSubnet if none."""
    first, last = int(subnet.cidr.network_address) + 4, int(subnet.cidr.broadcast_address) - 1
    start = ground().private_next.get(subnet.id, first)
    for candidate in (*range(start, last + 1), *range(first, start)):
        address = str(ipaddress.IPv4Address(candidate))
        if address not in used:
            ground().private_next[subnet.id] = candidate + 1
            return address
    raise refuse(
        "InsufficientFreeAddressesInSubnet",
        f"The specified subnet '{subnet.id}' does not have enough free addresses to satisfy the request.",
    )


def check_address(subnet: Any, address: str, used: set[str]) -> str:
    """The address, if it can be given on request; otherwise EC2's refusal."""
    try:
        desired = ipaddress.IPv4Address(address)
    except ValueError:
        raise refuse("InvalidParameterValue", f"Invalid IPv4 address: {address}") from None
    if desired not in subnet.cidr:
        raise refuse("InvalidParameterValue", f"Address {address} does not fall within the subnet's address range")
    offset = int(desired) - int(subnet.cidr.network_address)
    if offset < 4 or desired == subnet.cidr.broadcast_address:
        raise refuse("InvalidParameterValue", f"Address {address} is in subnet's reserved address range")
    if address in used:
        raise refuse("InvalidIPAddress.InUse", f"Address {address} is in use.")
    return address


@replaces(Subnet, "get_available_subnet_ip")
def get_available_subnet_ip(subnet: Any, instance: Any) -> str:
    """The way moto's own launches (Auto Scaling, fleets) come to an address."""
    return take_address(subnet, addresses_in(subnet.ec2_backend, subnet))


@replaces(Subnet, "request_ip")
def request_ip(subnet: Any, ip: str, instance: Any) -> None:
    check_address(subnet, ip, addresses_in(subnet.ec2_backend, subnet))


def _requested(private: Any, several: Iterable[Any]) -> list[str]:
    """The addresses a request names, the primary first."""
    named = private if isinstance(private, str) else (next(iter(private)) if private else None)
    items = [item if isinstance(item, dict) else {"PrivateIpAddress": item} for item in several]
    primary = named or next((str(i["PrivateIpAddress"]) for i in items if i.get("Primary")), None)
    others = [str(i["PrivateIpAddress"]) for i in items if str(i["PrivateIpAddress"]) != primary]
    return [primary, *others] if primary else others


_create = NetworkInterfaceBackend.create_network_interface


@replaces(NetworkInterfaceBackend, "create_network_interface")
def create_network_interface(
    backend: Any,
    subnet: Any,
    private_ip_address: Any = None,
    private_ip_addresses: list[Any] | None = None,
    *args: Any,
    secondary_ips_count: int | None = None,
    **kwargs: Any,
) -> Any:
    if isinstance(subnet, str):
        subnet = backend.get_subnet(subnet)
    used = addresses_in(backend, subnet)
    named = _requested(private_ip_address, private_ip_addresses or [])
    addresses: list[str] = []
    for address in named:
        addresses.append(check_address(subnet, address, used | set(addresses)))
    for _turn in range((0 if addresses else 1) + int(secondary_ips_count or 0)):
        addresses.append(take_address(subnet, used | set(addresses)))
    described = [{"Primary": index == 0, "PrivateIpAddress": address} for index, address in enumerate(addresses)]
    interface = _create(backend, subnet, addresses[0], described, *args, **kwargs)
    interface.private_dns_name = generate_dns_from_ip(addresses[0])
    return interface


_delete = NetworkInterfaceBackend.delete_network_interface


@replaces(NetworkInterfaceBackend, "delete_network_interface")
def delete_network_interface(backend: Any, eni_id: str) -> None:
    """An interface in use is not deleted; its Elastic IPs are disassociated with it.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkInterface.html
    """
    interface = backend.get_network_interface(eni_id)
    if interface.instance is not None:
        raise refuse("InvalidNetworkInterface.InUse", f"Network interface '{eni_id}' is currently in use.")
    for elastic in backend.addresses:
        if elastic.eni is interface:
            elastic.lab_detach()
    _delete(backend, eni_id)
    backend.tags.pop(eni_id, None)


@replaces_property(NetworkInterface, "group_set")
def group_set(interface: Any) -> Any:
    return list(interface._group_set)


def _public_ip(interface: Any) -> str | None:
    """The public address of the primary private address: an Elastic IP, or one that came with the launch."""
    elastic = interface.ec2_backend.lab_elastic_at(interface, interface.private_ip_address)
    return str(elastic.public_ip) if elastic else interface.__dict__.get("lab_auto_public_ip")


def _set_public_ip(interface: Any, address: str | None) -> None:
    interface.__dict__["lab_auto_public_ip"] = address


NetworkInterface.public_ip = property(_public_ip, _set_public_ip)


@replaces(NetworkInterface, "check_auto_public_ip")
def check_auto_public_ip(interface: Any) -> None:
    if str(interface.public_ip_auto_assign).lower() == "true":
        interface.public_ip = ground().public.take(public_addresses(interface.ec2_backend))


def public_addresses(backend: Any) -> set[str]:
    """Every public address this region gives to something."""
    elastic = {str(item.public_ip) for item in backend.addresses}
    return elastic | {str(eni.public_ip) for eni in backend.enis.values() if eni.public_ip}


def _association(interface: Any, address: str) -> dict[str, Any] | None:
    elastic = interface.ec2_backend.lab_elastic_at(interface, address)
    auto = interface.__dict__.get("lab_auto_public_ip") if address == interface.private_ip_address else None
    if elastic is not None:
        return {
            "AllocationId": elastic.allocation_id,
            "AssociationId": interface.ec2_backend.lab_association_of(elastic),
            "IpOwnerId": interface.owner_id,
            "PublicDnsName": generate_dns_from_ip(elastic.public_ip),
            "PublicIp": elastic.public_ip,
        }
    if auto:
        return {"IpOwnerId": "amazon", "PublicDnsName": generate_dns_from_ip(auto), "PublicIp": auto}
    return None


@replaces_property(NetworkInterface, "association")
def association(interface: Any) -> dict[str, Any] | None:
    return _association(interface, interface.private_ip_address)


def observed_addresses(interface: Any) -> list[dict[str, Any]]:
    """The private addresses that a reader sees."""
    found: list[dict[str, Any]] = ground().observed(f"eni:{interface.id}", interface.private_ip_addresses)
    return found


def described_addresses(interface: Any) -> list[dict[str, Any]]:
    """PrivateIpAddresses with the association of each, primary first."""
    described = []
    for item in observed_addresses(interface):
        entry = {
            "PrivateIpAddress": item["PrivateIpAddress"],
            "PrivateDnsName": generate_dns_from_ip(item["PrivateIpAddress"]),
            "Primary": bool(item["Primary"]),
        }
        associated = _association(interface, item["PrivateIpAddress"])
        described.append(entry | ({"Association": associated} if associated else {}))
    return described


@replaces_property(NetworkInterface, "instance_private_ip_address_list")
def instance_private_ip_address_list(interface: Any) -> list[dict[str, Any]]:
    return described_addresses(interface)


_describe = ElasticNetworkInterfaces.describe_network_interfaces


@replaces(ElasticNetworkInterfaces, "describe_network_interfaces")
def describe_network_interfaces(response: Any) -> Any:
    result = _describe(response)
    result.result["NetworkInterfaces"] = [_view(interface) for interface in result.result["NetworkInterfaces"]]
    return result


def _view(interface: Any) -> Any:
    """The interface as a reader sees it, who may lag behind."""
    view = copy.copy(interface)
    view.private_ip_addresses = described_addresses(interface)
    return view


_filter_value = NetworkInterface.get_filter_value


@replaces(NetworkInterface, "get_filter_value")
def get_filter_value(interface: Any, filter_name: str, method_name: str | None = None) -> Any:
    """Filters of DescribeNetworkInterfaces that moto lacks, or answers for the primary address only."""
    match filter_name:
        case "addresses.private-ip-address":
            return [item["PrivateIpAddress"] for item in observed_addresses(interface)]
        case "ipv6-addresses.ipv6-address":
            return list(interface.ipv6_addresses)
        case "attachment.device-index":
            return str(interface.device_index) if interface.instance else None
        case "addresses.association.public-ip" | "association.public-ip":
            return [a["PublicIp"] for a in _associations(interface)]
        case "association.allocation-id":
            return [a["AllocationId"] for a in _associations(interface) if "AllocationId" in a]
        case "attachment.delete-on-termination":
            return str(bool(interface.delete_on_termination)).lower()
        case "attachment.status":
            return "attached" if interface.instance else None
    return _filter_value(interface, filter_name, method_name)


def _associations(interface: Any) -> list[dict[str, Any]]:
    return [a["Association"] for a in described_addresses(interface) if "Association" in a]


def _first(instance: Any) -> Any:
    return instance.nics.get(0) if getattr(instance, "nics", None) else None


def _security_groups(instance: Any) -> list[Any]:
    """An instance's groups are those of its first interface."""
    first = _first(instance)
    return list(first._group_set) if first else list(instance.__dict__.get("lab_groups", []))


def _set_security_groups(instance: Any, groups: list[Any]) -> None:
    first = _first(instance)
    if first:
        first._group_set = list(groups)
    else:
        instance.__dict__["lab_groups"] = list(groups)


Instance.security_groups = property(_security_groups, _set_security_groups)
