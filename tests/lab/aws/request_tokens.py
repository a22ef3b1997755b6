"""EC2's request token buckets: how many calls of an action an account may make at once, and in a second.

https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html: "each API is evaluated individually, and you
are throttled on the number of requests you make on a per-API basis"; beyond that RequestLimitExceeded. The figures are
those of its table "Request token bucket sizes and refill rates"; what Service Quotas may have raised is not. Time is
the callers' own, not the lab's: they back off in real seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bucket:
    """``size``: calls at once; ``refill``: calls a second after that."""

    size: float
    refill: float


NON_MUTATING = Bucket(100, 20)
MUTATING = Bucket(50, 5)
WITHOUT_FILTER = Bucket(50, 10)
_WITHOUT_FILTER = frozenset(
    {
        *("DescribeInstances", "DescribeInstanceStatus", "DescribeNetworkInterfaces", "DescribeSecurityGroups"),
        *("DescribeSnapshots", "DescribeSpotInstanceRequests", "DescribeVolumes"),
    }
)
#: Of the table's uncategorized actions, those that have to do with instances, interfaces and addresses.
_OWN = {
    **dict.fromkeys(("AssignIpv6Addresses", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"), Bucket(100, 5)),
    **dict.fromkeys(("CreateNetworkInterface", "DeleteNetworkInterface"), Bucket(100, 5)),
    **dict.fromkeys(("ModifyNetworkInterfaceAttribute", "TerminateInstances"), Bucket(100, 5)),
    **dict.fromkeys(("CreateTags", "DeleteTags"), Bucket(100, 10)),
    **dict.fromkeys(("RunInstances", "StartInstances"), Bucket(5, 2)),
}


def bucket_of(action: str, fields: Mapping[str, str]) -> Bucket:
    """The bucket of an action. ``fields`` of the request: without a filter or pages some reads have a smaller one."""
    if action in _OWN:
        return _OWN[action]
    if not action.startswith(("Describe", "List", "Search", "Get")):
        return MUTATING
    limited = any(name.startswith("Filter.") or name in ("MaxResults", "NextToken") for name in fields)
    return WITHOUT_FILTER if action in _WITHOUT_FILTER and not limited else NON_MUTATING


@dataclass(slots=True)
class RequestTokens:
    """The tokens that are left: (action, bucket) → tokens, and when (seconds) they were counted."""

    left: dict[tuple[str, Bucket], tuple[float, float]] = field(default_factory=dict)

    def take(self, action: str, fields: Mapping[str, str], now: float) -> bool:
        """Whether the call may be made; it takes a token then."""
        bucket = bucket_of(action, fields)
        left, counted = self.left.get((action, bucket), (bucket.size, now))
        left = min(bucket.size, left + max(0.0, now - counted) * bucket.refill)
        allowed = left >= 1
        self.left[action, bucket] = (left - allowed, now)
        return allowed
