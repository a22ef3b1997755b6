"""Appliances of a running lab, launched for one test, and modules run against them with the calls they made."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.lab.client import Call, LabClient
from tests.lab.settings import CHECKOUT
from tests.modules import run_module

PASSWORD = "Th3-new-0ne!"


@dataclass
class Ran:
    """What a module returned, and the NITRO calls it made: ``ops`` like ``POST /config/login 201``."""

    result: dict[str, Any]
    calls: Sequence[Call]

    @property
    def ops(self) -> list[str]:
        return [f"{call.op} {call.status}" for call in self.calls]

    @property
    def writes(self) -> list[str]:
        return [call.op for call in self.calls if call.write]

    def __getitem__(self, key: str) -> Any:
        return self.result[key]


@dataclass
class Box:
    """One instance launched from the lab's VPX image."""

    lab: LabClient
    instance_id: str
    address: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def nsip(self) -> str:
        return f"{self.address}:{self.lab.nitro_port}"

    def run(self, module: str, *, check: bool = False, **options: Any) -> Ran:
        """Return the module against this appliance, with certificates verified against the lab's CA."""
        since = time.time()
        params = {"nsip": self.nsip, "ca_path": self.lab.ca_path, **self.options, **options}
        result = run_module(module, params, check=check, diff=True)
        return Ran(result, self.lab.calls(since, side="nitro"))

    def killed(self, module: str, write: int, when: str, **options: Any) -> None:
        """Run the module in a process that is killed at its n-th write; AssertionError if it ends before.

        ``when``: before or after the write is carried out.
        """
        params = {"nsip": self.nsip, "ca_path": self.lab.ca_path, **self.options, **options}
        code = (
            "import json, sys\n"
            "from tests.modules import run_module\n"
            "sys.stdin.readline()\n"
            f"run_module({module!r}, json.loads(sys.argv[1]))\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, json.dumps(params)],
            cwd=CHECKOUT,
            env=self.lab.environment(PYTHONPATH=f"{CHECKOUT}:{CHECKOUT / '.tree'}"),
            stdin=subprocess.PIPE,
            text=True,
        ) as process:
            self.lab.kill_at(write, process.pid, when)
            process.communicate("go\n", timeout=60)
        self.lab.faults()
        assert process.returncode == -signal.SIGKILL, f"{module} ended by itself: it has no write {write}"

    def bootstrap(self, **options: Any) -> Ran:
        given = {"instance_id": self.instance_id, "new_password": PASSWORD, "wait_timeout": 60}
        return self.run("vpx_bootstrap", **{**given, **options})

    def state(self) -> dict[str, Any]:
        """Return what the lab says of it: power, stage, running and saved configuration."""
        found: dict[str, Any] = self.lab.state()["nitro"][self.instance_id]
        return found


def on(
    boxes: Sequence[Box], module: str, entries: Sequence[dict[str, Any]], *, check: bool = False, **options: Any
) -> Ran:
    """Return the module with ``nodes``: an entry for each box, which its address is added to."""
    lab = boxes[0].lab
    since = time.time()
    nodes = [{"nsip": box.nsip, **entry} for box, entry in zip(boxes, entries, strict=True)]
    result = run_module(module, {"nodes": nodes, "ca_path": lab.ca_path, **options}, check=check, diff=True)
    assert "Traceback" not in json.dumps(result)
    assert PASSWORD not in json.dumps(result), "a secret is said"
    return Ran(result, lab.calls(since, side="nitro"))


def launch(lab: LabClient, zones: str = "a", *, open_to: str = "0.0.0.0/0") -> list[Box]:
    """One instance a letter of ``zones``, with a management interface that lets everything in."""
    ec2 = lab.boto("ec2")
    subnets = {
        tag["Value"].removeprefix("lab-management-"): subnet
        for subnet in ec2.describe_subnets()["Subnets"]
        for tag in subnet.get("Tags", [])
        if tag["Key"] == "Name" and tag["Value"].startswith("lab-management-")
    }
    group = ec2.create_security_group(GroupName="all", Description="all", VpcId=subnets["a"]["VpcId"])["GroupId"]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": open_to}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=everything)
    return [_one(lab, ec2, subnets[letter]["SubnetId"], group) for letter in zones]


def _one(lab: LabClient, ec2: Any, subnet_id: str, group: str) -> Box:
    instance = ec2.run_instances(
        ImageId=lab.variables("ha_pair")["ha_pair_image_id"],
        InstanceType="m5.xlarge",
        MinCount=1,
        MaxCount=1,
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet_id, "Groups": [group]}],
    )["Instances"][0]
    return Box(lab, instance["InstanceId"], instance["PrivateIpAddress"])
