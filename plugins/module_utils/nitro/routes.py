# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Static routes of an appliance (NITRO route): which are there, which are made or removed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from ..core.nitro_errors import NitroError, NitroInputError
from .steps import Change, Row, canonical_or_none, whole

#: Marks the routes that this collection makes. ``weight`` (NITRO route) only ranks routes of equal cost to the same
#: network, so it has no effect on the only route to a network. A build that did not give it back would make every route
#: one of others: kept, never purged.
ROUTE_WEIGHT = 4204


@dataclass(frozen=True, slots=True)
class Route:
    """A destination network (of a route), or a source network (of a return path), and its gateway."""

    network: IPv4Network
    gateway: str

    def __str__(self) -> str:
        return f"{self.network} via {self.gateway}"

    def result(self) -> dict[str, str]:
        return {"network": str(self.network), "gateway": self.gateway}

    def wire(self) -> dict[str, str]:
        """Return the fields by which NITRO knows a route."""
        network = self.network
        return {"network": str(network.network_address), "netmask": str(network.netmask), "gateway": self.gateway}


def routes_from(nsip: str, option: str, entries: Iterable[Mapping[str, Any]] | None) -> tuple[Route, ...] | None:
    """Canonical routes of an option. Raises NitroInputError, also for one network with two gateways."""
    if entries is None:
        return None
    found: dict[IPv4Network, Route] = {}
    for entry in entries:
        network = network_from(nsip, option, entry["network"])
        try:
            route = Route(network, str(IPv4Address(str(entry["gateway"]).strip())))
        except ValueError as error:
            raise NitroInputError(f"{nsip}: {option}: gateway of {network}: {error}") from None
        if found.setdefault(network, route) != route:
            gateways = f"{found[network].gateway} and {route.gateway}"
            raise NitroInputError(f"{nsip}: {option}: {network} has two gateways, {gateways}")
    return tuple(found.values())


def network_from(nsip: str, option: str, text: object) -> IPv4Network:
    """Return an IPv4 network. Raises NitroInputError, also for an address with host bits."""
    try:
        return IPv4Network(str(text).strip())
    except ValueError as error:
        raise NitroInputError(f"{nsip}: {option}: {error}") from None


def subnet(address: object, netmask: object) -> IPv4Network | None:
    """Return the network of an address as an appliance says it; None where it says no IPv4 address."""
    try:
        return IPv4Network(f"{address}/{netmask}", strict=False)
    except ValueError:
        return None


def route_of(row: Mapping[str, Any]) -> Route | None:
    """Return the route of a row of NITRO route."""
    network, gateway = subnet(row.get("network"), row.get("netmask")), canonical_or_none(row.get("gateway"))
    return Route(network, gateway) if network and gateway else None


def default_gateways(rows: Iterable[Row]) -> list[IPv4Address]:
    routes = (route for row in rows if (route := route_of(row)))
    return [IPv4Address(route.gateway) for route in routes if route.network.prefixlen == 0]


def static(rows: Iterable[Row]) -> dict[Route, bool]:
    """Return the static routes, and whether this collection made each; connected and permanent ones are left out."""
    removable = [row for row in rows if not (row.get("direct") or row.get("permanent"))]
    return {route: whole(row.get("weight")) == ROUTE_WEIGHT for row in removable if (route := route_of(row))}


def plan(nsip: str, desired: Sequence[Route], rows: Iterable[Row], *, purge: bool) -> list[Change]:
    """Add what is missing, then remove what this collection made and is not desired (``purge``) or has moved.

    Raises NitroError where a route that this collection did not make sends a desired network elsewhere.
    """
    known = static(rows)
    named = {route.network: route for route in desired}
    stale = []
    for route, ours in known.items():
        meant = named.get(route.network)
        if route == meant:
            continue
        if meant and not ours:
            raise NitroError(
                f"{nsip}: route {meant}: the appliance sends {route.network} to {route.gateway} by a route that this "
                "module did not make; remove it or name its gateway"
            )
        if ours and (meant or purge):
            stale.append(_delete(route))
    added = [
        Change("add", "route", body={**route.wire(), "weight": ROUTE_WEIGHT}) for route in desired if route not in known
    ]
    return [*added, *stale]


def plan_absent(named: Iterable[Route], rows: Iterable[Row]) -> list[Change]:
    """Remove the named routes, of any origin."""
    known = static(rows)
    return [_delete(route) for route in named if route in known]


def _delete(route: Route) -> Change:
    wire = route.wire()
    return Change("delete", "route", name=wire.pop("network"), args=wire)


def after(steps: Iterable[Change], rows: Iterable[Row]) -> list[Route]:
    """Return the static routes after the steps, in order of their networks."""
    routes = set(static(rows))
    for step in steps:
        named = {"network": step.name} if step.name else {}
        change = route_of({**step.body, **step.args, **named}) if step.resource == "route" else None
        if change:
            routes = routes | {change} if step.verb == "add" else routes - {change}
    return ordered(routes)


def ordered(routes: Iterable[Route]) -> list[Route]:
    return sorted(routes, key=lambda route: (route.network, IPv4Address(route.gateway)))
