"""A scale-in that is stopped (SIGSTOP) between its last look and its write while another run takes the event over."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.session import carry_out, loaded
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.evaluator import evaluate
from ansible_collections.cloudadc.aws.plugins.module_utils.scaling.group_state import Event, Record
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from tests.lab.client import wait_for
from tests.lab.settings import CHECKOUT
from tests.unit.plugins.module_utils.scaling.scenario import HIGH, policy

from .conftest import Cloud

# A confirmed claim is believed for no time instead of 70 s, so that a pause of a moment is one of minutes.
PAUSED = """
import json, sys
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import claims
claims.EVERY, claims.TIMEOUTS = 0.0, 0.0
from tests.modules import run_module
print(json.dumps(run_module("vpx_instance", json.loads(sys.stdin.readline()))))
"""


def tick(store: FileStore, now: float, owner: str) -> Any:
    def plan(record: Record) -> tuple[Record, Any]:
        return evaluate(policy(), record, {"memory": HIGH}, 3, now, owner=owner)

    return carry_out(store, plan, owner, 60, own_time=True)[2]


def event_of(store: FileStore) -> Event:
    event = loaded(store.read(), store).event
    assert event is not None
    return event


def test_paused_removal_terminates_nothing_once_another_run_owns_the_event(cloud: Cloud, tmp_path: Path) -> None:
    zone = next(iter(cloud.seed["subnets"]))
    made = cloud.run(
        "vpx_instance",
        kind="group",
        group="shop",
        zone=zone,
        image_id=cloud.seed["image_id"],
        interfaces=cloud.interfaces(),
    )
    assert not made["failed"], made
    [name] = made["launched"]
    store = FileStore(tmp_path, Key("shop", zone))
    began = time.time()
    for before in (120, 60, 0):
        tick(store, began - before, "one")
    event = event_of(store)
    marks = {"cloudadc:event": event.id, "cloudadc:lifecycle": "terminating"}
    cloud.ec2.create_tags(Resources=[name], Tags=[{"Key": key, "Value": value} for key, value in marks.items()])
    claim = {"id": event.id, "takeover": 0, "store": {"type": "file", "path": str(tmp_path)}}
    job = {"kind": "group", "group": "shop", "zone": zone, "state": "absent", "instance_ids": [name], "event": claim}
    # Its looks: all instances of the group; those that it is to terminate, once more, right before the write.
    cloud.lab.hold("DescribeInstances", skip=1, when="after")
    calls = len(cloud.lab.calls(side="aws"))
    with subprocess.Popen(
        [sys.executable, "-c", PAUSED],
        cwd=CHECKOUT,
        env=cloud.lab.environment(PYTHONPATH=f"{CHECKOUT}:{CHECKOUT / '.tree'}"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        wait_for(lambda: cloud.lab.held("DescribeInstances"), "it looks once more", seconds=30)
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, "it is stopped")
        cloud.lab.release()
        assert tick(store, event_of(store).claimed_until + 1, "two").takeover == 1
        process.send_signal(signal.SIGCONT)
        out, _nothing = process.communicate(timeout=60)
    result = json.loads(out.strip().splitlines()[-1])
    assert result["failed"], result
    assert "was taken over by two" in result["msg"]
    assert (result["changed"], result.get("terminated")) == (False, [])
    assert not [call.op for call in cloud.lab.calls(side="aws")[calls:] if call.write]
    states = cloud.ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"]
    assert [one["State"]["Name"] for one in states] == ["running"]
    # The run that took it over ends what the other one began.
    mine = {**job, "event": {**claim, "takeover": 1}}
    assert cloud.run("vpx_instance", **mine)["terminated"] == [name]
