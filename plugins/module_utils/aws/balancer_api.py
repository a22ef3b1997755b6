# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls of Elastic Load Balancing (v2) about load balancers themselves, one function each and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)

from .client import Client
from .errors import aws_call

Described = list[dict[str, Any]]

# DescribeTags takes so many ARNs a call.
MOST_TAGGED = 20


@aws_call("describe load balancer {name}")
def describe_load_balancer(client: Client, name: str) -> Described:
    """DescribeLoadBalancers; a name nobody has is an empty list."""
    try:
        found: Described = client.describe_load_balancers(Names=[name])["LoadBalancers"]
    except is_boto3_error_code("LoadBalancerNotFound"):
        return []
    return found


@aws_call("describe the target groups of the region")
def describe_target_groups(client: Client) -> Described:
    """DescribeTargetGroups, all pages."""
    pages = client.get_paginator("describe_target_groups").paginate()
    found: Described = pages.build_full_result()["TargetGroups"]
    return found


@aws_call("describe the tags of {arns}")
def describe_tags(client: Client, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    """DescribeTags of at most MOST_TAGGED resources: ARN → tags."""
    described = client.describe_tags(ResourceArns=list(arns))["TagDescriptions"]
    return {item["ResourceArn"]: boto3_tag_list_to_ansible_dict(item.get("Tags", [])) for item in described}


@aws_call("describe the attributes of {arn}")
def describe_attributes(client: Client, arn: str) -> dict[str, str]:
    """DescribeLoadBalancerAttributes: name → value, both text."""
    described = client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {item["Key"]: item["Value"] for item in described}


@aws_call("make load balancer {name}")
def create_load_balancer(
    client: Client,
    name: str,
    scheme: str,
    mappings: Sequence[Mapping[str, str]],
    security_groups: Sequence[str],
    tags: Mapping[str, str],
) -> dict[str, Any]:
    """CreateLoadBalancer of type network. Safe to repeat: the same request again answers with the same balancer."""
    reply = client.create_load_balancer(
        Name=name,
        Type="network",
        Scheme=scheme,
        SubnetMappings=[dict(mapping) for mapping in mappings],
        **({"SecurityGroups": list(security_groups)} if security_groups else {}),
        Tags=ansible_dict_to_boto3_tag_list(dict(tags)),
    )
    made: dict[str, Any] = reply["LoadBalancers"][0]
    return made


@aws_call("set the zones of {arn}")
def set_subnets(client: Client, arn: str, mappings: Sequence[Mapping[str, str]]) -> None:
    """SetSubnets: the whole list, those that are there among them."""
    client.set_subnets(LoadBalancerArn=arn, SubnetMappings=[dict(mapping) for mapping in mappings])


@aws_call("set the security groups of {arn}")
def set_security_groups(client: Client, arn: str, groups: Sequence[str]) -> None:
    """SetSecurityGroups; a network load balancer that was made without any can have none later."""
    client.set_security_groups(LoadBalancerArn=arn, SecurityGroups=list(groups))


@aws_call("set attributes of {arn}")
def set_attributes(client: Client, arn: str, attributes: Mapping[str, str]) -> None:
    """ModifyLoadBalancerAttributes; those not named stay."""
    client.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()]
    )


@aws_call("tag {arn}")
def add_tags(client: Client, arn: str, tags: Mapping[str, str]) -> None:
    client.add_tags(ResourceArns=[arn], Tags=ansible_dict_to_boto3_tag_list(dict(tags)))


@aws_call("delete load balancer {arn}")
def delete_load_balancer(client: Client, arn: str) -> None:
    """DeleteLoadBalancer, its listeners with it; one that is gone already is no error."""
    client.delete_load_balancer(LoadBalancerArn=arn)


@aws_call("delete target group {arn}", retry_on=("ResourceInUse",))
def delete_target_group(client: Client, arn: str) -> None:
    """DeleteTargetGroup; one that is gone already is no error. In use for a moment after its balancer went."""
    client.delete_target_group(TargetGroupArn=arn)
