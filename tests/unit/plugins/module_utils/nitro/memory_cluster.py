"""Appliances in memory that can form a cluster, with the rules of NITRO that matter to its membership, and a clock.

What the documentation says: a cluster works after a warm reboot of what was saved; the coordinator holds the CLIP; its
removal cuts the connection and moves the CLIP after seconds; a node that is removed is cleared.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroAuthError,
    NitroCut,
    NitroError,
    NitroUnreachable,
)

Row = dict[str, Any]
BOOT = 40.0
JOINING = 15.0
MOVING = 6.0
DEAD = 3.0
CLIP = "10.0.1.100"
PASSWORD = "Sesame-2026"


class Killed(BaseException):
    """The run ends here, like a process that got SIGKILL."""


@dataclass
class Config:
    """Running or saved: ``instance`` with clid and enabled, rows of clusternode by number, CLIPs."""

    instance: Row | None = None
    nodes: dict[int, Row] = field(default_factory=dict)
    clips: list[str] = field(default_factory=list)


@dataclass
class Box:
    nsip: str
    running: Config = field(default_factory=Config)
    saved: Config = field(default_factory=Config)
    changed: bool = False
    operational: bool = False
    ready_at: float = 0.0
    gone: bool = False
    ha_peer: str = ""
    version: str = "NetScaler NS14.1: Build 43.50.nc, Date: Jan 16 2025, 11:31:14   (64-bit)"
    licence: Row = field(default_factory=lambda: {"cluster": True, "lb": True, "modelid": "5000"})
    boots: int = 0


@dataclass
class World:
    """``kill_at``: (n-th write from 1, before|after) kills the run, ``cut_at`` breaks the connection there."""

    boxes: dict[str, Box]
    now: float = 0.0
    nodes: dict[int, Row] = field(default_factory=dict)
    clid: int = 1
    clip_from: float = 0.0
    clip_changed: bool = False
    spotted: dict[str, int] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    kill_at: tuple[int, str] | None = None
    cut_at: tuple[int, str] | None = None
    join_refused: int = 0
    password: str = PASSWORD

    # ------------------------------------------------------------------ time

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    # ------------------------------------------------------------------ states

    def takes_part(self, row: Row) -> bool:
        box = self.boxes.get(row["ipaddress"])
        return bool(
            box and not box.gone and box.operational and box.running.instance and self.now >= box.ready_at + JOINING
        )

    def coordinator(self) -> int | None:
        up = [number for number, row in sorted(self.nodes.items()) if self.takes_part(row)]
        return up[0] if up else None

    def row(self, number: int) -> Row:
        row = self.nodes[number]
        up = self.takes_part(row)
        draining = row["state"] == "PASSIVE" and self.now < row.get("_since", 0.0) + 60 * row.get("delay", 0)
        active = up and (row["state"] == "ACTIVE" or draining)
        return {
            "nodeid": str(number),
            "ipaddress": row["ipaddress"],
            "state": row["state"],
            "backplane": row["backplane"],
            "tunnelmode": row["tunnelmode"],
            "priority": str(row.get("priority", 31)),
            "delay": row.get("delay", 0),
            "masterstate": "ACTIVE" if active else "INACTIVE",
            "health": "UP" if up else "UNKNOWN",
            "effectivestate": "UP" if up else "NOT UP",
            "isconfigurationcoordinator": number == self.coordinator(),
        }

    def boot(self, box: Box) -> None:
        box.running, box.changed = copy.deepcopy(box.saved), False
        box.ready_at, box.boots = self.now + BOOT, box.boots + 1
        instance = box.running.instance
        box.operational = bool(instance and instance["enabled"])
        if box.operational and not self.nodes:
            self.nodes = copy.deepcopy(box.running.nodes)
            self.clid = int(instance["clid"]) if instance else 1

    def clear(self, nsip: str) -> None:
        if box := self.boxes.get(nsip):
            box.running, box.changed, box.operational = Config(), True, False


@dataclass
class Client:
    """What module code uses of a NitroClient, for the appliance at ``at``, or for the holder of the CLIP."""

    world: World
    at: str
    password: str = PASSWORD
    _hang_up: bool = False

    def _reach(self, what: str) -> Box:
        world = self.world
        if self.at == CLIP:
            number = world.coordinator()
            if number is None or world.now < world.clip_from:
                raise NitroUnreachable(f"{CLIP}: {what}: no connection within 3 s")
            box = world.boxes[world.nodes[number]["ipaddress"]]
        else:
            box = world.boxes.get(self.at) or Box(self.at, gone=True)
        if box.gone or world.now < box.ready_at:
            raise NitroUnreachable(f"{self.at}: {what}: no connection within 3 s")
        if self.password != world.password:
            raise NitroAuthError(f"{self.at}: {what}: 354 Invalid username or password", code=354, http_status=401)
        return box

    # ------------------------------------------------------------------ reading

    def get(self, resource: str, name: Any = None, *, args: Any = None, filters: Any = None) -> list[Row]:
        box = self._reach(f"get {resource}")
        self.world.reads.append(f"{self.at} {resource}")
        rows: list[Row] = getattr(self, f"_{resource}")(box)
        return rows

    def _clusterinstance(self, box: Box) -> list[Row]:
        instance = box.running.instance
        if instance is None:
            return []
        states = {True: "ENABLED", False: "DISABLED"}
        words = {"adminstate": states[instance["enabled"]], "operationalstate": states[box.operational]}
        return [{"clid": str(instance["clid"]), "inc": "DISABLED", **words}]

    def _clusternode(self, box: Box) -> list[Row]:
        if box.operational:
            return [self.world.row(number) for number in self.world.nodes]
        return [
            {**row, "nodeid": str(number), "masterstate": "INACTIVE", "health": "UNKNOWN"}
            for number, row in box.running.nodes.items()
        ]

    def _nsip(self, box: Box) -> list[Row]:
        own = {"ipaddress": box.nsip, "type": "NSIP", "netmask": "255.255.255.0"}
        clips = [{"ipaddress": clip, "type": "CLIP", "netmask": "255.255.255.255"} for clip in box.running.clips]
        world = self.world
        spotted = [{"ipaddress": one, "type": "SNIP", "ownernode": str(owner)} for one, owner in world.spotted.items()]
        return [{**row, "ownernode": "255"} for row in (own, *clips)] + (spotted if self.at == CLIP else [])

    def _hanode(self, box: Box) -> list[Row]:
        peers = [{"id": "1", "ipaddress": box.ha_peer}] if box.ha_peer else []
        return [{"id": "0", "ipaddress": box.nsip}, *peers]

    def _nsversion(self, box: Box) -> list[Row]:
        return [{"version": box.version}]

    def _nslicense(self, box: Box) -> list[Row]:
        return [box.licence]

    def _nsconfig(self, box: Box) -> list[Row]:
        return [{"configchanged": self.world.clip_changed if self.at == CLIP else box.changed}]

    # ------------------------------------------------------------------ writing

    def _write(self, what: str, carry_out: Any) -> None:
        world = self.world
        box = self._reach(what)
        world.writes.append(f"{'clip' if self.at == CLIP else box.nsip}: {what}")
        number = len(world.writes)
        for limit, stop in ((world.kill_at, Killed), (world.cut_at, NitroCut)):
            if limit == (number, "before"):
                raise stop(f"{self.at}: {what}: connection reset")
        carry_out(box)
        for limit, stop in ((world.kill_at, Killed), (world.cut_at, NitroCut)):
            if limit == (number, "after"):
                raise stop(f"{self.at}: {what}: connection reset")
        if self._hang_up:
            self._hang_up = False
            raise NitroCut(f"{self.at}: {what}: connection reset by peer")

    def add(self, resource: str, body: Mapping[str, Any]) -> None:
        self._write(f"add {resource}", lambda box: getattr(self, f"_add_{resource}")(box, dict(body)))

    def _add_clusterinstance(self, box: Box, body: Row) -> None:
        if box.running.instance:
            raise NitroError("Resource already exists", code=273, http_status=409)
        box.running.instance, box.changed = {"clid": body["clid"], "enabled": False}, True

    def _add_clusternode(self, box: Box, body: Row) -> None:
        nodes = self.world.nodes if self.at == CLIP else box.running.nodes
        if int(body["nodeid"]) in nodes:
            raise NitroError("Resource already exists", code=273, http_status=409)
        if any(row["ipaddress"] == body["ipaddress"] for row in nodes.values()):
            raise NitroError("already in cluster", code=2455, http_status=599)
        nodes[int(body["nodeid"])] = {"state": "PASSIVE", **body}
        self._touch(box)

    def _add_nsip(self, box: Box, body: Row) -> None:
        if not any(row["ipaddress"] == box.nsip for row in box.running.nodes.values()):
            raise NitroError("local node is not a member", code=2473, http_status=599)
        if body["netmask"] != "255.255.255.255":
            raise NitroError("CLIP netmask should be 255.255.255.255", code=2459, http_status=599)
        box.running.clips.append(body["ipaddress"])
        box.changed = True

    def _touch(self, box: Box) -> None:
        if self.at == CLIP:
            self.world.clip_changed = True
        else:
            box.changed = True

    def update(self, resource: str, body: Mapping[str, Any]) -> None:
        def carry_out(box: Box) -> None:
            nodes = self.world.nodes if self.at == CLIP else box.running.nodes
            nodes[int(body["nodeid"])] |= {**body, "_since": self.world.now}
            self._touch(box)

        self._write(f"set {resource}", carry_out)

    def unset(self, resource: str, body: Mapping[str, Any]) -> None:
        raise AssertionError(f"nothing of a cluster is unset: {resource}")

    def bind(self, resource: str, body: Mapping[str, Any]) -> None:
        raise AssertionError(f"nothing of a cluster is bound: {resource}")

    def act(self, resource: str, action: str, body: Mapping[str, Any] | None = None) -> None:
        given = dict(body or {})
        self._write(f"{action} {resource}", lambda box: getattr(self, f"_{action}_{resource}")(box, given))

    def _enable_clusterinstance(self, box: Box, body: Row) -> None:
        if box.running.instance is None:
            raise NitroError("Cluster does not exist", code=2448, http_status=599)
        box.running.instance["enabled"], box.changed = True, True

    def _join_cluster(self, box: Box, body: Row) -> None:
        world = self.world
        if box.running.instance:
            raise NitroError("already in cluster", code=2455, http_status=599)
        if world.join_refused:
            raise NitroError("refused", code=world.join_refused, http_status=599)
        if body["password"] != world.password:
            raise NitroError("Invalid username or password", code=354, http_status=599)
        if not any(row["ipaddress"] == box.nsip for row in world.nodes.values()) or world.coordinator() is None:
            raise NitroError("Error in communication with other nodes", code=2481, http_status=599)
        box.running = Config({"clid": world.clid, "enabled": True}, {}, [body["clip"]])
        box.changed = True

    def delete(self, resource: str, name: Any = None, *, args: Any = None) -> bool:
        self._write(f"delete {resource}", lambda box: getattr(self, f"_delete_{resource}")(box, str(name)))
        return True

    def _delete_clusternode(self, box: Box, name: str) -> None:
        world = self.world
        if self.at != CLIP:
            raise NitroError("Local Node cannot be deleted", code=2450, http_status=599)
        if int(name) in world.spotted.values():
            raise NitroError("node is part of spotted entity configuration", code=2479, http_status=599)
        coordinator = world.coordinator() == int(name)
        row = world.nodes.pop(int(name))
        reachable = world.boxes.get(row["ipaddress"])
        if reachable and not reachable.gone:
            world.clear(row["ipaddress"])
        world.clip_changed = True
        if coordinator:
            world.clip_from = world.now + MOVING
            self._hang_up = True

    def _delete_nsip(self, _box: Box, name: str) -> None:
        del self.world.spotted[name]
        self.world.clip_changed = True

    def _delete_clusterinstance(self, box: Box, name: str) -> None:
        last = [row["ipaddress"] for row in self.world.nodes.values()] == [box.nsip]
        self.world.clear(box.nsip)
        if last:
            self.world.nodes.clear()

    def save(self) -> None:
        def carry_out(box: Box) -> None:
            if self.at == CLIP:
                self.world.clip_changed = False
            else:
                box.saved, box.changed = copy.deepcopy(box.running), False

        self._write("save", carry_out)

    def reboot(self) -> None:
        self._write("reboot", self.world.boot)

    def forget_session(self) -> None:
        """Sessions cost nothing here."""

    def close(self) -> None:
        """Nor does leaving them."""
