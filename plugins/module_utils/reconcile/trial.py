# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A node of a pair as primary on trial: it takes over, is watched while clients use it, and hands back if it fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..core.errors import Failure, Refusal
from ..core.nitro_errors import NitroError
from ..core.parallel import both
from ..core.waiting import Clock, Pace, Sleep, observations
from ..nitro.client import NitroClient
from ..nitro.ha import together
from .pair_associations import Node
from .pair_claims import Claim, Verdict
from .switchover import PRIMARY, hand_over, observation

#: Looks in a row at which a virtual server is not UP, after which the node does not serve.
MISSES = 3
HandOver: TypeAlias = Callable[[NitroClient, NitroClient, float], None]
_RESOURCES = ("lbvserver", "csvserver")


@dataclass(frozen=True, slots=True)
class VirtualServers:
    """The names of all virtual servers of a node, and of those that are UP."""

    names: frozenset[str] = frozenset()
    up: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> VirtualServers:
        listed = list(rows)
        up = (str(row["name"]) for row in listed if str(row.get("curstate")).upper() == "UP")
        return cls(frozenset(str(row["name"]) for row in listed), frozenset(up))


def read_virtual_servers(client: NitroClient) -> VirtualServers:
    """Ask a node for its virtual servers: two reads."""
    return VirtualServers.of(row for resource in _RESOURCES for row in client.get(resource))


def roles(group: str, nodes: Sequence[Node], claims: Sequence[Claim], verdict: Verdict, to: int) -> tuple[int, int]:
    """Return the indices of the node on trial and of the other one, the way back.

    Synchronisation is not asked for: between different builds there is none.

    Raises:
        Refusal: the node on trial is neither the only primary nor a secondary that can take over. Nothing was written.
    """
    index = next((at for at, node in enumerate(nodes) if node.node_id == to), None)
    if index is None or len(nodes) != 2:
        raise Refusal(f"{group} has no node {to} beside another one, so there is nothing to try. Nothing was changed.")
    other = 1 - index
    if verdict.primary is None:
        raise Refusal(f"{group}: nothing is tried, because {verdict.message}. Nothing was changed.")
    views = [claim.view for claim in claims]
    fit = all(
        view is not None and together(view, claims[1 - at].nsip) and claims[at].names(claims[1 - at])
        for at, view in enumerate(views)
    )
    if verdict.primary == other and not fit:
        raise Refusal(f"{group}: {nodes[index].name} cannot take over: {verdict.message}. Nothing was changed.")
    return index, other


def missing_problem(group: str, old: VirtualServers, new: VirtualServers) -> str | None:
    """Return what the node on trial lacks that the present primary has, or None."""
    lacking = sorted(old.names - new.names)
    if not lacking:
        return None
    return (
        f"{group}: the node on trial lacks the virtual servers {', '.join(lacking)}, which the primary has. Between "
        "different builds nothing is synchronised: declare them as applications, or configure them on that node, or "
        "set ignore_missing=true (role ha_upgrade: ha_upgrade_ignore_missing). Nothing was changed."
    )


@dataclass(slots=True)
class Trial:
    """The node on trial, its peer, and what moves the addresses to the primary.

    ``move``: returns what is wrong with an address after it was moved, or None. ``needed``: virtual servers that were
    UP on the old primary. ``over``, ``back_over``: how the first node hands the primary role to the second one, in
    that many seconds; to the node on trial, and back. Times are seconds.
    """

    node: NitroClient
    peer: NitroClient
    move: Callable[[], str | None]
    needed: frozenset[str]
    switch_timeout: float
    serve_timeout: float
    bake_time: float
    over: HandOver = hand_over
    back_over: HandOver = hand_over
    interval: float = 5.0
    clock: Clock = time.monotonic
    sleep: Sleep = time.sleep
    log: list[str] = field(default_factory=list)

    def switch(self) -> None:
        """Hand the primary role to the node on trial, and move the addresses."""
        self.over(self.peer, self.node, self.switch_timeout)
        self.log.append("the primary role was handed over")
        if trouble := self.move():
            raise Failure(trouble)

    def watch(self) -> str | None:
        """Return why the node does not serve, or None when it has served for ``bake_time`` seconds.

        Its virtual servers have ``serve_timeout`` seconds to come UP: a secondary of another build does not know the
        state of services.
        """
        trouble: str | None = "it was not asked"
        for _left in observations(self.serve_timeout, Pace(1, 1, 1), clock=self.clock, sleep=self.sleep):
            trouble = self._trouble()
            if trouble is None:
                break
        if trouble is not None:
            return f"{trouble} (waited {self.serve_timeout:g} s)"
        return self._bake()

    def _bake(self) -> str | None:
        misses, pace = 0, Pace(self.interval, 1, self.interval)
        for _left in observations(self.bake_time, pace, clock=self.clock, sleep=self.sleep):
            trouble = self._trouble()
            misses = misses + 1 if trouble else 0
            if trouble and misses >= MISSES:
                return trouble
        return None

    def _trouble(self) -> str | None:
        try:
            state = observation(self.node).state
            if state != PRIMARY:
                return f"it says {state.capitalize()}"
            down = sorted(self.needed - read_virtual_servers(self.node).up)
        except NitroError as error:
            return str(error)
        return f"virtual server {', '.join(down)} is not UP, and was on the other node" if down else None

    def back(self) -> str:
        """Hand the primary role back, and say how that went. Both nodes are asked again before."""
        try:
            before = both(lambda: _state_of(self.node), lambda: _state_of(self.peer))
            if before == (PRIMARY, "SECONDARY"):
                self.back_over(self.node, self.peer, self.switch_timeout)
            elif before[1] != PRIMARY:
                return f"there is no way back: the nodes say {before[0].capitalize()} and {before[1].capitalize()}"
            trouble = self.move()
        except (NitroError, Failure) as error:
            return f"the way back failed: {error}"
        return f"the role is back, but {trouble}" if trouble else "the old primary serves again"


def carry_out(trial: Trial, switched: bool, name: str) -> None:
    """Switch if it is due, watch, and go back if the node does not serve. Raises Failure then."""
    try:
        if switched:
            trial.switch()
        trouble = trial.watch()
    except Failure as error:
        trouble = str(error)
    if trouble:
        raise Failure(f"{name} does not serve as primary: {trouble}; {trial.back()}")


def _state_of(client: NitroClient) -> str:
    try:
        return observation(client).state
    except NitroError:
        return "NO ANSWER"
