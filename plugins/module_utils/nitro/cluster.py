# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A cluster as its CLIP and one appliance describe it, and the desired membership of that appliance. Pure.

Facts: vendor NITRO reference (clusterinstance, clusternode, cluster, nsip) and the vendor's cluster documentation.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.nitro_errors import NitroError, NitroInputError
from ..core.nitro_wire import as_int, parse_address
from .bootstrap import parse_version
from .ha import same_address

NITRO = Mapping[str, Any]
MAX_NODES = 32
# (least, most) of what the reference limits; drain_minutes is clusternode's ``delay``.
LIMITS = {"cluster_id": (1, 16), "node_id": (0, MAX_NODES - 1), "priority": (0, 31), "drain_minutes": (0, 1440)}
ADMIN_STATES = ("ACTIVE", "PASSIVE", "SPARE")
TUNNEL_MODES = ("NONE", "GRE", "UDP")
DEFAULT_INTERFACE = "1/1"
CLIP_NETMASK = "255.255.255.255"
_INTERFACE = re.compile(r"(?:(\d+)/)?(\d+/\d+|LA/\d+)")
_HINTS = {
    354: "the coordinator did not accept the password: cluster_password must be that of nsroot on the cluster",
    2449: "take it out of that cluster first (state=absent with that cluster's CLIP)",
    2453: "take the HA pair apart first (vpx_ha_node with state=absent)",
    2458: "every node of a cluster needs the same licence",
    2474: "every node of a cluster needs the same software build",
    2479: "remove what is bound to this node alone (node groups) before it leaves",
    2481: "the nodes of a cluster must reach each other: look at their security groups",
    2496: "the cluster has INC (nodes in different networks), which needs node groups; that is not supported here",
    2549: "every node of a cluster needs the same number of packet engines, that is, the same instance type",
}


@dataclass(frozen=True, slots=True)
class Member:
    """One row of ``clusternode``. States in the appliance's words, None for what it did not say."""

    node_id: int
    address: str
    admin_state: str | None = None
    master_state: str | None = None
    health: str | None = None
    effective_state: str | None = None
    coordinator: bool = False
    backplane: str | None = None
    tunnel_mode: str | None = None
    priority: int | None = None
    delay: int = 0

    @classmethod
    def from_row(cls, row: NITRO) -> Member:
        node_id = as_int(row.get("nodeid"))
        return cls(
            node_id=-1 if node_id is None else node_id,
            address=str(row.get("ipaddress") or ""),
            admin_state=_word(row.get("state")),
            master_state=_word(row.get("masterstate")),
            health=_word(row.get("health")),
            effective_state=_word(row.get("effectivestate")),
            coordinator=_true(row.get("isconfigurationcoordinator")),
            backplane=_word(row.get("backplane")),
            tunnel_mode=_word(row.get("tunnelmode")),
            priority=as_int(row.get("priority")),
            delay=as_int(row.get("delay"), 0) or 0,
        )

    @property
    def up(self) -> bool:
        """Whether it takes part: it has joined, rebooted, and its peers hear it."""
        return self.health == "UP"

    @property
    def serving(self) -> bool:
        """Whether it takes traffic (all four words; the vendor's own tools look at ``masterstate`` alone)."""
        states = (self.admin_state, self.master_state, self.effective_state)
        return self.up and states == ("ACTIVE", "ACTIVE", "UP")

    def arrived(self, admin_state: str) -> bool:
        """Whether it is where ``admin_state`` takes it; a spare may be serving in another's place."""
        if admin_state == "ACTIVE":
            return self.serving
        drained = admin_state == "SPARE" or self.master_state != "ACTIVE"
        return self.up and self.admin_state == admin_state and drained

    def describe(self) -> str:
        """For the message of a wait that timed out."""
        words = [
            f"admin state {self.admin_state or 'unknown'}",
            f"masterstate {self.master_state or 'unknown'}",
            f"health {self.health or 'unknown'!r}",
            f"effectivestate {self.effective_state or 'unknown'}",
        ]
        return f"node {self.node_id} ({self.address}) has {', '.join(words)}"

    def summary(self) -> dict[str, Any]:
        """Return the ``node`` of the module's result."""
        return {
            "node_id": self.node_id,
            "ip_address": self.address,
            "admin_state": self.admin_state,
            "master_state": self.master_state,
            "health": self.health,
            "effective_state": self.effective_state,
            "is_coordinator": self.coordinator,
        }


def _word(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def _true(value: Any) -> bool:
    return str(value).upper() in {"TRUE", "YES"}


@dataclass(frozen=True, slots=True)
class Fit:
    """What must be the same on all nodes of a cluster, as far as it can be read."""

    version: str | None = None
    licence: tuple[str, ...] = ()
    clustering: bool = True
    """Whether the licence includes clustering."""

    @classmethod
    def from_rows(cls, versions: Iterable[NITRO], licences: Iterable[NITRO]) -> Fit:
        version = next((parse_version(str(row.get("version") or "")) for row in versions), None)
        licence = next(iter(licences), {})
        names = [name for name, value in licence.items() if value is True]
        model = licence.get("modelid")
        return cls(
            version,
            tuple(sorted([*names, *([f"model {model}"] if model is not None else [])])),
            licence.get("cluster") is not False,
        )


@dataclass(frozen=True, slots=True)
class Cluster:
    """What answers at the CLIP. ``cluster_id`` None: an appliance that is in no cluster."""

    cluster_id: int | None
    operational: bool = True
    inc: bool = False
    members: tuple[Member, ...] = ()
    unsaved: bool = False
    fit: Fit | None = None
    snips: tuple[tuple[int | None, str], ...] = ()
    """(owner, address) of its SNIPs, where they were asked for. Those of all nodes read 255 (nsip, ``ownernode``)."""

    @classmethod
    def from_rows(
        cls,
        instances: Iterable[NITRO],
        nodes: Iterable[NITRO],
        addresses: Iterable[NITRO] = (),
        *,
        unsaved: bool,
        fit: Fit | None,
    ) -> Cluster:
        instance = next(iter(instances), None)
        if instance is None:
            return cls(None, operational=False, unsaved=unsaved, fit=fit)
        return cls(
            as_int(instance.get("clid"), -1),
            operational=_enabled(instance, "operationalstate"),
            inc=str(instance.get("inc")).upper() == "ENABLED",
            members=members_of(nodes),
            unsaved=unsaved,
            fit=fit,
            snips=tuple(
                (as_int(row.get("ownernode")), str(row.get("ipaddress")))
                for row in addresses
                if row.get("type") == "SNIP"
            ),
        )

    def spotted_on(self, node_id: int) -> list[str]:
        return [address for owner, address in self.snips if owner == node_id]


def members_of(rows: Iterable[NITRO]) -> tuple[Member, ...]:
    return tuple(sorted((Member.from_row(row) for row in rows), key=lambda member: member.node_id))


def member_at(members: Iterable[Member], address: str) -> Member | None:
    return next((member for member in members if same_address(member.address, address)), None)


def _enabled(instance: NITRO, name: str) -> bool:
    """Return whether it is enabled; a build that does not return the field counts as enabled."""
    return str(instance.get(name) or "ENABLED").upper() == "ENABLED"


@dataclass(frozen=True, slots=True)
class Node:
    """What the appliance says on its own NSIP. ``cluster_id`` None: it is in no cluster.

    ``operational``: it has rebooted since its cluster was enabled, or since it joined. ``addresses``: (address, type,
    netmask) of everything it has.
    """

    cluster_id: int | None = None
    enabled: bool = False
    operational: bool = False
    members: tuple[Member, ...] = ()
    addresses: tuple[tuple[str, str, str], ...] = ()
    ha_peers: tuple[str, ...] = ()
    unsaved: bool = False
    fit: Fit | None = None

    @property
    def clips(self) -> tuple[str, ...]:
        return tuple(address for address, kind, _mask in self.addresses if kind == "CLIP")

    def others(self, nsip: str) -> tuple[Member, ...]:
        return tuple(member for member in self.members if not same_address(member.address, nsip))


def node_from_rows(
    instances: Iterable[NITRO],
    nodes: Iterable[NITRO],
    addresses: Iterable[NITRO],
    ha_nodes: Iterable[NITRO],
    *,
    unsaved: bool,
    fit: Fit | None,
) -> Node:
    """Return a Node from the rows of clusterinstance, clusternode, nsip and hanode."""
    instance = next(iter(instances), None)
    return Node(
        cluster_id=None if instance is None else as_int(instance.get("clid"), -1),
        enabled=instance is not None and _enabled(instance, "adminstate"),
        operational=instance is not None and _enabled(instance, "operationalstate"),
        members=members_of(nodes),
        addresses=tuple((str(r.get("ipaddress")), str(r.get("type")), str(r.get("netmask") or "")) for r in addresses),
        ha_peers=tuple(str(r.get("ipaddress")) for r in ha_nodes if as_int(r.get("id"), 0) != 0),
        unsaved=unsaved,
        fit=fit,
    )


@dataclass(frozen=True, slots=True)
class ObservedMember:
    """One look at both. None: it did not answer, and the trouble says how."""

    cluster: Cluster | None = None
    node: Node | None = None
    cluster_trouble: str = ""
    node_trouble: str = ""

    @property
    def running(self) -> Cluster | None:
        """The cluster, if one is in operation at the CLIP."""
        return self.cluster if self.cluster and self.cluster.operational else None

    @property
    def silence(self) -> str:
        """Why there is no cluster at the CLIP, in words."""
        if self.cluster is None:
            return self.cluster_trouble or "no answer"
        if self.cluster.cluster_id is None:
            return "the appliance that answers there is in no cluster"
        return "its cluster is not in operation yet"


@dataclass(frozen=True, slots=True)
class DesiredMember:
    """What the options ask for. Addresses without a port; ``interface`` is the backplane without the node's number.

    ``declared_interface``: the interface with ``backplane_mac``, for a node that is yet to be declared.
    """

    nsip: str
    clip: str
    cluster_id: int = 1
    node_id: int | None = None
    form: bool = False
    admin_state: str = "ACTIVE"
    interface: str | None = None
    interface_node: int | None = None
    backplane_mac: str | None = None
    declared_interface: str | None = None
    tunnel_mode: str = "GRE"
    priority: int | None = None
    drain_minutes: int = 0
    present: bool = True
    dissolve: bool = False
    wait: bool = True
    save: bool = True

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> DesiredMember:
        """Return the options of vpx_cluster_node. Raises NitroInputError for values that no appliance takes."""
        nsip = parse_address(params["nsip"])[0]
        clip = parse_address(clip_text(params))[0]
        if same_address(nsip, clip):
            raise NitroInputError(f"{params['nsip']}: clip must be another address than the appliance's own")
        for option, (least, most) in LIMITS.items():
            value = params.get(option)
            if value is not None and not least <= value <= most:
                raise NitroInputError(f"{params['nsip']}: {option} must be {least} to {most}, not {value}")
        node, interface = _interface(params)
        return cls(
            nsip=nsip,
            clip=clip,
            cluster_id=params["cluster_id"],
            node_id=params["node_id"],
            form=params["form"],
            admin_state=params["admin_state"],
            interface=interface,
            interface_node=node,
            backplane_mac=(params.get("backplane_mac") or "").lower() or None,
            tunnel_mode=params["tunnel_mode"],
            priority=params["priority"],
            drain_minutes=params["drain_minutes"],
            present=params["state"] == "present",
            dissolve=params["dissolve"],
            wait=params["wait"],
            save=params["save_config"],
        )

    def backplane(self, node_id: int) -> str:
        """``<node>/<interface>``, for clusternode. Raises NitroInputError where it was given for another node."""
        if self.interface_node not in (None, node_id):
            given = f"{self.interface_node}/{self.interface}"
            raise NitroInputError(f"{self.nsip}: backplane {given} is not an interface of node {node_id}")
        return f"{node_id}/{self.interface or self.declared_interface or DEFAULT_INTERFACE}"

    def declaration(self, node_id: int) -> dict[str, Any]:
        """Return the body that declares the node, always with ``state``, because NITRO's default is PASSIVE."""
        body: dict[str, Any] = {
            "nodeid": node_id,
            "ipaddress": self.nsip,
            "state": self.admin_state,
            "backplane": self.backplane(node_id),
            "tunnelmode": self.tunnel_mode,
        }
        if self.priority is not None:
            body["priority"] = self.priority
        return body

    def tuning(self, member: Member) -> dict[str, Any] | None:
        """Return the body that changes a declared node, or None; a drain that has begun is not started again."""
        differs: dict[str, Any] = {}
        if member.admin_state != self.admin_state:
            differs["state"] = self.admin_state
            if self.admin_state == "PASSIVE":
                differs["delay"] = self.drain_minutes
        if self.interface and member.backplane != self.backplane(member.node_id):
            differs["backplane"] = self.backplane(member.node_id)
        if member.tunnel_mode not in (None, self.tunnel_mode):
            differs["tunnelmode"] = self.tunnel_mode
        if self.priority not in (None, member.priority):
            differs["priority"] = self.priority
        return {"nodeid": member.node_id, **differs} if differs else None


def clip_text(params: Mapping[str, Any]) -> str:
    """Return the CLIP without its ``/32``. Raises NitroInputError for any other length."""
    text = str(params["clip"]).strip()
    address, slash, length = text.partition("/")
    if slash and length != "32":
        raise NitroInputError(f"{params['nsip']}: clip {text}: a CLIP is a single address (/32)")
    parse_address(address, "clip")
    return address


def _interface(params: Mapping[str, Any]) -> tuple[int | None, str | None]:
    if params["backplane"] is None:
        return None, None
    found = _INTERFACE.fullmatch(params["backplane"].strip())
    if found is None:
        raise NitroInputError(
            f"{params['nsip']}: backplane must be an interface such as 1/1, LA/1 or 2/1/1 (node 2), "
            f"not {params['backplane']!r}"
        )
    return None if found[1] is None else int(found[1]), found[2]


def interface_with(mac: str, rows: Iterable[NITRO]) -> str | None:
    """Return the name, without a node's number, of the interface with a MAC address; None if there is none.

    Source: aws_vpx facts, "Interface names": which interface of EC2 is 1/1 is not documented; the MAC address decides.
    """
    for row in rows:
        if str(row.get("mac") or "").lower() == mac and (found := _INTERFACE.fullmatch(str(row.get("id") or ""))):
            return str(found[2])
    return None


def outside(clip: str, node: Node, nsip: str) -> str | None:
    """Return the network of the NSIP if the CLIP is not in it; None if it is, or if it is unknown."""
    for address, _kind, mask in node.addresses:
        try:
            if not same_address(address, nsip):
                continue
            network = ipaddress.ip_network(f"{address}/{mask}", strict=False)
            if ipaddress.ip_address(clip) not in network:
                return str(network)
        except ValueError:
            return None
    return None


def explained(error: NitroError) -> NitroError:
    """Return the same error with the remedy, where one is known."""
    hint = _HINTS.get(error.code)
    if hint is None:
        return error
    return type(error)(
        f"{error}; {hint}",
        code=error.code,
        message=error.message,
        http_status=error.http_status,
        resource=error.resource,
    )


def no_member(nsip: str) -> dict[str, Any]:
    """Return the ``node`` of an appliance that is in no cluster."""
    return {**dict.fromkeys(Member(-1, "").summary()), "ip_address": nsip, "is_coordinator": False}
