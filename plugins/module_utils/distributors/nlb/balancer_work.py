# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Making a load balancer what it shall be, or gone: look, decide, write, wait, look again."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...aws import ec2 as api
from ...aws import elbv2
from ...aws import tags as t
from ...aws.addresses import Address, parse_addresses
from ...aws.client import Client
from ...aws.errors import AwsError
from ...aws.quotas import quota_of, refuse_quota
from ...core.errors import Failure
from ...core.parallel import both, gather
from ...core.waiting import Clock, Pace, Sleep, observations
from ...spec.identity import ObservedResource, belongs
from .balancers import ROLE, Balancer, DesiredBalancer, Plan, adopted, allocated, decide, parse

PACE = Pace(first=0.5, growth=1.6, longest=10)
# A balancer that is deleted gives its Elastic IPs back within moments, as a rule.
FREED_SECONDS = 120.0


@dataclass
class Balancing:
    """One run. ``timeout``: seconds to wait until it is active; None: not at all."""

    desired: DesiredBalancer
    elb: Client
    ec2: Client
    timeout: float | None
    check: bool
    clock: Clock = time.monotonic
    sleep: Sleep = time.sleep
    done: list[str] = field(default_factory=list)
    adopted: list[ObservedResource] = field(default_factory=list)

    # ------------------------------------------------------------------ present

    def converge(self) -> dict[str, Any]:
        balancer, addresses = self.observation()
        plan = decide(self.desired, balancer, addresses)
        self.adopted = adopted(self.desired, balancer, addresses)
        if plan.allocate:
            self._refuse_quota(len(plan.allocate))
        if self.check:
            return self._result(plan.messages, balancer, balancer)
        after = self._write(plan, balancer, addresses)
        if self.timeout is not None:
            after = self._await_active(after)
        return self._result(plan.messages, balancer, after)

    def observation(self) -> tuple[Balancer | None, list[Address]]:
        """Read the load balancer of this name with tags and attributes, and the Elastic IPs allocated for the group."""
        return both(self._read, self._read_addresses)

    def _read(self) -> Balancer | None:
        described = elbv2.describe_load_balancer(self.elb, self.desired.name)
        if not described:
            return None
        arn = described[0]["LoadBalancerArn"]
        tags, attributes = both(
            lambda: elbv2.describe_tags(self.elb, [arn]), lambda: elbv2.describe_load_balancer_attributes(self.elb, arn)
        )
        return parse(described[0], tags.get(arn, {}), attributes)

    def _read_addresses(self) -> list[Address]:
        filters = t.as_filters({t.GROUP: self.desired.group, t.ROLE: ROLE})
        return parse_addresses(api.describe_addresses(self.ec2, filters))

    def _refuse_quota(self, needed: int) -> None:
        """Raise Refusal before the first write if the Elastic IPs will not fit; else AWS has to say."""
        try:
            attributes, held = both(
                lambda: api.describe_elastic_ip_quota(self.ec2), lambda: api.describe_addresses(self.ec2)
            )
        except AwsError:
            return
        refuse_quota(len(held), needed, quota_of(attributes))

    def _write(self, plan: Plan, balancer: Balancer | None, addresses: Sequence[Address]) -> Balancer | None:
        own = allocated(addresses)
        made = gather(
            [
                functools.partial(api.allocate_address, self.ec2, self.desired.address_tags(zone))
                for zone in plan.allocate
            ]
        )
        own |= {zone: item["AllocationId"] for zone, item in zip(plan.allocate, made, strict=True)}
        mappings = [place.mapping(own) for place in self.desired.places]
        arn = balancer.arn if balancer else ""
        if plan.create:
            arn = elbv2.create_load_balancer(
                self.elb,
                self.desired.name,
                self.desired.scheme,
                mappings,
                sorted(self.desired.security_groups or ()),
                self.desired.all_tags,
            )["LoadBalancerArn"]
        if plan.set_subnets:
            elbv2.set_subnets(self.elb, arn, mappings)
        if plan.set_security_groups:
            elbv2.set_security_groups(self.elb, arn, sorted(self.desired.security_groups or ()))
        if plan.attributes:
            elbv2.modify_load_balancer_attributes(self.elb, arn, plan.attributes)
        if plan.tags:
            elbv2.add_tags(self.elb, arn, plan.tags)
        if plan.adopt:
            api.create_tags(self.ec2, [item.allocation_id for item in plan.adopt], self.desired.owner.tags)
        self._release(plan.release)
        return self._read() if plan.messages else balancer

    def _await_active(self, balancer: Balancer | None) -> Balancer | None:
        def progress() -> str:
            return f"load balancer {self.desired.name} is {balancer.state if balancer else 'not visible'}"

        for _left in observations(self.timeout or 0, PACE, clock=self.clock, sleep=self.sleep, state=progress):
            if balancer and balancer.state.startswith("active"):
                return balancer
            if balancer and balancer.state == "failed":
                raise Failure(f"load balancer {self.desired.name} is failed, and AWS says no more about it")
            balancer = self._read()
        state = balancer.state if balancer else "not to be seen"
        raise Failure(
            f"waited {self.timeout:g} s for load balancer {self.desired.name} to be active, but it is {state}"
        )

    # ------------------------------------------------------------------ absent

    def remove(self) -> dict[str, Any]:
        (balancer, addresses), tagged = both(self.observation, self._target_groups)
        found = [ObservedResource(f"target group {name}", tags) for name, tags in tagged.values()]
        adopted(self.desired, balancer, addresses, found, by_name=False)
        groups = {arn: name for arn, (name, tags) in tagged.items() if belongs(self.desired.owner, tags)}
        if balancer and not belongs(self.desired.owner, balancer.tags):
            balancer = None  # another owner's of the same name
        message = [
            *(["delete the load balancer"] if balancer else []),
            *[f"delete target group {name}" for name in groups.values()],
            *[f"release {address}" for address in addresses],
        ]
        if not self.check:
            if balancer:
                elbv2.delete_load_balancer(self.elb, balancer.arn)
            gather([functools.partial(elbv2.delete_target_group, self.elb, arn) for arn in groups])
            self._await_freed(addresses)
            self._release(addresses)
        return self._result(message, balancer, None)

    def _target_groups(self) -> dict[str, tuple[str, dict[str, str]]]:
        """Return name and tags of the region's target groups by ARN."""
        described = elbv2.describe_target_groups(self.elb)
        names = {item["TargetGroupArn"]: item["TargetGroupName"] for item in described}
        tags = elbv2.tags_of(self.elb, list(names))
        return {arn: (names[arn], tags.get(arn, {})) for arn in names}

    def _await_freed(self, addresses: Sequence[Address]) -> None:
        """Release the Elastic IPs once the interfaces of the load balancer have none of them any more."""
        held = [address.allocation_id for address in addresses]
        if not held:
            return
        for _left in observations(FREED_SECONDS, PACE, clock=self.clock, sleep=self.sleep):
            if all(a.association_id is None for a in self._read_addresses() if a.allocation_id in held):
                return
        raise Failure(f"load balancer {self.desired.name} is deleted, but still holds {', '.join(held)}; run it again")

    def _release(self, addresses: Sequence[Address]) -> None:
        gather([functools.partial(api.release_address, self.ec2, item.allocation_id) for item in addresses])

    # ------------------------------------------------------------------ what it says

    def _result(self, message: list[str], before: Balancer | None, after: Balancer | None) -> dict[str, Any]:
        was, now = before.result() if before else None, after.result() if after else None
        diff = {"before": {"balancer": was, "writes": []}, "after": {"balancer": now, "writes": message}}
        return {"changed": bool(message), "balancer": now, "actions": message, "diff": diff if message else {}}
