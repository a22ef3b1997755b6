"""The AWS modules against the lab's region: a module run in this process, and the calls it made."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.lab.client import LabClient
from tests.lab.settings import CHECKOUT
from tests.modules import run_module

from .pairs import Pair


@dataclass(slots=True)
class Cloud:
    """``calls``: how often each AWS action was called by the last ``run``; ``writes``: those of it that write."""

    lab: LabClient
    ec2: Any
    seed: dict[str, Any]
    calls: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)

    def run(self, module: str, /, *, check: bool = False, diff: bool = True, **params: Any) -> dict[str, Any]:
        before = len(self.lab.calls(side="aws"))
        result = run_module(module, params, check=check, diff=diff)
        made = self.lab.calls(side="aws")[before:]
        self.calls = Counter(call.op for call in made)
        self.writes = Counter(call.op for call in made if call.write)
        return result

    def killed(self, name: str, write: int, when: str, /, **params: Any) -> None:
        """Run the module in a process that is killed at its n-th write; AssertionError if it ends before.

        ``when``: before or after the write is carried out.
        """
        code = (
            "import json, sys; from tests.modules import run_module\n"
            "run_module(sys.argv[1], json.loads(sys.stdin.readline()))"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, name],
            cwd=CHECKOUT,
            env=self.lab.environment(PYTHONPATH=f"{CHECKOUT}:{CHECKOUT / '.tree'}"),
            stdin=subprocess.PIPE,
            text=True,
        ) as process:
            self.lab.kill_at(write, process.pid, when)
            process.communicate(json.dumps(params) + "\n", timeout=60)
        self.lab.faults()
        assert process.returncode == -signal.SIGKILL, f"{name} ended by itself: it has no write {write}"

    def subnets(self, zone: int = 0) -> dict[str, str]:
        found: dict[str, str] = list(self.seed["subnets"].values())[zone]
        return found

    def interfaces(self, zone: int = 0, **of_role: dict[str, Any]) -> list[dict[str, Any]]:
        """Three interfaces in the subnets of a zone; ``management={"elastic_ip": True}`` adds to one of them."""
        return [
            {"role": role, "subnet_id": subnet, **of_role.get(role, {})} for role, subnet in self.subnets(zone).items()
        ]

    def allocate(self) -> tuple[str, str]:
        made = self.ec2.allocate_address(Domain="vpc")
        return made["PublicIp"], made["AllocationId"]

    def interface(self, zone: int = 0, secondaries: int = 0) -> tuple[str, list[str]]:
        """A network interface of its own in a client subnet; its id and its private addresses, the primary first."""
        made = self.ec2.create_network_interface(
            SubnetId=self.subnets(zone)["client"], SecondaryPrivateIpAddressCount=secondaries
        )["NetworkInterface"]
        listed = sorted(made["PrivateIpAddresses"], key=lambda item: not item["Primary"])
        return made["NetworkInterfaceId"], [item["PrivateIpAddress"] for item in listed]

    def association(self, allocation_id: str) -> tuple[str | None, str | None]:
        [found] = self.ec2.describe_addresses(AllocationIds=[allocation_id])["Addresses"]
        return found.get("NetworkInterfaceId"), found.get("PrivateIpAddress")


@pytest.fixture
def cloud(fresh_lab: LabClient, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, fresh_lab.env[name])
    return Cloud(fresh_lab, fresh_lab.boto("ec2"), fresh_lab.state()["seed_data"])


@pytest.fixture
def pair(cloud: Cloud) -> Pair:
    pair = Pair(cloud)
    pair.build()
    return pair
