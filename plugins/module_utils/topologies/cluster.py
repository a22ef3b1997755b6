# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The nodes of a zone form one NetScaler cluster, which is configured at its address (CLIP)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..spec.group_nodes import IN_SERVICE, Node, address, in_order, nsip, with_nitro_port, zone_of
from ..spec.security_rules import ALL_PORTS, GRE, rule
from .base import NOTHING_TO_FORM, Definition, Entry, Topology, reachable, routing, snips

#: A cluster has at most 32 nodes. Source: NetScaler clustering overview.
LARGEST_CLUSTER = 32


_STEERING = rule(GRE, ALL_PORTS, ALL_PORTS, "Cluster steering, GRE", group="client")


def _member(definition: Definition, node: Node) -> Entry:
    """Return a node whose backplane is its client interface, which its MAC address identifies."""
    mac = node["interfaces"].get("client", {}).get("mac_address")
    entry = {"nsip": with_nitro_port(definition, nsip(node)), "node_id": node["node_id"]}
    return {**entry, "backplane_mac": mac} if mac else entry


class Cluster(Topology):
    """One cluster a zone. The coordinator holds the CLIP; the backplane is the client interface."""

    name = "cluster"
    statement = "WithCluster"
    #: MAC-based forwarding needs linksets of interfaces of every node; policy-based routes do not. Source: vendor
    #: documentation, Configuring MAC-based forwarding, and clusternolinksetmbf of NITRO clusternode.
    return_path = "pbr"
    clustered = True
    #: A node of another build cannot join (error 2474).
    mixes_builds = False

    def validate_zone(self, zone: Mapping[str, Any]) -> list[str]:
        """Require the address of the cluster."""
        return [] if zone["clip"] else [f"Zone {zone['name']} has no clip, the address of its cluster."]

    def validate_size(self, largest: int) -> list[str]:
        """Refuse more nodes than a cluster can have."""
        if largest <= LARGEST_CLUSTER:
            return []
        return [
            f"autoscale_group_policy.max_nodes is {largest}, but a cluster has {LARGEST_CLUSTER} nodes at most, and "
            "each zone is one."
        ]

    def security_rules(self, definition: Definition) -> dict[str, list[Entry]]:
        """Open heartbeats, synchronisation and propagation, NITRO of a node that joins, and flows steered in GRE.

        Where each node processes what reaches it, no flow is steered and protocol 47 stays closed.
        """
        description = "Cluster synchronisation and propagation"
        single = dict.fromkeys((22, definition["nitro_port"]))
        return {
            "management": [
                rule("udp", 7000, 7000, "Cluster heartbeats", group="management"),
                *(rule("tcp", port, port, description, group="management") for port in single),
                rule("tcp", 3008, 3011, description, group="management"),
            ],
            "client": [
                rule("udp", 7000, 7000, "Cluster heartbeats", group="client"),
                *([] if definition["process_local"] else [_STEERING]),
            ],
        }

    def application_options(self, definition: Definition) -> dict[str, Any]:
        """Keep each connection on the node that it reached, or let the cluster steer it."""
        return {"process_local": definition["process_local"]}

    def endpoint(self, zone: Mapping[str, Any]) -> str:
        """Return the CLIP."""
        return str(zone.get("clip") or "")

    def admission_seconds(self, definition: Definition, count: int) -> float:
        """Nodes join one after another."""
        return float(definition["join_timeout"] * count)

    def bootstrap(self, definition: Definition, zone: str, new: Sequence[Node], touched: Sequence[Node]) -> list[Entry]:
        """Only new nodes: members are configured at the CLIP, and the host name is one for all nodes."""
        return [{"nsip": with_nitro_port(definition, nsip(one)), "instance_id": one["instance_id"]} for one in new]

    def network(
        self, definition: Definition, place: Mapping[str, Any], nodes: Sequence[Node], touched: Sequence[Node]
    ) -> list[Entry]:
        """Configure all nodes at the CLIP; each node owns its SNIPs (spotted addresses)."""
        owned = [
            {**snip, "owner_node": one["node_id"]} for one in reachable(nodes) for snip in snips(definition, place, one)
        ]
        nsip_of_zone = with_nitro_port(definition, place["clip"])
        return [{"nsip": nsip_of_zone, "snips": owned, **routing(place)}] if owned else []

    def admit(
        self,
        definition: Definition,
        place: Mapping[str, Any],
        nodes: Sequence[Node],
        new: Sequence[Node],
        there: Sequence[Node],
    ) -> dict[str, Any]:
        """Select a node in service as contact of the cluster; without one, the node with the lowest id forms it."""
        ordered = [*(one for one in nodes if one["lifecycle"] == IN_SERVICE), *new]
        if not ordered:
            return dict(NOTHING_TO_FORM)
        first = ordered[0]["interfaces"]["management"]["network_interface_id"]
        serving = any(one["lifecycle"] in (IN_SERVICE, "draining") for one in there)
        return {
            "clip_interface": "" if place["clip_interface"] else first or "",
            "form": not serving,
            "cluster": [_member(definition, one) for one in ordered],
            "members": [nsip(one) for one in there],
            "settings": [{"nsip": with_nitro_port(definition, place["clip"])}],
        }

    def endpoints(
        self,
        definition: Definition,
        served: Sequence[Node],
        there: Sequence[Node],
        zones: Sequence[Mapping[str, Any]],
    ) -> list[Entry]:
        """Return one endpoint a zone, its CLIP. The IPSet keeps a node's address until the node is terminating."""
        found = []
        for zone in zones:
            if not any(zone_of(one) == zone["name"] for one in served):
                continue
            members = {
                one["instance_id"]: one
                for one in (*served, *(one for one in there if one["lifecycle"] != "terminating"))
                if zone_of(one) == zone["name"] and address(one, "client")
            }
            addresses = [{"ip_address": address(one, "client")} for one in in_order(list(members.values()))]
            found.append(
                {
                    "nsip": with_nitro_port(definition, zone["clip"]),
                    "virtual_ip": addresses[0]["ip_address"],
                    "addresses": addresses,
                    "nodes": [
                        with_nitro_port(definition, nsip(one)) for one in in_order(list(members.values())) if nsip(one)
                    ],
                }
            )
        return found

    def evict(self, nodes: Sequence[str], members: Collection[str], *, draining: bool) -> list[str]:
        """Drain only members, because draining a node that never joined would add it. Remove every node."""
        return [one for one in nodes if one and (not draining or one in members)]

    def most_leaving(self, members: int, leaving: int) -> tuple[int, str] | None:
        """Return less than half of the members: a cluster works while more than half of them are up."""
        most = max(0, (members - 1) // 2 - leaving)
        others = f", {leaving} of which are leaving already" if leaving else ""
        return most, f"less than half of a cluster may leave at once, and it has {members} nodes{others}"
