# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Put the Elastic IPs of a pair on its primary: read, judge, move, judge again. For the module and the event source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..attachments.elastic_ip_changes import Outcome
from ..attachments.elastic_ip_plan import AssociationChange
from ..aws import ec2 as api
from ..aws import tags as t
from ..aws.addresses import parse_addresses
from ..aws.client import Client
from ..aws.instances import parse_instances
from ..core.errors import Refusal
from ..core.parallel import both
from ..nitro.client import NitroClient
from .pair_associations import nodes_of_group
from .pair_evidence import Silence
from .pair_probe import Panel, ProbeTimeouts, Target
from .pair_repair import Pair, assess, interfaces_of, refuse_strangers, require_addresses
from .pair_writes import Writer, repair


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


def put_on_primary(
    client: Client, request: MoveRequest, connect: Callable[[str], NitroClient], *, check: bool = False
) -> tuple[dict[str, Any], str | None]:
    """Return the result, and the message with which to fail if an Elastic IP is not where it belongs.

    Args:
        client: of EC2, which makes each call once.
        request: the pair, and what is allowed.
        connect: makes a client for the endpoint of an appliance.
        check: write nothing, and return what would be.

    Raises:
        Failure: AWS refused, or it cannot be decided where the addresses belong. Nothing was written.
    """
    pair = _read(client, request)
    with _panel(request, pair, connect) as panel:
        found = first = panel.settle(lambda claims: assess(pair, claims))
        if found.refusal:
            raise Refusal(found.refusal)
        outcomes: list[Outcome] = []
        trouble = None
        if not check:
            found, outcomes, trouble = repair(_writer(client), pair, panel, request.verify_timeout, found)
    entries = _results(first.moves, outcomes)
    last = found if found.verdict.primary is not None else first
    node = pair.nodes[last.verdict.primary or 0]
    result = {
        "changed": any(entry["changed"] for entry in entries),
        "primary": {"node_id": node.node_id, "instance_id": node.instance_id, "nsip": node.nsip},
        "verdict": found.verdict.sentence,
        "moves": entries,
        "diff": {side: {entry["elastic_ip"]: entry[side] for entry in entries} for side in ("before", "after")},
    }
    return result, trouble


def _read(client: Client, request: MoveRequest) -> Pair:
    """Read the pair from AWS in one round trip. Raises Refusal where its Elastic IPs are not its own to move."""
    addresses, found = both(
        lambda: parse_addresses(api.describe_addresses(client)),
        lambda: parse_instances(api.describe_instances(client, {f"tag:{t.GROUP}": request.group})),
    )
    pair = Pair(
        group=request.group,
        nodes=tuple(nodes_of_group(found, request.group)),
        addresses=tuple(addresses),
        desired=request.elastic_ips,
        interfaces=interfaces_of(found),
        guard=request.guard,
        accept_standalone=request.accept_standalone,
    )
    require_addresses(pair)
    refuse_strangers(pair, request.expected_owners)
    return pair


def _panel(request: MoveRequest, pair: Pair, connect: Callable[[str], NitroClient]) -> Panel:
    port = f":{request.nitro_port}" if request.nitro_port else ""
    hosts = [f"[{node.nsip}]" if ":" in node.nsip else node.nsip for node in pair.nodes]
    targets = [
        Target(node.name, node.nsip, host + port, node.idle) for node, host in zip(pair.nodes, hosts, strict=True)
    ]
    timeouts = ProbeTimeouts(request.probe_timeout, request.answer_timeout, request.settle_timeout)
    return Panel(targets, connect, timeouts, request.silences)


def _writer(client: Client) -> Writer:
    """Return how Elastic IPs are moved and read."""
    return Writer(
        associate=lambda move: api.associate_address_once(
            client, move.address.allocation_id, move.after.network_interface_id, move.after.private_ip_address
        ),
        read=lambda ids: parse_addresses(api.describe_addresses(client, {"allocation-id": ids})),
    )


def _results(moves: Sequence[AssociationChange], outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """Return where each one was at first and is now; before anything was written, where it will be."""
    entries = []
    for move in moves:
        mine = [one for one in outcomes if one.move.address.allocation_id == move.address.allocation_id]
        if mine:
            entries.append(mine[0].move.result(mine[-1].now, any(one.written for one in mine)))
        else:
            entries.append(move.result(move.after, move.changed))
    return entries
