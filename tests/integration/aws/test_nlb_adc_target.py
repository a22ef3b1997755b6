"""nlb_adc_target over HTTP: what it calls, what is true afterwards, and what it says when it cannot be."""

from __future__ import annotations

import contextlib
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from .conftest import Cloud

PORT = 18080
MODULE = "nlb_adc_target"


@dataclass
class Balanced:
    """A load balancer over three zones, its target group, and addresses at which this test can answer or not."""

    cloud: Cloud
    elb: Any
    arn: str
    addresses: list[str]
    servers: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def target(self, number: int, port: int = PORT) -> dict[str, Any]:
        return {"id": self.addresses[number], "port": port}

    def run(self, *numbers: int, check: bool = False, **options: Any) -> dict[str, Any]:
        given = {"target_group_arn": self.arn, "targets": [self.target(number) for number in numbers]}
        given |= {"wait_timeout": 30} | options
        return self.cloud.run(
            MODULE, check=check, **{name: value for name, value in given.items() if value is not None}
        )

    def answer(self, *numbers: int) -> None:
        """From now on something listens at these addresses: health checks succeed."""
        for number in numbers:
            self.servers.enter_context(socket.create_server((self.addresses[number], PORT)))

    def health(self) -> dict[tuple[str, int], str]:
        described = self.elb.describe_target_health(TargetGroupArn=self.arn)["TargetHealthDescriptions"]
        return {(d["Target"]["Id"], d["Target"]["Port"]): d["TargetHealth"]["State"] for d in described}


def make_group(cloud: Cloud, elb: Any, name: str = "web", **more: Any) -> str:
    made = elb.create_target_group(
        Name=name,
        VpcId=cloud.seed["vpc_id"],
        **{
            "Protocol": "TCP",
            "Port": 80,
            "TargetType": "ip",
            "HealthCheckIntervalSeconds": 10,
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 2,
            **more,
        },
    )
    arn: str = made["TargetGroups"][0]["TargetGroupArn"]
    elb.modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "60"}]
    )
    return arn


@pytest.fixture
def idle(cloud: Cloud) -> Balanced:
    """Return a target group that no listener uses."""
    elb = cloud.lab.boto("elbv2")
    addresses = [cloud.interface(zone)[1][0] for zone in (0, 1, 2)]
    return Balanced(cloud, elb, make_group(cloud, elb), addresses)


@pytest.fixture
def balanced(idle: Balanced) -> Iterator[Balanced]:
    cloud, elb = idle.cloud, idle.elb
    group = cloud.ec2.create_security_group(GroupName="targets", Description="targets", VpcId=cloud.seed["vpc_id"])
    opened = {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    cloud.ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[opened])
    for interface in cloud.ec2.describe_network_interfaces()["NetworkInterfaces"]:
        cloud.ec2.modify_network_interface_attribute(
            NetworkInterfaceId=interface["NetworkInterfaceId"], Groups=[group["GroupId"]]
        )
    subnets = [cloud.subnets(zone)["client"] for zone in (0, 1, 2)]
    balancer = elb.create_load_balancer(Name="web", Type="network", Subnets=subnets)["LoadBalancers"][0]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="TCP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": idle.arn}],
    )
    with idle.servers:
        yield idle


def test_many_are_registered_in_one_call_and_waited_for(balanced: Balanced) -> None:
    balanced.answer(0, 1)
    predicted = balanced.run(0, 1, check=True)
    assert predicted["changed"]
    assert [target["state"] for target in predicted["targets"]] == ["initial", "initial"]
    assert balanced.cloud.writes == Counter()
    assert balanced.cloud.calls == Counter(DescribeTargetHealth=1, DescribeTargetGroups=1)
    assert balanced.health() == {}

    done = balanced.run(0, 1)
    assert not done["failed"], done
    assert done["changed"]
    assert done["targets"] == [{**balanced.target(number), "state": "healthy", "reason": None} for number in (0, 1)]
    assert done["diff"]["before"] == {"targets": []}
    assert len(done["diff"]["after"]["targets"]) == 2
    assert balanced.cloud.writes == Counter(RegisterTargets=1)
    assert set(balanced.cloud.calls) == {"DescribeTargetHealth", "DescribeTargetGroups", "RegisterTargets"}
    assert balanced.cloud.calls["DescribeTargetGroups"] == 1
    assert 1 + 1 <= balanced.cloud.calls["DescribeTargetHealth"] <= 1 + 12, "one a look, and looks come slower"

    again = balanced.run(0, 1)
    assert not again["changed"]
    assert again["targets"] == done["targets"]
    assert again["diff"]["before"] == again["diff"]["after"]
    assert balanced.cloud.calls == Counter(DescribeTargetHealth=1)


def test_the_whole_life_of_a_target(balanced: Balanced) -> None:
    balanced.answer(0)
    assert not balanced.run(0)["failed"]
    leaving = balanced.run(0, state="absent", wait=False)
    assert leaving["changed"]
    assert leaving["targets"] == [
        {**balanced.target(0), "state": "draining", "reason": "Target.DeregistrationInProgress"}
    ]
    assert balanced.cloud.calls == Counter(DescribeTargetHealth=2, DeregisterTargets=1)

    still = balanced.run(0, state="absent", wait=False)
    assert not still["changed"], "a target that is draining has been deregistered"
    assert balanced.cloud.calls == Counter(DescribeTargetHealth=1)

    back = balanced.run(0)
    assert back["changed"], "a target that is draining is not registered"
    assert back["targets"][0]["state"] == "healthy"
    assert balanced.cloud.writes == Counter(RegisterTargets=1)

    gone = balanced.run(0, state="absent")
    assert gone["changed"]
    assert gone["targets"] == [{**balanced.target(0), "state": "unused", "reason": "Target.NotRegistered"}]
    assert balanced.health() == {}
    assert balanced.cloud.writes == Counter(DeregisterTargets=1)
    again = balanced.run(0, state="absent")
    assert (again["changed"], again["targets"]) == (False, gone["targets"])
    assert balanced.cloud.calls == Counter(DescribeTargetHealth=1)


def test_a_run_that_writes_nothing_waits_all_the_same(balanced: Balanced) -> None:
    balanced.answer(0)
    balanced.run(0, wait=False)
    waited = balanced.run(0)
    assert (waited["changed"], waited["targets"][0]["state"]) == (False, "healthy")
    balanced.run(0, state="absent", wait=False)
    drained = balanced.run(0, state="absent")
    assert (drained["changed"], drained["targets"][0]["reason"]) == (False, "Target.NotRegistered")


def test_a_time_out_tells_state_and_reason(balanced: Balanced) -> None:
    balanced.answer(0)
    result = balanced.run(0, 1, wait_timeout=4)
    assert result["failed"]
    assert result["changed"]
    assert f"{balanced.addresses[1]}:{PORT} is unhealthy (Target.FailedHealthChecks" in result["msg"]
    assert f"{balanced.addresses[0]}:{PORT} is" not in result["msg"], "those that are fine are not complained about"
    assert "target group web: after 4 s" in result["msg"]
    assert [target["state"] for target in result["targets"]] == ["healthy", "unhealthy"]
    assert balanced.cloud.calls["RegisterTargets"] == 1


def test_several_ports_of_one_address(idle: Balanced) -> None:
    both = [idle.target(0), idle.target(0, PORT + 1)]
    assert idle.run(targets=both, wait_for="unused")["changed"]
    assert set(idle.health()) == {(idle.addresses[0], PORT), (idle.addresses[0], PORT + 1)}
    assert not idle.run(targets=both, wait_for="unused")["changed"]
    assert idle.run(targets=both[:1], state="absent")["changed"]
    assert set(idle.health()) == {(idle.addresses[0], PORT + 1)}


def test_purge_is_one_more_call(idle: Balanced) -> None:
    idle.run(0, 1, wait=False)
    kept = idle.run(2, wait_for="unused")
    assert len(idle.health()) == 3
    assert [target["id"] for target in kept["targets"]] == [idle.addresses[2]]
    predicted = idle.run(1, 2, purge=True, check=True)
    assert (predicted["changed"], idle.cloud.writes) == (True, Counter())
    done = idle.run(1, 2, purge=True, wait_for="unused")
    assert {address for address, _port in idle.health()} == set(idle.addresses[1:])
    assert [target["id"] for target in done["targets"]] == [idle.addresses[n] for n in (1, 2, 0)]
    assert idle.cloud.calls == Counter(DescribeTargetHealth=2, DeregisterTargets=1)
    assert not idle.run(1, 2, purge=True, wait_for="unused")["changed"]
    assert idle.run(purge=True, state="absent")["changed"]
    assert idle.health() == {}


def test_by_name_it_asks_for_the_group_once(idle: Balanced) -> None:
    options = {"target_group_arn": None, "target_group_name": "web", "wait_for": "unused"}
    done = idle.run(0, **options)
    assert (done["changed"], done["target_group_arn"]) == (True, idle.arn)
    assert idle.cloud.calls == Counter(DescribeTargetGroups=1, DescribeTargetHealth=2, RegisterTargets=1)
    assert not idle.run(0, **options)["changed"]
    assert idle.cloud.calls == Counter(DescribeTargetGroups=1, DescribeTargetHealth=1)


def test_an_address_outside_the_vpc_says_all(idle: Balanced) -> None:
    outside = {"id": "192.168.7.10", "port": PORT}
    refused = idle.run(targets=[outside], wait=False)
    assert refused["failed"]
    assert "'all'" in refused["msg"]
    assert refused["error_code"] == "ValidationError"
    assert idle.run(targets=[{**outside, "availability_zone": "all"}], wait=False)["changed"]
    assert not idle.run(targets=[{**outside, "availability_zone": "all"}], wait=False)["changed"]
    assert idle.run(targets=[outside], state="absent")["changed"]
    assert idle.health() == {}


def test_more_than_one_call_takes(idle: Balanced) -> None:
    many = [idle.target(0, 20000 + number) for number in range(201)]
    assert idle.run(targets=many, wait=False)["changed"]
    assert idle.cloud.writes == Counter(RegisterTargets=2)
    assert len(idle.health()) == 201
    assert not idle.run(targets=many, wait=False)["changed"]
    assert idle.run(targets=many, state="absent")["changed"]
    assert idle.cloud.writes == Counter(DeregisterTargets=2)
    assert idle.health() == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_group_arn": None, "target_group_name": "unknown"}, "there is no target group unknown"),
        (
            {"target_group_arn": "arn:aws:elasticloadbalancing:eu-west-1:1234:targetgroup/unknown/0123456789abcdef"},
            "there is no target group arn",
        ),
        ({"targets": [{"id": "i-0123456789abcdef0", "port": PORT}]}, "i-0123456789abcdef0:18080 which is no address"),
        ({"targets": [{"id": "fd00::1", "port": PORT}]}, "[fd00::1]:18080 which is an IPv6 address"),
        ({"targets": [{"id": "8.8.8.8", "port": PORT}]}, "not within the VPC"),
        ({"targets": [{"id": "10.0.0.1", "port": 0}]}, "outside 1..65535"),
        ({"targets": [{"id": "10.0.0.1"}]}, "missing required arguments: port"),
        ({"state": "absent", "wait_for": "healthy"}, "never becomes healthy"),
        ({"target_group_name": "web"}, "mutually exclusive"),
        ({"target_group_arn": ""}, "neither target_group_arn nor"),
        ({"target_group_arn": None}, "one of the following is required"),
    ],
)
def test_bad_input_gets_a_sentence_and_no_change(idle: Balanced, options: dict[str, Any], message: str) -> None:
    result = idle.run(0, **options)
    assert result["failed"]
    assert message in result["msg"]
    assert "Traceback" not in str(result)
    assert idle.health() == {}


def test_addresses_do_not_fit_into_a_group_of_instances(idle: Balanced) -> None:
    arn = make_group(idle.cloud, idle.elb, "nodes", TargetType="instance")
    result = idle.run(0, 1, target_group_arn=arn)
    assert result["failed"]
    assert f"{idle.addresses[0]}:{PORT} which is no instance id; {idle.addresses[1]}:{PORT}" in result["msg"]
    assert idle.cloud.writes == Counter()


def test_throttling_and_lost_connections_are_outlived(idle: Balanced) -> None:
    idle.cloud.lab.faults(aws={"throttle": 0.3, "reset": 0.2}, seed=3)
    result = idle.run(0, 1, 2, wait_for="unused")
    idle.cloud.lab.faults()
    assert not result["failed"], result
    assert len(idle.health()) == 3


@pytest.mark.parametrize(("write", "when"), [(1, "before"), (1, "after"), (2, "before"), (2, "after")])
def test_killed_at_a_write_the_next_run_ends_alike(idle: Balanced, write: int, when: str) -> None:
    idle.run(0, wait=False)
    options = {"target_group_arn": idle.arn, "targets": [idle.target(1), idle.target(2)], "purge": True, "wait": False}
    idle.cloud.killed(MODULE, write, when, **options)
    result = idle.cloud.run(MODULE, **options)
    assert not result["failed"], result
    assert {address for address, _port in idle.health()} == set(idle.addresses[1:])
    assert not idle.cloud.run(MODULE, **options)["changed"]


# ---------------------------------------------------------------------- many target groups


def test_many_target_groups_are_written_at_once_and_others_are_told(balanced: Balanced) -> None:
    api = make_group(balanced.cloud, balanced.elb, "api")
    balanced.elb.register_targets(TargetGroupArn=api, Targets=[{"Id": balanced.addresses[2], "Port": PORT}])
    balanced.answer(0)
    groups = [
        {"target_group_arn": balanced.arn, "targets": [balanced.target(0)]},
        {"target_group_name": "api", "targets": [balanced.target(1)]},
    ]
    predicted = balanced.cloud.run(MODULE, check=True, target_groups=groups, wait=False)
    assert (predicted["changed"], balanced.cloud.writes) == (True, Counter())

    done = balanced.cloud.run(MODULE, target_groups=groups, wait=False)
    assert not done["failed"], done
    assert balanced.cloud.writes == Counter(RegisterTargets=2)
    assert [group["target_group_arn"] for group in done["target_groups"]] == [balanced.arn, api]
    assert [[target["id"] for target in group["others"]] for group in done["target_groups"]] == [
        [],
        [balanced.addresses[2]],
    ]
    again = balanced.cloud.run(MODULE, target_groups=groups, wait=False)
    assert (again["changed"], balanced.cloud.writes) == (False, Counter())

    waited = balanced.cloud.run(MODULE, target_groups=groups[:1], wait_timeout=30)
    assert waited["target_groups"][0]["targets"][0]["state"] == "healthy"
    gone = balanced.cloud.run(MODULE, target_groups=groups, state="absent", purge=True, wait=False)
    assert balanced.cloud.writes == Counter(DeregisterTargets=2)
    assert [group["others"] for group in gone["target_groups"]] == [[], []]


def test_one_that_is_late_fails_the_task_and_the_others_are_told(balanced: Balanced) -> None:
    make_group(balanced.cloud, balanced.elb, "api")
    balanced.answer(0)
    groups = [
        {"target_group_arn": balanced.arn, "targets": [balanced.target(0)]},
        {"target_group_name": "api", "targets": [balanced.target(1)]},
    ]
    done = balanced.cloud.run(MODULE, target_groups=groups, wait_timeout=10)
    assert (done["failed"], done["changed"]) == (True, True)
    assert done["msg"].startswith("1 of 2 target groups failed: target group api: after 10 s not every target is")
    assert [group["error"] is None for group in done["target_groups"]] == [True, False]


def test_one_that_is_not_there_is_refused_before_any_write(balanced: Balanced) -> None:
    groups = [
        {"target_group_arn": balanced.arn, "targets": [balanced.target(0)]},
        {"target_group_name": "nope", "targets": [balanced.target(1)]},
    ]
    refused = balanced.cloud.run(MODULE, target_groups=groups)
    assert (refused["failed"], balanced.cloud.writes) == (True, Counter())
    assert "there is no target group nope" in refused["msg"]
    twice = balanced.cloud.run(MODULE, target_groups=[groups[0], groups[0]])
    assert "more than once" in twice["msg"]
