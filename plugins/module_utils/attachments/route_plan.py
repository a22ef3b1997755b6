# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which routes go to which interface, or a refusal. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..aws.addresses import Interface
from ..aws.routes import Route, RouteTable
from ..core.errors import Refusal
from .base import Verification
from .targets import Target, resolve

_PREFIX_LIST = re.compile(r"pl-[0-9a-f]+")


def parse_destination(given: str) -> str:
    """Return a destination as EC2 describes it: a range in canonical form, or a prefix list's id. Raises Refusal."""
    if _PREFIX_LIST.fullmatch(given):
        return given
    try:
        return str(ipaddress.ip_network(given))
    except ValueError as error:
        raise Refusal(
            f"route {given} cannot be moved: {error} (a destination is an IPv4 or IPv6 range, or a prefix list)"
        ) from None


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """One entry of the option ``moves``: a destination in some route tables, and the interface that it shall lead to.

    Tables are named by ids, or by all of their ``tags``. ``role_arn``: the role that may change them, if they belong to
    the owner of a shared VPC.
    """

    destination: str
    table_ids: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    role_arn: str | None
    target: Target

    @classmethod
    def from_option(cls, option: Mapping[str, Any]) -> RouteRequest:
        """Parse an entry of ``moves``. Raises Refusal without a target, and without route tables."""
        destination = parse_destination(str(option["destination"]))
        target = Target.from_option(option, f"route {destination}")
        ids = tuple(dict.fromkeys(option.get("route_table_ids") or ()))
        tags = tuple(sorted((str(key), str(value)) for key, value in (option.get("route_table_tags") or {}).items()))
        if bool(ids) == bool(tags):
            raise Refusal(f"route {destination} needs route_table_ids or route_table_tags, and not both")
        return cls(destination, ids, tags, option.get("role_arn") or None, target)

    @property
    def filters(self) -> dict[str, Any]:
        """The filters that find its route tables."""
        return {"route-table-id": list(self.table_ids)} if self.table_ids else {f"tag:{k}": v for k, v in self.tags}

    def names(self, table: RouteTable) -> bool:
        if self.table_ids:
            return table.route_table_id in self.table_ids
        return all(table.tags.get(key) == value for key, value in self.tags)

    def __str__(self) -> str:
        return f"route {self.destination}"


@dataclass(frozen=True, slots=True)
class Observed:
    """``tables``: by the role that read them. ``existing``: those that exist, of the interfaces of blackholes."""

    tables: Mapping[str | None, Sequence[RouteTable]]
    interfaces: Sequence[Interface]
    existing: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class RouteChange:
    """One route of one table, what it leads to (None: there is no route) and what it shall lead to."""

    route_table_id: str
    destination: str
    before: str | None
    after: str
    role_arn: str | None = None

    @property
    def key(self) -> str:
        return f"{self.route_table_id} {self.destination}"

    @property
    def name(self) -> str:
        return f"route {self.destination} of {self.route_table_id}"

    def __str__(self) -> str:
        return self.name

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def holder(self, observed: RouteTable) -> str | None:
        """Return what the route leads to by a reading of its table."""
        return target_of(observed, self.destination)

    def judge(self, observed: RouteTable) -> Verification:
        now = self.holder(observed)
        if now == self.after:
            return Verification.ARRIVED
        return Verification.PENDING if now is None or now == self.before else Verification.TAKEN

    def place(self, holder: str | None) -> str:
        return f"leading to {holder}" if holder else "not there"

    def result(self, after: str | None, changed: bool) -> dict[str, Any]:
        """Return the entry of the module's result. A target that is no interface is ``target`` alone."""
        return {
            "destination": self.destination,
            "route_table_id": self.route_table_id,
            "before": _result(self.before),
            "after": _result(after),
            "changed": changed,
        }


def _result(target: str | None) -> dict[str, str | None]:
    return {"network_interface_id": target if is_interface(target) else None, "target": target}


def is_interface(target: str | None) -> bool:
    return target is not None and target.startswith("eni-")


def target_of(table: RouteTable, destination: str) -> str | None:
    """Return what a table's route for a destination leads to; None: it has none."""
    route = table.routes.get(destination)
    return route.target if route else None


def blackholes(requests: Iterable[RouteRequest], tables: Mapping[str | None, Sequence[RouteTable]]) -> set[str]:
    """Return the interfaces that routes of the requests lead to without getting there."""
    found = (
        table.routes.get(request.destination)
        for request in requests
        for table in tables.get(request.role_arn, ())
        if request.names(table)
    )
    return {route.target for route in found if route and route.blackhole and is_interface(route.target)}


def plan(
    requests: Sequence[RouteRequest],
    observed: Observed,
    expected_owners: Collection[str] | None,
    displace: bool = False,
) -> list[RouteChange]:
    """Return one change for each route table of each request. Raises Refusal with a message that names every object.

    Args:
        requests: what was asked for.
        observed: the route tables and interfaces.
        expected_owners: the interfaces that a route may lead to now; None: any may. One that exists no more may.
        displace: a route that leads to something else than an interface may be taken.
    """
    changes: list[RouteChange] = []
    problems: list[str] = []
    for request in requests:
        target = resolve(request.target, observed.interfaces, str(request))
        tables = [table for table in observed.tables.get(request.role_arn, ()) if request.names(table)]
        problems += _missing(request, tables)
        if target.source_dest_check:
            problems.append(
                f"{request} cannot go to {target.network_interface_id}: its source/destination check is on, so packets "
                "to an address that is none of its own are dropped; turn the check off (source_dest_check: false of "
                "vpx_instance, or ModifyNetworkInterfaceAttribute)"
            )
        for table in tables:
            change = _change(request, table, target)
            changes.append(change)
            problems += _problems(change, table, target, observed, expected_owners, displace)
    problems += _contradictions(changes)
    if problems:
        raise Refusal(f"{'; '.join(dict.fromkeys(problems))}; nothing was moved")
    return changes


def _change(request: RouteRequest, table: RouteTable, target: Interface) -> RouteChange:
    return RouteChange(
        table.route_table_id,
        request.destination,
        target_of(table, request.destination),
        target.network_interface_id,
        request.role_arn,
    )


def _missing(request: RouteRequest, tables: Sequence[RouteTable]) -> list[str]:
    absent = sorted(set(request.table_ids) - {table.route_table_id for table in tables})
    if absent:
        return [f"{request} cannot be moved in {', '.join(absent)}: no such route table"]
    if not tables:
        tags = ", ".join(f"{key}={value}" for key, value in request.tags)
        return [f"{request} cannot be moved: no route table is tagged {tags}"]
    return []


def _problems(
    change: RouteChange,
    table: RouteTable,
    target: Interface,
    observed: Observed,
    expected_owners: Collection[str] | None,
    displace: bool,
) -> list[str]:
    if table.vpc_id != target.vpc_id:
        return [
            f"{change} cannot lead to {change.after}: the route table belongs to {table.vpc_id}, the interface to "
            f"{target.vpc_id}"
        ]
    before = change.before
    if before is None or not change.changed:
        return []
    if not is_interface(before):
        reason = f"{change} leads to {before}, which is no interface (displace: true allows to take it)"
        return [] if displace else [reason]
    route: Route = table.routes[change.destination]
    gone = route.blackhole and before not in observed.existing
    if expected_owners is None or before in expected_owners or gone:
        return []
    return [f"{change} leads to {before}; it may be taken from {', '.join(expected_owners) or 'no interface'} only"]


def _contradictions(changes: Iterable[RouteChange]) -> list[str]:
    first_of: dict[str, RouteChange] = {}
    return [
        f"{change} was asked to go to {first.after} and to {change.after}"
        for change in changes
        if (first := first_of.setdefault(change.key, change)).after != change.after
    ]
