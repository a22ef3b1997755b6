# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How packets leave an appliance: SNIPs, static routes and the return path of replies. Pure.

EC2 drops a packet that leaves by an interface with a source address that is not one of that interface's. So a node
needs a SNIP on its server interface, a route to each back-end subnet, and a way back to clients, and none of these may
take the way of its own management traffic away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from ..core.nitro_errors import NitroInputError
from . import return_path, routes, snip
from .routes import Route
from .steps import Change, Reader, Row, canonical_or_none, text_of

# The instance metadata service, time and DNS of a VPC answer on link-local addresses.
_LINK_LOCAL = IPv4Network("169.254.0.0/16")


@dataclass(frozen=True, slots=True)
class Desired:
    """What the task asks for. ``routes`` and ``return_path`` None: left as they are."""

    nsip: str
    snips: tuple[snip.DesiredSnip, ...] = ()
    routes: tuple[Route, ...] | None = None
    purge_routes: bool = True
    return_path: str | None = None
    return_gateways: tuple[Route, ...] = ()
    protected: tuple[IPv4Network, ...] = ()
    present: bool = True

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Desired:
        """Return the options of vpx_network in canonical form. Raises NitroInputError."""
        nsip = params["nsip"]
        gateways = routes.routes_from(nsip, "return_gateways", params["return_gateways"]) or ()
        if params["return_path"] == "pbr" and not gateways:
            raise NitroInputError(
                f"{nsip}: return_path=pbr needs return_gateways: the subnets of the client and server interfaces, each "
                "with its gateway"
            )
        entries = [{**entry, "nsip": nsip, "state": params["state"]} for entry in params["snips"] or ()]
        return cls(
            nsip=nsip,
            snips=tuple(map(snip.DesiredSnip.from_params, entries)),
            routes=routes.routes_from(nsip, "routes", params["routes"]),
            purge_routes=params["purge_routes"],
            return_path=params["return_path"],
            return_gateways=gateways if params["return_path"] == "pbr" else (),
            protected=tuple(
                routes.network_from(nsip, "protected_networks", text) for text in params["protected_networks"] or ()
            ),
            present=params["state"] == "present",
        )


@dataclass(frozen=True, slots=True)
class Observed:
    """What one appliance says. ``peers``: NSIPs of the other nodes; ``mbf`` None: the return path was not asked for."""

    addresses: tuple[Row, ...] = ()
    peers: tuple[str, ...] = ()
    routes: tuple[Row, ...] = ()
    mbf: bool | None = None
    pbrs: tuple[Row, ...] = ()

    def rows_of(self, address: str) -> list[Row]:
        return [row for row in self.addresses if canonical_or_none(row.get("ipaddress")) == address]

    def networks_of(self, *kinds: str) -> list[IPv4Network]:
        """Return the connected subnets of its addresses of these types."""
        rows = [row for row in self.addresses if row.get("type") in kinds]
        return [network for row in rows if (network := routes.subnet(row.get("ipaddress"), row.get("netmask")))]

    @property
    def clustered(self) -> bool:
        return any(row.get("type") == "CLIP" for row in self.addresses)

    @property
    def return_path(self) -> str | None:
        return None if self.mbf is None else return_path.path_of(self.mbf, self.pbrs)


def read(client: Reader, desired: Desired) -> Observed:
    """One GET of nsip; of hanode or clusternode and of route with routes; of nsmode and nspbr with a return path."""
    addresses = tuple(client.get("nsip"))
    routed, returned = desired.routes is not None, desired.return_path is not None
    nodes = "clusternode" if Observed(addresses).clustered else "hanode"
    return Observed(
        addresses=addresses,
        peers=tuple(text_of(row, "ipaddress") for row in client.get(nodes)) if routed and desired.present else (),
        routes=tuple(client.get("route")) if routed else (),
        mbf=return_path.mbf_is_on(client.get("nsmode")) if returned else None,
        pbrs=tuple(client.get("nspbr")) if returned else (),
    )


def plan(desired: Desired, observed: Observed) -> list[Change]:
    """Return the missing writes. Raises NitroError, before the first write, for a route that must not be made.

    Present: SNIPs first, because a gateway must be in a connected subnet. Absent: SNIPs last.
    """
    addresses = [
        step for requested in desired.snips for step in snip.plan(requested, observed.rows_of(requested.ip_address))
    ]
    if not desired.present:
        return [*routes.plan_absent(desired.routes or (), observed.routes), *addresses]
    _refuse_unsafe(desired, observed)
    _refuse_unreachable(desired, observed)
    steps = list(addresses)
    if desired.routes is not None:
        steps += routes.plan(desired.nsip, desired.routes, observed.routes, purge=desired.purge_routes)
    if desired.return_path is not None and observed.mbf is not None:
        steps += return_path.plan(desired.return_path, desired.return_gateways, mbf=observed.mbf, pbrs=observed.pbrs)
    return steps


def _refuse_unsafe(desired: Desired, observed: Observed) -> None:
    for route in desired.routes or ():
        if reason := unsafe(route.network, desired.protected, observed):
            raise NitroInputError(
                f"{desired.nsip}: route {route}: {reason}; packets of the management address would leave by another "
                "interface, and EC2 would drop them. Name the subnets of the back ends instead"
            )


def _refuse_unreachable(desired: Desired, observed: Observed) -> None:
    coming = (routes.subnet(requested.ip_address, requested.netmask) for requested in desired.snips)
    connected = [*observed.networks_of("NSIP", "SNIP"), *(network for network in coming if network)]
    for route in (*(desired.routes or ()), *desired.return_gateways):
        if not any(IPv4Address(route.gateway) in network for network in connected):
            raise NitroInputError(
                f"{desired.nsip}: gateway {route.gateway} of {route.network} is in no subnet of this appliance; give "
                "it a SNIP in the gateway's subnet"
            )


def unsafe(network: IPv4Network, protected: Iterable[IPv4Network], observed: Observed) -> str | None:
    """Why a route to ``network`` would take the way of management traffic away; None when it would not."""
    if network.prefixlen == 0:
        return "it would replace the default route, which is the way of management traffic"
    for own in observed.networks_of("NSIP", "CLIP"):
        if network.overlaps(own):
            return f"it overlaps the management subnet {own}"
    for gateway in routes.default_gateways(observed.routes):
        if gateway in network:
            return f"it contains the default gateway {gateway}"
    for peer in filter(None, map(canonical_or_none, observed.peers)):
        if ":" not in peer and IPv4Address(peer) in network:
            return f"it contains {peer}, the management address of a node"
    for other in (_LINK_LOCAL, *protected):
        if network.overlaps(other):
            return f"it overlaps {other}, which is reached from the management address"
    return None


def warnings(desired: Desired, observed: Observed) -> list[str]:
    """Return what the user must know although it is done."""
    if desired.present and desired.return_path == "mbf" and observed.clustered:
        return [
            f"{desired.nsip}: is the address of a cluster, where MAC-based forwarding needs linksets; return_path=pbr "
            "does not need them"
        ]
    return []


def unmet(desired: Desired, observed: Observed) -> str | None:
    """Describe the writes that do not read back; None if all of them do."""
    if not desired.present or desired.return_path in (None, observed.return_path):
        return None
    return f"{desired.nsip}: return_path={desired.return_path} was set, but reads back as {observed.return_path}"


def describe(desired: Desired, observed: Observed) -> dict[str, Any]:
    """Return the result ``network``: the named SNIPs, the static routes, the return path (None: not asked for)."""
    snips = [entry for requested in desired.snips if (entry := snip.describe(observed.rows_of(requested.ip_address)))]
    return _result(snips, routes.ordered(routes.static(observed.routes)), observed.return_path)


def predict(desired: Desired, observed: Observed) -> dict[str, Any]:
    """Predict what ``describe`` returns after the plan (check mode)."""
    snips = [
        entry
        for requested in desired.snips
        if (entry := snip.predict(requested, observed.rows_of(requested.ip_address)))
    ]
    path = desired.return_path if desired.present else None
    return _result(snips, routes.after(plan(desired, observed), observed.routes), path or observed.return_path)


def _result(snips: list[dict[str, Any]], found: Iterable[Route], path: str | None) -> dict[str, Any]:
    return {"snips": snips, "routes": [route.result() for route in found], "return_path": path}
