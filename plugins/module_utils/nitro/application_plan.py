# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What to write so that an appliance has an application as wanted, or nothing of it any more. Pure functions.

The order is from the back ends to the front, so that a vserver never points at something unfinished; what is no longer
wanted goes last. Broken off between any two steps and planned anew, the rest of the same steps comes out.
"""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Iterable
from typing import Any

from .application import (
    MARK,
    MONITOR_SECRETS,
    SSL_DIRECTORY,
    Backend,
    Found,
    Member,
    Monitor,
    Wanted,
    regrouped,
    replaced,
    spare_servers,
    virtual_ip,
)
from .steps import Row, Step, canonical_or_none, text_of, whole


def plan_present(wanted: Wanted, found: Found) -> list[Step]:
    """Everything that is missing or different. ``obstacles`` must have been looked at before."""
    return [
        *_monitor(wanted, found),
        *_certkey(wanted, found),
        *_servers(wanted, found),
        *_cleared_way(wanted, found),
        *_group(wanted, found),
        *_vserver(wanted, found),
        *_fronts(wanted, found),
        *_leftovers(wanted, found),
    ]


def plan_absent(wanted: Wanted, found: Found) -> list[Step]:
    """Front first, so that nothing is in use when it goes. Bindings go with their vserver and service group."""
    steps = []
    if found.vserver is not None:
        steps.append(Step("delete", "lbvserver", wanted.name))
    if found.group is not None:
        steps.append(Step("delete", "servicegroup", wanted.group))
    steps += _spare(wanted, found, present=False)
    if found.monitor is not None:
        steps.append(_delete_monitor(found.monitor))
    if found.certkey is not None:
        steps.append(Step("delete", "sslcertkey", wanted.own_certkey))
    return steps + _delete_files(found.files)


def _monitor(wanted: Wanted, found: Found) -> list[Step]:
    monitor = wanted.monitor
    if monitor is None or monitor.fields is None:
        return []
    body = {"monitorname": monitor.name, **monitor.fields}
    if found.monitor is None:
        return [Step("add", "lbmonitor", body=body)]
    if _retyped(monitor, found.monitor):
        # A monitor's type cannot be changed, and one that is bound cannot be deleted.
        unbind = [_unbind_monitor(wanted, monitor.name)] if monitor.name in found.monitors else []
        return [*unbind, _delete_monitor(found.monitor), Step("add", "lbmonitor", body=body)]
    differing = {name: value for name, value in monitor.fields.items() if _differs(found.monitor, name, value)}
    if not differing:
        return []
    # NITRO wants the type with every change of a monitor.
    changed = {"monitorname": monitor.name, "type": monitor.fields["type"], **differing}
    return [Step("update", "lbmonitor", body=changed)]


def _retyped(monitor: Monitor, row: Row | None) -> bool:
    return row is not None and monitor.fields is not None and text_of(row, "type").upper() != monitor.fields["type"]


def _differs(row: Row, name: str, value: Any) -> bool:
    """Whether a wanted field is not what the appliance says; numbers may come as strings, lists in any order."""
    present = row.get(name)
    if name in MONITOR_SECRETS:
        return False
    if isinstance(value, list) or isinstance(present, list):
        return _texts(value) != _texts(present)
    return text_of(row, name) != str(value)


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return sorted(str(entry) for entry in values)


def _delete_monitor(row: Row) -> Step:
    return Step("delete", "lbmonitor", text_of(row, "monitorname"), args={"type": text_of(row, "type")})


def _certkey(wanted: Wanted, found: Found) -> list[Step]:
    """Upload what is not there yet, then load it under the certkey's name."""
    certificate = wanted.certificate
    if certificate is None or certificate.content is None:
        return []
    steps = [_upload(name, text) for name, text in certificate.files.items() if name not in found.files]
    cert, key = (f"{SSL_DIRECTORY}/{name}" for name in certificate.files)
    body = {"certkey": certificate.certkey, "cert": cert, "key": key}
    if certificate.passphrase:
        body["passplain"] = certificate.passphrase
    if found.certkey is None:
        steps.append(Step("add", "sslcertkey", body=body))
    elif posixpath.basename(text_of(found.certkey, "cert")) not in certificate.files:
        # The new certificate may well be for another name: that check is for people at a prompt.
        steps.append(Step("act", "sslcertkey", action="update", body={**body, "nodomaincheck": True}))
    return steps


def _upload(name: str, text: str) -> Step:
    content = base64.b64encode(text.encode()).decode()
    body = {"filename": name, "filelocation": SSL_DIRECTORY, "filecontent": content, "fileencoding": "BASE64"}
    return Step("add", "systemfile", body=body)


def _delete_files(names: Iterable[str]) -> list[Step]:
    return [Step("delete", "systemfile", name, args={"filelocation": SSL_DIRECTORY}) for name in sorted(names)]


def _new_backends(wanted: Wanted, found: Found) -> list[Backend]:
    there = set() if regrouped(wanted, found) else {member.key for member in found.members}
    return [backend for backend in wanted.backends or () if backend.key not in there]


def _server_name(address: str, found: Found) -> str | None:
    """An address can be that of one server object only (1335), so whatever name it has is the one to use."""
    return next((server.name for server in found.servers if server.address == address), None)


def _servers(wanted: Wanted, found: Found) -> list[Step]:
    new = dict.fromkeys(backend.address for backend in _new_backends(wanted, found))
    return [
        Step("add", "server", body={"name": address, "ipaddress": address, "comment": MARK + wanted.name})
        for address in new
        if _server_name(address, found) is None
    ]


def _cleared_way(wanted: Wanted, found: Found) -> list[Step]:
    """What has to go because its protocol or port is another one, the vserver before what it uses."""
    steps = []
    if replaced(wanted, found):
        steps.append(Step("delete", "lbvserver", wanted.name))
    if regrouped(wanted, found):
        if wanted.group in found.vserver_groups and not replaced(wanted, found):
            args = {"servicegroupname": wanted.group}
            steps.append(Step("delete", "lbvserver_servicegroup_binding", wanted.name, args=args))
        steps.append(Step("delete", "servicegroup", wanted.group))
    return steps


def _group(wanted: Wanted, found: Found) -> list[Step]:
    group, fresh = wanted.group, regrouped(wanted, found)
    steps = []
    if found.group is None or fresh:
        body = {"servicegroupname": group, "servicetype": wanted.backend_protocol}
        steps.append(Step("add", "servicegroup", body=body))
    for backend in _new_backends(wanted, found):
        server = _server_name(backend.address, found) or backend.address
        member = {"servicegroupname": group, "servername": server, "port": backend.port}
        weight = {} if backend.weight is None else {"weight": backend.weight}
        steps.append(Step("bind", "servicegroup_servicegroupmember_binding", body={**member, **weight}))
    steps += [] if fresh else _weights(wanted, found)
    monitor = wanted.monitor
    if monitor and (fresh or monitor.name not in found.monitors or _retyped(monitor, found.monitor)):
        body = {"servicegroupname": group, "monitor_name": monitor.name}
        steps.append(Step("bind", "servicegroup_lbmonitor_binding", body=body))
    return steps


def _weights(wanted: Wanted, found: Found) -> list[Step]:
    members = {member.key: member for member in found.members}
    steps = []
    for backend in wanted.backends or ():
        member = members.get(backend.key)
        if member and backend.weight not in (None, member.weight):
            body = {"servername": member.server, "port": backend.port, "weight": backend.weight}
            steps.append(Step("update", "servicegroup", body={"servicegroupname": wanted.group, **body}))
    return steps


def _vserver(wanted: Wanted, found: Found) -> list[Step]:
    settings = _settings(wanted, found)
    row = found.vserver
    if row is None or replaced(wanted, found):
        fixed = {"name": wanted.name, "servicetype": wanted.protocol, "port": wanted.port}
        return [Step("add", "lbvserver", body=fixed | {name: value for name, value in settings.items() if value != ""})]
    steps = []
    unset = [name for name, value in settings.items() if value == "" and text_of(row, name)]
    changed = {name: value for name, value in settings.items() if value != "" and not _same(row, name, value)}
    if "timeout" in changed:
        changed["persistencetype"] = wanted.persistence
    if changed:
        steps.append(Step("update", "lbvserver", body={"name": wanted.name, **changed}))
    if unset:
        steps.append(Step("unset", "lbvserver", body={"name": wanted.name, **dict.fromkeys(unset, True)}))
    return steps


def _settings(wanted: Wanted, found: Found) -> dict[str, Any]:
    """The vserver's changeable fields that the task speaks of; an empty value is one to be unset."""
    settings: dict[str, Any] = {
        "ipv46": virtual_ip(wanted, found),
        "ipset": wanted.ipset,
        "lbmethod": wanted.lb_method,
        "persistencetype": wanted.persistence,
        "timeout": wanted.persistence_timeout if wanted.persistence != "NONE" else None,
        "processlocal": _switch(wanted.process_local),
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


def _fronts(wanted: Wanted, found: Found) -> list[Step]:
    """Bind the service group and the certificate to the vserver."""
    anew = replaced(wanted, found)
    steps = []
    if anew or regrouped(wanted, found) or wanted.group not in found.vserver_groups:
        body = {"name": wanted.name, "servicegroupname": wanted.group}
        steps.append(Step("bind", "lbvserver_servicegroup_binding", body=body))
    certificate = wanted.certificate
    if certificate and (anew or certificate.certkey not in found.certkeys):
        body = {"vservername": wanted.name, "certkeyname": certificate.certkey}
        steps.append(Step("bind", "sslvserver_sslcertkey_binding", body=body))
    return steps


def _leftovers(wanted: Wanted, found: Found) -> list[Step]:
    """What is bound or lies about and is no longer wanted."""
    steps: list[Step] = []
    if not regrouped(wanted, found):
        steps += [_unbind_member(wanted, member) for member in stale_members(wanted, found)]
        if wanted.monitor:
            stale = sorted(found.monitors - {wanted.monitor.name})
            # What the appliance uses while nothing is bound (tcp-default, ping-default) is not a binding to remove.
            steps += [_unbind_monitor(wanted, name) for name in stale if not name.endswith("-default")]
    certificate = wanted.certificate
    if certificate:
        if not replaced(wanted, found):
            for name in sorted(found.certkeys - {certificate.certkey}):
                args = {"certkeyname": name}
                steps.append(Step("delete", "sslvserver_sslcertkey_binding", wanted.name, args=args))
        if certificate.content is not None:
            steps += _delete_files(found.files - set(certificate.files))
    return steps + _spare(wanted, found, present=True)


def stale_members(wanted: Wanted, found: Found) -> list[Member]:
    """Members that the task does not name, when it purges."""
    if wanted.backends is None or not wanted.purge_backends:
        return []
    named = {backend.key for backend in wanted.backends}
    return [member for member in found.members if member.key not in named]


def _unbind_member(wanted: Wanted, member: Member) -> Step:
    args = {"servername": member.server, "port": member.port}
    return Step("delete", "servicegroup_servicegroupmember_binding", wanted.group, args=args)


def _unbind_monitor(wanted: Wanted, name: str) -> Step:
    return Step("delete", "servicegroup_lbmonitor_binding", wanted.group, args={"monitor_name": name})


def _spare(wanted: Wanted, found: Found, *, present: bool) -> list[Step]:
    spare, used = spare_servers(wanted, found, present=present), found.used_servers
    return [Step("delete", "server", server.name) for server in spare if not {server.name, server.address} & used]
