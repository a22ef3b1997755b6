"""Network load balancers: static addresses, and targets that take their time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.nlb_ports import port_errors

from .conftest import REGION, Account, Network, eventually, launch

PORT = 8080


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


@dataclass(slots=True)
class Balanced:
    """A load balancer over two zones with one listener, and the client address of a node in each."""

    account: Account
    balancer: dict[str, Any]
    group: str
    nodes: list[str]
    answering: set[str]

    @property
    def elb(self) -> Any:
        return self.account.client("elbv2")

    def health(self, **more: Any) -> dict[str, tuple[str, str | None]]:
        described = self.elb.describe_target_health(TargetGroupArn=self.group, **more)["TargetHealthDescriptions"]
        return {d["Target"]["Id"]: (d["TargetHealth"]["State"], d["TargetHealth"].get("Reason")) for d in described}

    def routed(self) -> dict[str, set[tuple[str, int]]]:
        return {route.address: set(route.targets) for route in self.account.side.load_balancers()}


@pytest.fixture
def balanced(account: Account, network: Network) -> Balanced:
    account.ec2.authorize_security_group_ingress(
        GroupId=network.group_id,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, "IpRanges": [{"CidrIp": "127.50.0.0/16"}]}
        ],
    )
    nodes = [launch(account, network, zone)[0]["NetworkInterfaces"][1]["PrivateIpAddress"] for zone in ("a", "b")]
    answering = set(nodes)
    account.side.set_health_probe(lambda address, port: address in answering and port == PORT)
    elastic = [account.ec2.allocate_address()["AllocationId"] for _turn in range(2)]
    elb = account.client("elbv2")
    mappings = [
        {"SubnetId": network.subnets[zone]["client"], "AllocationId": allocation}
        for zone, allocation in zip(("a", "b"), elastic, strict=True)
    ]
    balancer = elb.create_load_balancer(Name="web", Type="network", SubnetMappings=mappings)["LoadBalancers"][0]
    group = elb.create_target_group(
        Name="web",
        Protocol="TCP",
        Port=PORT,
        VpcId=network.vpc_id,
        TargetType="ip",
        HealthCheckIntervalSeconds=10,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "60"}]
    )
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="TCP",
        Port=PORT,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return Balanced(account, balancer, group, nodes, answering)


def test_static_addresses(balanced: Balanced) -> None:
    elb, ec2 = balanced.elb, balanced.account.ec2
    arn = balanced.balancer["LoadBalancerArn"]
    assert balanced.balancer["State"]["Code"] == "provisioning"
    assert balanced.balancer["Scheme"] == "internet-facing"
    eventually(lambda: elb.describe_load_balancers(Names=["web"])["LoadBalancers"][0]["State"]["Code"] == "active")
    zones = elb.describe_load_balancers(Names=["web"])["LoadBalancers"][0]["AvailabilityZones"]
    static = {zone["LoadBalancerAddresses"][0]["IpAddress"] for zone in zones}
    owned = {a["PublicIp"]: a for a in ec2.describe_addresses()["Addresses"]}
    assert static == set(owned)
    assert all(a["NetworkInterfaceId"] for a in owned.values())
    with pytest.raises(ClientError) as error:
        ec2.release_address(AllocationId=next(iter(owned.values()))["AllocationId"])
    assert code_of(error) == "InvalidIPAddress.InUse"
    with pytest.raises(ClientError) as error:
        elb.delete_target_group(TargetGroupArn=balanced.group)
    assert code_of(error) == "ResourceInUse"
    elb.delete_load_balancer(LoadBalancerArn=arn)
    elb.delete_target_group(TargetGroupArn=balanced.group)
    for address in owned.values():
        ec2.release_address(AllocationId=address["AllocationId"])
    assert balanced.account.side.load_balancers() == []


def test_the_life_of_a_target(balanced: Balanced) -> None:
    elb, first, second = balanced.elb, *balanced.nodes
    targets = [{"Id": address, "Port": PORT} for address in balanced.nodes]
    elb.register_targets(TargetGroupArn=balanced.group, Targets=targets)
    assert set(balanced.health().values()) == {("initial", "Elb.RegistrationInProgress")}
    eventually(lambda: set(balanced.health().values()) == {("initial", "Elb.InitialHealthChecking")})
    eventually(lambda: set(balanced.health().values()) == {("healthy", None)})
    eventually(lambda: sorted(balanced.routed().values()) == [{(first, PORT)}, {(second, PORT)}])

    balanced.answering.discard(first)
    eventually(lambda: balanced.health()[first] == ("unhealthy", "Target.FailedHealthChecks"))
    balanced.answering.add(first)
    eventually(lambda: balanced.health()[first] == ("healthy", None))

    elb.deregister_targets(TargetGroupArn=balanced.group, Targets=[{"Id": first, "Port": PORT + 1}])
    assert balanced.health()[first] == ("healthy", None), "another port is another target"
    elb.deregister_targets(TargetGroupArn=balanced.group, Targets=targets[:1])
    assert balanced.health()[first] == ("draining", "Target.DeregistrationInProgress")
    assert {(first, PORT)} in balanced.routed().values(), "new connections still come for a while"
    eventually(lambda: set(balanced.health()) == {second})
    assert balanced.health(Targets=targets[:1])[first] == ("unused", "Target.NotRegistered")
    assert {(first, PORT)} not in balanced.routed().values()
    elb.deregister_targets(TargetGroupArn=balanced.group, Targets=targets[:1])


def test_cross_zone(balanced: Balanced) -> None:
    elb = balanced.elb
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=balanced.balancer["LoadBalancerArn"],
        Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}],
    )
    elb.register_targets(TargetGroupArn=balanced.group, Targets=[{"Id": a} for a in balanced.nodes])
    eventually(lambda: set(balanced.health().values()) == {("healthy", None)})
    eventually(lambda: set(map(len, balanced.routed().values())) == {2})


def test_health_checks_need_the_security_group(balanced: Balanced, network: Network) -> None:
    balanced.account.ec2.revoke_security_group_ingress(
        GroupId=network.group_id,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, "IpRanges": [{"CidrIp": "127.50.0.0/16"}]}
        ],
    )
    balanced.elb.register_targets(TargetGroupArn=balanced.group, Targets=[{"Id": balanced.nodes[0]}])
    eventually(lambda: set(balanced.health().values()) == {("unhealthy", "Target.FailedHealthChecks")})


def test_invalid_calls_are_refused(balanced: Balanced, network: Network) -> None:
    elb, ec2 = balanced.elb, balanced.account.ec2
    with pytest.raises(ClientError) as error:
        elb.register_targets(TargetGroupArn=balanced.group, Targets=[{"Id": "8.8.8.8"}])
    assert code_of(error) == "InvalidTarget"
    with pytest.raises(ClientError) as error:
        elb.create_load_balancer(Name="web", Type="network", Subnets=[network.subnets["a"]["client"]])
    assert code_of(error) == "DuplicateLoadBalancerName"
    taken = ec2.describe_addresses()["Addresses"][0]["AllocationId"]
    for allocation, code in ((taken, "ResourceInUse"), ("eipalloc-0123456789abcdef0", "AllocationIdNotFound")):
        mappings = [{"SubnetId": network.subnets["a"]["client"], "AllocationId": allocation}]
        with pytest.raises(ClientError) as error:
            elb.create_load_balancer(Name="other", Type="network", SubnetMappings=mappings)
        assert code_of(error) == code
    unused = elb.create_target_group(Name="idle", Protocol="TCP", Port=PORT, VpcId=network.vpc_id, TargetType="ip")[
        "TargetGroups"
    ][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=unused, Targets=[{"Id": balanced.nodes[0]}])
    health = elb.describe_target_health(TargetGroupArn=unused)["TargetHealthDescriptions"][0]
    assert (health["TargetHealth"]["State"], health["TargetHealth"]["Reason"]) == ("unused", "Target.NotInUse")
    assert health["Target"]["AvailabilityZone"] == f"{REGION}a"


def test_targets_see_the_balancers_address_unless_the_clients_is_preserved(balanced: Balanced) -> None:
    """aws_vpx.md, section 2a, "NLB": off by default for IP targets with TCP and TLS."""
    side = balanced.account.side
    eventually(lambda: len(side.load_balancers()) == 2)
    nodes = {route.node for route in side.load_balancers()}
    assert all(side.network().at(node) is not None for node in nodes)
    assert {route.preserves for route in side.load_balancers()} == {False}
    preserve = [{"Key": "preserve_client_ip.enabled", "Value": "true"}]
    balanced.elb.modify_target_group_attributes(TargetGroupArn=balanced.group, Attributes=preserve)
    assert {route.preserves for route in side.load_balancers()} == {True}


@pytest.mark.parametrize(
    ("preserves", "connections", "errors"), [("false", 55_300, 300), ("true", 55_300, None), ("false", 9, None)]
)
def test_a_target_with_more_connections_than_ports_is_counted_in_cloudwatch(
    balanced: Balanced, preserves: str, connections: float, errors: float | None
) -> None:
    """Network Load Balancers, target groups: 55,000 connections a target unless client addresses are preserved."""
    attributes = [{"Key": "preserve_client_ip.enabled", "Value": preserves}]
    balanced.elb.modify_target_group_attributes(TargetGroupArn=balanced.group, Attributes=attributes)
    balanced.elb.register_targets(TargetGroupArn=balanced.group, Targets=[{"Id": balanced.nodes[0], "Port": PORT}])
    full = balanced.nodes[0]
    balanced.account.side.ground.connections_at = lambda address: connections if address == full else 0.0
    balanced.account.side.tick()
    found = port_errors(
        balanced.elb, balanced.account.client("cloudwatch"), "web", [f"{REGION}a", f"{REGION}b"], time.time()
    )
    assert found.get(f"{REGION}a") == errors


def test_zone_is_disabled_and_enabled_again_by_the_whole_list_of_subnets(balanced: Balanced) -> None:
    arn, ec2 = balanced.balancer["LoadBalancerArn"], balanced.account.ec2
    zones = balanced.balancer["AvailabilityZones"]
    mappings = [
        {"SubnetId": zone["SubnetId"], "AllocationId": zone["LoadBalancerAddresses"][0]["AllocationId"]}
        for zone in balanced.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0][
            "AvailabilityZones"
        ]
    ]
    balanced.elb.set_subnets(LoadBalancerArn=arn, SubnetMappings=mappings[:1])
    [now] = balanced.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert [zone["SubnetId"] for zone in now["AvailabilityZones"]] == [mappings[0]["SubnetId"]]
    [freed] = ec2.describe_addresses(AllocationIds=[mappings[1]["AllocationId"]])["Addresses"]
    assert "AssociationId" not in freed
    balanced.elb.set_subnets(LoadBalancerArn=arn, SubnetMappings=mappings)
    [now] = balanced.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert {zone["ZoneName"] for zone in now["AvailabilityZones"]} == {zone["ZoneName"] for zone in zones}
