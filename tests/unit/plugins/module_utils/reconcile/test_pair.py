"""What of a pair cannot be by what AWS says, and the options of the steps that build it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import pair as pairs
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.shared_options import shared_spec
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.pair import read_pair

NODES = [
    {"management_subnet_id": "subnet-a1", "client_subnet_id": "subnet-a2", "server_subnet_id": "subnet-a3"},
    {"management_subnet_id": "subnet-b1", "client_subnet_id": "subnet-b2", "server_subnet_id": "subnet-b3"},
]
GIVEN: dict[str, Any] = {
    "ha_pair_name": "shop",
    "ha_pair_image_id": "ami-1",
    "ha_pair_password": "hidden-1",
    "ha_pair_rpc_password": "hidden-2",
    "ha_pair_nodes": NODES,
}


def definition(**changes: Any) -> dict[str, Any]:
    found, wrong = read_pair({**GIVEN, **{f"ha_pair_{name}": value for name, value in changes.items()}})
    assert wrong == []
    return found


def subnets(**changes: dict[str, str]) -> dict[str, pairs.Subnet]:
    """All six subnets; ``changes`` by id, with ``_`` for ``-``; an empty one is not there."""
    found = []
    for number, name in enumerate(f"subnet-{zone}{place}" for zone in "ab" for place in "123"):
        change = changes.get(name.replace("-", "_"), {"": ""})
        if change:
            base = {
                "SubnetId": name,
                "VpcId": "vpc-1",
                "AvailabilityZone": f"eu-west-1{name[-2]}",
                "CidrBlock": f"10.0.{number}.0/24",
            }
            found.append({**base, **{key: value for key, value in change.items() if key}})
    return pairs.parse_subnets(found)


def instance(node_id: int, subnet: str, **more: Any) -> Instance:
    tags = {"cloudadc:group": "shop", "cloudadc:node_id": str(node_id), **more.pop("tags", {})}
    interface = Attached(f"eni-{node_id}", 0, ("10.0.0.9",), subnet)
    fields = {"state": "running", "availability_zone": "eu-west-1a", **more}
    return Instance(f"i-{node_id}", tags=tags, interfaces=(interface,), **fields)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, []),
        ({"subnet_a2": {}}, ["There is no subnet subnet-a2 in this account and region."]),
        (
            {"subnet_b3": {"VpcId": "vpc-2"}},
            ["The subnets must be in one VPC; they are in vpc-1, vpc-2."],
        ),
        (
            {"subnet_b3": {"AvailabilityZone": "eu-west-1c"}},
            ["The subnets of node 1 must be in one availability zone; they are in eu-west-1b, eu-west-1c."],
        ),
    ],
)
def test_subnets_that_cannot_be(changes: dict[str, dict[str, str]], message: list[str]) -> None:
    assert pairs.subnet_problems(definition(), subnets(**changes)) == message


def test_all_problems_of_subnets_are_told() -> None:
    wrong = subnets(subnet_a1={}, subnet_a2={}, subnet_b2={"VpcId": "vpc-2", "AvailabilityZone": "eu-west-1c"})
    assert len(pairs.subnet_problems(definition(), wrong)) == 4


ADDRESSES = [
    Address("203.0.113.1", "eipalloc-1", None),
    Address("203.0.113.2", "eipalloc-2", Association("eni-own", "10.0.1.5")),
    Address("203.0.113.3", "eipalloc-3", Association("eni-other", "10.0.9.9")),
]


@pytest.mark.parametrize(
    ("given", "take", "message"),
    [
        ([], False, None),
        (["203.0.113.1", "eipalloc-2"], False, None),
        (["203.0.113.9"], False, "no Elastic IP 203.0.113.9 is allocated to this account in this region."),
        (["203.0.113.1", "eipalloc-1"], False, "ha_pair_elastic_ips names 203.0.113.1 (eipalloc-1) twice."),
        (
            ["203.0.113.3"],
            False,
            "203.0.113.3 (eipalloc-3) serves eni-other (10.0.9.9), which is no interface",
        ),
        (["203.0.113.3"], True, None),
    ],
)
def test_elastic_ips_that_cannot_be(given: list[str], take: bool, message: str | None) -> None:
    found = pairs.address_problems(definition(elastic_ips=given, take_elastic_ips=take), ADDRESSES, {"eni-own"})
    assert (found == []) if message is None else (len(found) == 1 and message in found[0]), found


@pytest.mark.parametrize(
    ("there", "misplaced"),
    [
        ([], False),
        ([instance(0, "subnet-a1"), instance(1, "subnet-b1")], False),
        ([instance(0, "subnet-b1")], True),
        ([instance(0, "subnet-b1", state="terminated")], False),
        ([instance(7, "subnet-b1")], False),
    ],
)
def test_a_node_in_another_place_is_told(there: list[Instance], misplaced: bool) -> None:
    found = pairs.placement_problems(definition(), subnets(), there)
    assert bool(found) is misplaced
    if misplaced:
        assert "in subnet-b1 (eu-west-1a), but ha_pair_nodes wants it in subnet-a1 (eu-west-1a)" in found[0]
        assert "An instance does not move: add ha_pair_replace_node=i-0" in found[0]


def test_instances_of_another_kind_are_refused() -> None:
    group = instance(0, "subnet-a1", tags={"cloudadc:kind": "group"})
    own = instance(1, "subnet-b1", tags={"cloudadc:kind": "pair"})
    older = instance(0, "subnet-a1")
    assert pairs.namesake_problems("shop", [own, older]) == []
    [message] = pairs.namesake_problems("shop", [own, group])
    assert "The name shop belongs to a group with the instances i-0." in message
    gone = instance(0, "subnet-a1", state="terminated", tags={"cloudadc:kind": "group"})
    assert pairs.namesake_problems("shop", [gone]) == []


def rules(role: str, **changes: Any) -> list[tuple[str, int, int, Any]]:
    options = pairs.shared_options(definition(**changes), "vpc-1", {"Statement": []})
    shared_spec(options)  # it is what vpx_shared_resources takes
    [group] = [entry for entry in options["security_groups"] if entry["role"] == role]
    return [(r["protocol"], r["from_port"], r["to_port"], r["group"] or r["cidrs"]) for r in group["rules"]]


def test_management_opens_what_high_availability_needs() -> None:
    within = [
        ("udp", 3003, 3003, "management"),
        ("tcp", 3008, 3011, "management"),
        ("tcp", 22, 22, "management"),
    ]
    assert rules("management") == within
    from_outside = rules("management", management_cidrs=["10.0.0.0/16"], nitro_port=8443)
    assert from_outside == [("tcp", 22, 22, ["10.0.0.0/16"]), ("tcp", 8443, 8443, ["10.0.0.0/16"]), *within]
    assert rules("management", wide_ha_ports=True) == [
        ("tcp", 0, 65500, "management"),
        ("udp", 3000, 3010, "management"),
    ]


def test_clients_reach_the_ports_of_all_applications() -> None:
    web = {"name": "web", "protocol": "HTTP", "port": 80, "backends": []}
    dns = {"name": "dns", "protocol": "DNS", "port": 53, "backends": []}
    raw = {"name": "raw", "protocol": "ANY", "port": 99, "backends": []}
    everybody = ["0.0.0.0/0"]
    assert rules("client", applications=[web, dns, raw]) == [
        ("tcp", 80, 80, everybody),
        ("udp", 53, 53, everybody),
        ("tcp", 99, 99, everybody),
        ("udp", 99, 99, everybody),
    ]
    assert rules("client", applications=[web], client_cidrs=[]) == []
    assert rules("client") == []
    assert rules("server", applications=[web]) == []


def test_an_address_is_allocated_only_if_none_is_given() -> None:
    assert pairs.shared_options(definition(), "vpc-1", {})["elastic_ip"] is True
    assert pairs.shared_options(definition(elastic_ips=["eipalloc-1"]), "vpc-1", {})["elastic_ip"] is False


def test_sets_are_one_a_node_with_one_client_address_an_elastic_ip() -> None:
    sets = pairs.instance_sets(
        definition(elastic_ips=["a", "b", "c"], management_public=True), subnets(), {"client": "sg-2", "server": None}
    )
    assert [(each["zone"], each["node_id"]) for each in sets] == [
        ("eu-west-1a", 0),
        ("eu-west-1b", 1),
    ]
    assert sets[1]["interfaces"] == [
        {"role": "management", "subnet_id": "subnet-b1", "elastic_ip": True},
        {"role": "client", "subnet_id": "subnet-b2", "security_groups": ["sg-2"], "secondary_private_ip_count": 2},
        {"role": "server", "subnet_id": "subnet-b3"},
    ]


VPC = [
    {"SubnetId": name, "CidrBlock": cidr}
    for name, cidr in {
        **{f"subnet-a{n}": f"10.0.{n}.0/24" for n in (1, 2, 3)},
        **{f"subnet-b{n}": f"10.0.1{n}.0/24" for n in (1, 2, 3)},
        "subnet-apps": "10.0.50.0/24",
    }.items()
]


def test_routes_lead_to_the_subnets_of_back_ends_by_each_nodes_server_gateway() -> None:
    web = {"name": "web", "protocol": "HTTP", "port": 80, "backends": [{"address": "10.0.50.7", "port": 80}]}
    found = pairs.network(definition(applications=[web], backend_cidrs=["10.8.0.0/16"]), VPC)
    assert [each["routes"] for each in found] == [
        [{"network": "10.0.50.0/24", "gateway": gateway}, {"network": "10.8.0.0/16", "gateway": gateway}]
        for gateway in ("10.0.3.1", "10.0.13.1")
    ]
    assert [each["server_netmask"] for each in found] == ["255.255.255.0", "255.255.255.0"]
    assert found[0]["protected_networks"] == ["10.0.1.0/24", "10.0.11.0/24"]


def test_a_route_over_a_management_subnet_is_told() -> None:
    [first, _second] = pairs.network_problems(definition(backend_cidrs=["10.0.0.0/16"]), VPC)
    assert first.startswith("ha_pair_backend_cidrs: 10.0.0.0/16 contains the management subnet 10.0.1.0/24")
