# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2 Auto Scaling calls, one function each and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .client import Client
from .errors import aws_call

Described = list[dict[str, Any]]


@aws_call("describe Auto Scaling groups")
def describe_auto_scaling_groups(client: Client, names: Sequence[str]) -> Described:
    """DescribeAutoScalingGroups by name, all pages; those that do not exist are missing from the list."""
    pages = client.get_paginator("describe_auto_scaling_groups").paginate(AutoScalingGroupNames=list(names))
    found: Described = pages.build_full_result()["AutoScalingGroups"]
    return found
