# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Carrying out what the plan of a cluster membership says, over two sessions: the appliance's own and the CLIP's.

The CLIP moves whenever another node becomes coordinator. That cuts connections and ends sessions, and whether a write
was carried out is then not known: it is looked at and planned again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..core.fingerprints import pins_from
from ..core.nitro_errors import (
    FORCE_PASSWORD_CHANGE,
    NitroAuthError,
    NitroError,
    NitroGarbled,
    NitroInputError,
    NitroUnreachable,
)
from ..core.nitro_wire import parse_address
from . import steps
from .client import NitroClient
from .cluster import (
    Cluster,
    DesiredMember,
    Fit,
    Member,
    Node,
    ObservedMember,
    clip_text,
    explained,
    interface_with,
    member_at,
    members_of,
    no_member,
    node_from_rows,
)
from .cluster_plan import Action, Do, Plan, plan, predicted, timeouts, writes
from .module import connection_from
from .waiting import wait_until

# How often it is looked at and planned again after a cut connection, or after another run was faster.
_ATTEMPTS = 5
# 273 Resource already exists, 2455 already in cluster: a write whose answer got lost, or another run's.
_FASTER = frozenset({273, 2455})
# A removed node is cleared, and may need a moment before it accepts logins again.
_LEFT_SAVE_SECONDS = 30.0
# Timeout of a query of an address that may be unused.
_CONNECT_TIMEOUT = 3.0


class Session(steps.Session, Protocol):
    """What is needed of a NITRO client."""

    def reboot(self) -> object: ...

    def forget_session(self) -> object: ...

    def close(self) -> object: ...


def clients(params: Mapping[str, Any]) -> tuple[NitroClient, NitroClient]:
    """One for the appliance's NSIP and one for the CLIP, at the same port where the CLIP comes without one."""
    connection = connection_from(params, other_password=params["cluster_password"])
    if connection.password is None:
        raise NitroInputError(f"{params['nsip']}: give nitro_pass: the CLIP and a rebooted appliance want a new login")
    node = replace(connection, connect_timeout=_CONNECT_TIMEOUT)
    address, port = parse_address(clip_text(params), "clip")
    port = port or parse_address(params["nsip"])[1]
    host = f"[{address}]" if ":" in address else address
    clip = replace(
        node,
        nsip=f"{host}:{port}" if port else host,
        fingerprints=pins_from(params).of(address),
        token=None,
        password=params["cluster_password"] or connection.password,
        other_password=None,
    )
    return NitroClient(node), NitroClient(clip)


@dataclass
class Membership:
    """One run for one appliance. ``timeout``: seconds for everything but the drain, which has its minutes."""

    desired: DesiredMember
    node: Session
    clip: Session
    join_password: str = field(repr=False)
    timeout: float
    warn: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self.view = ObservedMember()
        self.deadline = self.clock() + self.timeout
        self.done: list[Action] = []
        self.declared: int | None = None
        self.dissolved = False
        self.before = no_member(self.desired.nsip)

    # ------------------------------------------------------------------ the job

    def predict(self) -> dict[str, Any]:
        """Predict the result of check mode from one reading."""
        moves = self._predicted_plan()
        return self.outcome(writes(moves), predicted(self.desired, self.before, moves))

    def _predicted_plan(self) -> Plan:
        """Return the predicted plan; an appliance that does not answer yet is assumed to be stand-alone."""
        self.observation(first_password=True)
        self.before = self.node_now()
        desired, view = self.desired, self.view
        if desired.present and view.node is None and not self._takes_part():
            self.warn(f"{view.node_trouble}. The result is what a stand-alone appliance would need.")
            view = replace(view, node=Node())
        if desired.present and not desired.form and view.cluster is None and view.node and view.node.cluster_id is None:
            self.warn(f"{view.cluster_trouble}. The result supposes that the cluster will be there.")
            other = Member(0 if desired.node_id != 0 else 1, "")
            view = replace(view, cluster=Cluster(desired.cluster_id, members=(other,)))
        return plan(desired, view)

    def converge(self) -> dict[str, Any]:
        """Look, plan and carry out, again where a connection broke in between, until nothing is left to do."""
        for attempt in range(1, _ATTEMPTS + 1):
            self.read()
            self.before = self.node_now() if attempt == 1 else self.before
            moves = plan(self.desired, self.view)
            try:
                for move in moves:
                    self.carry_out(move)
                break
            except NitroError as error:
                again = isinstance(error, NitroUnreachable) or error.code in _FASTER
                if attempt == _ATTEMPTS or not again:
                    raise explained(error) from None
        if self.dissolved:
            self.view = ObservedMember()
        elif self.done:
            self.read_back()
        return self.outcome(self.done, self.node_now())

    def carry_out(self, move: Action) -> None:
        match move.do:
            case Do.ON_CLIP if move.step:
                self._declaring(move.step)
                steps.apply(self.clip, [move.step])
            case Do.ON_NODE if move.step:
                if move.step.verb == "delete":
                    self._removing_instance()
                steps.apply(self.node, [move.step])
            case Do.JOIN:
                self.join()
            case Do.SAVE_CLIP:
                self.clip.save()
            case Do.SAVE_NODE:
                self.node.save()
            case Do.SAVE_LEFT:
                self.save_left()
            case Do.REBOOT:
                self.node.reboot()
                self.node.forget_session()
            case _:
                self.wait(move.do)
        if writes([move]):
            self.done.append(move)

    # ------------------------------------------------------------------ reading

    def read(self) -> None:
        """Read until the state is complete enough to plan, or until further reads cannot change it."""
        started = self.clock()

        def enough() -> bool:
            self.observation()
            return self.clock() - started >= min(timeouts(self.desired, self.view), self.deadline - started)

        wait_until(enough, float("inf"), str, clock=self.clock, sleep=self.sleep)

    def observation(self, *, first_password: bool = False) -> None:
        """One look at the CLIP and, where the CLIP does not say everything, at the appliance itself."""
        cluster, cluster_trouble = self._try(self.clip, self._read_cluster)
        self.view = ObservedMember(cluster, None, cluster_trouble)
        if self._takes_part() and self.desired.present:
            return
        node, node_trouble = self._try(self.node, self._read_node, first_password=first_password)
        self.view = replace(self.view, node=node, node_trouble=node_trouble)

    def _takes_part(self) -> bool:
        member = self.member()
        return member is not None and member.up

    def _try(self, client: Session, read: Callable[[], Any], *, first_password: bool = False) -> tuple[Any, str]:
        try:
            return read(), ""
        except NitroError as error:
            predicted = first_password and error.code == FORCE_PASSWORD_CHANGE
            if not (predicted or self._on_its_way(error)):
                raise
            client.forget_session()
            return None, str(error)

    def _on_its_way(self, error: NitroError) -> bool:
        """Whether it is what an appliance answers that is not up, or is just changing its users for the cluster's."""
        if isinstance(error, NitroAuthError):
            return bool(self.done)
        return isinstance(error, NitroUnreachable | NitroGarbled) or error.http_status in {500, 502, 504}

    def _read_cluster(self) -> Cluster:
        instances = self.clip.get("clusterinstance")
        nodes = self.clip.get("clusternode") if instances else []
        known = member_at(members_of(nodes), self.desired.nsip) is not None
        joins, leaves = self.desired.present and instances and not known, known and not self.desired.present
        return Cluster.from_rows(
            instances,
            nodes,
            self.clip.get("nsip") if leaves else [],
            unsaved=steps.unsaved(self.clip),
            fit=_read_fit(self.clip) if joins else None,
        )

    def _read_node(self) -> Node:
        instances = self.node.get("clusterinstance")
        fresh = self.desired.present and not instances
        self._find_backplane()
        return node_from_rows(
            instances,
            self.node.get("clusternode") if instances else [],
            self.node.get("nsip") if instances or fresh else [],
            self.node.get("hanode") if fresh else [],
            unsaved=steps.unsaved(self.node),
            fit=_read_fit(self.node) if fresh else None,
        )

    def _find_backplane(self) -> None:
        """Name the interface that has the MAC address. Raises NitroInputError where no interface has it."""
        mac = self.desired.backplane_mac
        if not mac or self.desired.interface or not self.desired.present:
            return
        name = interface_with(mac, self.node.get("Interface"))
        if name is None:
            raise NitroInputError(f"{self.desired.nsip}: backplane_mac: no interface of this appliance has {mac}")
        self.desired = replace(self.desired, declared_interface=name)

    def read_back(self) -> None:
        """Read the CLIP again for the result; after the last node left it, no answer is expected."""
        cluster, trouble = self._try(self.clip, self._read_cluster)
        self.view = replace(self.view, cluster=cluster, cluster_trouble=trouble)

    # ------------------------------------------------------------------ writing

    def _removing_instance(self) -> None:
        """Log out of the CLIP before the removal, because the CLIP may disappear with this node."""
        self.clip.close()
        if not self.desired.present and self.view.cluster and len(self.view.cluster.members) <= 1:
            self.dissolved = True

    def _declaring(self, step: steps.Change) -> None:
        if (step.verb, step.resource) == ("add", "clusternode"):
            self.declared = int(step.body["nodeid"])

    def join(self) -> None:
        """Join; a node that the coordinator refuses is declared no longer, because it would count for the quorum."""
        body = {"clip": self.desired.clip, "password": self.join_password}
        try:
            self.node.act("cluster", "join", body)
        except NitroError as error:
            refused = not isinstance(error, NitroUnreachable) and error.code not in _FASTER
            if refused and self.declared is not None:
                self.clip.delete("clusternode", str(self.declared))
                self.clip.save()
            raise

    def save_left(self) -> None:
        """Save on a node that has just been cleared, and may have lost its sessions or its password with it."""
        trouble = [""]

        def saved() -> bool:
            try:
                self.node.save()
            except NitroError as error:
                trouble[0] = str(error)
                self.node.forget_session()
                return False
            return True

        try:
            wait_until(saved, _LEFT_SAVE_SECONDS, lambda: trouble[0], clock=self.clock, sleep=self.sleep)
        except NitroError as error:
            self.warn(f"{error}: it is out of the cluster, and its own configuration is not saved")

    # ------------------------------------------------------------------ waiting

    def wait(self, do: Do) -> None:
        """Until the CLIP says of the node what is waited for; the CLIP may move meanwhile."""
        observed = [f"no answer from clip {self.desired.clip} yet"]
        there = self._drained if do is Do.AWAIT_DRAINED else self._arrived

        def reached() -> bool:
            members, trouble = self._try(self.clip, lambda: members_of(self.clip.get("clusternode")))
            if not members:
                observed[0] = trouble or observed[0]
                return False
            if self.view.cluster is None or self.view.cluster.cluster_id is None:
                self.view = replace(self.view, cluster=Cluster(self.desired.cluster_id))
            self.view = replace(self.view, cluster=_with(self.view.cluster, members))
            member = self.member()
            observed[0] = member.describe() if member else "it is not declared on the CLIP any more"
            return there(member)

        wait_until(
            reached,
            max(0.0, self.deadline - self.clock()) + 60.0 * self._drain_minutes(),
            lambda: f"{self.desired.nsip}: did not get there in cluster {self.desired.cluster_id}: {observed[0]}",
            clock=self.clock,
            sleep=self.sleep,
        )

    def _arrived(self, member: Member | None) -> bool:
        if member is None:
            raise NitroError(f"{self.desired.nsip}: is not declared on clip {self.desired.clip} any more")
        return member.arrived(self.desired.admin_state)

    def _drained(self, member: Member | None) -> bool:
        return member is None or member.master_state != "ACTIVE"

    def _drain_minutes(self) -> int:
        member = self.member()
        return max(self.desired.drain_minutes, member.delay if member else 0)

    def member(self) -> Member | None:
        return member_at(self.view.cluster.members, self.desired.nsip) if self.view.cluster else None

    # ------------------------------------------------------------------ what it says

    def outcome(self, moves: Sequence[Action], after: dict[str, Any]) -> dict[str, Any]:
        """Return the module's result with the writes in its diff; ``after``: the ``node``, present or predicted."""
        cluster = self.view.cluster
        message = [str(move) for move in moves]
        return {
            "changed": bool(message),
            "node": after,
            "cluster": {
                "id": cluster.cluster_id if cluster else None,
                "clip": self.desired.clip,
                "nodes": [member.summary() for member in cluster.members] if cluster else [],
            },
            "diff": {
                "before": {"node": self.before if message else after, "writes": []},
                "after": {"node": after, "writes": message},
            },
        }

    def node_now(self) -> dict[str, Any]:
        """Return the ``node`` of the result from the last reading of the CLIP."""
        member = self.member()
        return member.summary() if member else no_member(self.desired.nsip)


def _with(cluster: Cluster | None, members: tuple[Member, ...]) -> Cluster | None:
    return replace(cluster, members=members, operational=True) if cluster else None


def _read_fit(client: Session) -> Fit:
    return Fit.from_rows(client.get("nsversion"), client.get("nslicense"))
