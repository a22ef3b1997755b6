# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Limits of an account, and the refusal of a request that exceeds them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import Refusal

Described = Sequence[Mapping[str, Any]]


def refuse_quota(allocated: int, needed: int, quota: int | None, what: str = "Elastic IPs") -> None:
    """Raise Refusal if ``needed`` more of ``what`` do not fit. None: the quota is unknown, so AWS will have to say."""
    if quota is not None and allocated + needed > quota:
        raise Refusal(
            f"{needed} more {what} are needed, but {allocated} of the {quota} that this account may have in this "
            "region are allocated"
        )


def quota_of(attributes: Described) -> int | None:
    """Return the region's limit of Elastic IPs from a DescribeAccountAttributes reply.

    vpc-max-elastic-ips follows raised quotas and needs one EC2 right; Service Quotas would need two of another service.
    """
    for attribute in attributes:
        if attribute.get("AttributeName") == "vpc-max-elastic-ips":
            values = [value.get("AttributeValue", "") for value in attribute.get("AttributeValues", [])]
            return next((int(value) for value in values if value.isdigit()), None)
    return None
