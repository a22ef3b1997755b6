"""vpx_ha_info over HTTP: a real pair of the lab's appliances, healthy, switched over, half dead, half rebuilt."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.lab.client import wait_for

from .conftest import Cloud

PASSWORD = "Lab-pair-secret-1"
IPSET = "vips"


@dataclass(slots=True)
class Pair:
    """Two appliances that are a pair, with an IPSet, a virtual server on it, and one Elastic IP."""

    cloud: Cloud
    nodes: list[dict[str, Any]] = field(default_factory=list)
    group_id: str = ""
    public_ip: str = ""
    allocation_id: str = ""

    def nitro(self, **more: Any) -> dict[str, Any]:
        return {"nitro_pass": PASSWORD, "ca_path": self.cloud.lab.ca_path, **more}

    def at(self, number: int) -> str:
        return f"{self.nsip(number)}:{self.cloud.lab.nitro_port}"

    def nsip(self, number: int) -> str:
        return str(self.nodes[number]["interfaces"]["management"]["private_ip_address"])

    def client(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.nodes[number]["interfaces"]["client"]
        return found

    def done(self, module: str, /, **params: Any) -> dict[str, Any]:
        result = self.cloud.run(module, **params)
        assert not result["failed"], (module, result)
        return result

    def launch(self, number: int) -> None:
        made = self.done(
            "vpx_instance",
            group="shop",
            node_id=number,
            image_id=self.cloud.seed["image_id"],
            interfaces=self.cloud.interfaces(number, management={"security_groups": [self.group_id]}),
        )
        self.nodes[number:] = [*made["instances"], *self.nodes[number + 1 :]]

    def boot(self, number: int) -> None:
        first = self.nodes[number]["instance_id"]
        self.done("vpx_bootstrap", **self.nitro(nsip=self.at(number), instance_id=first, new_password=PASSWORD),
                  features=["LB"])  # fmt: skip

    def open_between_nodes(self) -> None:
        """Heartbeats (UDP 3003), synchronisation and propagation (TCP 3008 to 3011), files (TCP 22)."""
        ec2 = self.cloud.ec2
        made = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=self.cloud.seed["vpc_id"])
        self.group_id = made["GroupId"]
        within = [{"GroupId": self.group_id}]
        rules = [
            {"IpProtocol": "udp", "FromPort": 3003, "ToPort": 3003, "UserIdGroupPairs": within},
            {"IpProtocol": "tcp", "FromPort": 3008, "ToPort": 3011, "UserIdGroupPairs": within},
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": within},
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65535, "IpRanges": [{"CidrIp": "127.0.0.1/32"}]},
        ]
        ec2.authorize_security_group_ingress(GroupId=self.group_id, IpPermissions=rules)

    def build(self) -> None:
        self.open_between_nodes()
        for number in (0, 1):
            self.launch(number)
        for number in (0, 1):
            self.boot(number)
        for number, wait in ((0, False), (1, True)):
            self.done("vpx_ha_node", **self.nitro(nsip=self.at(number), peer=self.nsip(1 - number)), wait=wait,
                      rpc_password=PASSWORD, wait_timeout=30)  # fmt: skip
        addresses = [{"ip_address": self.client(number)["private_ip_address"]} for number in (0, 1)]
        for number in (0, 1):
            self.done("vpx_ipset", **self.nitro(nsip=self.at(number), name=IPSET), addresses=addresses)
        self.done("vpx_application", **self.nitro(nsip=self.at(0), name="web"), protocol="HTTP", port=8080, ipset=IPSET,
                  backends=[])  # fmt: skip
        self.public_ip, self.allocation_id = self.cloud.allocate()
        tags = [{"Key": "cloudadc:group", "Value": "shop"}, {"Key": "cloudadc:role", "Value": "client"}]
        self.cloud.ec2.create_tags(Resources=[self.allocation_id], Tags=tags)

    def info(self, **params: Any) -> dict[str, Any]:
        asked = {"group": "shop", "nitro_port": self.cloud.lab.nitro_port, **self.nitro(), **params}
        return self.done("vpx_ha_info", **asked)


@pytest.fixture
def pair(cloud: Cloud) -> Pair:
    pair = Pair(cloud)
    pair.build()
    return pair


def test_a_healthy_pair_its_switch_over_and_its_repair(pair: Pair) -> None:
    """One story on one pair, because building it takes most of the time."""
    said = pair.info()
    assert said["primary"] == 0, said["verdict"]
    assert said["healthy"], said["verdict"]
    assert [(n["claim"], n["node_id"], n["instance_state"], n["inc"]) for n in said["nodes"]] == [
        ("Primary", 0, "running", True),
        ("Secondary", 1, "running", True),
    ]
    assert [n["peer"] for n in said["nodes"]] == [pair.nsip(1), pair.nsip(0)]
    vips = {pair.client(number)["private_ip_address"] for number in (0, 1)}
    assert all(vips <= set(n["served_addresses"]) for n in said["nodes"]), said["nodes"]
    assert said["elastic_ips"][0]["network_interface_id"] is None
    first = {"elastic_ip": pair.public_ip, "network_interface_id": pair.client(0)["network_interface_id"],
             "private_ip_address": pair.client(0)["private_ip_address"]}  # fmt: skip
    assert said["moves"] == [first]
    assert pair.cloud.calls == Counter(DescribeInstances=1, DescribeAddresses=1)
    assert PASSWORD not in str(said)
    pair.done("eip_failover", moves=said["moves"])

    by_address = pair.info(group=None, nodes=[{"nsip": pair.nsip(0)}, {"nsip": pair.at(1)}])
    assert by_address["primary"] == 0
    assert by_address["moves"] == said["moves"]

    lab = pair.cloud.lab
    lab.latency(aws=0.15, nitro=0.05)
    lab.power(pair.nodes[0]["instance_id"], on=False)
    began = time.monotonic()
    repair = pair.info(settle_timeout=20)
    took = time.monotonic() - began
    assert repair["primary"] == 1, repair["verdict"]
    assert not repair["healthy"]
    assert not repair["nodes"][0]["reachable"]
    assert "node 0" in repair["verdict"]
    assert "does not answer" in repair["verdict"]
    assert repair["moves"][0]["network_interface_id"] == pair.client(1)["network_interface_id"]
    assert took < 20, "a dead node costs its probe (1 s), not the time that answers may take (30 s)"
    lab.latency(aws=0, nitro=0)

    nobody = pair.info(nitro_pass="wrong-password-9")  # a node that cannot be logged in to is not taken for anything
    assert nobody["primary"] is None
    assert nobody["verdict"].startswith("no node is primary")
    assert "354" in nobody["nodes"][1]["error"]

    pair.cloud.ec2.terminate_instances(InstanceIds=[pair.nodes[0]["instance_id"]])
    wait_for(lambda: pair.info()["nodes"][0]["instance_state"] == "terminated", "the old node is gone")
    gone = pair.info()
    assert gone["primary"] == 1
    assert "was not asked, instance" in gone["verdict"]

    pair.launch(0)
    pair.boot(0)
    rebuilt = pair.info()
    assert len(rebuilt["nodes"]) == 2
    assert rebuilt["nodes"][0]["claim"] == "Primary"
    assert rebuilt["primary"] == 1, rebuilt["verdict"]
    assert "as a fresh or rebuilt appliance does" in rebuilt["verdict"]
    assert not rebuilt["healthy"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"group": "nobody"}, "group nobody has no instance"),
        ({"nitro_pass": None}, "give nitro_pass or nitro_auth_token"),
        ({"group": None}, "one of the following is required: group, nodes"),
    ],
)
def test_bad_input_gets_a_sentence(cloud: Cloud, params: dict[str, Any], said: str) -> None:
    made = cloud.run("vpx_instance", group="shop", image_id=cloud.seed["image_id"], interfaces=cloud.interfaces())
    assert not made["failed"]
    result = cloud.run("vpx_ha_info", **{"group": "shop", "nitro_pass": PASSWORD, **params})
    assert result["failed"]
    assert said in result["msg"]
    unknown = cloud.run("vpx_ha_info", group="shop", nitro_pass=PASSWORD, elastic_ips=["203.0.113.9"])
    assert unknown["failed"]
    assert "no Elastic IP 203.0.113.9" in unknown["msg"]
