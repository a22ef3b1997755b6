"""Clusters of appliances: membership, coordinator, cluster address (CLIP), propagation, draining.

Facts: vendor NITRO reference cluster (clusterinstance, clusternode, cluster, clustersync) and statistics; vendor docs
"Setting up a NetScaler cluster", "Removing a node", "Graceful shutdown of nodes"; the vendor's template aws/cluster
for the order of steps. Times are lab seconds.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.lab.packets.way import Steering

from .context import Context
from .errors import NitroFault
from .factory import factory_config, packet_engines
from .ha import forget_keys_without_files
from .schema import Row

if TYPE_CHECKING:
    from .appliance import Appliance
    from .context import Room

HEARTBEAT = 7000
STRIPED = 255
# What stays with a node; everything else is the cluster's.
OWN = frozenset(
    {
        "hanode",
        "nshostname",
        "Interface",
        "nscapacity",
        "nslaslicense",
        "nslicenseserver",
        "systemsession",
        "hafailover",
        "hasync",
        "reboot",
        "cluster",
        "clustersync",
        "nsversion",
    }
)
# What an appliance keeps when its cluster configuration is cleared from it.
KEPT = (
    "systemuser",
    "systemparameter",
    "nscapacity",
    "nslaslicense",
    "nslicenseserver",
    "nshostname",
    "nsfeature",
    "nsmode",
    "systemfile",
)


@dataclass(slots=True)
class Cluster:
    """One cluster as its members agree on it; found by its first CLIP."""

    clip: str
    coordinator: str | None = None
    lost_at: float | None = None
    reachable: bool = False
    """Whether EC2 had the CLIP on a management interface of one of its nodes at some time."""
    nodes: list[Row] = field(default_factory=list)
    observed: set[str] = field(default_factory=set)
    """NSIPs of nodes that have been up in it: those that count for the quorum."""


class Clusters:
    """All clusters of a region."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.clusters: dict[str, Cluster] = {}
        self.move_address: Callable[[str, str], None] | None = None
        """Called with (CLIP, instance id) when another node becomes coordinator, which moves the address in EC2."""

    def reset(self) -> None:
        self.clusters.clear()

    # -- who belongs to what -----------------------------------------------------------------------------------------

    def clip_of(self, node: Appliance) -> str:
        row = node.running.first("nsip", type="CLIP")
        return str(row["ipaddress"]) if row else ""

    def own_row(self, node: Appliance) -> Row | None:
        return node.running.first("clusternode", ipaddress=node.nsip)

    def of(self, node: Appliance) -> Cluster | None:
        """The cluster a node takes part in."""
        return self.clusters.get(self.clip_of(node)) if node.cluster.member else None

    def coordinator(self, cluster: Cluster) -> Appliance | None:
        return self.room.appliances.get(cluster.coordinator or "")

    def listed(self, cluster: Cluster, node: Appliance) -> Row | None:
        """The node's entry in the cluster's list; without one it is no longer, or not yet, a member for the others."""
        return next((row for row in cluster.nodes if row["ipaddress"] == node.nsip), None)

    def members(self, cluster: Cluster) -> list[Appliance]:
        return [
            node
            for node in self.room.appliances.values()
            if node.cluster.member and self.clip_of(node) == cluster.clip and self.listed(cluster, node)
        ]

    def up(self, node: Appliance, now: float) -> bool:
        """Booted, and through what a node does before its health is UP."""
        return node.ready(now) and now >= node.ready_at + self.room.settings.cluster_join_seconds

    def heard(self, cluster: Cluster, node: Appliance) -> bool:
        """Whether heartbeats pass between a node and the coordinator."""
        leader = self.coordinator(cluster)
        if leader is None or leader is node:
            return True
        return self.room.reach(node, leader, "udp", HEARTBEAT) and self.room.reach(leader, node, "udp", HEARTBEAT)

    def active(self, row: Row, now: float) -> bool:
        """Whether a node whose entry this is may serve: ACTIVE, or PASSIVE with its delay still running."""
        if row["state"] == "ACTIVE":
            return True
        return bool(row["state"] == "PASSIVE" and now < row.get("_passive_at", 0.0))

    def serves(self, node: Appliance, now: float) -> bool:
        """Whether traffic that reaches this node is served: always outside of a cluster, else while it is active and
        up.
        """
        if not node.cluster.member:
            return True
        cluster = self.of(node)
        row = self.listed(cluster, node) if cluster else None
        return cluster is not None and row is not None and self.up(node, now) and self.active(row, now)

    def steerings(self, node: Appliance, vserver: str) -> list[Steering | None]:
        """Where a new connection that reached this node is processed: on any node that serves, by a hash over the
        connection, unless ``processlocal`` of the virtual server or of the cluster keeps it here (vendor docs:
        Disabling steering on the cluster backplane).
        """
        cluster = self.of(node)
        row = node.running.first("lbvserver", name=vserver) or {}
        instance = next(iter(node.running.rows("clusterinstance")), {})
        if cluster is None or "ENABLED" in (row.get("processlocal"), instance.get("processlocal")):
            return [None]
        now = self.room.clock.now()
        serving = [one for one in self.members(cluster) if self.serves(one, now)]
        return [None, *(self._steering(node, one) for one in serving if one is not node)]

    def _steering(self, node: Appliance, owner: Appliance) -> Steering:
        own = self.own_row(node) or {}
        ends = self._backplane(node), self._backplane(owner)
        return Steering(own.get("tunnelmode", "NONE"), *ends, owner=owner.instance_id)

    def _backplane(self, node: Appliance) -> str | None:
        """The first address of the interface that the node's entry names as its backplane."""
        name = str((self.own_row(node) or {}).get("backplane", "")).rpartition("/")[2]
        interfaces = list(node.interfaces())
        return interfaces[int(name) - 1].addresses[0] if name.isdigit() and 0 < int(name) <= len(interfaces) else None

    def remaining(self, node: Appliance, now: float) -> float:
        """The share of its connections a node still has: draining takes them away over the delay, passive has none."""
        cluster = self.of(node)
        row = self.listed(cluster, node) if cluster else None
        if row is None or row["state"] != "PASSIVE":
            return 1.0
        began, ends = row.get("_passive_from", now), row.get("_passive_at", now)
        return max(0.0, (ends - now) / (ends - began)) if ends > now and ends > began else 0.0

    # -- time passes -------------------------------------------------------------------------------------------------

    def step(self, now: float) -> None:
        # What a cluster knows is in its nodes: with the last of them it is gone, and its address begins anew.
        for gone in [clip for clip, cluster in self.clusters.items() if not self.members(cluster)]:
            del self.clusters[gone]
        for node in self.room.ready():
            clip = self.clip_of(node) if node.cluster.member else ""
            if clip and clip not in self.clusters:
                self.clusters[clip] = Cluster(clip, nodes=copy.deepcopy(node.running.rows("clusternode")))
        for cluster in list(self.clusters.values()):
            self._elect(cluster, now)
            self._admit(cluster, now)
            self._locate(cluster)

    def _elect(self, cluster: Cluster, now: float) -> None:
        """The lowest priority number leads (and preempts), then who leads already, then the lowest id."""
        leader = self.coordinator(cluster)
        candidates = [node for node in self.members(cluster) if node.ready(now)]
        if not self._quorum(cluster, candidates):
            candidates = []
        completed = [node for node in candidates if node is leader or self.up(node, now)]
        best = min(completed, key=lambda node: self._rank(cluster, node), default=None)
        if best is None and leader is None and len(candidates) == 1:
            best = candidates[0]
        if best is leader and leader is not None:
            cluster.lost_at = None
            return
        if leader is not None and leader in candidates:
            self._hand_over(cluster, best, now)
            return
        if cluster.lost_at is None:
            cluster.lost_at = now
        cluster.coordinator = None
        if best is not None and (leader is None or now - cluster.lost_at >= self.room.settings.cluster_dead_seconds):
            self._appoint(cluster, best, now)

    def _appoint(self, cluster: Cluster, best: Appliance, now: float) -> None:
        if not cluster.observed or now - (cluster.lost_at or now) >= self.room.settings.cluster_dead_seconds:
            self._hand_over(cluster, best, now)

    def _hand_over(self, cluster: Cluster, best: Appliance | None, now: float) -> None:
        cluster.coordinator = best.instance_id if best else None
        cluster.lost_at = None if best else now
        if best is not None and self.move_address is not None:
            self.move_address(cluster.clip, best.instance_id)

    def _rank(self, cluster: Cluster, node: Appliance) -> tuple[int, bool, int]:
        row = self.listed(cluster, node) or {"priority": 31, "nodeid": 99}
        return int(row["priority"]), node.instance_id != cluster.coordinator, int(row["nodeid"])

    def _quorum(self, cluster: Cluster, alive: list[Appliance]) -> bool:
        """MAJORITY: more than half of the nodes that ever joined must be there (vendor docs: quorum)."""
        if not alive:
            return False
        instance = next(iter(alive[0].running.rows("clusterinstance")), {})
        joined = sum(row["ipaddress"] in cluster.observed for row in cluster.nodes)
        return instance.get("quorumtype") == "NONE" or len(alive) * 2 > joined

    def _admit(self, cluster: Cluster, now: float) -> None:
        """Nodes that have come up take the cluster's configuration; the list's own truth is the coordinator's."""
        leader = self.coordinator(cluster)
        if leader is None:
            return
        rows = leader.running.table("clusternode")
        for node in self.members(cluster):
            row = next((row for row in rows.values() if row["ipaddress"] == node.nsip), None)
            if row is None or not self.up(node, now) or not self.heard(cluster, node):
                continue
            cluster.observed.add(node.nsip)
            if node is not leader and not node.cluster.synced:
                self.copy_shared(leader, node)
                node.cluster.synced = True
        cluster.nodes = copy.deepcopy(list(rows.values()))

    def _locate(self, cluster: Cluster) -> None:
        """The CLIP is a secondary address of a management interface in EC2; once it was, the nodes move it
        themselves.
        """
        facts = self.room.region.instance_at(cluster.clip)
        if facts is None:
            return
        management = next((one for one in facts.interfaces if one.device_index == 0), None)
        owners = {node.instance_id for node in self.members(cluster)}
        cluster.reachable |= (
            management is not None and cluster.clip in management.addresses[1:] and facts.instance_id in owners
        )

    def coordinator_at(self, address: str, now: float) -> Appliance | None:
        """The coordinator that answers at this address, if it is a CLIP that EC2 knows."""
        for cluster in self.clusters.values():
            leader = self.coordinator(cluster)
            if leader is None or not leader.ready(now) or not cluster.reachable or self._taken(address):
                continue
            if any(row["ipaddress"] == address for row in leader.running.find("nsip", type="CLIP")):
                return leader
        return None

    def _taken(self, address: str) -> bool:
        """Whether the address is the primary address of an interface in EC2: then it is no CLIP any more."""
        facts = self.room.region.instance_at(address)
        return facts is not None and any(address == one.addresses[0] for one in facts.interfaces)

    # -- configuration -----------------------------------------------------------------------------------------------

    def copy_shared(self, leader: Appliance, node: Appliance) -> None:
        """Full synchronisation: everything but what is a node's own becomes as it is on the coordinator."""
        for name in set(leader.running.tables) | set(node.running.tables):
            if name in OWN or (name == "systemfile" and self.room.settings.file_sync_seconds > 0):
                continue
            if name == "nsip":
                keep = {key: row for key, row in node.running.table(name).items() if row["type"] == "NSIP"}
                take = {key: row for key, row in leader.running.table(name).items() if row["type"] != "NSIP"}
                node.running.tables[name] = {**keep, **copy.deepcopy(take)}
            else:
                node.running.tables[name] = copy.deepcopy(leader.running.table(name))
        forget_keys_without_files(node)

    def synchronise_files(self, ctx: Context) -> None:
        """``sync cluster files``: every member that is there takes the coordinator's."""
        cluster = self.of(ctx.appliance)
        leader = self.coordinator(cluster) if cluster else None
        if cluster is None or leader is None:
            raise NitroFault(2448)
        for node in self.members(cluster):
            if node is not leader and self.up(node, ctx.now) and self.heard(cluster, node):
                node.running.tables["systemfile"] = copy.deepcopy(leader.running.table("systemfile"))

    def before_write(self, ctx: Context, name: str) -> None:
        """On a node's own address a warning: this goes no further."""
        if ctx.appliance.cluster.member and not ctx.on_clip and ctx.origin == "client":
            ctx.warn(1044)

    def propagate(self, ctx: Context, name: str, row: Row, command: Callable[[Context], object]) -> None:
        """What is configured through the CLIP is configured on every member that is there."""
        cluster = self.of(ctx.appliance) if ctx.on_clip else None
        if cluster is None or name in OWN or (name == "systemfile" and self.room.settings.file_sync_seconds > 0):
            return
        for node in self.members(cluster):
            if node is not ctx.appliance and self.up(node, ctx.now) and self.heard(cluster, node):
                with contextlib.suppress(NitroFault):
                    command(ctx.as_peer(node))
        self._note(cluster)

    def _note(self, cluster: Cluster) -> None:
        if leader := self.coordinator(cluster):
            cluster.nodes = copy.deepcopy(leader.running.rows("clusternode"))

    # -- events ------------------------------------------------------------------------------------------------------

    def restarted(self, node: Appliance) -> None:
        """A boot makes a member of a node whose saved configuration says so (vendor docs: enable, save, warm
        reboot).
        """
        instance = next(iter(node.running.rows("clusterinstance")), None)
        node.cluster.member = bool(
            instance and instance.get("_enabled") and self.own_row(node) is not None and self.clip_of(node)
        )
        node.cluster.synced = False
        self._name_interfaces(node)

    def _name_interfaces(self, node: Appliance) -> None:
        """In a cluster an interface is called node/controller/unit: 1/1 of node 0 becomes 0/1/1."""
        for config in (node.running, node.saved):  # a boot is no change of the configuration
            stored = config.table("Interface")
            rows = [
                (row["id"].split("/", 1)[1] if row["id"].count("/") == 2 else row["id"], row) for row in stored.values()
            ]
            stored.clear()
            for name, row in rows:
                row["id"] = self.prefix(node) + name
                stored[row["id"],] = row

    def prefix(self, node: Appliance) -> str:
        row = self.own_row(node) if node.cluster.member else None
        return f"{row['nodeid']}/" if row else ""

    def join(self, ctx: Context, clip: str, password: str) -> None:
        """A node told to join: it must have been declared on the CLIP; its own configuration goes (vendor docs)."""
        node = ctx.appliance
        if self.room.ha.peer_row(node) is not None:
            raise NitroFault(2453)
        if node.running.rows("clusterinstance"):
            raise NitroFault(2455)
        leader = self.coordinator_at(clip, ctx.now)
        cluster = self.of(leader) if leader else None
        if leader is None or cluster is None or not self.room.reach(node, leader, "udp", HEARTBEAT):
            raise NitroFault(2481)
        if (leader.running.first("systemuser", username="nsroot") or {}).get("password") != password:
            raise NitroFault(354)
        if leader.running.first("clusternode", ipaddress=node.nsip) is None:
            raise NitroFault(2452)
        if packet_engines(leader.facts.instance_type) != packet_engines(node.facts.instance_type):
            raise NitroFault(2549)
        self.clear(node)
        for name in ("clusterinstance", "clusternode"):
            node.running.tables[name] = copy.deepcopy(leader.running.table(name))
        clips = {key: row for key, row in leader.running.table("nsip").items() if row["type"] == "CLIP"}
        node.running.table("nsip").update(copy.deepcopy(clips))

    def clear(self, node: Appliance) -> None:
        """``clear ns config -extended``: addresses, VLANs, applications and the cluster go; users and features stay."""
        fresh = factory_config(node.facts)
        for name in KEPT:
            fresh.tables[name] = node.running.tables.get(name, {})
        node.running = fresh
        node.cluster.member = False
        node.cluster.synced = False

    def removed(self, ctx: Context, row: Row) -> None:
        """A node was taken off the list: if it can be reached, its cluster configuration is cleared from it."""
        node = self.room.by_nsip(row["ipaddress"])
        cluster = self.of(ctx.appliance)
        if cluster is None:
            return
        self._note(cluster)
        cluster.observed.discard(row["ipaddress"])
        if not cluster.nodes:
            self.clusters.pop(cluster.clip, None)
        if node is None or not node.ready(ctx.now) or self.clip_of(node) != cluster.clip:
            return
        if node is ctx.appliance:
            self._leave(cluster, node, row, ctx.now)
            raise ConnectionResetError("the coordinator was removed from its own cluster")
        self.clear(node)

    def _leave(self, cluster: Cluster, node: Appliance, row: Row, now: float) -> None:
        """The coordinator itself goes: others know it is gone after the dead interval, and sessions on the CLIP are
        void.
        """
        members = [one for one in self.members(cluster) if one is not node]
        for other in members:
            other.running.table("clusternode").pop((str(row["nodeid"]),), None)
        cluster.coordinator = None
        cluster.lost_at = now
        node.sessions.clear()
        self.clear(node)

    def announce(self, node: Appliance, row: Row) -> None:
        """A node has changed its own entry: every member has it so."""
        cluster = self.of(node)
        for member in self.members(cluster) if cluster else ():
            known = member.running.first("clusternode", nodeid=row["nodeid"])
            if known is not None and known is not row:
                known.clear()
                known.update(row)
        if cluster:
            self._note(cluster)

    def left_by_itself(self, node: Appliance) -> None:
        """``rm cluster instance`` on the node: the fallback when the CLIP cannot be reached."""
        cluster = self.of(node)
        self.clear(node)
        if cluster and not self.members(cluster):
            self.clusters.pop(cluster.clip, None)

    def synchronise(self, ctx: Context) -> None:
        """``force cluster sync`` on a node that is not the coordinator."""
        cluster = self.of(ctx.appliance)
        if cluster is None:
            raise NitroFault(2448)
        leader = self.coordinator(cluster)
        if ctx.on_clip or leader is ctx.appliance:
            raise NitroFault(2478)
        if leader is None or not self.heard(cluster, ctx.appliance):
            raise NitroFault(2481)
        self.copy_shared(leader, ctx.appliance)

    # -- addresses ---------------------------------------------------------------------------------------------------

    def adding_address(self, ctx: Context, row: Row) -> None:
        owner = row.get("ownernode", STRIPED)
        if ctx.origin == "peer":
            return
        if owner != STRIPED:
            self._check_owner(ctx, int(owner))
        elif row.get("ownerdownresponse") == "NO":
            raise NitroFault(2522)
        elif row["type"] == "SNIP" and ctx.running.first("clusterinstance", inc="ENABLED"):
            raise NitroFault(2494)
        if row["type"] == "CLIP":
            if row["netmask"] != "255.255.255.255":
                raise NitroFault(2459)
            if self.own_row(ctx.appliance) is None:
                raise NitroFault(2473)
        cluster = self.of(ctx.appliance)
        for node in self.members(cluster) if cluster else ():
            if node is not ctx.appliance and node.nsip == row["ipaddress"]:
                raise NitroFault(2541)

    def _check_owner(self, ctx: Context, owner: int) -> None:
        if not 0 <= owner <= 31:
            raise NitroFault(2484)
        if not ctx.on_clip:
            raise NitroFault(2547)
        if ctx.running.first("clusternode", nodeid=owner) is None:
            raise NitroFault(362)

    def deleting_address(self, ctx: Context, row: Row) -> None:
        if row["type"] == "CLIP" and ctx.origin == "client" and len(list(ctx.running.find("nsip", type="CLIP"))) == 1:
            raise NitroFault(2482)
