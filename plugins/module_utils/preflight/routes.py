# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether each subnet has the way out that its role needs, by its route table. Pure.

Facts: VPC user guide, "Subnet route tables" (a subnet without a table of its own has the VPC's main one) and "Internet
gateways" (an interface in such a subnet needs a public address to use it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .plan import Plan
from .rows import Row, failed, ok, unknown, warning

CHECK = "route"
Described = Sequence[Mapping[str, Any]]
_EVERYWHERE = "0.0.0.0/0"
_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "InstanceId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
)
_INTERNET = "igw-"


def table_of(subnet_id: str, vpc_id: str, tables: Described) -> Mapping[str, Any] | None:
    """Return the route table of a subnet: the one that is associated with it, else the main one of its VPC."""
    main = None
    for table in tables:
        for association in table.get("Associations") or ():
            if association.get("SubnetId") == subnet_id:
                return table
            if association.get("Main") and table.get("VpcId") == vpc_id:
                main = table
    return main


def way_out(table: Mapping[str, Any]) -> tuple[str | None, bool]:
    """Where the default route leads, and whether what it leads to is gone; (None, False): there is none."""
    for route in table.get("Routes") or ():
        if route.get("DestinationCidrBlock") == _EVERYWHERE:
            target = next((str(route[key]) for key in _TARGETS if route.get(key)), None)
            return target, route.get("State") == "blackhole"
    return None, False


def judge(plan: Plan, role: str, subnet: Mapping[str, Any], tables: Described, endpoint: bool) -> Row:
    """``endpoint``: whether the VPC has an interface endpoint of the EC2 API."""
    subject = str(subnet["SubnetId"])
    table = table_of(subnet["SubnetId"], subnet["VpcId"], tables)
    if table is None:
        return unknown(CHECK, subject, f"no route table of {subnet['VpcId']} was shown")
    target, gone = way_out(table)
    name = table.get("RouteTableId")
    leads = f"{role}: {name} " + ("has no default route" if target is None else f"leads to {target}")
    if gone:
        leads += ", which is gone (blackhole)"
    match role:
        case "client":
            return _client(plan, subject, leads, target is not None and target.startswith(_INTERNET) and not gone)
        case "management":
            return _management(plan, subject, leads, None if gone else target, endpoint)
    return ok(CHECK, subject, f"{leads}; none is needed")


def _client(plan: Plan, subject: str, leads: str, to_the_internet: bool) -> Row:
    if not plan.public_clients:
        return ok(CHECK, subject, f"{leads}; clients are not from the internet")
    if to_the_internet:
        return ok(CHECK, subject, leads)
    return failed(CHECK, subject, f"{leads}: public addresses there need a default route to an internet gateway")


def _management(plan: Plan, subject: str, leads: str, target: str | None, endpoint: bool) -> Row:
    """Return the destinations that an appliance may need: NTP, licence server, console, and the API of EC2."""
    internet = target is not None and target.startswith(_INTERNET)
    if plan.public_management and not internet:
        return failed(CHECK, subject, f"{leads}: public addresses there need a default route to an internet gateway")
    if target is not None and (plan.public_management or not internet):
        return ok(CHECK, subject, leads)
    if internet:
        leads += ", no way out without a public address"
    if endpoint:
        return ok(CHECK, subject, f"{leads}; the VPC has an endpoint of the EC2 API")
    return warning(CHECK, subject, f"{leads}: appliances reach no EC2 API, NTP, licence server or console outside")


def vpcs_with_endpoint(endpoints: Described) -> set[str]:
    """Return the VPCs in which the API of EC2 has an address (AWS PrivateLink)."""
    return {
        str(item["VpcId"])
        for item in endpoints
        if str(item.get("ServiceName", "")).endswith(".ec2") and str(item.get("State", "")).lower() == "available"
    }
