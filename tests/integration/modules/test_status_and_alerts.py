"""Samples kept by ticks, alerts to SNS and EventBridge, alarms and dashboard, and the state of a group, on a lab."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from tests.integration.modules.appliances import PASSWORD, Box
from tests.lab.client import wait_for
from tests.modules import run_module
from tests.unit.plugins.module_utils.scaling.scenario import BETWEEN, HIGH, iso, policy_dict

from .test_autoscale_tick import Zone, zone

__all__ = ["zone"]
BUS = "operations"


@pytest.fixture
def inbox(zone: Zone) -> dict[str, str]:
    """A topic and a bus, and where tests read what arrives: a queue for each. ARNs and URLs by name."""
    sns, sqs, events = (zone.lab.boto(name) for name in ("sns", "sqs", "events"))
    topic = sns.create_topic(Name="operations")["TopicArn"]
    events.create_event_bus(Name=BUS)
    pattern = json.dumps({"source": ["cloudadc.aws"], "detail-type": ["decision", "node_silent"]})
    events.put_rule(Name="all", EventBusName=BUS, EventPattern=pattern)
    found = {"topic": topic}
    for name in ("mail", "bus"):
        found[name] = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=found[name], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        if name == "mail":
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        else:
            events.put_targets(Rule="all", EventBusName=BUS, Targets=[{"Id": "q", "Arn": arn}])
    return found


def arrived(zone: Zone, queue: str) -> list[dict[str, Any]]:
    """What has arrived: at least one message; on a busy machine a tick does not wait for it."""
    found: list[dict[str, Any]] = []
    wait_for(lambda: bool(found.extend(read(zone, queue)) or found), "a message has arrived", seconds=30)
    return found


def read(zone: Zone, queue: str) -> list[dict[str, Any]]:
    sqs = zone.lab.boto("sqs")
    found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for each in found:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
    return [json.loads(each["Body"]) for each in found]


def lose_licence_server(zone: Zone, box: Box) -> None:
    """Name a licence server on an appliance; it does not answer any more."""
    with NitroClient(Connection(box.nsip, password=PASSWORD, ca_path=zone.lab.ca_path)) as node:
        node.add("nslicenseserver", {"licenseserverip": "10.0.9.10"})
    zone.lab.settings(nitro={"license_server_up": False})


def test_decisions_and_silent_nodes_are_published_and_a_topic_that_is_gone_is_a_warning(
    zone: Zone, inbox: dict[str, str]
) -> None:
    alerts = {"sns_topic_arn": inbox["topic"], "event_bus": BUS}
    zone.load(HIGH)
    zone.tick(1, alerts=alerts)
    zone.tick(2, alerts=alerts)
    assert zone.tick(3, alerts=alerts, check=True)["decision"]["action"] == "scale_out"
    assert read(zone, inbox["mail"]) == [], "nothing is decided yet, and check mode publishes nothing"
    decided = zone.tick(3, alerts=alerts)
    assert decided["decision"]["action"] == "scale_out"
    [mail] = arrived(zone, inbox["mail"])
    message = json.loads(mail["Message"])
    assert (mail["Subject"], message["type"]) == ("group shop a: decision", "decision")
    assert message["detail"]["event_id"] == decided["decision"]["event_id"]
    [event] = arrived(zone, inbox["bus"])
    assert (event["source"], event["detail"]["summary"]) == ("cloudadc.aws", message["summary"])
    zone.tick(4, alerts=alerts, event={"id": message["detail"]["event_id"], "outcome": "failed", "message": "quota"})
    assert [json.loads(mail["Message"])["type"] for mail in arrived(zone, inbox["mail"])] == ["event_failed"]

    zone.load(BETWEEN)
    lose_licence_server(zone, zone.boxes[0])
    graced = zone.tick(18, alerts=alerts)
    [grace] = [json.loads(mail["Message"]) for mail in arrived(zone, inbox["mail"])]
    assert (grace["type"], grace["summary"]) == ("licence_grace", graced["licence_grace"][0])
    assert "licence server 10.0.9.10 does not answer" in grace["summary"]
    assert zone.tick(19, alerts=alerts)["licence_grace"] is None, "licences are read each quarter of an hour"

    zone.lab.power(zone.boxes[1].instance_id, on=False)
    zone.tick(30, alerts=alerts)
    [silent] = [json.loads(mail["Message"]) for mail in arrived(zone, inbox["mail"])]
    assert (silent["type"], silent["detail"]["instance_id"]) == ("node_silent", zone.boxes[1].instance_id)
    zone.tick(31, alerts=alerts)
    assert read(zone, inbox["mail"]) == [], "once an hour while it lasts"
    gone = zone.tick(100, alerts={"sns_topic_arn": inbox["topic"] + "-gone"})
    assert not gone["failed"]
    assert any("alerts (node_silent) are not published" in str(text) for text in gone["warnings"])


@pytest.mark.parametrize("zone", ["file", "dynamodb"], indirect=True)
def test_samples_of_ticks_are_on_the_page_in_a_replay_and_in_the_information(zone: Zone, tmp_path: Path) -> None:
    zone.load(BETWEEN)
    for minute in range(1, 6):
        zone.tick(minute)
    assert zone.tick(6, samples_hours=169)["msg"].startswith("shop a: samples_hours must be between 0")
    where = {"group": "shop", "store": zone.store}
    [record] = run_module("autoscale_info", {**where, "samples_hours": 1})["records"]
    assert [each["at"] for each in record["samples"]] == [iso(minute) for minute in range(1, 6)]
    assert {each["nodes"] for each in record["samples"]} == {2}
    assert record["samples"][0]["values"]["memory"] == BETWEEN
    assert "samples" not in run_module("autoscale_info", where)["records"][0]
    replayed = run_module("autoscale_replay", {**where, "zone": "a", "policies": {"now": policy_dict()}})
    assert replayed["samples"]["count"] == 5, replayed
    page = {"path": str(tmp_path / "page.html"), "policy": policy_dict(), **where}
    [panel] = run_module("autoscale_report", page)["panels"]
    assert panel["samples"]["memory"] == 5
    assert run_module("autoscale_forget", where)["zones"] == ["a"]
    zone.tick(7)
    assert len(run_module("autoscale_info", {**where, "samples_hours": 1})["records"][0]["samples"]) == 1


def test_state_of_a_group_names_a_silent_node_and_publishes_it(zone: Zone, inbox: dict[str, str]) -> None:
    zone.load(BETWEEN)
    for box in zone.boxes:
        zone.tag(box, kind="group")
    zone.tick(1)
    options = {
        "store": zone.store, "nitro_pass": PASSWORD, "nitro_port": zone.lab.nitro_port, "ca_path": zone.lab.ca_path,
        "nitro_timeout": 5, "probe_timeout": 1,
    }  # fmt: skip
    found = run_module("vpx_status_info", options)
    assert not found["failed"], found
    [group] = found["status"]["groups"]
    assert (group["name"], found["status"]["problems"]) == ("shop", [])
    [shown] = group["zones"]
    assert (shown["phase"], shown["in_service"]) == ("watching", 2)
    assert [node["memory"] for node in shown["nodes"]] == [BETWEEN, BETWEEN]
    assert PASSWORD not in json.dumps(found["status"])

    zone.lab.power(zone.boxes[0].instance_id, on=False)
    [problem] = run_module("vpx_status_info", {**options, "groups": ["shop"]})["status"]["problems"]
    assert f"{zone.boxes[0].instance_id}) runs and does not answer" in problem
    status = run_module("vpx_status_info", options)["status"]
    published = run_module("vpx_alert", {"status": status, "sns_topic_arn": inbox["topic"]})
    assert [each["type"] for each in published["alerts"]] == ["problem"], published
    [mail] = arrived(zone, inbox["mail"])
    assert json.loads(mail["Message"])["name"] == "shop"
    missing = run_module("vpx_status_info", {**options, "groups": ["shop", "nope"]})
    assert missing["failed"]
    assert "has no group nope with an instance" in missing["msg"]
    refused = run_module("vpx_alert", {"status": status, "sns_topic_arn": inbox["topic"] + "-gone"})
    assert refused["failed"], "publishing is what this module is for"


def test_alarms_and_dashboard_follow_the_policy_and_a_second_run_writes_nothing(zone: Zone) -> None:
    cloudwatch = zone.lab.boto("cloudwatch")
    options: dict[str, Any] = {"group": "shop", "zones": ["a"], "policy": policy_dict()}
    writes = len(zone.lab.writes())
    predicted = run_module("autoscale_alarms", options, check=True)
    assert (predicted["changed"], len(zone.lab.writes()), len(predicted["written"])) == (True, writes, 5)
    made = run_module("autoscale_alarms", options)
    assert made["written"] == predicted["written"], made
    names = {each["AlarmName"] for each in cloudwatch.describe_alarms(AlarmNamePrefix="cloudadc-shop-")["MetricAlarms"]}
    assert names == set(made["alarms"])
    body = json.loads(cloudwatch.get_dashboard(DashboardName="cloudadc-shop")["DashboardBody"])
    assert len(body["widgets"]) == 2
    again = run_module("autoscale_alarms", options)
    assert (again["changed"], again["diff"]["after"]["alarms"]) == (False, {})

    other = {**options, "zones": ["b"], "dashboard": False}
    moved = run_module("autoscale_alarms", other)
    assert (moved["deleted"], len(moved["written"]), moved["dashboard"]) == (made["alarms"], 5, "")
    gone = run_module("autoscale_alarms", {"group": "shop", "state": "absent"})
    assert (gone["changed"], gone["alarms"]) == (True, [])
    assert not run_module("autoscale_alarms", {"group": "shop", "state": "absent"})["changed"]
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert "zones is empty" in run_module("autoscale_alarms", {"group": "shop", "policy": policy_dict()})["msg"]
