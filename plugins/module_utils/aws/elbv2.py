# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Elastic Load Balancing (v2): load balancers, listeners, target groups and targets. One function a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)

from ..core.parallel import gather
from .client import Client
from .errors import aws_call

Described = list[dict[str, Any]]

NOT_FOUND = "TargetGroupNotFound"
#: Another job made the same at the same time; the next look finds it.
RACED = ("DuplicateTargetGroupName", "DuplicateListener")
#: Resources in one DescribeTags (API reference, DescribeTags).
MOST_TAGGED = 20


@aws_call("describe the tags of {arns}")
def describe_tags(client: Client, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    """DescribeTags of at most MOST_TAGGED resources: ARN → tags."""
    described = client.describe_tags(ResourceArns=list(arns))["TagDescriptions"]
    return {item["ResourceArn"]: boto3_tag_list_to_ansible_dict(item.get("Tags", [])) for item in described}


def tags_of(client: Client, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the tags of any number of resources, read side by side, MOST_TAGGED in each call."""
    batches = [arns[at : at + MOST_TAGGED] for at in range(0, len(arns), MOST_TAGGED)]
    replies = gather([partial(describe_tags, client, batch) for batch in batches])
    return {arn: tags for reply in replies for arn, tags in reply.items()}


@aws_call("tag {arn}")
def add_tags(client: Client, arn: str, tags: Mapping[str, str]) -> None:
    """AddTags: adds or overwrites these keys."""
    client.add_tags(ResourceArns=[arn], Tags=ansible_dict_to_boto3_tag_list(dict(tags)))


@aws_call("describe load balancer {name}")
def describe_load_balancer(client: Client, name: str) -> Described:
    """DescribeLoadBalancers by name, or by ARN; an unknown one is an empty list."""
    desired = {"LoadBalancerArns": [name]} if name.startswith("arn:") else {"Names": [name]}
    try:
        found: Described = client.describe_load_balancers(**desired)["LoadBalancers"]
    except is_boto3_error_code("LoadBalancerNotFound"):
        return []
    return found


@aws_call("describe the attributes of {arn}")
def describe_load_balancer_attributes(client: Client, arn: str) -> dict[str, str]:
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
def modify_load_balancer_attributes(client: Client, arn: str, attributes: Mapping[str, str]) -> None:
    """ModifyLoadBalancerAttributes; those not named stay."""
    client.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()]
    )


@aws_call("delete load balancer {arn}")
def delete_load_balancer(client: Client, arn: str) -> None:
    """DeleteLoadBalancer, its listeners with it; one that is gone already is no error."""
    client.delete_load_balancer(LoadBalancerArn=arn)


@aws_call("describe the listeners of {arn}")
def describe_listeners(client: Client, arn: str) -> Described:
    """DescribeListeners, all pages."""
    pages = client.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn)
    found: Described = pages.build_full_result()["Listeners"]
    return found


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


@aws_call("describe target groups")
def describe_target_groups(client: Client) -> Described:
    """DescribeTargetGroups, all pages: the API does not filter by tag."""
    found: Described = client.get_paginator("describe_target_groups").paginate().build_full_result()["TargetGroups"]
    return found


@aws_call("describe target group {name}")
def describe_target_group_by_name(client: Client, name: str) -> Described:
    """DescribeTargetGroups by name; an unknown name is the error TargetGroupNotFound."""
    found: Described = client.describe_target_groups(Names=[name])["TargetGroups"]
    return found


@aws_call("describe target group {arn}")
def describe_target_group(client: Client, arn: str) -> Described:
    """DescribeTargetGroups by ARN."""
    found: Described = client.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    return found


@aws_call("describe the attributes of {arn}")
def describe_target_group_attributes(client: Client, arn: str) -> dict[str, str]:
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
def modify_target_group_attributes(client: Client, arn: str, attributes: Mapping[str, str]) -> None:
    """ModifyTargetGroupAttributes."""
    listed = [{"Key": key, "Value": value} for key, value in attributes.items()]
    client.modify_target_group_attributes(TargetGroupArn=arn, Attributes=listed)


@aws_call("delete target group {arn}", retry_on=("ResourceInUse",))
def delete_target_group(client: Client, arn: str) -> None:
    """DeleteTargetGroup; one that is gone already is no error. In use for a moment after its listener went."""
    client.delete_target_group(TargetGroupArn=arn)


@aws_call("describe the health of the targets of {arn}")
def describe_target_health(client: Client, arn: str) -> Described:
    """DescribeTargetHealth of every target that is registered or draining: one reply, it has no pages."""
    found: Described = client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return found


@aws_call("register targets with {arn}")
def register_targets(client: Client, arn: str, targets: Sequence[Mapping[str, Any]]) -> None:
    """RegisterTargets: all of them or, if one is refused, none. Safe to repeat."""
    client.register_targets(TargetGroupArn=arn, Targets=[dict(target) for target in targets])


@aws_call("deregister targets from {arn}")
def deregister_targets(client: Client, arn: str, targets: Sequence[Mapping[str, Any]]) -> None:
    """DeregisterTargets; one that is not registered is no error. Safe to repeat."""
    client.deregister_targets(TargetGroupArn=arn, Targets=[dict(target) for target in targets])
