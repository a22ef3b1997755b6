"""nlb_adc_target's decisions, as tables, and its waiting, against a target group in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.nlb.target_changes import (
    Incomplete,
    complaint,
    watch,
    write,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.nlb.targets import (
    BATCH,
    NOT_REGISTERED,
    Goal,
    Group,
    Health,
    Plan,
    Target,
    difference,
    goal_of,
    health_of,
    name_of,
    parse_group,
    parse_healths,
    plan,
    predict,
    refuse_unfit,
    requests,
)

A, A2, B, C = Target("10.0.1.10", 80), Target("10.0.1.10", 81), Target("10.0.2.10", 80), Target("10.0.3.10", 80)
DRAIN = "Target.DeregistrationInProgress"


def observed(**states: str) -> dict[Any, Health]:
    named = {"a": A, "a2": A2, "b": B, "c": C}
    return {
        named[name].key: Health(named[name], state, DRAIN if state == "draining" else None)
        for name, state in states.items()
    }


@pytest.mark.parametrize(
    ("desired", "healths", "present", "purge", "register", "deregister"),
    [
        pytest.param([A, B], {}, True, False, [A, B], [], id="none of them is there"),
        pytest.param([A, B], {"a": "healthy", "b": "initial"}, True, False, [], [], id="all are there"),
        pytest.param(
            [A, B],
            {"a": "unhealthy", "b": "unhealthy.draining"},
            True,
            False,
            [],
            [],
            id="unhealthy is registered, draining for its health too",
        ),
        pytest.param([A, B], {"a": "unused", "b": "unavailable"}, True, False, [], [], id="no traffic is registered"),
        pytest.param([A, B], {"a": "draining", "b": "healthy"}, True, False, [A], [], id="a draining one comes back"),
        pytest.param([A, A2], {"a": "healthy"}, True, False, [A2], [], id="another port is another target"),
        pytest.param([A], {"b": "healthy"}, True, False, [A], [], id="others stay"),
        pytest.param([A], {"b": "healthy", "c": "draining"}, True, True, [A], [B], id="purge: others go, once"),
        pytest.param([], {"b": "healthy"}, True, True, [], [B], id="purge with an empty list"),
        pytest.param([A, B], {"a": "healthy"}, False, False, [], [A], id="absent: those that are there go"),
        pytest.param([A], {"a": "draining"}, False, False, [], [], id="absent: a draining one has gone"),
        pytest.param([A], {"a2": "healthy"}, False, False, [], [], id="absent: another port stays"),
        pytest.param([A], {"a": "healthy", "b": "healthy"}, False, True, [], [A, B], id="absent with purge: all go"),
    ],
)
def test_what_is_written(
    desired: list[Target],
    healths: dict[str, str],
    present: bool,
    purge: bool,
    register: list[Target],
    deregister: list[Target],
) -> None:
    chosen = plan(desired, observed(**healths), present=present, purge=purge)
    assert (list(chosen.register), list(chosen.deregister)) == (register, deregister)
    assert chosen.changed is bool(register or deregister)
    predicted = predict(chosen, observed(**healths))
    again = plan(desired, predicted, present=present, purge=purge)
    assert not again.changed, "the predicted state needs no second plan"


def test_a_target_leaves_as_it_was_registered() -> None:
    """The zone it was registered with is sent back, not the one that the task names or leaves out."""
    outside = Target("192.168.7.10", 80, "all")
    healths = {outside.key: Health(outside, "healthy")}
    chosen = plan([Target("192.168.7.10", 80)], healths, present=False, purge=False)
    assert [target.wire() for target in chosen.deregister] == [
        {"Id": "192.168.7.10", "Port": 80, "AvailabilityZone": "all"}
    ]


def test_purged_targets_are_listed_and_not_waited_for() -> None:
    chosen = plan([A], observed(a="initial", b="healthy"), present=True, purge=True)
    assert (chosen.watched, chosen.listed) == ((A,), (A, B))
    gone = plan([A], observed(a="initial", b="healthy"), present=False, purge=True)
    assert gone.watched == gone.listed == (A, B)


def test_the_difference_names_identities() -> None:
    healths = observed(a="healthy", b="draining", c="healthy")
    assert difference(plan([A, B], healths, present=True, purge=True), healths) == {
        "before": {"targets": ["10.0.1.10:80", "10.0.3.10:80"]},
        "after": {"targets": ["10.0.1.10:80", "10.0.2.10:80"]},
    }


@pytest.mark.parametrize(
    ("goal", "state", "reason", "reached"),
    [
        (Goal.HEALTHY, "healthy", None, True),
        (Goal.HEALTHY, "initial", "Elb.InitialHealthChecking", False),
        (Goal.HEALTHY, "unused", "Target.NotInUse", False),
        (Goal.IDLE, "unused", "Target.NotInUse", True),
        (Goal.IDLE, "unused", NOT_REGISTERED, False),
        (Goal.GONE, "draining", DRAIN, False),
        (Goal.GONE, "unused", "Target.NotInUse", False),
        (Goal.GONE, "unused", NOT_REGISTERED, True),
    ],
)
def test_when_a_goal_is_reached(goal: Goal, state: str, reason: str | None, reached: bool) -> None:
    assert goal.reached(Health(A, state, reason)) is reached


def test_goals_by_state() -> None:
    assert [goal_of(True, None), goal_of(True, "healthy"), goal_of(True, "unused")] == [
        Goal.HEALTHY,
        Goal.HEALTHY,
        Goal.IDLE,
    ]
    assert goal_of(False, None) is goal_of(False, "unused") is Goal.GONE
    with pytest.raises(Refusal, match="never becomes healthy"):
        goal_of(False, "healthy")


@pytest.mark.parametrize(
    ("kind", "family", "fits", "unfit"),
    [
        (
            "ip",
            "ipv4",
            ["10.0.1.10", "192.168.1.1", "100.64.0.1"],
            ["i-0123456789abcdef0", "node.example", "fd00::1", "224.0.0.1", "0.0.0.0", "169.254.1.1"],
        ),
        ("ip", "ipv6", ["fd00::1"], ["10.0.1.10", "i-0123456789abcdef0"]),
        ("instance", "ipv4", ["i-0123456789abcdef0", "i-01234567"], ["10.0.1.10", "eni-0123456789abcdef0"]),
    ],
)
def test_what_a_group_can_take(kind: str, family: str, fits: list[str], unfit: list[str]) -> None:
    group = Group("arn", "web", kind, family)
    refuse_unfit(group, [Target(name, 80) for name in fits])
    for name in unfit:
        with pytest.raises(Refusal, match=f"web of type {kind}.*cannot take") as refused:
            refuse_unfit(group, [Target(name, 80)])
        assert name in str(refused.value)


@pytest.mark.parametrize("kind", ["alb", "lambda"])
def test_groups_for_something_else(kind: str) -> None:
    with pytest.raises(Refusal, match=f"of type {kind}"):
        refuse_unfit(Group("arn", "web", kind, "ipv4"), [A])


def test_requests_are_unique_by_identity() -> None:
    options = [
        {"id": " 10.0.1.10 ", "port": 80, "availability_zone": ""},
        {"id": "10.0.1.10", "port": 80, "availability_zone": None},
        {"id": "FD00:0::1", "port": 80, "availability_zone": "all"},
    ]
    assert requests(options) == (A, Target("fd00::1", 80, "all"))
    for bad, message in (
        ({"id": "10.0.1.10", "port": 80, "availability_zone": "all"}, "named twice"),
        ({"id": "10.0.1.10", "port": 0, "availability_zone": None}, "outside 1..65535"),
        ({"id": "10.0.1.10", "port": 65536, "availability_zone": None}, "outside 1..65535"),
        ({"id": " ", "port": 80, "availability_zone": None}, "needs an id"),
    ):
        with pytest.raises(Refusal, match=message):
            requests([*options, bad])


def test_replies_are_parsed() -> None:
    arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"
    assert parse_group({"TargetGroupArn": arn, "TargetGroupName": "web", "TargetType": "ip"}) == Group(
        arn, "web", "ip", "ipv4"
    )
    assert (name_of(arn), name_of("web")) == ("web", "web")
    target = {"Id": "10.0.1.10", "Port": 80, "AvailabilityZone": "eu-west-1a"}
    healths = parse_healths([{"Target": target, "TargetHealth": {"State": "initial", "Reason": "Elb.X"}}])
    assert healths == {A.key: Health(Target("10.0.1.10", 80, "eu-west-1a"), "initial", "Elb.X")}
    assert health_of(B, healths).result() == {
        "id": "10.0.2.10",
        "port": 80,
        "state": "unused",
        "reason": NOT_REGISTERED,
    }


@dataclass
class Balancer:
    """Answers each look with the next of ``observations``, the last one for ever; its clock is moved by sleeping."""

    observations: list[dict[Any, Health]]
    reads: int = 0
    now: float = 0.0
    written: list[tuple[str, int]] = field(default_factory=list)
    refuses: str = ""

    def read(self) -> dict[Any, Health]:
        self.reads += 1
        return self.observations[min(self.reads, len(self.observations)) - 1]

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def effect(self, name: str) -> Any:
        def call(batch: Sequence[Target]) -> None:
            if self.refuses == name:
                raise AwsError("Failed to write", ClientError({"Error": {"Code": "TooManyTargets"}}, name))
            self.written.append((name, len(batch)))

        return call

    def write(self, chosen: Plan) -> None:
        write(chosen, self.effect("register"), self.effect("deregister"))


def test_more_than_aws_takes_in_one_call_go_in_batches() -> None:
    many = [Target(f"10.0.{n // 250}.{n % 250}", 80) for n in range(2 * BATCH + 1)]
    balancer = Balancer([])
    balancer.write(plan(many, observed(c="healthy"), present=True, purge=True))
    assert balancer.written == [("register", BATCH), ("register", BATCH), ("register", 1), ("deregister", 1)]


def test_no_target_is_deregistered_if_new_ones_are_refused() -> None:
    chosen = plan([A], observed(b="healthy"), present=True, purge=True)
    refusing = Balancer([], refuses="register")
    with pytest.raises(Incomplete) as failed:
        refusing.write(chosen)
    assert (refusing.written, failed.value.changed) == ([], False)
    half = Balancer([], refuses="deregister")
    with pytest.raises(Incomplete, match="TooManyTargets") as failed:
        half.write(chosen)
    assert (half.written, failed.value.changed) == ([("register", 1)], True)


def test_it_looks_until_all_are_healthy() -> None:
    chosen = plan([A, B], {}, present=True, purge=False)
    balancer = Balancer(
        [{}, observed(a="initial", b="initial"), observed(a="healthy", b="initial"), observed(a="healthy", b="healthy")]
    )
    outcome = watch(chosen, {}, balancer.read, Goal.HEALTHY, 600, clock=lambda: balancer.now, sleep=balancer.sleep)
    assert (outcome.late, balancer.reads) == ((), 4)
    assert complaint(outcome, "web", Goal.HEALTHY, 600) is None


def test_a_time_out_tells_the_last_state_and_its_reason() -> None:
    chosen = plan([A, B], {}, present=True, purge=False)
    ill = Health(B, "unhealthy", "Target.FailedHealthChecks", "Health checks failed")
    balancer = Balancer([{}, observed(a="healthy") | {B.key: ill}])
    outcome = watch(chosen, {}, balancer.read, Goal.HEALTHY, 30, clock=lambda: balancer.now, sleep=balancer.sleep)
    assert balancer.now == pytest.approx(30)
    assert complaint(outcome, "web", Goal.HEALTHY, 30) == (
        "target group web: after 30 s not every target is healthy: 10.0.2.10:80 is unhealthy "
        "(Target.FailedHealthChecks: Health checks failed)"
    )


@pytest.mark.parametrize(
    ("before", "present", "timeout", "reads"),
    [
        pytest.param({"a": "healthy"}, True, 600, 0, id="true already: no look"),
        pytest.param({"a": "initial"}, True, None, 0, id="nothing written, nothing waited for: no look"),
        pytest.param({"a": "initial"}, True, 600, 1, id="registered by an earlier run and not healthy yet: waits"),
        pytest.param({"b": "healthy"}, True, None, 1, id="written, not waited for: one look"),
        pytest.param({}, False, 600, 0, id="gone already: no look"),
    ],
)
def test_no_look_too_many(before: dict[str, str], present: bool, timeout: float | None, reads: int) -> None:
    chosen = plan([A], observed(**before), present=present, purge=False)
    balancer = Balancer([observed(a="healthy")])
    watch(
        chosen, observed(**before), balancer.read, Goal.HEALTHY if present else Goal.GONE, timeout, sleep=balancer.sleep
    )
    assert balancer.reads == reads


def test_a_drain_is_waited_for_also_if_another_run_began_it() -> None:
    chosen = plan([A], observed(a="draining"), present=False, purge=False)
    balancer = Balancer([observed(a="draining"), {}])
    outcome = watch(
        chosen, observed(a="draining"), balancer.read, Goal.GONE, 600, clock=lambda: balancer.now, sleep=balancer.sleep
    )
    assert not chosen.changed
    assert (outcome.late, balancer.reads) == ((), 2)
