"""On which resources of EC2 a request is decided, and with which tags.

The resource types of each action, and which of them bring tags of the resource or tags of the request, are those of the
Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html). Where the reference leaves
open whether a type that is not required is asked about, a request that names one is decided on it, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.lab.aws.iam.conditions import Context

Fields = Mapping[str, str]
"""Parameters of a request of the EC2 and query protocols: name ("Tags.member.1.Key") → value."""

_TYPES = {
    "ami": "image",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "i": "instance",
    "pl": "prefix-list",
    "rtb": "route-table",
    "sg": "security-group",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
}
#: Of actions that are not listed below: every parameter that names a resource by its id.
_NAMING = re.compile(
    r"(?:NetworkInterface\.\d+\.)?(?:AllocationId|GroupId|ImageId|InstanceId|NetworkInterfaceId|ResourceId|RouteTableId|"
    r"SecurityGroupId|SubnetId|VpcId)(?:\.\d+)?"
)
#: What an action creates, so that it is decided on a resource without an id, with the tags of the request.
CREATED = {
    "AllocateAddress": ("elastic-ip",),
    "CreateNetworkInterface": ("network-interface",),
    "CreateSecurityGroup": ("security-group",),
    "RunInstances": ("instance", "network-interface", "volume"),
}
#: Ids that stand for others: an association for its address and interface, an attachment for interface and instance.
_REFERENCES = ("AssociationId", "AttachmentId")


@dataclass(frozen=True, slots=True)
class Resource:
    """``context``: the condition keys that come with it: its tags, or those that the request gives it."""

    arn: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What the account has. ``tags``: of an id or ARN. ``references``: the ids that an id stands for. ``key_of``: the
    KMS key of the account with which an object (bucket, key) is encrypted.
    """

    tags: Callable[[str], Mapping[str, str]] = lambda _name: {}
    references: Callable[[str], tuple[str, ...]] = lambda _name: ()
    key_of: Callable[[str, str], str | None] = lambda _bucket, _key: None


def tags_of_resource(tags: Mapping[str, str]) -> dict[str, str]:
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def tags_of_request(tags: Mapping[str, str]) -> Context:
    keys = {"aws:TagKeys": tuple(sorted(tags))} if tags else {}
    return {**{f"aws:RequestTag/{key}": value for key, value in tags.items()}, **keys}


def ec2_resources(action: str, fields: Fields, number: str, known: Known) -> list[Resource]:
    """Return every resource that the request is decided on; none for actions without resource-level permissions."""
    if action.startswith(("Describe", "Get")):
        return []
    asked = tags_of_request(listed_tags(fields, "Tag"))
    of_request = asked if action in ("CreateTags", "DeleteTags") else {}
    ids = dict.fromkeys(_ids(fields, known))
    found = [Resource(ec2_arn(number, each), {**tags_of_resource(known.tags(each)), **of_request}) for each in ids]
    if action == "RunInstances" and "KeyName" in fields:
        found.append(Resource(_arn(number, "key-pair", fields["KeyName"])))
    given = specifications(fields)
    return found + [
        Resource(_arn(number, kind, "*"), tags_of_request(given.get(kind, {}))) for kind in CREATED.get(action, ())
    ]


def _ids(fields: Fields, known: Known) -> Iterator[str]:
    for name, value in fields.items():
        if name in _REFERENCES:
            yield from known.references(value)
        elif _NAMING.fullmatch(name):
            yield value


def ec2_arn(number: str, resource_id: str) -> str:
    kind = _TYPES.get(resource_id.partition("-")[0], "unknown")
    return _arn(number, kind, resource_id)


def _arn(number: str, kind: str, name: str) -> str:
    """The region stays open, as the request does not name it; images and snapshots have no account in their ARN."""
    return f"arn:aws:ec2:*:{'' if kind == 'image' else number}:{kind}/{name}"


def tagged_on_creation(action: str, fields: Fields, number: str) -> Iterable[Resource]:
    """Return what ec2:CreateTags is decided on where a request tags what it creates
    (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html).
    """
    for kind, tags in specifications(fields).items():
        yield Resource(_arn(number, kind, "*"), {**tags_of_request(tags), "ec2:CreateAction": action})


def specifications(fields: Fields) -> dict[str, dict[str, str]]:
    """Return the TagSpecifications of a request: resource type → tags."""
    found: dict[str, dict[str, str]] = {}
    at = 1
    while (kind := fields.get(f"TagSpecification.{at}.ResourceType")) is not None:
        found[kind] = listed_tags(fields, f"TagSpecification.{at}.Tag")
        at += 1
    return found


def listed_tags(fields: Fields, prefix: str) -> dict[str, str]:
    """Return the tags below a prefix ("Tag", "Tags.member"), which count from 1."""
    found, at = {}, 1
    while (key := fields.get(f"{prefix}.{at}.Key")) is not None:
        found[key] = fields.get(f"{prefix}.{at}.Value", "")
        at += 1
    return found
