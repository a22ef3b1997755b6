"""hanode and the commands of a pair, and the RPC nodes (vendor NITRO reference: ha, ns/nsrpcnode)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from types import MappingProxyType

from tests.lab.appliance.appliance import Appliance
from tests.lab.appliance.context import Context
from tests.lab.appliance.errors import NitroFault
from tests.lab.appliance.factory import DEFAULT_RPC_PASSWORD
from tests.lab.appliance.factory import add as put_row
from tests.lab.appliance.schema import Resource, Row

from .base import Behaviour, behaves

TUNABLE = ("hastatus", "hasync", "haprop", "hellointerval", "deadinterval", "failsafe", "maxflips", "maxfliptime")


@behaves("hanode")
class HaNode(Behaviour):
    absent_code = 362
    implied_key = MappingProxyType({"id": 0})

    def adding(self, ctx: Context, row: Row) -> None:
        box = ctx.appliance
        if row["id"] == 0:
            raise NitroFault(1109, "id", 0)
        if not ctx.settings.ha_licensed:
            raise NitroFault(356)
        if box.running.rows("clusterinstance"):
            raise NitroFault(2453)
        peer = ctx.room.ha.peer_row(box)
        if peer is not None:
            raise NitroFault(273, "id", peer["id"])
        self.check_peer(box, row)

    def check_peer(self, box: Appliance, row: Row) -> None:
        address = ipaddress.ip_address(row["ipaddress"])
        if row["ipaddress"] == box.nsip or address.is_unspecified or address.is_multicast:
            raise NitroFault(415)
        nsip = box.running.first("nsip", type="NSIP") or {}
        network = ipaddress.ip_network(f"{box.nsip}/{nsip.get('netmask', '255.255.255.0')}", strict=False)
        if row.get("inc") != "ENABLED" and address not in network:
            raise NitroFault(414)

    def added(self, ctx: Context, row: Row) -> None:
        row.pop("hastatus", None)
        password = row.pop("rpcnodepassword", DEFAULT_RPC_PASSWORD)
        if ctx.running.first("nsrpcnode", ipaddress=row["ipaddress"]) is None:
            put_row(
                ctx.running,
                "nsrpcnode",
                {"ipaddress": row["ipaddress"], "password": password, "srcip": "*", "secure": "NO"},
            )
        ctx.room.ha.peer_added(ctx.appliance, ctx.now)

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        if row["id"] == 0:
            raise NitroFault(257)

    def deleted(self, ctx: Context, row: Row) -> None:
        ctx.running.table("nsrpcnode").pop((row["ipaddress"],), None)
        ctx.room.ha.peer_removed(ctx.appliance, ctx.now)

    def view(self, ctx: Context, row: Row) -> Row:
        return self.own(ctx, row) if row["id"] == 0 else self.peer(ctx, row)

    def own(self, ctx: Context, row: Row) -> Row:
        box, ha = ctx.appliance, ctx.room.ha
        shown = {
            **row,
            "name": box.running.single("nshostname").get("hostname", ""),
            "ipaddress": box.nsip,
            "flags": 129 if box.ha.role == "Primary" else 130,
            "hastatus": self.status_word(ctx, box),
            "state": "Primary" if box.ha.role == "Primary" else "Secondary",
            "hasync": sync_word(row, box),
            "enaifaces": ",".join(sorted(f"1/{one.device_index + 1}" for one in box.facts.interfaces)),
            "netmask": "0.0.0.0",
            "inc": "ENABLED" if ha.inc(box) else "DISABLED",
            "ssl2": "NOT PRESENT",
            "masterstatetime": int(max(0.0, ctx.now - box.ha.since)),
            "curflips": 0,
            "completedfliptime": 0,
        }
        if box.ha.sync == "FAILED":
            shown["hasyncfailurereason"] = "RPC authentication failed or the port is not reachable"
        return shown

    def status_word(self, ctx: Context, box: Appliance) -> str:
        reported = ctx.room.ha.status(box)
        return {"ENABLED": "INIT" if box.ha.role == "INIT" else "UP"}.get(reported, reported)

    def peer(self, ctx: Context, row: Row) -> Row:
        box = ctx.appliance
        other = ctx.room.ha.heard(box)
        shown = {**row, "flags": 0, "netmask": "0.0.0.0", "inc": row.get("inc", "DISABLED"), "ssl2": "NOT PRESENT"}
        for name in TUNABLE:
            shown.pop(name, None)
        if other is None:
            return {**shown, "name": "", "state": "UNKNOWN", "hastatus": "DOWN" if box.ha.ever_heard else "UNKNOWN"}
        own = ctx.room.ha.own_row(other)
        return {
            **shown,
            "name": other.running.single("nshostname").get("hostname", ""),
            "state": "Primary" if other.ha.role == "Primary" else "Secondary",
            "hastatus": self.status_word(ctx, other),
            "hasync": sync_word(own, other),
            "haprop": own.get("haprop", "ENABLED"),
            "masterstatetime": int(max(0.0, ctx.now - other.ha.since)),
        }


def sync_word(row: Row, box: Appliance) -> str:
    """``hasync`` on read: ENABLED or DISABLED on the primary; on the secondary how its synchronisation went."""
    if row.get("hasync") == "DISABLED":
        return "DISABLED"
    return box.ha.sync or "ENABLED"


@behaves("hafailover")
class Failover(Behaviour):
    changes_config = False

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        ctx.room.ha.force_failover(ctx.appliance, ctx.now)
        return None


@behaves("hasync")
class Sync(Behaviour):
    changes_config = False

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        """From either node: the secondary's configuration is taken from the primary once more."""
        pairs, box = ctx.room.ha, ctx.appliance
        if pairs.peer_row(box) is None:
            raise NitroFault(363)
        other = pairs.heard(box)
        if other is None or {box.ha.role, other.ha.role} != {"Primary", "Secondary"}:
            raise NitroFault(364)
        secondary, primary = (box, other) if box.ha.role == "Secondary" else (other, box)
        if "DISABLED" in (pairs.own_row(box).get("hasync"), pairs.own_row(secondary).get("hasync")):
            raise NitroFault(410)
        if secondary.ha.sync == "IN PROGRESS":
            raise NitroFault(412)
        pairs.start_sync(secondary, primary, ctx.now)
        return None


@behaves("hafiles")
class Files(Behaviour):
    changes_config = False

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        if ctx.room.ha.peer_row(ctx.appliance) is None:
            raise NitroFault(363)
        box, pairs = ctx.appliance, ctx.room.ha
        other = pairs.heard(box)
        if other is None:
            raise NitroFault(364)
        pairs.pull_files(box if box.ha.role == "Secondary" else other, ctx.now)
        return None


@behaves("nsrpcnode")
class RpcNode(Behaviour):
    """There is one for the node itself and one for each node it was told of; only PUT and unset."""

    def normalise(self, body: dict[str, object]) -> dict[str, object]:
        """``secure`` is YES or NO; the Terraform provider says ON or OFF."""
        spoken = {"ON": "YES", "OFF": "NO"}
        return {name: spoken.get(str(value), value) if name == "secure" else value for name, value in body.items()}

    def updating(self, ctx: Context, row: Row, changes: Row) -> None:
        if changes.get("srcip") == "*":
            return
        if "srcip" in changes and ctx.running.first("nsip", ipaddress=changes["srcip"]) is None:
            raise NitroFault(258, "srcIP", changes["srcip"])
