"""route53_adc_record over HTTP: what it calls, what is true afterwards, and what it says when it cannot be."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.lab.settings import CHECKOUT

from .conftest import Cloud

MODULE = "route53_adc_record"
RECORD = "shop.example.com"
OBSERVATION, CHANGE = "ListResourceRecordSets", "ChangeResourceRecordSets"


def node(name: str, host: int = 10, **more: Any) -> dict[str, Any]:
    return {"identifier": name, "value": f"203.0.113.{host}", **more}


@dataclass
class Zone:
    cloud: Cloud
    route53: Any
    id: str

    def run(self, *nodes: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
        given = {"zone": "example.com", "record": RECORD, "nodes": list(nodes), "wait": False} | options
        named = {name: value for name, value in given.items() if value is not None}
        return self.cloud.run(MODULE, check=check, **named)

    def put(self, name: str = RECORD, **fields: Any) -> None:
        record_set = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "203.0.113.99"}]} | fields
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record_set}]}
        self.route53.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch=batch)

    def records(self) -> dict[str | None, dict[str, Any]]:
        """Return the A records of all names in the zone, by identifier."""
        listed = self.route53.list_resource_record_sets(HostedZoneId=self.id)["ResourceRecordSets"]
        return {item.get("SetIdentifier"): item for item in listed if item["Type"] == "A"}

    def values(self) -> dict[str | None, str]:
        return {name: item["ResourceRecords"][0]["Value"] for name, item in self.records().items()}


@pytest.fixture
def zone(cloud: Cloud) -> Zone:
    route53 = cloud.lab.boto("route53")
    made = route53.create_hosted_zone(Name="example.com", CallerReference="public")
    return Zone(cloud, route53, made["HostedZone"]["Id"].rpartition("/")[2])


def test_many_nodes_are_one_batch(zone: Zone) -> None:
    nodes = [node(f"n{number}", number) for number in range(1, 6)]
    predicted = zone.run(*nodes, check=True)
    assert (predicted["changed"], predicted["change_id"]) == (True, None)
    assert [record["identifier"] for record in predicted["records"]] == ["n1", "n2", "n3", "n4", "n5"]
    assert zone.cloud.calls == Counter(ListHostedZonesByName=1, ListResourceRecordSets=1)
    assert zone.records() == {}

    done = zone.run(*nodes)
    assert not done["failed"], done
    assert (done["changed"], done["ttl"], done["hosted_zone_id"]) == (True, 60, zone.id)
    assert done["change_id"].startswith("C")
    assert done["records"][0] == {
        "identifier": "n1",
        "value": "203.0.113.1",
        "values": ["203.0.113.1"],
        "policy": "multivalue",
        "weight": None,
        "ttl": 60,
        "health_check_id": None,
    }
    assert done["diff"]["before"] == {}
    assert done["diff"]["after"]["n5"]["value"] == "203.0.113.5"
    assert zone.cloud.calls == Counter(ListHostedZonesByName=1, ListResourceRecordSets=1, ChangeResourceRecordSets=1)
    assert zone.values() == {f"n{number}": f"203.0.113.{number}" for number in range(1, 6)}
    assert all(record["MultiValueAnswer"] for record in zone.records().values())

    again = zone.run(*nodes)
    assert (again["changed"], again["change_id"], again["records"]) == (False, None, done["records"])
    assert again["diff"]["before"] == again["diff"]["after"]
    assert zone.cloud.calls == Counter(ListHostedZonesByName=1, ListResourceRecordSets=1)


def test_by_id_an_idle_run_is_one_call(zone: Zone) -> None:
    options = {"zone": None, "hosted_zone_id": f"/hostedzone/{zone.id}"}
    assert zone.run(node("a"), **options)["changed"]
    assert zone.cloud.calls == Counter({OBSERVATION: 1, CHANGE: 1, "GetHostedZone": 1})
    assert not zone.run(node("a"), **options)["changed"]
    assert zone.cloud.calls == Counter({OBSERVATION: 1})
    assert zone.run(node("b", 11), **options)["changed"]
    assert zone.cloud.calls == Counter({OBSERVATION: 1, CHANGE: 1})


def test_it_waits_until_every_name_server_knows(zone: Zone) -> None:
    done = zone.run(node("a"), wait=True, wait_timeout=30)
    assert not done["failed"], done
    assert zone.route53.get_change(Id=done["change_id"])["ChangeInfo"]["Status"] == "INSYNC"
    assert zone.cloud.calls[CHANGE] == 1
    assert 1 <= zone.cloud.calls["GetChange"] <= 4
    zone.cloud.lab.pace(1.0)
    late = zone.run(node("b", 11), wait=True, wait_timeout=1)
    assert (late["failed"], late["changed"]) == (True, True)
    assert f"change {late['change_id']} of hosted zone {zone.id} is PENDING after 1 s" in late["msg"]


def test_nodes_come_and_go_without_the_others(zone: Zone) -> None:
    zone.run(node("a", 10), node("b", 11))
    assert zone.run(node("c", 12))["changed"]
    assert set(zone.records()) == {"a", "b", "c"}
    gone = zone.run({"identifier": "a"}, state="absent")
    assert (gone["changed"], [record["identifier"] for record in gone["records"]]) == (True, ["b", "c"])
    assert zone.cloud.writes == Counter({CHANGE: 1})
    assert set(zone.records()) == {"b", "c"}
    again = zone.run({"identifier": "a"}, state="absent")
    assert (again["changed"], again["change_id"]) == (False, None)
    assert zone.cloud.writes == Counter()


def test_a_removal_needs_no_ttl_no_value_and_no_weight(zone: Zone) -> None:
    """They are read back: AWS deletes only what matches in every value."""
    zone.run(node("a", 10, weight=200), node("b", 11), policy="weighted", ttl=300)
    predicted = zone.run({"identifier": "a"}, state="absent", check=True)
    assert (predicted["changed"], zone.cloud.writes) == (True, Counter())
    gone = zone.run({"identifier": "a"}, state="absent")
    assert (gone["changed"], gone["ttl"]) == (True, 300), "resolvers hand it out for as long as they were told"
    assert set(zone.records()) == {"b"}


def test_purge_adds_and_removes_in_one_transaction(zone: Zone) -> None:
    zone.run(node("a", 10), node("b", 11))
    done = zone.run(node("b", 21), node("c", 12), purge=True)
    assert zone.cloud.writes == Counter({CHANGE: 1})
    assert zone.values() == {"b": "203.0.113.21", "c": "203.0.113.12"}
    assert set(done["diff"]["before"]) == {"a", "b"}
    assert not zone.run(node("b", 21), node("c", 12), purge=True)["changed"]
    zone.put("other.example.com", SetIdentifier="b", MultiValueAnswer=True)
    assert zone.run(purge=True, state="absent")["changed"]
    assert [record["Name"] for record in zone.records().values()] == ["other.example.com."]


def test_weights_are_written_and_kept(zone: Zone) -> None:
    assert zone.run(node("a", 10, weight=200), node("b", 11), policy="weighted")["changed"]
    assert {name: record["Weight"] for name, record in zone.records().items()} == {"a": 200, "b": 1}
    assert not zone.run(node("a", 10), node("b", 11), policy="weighted")["changed"], "a weight not named stays"
    changed = zone.run(node("a", 10, weight=0), policy="weighted")
    assert (changed["changed"], zone.records()["a"]["Weight"]) == (True, 0)
    assert [record["weight"] for record in changed["records"]] == [0, 1]


def test_health_checks_stay_until_they_are_taken_away(zone: Zone) -> None:
    config = {"IPAddress": "203.0.113.10", "Port": 443, "Type": "TCP"}
    made = zone.route53.create_health_check(CallerReference="1", HealthCheckConfig=config)["HealthCheck"]["Id"]
    name = [{"Key": "Name", "Value": "node a"}]
    zone.route53.change_tags_for_resource(ResourceType="healthcheck", ResourceId=made, AddTags=name)
    done = zone.run(node("a", health_check_id=made))
    assert zone.cloud.calls == Counter({"ListHostedZonesByName": 1, OBSERVATION: 1, CHANGE: 1}), (
        "health checks are not listed"
    )
    assert done["records"][0]["health_check_id"] == made
    assert not zone.run(node("a"))["changed"]
    assert zone.run(node("a", 11))["changed"]
    assert zone.records()["a"]["HealthCheckId"] == made
    assert zone.run(node("a", 11, health_check_id=""))["changed"]
    assert "HealthCheckId" not in zone.records()["a"]
    kept = zone.route53.list_tags_for_resource(ResourceType="healthcheck", ResourceId=made)["ResourceTagSet"]
    assert kept["Tags"] == name, "a health check is referred to and never written"
    unknown = zone.run(node("b", 12, health_check_id="unknown"))
    assert unknown["failed"]
    assert "NoSuchHealthCheck" in unknown["msg"]


@pytest.mark.parametrize(
    ("name", "kind", "value", "same_name", "same_value"),
    [
        ("*.shop.example.com", "A", "203.0.113.10", r"\052.Shop.Example.com.", "203.0.113.10"),
        ("SHOP.example.com", "AAAA", "2001:0DB8:0:0::0001", "shop.example.com.", "2001:db8::1"),
        ("shop.example.com.", "CNAME", "Node.Example.com.", "shop.example.com", "node.example.com"),
    ],
)
def test_other_texts_are_no_change(
    zone: Zone, name: str, kind: str, value: str, same_name: str, same_value: str
) -> None:
    options = {"type": kind, "policy": "weighted"}
    assert zone.run({"identifier": "a", "value": value}, record=name, **options)["changed"]
    for record in (name, same_name):
        for text in (value, same_value):
            again = zone.run({"identifier": "a", "value": text}, record=record, **options)
            assert not again["failed"], again
            assert (again["changed"], zone.cloud.writes) == (False, Counter())
    assert zone.run({"identifier": "a"}, record=same_name, type=kind, state="absent")["changed"]
    assert zone.cloud.writes == Counter({CHANGE: 1})


def test_the_order_of_values_is_no_change(zone: Zone) -> None:
    """A set with several values is of another origin; ours has one, so it is rewritten once and not changed again."""
    zone.put(
        SetIdentifier="a", MultiValueAnswer=True, ResourceRecords=[{"Value": "203.0.113.11"}, {"Value": "203.0.113.10"}]
    )
    observed = zone.run(check=True)
    assert observed["records"][0]["values"] == ["203.0.113.10", "203.0.113.11"]
    assert zone.run(node("a", 10))["changed"]
    assert not zone.run(node("a", 10))["changed"]


def test_a_large_zone_is_not_read(zone: Zone) -> None:
    """400 names, and the listing has pages of 300: the record is in the middle of them."""
    for first in range(0, 400, 100):
        changes = [
            {
                "Action": "CREATE",
                "ResourceRecordSet": {
                    "Name": f"{letter}{number}.example.com",
                    "Type": "A",
                    "TTL": 60,
                    "ResourceRecords": [{"Value": "203.0.113.99"}],
                },
            }
            for number in range(first, first + 50)
            for letter in "az"
        ]
        zone.route53.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch={"Changes": changes})
    assert zone.run(node("a"))["changed"]
    assert zone.cloud.calls[OBSERVATION] == 1
    assert not zone.run(node("a"))["changed"]
    assert zone.cloud.calls[OBSERVATION] == 1


@pytest.mark.parametrize(
    ("present", "options", "message"),
    [
        ({}, {}, "exists as a simple record (203.0.113.99)"),
        ({}, {"purge": True}, "exists as a simple record"),
        ({"SetIdentifier": "x", "Weight": 1}, {}, "a weighted record set 'x' (203.0.113.99)"),
        ({"SetIdentifier": "x", "MultiValueAnswer": True}, {"policy": "weighted"}, "a multivalue record set 'x'"),
        ({"SetIdentifier": "x", "Failover": "PRIMARY"}, {"purge": True}, "a failover record set 'x'"),
        ({"SetIdentifier": "x", "MultiValueAnswer": True}, {"ttl": 30}, "TTL of 60 s for 'x'"),
        ({"SetIdentifier": "x", "Weight": 1}, {"ttl": 30, "policy": "weighted"}, "TTL of 60 s for 'x'"),
    ],
)
def test_conflicts_get_a_sentence_before_the_first_write(
    zone: Zone, present: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    zone.put(**present)
    before = zone.records()
    for check in (True, False):
        result = zone.run(node("a"), check=check, **options)
        assert result["failed"]
        assert message in result["msg"]
        assert "nothing was written" in result["msg"]
        assert zone.cloud.writes == Counter()
    assert zone.records() == before


def test_policy_and_ttl_of_a_whole_group_change_in_one_transaction(zone: Zone) -> None:
    zone.run(node("a", 10), node("b", 11))
    assert zone.run(node("a", 10), node("b", 11), ttl=30)["changed"]
    assert {record["TTL"] for record in zone.records().values()} == {30}
    changed = zone.run(node("a", 10), node("b", 11), policy="weighted", ttl=10)
    assert not changed["failed"], changed
    assert zone.cloud.writes == Counter({CHANGE: 1})
    assert all("MultiValueAnswer" not in record for record in zone.records().values())
    assert not zone.run(node("a", 10), node("b", 11), policy="weighted", ttl=10)["changed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"zone": "example.net", "record": "a.example.net"}, "there is no hosted zone example.net. in this account"),
        ({"private_zone": True}, "there is no private hosted zone example.com."),
        ({"record": "shop.example.org"}, "shop.example.org. does not belong into the hosted zone example.com."),
        ({"record": "badexample.com"}, "does not belong into"),
        ({"zone": ""}, "neither zone nor hosted_zone_id"),
        ({"zone": None, "hosted_zone_id": "Z00000000000000000000"}, "NoSuchHostedZone"),
        ({"zone": None}, "one of the following is required"),
        ({"hosted_zone_id": "Z1"}, "mutually exclusive"),
        ({"nodes": [{"identifier": "a"}]}, "node 'a' has no value"),
        ({"nodes": [node("a"), node("a", 11)]}, "named twice"),
        ({"nodes": [node("a", weight=1)]}, "means nothing with policy multivalue"),
        ({"nodes": [node("a", weight=300)], "policy": "weighted"}, "outside 0..255"),
        ({"nodes": [{"identifier": "a", "value": "node.example.com"}]}, "no IPv4 address"),
        ({"nodes": [{"value": "203.0.113.10"}]}, "missing required arguments: identifier"),
        ({"type": "CNAME", "nodes": [{"identifier": "a", "value": "b.example.com"}]}, "no multivalue answers"),
        ({"nodes": [node(f"n{n}") for n in range(1001)]}, "1001 values"),
    ],
)
def test_bad_input_gets_a_sentence_and_no_write(zone: Zone, options: dict[str, Any], message: str) -> None:
    result = zone.run(**({"nodes": [node("a")]} | options))
    assert result["failed"]
    assert message in result["msg"]
    assert "Traceback" not in str(result)
    assert zone.cloud.writes == Counter()
    assert zone.records() == {}


def test_a_record_outside_the_zone_of_an_id(zone: Zone) -> None:
    for check in (True, False):
        result = zone.run(node("a"), zone=None, hosted_zone_id=zone.id, record="shop.example.org", check=check)
        assert result["failed"]
        assert "does not belong into the hosted zone example.com." in result["msg"]
        assert zone.cloud.writes == Counter()


def test_a_zone_name_that_means_two(zone: Zone) -> None:
    vpc = {"VPCRegion": zone.cloud.seed["region"], "VPCId": zone.cloud.seed["vpc_id"]}
    made = zone.route53.create_hosted_zone(
        Name="example.com", CallerReference="private", VPC=vpc, HostedZoneConfig={"PrivateZone": True}
    )
    private = made["HostedZone"]["Id"].rpartition("/")[2]
    result = zone.run(node("a"))
    assert result["failed"]
    assert f"{zone.id} (public)" in result["msg"]
    assert f"{private} (private)" in result["msg"]
    assert "hosted_zone_id or private_zone" in result["msg"]
    assert zone.cloud.writes == Counter()
    assert zone.run(node("a"), private_zone=True)["hosted_zone_id"] == private
    assert zone.run(node("a"), private_zone=False)["hosted_zone_id"] == zone.id


def test_throttling_and_lost_connections_are_outlived(zone: Zone) -> None:
    for seed in range(4):
        zone.cloud.lab.faults(aws={"throttle": 0.3, "reset": 0.2}, seed=seed)
        result = zone.run(node("a", 10 + seed), node(f"n{seed}", 50 + seed), purge=True)
        zone.cloud.lab.faults()
        assert not result["failed"], result
        assert result["changed"]
        assert zone.values() == {"a": f"203.0.113.{10 + seed}", f"n{seed}": f"203.0.113.{50 + seed}"}


def test_two_jobs_at_once_lose_nothing_of_each_other(zone: Zone) -> None:
    zone.run(node("old", 1))
    zone.cloud.lab.latency(aws=0.05)
    jobs = [[node("a", 10)], [node("b", 11), node("c", 12)]]

    def job(number: int) -> dict[str, Any]:
        return _in_process(zone.cloud, {"zone": "example.com", "record": RECORD, "wait": False, "nodes": jobs[number]})

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(job, (0, 1)))
    assert [result["failed"] for result in results] == [False, False], results
    assert zone.values() == {"old": "203.0.113.1", "a": "203.0.113.10", "b": "203.0.113.11", "c": "203.0.113.12"}


def test_two_jobs_with_the_same_request(zone: Zone) -> None:
    """One of them finds its batch refused, looks again, and finds all true."""
    zone.cloud.lab.latency(aws=0.2)
    options = {"zone": "example.com", "record": RECORD, "wait": False, "nodes": [node("a"), node("b", 11)]}
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _number: _in_process(zone.cloud, options), range(2)))
    assert [result["failed"] for result in results] == [False, False], results
    assert set(zone.records()) == {"a", "b"}


def _in_process(cloud: Cloud, options: dict[str, Any]) -> dict[str, Any]:
    """Return a module run as a process of its own: two at a time cannot share this one's standard output."""
    code = (
        "import json, sys; from tests.modules import run_module; "
        f"print(json.dumps(run_module({MODULE!r}, json.load(sys.stdin))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(options),
        cwd=CHECKOUT,
        env=cloud.lab.environment(PYTHONPATH=f"{CHECKOUT}:{CHECKOUT / '.tree'}"),
        text=True,
        capture_output=True,
        check=True,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_its_only_write_the_next_run_ends_alike(zone: Zone, when: str) -> None:
    zone.run(node("a", 10), node("b", 11))
    options = {
        "zone": "example.com",
        "record": RECORD,
        "wait": False,
        "purge": True,
        "nodes": [node("b", 21), node("c", 12)],
    }
    zone.cloud.killed(MODULE, 1, when, **options)
    half = {"a": "203.0.113.10", "b": "203.0.113.11"}
    whole = {"b": "203.0.113.21", "c": "203.0.113.12"}
    assert zone.values() == (half if when == "before" else whole), "never half of it"
    result = zone.cloud.run(MODULE, **options)
    assert (result["failed"], result["changed"]) == (False, when == "before")
    assert zone.values() == whole
    assert not zone.cloud.run(MODULE, **options)["changed"]


# ---------------------------------------------------------------------- many names


def test_many_names_are_one_batch_and_one_wait(zone: Zone) -> None:
    elb = zone.cloud.lab.boto("elbv2")
    subnets = [zone.cloud.subnets(0)["client"]]
    balancer = elb.create_load_balancer(Name="web", Type="network", Subnets=subnets)["LoadBalancers"][0]
    alias = {"dns_name": balancer["DNSName"], "hosted_zone_id": balancer["CanonicalHostedZoneId"]}
    zone.put("api.example.com", SetIdentifier="gone", MultiValueAnswer=True)
    record_sets = [
        {"record": RECORD, "alias": alias},
        {"record": "api.example.com", "nodes": [node("a"), node("b", 11)]},
        {"record": "old.example.com", "state": "absent", "purge": True},
    ]
    options = {"zone": "example.com", "record_sets": record_sets, "wait_timeout": 30}
    predicted = zone.cloud.run(MODULE, check=True, **options)
    assert (predicted["changed"], zone.cloud.writes) == (True, Counter())

    done = zone.cloud.run(MODULE, **options)
    assert not done["failed"], done
    assert zone.cloud.writes == Counter({CHANGE: 1})
    assert zone.cloud.calls["ListHostedZonesByName"] == 1
    assert zone.cloud.calls[OBSERVATION] == 3
    shop, api, old = done["record_sets"]
    assert shop["alias"]["dns_name"] == f"{balancer['DNSName'].lower()}."
    assert [record["identifier"] for record in api["records"]] == ["a", "b", "gone"]
    assert [record["identifier"] for record in api["others"]] == ["gone"]
    assert (old["changed"], old["records"]) == (False, [])

    again = zone.cloud.run(MODULE, **options)
    assert (again["changed"], again["change_id"], zone.cloud.writes) == (False, None, Counter())
    gone = zone.run(record=RECORD, nodes=None, alias=alias, state="absent")
    assert (gone["failed"], gone["changed"], gone["alias"]) == (False, True, None)
    assert not zone.run(record=RECORD, nodes=None, alias=alias, state="absent")["changed"]


def test_one_name_that_cannot_be_keeps_all_from_being_written(zone: Zone) -> None:
    zone.put("api.example.com")
    record_sets = [{"record": RECORD, "nodes": [node("a")]}, {"record": "api.example.com", "nodes": [node("a")]}]
    refused = zone.cloud.run(MODULE, zone="example.com", record_sets=record_sets)
    assert (refused["failed"], zone.cloud.writes) == (True, Counter())
    assert "api.example.com. exists as a simple record" in refused["msg"]
    twice = zone.cloud.run(MODULE, zone="example.com", record_sets=[record_sets[0], record_sets[0]])
    assert "more than once" in twice["msg"]
    both = zone.run(node("a"), alias={"dns_name": "x", "hosted_zone_id": "Z1"})
    assert "nodes and alias exclude each other" in both["msg"]


def test_nodes_get_health_checks_that_go_with_them(zone: Zone) -> None:
    check = {"port": 8443}
    done = zone.run(node("n1", 1), node("n2", 2), health_check=check)
    assert not done["failed"], done
    ids = [record["health_check_id"] for record in done["records"]]
    assert sorted(done["health_checks"]["created"]) == sorted(ids)
    listed = zone.route53.list_health_checks()["HealthChecks"]
    made = {one["Id"]: (one["HealthCheckConfig"]["IPAddress"], one["HealthCheckConfig"]["Port"]) for one in listed}
    assert [made[one] for one in ids] == [("203.0.113.1", 8443), ("203.0.113.2", 8443)]
    zone.cloud.calls.clear()

    again = zone.run(node("n1", 1), node("n2", 2), health_check=check)
    assert (again["changed"], again["health_checks"]) == (False, {"created": [], "deleted": []})

    gone = zone.run(node("n1", 1), state="absent")
    assert (gone["changed"], gone["health_checks"]["deleted"]) == (True, ids[:1])
    writes = [call.op for call in zone.cloud.lab.calls(side="aws") if call.write]
    assert writes[-2:] == ["ChangeResourceRecordSets", "DeleteHealthCheck"], "never a record whose check is gone"
    left = [one["Id"] for one in zone.route53.list_health_checks()["HealthChecks"]]
    assert (left, list(zone.records())) == (ids[1:], ["n2"])
