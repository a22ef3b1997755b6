"""A cluster in the whole lab: its address is one of EC2's, and it goes where the coordinator is.

Source: the vendor's template aws/cluster (the cluster address is the second private address of the coordinator's
management interface, and moves with it); vendor docs "Removing a node from a cluster".
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import pytest
import requests

from tests.lab.client import LabClient, wait_for

PASSWORD = "Sesame-2026"
SECONDS = 60.0


class Node:
    """An appliance of the lab by one of its addresses."""

    def __init__(self, lab: LabClient, address: str) -> None:
        self.lab = lab
        self.base = f"https://{address}:{lab.nitro_port}/nitro/v1/config/"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        credentials = {"X-NITRO-USER": "nsroot", "X-NITRO-PASS": PASSWORD, **headers}
        return requests.request(
            method, self.base + path, json=body, headers=credentials, verify=self.lab.ca_path, timeout=10
        )

    def write(self, path: str, body: Any) -> None:
        reply = self.ask("POST", path, body)
        assert reply.status_code in (200, 201), reply.text

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """Return the rows, or an empty list without an answer."""
        try:
            reply = self.ask("GET", kind)
            return list(reply.json().get(kind, [])) if reply.status_code == 200 else []
        except (requests.ConnectionError, requests.Timeout):
            return []

    def first_password(self, instance_id: str) -> bool:
        body = {"login": {"username": "nsroot", "password": instance_id, "new_password": PASSWORD}}
        try:
            url = self.base + "login"
            return requests.post(url, json=body, verify=self.lab.ca_path, timeout=10).status_code == 201
        except (requests.ConnectionError, requests.Timeout):
            return False


@pytest.fixture
def machines(fresh_lab: LabClient) -> list[dict[str, Any]]:
    """Two appliances in one subnet; the first has a second private address."""
    ec2 = fresh_lab.boto("ec2")
    subnet = next(one for one in ec2.describe_subnets()["Subnets"] if one["CidrBlock"].startswith("127."))
    image = next(one for one in ec2.describe_images()["Images"] if one["Name"].startswith("Citrix ADC"))
    group = ec2.create_security_group(GroupName="cluster", Description="between its nodes", VpcId=subnet["VpcId"])
    everything = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"]}]}
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[everything])
    made: list[dict[str, Any]] = ec2.run_instances(
        ImageId=image["ImageId"],
        InstanceType="m5.xlarge",
        MinCount=2,
        MaxCount=2,
        SubnetId=subnet["SubnetId"],
        SecurityGroupIds=[group["GroupId"]],
    )["Instances"]
    interface = made[0]["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.assign_private_ip_addresses(NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=1)
    for machine in made:
        node = Node(fresh_lab, machine["PrivateIpAddress"])
        wait_for(functools.partial(node.first_password, machine["InstanceId"]), "a first login", seconds=SECONDS)
    return made


def addresses(lab: LabClient, machine: dict[str, Any]) -> list[str]:
    found = lab.boto("ec2").describe_instances(InstanceIds=[machine["InstanceId"]])
    interface = found["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0]
    return [one["PrivateIpAddress"] for one in interface["PrivateIpAddresses"]]


def joined(clip: Node, count: int) -> bool:
    rows = clip.rows("clusternode")
    return len(rows) == count and all(row["masterstate"] == "ACTIVE" for row in rows)


def test_removing_the_coordinator_resets_the_connection_and_moves_the_address_in_ec2(
    fresh_lab: LabClient, machines: list[dict[str, Any]]
) -> None:
    nodes = [Node(fresh_lab, machine["PrivateIpAddress"]) for machine in machines]
    address = addresses(fresh_lab, machines[0])[1]
    clip = Node(fresh_lab, address)
    member = {"state": "ACTIVE", "tunnelmode": "GRE"}
    own = [one["PrivateIpAddress"] for one in machines]
    nodes[0].write("clusterinstance", {"clusterinstance": {"clid": 1}})
    nodes[0].write("clusternode", {"clusternode": {"nodeid": 0, "ipaddress": own[0], **member}})
    nodes[0].write("nsip", {"nsip": {"ipaddress": address, "netmask": "255.255.255.255", "type": "CLIP"}})
    nodes[0].write("clusterinstance?action=enable", {"clusterinstance": {"clid": 1}})
    for number, node in enumerate(nodes):
        if number:
            clip.write("clusternode", {"clusternode": {"nodeid": 1, "ipaddress": own[1], **member}})
            node.write("cluster?action=join", {"cluster": {"clip": address, "password": PASSWORD}})
        node.write("nsconfig?action=save", {"nsconfig": {}})
        node.write("reboot", {"reboot": {"warm": True}})
        wait_for(functools.partial(joined, clip, number + 1), f"{number + 1} nodes", seconds=SECONDS)
    with pytest.raises(requests.ConnectionError):
        clip.ask("DELETE", "clusternode/0")
    wait_for(lambda: [row["nodeid"] for row in clip.rows("clusternode")] == ["1"], "the other node", seconds=SECONDS)
    held = list(itertools.chain.from_iterable(addresses(fresh_lab, machine) for machine in machines))
    assert held == [own[0], own[1], address]
