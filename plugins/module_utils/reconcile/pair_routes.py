# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The routes of a pair by the tags of its instances, and the interfaces to which they may lead. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..attachments.route_plan import RouteRequest
from ..attachments.targets import Target
from ..aws.instances import Instance
from ..spec.identity import PAIR, Owner, belongs
from ..spec.vips import ROUTE, vips_of_tags


@dataclass(frozen=True, slots=True)
class PairRoutes:
    """``requests``: destinations and the route tables that have them; ``owners``: ids of the pair's interfaces."""

    requests: tuple[RouteRequest, ...]
    owners: frozenset[str]


def routes_of_pair(group: str, instances: Iterable[Instance]) -> PairRoutes:
    """Return the routes of a pair. Instances that belong to another kind, or are terminated, do not count."""
    owner = Owner(group, PAIR)
    own = [one for one in instances if one.live and belongs(owner, one.tags)]
    vips = [vip for one in own for vip in vips_of_tags([one.tags]) if vip.kind == ROUTE and vip.address]
    return PairRoutes(
        tuple(
            RouteRequest(vip.destination, vip.tables, vip.table_tags, vip.role_arn or None, Target(None, None))
            for vip in dict.fromkeys(vips)
            if vip.tables or vip.table_tags
        ),
        frozenset(interface.network_interface_id for one in own for interface in one.interfaces),
    )
