# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shipped IAM policies: narrowed to one pair or group, and which of their statements a definition needs. Pure.

As shipped, a policy is about every pair or group of the account: where the name, the account or a resource of the user
belongs, it has a pattern. ``narrowed`` puts what is known in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .identity import GROUP

#: Name of the managed policy that limits the roles of appliances, unless an administrator names another one.
BOUNDARY_NAME = "cloudadc-vpx-boundary"
#: Stands for the user's own Elastic IPs, which have no tag of ours. It is no address, so it permits none.
ELASTIC_IP = "elastic-ip/eipalloc-00000000000000000"
RECORD_NAMES = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
BOUNDARY_KEY = "iam:PermissionsBoundary"

Policy = Mapping[str, Any]
_GROUP_KEYS = (f"aws:ResourceTag/{GROUP}", f"aws:RequestTag/{GROUP}")
_ACCOUNT_IN_ARN = ("cloudwatch", "dynamodb", "ec2", "elasticloadbalancing", "events", "iam", "kms", "sns")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a policy is narrowed to. What is empty stays as shipped.

    Attributes:
        names: Of pairs or groups.
        account: Number of the account.
        partition: Such as C(aws-cn).
        boundary: ARN of the permissions boundary.
        elastic_ips: Allocation ids of the user's own Elastic IPs. Without any their statements are left out.
        hosted_zone: Id of the hosted zone.
        records: DNS names.
        table: Name of the DynamoDB table.
        bucket: Name of the bucket of the backups.
        backups: Folders of the backups in it, each with a slash at its end.
        topic: ARN of the SNS topic of alerts.
        bus: Name or ARN of the EventBridge bus of alerts.
    """

    names: Sequence[str] = ()
    account: str = ""
    partition: str = ""
    boundary: str = ""
    elastic_ips: Sequence[str] = ()
    hosted_zone: str = ""
    records: Sequence[str] = ()
    table: str = ""
    bucket: str = ""
    backups: Sequence[str] = ()
    topic: str = ""
    bus: str = ""


def listed(value: Any) -> list[Any]:
    """Return the value of an element of a policy as a list."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def applicable(policy: Policy, without: Collection[str]) -> dict[str, Any]:
    """Return the policy with the statements whose Sid does not end with one of ``without`` ("WithNlb")."""
    ending = re.compile(rf"({'|'.join(map(re.escape, without))})$") if without else None
    statements = [
        each for each in listed(policy["Statement"]) if not (ending and ending.search(str(each.get("Sid") or "")))
    ]
    return {**policy, "Statement": statements}


def narrowed(policy: Policy, scope: Scope) -> dict[str, Any]:
    """Return the policy for exactly what the scope names."""
    statements = [_statement(each, scope) for each in listed(policy.get("Statement", []))]
    return {**policy, "Statement": [each for each in statements if each.get("Resource") != []]}


def _statement(statement: Policy, scope: Scope) -> dict[str, Any]:
    """Return the narrowed statement; its Resource is an empty list if nothing that it names is in the scope."""
    conditions = {
        operator: {key: _values(key, value, scope) for key, value in keys.items()}
        for operator, keys in (statement.get("Condition") or {}).items()
    }
    changed: dict[str, Any] = {"Condition": conditions} if conditions else {}
    if "Resource" in statement:
        patterns = map(str, listed(statement["Resource"]))
        changed["Resource"] = _short([arn for pattern in patterns for arn in _arns(pattern, scope)])
    return {**statement, **changed}


def _short(values: Sequence[str]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _values(key: str, value: Any, scope: Scope) -> Any:
    if key in _GROUP_KEYS and value == "*" and scope.names:
        return _short(scope.names)
    if key == RECORD_NAMES and value == "*" and scope.records:
        return _short([_normalized(name) for name in scope.records])
    if key == BOUNDARY_KEY and (scope.boundary or scope.account):
        return scope.boundary or _arns(str(value), scope)[0]
    return value


def _normalized(name: str) -> str:
    r"""Return a DNS name as Route 53's condition keys have it: lower case, no dot at its end, others as \ooo.

    Source: Route 53 developer guide, "Using IAM policy conditions for fine-grained access control".
    """
    plain = name.lower().removesuffix(".")
    return "".join(each if re.match(r"[a-z0-9._-]", each) else f"\\{ord(each):03o}" for each in plain)


def _arns(pattern: str, scope: Scope) -> list[str]:
    parts = pattern.split(":", 5)
    if len(parts) != 6:
        return [pattern]
    _arn, partition, service, region, account, resource = parts
    if service == "sns" and scope.topic:
        return [scope.topic]
    if service == "events" and scope.bus.startswith("arn:"):
        return [scope.bus]
    partition = scope.partition or partition
    # Images belong to another account or, in their ARN, to none.
    own = service in _ACCOUNT_IN_ARN and not resource.startswith("image/") and account == "*"
    account = scope.account if own and scope.account else account
    found = _in_s3(resource, scope) if service == "s3" else _resources(resource, scope)
    return [":".join(["arn", partition, service, region, account, each]) for each in found]


def _in_s3(resource: str, scope: Scope) -> Sequence[str]:
    """Return the bucket of the backups, or its objects in the scope's folders."""
    if not scope.bucket:
        return [resource]
    if "/" not in resource:
        return [scope.bucket]
    return [f"{scope.bucket}/{folder}*" for folder in scope.backups or ("",)]


_RESOURCES: Mapping[str, Callable[[Scope], Sequence[str]]] = {
    "role/*-vpx": lambda scope: [f"role/{name}-vpx" for name in scope.names],
    "instance-profile/*-vpx": lambda scope: [f"instance-profile/{name}-vpx" for name in scope.names],
    "hostedzone/*": lambda scope: [f"hostedzone/{scope.hosted_zone}"] if scope.hosted_zone else [],
    "event-bus/*": lambda scope: [f"event-bus/{scope.bus}"] if scope.bus else [],
    "alarm:cloudadc-*": lambda scope: [f"alarm:cloudadc-{name}-*" for name in scope.names],
    "dashboard/cloudadc-*": lambda scope: [f"dashboard/cloudadc-{name}" for name in scope.names],
    "table/*": lambda scope: [f"table/{scope.table}"] if scope.table else [],
    f"policy/{BOUNDARY_NAME}": lambda scope: scope.boundary.split(":", 5)[5:],
}


def _resources(resource: str, scope: Scope) -> Sequence[str]:
    """Return the last parts of the ARNs that a pattern stands for in this scope."""
    if resource == ELASTIC_IP:
        return [f"elastic-ip/{address}" for address in scope.elastic_ips]
    known = _RESOURCES.get(resource)
    return (known(scope) if known else ()) or [resource]
