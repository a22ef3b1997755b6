# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Applications whose back ends are the instances of an Auto Scaling group: which they should be. Pure.

A group that reports no instance in service though it is to have some says nothing about the back ends: they stay. A
group that was scaled to 0 says that there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import Refusal
from ..core.parsing import readable

#: Address and port of a back end.
Backend = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Followed:
    """An application and the Auto Scaling group whose instances, at this port, are its back ends."""

    application: str
    scaling_group: str
    port: int

    @classmethod
    def from_option(cls, option: Mapping[str, Any]) -> Followed:
        """Parse an entry of option ``followed``."""
        return cls(option["application"], option["autoscaling_group"], int(option["port"]))


@dataclass(frozen=True, slots=True)
class ScalingGroup:
    """An Auto Scaling group as AWS describes it. ``in_service``: ids of its instances in service."""

    name: str
    desired: int
    in_service: tuple[str, ...]

    @classmethod
    @readable("the description of an Auto Scaling group")
    def from_reply(cls, reply: Mapping[str, Any]) -> ScalingGroup:
        """Parse an entry of the reply to DescribeAutoScalingGroups."""
        members = (each["InstanceId"] for each in reply["Instances"] if each["LifecycleState"] == "InService")
        return cls(reply["AutoScalingGroupName"], int(reply["DesiredCapacity"]), tuple(members))


def desired_backends(
    followed: Iterable[Followed], groups: Sequence[ScalingGroup], addresses: Mapping[str, str]
) -> dict[str, frozenset[Backend]]:
    """Return the back ends that each application should have; applications of which that is unknown are left out.

    Args:
        followed: The applications.
        groups: The Auto Scaling groups that AWS has.
        addresses: Private address of each running instance, by instance id.

    Raises:
        Refusal: An Auto Scaling group does not exist.
    """
    requested, there = list(followed), {group.name: group for group in groups}
    if absent := sorted({each.scaling_group for each in requested} - set(there)):
        raise Refusal(
            f"there is no Auto Scaling group {', '.join(absent)} in this account and region, whose instances were to "
            "be followed: the back ends stay as they are. Create it, or correct backend_autoscaling_group"
        )
    found = {}
    for each in requested:
        group = there[each.scaling_group]
        members = [addresses[instance] for instance in group.in_service if instance in addresses]
        if members or not group.desired:
            found[each.application] = frozenset((address, each.port) for address in members)
    return found


def differing(desired: Mapping[str, frozenset[Backend]], observed: Mapping[str, frozenset[Backend]]) -> list[str]:
    """Return the applications, sorted, whose back ends on one appliance are not the desired ones.

    An application that the appliance does not have is not counted: it is the job of a scale-out to configure it.
    """
    return sorted(name for name, backends in desired.items() if name in observed and observed[name] != backends)
