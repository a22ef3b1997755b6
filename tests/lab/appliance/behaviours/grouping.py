"""Clusters: instance, nodes, join, node groups (vendor NITRO reference: cluster; error list 2448 to 2549)."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.appliance import cluster_views
from tests.lab.appliance.cluster import STRIPED
from tests.lab.appliance.context import Context
from tests.lab.appliance.errors import NitroFault
from tests.lab.appliance.factory import DEFAULT_RPC_PASSWORD
from tests.lab.appliance.factory import add as put_row
from tests.lab.appliance.schema import Resource, Row

from .base import Behaviour, behaves


@behaves("clusterinstance")
class ClusterInstance(Behaviour):
    absent_code = 2448

    def adding(self, ctx: Context, row: Row) -> None:
        if not ctx.settings.cluster_supported:
            raise NitroFault(1103)
        if ctx.room.ha.peer_row(ctx.appliance) is not None:
            raise NitroFault(2453)
        if "L2" in ctx.running.single("nsmode").get("mode", []):
            raise NitroFault(2464)
        known = ctx.running.rows("clusterinstance")
        if known and known[0]["clid"] != row["clid"]:
            raise NitroFault(2449)
        self.check_striped(ctx, row)

    def updating(self, ctx: Context, row: Row, changes: Row) -> None:
        self.check_striped(ctx, changes)

    def check_striped(self, ctx: Context, changes: Row) -> None:
        """With INC every SNIP belongs to one node."""
        if changes.get("inc") == "ENABLED" and ctx.running.first("nsip", type="SNIP", ownernode=STRIPED):
            raise NitroFault(2494)

    def view(self, ctx: Context, row: Row) -> Row:
        return cluster_views.instance_view(ctx, row)

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        """Enabling takes effect with the next boot; disabling takes the node out at once."""
        row = self.find(ctx, resource, arguments)
        if verb == "enable":
            if ctx.room.ha.peer_row(ctx.appliance) is not None:
                raise NitroFault(2453)
            if ctx.room.clusters.own_row(ctx.appliance) is None:
                raise NitroFault(2452)
            row["_enabled"] = True
        else:
            row.pop("_enabled", None)
            ctx.appliance.cluster.member = False
        return None

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        if ctx.on_clip:
            raise NitroFault(1065)

    def deleted(self, ctx: Context, row: Row) -> None:
        ctx.room.clusters.left_by_itself(ctx.appliance)


@behaves("clusternode")
class ClusterNode(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        instance = next(iter(ctx.running.rows("clusterinstance")), None)
        if instance is None:
            raise NitroFault(2448)
        self.check_group(instance, row)
        if ctx.running.first("clusternode", nodeid=row["nodeid"]):
            return  # 273 follows
        if ctx.running.first("clusternode", ipaddress=row["ipaddress"]):
            raise NitroFault(2455)
        if ctx.origin == "client":
            self.check_address(ctx, row)

    def check_group(self, instance: Row, row: Row) -> None:
        """With INC a node must be in a node group of its own network."""
        inc = instance.get("inc") == "ENABLED"
        if inc and row.get("nodegroup") in (None, "", "DEFAULT_NG"):
            raise NitroFault(2496)
        if not inc and row.get("nodegroup", "DEFAULT_NG") != "DEFAULT_NG":
            raise NitroFault(2548)

    def check_address(self, ctx: Context, row: Row) -> None:
        clusters = ctx.room.clusters
        if not ctx.on_clip and row["ipaddress"] != ctx.appliance.nsip:
            raise NitroFault(2481)
        other = ctx.room.by_nsip(row["ipaddress"])
        if other is not None and other is not ctx.appliance and other.cluster.member:
            raise NitroFault(2455 if clusters.clip_of(other) == clusters.clip_of(ctx.appliance) else 2449)

    def added(self, ctx: Context, row: Row) -> None:
        row.pop("clearnodegroupconfig", None)
        if ctx.running.first("nsrpcnode", ipaddress=row["ipaddress"]) is None:
            rpc = {"ipaddress": row["ipaddress"], "password": DEFAULT_RPC_PASSWORD, "srcip": "*", "secure": "NO"}
            put_row(ctx.running, "nsrpcnode", rpc)

    def updating(self, ctx: Context, row: Row, changes: Row) -> None:
        """PASSIVE with a delay in minutes: the node drains until then (vendor docs: graceful shutdown of nodes)."""
        if "state" not in changes:
            return
        row.pop("_passive_at", None)
        row.pop("_passive_from", None)
        if changes["state"] == "PASSIVE" and row["state"] == "ACTIVE":
            minutes = float(changes.get("delay", 0))
            changes["_passive_from"] = ctx.now
            changes["_passive_at"] = ctx.now + 60.0 * minutes

    def updated(self, ctx: Context, row: Row) -> None:
        """On the node itself instead of on the CLIP: the others learn of it all the same."""
        if not ctx.on_clip and ctx.origin == "client" and row["ipaddress"] == ctx.appliance.nsip:
            ctx.room.clusters.announce(ctx.appliance, row)

    def deleting(self, ctx: Context, row: Row, options: Mapping[str, str]) -> None:
        if ctx.origin == "peer":
            return
        if row["ipaddress"] == ctx.appliance.nsip and not ctx.on_clip:
            raise NitroFault(2450)
        spotted = ctx.running.first("nsip", ownernode=row["nodeid"])
        grouped = ctx.running.first("clusternodegroup_clusternode_binding", node=row["nodeid"])
        if (spotted and ctx.settings.cluster_spotted_refused) or grouped:
            raise NitroFault(2479)

    def deleted(self, ctx: Context, row: Row) -> None:
        if row["ipaddress"] != ctx.appliance.nsip:
            ctx.running.table("nsrpcnode").pop((row["ipaddress"],), None)
        if ctx.origin == "client" and ctx.on_clip:
            ctx.room.clusters.removed(ctx, row)

    def view(self, ctx: Context, row: Row) -> Row:
        return cluster_views.node_view(ctx, row)


@behaves("cluster")
class Join(Behaviour):
    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        if ctx.on_clip:
            raise NitroFault(1065)
        ctx.room.clusters.join(ctx, arguments["clip"], arguments["password"])
        return None


@behaves("clustersync")
class ClusterSync(Behaviour):
    changes_config = False

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        ctx.room.clusters.synchronise(ctx)
        return None


@behaves("clusterfiles")
class ClusterFiles(Behaviour):
    changes_config = False

    def act(self, ctx: Context, resource: Resource, verb: str, arguments: Row) -> Row | None:
        ctx.room.clusters.synchronise_files(ctx)
        return None


@behaves("clusterpropstatus")
class PropStatus(Behaviour):
    def rows(self, ctx: Context, resource: Resource) -> list[Row]:
        return [{"nodeid": row["nodeid"], "numpropcmdfailed": 0} for row in ctx.running.rows("clusternode")]


@behaves("clusternodegroup_clusternode_binding")
class GroupNode(Behaviour):
    def adding(self, ctx: Context, row: Row) -> None:
        if "node" not in row:
            raise NitroFault(1095, "node")
        if ctx.running.first("clusternode", nodeid=row["node"]) is None:
            raise NitroFault(258, "node", row["node"])
