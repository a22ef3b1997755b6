# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Put what follows a pair's primary on it: read, judge, move, judge again. For the module and the event source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..aws.client import Client
from ..core.errors import Refusal
from ..nitro.client import NitroClient
from ..spec.vips import entry_name
from .pair_associations import Node
from .pair_evidence import Silence
from .pair_observation import panel, read_pair
from .pair_probe import ProbeTimeouts
from .pair_repair import Pair, assess, refuse_strangers, require_addresses
from .pair_writes import Outcomes, Writer, repair, results


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """What is to be put where, and what the operator allows. Times are seconds.

    ``elastic_ips``: None: those that carry the group's tags. ``silences``: of nodes, by NSIP, as others observed them.
    """

    group: str
    elastic_ips: tuple[str, ...] | None = None
    nitro_port: int | None = None
    accept_standalone: bool = False
    expected_owners: tuple[str, ...] = ()
    guard: bool = True
    probe_timeout: float = 1.0
    answer_timeout: float = 30.0
    settle_timeout: float = 10.0
    verify_timeout: float = 30.0
    silences: Mapping[str, Silence] = field(default_factory=dict)
    learn: Callable[[Sequence[Node]], object] = lambda nodes: None


def put_on_primary(
    client: Client, request: MoveRequest, connect: Callable[[str], NitroClient], *, check: bool = False
) -> tuple[dict[str, Any], str | None]:
    """Return the result, and the message with which to fail if a thing is not where it belongs.

    Args:
        client: of EC2, which makes each call once.
        request: the pair, and what is allowed.
        connect: makes a client for the endpoint of an appliance.
        check: write nothing, and return what would be.

    Raises:
        Failure: AWS refused, or it cannot be decided where the addresses belong. Nothing was written.
    """
    pair = _read(client, request)
    timeouts = ProbeTimeouts(request.probe_timeout, request.answer_timeout, request.settle_timeout)
    with panel(pair.nodes, request.nitro_port, connect, timeouts, request.silences) as asked:
        found = first = asked.settle(lambda claims: assess(pair, claims))
        if found.refusal:
            raise Refusal(found.refusal)
        outcomes: list[Outcomes] = []
        trouble = None
        if not check:
            found, outcomes, trouble = repair(Writer(client), pair, asked, request.verify_timeout, found)
    entries = results(first.moves, outcomes)
    last = found if found.verdict.primary is not None else first
    node = pair.nodes[last.verdict.primary or 0]
    result = {
        "changed": any(entry["changed"] for entry in entries),
        "primary": {"node_id": node.node_id, "instance_id": node.instance_id, "nsip": node.nsip},
        "verdict": found.verdict.message,
        "moves": entries,
        "diff": {side: {entry_name(entry): entry[side] for entry in entries} for side in ("before", "after")},
    }
    return result, trouble


def _read(client: Client, request: MoveRequest) -> Pair:
    """Read the pair from AWS in one round trip. Raises Refusal where its Elastic IPs are not its own to move."""
    observed = read_pair(client, request.group)
    request.learn(observed.nodes)
    pair = Pair(
        group=request.group,
        nodes=observed.nodes,
        addresses=observed.addresses,
        desired=request.elastic_ips,
        interfaces=observed.interfaces,
        guard=request.guard,
        accept_standalone=request.accept_standalone,
        vips=observed.vips,
        observed=observed.observed,
        expected_owners=request.expected_owners,
    )
    require_addresses(pair)
    refuse_strangers(pair, request.expected_owners)
    return pair
