# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an appliance has of an application, in as few calls as the question allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address

from .application import (
    OFFLOADED,
    DesiredApplication,
    Member,
    ObservedApplication,
    Server,
    replaced,
    settles,
    spare_servers,
)
from .certificate_read import BulkReader, read_for_absent, read_for_present
from .steps import Row, canonical_or_none, text_of, whole

# What stands in the address's place of a server that is known by a domain name.
NO_ADDRESS = str(IPv4Address(0))


def read(client: BulkReader, desired: DesiredApplication, *, present: bool) -> ObservedApplication:
    """Everything the plan needs; see the module's documentation for the number of calls."""
    vserver = _first(client.get("lbvserver", desired.name))
    group = _first(client.get("servicegroup", desired.group))
    members = client.get("servicegroup_servicegroupmember_binding", desired.group) if group else []
    found = ObservedApplication(vserver=vserver, group=group, members=tuple(_member(row) for row in members))
    found = _for_present(client, desired, found) if present else _for_absent(client, desired, found)
    if not present or desired.backends is not None:
        found = replace(found, servers=tuple(_server(row) for row in client.get("server")))
    if spare_servers(desired, found, present=present):
        found = replace(found, used_servers=_used_servers(client, desired))
    return found


def _for_present(client: BulkReader, desired: DesiredApplication, found: ObservedApplication) -> ObservedApplication:
    name, vserver = desired.name, found.vserver
    found = replace(found, features=_features(client.get("nsfeature")))
    if vserver:
        groups = client.get("lbvserver_servicegroup_binding", name)
        found = replace(found, vserver_groups=_names(groups, "servicegroupname"))
    if desired.ipset and (text_of(vserver or {}, "ipset") != desired.ipset or replaced(desired, found)):
        found = replace(found, ipset_addresses=_ipset_addresses(client, desired.ipset))
    if settles(desired, found):
        rows = client.get("lbvserver")
        found = replace(found, others=tuple(row for row in rows if text_of(row, "name") != name))
    if found.group:
        bound = client.get("servicegroup_lbmonitor_binding", desired.group)
        found = replace(found, monitors=_names(bound, "monitor_name"))
    if desired.monitor:
        found = replace(found, monitor=_first(client.get("lbmonitor", desired.monitor.name)))
    if vserver and text_of(vserver, "servicetype") in OFFLOADED:
        bound = client.get("sslvserver_sslcertkey_binding", name)
        own = [row for row in bound if not (_yes(row.get("ca")) or _yes(row.get("snicert")))]
        found = replace(found, certkeys=_names(own, "certkeyname"))
    if desired.certificate:
        found = replace(found, keys=read_for_present(client, desired.certificate))
    return found


def _for_absent(client: BulkReader, desired: DesiredApplication, found: ObservedApplication) -> ObservedApplication:
    return replace(
        found,
        monitor=_first(client.get("lbmonitor", desired.own_monitor)),
        keys=read_for_absent(client, desired.name, desired.own_certkey),
    )


def _first(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None


def _names(rows: Iterable[Row], field: str) -> frozenset[str]:
    return frozenset(text_of(row, field) for row in rows) - {""}


def _yes(value: object) -> bool:
    return str(value).lower() in ("true", "yes", "enabled")


def _features(rows: list[Row]) -> frozenset[str]:
    """Features that are on: a list of names, and one boolean a feature."""
    row = rows[0] if rows else {}
    listed = row.get("feature")
    names = {str(name).upper() for name in listed} if isinstance(listed, list) else set()
    return frozenset(names | {key.upper() for key, value in row.items() if value is True})


def _ipset_addresses(client: BulkReader, name: str) -> tuple[str, ...] | None:
    if not client.get("ipset", name):
        return None
    bound = [canonical_or_none(row.get("ipaddress")) for row in client.get("ipset_nsip_binding", name)]
    return tuple(sorted((ip for ip in bound if ip), key=_by_number))


def _by_number(ip: str) -> tuple[int, ...]:
    return tuple(int(part) for part in ip.split(".")) if "." in ip else ()


def _member(row: Row) -> Member:
    address = canonical_or_none(row.get("ip"))
    return Member(
        address=None if address == NO_ADDRESS else address,
        port=whole(row.get("port")),
        server=text_of(row, "servername") or text_of(row, "ip"),
        weight=whole(row.get("weight")),
        state=text_of(row, "svrstate"),
    )


def _server(row: Row) -> Server:
    return Server(text_of(row, "name"), canonical_or_none(row.get("ipaddress")), text_of(row, "comment"))


def _used_servers(client: BulkReader, desired: DesiredApplication) -> frozenset[str]:
    """Names and addresses of server objects that service groups other than ours, or services, use."""
    rows = client.get_bulk("servicegroup_servicegroupmember_binding")
    users = [row for row in rows if text_of(row, "servicegroupname") != desired.group] + client.get("service")
    return frozenset[str]().union(*(_names(users, field) for field in ("servername", "ip", "ipaddress")))
