# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The contract of topologies: how the nodes of a zone form a whole.

A topology is one file with a subclass of :class:`Topology` and one line in ``registry.py``. Everything that differs
between topologies is a method or an attribute here; no other code compares the name of a topology. Entries are pure and
import only ``core`` and ``spec``, because validation and filters ask them in the controller.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from ..spec.group_nodes import Node, address, nsip

Definition = Mapping[str, Any]
Entry = dict[str, Any]
#: What the steps that form a zone work on if there is nothing to form, see :meth:`Topology.admit`.
NOTHING_TO_FORM: Mapping[str, Any] = {"clip_interface": "", "form": False, "cluster": [], "members": [], "settings": []}


class Topology(ABC):
    """One way in which the nodes of a zone work together.

    ``name``: the value of option ``topology``. ``statement``: the ending of the Sid of policy statements that only this
    topology needs, empty for none. ``return_path``: the default of option ``return_path``.
    ``clustered``: whether MAC-based forwarding needs linksets. ``mixes_builds``: whether nodes of a zone may run
    different builds.
    """

    name: ClassVar[str]
    statement: ClassVar[str] = ""
    return_path: ClassVar[str] = "mbf"
    clustered: ClassVar[bool] = False
    mixes_builds: ClassVar[bool] = True

    @abstractmethod
    def validate_zone(self, zone: Mapping[str, Any]) -> list[str]:
        """Return one message for each problem of a zone of a definition."""

    def validate_size(self, largest: int) -> list[str]:
        """Return one message for each reason why a zone cannot have ``largest`` nodes."""
        return []

    def security_rules(self, definition: Definition) -> dict[str, list[Entry]]:
        """Return the rules that the nodes of a zone need between themselves, by role of the security group."""
        return {}

    def application_options(self, definition: Definition) -> dict[str, Any]:
        """Return the options of vpx_application that applications have with this topology."""
        return {}

    def endpoint(self, zone: Mapping[str, Any]) -> str:
        """Return the address at which a zone is configured as a whole, empty if each of its nodes is configured."""
        return ""

    def admission_seconds(self, definition: Definition, count: int) -> float:
        """Return how long ``count`` nodes may take to join the zone once they run."""
        return 0.0

    @abstractmethod
    def bootstrap(self, definition: Definition, zone: str, new: Sequence[Node], touched: Sequence[Node]) -> list[Entry]:
        """Return option ``nodes`` of vpx_bootstrap for nodes of a zone.

        Args:
            definition: the group.
            zone: name of the zone.
            new: nodes that are not in service yet.
            touched: nodes that this run configures, ``new`` among them.
        """

    @abstractmethod
    def network(
        self, definition: Definition, place: Mapping[str, Any], nodes: Sequence[Node], touched: Sequence[Node]
    ) -> list[Entry]:
        """Return option ``nodes`` of vpx_network for a zone.

        Args:
            definition: the group.
            place: the zone, as vpx_group_info returns it.
            nodes: all nodes that stay in the zone.
            touched: nodes that this run configures.
        """

    def admit(
        self,
        definition: Definition,
        place: Mapping[str, Any],
        nodes: Sequence[Node],
        new: Sequence[Node],
        there: Sequence[Node],
    ) -> dict[str, Any]:
        """Return what the steps that let nodes join the zone work on.

        Args:
            definition: the group.
            place: the zone, as vpx_group_info returns it.
            nodes: all nodes that stay in the zone.
            new: those of them that are not in service yet.
            there: all live nodes of the zone.

        Returns:
            The keys of ``NOTHING_TO_FORM``; an empty list is a step without work.
        """
        return dict(NOTHING_TO_FORM)

    @abstractmethod
    def endpoints(
        self,
        definition: Definition,
        served: Sequence[Node],
        there: Sequence[Node],
        zones: Sequence[Mapping[str, Any]],
    ) -> list[Entry]:
        """Return where applications are configured: ``nsip``, ``virtual_ip`` and ``addresses`` of the IPSet of each.

        ``nodes``: NSIPs with their ports of the nodes that what is configured there is handed on to, none if it is not.

        Args:
            definition: the group.
            served: nodes that get the applications.
            there: all live nodes, also those that drain.
            zones: the zones that the nodes belong to, as vpx_group_info returns them.
        """

    def evict(self, nodes: Sequence[str], members: Collection[str], *, draining: bool) -> list[str]:
        """Return the NSIPs of leaving nodes that have to be taken out of the zone's whole.

        Args:
            nodes: NSIPs of nodes that leave.
            members: NSIPs of the members as the zone lists them, read only where a drain begins.
            draining: a drain begins; otherwise the nodes are removed.
        """
        return []

    def most_leaving(self, members: int, leaving: int) -> tuple[int, str] | None:
        """Return how many further nodes may leave at once and why no more; None if the topology sets no limit.

        Args:
            members: live nodes of the zone.
            leaving: those of them that leave already.
        """
        return None


def snips(definition: Definition, place: Mapping[str, Any], node: Node) -> list[Entry]:
    """Return the SNIPs of a node: its server interface's address.

    Policy-based routes need one in the client subnet, too: the second address of the client interface.
    """
    found = [{"ip_address": address(node, "server"), "netmask": place["server_netmask"]}]
    if definition["return_path"] == "pbr":
        spare = node["interfaces"]["client"].get("private_ip_addresses", [])[1:2]
        found += [{"ip_address": one, "netmask": place["client_netmask"]} for one in spare]
    return found


def routing(place: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of vpx_network that are the same for all nodes of a zone."""
    return {key: place[key] for key in ("routes", "return_gateways", "protected_networks")}


def reachable(nodes: Sequence[Node]) -> list[Node]:
    """Return the nodes that have a management address and an address on the server side."""
    return [one for one in nodes if nsip(one) and address(one, "server")]
