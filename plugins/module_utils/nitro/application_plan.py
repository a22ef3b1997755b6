# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What to write so that an appliance has an application as desired, or nothing of it any more. Pure functions.

The order is from the back ends to the front, so that a virtual server never points at something unfinished; what is
not desired any more goes last. Interrupted between any two steps and planned again, the rest of the same steps results.
"""

from __future__ import annotations

from typing import Any

from .application import (
    MARK,
    MONITOR_SECRETS,
    Backend,
    DesiredApplication,
    Member,
    Monitor,
    ObservedApplication,
    disabled,
    regrouped,
    replaced,
    spare_servers,
    virtual_ip,
)
from .certificates import certkey_steps, named_certkeys, obsolete_steps, removal_steps
from .steps import Change, Row, canonical_or_none, text_of, whole


def plan_present(desired: DesiredApplication, found: ObservedApplication) -> list[Change]:
    """Everything that is missing or different. ``obstacles`` must have been looked at before."""
    return [
        *_monitor(desired, found),
        *certkey_steps(desired.certificate, found.keys),
        *_servers(desired, found),
        *_cleared_way(desired, found),
        *_group(desired, found),
        *_vserver(desired, found),
        *_fronts(desired, found),
        *_orphans(desired, found),
    ]


def plan_absent(desired: DesiredApplication, found: ObservedApplication) -> list[Change]:
    """Front first, so that nothing is in use when it goes. Bindings go with their vserver and service group."""
    steps = []
    if found.vserver is not None:
        steps.append(Change("delete", "lbvserver", desired.name))
    if found.group is not None:
        steps.append(Change("delete", "servicegroup", desired.group))
    steps += _spare(desired, found, present=False)
    if found.monitor is not None:
        steps.append(_delete_monitor(found.monitor))
    names = [desired.own_certkey, *named_certkeys(found.keys)]
    return steps + removal_steps(names, desired.name, found.keys)


def _monitor(desired: DesiredApplication, found: ObservedApplication) -> list[Change]:
    monitor = desired.monitor
    if monitor is None or monitor.fields is None:
        return []
    body = {"monitorname": monitor.name, **monitor.fields}
    if found.monitor is None:
        return [Change("add", "lbmonitor", body=body)]
    if _retyped(monitor, found.monitor):
        # A monitor's type cannot be changed, and one that is bound cannot be deleted.
        unbind = [_unbind_monitor(desired, monitor.name)] if monitor.name in found.monitors else []
        return [*unbind, _delete_monitor(found.monitor), Change("add", "lbmonitor", body=body)]
    differing = {name: value for name, value in monitor.fields.items() if _differs(found.monitor, name, value)}
    if not differing:
        return []
    # NITRO wants the type with every change of a monitor.
    changed = {"monitorname": monitor.name, "type": monitor.fields["type"], **differing}
    return [Change("update", "lbmonitor", body=changed)]


def _retyped(monitor: Monitor, row: Row | None) -> bool:
    return row is not None and monitor.fields is not None and text_of(row, "type").upper() != monitor.fields["type"]


def _differs(row: Row, name: str, value: Any) -> bool:
    """Whether a desired field differs from the appliance's; numbers may come as strings, lists in any order."""
    present = row.get(name)
    if name in MONITOR_SECRETS:
        return False
    if isinstance(value, list) or isinstance(present, list):
        return _texts(value) != _texts(present)
    return text_of(row, name) != str(value)


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return sorted(str(entry) for entry in values)


def _delete_monitor(row: Row) -> Change:
    return Change("delete", "lbmonitor", text_of(row, "monitorname"), args={"type": text_of(row, "type")})


def _new_backends(desired: DesiredApplication, found: ObservedApplication) -> list[Backend]:
    there = set() if regrouped(desired, found) else {member.key for member in found.members}
    return [backend for backend in desired.backends or () if backend.key not in there]


def _server_name(address: str, found: ObservedApplication) -> str | None:
    """Return the server object's name of an address: an address can belong to one only (1335), so its name is kept."""
    return next((server.name for server in found.servers if server.address == address), None)


def _servers(desired: DesiredApplication, found: ObservedApplication) -> list[Change]:
    new = dict.fromkeys(backend.address for backend in _new_backends(desired, found))
    return [
        Change("add", "server", body={"name": address, "ipaddress": address, "comment": MARK + desired.name})
        for address in new
        if _server_name(address, found) is None
    ]


def _cleared_way(desired: DesiredApplication, found: ObservedApplication) -> list[Change]:
    """Return the removals due because a protocol or port differs, the virtual server before what it uses."""
    steps = []
    if replaced(desired, found):
        steps.append(Change("delete", "lbvserver", desired.name))
    if regrouped(desired, found):
        if desired.group in found.vserver_groups and not replaced(desired, found):
            args = {"servicegroupname": desired.group}
            steps.append(Change("delete", "lbvserver_servicegroup_binding", desired.name, args=args))
        steps.append(Change("delete", "servicegroup", desired.group))
    return steps


def _group(desired: DesiredApplication, found: ObservedApplication) -> list[Change]:
    group, fresh = desired.group, regrouped(desired, found)
    steps = []
    if found.group is None or fresh:
        body = {"servicegroupname": group, "servicetype": desired.backend_protocol}
        steps.append(Change("add", "servicegroup", body=body))
    for backend in _new_backends(desired, found):
        server = _server_name(backend.address, found) or backend.address
        member = {"servicegroupname": group, "servername": server, "port": backend.port}
        weight = {} if backend.weight is None else {"weight": backend.weight}
        steps.append(Change("bind", "servicegroup_servicegroupmember_binding", body={**member, **weight}))
    steps += [] if fresh else _weights(desired, found)
    monitor = desired.monitor
    if monitor and (fresh or monitor.name not in found.monitors or _retyped(monitor, found.monitor)):
        body = {"servicegroupname": group, "monitor_name": monitor.name}
        steps.append(Change("bind", "servicegroup_lbmonitor_binding", body=body))
    return steps


def _weights(desired: DesiredApplication, found: ObservedApplication) -> list[Change]:
    members = {member.key: member for member in found.members}
    steps = []
    for backend in desired.backends or ():
        member = members.get(backend.key)
        if member and backend.weight not in (None, member.weight):
            body = {"servername": member.server, "port": backend.port, "weight": backend.weight}
            steps.append(Change("update", "servicegroup", body={"servicegroupname": desired.group, **body}))
    return steps


def _vserver(desired: DesiredApplication, found: ObservedApplication) -> list[Change]:
    settings = _settings(desired, found)
    row = found.vserver
    if row is None or replaced(desired, found):
        fixed = {"name": desired.name, "servicetype": desired.protocol, "port": desired.port}
        return [
            Change("add", "lbvserver", body=fixed | {name: value for name, value in settings.items() if value != ""})
        ]
    steps = []
    unset = [name for name, value in settings.items() if value == "" and text_of(row, name)]
    changed = {name: value for name, value in settings.items() if value != "" and not _same(row, name, value)}
    if "timeout" in changed:
        changed["persistencetype"] = desired.persistence
    if changed:
        steps.append(Change("update", "lbvserver", body={"name": desired.name, **changed}))
    if desired.enabled and disabled(row):
        steps.append(Change("act", "lbvserver", body={"name": desired.name}, action="enable"))
    if unset:
        steps.append(Change("unset", "lbvserver", body={"name": desired.name, **dict.fromkeys(unset, True)}))
    return steps


def _settings(desired: DesiredApplication, found: ObservedApplication) -> dict[str, Any]:
    """Return the virtual server's changeable fields that the task names; an empty value is to be unset."""
    settings: dict[str, Any] = {
        "ipv46": virtual_ip(desired, found),
        "ipset": desired.ipset,
        "lbmethod": desired.lb_method,
        "persistencetype": desired.persistence,
        "timeout": desired.persistence_timeout if desired.persistence != "NONE" else None,
        "processlocal": _switch(desired.process_local),
    }
    return {name: value for name, value in settings.items() if value is not None}


def _switch(on: bool | None) -> str | None:
    return None if on is None else "ENABLED" if on else "DISABLED"


def _same(row: Row, name: str, value: object) -> bool:
    present: object
    match name:
        case "ipv46":
            present = canonical_or_none(row.get(name))
        case "timeout":
            present = whole(row.get(name))
        case "processlocal":
            present = text_of(row, name).upper() or "DISABLED"
        case "persistencetype":
            present = text_of(row, name).upper() or "NONE"
        case _:
            present = text_of(row, name)
    return present == value


def _fronts(desired: DesiredApplication, found: ObservedApplication) -> list[Change]:
    """Bind the service group and the certificate to the vserver."""
    recreated = replaced(desired, found)
    steps = []
    if recreated or regrouped(desired, found) or desired.group not in found.vserver_groups:
        body = {"name": desired.name, "servicegroupname": desired.group}
        steps.append(Change("bind", "lbvserver_servicegroup_binding", body=body))
    certificate = desired.certificate
    if certificate and (recreated or certificate.certkey not in found.certkeys):
        body = {"vservername": desired.name, "certkeyname": certificate.certkey}
        steps.append(Change("bind", "sslvserver_sslcertkey_binding", body=body))
    return steps


def _orphans(desired: DesiredApplication, found: ObservedApplication) -> list[Change]:
    """Return the bindings and objects that are not desired any more."""
    steps: list[Change] = []
    if not regrouped(desired, found):
        steps += [_unbind_member(desired, member) for member in stale_members(desired, found)]
        if desired.monitor:
            stale = sorted(found.monitors - {desired.monitor.name})
            # What the appliance uses while nothing is bound (tcp-default, ping-default) is not a binding to remove.
            steps += [_unbind_monitor(desired, name) for name in stale if not name.endswith("-default")]
    certificate = desired.certificate
    if certificate:
        if not replaced(desired, found):
            for name in sorted(found.certkeys - {certificate.certkey}):
                args = {"certkeyname": name}
                steps.append(Change("delete", "sslvserver_sslcertkey_binding", desired.name, args=args))
        steps += obsolete_steps(certificate, found.keys)
    return steps + _spare(desired, found, present=True)


def stale_members(desired: DesiredApplication, found: ObservedApplication) -> list[Member]:
    """Members that the task does not name, when it purges."""
    if desired.backends is None or not desired.purge_backends:
        return []
    named = {backend.key for backend in desired.backends}
    return [member for member in found.members if member.key not in named]


def _unbind_member(desired: DesiredApplication, member: Member) -> Change:
    args = {"servername": member.server, "port": member.port}
    return Change("delete", "servicegroup_servicegroupmember_binding", desired.group, args=args)


def _unbind_monitor(desired: DesiredApplication, name: str) -> Change:
    return Change("delete", "servicegroup_lbmonitor_binding", desired.group, args={"monitor_name": name})


def _spare(desired: DesiredApplication, found: ObservedApplication, *, present: bool) -> list[Change]:
    spare, used = spare_servers(desired, found, present=present), found.used_servers
    return [Change("delete", "server", server.name) for server in spare if not {server.name, server.address} & used]
