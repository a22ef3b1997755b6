# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the subnets of a zone are those of a VPX, and have addresses left. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import Refusal
from ..reconcile.launch import check_subnets
from .plan import Plan, Zone
from .rows import Row, failed, ok

CHECK = "subnets"
Described = Sequence[Mapping[str, Any]]
# ELB user guide, "Network Load Balancers", availability zones: each subnet must have 8 addresses left.
FOR_A_BALANCER = 8


def judge(plan: Plan, zone: Zone, missing: int, subnets: Described) -> Row:
    """``missing``: how many instances are to be launched there; ``subnets``: those of the zone that exist."""
    try:
        check_subnets(plan.desired(zone), subnets)
    except Refusal as refusal:
        return failed(CHECK, zone.name, str(refusal))
    found = {item["SubnetId"]: item for item in subnets}
    short = [problem for role, needed in _needs(plan, zone, missing) if (problem := _short(found, zone, role, needed))]
    if short:
        return failed(CHECK, zone.name, "; ".join(short))
    networks = ", ".join(f"{request.role} {found[request.subnet_id].get('CidrBlock')}" for request in zone.interfaces)
    return ok(CHECK, zone.name, f"{networks} in {subnets[0]['AvailabilityZone']}")


def _needs(plan: Plan, zone: Zone, missing: int) -> list[tuple[str, int]]:
    """Role → addresses that are needed in its subnet; roles that share a subnet need the sum."""
    needs: dict[str, tuple[str, int]] = {}
    for request in zone.interfaces:
        balancer = FOR_A_BALANCER if request.role == "client" and plan.load_balancers else 0
        role, sum_of_others = needs.get(request.subnet_id, (request.role, 0))
        needs[request.subnet_id] = (role, sum_of_others + missing * (1 + request.secondary_private_ip_count) + balancer)
    return list(needs.values())


def _short(found: Mapping[str, Mapping[str, Any]], zone: Zone, role: str, needed: int) -> str | None:
    subnet = found[zone.subnet_of(role)]
    free = subnet.get("AvailableIpAddressCount")
    if not isinstance(free, int) or free >= needed:
        return None
    return f"{role} subnet {subnet['SubnetId']} has {free} addresses left, {needed} are needed"
