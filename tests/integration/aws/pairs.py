"""A real pair of the lab's appliances, built by the modules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
        self.done(
            "vpx_bootstrap",
            **self.nitro(nsip=self.at(number), instance_id=first, new_password=PASSWORD),
            features=["LB"],
        )

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
            self.done(
                "vpx_ha_node",
                **self.nitro(nsip=self.at(number), peer=self.nsip(1 - number)),
                wait=wait,
                rpc_password=PASSWORD,
                wait_timeout=30,
            )
        addresses = [{"ip_address": self.client(number)["private_ip_address"]} for number in (0, 1)]
        for number in (0, 1):
            self.done("vpx_ipset", **self.nitro(nsip=self.at(number), name=IPSET), addresses=addresses)
        self.done(
            "vpx_application",
            **self.nitro(nsip=self.at(0), name="web"),
            protocol="HTTP",
            port=8080,
            ipset=IPSET,
            backends=[],
        )
        self.public_ip, self.allocation_id = self.cloud.allocate()
        tags = [{"Key": "cloudadc:group", "Value": "shop"}, {"Key": "cloudadc:role", "Value": "client"}]
        self.cloud.ec2.create_tags(Resources=[self.allocation_id], Tags=tags)

    def info(self, **params: Any) -> dict[str, Any]:
        asked = {"group": "shop", "nitro_port": self.cloud.lab.nitro_port, **self.nitro(), **params}
        return self.done("vpx_ha_info", **asked)
