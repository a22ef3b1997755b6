# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Nodes that are silent for several ticks while others answer: which lose their DNS records, and which get them back.

Pure. Silence alone ends no instance. Records that are withdrawn can be written again, and a name never becomes empty:
at least one node that answers keeps its records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..spec.figures import Reading
from .group_state import Record


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What is to be done now, by instance id. ``silent``: to be without records; ``recovered``: to get them back."""

    silent: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()


def counted(record: Record, readings: Sequence[Reading], ticks: int) -> Record:
    """Return the record with the silence of each node counted, and with the nodes whose records are to be withdrawn.

    A tick in which no node answers counts for none: then the network of the controller is the likelier reason.

    Args:
        record: the state, with the nodes in service.
        readings: what the nodes answered in this tick; empty if none was asked.
        ticks: after how many silent ticks in a row a node is withdrawn; 0: never.
    """
    nodes = {node.nsip: node for node in record.nodes or () if node.instance_id}
    seen = {reading.nsip: reading.reachable for reading in readings if reading.nsip in nodes}
    there = {node.instance_id for node in nodes.values()}
    withdrawn = [name for name in record.withdrawn if name in there]
    if not any(seen.values()):
        return replace(record, withdrawn=tuple(withdrawn))
    before = dict(record.silent)
    silent = {
        nodes[at].instance_id: before.get(nodes[at].instance_id, 0) + 1 for at, answers in seen.items() if not answers
    }
    if ticks:
        due = [name for name, count in silent.items() if count >= ticks and name not in withdrawn]
        keeps = [nodes[at].instance_id for at, answers in seen.items() if answers]
        withdrawn += due if set(keeps) - set(withdrawn) else []
    return replace(record, silent=tuple(silent.items()), withdrawn=tuple(withdrawn))


def withdrawal(record: Record, ticks: int) -> Withdrawal:
    """Return what is to be done for the withdrawn nodes; those that were withdrawn under an option that is off now come
    back, whatever they answer.
    """
    silent = {name for name, _count in record.silent} if ticks else set()
    return Withdrawal(
        tuple(name for name in record.withdrawn if name in silent),
        tuple(name for name in record.withdrawn if name not in silent),
    )


def due(found: Withdrawal, *, busy: bool, watching: bool, evaluated: bool, asked: bool) -> Withdrawal:
    """Return the part of a withdrawal that a tick carries out.

    Records are withdrawn on a silence that this tick or another one of the same interval has counted, never on one that
    was counted before a phase in which no node was asked.

    Args:
        found: what is to be done for the withdrawn nodes.
        busy: whether an event is open after the tick; its run writes the records.
        watching: whether the zone is in the phase watching after the tick.
        evaluated: whether the tick weighed figures; while watching, one that did not is the second of its interval.
        asked: whether nodes were asked for their load in this tick.
    """
    if busy:
        return Withdrawal()
    fresh = asked or (watching and not evaluated)
    return Withdrawal(found.silent if fresh else (), found.recovered)


def restored(record: Record, names: Sequence[str]) -> Record:
    """Return the record when these nodes have their records again."""
    return replace(record, withdrawn=tuple(name for name in record.withdrawn if name not in names))


def record_sets(names: Sequence[str], domains: Sequence[str]) -> list[dict[str, Any]]:
    """Return the record sets of nodes for domains, as module route53_adc_record takes them."""
    nodes = [{"identifier": name} for name in names]
    return [{"record": domain, "nodes": nodes} for domain in domains if nodes]
