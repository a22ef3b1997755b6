"""What preflight says of the way to back ends and back to clients."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure, Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight import data_path, verdicts
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.data_path import Surroundings
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.plan import Plan

from .plans import plan, subnet, zone

SUBNETS = [
    subnet("management", CidrBlock="10.0.1.0/24"),
    subnet("client", CidrBlock="10.0.11.0/24"),
    subnet("server", CidrBlock="10.0.21.0/24"),
    subnet("application", CidrBlock="10.0.200.0/24"),
]


def _backend(address: str, **more: Any) -> dict[str, Any]:
    entry = {"application": "web", "address": address, "autoscaling_group": None, "port": 8080, "transport": "tcp"}
    return {**entry, **more}


def _table(*routes: dict[str, str]) -> dict[str, Any]:
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}
    routed = [local, *routes]
    return {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": routed}


def _interface(address: str, *groups: str) -> dict[str, Any]:
    return {"PrivateIpAddresses": [{"PrivateIpAddress": address}], "Groups": [{"GroupId": one} for one in groups]}


def _around(**options: Any) -> Surroundings:
    return Surroundings(**{"subnets": SUBNETS, "tables": [_table()], "interfaces": [], "groups": [], **options})


def _rows(found: list[Any]) -> list[tuple[str, str]]:
    return [(row.check, row.status.value) for row in found]


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ({"return_path": "mbf"}, "ok", "MAC-based forwarding"),
        ({"return_path": "pbr"}, "ok", "policy-based routes"),
        ({"return_path": "none"}, "warning", "EC2 drops them"),
        ({"return_path": "mbf", "clustered": True}, "warning", "linksets"),
        ({"return_path": "pbr", "clustered": True}, "ok", "policy-based routes"),
    ],
)
def test_the_return_path_is_judged_by_topology(options: dict[str, Any], status: str, said: str) -> None:
    (row,) = data_path.return_path(plan(**options))
    assert (row.status.value, said in row.message) == (status, True), row.message


def test_nothing_is_said_of_a_return_path_that_is_not_configured() -> None:
    assert data_path.return_path(plan()) == []


@pytest.mark.parametrize(
    ("address", "cidrs", "routes", "status", "said"),
    [
        pytest.param("10.0.21.9", [], [], "ok", "the subnet of the server interface", id="own server subnet"),
        pytest.param("10.0.200.9", [], [], "ok", "a route there by 10.0.21.1", id="application subnet"),
        pytest.param("10.0.1.9", [], [], "failed", "a management subnet", id="management subnet"),
        pytest.param("192.168.5.9", [], [], "failed", "name its network in backend_cidrs", id="beyond, not named"),
        pytest.param("192.168.5.9", ["192.168.0.0/16"], [], "failed", "has no route to it", id="beyond, no route"),
        pytest.param(
            "192.168.5.9",
            ["192.168.0.0/16"],
            [{"DestinationCidrBlock": "192.168.0.0/16", "VpcPeeringConnectionId": "pcx-1"}],
            "ok",
            "by 10.0.21.1, then pcx-1",
            id="beyond, peered",
        ),
        pytest.param(
            "192.168.5.9",
            ["192.168.0.0/16"],
            [{"DestinationCidrBlock": "192.168.0.0/16", "VpcPeeringConnectionId": "pcx-1", "State": "blackhole"}],
            "failed",
            "pcx-1, which is gone (blackhole)",
            id="beyond, peering is gone",
        ),
        pytest.param(
            "192.168.5.9",
            ["192.168.0.0/16"],
            [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}],
            "failed",
            "no public address",
            id="beyond, internet gateway only",
        ),
        pytest.param("2001:db8::1", [], [], "warning", "only IPv4", id="IPv6"),
    ],
)
def test_the_way_to_a_back_end(
    address: str, cidrs: list[str], routes: list[dict[str, str]], status: str, said: str
) -> None:
    planned = plan(back_ends=[_backend(address)], backend_cidrs=cidrs)
    (row,) = data_path.back_ends(planned, _around(tables=[_table(*routes)]))
    assert (row.status.value, said in row.message) == (status, True), row.message


def test_there_is_a_row_for_each_zone() -> None:
    other = zone("eu-west-1b", server_subnet_id="subnet-application")
    planned = plan(zone(), other, back_ends=[_backend("10.0.200.9")])
    said = {row.subject: row.message for row in data_path.back_ends(planned, _around())}
    assert "a route there by 10.0.21.1" in said["web 10.0.200.9:8080 from eu-west-1a"]
    assert "the subnet of the server interface" in said["web 10.0.200.9:8080 from eu-west-1b"]


def _permission(**more: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, **more}


@pytest.mark.parametrize(
    ("permission", "status"),
    [
        pytest.param(_permission(IpRanges=[{"CidrIp": "10.0.0.0/16"}]), "ok", id="range"),
        pytest.param(_permission(UserIdGroupPairs=[{"GroupId": "sg-server"}]), "ok", id="group of the nodes"),
        pytest.param({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.21.0/24"}]}, "ok", id="all protocols"),
        pytest.param(_permission(PrefixListIds=[{"PrefixListId": "pl-1"}]), "warning", id="prefix list"),
        pytest.param(_permission(IpRanges=[{"CidrIp": "10.0.21.0/25"}]), "warning", id="half of the subnet"),
        pytest.param(_permission(UserIdGroupPairs=[{"GroupId": "sg-else"}]), "warning", id="another group"),
        pytest.param(_permission(FromPort=80, ToPort=81, IpRanges=[{"CidrIp": "0.0.0.0/0"}]), "warning", id="port"),
        pytest.param(_permission(IpProtocol="udp", IpRanges=[{"CidrIp": "0.0.0.0/0"}]), "warning", id="protocol"),
    ],
)
def test_security_groups_of_back_ends_must_admit_the_server_addresses(permission: dict[str, Any], status: str) -> None:
    around = _around(
        interfaces=[_interface("10.0.200.9", "sg-app")],
        groups=[{"GroupId": "sg-app", "IpPermissions": [permission]}],
        server_groups=frozenset({"sg-server"}),
    )
    rows = data_path.back_ends(plan(back_ends=[_backend("10.0.200.9")]), around)
    assert _rows(rows) == [("back end", "ok"), ("back end rules", status)]


def test_a_refused_back_end_is_named_with_port_and_subnets() -> None:
    around = _around(
        interfaces=[_interface("10.0.200.9", "sg-app")], groups=[{"GroupId": "sg-app", "IpPermissions": []}]
    )
    *_ignored, row = data_path.back_ends(plan(back_ends=[_backend("10.0.200.9")]), around)
    assert row.subject == "web 10.0.200.9:8080"
    assert "sg-app do not admit tcp 8080 from 10.0.21.0/24" in row.message


def _answers(**options: Any) -> verdicts.Answers:
    known = {"subnets": SUBNETS, "vpc_subnets": SUBNETS, "tables": [_table()], "interfaces": [], "instances": []}
    return verdicts.Answers({**known, "own_groups": [], "back_end_groups": [], **options})


def _followed() -> Plan:
    return plan(back_ends=[_backend("", autoscaling_group="web-asg")])


def test_instances_of_a_followed_auto_scaling_group_are_back_ends() -> None:
    tags = [{"Key": "aws:autoscaling:groupName", "Value": "web-asg"}]
    instances = [{"PrivateIpAddress": "10.0.200.7", "Tags": tags}, {"PrivateIpAddress": "10.0.200.8", "Tags": []}]
    (row,) = verdicts.data_path(_followed(), _answers(instances=instances))
    assert (row.subject, row.status.value) == ("web 10.0.200.7:8080 from eu-west-1a", "ok")


def test_an_answer_that_is_missing_makes_a_row_that_says_so() -> None:
    (row,) = verdicts.data_path(plan(back_ends=[_backend("10.0.200.9")]), _answers(vpc_subnets=Failure("not allowed")))
    assert (row.status.value, "not allowed" in row.message) == ("warning", True)


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(Refusal, match="backend_cidrs"):
        plan(backend_cidrs=["10.0.0.0/40"])
