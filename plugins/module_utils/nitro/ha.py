# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One side of an HA pair: what it says of the pair, what has to be changed, and whether the pair works. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.nitro_errors import NitroError, NitroInputError
from ..core.nitro_wire import as_int, parse_address

# (NITRO field, least, most) of what can be tuned (vendor NITRO reference, hanode); None: the reference gives no limit.
TUNABLES: dict[str, tuple[str, int, int | None]] = {
    "hello_interval": ("hellointerval", 200, 1000),
    "dead_interval": ("deadinterval", 3, 60),
    "max_flips": ("maxflips", 0, None),
    "max_flip_time": ("maxfliptime", 0, None),
}
_HINTS = {
    356: "the appliance's licence does not include high availability",
    414: "nodes in different subnets need inc=true",
    415: "peer must be the NSIP of the other appliance",
    2453: "take the appliance out of its cluster first",
}
# Words that hanode's ``hasync`` carries on reading: the configured ENABLED, or how the last synchronisation went.
_SYNCED = "SUCCESS"
_SYNC_ON = "ENABLED"
# Seconds after which a secondary's first synchronisation is long over.
LONG = 120
# A node that is set to keep its role reports that instead of UP.
_UP = frozenset({"UP", "STAYPRIMARY", "STAYSECONDARY"})


@dataclass(frozen=True, slots=True)
class Node:
    """One row of ``hanode``. ``node_id`` 0 is the appliance that was asked."""

    node_id: int
    address: str
    master_state: str | None
    node_state: str | None
    sync_state: str | None
    inc: bool | None
    state_seconds: int | None
    tunables: Mapping[str, int | None]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Node:
        return cls(
            node_id=as_int(row.get("id"), -1) or 0,
            address=str(row.get("ipaddress") or ""),
            master_state=_word(row.get("state")),
            node_state=_word(row.get("hastatus")),
            sync_state=_word(row.get("hasync")),
            inc=None if row.get("inc") is None else str(row["inc"]).upper() == "ENABLED",
            state_seconds=as_int(row.get("masterstatetime")),
            tunables={option: as_int(row.get(name)) for option, (name, least, most) in TUNABLES.items()},
        )

    def is_a(self, master_state: str) -> bool:
        """Whether it holds this role; the capitals differ between config and stat."""
        return (self.master_state or "").casefold() == master_state.casefold()


def _word(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


@dataclass(frozen=True, slots=True)
class ObservedHa:
    """What one appliance says of itself and its peers."""

    me: Node | None
    peers: tuple[Node, ...] = ()

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> ObservedHa:
        nodes = [Node.from_row(row) for row in rows]
        mine = [node for node in nodes if node.node_id == 0]
        return cls(mine[0] if mine else None, tuple(node for node in nodes if node.node_id != 0))

    def peer(self, address: str) -> Node | None:
        return next((node for node in self.peers if same_address(node.address, address)), None)


@dataclass(frozen=True, slots=True)
class DesiredHa:
    """What the options ask for. ``nsip`` and ``peer`` without a port; ``tunables`` only those that were given."""

    nsip: str
    peer: str
    node_id: int = 1
    inc: bool = True
    rpc: bool = False
    rpc_always: bool = False
    replace_peer: bool = False
    tunables: Mapping[str, int] = field(default_factory=dict)
    present: bool = True

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> DesiredHa:
        """Return the options of vpx_ha_node. Raises NitroInputError for values that no appliance takes."""
        nsip, peer = parse_address(params["nsip"])[0], parse_address(params["peer"], "peer")[0]
        if same_address(nsip, peer):
            raise NitroInputError(f"{params['nsip']}: peer is this appliance itself")
        if not 1 <= params["node_id"] <= 64:
            raise NitroInputError(f"{params['nsip']}: node_id of the peer must be 1 to 64, not {params['node_id']}")
        tunables = {option: params[option] for option in TUNABLES if params.get(option) is not None}
        for option, value in tunables.items():
            least, most = TUNABLES[option][1:]
            if value < least or (most is not None and value > most):
                limits = f"{least} to {most}" if most is not None else f"{least} or more"
                raise NitroInputError(f"{params['nsip']}: {option} must be {limits}, not {value}")
        return cls(
            nsip=nsip,
            peer=peer,
            node_id=params["node_id"],
            inc=params["inc"],
            rpc=bool(params.get("rpc_password")),
            rpc_always=params["update_rpc_password"] == "always",  # noqa: S105 - when, not what
            replace_peer=params["replace_peer"],
            tunables=tunables,
            present=params["state"] == "present",
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be written, in the order of the fields. ``rpc``: addresses whose RPC node gets password and TLS."""

    remove: tuple[int, ...] = ()
    add: Mapping[str, Any] | None = None
    tune: Mapping[str, Any] | None = None
    rpc: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return self == Plan()


def plan(desired: DesiredHa, view: ObservedHa, rpc_nodes: Sequence[Mapping[str, Any]]) -> Plan:
    """Return the missing writes on this side. Raises NitroError if another peer is configured, or INC would change."""
    peer = view.peer(desired.peer)
    if not desired.present:
        return Plan(remove=(peer.node_id,) if peer else ())
    others = [node for node in view.peers if node is not peer]
    if others and not desired.replace_peer:
        raise NitroError(
            f"{desired.nsip}: its peer is {others[0].address} (node {others[0].node_id}), not {desired.peer}; "
            f"remove it first (state=absent, peer={others[0].address}) or give replace_peer=true"
        )
    if peer and inc_differs(desired, view, peer):
        raise NitroError(
            f"{desired.nsip}: is paired with {desired.peer} with INC {'off' if desired.inc else 'on'}; this cannot be "
            "changed in a pair, remove the peer on both nodes first (state=absent)"
        )
    add: dict[str, Any] | None = None
    if peer is None:
        add = {"id": desired.node_id, "ipaddress": desired.peer, **({"inc": "ENABLED"} if desired.inc else {})}
    mine = view.me.tunables if view.me else {}
    tune = {TUNABLES[option][0]: value for option, value in desired.tunables.items() if mine.get(option) != value}
    return Plan(
        remove=tuple(node.node_id for node in others),
        add=add,
        tune={"id": 0, **tune} if tune else None,
        rpc=_rpc_plan(desired, view, rpc_nodes, created=add is not None),
    )


def _rpc_plan(
    desired: DesiredHa, view: ObservedHa, rpc_nodes: Sequence[Mapping[str, Any]], *, created: bool
) -> tuple[str, ...]:
    """Return the addresses whose RPC password must be written.

    It cannot be read back, so it is written where the pair is new, where the channel is not secure (an interrupted
    run), where synchronisation failed, or always if ``rpc_always``.
    """
    if not desired.rpc:
        return ()
    own = view.me.address if view.me and view.me.address else desired.nsip
    both = (own, desired.peer)
    peer = view.peer(desired.peer)
    failed = "FAIL" in (sync_state(view, peer) or "").upper()
    if created or desired.rpc_always or failed:
        return both
    return tuple(address for address in both if not _is_secure(address, rpc_nodes))


def _is_secure(address: str, rpc_nodes: Sequence[Mapping[str, Any]]) -> bool:
    return any(
        same_address(str(row.get("ipaddress")), address) and str(row.get("secure")).upper() in {"YES", "ON"}
        for row in rpc_nodes
    )


def inc_differs(desired: DesiredHa, view: ObservedHa, peer: Node) -> bool:
    """Whether the pair surely runs with the other INC mode: right after forming, the two rows can disagree."""
    message = {node.inc for node in (view.me, peer) if node and node.inc is not None}
    return bool(message) and desired.inc not in message


def secondary_of(view: ObservedHa, peer: Node | None) -> Node | None:
    """Return the row of the secondary, this node or its peer; it holds the state of synchronisation."""
    return next((node for node in (view.me, peer) if node and node.is_a("Secondary")), None)


def sync_state(view: ObservedHa, peer: Node | None) -> str | None:
    """How synchronisation went, in the appliance's word; of a node without a secondary its own."""
    row = secondary_of(view, peer) or view.me
    return row.sync_state if row else None


def same_address(one: str, other: str) -> bool:
    """Whether two texts are one address; ``2001:db8::1`` and ``2001:DB8:0::1`` are."""
    try:
        return ipaddress.ip_address(one.strip("[]")) == ipaddress.ip_address(other.strip("[]"))
    except ValueError:
        return one.casefold() == other.casefold()


def together(view: ObservedHa, address: str, *, synchronising: bool = True) -> bool:
    """Whether both nodes are up, one is primary and one secondary, and neither has synchronisation switched off.

    Without ``synchronising`` it may be switched off, as it is while nodes are upgraded.
    """
    peer = view.peer(address)
    if view.me is None or peer is None:
        return False
    pair = (view.me, peer)
    roles = sorted((node.master_state or "").casefold() for node in pair)
    up = all((node.node_state or "").upper() in _UP for node in pair)
    on = not synchronising or all(node.sync_state != "DISABLED" for node in pair)
    return up and roles == ["primary", "secondary"] and on


def in_sync(view: ObservedHa, address: str, *, calm: bool = False) -> bool:
    """Whether the pair is together and synchronised.

    A secondary that says only the configured word (ENABLED) has not begun yet, or runs a build that never says more. It
    is believed when it has been secondary for long, or when it is ``calm``: reported so for a while and nothing failed.
    """
    if not together(view, address):
        return False
    secondary = secondary_of(view, view.peer(address))
    word = ((secondary.sync_state if secondary else None) or "").upper()
    if word == _SYNC_ON and secondary:
        return calm or (secondary.state_seconds or 0) >= LONG
    return word == _SYNCED


def describe(view: ObservedHa | None, address: str) -> str:
    """Describe the state of a pair as one node reports it, for the message of a wait that timed out."""
    if view is None or view.me is None:
        return "the node did not say what it is"
    peer = view.peer(address)
    mine = f"this node is {_or_unknown(view.me.master_state)} and {_or_unknown(view.me.node_state)}"
    if peer is None:
        return f"{mine}, peer {address} is not configured"
    theirs = f"peer {address} is {_or_unknown(peer.master_state)} and {_or_unknown(peer.node_state)}"
    return f"{mine}, {theirs}, synchronisation {_or_unknown(sync_state(view, peer))}"


def _or_unknown(word: str | None) -> str:
    return word or "unknown"


def summary(view: ObservedHa, address: str) -> dict[str, str | None]:
    """Return the ``ha`` of the module's result."""
    peer = view.peer(address)
    return {
        "master_state": view.me.master_state if view.me else None,
        "node_state": view.me.node_state if view.me else None,
        "peer": peer.address if peer else None,
        "sync_state": sync_state(view, peer),
    }


def diff(desired: DesiredHa, view: ObservedHa, changes: Plan) -> dict[str, dict[str, Any]]:
    """Before and after, for what is managed here; of passwords only whose is written."""
    peers = [node.address for node in view.peers]
    tuned = {option: (view.me.tunables.get(option) if view.me else None) for option in desired.tunables}
    before: dict[str, Any] = {"peers": peers, "rpc_written": [], **tuned}
    left = [node.address for node in view.peers if node.node_id not in changes.remove]
    after = {
        "peers": left + ([desired.peer] if changes.add else []),
        "rpc_written": list(changes.rpc),
        **(desired.tunables if desired.present else tuned),
    }
    return {"before": before, "after": after}


def explained(error: NitroError) -> NitroError:
    """Return the same error with the remedy, where one is known."""
    hint = _HINTS.get(error.code)
    if hint is None:
        return error
    return error.and_also(hint)
