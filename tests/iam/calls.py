"""One call for each action of the shipped policies: what it names of a fleet, or what it gives its tags to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.iam.fleet import BOUNDARY, BUCKET, TRUST, Fleet
from tests.lab.aws import VPX_IMAGE_ID

_SERVICES = {"elasticloadbalancing": "elbv2"}
_RULE = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "127.0.0.1/32"}]}]
_KEY = {"group": {"S": "shop"}, "zone": {"S": "a"}}
Parameters = Callable[[Fleet], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """``operation``: as boto3 names it. ``limited``: whether a policy tells a fleet's own resources from others'.

    ``service``: of the operation, where another one asks for the action.
    """

    operation: str
    parameters: Parameters
    limited: bool = True
    service: str = ""

    def make(self, clients: Any, action: str, fleet: Fleet) -> Any:
        prefix = self.service or action.partition(":")[0]
        return getattr(clients.client(_SERVICES.get(prefix, prefix)), self.operation)(**self.parameters(fleet))


def _tagged(fleet: Fleet) -> dict[str, Any]:
    return {"Tags": fleet.tag_list} if fleet.tags else {}


def _launch(fleet: Fleet) -> dict[str, Any]:
    interface = {"DeviceIndex": 0, "SubnetId": fleet.subnet, "Groups": [fleet.group]}
    return {
        "ImageId": VPX_IMAGE_ID, "InstanceType": "m5.xlarge", "MinCount": 1, "MaxCount": 1, "KeyName": "operations",
        "NetworkInterfaces": [interface], "IamInstanceProfile": {"Name": fleet.role},
        "TagSpecifications": fleet.specification("instance", "network-interface", "volume"),
    }  # fmt: skip


def _destination(fleet: Fleet) -> dict[str, Any]:
    return {"RouteTableId": fleet.route_table, "DestinationCidrBlock": "10.99.0.9/32"}


def _route(fleet: Fleet) -> dict[str, Any]:
    return {
        "RouteTableId": fleet.route_table,
        "DestinationCidrBlock": "10.99.0.9/32",
        "NetworkInterfaceId": fleet.interface,
    }


def _target_group(fleet: Fleet) -> dict[str, Any]:
    return {"Name": "new", "Protocol": "TCP", "Port": 80, "VpcId": fleet.vpc, **_tagged(fleet)}


def _listener(fleet: Fleet) -> dict[str, Any]:
    forward = [{"Type": "forward", "TargetGroupArn": fleet.target_group}]
    return {
        "LoadBalancerArn": fleet.balancer, "Protocol": "TCP", "Port": 81, "DefaultActions": forward, **_tagged(fleet)
    }  # fmt: skip


def _records(fleet: Fleet) -> dict[str, Any]:
    record = {"Name": f"{fleet.record}.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
    return {"HostedZoneId": fleet.zone, "ChangeBatch": {"Changes": changes}}


def _item(fleet: Fleet) -> dict[str, Any]:
    return {"TableName": fleet.table, "Key": _KEY}


def _table(fleet: Fleet) -> dict[str, Any]:
    return {
        "TableName": fleet.table, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "group", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
    }  # fmt: skip


def _of_role(**more: Any) -> Parameters:
    return lambda fleet: {"RoleName": fleet.role, **more}


def _of_profile(*, role: bool = False, **more: Any) -> Parameters:
    return lambda fleet: {
        "InstanceProfileName": fleet.role, **({"RoleName": fleet.role} if role else {}), **more
    }  # fmt: skip


def _nothing(_fleet: Fleet) -> dict[str, Any]:
    return {}


def _reads(*operations: str, **parameters: dict[str, Any]) -> dict[str, Call]:
    """Actions that only read and that AWS limits to no resource; ``parameters``: of those that require some."""

    def call(name: str) -> Call:
        return Call(_snake(name), lambda _fleet: parameters.get(name, {}), limited=False)

    return {name: call(name) for name in operations}


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


_EC2: dict[str, Call] = {
    "AllocateAddress": Call(
        "allocate_address", lambda f: {"Domain": "vpc", "TagSpecifications": f.specification("elastic-ip")}
    ),
    "AssignIpv6Addresses": Call(
        "assign_ipv6_addresses", lambda f: {"NetworkInterfaceId": f.interface, "Ipv6Addresses": ["2001:db8::9"]}
    ),
    "AssignPrivateIpAddresses": Call(
        "assign_private_ip_addresses",
        lambda f: {"NetworkInterfaceId": f.interface, "PrivateIpAddresses": ["127.53.1.99"]},
    ),
    "AssociateAddress": Call(
        "associate_address", lambda f: {"AllocationId": f.address, "NetworkInterfaceId": f.interface}
    ),
    "AssociateIamInstanceProfile": Call(
        "associate_iam_instance_profile", lambda f: {"InstanceId": f.instance, "IamInstanceProfile": {"Name": f.role}}
    ),
    "AttachNetworkInterface": Call(
        "attach_network_interface",
        lambda f: {"DeviceIndex": 1, "InstanceId": f.instance, "NetworkInterfaceId": f.interface},
    ),
    "AuthorizeSecurityGroupIngress": Call(
        "authorize_security_group_ingress", lambda f: {"GroupId": f.group, "IpPermissions": _RULE}
    ),
    "CreateRoute": Call("create_route", _route),
    "CreateSecurityGroup": Call(
        "create_security_group",
        lambda f: {
            "GroupName": "new", "Description": "x", "VpcId": f.vpc,
            "TagSpecifications": f.specification("security-group"),
        },
    ),
    "CreateTags": Call("create_tags", lambda f: {"Resources": [f.group], "Tags": [{"Key": "a", "Value": "b"}]}),
    "DeleteNetworkInterface": Call("delete_network_interface", lambda f: {"NetworkInterfaceId": f.interface}),
    "DeleteRoute": Call("delete_route", _destination),
    "DeleteSecurityGroup": Call("delete_security_group", lambda f: {"GroupId": f.group}),
    "DeleteTags": Call("delete_tags", lambda f: {"Resources": [f.group], "Tags": [{"Key": "a"}]}),
    "DetachNetworkInterface": Call("detach_network_interface", lambda f: {"AttachmentId": f.attachment}),
    "DisassociateAddress": Call("disassociate_address", lambda f: {"AssociationId": f.association}),
    "ModifyNetworkInterfaceAttribute": Call(
        "modify_network_interface_attribute", lambda f: {"NetworkInterfaceId": f.interface, "Groups": [f.group]}
    ),
    "ReleaseAddress": Call("release_address", lambda f: {"AllocationId": f.address}),
    "ReplaceRoute": Call("replace_route", _route),
    "RevokeSecurityGroupIngress": Call(
        "revoke_security_group_ingress", lambda f: {"GroupId": f.group, "IpPermissions": _RULE}
    ),
    "RunInstances": Call("run_instances", _launch),
    "UnassignIpv6Addresses": Call(
        "unassign_ipv6_addresses", lambda f: {"NetworkInterfaceId": f.interface, "Ipv6Addresses": ["2001:db8::9"]}
    ),
    "UnassignPrivateIpAddresses": Call(
        "unassign_private_ip_addresses",
        lambda f: {"NetworkInterfaceId": f.interface, "PrivateIpAddresses": ["127.53.1.99"]},
    ),
    "UpdateSecurityGroupRuleDescriptionsIngress": Call(
        "update_security_group_rule_descriptions_ingress", lambda f: {"GroupId": f.group, "IpPermissions": _RULE}
    ),
    **{
        name: Call(_snake(name), lambda f: {"InstanceIds": [f.instance]})
        for name in ("RebootInstances", "StartInstances", "StopInstances", "TerminateInstances")
    },
    "DescribeInstanceAttribute": Call(
        "describe_instance_attribute", lambda f: {"InstanceId": f.instance, "Attribute": "userData"}, limited=False
    ),
    **_reads(
        "DescribeAccountAttributes", "DescribeAddresses", "DescribeImages", "DescribeInstanceStatus",
        "DescribeInstanceTypes", "DescribeInstances", "DescribeInternetGateways", "DescribeKeyPairs",
        "DescribeNetworkInterfaces", "DescribeRouteTables", "DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs",
    ),
}  # fmt: skip

_ELB: dict[str, Call] = {
    "AddTags": Call("add_tags", lambda f: {"ResourceArns": [f.balancer], "Tags": [{"Key": "a", "Value": "b"}]}),
    "CreateListener": Call("create_listener", _listener),
    "CreateLoadBalancer": Call(
        "create_load_balancer", lambda f: {"Name": "new", "Type": "network", "Subnets": [f.subnet], **_tagged(f)}
    ),
    "CreateTargetGroup": Call("create_target_group", _target_group),
    "DeleteListener": Call("delete_listener", lambda f: {"ListenerArn": f.listener}),
    "DeleteLoadBalancer": Call("delete_load_balancer", lambda f: {"LoadBalancerArn": f.balancer}),
    "DeleteTargetGroup": Call("delete_target_group", lambda f: {"TargetGroupArn": f.target_group}),
    "DeregisterTargets": Call(
        "deregister_targets", lambda f: {"TargetGroupArn": f.target_group, "Targets": [{"Id": "127.53.1.5"}]}
    ),
    "ModifyListener": Call("modify_listener", lambda f: {"ListenerArn": f.listener, "Port": 82}),
    "ModifyLoadBalancerAttributes": Call(
        "modify_load_balancer_attributes",
        lambda f: {"LoadBalancerArn": f.balancer, "Attributes": [{"Key": "a", "Value": "b"}]},
    ),
    "ModifyTargetGroup": Call(
        "modify_target_group", lambda f: {"TargetGroupArn": f.target_group, "HealthyThresholdCount": 3}
    ),
    "ModifyTargetGroupAttributes": Call(
        "modify_target_group_attributes",
        lambda f: {"TargetGroupArn": f.target_group, "Attributes": [{"Key": "a", "Value": "b"}]},
    ),
    "RegisterTargets": Call(
        "register_targets", lambda f: {"TargetGroupArn": f.target_group, "Targets": [{"Id": "127.53.1.5"}]}
    ),
    "SetSecurityGroups": Call(
        "set_security_groups", lambda f: {"LoadBalancerArn": f.balancer, "SecurityGroups": [f.group]}
    ),
    "SetSubnets": Call("set_subnets", lambda f: {"LoadBalancerArn": f.balancer, "Subnets": [f.subnet]}),
    **_reads(
        "DescribeListeners", "DescribeLoadBalancerAttributes", "DescribeLoadBalancers", "DescribeTags",
        "DescribeTargetGroupAttributes", "DescribeTargetGroups", "DescribeTargetHealth",
        DescribeListeners={"LoadBalancerArn": "a"}, DescribeLoadBalancerAttributes={"LoadBalancerArn": "a"},
        DescribeTags={"ResourceArns": ["a"]}, DescribeTargetGroupAttributes={"TargetGroupArn": "a"},
        DescribeTargetHealth={"TargetGroupArn": "a"},
    ),
}  # fmt: skip

_IAM: dict[str, Call] = {
    "AddRoleToInstanceProfile": Call("add_role_to_instance_profile", _of_profile(role=True)),
    "CreateInstanceProfile": Call("create_instance_profile", _of_profile()),
    "CreateRole": Call("create_role", _of_role(AssumeRolePolicyDocument=TRUST, PermissionsBoundary=BOUNDARY)),
    "DeleteInstanceProfile": Call("delete_instance_profile", _of_profile()),
    "DeleteRole": Call("delete_role", _of_role()),
    "DeleteRolePolicy": Call("delete_role_policy", _of_role(PolicyName="a")),
    "DetachRolePolicy": Call("detach_role_policy", _of_role(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")),
    "GetInstanceProfile": Call("get_instance_profile", _of_profile()),
    "GetRole": Call("get_role", _of_role()),
    "GetRolePolicy": Call("get_role_policy", _of_role(PolicyName="a")),
    "ListAttachedRolePolicies": Call("list_attached_role_policies", _of_role()),
    "ListInstanceProfilesForRole": Call("list_instance_profiles_for_role", _of_role()),
    "ListRolePolicies": Call("list_role_policies", _of_role()),
    "PassRole": Call("run_instances", _launch, service="ec2"),
    "PutRolePermissionsBoundary": Call("put_role_permissions_boundary", _of_role(PermissionsBoundary=BOUNDARY)),
    "PutRolePolicy": Call(
        "put_role_policy", _of_role(PolicyName="a", PolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    ),
    "RemoveRoleFromInstanceProfile": Call("remove_role_from_instance_profile", _of_profile(role=True)),
    "SimulatePrincipalPolicy": Call(
        "simulate_principal_policy",
        lambda f: {"PolicySourceArn": f"arn:aws:iam::123456789012:role/{f.role}", "ActionNames": ["ec2:A"]},
    ),
    "TagInstanceProfile": Call("tag_instance_profile", _of_profile(Tags=[{"Key": "a", "Value": "b"}])),
    "TagRole": Call("tag_role", _of_role(Tags=[{"Key": "a", "Value": "b"}])),
    "UntagInstanceProfile": Call("untag_instance_profile", _of_profile(TagKeys=["a"])),
    "UntagRole": Call("untag_role", _of_role(TagKeys=["a"])),
    "UpdateAssumeRolePolicy": Call("update_assume_role_policy", _of_role(PolicyDocument=TRUST)),
    "UpdateRole": Call("update_role", _of_role(Description="a")),
}

_ROUTE53: dict[str, Call] = {
    "ChangeResourceRecordSets": Call("change_resource_record_sets", _records),
    "GetChange": Call("get_change", lambda _f: {"Id": "C1"}, limited=False),
    # Reading is limited to the hosted zone, which all fleets of this account share.
    "GetHostedZone": Call("get_hosted_zone", lambda f: {"Id": f.zone}, limited=False),
    "ListResourceRecordSets": Call("list_resource_record_sets", lambda f: {"HostedZoneId": f.zone}, limited=False),
    # Health checks have no name in their ARN, and Route 53 has no condition key for their tags.
    "CreateHealthCheck": Call(
        "create_health_check",
        lambda _f: {"CallerReference": "a", "HealthCheckConfig": {"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 80}},
        limited=False,
    ),
    "DeleteHealthCheck": Call("delete_health_check", lambda _f: {"HealthCheckId": "a"}, limited=False),
    **_reads("ListHealthChecks", "ListHostedZones", "ListHostedZonesByName"),
}


def _object(**more: Any) -> Parameters:
    return lambda fleet: {"Bucket": BUCKET, "Key": f"{fleet.backups}1.tgz", **more}


def _of_bucket(**more: Any) -> Parameters:
    return lambda _fleet: {"Bucket": BUCKET, **more}


def _encrypted(fleet: Fleet) -> dict[str, Any]:
    return {**_object(Body=b"x")(fleet), "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": fleet.key}


_ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
# Fleets share the bucket and its key; their objects are limited by folder.
_S3: dict[str, Call] = {
    "CreateBucket": Call("create_bucket", _of_bucket(), limited=False),
    "DeleteObject": Call(
        "delete_objects",
        lambda f: {"Bucket": BUCKET, "Delete": {"Objects": [{"Key": f"{f.backups}1.tgz"}]}},
    ),
    "GetBucketVersioning": Call("get_bucket_versioning", _of_bucket(), limited=False),
    "GetObject": Call("get_object", _object()),
    "ListBucket": Call("list_objects_v2", _of_bucket(), limited=False),
    "PutBucketPublicAccessBlock": Call(
        "put_public_access_block", _of_bucket(PublicAccessBlockConfiguration={}), limited=False
    ),
    "PutBucketVersioning": Call("put_bucket_versioning", _of_bucket(VersioningConfiguration={}), limited=False),
    "PutEncryptionConfiguration": Call(
        "put_bucket_encryption", _of_bucket(ServerSideEncryptionConfiguration=_ENCRYPTION), limited=False
    ),
    "PutObject": Call("put_object", _object(Body=b"x")),
}

_OTHERS: dict[str, Call] = {
    "kms:Decrypt": Call("get_object", _object(), limited=False, service="s3"),
    "kms:GenerateDataKey": Call("put_object", _encrypted, limited=False, service="s3"),
    "autoscaling:DescribeAutoScalingGroups": Call("describe_auto_scaling_groups", _nothing, limited=False),
    "autoscaling:DescribeLifecycleHooks": Call(
        "describe_lifecycle_hooks", lambda _f: {"AutoScalingGroupName": "a"}, limited=False
    ),
    "cloudwatch:GetMetricData": Call(
        "get_metric_data",
        lambda _f: {"MetricDataQueries": [], "StartTime": datetime(2026, 1, 1), "EndTime": datetime(2026, 1, 2)},
        limited=False,
    ),
    "cloudwatch:PutMetricData": Call(
        "put_metric_data", lambda _f: {"Namespace": "CloudADC/Autoscale", "MetricData": []}, limited=False
    ),
    "dynamodb:CreateTable": Call("create_table", _table),
    "dynamodb:DeleteItem": Call("delete_item", _item),
    "dynamodb:DescribeTable": Call("describe_table", lambda f: {"TableName": f.table}),
    "dynamodb:GetItem": Call("get_item", _item),
    "dynamodb:Query": Call("query", lambda f: {"TableName": f.table, "KeyConditionExpression": "a"}),
    "dynamodb:UpdateItem": Call("update_item", _item),
    "dynamodb:UpdateTimeToLive": Call(
        "update_time_to_live",
        lambda f: {
            "TableName": f.table,
            "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "expires"},
        },
    ),
    "cloudwatch:DeleteAlarms": Call("delete_alarms", lambda f: {"AlarmNames": [f"cloudadc-{f.name}-a"]}),
    "cloudwatch:DeleteDashboards": Call("delete_dashboards", lambda f: {"DashboardNames": [f"cloudadc-{f.name}"]}),
    "cloudwatch:DescribeAlarms": Call("describe_alarms", _nothing, limited=False),
    "cloudwatch:GetDashboard": Call("get_dashboard", lambda f: {"DashboardName": f"cloudadc-{f.name}"}),
    "cloudwatch:PutDashboard": Call(
        "put_dashboard", lambda f: {"DashboardName": f"cloudadc-{f.name}", "DashboardBody": "{}"}
    ),
    "cloudwatch:PutMetricAlarm": Call(
        "put_metric_alarm",
        lambda f: {
            "AlarmName": f"cloudadc-{f.name}-a",
            "MetricName": "nodes",
            "Namespace": "CloudADC/Autoscale",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "Statistic": "Average",
            "ComparisonOperator": "GreaterThanThreshold",
        },
    ),
    "events:PutEvents": Call(
        "put_events",
        lambda f: {"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}", "EventBusName": f.name}]},
    ),
    "sns:Publish": Call("publish", lambda f: {"TopicArn": f.topic, "Message": "a"}),
}

CALLS: dict[str, Call] = {
    **{f"ec2:{name}": call for name, call in _EC2.items()},
    **{f"elasticloadbalancing:{name}": call for name, call in _ELB.items()},
    **{f"iam:{name}": call for name, call in _IAM.items()},
    **{f"route53:{name}": call for name, call in _ROUTE53.items()},
    **{f"s3:{name}": call for name, call in _S3.items()},
    **_OTHERS,
}
#: Asked for by AWS only with the first load balancer of an account; the whole playbooks need it.
LEFT_TO_PLAYBOOKS = {"iam:CreateServiceLinkedRole"}
