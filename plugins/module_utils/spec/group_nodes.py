# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nodes of an autoscale group in the form in which vpx_instance returns them: order and addresses. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Node = Mapping[str, Any]
IN_SERVICE = "in_service"
LEAVING = ("draining", "terminating")


def in_order(nodes: Sequence[Node]) -> list[Node]:
    """Return nodes by node id; those without one come last, in the given order."""
    return sorted(nodes, key=lambda one: (one["node_id"] is None, one["node_id"] or 0))


def address(node: Node, role: str) -> str:
    """Return the private address of the interface with this role, empty if it has none."""
    return str(node["interfaces"].get(role, {}).get("private_ip_address") or "")


def nsip(node: Node) -> str:
    """Return the management address of a node."""
    return address(node, "management")


def with_nitro_port(definition: Mapping[str, Any], host: str) -> str:
    """Return ``host:port`` at which NITRO answers."""
    return f"{host}:{definition['nitro_port']}"


def zone_of(node: Node) -> str:
    """Return the zone that a node belongs to, by its tag."""
    return str(node["tags"].get("cloudadc:zone") or "")


def domains(definition: Mapping[str, Any]) -> list[str]:
    """Return the domains of the applications, each once."""
    return list(dict.fromkeys(each["domain"] for each in definition["applications"] if each["domain"]))
