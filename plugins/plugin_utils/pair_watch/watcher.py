# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The loop of event source ha_watch: asks, lets events.py judge, and hands events on. What blocks runs in threads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ...module_utils.core.errors import Failure
from ...module_utils.core.parallel import attempt
from ...module_utils.nitro.client import NitroClient
from ...module_utils.nitro.logins import LoginGate
from ...module_utils.reconcile import pair_associations
from ...module_utils.reconcile.pair_claims import Claim, judge
from ..worker import Worker
from . import cloud
from .appliance import Asker
from .cloud import Region
from .events import Event, Memory, PairObservation, Watched, confirmed, follow
from .settings import Settings, present

Put = Callable[[Event], Awaitable[None]]

_LOG = logging.getLogger("cloudadc.aws.ha_watch")
# Seconds between two queries while an event is being confirmed.
_HURRY = 0.2
# Seconds until an appliance that answers, but does not say what it is (a password refused), is asked again.
_REFUSED = 10.0
# Seconds for logging out when watching ends.
_FAREWELL = 3.0
# What these events tell of may have changed what AWS says.
_STIRRING = frozenset({"node_lost", "node_returned", "primary_changed"})


@dataclass(slots=True)
class Watcher:
    """Watches one pair until it is cancelled. ``put`` takes its events."""

    settings: Settings
    put: Put
    _nodes: dict[int, pair_associations.Node] = field(default_factory=dict)
    _observed: dict[int, Watched] = field(default_factory=dict)
    _memory: Memory = field(default_factory=Memory)
    _observed_pair: cloud.ObservedPair | None = None
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stale: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _troubles: dict[int, str] = field(default_factory=dict)

    async def run(self) -> None:
        """Never returns. Raises SettingsError, or Failure if AWS does not even know the pair at the start."""
        region, worker = Region(self.settings), Worker("ha_watch AWS")

        async def read() -> cloud.ObservedPair:
            found: cloud.ObservedPair | Failure = await worker.run(lambda: attempt(region.read))
            if isinstance(found, Failure):
                raise found
            return found

        try:
            first = await read()
            async with asyncio.TaskGroup() as tasks:
                self._learn(first, tasks)
                tasks.create_task(self._watch_cloud(read, tasks))
                tasks.create_task(self._report())
        finally:
            worker.end(region.close, 0)

    # ------------------------------------------------------------------ what AWS says

    async def _watch_cloud(self, read: Callable[[], Awaitable[cloud.ObservedPair]], tasks: asyncio.TaskGroup) -> None:
        trouble = ""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stale.wait(), self.settings.aws_interval)
            self._stale.clear()
            try:
                self._learn(await read(), tasks)
                trouble = ""
            except Failure as error:
                if str(error) != trouble:
                    _LOG.warning("%s: %s; watching continues with what was known before", self.settings.group, error)
                trouble = str(error)

    def _learn(self, observed_pair: cloud.ObservedPair, tasks: asyncio.TaskGroup) -> None:
        """Take over what AWS says; a node that it no longer lists stays one, without an instance that could answer."""
        found = {node.node_id: node for node in observed_pair.nodes}
        gone = {number: replace(node, nsip="") for number, node in self._nodes.items() if number not in found}
        self._nodes = {**gone, **found}
        self._observed_pair = observed_pair
        for number in self._nodes:
            if number not in self._tasks:
                self._tasks[number] = tasks.create_task(self._watch_node(number))
        self._wake.set()

    # ------------------------------------------------------------------ what the nodes say

    async def _watch_node(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        asker = Asker(self._connect, self.settings.nitro.timeout)
        worker = Worker(f"ha_watch node {number}")
        try:
            while True:
                began = loop.time()
                claim = await self._ask(number, asker, worker)
                pause = self.settings.interval if self._memory.calm else min(_HURRY, self.settings.interval)
                if claim.reachable and claim.view is None:
                    pause = max(pause, _REFUSED)
                await asyncio.sleep(max(0.0, pause - (loop.time() - began)))
        finally:
            worker.end(asker.close, _FAREWELL)

    async def _ask(self, number: int, asker: Asker, worker: Worker) -> Claim:
        """One question. A late answer is taken for silence in the meantime, and for an answer when it comes."""
        node, loop = self._nodes[number], asyncio.get_running_loop()
        began = loop.time()
        idle = node.idle or ("" if node.nsip else f"{node.name} has no instance any more")
        if idle:
            return self._note(node, Claim(node.name, node.nsip, idle=idle, error=idle), began)
        disputed = any(observed.claim.says_primary for other, observed in self._observed.items() if other != number)
        answer = worker.run(asker.ask, node.name, node.nsip, self._endpoint(node), disputed)
        timeout = self.settings.nitro.timeout
        _done, waiting = await asyncio.wait({answer}, timeout=timeout)
        if waiting:
            self._note(node, Claim(node.name, node.nsip, error=f"{node.nsip}: no answer within {timeout:g} s"), began)
        return self._note(node, await answer, began)

    def _note(self, node: pair_associations.Node, claim: Claim, began: float) -> Claim:
        before = self._observed.get(node.node_id)
        if before is None or before.instance_id != node.instance_id:
            before = Watched(node.node_id, node.instance_id, claim)
        self._observed[node.node_id] = before.noted(claim, began)
        self._complain(node, claim)
        self._wake.set()
        return claim

    def _complain(self, node: pair_associations.Node, claim: Claim) -> None:
        """Log what is wrong with a node's answers, once for as long as it is the same.

        Silence and refused logins are events; the latter are logged with them.
        """
        trouble = claim.error if claim.view is None and not claim.idle and not claim.reachable else None
        if trouble and self._troubles.get(node.node_id) != trouble and "no answer within" not in trouble:
            _LOG.warning("%s %s: %s", self.settings.group, node.name, trouble)
        if trouble is None:
            self._troubles.pop(node.node_id, None)
        else:
            self._troubles[node.node_id] = trouble

    def _endpoint(self, node: pair_associations.Node) -> str:
        host = f"[{node.nsip}]" if ":" in node.nsip else node.nsip
        return f"{host}:{self.settings.nitro_port}" if self.settings.nitro_port else host

    def _connect(self, endpoint: str, gate: LoginGate) -> NitroClient:
        return NitroClient(present(self.settings, endpoint), sleep=_at_once, gate=gate)

    # ------------------------------------------------------------------ events

    async def _report(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._observed.keys() == self._nodes.keys():
                for event in self._judge():
                    at = datetime.now(UTC).isoformat(timespec="milliseconds")
                    await self.put({**event, "group": self.settings.group, "at": at})

    def _judge(self) -> list[Event]:
        """Where the Elastic IPs are is judged once for each answer of AWS: older ones prove nothing of now."""
        nodes = tuple(self._observed[number] for number in sorted(self._observed))
        now = asyncio.get_running_loop().time()
        verdict = confirmed(self._memory, nodes, judge([node.claim for node in nodes]), now)
        observation = PairObservation(now, nodes, verdict)
        if self._observed_pair and observation.primary:
            observation = replace(
                observation, misplaced=cloud.misplaced(self._observed_pair, observation.primary.node_id)
            )
            self._observed_pair = None
        self._memory, events = follow(self._memory, observation, self.settings.lasting)
        loop = asyncio.get_running_loop()
        if not self._memory.calm:
            loop.call_later(_HURRY, self._wake.set)  # also when no answer comes, as from a node that is asked rarely
        if observation.misplaced is not None and self._memory.misplaced.pending:
            loop.call_later(self.settings.lasting.misplaced, self._stale.set)
        for event in events:
            if event["type"] == "login_refused":
                _LOG.warning("%s node %s: %s", self.settings.group, event["node"]["node_id"], event["reason"])
        if any(event["type"] in _STIRRING for event in events):
            self._stale.set()
        return events


def _at_once(_seconds: float) -> None:
    """The pause of a client that is asked again soon anyway."""
