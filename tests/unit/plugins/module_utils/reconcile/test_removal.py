"""Removal candidates over what EC2, the load balancer and the appliances say."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.cluster import Member
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import removal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.removal import Removal
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.figures import Figures, Reading

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-web/1"
PARAMS: dict[str, Any] = {
    "group": "shop",
    "zone": "a",
    "step": "begin",
    "count": 1,
    "event_id": "adc-1",
    "min_nodes": 1,
    "topology": None,
    "clustered": False,
    "coordinator": None,
    "clip": None,
    "nitro_port": 9443,
    "probe": False,
    "load_balancer": None,
    "domains": [],
    "image_id": None,
    "nitro_timeout": 5,
}


def described(number: int, lifecycle: str = "in_service") -> dict[str, Any]:
    tags = {"group": "shop", "zone": "a", "node_id": str(number), "lifecycle": lifecycle}
    return {
        "InstanceId": f"i-{number}",
        "State": {"Name": "running"},
        "Tags": [{"Key": f"cloudadc:{key}", "Value": value} for key, value in tags.items()],
        "NetworkInterfaces": [
            {
                "NetworkInterfaceId": f"eni-{number}-{index}",
                "Attachment": {"DeviceIndex": index},
                "PrivateIpAddresses": [{"PrivateIpAddress": f"10.0.{index}.{number}", "Primary": True}],
            }
            for index in range(3)
        ],
    }


class Aws:
    """EC2 and the load balancer. ``later``: what EC2 says from the second look on; ``marked``: tags by instance."""

    def __init__(self, *instances: dict[str, Any]) -> None:
        self.instances, self.later = list(instances), None
        self.healths: dict[str, str] = {}
        self.marked: dict[str, dict[str, str]] = {}
        self.observations = 0

    def __call__(self, _service: str) -> Aws:
        return self

    def get_paginator(self, _call: str) -> Aws:
        return self

    def paginate(self, **_filters: Any) -> Aws:
        return self

    def build_full_result(self) -> dict[str, Any]:
        self.observations += 1
        found = self.later if self.later is not None and self.observations > 1 else self.instances
        return {"Reservations": [{"Instances": found}]}

    def create_tags(self, Resources: list[str], Tags: list[dict[str, str]]) -> None:
        for resource in Resources:
            self.marked[resource] = {tag["Key"]: tag["Value"] for tag in Tags}

    def describe_target_health(self, TargetGroupArn: str) -> dict[str, Any]:
        assert TargetGroupArn == ARN
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": address, "Port": 80}, "TargetHealth": {"State": state}}
                for address, state in self.healths.items()
            ]
        }


def job(aws: Aws, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Removal:
    group = {"target_group_arn": ARN, "port": None, "target_port": 80}
    monkeypatch.setattr(Removal, "_target_groups", lambda self: [group] if self.params["load_balancer"] else [])
    check_mode, open_event = more.pop("check_mode", False), more.pop("open_event", None)
    return Removal({**PARAMS, **more}, aws, check_mode, open_event)


def removed(result: dict[str, Any]) -> list[str]:
    found: list[str] = result["instance_ids"]
    return found


def test_an_unhealthy_target_is_removed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(*(described(number) for number in range(3)))
    aws.healths = {"10.0.1.0": "unhealthy", "10.0.1.1": "healthy", "10.0.1.2": "initial"}
    result = job(aws, monkeypatch, load_balancer="shop").run()
    assert removed(result) == ["i-0"]
    assert aws.marked == {"i-0": {"cloudadc:lifecycle": "draining", "cloudadc:event": "adc-1"}}
    assert result["target_groups"] == [{"target_group_arn": ARN, "targets": [{"id": "10.0.1.0", "port": 80}]}]


def test_a_silent_node_is_removed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(*(described(number) for number in range(3)))
    monkeypatch.setattr(removal, "probe_with", lambda params, nodes: None)

    def poll(nodes: list[str], _probe: object, _deadline: float) -> list[Reading]:
        return [Reading(nsip, not nsip.startswith("10.0.0.1:"), Figures()) for nsip in nodes]

    monkeypatch.setattr(removal, "poll", poll)
    assert removed(job(aws, monkeypatch, probe=True).run()) == ["i-1"]


def test_the_coordinator_stays_and_a_member_that_does_not_serve_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(*(described(number) for number in range(4)))
    serving = {"admin_state": "ACTIVE", "master_state": "ACTIVE", "health": "UP", "effective_state": "UP"}
    members = [Member(number, f"10.0.0.{number}", coordinator=number == 3, **serving) for number in (0, 2, 3)]
    monkeypatch.setattr(Removal, "_members", lambda self: (*members, Member(1, "10.0.0.1", health="DOWN")))
    result = job(aws, monkeypatch, clip="10.0.0.100").run()
    assert removed(result) == ["i-1"]
    assert result["cluster_nodes"] == [{"nsip": "10.0.0.1:9443"}]


def test_a_cluster_that_does_not_answer_loses_no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(*(described(number) for number in range(4)))

    def silent(_self: Removal) -> tuple[Member, ...]:
        raise Failure("10.0.0.100: no answer")

    monkeypatch.setattr(Removal, "_members", silent)
    with pytest.raises(Failure, match="no answer"):
        job(aws, monkeypatch, clip="10.0.0.100").run()
    assert aws.marked == {}


def test_health_is_not_read_for_an_event_that_has_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    node = described(2, "draining")
    node["Tags"].append({"Key": "cloudadc:event", "Value": "adc-1"})
    aws = Aws(described(0), described(1), node)
    aws.describe_target_health = None  # type: ignore[assignment,method-assign]
    assert removed(job(aws, monkeypatch, load_balancer="shop").run()) == ["i-2"]


def test_cleanup_looks_again_before_it_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two looks an operator's scale-out has put a stranded node into service."""
    aws = Aws(described(0), described(1, "joining"), described(2, "provisioning"))
    aws.later = [described(1, "in_service"), described(2, "provisioning")]
    result = job(aws, monkeypatch, step="cleanup", open_event=lambda: "").run()
    assert removed(result) == ["i-2"]
    assert aws.marked == {"i-2": {"cloudadc:lifecycle": "terminating", "cloudadc:event": "adc-1"}}


def test_cleanup_leaves_stranded_nodes_to_an_open_event(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(described(0), described(1, "joining"))
    result = job(aws, monkeypatch, step="cleanup", open_event=lambda: "adc-2").run()
    assert (removed(result), aws.marked) == ([], {})
    assert "event adc-2 is open" in result["sentence"]


def test_names_are_removed_of_nodes_that_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {**described(1, "terminating"), "State": {"Name": "terminated"}, "NetworkInterfaces": []}
    gone["Tags"].append({"Key": "cloudadc:event", "Value": "adc-1"})
    result = job(Aws(described(0), gone), monkeypatch, step="finish", domains=["shop.example.com"]).run()
    assert result["record_sets"] == [{"record": "shop.example.com", "nodes": [{"identifier": "i-1"}]}]
    assert (result["client_addresses"], result["nsips"], result["changed"]) == ([], [], False)


def test_check_mode_marks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(described(0), described(1))
    result = job(aws, monkeypatch, check_mode=True).run()
    assert (result["changed"], removed(result), aws.marked) == (True, ["i-1"], {})
