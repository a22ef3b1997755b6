"""nlb_adc_listener over HTTP: what it calls, what is true afterwards, and what it refuses."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from .conftest import Cloud

MODULE = "nlb_adc_listener"
WEB = {"application": "web", "port": 18080, "deregistration_delay": 600}
DNS = {"application": "dns", "port": 18053, "protocol": "UDP", "health_check": {"port": 18080}}


@dataclass
class Balanced:
    """A load balancer ``shop`` over two zones without a listener."""

    cloud: Cloud
    elb: Any
    arn: str

    def run(self, *listeners: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
        given = {"load_balancer": "shop", "group": "shop", "listeners": list(listeners), **options}
        return self.cloud.run(MODULE, check=check, **given)

    def listeners(self) -> dict[int, str]:
        """Port of every listener, and the name of the target group it forwards to."""
        names = {g["TargetGroupArn"]: g["TargetGroupName"] for g in self.groups()}
        found = self.elb.describe_listeners(LoadBalancerArn=self.arn)["Listeners"]
        return {item["Port"]: names[item["DefaultActions"][0]["TargetGroupArn"]] for item in found}

    def groups(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.elb.describe_target_groups()["TargetGroups"]
        return found

    def attributes(self, name: str) -> dict[str, str]:
        [arn] = [g["TargetGroupArn"] for g in self.groups() if g["TargetGroupName"] == name]
        listed = self.elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        return {item["Key"]: item["Value"] for item in listed}


@pytest.fixture
def balanced(cloud: Cloud) -> Balanced:
    elb = cloud.lab.boto("elbv2")
    subnets = [cloud.subnets(zone)["client"] for zone in (0, 1)]
    made = elb.create_load_balancer(Name="shop", Type="network", Subnets=subnets)["LoadBalancers"][0]
    return Balanced(cloud, elb, made["LoadBalancerArn"])


def test_two_applications_are_led_in_and_a_second_run_writes_nothing(balanced: Balanced) -> None:
    first = balanced.run(WEB, DNS)
    assert first["changed"], first
    assert not first["failed"]
    assert balanced.listeners() == {18080: "shop-web", 18053: "shop-dns"}
    assert balanced.cloud.writes == Counter(
        {"CreateTargetGroup": 2, "ModifyTargetGroupAttributes": 1, "CreateListener": 2}
    )
    assert balanced.attributes("shop-web")["deregistration_delay.timeout_seconds"] == "600"
    groups = {item["TargetGroupName"]: item for item in balanced.groups()}
    assert groups["shop-web"]["TargetType"] == "ip"
    assert groups["shop-web"]["VpcId"] == balanced.cloud.seed["vpc_id"]
    assert (groups["shop-dns"]["Protocol"], groups["shop-dns"]["HealthCheckPort"]) == ("UDP", "18080")
    assert [(it["application"], it["port"], it["protocol"]) for it in first["listeners"]] == [
        ("dns", 18053, "UDP"),
        ("web", 18080, "TCP"),
    ]
    assert first["load_balancer"]["arn"] == balanced.arn
    second = balanced.run(WEB, DNS)
    assert not second["changed"], second["actions"]
    assert second["listeners"] == first["listeners"]
    assert balanced.cloud.calls == Counter(
        {
            "DescribeLoadBalancers": 1,
            "DescribeTargetGroups": 1,
            "DescribeListeners": 1,
            "DescribeTags": 1,
            "DescribeTargetGroupAttributes": 1,
        }
    )


def test_check_mode_predicts_and_writes_nothing(balanced: Balanced) -> None:
    predicted = balanced.run(WEB, check=True)
    assert predicted["changed"]
    assert balanced.cloud.writes == Counter()
    assert balanced.groups() == []
    assert predicted["listeners"][0]["target_group_name"] == "shop-web"
    assert predicted["listeners"][0]["target_group_arn"] is None
    assert predicted["actions"] == [
        "create target group shop-web",
        "set deregistration_delay.timeout_seconds of shop-web",
        "create the TCP listener at port 18080",
    ]


def test_what_differs_is_changed_in_place(balanced: Balanced) -> None:
    before = balanced.run(WEB)
    changed = {**WEB, "port": 18081, "deregistration_delay": 60, "health_check": {"interval": 30}}
    after = balanced.run(changed, tags={"team": "net"})
    assert after["changed"]
    assert after["listeners"][0]["listener_arn"] == before["listeners"][0]["listener_arn"]
    assert balanced.listeners() == {18081: "shop-web"}
    assert balanced.attributes("shop-web")["deregistration_delay.timeout_seconds"] == "60"
    assert balanced.groups()[0]["HealthCheckIntervalSeconds"] == 30
    assert not balanced.run(changed, tags={"team": "net"})["changed"]


def test_one_goes_and_the_other_stays_and_purge_takes_all(balanced: Balanced) -> None:
    balanced.run(WEB, DNS)
    gone = balanced.run({"application": "dns"}, state="absent")
    assert gone["changed"]
    assert balanced.listeners() == {18080: "shop-web"}
    assert not balanced.run({"application": "dns"}, state="absent")["changed"]
    balanced.run(state="absent", purge=True)
    assert (balanced.listeners(), balanced.groups()) == ({}, [])


def test_target_groups_go_also_when_the_load_balancer_is_gone(balanced: Balanced) -> None:
    balanced.run(WEB)
    balanced.elb.delete_load_balancer(LoadBalancerArn=balanced.arn)
    gone = balanced.run({"application": "web"}, state="absent")
    assert gone["changed"]
    assert gone["load_balancer"] is None
    assert balanced.groups() == []


@pytest.mark.parametrize(
    ("listeners", "message"),
    [
        ([{"application": "web"}], "its port is missing"),
        ([{"application": "web", "port": 99999}], "99999 is no port"),
        ([WEB, {**WEB, "application": "api"}], "port 18080 is used by the applications web and api"),
        ([WEB, {**WEB, "port": 18081}], "application web is named twice"),
        ([{**WEB, "application": "x" * 40}], "which has 45 characters, and AWS allows 32 letters"),
        ([{**WEB, "application": "a_b"}], "shop-a_b, and AWS allows 32 letters, digits and hyphens"),
        ([{**WEB, "protocol": "TLS"}], "certificate_arn goes with protocol TLS"),
        ([{**WEB, "deregistration_delay": 3601}], "3601 s is outside 0..3600"),
        ([{**WEB, "port": 18443}], "port 18443 of the load balancer is taken by arn:aws:"),
        ([{"application": "foreign", "port": 18081}], "was not made for application foreign of shop"),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_write(
    balanced: Balanced, listeners: list[dict[str, Any]], message: str
) -> None:
    vpc = balanced.cloud.seed["vpc_id"]
    for name in ("other", "shop-foreign"):
        made = balanced.elb.create_target_group(Name=name, Protocol="TCP", Port=1, VpcId=vpc, TargetType="ip")
        if name == "other":
            action = {"Type": "forward", "TargetGroupArn": made["TargetGroups"][0]["TargetGroupArn"]}
            balanced.elb.create_listener(
                LoadBalancerArn=balanced.arn, Protocol="TCP", Port=18443, DefaultActions=[action]
            )
    result = balanced.run(*listeners)
    assert result["failed"]
    assert message in result["msg"]
    assert balanced.cloud.writes == Counter()


def test_a_target_group_of_another_vpc_is_refused(balanced: Balanced) -> None:
    vpc = balanced.cloud.ec2.create_vpc(CidrBlock="127.250.0.0/16")["Vpc"]["VpcId"]
    tags = [{"Key": "cloudadc:group", "Value": "shop"}, {"Key": "cloudadc:application", "Value": "web"}]
    balanced.elb.create_target_group(Name="shop-web", Protocol="TCP", Port=18080, VpcId=vpc, TargetType="ip", Tags=tags)
    result = balanced.run(WEB)
    assert result["failed"]
    assert f"is in VPC {vpc}, and must be in VPC" in result["msg"]
    assert balanced.cloud.writes == Counter()


def test_undeclared_applications_are_refused_on_request(balanced: Balanced) -> None:
    balanced.run(WEB, DNS)
    result = balanced.run({**WEB, "port": 18090}, others=["api"])
    assert result["failed"]
    assert "shop serves dns as well, of which nothing is declared" in result["msg"]
    assert balanced.cloud.writes == Counter()
    assert not balanced.run(WEB, others=["dns"])["changed"]


def test_a_load_balancer_that_is_not_there(balanced: Balanced) -> None:
    result = balanced.run(WEB, load_balancer="lost")
    assert result["failed"]
    assert "there is no load balancer lost" in result["msg"]


def test_what_is_in_the_way_is_known_before_there_is_a_load_balancer(balanced: Balanced) -> None:
    coming = {"load_balancer": "coming", "check": True}
    assert balanced.run(WEB, DNS, **coming)["actions"] == balanced.run(WEB, DNS, check=True)["actions"]
    vpc = balanced.cloud.seed["vpc_id"]
    balanced.elb.create_target_group(Name="shop-web", Protocol="TCP", Port=1, VpcId=vpc, TargetType="ip")
    result = balanced.run(WEB, **coming)
    assert result["failed"]
    assert "target group shop-web was not made for application web of shop" in result["msg"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", [1, 2, 3])
def test_killed_at_a_write_it_is_finished_by_the_next_run(balanced: Balanced, write: int, when: str) -> None:
    balanced.cloud.killed(MODULE, write, when, load_balancer="shop", group="shop", listeners=[WEB])
    assert not balanced.run(WEB)["failed"]
    assert balanced.listeners() == {18080: "shop-web"}
    assert balanced.attributes("shop-web")["deregistration_delay.timeout_seconds"] == "600"
    assert not balanced.run(WEB)["changed"]
