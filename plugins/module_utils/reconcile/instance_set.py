# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a set of instances what is desired: read, decide, act, until a reading finds no difference."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..attachments.elastic_ip import associate_with, read_with
from ..attachments.elastic_ip_changes import carry_out, report
from ..attachments.elastic_ip_plan import AssociationChange
from ..aws import ec2 as api
from ..aws import quotas
from ..aws import tags as t
from ..aws.addresses import parse_addresses
from ..aws.client import Client
from ..aws.errors import AwsError
from ..aws.instances import GOING, GONE, Instance, parse_instances
from ..aws.repeated import judged_again
from ..core.errors import Failure, Refusal
from ..core.parallel import attempt_all, gather
from ..core.waiting import Clock, Pace, Sleep, observations
from ..spec.identity import with_kind
from . import launch
from .claims import Claim
from .instance_plan import DesiredSet, EipNeed, Modification, ObservedSet, Plan, decide
from .instance_reading import Reading, read
from .instance_tags import removal_obstacle

ROUNDS = 8
PACE = Pace(first=0.5, growth=1.5, longest=5.0)
# A new instance profile is not known to EC2 at once (IAM User Guide, "changes that I make are not always immediately
# visible"); RunInstances then refuses it as invalid.
PROFILE_TIMEOUT = 60.0
GENERATIONS = 8
#: How old an answer may be by which instances are terminated, in seconds, and how often it is asked for.
FRESH_SECONDS = 30.0
READINGS = 3
ASSOCIATION_TIMEOUT = 30.0


@dataclass(slots=True)
class Journal:
    """What this run has written so far: reported also when it fails half-way."""

    launched: list[str] = field(default_factory=list)
    terminated: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        return {
            "changed": bool(self.actions),
            "launched": self.launched,
            "terminated": self.terminated,
            "actions": self.actions,
        }


@dataclass(slots=True)
class InstanceSet:
    """The set ``desired`` describes, at AWS. ``wait_timeout`` (seconds) bounds everything that is waited for.

    ``before_terminate``: called right before instances are terminated; raises Refusal if they must stay.
    """

    client: Client
    desired: DesiredSet
    launch_spec: launch.LaunchSpec
    wait: bool
    wait_timeout: float
    warn: Callable[[str], None]
    token: str | None = None
    claim: Claim | None = None
    before_terminate: Callable[[], object] = lambda: None
    clock: Clock = time.monotonic
    sleep: Sleep = time.sleep
    journal: Journal = field(default_factory=Journal)
    _deadline: float = 0.0
    _generation: int = 0
    # Instances that we know of although a search by tag may not show them yet.
    _fresh: dict[str, Instance] = field(default_factory=dict)
    # The parameters of RunInstances that were checked for a plan before the first write.
    _prepared: tuple[Plan, dict[str, Any]] | None = None

    def __post_init__(self) -> None:
        self._deadline = self.clock() + self.wait_timeout

    # Reading

    def observation(self) -> ObservedSet:
        """Read the instances, the interfaces' tags, and every Elastic IP of the region, side by side."""
        return self.observe(read([self.desired], self.client))

    def observe(self, reading: Reading) -> ObservedSet:
        """Return what a reading says about this set. An unstated kind becomes that of the resources of the name."""
        named = reading.named(self.desired)
        self.desired = replace(self.desired, kind=with_kind(self.desired.owner, named).kind)
        desired = self.desired
        if desired.instance_ids is None:
            mine = [item for item in reading.instances if t.carries(item.tags, desired.place)]
        else:
            mine = [item for item in reading.instances if item.instance_id in desired.instance_ids]
        found = {instance.instance_id: instance for instance in mine}
        return ObservedSet(
            instances=tuple({**self._fresh, **found}.values()),
            interfaces={i.network_interface_id: i for i in reading.interfaces if t.carries(i.tags, desired.place)},
            addresses=reading.addresses,
            named=named,
        )

    def prepare(self, plan: Plan, observed: ObservedSet, *, lenient: bool = False, together: int = 0) -> dict[str, Any]:
        """Refuse what cannot work, before the first write; the parameters of RunInstances if it is due, else {}.

        ``lenient``: in check mode a security group may be one that an earlier task has not really made. ``together``:
        how many Elastic IPs this set and those beside it allocate.
        """
        if plan.launch:
            launch.refuse_incomplete(self.desired, self.launch_spec, plan.launch)
        quota, prerequisites = self._read_prerequisites(plan)
        if plan.launch:
            launch.refuse_impossible(self.desired, self.launch_spec, prerequisites)
            self._check_groups(prerequisites, lenient)
        if plan.allocate:
            quotas.refuse_quota(len(observed.addresses), max(plan.allocate, together), quota)
        parameters = launch.request(self.desired, self.launch_spec, prerequisites, plan.launch) if plan.launch else {}
        self._prepared = (plan, parameters)
        return parameters

    def _parameters(self, plan: Plan, observed: ObservedSet) -> dict[str, Any]:
        """Return what ``prepare`` found for this plan, or prepare it now."""
        prepared, self._prepared = self._prepared, None
        return prepared[1] if prepared and prepared[0] == plan else self.prepare(plan, observed)

    def _read_prerequisites(self, plan: Plan) -> tuple[int | None, launch.Prerequisites]:
        client, launch_spec, interfaces = self.client, self.launch_spec, self.desired.interfaces
        subnets = sorted({desired_interface.subnet_id for desired_interface in interfaces})
        groups = sorted({name for desired_interface in interfaces for name in desired_interface.security_groups or ()})
        reads: dict[str, Callable[[], api.Described]] = {}
        if plan.allocate:
            reads["quota"] = functools.partial(api.describe_elastic_ip_quota, client)
        if plan.launch:
            reads["types"] = functools.partial(api.describe_instance_type, client, launch_spec.instance_type)
            reads["images"] = functools.partial(api.describe_image, client, str(launch_spec.image_id))
            reads["subnets"] = functools.partial(api.describe_subnets, client, subnets)
        if plan.launch and groups:
            reads["groups"] = functools.partial(api.describe_security_groups, client, groups)
        replies = dict(zip(reads, attempt_all(list(reads.values())), strict=True))
        quota = self._quota(replies.pop("quota", []))
        found: dict[str, api.Described] = {}
        for name, reply in replies.items():
            if isinstance(reply, Failure):
                raise reply
            found[name] = reply
        return quota, launch.Prerequisites(**found)

    def _quota(self, reply: api.Described | Failure) -> int | None:
        if isinstance(reply, Failure):
            self.warn(f"the quota of Elastic IPs is not checked: {reply}")
            return None
        return quotas.quota_of(reply)

    def _check_groups(self, prerequisites: launch.Prerequisites, lenient: bool) -> None:
        trouble = launch.group_trouble(self.desired, prerequisites)
        if trouble and lenient:
            self.warn(trouble)
        elif trouble:
            raise Refusal(trouble)

    # Acting

    def converge(self, observed: ObservedSet) -> ObservedSet:
        """Act until a look finds nothing to do, then wait until the instances are in the state asked for.

        ``observed``: the first look. Returns the last one.
        """
        last = Plan()
        for number in range(ROUNDS):
            plan = decide(self.desired, observed)
            if plan.empty:
                return self._arrive(observed)
            if plan == last:  # written already, but EC2 does not show it yet
                self.sleep(min(PACE.longest, PACE.first * 2**number))
                observed, last = self.observation(), Plan()
                continue
            if not self._move_instances(plan, observed):
                self._trim(plan, observed)
            observed, last = self.observation(), plan
        left = "; ".join(plan.messages()) or f"waiting for {', '.join(plan.settle)}"
        raise Failure(f"{self.desired.name} does not settle: after {ROUNDS} rounds there is still to do: {left}")

    def _arrive(self, observed: ObservedSet) -> ObservedSet:
        moving, target = {
            "present": ("pending", "running"),
            "started": ("pending", "running"),
            "stopped": ("stopping", "stopped"),
            "absent": (GOING, GONE),
        }[self.desired.state]
        under_way = [instance.instance_id for instance in observed.instances if instance.state == moving]
        if not self.wait or not under_way:
            return observed
        self._await(under_way, target)
        return self.observation()

    def _move_instances(self, plan: Plan, observed: ObservedSet) -> bool:
        """Launch, terminate, or await what is under way; whether there was anything of that to do."""
        if plan.launch:
            fresh = self._launch(self._parameters(plan, observed), observed)
            if fresh and self.wait:
                self._await(fresh, "running")
        elif plan.allocate and not self.journal.actions:
            self._parameters(plan, observed)
        if plan.terminate and self._still_due(plan, observed):
            with judged_again(
                self.client, "TerminateInstances", functools.partial(self._refuse_to_repeat, plan, observed),
                FRESH_SECONDS, self.clock,
            ):  # fmt: skip
                api.terminate_instances(self.client, list(plan.terminate))
            self.journal.terminated += plan.terminate
            self.journal.actions += [f"terminate {name}" for name in plan.terminate]
            for name in plan.terminate:
                self._fresh.pop(name, None)
            if self.wait or plan.release:
                self._await(plan.terminate, GONE)
        if plan.settle and not (plan.launch or plan.terminate):
            self._settle(plan.settle)
        return bool(plan.launch or plan.terminate or plan.settle)

    def _still_due(self, plan: Plan, observed: ObservedSet) -> bool:
        """Read the instances again right before they are terminated, and whether they may still go.

        Raises Refusal for one that belongs to another owner now, or is not marked for the event any more. A surplus of
        which one has another lifecycle by now is chosen again.
        """
        obstacles, same = self._judge(plan, observed)
        if obstacles:
            raise Refusal(f"{'; '.join(obstacles)}. Nothing was terminated.")
        return same or self.desired.state == "absent"

    def _judge(self, plan: Plan, observed: ObservedSet) -> tuple[list[str], bool]:
        """Return what stands against the removal now, and whether every lifecycle is what it was."""
        if self.claim:
            self.claim.check()
        self.before_terminate()
        desired, now = self.desired, self._states_now(plan.terminate)
        obstacles = [
            removal_obstacle(desired.owner, desired.place, desired.event, item) for item in now.values() if item.live
        ]
        before = {item.instance_id: item.lifecycle for item in observed.instances}
        same = all(item.lifecycle == before.get(name) for name, item in now.items() if item.live)
        return [obstacle for obstacle in obstacles if obstacle], same

    def _refuse_to_repeat(self, plan: Plan, observed: ObservedSet) -> None:
        """Raise Refusal if the instances must not be terminated any more: the call is late, or was not answered.

        A lifecycle that changed meanwhile is a sign that another run has put the node to another use.
        """
        obstacles, same = self._judge(plan, observed)
        if obstacles or not same:
            why = "; ".join(obstacles) or f"the lifecycle of {' or '.join(plan.terminate)} has changed"
            raise Refusal(
                f"{self.desired.name}: {why}. The instances are not terminated (again). If EC2 did not answer an "
                "earlier attempt, that one may still be carried out: look at the instances"
            )

    def _launch(self, parameters: dict[str, Any], observed: ObservedSet) -> list[str]:
        """RunInstances; the ids of what is new by it. None are, if the token was spent on a launch of other shape."""
        known = {instance.instance_id for instance in observed.instances}
        token = self.token or launch.client_token(self.desired.place, known, parameters)
        for _generation in range(GENERATIONS):
            request = {**parameters, "ClientToken": launch.token_of_generation(token, self._generation)}
            try:
                reply = parse_instances(self._run(request))
            except AwsError as error:
                if error.code not in ("IdempotentInstanceTerminated", "IdempotentParameterMismatch"):
                    raise
                self._generation += 1
                if error.code == "IdempotentParameterMismatch":
                    self.sleep(PACE.longest)  # what that launch made may be about to become visible
                    return []
                continue
            new = [item for item in reply if item.instance_id not in known and item.live]
            if new:
                self._fresh.update({item.instance_id: item for item in new})
                self.journal.launched += [item.instance_id for item in new]
                self.journal.actions += [f"launch {item.instance_id}" for item in new]
                return [item.instance_id for item in new]
            self._generation += 1
        raise Failure(
            f"EC2 answers every launch for {self.desired.name} with instances that are gone; give a client_token"
        )

    def _run(self, request: dict[str, Any]) -> api.Described:
        for left in observations(PROFILE_TIMEOUT, PACE, clock=self.clock, sleep=self.sleep):
            try:
                return api.run_instances(self.client, request)
            except AwsError as error:
                if not left or "iam instance profile" not in error.text().lower():
                    raise
        raise AssertionError("the last look either returns or raises")

    def _trim(self, plan: Plan, observed: ObservedSet) -> None:
        """Everything but the instances themselves, side by side; the first refusal is raised after all have ended."""
        client = self.client
        jobs: list[tuple[list[str], Callable[[], object]]] = [
            *(
                (
                    [f"tag {', '.join(i.resource_ids)}"],
                    functools.partial(api.create_tags, client, i.resource_ids, i.tags),
                )
                for i in plan.tag
            ),
            *(
                ([f"set {i.attribute} of {i.network_interface_id}"], functools.partial(self._modify, i))
                for i in plan.modify
            ),
            *(
                (
                    [f"associate instance profile {i.profile} with {i.instance_id}"],
                    functools.partial(api.associate_instance_profile, client, i.instance_id, i.profile),
                )
                for i in plan.profiles
            ),
            *(
                ([f"release {a}"], functools.partial(api.release_address, client, a.allocation_id))
                for a in plan.release
            ),
            *(
                ([f"delete {name}"], functools.partial(api.delete_network_interface, client, name))
                for name in plan.delete_interfaces
            ),
        ]
        if plan.start:
            jobs.append(([f"start {n}" for n in plan.start], lambda: api.start_instances(client, plan.start)))
        if plan.stop:
            jobs.append(([f"stop {n}" for n in plan.stop], lambda: api.stop_instances(client, plan.stop)))
        if plan.elastic_ips:
            jobs.append(([], lambda: self._give_addresses(plan.elastic_ips, observed)))
        outcomes = attempt_all([job for _message, job in jobs])
        for (message, _job), outcome in zip(jobs, outcomes, strict=True):
            if not isinstance(outcome, Failure):
                self.journal.actions += message
        for outcome in outcomes:
            if isinstance(outcome, Failure):
                raise outcome

    def _modify(self, change: Modification) -> None:
        if isinstance(change.value, bool):
            api.set_source_dest_check(self.client, change.network_interface_id, change.value)
        else:
            api.set_security_groups(self.client, change.network_interface_id, change.value)

    def _give_addresses(self, needs: Sequence[EipNeed], observed: ObservedSet) -> None:
        """Allocate what is lacking, then associate all and see it through."""
        idle = {address.allocation_id: address for address in observed.addresses}
        new = [need for need in needs if need.allocation_id is None]
        allocated = parse_addresses(gather([functools.partial(self._allocate, need) for need in new]))
        made = dict(zip((need.association for need in new), allocated, strict=True))
        moves = [
            AssociationChange(idle[n.allocation_id] if n.allocation_id else made[n.association], n.association)
            for n in needs
        ]
        outcomes = carry_out(
            moves,
            associate=associate_with(self.client, api.associate_address),
            read=read_with(self.client),
            verify_timeout=ASSOCIATION_TIMEOUT,
            clock=self.clock,
            sleep=self.sleep,
        )
        self.journal.actions += [f"associate {o.move.address} with {o.move.after}" for o in outcomes if o.written]
        trouble = report(outcomes)
        if trouble:
            raise Failure(trouble)

    def _allocate(self, need: EipNeed) -> dict[str, Any]:
        reply = api.allocate_address(self.client, need.tags)
        self.journal.actions.append(f"allocate {reply['PublicIp']} ({reply['AllocationId']})")
        return reply

    # Waiting

    def _await(self, ids: Sequence[str], target: str) -> None:
        """Look until all are in the state, one DescribeInstances a look. One that is gone cannot start any more."""
        states: dict[str, Instance] = {}

        def state() -> str:
            return _progress(ids, states, [target])

        seconds = self._deadline - self.clock()
        for _left in observations(seconds, PACE, clock=self.clock, sleep=self.sleep, state=state):
            self._renew_claim()
            states = self._states(ids)
            if target == GONE:
                reached = all(states[name].state == GONE for name in ids if name in states)
            else:
                _refuse_dying(states.values(), target)
                reached = all(name in states and states[name].state == target for name in ids)
            if reached:
                return
        self._give_up(ids, states, f"be {target}")

    def _settle(self, ids: Sequence[str]) -> None:
        states: dict[str, Instance] = {}

        def state() -> str:
            return _progress(ids, states, ("running", "stopped", GONE))

        seconds = self._deadline - self.clock()
        for _left in observations(seconds, PACE, clock=self.clock, sleep=self.sleep, state=state):
            self._renew_claim()
            states = self._states(ids)
            if not any(item.state in ("pending", "stopping", GOING) for item in states.values()):
                return
        self._give_up(ids, states, "settle")

    def _renew_claim(self) -> None:
        """Renew the claim on the event while this run waits for it; raises Failure if another run has taken it over."""
        if self.claim:
            self.claim.observation()

    def _states(self, ids: Sequence[str]) -> dict[str, Instance]:
        found = parse_instances(api.describe_instances(self.client, {"instance-id": list(ids)}))
        states = {item.instance_id: item for item in found}
        self._fresh.update({name: item for name, item in states.items() if name in self._fresh})
        return states

    def _states_now(self, ids: Sequence[str]) -> dict[str, Instance]:
        """Return the same, but reject an answer that was delayed or read before a pause of the process."""
        for _turn in range(READINGS):
            asked = self.clock()
            states = self._states(ids)
            if self.clock() - asked <= FRESH_SECONDS:
                return states
        raise Failure(
            f"{self.desired.name}: {READINGS} times EC2 took more than {FRESH_SECONDS:g} s to describe "
            f"{', '.join(ids)}, which is too old to terminate them by. Nothing was terminated; run this again"
        )

    def _give_up(self, ids: Sequence[str], states: dict[str, Instance], what: str) -> None:
        last = ", ".join(f"{name} is {states[name].state if name in states else 'not to be seen'}" for name in ids)
        raise Failure(f"{self.desired.name}: waited {self.wait_timeout:g} s for instances to {what}, but {last}")


def _refuse_dying(states: Iterable[Instance], target: str) -> None:
    for instance in states:
        if not instance.live:
            raise Failure(
                f"{instance.instance_id} is {instance.state} and will never be {target}: "
                f"{instance.reason or 'EC2 gives no reason'}"
            )


def _progress(ids: Sequence[str], states: dict[str, Instance], targets: Collection[str]) -> str:
    """Return how many of the instances have got where they are waited for, and the others by name."""
    others = [f"{name} {states[name].state}" for name in ids if name in states and states[name].state not in targets]
    return f"{len(ids) - len(others)} of {len(ids)} instances are {' or '.join(targets)}; {', '.join(others)}"
