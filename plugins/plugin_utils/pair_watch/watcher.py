# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The loop of event source ha_watch: asks, lets events.py judge, and hands events on. What blocks runs in threads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ...module_utils.aws.addresses import Address
from ...module_utils.core.errors import Failure
from ...module_utils.core.parallel import attempt
from ...module_utils.nitro.client import NitroClient
from ...module_utils.nitro.logins import LoginGate
from ...module_utils.reconcile import pair_associations
from ...module_utils.reconcile.pair_claims import Claim, judge
from ...module_utils.reconcile.pair_evidence import DEAD_INTERVAL, Silence
from ...module_utils.reconcile.pins import pins_of
from ..worker import Worker
from . import cloud
from .alerts import Alerter
from .appliance import Asker
from .cloud import Region
from .events import Event, Memory, PairObservation, Watched, complete, confirmed, follow
from .repair import Repairer, Waiting
from .settings import Settings, present
from .tcp_witness import Contact, answers, dark

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
# After these events the Elastic IPs may be elsewhere than the primary.
_REPAIRABLE = frozenset({"primary_changed", "eip_astray"})
# Seconds until a repair that failed is tried again: the first pause, doubled each time, and the longest.
_AGAIN = (2.0, 60.0)


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
    _addresses: tuple[Address, ...] = ()
    _contacts: dict[tuple[str, int], Contact] = field(default_factory=dict)
    _last: PairObservation | None = None
    _repair_due: asyncio.Event = field(default_factory=asyncio.Event)
    _alerter: Alerter | None = None

    async def run(self) -> None:
        """Never returns. Raises SettingsError, or Failure if AWS does not even know the pair at the start."""
        region, worker = Region(self.settings), Worker("ha_watch AWS")
        self._alerter = Alerter(self.settings)

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
                if self.settings.repair:
                    tasks.create_task(self._keep_repaired())
                if self.settings.client_ports:
                    tasks.create_task(self._watch_clients())
        finally:
            worker.end(region.close, 0)
            self._alerter.close()

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
        """Update the nodes from EC2. Nodes missing from EC2 are kept and marked unreachable."""
        found = {node.node_id: node for node in observed_pair.nodes}
        self.settings.pins.learn(pins_of(pair_associations.tagged(observed_pair.nodes)))
        gone = {number: replace(node, nsip="") for number, node in self._nodes.items() if number not in found}
        self._nodes = {**gone, **found}
        self._observed_pair, self._addresses = observed_pair, observed_pair.addresses
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
                    await self._put(event)

    async def _put(self, event: Event) -> None:
        """Hand an event on, with what a repair that it starts may take as evidence."""
        silences = self._silences()
        nodes = [
            {"nsip": nsip, "silent_seconds": round(one.seconds, 2), "tries": one.tries}
            for nsip, one in silences.items()
        ]
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        evidence = {"at": round(time.time(), 2), "nodes": nodes}
        more = {"group": self.settings.group, "at": at, "repairs": self.settings.repair, "evidence": evidence}
        if self._alerter:
            self._alerter.take(event)
        await self.put({**event, **more})

    def _judge(self) -> list[Event]:
        """Where the Elastic IPs are is judged once for each answer of AWS: older ones prove nothing of now."""
        now = asyncio.get_running_loop().time()
        nodes = tuple(
            replace(self._observed[number], dark=self._dark(number, now)) for number in sorted(self._observed)
        )
        verdict = confirmed(self._memory, nodes, judge([node.claim for node in nodes]), now)
        observation = PairObservation(now, nodes, verdict)
        if self._observed_pair and observation.primary:
            observation = replace(
                observation, misplaced=cloud.misplaced(self._observed_pair, observation.primary.node_id)
            )
            self._observed_pair = None
        self._last = observation
        self._memory, events = follow(self._memory, observation, self.settings.lasting)
        if any(event["type"] in _REPAIRABLE for event in events):
            self._repair_due.set()
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

    # ------------------------------------------------------------------ what clients find

    async def _watch_clients(self) -> None:
        """Connect to each Elastic IP at the ports of the clients, as often as the nodes are asked."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            due = [(one.public_ip, port) for one in self._addresses for port in self.settings.client_ports]
            found = await asyncio.gather(*(answers(*place, self.settings.nitro.timeout) for place in due))
            now = loop.time()
            known = self._contacts
            self._contacts = {
                place: known.get(place, Contact(*place)).noted(ok, began, now)
                for place, ok in zip(due, found, strict=True)
            }
            self._wake.set()
            pause = self.settings.interval if self._memory.calm else min(_HURRY, self.settings.interval)
            await asyncio.sleep(max(0.0, pause - (loop.time() - began)))

    def _dark(self, number: int, now: float) -> str | None:
        """Return, as a message, that clients reach none of the Elastic IPs that are at this node any more."""
        instance = self._nodes[number].instance if number in self._nodes else None
        if not self._contacts or instance is None:
            return None
        own = {one.network_interface_id for one in instance.interfaces}
        there = {a.public_ip for a in self._addresses if a.association and a.association.network_interface_id in own}
        return dark([one for one in self._contacts.values() if one.address in there], now, DEAD_INTERVAL)

    # ------------------------------------------------------------------ repair

    def _silences(self) -> dict[str, Silence]:
        now = asyncio.get_running_loop().time()
        found = {node.claim.nsip: node.silence_at(now) for node in self._observed.values() if node.claim.nsip}
        return {nsip: silence for nsip, silence in found.items() if silence}

    async def _keep_repaired(self) -> None:
        repairer, worker = Repairer(self.settings), Worker("ha_watch repair")
        try:
            await worker.run(lambda: attempt(repairer.prepare))
            while True:
                await self._repair_due.wait()
                await self._repair(repairer, worker)
        finally:
            worker.end(repairer.close, 0)

    async def _repair(self, repairer: Repairer, worker: Worker) -> None:
        """Repair until nothing is to be done any more. A failure is reported once for as long as it is the same."""
        reported, pause = "", _AGAIN[0]
        while True:
            self._repair_due.clear()
            began = time.monotonic()
            silences = self._silences()
            answer: dict[str, Any] | Failure = await worker.run(
                lambda now: attempt(lambda: repairer.run(now)), silences
            )
            if not isinstance(answer, Exception):
                await self._tell_repaired(answer, time.monotonic() - began)
                self._stale.set()
                return
            wait = answer.seconds if isinstance(answer, Waiting) else pause
            if not isinstance(answer, Waiting):
                pause = min(_AGAIN[1], 2 * pause)
                if str(answer) != reported and self._last:
                    await self._put(complete({"type": "repair_failed", "reason": str(answer)}, self._last))
                reported = str(answer)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._repair_due.wait(), wait)

    async def _tell_repaired(self, result: dict[str, Any], seconds: float) -> None:
        moved = [entry for entry in result["moves"] if entry["changed"]]
        if moved and self._last:
            elastic = [entry for entry in moved if entry.get("elastic_ip")]
            vips = [entry for entry in moved if not entry.get("elastic_ip")]
            facts = {"elastic_ips": elastic, "vips": vips, "duration_ms": round(seconds * 1000)}
            await self._put(complete({"type": "repaired", **facts}, self._last))


def _at_once(_seconds: float) -> None:
    """Return the pause of a client that is asked again soon anyway."""
