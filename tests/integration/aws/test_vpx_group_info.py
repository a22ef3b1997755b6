"""vpx_group_info over HTTP: the problems of a group before it is built, its plan, and what it reads."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group

from .conftest import Cloud

#: One reading of each kind, on an empty account.
READS = {
    "DescribeInstances": 1,
    "DescribeNetworkInterfaces": 1,
    "DescribeAddresses": 3,
    "DescribeAccountAttributes": 1,
    "DescribeSecurityGroups": 1,
    "DescribeSubnets": 2,
    "DescribeImages": 1,
    "DescribeInstanceTypes": 1,
    "DescribeKeyPairs": 1,
    "DescribeLoadBalancers": 2,
    "DescribeTargetGroups": 1,
}


def definition(cloud: Cloud, name: str = "autoscale_nlb", **changes: Any) -> dict[str, Any]:
    given = deepcopy(cloud.lab.variables(name)) | {f"autoscale_group_{key}": value for key, value in changes.items()}
    found, problems = read_group(given)
    assert problems == []
    return found


def info(cloud: Cloud, group: dict[str, Any], **params: Any) -> dict[str, Any]:
    result = cloud.run("vpx_group_info", definition=group, **params)
    assert not result["failed"], result
    assert cloud.writes == {}
    return result


def test_empty_account_has_no_problem_and_a_plan_for_each_step(cloud: Cloud) -> None:
    found = info(cloud, definition(cloud), nodes=2)
    assert found["problems"] == []
    assert cloud.calls == READS
    plan = found["plan"]
    assert plan["shared"]["vpc_id"] == cloud.seed["vpc_id"]
    assert [one["role"] for one in plan["shared"]["security_groups"]] == ["management", "client", "server", "nlb"]
    assert plan["balancer"]["changes"]
    assert [one["application"] for one in plan["listeners"]["listeners"]] == ["web"]
    assert [(one["zone"], one["count"]) for one in plan["instances"]] == [("eu-central-1a", 2), ("eu-central-1b", 2)]
    assert found["instances"] == []


def test_all_problems_are_returned_at_once(cloud: Cloud) -> None:
    group = definition(cloud, key_name="lost", image_id="ami-00000000000000000", instance_type="m5.huge")
    group["zones"][0]["client_subnet_id"] = "subnet-0123456789abcdef0"
    group["zones"][1]["server_subnet_id"] = group["zones"][0]["server_subnet_id"]
    cloud.ec2.create_security_group(
        GroupName=f"{group['name']}-client", Description="of another", VpcId=cloud.seed["vpc_id"]
    )
    problems = " ".join(info(cloud, group)["problems"])
    for message in (
        "There is no key pair lost in this account and region.",
        "Image ami-00000000000000000 does not exist",
        "There is no instance type m5.huge",
        "There is no subnet subnet-0123456789abcdef0 in this account and region.",
        "of zone eu-central-1b is in eu-central-1a.",
        f"Security group {group['name']}-client was not made for group {group['name']}",
    ):
        assert message in problems


def test_quota_of_elastic_ips_must_fit_all_nodes_of_all_zones(cloud: Cloud) -> None:
    group = definition(cloud, "autoscale_dns")
    group["policy"]["max_nodes"] = 11
    assert "22 more Elastic IPs are needed, but 0 of the 20" in " ".join(info(cloud, group)["problems"])


def test_zone_of_a_group_that_was_not_built_cannot_scale(cloud: Cloud) -> None:
    found = info(cloud, definition(cloud), zone="eu-central-1a", nodes=1)
    assert found["problems"] == [
        "Its security groups do not exist. Build the group first, with playbook cloudadc.aws.autoscale_group."
    ]
    assert [one["name"] for one in found["zones"]] == ["eu-central-1a"]


def test_store_that_cannot_be_used_is_a_problem(cloud: Cloud) -> None:
    store = {"type": "dynamodb", "table": "missing"}
    assert "missing" in " ".join(info(cloud, definition(cloud), store=store)["problems"])


def test_addresses_that_no_interface_has_are_orphans(cloud: Cloud) -> None:
    found = info(cloud, definition(cloud), lost_nodes=["10.9.9.9"])
    assert (found["orphans"], cloud.calls) == (["10.9.9.9"], {"DescribeNetworkInterfaces": 1})


def test_removal_by_name_alone(cloud: Cloud) -> None:
    group, problems = read_group({"autoscale_group_name": "shop", "autoscale_group_state": "absent"})
    found = info(cloud, group)
    assert (problems, found["problems"], found["removal"]["devices"]) == ([], [], [])


def test_definition_that_lacks_keys_is_refused_before_anything_is_read(cloud: Cloud) -> None:
    result = cloud.run("vpx_group_info", definition={"name": "shop", "zones": [{"name": "a"}]})
    assert result["failed"]
    assert "definition is incomplete" in result["msg"]
    assert "zones[0].clip" in result["msg"]
    assert "exception" not in result
    assert cloud.calls == {}
