"""Nodes that leave, and nodes that are lost, leave the console as well; and a group that is removed leaves nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.crash.group_flows import ZONE, Kind, built
from tests.lab.client import Call, LabClient, wait_for
from tests.orphans import left_over
from tests.stage import Stage

from .groups import OTHER_ZONE, Group

pytestmark = pytest.mark.long

KIND = Kind("nlb", "independent")


@pytest.fixture
def group(lab: LabClient) -> Group:
    return Group(Stage(lab, quick=True), KIND)


@pytest.mark.timeout(3000)
def test_a_node_that_was_taken_out_by_hand(group: Group) -> None:
    """The name of the request is not the id of the event: the tick that finishes it finds the nodes all the same."""
    group.begin(built(KIND))
    asked = {"scale_out_zone": ZONE, "scale_out_event_id": "ticket-1", "autoscale_now": "2026-03-01T11:00:00Z"}
    run = group.play("scale_out", **asked)
    assert run.code == 0, run.message
    assert group.devices() == sorted(group.nsips() + group.nsips(OTHER_ZONE))
    assert len(group.devices()) == 3

    asked = {"scale_in_zone": ZONE, "scale_in_event_id": "ticket-2", "autoscale_now": "2026-03-01T12:00:00Z"}
    run = group.play("scale_in", **asked)
    assert (run.code, group.lifecycles()) == (0, {"in_service": 1, "draining": 1}), run.message
    assert len(group.devices()) == 3
    run = group.play("autoscale", autoscale_zones=[ZONE], autoscale_now="2026-03-01T12:20:00Z")
    assert (run.code, group.lifecycles()) == (0, {"in_service": 1}), run.message
    assert group.devices() == sorted(group.nsips() + group.nsips(OTHER_ZONE))
    assert [one["outcome"] for one in group.record()["history"]] == ["done", "done"]


@pytest.mark.timeout(3000)
def test_nodes_are_replaced_by_nodes_that_join_first(group: Group) -> None:
    group.begin(built(KIND))
    [old] = group.nodes()
    group.lab.boto("ec2").stop_instances(InstanceIds=[old["InstanceId"]])
    run = group.play("autoscale_group")
    assert f"node {old['InstanceId']} is stop" in run.message
    assert f"replace it with autoscale_group_replace_node={old['InstanceId']}" in run.message
    assert (run.code, run.writes) == (2, [])

    asked = {"autoscale_group_replace_node": old["InstanceId"], "autoscale_now": "2026-03-01T11:00:00Z"}
    run = group.play("autoscale_group", **asked)
    assert (run.code, group.lifecycles()) == (0, {"in_service": 1}), run.message
    new = successor(group, old)
    ops = [call.op for call in run.calls if call.write]
    assert ops.index("RunInstances") < ops.index("RegisterTargets") < ops.index("TerminateInstances")

    # A node that runs drains: the new one joins before, and no job waits for the drain.
    asked = {"autoscale_group_replace_node": new["InstanceId"], "autoscale_now": "2026-03-01T12:00:00Z"}
    run = group.play("autoscale_group", **asked)
    assert (run.code, group.lifecycles()) == (0, {"in_service": 1, "draining": 1}), run.message
    newest = successor(group, new)
    ops = [call.op for call in run.calls if call.write]
    assert ops.index("RunInstances") < ops.index("RegisterTargets") < ops.index("DeregisterTargets")
    assert "TerminateInstances" not in ops
    for now in ("2026-03-01T12:30:00Z", "2026-03-01T13:30:00Z"):
        run = group.play("autoscale_group", **{**asked, "autoscale_now": now})
        assert (run.code, group.lifecycles()) == (0, {"in_service": 1}), run.message
    assert [one["InstanceId"] for one in group.nodes()] == [newest["InstanceId"]]
    assert run.writes == []
    assert [one["outcome"] for one in group.record()["history"]] == ["done"] * 3


def successor(group: Group, old: dict[str, Any]) -> dict[str, Any]:
    """Return the instance in service that was launched in the place of another one."""
    found = {one["InstanceId"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in group.nodes()}
    [name] = [one for one, tags in found.items() if tags.get("cloudadc:replaces") == old["InstanceId"]]
    assert found[name]["cloudadc:lifecycle"] == "in_service"
    return next(one for one in group.nodes() if one["InstanceId"] == name)


@pytest.mark.timeout(3000)
def test_nodes_that_were_lost(group: Group) -> None:
    group.begin(built(KIND))
    run = group.play("autoscale", autoscale_now="2026-03-01T11:00:00Z")
    assert run.code == 0, run.message
    [lost] = group.nodes()
    group.terminate(lost)
    assert lost["PrivateIpAddress"] in group.devices()
    run = group.play("autoscale", autoscale_zones=[ZONE], autoscale_now="2026-03-01T11:01:00Z")
    assert (run.code, group.lifecycles()) == (0, {"in_service": 1}), run.message
    assert group.devices() == sorted(group.nsips() + group.nsips(OTHER_ZONE))
    assert group.targets("web") == dict.fromkeys(group.clients() + group.clients(OTHER_ZONE), "healthy")
    assert group.record().get("missing", []) == []

    [lost] = group.nodes(OTHER_ZONE)
    group.terminate(lost)
    assert sorted(left_over(group.lab, KIND.group)["devices"]) == group.devices()
    with referred_to(group.lab, f"{KIND.group}-server"):
        run = group.play("autoscale_group", autoscale_group_state="absent")
    assert (run.code, left_over(group.lab, KIND.group)) == (0, {}), run.message
    assert [call.op for call in refused(run.calls)] == ["DeleteSecurityGroup"]


@contextmanager
def referred_to(lab: LabClient, name: str) -> Iterator[None]:
    """Let a foreign rule refer to this security group, until its deletion was refused."""
    ec2 = lab.boto("ec2")
    [held] = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"]
    other = ec2.create_security_group(GroupName="others", Description="Not ours", VpcId=held["VpcId"])["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 9, "ToPort": 9, "UserIdGroupPairs": [{"GroupId": held["GroupId"]}]}
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    began = time.time()

    def let_go() -> None:
        wait_for(lambda: refused(lab.calls(began)), "the group could not be deleted", seconds=300, pause=0.5)
        ec2.revoke_security_group_ingress(GroupId=other, IpPermissions=[rule])

    watch = threading.Thread(target=let_go)
    watch.start()
    yield
    watch.join()


def refused(calls: Iterable[Call]) -> list[Call]:
    return [call for call in calls if call.op == "DeleteSecurityGroup" and call.status != 200]
