# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""IAM calls, one function each and nothing else.

IAM is eventually consistent: what was created a moment ago may be unknown to the next call (IAM User Guide, "Changes
that I make are not always immediately visible"). Calls that refer to it are retried. What is gone already is not an
error of a call that removes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list

from .client import Client
from .errors import aws_call

_NOT_THERE = "NoSuchEntity"
#: A request came in while another one changed the same role or profile.
_BUSY = "ConcurrentModification"

Document = Mapping[str, Any]


def same_document(present: Document | None, desired: Document) -> bool:
    """Compare two policy documents by meaning: the order of statements and actions does not count. No call."""
    return present is not None and not compare_policies(dict(present), dict(desired))


@aws_call("read role {name}")
def get_role(client: Client, name: str) -> dict[str, Any] | None:
    """GetRole: the role with its tags, trust policy and permissions boundary; None if there is none."""
    try:
        found: dict[str, Any] = client.get_role(RoleName=name)["Role"]
    except is_boto3_error_code(_NOT_THERE):
        return None
    return found


@aws_call("read policy {policy} of role {name}")
def get_role_policy(client: Client, name: str, policy: str) -> dict[str, Any] | None:
    """GetRolePolicy: the inline policy's document; None if role or policy do not exist."""
    try:
        found: dict[str, Any] = client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    except is_boto3_error_code(_NOT_THERE):
        return None
    return found


@aws_call("read instance profile {name}")
def get_instance_profile(client: Client, name: str) -> dict[str, Any] | None:
    """GetInstanceProfile: the profile with its roles and tags; None if there is none."""
    try:
        found: dict[str, Any] = client.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    except is_boto3_error_code(_NOT_THERE):
        return None
    return found


@aws_call("create role {name}")
def create_role(
    client: Client, name: str, description: str, trust: Document, tags: Mapping[str, str], boundary: str | None
) -> dict[str, Any]:
    """CreateRole, tagged in the same step. ``boundary``: ARN of the permissions boundary."""
    extra = {"PermissionsBoundary": boundary} if boundary else {}
    made: dict[str, Any] = client.create_role(
        RoleName=name,
        Description=description,
        AssumeRolePolicyDocument=json.dumps(trust),
        Tags=ansible_dict_to_boto3_tag_list(dict(tags)),
        **extra,
    )["Role"]
    return made


@aws_call("set the description of role {name}", retry_on=(_NOT_THERE, _BUSY))
def update_role(client: Client, name: str, description: str) -> None:
    client.update_role(RoleName=name, Description=description)


@aws_call("set the trust policy of role {name}", retry_on=(_NOT_THERE, _BUSY))
def update_assume_role_policy(client: Client, name: str, trust: Document) -> None:
    client.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))


@aws_call("set the permissions boundary of role {name}", retry_on=(_NOT_THERE, _BUSY))
def put_role_permissions_boundary(client: Client, name: str, boundary: str) -> None:
    client.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)


@aws_call("tag role {name}", retry_on=(_NOT_THERE, _BUSY))
def tag_role(client: Client, name: str, tags: Mapping[str, str]) -> None:
    client.tag_role(RoleName=name, Tags=ansible_dict_to_boto3_tag_list(dict(tags)))


@aws_call("remove tags from role {name}", retry_on=(_BUSY,))
def untag_role(client: Client, name: str, keys: Sequence[str]) -> None:
    client.untag_role(RoleName=name, TagKeys=list(keys))


@aws_call("write policy {policy} of role {name}", retry_on=(_NOT_THERE, _BUSY))
def put_role_policy(client: Client, name: str, policy: str, document: Document) -> None:
    client.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))


@aws_call("list the inline policies of role {name}")
def list_role_policies(client: Client, name: str) -> list[str]:
    """ListRolePolicies, all pages; none of a role that does not exist."""
    try:
        pages = client.get_paginator("list_role_policies").paginate(RoleName=name)
        found: list[str] = pages.build_full_result()["PolicyNames"]
    except is_boto3_error_code(_NOT_THERE):
        return []
    return found


@aws_call("list the managed policies of role {name}")
def list_attached_role_policies(client: Client, name: str) -> list[str]:
    """ListAttachedRolePolicies, all pages: their ARNs; none of a role that does not exist."""
    try:
        pages = client.get_paginator("list_attached_role_policies").paginate(RoleName=name)
        found = [item["PolicyArn"] for item in pages.build_full_result()["AttachedPolicies"]]
    except is_boto3_error_code(_NOT_THERE):
        return []
    return found


@aws_call("list the instance profiles of role {name}")
def list_instance_profiles_for_role(client: Client, name: str) -> list[str]:
    """ListInstanceProfilesForRole, all pages: their names; none of a role that does not exist."""
    try:
        pages = client.get_paginator("list_instance_profiles_for_role").paginate(RoleName=name)
        found = [item["InstanceProfileName"] for item in pages.build_full_result()["InstanceProfiles"]]
    except is_boto3_error_code(_NOT_THERE):
        return []
    return found


@aws_call("remove policy {policy} of role {name}", retry_on=(_BUSY,))
def delete_role_policy(client: Client, name: str, policy: str) -> None:
    try:
        client.delete_role_policy(RoleName=name, PolicyName=policy)
    except is_boto3_error_code(_NOT_THERE):
        return


@aws_call("detach policy {policy_arn} from role {name}", retry_on=(_BUSY,))
def detach_role_policy(client: Client, name: str, policy_arn: str) -> None:
    try:
        client.detach_role_policy(RoleName=name, PolicyArn=policy_arn)
    except is_boto3_error_code(_NOT_THERE):
        return


@aws_call("remove role {name}", retry_on=(_BUSY, "DeleteConflict"))
def delete_role(client: Client, name: str) -> None:
    """DeleteRole. Policies that were removed a moment ago may still count: that passes."""
    try:
        client.delete_role(RoleName=name)
    except is_boto3_error_code(_NOT_THERE):
        return


@aws_call("create instance profile {name}")
def create_instance_profile(client: Client, name: str, tags: Mapping[str, str]) -> None:
    """CreateInstanceProfile, tagged in the same step; without a role."""
    client.create_instance_profile(InstanceProfileName=name, Tags=ansible_dict_to_boto3_tag_list(dict(tags)))


@aws_call("tag instance profile {name}", retry_on=(_NOT_THERE, _BUSY))
def tag_instance_profile(client: Client, name: str, tags: Mapping[str, str]) -> None:
    client.tag_instance_profile(InstanceProfileName=name, Tags=ansible_dict_to_boto3_tag_list(dict(tags)))


@aws_call("remove tags from instance profile {name}", retry_on=(_BUSY,))
def untag_instance_profile(client: Client, name: str, keys: Sequence[str]) -> None:
    client.untag_instance_profile(InstanceProfileName=name, TagKeys=list(keys))


@aws_call("add role {role} to instance profile {name}", retry_on=(_NOT_THERE, _BUSY))
def add_role_to_instance_profile(client: Client, name: str, role: str) -> None:
    """AddRoleToInstanceProfile; a profile holds one role."""
    client.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)


@aws_call("remove role {role} from instance profile {name}", retry_on=(_BUSY,))
def remove_role_from_instance_profile(client: Client, name: str, role: str) -> None:
    try:
        client.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role)
    except is_boto3_error_code(_NOT_THERE):
        return


@aws_call("remove instance profile {name}", retry_on=(_BUSY, "DeleteConflict"))
def delete_instance_profile(client: Client, name: str) -> None:
    try:
        client.delete_instance_profile(InstanceProfileName=name)
    except is_boto3_error_code(_NOT_THERE):
        return
