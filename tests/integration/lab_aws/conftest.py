"""The AWS side behind a real HTTP server, a client of it, and a small network to launch into."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config
from werkzeug.serving import make_server

from tests.lab.aws import VPX_IMAGE_ID, AwsSide
from tests.lab.world import Clock

PACE = 200.0
REGION = "eu-central-1"


@dataclass(frozen=True, slots=True)
class Account:
    """The AWS account under test: its side, where it listens, and clients of it."""

    side: AwsSide
    url: str
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="AKIALAB",
                aws_secret_access_key="lab",
                config=Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=30),
            )
        return self.clients[service]

    @property
    def ec2(self) -> Any:
        return self.client("ec2")


@pytest.fixture(scope="session")
def served_account() -> Iterator[Account]:
    side = AwsSide(Clock(PACE), "127.50")
    server = make_server("127.0.0.1", 0, side, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Account(side, f"http://127.0.0.1:{server.port}")
    server.shutdown()
    thread.join()


@pytest.fixture
def account(served_account: Account) -> Account:
    served_account.side.reset()
    return served_account


@dataclass(frozen=True, slots=True)
class Network:
    """A VPC with three subnets in each of two zones."""

    vpc_id: str
    group_id: str
    subnets: dict[str, dict[str, str]]


@pytest.fixture
def network(account: Account) -> Network:
    ec2 = account.ec2
    vpc_id = ec2.create_vpc(CidrBlock="127.50.0.0/16")["Vpc"]["VpcId"]
    subnets = {
        zone: {
            role: ec2.create_subnet(
                VpcId=vpc_id, CidrBlock=f"127.50.{10 * z + r}.0/24", AvailabilityZone=f"{REGION}{zone}"
            )["Subnet"]["SubnetId"]
            for r, role in enumerate(("management", "client", "server"), start=1)
        }
        for z, zone in enumerate(("a", "b"), start=1)
    }
    group = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=vpc_id)["GroupId"]
    return Network(vpc_id, group, subnets)


def interfaces(network: Network, zone: str = "a", **more: Any) -> list[dict[str, Any]]:
    """Three interface specifications, as a VPX gets them."""
    return [
        {"DeviceIndex": index, "SubnetId": subnet_id, "Groups": [network.group_id], **more}
        for index, subnet_id in enumerate(network.subnets[zone].values())
    ]


def launch(account: Account, network: Network, zone: str = "a", count: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Instances of the VPX image with three interfaces each, as RunInstances answers them."""
    request = {"NetworkInterfaces": interfaces(network, zone), "InstanceType": "m5.xlarge", **more}
    answer = account.ec2.run_instances(ImageId=VPX_IMAGE_ID, MinCount=count, MaxCount=count, **request)
    return list(answer["Instances"])


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until it is so, in real seconds; fail when it never is."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
