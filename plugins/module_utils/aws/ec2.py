# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2 calls, one function each and nothing else: the error handler outside, the retry inside, the reply's list out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_specifications,
)
from ansible_collections.amazon.aws.plugins.module_utils.transformation import ansible_dict_to_boto3_filter_list

from .client import Client
from .errors import aws_call

Described = list[dict[str, Any]]
# Names of filters with their value, or values of which any will do.
Filters = Mapping[str, Any]


def _filters(filters: Filters | None) -> dict[str, Any]:
    """Return the keyword Filters of a describe call, or no keyword if there is no filter."""
    if not filters:
        return {}
    return {
        "Filters": ansible_dict_to_boto3_filter_list(
            {k: v if isinstance(v, str) else list(v) for k, v in filters.items()}
        )
    }


@aws_call("describe Elastic IPs", lost=2)
def describe_addresses(client: Client, filters: Filters | None = None) -> Described:
    """DescribeAddresses: a whole region is one reply, it has no pages."""
    found: Described = client.describe_addresses(**_filters(filters))["Addresses"]
    return found


@aws_call("describe network interfaces", lost=2)
def describe_network_interfaces(client: Client, filters: Filters | None = None) -> Described:
    """DescribeNetworkInterfaces, all pages."""
    pages = client.get_paginator("describe_network_interfaces").paginate(**_filters(filters))
    found: Described = pages.build_full_result()["NetworkInterfaces"]
    return found


@aws_call("associate {allocation_id} with {network_interface_id} ({private_ip_address})", delay=0.1)
def associate_address(client: Client, allocation_id: str, network_interface_id: str, private_ip_address: str) -> str:
    """AssociateAddress in one atomic step, from any present interface; return the id of the new association.

    No DisassociateAddress before it: that would only widen the outage (EC2 API reference, AssociateAddress). Safe to
    repeat if no other writer moves the address: the call is idempotent.
    """
    return _associate(client, allocation_id, network_interface_id, private_ip_address)


@aws_call("associate {allocation_id} with {network_interface_id} ({private_ip_address})", retries=0)
def associate_address_once(
    client: Client, allocation_id: str, network_interface_id: str, private_ip_address: str
) -> str:
    """AssociateAddress in one call without a retry: the caller judges the state again before a retry.

    Repeated blindly it would take the address from the node that has got it meanwhile.
    """
    return _associate(client, allocation_id, network_interface_id, private_ip_address)


def _associate(client: Client, allocation_id: str, network_interface_id: str, private_ip_address: str) -> str:
    reply = client.associate_address(
        AllocationId=allocation_id,
        NetworkInterfaceId=network_interface_id,
        PrivateIpAddress=private_ip_address,
        AllowReassociation=True,
    )
    return str(reply.get("AssociationId", ""))


@aws_call("describe instances", lost=2)
def describe_instances(client: Client, filters: Filters) -> Described:
    """DescribeInstances, all pages; the instances of all reservations. An unknown id in a filter is no error."""
    pages = client.get_paginator("describe_instances").paginate(**_filters(filters))
    return [item for group in pages.build_full_result()["Reservations"] for item in group["Instances"]]


@aws_call("read the user data of {instance_id}")
def describe_user_data(client: Client, instance_id: str) -> str:
    """DescribeInstanceAttribute, userData: in base64, empty for none. It may hold secrets."""
    reply = client.describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
    return str((reply.get("UserData") or {}).get("Value") or "")


@aws_call("describe the status checks of {instance_id}")
def describe_instance_status(client: Client, instance_id: str) -> Described:
    """DescribeInstanceStatus by filter: an instance that does not run has none."""
    found: Described = client.describe_instance_status(
        Filters=[{"Name": "instance-id", "Values": [instance_id]}], IncludeAllInstances=True
    )["InstanceStatuses"]
    return found


@aws_call("describe instance type {instance_type}")
def describe_instance_type(client: Client, instance_type: str) -> Described:
    """DescribeInstanceTypes by filter: a type that does not exist is an empty list."""
    found: Described = client.describe_instance_types(**_filters({"instance-type": instance_type}))["InstanceTypes"]
    return found


@aws_call("describe image {image_id}")
def describe_image(client: Client, image_id: str) -> Described:
    """DescribeImages by filter: an image that does not exist or is not shared is an empty list."""
    found: Described = client.describe_images(**_filters({"image-id": image_id}))["Images"]
    return found


@aws_call("describe subnets")
def describe_subnets(client: Client, subnet_ids: Sequence[str]) -> Described:
    """DescribeSubnets by filter; those that do not exist are missing from the list."""
    found: Described = client.describe_subnets(**_filters({"subnet-id": subnet_ids}))["Subnets"]
    return found


@aws_call("describe security groups")
def describe_security_groups(client: Client, group_ids: Sequence[str]) -> Described:
    """DescribeSecurityGroups by filter; those that do not exist are missing from the list."""
    found: Described = client.describe_security_groups(**_filters({"group-id": group_ids}))["SecurityGroups"]
    return found


@aws_call("read the quota of Elastic IPs")
def describe_elastic_ip_quota(client: Client) -> Described:
    """DescribeAccountAttributes for vpc-max-elastic-ips."""
    reply = client.describe_account_attributes(AttributeNames=["vpc-max-elastic-ips"])
    found: Described = reply["AccountAttributes"]
    return found


@aws_call("launch instances")
def run_instances(client: Client, parameters: Mapping[str, Any]) -> Described:
    """RunInstances; with its ClientToken it is safe to repeat."""
    found: Described = client.run_instances(**parameters)["Instances"]
    return found


@aws_call("terminate {instance_ids}")
def terminate_instances(client: Client, instance_ids: Sequence[str]) -> None:
    """TerminateInstances: all of them or, if one cannot be, none. Raises AwsError unless EC2 names them."""
    reply = client.terminate_instances(InstanceIds=list(instance_ids))
    named = {one["InstanceId"] for one in reply["TerminatingInstances"]}
    if left_out := sorted(set(instance_ids) - named):
        raise LookupError(f"the answer does not name {', '.join(left_out)}")


@aws_call("start {instance_ids}", retry_on=("IncorrectInstanceState",))
def start_instances(client: Client, instance_ids: Sequence[str]) -> None:
    client.start_instances(InstanceIds=list(instance_ids))


@aws_call("stop {instance_ids}", retry_on=("IncorrectInstanceState",))
def stop_instances(client: Client, instance_ids: Sequence[str]) -> None:
    client.stop_instances(InstanceIds=list(instance_ids))


@aws_call("tag {resource_ids}", retry_on=("InvalidInstanceID.NotFound", "InvalidNetworkInterfaceID.NotFound"))
def create_tags(client: Client, resource_ids: Sequence[str], tags: Mapping[str, str]) -> None:
    """CreateTags: adds or overwrites these keys. What was made a moment ago may not be visible yet: that passes."""
    client.create_tags(Resources=list(resource_ids), Tags=ansible_dict_to_boto3_tag_list(dict(tags)))


@aws_call("set source/destination checking of {network_interface_id}")
def set_source_dest_check(client: Client, network_interface_id: str, value: bool) -> None:
    client.modify_network_interface_attribute(NetworkInterfaceId=network_interface_id, SourceDestCheck={"Value": value})


@aws_call("associate instance profile {profile} with {instance_id}")
def associate_instance_profile(client: Client, instance_id: str, profile: str) -> None:
    """AssociateIamInstanceProfile, for an instance that has none: it has one at most."""
    client.associate_iam_instance_profile(InstanceId=instance_id, IamInstanceProfile={"Name": profile})


@aws_call("set the security groups of {network_interface_id}")
def set_security_groups(client: Client, network_interface_id: str, groups: Sequence[str]) -> None:
    client.modify_network_interface_attribute(NetworkInterfaceId=network_interface_id, Groups=list(groups))


@aws_call("allocate an Elastic IP")
def allocate_address(client: Client, tags: Mapping[str, str]) -> dict[str, Any]:
    """AllocateAddress, tagged in the same step; PublicIp and AllocationId of the new address.

    The call knows no client token. An answer that is lost leaves an address that carries the tags, and the next look
    finds and uses it.
    """
    specification = boto3_tag_specifications(dict(tags), types=["elastic-ip"])
    reply = client.allocate_address(Domain="vpc", TagSpecifications=specification)
    return {"PublicIp": reply["PublicIp"], "AllocationId": reply["AllocationId"]}


@aws_call("release {allocation_id}", retry_on=("InvalidIPAddress.InUse",))
def release_address(client: Client, allocation_id: str) -> None:
    """ReleaseAddress; one that is gone already is no error."""
    try:
        client.release_address(AllocationId=allocation_id)
    except is_boto3_error_code("InvalidAllocationID.NotFound"):
        return


@aws_call("delete {network_interface_id}", retry_on=("InvalidNetworkInterface.InUse",))
def delete_network_interface(client: Client, network_interface_id: str) -> None:
    """DeleteNetworkInterface; one that is gone already is no error."""
    try:
        client.delete_network_interface(NetworkInterfaceId=network_interface_id)
    except is_boto3_error_code("InvalidNetworkInterfaceID.NotFound"):
        return


@aws_call("assign {address} to {network_interface_id}", retry_on=("InvalidNetworkInterfaceID.NotFound",))
def assign_private_ip_address(client: Client, network_interface_id: str, address: str) -> None:
    """AssignPrivateIpAddresses; an address that another interface has is refused."""
    client.assign_private_ip_addresses(
        NetworkInterfaceId=network_interface_id, PrivateIpAddresses=[address], AllowReassignment=False
    )


# Security groups

#: Codes of a write that another writer, or an earlier attempt whose answer was lost, has already made.
RACED = ("InvalidGroup.Duplicate", "InvalidPermission.Duplicate", "InvalidPermission.NotFound")


@aws_call("describe security groups")
def find_security_groups(client: Client, filters: Filters) -> Described:
    """DescribeSecurityGroups by any filter, all pages, with tags and rules."""
    pages = client.get_paginator("describe_security_groups").paginate(**_filters(filters))
    found: Described = pages.build_full_result()["SecurityGroups"]
    return found


@aws_call("create security group {name}")
def create_security_group(client: Client, name: str, description: str, vpc_id: str, tags: Mapping[str, str]) -> str:
    """CreateSecurityGroup, tagged in the same step; the id of the group. Its outbound traffic is allowed."""
    specification = boto3_tag_specifications(dict(tags), types=["security-group"])
    reply = client.create_security_group(
        GroupName=name, Description=description, VpcId=vpc_id, TagSpecifications=specification
    )
    return str(reply["GroupId"])


@aws_call("allow inbound traffic in security group {group_id}", retry_on=("InvalidGroup.NotFound",))
def authorize_security_group_ingress(client: Client, group_id: str, permissions: Sequence[Mapping[str, Any]]) -> None:
    """AuthorizeSecurityGroupIngress: all permissions or none. A group made a moment ago may not be visible yet."""
    client.authorize_security_group_ingress(GroupId=group_id, IpPermissions=list(permissions))


@aws_call("revoke inbound traffic in security group {group_id}")
def revoke_security_group_ingress(client: Client, group_id: str, permissions: Sequence[Mapping[str, Any]]) -> None:
    client.revoke_security_group_ingress(GroupId=group_id, IpPermissions=list(permissions))


@aws_call("describe the rules of security group {group_id}")
def update_security_group_rule_descriptions_ingress(
    client: Client, group_id: str, permissions: Sequence[Mapping[str, Any]]
) -> None:
    client.update_security_group_rule_descriptions_ingress(GroupId=group_id, IpPermissions=list(permissions))


@aws_call("remove security group {name} ({group_id})")
def delete_security_group(client: Client, group_id: str, name: str) -> None:
    """DeleteSecurityGroup; one that is gone already is no error."""
    try:
        client.delete_security_group(GroupId=group_id)
    except is_boto3_error_code("InvalidGroup.NotFound"):
        return


@aws_call("remove tags from {resource_ids}")
def delete_tags(client: Client, resource_ids: Sequence[str], keys: Sequence[str]) -> None:
    client.delete_tags(Resources=list(resource_ids), Tags=[{"Key": key} for key in keys])


@aws_call("read key pair {name}")
def describe_key_pair(client: Client, name: str) -> Described:
    """DescribeKeyPairs by filter: a key pair that does not exist is an empty list."""
    found: Described = client.describe_key_pairs(**_filters({"key-name": name}))["KeyPairs"]
    return found


@aws_call("describe the subnets of {vpc_id}")
def describe_vpc_subnets(client: Client, vpc_id: str) -> Described:
    """DescribeSubnets of one VPC, all pages."""
    pages = client.get_paginator("describe_subnets").paginate(**_filters({"vpc-id": vpc_id}))
    found: Described = pages.build_full_result()["Subnets"]
    return found
