# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which actions EC2 can be asked about by a dry run, and with what. Pure.

Only those without reference to something that is not there yet: for an id that it does not know, EC2 may say so instead
of what the caller may do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

# About a security group that is there: of the group that is looked at, so that conditions on its tags hold.
OF_A_SECURITY_GROUP = (
    "AuthorizeSecurityGroupIngress",
    "RevokeSecurityGroupIngress",
    "UpdateSecurityGroupRuleDescriptionsIngress",
)
_RULE = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "127.0.0.1/32"}]}


@dataclass(frozen=True, slots=True)
class ExistingResources:
    """What is there already, to be named in a dry run. ``launch``: parameters of the RunInstances that is planned.

    ``tags``: what everything that the playbook creates carries; conditions of policies may ask for them.
    """

    launch: Mapping[str, Any] | None = None
    vpc_id: str | None = None
    security_group_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DryRun:
    """``action`` as IAM names it; ``operation`` as the API does; its parameters."""

    action: str
    operation: str
    parameters: Mapping[str, Any]


def dry_run(
    action: str, members: Collection[str], required: Collection[str], known: ExistingResources
) -> DryRun | None:
    """Return the dry run that shows whether ``action`` is allowed; None: there is none.

    ``members``, ``required``: the parameters that the operation knows, and those it wants.
    """
    service, _separator, operation = action.partition(":")
    if service != "ec2" or "DryRun" not in members:
        return None
    if operation == "CreateTags":  # on what is made and tagged in one call, which takes both rights
        create = _parameters("CreateSecurityGroup", known)
        return DryRun(action, "CreateSecurityGroup", create) if create else None
    parameters = _parameters(operation, known)
    if parameters is None or set(required) - set(parameters):
        return None
    return DryRun(action, operation, parameters)


def _parameters(operation: str, known: ExistingResources) -> Mapping[str, Any] | None:
    if operation == "AllocateAddress":
        return {"Domain": "vpc", **_tagged("elastic-ip", known)}
    if operation == "RunInstances":
        return known.launch
    if operation == "CreateSecurityGroup" and known.vpc_id:
        named = {"GroupName": "preflight", "Description": "preflight", "VpcId": known.vpc_id}
        return {**named, **_tagged("security-group", known)}
    if operation in OF_A_SECURITY_GROUP and known.security_group_id:
        return {"GroupId": known.security_group_id, "IpPermissions": [_RULE]}
    return {} if operation.startswith("Describe") else None


def _tagged(resource_type: str, known: ExistingResources) -> Mapping[str, Any]:
    tags = [{"Key": key, "Value": value} for key, value in (known.tags or {"Name": "preflight"}).items()]
    return {"TagSpecifications": [{"ResourceType": resource_type, "Tags": tags}]}
