# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Move the addresses of a pair to its primary, for modules that hand the primary role over themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Optional, TypeAlias

from ..aws.client import Client
from ..nitro.client import NitroClient
from .pair_associations import tagged
from .pair_move import MoveRequest, put_on_primary
from .pair_observation import ObservedPair
from .pair_vips import PairAttachments, pick_addresses
from .pins import learn_pins
from .switch_addresses import SwitchAddresses
from .switchover import still_primary

#: Returns what is wrong with an address after it was moved, or None.
Mover: TypeAlias = Callable[[], Optional[str]]  # noqa: UP045 (pylint refuses | here)
#: Seconds within which AWS must show a move.
VERIFY_SECONDS = 30.0


def attachments(params: Mapping[str, Any], observed: ObservedPair) -> PairAttachments:
    """Return what follows the primary, by the options ``group`` and ``elastic_ips`` of a module."""
    asked, vips = params["elastic_ips"], observed.vips
    own = pick_addresses(observed.addresses, asked, params["group"], observed.nodes, vips)
    ids = tuple(address.allocation_id for address in own)
    return PairAttachments(observed.addresses, ids, vips, observed.observed)


def mover(params: dict[str, Any], ec2: Client, observed: ObservedPair, connect: Callable[[str], NitroClient]) -> Mover:
    """Return what puts the addresses of the pair on whichever node is primary: it reads and judges first.

    Args:
        params: options of doc fragment ``cloudadc.aws.pair`` and ``ignore_guard``.
        ec2: client of EC2.
        observed: the pair.
        connect: makes a client for the endpoint of an appliance.
    """
    request = MoveRequest(
        group=params["group"],
        elastic_ips=tuple(params["elastic_ips"]) if params["elastic_ips"] else None,
        nitro_port=params["nitro_port"],
        guard=not params["ignore_guard"],
        probe_timeout=params["probe_timeout"],
        answer_timeout=params["nitro_timeout"],
        settle_timeout=params["settle_timeout"],
        learn=lambda nodes: learn_pins(params, tagged(nodes)),
    )
    if not attachments(params, observed).own and not observed.vips:
        return lambda: None
    return lambda: put_on_primary(ec2, request, connect)[1]


def prepared_mover(
    known: PairAttachments, observed: ObservedPair, winner: int, ec2: Client, client: NitroClient, otherwise: Mover
) -> Mover:
    """Plan the moves to a node now, so that clients wait only for the writes.

    The first call of what is returned makes them; each later one, such as on the way back, is one of ``otherwise``.

    Args:
        known: what follows the primary.
        observed: the pair.
        winner: index of the node that becomes primary; ``client`` is its own.
        ec2: client of EC2.
        client: of the node.
        otherwise: reads and judges, and moves then.

    Raises:
        Refusal: the node has no place for an address. Nothing was written.
    """
    addresses = SwitchAddresses(ec2, known.targets(observed.nodes, winner))
    addresses.plan(known, observed.interfaces)
    planned = [addresses]

    def move() -> str | None:
        if not planned:
            return otherwise()
        first = planned.pop()
        first.move(VERIFY_SECONDS, still_primary(client))
        return first.trouble()

    return move
