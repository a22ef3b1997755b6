# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nodes that are independent of each other: each is configured by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..spec.group_nodes import IN_SERVICE, Node, address, nsip, with_nitro_port
from .base import Definition, Entry, Topology, reachable, routing, snips


class Independent(Topology):
    """Every node has applications and addresses of its own, and knows of no other."""

    name = "independent"

    def validate_zone(self, zone: Mapping[str, Any]) -> list[str]:
        """Refuse the address of a cluster, which nothing would use."""
        name = zone["name"]
        return [f"Zone {name} has a clip, but autoscale_group_topology is independent."] if zone["clip"] else []

    def bootstrap(self, definition: Definition, zone: str, new: Sequence[Node], touched: Sequence[Node]) -> list[Entry]:
        """Name every node that is configured after group, zone and node id."""
        return [
            {
                "nsip": with_nitro_port(definition, nsip(one)),
                "instance_id": one["instance_id"],
                "first_login": one["lifecycle"] != IN_SERVICE,
                "hostname": f"{definition['name']}-{zone}-{one['node_id']}",
            }
            for one in touched
        ]

    def network(
        self, definition: Definition, place: Mapping[str, Any], nodes: Sequence[Node], touched: Sequence[Node]
    ) -> list[Entry]:
        """Configure each node at its NSIP."""
        return [
            {
                "nsip": with_nitro_port(definition, nsip(one)),
                "snips": snips(definition, place, one),
                **routing(place),
            }
            for one in reachable(touched)
        ]

    def endpoints(
        self,
        definition: Definition,
        served: Sequence[Node],
        there: Sequence[Node],
        zones: Sequence[Mapping[str, Any]],
    ) -> list[Entry]:
        """Return one endpoint for each node, with its client address."""
        return [
            {
                "nsip": with_nitro_port(definition, nsip(one)),
                "virtual_ip": address(one, "client"),
                "addresses": [{"ip_address": address(one, "client")}],
                "nodes": [],
            }
            for one in served
        ]
