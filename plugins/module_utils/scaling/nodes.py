# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The nodes in service of a zone, as its state knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..spec.errors import ReportError
from .group_state import Node, Record

_KEYS = frozenset({"nsip", "instance_id", "node_id"})


def parse_nodes(given: object, what: str = "event.nodes") -> tuple[Node, ...]:
    """Return nodes out of dictionaries with nsip, instance_id, node_id; raises :class:`ReportError` otherwise."""
    if not isinstance(given, list | tuple):
        raise ReportError(f"{what} must be a list, not {given!r}")
    return tuple(_node(each, f"{what}[{at}]") for at, each in enumerate(given))


def _node(given: object, what: str) -> Node:
    if not isinstance(given, Mapping) or not isinstance(given.get("nsip"), str) or not given["nsip"]:
        raise ReportError(f"{what} must be a dictionary with nsip, not {given!r}")
    if unknown := sorted(str(key) for key in given.keys() - _KEYS):
        raise ReportError(f"{what}.{', '.join(unknown)}: no such key; known are nsip, instance_id, node_id")
    return Node(given["nsip"], str(given.get("instance_id") or ""), _number(given.get("node_id"), what))


def _number(given: object, what: str) -> int | None:
    """Return the node id; templates make text of numbers."""
    text = "" if given is None else str(given)
    if text and (isinstance(given, bool) or not text.isdecimal()):
        raise ReportError(f"{what}.node_id must be a whole number of at least 0, not {given!r}")
    return int(text) if text else None


def refreshed(record: Record, found: Sequence[Node]) -> Record:
    """Return the record with the nodes that were found: nodes it knew that are gone become missing."""
    there = {_identity(node) for node in found}
    known = {_identity(node): node for node in (*record.missing, *record.earlier, *(record.nodes or ()))}
    missing = tuple(node for identity, node in known.items() if identity not in there)
    return replace(record, nodes=tuple(found), earlier=(), missing=missing)


def orphans(record: Record, identities: Sequence[str]) -> Record:
    """Return the record when nothing is left of these missing nodes, named by instance id (or NSIP without one)."""
    return replace(record, missing=tuple(node for node in record.missing if _identity(node) not in identities))


def _identity(node: Node) -> str:
    return node.instance_id or node.nsip
