"""The state of pairs and groups: what is a problem, what was not seen, and how it is printed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ha import ObservedHa
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.licence_state import licence_problems
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_associations import nodes_of_group
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_claims import Claim, judge
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.status import (
    Answers,
    GroupFacts,
    ZoneState,
    group_status,
    owners_of,
    pair_status,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.status_reading import chosen
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.status_table import status_lines
from ansible_collections.cloudadc.aws.plugins.module_utils.report.status_page import status_page
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.figures import Figures, Reading
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.identity import AUTOSCALE_GROUP, PAIR, Owner

NASTY = "<script>alert(1)</script>"


def instance(number: int, name: str = "edge", kind: str = PAIR, **more: Any) -> Instance:
    tags = {"cloudadc:group": name, "cloudadc:kind": kind, "cloudadc:node_id": str(number), **more.pop("tags", {})}
    interfaces = tuple(
        Attached(f"eni-{name}{number}{index}", index, (f"10.0.{index}.1{number}",)) for index in range(3)
    )
    return Instance(f"i-{name}{number}", more.pop("state", "running"), "eu-central-1a", "", tags, interfaces, **more)


def row(nsip: str, state: str, number: int) -> dict[str, Any]:
    return {"id": str(number), "ipaddress": nsip, "state": state, "hastatus": "UP", "hasync": "SUCCESS"}


def claims(primary: int = 0, *, silent: int | None = None) -> list[Claim]:
    found = []
    for number in (0, 1):
        own, other = f"10.0.0.1{number}", f"10.0.0.1{1 - number}"
        states = ["Primary" if each == primary else "Secondary" for each in (number, 1 - number)]
        view = ObservedHa.from_rows([row(own, states[0], 0), row(other, states[1], 1)])
        found.append(Claim(f"node {number}", own, True, view, ("10.0.1.10",)))
    if silent is not None:
        lost = found[silent]
        found[silent] = Claim(lost.name, lost.nsip, False, error="no answer within 3 s")
    return found


def address(at: str = "eni-edge01", private: str = "10.0.1.10") -> Address:
    return Address("203.0.113.5", "eipalloc-1", Association(at, private), "eipassoc-1")


def pair(answers: list[Claim] | None, instances: list[Instance] | None = None, **more: Any) -> dict[str, Any]:
    nodes = nodes_of_group(instances or [instance(0), instance(1)], "edge")
    given = None if answers is None else Answers(answers, judge(answers))
    return pair_status("edge", nodes, [more.pop("address", address())], given, **more)


def test_pair_whose_primary_has_the_address_has_no_problem() -> None:
    found = pair(claims())
    assert (found["primary"], found["primary_instance_id"], found["healthy"]) == (0, "i-edge0", True)
    assert found["in_sync"] is True
    assert (found["problems"], found["unseen"]) == ([], [])
    [placed] = found["addresses"]
    assert (placed["node_id"], placed["misplaced"]) == (0, False)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"answers": claims(1)}, "Elastic IP 203.0.113.5 is not on the primary: run ha_failover"),
        (
            {"answers": claims(silent=1)},
            "node 1 (i-edge1) runs and does not answer at 10.0.0.11: no answer within 3 s",
        ),
        ({"answers": None, "instances": [instance(0), instance(1, state="stopped")]}, "node 1 (i-edge1) is stopped"),
        ({"answers": None, "instances": [instance(0)]}, "a pair has two nodes, here are 1"),
        (
            {"answers": None, "instances": [instance(0, image_id="ami-1"), instance(1, image_id="ami-2")]},
            "the nodes have different images: ami-1, ami-2",
        ),
    ],
)
def test_each_problem_of_a_pair_is_named(given: dict[str, Any], problem: str) -> None:
    assert any(text.startswith(problem) for text in pair(**given)["problems"])


def test_appliances_that_were_not_asked_are_neither_good_nor_bad() -> None:
    found = pair(None, unseen=["appliances were not asked"])
    assert (found["primary"], found["healthy"], found["in_sync"], found["problems"]) == (None, None, None, [])
    assert found["addresses"][0]["misplaced"] is None
    assert found["unseen"] == ["appliances were not asked"]


OVERVIEW: dict[str, Any] = {
    "phase": "cooldown", "phase_until": "2026-03-01T10:16:00Z", "updated": "2026-03-01T10:07:00Z", "event": None,
    "backoff": {"failures": 2, "until": None, "message": "InsufficientInstanceCapacity"}, "unfinished": [],
    "nodes": [{"instance_id": "i-shop0"}, {"instance_id": "i-lost"}],
    "history": [
        {"closed_at": f"2026-03-01T0{number}:00:00Z", "action": "scale_out", "count": 1, "outcome": "done",
         "reason": NASTY, "message": ""}
        for number in range(7)
    ],
}  # fmt: skip


def group() -> dict[str, Any]:
    tags = {"cloudadc:zone": "eu-central-1a", "cloudadc:lifecycle": "in_service"}
    nodes = [instance(number, "shop", AUTOSCALE_GROUP, tags=tags) for number in (0, 1)]
    readings = {
        "10.0.0.10": Reading("10.0.0.10", True, Figures(cpu=41.5)),
        "10.0.0.11": Reading("10.0.0.11", False, Figures(), "10.0.0.11: timed out"),
    }
    states = {"eu-central-1a": ZoneState(OVERVIEW), "eu-central-1b": ZoneState(error="the item is damaged")}
    facts = GroupFacts(readings, states, "shop.elb.amazonaws.com", ["a thing"])
    return group_status("shop", nodes, [address("eni-shop01")], facts)


def test_group_tells_phase_load_and_latest_events_of_each_zone() -> None:
    found = group()
    first, second = found["zones"]
    assert (first["phase"], first["in_service"], second["phase"]) == ("cooldown", 2, None)
    assert [event["closed_at"][12] for event in first["events"]] == ["6", "5", "4", "3", "2"]
    assert [node["cpu"] for node in first["nodes"]] == [41.5, None]
    assert found["addresses"][0]["instance_id"] == "i-shop0"
    assert found["problems"] == [
        "eu-central-1a: node 10.0.0.11 (i-shop1) runs and does not answer at 10.0.0.11: 10.0.0.11: timed out",
        "eu-central-1a: 2 scaling events failed in a row; the last one: InsufficientInstanceCapacity",
        "eu-central-1a: the group state has nodes that EC2 does not show in service: i-lost",
        "eu-central-1b: its state cannot be read: the item is damaged",
    ]


def whole() -> dict[str, Any]:
    event = {"time": "2026-03-01T10:00:00Z", "type": "repaired", "summary": f"moved {NASTY}"}
    return {
        "account": "123456789012", "region": "eu-central-1", "at": "2026-03-01T10:08:00Z",
        "pairs": [pair(claims(1), events=[event])], "groups": [group()], "problems": [], "unseen": [],
    }  # fmt: skip


def test_table_has_a_row_a_node_and_says_what_is_wrong_and_unseen() -> None:
    lines = status_lines(whole())
    assert lines[0] == "account 123456789012, eu-central-1: 1 pair, 1 group"
    assert lines[1].split() == ["KIND", "NAME", "ZONE", "STATE", "NODES", "ADDRESSES"]
    text = "\n".join(lines)
    assert "1 i-edge1 Primary (primary)" in text
    assert "203.0.113.5 on node 0 (misplaced)" in text
    assert "i-shop0 in_service, cpu 41.5 %" in text
    assert "shop.elb.amazonaws.com" in text
    assert "  edge: Elastic IP 203.0.113.5 is not on the primary" in text
    assert text.endswith("not seen:\n  shop: a thing")
    assert all(line == line.rstrip() for line in lines)


def test_page_shows_the_same_and_escapes_it() -> None:
    page = status_page(whole())
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 2
    for text in ("misplaced", "eipalloc-1", "node 1 (i-edge1)", "cooldown until 2026-03-01T10:16:00Z"):
        assert text in page
    only = {**whole(), "groups": []}
    assert "<title>Pair edge</title>" in status_page(only)
    assert "<title>mine</title>" in status_page(only, "mine")


def test_owners_are_found_by_tags_and_those_of_an_earlier_release_by_number() -> None:
    kindless = [replace(instance(number, "old"), tags={"cloudadc:group": "old"}) for number in (0, 1)]
    gone = replace(instance(0, "gone"), state="terminated")
    there = [instance(0), instance(0, "shop", AUTOSCALE_GROUP), *kindless, gone]
    assert owners_of(there) == [Owner("edge", PAIR), Owner("old", PAIR), Owner("shop", AUTOSCALE_GROUP)]


def test_a_name_that_is_not_there_is_refused_with_what_is() -> None:
    there = [Owner("edge", PAIR), Owner("shop", AUTOSCALE_GROUP)]
    assert chosen(there, [], [], "account 1") == there
    assert chosen([], [], [], "account 1") == []
    assert chosen(there, [], ["shop"], "account 1") == there[1:]
    with pytest.raises(Refusal, match=r"account 1 has no pair shop with an instance .* there: pair edge, group shop"):
        chosen(there, ["shop"], ["shop"], "account 1")


def test_licence_in_its_grace_period_is_a_problem() -> None:
    good = {"licenseserverip": "10.0.0.9", "status": 1, "grace": 0, "gptimeleft": 0}
    assert licence_problems("10.0.0.10", [good]) == []
    assert licence_problems("10.0.0.10", [{**good, "status": 0, "grace": "1", "gptimeleft": "700"}]) == [
        "10.0.0.10: the licence is in its grace period, 700 hours are left: licence server 10.0.0.9 does not answer it"
    ]
