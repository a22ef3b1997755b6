"""eip_failover over HTTP: what it calls, what is true afterwards, and what it says when it cannot be."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .conftest import Cloud


def test_a_move_costs_one_write_and_one_look(cloud: Cloud) -> None:
    public, allocation = cloud.allocate()
    (a, [a1]), (b, [b1]) = cloud.interface(0), cloud.interface(1)
    cloud.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=a)
    move = {"elastic_ip": public, "network_interface_id": b, "private_ip_address": b1}

    predicted = cloud.run("eip_failover", moves=[move], check=True)
    assert predicted["changed"]
    assert predicted["moves"][0]["after"] == {"network_interface_id": b, "private_ip_address": b1}
    assert cloud.calls == Counter(DescribeAddresses=1)

    moved = cloud.run("eip_failover", moves=[move])
    assert not moved["failed"], moved
    assert moved["changed"]
    assert moved["moves"] == [
        {
            "elastic_ip": public,
            "allocation_id": allocation,
            "before": {"network_interface_id": a, "private_ip_address": a1},
            "after": {"network_interface_id": b, "private_ip_address": b1},
            "changed": True,
        }
    ]
    assert isinstance(moved["duration_ms"], int)
    assert moved["diff"]["before"] == {public: {"network_interface_id": a, "private_ip_address": a1}}
    assert cloud.calls == Counter(DescribeAddresses=2, AssociateAddress=1)
    assert cloud.association(allocation) == (b, b1)

    again = cloud.run("eip_failover", moves=[move])
    assert not again["changed"]
    assert cloud.calls == Counter(DescribeAddresses=1)


def test_the_private_address_is_part_of_the_identity(cloud: Cloud) -> None:
    public, allocation = cloud.allocate()
    eni, [first, second] = cloud.interface(0, secondaries=1)
    for private in (first, second, first):
        result = cloud.run(
            "eip_failover", moves=[{"elastic_ip": public, "network_interface_id": eni, "private_ip_address": private}]
        )
        assert result["changed"], result
        assert cloud.association(allocation) == (eni, private)


def test_by_instance_and_default_address_it_asks_once_for_interfaces(cloud: Cloud) -> None:
    node = cloud.run("vpx_instance", group="g", image_id=cloud.seed["image_id"], interfaces=cloud.interfaces())
    [instance] = node["instances"]
    public, allocation = cloud.allocate()
    result = cloud.run("eip_failover", moves=[{"elastic_ip": allocation, "instance_id": instance["instance_id"]}])
    client = instance["interfaces"]["client"]
    assert not result["failed"], result
    assert cloud.association(allocation) == (client["network_interface_id"], client["private_ip_address"])
    assert cloud.calls == Counter(DescribeAddresses=2, DescribeNetworkInterfaces=1, AssociateAddress=1)
    again = cloud.run("eip_failover", moves=[{"elastic_ip": public, "instance_id": instance["instance_id"]}])
    assert not again["changed"]
    assert cloud.writes == Counter()


def test_several_move_at_once(cloud: Cloud) -> None:
    eips = [cloud.allocate() for _turn in range(3)]
    eni, privates = cloud.interface(1, secondaries=2)
    cloud.lab.latency(aws=0.3)
    result = cloud.run(
        "eip_failover",
        moves=[
            {"elastic_ip": public, "network_interface_id": eni, "private_ip_address": private}
            for (public, _ignored), private in zip(eips, privates, strict=True)
        ],
    )
    assert not result["failed"], result
    assert cloud.calls == Counter(DescribeAddresses=2, AssociateAddress=3)
    writes = [call for call in cloud.lab.calls(side="aws") if call.op == "AssociateAddress"]
    assert max(w.t for w in writes) - min(w.t for w in writes) < 0.25, "the writes did not go out side by side"
    cloud.lab.latency(aws=0)
    assert [cloud.association(allocation) for _ignored, allocation in eips] == [(eni, private) for private in privates]


def test_an_unexpected_owner_stops_everything(cloud: Cloud) -> None:
    (p1, e1), (p2, e2) = cloud.allocate(), cloud.allocate()
    (a, [a1]), (b, _ignored), (c, privates) = cloud.interface(0), cloud.interface(1), cloud.interface(2, secondaries=1)
    cloud.ec2.associate_address(AllocationId=e1, NetworkInterfaceId=a)
    cloud.ec2.associate_address(AllocationId=e2, NetworkInterfaceId=b)
    moves = [
        {"elastic_ip": public, "network_interface_id": c, "private_ip_address": private}
        for public, private in zip((p1, p2), privates, strict=True)
    ]
    result = cloud.run("eip_failover", moves=moves, expected_owners=[b])
    assert result["failed"]
    assert f"{p1} ({e1}) is held by {a} ({a1})" in result["msg"]
    assert cloud.writes == Counter()
    allowed = cloud.run("eip_failover", moves=moves, expected_owners=[a, b])
    assert not allowed["failed"], allowed
    again = cloud.run("eip_failover", moves=moves, expected_owners=[a, b])
    assert not again["failed"]
    assert not again["changed"]


@pytest.mark.parametrize(
    ("moves", "message"),
    [
        (
            [
                {"elastic_ip": "203.0.113.99", "network_interface_id": "eni-1", "private_ip_address": "10.0.0.1"},
                {"elastic_ip": "eipalloc-0bad", "network_interface_id": "eni-1", "private_ip_address": "10.0.0.2"},
            ],
            "no Elastic IP 203.0.113.99, eipalloc-0bad is allocated",
        ),
        ([{"elastic_ip": "PUBLIC", "network_interface_id": "eni-0bad"}], "eni-0bad: it does not exist"),
        ([{"elastic_ip": "PUBLIC", "instance_id": "i-0bad"}], "i-0bad, device index 1: it has no interface"),
        ([{"elastic_ip": "PUBLIC"}], "one of the following is required: network_interface_id, instance_id"),
    ],
)
def test_bad_input_gets_a_sentence_and_no_write(cloud: Cloud, moves: list[dict[str, Any]], message: str) -> None:
    public, _ignored = cloud.allocate()
    named = [{**move, "elastic_ip": move["elastic_ip"].replace("PUBLIC", public)} for move in moves]
    result = cloud.run("eip_failover", moves=named)
    assert result["failed"]
    assert message in result["msg"]
    assert "Traceback" not in str(result)
    assert cloud.writes == Counter()


def test_a_refusal_by_aws_leaves_the_others_moved_and_names_all(cloud: Cloud) -> None:
    (p1, e1), (p2, e2) = cloud.allocate(), cloud.allocate()
    eni, [private] = cloud.interface(0)
    result = cloud.run(
        "eip_failover",
        moves=[
            {"elastic_ip": p1, "network_interface_id": "eni-0123456789abcdef0", "private_ip_address": "10.9.9.9"},
            {"elastic_ip": p2, "network_interface_id": eni, "private_ip_address": private},
        ],
    )
    assert result["failed"]
    assert result["changed"]
    assert "InvalidNetworkInterfaceID.NotFound" in result["msg"]
    assert f"{p1} ({e1}) was not moved" in result["msg"]
    assert f"{p2} ({e2}) is at {eni}" in result["msg"]
    assert cloud.association(e2) == (eni, private)
    assert [move["changed"] for move in result["moves"]] == [False, True]


def test_a_racing_writer_ends_with_a_true_answer_in_both(cloud: Cloud) -> None:
    """Two modules send the same address to different interfaces at once: no answer may contradict AWS afterwards,
    and neither writes a second time."""
    public, allocation = cloud.allocate()
    nodes = [cloud.interface(0), cloud.interface(1)]
    cloud.lab.latency(aws=0.05)

    def to(number: int) -> dict[str, Any]:
        eni, [private] = nodes[number]
        desired = [{"elastic_ip": public, "network_interface_id": eni, "private_ip_address": private}]
        return _in_process(cloud, desired)

    for _turn in range(3):
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(to, (0, 1)))
        eni, private = cloud.association(allocation)
        for result in results:
            [move] = result["moves"]
            if result["failed"]:
                assert "another writer has put it to" in result["msg"] or "is still at" in result["msg"], result["msg"]
                assert move["after"] == {"network_interface_id": eni, "private_ip_address": private}
        assert not all(result["failed"] for result in results)


def _in_process(cloud: Cloud, moves: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a module run as a process of its own: two at a time cannot share this one's standard output."""
    code = (
        "import json, sys; from tests.modules import run_module; "
        "print(json.dumps(run_module('eip_failover', json.load(sys.stdin))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps({"moves": moves}),
        env=cloud.lab.environment(),
        text=True,
        capture_output=True,
        check=True,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_throttling_and_lost_connections_are_outlived(cloud: Cloud) -> None:
    public, allocation = cloud.allocate()
    eni, [private] = cloud.interface(0)
    cloud.lab.faults(aws={"throttle": 0.3, "reset": 0.2}, seed=7)
    result = cloud.run("eip_failover", moves=[{"elastic_ip": public, "network_interface_id": eni}])
    cloud.lab.faults()
    assert not result["failed"], result
    assert cloud.association(allocation) == (eni, private)
