# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The contract of distributors: what spreads clients over the nodes of a group.

A distributor is one file with a subclass of :class:`Distributor` and one line in ``registry.py``. Everything that
differs between distributors is a method or an attribute here; no other code compares the name of a distributor. What an
entry returns are options of modules, so that a step of a role whose list is empty is skipped.

Entries are asked in the controller, by validation and filters, which have neither boto3 nor requests. So an entry
imports only ``core`` and ``spec``, and :meth:`Distributor.observe` imports what calls AWS when it is called.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..spec.group_nodes import Node

Definition = Mapping[str, Any]
Application = Mapping[str, Any]
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Port:
    """Where clients reach an application.

    ``visible``: nodes see the addresses of clients. ``checked``: TCP port at which the distributor checks the health of
    a node, 0 if it does not.
    """

    name: str
    number: int
    transports: tuple[str, ...]
    visible: bool
    checked: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """A node that leaves. ``address``: that of its client interface, empty if it has none any more."""

    instance_id: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Present:
    """What a group has of nodes: ids of its live instances, and the addresses of its interfaces."""

    instance_ids: Collection[str] = ()
    addresses: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be read. ``connect``: returns the client of an AWS service. ``security_groups``: ids by role.

    ``existing``: other applications than those of the definition may be distributed, too.
    """

    connect: Callable[[str], Any]
    definition: Definition
    security_groups: Mapping[str, str]
    existing: bool = False

    @property
    def present(self) -> bool:
        """Whether the group is to exist."""
        return bool(self.definition["state"] == "present")


@dataclass(slots=True)
class Observed:
    """What a distributor has in AWS, and what :meth:`Distributor.observe` found that it lacks.

    ``balancer``: as nlb_adc_balancer returns it, None without one. ``target_groups``: with the state of each target.
    ``balancer_changes``, ``listener_changes``: one message for each change that the definition needs.
    ``applications``: the application of each of the latter, in their order.
    """

    balancer: Mapping[str, Any] | None = None
    balancer_changes: list[str] = field(default_factory=list)
    listener_changes: list[str] = field(default_factory=list)
    applications: list[str] = field(default_factory=list)
    target_groups: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a group needs of the account beforehand, for a preflight.

    ``elastic_ips``: that are allocated; ``given_addresses``: that the user allocated. ``public_clients``: clients come
    from the internet to addresses in the client subnets.
    """

    elastic_ips: int = 0
    given_addresses: tuple[str, ...] = ()
    load_balancers: int = 0
    public_clients: bool = True


class Distributor(ABC):
    """One way in which clients are spread over nodes.

    ``name``: the value of option ``distributor``. ``statement``: the ending of the Sid of policy statements that only
    this distributor needs. ``cached``: clients keep the answer for a TTL, so a node is drained only when that is over,
    too. ``public_nodes``: each node has an Elastic IP on its client interface. ``proxied``: connections come to nodes
    from addresses in the client subnets. ``security_role``: role of the security group of the distributor itself, empty
    for none. ``needs_zone``: the definition must name a hosted zone.
    """

    name: ClassVar[str]
    statement: ClassVar[str]
    cached: ClassVar[bool] = False
    public_nodes: ClassVar[bool] = False
    proxied: ClassVar[bool] = False
    security_role: ClassVar[str] = ""
    needs_zone: ClassVar[bool] = False

    # -- validate -----------------------------------------------------------------------------------------------------

    def validate_name(self, group: str, application: str) -> list[str]:
        """Return one message for each reason why an application of a group cannot have this name."""
        return []

    @abstractmethod
    def validate_application(self, application: Application) -> list[str]:
        """Return one message for each problem of a normalised application, without its name."""

    @abstractmethod
    def transports(self, application: Application) -> tuple[str, ...]:
        """Return the transports at which clients reach an application, valid or not."""

    @abstractmethod
    def port(self, application: Application) -> Port:
        """Return where clients reach a valid application."""

    def validate_ports(self, applications: Sequence[Application]) -> list[tuple[str, str, str]]:
        """Return applications that cannot share a port for another reason than one transport: names and why."""
        return []

    # -- ensure -------------------------------------------------------------------------------------------------------

    def ensure(self, definition: Definition) -> dict[str, list[Entry]]:
        """Return what the group itself needs: ``zones`` of nlb_adc_balancer and ``listeners`` of nlb_adc_listener."""
        return {"zones": [], "listeners": []}

    def observe(self, question: Question, found: Observed) -> list[Callable[[], None]]:
        """Return reads that fill ``found``; they do not depend on each other. A read raises Refusal or Failure."""
        return []

    def unprepared(self, definition: Definition, found: Observed) -> list[str]:
        """Return one message for each thing without which nodes cannot be registered."""
        return []

    def validate_records(self, definition: Definition, records: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
        """Return one message for each domain whose record sets in the hosted zone are in the way."""
        return []

    # -- register, deregister ------------------------------------------------------------------------------

    @abstractmethod
    def register(self, state: Mapping[str, Any], clients: Sequence[Node]) -> dict[str, Any]:
        """Return the work that sends clients to nodes, nothing where they are sent there already.

        Args:
            state: what vpx_group_info returned.
            clients: the nodes.

        Returns:
            ``targets``: option ``target_groups`` of nlb_adc_target. ``replaced``: the same, of targets that are
            deregistered afterwards. ``records``: option ``record_sets`` of route53_adc_record. ``unreachable``: ids of
            nodes to which no client can be sent.
        """

    @abstractmethod
    def deregister(
        self, nodes: Sequence[Leaving], target_groups: Sequence[Mapping[str, Any]], domains: Sequence[str]
    ) -> dict[str, list[Entry]]:
        """Return the work that sends no client to these nodes any more.

        Args:
            nodes: the nodes that leave.
            target_groups: those of the load balancer, empty without one.
            domains: those with a record set for each node.

        Returns:
            ``target_groups`` of nlb_adc_target or ``record_sets`` of route53_adc_record.
        """

    def scale_in_options(self, definition: Definition) -> dict[str, Any]:
        """Return ``load_balancer`` and ``domains``, by which a scale-in finds what knows of a node."""
        return {"load_balancer": "", "domains": []}

    # -- cleanup, remove --------------------------------------------------------------------------------------------

    def withdraw_after(self, definition: Definition) -> int:
        """Return after how many silent ticks clients must be led past a node; 0: the distributor sees to it itself."""
        return 0

    @abstractmethod
    def cleanup(
        self,
        target_groups: Sequence[Mapping[str, Any]],
        records: Mapping[str, Sequence[Mapping[str, Any]]],
        present: Present,
    ) -> dict[str, list[Entry]]:
        """Return what nodes that are gone left behind: ``stale_targets`` or ``stale_records``."""

    @abstractmethod
    def remove(self, definition: Definition, state: Mapping[str, Any]) -> dict[str, list[Entry]]:
        """Return what is removed of the definition's applications: ``target_groups``, ``listeners``, ``records``."""

    def drain_seconds(self, definition: Definition) -> int:
        """Return how long the distributor itself drains what :meth:`remove` names, 0 if it does not."""
        return 0

    # -- what others show and check -----------------------------------------------------------------------------------

    @abstractmethod
    def addresses(self, application: Application, state: Mapping[str, Any]) -> list[str]:
        """Return where clients reach an application, for a reader: ``host:port``, and the zone if it is of one only."""

    @abstractmethod
    def billed(self, definition: Definition, nodes: int) -> str:
        """Return what AWS bills for the distribution to ``nodes`` nodes, as a part of a message."""

    @abstractmethod
    def predicted_costs(self, state: Mapping[str, Any], launched: int) -> list[str]:
        """Return one phrase for each thing that is billed and that a run which launches nodes would create.

        Args:
            state: what vpx_group_info returned.
            launched: how many nodes the run would launch.
        """

    @abstractmethod
    def needs(self, zones: Sequence[Mapping[str, Any]], most: int, *, internal: bool) -> Needs:
        """Return what a group with up to ``most`` nodes in each zone needs. ``internal``: clients are in the VPC."""

    def used_by(self, applications: Sequence[Mapping[str, Any]]) -> bool:
        """Whether applications need rights of this distributor although another one is chosen."""
        return False
