"""vpx_ha_info over HTTP: a real pair of the lab's appliances, healthy, switched over, half dead, half rebuilt."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from tests.lab.client import wait_for

from .conftest import Cloud
from .pairs import PASSWORD, Pair


def test_a_healthy_pair_its_switch_over_and_its_repair(pair: Pair) -> None:
    """One scenario on one , because building it takes most of the time."""
    message = pair.info()
    assert message["primary"] == 0, message["verdict"]
    assert message["healthy"], message["verdict"]
    assert [(n["claim"], n["node_id"], n["instance_state"], n["inc"]) for n in message["nodes"]] == [
        ("Primary", 0, "running", True),
        ("Secondary", 1, "running", True),
    ]
    assert [n["peer"] for n in message["nodes"]] == [pair.nsip(1), pair.nsip(0)]
    vips = {pair.client(number)["private_ip_address"] for number in (0, 1)}
    assert all(vips <= set(n["served_addresses"]) for n in message["nodes"]), message["nodes"]
    assert message["elastic_ips"][0]["network_interface_id"] is None
    first = {
        "elastic_ip": pair.public_ip,
        "network_interface_id": pair.client(0)["network_interface_id"],
        "private_ip_address": pair.client(0)["private_ip_address"],
    }
    assert message["moves"] == [first]
    assert pair.cloud.calls == Counter(DescribeInstances=1, DescribeAddresses=1)
    assert PASSWORD not in str(message)
    pair.done("eip_failover", moves=message["moves"])

    by_address = pair.info(group=None, nodes=[{"nsip": pair.nsip(0)}, {"nsip": pair.at(1)}])
    assert by_address["primary"] == 0
    assert by_address["moves"] == message["moves"]

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
    assert took < 20, "a dead node costs its probe (1 s) and the rest a few round trips, not nitro_timeout (30 s)"
    lab.latency(aws=0, nitro=0)

    unknown = pair.info(nitro_pass="wrong-password-9")  # a node that cannot be logged in to is not taken for anything
    assert unknown["primary"] is None
    assert unknown["verdict"].startswith("no node is primary")
    assert "354" in unknown["nodes"][1]["error"]

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
    ("params", "message"),
    [
        ({"group": "unknown"}, "pair unknown has no instance"),
        ({"nitro_pass": None}, "give nitro_pass or nitro_auth_token"),
        ({"group": None}, "one of the following is required: group, nodes"),
    ],
)
def test_bad_input_gets_a_sentence(cloud: Cloud, params: dict[str, Any], message: str) -> None:
    made = cloud.run("vpx_instance", group="shop", image_id=cloud.seed["image_id"], interfaces=cloud.interfaces())
    assert not made["failed"]
    result = cloud.run("vpx_ha_info", **{"group": "shop", "nitro_pass": PASSWORD, **params})
    assert result["failed"]
    assert message in result["msg"]
    unknown = cloud.run("vpx_ha_info", group="shop", nitro_pass=PASSWORD, elastic_ips=["203.0.113.9"])
    assert unknown["failed"]
    assert "no Elastic IP 203.0.113.9" in unknown["msg"]
