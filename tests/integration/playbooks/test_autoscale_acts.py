"""The documented example, T1 to T33, carried out: nodes launched, drained and removed; and scaling by hand."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab.client import LabClient
from tests.modules import run_module
from tests.unit.plugins.module_utils.scaling.scenario import HIGH, iso, rows

from .test_autoscale_table import play

pytestmark = pytest.mark.long

ACTIONS = Path(__file__).with_name("autoscale_acts.yml")


@dataclass
class Group:
    """A group of one zone in a lab, its definition, and what the ticks of the documented example answered."""

    lab: LabClient
    folder: Path
    definition: dict[str, Any]
    answers: list[dict[str, Any]]

    @property
    def zone(self) -> str:
        name: str = self.definition["autoscale_group_zones"][0]["name"]
        return name

    def play(self, what: str, **given: Any) -> str:
        message = play(what, self.folder, env=self.lab.environment(), **{**self.definition, **given})
        assert self.definition["autoscale_group_password"] not in message
        return message

    def lifecycles(self) -> Counter[str]:
        """Of the instances that run."""
        found = self.lab.boto("ec2").describe_instances(
            Filters=[{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
        )["Reservations"]
        tags = [{tag["Key"]: tag["Value"] for tag in i["Tags"]} for each in found for i in each["Instances"]]
        return Counter(each["cloudadc:lifecycle"] for each in tags if "cloudadc:group" in each)

    def targets(self) -> list[str]:
        """Return the states of the targets of all target groups."""
        elb = self.lab.boto("elbv2")
        arns = [each["TargetGroupArn"] for each in elb.describe_target_groups()["TargetGroups"]]
        described = [elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"] for arn in arns]
        return [target["TargetHealth"]["State"] for each in described for target in each]

    def record(self) -> dict[str, Any]:
        params = {"group": self.definition["autoscale_group_name"], "zone": self.zone}
        found: dict[str, Any] = run_module(
            "autoscale_info", {**params, "store": self.definition["autoscale_group_store"]}
        )["record"]
        return found


@pytest.fixture(scope="module")
def group(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Group:
    """Built, and driven through the example in one play."""
    lab.reset()
    lab.pace(300)
    folder = tmp_path_factory.mktemp("acts")
    definition = lab.variables("autoscale_nlb")
    definition["autoscale_group_zones"] = definition["autoscale_group_zones"][:1]
    made = Group(lab, folder, definition, [])
    made.play("cloudadc.aws.autoscale_group")
    minutes = [
        {"at": iso(row.minute), "sample": {"memory": HIGH if row.memory is None else row.memory}} for row in rows("nlb")
    ]
    made.play(str(ACTIONS), acts_minutes=minutes, acts_zone=made.zone, acts_folder=str(folder))
    made.answers.extend(json.loads((folder / "answers.json").read_text()))
    return made


@pytest.mark.timeout(1500)
def test_minute_by_minute(group: Group) -> None:
    message = [(each["decision"]["action"], each["phase"], each["decision"]["evaluated"]) for each in group.answers]
    assert message == [row.answer() for row in rows("nlb")]


@pytest.mark.timeout(600)
def test_nodes_came_and_went(group: Group) -> None:
    counts = [each["node_count"] for each in group.answers]
    assert (counts[5], counts[19], counts[32]) == (1, 2, 1), "before the growth, before the shrinking, at the end"
    assert group.lifecycles() == {"in_service": 1}
    assert group.targets() == ["healthy"]
    record = group.record()
    assert [(each["action"], each["outcome"]) for each in record["history"]] == [
        ("scale_out", "done"),
        ("scale_in", "done"),
    ]
    assert (record["unfinished"], record["missing"], record["event"]) == ([], [], None)


@pytest.mark.timeout(900)
def test_by_hand(group: Group) -> None:
    """A node more, which the ticks then know; and beyond the limits a sentence, and nothing else."""
    named = {"scale_out_zone": group.zone, "autoscale_now": iso(34)}
    with pytest.raises(AssertionError, match="max_nodes is 4, so at most 3 can be asked for"):
        group.play("cloudadc.aws.scale_out", scale_out_count=4, **named)
    assert len(group.record()["history"]) == 2
    message = group.play("cloudadc.aws.scale_out", **named)
    assert "asked for by hand; 1 → 2 nodes, max 4" in message
    assert group.lifecycles() == {"in_service": 2}
    message = group.play("cloudadc.aws.scale_in", scale_in_zone=group.zone, autoscale_now=iso(35))
    assert f"drain until {iso(45)}" in message
    assert group.lifecycles() == {"in_service": 1, "draining": 1}
    group.play("cloudadc.aws.autoscale", autoscale_now=iso(46), autoscale_sample={"memory": 60})
    assert group.lifecycles() == {"in_service": 1}
    assert [each["outcome"] for each in group.record()["history"]] == ["done"] * 4
