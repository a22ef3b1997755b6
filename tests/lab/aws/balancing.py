"""Network load balancers as the data plane and the health checker see them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.elbv2.models import elbv2_backends

from tests.lab.aws.ground import Ground
from tests.lab.aws.mends.targets import (
    DueCheck,
    address_of,
    balancers_of,
    due_checks,
    forwarded_to,
    note_check,
    settle_targets,
    state_of,
    zone_of,
)

Probe = Callable[[str, int], bool]
Way = Callable[[str, str, int], bool]


@dataclass(frozen=True, slots=True)
class Route:
    """What a client meets at one static address and port of a load balancer.

    ``targets``: (address, port) of those that may get a new connection, all equal; empty: the connection is refused.
    ``node``: the private address of the load balancer there, the source that targets see; unless ``preserves``, then
    they see the client's.
    """

    load_balancer: str
    address: str
    port: int
    protocol: str
    targets: tuple[tuple[str, int], ...]
    node: str
    preserves: bool


def routes(ground: Ground) -> list[Route]:
    """Every listener of every active network load balancer at each of its static addresses."""
    found = []
    for backend in list(elbv2_backends[DEFAULT_ACCOUNT_ID].values()):
        for balancer in backend.load_balancers.values():
            if balancer.type != "network" or balancer.state != "active":
                continue
            for listener in balancer.listeners.values():
                groups = [backend.target_groups[arn] for arn in forwarded_to(listener) if arn in backend.target_groups]
                for node in balancer.lab_nodes:
                    targets = tuple(t for group in groups for t in _eligible(ground, balancer, group, node.zone))
                    address = str(node.public_ip or node.private_ip)
                    preserves = any(preserves_client(group) for group in groups)
                    port, protocol = int(listener.port), listener.protocol
                    found.append(Route(balancer.name, address, port, protocol, targets, node.private_ip, preserves))
    return found


def preserves_client(group: Any) -> bool:
    """Whether targets see the client's address: off by default for IP targets with TCP and TLS, else on (elbv2 model,
    ModifyTargetGroupAttributes).
    """
    default = "false" if group.target_type == "ip" and group.protocol in ("TCP", "TLS") else "true"
    return bool(group.attributes.get("preserve_client_ip.enabled", default) == "true")


def _eligible(ground: Ground, balancer: Any, group: Any, zone: str) -> list[tuple[str, int]]:
    """Targets for new connections at a node of this zone.

    Healthy ones, and for a while those that were deregistered; all that are registered when none is healthy ("if all
    targets are unhealthy, the load balancer fails open":
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html). Zones keep to
    themselves unless cross-zone load balancing is on.
    """
    named: list[tuple[str, str, int]] = []
    for target in group.lab_targets.values():
        address, where = address_of(group, target), zone_of(group, target)
        if address and (_cross_zone(balancer, group) or where in (None, zone)):
            named.append((_usable(ground, group, target), address, target.port))
    healthy = [(address, port) for state, address, port in named if state == "healthy"]
    return healthy or [(address, port) for state, address, port in named if state in ("initial", "unhealthy")]


def _usable(ground: Ground, group: Any, target: Any) -> str:
    state = state_of(group, target)[0]
    if state == "draining" and target.health == "healthy":
        until = target.deregistered_at + ground.settings.deregistration_effect
        return "healthy" if ground.now() < until else state
    return state


def _cross_zone(balancer: Any, group: Any) -> bool:
    own = group.attributes.get("load_balancing.cross_zone.enabled", "use_load_balancer_configuration")
    whole = balancer.attrs.get("load_balancing.cross_zone.enabled", "false")
    return bool((whole if own == "use_load_balancer_configuration" else own) == "true")


class HealthChecker:
    """Carries out the health checks that are due, each in a thread of its own and without the region's lock.

    A check may wait for a host that is silent, and it may ask rooms that ask the region in turn: under the lock, two of
    them would wait for each other.
    """

    def __init__(self, ground: Ground, way: Way) -> None:
        self._ground = ground
        self.probe: Probe = lambda _address, _port: True
        self.way = way

    def begin_due(self) -> None:
        """Begin every check whose time has come; returns at once."""
        with self._ground.lock:
            settle_targets()
            due = [(check, _checked_from(check)) for check in due_checks()]
        for check, nodes in due:
            threading.Thread(target=self._carry_out, args=(check, nodes), name="health-check", daemon=True).start()

    def _carry_out(self, check: DueCheck, nodes: list[str]) -> None:
        answered = False
        try:
            reached = all(self.way(node, check.address, check.port) for node in nodes)
            answered = reached and self.probe(check.address, check.port)
        finally:
            with self._ground.lock:
                note_check(check, answered)


def _checked_from(check: DueCheck) -> list[str]:
    """The private addresses of the nodes that check a target: those of its zone, or all that may send to it."""
    zone = zone_of(check.group, check.target)
    return [
        node.private_ip
        for balancer in balancers_of(check.group)
        for node in balancer.lab_nodes
        if zone in (None, node.zone) or _cross_zone(balancer, check.group)
    ]
