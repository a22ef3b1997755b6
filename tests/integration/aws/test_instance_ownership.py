"""vpx_instance: whose instances it touches, many sets in one call, lifecycles, removals by id."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.session import carry_out
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.decision import Decision
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import evaluate
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Record
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from tests.unit.plugins.module_utils.scaling.scenario import HIGH, policy

from .conftest import Cloud
from .test_vpx_instance import live, make, tags

KINDS = ("pair", "group")


def other(kind: str) -> str:
    return next(each for each in KINDS if each != kind)


def tag(cloud: Cloud, instance: str, **values: str) -> None:
    listed = [{"Key": f"cloudadc:{key}", "Value": value} for key, value in values.items()]
    cloud.ec2.create_tags(Resources=[instance], Tags=listed)


def without_kind(cloud: Cloud) -> None:
    """Make instances, interfaces and Elastic IPs look as an earlier release left them."""
    interfaces = [each["NetworkInterfaceId"] for each in cloud.ec2.describe_network_interfaces()["NetworkInterfaces"]]
    addresses = [each["AllocationId"] for each in cloud.ec2.describe_addresses()["Addresses"]]
    instances = [each["InstanceId"] for each in live(cloud)]
    cloud.ec2.delete_tags(Resources=[*instances, *interfaces, *addresses], Tags=[{"Key": "cloudadc:kind"}])


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_is_made_carries_the_kind(cloud: Cloud, kind: str) -> None:
    made = make(cloud, kind=kind, interfaces=cloud.interfaces(management={"elastic_ip": True}))
    assert not made["failed"], made
    [instance] = live(cloud)
    [address] = cloud.ec2.describe_addresses()["Addresses"]
    [volume] = cloud.ec2.describe_volumes()["Volumes"]
    interfaces = cloud.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert len(interfaces) == 3
    for each in (instance, address, volume, *interfaces):
        assert tags(each)["cloudadc:kind"] == kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", ["present", "absent", "started", "stopped"])
def test_instances_of_the_other_kind_are_neither_adopted_nor_removed(cloud: Cloud, kind: str, state: str) -> None:
    """A pair and a group of one name: whatever is asked of one leaves the other as it is."""
    [there] = make(cloud, kind=kind)["launched"]
    before = live(cloud)
    refused = make(cloud, kind=other(kind), state=state)
    assert refused["failed"]
    assert f"instance {there} was not made for {other(kind)} shop: its tag cloudadc:kind is '{kind}'" in refused["msg"]
    assert cloud.writes == Counter()
    assert live(cloud) == before


@pytest.mark.parametrize("kind", KINDS)
def test_instances_of_the_other_kind_in_another_zone_are_seen(cloud: Cloud, kind: str) -> None:
    make(cloud, kind=kind, zone="eu-central-1a")
    refused = make(cloud, kind=other(kind), zone="eu-central-1b", interfaces=cloud.interfaces(1))
    assert "was not made for" in refused["msg"]
    assert cloud.writes == Counter()


@pytest.mark.parametrize("kind", KINDS)
def test_instances_of_the_other_kind_are_not_terminated_by_id(cloud: Cloud, kind: str) -> None:
    [there] = make(cloud, kind=kind)["launched"]
    refused = cloud.run("vpx_instance", group="shop", kind=other(kind), state="absent", instance_ids=[there])
    assert refused["failed"]
    assert there in refused["msg"]
    assert cloud.writes == Counter()
    assert [each["InstanceId"] for each in live(cloud)] == [there]


def test_without_a_kind_that_of_the_instances_counts(cloud: Cloud) -> None:
    make(cloud, kind="group", zone="eu-central-1a")
    more = make(cloud, zone="eu-central-1b", interfaces=cloud.interfaces(1))
    assert not more["failed"], more
    assert more["instances"][0]["tags"]["cloudadc:kind"] == "group"
    gone = cloud.run("vpx_instance", group="shop", state="absent")
    assert len(gone["terminated"]) == 2


def test_without_a_kind_nothing_is_done_if_both_have_the_name(cloud: Cloud) -> None:
    make(cloud, kind="group", zone="eu-central-1a")
    make(cloud, group="other", kind="pair")
    [pair] = [each["InstanceId"] for each in live(cloud) if tags(each)["cloudadc:group"] == "other"]
    tag(cloud, pair, group="shop")
    refused = cloud.run("vpx_instance", group="shop", state="absent")
    assert "shop is the name of resources of both kinds" in refused["msg"]
    assert cloud.writes == Counter()


def test_what_an_earlier_release_made_is_adopted_and_said_once(cloud: Cloud) -> None:
    interfaces = cloud.interfaces(management={"elastic_ip": True})
    [there] = make(cloud, kind="pair", interfaces=interfaces)["launched"]
    without_kind(cloud)
    adopted = make(cloud, kind="pair", interfaces=interfaces)
    assert not adopted["failed"], adopted
    assert (adopted["launched"], adopted["terminated"]) == ([], [])
    assert f"adding the tag cloudadc:kind=pair: instance {there}" in str(adopted["warnings"])
    assert set(cloud.writes) == {"CreateTags"}
    again = make(cloud, kind="pair", interfaces=interfaces)
    assert (again["changed"], again.get("warnings")) == (False, None)
    for each in (*live(cloud), *cloud.ec2.describe_addresses()["Addresses"]):
        assert tags(each)["cloudadc:kind"] == "pair"


def test_what_an_earlier_release_made_is_not_adopted_beside_the_other_kind(cloud: Cloud) -> None:
    [first] = make(cloud, kind="pair", node_id=0)["launched"]
    without_kind(cloud)
    [second] = make(cloud, group="other", kind="group")["launched"]
    tag(cloud, second, group="shop")
    for params in ({}, {"state": "absent"}):
        refused = make(cloud, kind="pair", node_id=0, **params)
        assert f"instance {second} was not made for pair shop" in refused["msg"]
        assert cloud.writes == Counter()
    assert {each["InstanceId"] for each in live(cloud)} == {first, second}


def test_what_an_earlier_release_made_is_removed_by_name(cloud: Cloud) -> None:
    make(cloud, kind="pair", interfaces=cloud.interfaces(management={"elastic_ip": True}))
    without_kind(cloud)
    gone = cloud.run("vpx_instance", group="shop", kind="pair", state="absent")
    assert not gone["failed"], gone
    assert (live(cloud), cloud.ec2.describe_addresses()["Addresses"]) == ([], [])


# Many sets in one call


def two_zones(cloud: Cloud, **more: Any) -> list[dict[str, Any]]:
    return [
        {"zone": "eu-central-1a", "interfaces": cloud.interfaces(0), **more},
        {"zone": "eu-central-1b", "interfaces": cloud.interfaces(1), **more},
    ]


def test_sets_of_two_zones_are_launched_in_one_call(cloud: Cloud) -> None:
    sets = two_zones(cloud, count=2)
    made = make(cloud, kind="group", sets=sets, interfaces=None, number_nodes=True)
    assert not made["failed"], made
    assert cloud.writes["RunInstances"] == 2
    where = [(each["tags"]["cloudadc:zone"], each["node_id"], each["lifecycle"]) for each in made["instances"]]
    assert where == [(zone, node, "joining") for zone in ("eu-central-1a", "eu-central-1b") for node in (0, 1)]
    assert sorted(made["launched"]) == sorted(each["InstanceId"] for each in live(cloud))
    again = make(cloud, kind="group", sets=sets, interfaces=None, number_nodes=True)
    assert not again["changed"]
    assert again["instances"] == made["instances"]
    assert cloud.calls == Counter(DescribeInstances=1, DescribeNetworkInterfaces=1, DescribeAddresses=1)


def test_a_pair_is_two_sets(cloud: Cloud) -> None:
    sets = [{"node_id": node, "interfaces": cloud.interfaces(node)} for node in (0, 1)]
    predicted = make(cloud, kind="pair", sets=sets, check=True)
    assert predicted["launched"] == ["planned-1", "planned-2"]
    assert [each["node_id"] for each in predicted["instances"]] == [0, 1]
    assert cloud.writes == Counter()
    made = make(cloud, kind="pair", sets=sets)
    assert [each["node_id"] for each in made["instances"]] == [0, 1]
    assert not make(cloud, kind="pair", sets=sets)["changed"]


def test_nothing_is_launched_if_one_set_cannot_be(cloud: Cloud) -> None:
    sets = two_zones(cloud)
    sets[1]["image_id"] = "ami-00000000000000000"
    refused = make(cloud, kind="group", sets=sets)
    assert "image ami-00000000000000000 does not exist" in refused["msg"]
    assert cloud.writes == Counter()


def test_elastic_ips_of_all_sets_count_against_the_quota(cloud: Cloud) -> None:
    [attribute] = cloud.ec2.describe_account_attributes(AttributeNames=["vpc-max-elastic-ips"])["AccountAttributes"]
    quota = int(attribute["AttributeValues"][0]["AttributeValue"])
    sets = two_zones(cloud)
    for each, count in zip(sets, (quota // 2, quota - quota // 2 + 1), strict=True):
        each["count"] = count
        each["interfaces"] = [{**item, "elastic_ip": item["role"] == "client"} for item in each["interfaces"]]
    refused = make(cloud, kind="group", sets=sets)
    assert f"{quota + 1} more Elastic IPs are needed" in refused["msg"]
    assert cloud.writes == Counter()


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ([{"zone": "a"}, {"zone": "a"}], "overlap"),
        ([{"zone": "a"}, {"node_id": 1}], "overlap"),
        ([{"instance_ids": ["i-1"]}, {"instance_ids": ["i-2", "i-1"]}], "i-1 is in more than one set"),
    ],
)
def test_sets_that_overlap_are_refused(cloud: Cloud, sets: list[dict[str, Any]], message: str) -> None:
    refused = make(cloud, sets=sets)
    assert message in refused["msg"]
    assert cloud.calls == Counter()


def test_no_set_is_nothing_to_do(cloud: Cloud) -> None:
    made = make(cloud, sets=[])
    assert (made["changed"], made["instances"]) == (False, [])


# Surplus, lifecycle, removal


def test_a_surplus_stays_if_it_is_not_to_be_terminated(cloud: Cloud) -> None:
    make(cloud, kind="group", count=2, number_nodes=True)
    kept = make(cloud, kind="group", count=1, terminate_surplus=False)
    assert not kept["changed"]
    assert (len(kept["instances"]), kept["terminated"]) == (2, [])
    assert kept["surplus"] == [kept["instances"][1]["instance_id"]]
    assert len(live(cloud)) == 2


def lifecycle_of(cloud: Cloud, instance: str) -> str:
    return next(tags(each)["cloudadc:lifecycle"] for each in live(cloud) if each["InstanceId"] == instance)


def test_the_lifecycle_never_goes_back(cloud: Cloud) -> None:
    [there] = make(cloud, kind="group")["launched"]
    order = ("joining", "in_service", "draining", "terminating")
    for index, step in enumerate(order):
        cloud.run("vpx_instance", kind="group", group="shop", instance_ids=[there], lifecycle=step)
        assert lifecycle_of(cloud, there) == step
        for earlier in ("provisioning", *order[:index]):
            back = cloud.run("vpx_instance", kind="group", group="shop", instance_ids=[there], lifecycle=earlier)
            assert not back["changed"], (step, earlier)
        assert not make(cloud, kind="group")["changed"]


def test_the_lifecycle_of_a_whole_set(cloud: Cloud) -> None:
    made = make(cloud, kind="pair", count=2, lifecycle="in_service")
    assert [each["lifecycle"] for each in made["instances"]] == ["in_service", "in_service"]
    assert cloud.writes["CreateTags"] == 4


@dataclass(frozen=True, slots=True)
class OpenEvent:
    """An event of zone eu-central-1a of the group shop, in a store of its own."""

    folder: Path
    begun: float

    def tick(self, seconds: float, owner: str) -> Decision:
        """Evaluate a high load; the decision."""
        store = FileStore(self.folder, Key("shop", "eu-central-1a"))

        def plan(record: Record) -> tuple[Record, Decision]:
            return evaluate(policy(), record, {"memory": HIGH}, 3, self.begun + seconds, owner=owner)

        return carry_out(store, plan, owner, 60, own_time=True)[2]

    def option(self, decision: Decision) -> dict[str, Any]:
        return {"id": decision.event_id, "takeover": decision.takeover, "store": {"path": str(self.folder)}}


@pytest.fixture
def event(tmp_path: Path) -> OpenEvent:
    return OpenEvent(tmp_path, time.time())


def test_only_instances_that_are_marked_for_the_event_are_terminated(cloud: Cloud, event: OpenEvent) -> None:
    decision = [event.tick(at, "one") for at in (-120, -60, 0)][-1]
    assert decision.event_id
    first, second = make(cloud, kind="group", zone="eu-central-1a", count=2)["launched"]
    tag(cloud, first, event=decision.event_id, lifecycle="terminating")
    tag(cloud, second, event="e-2", lifecycle="terminating")

    def remove(*ids: str) -> dict[str, Any]:
        where: dict[str, Any] = {"group": "shop", "kind": "group", "zone": "eu-central-1a"}
        given: dict[str, Any] = {"state": "absent", "instance_ids": ids, "event": event.option(decision)}
        return cloud.run("vpx_instance", **where, **given)

    refused = remove(first, second)
    assert f"{second} is not marked for event {decision.event_id}: its tag cloudadc:event is 'e-2'" in refused["msg"]
    tag(cloud, second, event=decision.event_id, lifecycle="in_service")
    refused = remove(first, second)
    assert f"{second} is marked for event {decision.event_id}, but its lifecycle is in_service" in refused["msg"]
    assert cloud.writes == Counter()
    assert len(live(cloud)) == 2
    assert remove(first)["terminated"] == [first]
    assert [each["InstanceId"] for each in live(cloud)] == [second]


def test_a_run_whose_event_was_taken_over_terminates_nothing(cloud: Cloud, event: OpenEvent) -> None:
    decision = [event.tick(at, "one") for at in (-120, -60, 0)][-1]
    taken_over = event.tick(900, "two")
    assert (taken_over.event_id, taken_over.takeover) == (decision.event_id, 1)
    [there] = make(cloud, kind="group", zone="eu-central-1a")["launched"]
    tag(cloud, there, event=str(decision.event_id), lifecycle="terminating")
    given: dict[str, Any] = {"group": "shop", "kind": "group", "zone": "eu-central-1a", "state": "absent"}
    given["instance_ids"] = [there]
    refused = cloud.run("vpx_instance", **given, event=event.option(decision))
    assert refused["failed"]
    assert str(decision.event_id) in refused["msg"]
    assert cloud.writes == Counter()
    assert cloud.run("vpx_instance", **given, event=event.option(taken_over))["terminated"] == [there]
