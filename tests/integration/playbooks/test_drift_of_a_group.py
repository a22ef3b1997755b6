"""Changes by hand to a group in service are reported and repaired, and a changed definition leaves no orphan."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.crash.group_flows import ZONE, Kind, built
from tests.lab.client import LabClient
from tests.stage import Stage

from .groups import OTHER_ZONE, Group

KIND = Kind("nlb", "independent")


@pytest.fixture
def group(lab: LabClient) -> Group:
    found = Group(Stage(lab, quick=True), KIND)
    found.begin(built(KIND))
    return found


def target_group(group: Group, application: str) -> str:
    [found] = group.lab.boto("elbv2").describe_target_groups(Names=[f"{KIND.group}-{application}"])["TargetGroups"]
    return str(found["TargetGroupArn"])


def listeners(group: Group) -> dict[int, str]:
    elb = group.lab.boto("elbv2")
    [balancer] = elb.describe_load_balancers(Names=[KIND.group])["LoadBalancers"]
    found = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    return {one["Port"]: one["ListenerArn"] for one in found}


def subnets(group: Group) -> list[str]:
    [balancer] = group.lab.boto("elbv2").describe_load_balancers(Names=[KIND.group])["LoadBalancers"]
    return [str(zone["ZoneName"]) for zone in balancer["AvailabilityZones"]]


def disable(group: Group, node: dict[str, Any], name: str) -> None:
    definition = group.definition()
    answer = requests.post(
        f"https://{node['PrivateIpAddress']}:{definition['autoscale_group_nitro_port']}/nitro/v1/config/lbvserver",
        params={"action": "disable"},
        headers={"X-NITRO-USER": "nsroot", "X-NITRO-PASS": definition["autoscale_group_password"]},
        json={"lbvserver": {"name": name}},
        verify=definition["autoscale_group_ca_path"],
        timeout=5,
    )
    answer.raise_for_status()


@pytest.mark.timeout(900)
def test_changes_by_hand_are_reported_and_repaired(group: Group) -> None:
    elb, ec2 = group.lab.boto("elbv2"), group.lab.boto("ec2")
    [node] = group.nodes()
    [address] = group.clients()
    port = group.definition()["autoscale_group_applications"][0]["port"]
    elb.deregister_targets(TargetGroupArn=target_group(group, "web"), Targets=[{"Id": address, "Port": port}])
    elb.delete_listener(ListenerArn=listeners(group)[port + 1])
    disable(group, node, "web")
    where = {"Filters": [{"Name": "group-name", "Values": [f"{KIND.group}-management"]}]}
    [management] = ec2.describe_security_groups(**where)["SecurityGroups"]
    rule = {"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=management["GroupId"], IpPermissions=[rule])

    run = group.play("autoscale_group", "--check", autoscale_group_instance_type="m5.2xlarge")
    assert (run.code, run.writes) == (0, []), run.message
    for message in (
        f"Node {node['InstanceId']} of zone {ZONE}: instance type is m5.xlarge, defined is m5.2xlarge. A new node is "
        "needed: ansible-playbook cloudadc.aws.autoscale_group with the variables of the group and -e "
        f"autoscale_group_replace_node={node['InstanceId']}.",
        f"The playbook autoscale_group will revoke tcp 3389 from 0.0.0.0/0 in security group {KIND.group}-management.",
        f"The playbook autoscale_group will register {address} as targets of web.",
        f"The playbook autoscale_group will create the TCP listener at port {port + 1}.",
    ):
        assert run.message.count(message) >= 2, message
    assert "would repair application" in run.message

    run = group.play("autoscale_group")
    assert run.code == 0, run.message
    assert group.targets("web")[address] == "healthy"
    assert sorted(listeners(group)) == [port, port + 1]
    assert "repaired application" in run.message
    assert f"repaired: Distribution of {KIND.group}" in run.message
    run = group.play("autoscale_group")
    assert (run.code, run.writes) == (0, []), run.message
    assert "repaired" not in run.message


@pytest.mark.timeout(900)
def test_zone_is_removed_only_on_request_and_leaves_no_orphan(group: Group) -> None:
    kept = group.definition()["autoscale_group_zones"][:1]
    [node] = group.nodes(OTHER_ZONE)
    run = group.play("autoscale_group", autoscale_group_zones=kept)
    assert (run.code, run.writes) == (2, []), run.message
    assert f"does not name {OTHER_ZONE} any more, where 1 node ({node['InstanceId']}) of this group runs" in run.message

    run = group.play("autoscale_group", "--check", autoscale_group_zones=kept, autoscale_group_remove_zones=True)
    assert (run.code, run.writes) == (0, []), run.message
    run = group.play("autoscale_group", autoscale_group_zones=kept, autoscale_group_remove_zones=True)
    assert run.code == 0, run.message
    assert group.nodes(OTHER_ZONE) == []
    assert subnets(group) == [ZONE]
    assert group.devices() == sorted(group.nsips())
    for application in ("web", "shop"):
        assert group.targets(application) == dict.fromkeys(group.clients(), "healthy")
    addresses = group.lab.boto("ec2").describe_addresses()["Addresses"]
    zones = [tag["Value"] for one in addresses for tag in one.get("Tags", []) if tag["Key"] == "cloudadc:zone"]
    assert OTHER_ZONE not in zones


@pytest.mark.timeout(900)
def test_port_of_an_application_changes_and_no_target_of_the_former_one_stays(group: Group) -> None:
    web, shop = group.definition()["autoscale_group_applications"]
    former = web["port"]
    added = {**shop, "name": "extra", "port": shop["port"] + 20}
    run = group.play("autoscale_group", "--check", autoscale_group_applications=[web, shop, added])
    assert (run.code, run.writes) == (0, []), run.message
    assert "drift:" not in run.message, "an application that is added is no difference of what is there"
    web |= {"port": former + 5}
    run = group.play("autoscale_group", autoscale_group_applications=[web, shop])
    assert run.code == 0, run.message
    described = group.lab.boto("elbv2").describe_target_health(TargetGroupArn=target_group(group, "web"))
    ports = {
        one["Target"]["Port"]
        for one in described["TargetHealthDescriptions"]
        if one["TargetHealth"]["State"] != "draining"
    }
    assert ports == {former + 5}
    assert former not in listeners(group)
