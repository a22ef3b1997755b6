"""Addresses, IPSets, VLANs, routes and interfaces."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.appliance.context import Context
from tests.lab.appliance.errors import NitroFault
from tests.lab.appliance.forwarding import host_of
from tests.lab.appliance.owned import IPV6, ipsets_of, row_of
from tests.lab.appliance.schema import Resource, Row, cli_name
from tests.lab.packets.vpc import parsed

from .base import Behaviour, behaves, require

VSERVERS = ("lbvserver", "csvserver")
MANAGEMENT = ("telnet", "ftp", "gui", "ssh", "snmp")
FLAGS = {"NSIP": 40, "SNIP": 8, "VIP": 2, "CLIP": 64, "GSLBsiteIP": 16}


@behaves("nsip")
class NsIp(Behaviour):
    def selector(self, args: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in args.items() if name != "td" or value != "0"}

    def adding(self, ctx: Context, row: Row) -> None:
        if row["type"] == "NSIP":
            raise NitroFault(1074, "type", "NSIP")
        row.setdefault("td", 0)
        ctx.room.clusters.adding_address(ctx, row)

    def updating(self, ctx: Context, row: Row, changes: Row) -> None:
        if row["type"] == "VIP" and changes.get("mgmtaccess") == "ENABLED":
            raise NitroFault(278, "mgmtAccess")

    def view(self, ctx: Context, row: Row) -> Row:
        shown = {
            **row,
            "flags": FLAGS[row["type"]],
            "iptype": [row["type"]],
            "hostrtgwact": "0.0.0.0",
            "ospfareaval": 0,
        }
        if row["type"] == "SNIP" and row.get("mgmtaccess") != "ENABLED":
            shown.update(dict.fromkeys(MANAGEMENT, "DISABLED"))
        if row["type"] == "VIP":
            users = [vserver for kind in VSERVERS for vserver in ctx.running.find(kind, ipv46=row["ipaddress"])]
            shown.update({"vipvsercount": len(users), "vipvserdowncount": 0, **dict.fromkeys(MANAGEMENT, "DISABLED")})
        return shown

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        if row["type"] == "NSIP":
            raise NitroFault(2510)
        ctx.room.clusters.deleting_address(ctx, row)
        address = row["ipaddress"]
        bound = ctx.running.first("ipset_nsip_binding", ipaddress=address)
        used = any(ctx.running.first(kind, ipv46=address) for kind in VSERVERS)
        vlan = ctx.running.first("vlan_nsip_binding", ipaddress=address)
        if bound or used or vlan:
            raise NitroFault(ctx.settings.nsip_in_use_code)


@behaves("nsip6")
class NsIp6(Behaviour):
    """An IPv6 address. 378, "IPv6 Feature Disabled", without the feature IPv6PT."""

    def adding(self, ctx: Context, row: Row) -> None:
        if IPV6 not in ctx.appliance.features():
            raise NitroFault(378, message="IPv6 Feature Disabled")
        row.setdefault("td", 0)

    def view(self, ctx: Context, row: Row) -> Row:
        return {**row, "ipv6address": f"{row['ipv6address']}/128", "iptype": [row["type"]]}

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        used = any(ctx.running.first(kind, ipv46=row["ipv6address"]) for kind in VSERVERS)
        if used or ipsets_of(ctx.running, row["ipv6address"]):
            raise NitroFault(ctx.settings.nsip_in_use_code)


@behaves("ipset")
class IpSet(Behaviour):
    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        if any(ctx.running.first(kind, ipset=row["name"]) for kind in VSERVERS):
            raise NitroFault(ctx.settings.ipset_in_use_code)

    def deleted(self, ctx: Context, row: Row) -> None:
        for name in ("ipset_nsip_binding", "ipset_nsip6_binding"):
            table = ctx.running.table(name)
            for key in [key for key, member in table.items() if member["name"] == row["name"]]:
                del table[key]


@behaves("ipset_nsip_binding", "ipset_nsip6_binding")
class IpSetMember(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        require(ctx, "ipset", "name", row["name"])
        owned = row_of(ctx.running, row["ipaddress"])
        if owned is None or owned["type"] not in ("VIP", "SNIP"):
            fault = NitroFault(ctx.settings.ipset_unknown_ip_code, cli_name("ipaddress"), row["ipaddress"])
            fault.status = 599
            raise fault


@behaves("vlan")
class Vlan(Behaviour):
    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        if row["id"] == 1:
            raise NitroFault(257)

    def deleted(self, ctx: Context, row: Row) -> None:
        for name in ("vlan_interface_binding", "vlan_nsip_binding", "vlan_channel_binding"):
            table = ctx.running.table(name)
            for key in [key for key, member in table.items() if member["id"] == row["id"]]:
                del table[key]


@behaves("vlan_nsip_binding", "vlan_interface_binding")
class VlanMember(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        require(ctx, "vlan", "id", row["id"])
        if "ipaddress" in row:
            require(ctx, "nsip", "ipaddress", row["ipaddress"])
        elif "ifnum" in row:
            require(ctx, "Interface", "id", row["ifnum"])


def require_connected(ctx: Context, gateway: str) -> None:
    """604 for a gateway that lies in the subnet of neither the NSIP nor a SNIP."""
    if not any(parsed(gateway) in one.network for one in host_of(ctx.room, ctx.appliance).connected):
        raise NitroFault(604)


@behaves("nspbr")
class PolicyBasedRoute(Behaviour):
    """Kept as configured; what packets follow is what was applied last (vendor docs: Configuring a PBR)."""

    def view(self, ctx: Context, row: Row) -> Row:
        applied = row.get("_applied")
        state = "NOTAPPLIED" if applied is None else "APPLIED" if applied == _plain(row) else "RE-APPLY"
        return {**row, "kernelstate": state, "hits": 0}


@behaves("nspbrs")
class PolicyBasedRoutes(Behaviour):
    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        if verb == "clear":
            ctx.running.table("nspbr").clear()
            return None
        for number, row in enumerate(sorted(ctx.running.rows("nspbr"), key=lambda row: row.get("priority", 0)), 1):
            if verb == "renumber" or "priority" not in row:
                row["priority"] = 10 * number
            if verb == "apply":
                row["_applied"] = _plain(row)
        return None


def _plain(row: Row) -> Row:
    return {name: value for name, value in row.items() if not name.startswith("_")}


@behaves("linkset_interface_binding")
class LinksetMember(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        require(ctx, "linkset", "id", row["id"])
        if "ifnum" not in row:
            raise NitroFault(1095, "ifnum")


@behaves("route")
class Route(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        require_connected(ctx, row["gateway"])

    def view(self, ctx: Context, row: Row) -> Row:
        static = not row.get("permanent") and not row.get("direct")
        return {**row, "routetype": "STATIC" if static else "PERMANENT", "Static": static, "state": 1}

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        if row.get("direct") or row.get("permanent"):
            raise NitroFault(2506)


@behaves("dnsnameserver")
class NameServer(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        if not {"ip", "dnsvservername"} & row.keys():
            raise NitroFault(1095, "IP")

    def view(self, ctx: Context, row: Row) -> Row:
        return {**row, "port": 53, "nameserverstate": "UP" if row["state"] == "ENABLED" else "OUT OF SERVICE"}


@behaves("ntpserver")
class TimeServer(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        if not {"serverip", "servername"} & row.keys():
            raise NitroFault(1095, "serverIP")


@behaves("ntpsync")
class TimeSync(Behaviour):
    def view(self, ctx: Context, row: Row) -> Row:
        return {"state": row.get("state", "DISABLED")}

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        ctx.running.single("ntpsync")["state"] = "ENABLED" if verb == "enable" else "DISABLED"
        return None


@behaves("ntpstatus")
class TimeStatus(Behaviour):
    """What ntpq prints: the first server is the one in use."""

    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        lines = [f"{'remote':>16} {'refid':>15} st t when poll reach   delay   offset  jitter", "=" * 78]
        on = ctx.running.single("ntpsync").get("state") == "ENABLED"
        for number, server in enumerate(ctx.running.rows("ntpserver")):
            name = server.get("serverip") or server.get("servername")
            mark = "*" if on and number == 0 else " "
            lines.append(f"{mark}{name:<15} {'127.127.1.0':>15}  2 u   12   64  377    0.512    0.031   0.044")
        return [{"response": "\n".join(lines)}]


@behaves("Interface")
class Interface(Behaviour):
    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        """One a network interface of the instance (1/1, 1/2, …), and the loopback LO/1; settings are kept in the
        table.
        """
        stored = ctx.running.table("Interface")
        rows = []
        for number, interface in enumerate(ctx.appliance.interfaces(), start=1):
            name = f"{ctx.room.clusters.prefix(ctx.appliance)}1/{number}"
            mac = interface.mac or f"06:00:00:00:00:{interface.device_index + 1:02x}"
            rows.append({**resource.defaults(), **stored.get((name,), {}), "id": name, "mac": mac})
        return [*rows, {**resource.defaults(), "id": "LO/1", "mac": "00:00:00:00:00:00"}]

    def view(self, ctx: Context, row: Row) -> Row:
        up = row.get("state", "ENABLED") == "ENABLED"
        loopback = row["id"] == "LO/1"
        return {
            **row,
            "ifnum": [row["id"]],
            "devicename": row["id"],
            "description": "Netscaler Loopback interface" if loopback else "AWS ENA, 10Gbit",
            "actualmtu": row["mtu"],
            "vlan": 1,
            "uptime": int(max(0.0, ctx.now - ctx.appliance.boot_began)),
            "state": "ENABLED" if up else "DISABLED",
            "intftype": "Loopback" if loopback else "ENA",
            "intfstate": int(up),
            "linkstate": int(up),
            "reqspeed": "AUTO",
            "actspeed": "10000",
        }

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        known = {row["id"] for row in self.rows(ctx, resource)}
        if arguments["id"] not in known:
            raise self.absent(resource, arguments["id"], {})
        row = ctx.running.table("Interface").setdefault(
            (arguments["id"],), {"id": arguments["id"], **resource.defaults()}
        )
        if verb in ("enable", "disable"):
            row["state"] = "ENABLED" if verb == "enable" else "DISABLED"
        return None
