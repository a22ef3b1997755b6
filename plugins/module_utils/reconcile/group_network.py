# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the nodes of a zone reach back ends, and how replies reach clients: from the subnets of a VPC. Pure.

The gateway of a subnet is its second address (VPC user guide, Subnet sizing).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Any

from .missing_subnets import MISSING

Described = Sequence[Mapping[str, Any]]
Zone = Mapping[str, Any]


def zone_network(
    zone: Zone, definition: Mapping[str, Any], subnets: Described, backend_subnet_ids: Iterable[str] = ()
) -> dict[str, Any]:
    """Return what vpx_network needs for the nodes of a zone.

    Args:
        zone: an entry of the definition's zones.
        definition: the group.
        subnets: the subnets of the VPC, as EC2 describes them.
        backend_subnet_ids: subnets of Auto Scaling groups whose instances are back ends.
    """
    networks = networks_of(subnets)
    server, client = networks.get(zone["server_subnet_id"]), networks.get(zone["client_subnet_id"])
    found: dict[str, Any] = {
        "server_netmask": str(server.netmask) if server else "",
        "client_netmask": str(client.netmask) if client else "",
        "routes": [],
        "return_gateways": [],
        "protected_networks": _management(definition, networks),
    }
    if server is None:
        return found
    if definition["return_path"] == "pbr":
        sides = [network for network in (client, server) if network]
        found["return_gateways"] = [{"network": str(one), "gateway": gateway(one)} for one in dict.fromkeys(sides)]
    desired = [
        *_backend_networks(definition, networks, backend_subnet_ids),
        *map(_network, definition["backend_cidrs"]),
    ]
    managed = networks.get(zone["management_subnet_id"])
    found["routes"] = [
        {"network": str(network), "gateway": gateway(server)}
        for network in dict.fromkeys(desired)
        if network not in (server, managed)
    ]
    return found


def networks_of(subnets: Described) -> dict[str, IPv4Network]:
    """Return the network of each subnet by id."""
    return {one["SubnetId"]: _network(one["CidrBlock"]) for one in subnets}


def gateway(network: IPv4Network) -> str:
    """Return the address of the VPC's router in a subnet."""
    return str(network.network_address + 1)


def _network(text: str) -> IPv4Network:
    return IPv4Network(text, strict=False)


def _management(definition: Mapping[str, Any], networks: Mapping[str, IPv4Network]) -> list[str]:
    """Return the management subnets of all zones, which no route may cover."""
    ids = dict.fromkeys(zone["management_subnet_id"] for zone in definition["zones"])
    return [str(networks[one]) for one in ids if one in networks]


def _backend_networks(
    definition: Mapping[str, Any], networks: Mapping[str, IPv4Network], subnet_ids: Iterable[str]
) -> list[IPv4Network]:
    """Return the subnets with back ends; an address outside of them needs autoscale_group_backend_cidrs."""
    addresses = [_address(each["address"]) for one in definition["applications"] for each in one["backends"]]
    found = [networks[one] for one in subnet_ids if one in networks]
    for address in addresses:
        found += [network for network in networks.values() if address and address in network]
    return sorted(set(found))


def _address(text: str) -> IPv4Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address if isinstance(address, IPv4Address) else None


def route_problems(
    definition: Mapping[str, Any], subnets: Described, variable: str = "autoscale_group_backend_cidrs"
) -> list[str]:
    """Return a message for each declared network whose route would take the way of management traffic away.

    ``variable``: the one with the networks, for the message.
    """
    networks = networks_of(subnets)
    problems = []
    for text in definition["backend_cidrs"]:
        for managed in _management(definition, networks):
            if _network(text).overlaps(_network(managed)):
                problems.append(
                    f"{variable}: {text} contains the management subnet {managed}; packets of the "
                    "management addresses would leave by the server interface, and EC2 would drop them. Name the "
                    "subnets of the back ends."
                )
    return problems


def subnet_problems(definition: Mapping[str, Any], subnets: Described) -> list[str]:
    """Return a message for each subnet that does not exist or is not where it must be."""
    known = {one["SubnetId"]: one for one in subnets}
    desired = list(dict.fromkeys(zone[key] for zone in definition["zones"] for key in _SUBNETS if zone[key]))
    problems = [f"{MISSING}{one} in this account and region." for one in desired if one not in known]
    vpcs = sorted({known[one]["VpcId"] for one in desired if one in known})
    if len(vpcs) > 1:
        problems.append(f"The subnets must be in one VPC; they are in {', '.join(vpcs)}.")
    for zone in definition["zones"]:
        problems += _zone_problems(zone, known)
    return problems


_SUBNETS = ("management_subnet_id", "client_subnet_id", "server_subnet_id")


def _zone_problems(zone: Zone, known: Mapping[str, Mapping[str, Any]]) -> list[str]:
    placed = {zone[key]: known[zone[key]]["AvailabilityZone"] for key in _SUBNETS if zone[key] in known}
    problems = [
        f"Subnet {subnet} of zone {zone['name']} is in {place}."
        for subnet, place in placed.items()
        if place != zone["name"]
    ]
    management = known.get(zone["management_subnet_id"])
    address = _address(zone["clip"]) if zone["clip"] else None
    if management and address and address not in _network(management["CidrBlock"]):
        problems.append(
            f"The clip {zone['clip']} of zone {zone['name']} is not in its management subnet {management['SubnetId']} "
            f"({management['CidrBlock']})."
        )
    return problems
