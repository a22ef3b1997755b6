"""What status shows of the VIPs of a pair that are no Elastic IPs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.status_vips import ObservedVips, vips_status

from .test_pair_vips import PRIVATE, ROUTE, node, private_at, routes_to

NODES = (node(0), node(1))
BOTH = (PRIVATE, ROUTE)


def observed(private: str, *routes: str | None) -> ObservedVips:
    return ObservedVips(BOTH, {"private_ip": private_at(private), "route": routes_to(*routes)})


def test_vips_at_the_primary_are_no_problem() -> None:
    entries, problems = vips_status(NODES, NODES[0], observed("eni-c0", "eni-c0", "eni-c0"))
    assert [(one["kind"], one["vip"], one["node_id"], one["misplaced"]) for one in entries] == [
        ("private_ip", "10.0.2.50", 0, False),
        ("route", "172.16.0.10/32 in rtb-1", 0, False),
        ("route", "172.16.0.10/32 in rtb-2", 0, False),
    ]
    assert problems == []


@pytest.mark.parametrize(
    ("private", "routes", "place"),
    [("eni-c1", ("eni-c1", "eni-c0"), 1), ("eni-other", (None, "eni-c0"), None)],
    ids=["other node", "nowhere or elsewhere"],
)
def test_vip_that_is_not_at_the_primary_is_a_problem_with_its_remedy(private: str, routes: Any, place: Any) -> None:
    entries, problems = vips_status(NODES, NODES[0], observed(private, *routes))
    assert [(one["node_id"], one["misplaced"]) for one in entries] == [(place, True), (place, True), (0, False)]
    assert problems == [
        f"{kind} {name} is not on the primary: run ha_failover with ha_failover_mode=reconcile"
        for kind, name in (("private_ip", "10.0.2.50"), ("route", "172.16.0.10/32 in rtb-1"))
    ]


def test_without_a_known_primary_places_are_shown_and_nothing_is_misplaced() -> None:
    entries, problems = vips_status(NODES, None, observed("eni-c1", "eni-c1", "eni-c0"))
    assert [(one["node_id"], one["misplaced"]) for one in entries] == [(1, None), (1, None), (0, None)]
    assert problems == []


def test_what_was_not_read_is_not_shown() -> None:
    assert vips_status(NODES, NODES[0], ObservedVips(BOTH, error="AccessDenied")) == ([], [])
    assert vips_status(NODES, NODES[0], ObservedVips()) == ([], [])
