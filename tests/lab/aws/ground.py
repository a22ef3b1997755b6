"""What the mends share: the clock, the lab's slice of 127/8, the settings, and the way into moto's state.

moto keeps its backends in module globals, so a process has one AWS account and one `Ground`; the creator of an
`AwsSide` installs its `Ground` with `stand_on`.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends

from tests.lab import doors
from tests.lab.aws.request_tokens import RequestTokens
from tests.lab.world import Clock


@dataclass(slots=True)
class Settings:
    """How the region behaves. Times are lab seconds; `reset` puts the defaults back.

    ``eip_quota``: Elastic IPs a region may hold (AWS's default is 5; the lab's is wider so that groups can grow).
    ``pending``/``stopping``/``shutting_down``: time an instance takes through that state.
    ``status_checks``: time from ``running`` until DescribeInstanceStatus says ``passed``.
    ``lag``: how long Describe* goes on answering with what was true before a write (0: consistent at once).
    ``registration``: time from RegisterTargets to the first health check; ``provisioning``: of a new load balancer.
    ``deregistration_effect``: how long new connections still reach a target after DeregisterTargets; on AWS some two
    minutes whatever the delay (https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366).
    ``change_insync``: time from ChangeResourceRecordSets to INSYNC.
    ``strict_associations``: DisassociateAddress refuses an association that is gone (InvalidAssociationID.NotFound), as
    users report of AWS (https://github.com/hashicorp/terraform-provider-aws/issues/1682); documented is: idempotent.
    ``profile_lag``: how long RunInstances refuses an instance profile that was just made.
    ``unsubscribed``: images of the marketplace to which the account is not subscribed.
    ``interface_quota``, ``balancer_quota``, ``vcpu_quota``: network interfaces, Network Load Balancers and vCPUs of
    standard On-Demand instances that a region may hold (5 vCPUs in a new account; the lab's is wider).
    ``route_quota``: routes of a route table, the VPC's own not counted.
    ``throttled``: whether EC2's request token buckets limit calls (see ``request_tokens``).
    ``clock_skew``: seconds that AWS's clock, in the Date of its answers, is ahead of this machine's.
    ``exhausted``: availability zones that have no instance left to give (InsufficientInstanceCapacity, which a DryRun
    does not tell: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
    ``unauthorized``: actions ("AssociateAddress") that the caller has no right to, DryRun or not.
    """

    eip_quota: int = 20
    pending: float = 6.0
    stopping: float = 8.0
    shutting_down: float = 6.0
    status_checks: float = 60.0
    registration: float = 30.0
    provisioning: float = 30.0
    deregistration_effect: float = 120.0
    change_insync: float = 15.0
    lag: float = 0.0
    strict_associations: bool = False
    profile_lag: float = 0.0
    clock_skew: float = 0.0
    interface_quota: int = 5000
    balancer_quota: int = 50
    vcpu_quota: int = 256
    route_quota: int = 50
    throttled: bool = False
    unsubscribed: set[str] = field(default_factory=set)
    exhausted: set[str] = field(default_factory=set)
    unauthorized: set[str] = field(default_factory=set)


DOORS = 256 * doors.FIRST
ROUTED = DOORS + 256 * doors.COUNT
"""Offset of the addresses of the public /16 that are no public ones: 127.11.240.0/20."""


class AddressPool:
    """Public addresses out of one /16 of 127/8, one after another; an address given back is not soon given again.

    The last eighth of it is left to doors of IPv6 addresses (`tests.lab.doors`) and to private addresses outside of
    every VPC, which routes lead to (`ROUTED`).
    """

    def __init__(self, network: str) -> None:
        self._base = int(ipaddress.IPv4Address(f"{network}.0.0"))
        self._next = 1
        self._lock = threading.Lock()

    def take(self, used: set[str]) -> str:
        """The next address that is not in ``used``; .0 and .255 of each /24 stay out of it."""
        with self._lock:
            for _turn in range(DOORS):
                offset, self._next = self._next, self._next % (DOORS - 1) + 1
                address = str(ipaddress.IPv4Address(self._base + offset))
                if offset % 256 not in (0, 255) and address not in used:
                    return address
        raise RuntimeError("no public address is left in the lab's slice")


_NOTES = (
    *("settings", "public", "private_next", "launches", "associations", "changes", "_history", "port_errors"),
    "request_tokens",
)


class Ground:
    """One lab's AWS account: where it lies, what time it is there, and how it behaves.

    ``network`` is the first half of the lab's addresses, such as "127.10": VPCs are made in 127.10.0.0/16, public
    addresses come from the /16 after it (127.11.0.0/16).
    """

    def __init__(self, clock: Clock, network: str) -> None:
        first, second = network.split(".")
        self.clock = clock
        self.network = network
        self.public_network = f"{first}.{int(second) + 1}"
        self.settings = Settings()
        self.lock = threading.RLock()
        self.is_alive: Callable[[str], bool] = lambda _instance_id: True
        """Whether the operating system of an instance answers: what the instance status check is about."""
        self.connections_at: Callable[[str], float] = lambda _address: 0.0
        """How many client connections the appliance with this address has."""
        self.generation = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything that is not moto's: pools, tokens, histories, and settings changed since the start."""
        self.settings = Settings()
        self.public = AddressPool(self.public_network)
        self.private_next: dict[str, int] = {}
        self.launches: dict[tuple[str, str], Any] = {}
        self.associations: set[str] = set()
        self.changes: dict[str, Any] = {}
        self._history: dict[str, list[tuple[float, Any]]] = {}
        self.port_errors: dict[tuple[str, str], int] = {}
        self.request_tokens = RequestTokens()
        self.changed()

    def changed(self) -> None:
        """Something in the account may be different from now on: what was derived from it is out of date."""
        self.generation += 1

    def notes(self) -> dict[str, Any]:
        """What ``clear`` forgets, by name."""
        return {name: getattr(self, name) for name in _NOTES}

    def take(self, notes: dict[str, Any]) -> None:
        """Have these in mind from now on, instead of what was there."""
        for name in _NOTES:
            setattr(self, name, notes[name])
        self.changed()

    def remember(self, key: str, value: Any) -> None:
        """What was true of this until now, for readers that lag behind."""
        past = self._history.setdefault(key, [])
        past.append((self.now(), value))
        del past[:-16]

    def observed(self, key: str, present: Any, lag: float | None = None) -> Any:
        """What a reader sees: the present, or what was true ``lag`` lab seconds ago (by default `Settings.lag`)."""
        behind = self.settings.lag if lag is None else lag
        if behind > 0:
            since = self.now() - behind
            for replaced_at, value in self._history.get(key, []):
                if replaced_at > since:
                    return value
        return present

    def now(self) -> float:
        return self.clock.now()

    def timestamp(self) -> datetime:
        """Now on the lab's clock as moto keeps times: UTC without saying so."""
        return self.clock.today().replace(tzinfo=None)


_ground: Ground | None = None


def stand_on(ground: Ground) -> None:
    """Make this the ground of the process's one AWS account."""
    global _ground
    _ground = ground


def ground() -> Ground:
    """The ground of this process's AWS account."""
    if _ground is None:
        raise RuntimeError("no AwsSide has been made in this process")
    return _ground


def regions() -> Iterator[Any]:
    """moto's EC2 backend of every region that was used so far."""
    yield from list(ec2_backends[DEFAULT_ACCOUNT_ID].values())
