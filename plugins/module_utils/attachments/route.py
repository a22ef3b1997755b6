# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A route to a private address outside of the VPC's ranges, which leads to the primary."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from ..aws import ec2
from ..aws import routes as api
from ..aws.accounts import acting_as
from ..aws.addresses import parse_interfaces
from ..aws.client import Client
from ..aws.routes import RouteTable, parse_route_tables
from ..core.parallel import both, gather
from ..core.waiting import Clock, Sleep
from . import changes as engine
from . import targets
from .base import Attachment
from .route_plan import Observed, RouteChange, RouteRequest, blackholes, plan

Outcome = engine.Outcome[RouteChange, RouteTable]


def raced(outcome: Outcome) -> bool:
    """Whether another writer was there between look and write: CreateRoute found a route, or ReplaceRoute none."""
    missing = outcome.code == "InvalidParameterValue" and outcome.now is None and outcome.move.before is not None
    return missing or outcome.code == "RouteAlreadyExists"


class Route(Attachment[RouteRequest, Observed, RouteChange, Outcome]):
    """Moved by ReplaceRoute, or created where there is none; never deleted, so that no moment is without a route.

    Routes of a pair that is removed are deleted by ``route_removal``.
    """

    kind = "route"
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "destination": {"type": "str", "required": True},
        "route_table_ids": {"type": "list", "elements": "str"},
        "route_table_tags": {"type": "dict"},
        "role_arn": {"type": "str"},
        **targets.OPTIONS,
    }

    def desired(self, options: Mapping[str, Any]) -> RouteRequest:
        return RouteRequest.from_option(options)

    def observe(self, client: Client, desired: Sequence[RouteRequest]) -> Observed:
        """Read route tables and target interfaces side by side; after that, interfaces of blackholes, if there are."""
        filters = targets.lookup(request.target for request in desired) or {}
        by_role, interfaces = both(
            lambda: read_tables(client, desired),
            lambda: parse_interfaces(ec2.describe_network_interfaces(client, filters)),
        )
        return Observed(by_role, interfaces, _existing(client, blackholes(desired, by_role)))

    def plan(
        self,
        desired: Sequence[RouteRequest],
        observed: Observed,
        expected_owners: Collection[str] | None = None,
        displace: bool = False,
    ) -> list[RouteChange]:
        """Return one change for each route table of each request, in the order of the requests."""
        return plan(desired, observed, expected_owners, displace)

    def move(
        self,
        client: Client,
        changes: Sequence[RouteChange],
        verify_timeout: float | None,
        *,
        permit: Callable[[RouteChange], str | None],
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> list[Outcome]:
        """Write each route by one call that is not repeated blindly."""
        effects: engine.Effects[RouteChange, RouteTable] = engine.Effects(
            lambda batch: _write(client, batch[0]), lambda moves: _read(client, moves), raced=raced
        )
        return engine.carry_out(changes, effects, verify_timeout, permit=permit, clock=clock, sleep=sleep)

    def verify(self, outcomes: Sequence[Outcome]) -> str | None:
        return engine.report(outcomes, "routes")

    def results(self, changes: Sequence[RouteChange], outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
        return engine.results(changes, outcomes)

    def label(self, entry: Mapping[str, Any]) -> str:
        return f"{entry['route_table_id']} {entry['destination']}"


def read_tables(client: Client, requests: Iterable[RouteRequest]) -> dict[str | None, list[RouteTable]]:
    """Return the route tables that the requests name, by the role that reads them."""
    selections = _selections((request.role_arn, request.filters) for request in requests)
    found = gather([_reader(client, role, filters) for role, filters in selections])
    tables: dict[str | None, dict[str, RouteTable]] = {}
    for (role, _filters), reading in zip(selections, found, strict=True):
        tables.setdefault(role, {}).update({table.route_table_id: table for table in reading})
    return {role: list(each.values()) for role, each in tables.items()}


Selection: TypeAlias = "tuple[str | None, dict[str, Any]]"


def _existing(client: Client, interfaces: Collection[str]) -> frozenset[str]:
    """Return those of these interfaces that exist; without any, no call is made."""
    if not interfaces:
        return frozenset()
    found = ec2.describe_network_interfaces(client, {"network-interface-id": sorted(interfaces)})
    return frozenset(one.network_interface_id for one in parse_interfaces(found))


def _selections(given: Iterable[Selection]) -> list[Selection]:
    """Return the readings that find all route tables: those by id in one for each role, each set of tags in its own."""
    ids: dict[str | None, list[str]] = {}
    by_tags: list[Selection] = []
    for role, filters in given:
        if "route-table-id" in filters:
            ids.setdefault(role, []).extend(filters["route-table-id"])
        elif (role, filters) not in by_tags:
            by_tags.append((role, filters))
    return [(role, {"route-table-id": sorted(set(each))}) for role, each in ids.items()] + by_tags


def _reader(client: Client, role_arn: str | None, filters: Mapping[str, Any]) -> Callable[[], list[RouteTable]]:
    return lambda: parse_route_tables(api.describe_route_tables(acting_as(client, role_arn), filters))


def _read(client: Client, moves: Sequence[RouteChange]) -> dict[str, RouteTable]:
    """Return the table of each route; a table that is gone is missing."""
    selections = _selections((move.role_arn, {"route-table-id": [move.route_table_id]}) for move in moves)
    found = gather([_reader(client, role, filters) for role, filters in selections])
    tables = {
        (role, table.route_table_id): table
        for (role, _filters), reading in zip(selections, found, strict=True)
        for table in reading
    }
    places = {move.key: (move.role_arn, move.route_table_id) for move in moves}
    return {key: tables[place] for key, place in places.items() if place in tables}


def _write(client: Client, outcome: Outcome) -> None:
    move = outcome.move
    write = api.create_route if outcome.now is None else api.replace_route
    write(acting_as(client, move.role_arn), move.route_table_id, move.destination, move.after)
