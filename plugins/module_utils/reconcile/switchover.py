# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Handing the primary role of an HA pair from one node to the other: what to decide, and how to see it happen."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..core.nitro_errors import NitroCut, NitroError, NitroInputError
from ..nitro.client import NitroClient
from ..nitro.waiting import wait_until

PRIMARY = "PRIMARY"
SECONDARY = "SECONDARY"
# What to do about the appliance's refusals (vendor NITRO reference, error messages).
ADVICE = {
    363: "it stands alone, no HA peer is configured",
    364: "its peer is in no state to take over; see to the peer first",
    365: "its state does not allow it; see to the node first",
    366: "the pair is not ready yet; try again in a moment",
    1441: "its HA status is STAYPRIMARY; set it to ENABLED first",
    1449: "one of the two nodes is down; repair it first, or use the mode that reconciles",
}
# Clients wait while we look: look often.
OBSERVE_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class Node:
    """One node's own view: ``state`` in capitals (PRIMARY, SECONDARY, …), ``peers`` the NSIPs it is paired with."""

    nsip: str
    state: str
    peers: tuple[str, ...]

    def result(self) -> dict[str, Any]:
        return {"nsip": self.nsip, "master_state": self.state.capitalize()}


def host(nsip: str) -> str:
    """Return the address without ``:port``; an IPv6 address with a port is in brackets."""
    if nsip.startswith("["):
        return nsip[1:].partition("]")[0]
    return nsip.partition(":")[0] if nsip.count(":") == 1 else nsip


def observation(client: NitroClient) -> Node:
    """Ask a node what it is: one GET hanode. The node itself is id 0 there (vendor NITRO reference, hanode)."""
    rows = client.get("hanode")
    own = next((row for row in rows if str(row.get("id")) == "0"), {})
    peers = tuple(str(row.get("ipaddress", "")) for row in rows if str(row.get("id")) != "0")
    return Node(host(client.connection.nsip), str(own.get("state", "unknown")).upper(), peers)


def due(this: Node, other: Node) -> bool:
    """Whether ``this`` must hand the primary role to ``other``; False if it has. Raises NitroInputError."""
    for one, its_peer in ((this, other), (other, this)):
        if its_peer.nsip not in one.peers:
            known = ", ".join(one.peers) or "no peer at all"
            raise NitroInputError(
                f"{this.nsip} and {other.nsip} are no pair: {one.nsip} knows {known}; nothing was changed"
            )
    match this.state, other.state:
        case ("PRIMARY", "SECONDARY"):
            return True
        case ("SECONDARY", "PRIMARY"):
            return False
    raise NitroInputError(
        f"it is not clear who is primary: {this.nsip} says {this.state.capitalize()}, "
        f"{other.nsip} says {other.state.capitalize()}; nothing was changed"
    )


def swapped(nodes: tuple[Node, Node]) -> tuple[Node, Node]:
    """Return the two nodes as they will be after the failover."""
    this, other = nodes
    return replace(this, state=other.state), replace(other, state=this.state)


def hand_over(
    this: NitroClient,
    other: NitroClient,
    timeout: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Force the failover at ``this`` and return as soon as ``other`` says that it is primary.

    Raises NitroError with the appliance's refusal and what to do about it, or NitroTimeout after ``timeout`` seconds.
    """
    try:
        this.act("hafailover", "Force", {"force": True})
    except NitroCut:
        pass  # the answer is lost, perhaps not the command: the other node's state shows
    except NitroError as error:
        advice = ADVICE.get(error.code)
        if advice is None:
            raise
        raise NitroError(
            f"{error}: {advice}; nothing was changed",
            code=error.code,
            message=error.message,
            http_status=error.http_status,
            resource=error.resource,
        ) from None
    observed: list[str] = []

    def primary() -> bool | None:
        observed[:] = [observation(other).state]
        return observed == [PRIMARY] or None

    wait_until(
        primary,
        timeout,
        lambda: f"{host(other.connection.nsip)} was to become primary but says {observed[0].capitalize()}",
        clock=clock,
        sleep=sleep,
        interval=OBSERVE_SECONDS,
    )


def still_primary(client: NitroClient) -> Callable[[object], str | None]:
    """Return the permit for repeating a write without an answer: the reason why the node must not get it, or None."""

    def permit(_move: object) -> str | None:
        try:
            state = observation(client).state
        except NitroError as error:
            return f"it is unknown whether {host(client.connection.nsip)} is still primary: {error}"
        return None if state == PRIMARY else f"{host(client.connection.nsip)} says {state.capitalize()} now"

    return permit


def went_back(after: tuple[Node, Node]) -> str | None:
    """Return what is wrong if the second node is not the only primary after the failover, else None."""
    this, other = after
    if other.state == PRIMARY and this.state != PRIMARY:
        return None
    return (
        f"since the failover the roles have changed: {this.nsip} says {this.state.capitalize()}, {other.nsip} says "
        f"{other.state.capitalize()}; vpx_ha_reconcile puts the Elastic IPs where the primary is"
    )
