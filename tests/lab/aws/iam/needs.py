"""What a request needs: its own action, and those that AWS asks for besides.

Pure: a request and a few facts of the account in, pairs of action and resource out. The resource is the ARN where it
stands in the request; elsewhere it is ``ANY``, which every pattern matches.

IAM's own prefix of an action is mostly the signing name of its service
(https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

ANY = "*"
EC2_SERVICE, ELB_SERVICE = "ec2.amazonaws.com", "elasticloadbalancing.amazonaws.com"
ELB_ROLE = "aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing"


@dataclass(frozen=True, slots=True)
class Need:
    """One action on one resource. ``context``: condition keys that the request brings, with their values."""

    action: str
    resource: str = ANY
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """``profiles``: name of an instance profile → the ARN of its role, which launching with it passes on.

    ``balanced``: whether Elastic Load Balancing has its service-linked role in this account already.
    """

    number: str
    profiles: Mapping[str, str] = field(default_factory=dict)
    balanced: bool = True


Fields = Mapping[str, str]
"""Parameters of a request of the EC2 and query protocols: name ("Tags.member.1.Key") → value."""


def needs(service: str, action: str, fields: Fields, account: Account) -> list[Need]:
    """Everything that is needed, the action itself first. A service without rights in IAM's sense needs nothing."""
    prefix = _PREFIXES.get(service, service)
    own = f"{prefix}:{action}"
    if own in _FREE:
        return []
    besides = _BESIDES.get(own)
    return [Need(own, _resource(prefix, fields, account)), *(besides(fields, account) if besides else ())]


_PREFIXES = {"monitoring": "cloudwatch"}
_FREE = ("sts:GetCallerIdentity",)
"""No permissions are required (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html)."""

_NAMED = (("RoleName", "role"), ("InstanceProfileName", "instance-profile"), ("UserName", "user"))


def _resource(prefix: str, fields: Fields, account: Account) -> str:
    """IAM's own resources have their names in the request; whatever else has an ARN in it is taken by that."""
    if prefix == "iam":
        # AddRoleToInstanceProfile and its contrary are about the profile
        # (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html).
        for name, kind in sorted(_NAMED, key=lambda named: named[0] != "InstanceProfileName"):
            if name in fields:
                return f"arn:aws:iam::{account.number}:{kind}/{fields[name]}"
        return fields.get("PolicySourceArn", ANY)
    for name in ("LoadBalancerArn", "TargetGroupArn", "ListenerArn", "ResourceArns.member.1"):
        if name in fields and prefix == "elasticloadbalancing":
            return fields[name]
    if prefix == "route53" and "HostedZoneId" in fields:
        return f"arn:aws:route53:::hostedzone/{fields['HostedZoneId']}"
    if prefix == "dynamodb" and "TableName" in fields:
        return f"arn:aws:dynamodb:*:{account.number}:table/{fields['TableName']}"
    return ANY


Besides = Callable[[Fields, Account], Iterator[Need]]


def _tagged(name: str, resource: str) -> Besides:
    """A resource that is tagged as it is made needs the right to tag it."""

    def besides(fields: Fields, account: Account) -> Iterator[Need]:
        if any(key.startswith(("TagSpecification.", "Tags.member.")) for key in fields):
            yield Need(name, _resource(resource, fields, account))

    return besides


def _launch(fields: Fields, account: Account) -> Iterator[Need]:
    """RunInstances: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html, and
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html for the role in the profile.
    """
    yield from _tagged("ec2:CreateTags", "ec2")(fields, account)
    profile = fields.get("IamInstanceProfile.Name") or fields.get("IamInstanceProfile.Arn", "").rpartition("/")[2]
    if profile:
        role = account.profiles.get(profile, ANY)
        yield Need("iam:PassRole", role, {"iam:PassedToService": EC2_SERVICE})


def _joined(fields: Fields, account: Account) -> Iterator[Need]:
    """AddRoleToInstanceProfile: "the caller must be granted the PassRole permission on the IAM role"
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html).
    """
    role = f"arn:aws:iam::{account.number}:role/{fields.get('RoleName', '')}"
    yield Need("iam:PassRole", role, {"iam:PassedToService": EC2_SERVICE})


def _asks(*actions: str) -> Besides:
    """What Elastic Load Balancing asks of EC2 in the caller's name
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html), and for the tags
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/tagging-resources-during-creation.html).
    """

    def besides(fields: Fields, account: Account) -> Iterator[Need]:
        yield from _tagged("elasticloadbalancing:AddTags", "elasticloadbalancing")(fields, account)
        for action in actions:
            yield Need(f"ec2:{action}")
        if "DescribeAddresses" in actions and not account.balanced:
            role = f"arn:aws:iam::{account.number}:role/{ELB_ROLE}"
            yield Need("iam:CreateServiceLinkedRole", role, {"iam:AWSServiceName": ELB_SERVICE})

    return besides


_BESIDES: dict[str, Besides] = {
    "ec2:RunInstances": _launch,
    "ec2:CreateSecurityGroup": _tagged("ec2:CreateTags", "ec2"),
    "ec2:AllocateAddress": _tagged("ec2:CreateTags", "ec2"),
    "ec2:CreateNetworkInterface": _tagged("ec2:CreateTags", "ec2"),
    "elasticloadbalancing:CreateLoadBalancer": _asks(
        "DescribeAccountAttributes",
        "DescribeAddresses",
        "DescribeInternetGateways",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcs",
    ),
    "elasticloadbalancing:CreateTargetGroup": _asks("DescribeInternetGateways", "DescribeVpcs"),
    "elasticloadbalancing:CreateListener": _asks(),
    "elasticloadbalancing:RegisterTargets": _asks(
        "DescribeInstances", "DescribeInternetGateways", "DescribeSubnets", "DescribeVpcs"
    ),
    "elasticloadbalancing:SetSubnets": _asks("DescribeSubnets"),
    "iam:AddRoleToInstanceProfile": _joined,
    "iam:CreateRole": _tagged("iam:TagRole", "iam"),
    "iam:CreateInstanceProfile": _tagged("iam:TagInstanceProfile", "iam"),
}
