# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carrying out what ``listeners`` decides: reads side by side, writes one application after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ...aws import elbv2
from ...aws.client import Client
from ...aws.errors import AwsError
from ...core.parallel import both, gather
from .listeners import (
    Change,
    DesiredListener,
    Group,
    ObservedListeners,
    parse_balancer,
    parse_group,
    parse_listeners,
    plan_absent,
    plan_present,
    refuse,
    refuse_unnamed,
)

# Jobs of several zones may make the same application at the same time; who comes second looks again.
ATTEMPTS = 4


@dataclass(slots=True)
class ListenerWork:
    """One job. ``applications``: those named, with ``present`` the same as ``requests``; ``others``: those that may
    be there besides, None for all; ``only_read``: it is check mode, in which the load balancer need not be there yet;
    ``done``: what was written."""

    client: Client
    load_balancer: str
    group: str
    requests: Sequence[DesiredListener]
    applications: Sequence[str]
    present: bool
    purge: bool
    tags: Mapping[str, str]
    others: Sequence[str] | None = None
    only_read: bool = False
    done: list[str] = field(default_factory=list)

    def observation(self) -> tuple[ObservedListeners, list[Change]]:
        """Read the state and plan the writes. Raises Refusal."""
        observed = self._read()
        if not self.present:
            return observed, plan_absent(self.applications, self.group, observed, purge=self.purge)
        if self.others is not None:
            refuse_unnamed({*self.applications, *self.others}, self.group, observed)
        balancer = refuse(self.requests, self.group, self.load_balancer, observed, needed=not self.only_read)
        return observed, plan_present(self.requests, balancer, observed, self.tags)

    def converge(self, observed: ObservedListeners, changes: list[Change]) -> ObservedListeners:
        """Write, and look again, until there is nothing to write. Raises Failure."""
        for attempt in range(1, ATTEMPTS + 1):
            if not changes:
                return observed
            try:
                self._write(observed, changes)
            except AwsError as error:
                if error.code not in elbv2.RACED or attempt == ATTEMPTS:
                    raise
            observed, changes = self.observation()
        return observed

    def _read(self) -> ObservedListeners:
        described, groups = both(
            lambda: elbv2.describe_load_balancer(self.client, self.load_balancer),
            lambda: elbv2.describe_target_groups(self.client),
        )
        balancer = parse_balancer(described)
        mine = [item for item in groups if item["TargetGroupName"].startswith(f"{self.group}-")]
        listeners, known = both(
            lambda: parse_listeners(elbv2.describe_listeners(self.client, balancer.arn)) if balancer else (),
            lambda: self._groups(mine),
        )
        return ObservedListeners(balancer, listeners, known)

    def _groups(self, described: Sequence[Mapping[str, str]]) -> dict[str, Group]:
        """Read the tags of all target groups, and the attributes of the named ones, because only those are compared."""

        tags = elbv2.tags_of(self.client, [item["TargetGroupArn"] for item in described])
        names = {request.name for request in self.requests if request.attributes}
        requested = [item["TargetGroupArn"] for item in described if item["TargetGroupName"] in names]
        read = gather([partial(elbv2.describe_target_group_attributes, self.client, arn) for arn in requested])
        attributes = dict(zip(requested, read, strict=True))
        groups = [
            parse_group(item, tags.get(item["TargetGroupArn"], {}), attributes.get(item["TargetGroupArn"], {}))
            for item in described
        ]
        return {item.name: item for item in groups}

    def _write(self, observed: ObservedListeners, changes: Sequence[Change]) -> None:
        arns = {str(item.application): item.arn for item in observed.of_group(self.group)}
        for change in changes:
            made = self._carry_out(change, change.arn or arns.get(change.application, ""), observed)
            if change.what == "create_group":
                arns[change.application] = made
            self.done.append(change.message)

    def _carry_out(self, change: Change, arn: str, observed: ObservedListeners) -> str:
        """Execute one write and return the ARN of the created or changed resource. ``arn``: of the target group, where
        the change names none."""
        tags = {**self.tags, "cloudadc:application": change.application}
        parameters = dict(change.parameters)
        match change.what:
            case "create_group":
                name = next(request.name for request in self.requests if request.application == change.application)
                return elbv2.create_target_group(self.client, name, parameters, tags)
            case "tag":
                elbv2.add_tags(self.client, arn, parameters)
            case "set_check":
                elbv2.modify_target_group(self.client, arn, parameters)
            case "set_attributes":
                elbv2.modify_target_group_attributes(self.client, arn, parameters)
            case "create_listener":
                forward = {"DefaultActions": [{"Type": "forward", "TargetGroupArn": arn}]}
                balancer = observed.balancer.arn if observed.balancer else ""
                elbv2.create_listener(self.client, balancer, parameters.pop("Port"), {**parameters, **forward}, tags)
            case "set_listener":
                elbv2.modify_listener(self.client, arn, parameters)
            case "delete_listener":
                elbv2.delete_listener(self.client, arn)
            case "delete_group":
                elbv2.delete_target_group(self.client, arn)
        return arn
