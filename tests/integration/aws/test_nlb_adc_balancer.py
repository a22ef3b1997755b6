"""nlb_adc_balancer over HTTP: what it calls, what is true afterwards, and that nothing else is touched."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Cloud

MODULE = "nlb_adc_balancer"
READS = {"DescribeLoadBalancers", "DescribeAddresses", "DescribeTags", "DescribeLoadBalancerAttributes"}


def zones(cloud: Cloud, *letters: str) -> list[dict[str, str]]:
    region = cloud.seed["region"]
    return [
        {"name": region + letter, "subnet_id": cloud.seed["subnets"][region + letter]["client"]} for letter in letters
    ]


def make(cloud: Cloud, letters: str = "ab", **more: Any) -> dict[str, Any]:
    given = {"name": "shop", "group": "shop", "zones": zones(cloud, *letters), "wait_timeout": 60}
    return cloud.run(MODULE, **{**given, **more})


def elastic_ips(cloud: Cloud) -> list[str]:
    return sorted(item["PublicIp"] for item in cloud.ec2.describe_addresses()["Addresses"])


def test_one_static_address_a_zone_and_the_second_run_only_reads(cloud: Cloud) -> None:
    predicted = make(cloud, check=True)
    assert (predicted["changed"], predicted["balancer"], dict(cloud.writes)) == (True, None, {})
    made = make(cloud)
    assert not made["failed"], made
    assert made["balancer"]["state"] == "active"
    assert sorted(zone["ip_address"] for zone in made["balancer"]["zones"]) == elastic_ips(cloud)
    assert cloud.writes == {"AllocateAddress": 2, "CreateLoadBalancer": 1}
    again = make(cloud)
    assert (again["changed"], again["balancer"]) == (False, made["balancer"])
    assert set(cloud.calls) == READS
    assert max(cloud.calls.values()) == 1


def test_absent_removes_it_with_its_target_groups_and_addresses_and_nothing_else(cloud: Cloud) -> None:
    elb = cloud.lab.boto("elbv2")
    kept = cloud.ec2.allocate_address(Domain="vpc")["PublicIp"]
    ours, theirs = (
        elb.create_target_group(
            Name=name, Protocol="TCP", Port=80, TargetType="ip", VpcId=cloud.seed["vpc_id"], Tags=tags
        )["TargetGroups"][0]["TargetGroupArn"]
        for name, tags in (
            ("shop-web", [{"Key": "cloudadc:group", "Value": "shop"}]),
            ("web", [{"Key": "cloudadc:group", "Value": "another"}]),
        )
    )
    balancer = make(cloud)["balancer"]
    elb.create_listener(
        LoadBalancerArn=balancer["arn"],
        Protocol="TCP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": ours}],
    )
    gone = cloud.run(MODULE, name="shop", group="shop", state="absent")
    assert not gone["failed"], gone
    assert elb.describe_load_balancers()["LoadBalancers"] == []
    assert [group["TargetGroupArn"] for group in elb.describe_target_groups()["TargetGroups"]] == [theirs]
    assert elastic_ips(cloud) == [kept]
    again = cloud.run(MODULE, name="shop", group="shop", state="absent")
    assert (again["changed"], dict(cloud.writes)) == (False, {})


def test_a_foreign_balancer_is_not_changed(cloud: Cloud) -> None:
    make(cloud)
    for state in ("present", "absent"):
        refused = make(cloud, group="other", state=state)
        assert refused["failed"] is (state == "present")
        assert dict(cloud.writes) == {}
    assert "was not made for group other" in make(cloud, group="other")["msg"]


def test_a_balancer_of_a_pair_is_neither_changed_nor_removed(cloud: Cloud) -> None:
    arn = make(cloud)["balancer"]["arn"]
    elb = cloud.lab.boto("elbv2")
    elb.add_tags(ResourceArns=[arn], Tags=[{"Key": "cloudadc:kind", "Value": "pair"}])
    for state in ("present", "absent"):
        refused = make(cloud, state=state)
        assert "load balancer shop was not made for group shop: its tag cloudadc:kind is 'pair'" in refused["msg"]
        assert dict(cloud.writes) == {}
    assert elb.describe_load_balancers()["LoadBalancers"]


def test_what_an_earlier_release_made_is_adopted_and_said_once(cloud: Cloud) -> None:
    made = make(cloud)["balancer"]
    assert made["tags"] == {"cloudadc:group": "shop", "cloudadc:kind": "group"}
    cloud.lab.boto("elbv2").remove_tags(ResourceArns=[made["arn"]], TagKeys=["cloudadc:kind"])
    addresses = [each["AllocationId"] for each in cloud.ec2.describe_addresses()["Addresses"]]
    cloud.ec2.delete_tags(Resources=addresses, Tags=[{"Key": "cloudadc:kind"}])
    adopted = make(cloud)
    assert "adding the tag cloudadc:kind=group: load balancer shop, Elastic IP" in str(adopted["warnings"])
    assert dict(cloud.writes) == {"AddTags": 1, "CreateTags": 1}
    again = make(cloud)
    assert (again["changed"], again.get("warnings")) == (False, None)


@pytest.mark.parametrize("write", [1, 2, 3])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_was_killed_is_gone_on_with(cloud: Cloud, write: int, when: str) -> None:
    given = {"name": "shop", "group": "shop", "zones": zones(cloud, "a", "b"), "wait_timeout": 60}
    cloud.killed(MODULE, write, when, **given)
    made = make(cloud)
    assert not made["failed"], made
    assert sorted(zone["ip_address"] for zone in made["balancer"]["zones"]) == elastic_ips(cloud)
