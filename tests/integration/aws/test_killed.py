"""vpx_instance killed at a write and started again: it ends like a run that was never killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any, Literal

import pytest

from tests.lab.client import wait_for

from .conftest import Cloud

# Reads the job from standard input, so that the lab can be told the process id before anything is called.
CODE = """
import json, sys
from tests.modules import run_module
job = json.loads(sys.stdin.readline())
print(json.dumps(run_module("vpx_instance", job)))
"""


def killed(cloud: Cloud, job: dict[str, Any], number: int, when: str) -> bool:
    """Run the module in a process of its own that dies at its ``number``-th write; whether it did."""
    with subprocess.Popen(
        [sys.executable, "-c", CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=cloud.lab.environment(),
        text=True,
    ) as process:
        cloud.lab.kill_at(number, process.pid, when)
        process.communicate(json.dumps(job) + "\n", timeout=120)
    cloud.lab.faults()
    return process.returncode != 0


def snapshot(cloud: Cloud) -> dict[str, Any]:
    """Return what the account holds, without the names that AWS gives."""
    states = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped", "shutting-down"]}]
    groups = cloud.ec2.describe_instances(Filters=states)["Reservations"]
    interfaces = cloud.ec2.describe_network_interfaces()["NetworkInterfaces"]
    addresses = cloud.ec2.describe_addresses()["Addresses"]
    return {
        "instances": [(i["State"]["Name"], tags(i["Tags"])) for group in groups for i in group["Instances"]],
        "interfaces": sorted((i["Attachment"]["DeviceIndex"], tags(i["TagSet"])) for i in interfaces),
        "addresses": sorted((bool(a.get("NetworkInterfaceId")), tags(a["Tags"])) for a in addresses),
    }


def tags(listed: list[dict[str, str]]) -> list[tuple[str, str]]:
    return sorted((tag["Key"], tag["Value"]) for tag in listed)


@pytest.mark.parametrize(
    ("number", "when"), [(1, "before"), (1, "after"), (3, "before"), (5, "after"), (6, "before"), (6, "after")]
)
def test_a_build(cloud: Cloud, number: int, when: str) -> None:
    """Its writes: RunInstances, then three CreateTags beside AllocateAddress and AssociateAddress."""
    job = {
        "group": "shop",
        "node_id": 0,
        "image_id": cloud.seed["image_id"],
        "interfaces": cloud.interfaces(management={"elastic_ip": True}),
    }
    assert killed(cloud, job, number, when)
    result = cloud.run("vpx_instance", **job)
    assert not result["failed"], result
    assert not cloud.run("vpx_instance", **job)["changed"]
    after = snapshot(cloud)
    assert [state for state, _ignored in after["instances"]] == ["running"]
    assert [index for index, _ignored in after["interfaces"]] == [0, 1, 2]
    roles = [dict(tagged)["cloudadc:role"] for _ignored, tagged in after["interfaces"]]
    assert roles == ["management", "client", "server"]
    [(associated, tagged)] = after["addresses"]
    assert associated
    assert dict(tagged)["cloudadc:role"] == "management"


@pytest.mark.parametrize(("number", "when"), [(1, "after"), (2, "before"), (2, "after")])
def test_a_removal(cloud: Cloud, number: int, when: str) -> None:
    """Its writes: TerminateInstances, then two ReleaseAddress."""
    managed = {"elastic_ip": True}
    made = cloud.run(
        "vpx_instance",
        group="shop",
        image_id=cloud.seed["image_id"],
        interfaces=cloud.interfaces(management=managed, client=managed),
    )
    assert not made["failed"], made
    job = {"group": "shop", "state": "absent"}
    assert killed(cloud, job, number, when)
    result = cloud.run("vpx_instance", **job)
    assert not result["failed"], result
    assert snapshot(cloud) == {"instances": [], "interfaces": [], "addresses": []}
    assert not cloud.run("vpx_instance", **job)["changed"]


def interrupted(cloud: Cloud, job: dict[str, Any], op: str, when: Literal["before", "after"]) -> None:
    """Run the module in a process of its own that gets SIGINT while this call is held; it must end at once."""
    cloud.lab.hold(op, when=when, seconds=60)
    with subprocess.Popen(
        [sys.executable, "-c", CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=cloud.lab.environment(),
        text=True,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        wait_for(lambda: cloud.lab.held(op), f"{op} is held", seconds=60)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    cloud.lab.release()
    wait_for(lambda: not cloud.lab.held(op), "the call goes on without its caller")
    cloud.lab.faults()
    assert process.returncode != 0


def test_module_that_is_interrupted_by_the_user_is_completed_by_the_next_run(cloud: Cloud) -> None:
    job = {"group": "shop", "node_id": 0, "image_id": cloud.seed["image_id"], "interfaces": cloud.interfaces()}
    interrupted(cloud, job, "RunInstances", "before")
    wait_for(lambda: snapshot(cloud)["instances"], "the launch that was held is carried out")
    result = cloud.run("vpx_instance", **job)
    assert (result["failed"], result["launched"]) == (False, []), result
    assert [state for state, _tags in snapshot(cloud)["instances"]] == ["running"]
    gone = {"group": "shop", "state": "absent"}
    interrupted(cloud, gone, "TerminateInstances", "after")
    assert not cloud.run("vpx_instance", **gone)["failed"]
    assert snapshot(cloud) == {"instances": [], "interfaces": [], "addresses": []}
