# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Elastic Load Balancing (v2) calls, one function each and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .client import Client
from .errors import aws_call

Described = list[dict[str, Any]]

NOT_FOUND = "TargetGroupNotFound"


@aws_call("describe target group {name}")
def describe_target_group_by_name(client: Client, name: str) -> Described:
    """DescribeTargetGroups; a name nobody has is the error TargetGroupNotFound."""
    found: Described = client.describe_target_groups(Names=[name])["TargetGroups"]
    return found


@aws_call("describe target group {arn}")
def describe_target_group(client: Client, arn: str) -> Described:
    """DescribeTargetGroups by ARN."""
    found: Described = client.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    return found


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
