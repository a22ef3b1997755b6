"""A scale-in that is stopped (SIGSTOP) between its last look and its write, or whose write is held, while another run
takes the event over.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.session import carry_out, loaded
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import evaluate
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Event, Record
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from tests.lab.client import wait_for
from tests.lab.settings import CHECKOUT
from tests.unit.plugins.module_utils.scaling.scenario import HIGH, policy

from .conftest import Cloud

# A confirmed claim is believed for no time instead of 70 s, so that a pause of a moment is one of minutes. No thread
# renews it, which could be stopped while it holds the lock of the store.
PAUSED = """
import json, sys
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import claims
claims.EVERY, claims.TIMEOUTS, claims._keep = 0.0, 0.0, lambda *_nothing: None
from tests.modules import run_module
print(json.dumps(run_module(sys.argv[1], json.loads(sys.stdin.readline()))))
"""


def tick(store: FileStore, now: float, owner: str) -> Any:
    def plan(record: Record) -> tuple[Record, Any]:
        return evaluate(policy(), record, {"memory": HIGH}, 3, now, owner=owner)

    return carry_out(store, plan, owner, 60, own_time=True)[2]


def event_of(store: FileStore) -> Event:
    event = loaded(store.read(), store).event
    assert event is not None
    return event


@dataclass(slots=True)
class Zone:
    """A zone with one node and an open event. ``name``: the instance; ``claim``: of the run that owns the event."""

    cloud: Cloud
    store: FileStore
    name: str

    @property
    def claim(self) -> dict[str, Any]:
        event, key = event_of(self.store), self.store.key
        where = {"type": "file", "path": str(self.store.path.parent)}
        return {"id": event.id, "takeover": event.takeovers, "group": key.group, "zone": key.zone, "store": where}

    @property
    def removal(self) -> dict[str, Any]:
        """Options of vpx_instance."""
        key = self.store.key
        named = {"kind": "group", "group": key.group, "zone": key.zone, "instance_ids": [self.name]}
        return {**named, "state": "absent", "event": self.claim}

    def taken_over(self) -> None:
        assert tick(self.store, event_of(self.store).claimed_until + 1, "two").takeover == 1

    def state(self) -> str:
        [found] = self.cloud.ec2.describe_instances(InstanceIds=[self.name])["Reservations"][0]["Instances"]
        return str(found["State"]["Name"])


@pytest.fixture
def zone(cloud: Cloud, tmp_path: Path) -> Zone:
    name = next(iter(cloud.seed["subnets"]))
    options = {"kind": "group", "group": "shop", "zone": name, "image_id": cloud.seed["image_id"]}
    made = cloud.run("vpx_instance", **options, interfaces=cloud.interfaces())
    assert not made["failed"], made
    store, began = FileStore(tmp_path, Key("shop", name)), time.time()
    for before in (120, 60, 0):
        tick(store, began - before, "one")
    [node] = made["launched"]
    marks = {"cloudadc:event": event_of(store).id, "cloudadc:lifecycle": "terminating"}
    cloud.ec2.create_tags(Resources=[node], Tags=[{"Key": key, "Value": value} for key, value in marks.items()])
    return Zone(cloud, store, node)


def paused(zone: Zone, module: str, job: dict[str, Any], op: str, skip: int = 0) -> dict[str, Any]:
    """Return the result of a module that is stopped when a reading is answered, until another run owns the event."""
    lab = zone.cloud.lab
    lab.hold(op, skip=skip, when="after")
    with subprocess.Popen(
        [sys.executable, "-c", PAUSED, module],
        cwd=CHECKOUT,
        env=lab.environment(PYTHONPATH=f"{CHECKOUT}:{CHECKOUT / '.tree'}"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        wait_for(lambda: lab.held(op), "it reads", seconds=60)
        process.send_signal(signal.SIGSTOP)
        try:
            wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, "it is stopped")
            lab.release()
            zone.taken_over()
        finally:
            process.send_signal(signal.SIGCONT)
        out, _nothing = process.communicate(timeout=60)
    lab.faults()
    found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return found


def writes_since(cloud: Cloud, calls: int) -> list[str]:
    return [call.op for call in cloud.lab.calls(side="aws")[calls:] if call.write]


def test_paused_removal_terminates_nothing_once_another_run_owns_the_event(zone: Zone) -> None:
    calls = len(zone.cloud.lab.calls(side="aws"))
    # Its looks: all instances of the group; those that it is to terminate, once more, right before the write.
    result = paused(zone, "vpx_instance", zone.removal, "DescribeInstances", skip=1)
    assert result["failed"], result
    assert "was taken over by two" in result["msg"]
    assert (result["changed"], result.get("terminated")) == (False, [])
    assert writes_since(zone.cloud, calls) == []
    assert zone.state() == "running"
    # The run that took it over ends what the other one began.
    assert zone.cloud.run("vpx_instance", **zone.removal)["terminated"] == [zone.name]


def test_held_termination_is_not_repeated_once_another_run_owns_the_event(zone: Zone) -> None:
    """EC2 never answers; meanwhile the other run has put the node back into service."""
    lab, job = zone.cloud.lab, zone.removal
    lab.hold("TerminateInstances", seconds=20, then="drop")

    def act() -> None:
        wait_for(lambda: lab.held("TerminateInstances"), "the removal is held", seconds=30)
        zone.taken_over()
        lab.release()

    thread = threading.Thread(target=act)
    thread.start()
    result = zone.cloud.run("vpx_instance", **job)
    thread.join()
    lab.faults()
    assert result["failed"], result
    assert "was taken over by two" in result["msg"]
    assert zone.state() == "running"


def test_deregistration_is_not_sent_once_another_run_owns_the_event(zone: Zone) -> None:
    """The process is stopped before it; then a call that is not answered is not repeated."""
    cloud, lab = zone.cloud, zone.cloud.lab
    elb = lab.boto("elbv2")
    made = elb.create_target_group(Name="web", Protocol="TCP", Port=80, VpcId=cloud.seed["vpc_id"], TargetType="ip")
    arn, address = made["TargetGroups"][0]["TargetGroupArn"], cloud.interface()[1][0]
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": address, "Port": 80}])

    def job() -> dict[str, Any]:
        targets = {"target_group_arn": arn, "targets": [{"id": address, "port": 80}]}
        return {**targets, "state": "absent", "wait": False, "event": zone.claim}

    result = paused(zone, "nlb_adc_target", job(), "DescribeTargetHealth")
    assert result["failed"], result
    assert "was taken over by two" in result["msg"]
    held = job()
    lab.hold("DeregisterTargets", seconds=20, then="drop")

    def act() -> None:
        wait_for(lambda: lab.held("DeregisterTargets"), "it is held", seconds=30)
        assert tick(zone.store, event_of(zone.store).claimed_until + 1, "three").takeover == 2
        lab.release()

    thread = threading.Thread(target=act)
    thread.start()
    result = cloud.run("nlb_adc_target", **held)
    thread.join()
    lab.faults()
    assert result["failed"], result
    assert "was taken over by three" in result["msg"]
    assert cloud.writes["DeregisterTargets"] == 1
    [health] = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert health["TargetHealth"]["State"] != "draining"
    assert cloud.run("nlb_adc_target", **job())["changed"]
