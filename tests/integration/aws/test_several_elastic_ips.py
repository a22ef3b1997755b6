"""Four Elastic IPs of a pair, moved by the appliance and by the collection in the same seconds."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_fronts import pair_applications
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_steps import pair_steps
from tests.lab.client import wait_for

from .conftest import Cloud
from .pairs import Pair

COUNT = 4


class WidePair(Pair):
    """A pair whose client interfaces have an address for each Elastic IP."""

    __slots__ = ()

    def launch(self, number: int) -> None:
        more = {
            "management": {"security_groups": [self.group_id]},
            "client": {"secondary_private_ip_count": COUNT - 1},
        }
        made = self.done(
            "vpx_instance",
            group="shop",
            node_id=number,
            image_id=self.cloud.seed["image_id"],
            interfaces=self.cloud.interfaces(number, **more),
        )
        self.nodes[number:] = [*made["instances"], *self.nodes[number + 1 :]]

    def serve(self) -> None:
        """IPSets and virtual servers as role ha_pair configures them."""
        network = {"server_netmask": "255.255.255.0", "routes": [], "protected_networks": []}
        plan: dict[str, Any] = {
            "name": "shop",
            "nitro_port": self.cloud.lab.nitro_port,
            "ipset": "wide",
            "elastic_ips": [],
            "return_path": "mbf",
            "network": [network, network],
            "shared": {"observed": {"security_groups": {}, "elastic_ip": None}},
            "instances": {"sets": []},
        }
        instances = [{**node, "lifecycle": "in_service", "node_id": number} for number, node in enumerate(self.nodes)]
        steps = pair_steps({"plan": plan, "instances": instances})
        self.done("vpx_ipset", **self.nitro(nodes=steps["ipsets"], serial=True))
        web = {"name": "wide", "protocol": "HTTP", "port": 8090, "backends": []}
        entries = pair_applications({"ha_pair_application": web}, self.at(0), steps["fronts"])
        self.done("vpx_application", **self.nitro(nodes=entries))


@pytest.fixture
def pair(cloud: Cloud) -> WidePair:
    built = WidePair(cloud)
    built.build()
    built.serve()
    for number in range(COUNT):
        public_ip, allocation_id = cloud.allocate()
        tags = [{"Key": "cloudadc:group", "Value": "shop"}, {"Key": "cloudadc:role", "Value": "client"}]
        cloud.ec2.create_tags(Resources=[allocation_id], Tags=tags)
        address = built.client(0)["private_ip_addresses"][number]
        cloud.ec2.associate_address(
            AllocationId=allocation_id,
            NetworkInterfaceId=built.client(0)["network_interface_id"],
            PrivateIpAddress=address,
        )
        built.public_ip = public_ip
    return built


def associations(pair: Pair) -> dict[str, str]:
    listed = pair.cloud.ec2.describe_addresses()["Addresses"]
    return {one["AllocationId"]: one["PrivateIpAddress"] for one in listed if one.get("PrivateIpAddress")}


def test_both_move_four_elastic_ips_to_the_same_addresses(pair: WidePair) -> None:
    before = associations(pair)
    assert sorted(before.values()) == sorted(pair.client(0)["private_ip_addresses"])
    index = {address: number for number, address in enumerate(pair.client(0)["private_ip_addresses"])}
    expected = {name: pair.client(1)["private_ip_addresses"][index[address]] for name, address in before.items()}
    pair.cloud.lab.settings(nitro={"moves_elastic_ips": "on", "elastic_ip_seconds": 0.0})
    chosen = list(before)
    pair.done(
        "vpx_ha_failover",
        group="shop",
        nitro_port=pair.cloud.lab.nitro_port,
        elastic_ips=chosen,
        **pair.nitro(),
    )
    assert associations(pair) == expected
    # The appliance's own move comes at its next step, and changes nothing.
    state = pair.cloud.lab.state
    wait_for(lambda: state()["nitro"][pair.nodes[1]["instance_id"]]["ha"]["role"] == "Primary", "node 1 is primary")
    assert pair.info(elastic_ips=chosen)["primary"] == 1
    assert associations(pair) == expected
    again = pair.done(
        "vpx_ha_reconcile", group="shop", nitro_port=pair.cloud.lab.nitro_port, elastic_ips=chosen, **pair.nitro()
    )
    assert again["changed"] is False
