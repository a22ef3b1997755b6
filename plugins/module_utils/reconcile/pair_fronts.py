# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What clients of a pair reach: an IPSet and virtual servers for each VIP, from the plan and the addresses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..spec.pair import APPLICATION_KEYS as PAIR_KEYS
from ..spec.pair import front_name, vip_name
from ..spec.vips import ELASTIC_IP, PRIVATE_IP, addresses_of
from .group_steps import certificate_nodes
from .pair_orphans import undeclared

Result = Mapping[str, Any]
Front = dict[str, Any]


def client_addresses(plan: Result, client: Result) -> list[str]:
    """Return the addresses of a client interface that are the node's own, without those that move."""
    moving = {vip["address"] for vip in plan.get("vips") or [] if vip["kind"] == PRIVATE_IP}
    return [address for address in client["private_ip_addresses"] if address not in moving]


def serving_addresses(plan: Result, client: Result) -> list[str]:
    """Return the addresses of a client interface that serve clients: one for each Elastic IP.

    With policy-based routes the others are for routing.
    """
    return _serving(plan, client_addresses(plan, client))


def _serving(plan: Result, addresses: list[str]) -> list[str]:
    elastic = len(plan["elastic_ips"]) + bool(plan.get("allocate_elastic_ip"))
    least = 0 if plan.get("vips") else 1
    return addresses[: max(least, elastic)] if plan["return_path"] == "pbr" else addresses


def pair_fronts(plan: Result, addresses: Sequence[list[str]]) -> list[Front]:
    """Return one IPSet for each VIP, with the addresses at which its virtual servers answer.

    One virtual server answers at the IPv4 and the IPv6 address of a VIP: "The list of IPv4/IPv6 addresses bound to
    ipset would form a part of listening service" (vendor NITRO reference, lbvserver).

    An appliance that fails over looks for the public address at the two addresses that virtual server and IPSet have in
    common (vendor's documentation of pairs across zones). Of an IPSet with more addresses it is not documented which
    one it takes.

    Args:
        plan: of vpx_pair_info.
        addresses: of the client interface of each node, as ``client_addresses`` returns them. The k-th of one node
            stands for the k-th of the other.
    """
    places = list(zip(*(_serving(plan, each) for each in addresses), strict=False))
    if not plan.get("vips"):
        return _elastic_fronts(plan["ipset"], places)
    found = []
    for vip in plan["vips"]:
        shared = () if vip["kind"] == ELASTIC_IP else tuple(addresses_of(vip))
        place = shared or (places.pop(0) if places else ())
        if place:
            found.append({**_front(vip["ipset"], place), "virtual_ip": place[0], "vip": vip["name"]})
    return found


def _elastic_fronts(ipset: str, places: Sequence[Sequence[str]]) -> list[Front]:
    """Return one IPSet for each Elastic IP of a pair without named VIPs.

    ``virtual_ip`` is empty for a single one, whose virtual server keeps the address that it has.
    """
    return [
        {**_front(front_name(ipset, number), place), "virtual_ip": place[0] if len(places) > 1 else ""}
        for number, place in enumerate(places)
    ]


def _front(ipset: str, place: Iterable[str]) -> Front:
    return {"ipset": ipset, "addresses": [{"ip_address": address} for address in place]}


# Applications


def pair_applications(
    variables: Mapping[str, Any],
    nsip: str,
    fronts: Sequence[Mapping[str, Any]],
    nodes: Sequence[Mapping[str, Any]] = (),
    ipsets: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return the option ``nodes`` of vpx_application: every application on one appliance, with its secrets.

    Applications that are not declared any more are removed first, so that another one may have their port.

    Args:
        variables: of role ha_pair, as lookup ``cloudadc.aws.role_variables`` collects them, already validated.
        nsip: the primary, with its port.
        fronts: the IPSets as ``pair_steps`` returns them; each application has a virtual server for each of them, or
            for its own VIP.
        nodes: both nodes, as entries with ``nsip``, on which a certificate is read once it is installed, and
            whose monitors have a state of their own.
        ipsets: result of vpx_ipset, which names the virtual servers that have the addresses of the pair.
    """
    single = variables.get("ha_pair_application")
    shared = [*(variables.get("ha_pair_applications") or []), *([single] if single else [])]
    own = {
        str(vip.get("name")): vip["applications"]
        for vip in variables.get("ha_pair_vips") or []
        if vip.get("applications") is not None
    }
    others = [str(node["nsip"]) for node in nodes if node["nsip"] != nsip]
    common = [front for front in fronts if front.get("vip", "") not in own]
    declared = [
        *({"nsip": nsip, **_at(front), **_copy(e, n, others, front)} for e in shared for n, front in enumerate(common)),
        *(
            {"nsip": nsip, **_at(front), **_copy(entry, 0, others)}
            for front in fronts
            for entry in own.get(front.get("vip", ""), [])
        ),
    ]
    return undeclared(nsip, {one["name"] for one in declared}, ipsets or {}) + declared


def _at(front: Mapping[str, Any]) -> dict[str, Any]:
    address = {"virtual_ip": front["virtual_ip"]} if front["virtual_ip"] else {}
    return {"ipset": front["ipset"], **address}


def _copy(
    entry: Mapping[str, Any], number: int, others: Sequence[str], front: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the application for one VIP. All have the certkey of the first: an appliance takes a certificate once."""
    name, vip = str(entry["name"]), (front or {}).get("vip")
    given = {key: value for key, value in entry.items() if key in PAIR_KEYS and value not in (None, "")}
    given["enabled"] = True
    given["name"] = vip_name(name, vip) if vip else front_name(name, number)
    certificate = entry.get("certificate") or {}
    if number == 0:
        observers = {"observers": list(others)} if others else {}
        return {**given, **observers, **certificate_nodes(entry, others)}
    if certificate.get("content"):
        given["certificate"] = {"certkey": certificate.get("name") or f"{name}-cert"}
    return given
