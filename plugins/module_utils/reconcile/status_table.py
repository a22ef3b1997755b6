# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The state of pairs and groups as lines that a person reads at a glance. Pure, and without a library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

_HEAD = ("KIND", "NAME", "ZONE", "STATE", "NODES", "ADDRESSES")
Row = tuple[str, ...]


def status_lines(status: Mapping[str, Any]) -> list[str]:
    """Return the table, then problems, latest events, and what could not be seen."""
    entries = [*status["pairs"], *status["groups"]]
    where = f"account {status['account'] or 'unknown'}, {status['region']}"
    lines = [f"{where}: {_count(status['pairs'], 'pair')}, {_count(status['groups'], 'group')}"]
    if entries:
        lines += _table([_HEAD, *(row for each in entries for row in rows_of(each))])
    lines += _section("problems", [f"{each['name']}: {text}" for each in entries for text in each["problems"]])
    lines += _section("latest events", [f"{each['name']}: {text}" for each in entries for text in events_of(each)])
    return lines + _section("not seen", unseen_of(status))


def rows_of(entry: Mapping[str, Any]) -> list[Row]:
    """Return the rows of one pair or group; a node and an address each have a row of their own."""
    if entry["kind"] == "pair":
        zones = [("", pair_state(entry), [_pair_node(entry, node) for node in entry["nodes"]])]
    else:
        zones = [
            (zone["zone"], zone_state(zone), [_group_node(node) for node in zone["nodes"]]) for zone in entry["zones"]
        ]
    addresses = [_address(each) for each in entry["addresses"]] + [_vip(each) for each in entry.get("vips", ())]
    if entry.get("endpoint"):
        addresses.insert(0, entry["endpoint"])
    rows: list[Row] = []
    for number, (zone, state, nodes) in enumerate(zones):
        shown = addresses if number == 0 else []
        for index, (node, address) in enumerate(zip_longest(nodes or ["none"], shown, fillvalue="")):
            name = (entry["kind"], entry["name"]) if not rows else ("", "")
            rows.append((*name, *((zone, state) if index == 0 else ("", "")), node, address))
    return rows


def pair_state(pair: Mapping[str, Any]) -> str:
    """Return the health of a pair in two words."""
    if pair["healthy"] is None:
        return "not asked"
    sync = {True: "in sync", False: "not in sync", None: "sync unknown"}[pair["in_sync"]]
    return f"{'healthy' if pair['healthy'] else 'not healthy'}, {sync}"


def zone_state(zone: Mapping[str, Any]) -> str:
    """Return the phase of a zone and its end."""
    if zone["phase"] is None:
        return "phase unknown"
    return f"{zone['phase']}{' until ' + zone['phase_until'] if zone['phase_until'] else ''}"


def _pair_node(pair: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    role = node["claim"] or ("no answer" if node["reachable"] is False else node["instance_state"] or "gone")
    mark = " (primary)" if pair["primary"] == node["node_id"] else ""
    return f"{node['node_id']} {node['instance_id']} {role}{mark}"


def _group_node(node: Mapping[str, Any]) -> str:
    load = "" if node.get("cpu") is None else f", cpu {node['cpu']:g} %"
    silent = ", no answer" if node["reachable"] is False else ""
    return f"{node['instance_id']} {node['lifecycle'] or node['instance_state']}{load}{silent}"


def _address(address: Mapping[str, Any]) -> str:
    if address.get("instance_id"):
        return f"{address['elastic_ip']} on {address['instance_id']}"
    place = "nowhere" if address["network_interface_id"] is None else "elsewhere"
    if address.get("node_id") is not None:
        place = f"node {address['node_id']}"
    return f"{address['elastic_ip']} on {place}{' (misplaced)' if address.get('misplaced') else ''}"


def _vip(vip: Mapping[str, Any]) -> str:
    place = "nowhere" if vip["network_interface_id"] is None else "elsewhere"
    if vip["node_id"] is not None:
        place = f"node {vip['node_id']}"
    return f"{vip['vip']} ({vip['kind']}) on {place}{' (misplaced)' if vip['misplaced'] else ''}"


def events_of(entry: Mapping[str, Any]) -> list[str]:
    """Return the latest events of a pair or a group, one line each."""
    if entry["kind"] == "pair":
        return [f"{each.get('time')} {each.get('type')}: {each.get('summary')}" for each in entry["events"]]
    return [
        f"{zone['zone']}: {each['closed_at']} {each['action'].replace('_', '-')} of {each['count']} {each['outcome']}: "
        f"{each['message'] or each['reason']}"
        for zone in entry["zones"]
        for each in zone["events"]
    ]


def unseen_of(status: Mapping[str, Any]) -> list[str]:
    """Return what could not be seen, each once."""
    entries = [*status["pairs"], *status["groups"]]
    texts = [*status["unseen"], *(f"{each['name']}: {text}" for each in entries for text in each["unseen"])]
    return list(dict.fromkeys(texts))


def _count(found: Sequence[Any], what: str) -> str:
    return f"{len(found)} {what}{'' if len(found) == 1 else 's'}"


def _section(title: str, texts: Sequence[str]) -> list[str]:
    return [f"{title}:", *(f"  {text}" for text in texts)] if texts else []


def _table(rows: Sequence[Row]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
