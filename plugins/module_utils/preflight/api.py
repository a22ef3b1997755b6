# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading calls that only the preflight makes, one function each and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.transformation import ansible_dict_to_boto3_filter_list

from ..aws.client import Client
from ..aws.errors import aws_call
from ..aws.tags import GROUP
from .dry_runs import DryRun
from .rights import Need

Described = list[dict[str, Any]]


@aws_call("ask AWS whose the credentials are")
def get_caller_identity(client: Client) -> dict[str, Any]:
    """GetCallerIdentity, with the answer's headers. No policy can forbid it."""
    reply: dict[str, Any] = client.get_caller_identity()
    return reply


@aws_call("read role {name}")
def get_role_arn(client: Client, name: str) -> str:
    """GetRole: the ARN with the role's path, which the ARN of a session does not have."""
    return str(client.get_role(RoleName=name)["Role"]["Arn"])


@aws_call("simulate the policies of {principal}")
def simulate(client: Client, principal: str, need: Need) -> Described:
    """SimulatePrincipalPolicy, all pages: EvaluationResults."""
    context = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"} for key, value in need.context
    ]
    pages = client.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=principal,
        ActionNames=list(need.actions),
        ResourceArns=list(need.resources),
        ContextEntries=context,
    )
    found: Described = pages.build_full_result()["EvaluationResults"]
    return found


@aws_call("read quota {code} of {service}")
def get_quota(client: Client, service: str, code: str) -> int | None:
    """GetServiceQuota; one that was never applied has its default (GetAWSDefaultServiceQuota); None: no such one."""
    try:
        quota = client.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]
    except is_boto3_error_code("NoSuchResourceException"):
        return _default_quota(client, service, code)
    return int(quota["Value"])


def _default_quota(client: Client, service: str, code: str) -> int | None:
    try:
        quota = client.get_aws_default_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]
    except is_boto3_error_code("NoSuchResourceException"):
        return None
    return int(quota["Value"])


@aws_call("describe instances")
def describe_instances(client: Client) -> Described:
    """DescribeInstances of the whole region, all pages: quotas count them all."""
    pages = client.get_paginator("describe_instances").paginate()
    return [item for group in pages.build_full_result()["Reservations"] for item in group["Instances"]]


@aws_call("describe security groups")
def describe_security_groups_of(client: Client, group: str) -> Described:
    """DescribeSecurityGroups: those with the group's tag."""
    filters = ansible_dict_to_boto3_filter_list({f"tag:{GROUP}": group})
    found: Described = client.describe_security_groups(Filters=filters)["SecurityGroups"]
    return found


@aws_call("describe the subnets of {vpc_ids}")
def describe_subnets_of(client: Client, vpc_ids: Sequence[str]) -> Described:
    """DescribeSubnets of whole VPCs, all pages."""
    pages = client.get_paginator("describe_subnets").paginate(
        Filters=ansible_dict_to_boto3_filter_list({"vpc-id": list(vpc_ids)})
    )
    found: Described = pages.build_full_result()["Subnets"]
    return found


@aws_call("describe instance types")
def describe_instance_types(client: Client, names: Sequence[str]) -> Described:
    """DescribeInstanceTypes by filter: those that do not exist are missing from the list."""
    pages = client.get_paginator("describe_instance_types").paginate(
        Filters=ansible_dict_to_boto3_filter_list({"instance-type": list(names)})
    )
    found: Described = pages.build_full_result()["InstanceTypes"]
    return found


@aws_call("describe load balancers")
def describe_load_balancers(client: Client) -> Described:
    """DescribeLoadBalancers of the region, all pages."""
    found: Described = client.get_paginator("describe_load_balancers").paginate().build_full_result()["LoadBalancers"]
    return found


@aws_call("describe route tables")
def describe_route_tables(client: Client, vpc_ids: Sequence[str]) -> Described:
    """DescribeRouteTables of these VPCs, all pages."""
    pages = client.get_paginator("describe_route_tables").paginate(
        Filters=ansible_dict_to_boto3_filter_list({"vpc-id": list(vpc_ids)})
    )
    found: Described = pages.build_full_result()["RouteTables"]
    return found


@aws_call("describe VPC endpoints")
def describe_vpc_endpoints(client: Client, vpc_ids: Sequence[str]) -> Described:
    """DescribeVpcEndpoints of these VPCs, all pages."""
    pages = client.get_paginator("describe_vpc_endpoints").paginate(
        Filters=ansible_dict_to_boto3_filter_list({"vpc-id": list(vpc_ids)})
    )
    found: Described = pages.build_full_result()["VpcEndpoints"]
    return found


@aws_call("try {run.action}")
def try_out(client: Client, run: DryRun) -> Mapping[str, Any]:
    """Make a dry run: EC2 answers with an error in any case, DryRunOperation if it would carry the call out."""
    names = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
    reply: Mapping[str, Any] = getattr(client, names[run.operation])(**run.parameters, DryRun=True)
    return reply
