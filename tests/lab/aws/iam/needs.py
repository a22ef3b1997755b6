"""What a request needs: its own action, and those that AWS asks for besides, each on the resources it is decided on.

Pure: a request and a few facts of the account in; action, resource and condition keys out. A request that names no
resource, or whose action supports none, needs the action on all resources (``ANY``).

IAM's own prefix of an action is mostly the signing name of its service
(https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.lab.aws.iam import resources
from tests.lab.aws.iam.buckets import ACTIONS, kms_needs, s3_resources
from tests.lab.aws.iam.conditions import Context
from tests.lab.aws.iam.resources import Fields, Known, Resource

ANY = "*"
VIA_S3 = "s3.eu-central-1.amazonaws.com"
"""Requests do not name their region in what is decided here, so it is that of the lab."""
EC2_SERVICE, ELB_SERVICE = "ec2.amazonaws.com", "elasticloadbalancing.amazonaws.com"
ELB_ROLE = "aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing"


@dataclass(frozen=True, slots=True)
class Need:
    """One action on one resource. ``context``: condition keys that the request brings, with their values."""

    action: str
    resource: str = ANY
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """``profiles``: name of an instance profile → the ARN of its role, which launching with it passes on.

    ``balanced``: whether Elastic Load Balancing has its service-linked role in this account already.
    ``boundaries``: name of a role → the ARN of its permissions boundary.
    """

    number: str
    profiles: Mapping[str, str] = field(default_factory=dict)
    balanced: bool = True
    boundaries: Mapping[str, str] = field(default_factory=dict)
    known: Known = field(default_factory=Known)


def needs(service: str, action: str, fields: Fields, account: Account) -> list[Need]:
    """Everything that is needed, the action itself first. A service without rights in IAM's sense needs nothing."""
    prefix = _PREFIXES.get(service, service)
    own = f"{prefix}:{ACTIONS.get(action, action) if prefix == 's3' else action}"
    if own in _FREE:
        return []
    decided_on = _RESOURCES[prefix](action, fields, account) if prefix in _RESOURCES else []
    besides = _BESIDES.get(own)
    return [
        *(Need(own, each.arn, each.context) for each in decided_on or [Resource(ANY)]),
        *(besides(fields, account) if besides else ()),
    ]


_PREFIXES = {"monitoring": "cloudwatch"}
_FREE = ("sts:GetCallerIdentity",)
"""No permissions are required (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html)."""

# The resources of each service


def _of_ec2(action: str, fields: Fields, account: Account) -> list[Resource]:
    return resources.ec2_resources(action, fields, account.number, account.known)


_NAMED = (("InstanceProfileName", "instance-profile"), ("RoleName", "role"), ("UserName", "user"))
#: Actions on a role for which the reference lists no iam:PermissionsBoundary
#: (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html).
_WITHOUT_BOUNDARY = frozenset({"PassRole", "TagRole", "UntagRole", "GetRolePolicy"})


def _of_iam(action: str, fields: Fields, account: Account) -> list[Resource]:
    """AddRoleToInstanceProfile and its contrary are about the profile, what names a policy only is about that."""
    context = {**resources.tags_of_request(resources.listed_tags(fields, "Tags.member"))}
    for name, kind in _NAMED:
        if name not in fields:
            continue
        arn = f"arn:aws:iam::{account.number}:{kind}/{fields[name]}"
        if kind == "role" and not action.startswith("List") and action not in _WITHOUT_BOUNDARY:
            boundary = fields.get("PermissionsBoundary") or account.boundaries.get(fields[name])
            context |= {"iam:PermissionsBoundary": boundary} if boundary else {}
        if "PolicyArn" in fields:
            context["iam:PolicyARN"] = fields["PolicyArn"]
        return [Resource(arn, {**context, **resources.tags_of_resource(account.known.tags(arn))})]
    if "PolicyArn" in fields:
        return [Resource(fields["PolicyArn"], context)]
    return [Resource(fields["PolicySourceArn"])] if "PolicySourceArn" in fields else []


#: What is created gets an ARN that ends with an id, so requests are decided on all ids of the name.
_CREATED_BY_ELB = {"CreateLoadBalancer": "loadbalancer/net/{}/*", "CreateTargetGroup": "targetgroup/{}/*"}


def _of_elb(action: str, fields: Fields, account: Account) -> list[Resource]:
    if action.startswith("Describe"):
        return []
    of_request = resources.tags_of_request(resources.listed_tags(fields, "Tags.member"))
    if action in _CREATED_BY_ELB:
        return [Resource(_new_arn(action, fields, account), of_request)]
    names = [name for name in ("LoadBalancerArn", "TargetGroupArn", "ListenerArn") if name in fields]
    found = [fields[name] for name in names] or [
        value for name, value in fields.items() if name.startswith("ResourceArns.member.")
    ]
    return [Resource(arn, {**resources.tags_of_resource(account.known.tags(arn)), **of_request}) for arn in found]


def _new_arn(action: str, fields: Fields, account: Account) -> str:
    if action == "CreateListener":
        path = fields.get("LoadBalancerArn", "").partition(":loadbalancer/")[2]
        return f"arn:aws:elasticloadbalancing:*:{account.number}:listener/{path}/*"
    path = _CREATED_BY_ELB[action].format(fields.get("Name", ""))
    return f"arn:aws:elasticloadbalancing:*:{account.number}:{path}"


def _of_route53(action: str, fields: Fields, account: Account) -> list[Resource]:
    """The keys of ChangeResourceRecordSets:
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html.
    """
    if "ChangeId" in fields:
        return [Resource(f"arn:aws:route53:::change/{fields['ChangeId']}")]
    if "HealthCheckId" in fields:
        return [Resource(f"arn:aws:route53:::healthcheck/{fields['HealthCheckId']}")]
    if "HostedZoneId" not in fields:
        return []
    changes = {
        f"route53:ChangeResourceRecordSets{key}": tuple(dict.fromkeys(_listed(fields, field)))
        for key, field in (("NormalizedRecordNames", "Name"), ("RecordTypes", "Type"), ("Actions", "Action"))
    }
    context = {key: values for key, values in changes.items() if values}
    return [Resource(f"arn:aws:route53:::hostedzone/{fields['HostedZoneId']}", context)]


def _listed(fields: Fields, name: str) -> Iterator[str]:
    at = 1
    while (value := fields.get(f"Change.{at}.{name}")) is not None:
        yield value.lower().rstrip(".") if name == "Name" else value
        at += 1


def _of_dynamodb(action: str, fields: Fields, account: Account) -> list[Resource]:
    name = fields.get("TableName")
    return [Resource(f"arn:aws:dynamodb:*:{account.number}:table/{name}")] if name else []


def _of_cloudwatch(_action: str, fields: Fields, account: Account) -> list[Resource]:
    """Alarms and dashboards by name; what describes or publishes is about all
    (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html).
    """
    alarms = [value for name, value in fields.items() if name == "AlarmName" or name.startswith("AlarmNames.")]
    boards = [value for name, value in fields.items() if name == "DashboardName" or name.startswith("DashboardNames.")]
    return [
        *(Resource(f"arn:aws:cloudwatch:*:{account.number}:alarm:{name}") for name in alarms),
        *(Resource(f"arn:aws:cloudwatch::{account.number}:dashboard/{name}") for name in boards),
    ]


def _of_sns(_action: str, fields: Fields, _account: Account) -> list[Resource]:
    return [Resource(fields["TopicArn"])] if "TopicArn" in fields else []


def _of_events(_action: str, fields: Fields, account: Account) -> list[Resource]:
    """The bus of each entry, by its name or ARN."""
    buses = [value for name, value in fields.items() if name.startswith("Entries.") and name.endswith(".EventBusName")]
    own = f"arn:aws:events:*:{account.number}:event-bus/"
    return [Resource(bus if bus.startswith("arn:") else own + bus) for bus in dict.fromkeys(buses)]


def _of_s3(action: str, fields: Fields, account: Account) -> list[Resource]:
    return s3_resources(fields)


_RESOURCES: dict[str, Callable[[str, Fields, Account], list[Resource]]] = {
    "cloudwatch": _of_cloudwatch,
    "dynamodb": _of_dynamodb,
    "ec2": _of_ec2,
    "elasticloadbalancing": _of_elb,
    "events": _of_events,
    "iam": _of_iam,
    "route53": _of_route53,
    "s3": _of_s3,
    "sns": _of_sns,
}

# What is asked for besides

Besides = Callable[[Fields, Account], Iterator[Need]]


def _keys_of_s3(action: str) -> Besides:
    def besides(fields: Fields, account: Account) -> Iterator[Need]:
        used = account.known.key_of(fields.get("Bucket", ""), fields.get("Key", ""))
        for name, arn in kms_needs(action, fields, used, account.number):
            yield Need(name, arn, {"kms:ViaService": VIA_S3})

    return besides


def _tagged_by_ec2(action: str) -> Besides:
    """A resource that is tagged as it is made needs the right to tag it."""

    def besides(fields: Fields, account: Account) -> Iterator[Need]:
        for each in resources.tagged_on_creation(action, fields, account.number):
            yield Need("ec2:CreateTags", each.arn, each.context)

    return besides


def _tagged_by_iam(action: str) -> Besides:
    def besides(fields: Fields, account: Account) -> Iterator[Need]:
        if any(key.startswith("Tags.member.") for key in fields):
            [about] = _of_iam(action, fields, account)
            yield Need(f"iam:{action}", about.arn, about.context)

    return besides


def _launch(fields: Fields, account: Account) -> Iterator[Need]:
    """RunInstances: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html, and
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html for the role in the profile.
    """
    yield from _tagged_by_ec2("RunInstances")(fields, account)
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


def _asks(action: str, *actions: str) -> Besides:
    """What Elastic Load Balancing asks of EC2 in the caller's name
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html), and for the tags
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/tagging-resources-during-creation.html).
    """

    def besides(fields: Fields, account: Account) -> Iterator[Need]:
        tags = resources.listed_tags(fields, "Tags.member")
        if tags and action.startswith("Create"):
            context = {**resources.tags_of_request(tags), "elasticloadbalancing:CreateAction": action}
            yield Need("elasticloadbalancing:AddTags", _new_arn(action, fields, account), context)
        for each in actions:
            yield Need(f"ec2:{each}")
        if "DescribeAddresses" in actions and not account.balanced:
            role = f"arn:aws:iam::{account.number}:role/{ELB_ROLE}"
            yield Need("iam:CreateServiceLinkedRole", role, {"iam:AWSServiceName": ELB_SERVICE})

    return besides


_ASKED_BY_ELB = {
    "CreateLoadBalancer": (
        "DescribeAccountAttributes",
        "DescribeAddresses",
        "DescribeInternetGateways",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcs",
    ),
    "CreateTargetGroup": ("DescribeInternetGateways", "DescribeVpcs"),
    "CreateListener": (),
    "RegisterTargets": ("DescribeInstances", "DescribeInternetGateways", "DescribeSubnets", "DescribeVpcs"),
    "SetSubnets": ("DescribeSubnets",),
}
_BESIDES: dict[str, Besides] = {
    "ec2:RunInstances": _launch,
    **{f"ec2:{action}": _tagged_by_ec2(action) for action in resources.CREATED if action != "RunInstances"},
    **{f"elasticloadbalancing:{action}": _asks(action, *asked) for action, asked in _ASKED_BY_ELB.items()},
    "iam:AddRoleToInstanceProfile": _joined,
    "iam:CreateRole": _tagged_by_iam("TagRole"),
    "iam:CreateInstanceProfile": _tagged_by_iam("TagInstanceProfile"),
    **{f"s3:{action}": _keys_of_s3(action) for action in ("GetObject", "PutObject")},
}
