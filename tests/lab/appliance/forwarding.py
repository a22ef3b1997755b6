"""An appliance's configuration as ``tests.lab.packets`` takes it: addresses, routes, policy-based routes, MBF."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tests.lab.packets.host import Connected, Host, Policy, StaticRoute

from .schema import Row

if TYPE_CHECKING:
    from .appliance import Appliance
    from .context import Room

STRIPED = 255
Facts = tuple[tuple[Any, ...], ...]


def host_of(room: Room, appliance: Appliance) -> Host:
    """How an appliance forwards now. Made anew only when a row that matters is different."""
    config = appliance.running
    own = room.clusters.own_row(appliance) if appliance.cluster.member else None
    snips = [row for row in config.find("nsip", type="SNIP") if row.get("state") != "DISABLED" and _owned(row, own)]
    nsip = config.first("nsip", type="NSIP") or {}
    return _host(
        appliance.instance_id,
        (appliance.nsip, nsip.get("netmask", "255.255.255.0")),
        # A spotted address is the node's own: it comes before those that only one of the nodes can have.
        tuple((row["ipaddress"], row["netmask"]) for row in sorted(snips, key=_is_striped)),
        tuple((row["network"], row["netmask"], row["gateway"]) for row in config.rows("route")),
        tuple(_policy_facts(config.rows("nspbr"))),
        _mbf(room, appliance),
        room.settings.pessimistic_image,
    )


def _owned(row: Row, own: Row | None) -> bool:
    """In a cluster a node has its own spotted addresses and the striped ones."""
    return own is None or row.get("ownernode", STRIPED) in (STRIPED, own["nodeid"])


def _is_striped(row: Row) -> bool:
    return bool(row.get("ownernode", STRIPED) == STRIPED)


def _mbf(room: Room, appliance: Appliance) -> bool:
    """Whether MAC-based forwarding works: the mode is on, and in a cluster there is a linkset.

    "In a cluster MBF needs linksets" is unverified (facts sheet, section 2a): a setting.
    """
    if "MBF" not in appliance.running.single("nsmode").get("mode", []):
        return False
    if not appliance.cluster.member or not room.settings.cluster_mbf_needs_linkset:
        return True
    return bool(appliance.running.rows("linkset_interface_binding"))


def _policy_facts(rows: Iterable[Row]) -> Iterable[tuple[Any, ...]]:
    """The applied policies in the order of their priority, as plain values."""
    applied = [row["_applied"] for row in rows if row.get("_applied") and row["_applied"].get("state") != "DISABLED"]
    for row in sorted(applied, key=lambda row: row.get("priority", 0)):
        if row.get("srcipop", "=") == "=" and row.get("destipop", "=") == "=":
            hop = row.get("nexthopval") if row["action"] == "ALLOW" else None
            yield row.get("srcipval"), row.get("destipval"), hop


@functools.lru_cache(maxsize=1024)
def _host(
    instance_id: str,
    nsip: tuple[str, str],
    snips: Facts,
    routes: Facts,
    policies: Facts,
    mbf: bool,
    by_table: bool,
) -> Host:
    return Host(
        instance_id=instance_id,
        nsip=_connected(*nsip),
        snips=tuple(_connected(*snip) for snip in snips),
        routes=tuple(StaticRoute(_network(network, mask), gateway) for network, mask, gateway in routes),
        policies=tuple(Policy(_range(source), _range(destination), hop) for source, destination, hop in policies),
        mbf=mbf,
        by_table=by_table,
    )


def _connected(address: str, netmask: str) -> Connected:
    return Connected(address, _network(address, netmask))


def _network(address: str, netmask: str) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(f"{address}/{netmask}", strict=False)


def _range(text: str | None) -> tuple[str, str] | None:
    """``10.0.0.1`` or ``10.0.0.1-10.0.0.9``, as the vendor's command line writes ranges."""
    if not text:
        return None
    low, _ignored, high = text.partition("-")
    return low.strip(), (high or low).strip()
