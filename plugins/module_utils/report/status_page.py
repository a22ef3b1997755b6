# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The page about pairs and groups, from what vpx_status_info returned. Needs no library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .page import document

Entry = Mapping[str, Any]


def status_page(status: Entry, title: str = "") -> str:
    """Return the page; all that it shows is escaped.

    Args:
        status: As module vpx_status_info returns it.
        title: Title of the page; empty for the name of the only pair or group, or of the region.
    """
    entries = [*status["pairs"], *status["groups"]]
    only = f"{'Pair' if entries[0]['kind'] == 'pair' else 'Autoscale group'} {entries[0]['name']}" if entries else ""
    title = title or (only if len(entries) == 1 else f"Pairs and autoscale groups in {status['region']}")
    lead = f"account {status['account'] or 'unknown'}, {status['region']}; as of {status['at']}, times are in UTC"
    sections = "\n".join(_section(each, f"s{number}") for number, each in enumerate(entries, start=1))
    if not entries:
        sections = '<p class="muted">No pair and no group.</p>'
    return document(title, lead, sections + _list("Not seen", status["unseen"], "muted"))


def _section(entry: Entry, prefix: str) -> str:
    parts = _pair(entry) if entry["kind"] == "pair" else _group(entry)
    return (
        f'<section id="{prefix}">\n<h2>{escape(entry["kind"])} {escape(str(entry["name"]))}</h2>\n'
        f"{_list('Problems', entry['problems'], 'failed') or '<p>No problem was seen.</p>'}\n"
        f"{parts}\n{_list('Not seen', entry['unseen'], 'muted')}\n</section>"
    )


def _pair(pair: Entry) -> str:
    facts = {
        "primary": "not known"
        if pair["primary"] is None
        else f"node {pair['primary']} ({pair['primary_instance_id']})",
        "healthy": _yes(pair["healthy"]),
        "in sync": _yes(pair["in_sync"]),
        "verdict": pair["verdict"] or "the appliances were not asked",
    }
    nodes = [
        (node["node_id"], node["instance_id"], node["instance_state"], node["availability_zone"], node["nsip"],
         node["claim"] or node["error"] or "", node["sync_state"] or "")
        for node in pair["nodes"]
    ]  # fmt: skip
    addresses = [
        (each["elastic_ip"], each["allocation_id"],
         "nowhere" if each["network_interface_id"] is None else each["network_interface_id"],
         each["private_ip_address"] or "", "" if each["node_id"] is None else f"node {each['node_id']}",
         _place(each["misplaced"]))
        for each in pair["addresses"]
    ]  # fmt: skip
    vips = [
        (each["vip"], each["kind"], each["network_interface_id"] or "nowhere",
         "" if each["node_id"] is None else f"node {each['node_id']}", _place(each["misplaced"]))
        for each in pair.get("vips", ())
    ]  # fmt: skip
    events = [(each.get("time", ""), each.get("type", ""), each.get("summary", "")) for each in pair["events"]]
    return "\n".join(
        (
            _facts(facts),
            _table("Nodes", ("node", "instance", "state", "zone", "NSIP", "HA state", "synchronisation"), nodes),
            _table("Elastic IPs", ("address", "allocation", "interface", "private address", "at", "place"), addresses),
            *([_table("VIPs", ("VIP", "kind", "interface", "at", "place"), vips)] if vips else []),
            _table("Latest events and moves", ("time", "event", "what"), events),
        )
    )


def _group(group: Entry) -> str:
    parts = [_facts({"clients call": group["endpoint"]}) if group["endpoint"] else ""]
    for zone in group["zones"]:
        until = f" until {zone['phase_until']}" if zone["phase_until"] else ""
        facts = {
            "phase": f"{zone['phase']}{until}" if zone["phase"] else "not known",
            "nodes in service": zone["in_service"],
            "latest tick": zone["updated"] or "not known",
        }
        nodes = [
            (node["instance_id"], node["instance_state"], node["lifecycle"] or "", node["nsip"],
             _load(node["cpu"]), _load(node["memory"]), node["error"] or "")
            for node in zone["nodes"]
        ]  # fmt: skip
        events = [
            (each["closed_at"], each["action"].replace("_", "-"), each["count"], each["outcome"],
             each["message"] or each["reason"])
            for each in zone["events"]
        ]  # fmt: skip
        parts += [
            f"<h3>{escape(zone['zone'])}</h3>",
            _facts(facts),
            _table("Nodes", ("instance", "state", "lifecycle", "NSIP", "CPU", "memory", "error"), nodes),
            _table("Latest events", ("closed", "what", "nodes", "outcome", "reason"), events),
        ]
    addresses = [
        (each["elastic_ip"], each["allocation_id"], each["network_interface_id"], each["private_ip_address"],
         each["instance_id"])
        for each in group["addresses"]
    ]  # fmt: skip
    if addresses:
        head = ("address", "allocation", "interface", "private address", "instance")
        parts.append(_table("Elastic IPs", head, addresses))
    return "\n".join(parts)


def _place(misplaced: bool | None) -> str:
    return {True: "misplaced", False: "on the primary", None: "not known"}[misplaced]


def _yes(value: bool | None) -> str:
    return {True: "yes", False: "no", None: "not known"}[value]


def _load(value: float | None) -> str:
    return "" if value is None else f"{value:g} %"


def _facts(facts: Mapping[str, Any]) -> str:
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items()) + "</dl>"


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return f'<p class="muted">{title}: none known.</p>'
    columns = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<h4>{title}</h4>\n<div class="table"><table>\n<thead><tr>{columns}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _list(title: str, texts: Sequence[str], kind: str) -> str:
    if not texts:
        return ""
    return f'<h4>{title}</h4>\n<ul class="{kind}">' + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"
