# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What AWS knows of a pair: its nodes, and where everything is that follows its primary.

Blocks; made for a thread of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...module_utils.aws.addresses import Address
from ...module_utils.aws.client import Client
from ...module_utils.core.errors import Refusal
from ...module_utils.reconcile import pair_associations
from ...module_utils.reconcile.pair_observation import read_pair
from ...module_utils.reconcile.pair_vips import PairAttachments, pick_addresses, vip_targets
from ...module_utils.spec.vips import entry_name
from .events import Misplaced, MisplacedVip
from .settings import Settings


@dataclass(frozen=True, slots=True)
class ObservedPair:
    """The pair's nodes, by node id, its Elastic IPs, and everything that follows the primary."""

    nodes: tuple[pair_associations.Node, ...]
    addresses: tuple[Address, ...]
    attached: PairAttachments = field(default_factory=PairAttachments)


def read(client: Client, group: str, elastic_ips: Sequence[str]) -> ObservedPair:
    """DescribeInstances and DescribeAddresses, side by side. Raises Failure with a message."""
    found = read_pair(client, group)
    own = tuple(pick_addresses(found.addresses, elastic_ips, group, found.nodes, found.vips))
    ids = tuple(address.allocation_id for address in own)
    return ObservedPair(found.nodes, own, PairAttachments(found.addresses, ids, found.vips, found.observed))


@dataclass(slots=True)
class Region:
    """A client of EC2 that is made again after each failure, so that rotated credentials are found."""

    settings: Settings
    _client: Client | None = None

    def read(self) -> ObservedPair:
        """Read EC2. Raises Failure, or SettingsError if no client can be made."""
        if self._client is None:
            self._client = self.settings.aws.ec2()
        answered = False
        try:
            found = read(self._client, self.settings.group, self.settings.elastic_ips)
            answered = True
        finally:
            if not answered:
                self.close()
        return found

    def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()
        self._client = None


def misplaced(observed_pair: ObservedPair, primary: int) -> frozenset[Misplaced | MisplacedVip]:
    """Return everything that is not at the node with the id ``primary``. Pure."""
    return frozenset({*_elastic_ips(observed_pair, primary), *_vips(observed_pair, primary)})


def _vips(observed_pair: ObservedPair, primary: int) -> set[MisplacedVip]:
    """Return the misplaced VIPs that are no Elastic IPs; what AWS does not have is reported by the repair."""
    node = next((node for node in observed_pair.nodes if node.node_id == primary), None)
    try:
        targets = vip_targets(node, observed_pair.attached.vips) if node else []
        changes = observed_pair.attached.plan(targets)
    except Refusal as refusal:
        return {MisplacedVip("", str(refusal), None, "")}
    return {
        MisplacedVip(one.kind, entry_name(one.entry), one.loser, one.entry["after"]["network_interface_id"])
        for one in changes
        if one.changed
    }


def _elastic_ips(observed_pair: ObservedPair, primary: int) -> frozenset[Misplaced]:
    """Return the Elastic IPs that are not where the node with the id ``primary`` answers. Pure."""
    client = next((node.client for node in observed_pair.nodes if node.node_id == primary), None)
    associations = (
        pair_associations.associations_on(client, observed_pair.addresses, observed_pair.nodes) if client else {}
    )
    return frozenset(
        Misplaced(address.public_ip, address.allocation_id, address.association, associations[address.allocation_id])
        for address in observed_pair.addresses
        if address.allocation_id in associations and address.association != associations[address.allocation_id]
    )
