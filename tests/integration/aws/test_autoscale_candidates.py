"""autoscale_candidates over HTTP: who is marked, with how many calls, and who is found again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.modules import run_module
from tests.unit.plugins.module_utils.scaling.scenario import policy_dict

from .conftest import Cloud

MODULE = "autoscale_candidates"


@pytest.fixture
def zone(cloud: Cloud) -> Cloud:
    """Three nodes in service, numbered by age."""
    made = cloud.run(
        "vpx_instance", group="g", zone="z", count=3, image_id=cloud.seed["image_id"], interfaces=cloud.interfaces()
    )
    for number, instance in enumerate(made["instances"]):
        tag(cloud, instance["instance_id"], "in_service", node_id=str(number))
    return cloud


def tag(cloud: Cloud, instance_id: str, lifecycle: str, **more: str) -> None:
    tags = {"lifecycle": lifecycle, **more}
    listed = [{"Key": f"cloudadc:{key}", "Value": value} for key, value in tags.items()]
    cloud.ec2.create_tags(Resources=[instance_id], Tags=listed)


def run(cloud: Cloud, *, check: bool = False, **options: Any) -> dict[str, Any]:
    result = cloud.run(MODULE, check=check, **{"group": "g", "zone": "z", "event_id": "e", **options})
    assert not result["failed"], result["msg"]
    return result


def marks(cloud: Cloud) -> dict[str, tuple[str, str | None]]:
    """Node id → lifecycle and event, of the nodes of the group."""
    found = cloud.ec2.describe_instances(Filters=[{"Name": "tag:cloudadc:group", "Values": ["g"]}])["Reservations"]
    reported = {}
    for instance in (item for reservation in found for item in reservation["Instances"]):
        tags = {item["Key"].removeprefix("cloudadc:"): item["Value"] for item in instance["Tags"]}
        reported[tags["node_id"]] = (tags["lifecycle"], tags.get("event"))
    return reported


def node(cloud: Cloud, number: str) -> str:
    """Return the instance of this node id."""
    filters = [{"Name": "tag:cloudadc:group", "Values": ["g"]}, {"Name": "tag:cloudadc:node_id", "Values": [number]}]
    [reservation] = cloud.ec2.describe_instances(Filters=filters)["Reservations"]
    found: str = reservation["Instances"][0]["InstanceId"]
    return found


def numbers(result: dict[str, Any]) -> list[int]:
    return [selected_node["node_id"] for selected_node in result["candidates"]]


def test_an_event_chooses_once_and_is_found_again(zone: Cloud) -> None:
    predicted = run(zone, check=True)
    assert (predicted["changed"], numbers(predicted), zone.writes) == (True, [2], Counter())
    begun = run(zone)
    assert (begun["changed"], numbers(begun)) == (True, [2])
    assert begun["victims"] == begun["candidates"]  # the former name of the return value
    assert zone.calls == Counter({"DescribeInstances": 1, "CreateTags": 1})
    assert begun["candidates"][0]["nsip"] != begun["candidates"][0]["client_address"]
    still = {"0": ("in_service", None), "1": ("in_service", None)}
    assert marks(zone) == still | {"2": ("draining", "e")}
    again = run(zone)
    assert (again["changed"], numbers(again)) == (False, [2])
    assert zone.calls == Counter({"DescribeInstances": 1})
    finished = run(zone, step="finish")
    assert (finished["changed"], numbers(finished)) == (True, [2])
    assert marks(zone) == still | {"2": ("terminating", "e")}
    zone.ec2.terminate_instances(InstanceIds=[finished["candidates"][0]["instance_id"]])
    assert numbers(run(zone)) == [2]
    assert zone.writes == Counter()


def test_what_cannot_go_stays_and_is_said(zone: Cloud) -> None:
    result = run(zone, count=3, min_nodes=2)
    assert numbers(result) == [2]
    assert result["sentence"] == "3 were to go, and 1 can: 3 are in service, and at least 2 must stay"
    assert not run(zone, step="finish", event_id="other")["changed"]


def test_another_zone_and_an_empty_one_are_none_of_its_business(zone: Cloud) -> None:
    assert run(zone, zone="y")["candidates"] == []
    assert run(zone, zone="y", step="finish")["candidates"] == []
    assert {lifecycle for lifecycle, _event in marks(zone).values()} == {"in_service"}


def test_cleanup_leaves_a_node_that_was_put_into_service_meanwhile(zone: Cloud) -> None:
    """A failed scale-out left one node; before the cleanup marks it, an operator's scale-out puts it into service."""
    instance = node(zone, "2")
    tag(zone, instance, "joining")
    assert numbers(run(zone, step="cleanup", check=True)) == [2]
    tag(zone, instance, "in_service")
    result = run(zone, step="cleanup")
    assert (numbers(result), zone.writes) == ([], Counter())
    assert {lifecycle for lifecycle, _event in marks(zone).values()} == {"in_service"}
    # What a number of nodes would mean by now: one of three healthy nodes in service.
    assert numbers(run(zone, step="begin", count=1, check=True)) == [2]


def test_cleanup_marks_what_never_came_into_service_and_finds_it_again(zone: Cloud) -> None:
    tag(zone, node(zone, "1"), "provisioning")
    tag(zone, node(zone, "2"), "draining", event="other")
    assert numbers(run(zone, step="cleanup")) == [1]
    assert zone.calls == Counter({"DescribeInstances": 2, "CreateTags": 1})
    assert marks(zone)["1"] == ("terminating", "e")
    assert marks(zone)["2"] == ("draining", "other")
    again = run(zone, step="cleanup")
    assert (again["changed"], numbers(again), again["instance_ids"]) == (False, [1], [node(zone, "1")])


def test_cleanup_waits_while_another_event_is_open(zone: Cloud, tmp_path: Path) -> None:
    """The open event may bring nodes that never came into service into service."""
    tag(zone, node(zone, "2"), "joining")
    store = {"path": str(tmp_path / "store")}
    policy = policy_dict(min_nodes=1)
    asked = {"action": "scale_out", "count": 1}
    opened = run_module(
        "autoscale_tick",
        {"group": "g", "zone": "z", "policy": policy, "store": store, "request": asked, "node_count": 2},
    )
    event = opened["decision"]["event_id"]
    result = run(zone, step="cleanup", store=store)
    assert (numbers(result), zone.writes) == ([], Counter())
    assert f"event {event} is open" in result["sentence"]
    assert numbers(run(zone, step="cleanup", store=store, event_id=event)) == [2]


def test_cleanup_needs_its_event(zone: Cloud) -> None:
    result = zone.run(MODULE, group="g", zone="z", step="cleanup")
    assert result["failed"]
    assert "event_id is missing" in result["msg"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_its_write_it_is_gone_on_with(zone: Cloud, when: str) -> None:
    zone.killed(MODULE, 1, when, group="g", zone="z", event_id="e")
    assert numbers(run(zone)) == [2]
    assert marks(zone)["2"] == ("draining", "e")


@pytest.mark.parametrize("step", ["begin", "finish"])
def test_nodes_of_a_pair_of_the_name_are_never_marked(zone: Cloud, step: str) -> None:
    there = node(zone, "2")
    tag(zone, there, "in_service", kind="pair")
    before = marks(zone)
    refused = zone.run(MODULE, group="g", zone="z", event_id="e", step=step)
    assert refused["failed"]
    assert f"instance {there} was not made for group g: its tag cloudadc:kind is 'pair'" in refused["msg"]
    assert (zone.writes, marks(zone)) == (Counter(), before)
