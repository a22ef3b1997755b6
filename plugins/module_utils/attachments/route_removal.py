# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Delete the routes of a pair that is removed: without its interfaces they would be blackholes."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..aws import routes as api
from ..aws.accounts import acting_as
from ..aws.client import Client
from ..aws.errors import AwsError
from ..aws.routes import RouteTable
from ..core.errors import Failure
from ..core.parallel import attempt_all
from .changes import WRITERS
from .route import read_tables
from .route_plan import RouteRequest, target_of

_GONE = "InvalidRoute.NotFound"


@dataclass(frozen=True, slots=True)
class RouteRemoval:
    """One route of one table that leads to an interface of the pair."""

    route_table_id: str
    destination: str
    network_interface_id: str
    role_arn: str | None = None

    def result(self) -> dict[str, Any]:
        """Return the entry of the module's result."""
        return {
            "route_table_id": self.route_table_id,
            "destination": self.destination,
            "network_interface_id": self.network_interface_id,
        }


def removals(
    requests: Iterable[RouteRequest], tables: Mapping[str | None, Sequence[RouteTable]], owners: Collection[str]
) -> list[RouteRemoval]:
    """Return the routes of the requests that lead to one of the owners. Pure.

    A route that leads elsewhere belongs to another pair, or to what its owner has put in its place.

    Args:
        requests: Destinations, and the tables that have them. Their targets do not count.
        tables: By the role that read them.
        owners: Ids of the interfaces of the pair.
    """
    found = [
        RouteRemoval(table.route_table_id, request.destination, target, request.role_arn)
        for request in requests
        for table in tables.get(request.role_arn, ())
        if request.names(table) and (target := target_of(table, request.destination)) in owners and target
    ]
    return list(dict.fromkeys(found))


def remove(
    client: Client, requests: Sequence[RouteRequest], owners: Collection[str], planned: Sequence[RouteRemoval]
) -> str | None:
    """Delete the planned routes that still lead to the owners; return what was not removed, as one message.

    The tables are read again before the first write, because another writer may have taken a route meanwhile. Between
    this reading and its write a route can still be taken; EC2 has no condition for that.

    Raises:
        Failure: AWS refused the reading. Nothing was written.
    """
    if not planned:
        return None
    now = removals(requests, read_tables(client, requests), owners)
    due = [one for one in planned if one in now]
    answers = attempt_all([functools.partial(_delete, client, one) for one in due], workers=WRITERS)
    return "; ".join(str(answer) for answer in answers if isinstance(answer, Failure)) or None


def _delete(client: Client, removal: RouteRemoval) -> None:
    try:
        api.delete_route(acting_as(client, removal.role_arn), removal.route_table_id, removal.destination)
    except AwsError as error:
        if error.code != _GONE:
            raise
