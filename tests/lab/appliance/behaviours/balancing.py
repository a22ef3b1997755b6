"""Load balancing: virtual servers, services, service groups, servers, monitors, and what is bound to what."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.appliance import health
from tests.lab.appliance.context import Context
from tests.lab.appliance.errors import NitroFault
from tests.lab.appliance.factory import add as put_row
from tests.lab.appliance.owned import ipsets_of, row_of, table_of
from tests.lab.appliance.schema import Resource, Row, catalogue, cli_name

from .base import Behaviour, behaves, require

VSERVERS = ("lbvserver", "csvserver")
CLIENT_TIMEOUT = {"HTTP": 180, "SSL": 180, "UDP": 120, "DNS": 120, "ANY": 120}
LB_BINDINGS = ("lbvserver_service_binding", "lbvserver_servicegroup_binding")
MIRRORED = {
    "service_lbmonitor_binding": ("lbmonitor_service_binding", "name", "servicename"),
    "servicegroup_lbmonitor_binding": ("lbmonitor_servicegroup_binding", "servicegroupname", "servicegroupname"),
}
GROUP_MEMBERS = "servicegroup_servicegroupmember_binding"


def drop(ctx: Context, name: str, field: str, value: object) -> None:
    """Bindings go with the object they belong to."""
    table = ctx.running.table(name)
    for key in [key for key, row in table.items() if row.get(field) == value]:
        del table[key]


def warn_feature(ctx: Context, *names: str) -> None:
    """Configuration of a feature that is off is accepted, with warning 1067."""
    for name in names:
        if name not in ctx.appliance.features():
            ctx.warn(1067, name)


class Vserver(Behaviour):
    """What lbvserver and csvserver share: address, port, IPSet, the VIP that comes with them."""

    kind = ""
    feature = ""

    def adding(self, ctx: Context, row: Row) -> None:
        row.setdefault("ipv46", "0.0.0.0")
        row.setdefault("port", 0)
        row.setdefault("td", 0)
        row.setdefault("clttimeout", CLIENT_TIMEOUT.get(row["servicetype"], 9000))
        self.check_ipset(ctx, row)
        for kind in VSERVERS:
            if kind != self.kind and ctx.running.first(kind, name=row["name"]):
                raise NitroFault(273, "name", row["name"])
        if ctx.running.first(self.kind, name=row["name"]) is None:
            self.check_address(ctx, row)
        warn_feature(ctx, self.feature, *(["SSL"] if row["servicetype"] in health.WITH_CERTIFICATE else []))

    def added(self, ctx: Context, row: Row) -> None:
        self.own_address(ctx, row["ipv46"])
        if row["servicetype"] in ("SSL", "SSL_TCP"):
            put_row(ctx.running, "sslvserver", {"vservername": row["name"]})

    def check_ipset(self, ctx: Context, row: Row) -> None:
        """3955 for an IPSet this node does not have; on a secondary the reference stays dangling until it has."""
        if row.get("ipset") and ctx.origin == "client" and ctx.running.first("ipset", name=row["ipset"]) is None:
            raise NitroFault(3955)

    def check_address(self, ctx: Context, row: Row) -> None:
        if row["ipv46"] == "0.0.0.0":
            return
        for kind in VSERVERS:
            for other in ctx.running.find(kind, ipv46=row["ipv46"], port=row["port"]):
                if other["name"] != row["name"]:
                    raise NitroFault(273, cli_name("ipaddress"), row["ipv46"], row["port"])

    def own_address(self, ctx: Context, address: str) -> None:
        """An address that is not an nsip yet becomes a VIP with its first virtual server."""
        if address != "0.0.0.0" and row_of(ctx.running, address) is None:
            table, field = table_of(address)
            mask = {} if table == "nsip6" else {"netmask": "255.255.255.255"}
            put_row(ctx.running, table, {field: address, **mask, "type": "VIP", "td": 0, "_implied": True})

    def disown_address(self, ctx: Context, address: str) -> None:
        """And goes with its last one, unless it was added for itself or is in an IPSet."""
        row = row_of(ctx.running, address)
        used = any(ctx.running.first(kind, ipv46=address) for kind in VSERVERS)
        if row and row.get("_implied") and not used and not ipsets_of(ctx.running, address):
            drop(ctx, *table_of(address), address)

    def updating(self, ctx: Context, row: Row, changes: Row) -> None:
        self.check_ipset(ctx, changes)
        if changes.get("ipv46") and changes["ipv46"] != row["ipv46"]:
            self.check_address(ctx, {**row, **changes})
            row["_was"] = row["ipv46"]

    def updated(self, ctx: Context, row: Row) -> None:
        if was := row.pop("_was", None):
            self.own_address(ctx, row["ipv46"])
            self.disown_address(ctx, was)

    def deleted(self, ctx: Context, row: Row) -> None:
        self.disown_address(ctx, row["ipv46"])
        for binding in LB_BINDINGS:
            drop(ctx, binding, "name", row["name"])
        for name in ("sslvserver", "sslvserver_sslcertkey_binding"):
            drop(ctx, name, "vservername", row["name"])

    def rename(self, ctx: Context, resource: Resource, arguments: Row) -> None:
        super().rename(ctx, resource, arguments)
        for binding in LB_BINDINGS:
            rekey(ctx, binding, "name", arguments["name"], arguments["newname"])
        for name in ("sslvserver", "sslvserver_sslcertkey_binding"):
            rekey(ctx, name, "vservername", arguments["name"], arguments["newname"])


def rekey(ctx: Context, name: str, field: str, old: str, new: str) -> None:
    """Rows that refer to a renamed object follow it."""
    resource = catalogue()[f"config/{name}"]
    table = ctx.running.table(name)
    for key in [key for key, row in table.items() if row.get(field) == old]:
        row = table.pop(key)
        row[field] = new
        table[resource.key_of(row)] = row


@behaves("lbvserver")
class LbVserver(Vserver):
    kind = "lbvserver"
    feature = "LB"

    def adding(self, ctx: Context, row: Row) -> None:
        row.setdefault("persistencetype", "NONE")
        super().adding(ctx, row)

    def view(self, ctx: Context, row: Row) -> Row:
        prober = ctx.monitor
        members = health.members_of(ctx.running, row["name"])
        active = sum(member.state(prober, ctx.now) == "UP" for member in members)
        state = health.vserver_state(ctx.appliance, row, prober, ctx.now)
        return {
            **row,
            "ipmapping": "0.0.0.0",
            "ippattern": "0.0.0.0",
            "ipmask": "*",
            "curstate": state,
            "effectivestate": state,
            "status": 1,
            "lbrrreason": 0,
            "type": "ADDRESS" if row["ipv46"] != "0.0.0.0" else "NONADDRESS",
            "totalservices": len(members),
            "activeservices": active,
            "health": 100 * active // len(members) if members else 0,
        }


@behaves("csvserver")
class CsVserver(Vserver):
    kind = "csvserver"
    feature = "CS"

    def deleted(self, ctx: Context, row: Row) -> None:
        super().deleted(ctx, row)
        for binding in ("csvserver_cspolicy_binding", "csvserver_lbvserver_binding"):
            drop(ctx, binding, "name", row["name"])

    def view(self, ctx: Context, row: Row) -> Row:
        up = "CS" in ctx.appliance.features() and row.get("state") != "DISABLED"
        state = "UP" if up else "OUT OF SERVICE" if row.get("state") == "DISABLED" else "DOWN"
        return {**row, "curstate": state, "status": 1, "type": "CONTENT"}


@behaves("server")
class Server(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        if "ipaddress" in row and "domain" in row:
            raise NitroFault(1092, "IPAddress", "domain")
        if not {"ipaddress", "domain"} & row.keys():
            raise NitroFault(1095, "IPAddress")
        for other in ctx.running.rows("server"):
            if "ipaddress" in row and other.get("ipaddress") == row["ipaddress"] and other["name"] != row["name"]:
                raise NitroFault(1335, row["ipaddress"])

    def deleted(self, ctx: Context, row: Row) -> None:
        """Its services and memberships go too (vendor docs: removing a server removes its services)."""
        for service in list(ctx.running.find("service", servername=row["name"])):
            drop(ctx, "service", "name", service["name"])
            drop(ctx, "lbvserver_service_binding", "servicename", service["name"])
        drop(ctx, GROUP_MEMBERS, "servername", row["name"])

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        return switch(self, ctx, resource, verb, arguments)


def switch(behaviour: Behaviour, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
    """Enable and (gracefully) disable; anything else as usual."""
    if verb == "enable":
        health.enable(behaviour.find(ctx, resource, arguments))
    elif verb == "disable":
        health.disable(behaviour.find(ctx, resource, arguments), arguments, ctx.now)
    else:
        return Behaviour.act(behaviour, ctx, resource, verb, arguments)
    return None


def server_for(ctx: Context, row: Row) -> Row:
    """The server a service or member means: by name, or by address, made when there is none."""
    if "ip" in row and "servername" in row:
        raise NitroFault(1092, "serverName", "IP")
    if "servername" in row:
        return require(ctx, "server", "name", row["servername"])
    if "ip" not in row:
        raise NitroFault(1095, "serverName")
    known = ctx.running.first("server", ipaddress=row["ip"])
    return known or put_row(ctx.running, "server", {"name": row["ip"], "ipaddress": row["ip"]})


@behaves("service")
class Service(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        if ctx.running.first("service", name=row["name"]):
            return
        server = server_for(ctx, row)
        for other in ctx.running.find(
            "service", servername=server["name"], port=row["port"], servicetype=row["servicetype"]
        ):
            raise NitroFault(273, "name", other["name"])
        row.pop("ip", None)
        row["servername"], row["ipaddress"] = server["name"], server.get("ipaddress", "0.0.0.0")
        row.setdefault("td", 0)
        row.setdefault("clttimeout", CLIENT_TIMEOUT.get(row["servicetype"], 9000))
        row.setdefault("svrtimeout", 360 if row["servicetype"] in ("HTTP", "SSL") else 9000)
        warn_feature(ctx, "LB")

    def updating(self, ctx: Context, row: Row, changes: Row) -> None:
        if "ipaddress" in changes:
            server = require(ctx, "server", "name", row["servername"])
            server["ipaddress"] = changes["ipaddress"]

    def view(self, ctx: Context, row: Row) -> Row:
        state = health.service_member(ctx.running, row).state(ctx.monitor, ctx.now)
        return {
            **row,
            "svrstate": state,
            "numofconnections": 0,
            "serviceconftype": True,
            "value": "",
            "gslb": "NONE",
            "publicip": "0.0.0.0",
            "publicport": 0,
        }

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        drop(ctx, "lbvserver_service_binding", "servicename", row["name"])
        drop(ctx, "service_lbmonitor_binding", "name", row["name"])
        drop(ctx, "lbmonitor_service_binding", "servicename", row["name"])

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        if verb == "rename":
            self.rename(ctx, resource, arguments)
            rekey(ctx, "lbvserver_service_binding", "servicename", arguments["name"], arguments["newname"])
            return None
        return switch(self, ctx, resource, verb, arguments)


@behaves("servicegroup")
class ServiceGroup(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        row.setdefault("td", 0)
        row.setdefault("clttimeout", CLIENT_TIMEOUT.get(row["servicetype"], 9000))
        row.setdefault("svrtimeout", 360 if row["servicetype"] in ("HTTP", "SSL") else 9000)
        warn_feature(ctx, "LB")

    def updating(self, ctx: Context, row: Row, changes: Row) -> None:
        """With a server's name and a port, it is that member's change (vendor reference, servicegroup, update)."""
        if "servername" not in changes:
            return
        if "port" not in changes:
            raise NitroFault(1093, "serverName", "port")
        chosen = {name: changes.pop(name) for name in ("servername", "port")}
        member = ctx.running.first(GROUP_MEMBERS, servicegroupname=row["servicegroupname"], **chosen)
        if member is None:
            raise NitroFault(258, "serverName", chosen["servername"])
        for name in ("weight", "customserverid", "serverid", "hashid"):
            if name in changes:
                member[name] = changes.pop(name)

    def view(self, ctx: Context, row: Row) -> Row:
        states = [member.state(ctx.monitor, ctx.now) for member in health.group_members(ctx.running, row)]
        effective = "UP" if "UP" in states else "DOWN"
        if row.get("state") == "DISABLED":
            effective = "OUT OF SERVICE"
        return {
            **row,
            "servicegroupeffectivestate": effective,
            "monstate": "ENABLED",
            "numofconnections": 0,
            "serviceconftype": False,
        }

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        for name in (
            GROUP_MEMBERS,
            "lbvserver_servicegroup_binding",
            *(mirror for mirror in MIRRORED if "group" in mirror),
        ):
            drop(ctx, name, "servicegroupname", row["servicegroupname"])
        drop(ctx, "lbmonitor_servicegroup_binding", "servicegroupname", row["servicegroupname"])

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        if verb in ("enable", "disable") and "servername" in arguments:
            if "port" not in arguments:
                raise NitroFault(1093, "serverName", "port")
            chosen = {name: arguments[name] for name in ("servicegroupname", "servername", "port")}
            members = list(ctx.running.find(GROUP_MEMBERS, **chosen))
            if not members:
                raise NitroFault(258, "serverName", arguments["servername"])
            for member in members:
                health.enable(member) if verb == "enable" else health.disable(member, arguments, ctx.now)
            return None
        if verb == "rename":
            self.rename(ctx, resource, arguments)
            for name in (GROUP_MEMBERS, "lbvserver_servicegroup_binding", "servicegroup_lbmonitor_binding"):
                rekey(ctx, name, "servicegroupname", arguments["servicegroupname"], arguments["newname"])
            return None
        return switch(self, ctx, resource, verb, arguments)


@behaves(GROUP_MEMBERS)
class GroupMember(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        require(ctx, "servicegroup", "servicegroupname", row["servicegroupname"])
        server = server_for(ctx, row)
        if "port" not in row:
            raise NitroFault(1095, "port")
        row["servername"] = server["name"]
        row["ip"] = server.get("ipaddress", "0.0.0.0")
        row.setdefault("weight", 1)
        row.setdefault("serverid", 0)
        row.setdefault("hashid", 0)

    def view(self, ctx: Context, row: Row) -> Row:
        group = require(ctx, "servicegroup", "servicegroupname", row["servicegroupname"])
        for member in health.group_members(ctx.running, group):
            if member.row is row:
                return {**row, "svrstate": member.state(ctx.monitor, ctx.now), "delay": row.get("delay", 0)}
        return dict(row)


@behaves("servicegroup_servicegroupentitymonbindings_binding")
class MemberMonitor(Behaviour):
    """What each monitor says of each member. The wording of ``lastresponse`` is from outputs of ``show service`` in the
    vendor's community; no reference lists it (unverified).
    """

    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        found = []
        for group in ctx.running.rows("servicegroup"):
            name = group["servicegroupname"]
            rows = ctx.running.find("servicegroup_lbmonitor_binding", servicegroupname=name)
            bound = [one["monitor_name"] for one in rows]
            for member in health.group_members(ctx.running, group):
                for monitor in bound or ["tcp-default"]:
                    found.append(self._row(ctx, name, member, monitor))
        return found

    def _row(self, ctx: Context, group: str, member: health.Member, monitor: str) -> Row:
        up = member.state(ctx.monitor, ctx.now) == "UP"
        if up:
            said = "Success - TCP syn+ack received."
        elif ctx.room.way(ctx.appliance, member.address, member.port).passes:
            said = "Failure - TCP syn sent, reset received."
        else:
            said = "Failure - Time out during TCP connection establishment stage"
        return {
            "servicegroupname": group,
            "servicegroupentname2": f"{group}?{member.row['servername']}?{member.port}",
            "port": member.port,
            "monitor_name": monitor,
            "monitor_state": "UP" if up else "DOWN",
            "monitortotalprobes": 1,
            "monitortotalfailedprobes": int(not up),
            "monitorcurrentfailedprobes": int(not up),
            "lastresponse": said,
        }


@behaves("lbvserver_service_binding")
class VserverService(Behaviour):
    def normalise(self, body: dict[str, object]) -> dict[str, object]:
        if "servicename" in body and "servicegroupname" in body:
            raise NitroFault(1092, "serviceName", "serviceGroupName")
        return body

    def adding(self, ctx: Context, row: Row) -> None:
        require(ctx, "lbvserver", "name", row["name"])
        if "servicename" not in row:
            raise NitroFault(1095, "serviceName")
        if ctx.running.first("service", name=row["servicename"]) is None:
            raise NitroFault(258, "serviceName", row["servicename"])
        row.setdefault("weight", 1)

    def view(self, ctx: Context, row: Row) -> Row:
        service = ctx.running.first("service", name=row["servicename"])
        if service is None:
            return dict(row)
        state = health.service_member(ctx.running, service).state(ctx.monitor, ctx.now)
        return {
            **row,
            "ipv46": service["ipaddress"],
            "port": service["port"],
            "servicetype": service["servicetype"],
            "curstate": state,
            "dynamicweight": 0,
            "vsvrbindsvcip": service["ipaddress"],
            "vsvrbindsvcport": service["port"],
            "preferredlocation": "",
        }


@behaves("lbvserver_servicegroup_binding")
class VserverGroup(Behaviour):
    """A group is named as servicegroupname, or as servicename (which the vendor's own collection sends); both come
    back.
    """

    def adding(self, ctx: Context, row: Row) -> None:
        require(ctx, "lbvserver", "name", row["name"])
        require(ctx, "servicegroup", "servicegroupname", row["servicegroupname"])
        row["servicename"] = row["servicegroupname"]

    def view(self, ctx: Context, row: Row) -> Row:
        """Without the weight, which a group does not have (the vendor's own collection counts on its absence)."""
        return {name: value for name, value in row.items() if name != "weight"}

    def normalise(self, body: dict[str, object]) -> dict[str, object]:
        if "servicename" in body and "servicegroupname" in body:
            raise NitroFault(1092, "serviceName", "serviceGroupName")
        if "servicename" in body:
            body["servicegroupname"] = body.pop("servicename")
        if "servicegroupname" not in body:
            raise NitroFault(1095, "serviceGroupName")
        return body


@behaves("lbmonitor")
class Monitor(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        row.setdefault("state", "ENABLED")

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        if any(ctx.running.first(name, monitor_name=row["monitorname"]) for name in MIRRORED):
            raise NitroFault(315)


class MonitorBinding(Behaviour):
    """The same binding can be read and removed from both ends; both tables are kept alike."""

    def adding(self, ctx: Context, row: Row) -> None:
        monitor = row.get("monitor_name", row.get("monitorname"))
        if monitor is None:
            raise NitroFault(1095, "monitorName")
        require(ctx, "lbmonitor", "monitorname", monitor)
        if "servicegroupname" in row:
            require(ctx, "servicegroup", "servicegroupname", row["servicegroupname"])
        else:
            require(ctx, "service", "name", row.get("name", row.get("servicename")))


@behaves("service_lbmonitor_binding", "servicegroup_lbmonitor_binding")
class ToMonitor(MonitorBinding):
    def mirror(self, row: Row) -> tuple[str, Row]:
        name = "service_lbmonitor_binding" if "name" in row else "servicegroup_lbmonitor_binding"
        other, owner, field = MIRRORED[name]
        return other, {"monitorname": row["monitor_name"], field: row[owner]}

    def added(self, ctx: Context, row: Row) -> None:
        name, twin = self.mirror(row)
        put_row(ctx.running, name, twin)

    def deleted(self, ctx: Context, row: Row) -> None:
        name, twin = self.mirror(row)
        ctx.running.table(name).pop(catalogue()[f"config/{name}"].key_of(twin), None)

    def view(self, ctx: Context, row: Row) -> Row:
        return {**row, "monitor_state": "UP", "totalprobes": 0, "totalfailedprobes": 0, "lastresponse": "Success"}


@behaves("lbmonitor_service_binding", "lbmonitor_servicegroup_binding")
class FromMonitor(MonitorBinding):
    def mirror(self, row: Row) -> tuple[str, Row]:
        if "servicename" in row:
            return "service_lbmonitor_binding", {"name": row["servicename"], "monitor_name": row["monitorname"]}
        return "servicegroup_lbmonitor_binding", {
            "servicegroupname": row["servicegroupname"],
            "monitor_name": row["monitorname"],
        }

    def added(self, ctx: Context, row: Row) -> None:
        name, twin = self.mirror(row)
        put_row(ctx.running, name, twin)

    def deleted(self, ctx: Context, row: Row) -> None:
        name, twin = self.mirror(row)
        ctx.running.table(name).pop(catalogue()[f"config/{name}"].key_of(twin), None)
