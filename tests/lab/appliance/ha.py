"""Pairs: heartbeats, who is primary, synchronisation and propagation.

Each node decides for itself from what it hears, so two nodes that do not hear each other both claim to be primary.
Facts: vendor docs "High availability", NITRO reference hanode; times are lab seconds.
"""

from __future__ import annotations

import contextlib
import copy
import ipaddress
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from .context import Context
from .errors import NitroFault
from .schema import Row
from .store import Key

if TYPE_CHECKING:
    from .appliance import Appliance
    from .context import Room

Associations = dict[str, str]
HEARTBEAT = 3003
SHIPPED = ("ns-server.cert", "ns-server.key", "ns-root.cert", "ns-root.key")
SYNC_PORTS = {True: 3008, False: 3010}
SSH = 22

# A node's own affairs: never synchronised, never propagated.
OWN = frozenset(
    {
        "hanode",
        "hafailover",
        "hasync",
        "hafiles",
        "nshostname",
        "Interface",
        "nsconfig",
        "nslicenseserver",
        "nscapacity",
        "nslaslicense",
        "reboot",
        "install",
        "nsjob",
        "nsmigration",
        "systemsession",
        "clusterinstance",
        "clusternode",
        "cluster",
        "clustersync",
        "nsversion",
        "hanode_routemonitor_binding",
        "systembackup",
    }
)
# In INC mode the nodes are in different networks: what belongs to a network stays with its node as well.
OWN_IN_INC = frozenset(
    {"route", "nspbr", "nspbrs", "vlan", "vlan_interface_binding", "vlan_nsip_binding", "vlan_channel_binding"}
)
IPSETS = frozenset({"ipset", "ipset_nsip_binding", "ipset_nsip6_binding"})
SHARED_ADDRESSES_IN_INC = frozenset({"VIP", "GSLBsiteIP"})


class Pairs:
    """High availability of all appliances of a region."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.move_elastic_ips: Callable[[str, Associations], None] = lambda _instance_id, _associations: None
        """Called with (instance id, private addresses → that of the new primary) to move the Elastic IPs there."""

    # -- what a node knows -------------------------------------------------------------------------------------------

    def own_row(self, node: Appliance) -> Row:
        return node.running.first("hanode", id=0) or {}

    def peer_row(self, node: Appliance) -> Row | None:
        return next((row for row in node.running.rows("hanode") if row["id"] != 0), None)

    def peer_address(self, node: Appliance) -> str:
        return str((self.peer_row(node) or {}).get("ipaddress", ""))

    def inc(self, node: Appliance) -> bool:
        return (self.peer_row(node) or {}).get("inc") == "ENABLED"

    def partner(self, node: Appliance) -> Appliance | None:
        """The appliance at the peer's address, if both name each other."""
        other = self.room.by_nsip(self.peer_address(node))
        return other if other and self.peer_address(other) == node.nsip else None

    def heard(self, node: Appliance) -> Appliance | None:
        """The partner, as long as its heartbeats arrive."""
        return self.room.appliances.get(node.ha.hears) if node.ha.hears else None

    def status(self, node: Appliance) -> str:
        """What an administrator has told it: ENABLED, STAYPRIMARY, STAYSECONDARY or DISABLED."""
        return str(self.own_row(node).get("hastatus", "ENABLED"))

    def dead_interval(self, node: Appliance) -> float:
        return float(self.own_row(node).get("deadinterval", 3))

    # -- time passes -------------------------------------------------------------------------------------------------

    def step(self, now: float) -> None:
        """Everything that is due, in the order in which it would happen."""
        nodes = self.room.ready()
        for node in nodes:
            self._listen(node, now)
        for node in nodes:
            self._decide(node, now)
        for node in nodes:
            self._synchronise(node, now)
            self._pull_files(node, now)
            self._migrate(node, now)
            if node.ha.move_at is not None and now >= node.ha.move_at:
                node.ha.move_at = None
                if self.room.settings.moves_elastic_ips == "on":
                    self.move_elastic_ips(node.instance_id, associations_of(node))

    def _listen(self, node: Appliance, now: float) -> None:
        other = self.partner(node)
        arrives = (
            other is not None
            and other.ready(now)
            and "DISABLED" not in (self.status(node), self.status(other))
            and self.room.reach(other, node, "udp", HEARTBEAT)
        )
        node.ha.hears = other.instance_id if other is not None and arrives else None
        node.ha.ever_heard = node.ha.ever_heard or arrives

    def _decide(self, node: Appliance, now: float) -> None:
        ha = node.ha
        other = self.heard(node)
        if self.peer_row(node) is None:
            if ha.role != "Primary":
                self._become(node, "Primary", now)
            return
        if other is not None and other.ha.role == "Primary":
            ha.primary_heard = now
            self._meet_primary(node, other, now)
            return
        ha.yield_at = None
        if ha.role != "Primary":
            self._miss_primary(node, other, now)

    def _meet_primary(self, node: Appliance, other: Appliance, now: float) -> None:
        ha = node.ha
        if ha.role == "INIT":
            self._become(node, "Secondary", now)
        elif ha.role == "Primary" and not self._wins(node, other):
            if ha.yield_at is None:
                ha.yield_at = now + self.room.settings.form_seconds
            elif now >= ha.yield_at:
                self._become(node, "Secondary", now)

    def _miss_primary(self, node: Appliance, other: Appliance | None, now: float) -> None:
        """No primary is heard: after the dead interval this node takes over, unless it was told to stay secondary."""
        if self.status(node) in ("STAYSECONDARY", "DISABLED"):
            return
        if other is not None and other.ha.role == "INIT" and node.ha.role == "INIT" and not self._wins(node, other):
            return
        if now - max(node.ha.primary_heard, node.ready_at) >= self.dead_interval(node):
            self._become(node, "Primary", now)

    def _wins(self, node: Appliance, other: Appliance) -> bool:
        """Of two that claim to be primary: an order to stay decides, then the older claim, then the lower address."""
        rank = {"STAYPRIMARY": 0, "ENABLED": 1, "STAYSECONDARY": 2, "DISABLED": 2}
        mine = (rank[self.status(node)], node.ha.claim, ipaddress.ip_address(node.nsip).packed)
        theirs = (rank[self.status(other)], other.ha.claim, ipaddress.ip_address(other.nsip).packed)
        return mine < theirs

    def _become(self, node: Appliance, role: str, now: float) -> None:
        ha = node.ha
        ha.role, ha.since, ha.transition, ha.yield_at = role, now, now, None
        ha.flips += 1
        ha.move_at = None
        if role == "Primary":
            ha.claim, ha.sync = now, ""
            if self.inc(node) and self.room.settings.moves_elastic_ips != "off":
                ha.move_at = now + self.room.settings.elastic_ip_seconds
        else:
            ha.primary_heard, ha.sync = now, ""

    def _migrate(self, node: Appliance, now: float) -> None:
        """Carry on with an ISSU migration: it includes the failover, and its rollback another one."""
        found, other = node.software.migration, self.heard(node)
        if found is None or other is None:
            return
        wait = self.room.settings.migration_failover_seconds
        if found.rollback_began:
            if not found.rolled_back and now >= found.rollback_began + wait:
                found.rolled_back = now
                self._exchange(node, other, now)
        elif not found.failed_over and now >= found.began + wait:
            found.failed_over = now
            self._exchange(other, node, now)
        elif found.failed_over and not found.ended and now >= found.began + self.room.settings.migration_seconds:
            found.ended = now

    def _exchange(self, primary: Appliance, secondary: Appliance, now: float) -> None:
        if primary.ha.role == "Primary":
            self._become(secondary, "Primary", now)
            self._become(primary, "Secondary", now)

    # -- events ------------------------------------------------------------------------------------------------------

    def restarted(self, node: Appliance) -> None:
        """After a boot a node of a pair listens first; a stand-alone one is primary at once."""
        ha = node.ha
        ha.hears, ha.yield_at, ha.sync, ha.ever_heard, ha.stale = None, None, "", False, False
        ha.role = "Primary" if self.peer_row(node) is None else "INIT"
        ha.since = ha.primary_heard = node.ready_at
        if ha.role == "Primary":
            ha.claim = node.ready_at

    def about_to_vanish(self, node: Appliance) -> None:
        """Take note of the last heartbeats before a node goes away, so that dead intervals count from now."""
        self.step(self.room.clock.now())

    def peer_added(self, node: Appliance, now: float) -> None:
        node.ha.claim = now

    def peer_removed(self, node: Appliance, now: float) -> None:
        node.ha.hears = None
        node.ha.ever_heard = False
        if node.ha.role != "Primary":
            self._become(node, "Primary", now)

    def force_failover(self, node: Appliance, now: float) -> None:
        """Both change places at once, whichever of them was asked (vendor docs: forcing a node to fail over)."""
        if self.peer_row(node) is None:
            raise NitroFault(363)
        self.step(now)
        other = self.heard(node)
        if other is None or self.heard(other) is not node:
            raise NitroFault(1449)
        if {node.ha.role, other.ha.role} != {"Primary", "Secondary"}:
            raise NitroFault(366)
        primary, secondary = (node, other) if node.ha.role == "Primary" else (other, node)
        if self.status(primary) == "STAYPRIMARY":
            raise NitroFault(1441)
        if self.status(secondary) == "STAYSECONDARY":
            raise NitroFault(365 if secondary is node else 364)
        self._become(secondary, "Primary", now)
        self._become(primary, "Secondary", now)

    # -- synchronisation ---------------------------------------------------------------------------------------------

    def authorised(self, node: Appliance, other: Appliance) -> bool:
        """Both hold the same RPC password for each of the two addresses."""
        for address in (node.nsip, other.nsip):
            mine = node.running.first("nsrpcnode", ipaddress=address)
            theirs = other.running.first("nsrpcnode", ipaddress=address)
            if mine is None or theirs is None or mine.get("password") != theirs.get("password"):
                return False
        return True

    def connected(self, node: Appliance, other: Appliance) -> bool:
        """The ports of synchronisation and of files, both ways."""
        secure = (node.running.first("nsrpcnode", ipaddress=other.nsip) or {}).get("secure") == "YES"
        return all(
            self.room.reach(source, target, "tcp", port)
            for source, target in ((node, other), (other, node))
            for port in (SYNC_PORTS[secure], SSH)
        )

    def alike(self, node: Appliance, other: Appliance) -> bool:
        """Whether both run the same build: otherwise nothing is synchronised or propagated."""
        return node.version(self.room.settings) == other.version(self.room.settings)

    def can_sync(self, node: Appliance, other: Appliance) -> bool:
        return self.authorised(node, other) and self.connected(node, other)

    def _synchronise(self, node: Appliance, now: float) -> None:
        ha = node.ha
        primary = self.heard(node)
        if ha.role != "Secondary" or primary is None or primary.ha.role != "Primary":
            return
        if self.own_row(node).get("hasync") == "DISABLED" or not self.alike(node, primary):
            ha.sync = ""
        elif ha.sync == "IN PROGRESS":
            if now >= ha.sync_due:
                self._finish(node, primary, now)
        elif ha.sync == "" or ha.stale or (ha.sync == "FAILED" and now >= ha.sync_due):
            self.start_sync(node, primary, now)
        elif ha.sync == "SUCCESS" and not self.authorised(node, primary):
            self._fail(node, now)

    def start_sync(self, node: Appliance, primary: Appliance, now: float) -> None:
        if not self.can_sync(node, primary):
            self._fail(node, now)
            return
        node.ha.sync, node.ha.stale = "IN PROGRESS", False
        node.ha.sync_due = now + self.room.settings.sync_seconds

    def _fail(self, node: Appliance, now: float) -> None:
        if node.ha.sync != "FAILED":
            node.ha.sync_failures += 1
        node.ha.sync, node.ha.sync_due = "FAILED", now + self.room.settings.sync_retry_seconds

    def _finish(self, node: Appliance, primary: Appliance, now: float) -> None:
        if not self.can_sync(node, primary):
            self._fail(node, now)
            return
        self.copy_shared(primary, node)
        forget_keys_without_files(node)
        node.ha.sync = "SUCCESS"
        node.changed_at = now

    def _pull_files(self, node: Appliance, now: float) -> None:
        """The secondary pulls the primary's files now and then (rsync, CTX138748)."""
        wait = self.room.settings.file_sync_seconds
        if wait > 0 and node.ha.role == "Secondary" and now - node.ha.files_at >= wait:
            self.pull_files(node, now)

    def pull_files(self, node: Appliance, now: float) -> bool:
        """Whether the files of the primary are on this node now."""
        primary = self.heard(node)
        if primary is None or not self.room.reach(node, primary, "tcp", SSH):
            return False
        node.running.tables["systemfile"] = copy.deepcopy(primary.running.table("systemfile"))
        node.ha.files_at = now
        return True

    def copy_shared(self, primary: Appliance, node: Appliance) -> None:
        """The secondary's shared configuration becomes the primary's: users with their passwords, applications,
        features.
        """
        inc = self.inc(node)
        names = set(primary.running.tables) | set(node.running.tables)
        for name in names - OWN:
            keep = {key: row for key, row in node.running.table(name).items() if not self.shared(name, row, inc)}
            take = {key: row for key, row in primary.running.table(name).items() if self.shared(name, row, inc)}
            node.running.tables[name] = _merge(keep, copy.deepcopy(take))

    def shared(self, name: str, row: Row, inc: bool) -> bool:
        """Whether a row belongs to the pair rather than to one node."""
        if name in OWN or (inc and name in OWN_IN_INC):
            return False
        if name == "systemfile":
            return self.room.settings.file_sync_seconds <= 0
        if name in IPSETS:
            return not inc or self.room.settings.ipset_synced
        if name in ("nsip", "nsip6"):
            kinds = SHARED_ADDRESSES_IN_INC if inc else SHARED_ADDRESSES_IN_INC | {"SNIP"}
            return row.get("type", "SNIP") in kinds
        return True

    # -- propagation -------------------------------------------------------------------------------------------------

    def link(self, node: Appliance) -> Appliance | None:
        """The secondary to which a primary's commands go now; a secondary that misses one is marked for a new sync."""
        other = self.heard(node)
        if other is None or node.ha.role != "Primary" or other.ha.role != "Secondary":
            return None
        if self.own_row(node).get("haprop") == "DISABLED" or not self.alike(node, other):
            return None
        if not self.can_sync(node=other, other=node):
            node.ha.prop_failures += 1
            other.ha.stale = True
            return None
        return other

    def propagate(
        self, ctx: Context, target: Appliance, name: str, row: Row, command: Callable[[Context], object]
    ) -> None:
        """Repeat a command that succeeded on the primary; what the secondary refuses (it has it already) is left at
        that.
        """
        if self.shared(name, row, self.inc(ctx.appliance)):
            with contextlib.suppress(NitroFault):
                command(ctx.as_peer(target))


def associations_of(node: Appliance) -> Associations:
    """For each virtual server with an IPSet: every address that it listens at, and the one that this node has.

    "Find the one that carries the public IP, reassociate it to the private IP of the new primary" (vendor docs, HA
    across zones; aws_vpx.md, section 1.1). A virtual server without IPSet is passed over.
    """
    own, associations = node.addresses(), {}
    for row in node.running.rows("lbvserver"):
        if not row.get("ipset"):
            continue
        members = [one["ipaddress"] for one in node.running.find("ipset_nsip_binding", name=row["ipset"])]
        addresses = [row["ipv46"], *members]
        if here := next((address for address in addresses if address in own), None):
            associations.update({address: here for address in addresses if address != here})
    return associations


def forget_keys_without_files(node: Appliance) -> None:
    """A certificate that cannot be read is not there: what a synchronisation brings before its files have come."""
    files = {row["filename"] for row in node.running.rows("systemfile")} | set(SHIPPED)
    table = node.running.table("sslcertkey")
    for key, row in list(table.items()):
        if any(PurePosixPath(row[field]).name not in files for field in ("cert", "key") if field in row):
            del table[key]


def _merge(keep: dict[Key, Row], take: dict[Key, Row]) -> dict[Key, Row]:
    return {**keep, **take}
