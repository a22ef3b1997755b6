"""Which routes of a pair are removed with it, and what another writer takes meanwhile. EC2 is in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.route import read_tables
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.route_removal import removals, remove
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_routes import PairRoutes, routes_of_pair

VIP, V6, OTHER = "10.99.0.9/32", "fd00:99::9/128", "10.98.0.0/16"
TAGS = {
    "cloudadc:group": "shop",
    "cloudadc:kind": "pair",
    "cloudadc:vip:web": "route 10.99.0.9 rtb-1 rtb-2",
    "cloudadc:vip:web.ipv6": "route fd00:99::9 rtb-1",
    "cloudadc:vip:inner": "private_ip 10.0.2.50",
}


@dataclass
class Ec2:
    """``routes``: by table and destination. ``takes``: what another writer does between two readings."""

    routes: dict[tuple[str, str], str]
    takes: dict[tuple[str, str], str] = field(default_factory=dict)
    refused: str = ""
    reads: int = 0
    deleted: list[tuple[str, str]] = field(default_factory=list)

    def get_paginator(self, _name: str) -> Ec2:
        return self

    def paginate(self, **_given: Any) -> Ec2:
        return self

    def build_full_result(self) -> dict[str, Any]:
        self.reads += 1
        if self.reads == 2:
            self.routes |= self.takes
        tables: dict[str, list[dict[str, str]]] = {"rtb-1": [], "rtb-2": [], "rtb-3": []}
        for (table, destination), target in self.routes.items():
            key = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
            tables[table].append({key: destination, "NetworkInterfaceId": target})
        return {"RouteTables": [{"RouteTableId": n, "VpcId": "vpc-1", "Routes": r} for n, r in tables.items()]}

    def delete_route(self, **given: str) -> None:
        if self.refused:
            raise ClientError({"Error": {"Code": self.refused, "Message": "no"}}, "DeleteRoute")
        destination = given.get("DestinationCidrBlock") or given["DestinationIpv6CidrBlock"]
        self.deleted.append((given["RouteTableId"], destination))


def instance(name: str, state: str = "running", **tags: str) -> Instance:
    interfaces = (Attached(f"eni-{name}0", 0, ("10.0.1.4",)), Attached(f"eni-{name}1", 1, ("10.0.2.4",)))
    return Instance(f"i-{name}", state, tags={**TAGS, **tags}, interfaces=interfaces)


def known() -> PairRoutes:
    return routes_of_pair("shop", [instance("a"), instance("b"), instance("old", "terminated")])


def carried_out(ec2: Ec2) -> str | None:
    found = known()
    planned = removals(found.requests, read_tables(ec2, found.requests), found.owners)
    return remove(ec2, found.requests, found.owners, planned)


def test_routes_are_those_of_the_tags_and_owners_are_the_interfaces_of_live_instances() -> None:
    found = known()
    assert [(one.destination, one.table_ids) for one in found.requests] == [(VIP, ("rtb-1", "rtb-2")), (V6, ("rtb-1",))]
    assert found.owners == {"eni-a0", "eni-a1", "eni-b0", "eni-b1"}


@pytest.mark.parametrize("instances", [[], [instance("g", **{"cloudadc:kind": "group"})]])
def test_instances_of_another_kind_have_no_routes_of_the_pair(instances: list[Instance]) -> None:
    assert routes_of_pair("shop", instances) == PairRoutes((), frozenset())


def test_only_routes_to_interfaces_of_the_pair_are_removed() -> None:
    ec2 = Ec2({
        ("rtb-1", VIP): "eni-a1", ("rtb-1", V6): "eni-b1", ("rtb-2", VIP): "eni-x", ("rtb-1", OTHER): "eni-a1",
        ("rtb-3", VIP): "eni-a1",
    })  # fmt: skip
    assert carried_out(ec2) is None
    assert ec2.deleted == [("rtb-1", VIP), ("rtb-1", V6)]


def test_a_route_that_was_taken_after_the_plan_stays() -> None:
    ec2 = Ec2({("rtb-1", VIP): "eni-a1", ("rtb-2", VIP): "eni-a1"}, takes={("rtb-1", VIP): "eni-x"})
    assert carried_out(ec2) is None
    assert ec2.deleted == [("rtb-2", VIP)]


def test_without_a_route_the_tables_are_read_once() -> None:
    ec2 = Ec2({})
    assert (carried_out(ec2), ec2.reads) == (None, 1)


@pytest.mark.parametrize(("code", "reported"), [("UnauthorizedOperation", True), ("InvalidRoute.NotFound", False)])
def test_a_refusal_names_the_route_and_one_that_is_gone_is_fine(code: str, reported: bool) -> None:
    message = carried_out(Ec2({("rtb-1", VIP): "eni-a1"}, refused=code))
    assert (message is not None and "Failed to remove 10.99.0.9/32 from rtb-1" in message) is reported
