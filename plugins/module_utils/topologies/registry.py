# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The registry of topologies, in the order in which messages and documentation name them."""

from __future__ import annotations

from .base import Topology
from .cluster import Cluster
from .independent import Independent

#: Topology by its name in option ``topology``; the first one is the default.
REGISTRY: dict[str, Topology] = {entry.name: entry for entry in (Independent(), Cluster())}


def named(name: str | None, *, whole: bool) -> Topology:
    """Return a topology by name. Without one: ``whole`` says whether the nodes of a zone form a cluster."""
    return REGISTRY[name or (Cluster.name if whole else Independent.name)]
