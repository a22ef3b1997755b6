# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read a pair that is upgraded in place: from AWS, the roles of both nodes, and the software of each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..aws.client import Client
from ..core.errors import Failure, Refusal
from ..core.parallel import both
from ..core.waiting import Clock, Pace, Sleep, observations
from ..nitro.client import NitroClient
from ..nitro.software import read_hardware, read_software
from ..spec.vips import ELASTIC_IP, entry_name
from .pair_associations import Node, tagged
from .pair_claims import Claim, Verdict
from .pair_mover import attachments
from .pair_observation import ObservedPair, endpoint, panel, read_pair
from .pair_probe import ProbeTimeouts
from .pair_vips import PairAttachments
from .pins import learn_pins
from .upgrade_plan import UpgradeNode, UpgradeState, fit

#: Seconds for the nodes to see each other once both answer: the dead interval, and a role that changes.
MEET_SECONDS = 30.0
_PACE = Pace(2.0, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class UpgradeReading:
    """A pair as it was read; the order of nodes is the same everywhere."""

    observed: ObservedPair
    known: PairAttachments
    state: UpgradeState

    @property
    def primary(self) -> int:
        """Return the index of the primary. Raises Refusal if there is not exactly one."""
        if self.state.verdict.primary is None:
            raise Refusal(f"nothing is done, because {self.state.verdict.message}")
        return self.state.verdict.primary

    @property
    def kinds(self) -> frozenset[str]:
        """Return the kinds of everything that follows the primary."""
        return frozenset([*(vip.kind for vip in self.known.vips), *([ELASTIC_IP] if self.known.own else [])])


@dataclass(slots=True)
class UpgradeReader:
    """Reads a pair, and waits for a node that boots. ``params``: options of doc fragment ``cloudadc.aws.pair``.

    ``connect``: a client of an appliance that is kept; ``probe``: one for an appliance that may be silent.
    """

    params: dict[str, Any]
    ec2: Client
    connect: Callable[[str], NitroClient]
    probe: Callable[[str], NitroClient]
    boot_timeout: float
    clock: Clock = time.monotonic
    sleep: Sleep = time.sleep
    clients: dict[str, NitroClient] = field(default_factory=dict)

    def close(self) -> None:
        """Log out everywhere."""
        for client in self.clients.values():
            client.close()

    def client(self, node: Node) -> NitroClient:
        """Return the client of a node, the same at each call."""
        if node.nsip not in self.clients:
            self.clients[node.nsip] = self.connect(endpoint(node, self.params["nitro_port"]))
        return self.clients[node.nsip]

    def read(self) -> UpgradeReading:
        """Return the pair.

        Raises:
            Failure: a node does not answer within ``boot_timeout``, or EC2 says that it does not run.
        """
        group = self.params["group"]
        observed = read_pair(self.ec2, group)
        learn_pins(self.params, tagged(observed.nodes))
        if len(observed.nodes) != 2:
            raise Refusal(f"{group}: the pair has {len(observed.nodes)} nodes, not 2. Nothing was changed.")
        claims, verdict = self._claims(observed)
        first, second = both(lambda: self._node(observed.nodes[0]), lambda: self._node(observed.nodes[1]))
        known = attachments(self.params, observed)
        state = UpgradeState((first, second), claims, verdict, _misplaced(known, observed, verdict))
        return UpgradeReading(observed, known, state)

    def _node(self, node: Node) -> UpgradeNode:
        client, instance = self.client(node), node.instance
        kind = instance.instance_type if instance else ""
        return UpgradeNode(
            node.name, node.node_id, node.instance_id or "", read_software(client), read_hardware(client), kind
        )

    def _claims(self, observed: ObservedPair) -> tuple[tuple[Claim, ...], Verdict]:
        """Return what the nodes say once both answer and see each other, or what they say after the time for that."""
        stopped = [f"{node.name}: {node.idle}" for node in observed.nodes if node.idle]
        if stopped:
            raise Refusal(f"{self.params['group']}: {'; '.join(stopped)}. Start it, or replace it with ha_pair.")
        last, met_by, began = ["nothing was asked"], None, self.clock()
        for _left in observations(self.boot_timeout, _PACE, clock=self.clock, sleep=self.sleep, state=lambda: last[0]):
            claims, verdict = self._ask(observed)
            last[0] = verdict.message
            if all(claim.view is not None for claim in claims):
                met_by = met_by or self.clock() + MEET_SECONDS
                if fit(claims) or self.clock() >= met_by:
                    return claims, verdict
            elif not any(claim.view for claim in claims) and self.clock() >= began + MEET_SECONDS:
                break  # one node boots at a time: if neither answers, it is not that
        raise Failure(
            f"{self.params['group']}: {last[0]} (waited {self.clock() - began:.0f} s). Reboot the silent node in EC2, "
            "or replace it with ha_pair_replace_node; the other one serves as long as it is primary"
        )

    def _ask(self, observed: ObservedPair) -> tuple[tuple[Claim, ...], Verdict]:
        params = self.params
        timeouts = ProbeTimeouts(params["probe_timeout"], params["nitro_timeout"], params["settle_timeout"])
        with panel(observed.nodes, params["nitro_port"], self.probe, timeouts) as asked:
            claims, verdict = asked.decide()
        return tuple(claims), verdict


def _misplaced(known: PairAttachments, observed: ObservedPair, verdict: Verdict) -> tuple[str, ...]:
    if verdict.primary is None:
        return ()
    changes = known.plan(known.targets(observed.nodes, verdict.primary))
    return tuple(
        f"{entry_name(one.entry)} is not at the primary. Run cloudadc.aws.ha_failover with ha_failover_mode=reconcile "
        "first."
        for one in changes
        if one.changed
    )
