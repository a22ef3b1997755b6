"""autoscale_tick against the lab: what it decides, what it asks, and what it must not ask."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.modules.appliances import PASSWORD, Box, launch
from tests.lab.client import LabClient, wait_for
from tests.modules import run_module
from tests.unit.plugins.module_utils.scaling.scenario import BETWEEN, HIGH, iso, policy_dict

TABLE = "autoscale-ticks"
SESSION = ["POST /config/login", "GET /stat/ns", "POST /config/logout"]


@dataclass
class Zone:
    """A zone of the group shop in a lab, and what its latest tick asked: ``aws`` actions, ``nitro`` calls in order."""

    lab: LabClient
    boxes: list[Box]
    store: dict[str, Any]
    aws: Counter[str]
    nitro: list[str]

    def tick(self, minute: float, *, check: bool = False, **more: Any) -> dict[str, Any]:
        params = {
            "group": "shop",
            "zone": "a",
            "policy": policy_dict(),
            "store": self.store,
            "now": iso(minute),
            "nitro_port": self.lab.nitro_port,
            "nitro_pass": PASSWORD,
            "ca_path": self.lab.ca_path,
            "nitro_timeout": 5,
            "owner": "test",
            **more,
        }
        params = {name: value for name, value in params.items() if value is not None}
        since = time.time()
        result = run_module("autoscale_tick", params, check=check, diff=True)
        calls = self.lab.calls(since)
        self.aws = Counter(call.op for call in calls if call.side == "aws")
        self.nitro = [call.op for call in calls if call.side == "nitro"]
        assert PASSWORD not in json.dumps({key: value for key, value in result.items() if key != "invocation"})
        return result

    def tag(self, box: Box, **tags: str) -> None:
        named = [{"Key": f"cloudadc:{key}", "Value": value} for key, value in tags.items()]
        self.lab.boto("ec2").create_tags(Resources=[box.instance_id], Tags=named)

    def load(self, memory: float) -> None:
        self.lab.load(all=True, cpu=20, memory=memory, throughput=10, connections=10)


@pytest.fixture
def zone(fresh_lab: LabClient, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Zone:
    """Two nodes in service, each with its tags; a store of files unless the test asks for DynamoDB."""
    for name, value in fresh_lab.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    boxes = launch(fresh_lab, "aa")
    kind = getattr(request, "param", "file")
    store = {"path": str(tmp_path / "store")}
    found = Zone(
        fresh_lab, boxes, store if kind == "file" else {"type": kind, "table": TABLE, "create": True}, Counter(), []
    )
    for number, box in enumerate(boxes):
        wait_for(lambda box=box: box.state()["stage"] == "ready", "it has booted")
        assert not box.bootstrap()["failed"]
        found.tag(box, group="shop", zone="a", lifecycle="in_service", node_id=str(number))
    return found


@pytest.mark.parametrize(
    ("zone", "idle"), [("file", {}), ("dynamodb", {"UpdateItem": 3})], indirect=["zone"], ids=["file", "dynamodb"]
)
def test_what_a_tick_asks(zone: Zone, idle: dict[str, int]) -> None:
    """The first looks for the nodes; an idle one asks each in one session and AWS for the record at most."""
    zone.load(BETWEEN)
    first = zone.tick(1)
    assert not first["failed"], first
    assert (first["searched"], first["node_count"], first["changed"]) == (True, 2, False)
    assert zone.aws["DescribeInstances"] == 1
    assert first["in_service"] == [
        {"nsip": box.nsip, "instance_id": box.instance_id, "node_id": number} for number, box in enumerate(zone.boxes)
    ]
    second = zone.tick(2)
    assert (second["searched"], second["decision"]["evaluated"], len(second["window"])) == (False, True, 2)
    assert [node["nsip"] for node in second["nodes"]] == [box.nsip for box in zone.boxes]
    assert dict(zone.aws) == idle
    assert sorted(zone.nitro) == sorted(SESSION * 2)


def test_zones_of_one_call_share_one_read_and_fail_apart(zone: Zone) -> None:
    zone.load(BETWEEN)
    zone.tag(zone.boxes[1], zone="b")
    store = Path(zone.store["path"])
    store.mkdir()
    (store / "shop@c.json").write_text("{damaged")
    result = zone.tick(1, zone=None, zones=[{"zone": "a"}, {"zone": "b"}, {"zone": "c"}])
    assert not result["failed"], result
    assert [each["failed"] for each in result["zones"]] == [False, False, True]
    assert [each["node_count"] for each in result["zones"][:2]] == [1, 1]
    assert (result["failed_zones"], "c" in result["due"]) == (["c"], True)
    assert "shop c: " in result["zones"][2]["msg"]
    assert dict(zone.aws) == {"DescribeInstances": 1}
    assert sorted(zone.nitro) == sorted(SESSION * 2)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"zones": []}, "zones is empty"),
        ({"zones": [{"zone": "a"}, {"zone": "a"}]}, "zones names a zone more than once"),
        ({"zones": [{"zone": "a"}], "event": {"id": "e", "outcome": "done"}}, "mutually exclusive"),
        ({"zones": [{"zone": "a"}], "now": "soon"}, "now must be an instant"),
    ],
)
def test_zones_that_cannot_be_ticked_are_refused(zone: Zone, more: dict[str, Any], sentence: str) -> None:
    result = zone.tick(1, zone=None, **more)
    assert result["failed"]
    assert sentence in result["msg"]
    assert not Path(zone.store["path"]).exists()


def test_an_evaluation_with_dynamodb_is_three_calls(fresh_lab: LabClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in fresh_lab.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    for minute, calls in ((1, None), (2, {"UpdateItem": 3}), (3, {"UpdateItem": 3})):
        since = time.time()
        params = {"group": "shop", "zone": "a", "policy": policy_dict(), "now": iso(minute), "node_count": 2}
        store = {"type": "dynamodb", "table": TABLE, "create": True}
        result = run_module("autoscale_evaluate", {**params, "store": store, "sample": {"memory": BETWEEN}})
        assert result["decision"]["evaluated"], result
        assert calls in (None, Counter(call.op for call in fresh_lab.calls(since, side="aws")))


def test_no_session_is_opened_in_a_phase(zone: Zone) -> None:
    zone.load(HIGH)
    for minute in (1, 2):
        zone.tick(minute)
    predicted = zone.tick(3, check=True)
    grown = zone.tick(3, announce=True)
    assert (grown["decision"]["action"], grown["event"]["nodes_before"], grown["event"]["announced"]) == (
        "scale_out",
        2,
        True,
    )
    assert predicted["decision"] == grown["decision"]
    assert zone.tick(3.2)["decision"]["resumed"], "its owner asks again"
    assert (zone.nitro, dict(zone.aws)) == ([], {})
    message = {"id": grown["decision"]["event_id"], "outcome": "done"}
    assert zone.tick(3.4, event=message)["phase"] == "cooldown"
    resting = zone.tick(4)
    assert (resting["phase"], resting["decision"]["evaluated"], resting["nodes"]) == ("cooldown", False, [])
    assert (zone.nitro, dict(zone.aws)) == ([], {})
    awake = zone.tick(14)
    assert awake["searched"], "the event was closed and did not say which nodes there are"
    zone.tick(15)
    assert dict(zone.aws) == {}


def test_a_report_that_names_the_nodes_saves_the_look(zone: Zone) -> None:
    zone.load(HIGH)
    asked = {"action": "scale_out", "count": 1}
    event = zone.tick(1, request=asked)["decision"]["event_id"]
    assert dict(zone.aws) == {"DescribeInstances": 1}
    nodes = [{"nsip": zone.boxes[0].nsip, "instance_id": zone.boxes[0].instance_id, "node_id": "0"}]
    zone.tick(1.2, event={"id": event, "outcome": "done", "nodes": nodes})
    tick = zone.tick(12)
    assert (tick["searched"], [node["nsip"] for node in tick["nodes"]]) == (False, [zone.boxes[0].nsip])
    assert dict(zone.aws) == {}


def test_a_node_that_is_silent_and_one_that_is_gone(zone: Zone) -> None:
    zone.load(BETWEEN)
    zone.tick(1)
    one, two = zone.boxes
    zone.lab.power(two.instance_id, on=False)
    silent = zone.tick(2, nitro_timeout=2)
    assert not silent["failed"]
    assert silent["decision"]["evaluated"], "the other one has figures"
    assert [bool(node["error"]) for node in silent["nodes"]] == [False, True]
    assert dict(zone.aws) == {"DescribeInstances": 1}
    zone.lab.boto("ec2").terminate_instances(InstanceIds=[two.instance_id])
    lost = zone.tick(3, nitro_timeout=2)
    assert [node["instance_id"] for node in lost["missing"]] == [two.instance_id]
    assert [node["nsip"] for node in lost["nodes"]] == [one.nsip]
    assert lost["decision"]["action"] == "scale_out", "fewer than min_nodes"
    again = zone.tick(4)
    assert [node["instance_id"] for node in again["missing"]] == [two.instance_id], "until its cleanup is reported"
    assert zone.tick(4, swept=[two.instance_id])["missing"] == []


def test_a_zone_without_nodes_grows_to_its_least(zone: Zone) -> None:
    for box in zone.boxes:
        zone.tag(box, lifecycle="provisioning")
    decision = zone.tick(1)["decision"]
    assert (decision["action"], decision["count"]) == ("scale_out", 2)


def test_addresses_given_are_asked_and_ec2_is_not(zone: Zone) -> None:
    zone.load(BETWEEN)
    result = zone.tick(1, nodes=[zone.boxes[0].nsip], node_count=2)
    assert (result["node_count"], result["searched"], result["in_service"]) == (2, False, None)
    assert len(zone.nitro) == 3
    assert zone.tick(2, nodes=[], node_count=3, sample={"memory": BETWEEN})["decision"]["evaluated"]
    assert (dict(zone.aws), zone.nitro) == ({}, [])
    assert zone.tick(3, nodes=[])["node_count"] == 0, "an empty list is a zone without nodes"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"nitro_pass": ""}, "give nitro_pass or nitro_auth_token"),
        ({"request": {"action": "scale_out", "count": 9}}, "max_nodes is 6, so at most 4 can be asked for"),
        ({"request": {"action": "scale_in", "count": 1}}, "min_nodes is 2, so at most 0 can be asked for"),
        ({"request": {"action": "scale_in", "count": 0}}, "request.count must be a whole number of at least 1"),
        ({"now": "soon"}, "now must be an instant"),
        ({"event": {"id": "adc-x", "outcome": "done"}}, "event adc-x is not one of shop a"),
        ({"sample": {"memory": "much"}}, "sample.memory must be a number"),
        ({"group": "shopp"}, "EC2 lists no instance with the tags cloudadc:group=shopp and cloudadc:zone=a"),
        ({"zone": "aa"}, "EC2 lists no instance with the tags cloudadc:group=shop and cloudadc:zone=aa"),
    ],
)
def test_what_is_refused_changes_nothing(zone: Zone, more: dict[str, Any], sentence: str) -> None:
    result = zone.tick(1, **more)
    assert result["failed"]
    assert sentence in result["msg"]
    assert "Traceback" not in result["msg"]
    asked = {"group": more.get("group", "shop"), "zone": more.get("zone", "a")}
    record = run_module("autoscale_info", {**asked, "store": zone.store})["record"]
    assert (record["version"], record["fence"], record["lease"]) == (0, 0, None)
