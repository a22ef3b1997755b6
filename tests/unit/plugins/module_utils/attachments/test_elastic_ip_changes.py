"""Carrying out moves against a region in memory that can lag, refuse, lose answers and have other writers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.elastic_ip_changes import (
    Outcome,
    carry_out,
    report,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.elastic_ip_plan import AssociationChange
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError

A, B, C = (Association(f"eni-{n}", f"10.0.{i}.10") for i, n in enumerate("abc"))


def refusal(code: str = "InvalidNetworkInterfaceID.NotFound") -> AwsError:
    return AwsError(
        "Failed to associate it", ClientError({"Error": {"Code": code, "Message": "no"}}, "AssociateAddress")
    )


def lost() -> AwsError:
    return AwsError("Failed to associate it", ReadTimeoutError(endpoint_url="http://aws"))


@dataclass
class Region:
    """``shown`` overrides what a look sees, by the number of the look (from 0); else it sees the truth."""

    associations: dict[str, Association | None]
    shown: Callable[[int, str], Association | str | None] = lambda _n, _id: "truth"
    refuses: dict[str, AwsError] = field(default_factory=dict)
    unreadable: int = 0
    now: float = 0.0
    writes: list[str] = field(default_factory=list)
    reads: list[list[str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def associate(self, move: AssociationChange) -> None:
        with self.lock:
            self.writes.append(move.address.allocation_id)
            error = self.refuses.get(move.address.allocation_id)
            if error is None or error.code is None:
                self.associations[move.address.allocation_id] = move.after
            if error:
                raise error

    def read(self, ids: Sequence[str]) -> list[Address]:
        number = len(self.reads)
        self.reads.append(list(ids))
        if number < self.unreadable:
            raise AwsError("Failed to describe Elastic IPs", refusal("RequestLimitExceeded").exception)
        observed = []
        for name in ids:
            shown = self.shown(number, name)
            association = self.associations[name] if isinstance(shown, str) else shown
            observed.append(Address(f"203.0.113.{name[-1]}", name, association))
        return observed

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def run(self, moves: Sequence[AssociationChange], verify_timeout: float | None = 30) -> list[Outcome]:
        return carry_out(moves, self.associate, self.read, verify_timeout, clock=lambda: self.now, sleep=self.sleep)


def move(number: int, before: Association | None, after: Association) -> AssociationChange:
    return AssociationChange(Address(f"203.0.113.{number}", f"eipalloc-{number}", before), after)


def test_nothing_to_do_makes_no_call() -> None:
    region = Region({"eipalloc-1": A})
    assert region.run([move(1, A, A)]) == []
    assert (region.writes, region.reads) == ([], [])


def test_one_write_each_and_one_look_at_all() -> None:
    region = Region({"eipalloc-1": A, "eipalloc-2": None, "eipalloc-3": C})
    outcomes = region.run([move(1, A, B), move(2, None, A), move(3, C, C), move(1, A, B)])
    assert sorted(region.writes) == ["eipalloc-1", "eipalloc-2"]
    assert region.reads == [["eipalloc-1", "eipalloc-2"]]
    assert report(outcomes) is None
    assert [(o.now, o.written) for o in outcomes] == [(B, True), (A, True)]
    assert region.now == 0, "a look that shows the truth at once costs no pause"


def test_looks_go_on_until_aws_has_caught_up() -> None:
    region = Region({"eipalloc-1": A}, shown=lambda n, _id: [A, None, A, "truth"][n])
    outcomes = region.run([move(1, A, B)])
    assert report(outcomes) is None
    assert len(region.reads) == 4
    assert region.now == pytest.approx(0.1 + 0.2 + 0.4)


def test_a_third_place_seen_once_is_no_verdict() -> None:
    region = Region({"eipalloc-1": A}, shown=lambda n, _id: C if n < 2 else "truth")
    assert report(region.run([move(1, A, B)])) is None


def test_another_writer_is_reported_and_not_fought() -> None:
    region = Region({"eipalloc-1": A, "eipalloc-2": A}, shown=lambda _n, name: C if name.endswith("1") else "truth")
    outcomes = region.run([move(1, A, B), move(2, None, A)])
    message = report(outcomes)
    assert message is not None
    assert "1 of 2" in message
    assert "203.0.113.1 (eipalloc-1) was sent to eni-b (10.0.1.10) but another writer has put it to eni-c" in message
    assert "203.0.113.2 (eipalloc-2) is at eni-a" in message
    assert sorted(region.writes) == ["eipalloc-1", "eipalloc-2"], "each is written once, never again"
    assert (outcomes[0].written, outcomes[0].now) == (True, C)
    assert region.now < 2, "it does not wait for the whole timeout"


def test_the_same_target_by_another_writer_is_fine() -> None:
    region = Region({"eipalloc-1": A}, refuses={"eipalloc-1": refusal("IncorrectState")}, shown=lambda _n, _id: B)
    outcomes = region.run([move(1, A, B)])
    assert report(outcomes) is None
    assert not outcomes[0].written


def test_a_refusal_of_one_keeps_no_other_back() -> None:
    region = Region({"eipalloc-1": A, "eipalloc-2": A}, refuses={"eipalloc-1": refusal()})
    outcomes = region.run([move(1, A, B), move(2, A, C)])
    message = report(outcomes)
    assert message is not None
    assert "203.0.113.1 (eipalloc-1) was not moved" in message
    assert "InvalidNetworkInterfaceID.NotFound" in message
    assert "it is at eni-a (10.0.0.10)" in message
    assert "203.0.113.2 (eipalloc-2) is at eni-c" in message
    assert [o.written for o in outcomes] == [False, True]


def test_a_lost_answer_is_looked_after() -> None:
    region = Region({"eipalloc-1": A}, refuses={"eipalloc-1": lost()}, shown=lambda n, _id: A if n == 0 else "truth")
    outcomes = region.run([move(1, A, B)])
    assert report(outcomes) is None
    assert outcomes[0].written


def test_the_deadline_ends_it_and_the_last_state_is_told() -> None:
    region = Region({"eipalloc-1": A}, shown=lambda _n, _id: A)
    message = report(region.run([move(1, A, B)], verify_timeout=5))
    assert message is not None
    assert "AWS acknowledged, but is still at eni-a (10.0.0.10)" in message
    assert region.now == pytest.approx(5)


def test_looks_that_fail_are_repeated_and_then_told() -> None:
    region = Region({"eipalloc-1": A}, unreadable=2)
    assert report(region.run([move(1, A, B)])) is None
    blind = Region({"eipalloc-1": A}, unreadable=1000)
    message = report(blind.run([move(1, A, B)], verify_timeout=3))
    assert message is not None
    assert "RequestLimitExceeded" in message


def test_without_verification_the_acknowledgement_counts() -> None:
    region = Region({"eipalloc-1": A, "eipalloc-2": A}, refuses={"eipalloc-2": refusal()})
    outcomes = region.run([move(1, A, B), move(2, A, C)], verify_timeout=None)
    assert region.reads == []
    assert [(o.written, o.now, o.arrived) for o in outcomes] == [(True, B, True), (False, A, False)]


@pytest.mark.parametrize("verify_timeout", [None, 30.0])
def test_call_that_aws_puts_off_is_judged_before_it_is_repeated(verify_timeout: float | None) -> None:
    region = Region({"eipalloc-1": A}, refuses={"eipalloc-1": refusal("RequestLimitExceeded")})
    asked: list[AssociationChange] = []

    def permit(one: AssociationChange) -> str | None:
        asked.append(one)
        if len(asked) == 2:
            region.refuses.clear()
        return None

    outcomes = carry_out(
        [move(1, A, B)],
        region.associate,
        region.read,
        verify_timeout,
        permit=permit,
        clock=lambda: region.now,
        sleep=region.sleep,
    )
    assert report(outcomes) is None
    assert (len(region.writes), len(asked)) == (3, 2)


def test_call_is_not_repeated_without_permission() -> None:
    region = Region({"eipalloc-1": A}, refuses={"eipalloc-1": refusal("Throttling")})
    outcomes = carry_out(
        [move(1, A, B)],
        region.associate,
        region.read,
        30,
        permit=lambda _move: "10.0.2.10 says Secondary now",
        clock=lambda: region.now,
        sleep=region.sleep,
    )
    assert "it was not repeated because 10.0.2.10 says Secondary now" in str(report(outcomes))
    assert len(region.writes) == 1
    assert region.now < 5
