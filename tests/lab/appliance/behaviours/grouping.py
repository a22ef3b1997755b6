"""Clusters: instance, nodes, join (vendor NITRO reference: cluster)."""

from __future__ import annotations
