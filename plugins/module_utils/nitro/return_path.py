# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The way of replies: MAC-based forwarding (mode MBF), or policy-based routes by source address (nspbr). Pure.

Facts: NITRO reference (nsmode, nspbr, nspbrs) and the vendor's page on MAC-based forwarding: with MBF a reply goes back
to the MAC address, and by the interface, from which the request came; without it the routing table decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .routes import Route
from .steps import Change, Row, text_of

RETURN_PATHS = ("mbf", "pbr", "none")
#: Names of the policy-based routes that this collection makes.
PREFIX = "cloudadc-"
#: PBRs are compared in the order of their priorities, 1 to 81920.
FIRST_PRIORITY = 4200
_MODE = {"mode": ["MBF"]}
_NOT_IN_FORCE = ("NOTAPPLIED", "RE-APPLY")
_COMPARED = ("action", "srcipval", "destipval", "nexthopval")


def mbf_is_on(rows: Sequence[Row]) -> bool:
    """Whether MAC-based forwarding is on: the flag, or its name among the modes that are on."""
    row = rows[0] if rows else {}
    listed = row.get("mode") or []
    return row.get("mbf") is True or "MBF" in (listed if isinstance(listed, list) else [listed])


def plan(path: str, gateways: Iterable[Route], *, mbf: bool, pbrs: Iterable[Row]) -> list[Change]:
    """Return the missing writes. ``gateways``: source subnets with their gateways, used with path pbr.

    The new way is in force before the old one goes.
    """
    switch = [] if mbf == (path == "mbf") else [_switch(path == "mbf")]
    rules = [rule(route, place) for place, route in enumerate(gateways if path == "pbr" else ())]
    names = {each["name"] for each in rules}
    ours = {text_of(row, "name"): row for row in pbrs if text_of(row, "name").startswith(PREFIX)}
    steps = [step for each in rules if (step := _rule_step(each, ours.get(each["name"])))]
    steps += [Change("delete", "nspbr", name=name) for name in ours if name not in names]
    # An interrupted run may have left rules that are not in force (nspbr, kernelstate).
    waiting = any(text_of(row, "kernelstate") in _NOT_IN_FORCE for row in ours.values())
    apply = [Change("act", "nspbrs", action="apply")] if steps or waiting else []
    return [*switch, *steps, *apply] if path == "mbf" else [*steps, *apply, *switch]


def _switch(on: bool) -> Change:
    return Change("act", "nsmode", action="enable" if on else "disable", body=_MODE)


def rule(route: Route, place: int) -> dict[str, Any]:
    """Return a PBR: packets from this subnet that leave the subnet take its gateway."""
    network = route.network
    hosts = f"{network.network_address}-{network.broadcast_address}"
    return {
        "name": f"{PREFIX}{network.network_address}-{network.prefixlen}",
        "action": "ALLOW",
        "srcip": True,
        "srcipop": "=",
        "srcipval": hosts,
        "destip": True,
        "destipop": "!=",
        "destipval": hosts,
        "nexthop": True,
        "nexthopval": route.gateway,
        "priority": FIRST_PRIORITY + place,
    }


def _rule_step(desired: Mapping[str, Any], row: Row | None) -> Change | None:
    if row is None:
        return Change("add", "nspbr", body=dict(desired))
    if all(text_of(row, key) == str(desired[key]) for key in _COMPARED):
        return None
    return Change("update", "nspbr", body=dict(desired))


def path_of(mbf: bool, pbrs: Iterable[Row]) -> str:
    """Return the return path that is in force: mbf, pbr (of this collection) or none."""
    if mbf:
        return "mbf"
    return "pbr" if any(text_of(row, "name").startswith(PREFIX) for row in pbrs) else "none"
