"""Statistics, with the JSON types of recorded replies: counters are strings, rates and percentages are numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from . import cluster_views, health
from .behaviours.system import ctime
from .context import Context, ordered
from .errors import NitroFault
from .factory import packet_engines, vcpus
from .schema import Resource, Row, catalogue

NO_SUCH_CPU = 4294967295
"""What a box with one CPU answers for an average over several: an unsigned −1 (recorded)."""
# What this simulator keeps no count of: every documented field is there and zero.
QUIET = ("aaa", "appfw", "cache", "cmp", "dns", "protocolicmp", "protocoludp", "ssl", "systembw", "systemmemory", "vpn")
# Resources that cannot be configured here: a reply without the key, as for any empty list.
NONE_HERE = ("authenticationvserver", "crvserver", "gslbservice", "gslbvserver", "vpnvserver")
OBJECTS = ("ns", "system", "hanode", "protocoltcp", "protocolhttp", "protocolip", *QUIET)

Reader = Callable[[Context], list[Row]]


def passes(value: Any, desired: str) -> bool:
    """``filter=field:value``; a value between slashes is a regular expression (vendor docs: filtering)."""
    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    if isinstance(value, list):
        return any(passes(item, desired) for item in value)
    if len(desired) > 1 and desired.startswith("/") and desired.endswith("/"):
        return re.search(desired[1:-1], text) is not None
    return text.lower() == desired.lower()


def read(ctx: Context, name: str, ident: str | None, args: Mapping[str, str], bindings: bool) -> Row | list[Row]:
    """One statistics page. 1232 for an unknown one, 258 for an unknown object."""
    resource = catalogue().get(f"stat/{name}")
    if resource is None or name not in READERS:
        raise NitroFault(1232, name)
    rows = [resource.print(complete(resource, row)) for row in READERS[name](ctx)]
    if name in OBJECTS:
        return rows[0]
    key = resource.key[0] if resource.key else KEYS.get(name, "name")
    desired = ident if ident is not None else args.get(key)
    if desired is None:
        return rows
    found = [row for row in rows if str(row.get(key)) == desired]
    if not found:
        raise NitroFault(258, key, desired)
    if bindings and name in ("lbvserver", "servicegroup"):
        for row in found:
            row["service" if name == "lbvserver" else "servicegroupmember"] = bound(ctx, name, desired)
    return found


KEYS = {
    "Interface": "id",
    "clusternode": "nodeid",
    "clusterinstance": "clid",
    "servicegroup": "servicegroupname",
    "sslvserver": "vservername",
    "vlan": "id",
    "systemcpu": "id",
}


def complete(resource: Resource, row: Row) -> Row:
    """Every documented field is there and no other; what nothing is known of is zero."""
    blank: Row = {}
    for name, field in resource.fields.items():
        if name in ("clearstats", "__count") or not field.read_only:
            continue
        blank[name] = 0 if field.kind in "di" else False if field.kind == "b" else ""
    known = {name: value for name, value in row.items() if name in resource.fields}
    return ordered(resource.fields, {**blank, **known})


def engines(ctx: Context) -> int:
    return packet_engines(ctx.appliance.facts.instance_type)


def cpu(ctx: Context) -> Row:
    """CPU and memory. ``pktcpuusagepcnt`` is what a policy should look at; ``rescpuusagepcnt`` has its trap."""
    figures = ctx.appliance.figures
    several = engines(ctx) > 1
    memory = 2048 * vcpus(ctx.appliance.facts.instance_type)
    return {
        "pktcpuusagepcnt": figures.cpu,
        "cpuusagepcnt": figures.cpu,
        "cpuusage": int(figures.cpu),
        "rescpuusagepcnt": figures.cpu if several else NO_SUCH_CPU,
        "rescpuusage": int(figures.cpu) if several else NO_SUCH_CPU,
        "mastercpuusage": int(figures.cpu) if several else NO_SUCH_CPU,
        "slavecpuusage": int(figures.cpu) if several else NO_SUCH_CPU,
        "mgmtcpuusagepcnt": 1.9,
        "mgmtcpu0usagepcnt": 1.9,
        "addimgmtcpuusagepcnt": 0.0,
        "memusagepcnt": figures.memory,
        "memuseinmb": int(memory * figures.memory / 100),
        "memsizemb": memory,
        "numcpus": engines(ctx),
        "starttime": ctime(ctx.appliance.ready_at),
        "disk0perusage": 12,
        "disk1perusage": 9,
        "disk0avail": 1264,
        "disk1avail": 12012,
        "disk0size": 1585,
        "disk0used": 194,
        "disk1size": 14179,
        "disk1used": 1039,
    }


def pair(ctx: Context) -> Row:
    ha = ctx.appliance.ha
    peers = ctx.room.ha.peer_row(ctx.appliance) is not None
    reported = ctx.room.ha.status(ctx.appliance)
    state = {"ENABLED": "INIT" if ha.role == "INIT" else "UP"}.get(reported, reported)
    role = {"STAYSECONDARY": "STAYSECONDARY"}.get(reported, "Primary" if ha.role == "Primary" else "Secondary")
    heartbeats = int(max(0.0, ctx.now - ctx.appliance.ready_at) * 5) if peers else 0
    return {
        "hacurstatus": "YES" if peers else "NO",
        "hacurstate": state,
        "hacurmasterstate": role,
        "transtime": ctime(ha.transition if ha.transition is not None else ctx.appliance.ready_at),
        "hatotpktrx": heartbeats if ha.hears else 0,
        "hapktrxrate": 5 if ha.hears else 0,
        "hatotpkttx": heartbeats,
        "hapkttxrate": 5 if peers else 0,
        "haerrproptimeout": ha.prop_failures,
        "haerrsyncfailure": ha.sync_failures,
    }


def connections(ctx: Context) -> Row:
    """Client connections are the load's figure; a server connection for two of them (connection reuse)."""
    count = int(ctx.appliance.figures.connections * ctx.room.clusters.remaining(ctx.appliance, ctx.now))
    return {
        "tcpcurclientconn": count,
        "tcpcurclientconnestablished": count,
        "tcpcurserverconn": count // 2,
        "tcpcurserverconnestablished": count // 2,
        "tcpactiveserverconn": count // 2,
    }


def traffic(ctx: Context) -> Row:
    """Throughput, half in and half out, in Mbit/s; totals are its integral."""
    figures = ctx.appliance.figures
    total = int(figures.total(ctx.now) / 2)
    return {
        "rxmbitsrate": figures.throughput / 2,
        "txmbitsrate": figures.throughput / 2,
        "totrxmbits": total,
        "tottxmbits": total,
        "httprequestsrate": int(figures.throughput * 10),
        "httptotrequests": int(figures.total(ctx.now) * 10),
    }


def ns(ctx: Context) -> list[Row]:
    ha = pair(ctx)
    state = {name: ha[name] for name in ("hacurstate", "hacurmasterstate", "transtime")}
    return [{**cpu(ctx), **traffic(ctx), **connections(ctx), **state}]


def lbvservers(ctx: Context) -> list[Row]:
    rows = []
    names = ctx.running.rows("lbvserver")
    for row in names:
        members = health.members_of(ctx.running, row["name"])
        states = [member.state(ctx.monitor, ctx.now) for member in members]
        active = states.count("UP")
        share = int(ctx.appliance.figures.connections / len(names))
        rows.append(
            {
                "name": row["name"],
                "primaryipaddress": row["ipv46"],
                "primaryport": row["port"],
                "type": row["servicetype"],
                "state": health.vserver_state(ctx.appliance, row, ctx.monitor, ctx.now),
                "vslbhealth": 100 * active // len(members) if members else 0,
                "actsvcs": active,
                "inactsvcs": len(members) - active,
                "curclntconnections": share,
                "cursrvrconnections": share // 2,
                "establishedconn": share,
                "sothreshold": 0,
            }
        )
    return rows


def member_row(ctx: Context, member: health.Member, servicetype: str) -> Row:
    return {
        "primaryipaddress": member.address,
        "primaryport": member.port,
        "servicetype": servicetype,
        "state": member.state(ctx.monitor, ctx.now),
        "svrestablishedconn": 0,
        "throughput": 0,
    }


def services(ctx: Context) -> list[Row]:
    return [
        {"name": row["name"], **member_row(ctx, health.service_member(ctx.running, row), row["servicetype"])}
        for row in ctx.running.rows("service")
    ]


def groups(ctx: Context) -> list[Row]:
    out = []
    for row in ctx.running.rows("servicegroup"):
        out.append(
            {
                "servicegroupname": row["servicegroupname"],
                "servicetype": row["servicetype"],
                "state": row.get("state", "ENABLED"),
            }
        )
    return out


def bound(ctx: Context, name: str, ident: str) -> list[Row]:
    """Members nested in a vserver's or group's statistics (``statbindings=yes``)."""
    resource = catalogue()["stat/service"]
    if name == "lbvserver":
        members = health.members_of(ctx.running, ident)
    else:
        group = ctx.running.first("servicegroup", servicegroupname=ident)
        members = health.group_members(ctx.running, group) if group else []
    rows = []
    for member in members:
        label = (
            member.row.get("name")
            or f"{member.row.get('servicegroupname')}?{member.row.get('servername')}?{member.port}"
        )
        rows.append(
            resource.print(
                complete(resource, {"name": label, **member_row(ctx, member, member.row.get("servicetype", ""))})
            )
        )
    return rows


def csvservers(ctx: Context) -> list[Row]:
    return [
        {
            "name": row["name"],
            "primaryipaddress": row["ipv46"],
            "primaryport": row["port"],
            "type": row["servicetype"],
            "state": "UP" if "CS" in ctx.appliance.features() and row.get("state") != "DISABLED" else "DOWN",
        }
        for row in ctx.running.rows("csvserver")
    ]


def sslvservers(ctx: Context) -> list[Row]:
    rows = []
    for row in ctx.running.rows("sslvserver"):
        if owner := ctx.running.first("lbvserver", name=row["vservername"]):
            state = health.vserver_state(ctx.appliance, owner, ctx.monitor, ctx.now)
            rows.append(
                {
                    "vservername": row["vservername"],
                    "primaryipaddress": owner["ipv46"],
                    "primaryport": owner["port"],
                    "type": owner["servicetype"],
                    "state": state,
                }
            )
    return rows


def uptime(seconds: float) -> str:
    """Days, then hours, minutes and seconds: ``4.06:45:16`` (recorded)."""
    whole = int(max(0.0, seconds))
    days, rest = divmod(whole, 86400)
    return f"{days}.{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"


def interfaces(ctx: Context) -> list[Row]:
    """Traffic lies on the interface with device index 1 if there is one; LO/1 has traffic of its own."""
    figures = ctx.appliance.figures
    rate = int(figures.throughput / 2 * 125_000)
    total = int(figures.total(ctx.now) / 2 * 125_000)
    indexes = [one.device_index for one in ctx.appliance.interfaces()]
    busy = 1 if 1 in indexes else 0
    prefix = ctx.room.clusters.prefix(ctx.appliance)
    rows = []
    loads = [(f"{prefix}1/{number}", int(index == busy)) for number, index in enumerate(indexes, start=1)]
    for name, load in [*loads, ("LO/1", 0)]:
        loop = 4096 if name == "LO/1" else 0
        rows.append(
            {
                "id": name,
                "curintfstate": "ENABLED",
                "curlinkstate": "UP",
                "curlinkuptime": uptime(ctx.now - ctx.appliance.ready_at),
                "rxbytesrate": rate * load + loop,
                "txbytesrate": rate * load + loop,
                "totrxbytes": total * load + loop * 1000,
                "tottxbytes": total * load + loop * 1000,
            }
        )
    return rows


def vlans(ctx: Context) -> list[Row]:
    return [{"id": row["id"]} for row in ctx.running.rows("vlan")]


def cpus(ctx: Context) -> list[Row]:
    """One row a CPU: the management CPU, then the packet engines."""
    figures = ctx.appliance.figures
    return [{"id": 0, "percpuuse": 2}, *({"id": one + 1, "percpuuse": int(figures.cpu)} for one in range(engines(ctx)))]


READERS: dict[str, Reader] = {
    "ns": ns,
    "system": lambda ctx: [cpu(ctx)],
    "hanode": lambda ctx: [pair(ctx)],
    "protocoltcp": lambda ctx: [connections(ctx)],
    "protocolhttp": lambda ctx: [
        {"httptotrequests": traffic(ctx)["httptotrequests"], "httprequestsrate": traffic(ctx)["httprequestsrate"]}
    ],
    "protocolip": lambda ctx: [
        {
            "iprxmbitsrate": traffic(ctx)["rxmbitsrate"],
            "iptxmbitsrate": traffic(ctx)["txmbitsrate"],
            "iptotrxmbits": traffic(ctx)["totrxmbits"],
            "iptottxmbits": traffic(ctx)["tottxmbits"],
        }
    ],
    "lbvserver": lbvservers,
    "csvserver": csvservers,
    "service": services,
    "servicegroup": groups,
    "sslvserver": sslvservers,
    "Interface": interfaces,
    "vlan": vlans,
    "systemcpu": cpus,
    **{name: lambda ctx: [{}] for name in QUIET},
    **{name: lambda ctx: [] for name in NONE_HERE},
    "clusternode": cluster_views.node_statistics,
    "clusterinstance": cluster_views.instance_statistics,
}
