"""What a client, AWS and the appliances see: independent of the collection's own code."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.lab import traffic
from tests.lab.client import LabClient
from tests.lab.settings import CHECKOUT
from tests.stage import StageError


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a pair: EC2's view, and what it says of itself ("Primary", …; None if it does not answer)."""

    node_id: int
    instance_id: str
    zone: str
    nsip: str
    client_interface: str
    client_address: str
    master_state: str | None


@dataclass(frozen=True, slots=True)
class Association:
    """Where an Elastic IP is."""

    elastic_ip: str
    interface: str | None
    address: str | None


class Observer:
    """Asks EC2 with boto3 and the appliances with requests."""

    def __init__(self, lab: LabClient) -> None:
        self._variables = lab.variables("ha_pair")
        self._ec2 = lab.boto("ec2")

    def master_state(self, nsip: str) -> str | None:
        """What a node says of itself: Primary, Secondary, …; None if it does not answer within a second."""
        try:
            answer = requests.get(
                f"https://{nsip}:{self._variables['ha_pair_nitro_port']}/nitro/v1/config/hanode",
                headers={"X-NITRO-USER": "nsroot", "X-NITRO-PASS": self._variables["ha_pair_password"]},
                verify=self._variables["ha_pair_ca_path"],
                timeout=1,
            )
            rows = answer.json().get("hanode", [])
        except (requests.RequestException, ValueError):
            return None
        return next((str(row["state"]) for row in rows if str(row.get("id")) == "0"), None)

    def nodes(self) -> list[Node]:
        """The live instances of the pair, in the order of their node ids."""
        filters = [
            {"Name": "tag:cloudadc:group", "Values": [self._variables["ha_pair_name"]]},
            {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
        ]
        found = self._ec2.describe_instances(Filters=filters)["Reservations"]
        nodes = [self._node(instance) for reservation in found for instance in reservation["Instances"]]
        return sorted(nodes, key=lambda node: node.node_id)

    def primary(self) -> Node:
        """The one node that says Primary. StageError if there is not exactly one."""
        nodes = self.nodes()
        primaries = [node for node in nodes if node.master_state == "Primary"]
        if len(primaries) != 1:
            claims = ", ".join(f"{node.instance_id} says {node.master_state}" for node in nodes)
            raise StageError(f"there is not exactly one primary: {claims or 'there are no instances'}")
        return primaries[0]

    def elastic_ips(self) -> list[Association]:
        """The Elastic IPs that carry the pair's tag and face its clients."""
        filters = [
            {"Name": "tag:cloudadc:group", "Values": [self._variables["ha_pair_name"]]},
            {"Name": "tag:cloudadc:role", "Values": ["client"]},
        ]
        found = self._ec2.describe_addresses(Filters=filters)["Addresses"]
        return [Association(a["PublicIp"], a.get("NetworkInterfaceId"), a.get("PrivateIpAddress")) for a in found]

    def holder(self, association: Association) -> Node | None:
        """The node on whose client interface and address the Elastic IP is."""
        desired = (association.interface, association.address)
        return next((n for n in self.nodes() if (n.client_interface, n.client_address) == desired), None)

    def _node(self, instance: dict[str, Any]) -> Node:
        by_index = {i["Attachment"]["DeviceIndex"]: i for i in instance["NetworkInterfaces"]}
        tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
        nsip = by_index[0]["PrivateIpAddress"]
        return Node(
            node_id=int(tags["cloudadc:node_id"]),
            instance_id=instance["InstanceId"],
            zone=instance["Placement"]["AvailabilityZone"],
            nsip=nsip,
            client_interface=by_index[1]["NetworkInterfaceId"],
            client_address=by_index[1]["PrivateIpAddress"],
            master_state=self.master_state(nsip),
        )


class Client:
    """A client that sends a steady stream of requests from another process; its report once it has stopped."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.report = traffic.Report(())

    def load(self) -> None:
        self.report = traffic.read(self._file)


@contextlib.contextmanager
def client(directory: Path, address: str, port: int, rate: float) -> Iterator[Client]:
    """Steady traffic while the block runs."""
    file = directory / "traffic.json"
    command = [sys.executable, "-m", "tests.lab.traffic", "--address", address, "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--rate", str(rate), "--json", str(file)], cwd=CHECKOUT, stdout=subprocess.DEVNULL
    )
    observed = Client(file)
    try:
        yield observed
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    observed.load()
