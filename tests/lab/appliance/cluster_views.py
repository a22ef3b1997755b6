"""What is shown of clusters: by NITRO's GET and stat of nodes and instances, and by GET /lab/state.

Facts: vendor NITRO reference, configuration and statistics of clusternode and clusterinstance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .schema import Row

if TYPE_CHECKING:
    from .appliance import Appliance
    from .cluster import Cluster, Clusters
    from .context import Context


def node_view(ctx: Context, row: Row) -> Row:
    """A ``clusternode`` entry with its read-only fields."""
    clusters = ctx.room.clusters
    box = ctx.appliance
    cluster = clusters.of(box)
    node = clusters.room.by_nsip(row["ipaddress"])
    master, health, effective, sync = _condition(clusters, cluster, row, node, ctx.now)
    return {
        **row,
        "clusterhealth": "UP" if health == "UP" else "UNKNOWN",
        "effectivestate": effective,
        "operationalsyncstate": sync,
        "masterstate": master,
        "health": health,
        "syncstate": "ENABLED",
        "isconfigurationcoordinator": bool(cluster and node and cluster.coordinator == node.instance_id),
        "islocalnode": row["ipaddress"] == box.nsip,
        "nodersskeymismatch": False,
        "nodelicensemismatch": False,
        "nodejumbonotsupported": False,
        "name": node.running.single("nshostname").get("hostname", "") if node else "",
        "cfgflags": 0,
    }


def _condition(
    clusters: Clusters, cluster: Cluster | None, row: Row, node: Appliance | None, now: float
) -> tuple[str, str, str, str]:
    """(master state, health, effective state, synchronisation) of a node."""
    if cluster is None:
        return "INACTIVE", "UNKNOWN", "UNKNOWN", "UNKNOWN"
    if node is None or not node.ready(now) or not node.cluster.member or clusters.clip_of(node) != cluster.clip:
        observed = row["ipaddress"] in cluster.observed
        return "INACTIVE", "DOWN" if observed else "UNKNOWN", "NOT UP" if observed else "UNKNOWN", "UNKNOWN"
    if not clusters.heard(cluster, node):
        return "INACTIVE", "DOWN", "NOT UP", "UNKNOWN"
    if not clusters.up(node, now):
        return "INACTIVE", "INIT", "INIT", "IN PROGRESS"
    leads = cluster.coordinator == node.instance_id
    master = "ACTIVE" if "state" in row and clusters.active(row, now) else "INACTIVE"
    return master, "UP", "UP", "ENABLED" if leads else "SUCCESS"


def instance_view(ctx: Context, row: Row) -> Row:
    """The ``clusterinstance`` with its read-only fields."""
    clusters = ctx.room.clusters
    node = ctx.appliance
    cluster = clusters.of(node)
    on = bool(row.get("_enabled"))
    return {
        **row,
        "adminstate": "ENABLED" if on else "DISABLED",
        "propstate": "ENABLED",
        "operationalstate": "ENABLED" if cluster else "DISABLED",
        "operationalpropstate": "ENABLED" if cluster else "UNKNOWN",
        "status": _status(clusters, cluster, ctx.now),
        "validmtu": 1578,
        **dict.fromkeys(
            (
                "rsskeymismatch",
                "licensemismatch",
                "jumbonotsupported",
                "nodegroupstatewarning",
                "clusternoheartbeatonnode",
                "clusternolinksetmbf",
                "clusternospottedip",
            ),
            False,
        ),
    }


def _status(clusters: Clusters, cluster: Cluster | None, now: float) -> str:
    if cluster is None or cluster.coordinator is None:
        return "DOWN"
    states = [
        _condition(clusters, cluster, row, clusters.room.by_nsip(row["ipaddress"]), now)[1] == "UP"
        for row in cluster.nodes
    ]
    return "UP" if all(states) else "PARTIAL-UP" if any(states) else "DOWN"


def describe(clusters: Clusters, node: Appliance, now: float) -> dict[str, Any] | None:
    """For GET /lab/state."""
    cluster = clusters.of(node)
    row = clusters.listed(cluster, node) if cluster else None
    if cluster is None:
        return None
    master, health, effective, sync = _condition(clusters, cluster, row or {"ipaddress": node.nsip}, node, now)
    return {
        "clip": cluster.clip,
        "node_id": row["nodeid"] if row else None,
        "admin_state": row["state"] if row else None,
        "master_state": master if row else "INACTIVE",
        "health": health,
        "effective_state": effective,
        "sync": sync,
        "coordinator": cluster.coordinator == node.instance_id,
    }


def node_statistics(ctx: Context) -> list[Row]:
    """Asked on an NSIP only the node itself has real figures; on the CLIP all have (vendor statistics
    reference).
    """
    clusters = ctx.room.clusters
    cluster = clusters.of(ctx.appliance)
    rows = []
    for row in ctx.running.rows("clusternode"):
        node = clusters.room.by_nsip(row["ipaddress"])
        master, health, _ignored, sync = _condition(clusters, cluster, row, node, ctx.now)
        real = ctx.on_clip or node is ctx.appliance
        beats = int(max(0.0, ctx.now - node.ready_at) * 5) if node and real else 0
        rows.append(
            {
                "nodeid": row["nodeid"],
                "clnodeip": row["ipaddress"],
                "clnodeeffectivehealth": health if real else "UNKNOWN",
                "clmasterstate": master if real else "UNKNOWN",
                "clsyncstate": sync if real else "UNKNOWN",
                "cltothbtx": beats,
                "cltothbrx": beats,
                "nnmcurconn": len(ctx.running.rows("clusternode")) - 1 if real else 0,
                "clptpstate": _ptp(cluster, node) if real else "UNKNOWN",
            }
        )
    return rows


def _ptp(cluster: Cluster | None, node: Appliance | None) -> str:
    if cluster is None or node is None:
        return "UNKNOWN"
    return "Master" if cluster.coordinator == node.instance_id else "Slave"


def instance_statistics(ctx: Context) -> list[Row]:
    clusters = ctx.room.clusters
    cluster = clusters.of(ctx.appliance)
    leader = clusters.coordinator(cluster) if cluster else None
    return [
        {
            "clid": row["clid"],
            "clnumnodes": len(ctx.running.rows("clusternode")),
            "clcurstatus": _status(clusters, cluster, ctx.now),
            "clviewleader": leader.nsip if leader else "0.0.0.0",
        }
        for row in ctx.running.rows("clusterinstance")
    ]
