# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Elastic Load Balancing (v2) calls about listeners and target groups, one function each and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list

from .client import Client
from .errors import aws_call

Described = list[dict[str, Any]]

# What another job that does the same was quicker with; the next look finds it.
RACED = ("DuplicateTargetGroupName", "DuplicateListener")
# DescribeTags takes so many ARNs (API reference, DescribeTags).
MOST_TAGGED = 20


@aws_call("describe load balancer {name}")
def describe_load_balancer(client: Client, name: str) -> Described:
    """DescribeLoadBalancers by name, or by ARN; one that nobody has is an empty list."""
    wanted = {"LoadBalancerArns": [name]} if name.startswith("arn:") else {"Names": [name]}
    try:
        found: Described = client.describe_load_balancers(**wanted)["LoadBalancers"]
    except is_boto3_error_code("LoadBalancerNotFound"):
        return []
    return found


@aws_call("describe the listeners of {arn}")
def describe_listeners(client: Client, arn: str) -> Described:
    """DescribeListeners, all pages."""
    pages = client.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn)
    found: Described = pages.build_full_result()["Listeners"]
    return found


@aws_call("describe target groups")
def describe_target_groups(client: Client) -> Described:
    """DescribeTargetGroups, all pages: the API does not filter by tag."""
    found: Described = client.get_paginator("describe_target_groups").paginate().build_full_result()["TargetGroups"]
    return found


@aws_call("describe tags")
def describe_tags(client: Client, arns: Sequence[str]) -> Described:
    """DescribeTags of up to 20 resources."""
    found: Described = client.describe_tags(ResourceArns=list(arns))["TagDescriptions"]
    return found


@aws_call("describe the attributes of {arn}")
def describe_attributes(client: Client, arn: str) -> dict[str, str]:
    """DescribeTargetGroupAttributes as a mapping."""
    listed = client.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return {item["Key"]: item.get("Value", "") for item in listed}


@aws_call("create target group {name}")
def create_target_group(client: Client, name: str, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> str:
    """CreateTargetGroup, tagged in the same step; its ARN. The same again is the same target group."""
    made = client.create_target_group(Name=name, **parameters, Tags=ansible_dict_to_boto3_tag_list(dict(tags)))
    return str(made["TargetGroups"][0]["TargetGroupArn"])


@aws_call("change the health check of {arn}")
def modify_target_group(client: Client, arn: str, parameters: Mapping[str, Any]) -> None:
    """ModifyTargetGroup."""
    client.modify_target_group(TargetGroupArn=arn, **parameters)


@aws_call("change the attributes of {arn}")
def modify_attributes(client: Client, arn: str, attributes: Mapping[str, str]) -> None:
    """ModifyTargetGroupAttributes."""
    listed = [{"Key": key, "Value": value} for key, value in attributes.items()]
    client.modify_target_group_attributes(TargetGroupArn=arn, Attributes=listed)


@aws_call("tag {arn}")
def add_tags(client: Client, arn: str, tags: Mapping[str, str]) -> None:
    """AddTags: adds or overwrites these keys."""
    client.add_tags(ResourceArns=[arn], Tags=ansible_dict_to_boto3_tag_list(dict(tags)))


@aws_call("create a listener at port {port} of {load_balancer}")
def create_listener(
    client: Client, load_balancer: str, port: int, parameters: Mapping[str, Any], tags: Mapping[str, str]
) -> str:
    """CreateListener, tagged in the same step; its ARN. The same again is the same listener."""
    made = client.create_listener(
        LoadBalancerArn=load_balancer, Port=port, **parameters, Tags=ansible_dict_to_boto3_tag_list(dict(tags))
    )
    return str(made["Listeners"][0]["ListenerArn"])


@aws_call("change listener {arn}")
def modify_listener(client: Client, arn: str, parameters: Mapping[str, Any]) -> None:
    """ModifyListener."""
    client.modify_listener(ListenerArn=arn, **parameters)


@aws_call("delete listener {arn}")
def delete_listener(client: Client, arn: str) -> None:
    """DeleteListener; one that is gone already is no error."""
    try:
        client.delete_listener(ListenerArn=arn)
    except is_boto3_error_code("ListenerNotFound"):
        return


@aws_call("delete target group {arn}", retry_on=("ResourceInUse",))
def delete_target_group(client: Client, arn: str) -> None:
    """DeleteTargetGroup; one that is gone already is no error. In use for a moment after its listener went."""
    client.delete_target_group(TargetGroupArn=arn)
