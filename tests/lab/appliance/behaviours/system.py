"""The box itself: configuration, features, modes, version, licence, users and sessions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from tests.lab.appliance import passwords
from tests.lab.appliance.context import Context
from tests.lab.appliance.errors import NitroFault
from tests.lab.appliance.factory import factory_config, vcpus
from tests.lab.appliance.schema import Resource, Row, catalogue

from .base import Behaviour, behaves

FEATURES = (
    "WL",
    "SP",
    "LB",
    "CS",
    "CR",
    "CMP",
    "SSL",
    "GSLB",
    "CF",
    "IC",
    "SSLVPN",
    "AAA",
    "OSPF",
    "RIP",
    "BGP",
    "REWRITE",
    "IPv6PT",
    "AppFw",
    "RESPONDER",
    "AppFlow",
    "ISIS",
    "CH",
    "AppQoE",
    "ContentAccelerator",
    "RISE",
    "FEO",
    "LSN",
    "RDPProxy",
    "Rep",
    "URLFiltering",
    "VideoOptimization",
    "ForwardProxy",
    "SSLInterception",
    "AdaptiveTCP",
    "CQA",
    "CI",
    "SureConnect",
    "PQ",
    "HDOSP",
    "PUSH",
    "CloudBridge",
)
FEATURE_ALIASES = {
    "loadbalancing": "LB",
    "contentswitching": "CS",
    "sslofflding": "SSL",
    "ssloffloading": "SSL",
    "weblogging": "WL",
    "surgeprotection": "SP",
    "compression": "CMP",
    "contentfiltering": "CF",
    "integratedcaching": "IC",
    "cacheredirection": "CR",
    "globalserverloadbalancing": "GSLB",
    "applicationfirewall": "AppFw",
    "callhome": "CH",
}
MODE_ALIASES = {
    "FastRamp": "FR",
    "L2mode": "L2",
    "L3mode": "L3",
    "UseSourceIP": "USIP",
    "ClientKeepAlive": "CKA",
    "TCPBuffering": "TCPB",
    "MACbasedforwarding": "MBF",
}


def ctime(when: float) -> str:
    """Dates as the appliance prints them: ``Fri Nov  4 09:56:30 2022``, UTC."""
    return time.asctime(time.gmtime(when))


def feature_name(text: str) -> str:
    """A feature by any of its spellings; 1074 for what is none."""
    alias = FEATURE_ALIASES.get(text.lower())
    for name in FEATURES:
        if text.lower() == name.lower() or alias == name:
            return name
    raise NitroFault(1074, "feature", text)


def switched(names: list[str], chosen: list[str], verb: str) -> list[str]:
    """A list of names with some more, or without some."""
    if verb == "enable":
        return names + [name for name in chosen if name not in names]
    return [name for name in names if name not in chosen]


@behaves("nsfeature")
class Feature(Behaviour):
    def view(self, ctx: Context, row: Row) -> Row:
        on = {name.lower() for name in row["feature"]}
        flags = {name: name in on for name in catalogue()["config/nsfeature"].fields if name != "feature"}
        return {**({"feature": row["feature"]} if row["feature"] else {}), **flags}

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        if "feature" not in arguments:
            raise NitroFault(1095, "feature")
        row = ctx.running.single("nsfeature")
        row["feature"] = switched(row["feature"], [feature_name(name) for name in arguments["feature"]], verb)
        return None


@behaves("nsmode")
class Mode(Behaviour):
    def view(self, ctx: Context, row: Row) -> Row:
        on = {name.lower() for name in row["mode"]}
        flags = {name: name in on for name in catalogue()["config/nsmode"].fields if name != "mode"}
        return {**({"mode": row["mode"]} if row["mode"] else {}), **flags}

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        if "mode" not in arguments:
            raise NitroFault(1095, "mode")
        row = ctx.running.single("nsmode")
        row["mode"] = switched(row["mode"], [MODE_ALIASES.get(name, name) for name in arguments["mode"]], verb)
        return None


@behaves("nsconfig")
class NsConfig(Behaviour):
    changes_config = False

    def view(self, ctx: Context, row: Row) -> Row:
        box = ctx.appliance
        peers = len(box.running.rows("hanode")) > 1
        cluster = bool(box.running.rows("clusterinstance"))
        return {
            **row,
            **self.address(ctx),
            "systemtype": "Cluster" if cluster else "HA" if peers else "Stand-alone",
            "primaryip": box.nsip if box.ha.role == "Primary" else ctx.room.ha.peer_address(box),
            "flags": 0,
            "lastconfigchangedtime": ctime(box.changed_at or box.boot_began),
            "lastconfigsavetime": ctime(box.saved_at or box.boot_began),
            "currentsytemtime": ctime(ctx.now),
            "systemtime": int(ctx.now),
            "configchanged": box.running != box.saved,
        }

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        match verb:
            case "save":
                self.save(ctx)
            case "clear":
                self.clear(ctx, arguments["level"])
            case "diff":
                return {"response": ""}
        return None

    def updating(self, ctx: Context, row: Row, changes: Row) -> None:
        """The NSIP of a VPX on AWS is its interface's address: it cannot be set (1103)."""
        for name, value in self.address(ctx).items():
            if changes.pop(name, value) != value:
                raise NitroFault(1103)

    def address(self, ctx: Context) -> Row:
        nsip = ctx.running.first("nsip", type="NSIP") or {}
        return {"ipaddress": ctx.appliance.nsip, "netmask": nsip.get("netmask", "")}

    def save(self, ctx: Context) -> None:
        """Two at once: 293 "Operation already in progress" (or 1461, see Settings)."""
        if ctx.now < ctx.appliance.saving_until:
            raise NitroFault(ctx.settings.save_collision_code)
        ctx.appliance.save(ctx.now)

    def clear(self, ctx: Context, level: str) -> None:
        """What remains: NSIP, users' passwords, HA and RPC (basic and extended keep more than full; vendor CLI
        reference).
        """
        fresh = factory_config(ctx.appliance.facts)
        keep = ["systemuser", "nsrpcnode", "hanode", "clusterinstance", "clusternode"]
        if level != "full":
            keep += ["route", "nsfeature", "nsmode", "nshostname"]
        for name in keep:
            fresh.tables[name] = ctx.running.tables.get(name, {})
        ctx.appliance.running = fresh
        ctx.appliance.changed_at = ctx.now


@behaves("reboot")
class Reboot(Behaviour):
    changes_config = False

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        restart(ctx, warm=bool(arguments.get("warm")))
        return None


def restart(ctx: Context, *, warm: bool) -> None:
    """Reboot this appliance. A warm one does not load the kernel anew, hence not an installed build."""
    cold = replace(ctx.settings.cold, closing=ctx.settings.closing_seconds)
    ctx.room.ha.about_to_vanish(ctx.appliance)
    ctx.appliance.boot(ctx.now, ctx.settings.warm if warm else cold, cold=not warm)
    ctx.room.restarted(ctx.appliance)


@behaves("nshostname")
class Hostname(Behaviour):
    def updating(self, ctx: Context, row: Row, changes: Row) -> None:
        """Through the CLIP a node is named: the name goes there and nowhere else."""
        if "ownernode" not in changes:
            return
        owner = ctx.running.first("clusternode", nodeid=changes["ownernode"])
        node = ctx.room.by_nsip(owner["ipaddress"]) if owner else None
        if not ctx.on_clip:
            raise NitroFault(2547)
        if node is None:
            raise NitroFault(362)
        node.running.single("nshostname")["hostname"] = changes["hostname"]
        changes.clear()

    def view(self, ctx: Context, row: Row) -> Row:
        return {"hostname": row.get("hostname", ""), **({"ownernode": row["ownernode"]} if "ownernode" in row else {})}


@behaves("nsversion")
class Version(Behaviour):
    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        """With the argument installedversion the build on the disk, which may wait for a reboot (adc-nitro-go)."""
        box, installed = ctx.appliance, ctx.args.get("installedversion", "").lower() == "true"
        version = (installed and box.software.installed) or box.version(ctx.settings)
        return [{"installedversion": installed, "version": version, "mode": 1}]


@behaves("nshardware")
class Hardware(Behaviour):
    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        serial = "HE2H" + ctx.appliance.instance_id.removeprefix("i-")[:10].upper()
        return [
            {
                "hwdescription": "NetScaler Virtual Appliance 450040",
                "sysid": 450040,
                "manufactureday": 17,
                "manufacturemonth": 2,
                "manufactureyear": 2009,
                "cpufrequncy": 2500,
                "hostid": sum(ctx.appliance.instance_id.encode()),
                "host": ctx.appliance.instance_id.removeprefix("i-")[:12],
                "serialno": serial,
                "encodedserialno": serial[::-1],
            }
        ]


@behaves("systemuser")
class SystemUser(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        passwords.acceptable(ctx, row["username"], row["password"])

    def updating(self, ctx: Context, row: Row, changes: Row) -> None:
        if "password" in changes:
            passwords.acceptable(ctx, row["username"], changes["password"])
            row.pop("_forced", None)

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        if row["username"] == "nsroot":
            raise NitroFault(257)

    def view(self, ctx: Context, row: Row) -> Row:
        timeout = row.get("timeout", 900)
        return {
            **row,
            "encrypted": True,
            "hashmethod": "SHA512",
            "timeout": timeout,
            "promptinheritedfrom": "Global",
            "timeoutkind": "User" if "timeout" in row else "Global",
        }


@behaves("systemsession")
class SystemSession(Behaviour):
    changes_config = False

    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        return [
            {
                "sid": session.sid,
                "username": session.username,
                "logintime": ctime(session.began),
                "lastactivitytime": ctime(session.last_used),
                "expirytime": int(session.expires() - ctx.now),
                "numofconnections": 1,
                "currentconn": session.token == ctx.token,
                "clienttype": "API",
                "partitionname": "default",
            }
            for session in ctx.appliance.sessions.list(ctx.now)
        ]

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        if verb != "kill":
            raise NitroFault(1240, verb)
        if arguments.get("all"):
            ctx.appliance.sessions.clear(but=ctx.token)
        elif "sid" not in arguments:
            raise NitroFault(1095, "sid")
        elif not ctx.appliance.sessions.kill(arguments["sid"]):
            raise NitroFault(258, "sid", arguments["sid"])
        return None


@behaves("nstcpparam", "systemparameter", "cloudparameter")
class Parameters(Behaviour):
    """Exist once, always there."""


def cpu_count(ctx: Context) -> int:
    return vcpus(ctx.appliance.facts.instance_type)
